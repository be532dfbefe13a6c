"""Who plays in the scenes."""

from dataclasses import dataclass, field

from sqlalchemy.orm import Session

from referral.accounts import queries as people
from referral.accounts.models import Office, User
from referral.casework.models import Need
from referral.cli.demo.telling import Clock, Teller
from referral.core.db import take_write_lock


@dataclass
class Cast:
    """Who plays: the people who sign in, the office, and the teller."""

    session: Session
    teller: Teller
    clock: Clock
    password: str
    office: Office
    broker: User
    broker2: User
    supervisor: User
    planner: User
    admin: User
    #: the mother's file, which the third scene goes on with
    mother: dict[str, Need] = field(default_factory=dict)

    @classmethod
    def of(cls, session: Session, teller: Teller, clock: Clock, *, password: str) -> "Cast":
        def find(name: str) -> User:
            user = people.find_by_email(session, f"{name}@demo.example")
            if user is None:
                raise LookupError(name)
            return user

        broker = find("broker")
        if broker.office is None:
            raise LookupError("office")
        return cls(
            session,
            teller,
            clock,
            password,
            broker.office,
            broker,
            find("broker2"),
            find("supervisor"),
            find("planner"),
            find("admin"),
        )

    def save(self) -> None:
        self.session.commit()
        take_write_lock(self.session)
