"""Sending, answering and ending referrals against a database."""

from dataclasses import replace
from datetime import date, datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from referral.accounts.models import ClockProfile, Role, User
from referral.casework import operations as casework
from referral.casework.models import Case, Exclusion, LawfulBasis, Need, Stage, Urgency
from referral.changes.models import AuditEntry
from referral.core.errors import (
    BasisMissing,
    Invalid,
    JejaringError,
    NotAllowed,
    NotFound,
    Stale,
)
from referral.directory.models import (
    AnswerMode,
    CapacityStatus,
    ServiceAtLocation,
    ServiceCapacity,
    ServiceStatus,
)
from referral.directory.upkeep.models import ListingReport
from referral.matching.models import ServiceStanding
from referral.referrals import operations, queries
from referral.referrals.cards import View
from referral.referrals.clocks import Clock
from referral.referrals.feedback import record_feedback
from referral.referrals.given import Given
from referral.referrals.lifecycle import Actor, Event, Status
from referral.referrals.loop import NeedState
from referral.referrals.models import Channel, Disposition, Referral
from referral.referrals.standing import is_full, push_standing
from tests.factories import Make
from tests.scenes import NAME, NUMBER, Scene


@pytest.fixture
def scene(session: Session, make: Make, now: datetime) -> Scene:
    return Scene(session, make, now)


def refused(call: Any, kind: type[JejaringError]) -> str:
    with pytest.raises(kind) as caught:
        call()
    assert type(caught.value) is kind
    return caught.value.message.key


def test_the_whole_loop_writes_every_step_and_the_need_follows(scene: Scene) -> None:
    states = [scene.state()]
    referral = scene.sent()
    states.append(scene.state())
    scene.take(referral, Event.RECEIVE)
    scene.take(referral, Event.ACCEPT, first_contact_on=scene.day + timedelta(days=3))
    states.append(scene.state())
    scene.take(referral, Event.START, first_contact_on=scene.day, note="sudah bertemu")
    scene.take(referral, Event.REPORT, note="dua sesi")
    scene.take(referral, Event.COMPLETE, outcome="received", outcome_on=scene.day)
    states.append(scene.state())
    record_feedback(
        scene.session,
        referral,
        received="yes",
        form="unwritten",
        share="no",
        by=scene.broker,
        now=scene.now,
    )
    states.append(scene.state())

    assert states == [
        NeedState.OPEN,
        NeedState.REFERRED,
        NeedState.IN_SERVICE,
        NeedState.SERVED,
        NeedState.MET,
    ]
    assert [(step.event, step.from_status, step.to_status) for step in referral.steps] == [
        (Event.SEND, Status.DRAFT, Status.REQUESTED),
        (Event.RECEIVE, Status.REQUESTED, Status.RECEIVED),
        (Event.ACCEPT, Status.RECEIVED, Status.ACCEPTED),
        (Event.START, Status.ACCEPTED, Status.IN_PROGRESS),
        (Event.REPORT, Status.IN_PROGRESS, Status.IN_PROGRESS),
        (Event.COMPLETE, Status.IN_PROGRESS, Status.COMPLETED),
    ]
    actions = scene.session.scalars(
        select(AuditEntry.action)
        .where(AuditEntry.client_id == scene.case.client_id, AuditEntry.action.like("referral.%"))
        .order_by(AuditEntry.seq)
    ).all()
    assert actions == [
        "referral.drafted",
        "referral.send",
        "referral.receive",
        "referral.accept",
        "referral.start",
        "referral.report",
        "referral.complete",
    ]
    with pytest.raises(NotAllowed):
        scene.draft()  # the need is met


# Drafting and sending ----------------------------------------------------------------------------


