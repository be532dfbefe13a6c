"""Accounts, sign-ins, links and offices, and what the audit chain says of them."""

from datetime import datetime, timedelta
from typing import Any
from uuid import uuid4

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from referral.accounts import operations, queries, signing_in
from referral.accounts.models import (
    AccessLink,
    ClockProfile,
    LinkPurpose,
    SignInAttempt,
    UserSession,
)
from referral.accounts.permissions import Role
from referral.changes import audit
from referral.changes.actors import SYSTEM
from referral.changes.models import AuditEntry
from referral.core.errors import Invalid, NotAllowed, NotFound
from tests.factories import PASSWORD, Make

HERE, ELSEWHERE = "203.0.113.7", "198.51.100.9"
NEW_PASSWORD = "kopi susu di beranda"
MINUTE = timedelta(minutes=1)


def actions(session: Session) -> list[str]:
    return list(session.scalars(select(AuditEntry.action).order_by(AuditEntry.seq)))


def sign_in(
    session: Session, email: str, password: str, now: datetime, origin: str = HERE
) -> str | None:
    """The key of the refusal; None when somebody came in."""
    try:
        signing_in.authenticate(session, email=email, password=password, origin=origin, now=now)
    except signing_in.Refused as refusal:
        return refusal.message.key
    return None


def test_the_right_password_signs_in_however_the_address_is_typed(
    session: Session, make: Make, now: datetime
) -> None:
    user = make.user()
    make.user()

    found = signing_in.authenticate(
        session, email=f" {user.email.upper()} ", password=PASSWORD, origin=HERE, now=now
    )

    assert found == user


def test_unknown_ended_invited_and_wrong_all_get_the_same_answer(
    session: Session, make: Make, now: datetime
) -> None:
    known, ended, invited = make.user(), make.user(active=False), make.user(password=None)

    assert {
        sign_in(session, "nobody@example.org", PASSWORD, now),
        sign_in(session, ended.email, PASSWORD, now),
        sign_in(session, invited.email, "", now),
        sign_in(session, known.email, "wrong password", now),
    } == {"accounts.sign_in.failed"}
    assert actions(session) == ["sign_in.failed"] * 4


def test_five_failures_make_the_next_try_wait_even_with_the_right_password(
    session: Session, make: Make, now: datetime
) -> None:
    user, other = make.user(), make.user()
    for _each in range(5):
        assert sign_in(session, user.email, "wrong", now) == "accounts.sign_in.failed"

    assert sign_in(session, user.email, PASSWORD, now) == "accounts.sign_in.wait"
    assert sign_in(session, user.email, PASSWORD, now, ELSEWHERE) == "accounts.sign_in.wait"
    assert sign_in(session, other.email, PASSWORD, now) is None
    assert sign_in(session, user.email, PASSWORD, now + MINUTE) is None


def test_a_try_during_the_wait_neither_lengthens_it_nor_is_written_down(
    session: Session, make: Make, now: datetime
) -> None:
    user = make.user()
    for _each in range(5):
        sign_in(session, user.email, "wrong", now)
    before = actions(session)

    for _each in range(20):
        assert sign_in(session, user.email, "wrong", now) == "accounts.sign_in.wait"

    assert actions(session) == before
    assert sign_in(session, user.email, PASSWORD, now + MINUTE) is None


def test_a_success_forgets_the_failures_of_the_account(
    session: Session, make: Make, now: datetime
) -> None:
    user = make.user()
    for _each in range(4):
        sign_in(session, user.email, "wrong", now)
    sign_in(session, user.email, PASSWORD, now)

    assert sign_in(session, user.email, "wrong", now) == "accounts.sign_in.failed"
    assert sign_in(session, user.email, PASSWORD, now) is None


def test_one_network_address_trying_many_accounts_has_to_wait(
    session: Session, make: Make, now: datetime
) -> None:
    user = make.user()
    for each in range(30):
        sign_in(session, f"guess{each}@example.org", "wrong", now, "2001:db8:1:2:3::1")

    assert (
        sign_in(session, user.email, PASSWORD, now, "2001:db8:1:2:4::9") == "accounts.sign_in.wait"
    )
    assert sign_in(session, user.email, PASSWORD, now, "2001:db8:1:3::1") is None


