"""A client's complaint: written down, put into one file with others', carried on, closed; the agency sees nothing."""

from datetime import timedelta
from typing import Any

import pytest
from bs4 import BeautifulSoup
from sqlalchemy import select
from sqlalchemy.orm import Session

from referral.accounts.models import Role
from referral.casework import agreements
from referral.casework import operations as casework
from referral.casework.models import CaseNote, LawfulBasis, WorkerRole
from referral.changes.models import AuditEntry
from referral.core.errors import Invalid, JejaringError, NotAllowed, NotFound
from referral.directory.upkeep.models import ListingReport
from referral.planning.unmet.ledger import record_unmet
from referral.referrals import operations as referrals
from referral.referrals.advocacy import operations, queries
from referral.referrals.advocacy.models import (
    AdvocacyKind,
    AdvocacyOutcome,
    Complaint,
    Obstacle,
)
from referral.referrals.feedback import record_feedback
from referral.referrals.lifecycle import Actor, Event
from referral.referrals.models import Referral
from tests.conftest import Browser
from tests.factories import Make
from tests.scenes import NAME, Scene

SAID, WANTS = "Kata petugas, orang seperti saya tidak dilayani", "Penjelasan tertulis"


def declined(scene: Scene, reason: str = "not_eligible_age") -> Referral:
    referral = scene.sent()
    scene.take(referral, Event.DECLINE, reason=reason, note="ditolak")
    return referral


def another(scene: Scene, name: str = "Sari Fiktif", broker: Any = None) -> Scene:
    """A second client of the office with a need of the same service."""
    other = Scene(scene.session, scene.make, scene.now)
    other.site, other.agency = scene.site, scene.agency
    other.broker = broker or scene.make.user(office=scene.broker.office)
    other.case.broker, other.case.office = other.broker, scene.broker.office
    other.case.client.name = name
    scene.session.flush()
    return other


def complain(scene: Scene, referral: Referral, **values: Any) -> Complaint:
    defaults: dict[str, Any] = {
        "text": SAID,
        "wants": WANTS,
        "form": "unwritten",
        "may_name": False,
        "by": scene.broker,
        "now": scene.now,
    }
    made = operations.complain(scene.session, referral, **defaults | values)
    scene.session.flush()
    return made


def refused(call: Any, kind: type[JejaringError]) -> str:
    with pytest.raises(kind) as caught:
        call()
    assert type(caught.value) is kind
    return caught.value.message.key


def advocate_notes(scene: Scene) -> list[str | None]:
    rows = scene.session.scalars(
        select(CaseNote).where(CaseNote.case_id == scene.case.id).order_by(CaseNote.id)
    )
    return [note.text for note in rows if note.acted_as is WorkerRole.ADVOCATE]


# The rules


def test_a_complaint_opens_a_file_that_holds_no_word_of_the_client(scene: Scene) -> None:
    referral = declined(scene)
    complaint = complain(scene, referral)
    obstacle = complaint.obstacle

    assert (obstacle.reason_code, obstacle.owner, obstacle.service_id) == (
        "not_eligible_age",
        scene.broker,
        referral.service_id,
    )
    assert obstacle.due_on == scene.day + timedelta(days=14)
    assert obstacle.key is scene.case.office.key
    assert complaint.key is scene.case.key
    assert (complaint.text, complaint.wants) == (SAID, WANTS)
    assert advocate_notes(scene) == [
        f"Keluhan klien tentang rujukan {referral.number} ke {referral.service.name} dicatat dan "
        "diperjuangkan."
    ]
    logged = scene.session.scalars(
        select(AuditEntry).where(AuditEntry.action.in_(["obstacle.opened", "complaint.recorded"]))
    ).all()
    assert [(entry.action, entry.client_id) for entry in logged] == [
        ("obstacle.opened", None),
        ("complaint.recorded", referral.client_id),
    ]


def test_the_same_obstacle_of_several_clients_is_one_file(scene: Scene) -> None:
    first = complain(scene, declined(scene))
    other = another(scene)
    same = complain(other, declined(other))
    third = another(scene)
    different = complain(third, declined(third, "outside_area"))
    elsewhere = Scene(scene.session, scene.make, scene.now)
    elsewhere.site, elsewhere.agency = scene.site, scene.agency
    of_another_office = complain(elsewhere, declined(elsewhere))

    assert same.obstacle is first.obstacle
    assert len({first.obstacle_id, different.obstacle_id, of_another_office.obstacle_id}) == 3
    assert queries.people(scene.session, [first.obstacle_id]) == {first.obstacle_id: 2}