def test_drafting_is_refused_where_the_law_says_so(scene: Scene, make: Make) -> None:
    other = make.user()
    refusals = {
        "other broker": refused(lambda: scene.draft(by=other), NotFound),
        "no reason": refused(lambda: scene.draft(known_service_reason=" "), Invalid),
    }
    scene.need.in_scope = False
    refusals["scope"] = refused(scene.draft, NotAllowed)
    scene.need.in_scope = True
    scene.site.service.status = ServiceStatus.INACTIVE
    refusals["inactive"] = refused(scene.draft, NotAllowed)
    scene.site.service.status = ServiceStatus.ACTIVE
    scene.need.withdrawn_at = scene.now
    refusals["withdrawn"] = refused(scene.draft, NotAllowed)
    scene.need.withdrawn_at = None
    scene.case.stage = Stage.CLOSED
    refusals["closed"] = refused(scene.draft, NotAllowed)
    scene.case.stage = Stage.INTERVENTION
    scene.case.contracts[-1].ended_at = scene.now
    refusals["no contract"] = refused(scene.draft, NotAllowed)

    assert refusals == {
        "other broker": "referral.none",
        "no reason": "referral.known_reason",
        "scope": "referral.out_of_scope",
        "inactive": "referral.service_not_active",
        "withdrawn": "referral.need_closed",
        "closed": "casework.closed",
        "no contract": "referral.no_contract",
    }
    scene.need.urgency = Urgency.EMERGENCY
    assert scene.draft().status is Status.DRAFT  # danger needs no contract


def test_an_excluded_organization_is_not_there(scene: Scene) -> None:
    casework.exclude(
        scene.session,
        scene.case,
        scene.site.service.organization_id,
        reason="",
        by=scene.broker,
        now=scene.now,
    )

    assert refused(scene.draft, NotFound) == "referral.none"


def test_one_need_goes_to_one_service_once_at_a_time(scene: Scene) -> None:
    referral = scene.sent()

    assert refused(scene.draft, NotAllowed) == "referral.duplicate"

    scene.take(referral, Event.DECLINE, reason="duplicate")
    assert scene.draft().number != referral.number


def test_numbers_go_on_after_a_draft_is_thrown_away(scene: Scene, make: Make) -> None:
    first, elsewhere = scene.draft(), make.service("HE05")
    second = operations.draft(
        scene.session,
        scene.need,
        elsewhere,
        known_service_reason="juga baik",
        by=scene.broker,
        now=scene.now,
    )
    operations.discard(scene.session, first, by=scene.broker, now=scene.now)

    third = scene.draft()

    assert len({second.number, third.number}) == 2
    assert refused(
        lambda: operations.discard(scene.session, third, by=scene.agency, now=scene.now), NotFound
    )


def test_nothing_is_sent_without_basis_safe_contact_or_the_clients_word_on_a_full_service(
    scene: Scene,
) -> None:
    referral = scene.draft()
    refusals = [refused(lambda: scene.take(referral, Event.SEND), BasisMissing)]
    scene.consent(refused=True)
    refusals.append(refused(lambda: scene.take(referral, Event.SEND), BasisMissing))
    scene.consent(now=scene.now + timedelta(seconds=1))
    scene.case.client.safe_contact = None
    refusals.append(refused(lambda: scene.take(referral, Event.SEND), NotAllowed))
    casework.set_safe_contact(scene.session, scene.case, {"through_worker_only": True})
    full(scene)
    refusals.append(refused(lambda: scene.take(referral, Event.SEND), NotAllowed))

    assert refusals == [
        "referral.no_basis",
        "referral.no_basis",
        "referral.no_safe_contact",
        "referral.full",
    ]
    scene.take(referral, Event.SEND, confirmed_full=True)
    assert referral.status is Status.REQUESTED


def full(scene: Scene, **values: Any) -> None:
    scene.session.add(
        ServiceCapacity(
            **{
                "service_id": scene.site.service_id,
                "updated": scene.now,
                "status": CapacityStatus.NO_CAPACITY,
            }
            | values
        )
    )
    scene.session.flush()
    scene.session.expire(scene.site.service, ["capacities"])


@pytest.mark.parametrize(
    ("said_days_ago", "until_in_days", "expected"),
    [(0, None, True), (31, None, False), (40, 1, True), (1, -1, False)],
)
def test_full_holds_until_its_date_or_thirty_days(
    scene: Scene, said_days_ago: int, until_in_days: int | None, expected: bool
) -> None:
    until = None if until_in_days is None else scene.day + timedelta(days=until_in_days)
    full(scene, updated=scene.now - timedelta(days=said_days_ago), until=until)

    assert is_full(scene.site.service, scene.now) is expected


