"""A planner carries a proposal from a gap to an open service; every page speaks of areas, never of people."""

import io
import re
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from bs4 import BeautifulSoup
from pypdf import PdfReader
from sqlalchemy import select
from sqlalchemy.orm import Session

from referral.accounts.models import Role, User
from referral.directory.models import Service
from referral.matching.rules import VIOLENT_NEEDS
from referral.planning.gaps.models import Audience, Measure
from referral.planning.gaps.releases import publish
from referral.planning.proposals import operations as proposing
from referral.planning.proposals import parts
from referral.planning.proposals.models import Answered, Proposal, ProposalStatus
from referral.planning.siting.questions import Question
from referral.planning.unmet import ledger
from referral.planning.unmet.models import NewServiceNotice
from tests.conftest import Browser
from tests.factories import Make
from tests.papers import words
from tests.releasing import SMALL, WITHHELD, released
from tests.siting import answered

STAY = {"code": "33.74", "lat": -6.99, "lon": 110.42, "precision_km": 6.0}
NAME = "Melati Rahasia"
GAP = "/proposals/new?area=33.74&category=FC05"
OPENED = {
    "name": "TPA Contoh",
    "organization": "Kelompok Contoh",
    "place": "33.74",
    "address": "Balai RW 3",
    "phones-count": "1",
    "phones-0-number": "021 000 0000",
    "hours-MO-count": "1",
    "hours-MO-0-opens": "07.00",
    "hours-MO-0-closes": "16.00",
}


def unmet(
    make: Make, session: Session, people: int, category: str = "FC05", area: str = "33.74"
) -> list[User]:
    """So many people of an area, half with each of two brokers."""
    brokers, now = [make.user(), make.user()], datetime.now(UTC)
    for number in range(people):
        broker = brokers[number % 2]
        stays = STAY | {"code": area}
        case = make.case(
            broker=broker, client=make.client(broker.office, stays_at=stays, name=NAME)
        )
        need = make.need(case, category=category, assessed_at=now)
        ledger.record_unmet(session, need, reason="U01", by=broker, now=now)
    return brokers


@pytest.fixture
def planner(make: Make) -> User:
    return make.user(Role.PLANNER)


@pytest.fixture
def planning(browser: Browser, planner: User) -> Browser:
    browser.sign_in(planner)
    browser.post("/language/en", data={"next": "/"})
    return browser


@pytest.fixture
def release(session: Session, planner: User) -> Callable[[], None]:
    def made() -> None:
        assert publish(session, threshold=5, by=planner, now=datetime.now(UTC)) is not None
        session.commit()

    return made


def plan_of(session: Session) -> Proposal:
    return session.scalars(select(Proposal)).one()


def wrong(page: BeautifulSoup) -> list[str]:
    return [str(link["href"]) for link in page.select(".error-summary a")]


def seen(session: Session, **values: Any) -> dict[str, Any]:
    return {"seen": str(plan_of(session).version)} | values


def text_of(page: BeautifulSoup, selector: str = "main") -> str:
    found = page.select_one(selector)
    assert found is not None, selector
    return " ".join(found.text.split())


def test_a_gap_of_two_is_fewer_than_five_for_planners_and_fewer_than_eleven_on_paper(
    planning: Browser, make: Make, session: Session, release: Callable[[], None]
) -> None:
    unmet(make, session, 2)
    unmet(make, session, 3, area="33.22")
    release()

    form = planning.page(GAP)
    problem = text_of(form, "#problem")
    assert problem.startswith("Fewer than 11 people in Kota Semarang")
    page = planning.submit(GAP, {"title": "TPA", "problem": problem, "capacity": "5"})
    paper = words(planning, f"/proposals/{plan_of(session).id}/case.pdf?lang=en")

    for text in (text_of(form), text_of(page)):
        assert "Fewer than 5 people" in text
        assert "5 people" in text
    for text in (text_of(form), text_of(page), paper):
        assert "Fewer than 11 people" in text
        assert "not the population" in text
        assert not re.search(r"\b2 people\b", text)
        assert NAME not in text
    # What was filled in and nobody changed stands on the paper once, in its own language.
    assert "What is missing" not in paper
    assert paper.count("Fewer than 11 people") == 1
    assert not re.search(r"\b5 people in\b", paper)
    indonesian = words(planning, f"/proposals/{plan_of(session).id}/case.pdf?lang=id")
    assert "Fewer than" not in indonesian
    evidence = plan_of(session).evidence
    assert evidence["public"]["release"]["digest"] in paper.replace(" ", "")
    assert evidence["release"]["digest"] in text_of(page)


