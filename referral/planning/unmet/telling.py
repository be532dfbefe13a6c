"""When a service appears, changes or has room again: who of the waiting it may fit, and telling their brokers.

The order is published: most urgent, then longest waiting, then by id. Few files are opened: an offer is first
compared with what stands beside a record openly (kind of help, kab/kota); only whoever is in reach is matched.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from sqlalchemy import func, select, update
from sqlalchemy.orm import Session

from referral.accounts.models import ClockProfile
from referral.casework.models import Need
from referral.casework.queries import excluded_organizations
from referral.changes import directory as directory_changes
from referral.changes.models import DirectoryChange
from referral.core.geo import haversine_km
from referral.directory.models import Service, ServiceAtLocation, ServiceCategory
from referral.directory.upkeep.kinds import ChangeStatus
from referral.directory.upkeep.models import ListingChange
from referral.matching import candidates
from referral.matching.facts import Offer
from referral.matching.judging import FULL
from referral.matching.operations import query_for
from referral.matching.queries import latest_receipt, penalty_table
from referral.matching.telling import rank
from referral.places.gazetteer import Gazetteer
from referral.places.queries import gazetteer as places_of
from referral.planning.unmet import queries
from referral.planning.unmet.models import NewServiceNotice, UnmetNeed
from referral.referrals.lifecycle import LIVE
from referral.referrals.models import Parked, Referral
from referral.referrals.queries import end_reason, loaded

#: From the middle of the kab/kota where somebody stays; what is farther off may be found by a search.
REACH_KM = {ClockProfile.CITY: 50.0, ClockProfile.REGENCY: 75.0, ClockProfile.REMOTE: 150.0}
#: Files opened in one run of the job; the others are first in the next.
MOST_MATCHED = 500
#: Changes read in one run.
MOST_CHANGES = 20_000
#: An import may write its rows some time before it announces them.
_IMPORT_TAKES = timedelta(hours=6)
#: Reasons of an agency that end when it has room again.
_ROOM = ("capacity_until", "suspend_until")


@dataclass(frozen=True)
class Followed:
    """What one run of the job did: files opened, brokers told, and whether everything was looked at."""

    matched: int
    told: int
    is_done: bool


def tell_waiting(
    session: Session, site: ServiceAtLocation, category: str, *, now: datetime
) -> list[NewServiceNotice]:
    """Match every waiting need of the category with one offer; a notice for each that it may fit, in order."""
    places = places_of(session)
    offers = candidates.offers_at(session, [site.id], places)
    notices = []
    for unmet, need in queries.waiting(
        session, category, _areas(session, category, offers, places)
    ):
        reached = _in_reach(need, unmet, offers, places)
        notices += _tell(session, unmet, need, reached, now=now)
    session.flush()
    return notices


def follow(session: Session, *, now: datetime, most: int = MOST_MATCHED) -> Followed:
    """Weigh what changed in the directory for every waiting need that it was not weighed for yet.

    How far each was weighed stands in its record, so that a run may stop anywhere and nobody is told twice.
    """
    head = directory_changes.version(session)
    behind = UnmetNeed.closed_at.is_(None) & (
        UnmetNeed.weighed_version.is_(None) | (UnmetNeed.weighed_version < head)
    )
    base = session.scalar(select(func.min(UnmetNeed.weighed_version)).where(behind))
    if base is None:  # nobody waits, or only records older than this job
        _weighed(session, behind, head)
        return Followed(0, 0, is_done=True)
    changes = _changes(session, base)
    until = max(changes.values(), default=head) if len(changes) >= MOST_CHANGES else head
    places = places_of(session)
    matched = told = 0
    for category, services in sorted(_by_category(session, changes).items()):
        offers = candidates.offers_by(session, services, places)
        done: list[UUID] = []
        areas = _areas(session, category, offers, places)
        for unmet, need in queries.waiting(session, category, areas):
            before = unmet.weighed_version
            if before is None or before >= until:
                continue
            new = [one for one in offers if changes[one.service_id] > before]
            reached = _in_reach(need, unmet, new, places)
            if reached and matched >= most:
                _weighed(session, UnmetNeed.id.in_(done), until)
                return Followed(matched, told, is_done=False)
            if reached:
                matched += 1
                told += len(_tell(session, unmet, need, reached, now=now))
            done.append(unmet.id)
        _weighed(session, UnmetNeed.id.in_(done), until)
    _weighed(session, behind & (func.coalesce(UnmetNeed.weighed_version, 0) < until), until)
    return Followed(matched, told, is_done=until == head)


def _changes(session: Session, base: int) -> dict[UUID, int]:
    """Services that changed after a version of the directory, and the version that the change made."""
    rows = session.execute(
        select(DirectoryChange.seq, DirectoryChange.at, DirectoryChange.service_id)
        .where(DirectoryChange.seq > base)
        .order_by(DirectoryChange.seq)
        .limit(MOST_CHANGES)
    ).all()
    found: dict[UUID, int] = {}
    for seq, at, service_id in rows:
        if service_id is not None:
            found[service_id] = seq
            continue
        # An import names no services; each that it wrote says when.
        written = select(Service.id).where(Service.last_modified >= at - _IMPORT_TAKES)
        found |= dict.fromkeys(session.scalars(written), seq)
    return found


def _by_category(session: Session, services: Mapping[UUID, int]) -> Mapping[str, set[UUID]]:
    """The changed services by kind of help, of the kinds that somebody waits for."""
    waited_for = select(UnmetNeed.category).where(UnmetNeed.closed_at.is_(None)).distinct()
    rows = session.execute(
        select(ServiceCategory.code, ServiceCategory.service_id).where(
            ServiceCategory.code.in_(waited_for)
        )
    )
    found: dict[str, set[UUID]] = defaultdict(set)
    for code, service_id in rows:
        if service_id in services:
            found[code].add(service_id)
    return found


def _weighed(session: Session, which: object, version: int) -> None:
    session.flush()
    session.execute(
        update(UnmetNeed).where(which).values(weighed_version=version),  # type: ignore[arg-type]
        execution_options={"synchronize_session": "fetch"},
    )


def _areas(
    session: Session, category: str, offers: Sequence[Offer], places: Gazetteer
) -> set[str | None]:
    """The kab/kota in which somebody waits for this kind of help and one of the offers may be reached."""
    return {
        area
        for area in queries.areas_of_waiting(session, category)
        if any(_reaches(one, area, max(REACH_KM.values()), places) for one in offers)
    }


def _in_reach(
    need: Need, unmet: UnmetNeed, offers: Iterable[Offer], places: Gazetteer
) -> list[Offer]:
    """The offers that somebody of this kab/kota may reach. Opens nothing sealed."""
    reach_km = REACH_KM[need.case.office.clock_profile]
    return [one for one in offers if _reaches(one, unmet.area_code, reach_km, places)]


def _reaches(offer: Offer, area: str | None, reach_km: float, places: Gazetteer) -> bool:
    if not offer.active:
        return False
    if offer.remote or area is None or (offer.area_code or "").startswith(area):
        return True
    here = places.locate(area) if area in places else None
    if here is None or offer.latitude is None or offer.longitude is None:
        return here is None or not offer.area_code
    there = (offer.latitude, offer.longitude)
    return haversine_km(here.latitude, here.longitude, *there) <= reach_km


def _tell(
    session: Session,
    unmet: UnmetNeed,
    need: Need,
    offers: Sequence[Offer],
    *,
    now: datetime,
) -> list[NewServiceNotice]:
    """A notice for each of these offers that may fit the need, has room, and is news to it."""
    known = set(
        session.scalars(
            select(NewServiceNotice.service_at_location_id).where(
                NewServiceNotice.unmet_need_id == unmet.id
            )
        )
    )
    apart = _apart(session, need)
    offers = [
        one
        for one in offers
        if one.service_at_location_id not in known and one.service_id not in apart
    ]
    if not offers:
        return []
    ranking = rank(
        query_for(session, need, now=now, limit=len(offers)),
        offers,
        penalty_table(session, need.case.office_id).steps,
        need_id=str(need.id),
        kept_out=excluded_organizations(session, need.case_id),
        holidays=frozenset(),
        names=lambda code: code,
    )
    fitting = [one for one in (*ranking.options, *ranking.remote) if one.group != FULL]
    offered = _offered(session, need) if fitting else set()
    notices = []
    for one in fitting:
        site_id = one.offer.service_at_location_id
        if str(site_id) in offered:
            continue
        notice = NewServiceNotice(
            unmet_need_id=unmet.id,
            broker_id=need.case.broker_id,
            service_at_location_id=site_id,
            position=queries.last_position(session, site_id) + 1,
            at=now,
        )
        session.add(notice)
        session.flush()
        notices.append(notice)
    return notices


def _apart(session: Session, need: Need) -> set[UUID]:
    """Services that are no news: parked by the client, running, or tried in vain and unchanged since."""
    parked = select(Parked.service_id).where(Parked.need_id == need.id, Parked.lifted_at.is_(None))
    apart = set(session.scalars(parked))
    tried = session.scalars(loaded(select(Referral)).where(Referral.need_id == need.id))
    for referral in tried:
        reason = end_reason(session, referral)
        had_no_room = reason is not None and reason.effect in _ROOM
        if referral.status in LIVE or not (had_no_room or _was_corrected(session, referral)):
            apart.add(referral.service_id)
    return apart


def _was_corrected(session: Session, referral: Referral) -> bool:
    """Whether the listing says something else since the referral ended: a rule, a place, what is offered."""
    published = select(ListingChange.id).where(
        ListingChange.service_id == referral.service_id,
        ListingChange.status == ChangeStatus.PUBLISHED,
        ListingChange.decided_at > (referral.ended_at or referral.created_at),
    )
    return session.scalar(published.limit(1)) is not None


def _offered(session: Session, need: Need) -> set[str]:
    """What the last search offered with room: the client knows of it."""
    receipt = latest_receipt(session, need.id)
    content = (receipt.content if receipt is not None else None) or {}
    return {
        one["service_at_location_id"]
        for part in ("options", "remote")
        for one in content.get(part, ())
        if one["group"] != FULL
    }