def test_only_the_agreed_facts_are_released_and_only_from_accepting_on(scene: Scene) -> None:
    scene.consent("name", "need")
    referral = scene.draft()
    scene.take(referral, Event.SEND)
    views = [queries.agency_view(scene.session, referral, now=scene.now)]
    scene.take(referral, Event.ACCEPT, first_contact_on=scene.day)
    views.append(queries.agency_view(scene.session, referral, now=scene.now))
    scene.take(referral, Event.FAIL, reason="no_show")
    views.append(queries.agency_view(scene.session, referral, now=scene.now))

    assert referral.released == {"name": NAME, "need": "HE05"}
    assert views == [View.BLIND, View.RELEASED, View.STUB]
    assert referral.blind_card == {
        "criteria": {},
        "age_band": "13-17",
        "area_code": "33.74",
        "priority": "routine",
    }


def test_a_number_goes_with_its_rules_and_never_where_only_the_worker_may_call(
    scene: Scene, make: Make
) -> None:
    open_to_all = scene.sent()
    protected = Scene(scene.session, make, scene.now)
    protected.case.protections = ["violence"]
    casework.set_safe_contact(scene.session, protected.case, {"number": NUMBER})
    through_worker = protected.sent()

    assert open_to_all.released is not None
    assert open_to_all.released["contact"] == NUMBER
    assert open_to_all.released["contact_rules"] == {"when": "sore"}
    assert NUMBER not in str(through_worker.released)


def test_a_consent_taken_back_hides_the_client_from_the_agency_again(scene: Scene) -> None:
    referral = scene.accepted()
    basis = scene.session.get_one(LawfulBasis, referral.basis_id)
    basis.withdrawn_at = scene.now

    assert queries.agency_view(scene.session, referral, now=scene.now) is View.BLIND


def test_arrival_is_proven_by_an_account_or_by_the_agencys_own_answer(
    scene: Scene, make: Make
) -> None:
    silent = Scene(scene.session, make, scene.now)
    silent.agency.active = False
    handed_over = silent.sent()
    before = handed_over.delivered_at
    silent.take(
        handed_over,
        Event.ACCEPT,
        by=silent.broker,
        channel=Channel.PAPER,
        first_contact_on=scene.day,
    )

    assert scene.sent().delivered_at == scene.now
    assert (before, handed_over.delivered_at) == (None, scene.now)


# Who ---------------------------------------------------------------------------------------------


def test_nobody_but_the_cases_broker_and_the_services_agency_takes_a_step(
    scene: Scene, make: Make
) -> None:
    referral = scene.sent()
    strangers: list[User] = [
        make.user(),
        make.user(Role.SUPERVISOR, office=scene.case.office),
        make.user(Role.SUPERVISOR),
        make.user(Role.PLANNER),
        make.user(Role.ADMINISTRATOR),
        make.user(Role.AGENCY, organization_id=make.organization().id),
    ]
    for stranger in strangers:
        for actor, channel in [
            (Actor.AGENCY, Channel.WEB),
            (Actor.AGENCY, Channel.PHONE),
            (Actor.BROKER, Channel.WEB),
            (Actor.TIMER, Channel.WEB),
        ]:
            with pytest.raises(NotFound):
                scene.take(referral, Event.RECEIVE, by=stranger, actor=actor, channel=channel)

    # The broker speaks for the agency only where it answered by phone or on paper.
    assert refused(lambda: scene.take(referral, Event.RECEIVE, by=scene.broker), NotFound)
    scene.take(referral, Event.RECEIVE, by=scene.broker, channel=Channel.PHONE)
    assert referral.steps[-1].actor is Actor.AGENCY
    assert referral.steps[-1].by_id == scene.broker.id


def test_who_may_open_a_referral(scene: Scene, make: Make) -> None:
    referral = scene.sent()
    supervisor = make.user(Role.SUPERVISOR, office=scene.case.office)
    strangers = [
        make.user(),
        make.user(Role.SUPERVISOR),
        make.user(Role.PLANNER),
        make.user(Role.ADMINISTRATOR),
        make.user(Role.AGENCY, organization_id=make.organization().id),
    ]

    for person in (scene.broker, supervisor, scene.agency):
        assert queries.get(scene.session, person, referral.id) is referral
    for person in strangers:
        assert refused(lambda: queries.get(scene.session, person, referral.id), NotFound)  # noqa: B023