#: How planners may read the gap of GAP, and how everybody may.
PLANNERS = {
    Measure.UNMET: {
        ("33.74", "FC05", "", ""): 6_107,
        ("33", "FC05", "", ""): 6_203,
        ("33", "FC", "", ""): 6_301,
        ("33", "FC", "U01", ""): 6_409,
        ("33", "FC", "availability", ""): 6_503,
        **{("33", "FC", "", f"2026-Q{number}"): 6_600 + number for number in (1, 2, 3)},
    },
    Measure.ASKED: {("33.74", "FC05", "", ""): 6_701},
}
PUBLIC = {
    Measure.UNMET: {
        ("33.74", "FC05", "", ""): SMALL,
        ("33", "FC05", "", ""): WITHHELD,
        ("33", "FC", "", ""): 40,
        ("33", "FC", "availability", ""): 31,
        ("33", "FC", "U01", ""): WITHHELD,
        ("33", "FC", "", "2026-Q3"): SMALL,
    },
    Measure.ASKED: {("33.74", "FC05", "", ""): WITHHELD},
}


@pytest.mark.parametrize(("lang", "few"), [("id", "Kurang dari 11 orang"), ("en", "Fewer than 11 people")])  # fmt: skip
def test_nothing_that_only_planners_may_read_stands_on_paper_or_is_filled_in_for_it(
    planning: Browser, make: Make, session: Session, planner: User, lang: str, few: str
) -> None:
    make.service("HE05", at=(-6.98, 110.40), name="Puskesmas Rekaan")
    released(session, PLANNERS)
    released(session, PUBLIC, audience=Audience.PUBLIC, threshold=11)
    now = datetime.now(UTC)
    case = answered(session, Question("FC05", "33.74", within_km=60), by=planner, now=now)
    session.commit()

    form = planning.page(f"{GAP}&siting={case.id}")
    planning.submit(
        f"{GAP}&siting={case.id}",
        {field: form.select_one(f"#{field}").text for field in ("problem",)}  # type: ignore[union-attr]
        | {field: form.select_one(f"#{field}")["value"] for field in ("title", "capacity")},  # type: ignore[index]
    )
    plan = plan_of(session)
    parts.add_line(session, plan, item="Ruang", amount=10_000_000, yearly=False, source="", by=planner, now=now)  # fmt: skip
    session.commit()
    paper = words(planning, f"/proposals/{plan.id}/case.pdf?lang={lang}")

    assert few in paper
    assert "40" in paper
    assert "31" in paper
    assert (plan.capacity, plan.people_covered) == (10, None)
    of_planners = [cell for cells in PLANNERS.values() for cell in cells.values()]
    assert plan.evidence["siting"]["people"] == PLANNERS[Measure.UNMET]["33.74", "FC05", "", ""]
    digest = plan.evidence["public"]["release"]["digest"]  # may hold any four digits
    unsigned = re.sub(r"\s*".join(digest), "", paper)
    assert len(unsigned) < len(paper)
    digits = re.sub(r"(?<=\d)[.,](?=\d)", "", unsigned + plan.problem + text_of(form, "#problem"))
    assert [people for people in of_planners if str(people) in digits] == []
    assert "6,107 people in Kota Semarang" in text_of(planning.page(f"/proposals/{plan.id}"))


