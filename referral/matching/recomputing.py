"""A receipt's own numbers worked out again, as an outsider would. Pure."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from referral.core.geo import haversine_km
from referral.matching.judging import FULL, NO_POSITION, NORMAL, OTHER_JURISDICTION
from referral.matching.penalties import DATA_QUALITY, DATA_QUALITY_MOST
from referral.matching.ranking import local_step_km
from referral.matching.receipts import KM_DIGITS, PARTS, STEP_DIGITS, TOLERANCE_KM, query_of
from referral.matching.rules import ASSUMED_OTHER

#: numbers that may not follow from the others
NUMBERS = (
    *("penalty_km", "penalty_steps", "effective_km", "distance_band", "failed", "group"),
    *("order", "step_km", "considered"),
)
#: latitude, longitude, half-width in km
Point = tuple[float, float, float]


@dataclass(frozen=True)
class Mismatch:
    """A number of a receipt that does not follow from the others; `where` None: of the whole."""

    where: str | None
    number: str
    kept: float | None
    follows: float | None


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
    if step is not None and abs(step - step_km) > 10**-KM_DIGITS:
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
        if penalty["steps"] > table[penalty["rule"]] + 10**-STEP_DIGITS:
            wrong.append(("penalty_steps", penalty["steps"], table[penalty["rule"]]))
    not_known = sum(p["steps"] for p in one["penalties"] if p["rule"] in DATA_QUALITY)
    if not_known > table[DATA_QUALITY_MOST] + 10**-STEP_DIGITS:
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
        if key[0] < before[0] or (key[0] == before[0] and before[1] - key[1] > 10**-KM_DIGITS):
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
            if before_km - km > 10**-KM_DIGITS:
                wrong.append(Mismatch(one["service_at_location_id"], "order", km, before_km))
            before_km = km
    return wrong


def _step_of(content: Mapping[str, Any]) -> float | None:
    """The local step, where all options that it is made from are listed."""
    options = content["options"]
    if content["tally"]["options"] > len(options):
        return None
    return local_step_km(one["distance_km"] for one in options if one["distance_km"] is not None)
