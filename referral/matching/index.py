"""Every offer in memory: the selection of ranking.select without looking at most of them. Pure.

What is different among offers is kept once (columns); a rule is asked once for each different set of
facts that it reads (rulings), never for each offer, so there is one definition of it and no second form
to keep equal. Places lie in blocks of neighbours (postings), most of which nobody looks into (search).
"""

from collections.abc import Iterable, Mapping
from typing import Any
from uuid import UUID

from referral.matching.columns import DOMAIN, Columns
from referral.matching.facts import Offer, Query
from referral.matching.ranking import Selection
from referral.matching.rulings import Rulings
from referral.matching.search import Search


class Index:
    """All offers of a directory, fit to be asked. Thread-safe for asking; one thread changes it at a time.

    A change is put beside the columns and asked by the same rules one by one, so that it counts at once;
    make a new index before there are thousands of changes.
    """

    def __init__(self, columns: Columns):
        self.columns = columns
        self._rulings = Rulings(columns)
        self._fresh: dict[UUID, tuple[Offer, ...]] = {}
        self._fresh_by_need: dict[str, dict[UUID, Offer]] = {}

    @classmethod
    def of(cls, offers: Iterable[Offer]) -> "Index":
        """An index of these offers."""
        return cls(Columns.of(offers))

    @property
    def changes(self) -> int:
        """How many offers stand beside the columns."""
        return sum(map(len, self._fresh.values()))

    @property
    def keeps_hours(self) -> bool:
        """Whether any offer says when it is open."""
        hours = self.columns.values["hours"]
        fresh = (one.hours for offers in self._fresh.values() for one in offers)
        return any(rows for (rows,) in hours) or any(fresh)

    @property
    def nbytes(self) -> int:
        """Memory of its arrays, with what was worked out so far."""
        return self.columns.nbytes + self._rulings.nbytes

    def replace(self, service_id: UUID, offers: Iterable[Offer]) -> None:
        """Take these for everything that was known of a service."""
        self.columns.take_out(service_id)
        for offer in self._fresh.pop(service_id, ()):
            for need in _needs(offer):
                self._fresh_by_need[need].pop(offer.service_at_location_id, None)
        if fresh := tuple(offers):
            self._fresh[service_id] = fresh
        for offer in fresh:
            for need in _needs(offer):
                self._fresh_by_need.setdefault(need, {})[offer.service_at_location_id] = offer

    def select(
        self,
        query: Query,
        table: Mapping[str, float],
        *,
        need_id: str = "",
        kept_out: frozenset[Any] = frozenset(),
        holidays: frozenset[Any] = frozenset(),
    ) -> Selection:
        """The same as ranking.select over every offer of the index."""
        return self.search(
            query, table, need_id=need_id, kept_out=kept_out, holidays=holidays
        ).selection()

    def search(
        self,
        query: Query,
        table: Mapping[str, float],
        *,
        need_id: str = "",
        kept_out: frozenset[Any] = frozenset(),
        holidays: frozenset[Any] = frozenset(),
    ) -> Search:
        """The same, each part worked out when it is asked for: `options` alone give the order."""
        return Search(
            self._rulings,
            self.columns.posting(query.need),
            query,
            table,
            need_id=need_id,
            kept_out=kept_out,
            holidays=holidays,
            fresh=self._fresh_by_need.get(query.need, {}).values(),
        )


def _needs(offer: Offer) -> set[str]:
    """The needs that find an offer: its categories and their domains."""
    return {need for code in offer.categories for need in (code, code[:DOMAIN])}