def test_the_cost_per_person_comes_from_the_people_that_everybody_may_read(
    planning: Browser, make: Make, session: Session, planner: User
) -> None:
    make.service("HE05", at=(-6.98, 110.40), name="Puskesmas Rekaan")
    key = ("33.74", "FC05", "", "")
    # 63 is no day of a month and no minute: the paper says when it was made.
    released(session, {Measure.UNMET: {key: 63, ("33", "FC05", "", ""): 70}})
    # What everybody may read is wider: people of the province, shared out over the two areas that may have them.
    hidden = {key: WITHHELD, ("33.22", "FC05", "", ""): WITHHELD}
    public = {Measure.UNMET: {**hidden, ("33", "FC05", "", ""): 350}}
    released(session, public, audience=Audience.PUBLIC, threshold=11)
    now = datetime.now(UTC)
    case = answered(session, Question("FC05", "33.74", within_km=60, beyond=False), by=planner, now=now)  # fmt: skip
    session.commit()

    planning.submit(f"{GAP}&siting={case.id}", {"title": "TPA"})

    plan = plan_of(session)
    assert plan.evidence["siting"]["people"] == 63
    assert plan.evidence["public"]["siting"]["people"] == plan.people_covered == 175
    parts.add_line(session, plan, item="Ruang", amount=175_000, yearly=False, source="", by=planner, now=now)  # fmt: skip
    session.commit()
    paper = words(planning, f"/proposals/{plan.id}/case.pdf?lang=en").replace("\xa0", " ")
    assert "IDR 1,000 for each person within reach (175 people)" in paper
    assert not re.search(r"\b63\b", paper)


def test_the_paper_keeps_the_figures_of_its_day(
    planning: Browser, session: Session, planner: User
) -> None:
    key = ("33.74", "FC05", "", "")
    released(session, {Measure.UNMET: {key: 12}})
    released(session, {Measure.UNMET: {key: 12}}, audience=Audience.PUBLIC, threshold=11)
    session.commit()
    planning.submit(GAP, {"title": "TPA"})
    address = f"/proposals/{plan_of(session).id}/case.pdf?lang=en"
    before = words(planning, address)

    for audience, threshold in ((Audience.PLANNERS, 5), (Audience.PUBLIC, 11)):
        released(session, {Measure.UNMET: {key: 19}}, quarter="2026-Q4", audience=audience, threshold=threshold)  # fmt: skip
    session.commit()

    assert words(planning, address) == before
    assert "12 people in Kota Semarang" in before


def test_six_needs_become_an_open_service_that_both_brokers_hear_of(
    planning: Browser, make: Make, session: Session, release: Callable[[], None]
) -> None:
    brokers = unmet(make, session, 6)
    release()

    assert "6 people in Kota Semarang" in text_of(planning.page(GAP), ".summary")
    page = planning.submit(GAP, {"title": "TPA", "problem": "x", "capacity": "20"})
    assert "TPA" in page.select("h1")[0].text
    address = f"/proposals/{plan_of(session).id}"
    planning.submit(f"{address}/in_development", seen(session))
    planning.submit(f"{address}/funded", seen(session))
    form = planning.page(f"{address}/opened")
    assert form.select_one("#name")["value"] == "TPA"  # type: ignore[index]
    page = planning.submit(f"{address}/opened", seen(session, **OPENED))

    plan = plan_of(session)
    assert plan.status is ProposalStatus.OPENED
    service = session.get_one(Service, plan.service_id)
    assert (service.name, service.organization.name) == ("TPA Contoh", "Kelompok Contoh")
    told = session.scalars(select(NewServiceNotice)).all()
    assert sorted(notice.position for notice in told) == [1, 2, 3, 4, 5, 6]
    assert {notice.broker_id for notice in told} == {broker.id for broker in brokers}
    said = text_of(page)
    assert "Before and since" in said
    assert NAME not in said


def test_a_planner_is_told_the_same_whether_anybody_waits_or_nobody(
    planning: Browser, make: Make, session: Session
) -> None:
    said = []
    for people in (0, 1):
        unmet(make, session, people)
        planning.submit(GAP, {"title": "TPA"})
        plan = session.scalars(select(Proposal).where(Proposal.status == ProposalStatus.PROPOSED)).one()  # fmt: skip
        address, version = f"/proposals/{plan.id}", plan.version
        planning.submit(f"{address}/in_development", {"seen": str(version)})
        session.refresh(plan)
        page = planning.submit(f"{address}/opened", OPENED | {"seen": str(plan.version)})
        said.append(text_of(page, ".flashes"))

    assert len(session.scalars(select(NewServiceNotice)).all()) == 1
    assert said[0] == said[1]


