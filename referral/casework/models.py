"""People who are helped, their cases, what was agreed and what they need. Personal values are sealed."""

from datetime import date, datetime
from enum import StrEnum
from typing import Any
from uuid import UUID

from sqlalchemy import ForeignKey, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column, relationship

from referral.accounts.models import Office, User
from referral.core.db import Identified
from referral.core.sealing import Sealed, Sealing


class ClientKind(StrEnum):
    PERSON = "person"
    FAMILY = "family"
    COMMUNITY = "community"


class Stage(StrEnum):
    """The stages of helping, in order."""

    INTAKE = "intake"
    ASSESSMENT = "assessment"
    ANALYSIS = "analysis"
    INTERVENTION = "intervention"
    FOLLOW_UP = "follow_up"
    CLOSED = "closed"


class WorkerRole(StrEnum):
    """In which of the profession's roles the worker acted."""

    BROKER = "broker"
    FACILITATOR = "facilitator"
    MEDIATOR = "mediator"
    ADVOCATE = "advocate"
    MOTIVATOR = "motivator"


class Urgency(StrEnum):
    EMERGENCY = "emergency"
    URGENT = "urgent"
    ROUTINE = "routine"


class BasisKind(StrEnum):
    """Why information may lawfully be held or given."""

    CONSENT = "consent"
    VITAL_INTEREST = "vital_interest"
    LEGAL_DUTY = "legal_duty"
    CHILD_BEST_INTEREST = "child_best_interest"


class Method(StrEnum):
    """How a client answered or agreed."""

    SPOKEN = "spoken"
    WRITTEN = "written"
    THUMBPRINT = "thumbprint"
    GUARDIAN = "guardian"


class Protection(StrEnum):
    """What makes a contact dangerous: nobody but the worker contacts the client, unless they say otherwise."""

    VIOLENCE = "violence"
    HIV = "hiv"
    DRUGS = "drugs"
    CHILD = "child"


class Purpose(StrEnum):
    CASEWORK = "casework"
    REFERRAL = "referral"


class Visibility(StrEnum):
    """Who may be offered help that the worker found among the client's own people."""

    CLIENT = "client"
    OFFICE = "office"
    PUBLIC = "public"


class Client(Sealing, Identified):
    """Whom the office helps. Nothing here is required but what kind of client it is."""

    __tablename__ = "client"

    office_id: Mapped[UUID] = mapped_column(ForeignKey("office.id"), index=True)
    kind: Mapped[ClientKind]
    created_at: Mapped[datetime]
    erased_at: Mapped[datetime | None]
    #: kab/kota where they stay, coarse on purpose and never sealed: counts are made by it; "": their place tells none
    area_code: Mapped[str | None]
    #: keyed digest of the contact number, to find the same number again
    contact_index: Mapped[bytes | None] = mapped_column(index=True)

    #: any name the client wants used
    name = Sealed[str]()
    name_sealed: Mapped[bytes | None]
    #: age_years, sex, desil, able_to_pay, disability [codes], languages [ISO 639-3], documents_lacking [codes]
    facts = Sealed[dict[str, Any]]()
    facts_sealed: Mapped[bytes | None]
    #: where they stay: text, code, lat, lon, precision_km
    stays_at = Sealed[dict[str, Any]]()
    stays_at_sealed: Mapped[bytes | None]
    #: area code of their registration; None: not known, none, or must stay secret
    registered_in = Sealed[str]()
    registered_in_sealed: Mapped[bytes | None]
    #: number, when, who_may_answer, name_to_use, may_leave_text, through_worker_only
    safe_contact = Sealed[dict[str, Any]]()
    safe_contact_sealed: Mapped[bytes | None]


