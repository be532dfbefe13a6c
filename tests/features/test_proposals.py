"""A proposal starts from published figures, goes its way step by step, and ends in a listing that the waiting hear of."""

from collections.abc import Callable
from datetime import date, datetime, timedelta
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import select
from sqlalchemy.orm import Session

from referral.accounts.models import Role, User
from referral.casework.models import Need, Urgency
from referral.changes.models import AuditEntry
from referral.core.errors import Invalid, JejaringError, NotAllowed, NotFound, Stale
from referral.core.text import render
from referral.directory.models import (
    Location,
    Phone,
    Schedule,
    Service,
    ServiceAtLocation,
    ServiceCapacity,
    ServiceStatus,
)
from referral.places.queries import gazetteer
from referral.planning.gaps.releases import publish
from referral.planning.proposals import operations as proposing
from referral.planning.proposals import parts, queries, saying
from referral.planning.proposals.after import after
from referral.planning.proposals.evidence import capacity_suggested, gather
from referral.planning.proposals.models import Answered, Proposal
from referral.planning.proposals.opening import Opening, open_resource
from referral.planning.proposals.partners import suggested
from referral.planning.proposals.sites import Site, Sites, sites_of
from referral.planning.proposals.states import NEXT, ProposalStatus
from referral.planning.siting.questions import Question
from referral.planning.unmet import ledger
from referral.planning.unmet import queries as unmet_queries
from tests.factories import Make
from tests.siting import answered

STAY = {"code": "33.74", "lat": -6.99, "lon": 110.42, "precision_km": 6.0}
THRESHOLD = 5
NAMES = saying.Names(
    area=lambda code: f"area {code}",
    category=lambda code: f"category {code}",
    reason=lambda code: f"reason {code}",
    remedy=lambda code: f"remedy {code}",
)


def waiting_need(make: Make, session: Session, now: datetime, **values: object) -> Need:
    """A need for day care of somebody in Semarang that nothing meets."""
    broker = values.pop("broker", None) or make.user()
    stays = STAY | {"code": values.pop("area", "33.74")}
    case = make.case(broker=broker, client=make.client(broker.office, stays_at=stays))  # type: ignore[attr-defined, arg-type]
    need = make.need(case, **{"category": "FC05", "assessed_at": now} | values)
    ledger.record_unmet(session, need, reason="U01", by=broker, now=now)  # type: ignore[arg-type]
    return need


def opening(**values: object) -> Opening:
    given = {
        "name": "Taman Penitipan Anak Contoh",
        "organization": "Kelompok Contoh",
        "category": "FC05",
        "area_code": "33.74",
        "address": "Balai RW 3",
        "hours": [
            Schedule(freq="WEEKLY", byday="MO,TU,WE,TH,FR", opens_at="07:00", closes_at="16:00")
        ],
        "phones": [Phone(number="021 000 0000"), Phone(number="0812 0000 0000", type="whatsapp")],
    }
    return Opening(**given | values)  # type: ignore[arg-type]


@pytest.fixture
def planner(make: Make) -> User:
    return make.user(Role.PLANNER)


@pytest.fixture
def propose(session: Session, planner: User, now: datetime) -> Callable[..., Proposal]:
    def made(status: ProposalStatus = ProposalStatus.PROPOSED, **values: Any) -> Proposal:
        defaults: dict[str, Any] = {
            "category": "FC05",
            "area_code": "33.74",
            "title": "Penitipan anak",
            "problem": "",
            "capacity": 20,
            "by": planner,
            "now": now,
        }
        plan = proposing.propose(session, **defaults | values)
        if status is not ProposalStatus.PROPOSED:
            proposing.move(session, plan, ProposalStatus.IN_DEVELOPMENT, by=planner, now=now)
        if status is ProposalStatus.FUNDED:
            proposing.move(session, plan, status, by=planner, now=now)
        session.flush()
        return plan

    return made


