"""A match run written down: as data to keep, as JSON to print, and back. Pure.

What is kept holds sentences as keys and parameters; what is printed holds them in words too. Every
number printed can be worked out again from the others: see `recomputed`.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

from referral.core.geo import haversine_km
from referral.core.text import Message, render
from referral.matching.explanation import bearing_of, facts_of, way_of
from referral.matching.facts import Place, Query, Route
from referral.matching.penalties import DATA_QUALITY, DATA_QUALITY_MOST
from referral.matching.ranking import (
    FULL,
    NO_POSITION,
    NORMAL,
    OTHER_JURISDICTION,
    Ranked,
    Ranking,
    local_step_km,
)
from referral.matching.rules import ASSUMED_OTHER

_KM_DIGITS = 3
_STEP_DIGITS = 4
_CHANGE_DIGITS = 6
#: How far a recomputed km may be from the printed one: half a digit for each of the numbers added.
TOLERANCE_KM = 0.05
#: the lists of an answer
PARTS = ("options", "remote", "why_not")
#: numbers that may not follow from the others
NUMBERS = (
    *("penalty_km", "penalty_steps", "effective_km", "distance_band", "failed", "group"),
    *("order", "step_km", "considered"),
)
#: latitude, longitude, half-width in km
Point = tuple[float, float, float]


@dataclass(frozen=True)
class Listed:
    """What a receipt says of an offer beside the rules: who and what, and where it was read."""

    name: str
    organization: str
    source: str | None
    source_id: str | None
    #: numbers to call; () where none is known
    phones: tuple[str, ...] = ()


@dataclass(frozen=True)
class Mismatch:
    """A number of a receipt that does not follow from the others; `where` None: of the whole."""

    where: str | None
    number: str
    kept: float | None
    follows: float | None


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
        "query": _query(query) | {"step_km": round(ranking.step_km, _KM_DIGITS)},
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


def recomputed(
    content: Mapping[str, Any], locate: Callable[[str], Point | None] = lambda _: None
) -> list[Mismatch]:
    """What in a receipt does not follow from its own numbers; empty when all of it does.

    Works out again, as an outsider would: the km of penalties, what the table allows, effective km,
    ranges, groups, who fails what, the order, the counts, and the local step where every option is listed.

    locate  the public point of an area, for confidential options, which are ordered from it; without it
            only their penalties are checked
    """
    step_km = content["query"]["step_km"]
    wrong = [
        mismatch
        for part in PARTS
        for one in content[part]
        for mismatch in _wrong_in(content, part, one, locate)
    ]
    wrong += _wrong_order(content)
    step = _step_of(content)
    if step is not None and abs(step - step_km) > 10**-_KM_DIGITS:
        wrong.append(Mismatch(None, "step_km", step_km, step))
    tally = content["tally"]
    counted = tally["options"] + tally["remote"] + content["why_not_total"]
    if tally["considered"] != counted:
        wrong.append(Mismatch(None, "considered", tally["considered"], counted))
    return wrong


def _wrong_in(
    content: Mapping[str, Any],
    part: str,
    one: Mapping[str, Any],
    locate: Callable[[str], Point | None],
) -> list[Mismatch]:
    """What in one entry does not follow from the rest of it."""
    where = one["service_at_location_id"]
    step_km, table = content["query"]["step_km"], content["penalty_table"]["steps"]
    steps = sum(penalty["steps"] for penalty in one["penalties"])
    wrong: list[tuple[str, float | None, float | None]] = []
    for penalty in one["penalties"]:
        km = step_km * penalty["steps"]
        if abs(penalty["km"] - km) > TOLERANCE_KM:
            wrong.append(("penalty_km", penalty["km"], km))
        if penalty["steps"] > table[penalty["rule"]] + 10**-_STEP_DIGITS:
            wrong.append(("penalty_steps", penalty["steps"], table[penalty["rule"]]))
    not_known = sum(p["steps"] for p in one["penalties"] if p["rule"] in DATA_QUALITY)
    if not_known > table[DATA_QUALITY_MOST] + 10**-_STEP_DIGITS:
        wrong.append(("penalty_steps", not_known, table[DATA_QUALITY_MOST]))
    order_km = _order_km(content, one, locate)
    if order_km is not None:
        effective_km = order_km + step_km * steps
        # Half a digit of the step counts once for every local step.
        if abs(effective_km - (one["effective_km"] or 0.0)) > TOLERANCE_KM + steps * 1e-3:
            wrong.append(("effective_km", one["effective_km"], effective_km))
    if one["distance_band"] is not None and one["distance_km"] is not None:
        low = max(0.0, one["distance_km"] - one["precision_km"])
        if abs(one["distance_band"][0] - low) > TOLERANCE_KM:
            wrong.append(("distance_band", one["distance_band"][0], low))
    failed = {verdict["rule"] for verdict in one["verdicts"] if verdict["verdict"] == "fail"}
    if failed != set(one.get("failed", ())) or bool(failed) != (part == "why_not"):
        wrong.append(("failed", len(one.get("failed", ())), len(failed)))
    group = _group_of(one)
    if group is not None and group != one["group"]:
        wrong.append(("group", one["group"], group))
    return [Mismatch(where, *values) for values in wrong]


def _order_km(
    content: Mapping[str, Any],
    one: Mapping[str, Any],
    locate: Callable[[str], Point | None],
) -> float | None:
    """The km that an entry is ordered by; None where it has none or it can't be told from here."""
    km = one["distance_km"]
    if km is None and one["effective_km"] is not None and (area := one.get("measured_from_area")):
        located = locate(area)
        query = query_of(content)
        if located is not None and query.near is not None:
            km = haversine_km(*query.near, located[0], located[1])
            if route := query.route_to(area):
                km = max(km, route.km)
    return None if km is None else max(km, one["precision_km"] / 2)