class Case(Sealing, Identified):
    """One helping process for one client."""

    __tablename__ = "case"
    __table_args__ = (UniqueConstraint("office_id", "number"),)

    #: said on the phone instead of a name, as KB-0012
    number: Mapped[str]
    client_id: Mapped[UUID] = mapped_column(ForeignKey("client.id"), index=True)
    office_id: Mapped[UUID] = mapped_column(ForeignKey("office.id"), index=True)
    broker_id: Mapped[UUID] = mapped_column(ForeignKey("user.id"), index=True)
    stage: Mapped[Stage] = mapped_column(default=Stage.INTAKE)
    opened_at: Mapped[datetime]
    closed_at: Mapped[datetime | None]
    #: somebody's life may be in danger; None: no longer or never
    crisis_since: Mapped[datetime | None] = mapped_column(index=True)
    version: Mapped[int] = mapped_column()

    #: the client's telling, as written down
    story = Sealed[str]()
    story_sealed: Mapped[bytes | None]
    #: as Protection
    protections = Sealed[list[str]]()
    protections_sealed: Mapped[bytes | None]

    client: Mapped[Client] = relationship()
    office: Mapped[Office] = relationship()
    broker: Mapped[User] = relationship()
    beneficiaries: Mapped[list["Beneficiary"]] = relationship(order_by="Beneficiary.id")
    needs: Mapped[list["Need"]] = relationship(back_populates="case", order_by="Need.id")
    contracts: Mapped[list["ServiceContract"]] = relationship(
        back_populates="case", order_by="ServiceContract.number"
    )
    notes: Mapped[list["CaseNote"]] = relationship(order_by="CaseNote.at, CaseNote.id")

    __mapper_args__ = {"version_id_col": version}

    @property
    def has_violence(self) -> bool:
        """Somebody near the client may be the danger."""
        return Protection.VIOLENCE in (self.protections or ())


class Beneficiary(Sealing, Identified):
    """Whom a need is about when it is not the client: a child, a parent, a group, a village."""

    __tablename__ = "beneficiary"

    case_id: Mapped[UUID] = mapped_column(ForeignKey("case.id"), index=True)
    #: member (person gates apply) or group (they do not)
    kind: Mapped[str]

    #: how the worker calls them, as "the youngest child"
    label = Sealed[str]()
    label_sealed: Mapped[bytes | None]
    #: as Client.facts
    facts = Sealed[dict[str, Any]]()
    facts_sealed: Mapped[bytes | None]


class LawfulBasis(Sealing, Identified):
    """Why the office may hold, or give to one recipient, which facts; a client's "no" is a row too."""

    __tablename__ = "lawful_basis"

    client_id: Mapped[UUID] = mapped_column(ForeignKey("client.id"), index=True)
    kind: Mapped[BasisKind]
    purpose: Mapped[Purpose]
    #: for a referral: the agency that may receive it
    organization_id: Mapped[UUID | None] = mapped_column(ForeignKey("organization.id"))
    #: which facts: name, contact, age, sex, area, need, story
    fields: Mapped[list[str]]
    refused: Mapped[bool] = mapped_column(default=False)
    text_version: Mapped[str]
    language: Mapped[str]
    #: as Method
    method: Mapped[str]
    given_at: Mapped[datetime]
    expires_on: Mapped[date | None]
    withdrawn_at: Mapped[datetime | None]
    recorded_by_id: Mapped[UUID] = mapped_column(ForeignKey("user.id"))

    witness = Sealed[str]()
    witness_sealed: Mapped[bytes | None]
    #: required for every kind but consent
    reason = Sealed[str]()
    reason_sealed: Mapped[bytes | None]


class ServiceContract(Sealing, Identified):
    """What client and worker agreed to work on, and what not; a change is a new version."""

    __tablename__ = "service_contract"
    __table_args__ = (UniqueConstraint("case_id", "number"),)

    case_id: Mapped[UUID] = mapped_column(ForeignKey("case.id"), index=True)
    #: 1, 2, … within the case
    number: Mapped[int]
    agreed_at: Mapped[datetime]
    #: as Method
    method: Mapped[str]
    ends_on: Mapped[date | None]
    ended_at: Mapped[datetime | None]
    recorded_by_id: Mapped[UUID] = mapped_column(ForeignKey("user.id"))

    #: in words: what the worker will do, and the limits
    terms = Sealed[str]()
    terms_sealed: Mapped[bytes | None]

    case: Mapped[Case] = relationship(back_populates="contracts")


