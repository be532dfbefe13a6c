"""A plan of visits as its page shows it: stops in order, what to bring, and what stands beside it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

from babel.dates import format_datetime
from flask_babel import gettext as _

from referral.casework.models import Case, Need, Urgency
from referral.core import text
from referral.directory import closed_days
from referral.directory.models import ServiceAtLocation
from referral.directory.opening import is_open, next_opening
from referral.extensions import db
from referral.matching import candidates, queries
from referral.matching.facts import Offer
from referral.matching.models import MatchReceipt, VisitPlan
from referral.matching.plans import arrivals
from referral.matching.receipts import printed
from referral.matching.telling import DOOR_PRECISION_KM
from referral.matching.visit_plans import KINDS
from referral.matching.ways import order_km
from referral.places.queries import gazetteer
from referral.web.language import chosen, zone
from referral.web.matching.options import Card, cards_of
from referral.web.naming import category_name
from referral.web.pins import collection, line, pin
from referral.web.plans.papers import Beginning, Paper, beginnings_of, papers_of
from referral.web.plans.ways import Way, is_own_best, trade_offs, ways_of


@dataclass(frozen=True)
class Visit:
    """One need as it is met: at a stop, or without going there.

    rank       in the need's own list, of `listed`
    more_km    by how much the first of that list stands nearer
    hours      (icon, words) about the arrival; `is_closed`: surely closed then
    remote_too help for the same need without going there
    """

    need: Need
    category: str
    whom: str | None
    receipt_id: UUID
    card: Card
    rank: int
    listed: int
    more_km: float
    papers: Sequence[Paper] | None
    hours: tuple[str, str] | None
    is_closed: bool
    remote_too: str | None


@dataclass(frozen=True)
class StopCard:
    """One place. `km_text` from the stop before; None: no position, or none that may be told."""

    number: int
    name: str
    organization: str
    visits: Sequence[Visit]
    address: str | None
    is_confidential: bool
    km_text: str | None
    arrives: str | None
    is_urgent: bool

    @property
    def phones(self) -> list[dict[str, str]]:
        """Every number of its services, once."""
        numbers = {phone["dial"]: phone for visit in self.visits for phone in visit.card.phones}
        return list(numbers.values())

    @property
    def papers(self) -> list[Paper]:
        """Everything to bring, once."""
        papers = [paper for visit in self.visits for paper in visit.papers or ()]
        return list({paper.name: paper for paper in papers}.values())

    @property
    def asks_for_papers(self) -> bool:
        """Whether somebody has to ask what to bring."""
        return any(visit.papers is None for visit in self.visits)


@dataclass(frozen=True)
class OwnList:
    """A need's own list beside the plan: its first choice, and how well it is covered."""

    need: Need
    category: str
    whom: str | None
    receipt_id: UUID
    first: str | None
    first_km: float | None
    coverage: str
    shown: int
    total: int


@dataclass(frozen=True)
class PlanPage:
    """A plan in one of its ways, and the others beside it."""

    kind: str
    at: datetime
    start: str | None
    stops: Sequence[StopCard]
    remote: Sequence[Visit]
    unmet: Sequence[OwnList]
    beginnings: Sequence[Beginning]
    lists: Sequence[OwnList]
    ways: Sequence[Way]
    trade_offs: Sequence[str]
    way: Way
    is_shortest: bool
    map: Mapping[str, Any] | None


def page_of(
    plan: VisitPlan,
    case: Case,
    receipts: Mapping[str, MatchReceipt],
    kind: str,
    *,
    to_take_along: bool = False,
) -> PlanPage:
    """The plan in words; `kind` as KINDS, the first where there is no such way.

    to_take_along  for the client: without a map, and without the services where nobody is sent any more
    """
    content = plan.content or {}
    if kind not in content["plans"]:
        kind = KINDS[0]
    return _Reading(content, case, receipts, to_take_along=to_take_along).page(kind)


