"""Everything a map and its table tell: published figures, stored measures, and what the public directory has.

Nothing here reads a person, a case or a need; counts of people come from releases alone.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from sqlalchemy import ColumnElement, func, select
from sqlalchemy.orm import Session

from referral.core.kept import Kept
from referral.places.codes import holds, province_of, regency_of
from referral.places.gazetteer import PROVINCE, REGENCY, Gazetteer
from referral.planning.access import queries as access
from referral.planning.access.models import AccessRun
from referral.planning.disclosure.cells import Cell, Shown
from referral.planning.gaps import figures as published
from referral.planning.gaps.cuts import ALL, UNKNOWN, Key, Tree
from referral.planning.gaps.figures import Figures, Part, Parts, Told
from referral.planning.gaps.models import GapFigure, GapRelease, Measure
from referral.planning.gaps.periods import window
from referral.planning.maps import listings, values
from referral.planning.maps.question import COUNTS, Layer, Level, Question
from referral.planning.maps.values import Value
from referral.planning.proposals import queries as proposals
from referral.planning.proposals.queries import OnMap
from referral.planning.proposals.states import ProposalStatus

_KINDS = {Shown.SMALL: values.SMALL, Shown.WITHHELD: values.WITHHELD}
_HUNDRED = 100.0
_RESIDENTS = 100_000.0
# What was released or worked out never changes: what was read last stays in memory.
#: by release, measure and kind of help: every one of a release and its predecessor, of three measures
_parts: Kept[Part] = Kept(600)
#: by run and kind of resource system
_overviews: Kept[access.Overview] = Kept(12)
_gaps: Kept[tuple[int, list[tuple[str, str, Value]]]] = Kept(200)


@dataclass(frozen=True)
class Gap:
    """People of one area whom nothing met for one kind of help."""

    area: str
    category: str
    people: Value
    nearest_km: Value


@dataclass(frozen=True)
class Quarter:
    """One quarter of a trend."""

    quarter: str
    asked: Value
    unmet: Value
    closed: Value


@dataclass(frozen=True)
class Closed:
    """A proposal that became a service: people whom nothing met before and now, and those no longer waiting."""

    proposal: OnMap
    before: Value
    after: Value
    closed: Value


class Atlas:
    """What one question asks for, each thing read once, when it is wanted."""

    def __init__(
        self,
        session: Session,
        question: Question,
        *,
        places: Gazetteer,
        release: GapRelease | None,
        run: AccessRun | None,
    ) -> None:
        self.session, self.question, self.places = session, question, places
        self.release, self.run = release, run

    @cached_property
    def quarters(self) -> tuple[str, ...]:
        return window(self.release.quarter) if self.release else ()

    def figures(self, measure: Measure) -> Figures | None:
        """Published figures of the question's category; None before the first release."""
        if self.release is None:
            return None
        if measure not in self._figures:
            self._figures[measure] = self._read(self.release, measure)
        return self._figures[measure]

    @cached_property
    def _figures(self) -> dict[Measure, Figures]:
        return {}

    @cached_property
    def _tree(self) -> Tree:
        return published.tree_of(self.session)

    def _read(self, release: GapRelease, measure: Measure) -> Figures:
        wanted = published.around(self._tree, self.question.category)
        found = {code: _parts.find((release.id, measure, code)) for code in wanted}
        missing = [code for code, part in found.items() if part is None]
        if missing:
            read = published.parts(self.session, release, measure, missing)
            for code, part in read.items():
                _parts.keep((release.id, measure, code), part)
            found |= read
        return Figures(Parts({code: part for code, part in found.items() if part}), self._tree)

    @cached_property
    def areas(self) -> list[str]:
        """A row each: every area of the level, and those of which no more is known than a wider one, if anybody is."""
        level = PROVINCE if self.question.level is Level.PROVINCE else REGENCY
        within = self.question.within
        known = [
            place.code
            for place in self.places
            if place.level == level and (not within or holds(within, place.code))
        ]
        counted = {
            area
            for measure in (Measure.UNMET, Measure.ASKED)
            if (figures := self.figures(measure))
            for area in figures.areas(self.question.key(ALL))
            if area.endswith(UNKNOWN)
        }
        unknown = [
            code
            for code in sorted(counted)
            if (level == REGENCY or code == UNKNOWN) and code.startswith(within)
        ]
        return [*sorted(known), *unknown]

    def column(self, layer: Layer) -> list[Value]:
        """The layer's value of each of `areas`."""
        return self._columns(layer)

    def _columns(self, layer: Layer) -> list[Value]:
        if layer not in self._made:
            self._made[layer] = self._MAKERS[layer](self)
        return self._made[layer]

    @cached_property
    def _made(self) -> dict[Layer, list[Value]]:
        return {}

    def figure(self, measure: Measure, key: Key) -> Value:
        """How one published figure may be seen; not known where no release has it."""
        figures = self.figures(measure)
        cell = figures.find(key) if figures else None
        return of_cell(cell) if cell else values.NO_DATA

    def told(self, area: str) -> Told | None:
        """The wider figure that stands in for an area's own."""
        figures = self.figures(
            Measure.ASKED if self.question.layer is Layer.ASKED else Measure.UNMET
        )
        return figures.told(self.question.key(area)) if figures else None

    def _counts(self, measure: Measure) -> list[Value]:
        question = self.question
        if measure is Measure.ASKED:  # why nothing met somebody is not known of all who asked
            keys = [Key(area, question.category, ALL, question.period) for area in self.areas]
        else:
            keys = [question.key(area) for area in self.areas]
        return [self.figure(measure, key) for key in keys]

    def _shares(self) -> list[Value]:
        return [
            share(unmet, asked)
            for unmet, asked in zip(self.column(Layer.UNMET), self.column(Layer.ASKED), strict=True)
        ]

    def _per_resident(self, layer: Layer) -> list[Value]:
        found = []
        for area, value in zip(self.areas, self.column(layer), strict=True):
            people = self.places.get(area).population if area in self.places else None
            if value.number is None:
                found.append(value)
            else:
                found.append(
                    values.told(_RESIDENTS * value.number / people) if people else values.NO_DATA
                )
        return found

    @cached_property
    def overview(self) -> access.Overview | None:
        """Stored measures of all categories; kept in memory, since a run never changes."""
        run, system = self.run, self.question.system
        if run is None:
            return None
        kept = _overviews.find((run.id, system))
        if kept is None:
            kept = access.overview(self.session, system, run=run)
            if kept is not None:
                _overviews.keep((run.id, system), kept)
        return kept

    def measured(self, name: str, category: str, areas: Sequence[str]) -> list[float]:
        """One stored measure of a category by area; NaN where there is none."""
        overview = self.overview
        if overview is None or category not in overview.categories:
            return [np.nan] * len(areas)
        row = getattr(overview.figures, name)[overview.row(category)]
        return [
            float(row[at]) if (at := self._places_in_overview.get(area)) is not None else np.nan
            for area in areas
        ]

    @cached_property
    def _places_in_overview(self) -> Mapping[str, int]:
        return {code: at for at, code in enumerate(self.overview.areas)} if self.overview else {}

    def _stored(self, name: str, times: float = 1.0) -> list[Value]:
        found = self.measured(name, self.question.category, self.areas)
        return [values.told(number * times) for number in found]

    def _coverage(self) -> list[Value]:
        """Where the directory has nothing of any kind, nothing being near may be its fault."""
        listed = listings.services_by_area(self.session, ALL, ALL)
        return [
            values.NO_DATA if value.number == 0 and not listed.get(area) else value
            for area, value in zip(self.areas, self._stored("covered", _HUNDRED), strict=True)
        ]

    def _services(self) -> list[Value]:
        question = self.question
        found = listings.services_by_area(self.session, question.category, question.system)
        listed = listings.services_by_area(self.session, ALL, ALL)
        return [
            values.told(float(found.get(area, 0))) if listed.get(area) else values.NO_DATA
            for area in self.areas
        ]

    @cached_property
    def plans(self) -> list[OnMap]:
        """Proposals that fit the question, oldest first."""
        question = self.question
        return [
            plan
            for plan in proposals.on_map(self.session)
            if plan.category.startswith(question.category)
            and (not question.within or holds(question.within, plan.area_code))
        ]

    def _proposals(self) -> list[Value]:
        counts: dict[str, int] = {}
        for plan in self.plans:
            area = (
                province_of(plan.area_code)
                if self.question.level is Level.PROVINCE
                else regency_of(plan.area_code) or ""
            )
            counts[area] = counts.get(area, 0) + 1
        return [values.told(float(counts.get(area, 0))) for area in self.areas]

    def total(self, measure: Measure) -> Value:
        """The figure of everybody the question is about."""
        return self.figure(measure, self.question.key(self.question.within))

    def trend(self) -> tuple[str, list[Quarter]]:
        """The release's quarters, and for which kind of help: quarters are told of fields of help at the finest."""
        figures = self.figures(Measure.UNMET)
        key = Key(self.question.within, self.question.category)
        while figures and not figures.tree.is_published(Key(key.area, key.category, ALL, "*")):
            key = figures.tree.wider(key, "category") or Key(key.area)
        return key.category, [
            Quarter(
                quarter,
                *(
                    self.figure(measure, Key(key.area, key.category, ALL, quarter))
                    for measure in (Measure.ASKED, Measure.UNMET, Measure.CLOSED)
                ),
            )
            for quarter in self.quarters
        ]

    def closed_by_proposals(self, most: int = 10) -> list[Closed]:
        """Proposals that opened, newest first, with the gap before and after."""
        opened = [plan for plan in self.plans if plan.status is ProposalStatus.OPENED]
        newest = sorted(opened, key=lambda plan: str(plan.opened_at), reverse=True)[:most]
        return [self._closed(plan) for plan in newest]

    def _closed(self, plan: OnMap) -> Closed:
        key = Key(regency_of(plan.area_code) or plan.area_code, plan.category)
        before = (
            self.session.scalar(
                select(GapRelease)
                .where(
                    GapRelease.audience == self.release.audience,
                    GapRelease.made_at <= plan.opened_at,
                )
                .order_by(GapRelease.quarter.desc())
                .limit(1)
            )
            if self.release and plan.opened_at
            else None
        )
        return Closed(
            plan,
            one_figure(self.session, before, Measure.UNMET, key),
            one_figure(self.session, self.release, Measure.UNMET, key),
            one_figure(self.session, self.release, Measure.CLOSED, key),
        )

    def gaps(self, *, leaves: Sequence[str], limit: int, offset: int) -> tuple[int, list[Gap]]:
        """How many gaps there are by kab/kota and leaf, and some of them: most people first, hidden ones after."""
        if self.release is None:
            return 0, []
        chosen: list[ColumnElement[bool]] = [
            GapFigure.release_id == self.release.id,
            GapFigure.measure == Measure.UNMET,
            GapFigure.category.in_(leaves),
            GapFigure.reason == ALL,
            GapFigure.period == ALL,
            GapFigure.area.startswith(f"{self.question.within}.")
            if self.question.within
            else GapFigure.area.contains("."),
        ]
        key = (self.release.id, tuple(leaves), self.question.within, limit, offset)
        count, rows = _gaps.once(key, lambda: self._most_people(chosen, limit, offset))
        return count, [
            Gap(
                area,
                category,
                value,
                values.told(self.measured("nearest_km", category, [area])[0]),
            )
            for area, category, value in rows
        ]

    def _most_people(
        self, chosen: Sequence[ColumnElement[bool]], limit: int, offset: int
    ) -> tuple[int, list[tuple[str, str, Value]]]:
        count = self.session.scalar(select(func.count()).select_from(GapFigure).where(*chosen))
        rows = self.session.execute(
            select(GapFigure.area, GapFigure.category, GapFigure.shown, GapFigure.people)
            .where(*chosen)
            # The order of hidden figures tells nothing about them.
            .order_by(
                GapFigure.people.is_(None),
                GapFigure.people.desc(),
                GapFigure.area,
                GapFigure.category,
            )
            .limit(limit)
            .offset(offset)
        )
        return count or 0, [
            (row.area, row.category, of_cell(Cell(Shown(row.shown), row.people))) for row in rows
        ]

    _MAKERS: Mapping[Layer, Any] = {
        Layer.UNMET: lambda self: self._counts(Measure.UNMET),
        Layer.ASKED: lambda self: self._counts(Measure.ASKED),
        Layer.SHARE: lambda self: self._shares(),
        Layer.PER_100K: lambda self: self._per_resident(Layer.UNMET),
        Layer.COVERAGE: lambda self: self._coverage(),
        Layer.RATIO: lambda self: self._stored("ratio", _HUNDRED),
        Layer.BALANCED: lambda self: self._stored("balanced_per_person", _HUNDRED),
        Layer.NEAREST: lambda self: self._stored("nearest_km"),
        Layer.SERVICES: lambda self: self._services(),
        Layer.SERVICES_PER_100K: lambda self: self._per_resident(Layer.SERVICES),
        Layer.PROPOSALS: lambda self: self._proposals(),
    }

    def scale(self, found: Sequence[Value]) -> values.Scale:
        return values.scale(found, is_count=self.question.layer in COUNTS)


def of_cell(cell: Cell) -> Value:
    """A published figure as a map's value."""
    return _KINDS[cell.shown] if cell.count is None else values.told(float(cell.count))


def share(part: Value, whole: Value) -> Value:
    """Of a hundred; hidden where either is. Two counts made apart may differ by a person: no more than a hundred."""
    if part.number is None:
        return part
    if whole.number is None:
        return values.WITHHELD if whole.kind is not values.Kind.NO_DATA else whole
    return (
        values.told(min(_HUNDRED, _HUNDRED * part.number / whole.number))
        if whole.number
        else values.NO_DATA
    )


def one_figure(session: Session, release: GapRelease | None, measure: Measure, key: Key) -> Value:
    """A single published figure of a release."""
    if release is None:
        return values.NO_DATA
    row = session.execute(
        select(GapFigure.shown, GapFigure.people).where(
            GapFigure.release_id == release.id,
            GapFigure.measure == measure,
            GapFigure.area == key.area,
            GapFigure.category == key.category,
            GapFigure.reason == key.reason,
            GapFigure.period == key.period,
        )
    ).first()
    return of_cell(Cell(Shown(row.shown), row.people)) if row else values.ZERO
