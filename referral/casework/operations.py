"""What can be done in a case. Each writes itself to the audit chain; the caller commits."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session

from referral.accounts.models import Office, User
from referral.casework import agreements, crisis
from referral.casework.models import (
    Beneficiary,
    Case,
    CaseNote,
    Client,
    ClientKind,
    Exclusion,
    Need,
    Protection,
    Stage,
    Urgency,
    WorkerRole,
)
from referral.casework.own import word
from referral.changes import audit
from referral.changes.actors import Actor
from referral.core.crypto import KeyRing
from referral.core.errors import Invalid, NotAllowed
from referral.core.sealing import DataKey
from referral.directory.kinds import OLDEST_YEARS
from referral.places.codes import no_finer_than_regency

STORY_LIMIT = 10_000  # characters; longer tellings are for a note in a file, not for one box
NOTE_LIMIT = 10_000


def open_case(
    session: Session,
    *,
    office: Office,
    broker: User,
    kind: ClientKind,
    name: str | None = None,
    facts: Mapping[str, Any] | None = None,
    stays_at: Mapping[str, Any] | None = None,
    registered_in: str | None = None,
    safe_contact: Mapping[str, Any] | None = None,
    protections: Sequence[str] = (),
    by: User,
    now: datetime,
) -> Case:
    """A new client with their own key, and the first case for them. Only the kind is required."""
    client = Client(
        key=DataKey.new(session),
        office_id=office.id,
        kind=kind,
        created_at=now,
        name=name,
        registered_in=registered_in,
        stays_at=dict(stays_at or {}),
        area_code=no_finer_than_regency((stays_at or {}).get("code")),
    )
    office.case_count += 1
    case = Case(
        key=client.key,
        number=f"KB-{office.case_count:04}",
        client=client,
        office=office,
        broker=broker,
        opened_at=now,
        protections=list(protections),
    )
    session.add(case)
    set_facts(client, facts or {})
    set_safe_contact(session, case, safe_contact or {})
    audit.record(session, "case.opened", case, by=by, now=now, client_id=client.id, kind=kind.value)
    return case


def update_client(
    session: Session,
    case: Case,
    *,
    name: str | None,
    facts: Mapping[str, Any],
    stays_at: Mapping[str, Any],
    registered_in: str | None,
    safe_contact: Mapping[str, Any],
    protections: Sequence[str],
    by: User,
    now: datetime,
) -> None:
    """Replace what is held on the client; an empty value forgets the old one."""
    client = case.client
    client.name, client.registered_in, client.stays_at = name, registered_in, dict(stays_at)
    client.area_code = no_finer_than_regency(stays_at.get("code"))
    case.protections = list(protections)
    set_facts(client, facts)
    set_safe_contact(session, case, safe_contact)
    audit.record(session, "client.updated", client, by=by, now=now, client_id=client.id)


def set_facts(holder: Client | Beneficiary, facts: Mapping[str, Any]) -> None:
    """Keep the given facts of a person; refuses an age outside 0-130 and a decile outside 1-10."""
    age, desil = facts.get("age_years"), facts.get("desil")
    if age is not None and not 0 <= age <= OLDEST_YEARS:
        raise Invalid("casework.age", field="age_years")
    if desil is not None and not 1 <= desil <= 10:
        raise Invalid("casework.desil", field="desil")
    holder.facts = {name: value for name, value in facts.items() if value not in (None, "", [])}


def add_facts(
    session: Session,
    need: Need,
    facts: Mapping[str, Any],
    *,
    registered_in: str | None,
    by: User,
    now: datetime,
) -> None:
    """Keep what was learned about whom a need is for, beside what is known; what is empty changes nothing.

    Income and where they are registered are the client's; the rest is the beneficiary's.
    """
    client = need.case.client
    if client.erased_at is not None:
        raise NotAllowed("casework.erased")
    learned = {name: value for name, value in facts.items() if value not in (None, "", [])}
    household = {"desil": learned.pop("desil")} if "desil" in learned else {}
    holder = need.beneficiary or client
    set_facts(holder, {**(holder.facts or {}), **learned})
    if household:
        set_facts(client, {**(client.facts or {}), **household})
    if registered_in is not None:
        client.registered_in = registered_in
    audit.record(session, "client.updated", client, by=by, now=now, client_id=client.id)


def set_safe_contact(session: Session, case: Case, contact: Mapping[str, Any]) -> None:
    """Keep how the client may be reached. Protected cases go through the worker unless told otherwise."""
    kept = {name: value for name, value in contact.items() if value not in (None, "")}
    if set(Protection) & set(case.protections or ()):
        kept.setdefault("through_worker_only", True)
    case.client.safe_contact = kept
    number = str(kept.get("number", ""))
    keyring: KeyRing = session.info["keyring"]
    case.client.contact_index = keyring.blind(number) if number else None


def has_safe_contact(case: Case) -> bool:
    """Whether it was recorded how, or through whom, the client may be reached."""
    contact = case.client.safe_contact or {}
    return bool(contact.get("number") or contact.get("through_worker_only"))


def add_beneficiary(
    session: Session,
    case: Case,
    *,
    label: str,
    facts: Mapping[str, Any],
    kind: str = "member",
    by: User,
    now: datetime,
) -> Beneficiary:
    """Somebody else a need may be about."""
    if not label.strip():
        raise Invalid("casework.label", field="label")
    beneficiary = Beneficiary(key=case.key, case_id=case.id, kind=kind, label=label.strip())
    set_facts(beneficiary, facts)
    session.add(beneficiary)
    audit.record(
        session, "beneficiary.added", beneficiary, by=by, now=now, client_id=case.client_id
    )
    return beneficiary


def tell_story(session: Session, case: Case, text: str, *, by: User, now: datetime) -> None:
    """Keep the client's telling."""
    if len(text) > STORY_LIMIT:
        raise Invalid("casework.story_long", field="story", limit=STORY_LIMIT, length=len(text))
    case.story = text
    audit.record(session, "story.told", case, by=by, now=now, client_id=case.client_id)


