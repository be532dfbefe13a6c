"""The directory in HSDS 3.2.3's tables and names; what is ours is marked so."""

from datetime import UTC, date, datetime
from typing import Any
from uuid import UUID

from sqlalchemy import CheckConstraint, ColumnElement, ForeignKey, Index, UniqueConstraint, and_
from sqlalchemy.ext.hybrid import hybrid_property
from sqlalchemy.orm import Mapped, mapped_column, relationship

from referral.core.db import Identified
from referral.directory.kinds import AnswerMode as AnswerMode
from referral.directory.kinds import CapacityStatus as CapacityStatus
from referral.directory.kinds import CategoryBasis as CategoryBasis
from referral.directory.kinds import ContactMode as ContactMode
from referral.directory.kinds import Criterion as Criterion
from referral.directory.kinds import Remote as Remote
from referral.directory.kinds import ServiceStatus as ServiceStatus
from referral.directory.kinds import SystemType as SystemType


class Published:
    """A row of HSDS. What its source wrote and our columns can't hold stays with it, so that it leaves unchanged."""

    #: ours: HSDS field → the source's own value, where reading and writing it again would change it
    as_stated: Mapped[dict[str, Any] | None]


class Sourced(Published):
    """Ours: where a row came from, so that it can be traced and imported again."""

    source: Mapped[str | None]
    source_id: Mapped[str | None]


def _entered() -> datetime:
    """When a row is written. Writers wait for one another, so rows of later transactions are later."""
    return datetime.now(UTC)


class Listed(Published):
    """Ours: a row of the open lists. They go by when rows came in: a page stays as it is while rows are added."""

    #: None: before this was kept
    entered_at: Mapped[datetime | None] = mapped_column(default=_entered, index=True)


class Organization(Listed, Sourced, Identified):
    """Who offers help."""

    __tablename__ = "organization"
    __table_args__ = (UniqueConstraint("source", "source_id"),)

    name: Mapped[str] = mapped_column(index=True)
    alternate_name: Mapped[str | None]
    description: Mapped[str | None]
    email: Mapped[str | None]
    website: Mapped[str | None]
    tax_status: Mapped[str | None]
    tax_id: Mapped[str | None]
    year_incorporated: Mapped[int | None]
    legal_status: Mapped[str | None]
    logo: Mapped[str | None]
    uri: Mapped[str | None]
    parent_organization_id: Mapped[UUID | None] = mapped_column(ForeignKey("organization.id"))
    #: ours
    system_type: Mapped[SystemType] = mapped_column(default=SystemType.SOCIETAL, index=True)
    #: ours: a curator let it publish changes of its listings without being asked first
    trusted: Mapped[bool] = mapped_column(default=False)
    #: ours: since when people's own help may be known to all, as they agreed; None: it is nobody's business
    made_public_on: Mapped[date | None]

    services: Mapped[list["Service"]] = relationship(back_populates="organization")

    @hybrid_property
    def is_private(self) -> bool:
        """Help of family and neighbours that is in no list, search, export or API."""
        return self.system_type is SystemType.INFORMAL and self.made_public_on is None

    @is_private.inplace.expression
    @classmethod
    def _is_private(cls) -> ColumnElement[bool]:
        return and_(cls.system_type == SystemType.INFORMAL, cls.made_public_on.is_(None))


