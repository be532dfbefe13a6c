"""The audit chain shows what was taken out, put in or changed."""

from datetime import datetime

import pytest
from sqlalchemy import delete, text
from sqlalchemy.orm import Session

from referral.changes import audit
from referral.changes.models import AuditEntry, AuditHead
from tests.factories import Make


def chain(make: Make, session: Session, now: datetime, length: int = 4) -> None:
    user, case = make.user(), make.case()
    for number in range(length):
        audit.record(
            session, "case.read", case, by=user, now=now, client_id=case.client_id, number=number
        )


def test_a_chain_that_nobody_touched_is_whole(make: Make, session: Session, now: datetime) -> None:
    before = audit.first_break(session)

    chain(make, session, now)

    assert (before, audit.first_break(session)) == (None, None)


@pytest.mark.parametrize(
    ("deed", "broken_at"),
    [
        ("UPDATE audit_entry SET action = 'case.opened' WHERE seq = 2", 2),
        ("UPDATE audit_entry SET details = '{\"number\": 9}' WHERE seq = 3", 3),
        ("UPDATE audit_entry SET actor_id = NULL WHERE seq = 1", 1),
        ("DELETE FROM audit_entry WHERE seq = 2", 2),
        ("DELETE FROM audit_entry WHERE seq = 4", 4),
    ],
)
def test_an_entry_that_is_changed_or_gone_shows(
    deed: str, broken_at: int, make: Make, session: Session, now: datetime
) -> None:
    session.execute(delete(AuditEntry))
    session.execute(delete(AuditHead))
    audit.start(session)
    chain(make, session, now)
    session.execute(text(deed))
    session.expire_all()

    assert audit.first_break(session) == broken_at


def test_the_command_says_so_and_ends_with_one(
    make: Make, session: Session, now: datetime, cli
) -> None:
    chain(make, session, now)
    assert cli("audit", "verify", "--json").exit_code == 0

    session.execute(text("UPDATE audit_entry SET actor_role = 'nobody'"))
    session.commit()
    found = cli("audit", "verify", "--json")

    assert (found.exit_code, found.json["first_break"]) == (1, 1)
