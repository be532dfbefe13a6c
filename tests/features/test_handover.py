"""Cases that change hands."""

from datetime import datetime

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from referral.accounts.permissions import Role
from referral.casework import handover
from referral.casework.models import Handover, Stage
from referral.changes.models import AuditEntry
from referral.core.errors import Invalid, NotAllowed
from tests.factories import Make


def test_a_case_goes_to_another_broker_with_a_sealed_note(
    session: Session, make: Make, now: datetime
) -> None:
    supervisor = make.user(Role.SUPERVISOR)
    before, after = make.user(office=supervisor.office), make.user(office=supervisor.office)
    case, other = make.case(broker=before), make.case(broker=before)

    handover.reassign(session, case, to=after, note=" Telepon tiap Senin. ", by=supervisor, now=now)
    session.flush()

    row = session.scalars(select(Handover)).one()
    entry = session.scalars(select(AuditEntry)).one()
    assert (case.broker, other.broker) == (after, before)
    assert (row.from_id, row.to_id, row.by_id, row.note) == (
        before.id,
        after.id,
        supervisor.id,
        "Telepon tiap Senin.",
    )
    assert b"Senin" not in (row.note_sealed or b"")
    assert (entry.action, entry.client_id) == ("case.reassigned", case.client_id)
    assert entry.details == {"from_id": str(before.id), "to_id": str(after.id)}


def test_only_a_supervisor_of_the_office_hands_its_cases_over(
    session: Session, make: Make, now: datetime
) -> None:
    case = make.case()
    to = make.user(office=case.office)

    for by in (
        case.broker,
        make.user(Role.SUPERVISOR),
        make.user(Role.ADMINISTRATOR),
        make.user(Role.PLANNER),
    ):
        with pytest.raises(NotAllowed):
            handover.reassign(session, case, to=to, note="Catatan", by=by, now=now)


def test_a_case_goes_only_to_another_active_broker_of_its_office(
    session: Session, make: Make, now: datetime
) -> None:
    case = make.case()
    supervisor = make.user(Role.SUPERVISOR, office=case.office)

    for to in (
        case.broker,
        supervisor,
        make.user(),
        make.user(office=case.office, active=False),
        make.user(Role.PLANNER),
    ):
        with pytest.raises(Invalid) as refused:
            handover.reassign(session, case, to=to, note="Catatan", by=supervisor, now=now)
        assert refused.value.field == "to"


@pytest.mark.parametrize("note", ["", "  \n", "x" * 10_001])
def test_a_handover_needs_a_note_of_a_readable_length(
    session: Session, make: Make, now: datetime, note: str
) -> None:
    case = make.case()
    supervisor = make.user(Role.SUPERVISOR, office=case.office)

    with pytest.raises(Invalid) as refused:
        handover.reassign(
            session, case, to=make.user(office=case.office), note=note, by=supervisor, now=now
        )

    assert refused.value.field == "note"


def test_a_closed_case_stays_where_it_is(session: Session, make: Make, now: datetime) -> None:
    case = make.case(stage=Stage.CLOSED, closed_at=now)
    supervisor = make.user(Role.SUPERVISOR, office=case.office)

    with pytest.raises(NotAllowed):
        handover.reassign(
            session, case, to=make.user(office=case.office), note="x", by=supervisor, now=now
        )


def test_a_broker_leaves_only_when_every_open_case_is_handed_over(
    session: Session, make: Make, now: datetime
) -> None:
    broker, admin = make.user(), make.user(Role.ADMINISTRATOR)
    case = make.case(broker=broker)
    make.case(broker=broker, stage=Stage.CLOSED, closed_at=now)

    with pytest.raises(NotAllowed) as refused:
        handover.retire(session, broker, by=admin, now=now)
    assert refused.value.message.params == {"numbers": [case.number]}
    assert broker.active

    case.broker = make.user(office=broker.office)
    handover.retire(session, broker, by=admin, now=now)
    assert not broker.active


def test_a_broker_with_open_cases_keeps_role_and_office(
    session: Session, make: Make, now: datetime
) -> None:
    broker, admin = make.user(), make.user(Role.ADMINISTRATOR)
    make.case(broker=broker)
    values = {"name": "Rina", "organization_id": None, "language": "id", "granted": []}

    for moved in (
        {"role": Role.PLANNER, "office": None},
        {"role": Role.BROKER, "office": make.office()},
    ):
        with pytest.raises(NotAllowed):
            handover.change_worker(session, broker, by=admin, now=now, **values | moved)

    same = {"role": Role.BROKER, "office": broker.office}
    handover.change_worker(session, broker, by=admin, now=now, **values | same)
    assert broker.name == "Rina"
