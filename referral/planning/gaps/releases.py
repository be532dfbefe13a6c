"""Making the releases: a quarter is counted once, and what may be told of it goes through disclosure control once.

Whoever reads a figure reads one of these. See docs/gaps.md for the rules.
"""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import astuple, dataclass, replace
from datetime import datetime
from typing import Any

from sqlalchemy import insert, select
from sqlalchemy.orm import Session

from referral.changes import audit
from referral.changes.actors import Actor
from referral.planning.disclosure import suppression
from referral.planning.disclosure.cells import Cell, Shown
from referral.planning.disclosure.certificate import Certificate, digest, verify
from referral.planning.disclosure.suppression import Protected
from referral.planning.gaps import counting, figures, register
from referral.planning.gaps.cuts import Key, Tree
from referral.planning.gaps.models import Audience, GapFigure, GapRelease, Measure
from referral.planning.gaps.periods import WINDOW, before, end_of, quarter_of, window
from referral.planning.gaps.register import Published

#: Smallest count in what everybody may download.
PUBLIC_THRESHOLD = 11
_WITHHELD = Cell(Shown.WITHHELD)
#: Clients counted in one transaction: others may write between two.
_AT_ONCE = 2_000
#: Measures of which the second counts some of the people of the first: read side by side they could tell what
#: neither tells alone.
_HOLDS = (
    (Measure.ASKED, Measure.UNMET),
    (Measure.UNMET, Measure.CLOSED),
    (Measure.ASKED, Measure.HELPED),
)


@dataclass(frozen=True)
class Prepared:
    """What may be told of a quarter, not yet kept."""

    audience: Audience
    threshold: int
    cells: Mapping[Measure, Mapping[Key, Cell]]
    certificate: Mapping[str, Any]


def newest_quarter(session: Session) -> str | None:
    """The quarter of the newest release; None before the first."""
    newest = figures.latest(session)
    return newest.quarter if newest else None


def due(session: Session, *, now: datetime) -> str | None:
    """The quarter that has ended and has no release yet; None where nothing is due."""
    ended, newest = before(quarter_of(now)), newest_quarter(session)
    return ended if newest is None or newest < ended else None


def possible(session: Session, *, now: datetime) -> str | None:
    """The quarter that a planner may have released now: one that is due, else the running one, once."""
    running = quarter_of(now)
    if newest_quarter(session) is None:
        return running
    return due(session, now=now) or (running if newest_quarter(session) != running else None)


def to_count(session: Session, quarter: str, *, now: datetime) -> list[list[str]]:
    """Clients of whom something may have to be counted until the quarter is released, some at a time."""
    span = _span(session, quarter, now)
    waiting = counting.waiting(session, span) if span else []
    return [waiting[first : first + _AT_ONCE] for first in range(0, len(waiting), _AT_ONCE)]


def mark(session: Session, quarter: str, clients: Sequence[str], *, now: datetime) -> None:
    """Mark what is to be counted of these clients. The caller holds the write lock, and may stop after any of them."""
    span = _span(session, quarter, now)
    if span:
        counting.mark(session, clients, span)


def unfrozen(session: Session, quarter: str) -> list[str]:
    """The quarters that still take people until this one is released, oldest first."""
    newest = newest_quarter(session)
    return [
        each
        for each in window(quarter)
        if (newest is None or newest < each) and not counting.is_frozen(session, each)
    ]


def has_counts(session: Session, quarter: str) -> bool:
    """Whether there is anything to release: anybody was counted, now or for an earlier release."""
    return newest_quarter(session) is not None or any(
        counting.is_frozen(session, each) for each in window(quarter)
    )


def _span(session: Session, quarter: str, now: datetime) -> counting.Span | None:
    takes = unfrozen(session, quarter)
    since = end_of(before(quarter, WINDOW))
    return counting.Span(takes, since=since, now=now) if takes else None


def prepare(session: Session, quarter: str, *, threshold: int) -> list[Prepared]:
    """What may be told of a quarter that was counted, for planners and for everybody. Reads frozen counts only."""
    planners = _prepare(session, quarter, Audience.PLANNERS, threshold)
    public = _prepare(session, quarter, Audience.PUBLIC, max(threshold, PUBLIC_THRESHOLD))
    return [planners, _no_more_than(planners, public)]


