"""What can be done in a case, and who may read what."""

from datetime import date, datetime, timedelta
from typing import Any
from uuid import uuid4

import pytest
from sqlalchemy import func, select, text
from sqlalchemy.orm import Session

from referral.accounts.models import Role, User
from referral.casework import agreements, crisis, operations, queries
from referral.casework.models import (
    BasisKind,
    Case,
    ClientKind,
    CrisisCall,
    LawfulBasis,
    Purpose,
    Stage,
    Urgency,
    WorkerRole,
)
from referral.changes.models import AuditEntry
from referral.core.crypto import KeyRing
from referral.core.errors import Invalid, NotAllowed, NotFound
from tests.factories import Make

LATER = timedelta(hours=1)


@pytest.fixture
def broker(make: Make) -> User:
    return make.user()


@pytest.fixture
def case(make: Make, broker: User) -> Case:
    return make.case(broker=broker)


def open_case(session: Session, broker: User, now: datetime, **values: Any) -> Case:
    assert broker.office is not None
    kind = values.pop("kind", ClientKind.PERSON)
    return operations.open_case(
        session, office=broker.office, broker=broker, kind=kind, by=broker, now=now, **values
    )


def give(session: Session, case: Case, now: datetime, **values: Any) -> LawfulBasis:
    defaults: dict[str, Any] = {
        "kind": BasisKind.CONSENT,
        "purpose": Purpose.CASEWORK,
        "fields": ["name"],
        "method": "spoken",
        "language": "id",
        "by": case.broker,
        "now": now,
    }
    return agreements.give_basis(session, case.client, **defaults | values)


def actions(session: Session) -> list[str]:
    return list(session.scalars(select(AuditEntry.action).order_by(AuditEntry.seq)))


def test_cases_are_numbered_within_their_office(
    session: Session, make: Make, broker: User, now: datetime
) -> None:
    other = make.user()

    numbers = [open_case(session, one, now).number for one in (broker, broker, other)]

    assert numbers == ["KB-0001", "KB-0002", "KB-0001"]
    assert actions(session) == ["case.opened"] * 3


def test_nothing_told_is_readable_in_the_database(
    session: Session, broker: User, now: datetime
) -> None:
    case = open_case(session, broker, now, name="Melati", safe_contact={"number": "+6281234567890"})
    operations.tell_story(session, case, "Ia murung sejak Lebaran.", by=broker, now=now)
    session.flush()

    rows = session.execute(text("SELECT * FROM client")).all()
    rows += session.execute(text('SELECT * FROM "case"')).all()

    stored = b" ".join(
        value if isinstance(value, bytes) else str(value).encode() for row in rows for value in row
    )
    for told in (b"Melati", b"81234567890", b"murung"):
        assert told not in stored


def test_erasing_destroys_the_key_closes_the_cases_and_keeps_the_count(
    session: Session, broker: User, now: datetime
) -> None:
    case = open_case(session, broker, now, name="Melati", safe_contact={"number": "+6281234567890"})
    crisis.raise_crisis(session, case, by=broker, now=now)

    operations.erase_client(session, case.client, by=broker, now=now + LATER)
    session.commit()

    client = case.client
    assert (client.name, client.safe_contact, client.contact_index) == (None, None, None)
    assert client.erased_at == now + LATER
    assert (case.stage, case.closed_at, case.crisis_since) == (Stage.CLOSED, now + LATER, None)
    assert session.scalar(select(func.count()).select_from(Case)) == 1


@pytest.mark.parametrize(
    ("facts", "field"),
    [({"age_years": -1}, "age_years"), ({"age_years": 131}, "age_years"), ({"desil": 11}, "desil")],
)
def test_impossible_facts_are_refused(
    session: Session, broker: User, now: datetime, facts: dict[str, int], field: str
) -> None:
    with pytest.raises(Invalid) as refused:
        open_case(session, broker, now, facts=facts)

    assert refused.value.field == field


@pytest.mark.parametrize("protection", ["violence", "hiv", "drugs", "child"])
def test_protected_cases_go_through_the_worker_unless_told_otherwise(
    session: Session, broker: User, now: datetime, protection: str
) -> None:
    silent = open_case(session, broker, now, protections=[protection])
    told = open_case(
        session,
        broker,
        now,
        protections=[protection],
        safe_contact={"number": "+6281234567890", "through_worker_only": False},
    )

    assert silent.client.safe_contact == {"through_worker_only": True}
    assert operations.has_safe_contact(silent)
    assert (told.client.safe_contact or {})["through_worker_only"] is False