def test_a_failure_keeps_neither_address(session: Session, now: datetime) -> None:
    sign_in(session, "rina@example.org", "wrong", now)

    attempt = session.scalars(select(SignInAttempt)).one()
    entry = session.scalars(select(AuditEntry)).one()
    assert len(attempt.account_digest) == len(attempt.origin_digest) == 32
    assert (entry.actor_role, entry.details) == ("public", {})


def test_old_failures_are_dropped(session: Session, now: datetime) -> None:
    sign_in(session, "rina@example.org", "wrong", now - timedelta(hours=25))

    sign_in(session, "rina@example.org", "wrong", now)

    assert [one.at for one in session.scalars(select(SignInAttempt))] == [now]


def test_a_sign_in_opens_pages_until_it_is_ended(
    session: Session, make: Make, now: datetime
) -> None:
    user = make.user()
    started = signing_in.start_session(session, user, device="Chrome, Android", now=now)
    assert queries.find_live_session(session, started.id, now=now) == started

    signing_in.end_session(session, started, by=user, now=now)
    signing_in.end_session(session, started, by=user, now=now)

    assert queries.find_live_session(session, started.id, now=now) is None
    assert queries.find_live_session(session, uuid4(), now=now) is None
    assert actions(session) == ["session.started", "session.ended"]


def test_nobody_ends_the_sign_in_of_another(session: Session, make: Make, now: datetime) -> None:
    theirs = signing_in.start_session(session, make.user(), device=None, now=now)

    with pytest.raises(NotFound):
        signing_in.end_other_session(session, make.user(), theirs.id, now=now)

    assert theirs.revoked_at is None


def test_a_new_password_signs_out_every_device_but_this_one(
    session: Session, make: Make, now: datetime
) -> None:
    user = make.user()
    here = signing_in.start_session(session, user, device=None, now=now)
    signing_in.start_session(session, user, device=None, now=now)
    others = signing_in.start_session(session, make.user(), device=None, now=now)

    operations.change_password(
        session, user, current=PASSWORD, new=NEW_PASSWORD, keep=here, now=now
    )

    live = session.scalars(select(UserSession).where(UserSession.revoked_at.is_(None)))
    assert set(live) == {here, others}
    assert sign_in(session, user.email, PASSWORD, now) == "accounts.sign_in.failed"
    assert sign_in(session, user.email, NEW_PASSWORD, now) is None


def test_a_password_changes_only_with_the_current_one(
    session: Session, make: Make, now: datetime
) -> None:
    with pytest.raises(Invalid) as refused:
        operations.change_password(
            session, make.user(), current="guess", new=NEW_PASSWORD, keep=None, now=now
        )

    assert refused.value.field == "current"


def test_an_invitation_lets_its_person_choose_a_password_once(
    session: Session, make: Make, now: datetime
) -> None:
    admin = make.user(Role.ADMINISTRATOR)
    user = operations.invite(
        session,
        name="  Rina   Sari ",
        email=" Rina@Example.org ",
        role=Role.BROKER,
        office=make.office(),
        by=admin,
        now=now,
    )
    issued = operations.issue_link(session, user, by=admin, now=now)

    operations.take_link(session, issued.token, password=NEW_PASSWORD, now=now)

    assert (user.name, user.email) == ("Rina Sari", "rina@example.org")
    assert issued.link.purpose is LinkPurpose.INVITATION
    assert issued.link.expires_at == now + timedelta(days=7)
    assert sign_in(session, "rina@example.org", NEW_PASSWORD, now) is None
    with pytest.raises(NotFound):
        operations.take_link(session, issued.token, password="another good one", now=now)
    assert actions(session) == ["user.invited", "access_link.issued", "access_link.used"]
    assert audit.first_break(session) is None


def test_the_token_of_a_link_is_not_in_the_database(
    session: Session, make: Make, now: datetime
) -> None:
    issued = operations.issue_link(session, make.user(), by=SYSTEM, now=now)

    row = session.scalars(select(AccessLink)).one()
    entry = session.scalars(select(AuditEntry)).one()
    assert issued.token.encode() not in row.token_digest
    assert row.token_digest.hex() != issued.token
    assert issued.token not in str(entry.details)