def test_an_agency_never_sees_a_draft(scene: Scene) -> None:
    draft = scene.draft()

    assert refused(lambda: queries.get(scene.session, scene.agency, draft.id), NotFound)
    assert scene.session.scalars(queries.inbox(scene.agency)).unique().all() == []


def test_an_entry_in_error_is_for_a_second_person_after_the_first_day(
    scene: Scene, make: Make
) -> None:
    referral, later = scene.sent(), scene.now + timedelta(days=1)
    supervisor = make.user(Role.SUPERVISOR, office=scene.case.office)

    assert (
        refused(lambda: scene.take(referral, Event.VOID, note="salah", now=later), NotAllowed)
        == "referral.void_needs_second"
    )
    scene.take(referral, Event.VOID, note="salah", now=later, by=supervisor)

    assert referral.status is Status.ENTERED_IN_ERROR
    assert scene.state() is NeedState.OPEN


def test_an_entry_in_error_is_the_brokers_own_on_the_first_day(scene: Scene) -> None:
    referral = scene.sent()

    scene.take(referral, Event.VOID, note="salah klien")

    assert referral.status is Status.ENTERED_IN_ERROR


# Versions ----------------------------------------------------------------------------------------


def test_every_step_even_a_question_makes_older_pages_stale(scene: Scene) -> None:
    referral = scene.sent()
    seen = referral.version
    scene.take(referral, Event.ASK, note="Apakah bisa datang pagi?")

    with pytest.raises(Stale) as caught:
        scene.take(referral, Event.ACCEPT, first_contact_on=scene.day, version=seen)

    assert caught.value.candidates == [seen, referral.version]
    assert referral.version > seen
    assert referral.status is Status.REQUESTED


# What comes with a step --------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("event", "given", "key"),
    [
        (Event.DECLINE, {}, "referral.missing.reason"),
        (Event.DECLINE, {"reason": "nonsense"}, "referral.unfit_reason"),
        (Event.DECLINE, {"reason": "no_response"}, "referral.unfit_reason"),
        (Event.DECLINE, {"reason": "other"}, "referral.other_note"),
        (Event.HOLD, {"reason": "waiting_for_place"}, "referral.missing.review_on"),
        (Event.ASK, {}, "referral.missing.note"),
        (Event.ACCEPT, {}, "referral.missing.first_contact_on"),
        (Event.ACCEPT, {"first_contact_on": date(2026, 3, 1)}, "referral.contact_early"),
        (Event.ASK, {"note": "x" * 4_001}, "referral.text_long"),
    ],
)
def test_an_answer_must_carry_what_the_law_says(
    scene: Scene, event: Event, given: dict[str, Any], key: str
) -> None:
    referral = scene.sent()

    assert refused(lambda: scene.take(referral, event, **given), Invalid) == key
    assert referral.status is Status.REQUESTED


def test_a_hold_before_the_decision_is_for_missing_documents_only(scene: Scene) -> None:
    referral, later = scene.sent(), scene.day + timedelta(days=7)
    key = refused(
        lambda: scene.take(referral, Event.HOLD, reason="waiting_for_place", review_on=later),
        Invalid,
    )

    scene.take(referral, Event.HOLD, reason="missing_documents", review_on=later)

    assert key == "referral.unfit_reason"
    assert (referral.status, referral.review_on) == (Status.ON_HOLD, later)
    for event in (Event.COMPLETE, Event.FAIL, Event.CANCEL):
        with pytest.raises(NotAllowed):
            scene.take(referral, event, reason="moved", outcome="received", outcome_on=scene.day)
    scene.take(referral, Event.RESUME)
    assert (referral.status, referral.review_on) == (Status.REQUESTED, None)


def test_a_hold_after_accepting_goes_back_to_where_it_was(scene: Scene) -> None:
    referral, later = scene.accepted(), scene.day + timedelta(days=7)
    planned = referral.review_on
    scene.take(referral, Event.HOLD, reason="waiting_for_place", review_on=later)
    scene.take(referral, Event.RESUME)

    assert planned == referral.first_contact_on == scene.day + timedelta(days=3)
    assert (referral.status, referral.review_on) == (Status.ACCEPTED, planned)


