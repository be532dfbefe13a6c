"""The ledger of what nothing meets keeps itself: opened, renewed, closed and opened again by what happens to a need."""

from dataclasses import replace
from datetime import date, datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from referral.accounts.models import Role
from referral.casework import operations as casework
from referral.casework.models import Stage
from referral.changes.actors import SYSTEM
from referral.changes.models import AuditEntry
from referral.core.errors import Invalid, NotAllowed
from referral.directory.models import CapacityStatus, ServiceStatus
from referral.matching.models import MatchReceipt
from referral.matching.operations import match, query_for, record_choice
from referral.planning.unmet import ledger, noticing, queries
from referral.planning.unmet.models import Closing, NewServiceNotice, UnmetNeed
from referral.referrals.feedback import record_feedback
from referral.referrals.lifecycle import Actor, Event
from referral.referrals.models import Referral
from referral.referrals.standing import say_capacity
from tests.factories import Make
from tests.scenes import Scene
from tests.waiting import open_gaps


class Ledger:
    """A scene and its need's record."""

    def __init__(self, session: Session, make: Make, now: datetime, **service: Any) -> None:
        self.scene = Scene(session, make, now, **service)
        self.session, self.now = session, now
        stays_at = {"code": "33.74", "lat": -7.55, "lon": 110.83, "precision_km": 1.0}
        self.scene.case.client.stays_at = stays_at

    def look(self, days: float = 0, **limits: Any) -> MatchReceipt:
        scene, when = self.scene, self.now + timedelta(days=days)
        query = replace(query_for(self.session, scene.need, now=when), **limits)
        receipt = match(
            self.session,
            query,
            by=scene.broker,
            now=when,
            office=scene.case.office,
            case=scene.case,
            need=scene.need,
        )
        self.session.flush()
        return receipt

    def notice(self, days: float = 0) -> UnmetNeed | None:
        when = self.now + timedelta(days=days)
        return noticing.notice(self.session, self.scene.need.id, by=self.scene.broker, now=when)

    def told(self, days: float = 0) -> tuple[str, str, list[str]] | None:
        record = self.notice(days)
        return None if record is None else (record.origin, record.reason, record.secondary)

    def records(self) -> list[UnmetNeed]:
        return list(self.session.scalars(select(UnmetNeed).order_by(UnmetNeed.opened_at)))

    def closed_as(self) -> list[str | None]:
        return [one.closed_as for one in self.records()]

    def decline(self, reason: str = "no_funds", days: float = 1) -> Referral:
        referral = self.scene.sent()
        when = self.now + timedelta(days=days)
        self.scene.take(referral, Event.DECLINE, reason=reason, now=when)
        return referral


@pytest.fixture
def kept(session: Session, make: Make, now: datetime) -> Ledger:
    return Ledger(session, make, now)


def audited(session: Session) -> list[str]:
    rows = session.scalars(select(AuditEntry).order_by(AuditEntry.seq))
    return [one.action for one in rows if one.action.startswith("unmet.")]


# How a gap comes to light ---------------------------------------------------------------------------


def test_a_search_that_finds_no_service_of_the_kind_opens_a_record_nobody_has_confirmed(
    kept: Ledger, session: Session
) -> None:
    kept.scene.site.service.status = ServiceStatus.DEFUNCT
    kept.scene.case.client.area_code = "33.74"
    receipt = kept.look()

    record = kept.notice()

    assert record is not None
    assert (record.origin, record.reason, record.secondary) == ("no_match", "U01", [])
    assert record.confirmed_at is None
    assert (record.category, record.area_code) == ("HE05", "33.74")
    assert record.evidence == {"receipts": [str(receipt.id)], "choices": [], "referrals": []}
    assert audited(session) == ["unmet.noticed"]


def test_a_search_with_near_misses_alone_tells_which_rule_did_it(kept: Ledger) -> None:
    kept.scene.site.service.minimum_age = 60
    kept.look()

    assert kept.told() == ("all_failed", "U05", [])