def test_the_same_number_is_found_again_only_in_cases_the_person_may_open(
    session: Session, make: Make, broker: User, now: datetime
) -> None:
    contact = {"number": "+6281234567890"}
    first = open_case(session, broker, now, safe_contact=contact)
    open_case(session, make.user(), now, safe_contact=contact)
    second = open_case(session, broker, now, safe_contact=contact)
    keyring: KeyRing = session.info["keyring"]

    found = queries.same_contact(
        session, broker, keyring.blind(contact["number"]), besides=second.client_id
    )

    assert list(found) == [first]


def test_a_basis_holds_until_it_is_withdrawn_refused_or_over(
    session: Session, make: Make, case: Case, now: datetime
) -> None:
    agency, other = make.organization(), make.organization()

    def in_force(organization_id: Any = agency.id, at: datetime = now) -> LawfulBasis | None:
        return queries.basis_for(
            session,
            case.client_id,
            purpose=Purpose.REFERRAL,
            organization_id=organization_id,
            now=at,
        )

    to_agency = {"purpose": Purpose.REFERRAL, "organization_id": agency.id}
    tomorrow = now.date() + timedelta(days=1)
    given = give(session, case, now, **to_agency, expires_on=tomorrow)
    assert (in_force(), in_force(other.id)) == (given, None)
    assert in_force(at=now + timedelta(days=2)) is None
    agreements.withdraw_basis(session, given, by=case.broker, now=now + LATER)
    assert in_force() is None
    again = give(session, case, now + 2 * LATER, **to_agency)
    assert in_force() == again
    give(session, case, now + 3 * LATER, **to_agency, refused=True)
    assert in_force() is None


@pytest.mark.parametrize(
    ("values", "field"),
    [
        ({"kind": BasisKind.VITAL_INTEREST}, "reason"),
        ({"kind": BasisKind.LEGAL_DUTY, "reason": "  "}, "reason"),
        ({"expires_on": date(2026, 3, 2)}, "expires_on"),
        ({"purpose": Purpose.REFERRAL}, "organization_id"),
        ({"organization_id": uuid4()}, "organization_id"),
    ],
)
def test_a_basis_without_what_makes_it_lawful_is_refused(
    session: Session, case: Case, now: datetime, values: dict[str, Any], field: str
) -> None:
    with pytest.raises(Invalid) as refused:
        give(session, case, now, **values)

    assert refused.value.field == field


def test_a_refusal_or_a_withdrawn_basis_can_not_be_withdrawn(
    session: Session, case: Case, now: datetime
) -> None:
    refusal = give(session, case, now, refused=True)
    with pytest.raises(NotAllowed):
        agreements.withdraw_basis(session, refusal, by=case.broker, now=now)


def test_contracts_are_versions_and_the_last_one_says_what_is_in_scope(
    session: Session, make: Make, case: Case, now: datetime
) -> None:
    school, money = make.need(case, category="HE05"), make.need(case, category="FC05")
    agree = {"terms": "", "method": "spoken", "by": case.broker, "now": now}

    first = agreements.agree_contract(session, case, in_scope=[school.id], **agree)
    assert (school.in_scope, money.in_scope) == (True, False)
    second = agreements.agree_contract(session, case, in_scope=[school.id, money.id], **agree)

    assert [first.number, second.number] == [1, 2]
    assert agreements.current_contract(case) == second
    assert (money.in_scope, case.stage) == (True, Stage.INTERVENTION)
    with pytest.raises(Invalid):
        agreements.agree_contract(session, case, in_scope=[make.need().id], **agree)
    with pytest.raises(Invalid):
        agreements.agree_contract(
            session, case, in_scope=[], ends_on=now.date() - timedelta(days=1), **agree
        )


def test_a_closed_case_takes_no_need_until_a_new_contract_opens_it(
    session: Session, case: Case, now: datetime
) -> None:
    by = {"by": case.broker, "now": now}
    agreements.agree_contract(session, case, terms="", in_scope=[], method="spoken", **by)
    operations.move_to(session, case, Stage.CLOSED, **by)
    assert agreements.current_contract(case) is None

    with pytest.raises(NotAllowed):
        operations.assess_need(session, case, category="HE05", **by)
    with pytest.raises(NotAllowed):
        operations.move_to(session, case, Stage.INTAKE, **by)
    agreements.agree_contract(session, case, terms="", in_scope=[], method="spoken", **by)

    operations.assess_need(session, case, category="HE05", **by)
    assert (case.stage, case.closed_at) == (Stage.INTERVENTION, None)


