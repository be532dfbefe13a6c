"""The evidence of a proposal in plain words, one sentence for each thing it tells. Pure."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from referral.core.text import Message, render
from referral.planning.disclosure.cells import Shown, mark

Evidence = Mapping[str, Any]


@dataclass(frozen=True)
class Names:
    """What coded things are called in one language: areas, categories, reasons with their remedies, kinds of reason."""

    area: Callable[[str], str]
    category: Callable[[str], str]
    reason: Callable[[str], str]
    remedy: Callable[[str], str]


def statement(evidence: Evidence, names: Names, lang: str) -> str:
    """The problem in plain words, for a person to go on writing."""
    parts = [people(evidence, names), asked(evidence), nearest(evidence, names)]
    parts += [coverage(evidence, names), reasons(evidence, names), trend(evidence, names)]
    said = [render(one, lang) for one in parts if one is not None]
    if evidence["unmet"] is not None:
        said.append(render(Message("proposals.asked_only"), lang))
    return " ".join(said)


def people(evidence: Evidence, names: Names) -> Message:
    """How many people nothing met, or the wider figure that stands in for them."""
    unmet = evidence["unmet"]
    params: dict[str, Any] = {
        "area": names.area(evidence["area"]),
        "category": names.category(evidence["category"]),
    }
    if unmet is None:
        return Message("proposals.people.no_release", params)
    params["quarter"] = quarter(evidence["release"]["quarter"])
    if unmet["people"] is not None:
        key = "some" if unmet["people"] else "nobody"
        return Message(f"proposals.people.{key}", params | {"people": unmet["people"]})
    key = "small" if unmet["shown"] == "small" else "withheld"
    said = Message(
        f"proposals.people.{key}", params | {"threshold": evidence["release"]["threshold"]}
    )
    wider = unmet["wider"]
    if wider is None:
        return said
    return Message("proposals.people.wider", {"said": said, "wider": _wider(wider, names)})


def _wider(wider: Mapping[str, Any], names: Names) -> Message:
    area, category, *_others = wider["key"]
    params = {"people": wider["people"]}
    where: str | Message = names.area(area) if area else Message("proposals.everywhere")
    what: str | Message = names.category(category) if category else Message("proposals.any_help")
    return Message("proposals.people.wide", params | {"area": where, "category": what})


def asked(evidence: Evidence) -> Message | None:
    """How many asked for it at all, where that may be told."""
    found = evidence["asked"]
    if not found or not found["people"] or evidence["unmet"]["people"] is None:
        return None
    return Message("proposals.asked", {"people": found["people"]})


def nearest(evidence: Evidence, names: Names) -> Message:
    """The nearest such service as the crow flies."""
    near = evidence["nearest"]
    params = {
        "category": names.category(evidence["category"]),
        "area": names.area(evidence["area"]),
        "anywhere": near["anywhere"],
    }
    if not near["anywhere"]:
        return Message("proposals.nearest.none", params)
    if near["km"] is None:
        return Message("proposals.nearest.not_placed", params)
    if near["name"] is None:
        return Message("proposals.nearest.unnamed", params | {"km": near["km"]})
    return Message("proposals.nearest.km", params | {"km": near["km"], "name": near["name"]})


def coverage(evidence: Evidence, names: Names) -> Message | None:
    """The share of people with such a service within reach; None where that was not worked out."""
    access = evidence["access"]
    if access is None or access["coverage"] is None:
        return None
    return Message(
        f"proposals.coverage.{access['of']}",
        {
            "percent": round(100 * access["coverage"]),
            "km": access["radius_km"],
            "area": names.area(access["area"]),
        },
    )


def reasons(evidence: Evidence, names: Names) -> Message | None:
    """Why, in the wider area and field in which reasons are told; None where none may be."""
    told = why(evidence, names)
    if not told:
        return None
    area, category, *_rest = told[0].key
    listed = [
        Message("proposals.reason", {"reason": one.reason, "people": one.people}) for one in told
    ]
    return Message(
        "proposals.reasons",
        {"area": names.area(area), "category": names.category(category), "reasons": listed},
    )


@dataclass(frozen=True)
class Why:
    """One reason with the people it holds for (a count, or a Message such as "fewer than 5") and what helps."""

    key: tuple[str, ...]
    reason: str
    people: int | Message
    remedy: str


def why(evidence: Evidence, names: Names) -> list[Why]:
    """The reasons that are told, the most people first; kinds of reason where no reason by itself is."""
    shown = [one for one in evidence["reasons"] if one["people"]]
    small = [one for one in evidence["reasons"] if one["shown"] == "small"]
    if not shown:
        shown, small = [one for one in evidence["axes"] if one["people"]], []
    shown.sort(key=lambda one: -one["people"])
    if not shown:
        return []
    threshold = evidence["release"]["threshold"]
    few = Message("planning.people.small", {"threshold": threshold})
    return [
        Why(
            tuple(one["key"]),
            names.reason(one["key"][2]),
            one["people"] if one["people"] else few,
            names.remedy(one["key"][2]),
        )
        for one in (*shown, *small)
    ]


def trend(evidence: Evidence, names: Names) -> Message | None:
    """Quarter by quarter in the wider area and field; None where fewer than two of them may be told."""
    told = evidence["trend"]
    if sum(one["people"] is not None for one in told) < _POINTS or not any(
        one["people"] for one in told
    ):
        return None
    area, category, *_rest = told[0]["key"]
    threshold = evidence["release"]["threshold"]
    points = [
        Message(
            "proposals.trend.point",
            {"quarter": quarter(one["key"][3]), "people": _shown(one, threshold)},
        )
        for one in told
    ]
    return Message(
        "proposals.trend",
        {"area": names.area(area), "category": names.category(category), "points": points},
    )


_POINTS = 2


def shown(figure: Mapping[str, Any] | None, threshold: int) -> str:
    """A figure as it stands in a table: "12", "<5" or "–"."""
    if figure is None:
        return "–"
    return str(_shown(figure, threshold))


def _shown(figure: Mapping[str, Any], threshold: int) -> int | str:
    if figure["people"] is not None:
        return int(figure["people"])
    return mark(Shown(figure["shown"]), threshold) if figure["shown"] else "–"


def quarter(code: str) -> Message:
    """What a quarter is called: "2026-Q4"."""
    year, _, number = code.partition("-Q")
    return Message("map.quarter", {"number": number, "year": year})


def source(evidence: Evidence) -> Message:
    """Which release the figures are of, and the digest by which they can be checked."""
    release = evidence["release"]
    if release is None:
        return Message("proposals.source.none")
    digest = release["digest"]
    params = {
        "release": Message(f"proposals.release.{release['audience']}"),
        "quarter": quarter(release["quarter"]),
        "threshold": release["threshold"],
    }
    if not digest:
        return Message("proposals.source.release", params)
    return Message("proposals.source.digest", params | {"digest": digest})