def test_what_was_never_held_is_not_resumed(scene: Scene) -> None:
    referral = scene.sent()

    assert refused(lambda: scene.take(referral, Event.RESUME), NotAllowed) == "referral.out_of_turn"


def test_days_are_days_of_the_offices_zone(scene: Scene) -> None:
    late = scene.now.replace(hour=20)  # 03.00 of the next day in Jakarta
    referral = scene.sent()

    scene.take(
        referral,
        Event.HOLD,
        reason="missing_documents",
        review_on=scene.day + timedelta(days=2),
        now=late,
    )
    assert operations.local_day(referral, late) == scene.day + timedelta(days=1)
    scene.take(referral, Event.RESUME, now=late)
    assert (
        refused(
            lambda: scene.take(
                referral,
                Event.HOLD,
                reason="missing_documents",
                review_on=scene.day + timedelta(days=1),
                now=late,
            ),
            Invalid,
        )
        == "referral.review_past"
    )


def test_an_answer_by_phone_counts_from_its_own_day(scene: Scene) -> None:
    referral, later = scene.sent(), scene.now + timedelta(days=5)
    by_phone = {"by": scene.broker, "channel": Channel.PHONE, "now": later}
    future = scene.day + timedelta(days=6)
    key = refused(
        lambda: scene.take(
            referral, Event.DECLINE, reason="outside_area", answered_on=future, **by_phone
        ),
        Invalid,
    )
    scene.take(
        referral,
        Event.DECLINE,
        reason="outside_area",
        answered_on=scene.day + timedelta(days=2),
        **by_phone,
    )

    assert key == "referral.answered_on"
    assert referral.decided_at is not None
    assert referral.decided_at.date() == scene.day + timedelta(days=2)
    assert (referral.steps[-1].at, referral.steps[-1].channel) == (later, Channel.PHONE)
    assert referral.steps[-1].moment == referral.decided_at


# Silence, ends and what follows ------------------------------------------------------------------


@pytest.mark.parametrize(
    ("priority", "profile", "days"),
    [
        (Urgency.URGENT, ClockProfile.CITY, 3),
        (Urgency.ROUTINE, ClockProfile.CITY, 30),
        (Urgency.ROUTINE, ClockProfile.REMOTE, 60),
    ],
)
def test_silence_ends_a_referral_only_after_its_time(
    scene: Scene, priority: Urgency, profile: ClockProfile, days: int
) -> None:
    scene.case.office.clock_profile, scene.need.urgency = profile, priority
    referral = scene.sent()
    ours = {"actor": Actor.BROKER, "by": scene.broker, "reason": "no_response"}
    early, late = scene.now + timedelta(days=days, hours=-1), scene.now + timedelta(days=days)

    key = refused(lambda: scene.take(referral, Event.FAIL, now=early, **ours), NotAllowed)
    scene.take(referral, Event.FAIL, now=late, **ours)

    assert key == "referral.not_silent_yet"
    assert (referral.status, scene.state()) == (Status.FAILED, NeedState.DISPOSITION)
    standing = scene.session.get_one(ServiceStanding, scene.site.service_id)
    assert (standing.due, standing.in_time, standing.open_referrals) == (1, 0, 0)


def test_a_question_gives_the_agency_its_time_back_and_is_the_workers_to_answer(
    scene: Scene,
) -> None:
    referral = scene.sent()
    ours = {"actor": Actor.BROKER, "by": scene.broker}
    due_at = queries.clock(referral).decide_by
    unasked = refused(lambda: scene.take(referral, Event.REPLY, note="ya", **ours), NotAllowed)
    scene.take(referral, Event.ASK, note="Berapa usianya?", now=scene.now + timedelta(days=2))
    stands = refused(
        lambda: scene.take(
            referral,
            Event.FAIL,
            reason="no_response",
            now=scene.now + timedelta(days=90),
            **ours,
        ),
        NotAllowed,
    )
    asked, waits = queries.clock(referral), queries.open_question(referral)
    scene.take(referral, Event.REPLY, note="Remaja", now=scene.now + timedelta(days=5), **ours)

    assert (unasked, stands) == ("referral.nothing_asked", "referral.clock_stands")
    assert (asked.decide_by, asked.is_paused) == (None, True)
    assert waits is not None
    assert due_at is not None
    assert queries.clock(referral).decide_by == due_at + timedelta(days=3)
    assert queries.open_question(referral) is None