class Need(Sealing, Identified):
    """One assessed need of one beneficiary. Whether it is met is derived, never typed."""

    __tablename__ = "need"

    case_id: Mapped[UUID] = mapped_column(ForeignKey("case.id"), index=True)
    #: None: the client
    beneficiary_id: Mapped[UUID | None] = mapped_column(ForeignKey("beneficiary.id"))
    category: Mapped[str] = mapped_column(index=True)
    urgency: Mapped[Urgency] = mapped_column(default=Urgency.ROUTINE)
    #: 1 light, 2 moderate, 3 severe
    severity: Mapped[int] = mapped_column(default=2)
    in_scope: Mapped[bool] = mapped_column(default=True)
    assessed_at: Mapped[datetime]
    withdrawn_at: Mapped[datetime | None]
    #: helped by other means than a referral (own people, phone call, by itself)
    resolved_otherwise_at: Mapped[datetime | None]
    #: the quarter whose counts hold it; "": its client was counted for this kind of help already
    counted_in: Mapped[str | None]

    #: the words of the story behind it: [{start, end, text}]
    because = Sealed[list[dict[str, Any]]]()
    because_sealed: Mapped[bytes | None]
    note = Sealed[str]()
    note_sealed: Mapped[bytes | None]

    case: Mapped[Case] = relationship(back_populates="needs")
    beneficiary: Mapped[Beneficiary | None] = relationship()


class CaseNote(Sealing, Identified):
    """What the worker did or learned, and in which role."""

    __tablename__ = "case_note"

    case_id: Mapped[UUID] = mapped_column(ForeignKey("case.id"), index=True)
    at: Mapped[datetime]
    author_id: Mapped[UUID] = mapped_column(ForeignKey("user.id"))
    acted_as: Mapped[WorkerRole] = mapped_column(default=WorkerRole.BROKER)

    text = Sealed[str]()
    text_sealed: Mapped[bytes | None]

    author: Mapped[User] = relationship()


class Handover(Sealing, Identified):
    """A case that went from one worker to another, and what the next one must know."""

    __tablename__ = "handover"

    case_id: Mapped[UUID] = mapped_column(ForeignKey("case.id"), index=True)
    from_id: Mapped[UUID] = mapped_column(ForeignKey("user.id"))
    to_id: Mapped[UUID] = mapped_column(ForeignKey("user.id"))
    by_id: Mapped[UUID] = mapped_column(ForeignKey("user.id"))
    at: Mapped[datetime]

    note = Sealed[str]()
    note_sealed: Mapped[bytes | None]


class Exclusion(Sealing, Identified):
    """A person or organization the client must never be sent to. Silent: named in no list and no count."""

    __tablename__ = "exclusion"

    case_id: Mapped[UUID] = mapped_column(ForeignKey("case.id"), index=True)
    organization_id: Mapped[UUID] = mapped_column(ForeignKey("organization.id"))
    at: Mapped[datetime]
    #: None: an agency said so that answered without an account
    by_id: Mapped[UUID | None] = mapped_column(ForeignKey("user.id"))

    reason = Sealed[str]()
    reason_sealed: Mapped[bytes | None]


class CrisisCall(Sealing, Identified):
    """One call to an emergency number: who answered, what came of it. Needs no case, contract or consent."""

    __tablename__ = "crisis_call"

    office_id: Mapped[UUID] = mapped_column(ForeignKey("office.id"), index=True)
    case_id: Mapped[UUID | None] = mapped_column(ForeignKey("case.id"), index=True)
    by_id: Mapped[UUID] = mapped_column(ForeignKey("user.id"))
    #: the public number that was called
    number: Mapped[str]
    called_at: Mapped[datetime]
    #: None: still ringing or not yet told
    answered: Mapped[bool | None]
    #: the second person's look, due within 24 hours
    reviewed_by_id: Mapped[UUID | None] = mapped_column(ForeignKey("user.id"))
    reviewed_at: Mapped[datetime | None]

    #: who answered and what was arranged
    outcome = Sealed[str]()
    outcome_sealed: Mapped[bytes | None]