def release(session: Session, planner: User, now: datetime, quarter: str | None = None) -> None:
    assert publish(session, threshold=THRESHOLD, by=planner, now=now, quarter=quarter) is not None


def said(evidence: dict[str, Any], lang: str = "en") -> str:
    return saying.statement(evidence, NAMES, lang)


# What it starts from


def test_the_evidence_is_what_was_published_and_stays_as_it_was(
    make: Make,
    session: Session,
    planner: User,
    propose: Callable[..., Proposal],
    now: datetime,
) -> None:
    for _ in range(6):
        waiting_need(make, session, now)
    release(session, planner, now)

    plan = propose()

    kept = plan.evidence
    assert kept["unmet"] == {
        "key": ["33.74", "FC05", "", ""],
        "shown": "count",
        "people": 6,
        "wider": None,
    }
    assert kept["release"]["quarter"] == "2026-Q1"
    assert len(kept["release"]["digest"]) == 64
    assert "6 people in area 33.74 needed category FC05" in said(kept)
    assert "not the population" in said(kept)
    assert capacity_suggested(kept) == 10
    waiting_need(make, session, now + timedelta(days=95))
    release(session, planner, now + timedelta(days=125))
    assert gather(session, "33.74", "FC05")["release"]["quarter"] != "2026-Q1"
    assert plan.evidence == kept


def test_a_gap_of_two_is_told_as_fewer_than_five_with_the_wider_figure_and_can_be_proposed(
    make: Make, session: Session, planner: User, propose: Callable[..., Proposal], now: datetime
) -> None:
    for _ in range(2):
        waiting_need(make, session, now)
    for _ in range(3):
        waiting_need(make, session, now, area="33.22")
    release(session, planner, now)

    evidence = propose().evidence

    assert (evidence["unmet"]["shown"], evidence["unmet"]["people"]) == ("small", None)
    text = said(evidence)
    assert "Fewer than 5 people in area 33.74" in text
    assert "2 people" not in text
    assert capacity_suggested(evidence) == THRESHOLD
    assert evidence["unmet"]["wider"] == {"key": ["33", "FC05", "", ""], "people": 5}
    assert "The wider figure: category FC05 in area 33: 5 people." in text


def test_before_the_first_release_a_proposal_says_that_nothing_was_published(
    propose: Callable[..., Proposal], make: Make, session: Session, now: datetime
) -> None:
    waiting_need(make, session, now)

    evidence = propose().evidence

    assert evidence["unmet"] is None
    assert "No figures on category FC05 in area 33.74 have been published yet." in said(evidence)
    assert capacity_suggested(evidence) is None


@pytest.mark.parametrize("lang", ["id", "en"])
def test_every_sentence_of_the_evidence_can_be_said(lang: str) -> None:
    figure = {"key": ["33", "FC", "", "2026-Q1"], "shown": "count", "people": 9, "wider": None}
    small = {"key": ["33", "FC", "U02", ""], "shown": "small", "people": None, "wider": None}
    wider = {"key": ["", "FC", "", ""], "people": 40}
    evidence: dict[str, Any] = {
        "area": "33.74",
        "category": "FC05",
        "release": {
            "audience": "planners",
            "quarter": "2026-Q1",
            "threshold": 5,
            "digest": "ab" * 32,
        },
        "unmet": small | {"wider": wider},
        "asked": figure,
        "reasons": [figure | {"key": ["33", "FC", "U01", ""]}, small],
        "axes": [figure | {"key": ["33", "FC", "availability", ""]}],
        "trend": [figure, small | {"key": ["33", "FC", "", "2026-Q2"]}, figure],
        "nearest": {"km": 61.0, "name": "TPA Jauh", "anywhere": 3},
        "access": {"coverage": 0.25, "radius_km": 25.0, "of": "people", "area": "33.74"},
        "siting": None,
    }

    text = saying.statement(evidence, NAMES, lang)

    for part in ("5", "40", "61", "TPA Jauh", "25", "reason U01", "reason U02"):
        assert part in text
    assert {"id": "triwulan 2 2026: ", "en": "quarter 2 of 2026: "}[lang] in text
    evidence["unmet"] = small | {"shown": "withheld"}
    evidence["reasons"] = []
    assert "reason availability" in saying.statement(evidence, NAMES, lang)
    assert render(saying.source(evidence), lang).count("ab" * 32) == 1