def test_an_emergency_need_raises_a_crisis_that_must_end_before_the_case(
    session: Session, case: Case, now: datetime
) -> None:
    by = {"by": case.broker, "now": now}

    operations.assess_need(session, case, category="EM01", urgency=Urgency.EMERGENCY, **by)

    assert case.crisis_since == now
    crisis.raise_crisis(session, case, by=case.broker, now=now + LATER)
    assert case.crisis_since == now
    with pytest.raises(NotAllowed):
        operations.move_to(session, case, Stage.CLOSED, **by)
    crisis.end_crisis(session, case, **by)
    operations.move_to(session, case, Stage.CLOSED, **by)


def test_a_need_is_closed_once(session: Session, make: Make, case: Case, now: datetime) -> None:
    need = make.need(case)
    operations.withdraw_need(session, need, by=case.broker, now=now)

    for close in (operations.withdraw_need, operations.resolve_otherwise):
        with pytest.raises(NotAllowed):
            close(session, need, by=case.broker, now=now)


def test_a_call_needs_no_case_is_told_once_and_reviewed_by_another(
    session: Session, make: Make, broker: User, now: datetime
) -> None:
    assert broker.office is not None
    by = {"by": broker, "now": now}
    call = crisis.log_call(
        session, office=broker.office, case=None, number="112", answered=None, outcome=None, **by
    )

    crisis.tell_call(session, call, answered=True, outcome="dijemput", **by)

    assert (call.answered, call.outcome) == (True, "dijemput")
    with pytest.raises(NotAllowed):
        crisis.tell_call(session, call, answered=False, outcome=None, **by)
    with pytest.raises(NotAllowed):
        crisis.review_call(session, call, **by)
    crisis.review_call(session, call, by=make.user(Role.SUPERVISOR), now=now)
    assert call.reviewed_at == now


def test_a_call_in_the_future_is_refused(session: Session, broker: User, now: datetime) -> None:
    assert broker.office is not None
    with pytest.raises(Invalid) as refused:
        crisis.log_call(
            session,
            office=broker.office,
            case=None,
            number="112",
            answered=True,
            outcome=None,
            called_at=now + LATER,
            by=broker,
            now=now,
        )

    assert refused.value.field == "called_at"


def test_calls_are_read_by_who_made_them_who_has_the_case_and_the_supervisor(
    session: Session, make: Make, broker: User, case: Case, now: datetime
) -> None:
    office = broker.office
    assert office is not None
    colleague, supervisor = make.user(office=office), make.user(Role.SUPERVISOR, office=office)

    def log(case: Case | None) -> CrisisCall:
        return crisis.log_call(
            session,
            office=office,
            case=case,
            number="112",
            answered=True,
            outcome=None,
            by=broker,
            now=now,
        )

    calls = [log(case), log(None)]
    session.flush()
    may = {}
    for reader in (broker, colleague, supervisor, make.user(), make.user(Role.SUPERVISOR)):
        may[reader.id] = []
        for call in calls:
            try:
                may[reader.id].append(queries.get_call(session, reader, call.id) is call)
            except NotFound:
                may[reader.id].append(False)

    assert list(may.values()) == [[True, True], [False, False], [True, True]] + [[False, False]] * 2


def test_notes_need_words_and_not_too_many(session: Session, case: Case, now: datetime) -> None:
    for words in ("  ", "x" * (operations.NOTE_LIMIT + 1)):
        with pytest.raises(Invalid):
            operations.add_note(
                session, case, words, acted_as=WorkerRole.BROKER, by=case.broker, now=now
            )


def test_stories_end_at_ten_thousand_characters(
    session: Session, case: Case, now: datetime
) -> None:
    operations.tell_story(session, case, "a" * 10_000, by=case.broker, now=now)
    with pytest.raises(Invalid) as refused:
        operations.tell_story(session, case, "a" * 10_001, by=case.broker, now=now)

    assert refused.value.field == "story"


@pytest.mark.parametrize("role", [Role.AGENCY, Role.PLANNER, Role.ADMINISTRATOR])
def test_nobody_outside_the_office_finds_a_case(
    session: Session, make: Make, case: Case, role: Role
) -> None:
    organization = {"organization_id": make.organization().id} if role is Role.AGENCY else {}
    reader = make.user(role, **organization)

    with pytest.raises(NotFound):
        queries.get_case(session, reader, case.id)
    assert session.scalars(queries.cases_of(reader)).all() == []