def test_a_link_for_a_new_password_lasts_a_day_and_a_newer_one_ends_it(
    session: Session, make: Make, now: datetime
) -> None:
    user = make.user()
    first = operations.issue_link(session, user, by=SYSTEM, now=now)
    second = operations.issue_link(session, user, by=SYSTEM, now=now)

    assert second.link.purpose is LinkPurpose.PASSWORD
    assert queries.find_open_link(session, first.token, now=now) is None
    last_moment = now + timedelta(days=1) - timedelta(seconds=1)
    assert queries.find_open_link(session, second.token, now=last_moment) == second.link
    assert queries.find_open_link(session, second.token, now=now + timedelta(days=1)) is None


def test_using_a_link_signs_out_everywhere_and_lifts_the_wait(
    session: Session, make: Make, now: datetime
) -> None:
    user = make.user()
    device = signing_in.start_session(session, user, device=None, now=now)
    for _each in range(9):
        sign_in(session, user.email, "wrong", now)
    issued = operations.issue_link(session, user, by=SYSTEM, now=now)

    operations.take_link(session, issued.token, password=NEW_PASSWORD, now=now)

    assert device.revoked_at == now
    assert sign_in(session, user.email, NEW_PASSWORD, now) is None


def test_an_easy_password_leaves_the_link_as_it_was(
    session: Session, make: Make, now: datetime
) -> None:
    issued = operations.issue_link(session, make.user(), by=SYSTEM, now=now)

    with pytest.raises(Invalid):
        operations.take_link(session, issued.token, password="short", now=now)

    assert queries.find_open_link(session, issued.token, now=now) == issued.link


INVITATION: dict[str, Any] = {"name": "Rina", "email": "rina@example.org", "role": Role.PLANNER}


@pytest.mark.parametrize(
    ("values", "field"),
    [
        ({"name": "   "}, "name"),
        ({"name": "x" * 121}, "name"),
        ({"email": "rina"}, "email"),
        ({"email": "rina@exa mple.org"}, "email"),
        ({"email": "'; DROP TABLE user; --@example.org"}, "email"),
        ({"role": Role.BROKER}, "office"),
        ({"role": Role.SUPERVISOR}, "office"),
        ({"role": Role.AGENCY}, "organization"),
        ({"language": "xx"}, "language"),
    ],
)
def test_a_wrong_invitation_names_its_field(
    session: Session, make: Make, now: datetime, values: dict[str, Any], field: str
) -> None:
    admin = make.user(Role.ADMINISTRATOR)

    with pytest.raises(Invalid) as refused:
        operations.invite(session, by=admin, now=now, **INVITATION | values)

    assert refused.value.field == field


def test_an_address_belongs_to_one_account(session: Session, make: Make, now: datetime) -> None:
    taken = make.user()

    with pytest.raises(Invalid) as refused:
        operations.invite(
            session, by=SYSTEM, now=now, **INVITATION | {"email": taken.email.upper()}
        )

    assert refused.value.message.key == "accounts.email.taken"


@pytest.mark.parametrize("role", [Role.SUPERVISOR, Role.AGENCY, Role.PLANNER, Role.ADMINISTRATOR])
def test_a_supervisor_invites_brokers_only(
    session: Session, make: Make, now: datetime, role: Role
) -> None:
    supervisor = make.user(Role.SUPERVISOR)

    with pytest.raises(NotAllowed):
        operations.invite(
            session,
            by=supervisor,
            now=now,
            **INVITATION | {"role": role, "office": supervisor.office, "organization_id": uuid4()},
        )


def test_a_supervisor_invites_into_their_own_office_only(
    session: Session, make: Make, now: datetime
) -> None:
    supervisor = make.user(Role.SUPERVISOR)

    with pytest.raises(NotAllowed):
        operations.invite(
            session,
            by=supervisor,
            now=now,
            **INVITATION | {"role": Role.BROKER, "office": make.office()},
        )


def test_a_supervisor_looks_after_their_brokers_and_an_administrator_after_everybody(
    session: Session, make: Make
) -> None:
    supervisor = make.user(Role.SUPERVISOR, name="S")
    ours = make.user(office=supervisor.office, name="A")
    theirs = make.user(name="B")
    admin = make.user(Role.ADMINISTRATOR, name="Z")

    assert queries.managed(session, supervisor) == [ours]
    assert queries.managed(session, admin) == [ours, theirs, supervisor, admin]
    assert queries.managed(session, ours) == []
    with pytest.raises(NotFound):
        queries.get_managed(session, supervisor, theirs.id)