def test_the_opening_form_says_what_is_missing_and_keeps_what_was_typed(
    planning: Browser, make: Make, session: Session
) -> None:
    planning.submit(GAP, {"title": "TPA"})
    address = f"/proposals/{plan_of(session).id}"
    planning.submit(f"{address}/in_development", seen(session))

    page = planning.submit(
        f"{address}/opened", seen(session, name="TPA Contoh", place="33.74"), 422
    )
    assert wrong(page) == ["#organization", "#address", "#hours", "#phones"]
    assert page.select_one("#name")["value"] == "TPA Contoh"  # type: ignore[index]
    given = OPENED | {"hours-MO-0-opens": "?", "phones-0-number": "x"}
    page = planning.submit(f"{address}/opened", seen(session, **given), 422)
    assert sorted(wrong(page)) == ["#hours-MO-0-opens", "#phones-0-number"]
    page = planning.submit(f"{address}/opened", seen(session, **OPENED, do="hours-TU.add"))
    assert page.select_one("#hours-TU-0-opens")
    page = planning.submit(f"{address}/opened", seen(session, **OPENED, do="hours-MO.copy"))
    assert page.select_one("#hours-FR-0-closes")["value"] == "16.00"  # type: ignore[index]
    assert wrong(planning.submit(f"{address}/opened", seen(session, **OPENED | {"place": "31"}), 422)) == ["#place"]  # fmt: skip
    page = planning.submit(f"{address}/opened", OPENED | {"seen": "1"}, status=409)
    assert "changed since the page was opened" in text_of(page, ".flashes")
    assert page.select_one("#organization")["value"] == "Kelompok Contoh"  # type: ignore[index]
    assert page.select_one("[name=seen]")["value"] == seen(session)["seen"]  # type: ignore[index]
    assert session.scalars(select(Service)).all() == []


def test_a_refused_form_of_a_proposal_comes_back_as_it_was_typed(
    planning: Browser, session: Session
) -> None:
    typed = {"title": "", "problem": "x" * (proposing.TEXT_LIMIT + 1), "capacity": "0"}
    page = planning.submit(GAP, typed, status=422)
    assert wrong(page) == ["#problem", "#capacity"]
    assert page.select_one("#problem").text == typed["problem"]  # type: ignore[union-attr]
    assert wrong(planning.submit(GAP, {"title": " "}, status=422)) == ["#title"]
    planning.submit(GAP, {"title": "TPA"})
    address = f"/proposals/{plan_of(session).id}"

    assert wrong(planning.submit(f"{address}/dropped", seen(session, note=" "), 422)) == ["#note"]
    for part, fields, at in (
        ("partners", {"partner": " "}, "#partner"),
        ("tasks", {"task": ""}, "#task"),
        ("budget", {"item": "Ruang", "amount": "banyak"}, "#amount"),
        ("comments", {"text": ""}, "#text"),
    ):
        assert wrong(planning.submit(f"{address}/{part}", fields, 422)) == [at], part
    planning.submit(f"{address}/in_development", seen(session))
    assert wrong(planning.submit(f"{address}/back", seen(session, why=""), 422)) == ["#why"]


