"""Making and reading what is published of waiting times and of how referrals spread over agencies.

Sex and disability stand sealed in each person's file. They are opened here alone, counted, and dropped: a
release holds counts after disclosure control, and whoever reads one reads no person.
"""

from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from datetime import date, datetime
from typing import Any, TypeVar
from uuid import UUID
from zoneinfo import ZoneInfo

from dateutil.relativedelta import relativedelta
from sqlalchemy import select
from sqlalchemy.orm import Session, aliased

from referral.accounts.models import Office, Role, User
from referral.casework.models import Beneficiary, Client, ClientKind, Need
from referral.changes import audit
from referral.changes.actors import Actor
from referral.directory.models import (
    AnswerMode,
    Location,
    Organization,
    Service,
    ServiceAtLocation,
    ServiceCapacity,
    ServiceCategory,
    ServiceStatus,
)
from referral.directory.reference import taxonomy
from referral.matching.asking import SEXES
from referral.places.codes import holds
from referral.planning.fairness import spread, waiting
from referral.planning.fairness.models import FairnessRelease
from referral.planning.fairness.waiting import MEDIAN_TIMES, PERIODS, UNKNOWN, Spell, Wait
from referral.planning.gaps.periods import quarter_of
from referral.referrals.lifecycle import Event, Status
from referral.referrals.models import Referral, ReferralStep

#: Areas told apart at most; the rest of each province goes together.
AREAS_MOST = 12
#: Bands of a blind card that make one group here.
_AGES = {"0-5": "0-17", "6-12": "0-17", "13-17": "0-17"}
#: People whose facts are open at the same time.
_AT_A_TIME = 200
Person = TypeVar("Person", Client, Beneficiary)
_NOT_SENT = (Status.DRAFT, Status.ENTERED_IN_ERROR)


def latest(session: Session, user: User) -> FairnessRelease | None:
    """The newest release this person may read: a supervisor's own office, a planner's all offices together."""
    if user.role is Role.SUPERVISOR:
        whose = FairnessRelease.office_id == user.office_id
    elif user.role is Role.PLANNER:
        whose = FairnessRelease.office_id.is_(None)
    else:
        return None
    newest = select(FairnessRelease).where(whose).order_by(FairnessRelease.made_at.desc()).limit(1)
    return session.scalar(newest)


def due(session: Session, *, now: datetime) -> Sequence[UUID | None]:
    """Offices that have no release of this quarter, and None where all offices together have none."""
    made = set(
        session.scalars(
            select(FairnessRelease.office_id).where(FairnessRelease.quarter == quarter_of(now))
        )
    )
    offices = session.scalars(select(Office.id).order_by(Office.id))
    return [one for one in (None, *offices) if one not in made]


def counted(
    session: Session, office_id: UUID | None, *, threshold: int, now: datetime
) -> dict[str, Any] | None:
    """What may be told of the last year's referrals; None with fewer people than a median needs.

    Opens the facts of everybody who was referred: give it a session of its own, and close that afterwards.
    """
    rows = _referrals(session, office_id, now=now)
    if len({row.client_id for row in rows}) < MEDIAN_TIMES * threshold:
        return None
    numbers = {client: at for at, client in enumerate(dict.fromkeys(row.client_id for row in rows))}
    sent = [
        spread.Sent(
            numbers[row.client_id],
            str(row.organization_id),
            row.category,
            _period(row.requested_at, now),
        )
        for row in rows
    ]
    return {
        "waiting": waiting.report(
            _waits(session, rows, now=now, threshold=threshold), threshold=threshold
        ),
        "spread": spread.report(
            sent,
            _offers(session, office_id, {one.category for one in sent}),
            names={str(row.organization_id): row.organization for row in rows},
            domain_of=lambda code: taxonomy().get(code).parent or code,
            threshold=threshold,
        ),
    }