class Service(Listed, Sourced, Identified):
    """One kind of help that an organization offers."""

    __tablename__ = "service"
    __table_args__ = (
        UniqueConstraint("source", "source_id"),
        CheckConstraint("minimum_age >= 0", name="minimum_age"),
        CheckConstraint("maximum_age >= minimum_age", name="age_order"),
    )

    organization_id: Mapped[UUID] = mapped_column(ForeignKey("organization.id"), index=True)
    program_id: Mapped[UUID | None] = mapped_column(ForeignKey("program.id"), index=True)
    name: Mapped[str] = mapped_column(index=True)
    alternate_name: Mapped[str | None]
    description: Mapped[str | None]
    url: Mapped[str | None]
    email: Mapped[str | None]
    status: Mapped[ServiceStatus] = mapped_column(default=ServiceStatus.ACTIVE, index=True)
    interpretation_services: Mapped[str | None]
    application_process: Mapped[str | None]
    fees_description: Mapped[str | None]
    wait_time: Mapped[str | None]
    fees: Mapped[str | None]
    accreditations: Mapped[str | None]
    eligibility_description: Mapped[str | None]
    #: years; both None: not known. 0 says that it is known to start at birth.
    minimum_age: Mapped[float | None]
    maximum_age: Mapped[float | None]
    #: the day somebody who knows said that the listing is true; None: never
    assured_date: Mapped[date | None]
    assurer_email: Mapped[str | None]
    licenses: Mapped[str | None]
    alert: Mapped[str | None]
    last_modified: Mapped[datetime]
    #: ours, from here on
    #: the role of who said so; None: nobody here did
    assured_by_role: Mapped[str | None]
    #: the listing that this one was merged into; it is then closed, and its address leads there
    merged_into_id: Mapped[UUID | None] = mapped_column(ForeignKey("service.id"), index=True)
    facility_type: Mapped[str | None] = mapped_column(index=True)
    answer_mode: Mapped[AnswerMode] = mapped_column(default=AnswerMode.REPLIES)
    contact_mode: Mapped[ContactMode] = mapped_column(default=ContactMode.DIRECT)
    #: None: the client goes there
    remote: Mapped[Remote | None]
    #: where its facts were read, by whom published, and when
    source_url: Mapped[str | None]
    source_title: Mapped[str | None]
    source_date: Mapped[date | None]
    read_on: Mapped[date | None]
    version: Mapped[int] = mapped_column()

    organization: Mapped[Organization] = relationship(back_populates="services")
    sites: Mapped[list["ServiceAtLocation"]] = relationship(back_populates="service")
    phones: Mapped[list["Phone"]] = relationship(
        foreign_keys="Phone.service_id", order_by="Phone.id"
    )
    schedules: Mapped[list["Schedule"]] = relationship(
        foreign_keys="Schedule.service_id", order_by="Schedule.id"
    )
    service_areas: Mapped[list["ServiceArea"]] = relationship(
        foreign_keys="ServiceArea.service_id", order_by="ServiceArea.id"
    )
    languages: Mapped[list["Language"]] = relationship(order_by="Language.id")
    cost_options: Mapped[list["CostOption"]] = relationship(order_by="CostOption.id")
    required_documents: Mapped[list["RequiredDocument"]] = relationship(
        order_by="RequiredDocument.id"
    )
    capacities: Mapped[list["ServiceCapacity"]] = relationship(order_by="ServiceCapacity.updated")
    eligibility_rules: Mapped[list["EligibilityRule"]] = relationship(order_by="EligibilityRule.id")
    entry_steps: Mapped[list["EntryStep"]] = relationship(order_by="EntryStep.position")
    categories: Mapped[list["ServiceCategory"]] = relationship(order_by="ServiceCategory.code")

    __mapper_args__ = {"version_id_col": version}


class Program(Published, Identified):
    """A frame that an organization gives several services."""

    __tablename__ = "program"

    organization_id: Mapped[UUID] = mapped_column(ForeignKey("organization.id"), index=True)
    name: Mapped[str]
    alternate_name: Mapped[str | None]
    description: Mapped[str | None]


class Location(Sourced, Identified):
    """A place where help is given."""

    __tablename__ = "location"
    __table_args__ = (
        UniqueConstraint("source", "source_id"),
        CheckConstraint("latitude BETWEEN -90 AND 90", name="latitude"),
        CheckConstraint("longitude BETWEEN -180 AND 180", name="longitude"),
        CheckConstraint("(latitude IS NULL) = (longitude IS NULL)", name="whole_point"),
        CheckConstraint("latitude IS NULL OR precision_km IS NOT NULL", name="precision"),
    )

    #: physical, postal or virtual
    location_type: Mapped[str] = mapped_column(default="physical")
    url: Mapped[str | None]
    organization_id: Mapped[UUID | None] = mapped_column(ForeignKey("organization.id"), index=True)
    name: Mapped[str | None]
    alternate_name: Mapped[str | None]
    description: Mapped[str | None]
    transportation: Mapped[str | None]
    external_identifier: Mapped[str | None]
    external_identifier_type: Mapped[str | None]
    latitude: Mapped[float | None]
    longitude: Mapped[float | None]
    #: ours, from here on. Half-width of where the place really may be, km.
    precision_km: Mapped[float | None]
    #: how the point was found, as `facility`, `kecamatan`, `regency`
    point_source: Mapped[str | None]
    #: the smallest area of the gazetteer known to hold the place
    area_code: Mapped[str | None] = mapped_column(index=True)
    #: a refuge: neither place nor distance may ever be shown
    confidential: Mapped[bool] = mapped_column(default=False, index=True)

    addresses: Mapped[list["Address"]] = relationship(order_by="Address.id")
    accessibilities: Mapped[list["Accessibility"]] = relationship(order_by="Accessibility.id")
    schedules: Mapped[list["Schedule"]] = relationship(
        foreign_keys="Schedule.location_id", order_by="Schedule.id"
    )


