"""People are counted once, a quarter never changes, and only releases tell of them."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from referral.casework import operations as casework
from referral.casework.models import Case, Need, OwnHelp, OwnResource, Visibility
from referral.changes.actors import SYSTEM
from referral.changes.models import AuditEntry
from referral.planning.disclosure.cells import Cell, Shown
from referral.planning.disclosure.certificate import Certificate, verify
from referral.planning.gaps import figures, releases
from referral.planning.gaps.cuts import Key
from referral.planning.gaps.models import Audience, GapCount, GapRelease, Measure
from referral.planning.unmet import ledger
from referral.planning.unmet.models import Closing, UnmetNeed
from tests.factories import Make

Wait = Callable[..., UnmetNeed]
#: in the third quarter, counted from the first day of the second
SUMMER = datetime(2026, 8, 10, 3, tzinfo=UTC)


@pytest.fixture
def wait(session: Session, make: Make) -> Wait:
    """Saves a need that nothing meets, of somebody new unless a case is given."""
    broker = make.user()

    def make_one(
        area: str | None = "33.74",
        category: str = "FC05",
        *,
        reason: str = "U01",
        at: datetime = SUMMER,
        case: Case | None = None,
        secondary: tuple[str, ...] = (),
    ) -> UnmetNeed:
        if case is None:
            stays_at = {"code": area} if area else {}
            case = make.case(broker=broker, client=make.client(broker.office, stays_at=stays_at))
        need = make.need(case, category=category, assessed_at=at)
        found = ledger.record_unmet(
            session, need, reason=reason, secondary=secondary, by=broker, now=at
        )
        session.flush()
        return found

    return make_one


def case_of(session: Session, unmet: UnmetNeed) -> Case:
    return session.get_one(Need, unmet.need_id).case


def raw(session: Session, measure: Measure = Measure.UNMET) -> dict[tuple[str, str, str, str], int]:
    rows = session.scalars(select(GapCount).where(GapCount.measure == measure))
    return {(one.quarter, one.area, one.category, one.reason): one.people for one in rows}


def publish(session: Session, now: datetime, **values: Any) -> GapRelease:
    made = releases.publish(session, threshold=5, by=SYSTEM, now=now, **values)
    assert made is not None
    return made


def told(session: Session, release: GapRelease, key: Key, measure: Measure = Measure.UNMET) -> Cell:
    return figures.read(session, release, measure).cell(key)


def test_a_person_counts_once_for_a_kind_of_help_with_the_reason_place_and_quarter_of_the_first(
    session: Session, wait: Wait
) -> None:
    first = wait(at=SUMMER - timedelta(days=60))
    wait(case=case_of(session, first), reason="U07")
    wait(case=case_of(session, first), category="SA04")
    wait("33", reason="U02")
    wait(None, reason="U02")

    publish(session, SUMMER)

    assert raw(session) == {
        ("2026-Q2", "33.74", "FC05", "U01"): 1,
        ("2026-Q3", "33.74", "SA04", "U01"): 1,
        ("2026-Q3", "33.?", "FC05", "U02"): 1,
        ("2026-Q3", "?", "FC05", "U02"): 1,
    }


def test_a_family_counts_once_and_waits_no_more_when_its_last_child_does(
    session: Session, wait: Wait
) -> None:
    children = [wait()]
    children += [wait(case=case_of(session, children[0])) for _ in range(4)]
    wait()
    ledger.close_unmet(session, children[0], closed_as=Closing.MET, by=SYSTEM, now=SUMMER)

    publish(session, SUMMER)
    then = raw(session, Measure.CLOSED)
    for child in children[1:]:
        ledger.close_unmet(session, child, closed_as=Closing.MET, by=SYSTEM, now=SUMMER)
    publish(session, SUMMER + timedelta(days=90))

    assert raw(session) == {("2026-Q3", "33.74", "FC05", "U01"): 2}
    assert raw(session, Measure.ASKED) == {("2026-Q3", "33.74", "FC05", ""): 2}
    assert then == {}
    assert raw(session, Measure.CLOSED) == {("2026-Q4", "33.74", "FC05", "met"): 1}


def test_who_declined_all_is_no_gap_unless_a_reason_behind_it_is_one(
    session: Session, wait: Wait
) -> None:
    wait(reason="U17")
    wait(reason="U18", secondary=("U17",))
    wait(reason="U17", secondary=("U18", "U08"))

    publish(session, SUMMER)

    assert raw(session) == {("2026-Q3", "33.74", "FC05", "U08"): 1}


def test_what_was_no_gap_is_in_no_count(session: Session, wait: Wait) -> None:
    unmet = wait()
    ledger.close_unmet(session, unmet, closed_as=Closing.NOT_A_GAP, by=SYSTEM, now=SUMMER)

    publish(session, SUMMER)

    assert raw(session) == raw(session, Measure.CLOSED) == {}
    assert raw(session, Measure.ASKED) == {("2026-Q3", "33.74", "FC05", ""): 1}


def test_whom_their_own_people_helped_is_counted_once_however_often(
    session: Session, make: Make, wait: Wait
) -> None:
    unmet = wait()
    case = case_of(session, unmet)
    aunt = OwnResource(
        office_id=case.office_id,
        client_id=case.client_id,
        key=case.key,
        category="FC05",
        visibility=Visibility.CLIENT,
        helper_agreed=True,
        created_at=SUMMER,
        created_by_id=case.broker_id,
    )
    session.add(aunt)
    session.flush()
    for days in range(3):
        session.add(
            OwnHelp(
                own_resource_id=aunt.id,
                need_id=unmet.need_id,
                category="FC05",
                helped_on=SUMMER.date(),
                recorded_at=SUMMER - timedelta(days=days),
                recorded_by_id=case.broker_id,
            )
        )

    publish(session, SUMMER)

    assert raw(session, Measure.HELPED) == {("2026-Q3", "33.74", "FC05", ""): 1}


def test_a_quarter_never_changes_and_what_comes_after_its_count_goes_into_the_next(
    session: Session, wait: Wait
) -> None:
    early = wait()
    publish(session, SUMMER)
    frozen = raw(session)
    wait(at=SUMMER + timedelta(days=20))
    ledger.record_unmet(
        session,
        session.get_one(Need, early.need_id),
        reason="U07",
        by=case_of(session, early).broker,
        now=SUMMER + timedelta(days=30),
    )

    publish(session, SUMMER + timedelta(days=60))

    assert frozen == {("2026-Q3", "33.74", "FC05", "U01"): 1}
    assert raw(session) == frozen | {("2026-Q4", "33.74", "FC05", "U01"): 1}


def test_somebody_counts_again_when_their_first_count_has_left_the_window(
    session: Session, wait: Wait
) -> None:
    first = wait()
    publish(session, SUMMER)
    for months in (3, 6, 9, 12):
        later = SUMMER + timedelta(days=31 * months)
        wait(at=later, case=case_of(session, first))
        publish(session, later)

    assert raw(session) == {
        ("2026-Q3", "33.74", "FC05", "U01"): 1,
        ("2027-Q3", "33.74", "FC05", "U01"): 1,
    }


def test_who_is_erased_before_the_count_is_not_counted_and_afterwards_stays_in_it(
    session: Session, wait: Wait
) -> None:
    counted, gone = wait(), wait()
    case = case_of(session, gone)
    casework.erase_client(session, case.client, by=case.broker, now=SUMMER)

    publish(session, SUMMER)
    case = case_of(session, counted)
    casework.erase_client(session, case.client, by=case.broker, now=SUMMER)

    assert raw(session) == {("2026-Q3", "33.74", "FC05", "U01"): 1}
    assert case.client.area_code is None


def test_a_release_tells_counts_and_hides_small_ones_in_every_cut(
    session: Session, wait: Wait
) -> None:
    for _ in range(6):
        wait()
    for _ in range(2):
        wait("33.71")

    release = publish(session, SUMMER)

    assert release.quarter == "2026-Q3"
    assert told(session, release, Key("33.71", "FC05")).count is None
    assert told(session, release, Key("33", "FC", "U01")) == told(session, release, Key())
    assert told(session, release, Key("33.75", "FC05")) == Cell(Shown.COUNT, 0)
    assert told(session, release, Key(), Measure.ASKED) == Cell(Shown.COUNT, 8)
    with pytest.raises(KeyError):
        told(session, release, Key("33.74", "FC05", "U01"))


def test_each_release_has_its_certificate_and_its_entry_in_the_chain(
    session: Session, wait: Wait
) -> None:
    for _ in range(7):
        wait()
    publish(session, SUMMER)

    kept = session.scalars(select(GapRelease)).all()

    assert {one.audience: one.threshold for one in kept} == {
        Audience.PLANNERS: 5,
        Audience.PUBLIC: 11,
    }
    for release in kept:
        for measure in Measure:
            found = figures.read(session, release, measure)
            cells = releases.published({key: found.cell(key) for key in found})
            certificate = Certificate.from_json(release.certificate[measure.value])
            assert verify(cells, certificate) == []
    entries = session.scalars(select(AuditEntry).where(AuditEntry.action == "gaps.released")).all()
    assert [entry.details for entry in entries] == [
        {"quarter": "2026-Q3", "audience": "planners"},
        {"quarter": "2026-Q3", "audience": "public"},
    ]


def test_everybody_is_told_nothing_that_planners_are_not(session: Session, wait: Wait) -> None:
    for area, people in (("33.74", 14), ("33.71", 3), ("33.72", 7), ("33.73", 12)):
        for _ in range(people):
            wait(area)
    planners = publish(session, SUMMER)
    public = figures.latest(session, Audience.PUBLIC)
    assert public is not None

    own = figures.read(session, planners, Measure.UNMET)
    theirs = figures.read(session, public, Measure.UNMET)

    assert {theirs.cell(key).shown for key in theirs} >= {Shown.COUNT, Shown.SMALL}
    for key in theirs:
        cell = theirs.cell(key)
        if cell.shown is Shown.COUNT:
            assert own.cell(key) == cell
        if own.cell(key).shown is Shown.WITHHELD:
            assert cell.shown is Shown.WITHHELD


def test_a_quarter_is_released_once_and_is_due_when_it_has_ended(
    session: Session, wait: Wait
) -> None:
    wait()
    assert releases.due(session, now=SUMMER) == "2026-Q2"
    assert releases.publish(session, threshold=5, by=SYSTEM, now=SUMMER, quarter="2026-Q2") is None
    assert releases.possible(session, now=SUMMER) == "2026-Q3"

    publish(session, SUMMER)

    assert releases.due(session, now=SUMMER) is None
    assert releases.possible(session, now=SUMMER) is None
    assert releases.publish(session, threshold=5, by=SYSTEM, now=SUMMER) is None
    assert releases.due(session, now=datetime(2027, 1, 1, 3, tzinfo=UTC)) == "2026-Q4"
    # In Jakarta the new year has begun; elsewhere it has not.
    assert releases.due(session, now=datetime(2026, 12, 31, 18, tzinfo=UTC)) == "2026-Q4"


def test_nothing_is_released_where_nobody_asked(session: Session) -> None:
    assert releases.publish(session, threshold=5, by=SYSTEM, now=SUMMER) is None
    assert session.scalars(select(GapRelease)).all() == []