# Its way


def test_a_proposal_is_dropped_only_with_a_reason_and_the_gap_can_be_proposed_again(
    session: Session, planner: User, propose: Callable[..., Proposal], now: datetime
) -> None:
    plan = propose(ProposalStatus.IN_DEVELOPMENT)
    with pytest.raises(Invalid):
        proposing.move(session, plan, ProposalStatus.DROPPED, by=planner, now=now)

    proposing.move(
        session, plan, ProposalStatus.DROPPED, note="Tidak ada lahan", by=planner, now=now
    )

    assert plan.dropped_reason == "Tidak ada lahan"
    with pytest.raises(NotAllowed):
        proposing.move(session, plan, ProposalStatus.FUNDED, by=planner, now=now)
    another = propose(now=now + timedelta(hours=1))
    assert list(queries.of_gap(session, "33.74", "FC05")) == [another, plan]
    assert [one.proposal_id for one in queries.on_map(session)] == [another.id]


def test_it_is_not_funded_while_nobody_is_said_to_pay_a_line(
    session: Session, planner: User, propose: Callable[..., Proposal], now: datetime
) -> None:
    plan = propose(ProposalStatus.IN_DEVELOPMENT)
    by = {"by": planner, "now": now}
    paid = parts.add_line(session, plan, item="Ruang", amount=3_000_000, yearly=False,
                          source="Dana desa", **by)  # fmt: skip
    open_ = parts.add_line(session, plan, item="Pengasuh", amount=24_000_000, yearly=True,
                           source="", **by)  # fmt: skip

    with pytest.raises(Invalid) as refused:
        proposing.move(session, plan, ProposalStatus.FUNDED, **by)

    assert refused.value.field == "budget"
    assert "Pengasuh" in str(refused.value)
    assert "Ruang" not in str(refused.value)
    parts.pay_line(session, plan, open_, "APBD", **by)
    proposing.move(session, plan, ProposalStatus.FUNDED, **by)
    assert parts.cost(plan.budget, 50) == parts.Cost(3_000_000, 24_000_000, 540_000.0)
    assert parts.cost([paid], None) == parts.Cost(3_000_000, 0, None)


def test_the_last_step_is_taken_back_with_a_reason_and_both_stay_in_the_history(
    session: Session, planner: User, propose: Callable[..., Proposal], now: datetime
) -> None:
    plan = propose(ProposalStatus.FUNDED)
    by = {"by": planner, "now": now}
    with pytest.raises(Invalid) as refused:
        proposing.step_back(session, plan, note=" ", seen=plan.version, **by)
    assert refused.value.field == "note"

    proposing.step_back(session, plan, note="Dana ditarik", seen=plan.version, **by)
    session.flush()
    proposing.move(session, plan, ProposalStatus.DROPPED, note="Tidak jadi", **by)
    session.flush()
    proposing.step_back(session, plan, note="Jadi lagi", seen=plan.version, **by)
    session.flush()

    assert (plan.status, plan.dropped_reason) == (ProposalStatus.IN_DEVELOPMENT, None)
    assert [step.note for step in plan.steps] == [
        *(None, None),
        *("Dana ditarik", "Tidak jadi", "Jadi lagi"),
    ]
    proposing.step_back(session, plan, note="Belum mulai", seen=plan.version, **by)
    session.flush()
    with pytest.raises(NotAllowed):
        proposing.step_back(session, plan, note="Lagi", seen=plan.version, **by)
    assert [one.action for one in queries.history(session, plan)] == [
        "proposal.made",
        *["proposal.moved"] * 6,
    ]


