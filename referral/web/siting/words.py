"""What a kept siting case says on its page: rows, sentences and the shapes of its map."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from math import cos, pi, radians, sin
from typing import Any

from flask_babel import gettext

from referral.core import text
from referral.core.geo import KM_PER_DEGREE
from referral.extensions import db
from referral.places.codes import regency_of
from referral.places.gazetteer import PROVINCE
from referral.places.queries import gazetteer
from referral.planning.maps.shapes import Shape
from referral.planning.siting.models import SitingCase
from referral.planning.siting.questions import Aim, By, Question
from referral.web.formatting import capital, label
from referral.web.language import chosen
from referral.web.naming import category_name

_: Callable[..., str] = gettext

#: Colours of the map, see maps.palette: out of reach, reached by a new site, reached already.
OUT, NEW, ALREADY = "c0", "c2", "c4"
_STATES = (OUT, NEW, ALREADY)
#: Places that are named on the page before the rest is folded away.
NAMED = 10
_SMALLEST_KM, _LARGEST_KM = 0.8, 9.0


def people_words(value: float) -> str:
    """A number of people: whole, and to a tenth below ten, where shares of a count would vanish."""
    return text.number(value, chosen(), digits=0 if value >= 10 else 1)


def km_words(value: float | None) -> str:
    """A distance; none where there is nothing to go to."""
    return _("none anywhere") if value is None else text.km(value, chosen())


def share_words(value: float) -> str:
    return f"{text.number(value, chosen(), digits=0 if value >= 10 else 1)}\N{NO-BREAK SPACE}%"


def short_name(code: str) -> str:
    """A kecamatan with its kab/kota, or any other area by its name."""
    places = gazetteer(db.session)
    if code not in places:
        return code
    place = places.get(code)
    above = places.ancestors(code)
    if place.level <= PROVINCE or not above:
        return place.name
    return places.label(code).rpartition(", ")[0] or place.name


@dataclass(frozen=True)
class PlaceRow:
    """A kecamatan: how far its people have it now and then, and whether that is within reach."""

    code: str
    people: float
    is_beyond: bool
    now_km: float | None
    then_km: float | None
    state: str


@dataclass(frozen=True)
class Group:
    """The kecamatan of one kab/kota together."""

    name: str
    people: float
    before: float
    after: float
    farthest_km: float | None
    is_beyond: bool
    rows: Sequence[PlaceRow]


class CasePage:
    """A kept case as seen for one number of sites."""

    def __init__(self, case: SitingCase, sites: int | None = None) -> None:
        self.case = case
        self.answer: dict[str, Any] = case.answer
        self.question = Question.from_json(case.category, case.area_code, case.question)
        self.counts: list[dict[str, Any]] = self.answer["counts"]
        numbers = [one["count"] for one in self.counts]
        wanted = sites if sites in numbers else (numbers[0] if numbers else None)
        self.chosen = next((one for one in self.counts if one["count"] == wanted), None)

    # What was asked

    @property
    def category(self) -> str:
        return category_name(self.case.category)

    @property
    def area(self) -> str:
        return short_name(self.case.area_code)

    @property
    def title(self) -> str:
        return _(
            "Where it should stand: %(category)s, %(area)s", category=self.category, area=self.area
        )

    @property
    def asked_in_short(self) -> str:
        """What is made best, how far is near, and who is counted."""
        question = self.question
        parts = (
            label(f"siting.aim.{question.aim}"),
            text.km(question.within_km, chosen()),
            label(f"siting.by.{question.by}"),
        )
        return capital(" · ".join(parts))

    @property
    def is_of_needs(self) -> bool:
        return self.question.by is By.NEEDS

    @property
    def is_even(self) -> bool:
        """Whether each kecamatan counts as one, since nobody is known to live anywhere."""
        return bool(self.answer["people"]["is_even"])

    @property
    def whom(self) -> str:
        """The heading of a column of people."""
        if self.is_even:
            return _("Kecamatan")
        return _("People who asked") if self.is_of_needs else _("Residents")

    def asked(self) -> list[tuple[str, str]]:
        """The question as facts."""
        question = self.question
        facts = [
            (_("Aim"), capital(label(f"siting.aim.{question.aim}"))),
            (_("Within reach means"), text.km(question.within_km, chosen())),
            (_("Who is counted"), self._counted()),
            (
                _("Where it could stand"),
                "; ".join(label(f"siting.kind.{kind}") for kind in question.kinds),
            ),
            (_("Already there"), self._services()),
        ]
        edge = _("yes") if question.beyond else _("no")
        facts.append((_("People just beyond the border too"), edge))
        sea = _("counts as out of reach") if question.same_island else _("counts as any other way")
        facts.append((_("Another island"), sea))
        return facts

    def _counted(self) -> str:
        if self.is_even:
            return _("each kecamatan as one: no population is loaded")
        words = label(f"siting.by.{self.question.by}")
        people = people_words(self.answer["people"]["all"])
        return f"{words} ({people})"

    def _services(self) -> str:
        words = _(
            "%(count)s services in the directory",
            count=text.number(self.answer["services"], chosen()),
        )
        if self.question.services is not None:
            kinds = ", ".join(kind or _("without a kind") for kind in self.question.services)
            words = f"{words}: {kinds or _('none counted')}"
        return words

    # What came out

    @cached_property
    def sentence(self) -> str:
        """The answer for the chosen number of sites in one sentence."""
        if self.chosen is None:
            return _("No further site would change anything.")
        params = {
            "sites": text.listed(
                [self.site_name(one["site"]) for one in self.chosen["sites"]], chosen()
            ),
            "km": text.km(self.question.within_km, chosen()),
            "share": share_words(self.chosen["share"]),
            "before": share_words(self.answer["before"]["share"]),
        }
        if self.question.aim is Aim.DISTANCE and self.chosen["mean_km"] is not None:
            return _(
                "At %(sites)s: the average distance becomes %(mean)s, and %(share)s have it within %(km)s instead of %(before)s.",
                mean=text.km(self.chosen["mean_km"], chosen()),
                **params,
            )
        return _("At %(sites)s: %(share)s have it within %(km)s instead of %(before)s.", **params)

    def site(self, number: int) -> Mapping[str, Any]:
        found: Mapping[str, Any] = self.answer["sites"][str(number)]
        return found

    def site_name(self, number: int) -> str:
        """What a site is called: the agency, the seat, or what it is near to."""
        site = self.site(number)
        near = short_name(site["near"])
        if site["kind"] == "agency":
            return str(site["name"] or near)
        if site["kind"] == "seat":
            return short_name(site["key"])
        return _("on land near %(place)s", place=near)

    def site_note(self, number: int) -> str:
        """Where an agency is; for the others their name says it."""
        site = self.site(number)
        words = {
            "agency": _("existing agency"),
            "seat": _("seat of the area"),
            "hex": _("middle of a hexagon"),
        }[site["kind"]]
        return f"{words}, {short_name(site['near'])}" if site["kind"] == "agency" else words

    def names(self, sites: Sequence[Mapping[str, Any]]) -> str:
        return "; ".join(self.site_name(one["site"]) for one in sites)

    def gap_words(self, count: Mapping[str, Any]) -> str:
        """Whether a choice is proven to be the best, else how much better another could be."""
        if count["is_proven"]:
            return _("proven best")
        if self.question.aim is Aim.PEOPLE:
            more = max(count["at_best"] - count["people"], 0)
            return _("not proven: at most %(people)s more", people=people_words(more))
        return _("not proven: at best %(km)s on average", km=km_words(count["at_best"]))

    @property
    def outside(self) -> float:
        """People whom nothing is within reach of, with the chosen sites."""
        state = self.chosen or self.answer["before"]
        return max(0.0, float(self.answer["people"]["all"] - state["people"]))

    @cached_property
    def places(self) -> list[PlaceRow]:
        """Every kecamatan that has people."""
        before = self.answer["before"]
        after = self.chosen or before
        out_before = {at for at, _far in before["left"]}
        out_after = {at for at, _far in after["left"]}
        return [
            PlaceRow(
                code,
                people,
                bool(beyond),
                before["km"][at],
                after["km"][at],
                OUT if at in out_after else NEW if at in out_before else ALREADY,
            )
            for at, (code, people, beyond) in enumerate(self.answer["places"])
            if people > 0
        ]

    @cached_property
    def left(self) -> list[PlaceRow]:
        """Kecamatan still out of reach, most people first."""
        rows = [row for row in self.places if row.state == OUT]
        return sorted(rows, key=lambda row: (-row.people, -(row.then_km or 1e9), row.code))

    @cached_property
    def groups(self) -> list[Group]:
        """The kecamatan by kab/kota, those of the area first, in the order of their codes."""
        found: dict[str, list[PlaceRow]] = {}
        for row in self.places:
            found.setdefault(regency_of(row.code) or row.code, []).append(row)
        groups = [
            Group(
                short_name(code),
                sum(row.people for row in rows),
                sum(row.people for row in rows if row.state == ALREADY),
                sum(row.people for row in rows if row.state != OUT),
                None
                if any(row.then_km is None for row in rows)
                else max(row.then_km or 0 for row in rows),
                all(row.is_beyond for row in rows),
                rows,
            )
            for code, rows in sorted(found.items())
        ]
        return sorted(groups, key=lambda group: group.is_beyond)

    def state_words(self, state: str) -> str:
        return {
            OUT: _("out of reach"),
            NEW: _("reached by a new site"),
            ALREADY: _("reached already"),
        }[state]

    # The map

    @property
    def legend(self) -> list[tuple[str, str]]:
        """Colours with what they stand for."""
        return [(state, capital(self.state_words(state))) for state in _STATES]

    def shapes(self) -> list[Shape]:
        """Each kecamatan as a hexagon, and the sites."""
        places = gazetteer(db.session)
        spots = [
            (row, found)
            for row in self.places
            if row.code in places and (found := places.locate(row.code))
        ]
        radius_km = _spacing([(at.latitude, at.longitude) for _row, at in spots])
        drawn = [
            Shape(
                _hexagon(at.latitude, at.longitude, radius_km),
                row.state,
                short_name(row.code),
                [
                    capital(self.state_words(row.state)),
                    f"{self.whom}: {people_words(row.people)}",
                    _("Nearest: %(km)s", km=km_words(row.then_km)),
                ],
            )
            for row, at in spots
        ]
        for number, one in enumerate(self.chosen["sites"] if self.chosen else (), 1):
            site = self.site(one["site"])
            drawn.append(
                Shape(
                    {"type": "Point", "coordinates": [site["longitude"], site["latitude"]]},
                    "plan",
                    f"{number}. {self.site_name(one['site'])}",
                    [
                        self.site_note(one["site"]),
                        _("%(people)s more within reach", people=people_words(one["people"])),
                    ],
                )
            )
        return drawn


def _spacing(points: Sequence[tuple[float, float]]) -> float:
    """Half of how far neighbours usually are apart, km, so that their hexagons hardly overlap."""
    # Kecamatan without a point of their own share that of their kabupaten or kota.
    points = sorted(set(points))
    if len(points) < 2:
        return _SMALLEST_KM
    import numpy as np

    from referral.planning.access.bands import km_of_chord, unit_vectors

    xyz = unit_vectors(*zip(*points, strict=True))
    from scipy.spatial import cKDTree

    chords, _at = cKDTree(xyz).query(xyz, k=2)
    usual = float(np.median(km_of_chord(chords[:, 1]))) / 2
    return min(max(usual, _SMALLEST_KM), _LARGEST_KM)


def _hexagon(latitude: float, longitude: float, radius_km: float) -> dict[str, Any]:
    up = radius_km / KM_PER_DEGREE
    across = up / max(cos(radians(latitude)), 0.1)
    corners = [
        [
            round(longitude + across * sin(pi * at / 3), 5),
            round(latitude + up * cos(pi * at / 3), 5),
        ]
        for at in range(6)
    ]
    return {"type": "Polygon", "coordinates": [[*corners, corners[0]]]}