def test_options_that_are_all_full_are_a_gap_of_places(kept: Ledger) -> None:
    say_capacity(
        kept.session,
        kept.scene.site.service,
        status=CapacityStatus.NO_CAPACITY,
        by=SYSTEM,
        now=kept.now,
    )
    kept.look()

    assert kept.told() == ("all_failed", "U03", [])


def test_a_no_to_every_option_counts_by_the_reasons_that_lie_with_the_services(
    kept: Ledger,
) -> None:
    receipt = kept.look()
    assert kept.told() is None
    choice = record_choice(
        kept.session,
        receipt,
        need=kept.scene.need,
        reasons=["U17", "U08", "U07"],
        by=kept.scene.broker,
        now=kept.now + timedelta(hours=1),
    )

    assert kept.told(1) == ("client_no", "U08", ["U07", "U17"])
    assert kept.records()[0].evidence == {
        "receipts": [str(receipt.id)],
        "choices": [str(choice.id)],
        "referrals": [],
    }
    assert open_gaps(kept.session) == {("33.74", "HE05"): 1}


def test_a_no_without_such_a_reason_is_written_down_and_makes_no_gap(kept: Ledger) -> None:
    record_choice(
        kept.session,
        kept.look(),
        need=kept.scene.need,
        reasons=["U17"],
        by=kept.scene.broker,
        now=kept.now,
    )

    assert kept.told() == ("client_no", "U17", [])
    assert open_gaps(kept.session) == {}


@pytest.mark.parametrize(
    ("reason", "expected"),
    [
        ("no_funds", ("declined", "U04", [])),
        ("not_eligible_age", ("declined", "U05", [])),
        ("outside_area", ("declined", "U02", [])),
        ("already_enrolled", None),
    ],
)
def test_an_agencys_no_tells_the_reason_of_its_code(
    reason: str, expected: tuple[str, str, list[str]] | None, kept: Ledger
) -> None:
    kept.decline(reason)

    assert kept.told(2) == expected


def test_silence_is_a_gap_when_its_time_is_over_and_no_earlier(kept: Ledger) -> None:
    kept.scene.sent()
    clock = timedelta(days=30)

    assert kept.told(29) is None
    assert noticing.due(kept.session, now=kept.now + timedelta(days=29)) == []
    assert noticing.due(kept.session, now=kept.now + timedelta(days=31)) == [kept.scene.need.id]
    assert kept.told(31) == ("no_response", "U15", [])
    assert kept.records()[0].opened_at == kept.now + clock


def test_a_hold_for_a_place_is_a_gap_at_once_and_other_holds_after_a_stall(
    kept: Ledger, session: Session, make: Make
) -> None:
    review_on = date(2026, 9, 1)
    referral = kept.scene.accepted()
    kept.scene.take(referral, Event.HOLD, reason="waiting_for_place", review_on=review_on)
    other = Ledger(session, make, kept.now)
    later = other.scene.accepted()
    other.scene.take(later, Event.HOLD, reason="missing_documents", review_on=review_on)

    assert kept.told() == ("long_hold", "U03", [])
    assert other.told(29) is None
    assert other.told(31) == ("long_hold", "U06", [])


def test_a_client_who_cancels_says_why(kept: Ledger) -> None:
    referral = kept.scene.sent()
    kept.scene.take(
        referral, Event.CANCEL, actor=Actor.CLIENT, by=kept.scene.broker, reason="consent_withdrawn"
    )

    assert kept.told() == ("withdrawn", "U17", [])


def test_help_that_never_came_is_a_gap_by_the_clients_word(kept: Ledger) -> None:
    referral = kept.scene.completed()
    assert kept.told() is None
    record_feedback(
        kept.session,
        referral,
        received="no",
        form="unwritten",
        share="attributed",
        by=kept.scene.broker,
        now=kept.now,
    )

    assert kept.told() == ("not_helped", "U16", [])


# One record -----------------------------------------------------------------------------------------