def test_a_closed_file_is_not_joined_and_another_reason_shares_none(scene: Scene) -> None:
    first = complain(scene, declined(scene))
    ways: dict[str, Any] = {"result": "tetap", "by": scene.broker, "now": scene.now}
    operations.close(scene.session, first.obstacle, AdvocacyOutcome.UNCHANGED, **ways)
    second, third, fourth = another(scene), another(scene), another(scene)
    later = complain(second, declined(second))
    others = [complain(one, declined(one, "other")) for one in (third, fourth)]

    assert later.obstacle is not first.obstacle
    assert others[0].obstacle is not others[1].obstacle


def test_only_what_was_refused_failed_or_is_disputed_can_be_complained_about(
    scene: Scene,
) -> None:
    referral = scene.completed()
    early = refused(lambda: complain(scene, referral), NotAllowed)
    record_feedback(
        scene.session,
        referral,
        received="no",
        form="unwritten",
        share="no",
        by=scene.broker,
        now=scene.now,
    )
    disputed = complain(scene, referral)
    twice = refused(lambda: complain(scene, referral), NotAllowed)

    assert (early, twice) == ("advocacy.no_ground", "advocacy.no_ground")
    assert disputed.obstacle.reason_code == "help_did_not_come"


@pytest.mark.parametrize(("actor", "may"), [(Actor.AGENCY, True), (Actor.BROKER, False)])
def test_a_cancelled_referral_can_be_complained_about_where_the_agency_cancelled(
    scene: Scene, actor: Actor, may: bool
) -> None:
    referral = scene.accepted()
    by = scene.agency if actor is Actor.AGENCY else scene.broker
    scene.take(referral, Event.CANCEL, reason="other", note="x", actor=actor, by=by)

    assert operations.may_complain(scene.session, referral) is may


def test_what_is_missing_or_too_long_is_refused(scene: Scene) -> None:
    referral = declined(scene)

    assert refused(lambda: complain(scene, referral, text=" "), Invalid) == "advocacy.text_missing"
    assert refused(lambda: complain(scene, referral, form="x"), Invalid) == "advocacy.form"
    long = "x" * (referrals.TEXT_LIMIT + 1)
    for field in ("text", "wants"):
        too_long = refused(lambda field=field: complain(scene, referral, **{field: long}), Invalid)
        assert too_long == "referral.text_long"
    assert scene.session.scalars(select(Obstacle)).all() == []


def test_a_file_is_acted_on_handed_over_and_closed_and_every_case_hears(scene: Scene) -> None:
    referral = declined(scene)
    obstacle = complain(scene, referral).obstacle
    other = another(scene)
    second = declined(other)
    complain(other, second)
    ways: dict[str, Any] = {"by": scene.broker, "now": scene.now}
    operations.act(
        scene.session, obstacle, AdvocacyKind.CALL, text="Kepala seksi akan memeriksa", **ways
    )
    due_on = scene.day + timedelta(days=3)
    operations.entrust(scene.session, obstacle, to=other.broker, due_on=due_on, **ways)
    operations.close(
        scene.session,
        obstacle,
        AdvocacyOutcome.EXCEPTION,
        result="Boleh dengan surat pengantar",
        by=other.broker,
        now=scene.now,
    )

    assert [(one.kind, one.text) for one in obstacle.actions] == [
        (AdvocacyKind.CALL, "Kepala seksi akan memeriksa")
    ]
    assert (obstacle.owner, obstacle.due_on) == (other.broker, due_on)
    assert (obstacle.outcome, obstacle.result) == (
        AdvocacyOutcome.EXCEPTION,
        "Boleh dengan surat pengantar",
    )
    told = [f"Advokasi untuk rujukan {second.number} selesai: ada pengecualian."]
    assert advocate_notes(other)[-1:] == told
    assert len(advocate_notes(scene)) == 3
    closed = refused(
        lambda: operations.act(scene.session, obstacle, AdvocacyKind.CALL, text="x", **ways),
        NotAllowed,
    )
    assert closed == "advocacy.closed"


def test_a_changed_rule_is_reported_to_the_curator_only_where_the_obstacle_is_gone(
    scene: Scene,
) -> None:
    for outcome in (AdvocacyOutcome.UNCHANGED, AdvocacyOutcome.REMOVED):
        one = another(scene)
        obstacle = complain(one, declined(one, "other")).obstacle
        operations.close(
            scene.session,
            obstacle,
            outcome,
            result="Bu Sari Fiktif diterima",
            rule_changed=True,
            by=one.broker,
            now=scene.now,
        )

    (report,) = scene.session.scalars(select(ListingReport)).all()
    assert report.service_id == scene.site.service_id
    assert "Sari" not in report.text
    assert not report.is_quarantine