def test_silence_proves_nothing_where_arrival_is_not_proven(scene: Scene) -> None:
    scene.agency.active = False
    referral = scene.sent()
    years_later = scene.now + timedelta(days=800)
    ours = {"actor": Actor.BROKER, "by": scene.broker, "reason": "no_response", "now": years_later}

    assert (
        refused(lambda: scene.take(referral, Event.FAIL, **ours), NotAllowed)
        == "referral.not_delivered"
    )
    push_standing(scene.session, scene.site.service_id, now=years_later)
    assert scene.session.get_one(ServiceStanding, scene.site.service_id).due == 0


def test_a_walk_in_is_closed_on_the_clients_word_and_has_no_agency_clock(
    session: Session, make: Make, now: datetime
) -> None:
    scene = Scene(session, make, now, answer_mode=AnswerMode.WALK_IN)
    referral = scene.sent()
    ask_on, clock = referral.review_on, queries.clock(referral)
    scene.take(
        referral,
        Event.COMPLETE,
        actor=Actor.BROKER,
        by=scene.broker,
        outcome="received",
        outcome_on=scene.day,
    )

    assert ask_on == scene.day + timedelta(days=7)
    assert clock == Clock()
    assert referral.status is Status.COMPLETED


def test_answers_in_time_and_late_count_for_the_service_and_errors_do_not(
    scene: Scene, make: Make
) -> None:
    late = scene.sent()
    scene.take(late, Event.DECLINE, reason="outside_area", now=scene.now + timedelta(days=15))
    second = scene.draft()
    scene.take(second, Event.SEND)
    scene.take(second, Event.ACCEPT, first_contact_on=scene.day)
    standing = scene.session.get_one(ServiceStanding, scene.site.service_id)
    counted = (standing.due, standing.in_time, standing.open_referrals)
    scene.take(second, Event.VOID, note="salah")

    assert counted == (2, 1, 1)
    assert (standing.due, standing.in_time, standing.open_referrals) == (1, 0, 0)


def test_a_cancellation_after_accepting_waits_for_the_agency_to_know(scene: Scene) -> None:
    referral = scene.accepted()
    scene.take(
        referral, Event.CANCEL, actor=Actor.CLIENT, by=scene.broker, reason="client_declined"
    )
    before = queries.unconfirmed_cancellation(referral)
    scene.take(referral, Event.CONFIRM)

    assert (before, queries.unconfirmed_cancellation(referral)) == (True, False)
    assert referral.status is Status.CANCELLED
    assert (
        refused(lambda: scene.take(referral, Event.CONFIRM), NotAllowed)
        == "referral.nothing_to_confirm"
    )


def test_an_agency_that_cancels_itself_has_nothing_to_confirm(scene: Scene) -> None:
    referral = scene.accepted()
    scene.take(referral, Event.CANCEL, reason="moved")

    assert not queries.unconfirmed_cancellation(referral)


def test_a_refused_need_waits_for_a_decision_and_then_stays_open(scene: Scene) -> None:
    referral = scene.sent()
    scene.take(referral, Event.DECLINE, reason="outside_area")
    before = scene.state()
    operations.keep_waiting(
        scene.session, referral, note="mau menunggu", by=scene.broker, now=scene.now
    )

    assert (before, scene.state()) == (NeedState.DISPOSITION, NeedState.OPEN)
    kept = scene.session.scalars(
        select(Disposition).where(Disposition.referral_id == referral.id)
    ).one()
    assert (kept.kind, kept.note) == ("keep_waiting", "mau menunggu")
    assert refused(
        lambda: operations.keep_waiting(
            scene.session, referral, note=None, by=scene.broker, now=scene.now
        ),
        NotAllowed,
    )


