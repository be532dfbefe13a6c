"""The words of the gap pages: how values, areas, classes and gaps are said."""

from collections.abc import Sequence
from dataclasses import dataclass

from referral.core.text import Message, number
from referral.directory.reference import taxonomy
from referral.places.gazetteer import Gazetteer
from referral.planning.disclosure.cells import Shown, mark
from referral.planning.gaps.cuts import UNKNOWN
from referral.planning.gaps.figures import Told
from referral.planning.maps import palette
from referral.planning.maps.atlas import Closed, Gap
from referral.planning.maps.question import COUNTS, MORE_IS_BETTER, NEUTRAL, Layer
from referral.planning.maps.values import Kind, Scale, Value
from referral.web.formatting import capital, label, say
from referral.web.language import chosen
from referral.web.naming import category_name


@dataclass(frozen=True)
class Class:
    """One entry of a legend: the class of colour and what it stands for."""

    place: str
    words: str


def ramp_of(layer: Layer) -> str:
    """Which colours a layer's numbers have."""
    if layer in NEUTRAL:
        return palette.NEUTRAL
    return palette.BETTER if layer in MORE_IS_BETTER else palette.WORSE


def in_words(value: Value, layer: Layer, threshold: int) -> str:
    """A value as a table says it."""
    if value.kind is Kind.TOLD and value.number is not None:
        told = _number(value.number, layer)
        if value.few:
            return say(Message("map.few", {"number": told, "few": value.few}))
        return told
    if value.kind is Kind.SMALL:
        return mark(Shown.SMALL, threshold)
    if value.kind is Kind.WITHHELD:
        return mark(Shown.WITHHELD, threshold)
    return kind_words(value.kind, threshold)


def _number(told: float, layer: Layer) -> str:
    if layer in COUNTS:
        return number(told, chosen(), digits=0)
    return number(told, chosen(), digits=0 if told >= 100 else 1)


def kind_words(kind: Kind, threshold: int) -> str:
    return say(Message(f"map.kind.{kind}", {"threshold": threshold}))


def area_words(area: str, places: Gazetteer, *, short: bool = False) -> str:
    """An area's name with what it lies in; where no more is known, so far as it is."""
    if not area:
        return label("map.area.all")
    if area == UNKNOWN:
        return label("map.area.unknown")
    if area.endswith(UNKNOWN):
        wider = area.rpartition(".")[0]
        name = places.get(wider).name if wider in places else wider
        return say(Message("map.area.unknown_in", {"area": name}))
    if area not in places:
        return area
    return places.get(area).name if short else places.label(area)


def category_words(category: str) -> str:
    return category_name(category) if category in taxonomy() else label("map.category.all")


def quarter_words(quarter: str) -> str:
    """2026-Q3 in words."""
    year, _, place = quarter.partition("-Q")
    return say(Message("map.quarter", {"number": place, "year": year}))


def legend(scale: Scale, found: Sequence[Value], layer: Layer, threshold: int) -> list[Class]:
    """The classes a map has, numbers first, then what is no number and is there."""
    classes = [Class(place, _range(low, high, layer)) for place, low, high in scale.classes]
    places = {scale.place(value) for value in found}
    if "zero" in places:
        classes.insert(0, Class("zero", label("map.kind.zero")))
    kinds = (Kind.SMALL, Kind.WITHHELD, Kind.NO_DATA, Kind.NONE_ANYWHERE)
    return classes + [
        Class(kind.value, kind_words(kind, threshold)) for kind in kinds if kind.value in places
    ]


def _range(low: float, high: float | None, layer: Layer) -> str:
    if high is None:
        return f"≥ {_number(low, layer)}"
    if layer in COUNTS:
        last = high - 1
        return (
            _number(low, layer) if last <= low else f"{_number(low, layer)}–{_number(last, layer)}"
        )
    return f"{_number(low, layer)} – <{_number(high, layer)}"


def people_words(people: Value, threshold: int) -> object:
    """A count of people as the beginning of a sentence."""
    if people.number is not None:
        return int(people.number)
    kind = "small" if people.kind is Kind.SMALL else "withheld"
    return Message(f"map.people.{kind}", {"threshold": threshold})


def gap_sentence(gap: Gap, places: Gazetteer, threshold: int) -> str:
    """One gap in plain words."""
    params = {
        "people": people_words(gap.people, threshold),
        "category": category_words(gap.category),
        "area": area_words(gap.area, places),
    }
    km = gap.nearest_km
    if km.kind is Kind.TOLD and km.number is not None:
        return capital(say(Message("map.gap.nearest", params | {"km": round(km.number)})))
    key = "none" if km.kind is Kind.NONE_ANYWHERE else "unknown"
    return capital(say(Message(f"map.gap.{key}", params)))


def instead(told: Told | None, places: Gazetteer) -> str | None:
    """The wider figure that stands in for a hidden one; None where none may be told."""
    if told is None or told.key is None or told.people is None or not told.is_widened:
        return None
    params = {
        "people": told.people,
        "area": area_words(told.key.area, places, short=True),
        "category": category_words(told.key.category),
    }
    return say(Message("map.instead", params))


def closed_sentence(closed: Closed, places: Gazetteer, threshold: int) -> str:
    """What became of a gap whose proposal opened."""

    def words(value: Value) -> str:
        return in_words(value, Layer.UNMET, threshold)

    opened = closed.proposal.opened_at
    params = {
        "title": closed.proposal.title,
        "area": area_words(closed.proposal.area_code, places),
        "day": opened.date() if opened else "–",
        "before": words(closed.before),
        "after": words(closed.after),
        "closed": words(closed.closed),
    }
    return say(Message("map.closed", params))