def _group_of(one: Mapping[str, Any]) -> int | None:
    """The group that an entry's verdicts put it in; None where they don't tell all of it."""
    if one["group"] in (FULL, NO_POSITION):
        return None
    assumed = any(v["message"]["key"] == ASSUMED_OTHER.key for v in one["verdicts"])
    return OTHER_JURISDICTION if assumed else NORMAL


def _wrong_order(content: Mapping[str, Any]) -> list[Mismatch]:
    wrong = []
    before = (0, 0.0)
    for one in content["options"]:
        if one["effective_km"] is None:
            continue
        key = (one["group"], one["effective_km"])
        # Numbers equal when printed may differ when sorted, and then no tie decided.
        if key[0] < before[0] or (key[0] == before[0] and before[1] - key[1] > 10**-_KM_DIGITS):
            wrong.append(Mismatch(one["service_at_location_id"], "order", key[1], before[1]))
        before = key
    return wrong + _wrong_order_of_misses(content)


def _wrong_order_of_misses(content: Mapping[str, Any]) -> list[Mismatch]:
    """Near misses that stand before a smaller change, or before a nearer one of the same change."""
    wrong = []
    before, before_km = (0, 0.0), 0.0
    for one in content["why_not"]:
        if "change" not in one:
            return []  # written before near misses stood by their change
        key, km = (len(one["failed"]), one["change"]), one["distance_km"]
        if key != before:
            if key < before:
                wrong.append(Mismatch(one["service_at_location_id"], "order", key[1], before[1]))
            before, before_km = key, 0.0
        # One that tells no distance may stand anywhere among its equals.
        if km is not None:
            if before_km - km > 10**-_KM_DIGITS:
                wrong.append(Mismatch(one["service_at_location_id"], "order", km, before_km))
            before_km = km
    return wrong


def _step_of(content: Mapping[str, Any]) -> float | None:
    """The local step, where all options that it is made from are listed."""
    options = content["options"]
    if content["tally"]["options"] > len(options):
        return None
    return local_step_km(one["distance_km"] for one in options if one["distance_km"] is not None)


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
                "steps": round(penalty.steps, _STEP_DIGITS),
                "km": round(penalty.steps * step_km, _KM_DIGITS),
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
    return None if value is None else round(value, _KM_DIGITS)
