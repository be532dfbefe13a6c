"""Days on which one office is closed beside the country's holidays."""

from datetime import date, datetime
from uuid import UUID

from sqlalchemy.orm import Session

from referral.accounts.models import OfficeDayOff, Role, User
from referral.changes import audit
from referral.core.errors import Invalid, NotAllowed, NotFound

LONGEST_NAME = 120


def add(
    session: Session, *, on: date | None, name: str | None, by: User, today: date, now: datetime
) -> OfficeDayOff:
    """The supervisor's office is closed on that day: no working day for its clocks. Raises Invalid naming the field."""
    office = by.office
    if by.role is not Role.SUPERVISOR or office is None:
        raise NotAllowed("accounts.day_off.not_yours")
    name = " ".join((name or "").split())
    if on is None or on < today:
        raise Invalid("accounts.day_off.past", field="on")
    if any(day.on == on for day in office.days_off):
        raise Invalid("accounts.day_off.twice", field="on", day=on)
    if not name:
        raise Invalid("accounts.day_off.name_missing", field="name")
    if len(name) > LONGEST_NAME:
        raise Invalid("accounts.name.long", field="name", longest=LONGEST_NAME)
    row = OfficeDayOff(office_id=office.id, on=on, name=name)
    office.days_off.append(row)
    audit.record(session, "day_off.added", row, by=by, now=now, on=on)
    return row


def remove(session: Session, day_id: UUID, *, by: User, now: datetime) -> None:
    """The office is open on that day after all. Raises NotFound for a day of another office."""
    row = session.get(OfficeDayOff, day_id)
    if row is None or by.role is not Role.SUPERVISOR or row.office_id != by.office_id:
        raise NotFound("accounts.day_off.none")
    audit.record(session, "day_off.removed", row, by=by, now=now, on=row.on)
    session.delete(row)
    session.flush()
    if by.office is not None:
        session.expire(by.office, ["days_off"])