def publish(
    session: Session,
    office_id: UUID | None,
    content: dict[str, Any],
    *,
    threshold: int,
    by: Actor,
    now: datetime,
) -> FairnessRelease | None:
    """Keep what was counted, once in a quarter; None where this quarter has its release already."""
    quarter = quarter_of(now)
    known = select(FairnessRelease.id).where(
        FairnessRelease.quarter == quarter,
        FairnessRelease.office_id.is_not_distinct_from(office_id),
    )
    if session.scalar(known) is not None:
        return None
    release = FairnessRelease(
        office_id=office_id, quarter=quarter, made_at=now, threshold=threshold, content=content
    )
    session.add(release)
    audit.record(session, "fairness.made", release, by=by, now=now, office_id=office_id)
    return release


def _referrals(session: Session, office_id: UUID | None, *, now: datetime) -> Sequence[Any]:
    """Everything sent in the longest period, oldest first; nothing sealed."""
    started = aliased(ReferralStep)
    query = (
        select(
            Referral.client_id,
            Referral.need_id,
            Referral.organization_id,
            Organization.name.label("organization"),
            Need.category,
            Need.beneficiary_id,
            Referral.answer_mode,
            Referral.status,
            Referral.requested_at,
            Referral.decided_at,
            Referral.first_contact_on,
            Referral.outcome_on,
            Referral.ended_at,
            Referral.blind_card,
            Office.time_zone,
            # Until the first meeting took place, its day is only planned.
            select(started.id)
            .where(started.referral_id == Referral.id, started.event == Event.START)
            .exists()
            .label("has_started"),
        )
        .join(Need, Need.id == Referral.need_id)
        .join(Organization, Organization.id == Referral.organization_id)
        .join(Office, Office.id == Referral.office_id)
        .where(
            Referral.requested_at > now - relativedelta(months=PERIODS[-1]),
            Referral.requested_at <= now,
            Referral.status.not_in(_NOT_SENT),
        )
        .order_by(Referral.requested_at, Referral.id)
    )
    if office_id is not None:
        query = query.where(Referral.office_id == office_id)
    return session.execute(query).all()


def _period(sent_at: datetime, now: datetime) -> int:
    """Place in PERIODS of the shortest one that holds the day."""
    return next(
        (at for at, months in enumerate(PERIODS) if sent_at > now - relativedelta(months=months)),
        len(PERIODS) - 1,
    )


# Waiting ------------------------------------------------------------------------------------------


def _waits(session: Session, rows: Iterable[Any], *, now: datetime, threshold: int) -> list[Wait]:
    """For each client the first referral of the year to a service that answers."""
    first: dict[UUID, Any] = {}
    for row in rows:
        if row.answer_mode is not AnswerMode.WALK_IN:
            first.setdefault(row.client_id, row)
    areas = _areas([_card(row, "area_code") for row in first.values()], MEDIAN_TIMES * threshold)
    waits = []
    everybody = list(first.values())
    for start in range(0, len(everybody), _AT_A_TIME):
        batch = everybody[start : start + _AT_A_TIME]
        clients = _by_id(session, Client, {row.client_id for row in batch})
        others = _by_id(session, Beneficiary, {row.beneficiary_id for row in batch} - {None})
        for row in batch:
            groups = _facts(row, clients[row.client_id], others.get(row.beneficiary_id))
            waits.append(
                Wait(
                    _period(row.requested_at, now),
                    {**groups, "area": areas[_card(row, "area_code")]},
                    {"decision": _until_decided(row, now), "contact": _until_met(row, now)},
                )
            )
        session.expunge_all()  # with the rows go their opened keys
    return waits


def _by_id(session: Session, kind: type[Person], ids: set[UUID]) -> dict[UUID, Person]:
    return {row.id: row for row in session.scalars(select(kind).where(kind.id.in_(ids)))}


def _card(row: Any, name: str) -> str:
    """A fact as it was coarsely noted at sending."""
    return str((row.blind_card or {}).get(name) or UNKNOWN)


def _facts(row: Any, client: Client, beneficiary: Beneficiary | None) -> dict[str, str]:
    """The groups of whom the need is about; nothing is known of somebody who was erased, or of a group."""
    is_group = (
        client.kind is ClientKind.COMMUNITY if beneficiary is None else _is_group(beneficiary)
    )
    if client.erased_at is not None or is_group:
        return dict.fromkeys(("sex", "age", "disability"), UNKNOWN)
    facts = (beneficiary or client).facts or {}
    age = _card(row, "age_band")
    return {
        "sex": facts["sex"] if facts.get("sex") in SEXES else UNKNOWN,
        "age": _AGES.get(age, age),
        # An empty answer and a question not asked look the same in a file.
        "disability": "recorded" if facts.get("disability") else "none",
    }


