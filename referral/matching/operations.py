"""Running a match and recording what the client chose."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

from sqlalchemy.orm import Session

from referral.accounts.models import Office, User
from referral.casework.models import Case, Client, ClientKind, Need, OwnResource
from referral.casework.queries import excluded_organizations
from referral.changes import audit
from referral.changes.directory import version as directory_version
from referral.core.errors import Invalid, NotAllowed
from referral.directory import closed_days
from referral.directory.models import ServiceAtLocation
from referral.directory.reference import taxonomy
from referral.directory.upkeep import verification
from referral.matching import candidates, live, own_people, queries, receipts, routes
from referral.matching.asking import place_of_code, place_of_point
from referral.matching.facts import Query
from referral.matching.models import ClientChoice, MatchReceipt, PenaltyTable
from referral.matching.ranking import Selection, select
from referral.matching.rules import RULES_VERSION, VIOLENT_NEEDS
from referral.matching.telling import told
from referral.places.gazetteer import Gazetteer
from referral.places.land import land
from referral.places.queries import gazetteer as places_of


def answer(
    session: Session,
    query: Query,
    *,
    zone: str,
    office_id: UUID | None = None,
    need_id: str = "",
    kept_out: frozenset[UUID] = frozenset(),
    table: PenaltyTable | None = None,
    now: datetime | None = None,
) -> dict[str, Any]:
    """What a query gives, as a receipt's content. Writes nothing.

    table  another penalty table than the one that holds for the office
    now    tells "open now" from "open at the asked time"
    """
    gazetteer = places_of(session)
    table = table or queries.penalty_table(session, office_id)
    selection = selected(session, query, table.steps, need_id=need_id, kept_out=kept_out)
    holidays = selection.around.holidays
    ranking = told(
        query,
        selection,
        table.steps,
        names=lambda code: _area_name(code, gazetteer),
        land=land(),
    )
    shown = (*ranking.options, *ranking.remote, *ranking.why_not)
    return receipts.content_of(
        query,
        ranking,
        queries.listed(session, [one.offer.service_at_location_id for one in shown]),
        need_id=need_id,
        zone=zone,
        rules_version=RULES_VERSION,
        table_version=table.number,
        table=table.steps,
        directory_version=directory_version(session),
        holidays=holidays,
        now=now,
        answered_in_time=selection.around.answered_in_time,
    )


def selected(
    session: Session,
    query: Query,
    steps: Mapping[str, float],
    *,
    need_id: str,
    kept_out: frozenset[UUID],
) -> Selection:
    """Who is shown for a query with these penalties: from the index where it is level, else the database."""
    how: dict[str, Any] = {"need_id": need_id, "kept_out": kept_out}
    if (kept := live.INDEX.exact(session)) is not None:
        index, lock = kept
        with lock:
            holidays = closed_days.around(query.at.year) if index.keeps_hours else frozenset()
            return index.select(query, steps, holidays=holidays, **how)
    codes = [query.need, *(leaf.code for leaf in taxonomy().leaves(query.need))]
    offers = candidates.offers_of(session, dict.fromkeys(codes), places_of(session))
    keeps_hours = any(offer.hours for offer in offers)
    holidays = closed_days.around(query.at.year) if keeps_hours else frozenset()
    return select(query, offers, steps, holidays=holidays, **how)


def match(
    session: Session,
    query: Query,
    *,
    by: User,
    now: datetime,
    office: Office,
    case: Case | None = None,
    need: Need | None = None,
) -> MatchReceipt:
    """Run a query and keep the receipt: sealed with the client's key for a need, else with the office's.

    Whom the client must not meet appears nowhere in it. The ways that the office knows today count.
    """
    if need is not None and need.withdrawn_at is not None:
        raise NotAllowed("match.need.withdrawn")
    query = replace(query, routes=routes.known(session, office.id, query.place))
    table = queries.penalty_table(session, office.id)
    content = answer(
        session,
        query,
        zone=office.time_zone,
        office_id=office.id,
        need_id=str(need.id) if need else "",
        kept_out=excluded_organizations(session, case.id) if case else frozenset(),
        now=now,
    )
    receipt = MatchReceipt(
        key=case.client.key if case else office.key,
        office_id=office.id,
        case_id=case.id if case else None,
        need_id=need.id if need else None,
        by_id=by.id,
        at=now,
        rules_version=RULES_VERSION,
        penalty_table_id=table.id,
        directory_version=content["directory_version"],
        content=content,
    )
    session.add(receipt)
    audit.record(
        session,
        "match.run",
        receipt,
        by=by,
        now=now,
        client_id=case.client_id if case else None,
        category=query.need,
    )
    return receipt


def query_for(session: Session, need: Need, *, now: datetime, limit: int = 20) -> Query:
    """The query of a need: the beneficiary's facts, the household's means, where the client stays."""
    case = need.case
    client = case.client
    gazetteer = places_of(session)
    facts = (need.beneficiary.facts if need.beneficiary else client.facts) or {}
    household = client.facts or {}
    near, precision_km, place = _stays_at(client, gazetteer)
    kind = need.beneficiary.kind if need.beneficiary else client.kind
    return Query(
        need=need.category,
        at=now.astimezone(ZoneInfo(case.office.time_zone)).replace(microsecond=0),
        near=near,
        precision_km=precision_km,
        place=place,
        registered_in=client.registered_in,
        age=facts.get("age_years"),
        sex=facts.get("sex"),
        desil=household.get("desil"),
        disability=tuple(facts.get("disability", ())),
        language=tuple(facts.get("languages", household.get("languages", ()))),
        documents_lacking=tuple(facts.get("documents_lacking", ())),
        urgency=need.urgency.value,
        limit=limit,
        is_group=kind in ("group", ClientKind.COMMUNITY),
        violence=case.has_violence or need.category in VIOLENT_NEEDS,
        able_to_pay=household.get("able_to_pay"),
        routes=routes.known(session, case.office_id, place),
    )


def record_choice(
    session: Session,
    receipt: MatchReceipt,
    *,
    need: Need,
    by: User,
    now: datetime,
    site_id: UUID | None = None,
    own: OwnResource | None = None,
    reasons: Sequence[str] = (),
    note: str = "",
) -> ClientChoice:
    """Keep what the client chose from a receipt: an option, one of their own people, or none and why."""
    offered = {
        one["service_at_location_id"]
        for part in ("options", "remote")
        for one in (receipt.content or {}).get(part, ())
    }
    if site_id is not None and str(site_id) not in offered:
        raise Invalid("match.choice.unknown", field="choice")
    if site_id is None and own is None and not reasons:
        raise Invalid("match.choice.reasons", field="reasons")
    if own is not None:
        own_people.refuse_full(session, own, need)
    choice = ClientChoice(
        key=need.key,
        need_id=need.id,
        receipt_id=receipt.id,
        service_at_location_id=site_id,
        own_resource_id=own.id if own else None,
        at=now,
        by_id=by.id,
        reasons=list(reasons),
        note=note or None,
    )
    session.add(choice)
    if site_id is not None:
        service_id = session.get_one(ServiceAtLocation, site_id).service_id
        verification.count_use(session, service_id, now=now)
    audit.record(
        session,
        "match.chosen" if site_id or own else "match.declined",
        choice,
        by=by,
        now=now,
        client_id=need.case.client_id,
    )
    return choice


def _stays_at(client: Client, gazetteer: Gazetteer) -> tuple[Any, float, Any]:
    """Point, precision and area of where the client stays, as far as it was recorded."""
    kept = client.stays_at or {}
    code = kept.get("code")
    if kept.get("lat") is not None and kept.get("lon") is not None:
        point = (kept["lat"], kept["lon"])
        named = place_of_code(code, gazetteer)[2] if code and code in gazetteer else None
        place = named or place_of_point(point, gazetteer)
        return point, kept.get("precision_km") or 0.0, place
    if code and code in gazetteer:
        return place_of_code(code, gazetteer)
    return None, 0.0, None


def _area_name(code: str, gazetteer: Gazetteer) -> str:
    return gazetteer.label(code).split(", ")[0] if code in gazetteer else code
