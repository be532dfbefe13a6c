"""A planner asks where a resource should stand and has the measures worked out; a job does it while they look on."""

import subprocess
import sys
from collections.abc import Iterator

import pytest

from tests.whole.browser.conftest import ROOT, Instance
from tests.whole.browser.visitor import DESK, PHONE, SECONDS, Size, Visitor, Walk

pytestmark = pytest.mark.browser

QUESTION = {"within": "50", "aim": "people", "by": "population", "kinds": ["seat"]}
#: A phone page of the gaps is no longer than this, px.
TALLEST = 4000


@pytest.fixture
def worker(server: tuple[str, Instance]) -> Iterator[None]:
    """The process that works the tasks off."""
    running = subprocess.Popen(
        [sys.executable, "-m", "flask", "jobs", "run"],
        cwd=ROOT,
        env=server[1].environment,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    yield
    running.terminate()
    running.wait(timeout=60)


def ask(planner: Visitor, area: str) -> None:
    planner.open(f"/gaps/siting/new?area={area}&category=VR01")
    planner.submit("main form.stack", **QUESTION)


@pytest.mark.usefixtures("worker")
@pytest.mark.parametrize(("language", "size"), [("id", PHONE), ("en", DESK)])
def test_a_question_is_answered_while_the_planner_looks_on(
    visits: Walk, language: str, size: Size
) -> None:
    planner = visits.signed_in("planner", language, size)

    ask(planner, "51" if size is PHONE else "52")
    planner.picture("siting-waiting")
    shown = planner.find("#sites-title")
    shown.wait_for(timeout=90 * SECONDS)
    assert shown.is_visible()
    planner.picture("siting-answered")
    answer = planner.page.url
    ask(planner, "51" if size is PHONE else "52")
    assert planner.page.url == answer  # from what is kept, at once
    planner.find("#sites-title").wait_for()


@pytest.mark.usefixtures("worker")
def test_without_scripts_the_page_of_a_question_renews_itself(visits: Walk) -> None:
    planner = visits.visitor("id", PHONE, scripts=False)
    planner.sign_in("planner@demo.example", visits.password)

    ask(planner, "75")

    shown = planner.find("#sites-title")
    shown.wait_for(timeout=90 * SECONDS)
    assert shown.is_visible()


@pytest.mark.usefixtures("worker")
@pytest.mark.parametrize(("language", "size"), [("id", PHONE), ("en", DESK)])
def test_the_measures_are_worked_out_while_the_planner_looks_on(
    visits: Walk, language: str, size: Size
) -> None:
    planner = visits.signed_in("planner", language, size)

    planner.open("/gaps/access")
    begin = planner.page.locator("main form button")
    if begin.count():  # the other language has had it worked out
        planner.picture("access-old")
        planner.follow(begin)
        planner.picture("access-going-on")
        planner.find("#explained").wait_for(timeout=120 * SECONDS)
        planner.page.locator("main .notice .ic").wait_for(state="detached", timeout=120 * SECONDS)
    planner.check()
    planner.picture("access-new")
    assert planner.page.locator("#explained").is_visible()


@pytest.mark.parametrize("language", ["id", "en"])
def test_the_gap_page_is_short_on_a_phone_and_the_rest_unfolds_by_keyboard(
    visits: Walk, language: str
) -> None:
    planner = visits.signed_in("planner", language, PHONE)
    planner.open("/gaps?layer=services")
    page, rows = planner.page, planner.page.locator(".gap-table tbody tr")

    assert page.evaluate("document.documentElement.scrollHeight") <= TALLEST
    assert [rows.count(), rows.filter(visible=True).count()] == [25, 5]
    page.locator(".few > .rest > summary").first.focus()
    page.keyboard.press("Enter")
    assert rows.filter(visible=True).count() == 25
    planner.check()
    last = str(rows.last.get_attribute("id"))
    planner.open(f"/gaps?layer=services&at={last.removeprefix('row-')}#{last}")
    assert page.locator(f'[id="{last}"]').is_visible()
    planner.open("/gaps?layer=services&in=33&level=province")
    page.locator("details.fold > summary").first.focus()
    page.keyboard.press("Enter")
    assert page.locator("#layer").is_visible()


def test_on_a_desk_and_on_paper_nothing_is_folded(visits: Walk) -> None:
    planner = visits.signed_in("planner", "en", DESK)
    planner.open("/gaps?layer=services")
    rows = planner.page.locator(".gap-table tbody tr")

    assert rows.filter(visible=True).count() == 25
    assert planner.page.locator("#layer").is_visible()
    assert planner.page.locator("details.fold > summary").filter(visible=True).count() == 0
    planner.page.emulate_media(media="print")
    assert rows.filter(visible=True).count() == 25