class _Reading:
    """What is read once for a page: receipts, listings of today, needs."""

    def __init__(
        self,
        content: Mapping[str, Any],
        case: Case,
        receipts: Mapping[str, MatchReceipt],
        *,
        to_take_along: bool,
    ) -> None:
        self._content = content
        self._to_take_along = to_take_along
        self._receipts = receipts
        self._contents = {need_id: one.content or {} for need_id, one in receipts.items()}
        self._needs = {str(need.id): need for need in case.needs}
        self._at = datetime.fromisoformat(content["at"]).astimezone(ZoneInfo(zone()))
        self._entries = {
            (need_id, entry["service_at_location_id"]): (part, rank, entry)
            for need_id, kept in self._contents.items()
            for part in ("options", "remote")
            for rank, entry in enumerate(kept[part], 1)
        }
        chosen_ids = {
            UUID(site_id)
            for trip in content["plans"].values()
            for sites in (*(stop["sites"] for stop in trip["stops"]), trip["remote"])
            for site_id in sites.values()
        }
        self._sites = queries.sites(db.session, chosen_ids)
        self._shown = queries.shown_sites(db.session, chosen_ids)
        self._offers = {
            str(offer.service_at_location_id): offer
            for offer in candidates.offers_at(db.session, chosen_ids, gazetteer(db.session))
        }
        has_hours = any(offer.hours for offer in self._offers.values())
        self._holidays: frozenset[date] = (
            closed_days.around(self._at.year) if has_hours else frozenset()
        )

    def page(self, kind: str) -> PlanPage:
        trips = self._content["plans"]
        trip = trips[kind]
        stops = self._stops(trip)
        remote = self._visits(trip["remote"], None)
        met = {need_id for stop in trip["stops"] for need_id in stop["sites"]} | set(trip["remote"])
        lists = {need_id: self._list(need_id) for need_id in self._contents}
        ways = ways_of(trips)
        told = trade_offs(ways)
        if kind != "own_best" and is_own_best(trips):
            del ways["own_best"]
        return PlanPage(
            kind=kind,
            at=self._at,
            start=self._start,
            stops=stops,
            remote=remote,
            unmet=[one for need_id, one in lists.items() if need_id not in met],
            beginnings=beginnings_of(
                site
                for visit in (*(v for stop in stops for v in stop.visits), *remote)
                if (site := self._site(visit.card.site_id))
            ),
            lists=list(lists.values()),
            ways=list(ways.values()),
            trade_offs=told,
            way=ways[kind],
            is_shortest=trip["is_shortest"],
            map=None if self._to_take_along else self._map(trip, stops),
        )

    @property
    def _query(self) -> Mapping[str, Any]:
        """Where distances start is the same for every need."""
        query: Mapping[str, Any] = next(iter(self._contents.values()))["query"]
        return query

    @property
    def _start(self) -> str | None:
        place = self._query["place"]
        return place["name"] if place else None

    # Stops

    def _stops(self, trip: Mapping[str, Any]) -> list[StopCard]:
        placed = [stop for stop in trip["stops"] if stop["km"] is not None]
        times = iter(
            arrivals(
                [order_km((stop["km"], stop["precision_km"])) for stop in placed],
                [len(stop["sites"]) for stop in placed],
                self._at,
            )
        )
        stops = [
            self._stop(number, stop, next(times) if stop["km"] is not None else None)
            for number, stop in enumerate(trip["stops"], 1)
        ]
        return [stop for stop in stops if stop is not None]

    def _visits(self, sites: Mapping[str, str], arrives_at: datetime | None) -> list[Visit]:
        visits = [self._visit(need_id, site_id, arrives_at) for need_id, site_id in sites.items()]
        return [one for one in visits if not (self._to_take_along and one.card.is_held_back)]

    def _stop(
        self, number: int, stop: Mapping[str, Any], arrives_at: datetime | None
    ) -> StopCard | None:
        """None where nothing of it is left to go to."""
        visits = self._visits(stop["sites"], arrives_at)
        if not visits:
            return None
        cards = [visit.card for visit in visits]
        names = list(dict.fromkeys(card.name for card in cards))
        organizations = list(dict.fromkeys(card.organization or card.name for card in cards))
        one_service = len(names) == 1
        locations = [site.location for site in map(self._site, stop["sites"].values()) if site]
        is_confidential = any(place is not None and place.confidential for place in locations)
        return StopCard(
            number=number,
            name=names[0] if one_service else " · ".join(organizations),
            organization=cards[0].organization if one_service else "",
            visits=visits,
            address=next((card.address for card in cards if card.address), None),
            is_confidential=is_confidential,
            # It may have become confidential since the plan was made.
            km_text=None if is_confidential else _leg_text(stop),
            arrives=_clock(arrives_at) if arrives_at and not is_confidential else None,
            is_urgent=any(visit.need.urgency is Urgency.URGENT for visit in visits),
        )

    def _site(self, site_id: str) -> ServiceAtLocation | None:
        return self._sites.get(UUID(site_id))

    def _visit(self, need_id: str, site_id: str, arrives_at: datetime | None) -> Visit:
        need, content = self._needs[need_id], self._contents[need_id]
        part, rank, entry = self._entries[need_id, site_id]
        offer = self._offers.get(site_id)
        first = content[part][0]
        answer = (
            is_open(offer.hours, arrives_at, holidays=self._holidays)
            if offer and arrives_at
            else None
        )
        others = [one["name"] for one in content["remote"]]
        return Visit(
            need=need,
            category=category_name(need.category),
            whom=need.beneficiary.label if need.beneficiary else None,
            receipt_id=self._receipts[need_id].id,
            card=self._card(content, part, entry),
            rank=rank,
            listed=content["tally"][part],
            more_km=(entry["effective_km"] or 0.0) - (first["effective_km"] or 0.0),
            papers=papers_of(offer, content["query"]["documents_lacking"]),
            hours=self._hours(offer, arrives_at, answer) if offer and arrives_at else None,
            is_closed=answer is False,
            remote_too=others[0] if part == "options" and others else None,
        )

    def _card(self, content: Mapping[str, Any], part: str, entry: Mapping[str, Any]) -> Card:
        alone: dict[str, Any] = dict(content) | {"options": [], "remote": [], "why_not": []}
        alone[part] = [entry]
        shown = printed(alone, chosen())
        return cards_of(shown[part], alone, part, self._shown)[0]

    def _hours(self, offer: Offer, at: datetime, answer: bool | None) -> tuple[str, str]:
        if answer:
            return "clock", _("Open when you arrive.")
        if answer is None:
            return "circle-question-mark", _("Opening hours not known: call before you go.")
        opens = next_opening(offer.hours, at, holidays=self._holidays)
        if opens is None:
            return "triangle-alert", _("Closed when you arrive.")
        return "triangle-alert", _("Closed when you arrive; opens %(when)s.", when=_clock(opens))

    # Beside the plan

    def _list(self, need_id: str) -> OwnList:
        content, need = self._contents[need_id], self._needs[need_id]
        first = next(iter((*content["options"], *content["remote"])), None)
        no_entries = dict(content) | {"options": [], "remote": [], "why_not": []}
        return OwnList(
            need=need,
            category=category_name(need.category),
            whom=need.beneficiary.label if need.beneficiary else None,
            receipt_id=self._receipts[need_id].id,
            first=first["name"] if first else None,
            first_km=first["effective_km"] if first else None,
            coverage=printed(no_entries, chosen())["coverage"],
            shown=len(content["options"]),
            total=content["tally"]["options"],
        )

    def _map(self, trip: Mapping[str, Any], stops: Sequence[StopCard]) -> dict[str, Any] | None:
        """The stops with a position, the start, and the way between them."""
        near = self._query["near"]
        points = []
        features = []
        for stop, card in zip(trip["stops"], stops, strict=True):
            point = self._point(stop)
            if point is None:
                continue
            points.append(point)
            note = ", ".join(visit.category for visit in card.visits)
            features.append(
                pin(
                    *point,
                    {"kind": "option", "number": card.number, "name": card.name, "note": note},
                )
            )
        if not features:
            return None
        if near:
            round_trip = [(near[0], near[1]), *points, (near[0], near[1])]
            features.append(line(round_trip, {"kind": "outline", "label": _("The way")}))
            features.append(
                pin(
                    near[0],
                    near[1],
                    {
                        "kind": "start",
                        "label": self._start or _("Start"),
                        "precision_km": next(iter(self._contents.values()))["asked"][
                            "precision_km"
                        ],
                    },
                )
            )
        return collection(features)

    def _point(self, stop: Mapping[str, Any]) -> tuple[float, float] | None:
        """Where a stop is shown; nothing of one that the plan itself gives no distance to."""
        if stop["km"] is None:
            return None
        for site_id in stop["sites"].values():
            site = self._site(site_id)
            place = site.location if site else None
            if place is None or place.confidential:
                continue
            if place.latitude is not None and place.longitude is not None:
                return place.latitude, place.longitude
        return None


def _leg_text(stop: Mapping[str, Any]) -> str | None:
    """ "4,2 km", or "0–12 km" where an end is known only by its area; what is confidential is not told."""
    if stop["km"] is None:
        return None
    km, precision_km = stop["km"], stop["precision_km"]
    if precision_km <= DOOR_PRECISION_KM:
        return text.km(order_km((km, precision_km)), chosen())
    return text.km_range((max(0.0, km - precision_km), km + precision_km), chosen())


def _clock(at: datetime) -> str:
    """Day of the week and time, as people there say it."""
    pattern = "EEEE, HH.mm" if chosen() == "id" else "EEEE, HH:mm"
    return str(format_datetime(at, pattern, tzinfo=ZoneInfo(zone()), locale=chosen()))