def test_trying_again_makes_a_new_referral_and_leaves_the_old_as_it_was(scene: Scene) -> None:
    old = scene.sent()
    running = refused(lambda: scene.draft(based_on=old), NotAllowed)
    scene.take(old, Event.DECLINE, reason="at_capacity")
    version = old.version
    no_reason = refused(lambda: scene.draft(based_on=old, known_service_reason=None), Invalid)
    new = scene.draft(based_on=old, known_service_reason="sudah ada tempat")
    scene.take(new, Event.SEND, confirmed_full=True)

    assert (running, no_reason) == ("referral.not_again", "referral.again_reason")
    assert (new.based_on_id, old.status, old.version) == (old.id, Status.REJECTED, version)
    assert list(queries.based_on(scene.session, old.id)) == [new]
    assert scene.state() is NeedState.REFERRED


@pytest.mark.parametrize("reason", ["at_capacity", "waitlist_closed", "no_funds"])
def test_no_room_is_told_to_the_directory_until_a_date(scene: Scene, reason: str) -> None:
    referral, until = scene.sent(), scene.day + timedelta(days=10)
    scene.take(referral, Event.DECLINE, reason=reason, review_on=until)

    latest = scene.site.service.capacities[-1]
    assert (latest.status, latest.until) == (CapacityStatus.NO_CAPACITY, until)
    assert is_full(scene.site.service, scene.now)


def test_a_conflict_of_safety_is_never_tried_again(scene: Scene) -> None:
    referral = scene.sent()
    scene.take(referral, Event.DECLINE, reason="safety_conflict", note="pelaku bekerja di sini")

    assert scene.session.scalars(
        select(Exclusion.organization_id).where(Exclusion.case_id == scene.case.id)
    ).all() == [scene.site.service.organization_id]
    assert refused(scene.draft, NotFound) == "referral.none"


def test_a_wrong_listing_is_reported_without_a_word_about_the_client(scene: Scene) -> None:
    referral = scene.sent()
    scene.take(referral, Event.DECLINE, reason="listing_wrong", note=f"{NAME} tidak cocok")

    report = scene.session.scalars(
        select(ListingReport).where(ListingReport.service_id == scene.site.service_id)
    ).one()
    assert report.text == "Data layanan salah"


def test_accepting_takes_one_of_the_counted_places(scene: Scene) -> None:
    full(scene, status=CapacityStatus.CAPACITY, available=1, maximum=5)
    scene.accepted()

    latest = scene.site.service.capacities[-1]
    assert (latest.available, latest.maximum, latest.status) == (0, 5, CapacityStatus.NO_CAPACITY)


# Feedback ----------------------------------------------------------------------------------------

SAID = {"received": "yes", "form": "unwritten", "share": "pooled"}


@pytest.mark.parametrize(
    ("wrong", "key"),
    [
        ({"received": "perhaps"}, "referral.feedback_received"),
        ({"form": "sung"}, "referral.feedback_form"),
        ({"share": "all"}, "referral.feedback_share"),
        ({"quality": 6}, "referral.feedback_mark"),
        ({"waited": "long"}, "referral.feedback_choice"),
        ({"explanation": "rude"}, "referral.feedback_choice"),
        ({"text": "x" * 4_001}, "referral.text_long"),
    ],
)
def test_feedback_takes_only_known_answers(scene: Scene, wrong: dict[str, Any], key: str) -> None:
    referral = scene.completed()

    assert (
        refused(
            lambda: record_feedback(
                scene.session, referral, **SAID | wrong, by=scene.broker, now=scene.now
            ),
            Invalid,
        )
        == key
    )


def test_feedback_is_the_cases_brokers_once_and_after_the_end(scene: Scene, make: Make) -> None:
    def record(referral: Referral, by: User) -> None:
        record_feedback(scene.session, referral, **SAID, by=by, now=scene.now)

    accepted = scene.accepted()
    early = refused(lambda: record(accepted, scene.broker), NotAllowed)
    scene.take(accepted, Event.START, first_contact_on=scene.day, note="bertemu")
    scene.take(accepted, Event.COMPLETE, outcome="received", outcome_on=scene.day)
    stranger = refused(lambda: record(accepted, make.user()), NotFound)
    record(accepted, scene.broker)
    twice = refused(lambda: record(accepted, scene.broker), NotAllowed)

    assert (early, stranger, twice) == (
        "referral.feedback_early",
        "referral.none",
        "referral.feedback_twice",
    )


