"""Reading what was published of gaps, and the wider figure that stands in where one may not be told."""

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, replace
from functools import lru_cache
from sys import intern

from sqlalchemy import select
from sqlalchemy.orm import Session

from referral.directory.reference import taxonomy
from referral.planning.disclosure.cells import Cell, Shown
from referral.planning.gaps.cuts import Key, Tree
from referral.planning.gaps.models import Audience, GapFigure, GapRelease, Measure
from referral.planning.gaps.periods import window
from referral.planning.unmet.models import UnmetReason

NOBODY = Cell(Shown.COUNT, 0)
#: Figures of one kind of help: {(reason, period): {area: how it may be seen}}.
Part = dict[tuple[str, str], dict[str, Cell]]


@dataclass(frozen=True)
class Told:
    """The answer to a wanted figure: itself or, where it may not be counted out, the next wider one that may.

    own     how the wanted figure itself may be seen; None: it is in no cut
    key     of the figure that is told; None: none wide enough may be
    people  its count
    """

    wanted: Key
    own: Cell | None
    key: Key | None
    people: int | None

    @property
    def is_widened(self) -> bool:
        return self.key != self.wanted


class Parts(Mapping[Key, Cell]):
    """Figures by kind of help: a release has tens of thousands, and questions share most of those they need."""

    def __init__(self, parts: Mapping[str, Part]) -> None:
        self._parts = parts

    @classmethod
    def of(cls, cells: Mapping[Key, Cell]) -> "Parts":
        found: dict[str, Part] = {}
        for key, cell in cells.items():
            part = found.setdefault(key.category, {})
            part.setdefault((key.reason, key.period), {})[key.area] = cell
        return cls(found)

    def __getitem__(self, key: Key) -> Cell:
        return self._parts[key.category][key.reason, key.period][key.area]

    def __iter__(self) -> Iterator[Key]:
        for category, part in self._parts.items():
            for (reason, period), cells in part.items():
                for area in cells:
                    yield Key(area, category, reason, period)

    def areas(self, key: Key) -> Collection[str]:
        """Areas of which there is a figure like this one."""
        return self._parts.get(key.category, {}).get((key.reason, key.period), {})

    def __len__(self) -> int:
        return sum(len(cells) for part in self._parts.values() for cells in part.values())


class Figures:
    """The published figures of one measure of one release."""

    def __init__(self, cells: Mapping[Key, Cell], tree: Tree) -> None:
        self._cells = cells if isinstance(cells, Parts) else Parts.of(cells)
        self.tree = tree

    def find(self, key: Key) -> Cell | None:
        """How this figure may be seen; None where it is in no cut."""
        return self._cells.get(key, NOBODY) if self.tree.is_published(key) else None

    def cell(self, key: Key) -> Cell:
        """How this figure may be seen. Raises KeyError for one that is in no cut."""
        cell = self.find(key)
        if cell is None:
            raise KeyError(key)
        return cell

    def told(self, key: Key) -> Told:
        """This figure, or the wider one that stands in for it."""
        own = self.find(key)
        for wider in self.tree.widened(key):
            cell = self.find(wider)
            if cell is not None and cell.shown is Shown.COUNT:
                return Told(key, own, wider, cell.count)
        return Told(key, own, None, None)

    def inside(self, key: Key, dimension: str) -> list[Key]:
        """Figures one step narrower than this one in `dimension` that are not 0, in the order of their codes."""
        return sorted(one for one in self._cells if self.tree.wider(one, dimension) == key)

    def areas(self, key: Key) -> Collection[str]:
        """Where anybody is of whom the key asks, whatever its own area."""
        return self._cells.areas(key)

    def __iter__(self) -> Iterator[Key]:
        """Keys of everything that is not 0, whether it may be told or not."""
        return iter(self._cells)


def latest(session: Session, audience: Audience = Audience.PLANNERS) -> GapRelease | None:
    """The newest release; None before the first."""
    newest = (
        select(GapRelease)
        .where(GapRelease.audience == audience)
        .order_by(GapRelease.quarter.desc())
        .limit(1)
    )
    return session.scalar(newest)


def read(
    session: Session, release: GapRelease, measure: Measure, *, category: str | None = None
) -> Figures:
    """What was published of one measure; with a category only its own figures and those of its domain and of all."""
    tree = tree_of(session)
    wanted = None if category is None else around(tree, category)
    return Figures(Parts(parts(session, release, measure, wanted)), tree)


def around(tree: Tree, category: str) -> set[str]:
    """Kinds of help whose figures a question about this one may need: itself and all it widens to."""
    return {key.category for key in tree.widened(Key(category=category))}


def parts(
    session: Session,
    release: GapRelease,
    measure: Measure,
    categories: Collection[str] | None = None,
) -> dict[str, Part]:
    """What was published of each of these kinds of help, or of every kind."""
    # Columns, not rows of the session: thousands of figures make a page.
    query = select(
        GapFigure.area,
        GapFigure.category,
        GapFigure.reason,
        GapFigure.period,
        GapFigure.shown,
        GapFigure.people,
    ).where(GapFigure.release_id == release.id, GapFigure.measure == measure)
    if categories is not None:
        query = query.where(GapFigure.category.in_(categories))
    found: dict[str, Part] = {code: {} for code in categories or ()}
    for area, category, reason, period, shown, people in session.execute(query):
        cells = found.setdefault(category, {}).setdefault((reason, period), {})
        # What is kept for long shares its names and its cells.
        cells[intern(area)] = _cell(shown, people)
    return found


@lru_cache(maxsize=10_000)
def _cell(shown: str, people: int | None) -> Cell:
    return Cell(Shown(shown), people)


@dataclass(frozen=True)
class Point:
    """One quarter in the coming and going of a figure.

    own   how many the quarter itself brought; None: too fine a figure to be told by quarter
    year  how many the four quarters that end with it brought; None: no release ends with it
    """

    quarter: str
    own: Cell | None
    year: Cell | None


def trend(
    session: Session, key: Key, measure: Measure, audience: Audience = Audience.PLANNERS
) -> list[Point]:
    """How a figure came and went, from every release there is, oldest quarter first. The key's period is left out."""
    releases = session.scalars(
        select(GapRelease).where(GapRelease.audience == audience).order_by(GapRelease.quarter)
    ).all()
    rows = session.scalars(
        select(GapFigure).where(
            GapFigure.release_id.in_([one.id for one in releases]),
            GapFigure.measure == measure,
            GapFigure.area == key.area,
            GapFigure.category == key.category,
            GapFigure.reason == key.reason,
        )
    )
    cells = {(row.release_id, row.period): Cell(Shown(row.shown), row.people) for row in rows}
    by_quarter = tree_of(session).is_published(replace(key, period="-"))
    years, own = {}, dict[str, Cell]()
    for release in releases:
        years[release.quarter] = cells.get((release.id, ""), NOBODY)
        for quarter in window(release.quarter):
            cell = cells.get((release.id, quarter), NOBODY)
            # What one release has told stays told.
            if quarter not in own or cell.shown is Shown.COUNT:
                own[quarter] = cell
    return [
        Point(quarter, own[quarter] if by_quarter else None, years.get(quarter))
        for quarter in sorted(own)
    ]


def tree_of(session: Session) -> Tree:
    """How categories and reasons widen, from the taxonomy and the coded reasons."""
    rows = session.execute(select(UnmetReason.code, UnmetReason.axis))
    domains = {term.code: term.parent for term in taxonomy() if term.parent}
    return Tree(domains, {row.code: row.axis for row in rows})