def test_partners_tasks_money_and_words_are_kept_from_the_page(
    planning: Browser, session: Session, make: Make
) -> None:
    other = make.user(Role.PLANNER, name="Perencana Kedua")
    planning.submit(GAP, {"title": "TPA", "problem": "x"})
    address = f"/proposals/{plan_of(session).id}"
    planning.submit(f"{address}/partners", {"partner": "PKK", "part": "Kader"})
    planning.submit(f"{address}/tasks", {"task": "Survei", "who": "Kelurahan", "due_on": "2030-04-01"})  # fmt: skip
    planning.submit(f"{address}/budget", {"item": "Ruang", "amount": "Rp 1.500.000", "yearly": "yes"})  # fmt: skip
    planning.submit(f"{address}/comments", {"text": "Rapat Senin"})
    planning.submit(f"{address}/in_development", seen(session))
    page = planning.submit(f"{address}/funded", seen(session), 422)
    assert wrong(page) == ["#budget"]
    assert "Nobody is said to pay yet for: Ruang." in text_of(page)
    plan = plan_of(session)
    ids = [part[0].id for part in (plan.partners, plan.tasks, plan.budget)]
    planning.submit(f"{address}/partners/{ids[0]}", {"answered": "yes"})
    planning.submit(f"{address}/tasks/{ids[1]}", {"do": "done"})
    planning.submit(f"{address}/budget/{ids[2]}", {"source": "APBD"})
    planning.submit(
        f"{address}/edit",
        seen(session, title="TPA Baru", problem="y", capacity="10", people_covered="30"),
    )
    planning.submit(f"{address}/owner", seen(session, owner=str(other.id)))

    page = planning.page(address)

    plan = plan_of(session)
    assert (plan.partners[0].answered, plan.budget[0].amount) == (Answered.YES, 1_500_000)
    assert plan.tasks[0].done_at is not None
    assert plan.owner_id == other.id
    assert "IDR 50,000" in text_of(page, "#budget").replace("\xa0", " ")
    assert "Perencana Kedua" in text_of(page, "[aria-labelledby=owner-title]")
    past = text_of(page, "[aria-labelledby=past-title]")
    for what in ("Partner PKK: yes", "Task done: Survei", "Who pays was recorded: Ruang",
                 "The plan was changed", "Handed over to Perencana Kedua"):  # fmt: skip
        assert what in past
    planning.submit(f"{address}/partners/{ids[0]}", {"do": "remove"})
    assert plan_of(session).partners == []


def test_somebody_who_was_slower_sees_both_values(
    planning: Browser, session: Session, planner: User
) -> None:
    planning.submit(GAP, {"title": "TPA", "problem": "x"})
    address, old = f"/proposals/{plan_of(session).id}", str(plan_of(session).version)
    planning.submit(f"{address}/edit", {"seen": old, "title": "Pertama", "problem": "x"})

    page = planning.submit(
        f"{address}/edit", {"seen": old, "title": "Kedua", "problem": "x"}, status=409
    )

    said = text_of(page, ".notice")
    assert "Pertama" in said
    assert "Kedua" in said
    assert page.select_one("#title")["value"] == "Kedua"  # type: ignore[index]
    assert plan_of(session).title == "Pertama"
    late = planning.submit(f"{address}/dropped", {"seen": old, "note": "Tidak jadi"}, status=409)
    # Not a dead end: the proposal as it stands now, with why, and what was typed.
    assert "This proposal changed since the page was opened" in text_of(late, ".flashes")
    assert text_of(late, "h1") == "Pertama"
    assert late.select_one("details[open] #note").text == "Tidak jadi"  # type: ignore[union-attr]
    planning.submit(f"{address}/in_development", {"seen": old}, status=409)
    assert planning.post(f"{address}/in_development").status_code == 400
    assert plan_of(session).status is ProposalStatus.PROPOSED
    page = planning.submit(f"{address}/edit", seen(session, title="Kedua", problem="x"))
    assert plan_of(session).title == "Kedua"


def test_a_second_proposal_for_the_same_gap_is_pointed_out_and_a_dropped_one_with_its_reason(
    planning: Browser, session: Session
) -> None:
    planning.submit(GAP, {"title": "Pertama"})
    first = plan_of(session)
    assert "Pertama" in text_of(planning.page(GAP), ".notice")
    planning.submit(f"/proposals/{first.id}/dropped", seen(session, note="Tidak ada lahan"))

    page = planning.page(GAP)

    assert "Tidak ada lahan" in text_of(page, ".notice")
    page = planning.submit(GAP, {"title": "Kedua"})
    assert "Pertama" in text_of(page, ".proposal > .notice")
    ended = text_of(planning.page("/proposals?ended=1"))
    assert "Pertama" in ended
    assert "Kedua" not in ended
    page = planning.page(f"/proposals/{first.id}")
    assert page.select(f'a[href="{GAP}"]')