def test_the_clients_no_disputes_the_agencys_claim_and_reopens_the_need(scene: Scene) -> None:
    referral = scene.completed()
    record_feedback(
        scene.session, referral, **SAID | {"received": "no"}, by=scene.broker, now=scene.now
    )

    assert scene.state() is NeedState.DISPOSITION


# Lists -------------------------------------------------------------------------------------------


def _another(scene: Scene, make: Make, **values: Any) -> Referral:
    """One more referral of the scene's case to the scene's agency."""
    need: Need = make.need(scene.case)
    site: ServiceAtLocation = make.service("HE05", organization=scene.site.service.organization)
    referral = operations.draft(
        scene.session,
        need,
        site,
        known_service_reason="dikenal",
        by=scene.broker,
        now=values.pop("at", scene.now),
        **values,
    )
    scene.take(referral, Event.SEND, now=referral.created_at)
    return referral


def test_the_inbox_has_unanswered_first_then_urgent_then_the_longest_wait(
    scene: Scene, make: Make
) -> None:
    earlier = scene.now - timedelta(days=2)
    scene.consent(now=earlier)
    routine = _another(scene, make)
    older = _another(scene, make, at=earlier)
    urgent = _another(scene, make, priority=Urgency.URGENT)
    answered = _another(scene, make, at=earlier, priority=Urgency.EMERGENCY)
    scene.take(answered, Event.ACCEPT, first_contact_on=scene.day)
    ended = _another(scene, make)
    scene.take(ended, Event.DECLINE, reason="outside_area")
    Scene(scene.session, make, scene.now).sent()  # another agency's

    live = scene.session.scalars(queries.inbox(scene.agency)).unique().all()
    gone = scene.session.scalars(queries.inbox(scene.agency, live=False)).unique().all()

    assert live == [urgent, older, routine, answered]
    assert gone == [ended]
    assert queries.count_live(scene.session, scene.agency) == 4
    assert queries.count_ended(scene.session, scene.agency) == 1


def test_the_brokers_list_has_those_due_first(scene: Scene, make: Make) -> None:
    scene.consent()
    waiting = _another(scene, make)
    due_later = _another(scene, make)
    scene.take(due_later, Event.ACCEPT, first_contact_on=scene.day + timedelta(days=9))
    due_soon = _another(scene, make)
    scene.take(due_soon, Event.ACCEPT, first_contact_on=scene.day + timedelta(days=2))
    Scene(scene.session, make, scene.now).sent()  # another broker's

    assert scene.session.scalars(queries.of_broker(scene.broker)).unique().all() == [
        due_soon,
        due_later,
        waiting,
    ]


def test_the_client_is_to_be_asked_after_help_is_claimed_or_a_visit_is_due(
    scene: Scene, session: Session, make: Make, now: datetime
) -> None:
    claimed = scene.completed()
    asked = scene.session.scalars(queries.to_ask_client(scene.broker, scene.day)).unique().all()
    record_feedback(session, claimed, **SAID, by=scene.broker, now=now)
    after = scene.session.scalars(queries.to_ask_client(scene.broker, scene.day)).unique().all()
    walk_in = Scene(session, make, now, answer_mode=AnswerMode.WALK_IN)
    visit = walk_in.sent()

    assert (asked, after) == ([claimed], [])
    for days, expected in ((6, []), (7, [visit])):
        day = scene.day + timedelta(days=days)
        found = session.scalars(queries.to_ask_client(walk_in.broker, day)).unique().all()
        assert found == expected


def test_given_knows_which_fields_came_with_it() -> None:
    given = Given(reason="moved")

    assert given.fields == {"reason"}
    assert replace(given, note="x").fields == {"reason", "note"}


def test_a_case_lists_its_referrals_newest_first(scene: Scene, make: Make) -> None:
    scene.consent(now=scene.now - timedelta(days=3))
    older = _another(scene, make, at=scene.now - timedelta(days=1))
    newer = _another(scene, make)
    case: Case = scene.case

    assert list(queries.of_case(scene.session, case.id)) == [newer, older]
