"""A neighbour who looks after a child: made in one form, helped in one tap, listed by a curator, gone when she says so."""

import pytest

from tests.whole.browser.people import WOMAN, confirm_needs, need_card, open_case
from tests.whole.browser.visitor import DESK, PHONE, Size, Walk

pytestmark = pytest.mark.browser
DAY_CARE = "FC05"
NEIGHBOUR = "Bu Puspa Rekaan"
LISTED = "Titip anak sore Rekaan"


@pytest.mark.parametrize(("language", "size"), [("id", PHONE), ("en", DESK)])
def test_a_neighbour_is_asked_helps_and_is_known_to_all_as_long_as_she_wants(
    walk: Walk, language: str, size: Size
) -> None:
    broker = walk.signed_in("broker", language, size)
    case = open_case(broker, WOMAN, desil="2")
    confirm_needs(broker, [DAY_CARE])
    broker.open(case)
    card = need_card(broker, DAY_CARE)
    broker.page.locator(f"{card} details.more summary").first.click()
    broker.follow(f'{card} a[href$="/own"]')
    broker.picture("own-new")
    broker.submit("main form", name=NEIGHBOUR, day="sepulang sekolah")  # without her word
    assert broker.page.locator('.error-summary a[href="#helper_agreed"]').count() == 1
    broker.picture("own-new-wrong")
    broker.submit("main form", helper_agreed="y", phone="0812 0000 0066", days=["MO", "WE"],
                  capacity="2", visibility="public", publishes=["phone"], public_name=LISTED)  # fmt: skip
    assert broker.path == case, broker.text()

    broker.page.locator('form[action$="/helped"] button').first.click()
    broker.check()
    broker.picture("own-case", at="#own", above=16)
    broker.open("/cases")
    broker.follow('main a[href$="/own"]')
    assert broker.page.locator("main .cards > li", has_text=NEIGHBOUR).count() == 1
    broker.picture("own-list")
    broker.follow(broker.page.locator("main .cards a", has_text=NEIGHBOUR))
    own = broker.path
    broker.picture("own-one")
    broker.open(f"{own}/edit")
    broker.picture("own-edit")

    curator = walk.signed_in("admin", language, size)
    curator.open("/listings/review")
    curator.follow(curator.page.locator("main a", has_text=LISTED).first)
    assert NEIGHBOUR not in curator.page.content()
    curator.picture("own-review")
    curator.submit('form[action$="/approve"]')
    public = walk.visitor(language, size)
    broker.open(own)
    broker.page.locator('a[href^="/services/"]').first.wait_for()
    listed = broker.page.locator('a[href^="/services/"]').first.get_attribute("href") or ""
    public.open(listed)
    assert LISTED in public.text()
    public.picture("own-listed")

    broker.open(own)
    broker.page.locator('details:has(form[action$="/withdraw"]) > summary').click()
    broker.submit('form[action$="/withdraw"]')
    broker.picture("own-withdrawn")
    public.open(listed)
    assert LISTED not in public.text()


def test_it_is_made_without_scripts_too(visits: Walk) -> None:
    broker = visits.visitor("id", PHONE, scripts=False)
    broker.sign_in("broker@demo.example", visits.password)
    broker.open("/own/new")
    broker.submit("main form", category="CD01", name="Arisan Rekaan", helper_agreed="y")

    assert broker.path == "/own", broker.text()
    assert "Arisan Rekaan" in broker.text()