def test_whatever_shows_a_gap_it_stays_one_record_with_one_chain(
    kept: Ledger, session: Session
) -> None:
    first = kept.look(within=5.0)
    kept.notice()
    referral = kept.decline("no_funds")

    assert kept.told(2) == ("all_failed", "U04", ["U02"])
    assert kept.told(2) == kept.told(3)
    record = kept.notice(4)

    assert kept.records() == [record]
    assert record is not None
    assert record.evidence["receipts"] == [str(first.id)]
    assert record.evidence["referrals"] == [str(referral.id)]
    assert audited(session) == ["unmet.noticed", "unmet.noticed"]


def test_what_a_broker_said_stands_and_what_comes_later_stands_beside_it(kept: Ledger) -> None:
    kept.look(within=5.0)
    kept.notice()
    ledger.record_unmet(
        kept.session, kept.scene.need, reason="U08", by=kept.scene.broker, now=kept.now
    )
    kept.decline("no_funds")

    assert kept.told(2) == ("all_failed", "U08", ["U04", "U02"])
    assert kept.records()[0].confirmed_at == kept.now


def test_one_tap_confirms_and_a_closed_record_is_confirmed_no_more(
    kept: Ledger, session: Session
) -> None:
    kept.decline()
    record = kept.notice(1)
    assert record is not None
    assert queries.confirmed_unmet(session, [kept.scene.need.id]) == {}

    ledger.confirm(session, record, by=kept.scene.broker, now=kept.now)

    assert queries.confirmed_unmet(session, [kept.scene.need.id]) == {kept.scene.need.id: record}
    ledger.deny(session, record, by=kept.scene.broker, now=kept.now)
    with pytest.raises(NotAllowed):
        ledger.confirm(session, record, by=kept.scene.broker, now=kept.now)


def test_not_a_gap_stays_closed_until_something_new_happens(kept: Ledger) -> None:
    kept.decline("not_eligible_age", days=1)
    record = kept.notice(1)
    assert record is not None
    ledger.deny(kept.session, record, by=kept.scene.broker, now=kept.now + timedelta(days=2))

    assert kept.notice(3) is None
    assert kept.closed_as() == ["not_a_gap"]
    kept.decline("at_capacity", days=5)
    again = kept.notice(5)
    assert again is record
    assert (record.reason, record.reopened_at) == ("U03", kept.now + timedelta(days=5))
    assert record.closed_as is None
    assert kept.records() == [record]


# The end, and again ---------------------------------------------------------------------------------


def test_a_wider_search_that_finds_somebody_shows_that_there_was_no_gap(kept: Ledger) -> None:
    kept.look(within=5.0)
    kept.notice()
    kept.look(1)

    assert kept.notice(1) is None
    assert kept.closed_as() == [Closing.NOT_A_GAP]
    assert open_gaps(kept.session) == {}


def test_a_search_that_finds_whom_the_broker_was_told_of_ends_the_waiting(kept: Ledger) -> None:
    kept.look(within=5.0)
    record = kept.notice()
    assert record is not None
    kept.session.add(
        NewServiceNotice(
            unmet_need_id=record.id,
            broker_id=kept.scene.broker.id,
            service_at_location_id=kept.scene.site.id,
            position=1,
            at=kept.now,
        )
    )
    kept.look(1)
    kept.notice(1)

    assert kept.closed_as() == [Closing.FITTING_SERVICE]


def test_a_confirmed_gap_lasts_until_somebody_helps(kept: Ledger) -> None:
    ledger.record_unmet(
        kept.session, kept.scene.need, reason="U01", by=kept.scene.broker, now=kept.now
    )
    kept.look(1)
    assert kept.told(1) == ("broker", "U01", [])
    referral = kept.scene.sent()
    assert kept.told(1) == ("broker", "U01", [])
    when = kept.now + timedelta(days=2)
    kept.scene.take(referral, Event.ACCEPT, first_contact_on=date(2026, 3, 9), now=when)

    assert kept.notice(2) is None
    assert kept.closed_as() == [Closing.FITTING_SERVICE]