def test_a_step_on_a_page_that_is_old_is_refused_with_both_versions(
    session: Session, planner: User, propose: Callable[..., Proposal], now: datetime
) -> None:
    plan = propose()
    old = plan.version
    proposing.move(session, plan, ProposalStatus.IN_DEVELOPMENT, by=planner, now=now)
    session.flush()

    with pytest.raises(Stale) as refused:
        proposing.move(session, plan, ProposalStatus.FUNDED, seen=old, by=planner, now=now)

    assert refused.value.candidates == [old, plan.version]
    assert "in development" in str(refused.value)


def test_it_is_handed_over_to_planners_only(
    make: Make, session: Session, planner: User, propose: Callable[..., Proposal], now: datetime
) -> None:
    plan, other = propose(), make.user(Role.PLANNER)
    by = {"by": planner, "now": now}
    assert plan.owner is planner
    with pytest.raises(Invalid):
        proposing.hand_over(session, plan, make.user(), seen=plan.version, **by)

    proposing.hand_over(session, plan, other, seen=plan.version, **by)

    assert plan.owner is other
    assert other in queries.planners(session)


def test_partners_tasks_and_comments_are_kept_with_what_became_of_them(
    session: Session, planner: User, propose: Callable[..., Proposal], now: datetime
) -> None:
    plan = propose()
    by = {"by": planner, "now": now}
    kind = suggested()[0]
    partner = parts.add_partner(session, plan, name=kind.name["id"], part=kind.brings["id"], **by)
    with pytest.raises(Invalid) as refused:
        parts.add_partner(session, plan, name=kind.name["id"].upper(), part="", **by)
    assert refused.value.field == "partner"
    parts.answer_partner(session, plan, partner, Answered.YES, **by)
    task = parts.add_task(
        session, plan, title="Survei lokasi", who="Kelurahan", due_on=date(2026, 4, 1), **by
    )
    parts.do_task(session, plan, task, done=True, **by)
    parts.do_task(session, plan, task, done=True, **by)
    parts.do_task(session, plan, task, done=False, **by)
    wrong = parts.add_line(session, plan, item="Salah", amount=1, yearly=False, source="", **by)
    parts.take_out(session, plan, wrong, **by)
    proposing.comment(session, plan, "Rapat hari Senin.", **by)

    assert [(one.name, one.answered) for one in plan.partners] == [(kind.name["id"], Answered.YES)]
    assert [(one.title, one.done_at) for one in plan.tasks] == [("Survei lokasi", None)]
    assert plan.budget == []
    assert [one.action.removeprefix("proposal.") for one in queries.history(session, plan)] == [
        *("made", "partner_added", "partner_answered", "task_added", "task_done", "task_undone"),
        *("line_added", "line_taken_out", "commented"),
    ]
    with pytest.raises(NotFound):
        parts.find(plan.budget, wrong.id)
    for entry in session.scalars(select(AuditEntry).where(AuditEntry.subject_id == plan.id)):
        assert "Survei" not in str(entry.details)
        assert "Rapat" not in str(entry.details)


def test_what_ended_is_changed_no_more_but_may_be_talked_about(
    session: Session, planner: User, propose: Callable[..., Proposal], now: datetime
) -> None:
    plan = propose()
    by = {"by": planner, "now": now}
    proposing.move(session, plan, ProposalStatus.DROPPED, note="Ditunda", **by)

    with pytest.raises(NotAllowed):
        parts.add_partner(session, plan, name="PKK", part="", **by)
    with pytest.raises(NotAllowed):
        proposing.revise(session, plan, title="x", problem="", capacity=1, people_covered=1,
                         seen=plan.version, **by)  # fmt: skip

    assert proposing.comment(session, plan, "Coba lagi tahun depan", **by) in plan.comments