def test_the_place_of_a_refuge_starts_as_secret(planning: Browser, session: Session) -> None:
    category = sorted(VIOLENT_NEEDS)[0]
    planning.submit(f"/proposals/new?area=33.74&category={category}", {"title": "Rumah aman"})
    address = f"/proposals/{plan_of(session).id}"
    planning.submit(f"{address}/in_development", seen(session))

    assert planning.page(f"{address}/opened").select("#confidential[checked]")
    page = planning.submit(f"{address}/opened", seen(session, name="Rumah aman"), status=422)
    assert not page.select("#confidential[checked]")


def test_the_places_of_a_siting_case_are_in_the_form_and_where_it_opens(
    planning: Browser,
    make: Make,
    session: Session,
    planner: User,
    release: Callable[[], None],
) -> None:
    make.service("HE05", at=(-6.98, 110.40), name="Puskesmas Rekaan")
    unmet(make, session, 12)
    release()
    case = answered(
        session, Question("FC05", "33.74", within_km=10), by=planner, now=datetime.now(UTC)
    )
    session.commit()
    address = f"{GAP}&siting={case.id}"

    assert "Together they reach" in text_of(planning.page(address))
    page = planning.submit(address, {"title": "TPA"})

    assert "Where it should stand" in text_of(page)
    plan = plan_of(session)
    assert (plan.siting_case_id, plan.people_covered) == (case.id, 12)
    planning.submit(f"/proposals/{plan.id}/in_development", seen(session))
    form = planning.page(f"/proposals/{plan.id}/opened")
    assert form.select_one("#place option[selected]")["value"] == "site:0"  # type: ignore[index]
    planning.submit(f"/proposals/{plan.id}/opened", seen(session, **OPENED | {"place": "site:0"}))
    assert plan_of(session).status is ProposalStatus.OPENED
    assert planning.get(f"{GAP}&siting={plan.id}").status_code == 404
    assert planning.get(f"{GAP}&siting=x").status_code == 404


def test_only_planners_find_anything_here(
    browser: Browser, make: Make, session: Session, planner: User
) -> None:
    plan = proposing.propose(
        session,
        category="FC05",
        area_code="33.74",
        title="TPA",
        problem="",
        capacity=None,
        by=planner,
        now=datetime.now(UTC),
    )
    session.commit()
    address = f"/proposals/{plan.id}"
    pages = (
        "/proposals",
        GAP,
        address,
        f"{address}/edit",
        f"{address}/opened",
        f"{address}/case.pdf",
    )
    forms = ("in_development", "back", "owner", "edit", "opened", "partners", "tasks", "budget", "comments")  # fmt: skip
    for role in (Role.BROKER, Role.SUPERVISOR, Role.AGENCY, Role.ADMINISTRATOR):
        browser.sign_in(make.user(role))
        assert {browser.get(page).status_code for page in pages} == {404}
        assert {browser.post(f"{address}/{form}").status_code for form in forms} == {404}
        browser.post("/sign-out")


@pytest.mark.parametrize(
    ("area", "category"), [("99", "FC05"), ("33.74", "ZZ99"), ("33.74", "FC"), ("?", "FC05")]
)
def test_a_gap_that_cannot_be_is_no_error_of_ours(
    area: str, category: str, planning: Browser
) -> None:
    assert planning.get(f"/proposals/new?area={area}&category={category}").status_code == 422


# On paper


