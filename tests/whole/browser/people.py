"""The two people of the walks, told in both languages, and steps that both walks share. Nobody here exists."""

import re
from dataclasses import dataclass

from referral.cli.demo.people import MOTHER, TEENAGER
from referral.taxonomy.tree import shipped
from tests.whole.browser.visitor import Visitor, Walk

PLACE = "Kec. Banyumanik, Kota Semarang"
PASSWORD = "empat kata yang mudah diingat"


@dataclass(frozen=True)
class Someone:
    """A client of a walk, under a name that no demonstration case has."""

    name: str
    number: str
    age_years: int
    stories: dict[str, str]

    @property
    def secrets(self) -> tuple[str, ...]:
        """What nobody may find in a page that is blind to the client."""
        told = [part.strip() for story in self.stories.values() for part in story.split(".")]
        written = "0" + self.number.removeprefix("+62")
        return (self.name.split()[0], self.number, written, *(part for part in told if part))


def _renamed(stories: dict[str, str], before: str, name: str) -> dict[str, str]:
    return {language: story.replace(before, name) for language, story in stories.items()}


GIRL = Someone(
    "Cempaka Rekaan",
    "+6281200000098",
    16,
    _renamed(dict(TEENAGER.stories or {}), "Kinanti", "Cempaka"),
)
WOMAN = Someone(
    "Mayangsari Rekaan",
    "+6281200000097",
    29,
    _renamed(dict(MOTHER.stories or {}), "Sekarwangi", "Mayangsari"),
)


def open_case(broker: Visitor, someone: Someone, **more: str | list[str]) -> str:
    """Open a case and tell the story; ends on the proposed needs. Gives the case's address."""
    broker.open("/cases")
    broker.follow('main a[href$="/cases/new"]')
    broker.submit("main form", kind="person", name=someone.name, stays=PLACE, registered=PLACE,
                  contact_number=someone.number, contact_when="09.00", contact_text="no",
                  age_years=str(someone.age_years), sex="female", **more)  # fmt: skip
    assert broker.path.endswith("/story"), broker.text()
    case = broker.path.removesuffix("/story")
    broker.submit("main form", story=someone.stories[broker.language])
    assert broker.path == f"{case}/proposals", broker.text()
    return case


def confirm_needs(broker: Visitor, codes: list[str], **more: str) -> None:
    """Tick needs the story speaks for; the words behind each stand beside it."""
    form = broker.page.locator("main form.two-column")
    for code in codes:
        assert form.locator(f"#need-{code}-because q").count() > 0, code
    broker.submit("main form.two-column", need=codes, **more)


def need_card(broker: Visitor, code: str) -> str:
    """The selector of a need's card on the case page, by its category's name."""
    name = category(code, broker.language)
    card = broker.page.locator(
        "#needs li", has=broker.page.get_by_role("heading", name=name, exact=True)
    )
    return f"#{card.first.get_attribute('id')}"


def category(code: str, language: str) -> str:
    """What a need is called on a page."""
    return shipped().get(code).name[language]


def invite_staff(walk: Walk, admin: Visitor, organization: str, language: str) -> Visitor:
    """The administrator invites somebody of this agency, who chooses a password and signs in."""
    address = f"{re.sub('[^a-z]', '', organization.lower())}-{language}@demo.example"
    admin.open("/accounts/new")
    admin.submit("main form", email=address, name="Petugas Rekaan", role="agency",
                 organization=organization, language=language)  # fmt: skip
    link = admin.page.locator("#address").input_value()
    staff = walk.visitor(language, admin.size)
    staff.open(link.removeprefix(walk.address))
    staff.submit("main form", password=PASSWORD, again=PASSWORD)
    staff.submit('main form[action$="/sign-in"]', email=address, password=PASSWORD)
    assert staff.path == "/inbox"
    return staff


def answer_with_help(agency: Visitor, someone: Someone, *, outcome: str) -> None:
    """The agency reads the blind card, accepts, makes the first contact and completes."""
    agency.picture("inbox")
    agency.follow("main li.card h2 a >> nth=0")
    _blind(agency, someone)
    agency.picture("blind-card")
    # The main action from the keyboard: the day is filled in, so Enter on the button is enough.
    accept = agency.page.locator('form[action$="/accept"] button')
    accept.focus()
    with agency.page.expect_navigation():
        agency.page.keyboard.press("Enter")
    agency.check()
    assert someone.name in agency.text(), agency.text()
    assert someone.stories[agency.language][:40] not in agency.page.content()
    agency.picture("accepted")
    agency.submit('form[action$="/start"]', note="Datang bersama ibunya.")
    assert agency.page.locator('form[action$="/start"]').count() == 0, agency.text()
    agency.submit('form[action$="/complete"]', outcome=outcome)
    assert agency.page.locator('form[action$="/complete"]').count() == 0, agency.text()
    agency.picture("completed")
    agency.open("/inbox?show=ended")


def _blind(agency: Visitor, someone: Someone) -> None:
    """Neither name nor number nor a sentence of the story is in what the agency was sent."""
    source = agency.page.content()
    assert [secret for secret in someone.secrets if secret in source] == []


def say_it_helped(broker: Visitor, referral: str) -> None:
    """The worker records what the client says came of it."""
    broker.open(referral)
    broker.follow('main a[href$="/feedback"]')
    broker.submit("main form", received="yes", quality="5", form="unwritten", share="pooled",
                  text="Ditolong dengan ramah.")  # fmt: skip
