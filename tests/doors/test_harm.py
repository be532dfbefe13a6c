"""Harm by a service: nobody is sent there until a second person decides; the agency learns nothing of it."""

from typing import Any

import pytest

from referral.accounts.models import Role
from referral.core.errors import NotAllowed, NotFound
from referral.matching.models import ServiceStanding
from referral.matching.operations import answer, query_for
from referral.referrals.advocacy import harm
from referral.referrals.advocacy.models import HarmDecision
from referral.referrals.feedback import record_feedback
from tests.conftest import Browser
from tests.factories import Make
from tests.scenes import Scene

TOLD = "Petugas memukul saya"


@pytest.fixture
def supervisor(scene: Scene, make: Make) -> Any:
    return make.user(Role.SUPERVISOR, office=scene.case.office)


def harmed(scene: Scene) -> None:
    record_feedback(
        scene.session,
        scene.completed(),
        received="no",
        form="unwritten",
        share="attributed",
        harmed=True,
        text=TOLD,
        by=scene.broker,
        now=scene.now,
    )


def offered(scene: Scene, make: Make) -> list[str]:
    need = make.need(scene.case)
    content = answer(
        scene.session,
        query_for(scene.session, need, now=scene.now),
        zone="Asia/Jakarta",
        need_id=str(need.id),
    )
    assert content["tally"]["considered"] == len(content["options"])
    return [one["service_id"] for one in content["options"]]


def test_nobody_is_sent_where_harm_is_looked_into(scene: Scene, make: Make) -> None:
    before = offered(scene, make)
    harmed(scene)
    scene.need = make.need(scene.case)

    assert before == [str(scene.site.service_id)]
    assert offered(scene, make) == []
    with pytest.raises(NotAllowed):
        scene.draft()


def test_the_second_person_decides_and_only_they(scene: Scene, make: Make, supervisor: Any) -> None:
    harmed(scene)
    elsewhere = make.user(Role.SUPERVISOR)
    (report,) = harm.of_office(scene.session, supervisor)
    ways = {"why": "Sudah diperiksa bersama UPTD PPA", "now": scene.now}

    for other in (scene.broker, scene.agency, elsewhere):
        assert list(harm.of_office(scene.session, other)) == []
        with pytest.raises(NotFound):
            harm.decide(scene.session, report, HarmDecision.LIFTED, by=other, **ways)
    harm.decide(scene.session, report, HarmDecision.STAYS_SUSPENDED, by=supervisor, **ways)
    stays = offered(scene, make)
    harm.decide(scene.session, report, HarmDecision.LIFTED, by=supervisor, **ways)

    assert stays == []
    assert offered(scene, make) == [str(scene.site.service_id)]
    assert list(harm.of_office(scene.session, supervisor)) == []


def test_a_second_report_keeps_the_service_out_when_the_first_is_lifted(
    scene: Scene, supervisor: Any
) -> None:
    harmed(scene)
    (report,) = harm.of_office(scene.session, supervisor)
    harm.report(scene.session, report.referral, text=None, by=scene.broker, now=scene.now)
    harm.decide(
        scene.session, report, HarmDecision.LIFTED, why="keliru", by=supervisor, now=scene.now
    )

    assert scene.session.get_one(ServiceStanding, scene.site.service_id).suspended


def test_the_supervisor_decides_on_the_office_page_and_the_agency_reads_nothing(
    browser: Browser, scene: Scene, supervisor: Any
) -> None:
    harmed(scene)
    (report,) = harm.of_office(scene.session, supervisor)
    where = f"/office/harm/{report.id}"
    referral = report.referral_id

    for other in (scene.broker, scene.agency):
        browser.sign_in(other)
        assert browser.post(where, data={"decision": "lifted", "why": "x"}).status_code == 404
        browser.post("/sign-out")
    browser.sign_in(scene.agency)
    seen_by_agency = browser.page(f"/inbox/{referral}").text
    browser.post("/sign-out")
    page = browser.sign_in(supervisor).page("/office/")
    browser.submit(where, {"decision": "lifted"})
    undecided = scene.session.get_one(type(report), report.id).decision
    browser.submit(where, {"decision": "lifted", "why": "Keliru orang"})

    assert TOLD in page.text
    assert TOLD not in seen_by_agency
    assert undecided is None
    assert scene.session.get_one(type(report), report.id).decision is HarmDecision.LIFTED