def test_a_changed_role_is_audited_and_signs_the_person_out(
    session: Session, make: Make, now: datetime
) -> None:
    admin, user = make.user(Role.ADMINISTRATOR), make.user()
    device = signing_in.start_session(session, user, device=None, now=now)

    operations.change_user(
        session,
        user,
        name="Rina",
        role=Role.PLANNER,
        office=user.office,
        organization_id=None,
        language="en",
        granted=["listing:approve"],
        by=admin,
        now=now,
    )

    assert (user.role, user.office, user.granted) == (Role.PLANNER, None, ["listing:approve"])
    assert device.revoked_at == now
    assert actions(session) == ["session.started", "user.changed", "session.ended"]


def test_a_supervisor_grants_nothing(session: Session, make: Make, now: datetime) -> None:
    supervisor = make.user(Role.SUPERVISOR)
    broker = make.user(office=supervisor.office)

    operations.change_user(
        session,
        broker,
        name="Rina",
        role=Role.BROKER,
        office=supervisor.office,
        organization_id=None,
        language="id",
        granted=["listing:approve"],
        by=supervisor,
        now=now,
    )

    assert broker.granted == []


def test_an_ended_account_is_signed_out_and_comes_back_without_its_password(
    session: Session, make: Make, now: datetime
) -> None:
    admin, user = make.user(Role.ADMINISTRATOR), make.user(Role.PLANNER)
    device = signing_in.start_session(session, user, device=None, now=now)

    operations.deactivate(session, user, by=admin, now=now)
    assert queries.find_live_session(session, device.id, now=now) is None
    with pytest.raises(NotAllowed):
        operations.issue_link(session, user, by=admin, now=now)

    operations.reactivate(session, user, by=admin, now=now)
    assert sign_in(session, user.email, PASSWORD, now) == "accounts.sign_in.failed"
    assert queries.find_live_session(session, device.id, now=now) is None


def test_nobody_ends_or_changes_their_own_standing(
    session: Session, make: Make, now: datetime
) -> None:
    admin = make.user(Role.ADMINISTRATOR)

    with pytest.raises(NotAllowed):
        operations.deactivate(session, admin, by=admin, now=now)
    with pytest.raises(NotAllowed):
        operations.change_user(
            session,
            admin,
            name="Adi",
            role=Role.PLANNER,
            office=None,
            organization_id=None,
            language="id",
            granted=[],
            by=admin,
            now=now,
        )


def office_values(**values: Any) -> dict[str, Any]:
    return {
        "name": "Dinas Sosial Kota Semarang",
        "area_code": "33.74",
        "time_zone": "Asia/Jakarta",
        "clock_profile": ClockProfile.CITY,
    } | values


def test_an_office_gets_a_key_of_its_own(session: Session, make: Make, now: datetime) -> None:
    other = make.office()

    office = operations.create_office(session, by=SYSTEM, now=now, **office_values())

    assert office.key_id != other.key_id
    assert office.key.secret(session)
    assert actions(session) == ["office.created"]


@pytest.mark.parametrize(
    ("values", "field"),
    [
        ({"name": " "}, "name"),
        ({"name": "Kantor lama"}, "name"),
        ({"time_zone": "Mars/Olympus"}, "time_zone"),
        ({"time_zone": "../etc/passwd"}, "time_zone"),
    ],
)
def test_a_wrong_office_names_its_field(
    session: Session, make: Make, now: datetime, values: dict[str, Any], field: str
) -> None:
    make.office(name="Kantor lama")

    with pytest.raises(Invalid) as refused:
        operations.create_office(session, by=SYSTEM, now=now, **office_values(**values))

    assert refused.value.field == field


def test_production_refuses_a_database_with_demonstration_people(
    session: Session, make: Make
) -> None:
    make.user()
    operations.refuse_demo(session)
    make.user(is_demo=True)

    with pytest.raises(NotAllowed):
        operations.refuse_demo(session)