STEPS = st.lists(
    st.one_of(
        st.tuples(st.just("move"), st.sampled_from(list(ProposalStatus))),
        st.tuples(st.just("back"), st.booleans()),
        st.tuples(st.just("old"), st.sampled_from(list(ProposalStatus))),
        st.tuples(st.just("line"), st.booleans()),
        st.tuples(st.just("open"), st.booleans()),
    ),
    max_size=12,
)


@settings(
    max_examples=60,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(steps=STEPS)
def test_whatever_is_pressed_a_proposal_keeps_to_its_way(
    steps: list[tuple[str, Any]],
    session: Session,
    planner: User,
    propose: Callable[..., Proposal],
    now: datetime,
) -> None:
    plan = propose()
    by = {"by": planner, "now": now}
    for what, how in steps:
        before = (plan.status, plan.version, len(plan.steps))
        try:
            if what == "move":
                proposing.move(session, plan, how, note="x", seen=plan.version, **by)
            elif what == "old":
                proposing.move(session, plan, how, note="x", seen=plan.version - 1, **by)
            elif what == "back":
                proposing.step_back(session, plan, note="x" if how else "", seen=plan.version, **by)
            elif what == "line":
                parts.add_line(session, plan, item="x", amount=5, yearly=how,
                               source="APBD" if how else "", **by)  # fmt: skip
            else:
                given = {} if how else {"name": ""}
                open_resource(session, plan, opening(**given), seen=plan.version, **by)
        except JejaringError:
            assert (plan.status, len(plan.steps)) == (before[0], before[2])
        session.flush()
        assert (plan.status is ProposalStatus.OPENED) == (plan.service_id is not None)
        assert (plan.status is ProposalStatus.DROPPED) == (plan.dropped_reason is not None)
    assert what_links(plan)
    moved = [one for one in queries.history(session, plan) if one.action == "proposal.moved"]
    assert len(moved) == len(plan.steps)
    sites = session.scalars(select(Service).where(Service.source_id == str(plan.id))).all()
    assert [one.id for one in sites] == ([plan.service_id] if plan.service_id else [])


def what_links(plan: Proposal) -> bool:
    """Each step begins where the one before ended, and nothing follows `opened`."""
    at = ProposalStatus.PROPOSED
    for step in plan.steps:
        forward = step.to_status in NEXT[at]
        back = at is not ProposalStatus.OPENED and not forward
        if step.from_status is not at or not (forward or back):
            return False
        at = step.to_status
    return at is plan.status


# It opens


def test_opening_makes_an_active_unverified_listing_and_tells_the_waiting_in_published_order(
    make: Make, session: Session, planner: User, propose: Callable[..., Proposal], now: datetime
) -> None:
    later = waiting_need(make, session, now)
    earlier = waiting_need(make, session, now - timedelta(days=9))
    urgent = waiting_need(make, session, now, urgency=Urgency.URGENT)
    withdrawn = waiting_need(make, session, now - timedelta(days=30))
    withdrawn.withdrawn_at = now
    oldest = waiting_need(make, session, now - timedelta(days=40))
    oldest.case.client.registered_in = "33.74"
    elsewhere = waiting_need(make, session, now - timedelta(days=50), category="FC02")
    plan = propose(ProposalStatus.IN_DEVELOPMENT)

    site, notices = open_resource(
        session, plan, opening(capacity=12), seen=plan.version, by=planner, now=now
    )

    service = session.get_one(Service, site.service_id)
    assert (service.status, service.assured_date) == (ServiceStatus.ACTIVE, None)
    assert {phone.number for phone in service.phones} == {"021 000 0000", "0812 0000 0000"}
    room = session.scalars(
        select(ServiceCapacity).where(ServiceCapacity.service_id == service.id)
    ).one()
    assert (room.maximum, room.available, room.status) == (12, None, None)
    told = {notice.position: notice.unmet_need_id for notice in notices}
    order = [
        unmet_queries.open_unmet(session, [need.id])[need.id].id
        for need in (urgent, oldest, earlier, later)
    ]
    assert [told[position] for position in sorted(told)] == order
    assert elsewhere.id not in {notice.unmet_need_id for notice in notices}
    (shown,) = queries.on_map(session)
    assert (shown.status, shown.opened_at, shown.service_id) == (
        ProposalStatus.OPENED,
        now,
        service.id,
    )


@pytest.mark.parametrize("field", ["name", "organization", "address", "hours", "phones"])
def test_nothing_opens_without_what_a_client_needs_to_get_there(
    field: str, session: Session, planner: User, propose: Callable[..., Proposal], now: datetime
) -> None:
    plan = propose(ProposalStatus.IN_DEVELOPMENT)
    empty: object = [] if field in ("hours", "phones") else " "

    with pytest.raises(Invalid) as refused:
        open_resource(session, plan, opening(**{field: empty}), by=planner, now=now)

    assert refused.value.field == field
    assert session.scalar(select(Service).where(Service.source == "jejaring:proposal")) is None


def test_at_a_facility_it_gets_its_point_and_a_refuge_gets_none(
    session: Session, planner: User, propose: Callable[..., Proposal], now: datetime
) -> None:
    site = Site("agency", "Balai", "33.74.11", -7.05, 110.41, 40)

    def placed(**values: object) -> Location:
        plan = propose(ProposalStatus.IN_DEVELOPMENT)
        made: ServiceAtLocation
        made, _told = open_resource(
            session, plan, opening(area_code="33.74.11", **values), by=planner, now=now
        )
        return session.get_one(Location, made.location_id)

    at, near, hidden = placed(site=site), placed(), placed(site=site, confidential=True)

    assert (at.latitude, at.point_source, at.area_code) == (-7.05, "facility", "33.74.11")
    middle = gazetteer(session).locate("33.74.11")
    assert middle is not None
    assert (near.latitude, near.area_code) == (middle.latitude, "33.74.11")
    assert (hidden.latitude, hidden.area_code) == (None, "33.74")


def test_before_and_since_tell_what_each_release_told(
    make: Make, session: Session, planner: User, propose: Callable[..., Proposal], now: datetime
) -> None:
    make.service("FC05", at=(-7.55, 110.83))
    for _ in range(6):
        waiting_need(make, session, now)
    release(session, planner, now)
    plan = propose(ProposalStatus.IN_DEVELOPMENT)
    assert after(session, plan) is None
    open_resource(session, plan, opening(), by=planner, now=now + timedelta(days=60))

    early = after(session, plan)

    assert early is not None
    assert [(one.quarter, one.is_since) for one in early.points] == [("2026-Q1", False)]
    assert not early.has_since
    assert early.km_before is not None
    assert early.km_now is not None
    assert early.km_before > 50 > early.km_now
    release(session, planner, now + timedelta(days=125))
    later = after(session, plan)
    assert later is not None
    assert [(one.quarter, one.is_since, one.figure["people"]) for one in later.points] == [
        ("2026-Q1", False, 6),
        ("2026-Q2", True, later.points[1].figure["people"]),
    ]


# Where it should stand


def test_the_places_of_a_siting_case_come_along_with_whom_they_reach(
    make: Make, session: Session, planner: User, propose: Callable[..., Proposal], now: datetime
) -> None:
    make.service("HE05", at=(-6.98, 110.40))
    for _ in range(12):
        waiting_need(make, session, now)
    release(session, planner, now)
    case = answered(session, Question("FC05", "33.74", within_km=5), by=planner, now=now)

    plan = propose(siting=case, sites=1)

    chosen = sites_of(case, 1)
    assert Sites.from_json(plan.evidence["siting"]) == chosen
    assert plan.people_covered == chosen.people
    assert len(chosen.sites) == 1
    assert chosen.people is not None
    assert chosen.of is not None
    assert 0 < chosen.people <= chosen.of
    assert set(chosen.left_out) <= {place.code for place in gazetteer(session)}
    with pytest.raises(Invalid):
        sites_of(case, 9)