class OwnResource(Sealing, Identified):
    """An informal resource system: help from the client's own people or made by the office itself.

    Sealed with the client's key, or with the office's when others may use it. What is public of it is the
    listing it has become, with what the helper agreed to.
    """

    __tablename__ = "own_resource"

    office_id: Mapped[UUID] = mapped_column(ForeignKey("office.id"), index=True)
    #: set while it is for this client alone
    client_id: Mapped[UUID | None] = mapped_column(ForeignKey("client.id"), index=True)
    category: Mapped[str] = mapped_column(index=True)
    visibility: Mapped[Visibility]
    #: the helper said yes to this use
    helper_agreed: Mapped[bool]
    created_at: Mapped[datetime]
    created_by_id: Mapped[UUID] = mapped_column(ForeignKey("user.id"))
    ended_at: Mapped[datetime | None]
    #: when and how the helper agreed, and to which text
    agreed_on: Mapped[date | None]
    agreed_method: Mapped[str | None]
    agreed_text: Mapped[str | None]
    #: people it can help at a time
    capacity: Mapped[int | None]
    #: days of the week, as MO,FR
    byday: Mapped[str | None]
    #: what a curator was asked to list; once published it names the listing
    listing_change_id: Mapped[UUID | None] = mapped_column(ForeignKey("listing_change.id"))

    name = Sealed[str]()
    name_sealed: Mapped[bytes | None]
    #: day (words for the time), place, phone, note; publishes [as own.Published], public_name;
    #: withdrawn_on, ended_because, ended_note
    details = Sealed[dict[str, Any]]()
    details_sealed: Mapped[bytes | None]


class OwnHelp(Identified):
    """One time such help was given for a need."""

    __tablename__ = "own_help"

    own_resource_id: Mapped[UUID] = mapped_column(ForeignKey("own_resource.id"), index=True)
    need_id: Mapped[UUID] = mapped_column(ForeignKey("need.id"), index=True)
    #: of the need, as it was then
    category: Mapped[str] = mapped_column(index=True)
    helped_on: Mapped[date]
    recorded_at: Mapped[datetime]
    #: the quarter it was counted in, as Need.counted_in
    counted_in: Mapped[str | None]
    recorded_by_id: Mapped[UUID] = mapped_column(ForeignKey("user.id"))


class MeetingKind(StrEnum):
    VISIT = "visit"
    OFFICE = "office"
    CALL = "call"


class Meeting(Sealing, Identified):
    """When worker and client are to see each other next."""

    __tablename__ = "meeting"

    case_id: Mapped[UUID] = mapped_column(ForeignKey("case.id"), index=True)
    kind: Mapped[MeetingKind]
    at: Mapped[datetime] = mapped_column(index=True)
    made_by_id: Mapped[UUID] = mapped_column(ForeignKey("user.id"))
    #: it took place, or will not
    ended_at: Mapped[datetime | None]

    #: where, and what for
    note = Sealed[str]()
    note_sealed: Mapped[bytes | None]

    case: Mapped[Case] = relationship()


class Cover(Identified):
    """Somebody stands in for a sick or absent colleague: may do with their cases what they may."""

    __tablename__ = "cover"

    absent_id: Mapped[UUID] = mapped_column(ForeignKey("user.id"), index=True)
    by_id: Mapped[UUID] = mapped_column(ForeignKey("user.id"), index=True)
    from_on: Mapped[date]
    until_on: Mapped[date]
    made_by_id: Mapped[UUID] = mapped_column(ForeignKey("user.id"))
    made_at: Mapped[datetime]
    ended_at: Mapped[datetime | None]