def test_nobody_but_its_people_and_the_supervisor_touches_a_file(scene: Scene, make: Make) -> None:
    referral = declined(scene)
    obstacle = complain(scene, referral).obstacle
    colleague = make.user(office=scene.broker.office)
    supervisor = make.user(Role.SUPERVISOR, office=scene.broker.office)
    strangers = (
        colleague,
        scene.agency,
        make.user(Role.PLANNER),
        make.user(Role.SUPERVISOR),
        make.user(Role.ADMINISTRATOR),
    )

    for stranger in strangers:
        refused(lambda who=stranger: queries.get(scene.session, who, obstacle.id), NotFound)
        refused(lambda who=stranger: complain(scene, referral, by=who), NotFound)
    assert queries.get(scene.session, supervisor, obstacle.id) is obstacle
    due_on = scene.day
    for to in (make.user(), scene.agency, make.user(Role.PLANNER)):
        refused(
            lambda to=to: operations.entrust(
                scene.session, obstacle, to=to, due_on=due_on, by=supervisor, now=scene.now
            ),
            Invalid,
        )
    operations.entrust(
        scene.session, obstacle, to=colleague, due_on=due_on, by=supervisor, now=scene.now
    )
    told = queries.told_to(scene.session, colleague, obstacle)
    assert (list(told.complaints), told.others) == ([], 1)


def test_somebody_who_was_erased_stays_a_number(scene: Scene) -> None:
    obstacle = complain(scene, declined(scene)).obstacle
    other = another(scene)
    complain(other, declined(other))
    casework.erase_client(scene.session, scene.case.client, by=other.broker, now=scene.now)
    ways: dict[str, Any] = {"by": other.broker, "now": scene.now}
    operations.act(scene.session, obstacle, AdvocacyKind.LETTER, text="Surat dikirim", **ways)
    operations.close(
        scene.session, obstacle, AdvocacyOutcome.REMOVED, result="aturan diubah", **ways
    )
    told = queries.told_to(scene.session, scene.broker, obstacle)

    assert (list(told.complaints), told.others) == ([], 2)
    assert len(advocate_notes(other)) == 3


def test_a_later_no_to_the_agency_takes_the_name_back(scene: Scene) -> None:
    complaint = complain(scene, declined(scene), may_name=True)
    before = queries.named(scene.session, [complaint])
    basis = scene.session.get_one(LawfulBasis, complaint.referral.basis_id)
    agreements.withdraw_basis(scene.session, basis, by=scene.broker, now=scene.now)

    assert before == [complaint]
    assert queries.named(scene.session, [complaint]) == []


def test_who_must_never_meet_the_service_is_not_named_to_it(scene: Scene) -> None:
    complaint = complain(scene, declined(scene, "safety_conflict"), may_name=True)

    assert queries.named(scene.session, [complaint]) == []


# The pages


def text(page: BeautifulSoup, selector: str = "main") -> str:
    found = page.select_one(selector)
    assert found is not None
    return " ".join(found.text.split())


def english(browser: Browser, user: Any) -> Browser:
    browser.post("/sign-out")
    browser.sign_in(user)
    browser.post("/language/en", data={"next": "/"})
    return browser


