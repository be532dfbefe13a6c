"""A match run written down: as data to keep, as JSON to print, and back. Pure.

What is kept holds sentences as keys and parameters; what is printed holds them in words too. Every
number printed can be worked out again from the others: see `recomputing`.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

from referral.core.text import Message, render
from referral.matching.explanation import bearing_of, facts_of, way_of
from referral.matching.facts import Place, Query, Route
from referral.matching.telling import Ranked, Ranking

KM_DIGITS = 3
STEP_DIGITS = 4
_CHANGE_DIGITS = 6
#: How far a recomputed km may be from the printed one: half a digit for each of the numbers added.
TOLERANCE_KM = 0.05
#: the lists of an answer
PARTS = ("options", "remote", "why_not")


@dataclass(frozen=True)
class Listed:
    """What a receipt says of an offer beside the rules: who and what, and where it was read."""

    name: str
    organization: str
    source: str | None
    source_id: str | None
    #: numbers to call; () where none is known
    phones: tuple[str, ...] = ()


def content_of(
    query: Query,
    ranking: Ranking,
    listed: Mapping[UUID, Listed],
    *,
    need_id: str,
    zone: str,
    rules_version: int,
    table_version: int,
    table: Mapping[str, float],
    directory_version: int,
    holidays: frozenset[date] = frozenset(),
    now: datetime | None = None,
    answered_in_time: float | None = None,
) -> dict[str, Any]:
    """The whole run as JSON values.

    listed            by service_at_location id
    now               when it was asked
    answered_in_time  the category's own share of referrals answered in time, which reliability is drawn towards
    """

    def entry(one: Ranked) -> dict[str, Any]:
        who = listed[one.offer.service_at_location_id]
        return _entry(one, who, ranking.step_km) | {
            "facts": [
                {"icon": icon, "message": message.as_json()}
                for icon, message in facts_of(
                    query, one.offer, holidays=holidays, now=now, phones=who.phones
                )
            ]
        }

    return {
        "query": _query(query) | {"step_km": round(ranking.step_km, KM_DIGITS)},
        "asked": {
            "need_id": need_id,
            "zone": zone,
            "precision_km": query.precision_km,
            "is_group": query.is_group,
            "violence": query.violence,
            "able_to_pay": query.able_to_pay,
            "open_only": query.open_only,
            "free_only": query.free_only,
            "routes": [
                {"to_code": route.to_code, "km": route.km, "how": route.how}
                for route in query.routes
            ],
        },
        "rules_version": rules_version,
        "penalty_table": {"number": table_version, "steps": dict(table)},
        "answered_in_time": answered_in_time,
        "directory_version": directory_version,
        "options": [entry(one) for one in ranking.options],
        "remote": [entry(one) for one in ranking.remote],
        "why_not": [
            entry(one)
            | {
                "failed": list(one.failed),
                "change": round(one.change, _CHANGE_DIGITS),
                "would_fit_if": Message(
                    "match.would_fit_if", {"changes": list(one.would_fit_if)}
                ).as_json(),
            }
            for one in ranking.why_not
        ],
        "why_not_total": ranking.why_not_total,
        "coverage": ranking.coverage.as_json(),
        "tally": dict(ranking.tally),
    }


def printed(content: Mapping[str, Any], lang: str) -> dict[str, Any]:
    """The answer as `flask match --json` prints it, with sentences in `lang`."""
    zone = content["asked"]["zone"]

    def words(message: Mapping[str, Any]) -> str:
        return render(Message.from_json(message), lang, zone=zone)

    def entry(kept: Mapping[str, Any]) -> dict[str, Any]:
        shown = {name: value for name, value in kept.items() if name != "organization_id"}
        for name in ("bearing", "way"):
            shown[name] = words(kept[name]) if kept.get(name) else None
        shown["penalties"] = [
            {
                "rule": penalty["rule"],
                "steps": penalty["steps"],
                "km": penalty["km"],
                "key": penalty["message"]["key"],
                "params": penalty["message"]["params"],
                "because": words(penalty["message"]),
            }
            for penalty in kept["penalties"]
        ]
        shown["verdicts"] = [
            {
                "rule": verdict["rule"],
                "verdict": verdict["verdict"],
                "key": verdict["message"]["key"],
                "params": verdict["message"]["params"],
                "because": words(verdict["message"]),
            }
            for verdict in kept["verdicts"]
        ]
        shown["facts"] = [
            {
                "key": fact["message"]["key"],
                "params": fact["message"]["params"],
                "because": words(fact["message"]),
            }
            for fact in kept["facts"]
        ]
        if "would_fit_if" in kept:
            shown["would_fit_if"] = words(kept["would_fit_if"])
        return shown

    return {
        "query": content["query"],
        "rules_version": content["rules_version"],
        "penalty_table": content["penalty_table"],
        "answered_in_time": content.get("answered_in_time"),
        "routes": content["asked"].get("routes", []),
        "directory_version": content["directory_version"],
        "options": [entry(one) for one in content["options"]],
        "remote": [entry(one) for one in content["remote"]],
        "why_not": [entry(one) for one in content["why_not"]],
        "why_not_total": content["why_not_total"],
        "coverage": words(content["coverage"]),
    }


def query_of(content: Mapping[str, Any]) -> Query:
    """The query of a receipt, to be asked again."""
    query, asked = content["query"], content["asked"]
    return Query(
        need=query["need"],
        at=datetime.fromisoformat(query["at"]).astimezone(ZoneInfo(asked["zone"])),
        near=tuple(query["near"]) if query["near"] else None,
        precision_km=asked["precision_km"],
        place=Place(**query["place"]) if query["place"] else None,
        registered_in=query["registered_in"],
        age=query["age"],
        sex=query["sex"],
        desil=query["desil"],
        disability=tuple(query["disability"]),
        language=tuple(query["language"]),
        documents_lacking=tuple(query["documents_lacking"]),
        urgency=query["urgency"],
        within=query["within"],
        limit=query["limit"],
        is_group=asked["is_group"],
        violence=asked["violence"],
        able_to_pay=asked["able_to_pay"],
        open_only=asked["open_only"],
        free_only=asked["free_only"],
        routes=tuple(Route(**route) for route in asked.get("routes", ())),
    )


def _query(query: Query) -> dict[str, Any]:
    place = query.place
    return {
        "need": query.need,
        "near": list(query.near) if query.near else None,
        "place": place
        and {"code": place.code, "name": place.name, "precision_km": place.precision_km},
        "registered_in": query.registered_in,
        "age": query.age,
        "sex": query.sex,
        "desil": query.desil,
        "disability": list(query.disability),
        "language": list(query.language),
        "documents_lacking": list(query.documents_lacking),
        "urgency": query.urgency,
        "at": query.at.isoformat(),
        "within": query.within,
        "limit": query.limit,
    }


def _entry(one: Ranked, listed: Listed, step_km: float) -> dict[str, Any]:
    bearing, way = bearing_of(one), way_of(one)
    return {
        "service_at_location_id": str(one.offer.service_at_location_id),
        "service_id": str(one.offer.service_id),
        "organization_id": str(one.offer.organization_id),
        "source": listed.source,
        "source_id": listed.source_id,
        "name": listed.name,
        "organization": listed.organization,
        "group": one.group,
        "distance_km": _km(one.km),
        "distance_band": None if one.band is None else [_km(end) for end in one.band],
        "precision_km": _km(one.precision_km),
        "effective_km": _km(one.effective_km),
        # A confidential place is ordered from the public point of its kab/kota, which anybody may look up.
        "measured_from_area": one.offer.area_code if one.offer.confidential else None,
        "penalties": [
            {
                "rule": penalty.rule,
                "steps": round(penalty.steps, STEP_DIGITS),
                "km": round(penalty.steps * step_km, KM_DIGITS),
                "message": penalty.message.as_json(),
            }
            for penalty in one.penalties
        ],
        "verdicts": [
            {
                "rule": verdict.rule,
                "verdict": verdict.outcome.value,
                "message": verdict.message.as_json(),
            }
            for verdict in one.verdicts
        ],
        "bearing": bearing and bearing.as_json(),
        "way": way and way.as_json(),
        "straight_km": _km(one.straight_km),
        "route": one.route and {"km": one.route.km, "how": one.route.how},
        "crossing": one.crossing and one.crossing.value,
        "phones": list(listed.phones),
    }


def _km(value: float | None) -> float | None:
    return None if value is None else round(value, KM_DIGITS)
