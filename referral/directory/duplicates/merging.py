"""Makes one listing of two. Nothing is deleted: rows change hands, and the merge remembers which."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session

from referral.changes import audit
from referral.changes import directory as changes
from referral.changes.actors import Actor
from referral.core.db import new_id
from referral.core.errors import Invalid, NotAllowed, NotFound
from referral.directory.duplicates import sites
from referral.directory.duplicates.models import DuplicatePair, Merge, PairStatus
from referral.directory.duplicates.references import CHOSEN, FIELDS, REFERENCES, How, Reference
from referral.directory.duplicates.rows import Journal, Row, find, records, table
from referral.directory.kinds import ServiceStatus, SystemType
from referral.directory.models import Service

KEPT, GONE = "kept", "gone"


@dataclass(frozen=True)
class Choices:
    """What a curator decides of a merge; what is not named is as the preview proposes.

    fields   name of FIELDS or of a chosen table → kept or gone: whose value the listing has afterwards
    sites    site of the one that goes → the site of the kept one that is the same place, None for a place
             of its own
    places   sites of the one that goes, same as a kept one's, whose place (address, point) is the right one
    """

    fields: Mapping[str, str] = field(default_factory=dict)
    sites: Mapping[UUID, UUID | None] = field(default_factory=dict)
    places: frozenset[UUID] = frozenset()


def listings(session: Session, kept_id: UUID, gone_id: UUID) -> tuple[Service, Service]:
    """Both listings, if they may be merged. Raises NotFound, Invalid or NotAllowed."""
    kept, gone = _public(session, kept_id), _public(session, gone_id)
    if kept.id == gone.id:
        raise Invalid("duplicates.merge.itself")
    for one in (kept, gone):
        if one.merged_into_id is not None:
            raise NotAllowed("duplicates.merge.already", name=one.name)
    if kept.status is ServiceStatus.DEFUNCT:
        raise NotAllowed("duplicates.merge.closed", name=kept.name)
    return kept, gone


def _public(session: Session, service_id: UUID) -> Service:
    found = session.get(Service, service_id)
    if found is None or found.organization.system_type is SystemType.INFORMAL:
        raise NotFound("directory.unknown_service")
    return found


def proposed(session: Session, kept: Service, gone: Service) -> dict[str, str]:
    """Whose value of each field a merge keeps: the kept one's where it has one.

    The later check counts; an organization that nobody answers for gives way to one that somebody does.
    """
    sides = {}
    for name, columns in FIELDS.items():
        empty = all(getattr(kept, column) is None for column in columns)
        sides[name] = GONE if empty else KEPT
    if (
        gone.assured_date
        and kept.assured_date is not None
        and gone.assured_date > kept.assured_date
    ):
        sides["assured"] = GONE
    if kept.organization_id != gone.organization_id:
        answering = _answering(session)
        if gone.organization_id in answering and kept.organization_id not in answering:
            sides["organization"] = GONE
    for name in CHOSEN:
        source = table(name)
        has = session.scalar(select(source.c.id).where(source.c.service_id == kept.id).limit(1))
        sides[name] = KEPT if has is not None else GONE
    return sides


def _answering(session: Session) -> frozenset[UUID]:
    user = table("user")
    query = select(user.c.organization_id).where(
        user.c.organization_id.is_not(None), user.c.active.is_(True)
    )
    return frozenset(session.scalars(query))


def merge(
    session: Session,
    kept_id: UUID,
    gone_id: UUID,
    choices: Choices | None = None,
    *,
    by: Actor,
    now: datetime,
) -> Merge:
    """Take one listing into another; flushes. Raises what `listings` raises, Invalid for a wrong choice."""
    session.flush()
    kept, gone = listings(session, kept_id, gone_id)
    choices = choices or Choices()
    sides = proposed(session, kept, gone)
    for name, side in choices.fields.items():
        if name not in sides or side not in (KEPT, GONE):
            raise Invalid("duplicates.merge.no_choice", field=name)
        sides[name] = side
    same = sites.matched(session, kept.id, gone.id) | dict(choices.sites)
    _check_sites(session, kept.id, gone.id, same)
    work = _Work(session, kept_id, gone_id, now)
    organization_id = (gone if sides["organization"] == GONE else kept).organization_id
    work.exclude({kept.organization_id, gone.organization_id} - {organization_id}, organization_id)
    work.sites(same, choices.places)
    for reference in REFERENCES:
        work.take(reference, sides)
    work.attributes()
    work.fields(sides)
    work.claims(organization_id)
    made = Merge(
        kept_id=kept_id,
        gone_id=gone_id,
        moved=work.journal.changed,
        merged_by_id=by.id,
        merged_at=now,
    )
    session.add(made)
    _decide(session, kept_id, gone_id, PairStatus.MERGED, by=by, now=now)
    touch(session, kept_id, gone_id, now=now)
    changes.record_many(session, records(work.journal.changed), by=by, now=now)
    for one in (kept_id, gone_id):
        changes.announce(session, one, now=now)
    audit.record(
        session,
        "listing.merged",
        made,
        by=by,
        now=now,
        kept=kept_id,
        gone=gone_id,
        rows=work.journal.counts(),
    )
    session.flush()
    session.expire_all()
    return made


def touch(session: Session, *service_ids: UUID, now: datetime) -> None:
    """Both listings changed, for whoever edits or copies them; a version never goes back."""
    service = table("service")
    session.execute(
        service.update()
        .where(service.c.id.in_(service_ids))
        .values(version=service.c.version + 1, last_modified=now)
    )


def differ(session: Session, pair: DuplicatePair, *, by: Actor, now: datetime) -> None:
    """Two listings that are not the same; the pair is not shown again unless it comes to look much more alike."""
    if pair.status is not PairStatus.OPEN:
        raise NotAllowed("duplicates.pair.decided")
    pair.status, pair.decided_by_id, pair.decided_at = PairStatus.DIFFERENT, by.id, now
    audit.record(session, "duplicate_pair.different", pair, by=by, now=now)
    session.flush()


def _decide(
    session: Session, one: UUID, other: UUID, status: PairStatus, *, by: Actor, now: datetime
) -> None:
    first, second = sorted((one, other))
    pair = session.scalar(
        select(DuplicatePair).where(
            DuplicatePair.first_id == first, DuplicatePair.second_id == second
        )
    )
    if pair is not None:
        pair.status, pair.decided_by_id, pair.decided_at = status, by.id, now


def _check_sites(
    session: Session, kept_id: UUID, gone_id: UUID, same: Mapping[UUID, UUID | None]
) -> None:
    ours = {row["id"] for row in sites.of(session, kept_id)}
    theirs = {row["id"] for row in sites.of(session, gone_id)}
    chosen = [one for one in same.values() if one is not None]
    if not set(same) <= theirs or not set(chosen) <= ours or len(chosen) != len(set(chosen)):
        raise Invalid("duplicates.merge.no_choice", field="sites")


class _Work:
    """One merge under way."""

    def __init__(self, session: Session, kept_id: UUID, gone_id: UUID, now: datetime) -> None:
        self.session, self.kept_id, self.gone_id, self.now = session, kept_id, gone_id, now
        self.journal = Journal(session)
        self.folded: dict[UUID, UUID] = {}

    def sites(self, same: Mapping[UUID, UUID | None], places: frozenset[UUID]) -> None:
        """Sites that are another place move; of two at one place the kept one's stays, at the place chosen."""
        ours = {row["id"]: row for row in sites.of(self.session, self.kept_id)}
        for row in sites.of(self.session, self.gone_id):
            into = same.get(row["id"])
            if into is None:
                self.journal.set("service_at_location", row, service_id=self.kept_id)
                continue
            self.folded[row["id"]] = into
            if row["id"] in places:
                here, there = ours[into]["location_id"], row["location_id"]
                self.journal.set("service_at_location", ours[into], location_id=there)
                self.journal.set("service_at_location", row, location_id=here)

    def take(self, reference: Reference, sides: Mapping[str, str]) -> None:
        """What becomes of one table's rows."""
        name, column = reference.table, reference.column
        match reference.how:
            case How.MOVES:
                for row in self._rows(name, column, self.gone_id):
                    if row.get("id") != self.kept_id and _is_meant(reference, row):
                        self.journal.set(name, row, **{column: self.kept_id})
            case How.ADDED:
                self._add(reference, self.gone_id, self.kept_id)
            case How.WITH_SITE:
                for gone, kept in self.folded.items():
                    self._add(reference, gone, kept)
            case How.CHOSEN:
                if sides[name] == GONE:
                    self._swap(reference)
            case How.COUNTED:
                self._count(name)

    def _rows(self, name: str, column: str, owner: UUID) -> list[Row]:
        return find(self.session, name, table(name).c[column] == owner)

    def _add(self, reference: Reference, gone: UUID, kept: UUID) -> None:
        name, column, same = reference.table, reference.column, reference.same
        there = {same(row) for row in self._rows(name, column, kept)} if same else set()
        for row in self._rows(name, column, gone):
            if same is None or same(row) not in there:
                self.journal.set(name, row, **{column: kept})
                there.add(same(row) if same else None)

    def _swap(self, reference: Reference) -> None:
        """The rows of both listings change hands."""
        name, column = reference.table, reference.column
        ours = self._rows(name, column, self.kept_id)
        theirs = self._rows(name, column, self.gone_id)
        if reference.swapped is not None:
            key, value = reference.swapped
            by_key = {row[key]: row for row in theirs}
            pairs = [(row, by_key[row[key]]) for row in ours if row[key] in by_key]
            for left, right in pairs:
                mine, yours = left[value], right[value]
                self.journal.set(name, left, **{value: yours})
                self.journal.set(name, right, **{value: mine})
            twins = {row["id"] for pair in pairs for row in pair}
            ours = [row for row in ours if row["id"] not in twins]
            theirs = [row for row in theirs if row["id"] not in twins]
        for row in ours:
            self.journal.set(name, row, **{column: self.gone_id})
        for row in theirs:
            self.journal.set(name, row, **{column: self.kept_id})

    def _count(self, name: str) -> None:
        """Numbers are added up under the kept listing, marks hold for it too; those of the other stay as they were."""
        source = table(name)
        keys = [c.name for c in source.primary_key.columns if c.name != "service_id"]
        numbers = [c.name for c in source.columns if not c.primary_key]
        ours = {
            tuple(row[key] for key in keys): row
            for row in self._rows(name, "service_id", self.kept_id)
        }
        for row in self._rows(name, "service_id", self.gone_id):
            mine = ours.get(tuple(row[key] for key in keys))
            if mine is None:
                self.journal.make(name, **row | {"service_id": self.kept_id})
            else:
                added = {n: mine[n] + row[n] for n in numbers}
                marks = {n: mine[n] or row[n] for n in numbers if isinstance(row[n], bool)}
                self.journal.set(name, mine, **added | marks)

    def attributes(self) -> None:
        """Links to taxonomy terms name their listing by table and id, not by a foreign key."""
        attribute = table("attribute")
        of = (attribute.c.link_entity == "service",)
        ours = find(self.session, "attribute", *of, attribute.c.link_id == self.kept_id)
        there = {(row["taxonomy_term_id"], row["value"]) for row in ours}
        for row in find(self.session, "attribute", *of, attribute.c.link_id == self.gone_id):
            if (row["taxonomy_term_id"], row["value"]) not in there:
                self.journal.set("attribute", row, link_id=self.kept_id)

    def fields(self, sides: Mapping[str, str]) -> None:
        """The kept listing gets its chosen values; the other is closed and leads to it."""
        service = table("service")
        (ours,) = find(self.session, "service", service.c.id == self.kept_id)
        (theirs,) = find(self.session, "service", service.c.id == self.gone_id)
        taken = {
            column: theirs[column]
            for name, columns in FIELDS.items()
            if sides[name] == GONE
            for column in columns
        }
        self.journal.set("service", ours, **taken)
        closed = {"status": ServiceStatus.DEFUNCT, "merged_into_id": self.kept_id}
        self.journal.set("service", theirs, **closed)

    def claims(self, organization_id: UUID) -> None:
        """Whoever waits to look after the listing that goes will look after the kept one."""
        claim = table("claim")
        for key in self.journal.changed.get("claim", {}):
            (row,) = find(self.session, "claim", claim.c.id == UUID(key))
            self.journal.set("claim", row, organization_id=organization_id)

    def exclude(self, others: set[UUID], organization_id: UUID) -> None:
        """A client who wants nothing to do with either organization is not sent to the one that runs it now."""
        exclusion = table("exclusion")
        kept_out = set(
            self.session.scalars(
                select(exclusion.c.case_id).where(exclusion.c.organization_id == organization_id)
            )
        )
        for row in find(self.session, "exclusion", exclusion.c.organization_id.in_(others)):
            if row["case_id"] not in kept_out:
                kept_out.add(row["case_id"])
                copy = row | {
                    "id": new_id(),
                    "organization_id": organization_id,
                    "at": self.now,
                    "reason_sealed": None,  # sealed for its own row; it can be read there
                }
                self.journal.make("exclusion", **copy)


def _is_meant(reference: Reference, row: Row) -> bool:
    """Whether the row is one of those that move; no values: those that have none."""
    return all(
        row[column] in values if values else row[column] is None
        for column, values in reference.only.items()
    )