class ServiceAtLocation(Listed, Identified):
    """A service as offered at one place: what a match offers and a referral goes to."""

    __tablename__ = "service_at_location"
    __table_args__ = (UniqueConstraint("service_id", "location_id"),)

    service_id: Mapped[UUID] = mapped_column(ForeignKey("service.id"), index=True)
    location_id: Mapped[UUID | None] = mapped_column(ForeignKey("location.id"), index=True)
    description: Mapped[str | None]

    service: Mapped[Service] = relationship(back_populates="sites")
    location: Mapped[Location | None] = relationship()
    service_areas: Mapped[list["ServiceArea"]] = relationship(
        foreign_keys="ServiceArea.service_at_location_id", order_by="ServiceArea.id"
    )
    schedules: Mapped[list["Schedule"]] = relationship(
        foreign_keys="Schedule.service_at_location_id", order_by="Schedule.id"
    )


class Address(Published, Identified):
    __tablename__ = "address"

    location_id: Mapped[UUID] = mapped_column(ForeignKey("location.id"), index=True)
    attention: Mapped[str | None]
    address_1: Mapped[str]
    address_2: Mapped[str | None]
    city: Mapped[str]
    region: Mapped[str | None]
    state_province: Mapped[str]
    postal_code: Mapped[str]
    country: Mapped[str]
    #: physical, postal or virtual
    address_type: Mapped[str] = mapped_column(default="physical")


class Contact(Published, Identified):
    """Somebody to ask, by name or by office. Published by the source itself; ours adds none."""

    __tablename__ = "contact"

    organization_id: Mapped[UUID | None] = mapped_column(ForeignKey("organization.id"), index=True)
    service_id: Mapped[UUID | None] = mapped_column(ForeignKey("service.id"), index=True)
    service_at_location_id: Mapped[UUID | None] = mapped_column(
        ForeignKey("service_at_location.id"), index=True
    )
    location_id: Mapped[UUID | None] = mapped_column(ForeignKey("location.id"), index=True)
    name: Mapped[str | None]
    title: Mapped[str | None]
    department: Mapped[str | None]
    email: Mapped[str | None]


class Phone(Published, Identified):
    __tablename__ = "phone"

    organization_id: Mapped[UUID | None] = mapped_column(ForeignKey("organization.id"), index=True)
    service_id: Mapped[UUID | None] = mapped_column(ForeignKey("service.id"), index=True)
    location_id: Mapped[UUID | None] = mapped_column(ForeignKey("location.id"), index=True)
    service_at_location_id: Mapped[UUID | None] = mapped_column(
        ForeignKey("service_at_location.id"), index=True
    )
    contact_id: Mapped[UUID | None] = mapped_column(ForeignKey("contact.id"), index=True)
    number: Mapped[str]
    extension: Mapped[str | None]
    #: HSDS: text, voice, fax, cell, video, pager, textphone; ours: hotline, whatsapp
    type: Mapped[str | None]
    description: Mapped[str | None]


