"""What the figures of a release say, one sentence per finding, from published numbers alone. Pure."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from referral.core.text import Message
from referral.planning.disclosure.cells import Shown
from referral.planning.fairness import spread
from referral.planning.fairness.waiting import EVERYBODY, UNKNOWN, from_json

#: What an area or a category is called.
Names = Callable[[str], str]


@dataclass(frozen=True)
class Compared:
    """What two groups, or everybody, tell; `is_sure` where it is more than chance."""

    sentence: Message
    is_sure: bool = False


def group_name(cut: str, group: str, names: Names) -> Message:
    """What a group of people is called."""
    if cut != "area" or group == UNKNOWN:
        which = f"{cut}.{group}"
        return Message(f"fairness.group.{which}")
    if group == "+":
        return Message("fairness.group.area.elsewhere")
    if group.endswith("+"):
        return Message("fairness.group.area.rest", {"area": names(group.removesuffix("+"))})
    return Message("fairness.group.area.in", {"area": names(group)})


def of_everybody(waits: Mapping[str, Any], measure: str, months: str) -> Compared:
    """How long half of all people waited."""
    (row,) = waits[measure][EVERYBODY]["groups"]
    what = Message(f"fairness.what.{measure}")
    found = row["median"][months]
    if found is None:
        return Compared(Message("fairness.everybody.few", {"what": what}))
    params = {"what": what, "people": row["people"][months]}
    if found["days"] is None:
        return Compared(Message("fairness.everybody.open", params))
    return Compared(Message("fairness.everybody.half", params | {"days": found["days"]}))


def of_groups(
    waits: Mapping[str, Any], measure: str, cut: str, months: str, names: Names
) -> Compared:
    """The slowest and the fastest group of a cut; no claim where chance may explain it."""
    compared = waits[measure][cut]["compared"][months]
    if compared is None:
        return Compared(Message("fairness.compared.few", {"cut": Message(f"fairness.cut.{cut}")}))
    rows = {row["group"]: row for row in waits[measure][cut]["groups"]}
    params: dict[str, Any] = {"what": Message(f"fairness.what.{measure}")}
    for which in ("slow", "fast"):
        row = rows[compared[which]]
        params[which] = group_name(cut, row["group"], names)
        params[f"{which}_people"] = row["people"][months]
        if (days := row["median"][months]["days"]) is not None:
            params[f"{which}_days"] = days
    if not compared["differs"]:
        told = {key: value for key, value in params.items() if not key.endswith("_days")}
        return Compared(Message("fairness.compared.same", told))
    if "slow_days" not in params:
        return Compared(Message("fairness.compared.open", params), is_sure=True)
    params["days"] = params["slow_days"] - params["fast_days"]
    return Compared(Message("fairness.compared.longer", params), is_sure=True)


def category_name(row: Mapping[str, Any], names: Names) -> Message | str:
    """What a row of the spread is called: a kind of help, or the rest of a field of help."""
    name = names(row["category"])
    return Message("fairness.spread.rest", {"domain": name}) if row["is_rest"] else name


def of_spread(row: Mapping[str, Any], months: str, names: Names, *, threshold: int) -> Message:
    """Who took most of one kind of help, beside an equal share."""
    params: dict[str, Any] = {"category": category_name(row, names)}
    total = from_json(row["people"][months])
    if len(row["agencies"]) == 1 and row["offering"] <= 1 and total.shown is Shown.COUNT:
        params |= {"total": total.count, "name": row["agencies"][0]["name"]}
        return Message("fairness.spread.only" if total.count else "fairness.spread.none", params)
    top = spread.busiest(row, months, threshold=threshold)
    if top is None:
        return Message("fairness.spread.none", params)
    params |= {
        "name": top.name,
        "people": top.people,
        "total": top.total,
        "share": round(100 * top.people / top.total),
        "agencies": top.agencies,
        "equal": round(100 / top.agencies),
    }
    return Message("fairness.spread.busiest", params)