@pytest.mark.parametrize(
    ("end", "closing"),
    [
        (casework.withdraw_need, Closing.WITHDRAWN),
        (casework.resolve_otherwise, Closing.RESOLVED_OTHERWISE),
    ],
)
def test_a_need_that_is_over_waits_no_more(end: Any, closing: Closing, kept: Ledger) -> None:
    kept.decline()
    kept.notice(1)
    end(kept.session, kept.scene.need, by=kept.scene.broker, now=kept.now + timedelta(days=2))

    assert kept.notice(2) is None
    assert kept.notice(3) is None
    assert kept.closed_as() == [closing]


def test_help_that_breaks_off_within_a_year_is_the_same_episode_and_later_a_new_one(
    kept: Ledger,
) -> None:
    kept.decline("not_eligible_age", days=1)
    kept.notice(1)
    referral = kept.scene.sent()
    kept.scene.take(
        referral, Event.ACCEPT, first_contact_on=date(2026, 3, 9), now=kept.now + timedelta(days=2)
    )
    kept.notice(2)
    assert kept.closed_as() == [Closing.FITTING_SERVICE]
    kept.scene.take(
        referral, Event.FAIL, reason="not_eligible_other", now=kept.now + timedelta(days=90)
    )
    (record,) = kept.records()
    kept.notice(90)
    assert (kept.records(), record.reopened_at) == ([record], kept.now + timedelta(days=90))
    assert record.opened_at == kept.now + timedelta(days=1)
    assert record.evidence["referrals"][-1] == str(referral.id)

    ledger.close_unmet(
        kept.session,
        record,
        closed_as="resolved_otherwise",
        by=kept.scene.broker,
        now=kept.now + timedelta(days=100),
    )
    kept.decline("at_capacity", days=470)
    kept.notice(470)

    assert kept.closed_as() == ["resolved_otherwise", None]


def test_of_somebody_who_was_erased_or_whose_case_is_closed_nothing_opens(
    kept: Ledger, session: Session, make: Make
) -> None:
    kept.decline()
    kept.scene.case.stage = Stage.CLOSED
    assert kept.notice(1) is None
    other = Ledger(session, make, kept.now)
    other.decline()
    supervisor = make.user(Role.SUPERVISOR, office=other.scene.broker.office)
    casework.erase_client(session, other.scene.case.client, by=supervisor, now=kept.now)

    assert other.notice(1) is None
    assert kept.records() == []
    assert noticing.due(session, now=kept.now + timedelta(days=1)) == [kept.scene.need.id]


def test_the_nightly_look_finds_what_no_door_noticed_and_changes_nothing_twice(
    kept: Ledger, session: Session
) -> None:
    kept.decline()
    when = kept.now + timedelta(days=2)

    needs = noticing.due(session, now=when)
    opened = [noticing.notice_all(session, needs, by=SYSTEM, now=when) for _ in range(2)]

    assert (needs, opened) == ([kept.scene.need.id], [1, 1])
    assert audited(session) == ["unmet.noticed"]


# The broker's word ----------------------------------------------------------------------------------


def test_a_need_is_counted_once_however_often_it_is_recorded(kept: Ledger) -> None:
    for reason in ("U01", "U07"):
        ledger.record_unmet(
            kept.session, kept.scene.need, reason=reason, by=kept.scene.broker, now=kept.now
        )

    assert open_gaps(kept.session) == {("33.74", "HE05"): 1}
    assert [one.reason for one in kept.records()] == ["U07"]


def test_an_unknown_reason_is_refused_and_names_its_field(kept: Ledger) -> None:
    with pytest.raises(Invalid) as refused:
        ledger.record_unmet(
            kept.session, kept.scene.need, reason="U77", by=kept.scene.broker, now=kept.now
        )

    assert refused.value.field == "reason"
    assert kept.records() == []


def test_whether_the_client_wants_to_be_told_is_kept_and_taken_back(
    kept: Ledger, session: Session
) -> None:
    kept.decline()
    record = kept.notice(1)
    assert record is not None
    said = []
    for wanted in (True, True, False):
        ledger.ask_callback(session, record, wanted, by=kept.scene.broker, now=kept.now)
        said.append(record.callback_asked_at)

    assert said == [kept.now, kept.now, None]
    assert audited(session) == ["unmet.noticed", "unmet.callback", "unmet.callback"]