class Schedule(Published, Identified):
    """When help is open, as an RFC 5545 rule in HSDS's columns."""

    __tablename__ = "schedule"

    service_id: Mapped[UUID | None] = mapped_column(ForeignKey("service.id"), index=True)
    location_id: Mapped[UUID | None] = mapped_column(ForeignKey("location.id"), index=True)
    service_at_location_id: Mapped[UUID | None] = mapped_column(
        ForeignKey("service_at_location.id"), index=True
    )
    valid_from: Mapped[date | None]
    valid_to: Mapped[date | None]
    dtstart: Mapped[date | None]
    timezone: Mapped[float | None]
    until: Mapped[date | None]
    count: Mapped[int | None]
    wkst: Mapped[str | None]
    freq: Mapped[str | None]
    interval: Mapped[int | None]
    byday: Mapped[str | None]
    byweekno: Mapped[str | None]
    bymonthday: Mapped[str | None]
    byyearday: Mapped[str | None]
    description: Mapped[str | None]
    opens_at: Mapped[str | None]
    closes_at: Mapped[str | None]
    schedule_link: Mapped[str | None]
    attending_type: Mapped[str | None]
    notes: Mapped[str | None]
    #: ours: closed on these days, whatever other rows say
    is_closure: Mapped[bool] = mapped_column(default=False)
    #: ours: whether it is closed on public holidays; None: not known
    closed_on_holidays: Mapped[bool | None]


class ServiceArea(Published, Identified):
    """Where the people live whom a service is for."""

    __tablename__ = "service_area"

    service_id: Mapped[UUID | None] = mapped_column(ForeignKey("service.id"), index=True)
    service_at_location_id: Mapped[UUID | None] = mapped_column(
        ForeignKey("service_at_location.id"), index=True
    )
    name: Mapped[str | None]
    description: Mapped[str | None]
    extent: Mapped[str | None]
    extent_type: Mapped[str | None]
    uri: Mapped[str | None]
    #: ours: a code of the gazetteer; `*` is everywhere; None: the source's words name no area we know
    area_code: Mapped[str | None]


class Language(Published, Identified):
    __tablename__ = "language"

    service_id: Mapped[UUID | None] = mapped_column(ForeignKey("service.id"), index=True)
    location_id: Mapped[UUID | None] = mapped_column(ForeignKey("location.id"), index=True)
    phone_id: Mapped[UUID | None] = mapped_column(ForeignKey("phone.id"), index=True)
    name: Mapped[str | None]
    #: ISO 639-3
    code: Mapped[str | None]
    note: Mapped[str | None]


class Accessibility(Published, Identified):
    __tablename__ = "accessibility"

    location_id: Mapped[UUID] = mapped_column(ForeignKey("location.id"), index=True)
    description: Mapped[str | None]
    details: Mapped[str | None]
    url: Mapped[str | None]


class CostOption(Published, Identified):
    __tablename__ = "cost_option"

    service_id: Mapped[UUID] = mapped_column(ForeignKey("service.id"), index=True)
    valid_from: Mapped[date | None]
    valid_to: Mapped[date | None]
    option: Mapped[str | None]
    currency: Mapped[str | None]
    #: 0 is free; None: there is a price, not known how much
    amount: Mapped[float | None]
    amount_description: Mapped[str | None]


class RequiredDocument(Published, Identified):
    __tablename__ = "required_document"

    service_id: Mapped[UUID] = mapped_column(ForeignKey("service.id"), index=True)
    document: Mapped[str | None]
    uri: Mapped[str | None]
    #: ours: code of the document list, as KTP
    code: Mapped[str | None]
    #: ours: how somebody without it gets it; None: not said
    how_to_get: Mapped[str | None]


class Funding(Published, Identified):
    """Who pays for an organization or a service."""

    __tablename__ = "funding"

    organization_id: Mapped[UUID | None] = mapped_column(ForeignKey("organization.id"), index=True)
    service_id: Mapped[UUID | None] = mapped_column(ForeignKey("service.id"), index=True)
    source: Mapped[str | None]


class OrganizationIdentifier(Published, Identified):
    """An organization's number in a register."""

    __tablename__ = "organization_identifier"

    organization_id: Mapped[UUID] = mapped_column(ForeignKey("organization.id"), index=True)
    identifier_scheme: Mapped[str | None]
    identifier_type: Mapped[str]
    identifier: Mapped[str]


