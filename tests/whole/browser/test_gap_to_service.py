"""Six people of one kab whom nothing helps: a gap, a proposal, a service, and their brokers see it."""

import json
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from playwright.sync_api import Browser as Chromium
from playwright.sync_api import Locator

from tests.factories import PASSWORD
from tests.whole.browser.conftest import ROOT, Instance, serving
from tests.whole.browser.people import category, need_card
from tests.whole.browser.visitor import DESK, PHONE, Size, Visitor, Walk
from tests.whole.browser.waiting_people import BIG, DAY_CARE, MEDICINE, SMALL

pytestmark = pytest.mark.browser
SERVICE = "Taman Penitipan Anak Rekaan"
BROKERS = ("broker1", "broker2")


@dataclass(frozen=True)
class Town:
    """A walk through an instance where people wait, and the needs of each broker."""

    walk: Walk
    instance: Instance
    needs: dict[str, list[str]]

    def needs_of(self, broker: str) -> list[str]:
        return self.needs[f"{broker}@demo.example"]

    def release(self) -> None:
        """What the job of the night does."""
        said = subprocess.run(
            [sys.executable, "-m", "flask", "gaps", "release"],
            cwd=ROOT,
            env=self.instance.environment,
            capture_output=True,
            text=True,
            check=False,
        )
        assert said.returncode == 0, said.stderr


@pytest.fixture
def town(chromium: Chromium, tmp_path: Path) -> Iterator[Town]:
    made = Instance(tmp_path / "made", PASSWORD)
    said = subprocess.run(
        [sys.executable, "-m", "tests.whole.browser.waiting_people", str(made.folder)],
        cwd=ROOT,
        env=made.environment,
        capture_output=True,
        text=True,
        check=False,
    )
    assert said.returncode == 0, said.stderr
    (tmp_path / "run").mkdir()
    with serving(made, tmp_path / "run") as (address, instance):
        walk = Walk(chromium, address, PASSWORD)
        yield Town(walk, instance, json.loads(said.stdout.splitlines()[-1]))
        walk.end()


@pytest.mark.parametrize(("language", "size"), [("id", DESK), ("en", PHONE)])
def test_six_unmet_needs_become_a_gap_a_proposal_and_a_service_that_their_brokers_see(
    town: Town, language: str, size: Size
) -> None:
    brokers = {name: town.walk.signed_in(name, language, size) for name in BROKERS}
    for name, broker in brokers.items():
        for need in town.needs_of(name):
            broker.open(f"/needs/{need}/unmet")
            broker.submit('main form[action*="/unmet"], main form:not([action])', reason="U01")
    town.release()
    planner = town.walk.signed_in("planner", language, size)
    _small_gap(planner)
    _propose(planner)
    _open_it(planner)

    for name, broker in brokers.items():
        broker.open("/cases")
        assert SERVICE in broker.text(), broker.text()
        # Three needs each; who asked for something else, or was erased, is told of nothing.
        assert broker.page.locator('form[action*="/notices/"]').count() == 3
        broker.picture(f"new-service-{name}")
        broker.follow(broker.page.locator('form[action*="/notices/"] button').first)
        broker.follow(f'{need_card(broker, DAY_CARE)} form[action$="/match"] button')
        assert SERVICE in broker.text(".options"), broker.text()
    planner.open(f"/gaps?category={DAY_CARE}")
    assert _title(planner) in planner.text("section:has(#closed-title)"), planner.text()
    planner.picture("gaps-closed", at=".gap-layout", above=16)


def _gap(planner: Visitor, area: str, need: str) -> Locator:
    """The card of a gap on the gap page."""
    link = f'a[href*="/proposals/new"][href*="area={area}"][href*="category={need}"]'
    folded = planner.page.locator("section:has(#gaps) > .rest:not([open]) > summary").filter(
        visible=True
    )
    if folded.count():  # a phone shows the first gaps; the others unfold
        folded.click()
    return planner.page.locator("li.card", has=planner.page.locator(link)).first


def _propose_link(planner: Visitor, area: str, need: str) -> Locator:
    return _gap(planner, area, need).locator('a[href*="/proposals/new"]').first


def _title(planner: Visitor) -> str:
    return category(DAY_CARE, planner.language)


def _small_gap(planner: Visitor) -> None:
    """Two people are fewer than five on the page, fewer than eleven in what is printed; it can be proposed all the same."""
    planner.open("/gaps")
    planner.page.frame_locator("iframe").locator(".leaflet-container").wait_for()
    planner.picture("gap-map", at=".gap-map", above=16)
    said = _gap(planner, SMALL, MEDICINE).inner_text()
    assert "<5" in said, said
    planner.follow(_propose_link(planner, SMALL, MEDICINE))
    problem = planner.page.locator("#problem").input_value()
    fewer, printed = {
        "id": ("Kurang dari 5 orang", "Kurang dari 11 orang"),
        "en": ("Fewer than 5 people", "Fewer than 11 people"),
    }[planner.language]
    assert problem.startswith(printed), problem
    assert fewer in planner.text()
    planner.picture("proposal-small")
    planner.submit("main form[method=post]")
    assert fewer in planner.text()


def _propose(planner: Visitor) -> None:
    """The gap of six is counted; the proposal gets partners, tasks and a budget, and goes on to funded."""
    planner.open(f"/gaps?category={DAY_CARE}")
    planner.page.frame_locator("iframe").locator(".leaflet-container").wait_for()
    planner.picture("gap-map-day-care", at=".gap-map", above=16)
    gap = _gap(planner, BIG, DAY_CARE)
    assert "6" in gap.inner_text(), gap.inner_text()
    assert "Klien" not in planner.page.content()
    planner.follow(_propose_link(planner, BIG, DAY_CARE))
    assert "6 " in planner.text(".summary")
    assert " 11 " in planner.page.locator("#problem").input_value()
    planner.picture("proposal-new")
    planner.submit("main form[method=post]")
    planner.submit('form[action$="/partners"]:has(#partner)', partner="PKK", part="Kader")
    planner.submit('form[action$="/budget"]:has(#item)', item="Ruang", amount="1.500.000",
                   source="APBD")  # fmt: skip
    planner.submit('form[action$="/tasks"]:has(#task)', task="Survei", who="Kelurahan")
    planner.follow('form[action$="/in_development"] button')
    planner.follow('form[action$="/funded"] button')
    planner.picture("proposal")


def _open_it(planner: Visitor) -> None:
    """The form is filled in with what is known; what is missing is said; then the service is listed."""
    page = planner.page
    planner.follow('main a[href$="/opened"]')
    planner.picture("proposal-opening")
    planner.follow("#open-it")
    assert page.locator(".error-summary").count() == 1
    fields = {
        "name": SERVICE,
        "organization": "Perkumpulan Rekaan Bukit Sari",
        "address": "Balai Kelurahan (rekaan)",
        "phones-0-number": "0800 000 002",
        "hours-MO-0-opens": "06:30",
        "hours-MO-0-closes": "17:00",
    }
    for name, value in fields.items():
        page.locator(f'[name="{name}"]').fill(value)
    planner.follow("#open-it")
    assert page.locator('main a[href*="/services/"]').count() == 1, planner.text()
    planner.picture("proposal-opened")