def full(session: Session, planner: User, *, longest: bool) -> Proposal:
    """A proposal with everything that realistic ones have, or with as much as can be typed."""
    now = datetime.now(UTC)
    long = "Penitipan anak prasekolah yang mudah dijangkau dengan jalan kaki dari pasar induk "
    plan = proposing.propose(
        session,
        category="FC05",
        area_code="33.74",
        title=(long * 3)[:200] if longest else "Penitipan anak di Banyumanik",
        problem=(long.strip() + ". ") * 40
        if longest
        else "Orang tua bekerja sejak subuh dan menitipkan anak bergantian ke tetangga. "
        "Tempat penitipan terdekat di kota lain dan penuh.",
        capacity=20,
        by=planner,
        now=now,
    )
    by: dict[str, Any] = {"by": planner, "now": now}
    for number in range(20 if longest else 4):
        more = f"{number} " + (long * 2)[:190] if longest else f"{number}"
        parts.add_partner(session, plan, name=f"Mitra {more}"[:200], part=(long * 3)[:200] if longest else "kader", **by)  # fmt: skip
        parts.add_task(session, plan, title=f"Tugas {more}"[:200], who=(long * 3)[:200] if longest else "Kelurahan", due_on=now.date() + timedelta(days=number), **by)  # fmt: skip
        parts.add_line(session, plan, item=f"Belanja {more}"[:200], amount=12_500_000 * (number + 1), yearly=number % 2 == 1, source=(long * 3)[:200] if longest else "APBD", **by)  # fmt: skip
    plan.people_covered = 40
    session.commit()
    return plan


@pytest.mark.parametrize("lang", ["id", "en"])
def test_the_case_is_one_tagged_page_with_all_a_meeting_asks_for(
    lang: str,
    planning: Browser,
    make: Make,
    session: Session,
    planner: User,
    release: Callable[[], None],
) -> None:
    unmet(make, session, 12)
    release()
    plan = full(session, planner, longest=False)

    answer = planning.get(f"/proposals/{plan.id}/case.pdf?lang={lang}")

    assert answer.mimetype == "application/pdf"
    read = PdfReader(io.BytesIO(answer.data))
    assert len(read.pages) == 1
    root: Any = read.trailer["/Root"]
    assert root["/Lang"] == lang
    assert root["/MarkInfo"]["/Marked"]
    assert b"pdfuaid" in answer.data or "pdfuaid" in root["/Metadata"].get_data().decode()
    assert round(float(read.pages[0].mediabox.width)) == 595
    text = " ".join(read.pages[0].extract_text().split()).replace("\xa0", " ")
    both = {
        "id": ("Apa yang kurang", "12 orang di Kota Semarang", "bukan seluruh penduduk", "Rp 12.500.000",
               "Mengapa belum terpenuhi", "Tidak ada layanan", "Ciptakan layanan", "Mitra 3", "Tugas 3",
               "Penitipan anak dan perawatan harian untuk 20 orang sekaligus", "Belum ada satu pun", "untuk setiap orang yang terjangkau (40 orang)",
               "Halaman 1 dari 1"),
        "en": ("What is missing", "12 people in Kota Semarang", "not the population", "IDR 12,500,000",
               "Why nothing met them", "No service exists", "Create the service", "Mitra 3", "Tugas 3",
               "for 20 people at a time", "The directory has no", "for each person within reach (40 people)",
               "Page 1 of 1"),
    }  # fmt: skip
    assert [part for part in both[lang] if part not in text] == []
    assert plan.evidence["public"]["release"]["digest"] in text.replace(" ", "")
    assert NAME not in text
    assert planner.name not in text


def test_what_is_too_long_goes_to_an_annex_and_the_first_page_stays_one(
    planning: Browser,
    make: Make,
    session: Session,
    planner: User,
    release: Callable[[], None],
) -> None:
    for category in ("FC05", "FC02", "FC01"):
        unmet(make, session, 6, category=category)
    release()
    plan = full(session, planner, longest=True)

    answer = planning.get(f"/proposals/{plan.id}/case.pdf?lang=id")

    pages = [
        " ".join(page.extract_text().split()) for page in PdfReader(io.BytesIO(answer.data)).pages
    ]
    assert "Kontak" in pages[0]
    assert "Lampiran" not in pages[0]
    assert pages[1].startswith("Lampiran")
    annex = " ".join(pages[1:])
    for number in range(20):
        for part in ("Mitra", "Tugas", "Belanja"):
            assert f"{part} {number} " in annex