def assess_need(
    session: Session,
    case: Case,
    *,
    category: str,
    urgency: Urgency = Urgency.ROUTINE,
    severity: int = 2,
    beneficiary: Beneficiary | None = None,
    because: Sequence[Mapping[str, Any]] = (),
    note: str | None = None,
    in_scope: bool = True,
    by: User,
    now: datetime,
) -> Need:
    """A need the worker has confirmed. An emergency need opens the crisis path of the case."""
    if case.stage is Stage.CLOSED:
        raise NotAllowed("casework.closed")
    need = Need(
        key=case.key,
        case=case,
        beneficiary=beneficiary,
        category=category,
        urgency=urgency,
        severity=severity,
        in_scope=in_scope,
        assessed_at=now,
        because=[dict(span) for span in because],
        note=note,
    )
    session.add(need)
    if case.stage is Stage.INTAKE:
        case.stage = Stage.ASSESSMENT
    audit.record(
        session, "need.assessed", need, by=by, now=now, client_id=case.client_id, category=category
    )
    if urgency is Urgency.EMERGENCY and case.crisis_since is None:
        crisis.raise_crisis(session, case, by=by, now=now)
    return need


def withdraw_need(session: Session, need: Need, *, by: User, now: datetime) -> None:
    """The client no longer asks for this."""
    _check_need_open(need)
    need.withdrawn_at = now
    audit.record(session, "need.withdrawn", need, by=by, now=now, client_id=need.case.client_id)


def resolve_otherwise(session: Session, need: Need, *, by: User, now: datetime) -> None:
    """The need was met without a referral."""
    _check_need_open(need)
    need.resolved_otherwise_at = now
    audit.record(
        session, "need.resolved_otherwise", need, by=by, now=now, client_id=need.case.client_id
    )


def _check_need_open(need: Need) -> None:
    if need.withdrawn_at is not None or need.resolved_otherwise_at is not None:
        raise NotAllowed("casework.need_closed")


def move_to(session: Session, case: Case, stage: Stage, *, by: User, now: datetime) -> None:
    """The case enters another stage; closing it ends its contract. A new contract opens it again."""
    if case.stage is Stage.CLOSED:
        raise NotAllowed("casework.closed")
    if stage is Stage.CLOSED:
        if case.crisis_since is not None:
            raise NotAllowed("casework.crisis_open")
        contract = agreements.current_contract(case)
        if contract is not None:
            contract.ended_at = now
        case.closed_at = now
    before, case.stage = case.stage, stage
    audit.record(
        session,
        "case.moved",
        case,
        by=by,
        now=now,
        client_id=case.client_id,
        before=before.value,
        after=stage.value,
    )


def add_note(
    session: Session, case: Case, text: str, *, acted_as: WorkerRole, by: User, now: datetime
) -> CaseNote:
    """A progress note, with the role the worker acted in."""
    if not text.strip():
        raise Invalid("casework.note_empty", field="text")
    if len(text) > NOTE_LIMIT:
        raise Invalid("casework.note_long", field="text", limit=NOTE_LIMIT, length=len(text))
    note = CaseNote(
        key=case.key, case_id=case.id, at=now, author=by, acted_as=acted_as, text=text.strip()
    )
    session.add(note)
    audit.record(session, "note.added", note, by=by, now=now, client_id=case.client_id)
    return note


def exclude(
    session: Session, case: Case, organization_id: UUID, *, reason: str, by: Actor, now: datetime
) -> Exclusion:
    """Never offer this organization in this case, and say nothing of it anywhere."""
    exclusion = Exclusion(
        key=case.key,
        case_id=case.id,
        organization_id=organization_id,
        at=now,
        by_id=by.id,
        reason=reason,
    )
    session.add(exclusion)
    audit.record(session, "exclusion.added", exclusion, by=by, now=now, client_id=case.client_id)
    return exclusion


def erase_client(session: Session, client: Client, *, by: User, now: datetime) -> None:
    """Forget a person for good by destroying their key, and close their cases. Counts that name nobody stay."""
    for case in session.scalars(select(Case).where(Case.client_id == client.id)):
        case.stage, case.crisis_since = Stage.CLOSED, None
        case.closed_at = case.closed_at or now
    word.end_for_client(session, client, now=now)
    session.flush()  # nothing may wait to be sealed when the key goes
    client.key.destroy(now=now)
    client.erased_at, client.contact_index, client.area_code = now, None, None
    audit.record(session, "client.erased", client, by=by, now=now, client_id=client.id)