def keep(
    session: Session, quarter: str, prepared: Sequence[Prepared], *, by: Actor, now: datetime
) -> list[GapRelease]:
    """Publish what was prepared; nothing where the quarter has its release by now. The caller holds the write lock."""
    known = select(GapRelease.id).where(GapRelease.quarter == quarter)
    if session.scalar(known.limit(1)) is not None:
        return []
    releases = []
    for one in prepared:
        release = GapRelease(
            quarter=quarter,
            audience=one.audience,
            made_at=now,
            threshold=one.threshold,
            certificate=dict(one.certificate),
        )
        session.add(release)
        session.flush()
        rows = [
            {
                "release_id": release.id,
                "measure": measure,
                "area": key.area,
                "category": key.category,
                "reason": key.reason,
                "period": key.period,
                "shown": cell.shown.value,
                "people": cell.count,
            }
            for measure, cells in one.cells.items()
            for key, cell in cells.items()
        ]
        if rows:
            session.execute(insert(GapFigure), rows)
        audit.record(
            session,
            "gaps.released",
            release,
            by=by,
            now=now,
            quarter=quarter,
            audience=one.audience.value,
        )
        releases.append(release)
    return releases


def published(cells: Mapping[Key, Cell]) -> dict[tuple[str, ...], Cell]:
    """The figures under the names that a certificate has for them."""
    return {astuple(key): cell for key, cell in cells.items()}


def publish(
    session: Session, *, threshold: int, by: Actor, now: datetime, quarter: str | None = None
) -> GapRelease | None:
    """Count a quarter and release it, all at once; gives the planners' release.

    quarter: by default the one that is possible now. None comes back where there is nothing to release or the
    quarter was released already. The caller holds the write lock; where others wait for it, take the steps one
    by one.
    """
    quarter = quarter or possible(session, now=now)
    if quarter is None:
        return None
    for clients in to_count(session, quarter, now=now):
        mark(session, quarter, clients, now=now)
    for each in unfrozen(session, quarter):
        counting.freeze(session, counting.grouped(session, each))
    if not has_counts(session, quarter):
        return None
    prepared = prepare(session, quarter, threshold=threshold)
    releases = keep(session, quarter, prepared, by=by, now=now)
    return releases[0] if releases else None


@dataclass(frozen=True)
class Finding:
    """Something wrong with a kept release: certificate, count, cut or exposed; in how many figures."""

    measure: Measure
    what: str
    figures: int


def check(session: Session, release: GapRelease) -> list[Finding]:
    """Prove a kept release from what is stored, whatever rule chose its figures.

    certificate  it is not what its certificate was written for
    count        figures that differ from the frozen counts, are missing or tell of nobody
    cut          figures outside the fixed list
    exposed      small counts and differences that the figures give away, and figures that planners are not told
    """
    tree, found = figures.tree_of(session), list[Finding]()
    planners = release
    if release.audience is Audience.PUBLIC:
        planners = _of(session, release.quarter, Audience.PLANNERS)
    asked = {
        measure: _asked(session, measure, release.quarter, release.audience, tree)
        for measure in Measure
    }
    kept = {measure: _cells(session, release, measure) for measure in Measure}
    exposed = _exposed(asked, kept, release.threshold)
    for measure, cells in kept.items():
        own = _cells(session, planners, measure)
        values = dict(zip(asked[measure].keys, _values(asked[measure]), strict=True))
        some = {key for key, value in values.items() if value}
        certificate = Certificate.from_json(release.certificate[measure.value])
        wrong = {
            "certificate": len(verify(published(cells), certificate)),
            "count": len(cells.keys() ^ some)
            + sum(
                not _is_true(cell, values[key], release.threshold)
                for key, cell in cells.items()
                if key in some
            ),
            "cut": sum(not tree.is_published(key) for key in cells),
            "exposed": exposed[measure]
            + sum(_tells_more(cell, own.get(key, figures.NOBODY)) for key, cell in cells.items()),
        }
        found += [Finding(measure, what, many) for what, many in wrong.items() if many]
    return found


def _of(session: Session, quarter: str, audience: Audience) -> GapRelease:
    query = select(GapRelease).where(GapRelease.quarter == quarter, GapRelease.audience == audience)
    return session.scalars(query).one()


def _values(asked: register.Asked) -> list[int]:
    sums, counts = asked.system.figures, asked.system.counts
    return [int(counts[sums.row(at)].sum()) for at in range(len(sums))]


