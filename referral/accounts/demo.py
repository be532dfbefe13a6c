"""The people of the demonstration: all fictional, all marked, all with one password made for this instance."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session

from referral.accounts import operations, passwords, queries
from referral.accounts.models import ClockProfile, Office, User
from referral.accounts.permissions import Role
from referral.changes.actors import SYSTEM

OFFICE = "Kantor Contoh Kota Semarang"


@dataclass(frozen=True)
class Person:
    """Somebody invented. `agency` names whom agency staff answer for, among the organizations given."""

    email: str
    name: str
    role: Role
    agency: str | None = None


#: no such people; .example is kept free of real addresses
PEOPLE = (
    Person("broker@demo.example", "Ratna Contoh", Role.BROKER),
    Person("broker2@demo.example", "Bima Contoh", Role.BROKER),
    Person("supervisor@demo.example", "Sri Contoh", Role.SUPERVISOR),
    Person("agency@demo.example", "Dewi Contoh", Role.AGENCY, "demo"),
    Person("agency2@demo.example", "Joko Contoh", Role.AGENCY, "first"),
    Person("agency3@demo.example", "Lestari Contoh", Role.AGENCY, "second"),
    Person("planner@demo.example", "Tari Contoh", Role.PLANNER),
    Person("admin@demo.example", "Adi Contoh", Role.ADMINISTRATOR),
)


def make_people(
    session: Session, *, password: str, agencies: Mapping[str, UUID], now: datetime
) -> Sequence[User]:
    """The office and the people of the demonstration, all with this password; again: only the password.

    agencies: organization ids by the names used in PEOPLE (demo, first, second).
    """
    office = session.scalar(select(Office).where(Office.name == OFFICE))
    if office is None:
        office = operations.create_office(
            session,
            name=OFFICE,
            area_code="33.74",
            time_zone="Asia/Jakarta",
            clock_profile=ClockProfile.CITY,
            by=SYSTEM,
            now=now,
        )
    for person in PEOPLE:
        user = queries.find_by_email(session, person.email)
        if user is None:
            user = operations.invite(
                session,
                name=person.name,
                email=person.email,
                role=person.role,
                office=office,
                organization_id=agencies[person.agency] if person.agency else None,
                is_demo=True,
                by=SYSTEM,
                now=now,
            )
        if not passwords.matches(password, user.password):
            user.password = passwords.hashed(password)
    session.flush()
    return queries.demo_people(session)
