"""The plan of visits that a client takes along: without any line that tells whoever finds it what for."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from referral.core.text import Message
from referral.referrals.letters.discretion import tells
from referral.web.formatting import say
from referral.web.plans.cards import PlanPage, StopCard, Visit
from referral.web.plans.papers import Beginning, Paper


@dataclass(frozen=True)
class PaperStop:
    """One place, or help without going there."""

    name: str
    services: Sequence[str]
    is_confidential: bool
    address: str | None
    arrives: str | None
    phones: Sequence[str]
    papers: Sequence[Paper]
    asks_for_papers: bool


@dataclass(frozen=True)
class PlanSheet:
    """`holds_back`: something was left out, and the worker has to be asked."""

    beginnings: Sequence[Beginning]
    stops: Sequence[PaperStop]
    remote: Sequence[PaperStop]
    holds_back: bool


def sheet_of(page: PlanPage, unsaid: Sequence[str] | None) -> PlanSheet:
    """What of a plan stands on paper.

    unsaid   the names of the needs, where nobody may learn of them from what the client carries; None where that
             is no danger
    """
    return _Sheet(unsaid).of(page)


class _Sheet:
    def __init__(self, unsaid: Sequence[str] | None) -> None:
        self._unsaid = unsaid
        self._holds_back = False

    def of(self, page: PlanPage) -> PlanSheet:
        stops = [self._stop(number, stop) for number, stop in enumerate(page.stops, 1)]
        remote = [
            self._remote(number, visit)
            for number, visit in enumerate(page.remote, len(page.stops) + 1)
        ]
        beginnings = [
            Beginning(one.office, self._kept(one.papers), self._kept(one.facts))
            for one in page.beginnings
            if self._kept([one.office])
        ]
        return PlanSheet(beginnings, stops, remote, self._holds_back)

    def _stop(self, number: int, stop: StopCard) -> PaperStop:
        services = self._kept(dict.fromkeys(visit.card.name for visit in stop.visits))
        return PaperStop(
            name=self._name(number, stop.name, [visit.card.organization for visit in stop.visits]),
            services=services if len(stop.visits) > 1 else (),
            is_confidential=stop.is_confidential,
            address=next(iter(self._kept([stop.address] if stop.address else [])), None),
            arrives=stop.arrives,
            phones=[phone["number"] for phone in stop.phones[:3]],
            papers=self._papers(stop.papers),
            asks_for_papers=stop.asks_for_papers,
        )

    def _remote(self, number: int, visit: Visit) -> PaperStop:
        return PaperStop(
            name=self._name(number, visit.card.name, [visit.card.organization]),
            services=(),
            is_confidential=False,
            address=None,
            arrives=None,
            phones=[phone["number"] for phone in visit.card.phones[:2]],
            papers=(),
            asks_for_papers=False,
        )

    def _name(self, number: int, name: str, organizations: Sequence[str]) -> str:
        said = self._kept([name]) or self._kept(list(filter(None, organizations)))
        return said[0] if said else say(Message("letter.handout.place", {"number": number}))

    def _papers(self, papers: Sequence[Paper]) -> list[Paper]:
        lines = {f"{paper.name} {paper.how_to_get or ''}": paper for paper in papers}
        return [lines[line] for line in self._kept(lines)]

    def _kept(self, lines: Iterable[str]) -> list[str]:
        """The lines that tell nothing."""
        lines = list(lines)
        unsaid = self._unsaid
        if unsaid is None:
            return lines
        kept = [line for line in lines if not tells(line, unsaid)]
        self._holds_back = self._holds_back or kept != lines
        return kept