def _exposed(
    asked: Mapping[Measure, register.Asked],
    kept: Mapping[Measure, Mapping[Key, Cell]],
    threshold: int,
) -> Counter[Measure]:
    """How many small counts and differences of each measure the kept figures give away."""
    cells = [
        kept[measure].get(key, figures.NOBODY) for measure in asked for key in asked[measure].keys
    ]
    # The measure of each smallest count.
    measures = [measure for measure in asked for _count in asked[measure].system.counts]
    found = suppression.exposed(register.joined(asked, _HOLDS), cells, threshold=threshold)
    return Counter(measures[parts[0]] for parts in found)


def _is_true(cell: Cell, value: int, threshold: int) -> bool:
    if cell.shown is Shown.SMALL:
        return value < threshold
    return cell.count in (None, value)


def _tells_more(cell: Cell, than: Cell) -> bool:
    """Whether one way of seeing a figure tells something that the other doesn't."""
    if cell.shown is Shown.COUNT:
        return cell != than
    return cell.shown is Shown.SMALL and than.shown is Shown.WITHHELD


def _prepare(session: Session, quarter: str, audience: Audience, threshold: int) -> Prepared:
    tree = figures.tree_of(session)
    cells: dict[Measure, Mapping[Key, Cell]] = {}
    certificate: dict[str, Any] = {}
    asked = {measure: _asked(session, measure, quarter, audience, tree) for measure in Measure}
    everything = suppression.protect(register.joined(asked, _HOLDS), threshold=threshold)
    first = 0
    for measure, part in asked.items():
        protected = _part(everything, first, part)
        first += len(part.keys)
        cells[measure] = {
            key: cell
            for key, cell in zip(part.keys, protected.cells(), strict=True)
            if cell.count != 0
        }
        names = [astuple(key) for key in part.keys]
        certificate[measure.value] = protected.certificate(names).as_json()
    return Prepared(audience, threshold, cells, certificate)


def _part(everything: Protected, first: int, part: register.Asked) -> Protected:
    """What may be told of one measure; the audit stays that of all that was protected with it."""
    own, earlier = slice(first, first + len(part.keys)), part.system.register
    return replace(
        everything,
        values=everything.values[own],
        shown=everything.shown[own],
        labelled=everything.labelled[own],
        earlier=len(earlier.sums) if earlier else 0,
    )


def _asked(
    session: Session, measure: Measure, quarter: str, audience: Audience, tree: Tree
) -> register.Asked:
    earlier = [
        Published(window(release.quarter), release.threshold, _cells(session, release, measure))
        for release in _register(session, quarter, audience)
    ]
    held = {*window(quarter), *(each for one in earlier for each in one.quarters)}
    return register.system(
        counting.frozen(session, measure, sorted(held)), tree, window(quarter), earlier
    )


def _register(session: Session, quarter: str, audience: Audience) -> Sequence[GapRelease]:
    """Earlier releases whose quarters this one shares, or one that shares some with it, and so on."""
    query = (
        select(GapRelease)
        .where(GapRelease.audience == audience, GapRelease.quarter < quarter)
        .order_by(GapRelease.quarter.desc())
    )
    reached, found = window(quarter)[0], []
    for release in session.scalars(query):
        if release.quarter < reached:
            break
        reached = min(reached, window(release.quarter)[0])
        found.append(release)
    return found[::-1]


def _cells(session: Session, release: GapRelease, measure: Measure) -> Mapping[Key, Cell]:
    found = figures.read(session, release, measure)
    return {key: found.cell(key) for key in found}


def _no_more_than(planners: Prepared, public: Prepared) -> Prepared:
    """The public release, without anything that would tell planners more than their own."""
    cells: dict[Measure, Mapping[Key, Cell]] = {}
    certificates = {}
    for measure, each in public.cells.items():
        own = planners.cells[measure]
        cells[measure] = {
            key: _WITHHELD if own[key].shown is Shown.WITHHELD else cell
            for key, cell in each.items()
        }
        told = Counter(cell.shown for cell in cells[measure].values())
        certificate = Certificate.from_json(public.certificate[measure.value])
        certificates[measure.value] = replace(
            certificate,
            shown=told[Shown.COUNT],
            small=told[Shown.SMALL],
            withheld=told[Shown.WITHHELD],
            complementary=certificate.complementary + certificate.shown - told[Shown.COUNT],
            digest=digest(published(cells[measure])),
        ).as_json()
    return Prepared(public.audience, public.threshold, cells, certificates)
