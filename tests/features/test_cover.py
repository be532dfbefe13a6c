"""A colleague who stands in: what they see and do, and what ends with it."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from referral.accounts.models import Role, User
from referral.casework import cover, queries
from referral.casework.models import Case, Cover
from referral.changes.models import AuditEntry
from referral.core.errors import Invalid, NotAllowed, NotFound
from referral.matching import operations as matching
from referral.matching.queries import get_receipt
from referral.referrals import operations
from referral.referrals import queries as referrals
from referral.referrals.given import Given
from referral.referrals.lifecycle import Actor, Event
from tests.factories import Make
from tests.scenes import Scene


@pytest.fixture
def now() -> datetime:
    """Whether somebody stands in is asked of the real clock."""
    return datetime.now(UTC)


class Away:
    """A broker who is away, a colleague, and their supervisor."""

    def __init__(self, session: Session, make: Make, now: datetime) -> None:
        self.session, self.now = session, now
        self.scene = Scene(session, make, now)
        office = self.scene.broker.office
        self.absent, self.covering = self.scene.broker, make.user(office=office)
        self.supervisor = make.user(Role.SUPERVISOR, office=office)
        self.today = cover.today_of(self.absent, now)

    def begin(self, **values: Any) -> Cover:
        defaults: dict[str, Any] = {
            "absent": self.absent,
            "covering": self.covering,
            "until": self.today + timedelta(days=3),
            "by": self.supervisor,
            "now": self.now,
        }
        return cover.begin(self.session, **defaults | values)

    def seen_by(self, user: User) -> list[Case]:
        return list(self.session.scalars(select(Case).where(queries.theirs(user))))


@pytest.fixture
def away(session: Session, make: Make, now: datetime) -> Away:
    return Away(session, make, now)


def test_who_stands_in_sees_and_works_the_absent_ones_cases_and_both_keep_their_own(
    away: Away, make: Make
) -> None:
    own = make.case(broker=away.covering)
    third = make.case(broker=make.user(office=away.absent.office))
    away.begin()

    case = away.scene.case
    assert set(away.seen_by(away.covering)) == {own, case}
    assert away.seen_by(away.absent) == [case]
    assert operations.works(case, away.covering)
    assert not operations.works(own, away.absent)
    assert not operations.works(third, away.covering)


def test_a_step_taken_while_standing_in_carries_who_took_it(away: Away) -> None:
    away.begin()
    away.scene.consent()
    referral = away.scene.draft(by=away.covering)
    operations.take_step(
        away.session,
        referral,
        Event.SEND,
        actor=Actor.BROKER,
        by=away.covering,
        now=away.now,
        version=referral.version,
        given=Given(),
    )

    entry = away.session.scalars(
        select(AuditEntry).where(AuditEntry.action == "referral.send")
    ).one()
    assert (entry.actor_id, entry.subject_id) == (away.covering.id, referral.id)
    assert referrals.get(away.session, away.covering, referral.id) is referral


def ended(away: Away, row: Cover) -> None:
    cover.end(away.session, row, by=away.supervisor, now=away.now)


def expired(away: Away, row: Cover) -> None:
    row.from_on, row.until_on = away.today - timedelta(days=5), away.today - timedelta(days=1)


def not_begun(away: Away, row: Cover) -> None:
    row.from_on = away.today + timedelta(days=1)


def left_the_office(away: Away, row: Cover) -> None:
    away.covering.office = Make(away.session, away.now).office()


def became_planner(away: Away, row: Cover) -> None:
    away.covering.role = Role.PLANNER


@pytest.mark.parametrize("over", [ended, expired, not_begun, left_the_office, became_planner])
def test_before_and_after_it_nothing_is_there(away: Away, over: Any) -> None:
    referral = away.scene.sent()
    row = away.begin()
    assert away.seen_by(away.covering) == [away.scene.case]

    over(away, row)
    away.session.flush()

    assert away.seen_by(away.covering) == []
    assert not operations.works(away.scene.case, away.covering)
    with pytest.raises(NotFound):
        queries.get_case(away.session, away.covering, away.scene.case.id)
    with pytest.raises(NotFound):
        referrals.get(away.session, away.covering, referral.id)
    with pytest.raises(NotFound):
        away.scene.take(referral, Event.RECEIVE, by=away.covering, actor=Actor.BROKER)


def test_cases_that_a_worker_holds_in_another_office_stay_there(away: Away, make: Make) -> None:
    """Somebody who moved: their old office's cases are not given to a colleague of the new one."""
    away.begin()
    away.scene.case.office = make.office()
    away.session.flush()

    assert away.seen_by(away.covering) == []
    assert not operations.works(away.scene.case, away.covering)


def test_only_a_supervisor_lets_people_of_their_own_office_stand_in(away: Away, make: Make) -> None:
    stranger = make.user()
    with pytest.raises(NotAllowed):
        away.begin(by=away.absent)
    for wrong in (
        {"covering": stranger},
        {"absent": stranger},
        {"by": make.user(Role.SUPERVISOR)},
        {"covering": away.supervisor},
        {"covering": make.user(Role.PLANNER)},
    ):
        with pytest.raises(NotFound):
            away.begin(**wrong)
    with pytest.raises(Invalid) as refusal:
        away.begin(covering=away.absent)
    assert refusal.value.field == "covering"
    for days in (-1, cover.LONGEST_DAYS + 1):
        with pytest.raises(Invalid) as refusal:
            away.begin(until=away.today + timedelta(days=days))
        assert refusal.value.field == "until"
    assert away.session.scalars(select(Cover)).all() == []


def test_pressing_twice_makes_one_cover_with_the_newer_last_day(away: Away) -> None:
    first = away.begin()
    again = away.begin(until=away.today + timedelta(days=9))

    assert again is first
    assert [row.until_on for row in away.session.scalars(select(Cover))] == [
        away.today + timedelta(days=9)
    ]
    assert [found[0] for found in cover.of_office(away.session, away.supervisor)] == [first]
    assert cover.get(away.session, away.supervisor, first.id) is first


def test_a_supervisor_of_another_office_does_not_find_it(away: Away, make: Make) -> None:
    row = away.begin()
    other = make.user(Role.SUPERVISOR)

    assert cover.of_office(away.session, other) == []
    with pytest.raises(NotFound):
        cover.get(away.session, other, row.id)


def test_a_receipt_of_a_covered_case_is_read_and_later_not(away: Away) -> None:
    receipt = matching.match(
        away.session,
        matching.query_for(away.session, away.scene.need, now=away.now),
        by=away.absent,
        now=away.now,
        office=away.scene.case.office,
        case=away.scene.case,
        need=away.scene.need,
    )
    row = away.begin()
    assert get_receipt(away.session, away.covering, receipt.id) is receipt
    ended(away, row)
    with pytest.raises(NotFound):
        get_receipt(away.session, away.covering, receipt.id)