def test_the_worker_writes_the_complaint_down_and_carries_it_to_an_outcome(
    browser: Browser, scene: Scene, session: Session
) -> None:
    referral = declined(scene)
    english(browser, scene.broker)
    page = browser.page(f"/referrals/{referral.id}")
    address = f"/referrals/{referral.id}/complaint"
    assert page.select(f'a[href="{address}"]')
    empty = browser.submit(address, {"form": "written"}, status=422)
    file = browser.submit(
        address, {"text": SAID, "wants": WANTS, "form": "written", "may_name": "y"}
    )
    (obstacle,) = session.scalars(select(Obstacle)).all()
    where = f"/advocacy/{obstacle.id}"

    assert empty.select_one(".error-summary a")["href"] == "#text"
    assert SAID in file.text
    assert WANTS in file.text
    assert "May be named to the agency" in file.text
    assert not browser.page(f"/referrals/{referral.id}").select(f'a[href="{address}"]')

    wrong = browser.submit(f"{where}/actions", {"kind": "call"}, status=422)
    assert [link["href"] for link in wrong.select(".error-summary a")] == ["#act-text"]
    file = browser.submit(f"{where}/actions", {"kind": "meeting", "text": "Sudah bertemu"})
    assert "Meeting" in text(file, ".timeline")
    assert "Sudah bertemu" in text(file, ".timeline")
    wrong = browser.submit(
        f"{where}/owner", {"to": str(scene.broker.id), "due_on": "2020-01-01"}, status=422
    )
    assert [link["href"] for link in wrong.select(".error-summary a")] == ["#entrust-due_on"]
    wrong = browser.submit(f"{where}/close", {"result": "x"}, status=422)
    assert [link["href"] for link in wrong.select(".error-summary a")] == ["#close-outcome"]
    browser.submit(f"{where}/close", {"outcome": "alternative", "result": "Ke Puskesmas lain"})
    closed = browser.page("/advocacy?closed=1")
    assert [cell.text.strip() for cell in closed.select("tbody th")] == [referral.service.name]
    assert "Another way was found" in text(closed, "tbody")
    assert not browser.page(where).select("main form[action$='/close']")


def test_a_worker_reads_of_others_clients_only_how_many(
    browser: Browser, scene: Scene, session: Session
) -> None:
    obstacle_id = complain(scene, declined(scene)).obstacle_id
    for name in ("Sari Fiktif", "Tini Fiktif"):
        other = another(scene, name)
        complain(other, declined(other), text=f"Kata {name}")
    page = english(browser, scene.broker).page(f"/advocacy/{obstacle_id}")

    assert NAME in page.text
    assert "And 2 other clients of your office." in text(page)
    for word in ("Sari Fiktif", "Tini Fiktif"):
        assert word not in page.text


def test_the_page_offers_the_next_best_option_until_the_need_is_on_its_way(
    browser: Browser, scene: Scene, make: Make
) -> None:
    obstacle_id = complain(scene, declined(scene)).obstacle_id
    other = make.service("HE05", name="Layanan Lain")
    before = english(browser, scene.broker).page(f"/advocacy/{obstacle_id}")
    scene.site = other
    scene.consent()
    scene.take(scene.draft(), Event.SEND)
    after = browser.page(f"/advocacy/{obstacle_id}")

    assert "Next best now: Layanan Lain" in before.text
    assert "Next best now" not in after.text


@pytest.mark.parametrize("may_name", [True, False])
def test_the_letter_names_only_who_wants_it_in_both_languages(
    browser: Browser, scene: Scene, may_name: bool
) -> None:
    referral = declined(scene)
    obstacle_id = complain(scene, referral, may_name=may_name).obstacle_id
    other = another(scene)
    second = declined(other)
    complain(other, second, may_name=True)
    browser.sign_in(scene.broker)
    for lang, subject in (("id", "Hal: Permohonan penjelasan"), ("en", "Subject: Request")):
        page = browser.page(f"/advocacy/{obstacle_id}/letter?lang={lang}")
        letter = text(page, "article.letter")

        assert subject in letter
        assert (NAME in letter, referral.number in letter) == (may_name, may_name)
        for word in ("Sari Fiktif", second.number, SAID, WANTS):
            assert word not in page.text


def test_strangers_find_nothing_and_the_agency_learns_nothing(
    browser: Browser, scene: Scene, make: Make
) -> None:
    referral = declined(scene)
    obstacle_id = complain(scene, referral).obstacle_id
    where = f"/advocacy/{obstacle_id}"
    strangers = [
        make.user(office=scene.broker.office),
        make.user(),
        make.user(Role.SUPERVISOR),
        scene.agency,
        make.user(Role.PLANNER),
        make.user(Role.ADMINISTRATOR),
    ]
    for stranger in strangers:
        english(browser, stranger)
        for address in (where, f"{where}/letter", f"/referrals/{referral.id}/complaint"):
            assert browser.get(address).status_code == 404
        for address in ("actions", "owner", "close"):
            assert browser.post(f"{where}/{address}", data={"text": "x"}).status_code == 404
    english(browser, scene.agency)
    seen_by_agency = browser.page(f"/inbox/{referral.id}").text + browser.page("/inbox").text
    for word in (SAID, WANTS, str(obstacle_id), "complain", "keluhan"):
        assert word not in seen_by_agency
    assert browser.get("/advocacy").status_code == 404