class Url(Published, Identified):
    """A further page of an organization or a service."""

    __tablename__ = "url"

    organization_id: Mapped[UUID | None] = mapped_column(ForeignKey("organization.id"), index=True)
    service_id: Mapped[UUID | None] = mapped_column(ForeignKey("service.id"), index=True)
    label: Mapped[str | None]
    url: Mapped[str]


class MetaTableDescription(Published, Identified):
    """What a publisher says about a file of its data package."""

    __tablename__ = "meta_table_description"

    name: Mapped[str | None]
    language: Mapped[str | None]
    character_set: Mapped[str | None]


class Unit(Published, Identified):
    __tablename__ = "unit"

    name: Mapped[str]
    scheme: Mapped[str | None]
    identifier: Mapped[str | None]
    uri: Mapped[str | None]


class ServiceCapacity(Published, Identified):
    __tablename__ = "service_capacity"

    service_id: Mapped[UUID] = mapped_column(ForeignKey("service.id"), index=True)
    unit_id: Mapped[UUID | None] = mapped_column(ForeignKey("unit.id"))
    available: Mapped[float | None]
    maximum: Mapped[float | None]
    description: Mapped[str | None]
    updated: Mapped[datetime]
    #: ours
    status: Mapped[CapacityStatus | None]
    #: ours: the state ends by itself then ("full until Monday")
    until: Mapped[date | None]


class Taxonomy(Listed, Identified):
    __tablename__ = "taxonomy"

    name: Mapped[str] = mapped_column(unique=True)
    description: Mapped[str]
    uri: Mapped[str | None]
    version: Mapped[str | None]


class TaxonomyTerm(Listed, Identified):
    __tablename__ = "taxonomy_term"
    __table_args__ = (UniqueConstraint("taxonomy_id", "code"),)

    code: Mapped[str]
    name: Mapped[str]
    description: Mapped[str]
    parent_id: Mapped[UUID | None] = mapped_column(ForeignKey("taxonomy_term.id"))
    taxonomy: Mapped[str | None]
    language: Mapped[str | None]
    taxonomy_id: Mapped[UUID | None] = mapped_column(ForeignKey("taxonomy.id"))
    term_uri: Mapped[str | None]


class Attribute(Published, Identified):
    """HSDS's link from any row to a taxonomy term, for what outside sources say and we do not model."""

    __tablename__ = "attribute"
    __table_args__ = (Index("ix_attribute_link", "link_entity", "link_id"),)

    link_id: Mapped[UUID]
    taxonomy_term_id: Mapped[UUID] = mapped_column(ForeignKey("taxonomy_term.id"), index=True)
    link_type: Mapped[str | None]
    link_entity: Mapped[str]
    value: Mapped[str | None]
    label: Mapped[str | None]


class ServiceCategory(Identified):
    """Ours: what need a service meets. Travels in HSDS files as an attribute in `jejaring:category`."""

    __tablename__ = "service_category"
    __table_args__ = (
        UniqueConstraint("service_id", "code"),
        Index("ix_service_category_code", "code"),
    )

    service_id: Mapped[UUID] = mapped_column(ForeignKey("service.id"), index=True)
    #: a leaf of directory_data/taxonomy.csv
    code: Mapped[str]
    basis: Mapped[CategoryBasis] = mapped_column(default=CategoryBasis.STATED)


class EligibilityRule(Identified):
    """Ours: one condition. No row: not known. A row without values: known to be open to all."""

    __tablename__ = "eligibility_rule"
    __table_args__ = (UniqueConstraint("service_id", "criterion"),)

    service_id: Mapped[UUID] = mapped_column(ForeignKey("service.id"), index=True)
    criterion: Mapped[Criterion]
    #: sex: female, male; desil: the highest decile served, alone; disability: codes; residency: area codes
    values: Mapped[list[Any]] = mapped_column(default=list)


class EntryStep(Identified):
    """Ours: one step of the way in, as "Kelurahan: a letter, one day, free, a relative may go"."""

    __tablename__ = "entry_step"

    service_id: Mapped[UUID] = mapped_column(ForeignKey("service.id"), index=True)
    position: Mapped[int]
    office: Mapped[str]
    documents: Mapped[list[str]] = mapped_column(default=list)
    days: Mapped[float | None]
    cost: Mapped[str | None]
    who_may_go: Mapped[str | None]