def _is_group(beneficiary: Beneficiary) -> bool:
    return beneficiary.kind == "group"


def _until_decided(row: Any, now: datetime) -> Spell:
    return _spell(row, row.decided_at and _day(row, row.decided_at), now)


def _until_met(row: Any, now: datetime) -> Spell:
    """Until the first meeting; help that was given without one noted was given by the day of its outcome."""
    met_on = row.first_contact_on if row.has_started else None
    if met_on is None and row.status is Status.COMPLETED:
        met_on = row.outcome_on
    return _spell(row, met_on, now)


def _spell(row: Any, over_on: date | None, now: datetime) -> Spell:
    sent_on = _day(row, row.requested_at)
    if over_on is not None:
        return Spell(max((over_on - sent_on).days, 0))
    if row.ended_at is not None:
        return Spell(max((_day(row, row.ended_at) - sent_on).days, 0), "ended")
    return Spell((_day(row, now) - sent_on).days, "waiting")


def _day(row: Any, at: datetime) -> date:
    """The day it was where the office works."""
    return at.astimezone(ZoneInfo(row.time_zone)).date()


def _areas(codes: Sequence[str], least: int) -> dict[str, str]:
    """The group of each area, each with enough people as far as that is possible: the area itself, the rest of its
    province ("33+"), or the rest ("+"). Where too many areas are large, each goes into its province."""
    people = Counter(code for code in codes if code != UNKNOWN)
    large = [code for code in sorted(people) if people[code] >= least]
    groups = {code: code for code in large} if len(large) < AREAS_MOST else {}
    others = sorted(people.keys() - groups.keys())
    rest = Counter[str]()
    for code in others:
        rest[code.split(".")[0]] += people[code]
    room = AREAS_MOST - 1 - len(groups)
    ending = "+" if groups else ""
    kept = [province for province, count in rest.most_common(room) if count >= least]
    for code in others:
        province = code.split(".")[0]
        groups[code] = province + ending if province in kept else "+"
    return groups | {UNKNOWN: UNKNOWN}


# Spread -------------------------------------------------------------------------------------------


def _offers(session: Session, office_id: UUID | None, categories: set[str]) -> list[spread.Offer]:
    """Active services of these categories: an office's are those that are given in its kab/kota, or anywhere."""
    area = session.get_one(Office, office_id).area_code if office_id else None
    of_category = ServiceCategory.code.in_(categories)
    wanted = select(ServiceCategory.service_id).where(of_category)
    codes: dict[UUID, set[str]] = defaultdict(set)
    pairs = select(ServiceCategory.service_id, ServiceCategory.code).where(of_category)
    for service_id, code in session.execute(pairs):
        codes[service_id].add(code)
    room: dict[UUID, int] = {}
    told = (
        select(ServiceCapacity.service_id, ServiceCapacity.maximum)
        .where(ServiceCapacity.service_id.in_(wanted), ServiceCapacity.maximum > 0)
        .order_by(ServiceCapacity.updated, ServiceCapacity.id)
    )
    for service_id, most in session.execute(told):
        room[service_id] = int(most or 0)
    places: dict[UUID, set[str | None]] = defaultdict(set)
    sites = (
        select(ServiceAtLocation.service_id, Location.area_code)
        .outerjoin(Location, Location.id == ServiceAtLocation.location_id)
        .where(ServiceAtLocation.service_id.in_(wanted))
    )
    for service_id, place in session.execute(sites):
        places[service_id].add(place)
    services = select(Service.id, Service.organization_id).where(
        Service.id.in_(wanted), Service.status == ServiceStatus.ACTIVE
    )
    return [
        spread.Offer(str(organization_id), frozenset(codes[service_id]), room.get(service_id))
        for service_id, organization_id in session.execute(services)
        if area is None or _is_here(places[service_id], area)
    ]


def _is_here(places: set[str | None], area: str) -> bool:
    """Whether a service is given in the area, or is tied to no place."""
    return not places - {None} or any(code and holds(area, code) for code in places)