def test_the_supervisor_reads_the_offices_files_and_who_opened_them_is_in_the_chain(
    browser: Browser, scene: Scene, make: Make, session: Session
) -> None:
    complaint = complain(scene, declined(scene))
    supervisor = make.user(Role.SUPERVISOR, office=scene.broker.office)
    english(browser, supervisor)
    page = browser.page(f"/advocacy/{complaint.obstacle_id}")

    assert SAID in page.text
    read = session.scalars(select(AuditEntry).where(AuditEntry.action == "complaint.read")).all()
    assert [(entry.actor_id, entry.subject_id) for entry in read] == [(supervisor.id, complaint.id)]
    colleague = make.user(office=supervisor.office)
    session.flush()
    browser.submit(
        f"/advocacy/{complaint.obstacle_id}/owner",
        {"to": str(colleague.id), "due_on": (scene.day + timedelta(days=9)).isoformat()},
    )
    assert session.get_one(Obstacle, complaint.obstacle_id).owner_id == colleague.id


# Contradictions


def said_no(scene: Scene, referral: Referral, **values: Any) -> None:
    defaults: dict[str, Any] = {
        "received": "no",
        "form": "unwritten",
        "share": "no",
        "text": "Tidak pernah dihubungi",
        "by": scene.broker,
        "now": scene.now,
    }
    record_feedback(scene.session, referral, **defaults | values)


def headings(page: BeautifulSoup) -> list[str]:
    return [
        " ".join(one.text.split())
        for one in page.select("section[aria-labelledby=disagreements] h3")
    ]


def test_supervisor_and_worker_see_both_words_beside_each_other(
    browser: Browser, scene: Scene, make: Make
) -> None:
    referral = scene.completed()
    said_no(scene, referral)
    supervisor = make.user(Role.SUPERVISOR, office=scene.broker.office)
    pages = [english(browser, supervisor).page("/office/")]
    pages += [english(browser, scene.broker).page(one) for one in ("/referrals", "/advocacy")]
    elsewhere = english(browser, make.user(Role.SUPERVISOR)).page("/office/")

    for page in pages:
        assert headings(page) == [f"{referral.number} · {referral.service.name}"]
        words = text(page, "section[aria-labelledby=disagreements]")
        assert "Completed. Help received" in words
        assert "Help received: no" in words
        assert "Tidak pernah dihubungi" in words
    assert NAME not in pages[0].text
    assert headings(elsewhere) == []


def test_help_that_came_though_it_was_declined_stands_there_too(
    browser: Browser, scene: Scene
) -> None:
    referral = declined(scene)
    said_no(scene, referral, received="yes", text=None)
    page = english(browser, scene.broker).page("/referrals")

    assert headings(page) == [f"{referral.number} · {referral.service.name}"]
    words = text(page, "section[aria-labelledby=disagreements]")
    assert "Declined. Age outside the rule. Ditolak" in words
    assert "Help received: yes" in words


def test_words_of_harm_do_not_stand_there(browser: Browser, scene: Scene) -> None:
    said_no(scene, scene.completed(), harmed=True, text="Petugas memukul saya")
    page = english(browser, scene.broker).page("/referrals")

    assert len(headings(page)) == 1
    assert "memukul" not in page.text


def answered_by_disposition(scene: Scene, referral: Referral) -> None:
    referrals.keep_waiting(scene.session, referral, note=None, by=scene.broker, now=scene.now)


def answered_by_another(scene: Scene, referral: Referral) -> None:
    later = scene.now + timedelta(minutes=1)
    again = scene.draft(based_on=referral, now=later)
    scene.take(again, Event.SEND, now=later)


def answered_by_complaint(scene: Scene, referral: Referral) -> None:
    complain(scene, referral)


def answered_by_word_on_the_need(scene: Scene, referral: Referral) -> None:
    casework.resolve_otherwise(scene.session, referral.need, by=scene.broker, now=scene.now)


def answered_as_unmet(scene: Scene, referral: Referral) -> None:
    record_unmet(scene.session, referral.need, reason="U16", by=scene.broker, now=scene.now)


@pytest.mark.parametrize(
    "answer",
    [
        answered_by_disposition,
        answered_by_another,
        answered_by_complaint,
        answered_by_word_on_the_need,
        answered_as_unmet,
    ],
)
def test_a_contradiction_leaves_once_it_is_answered(
    browser: Browser, scene: Scene, answer: Any
) -> None:
    referral = scene.completed()
    said_no(scene, referral)
    before = headings(english(browser, scene.broker).page("/advocacy"))
    answer(scene, referral)

    assert len(before) == 1
    assert headings(browser.page("/advocacy")) == []
