"""What the history of a need says: whether nothing meets it, why, and what shows it. Pure.

One rule for every way in which a gap comes to light, so that it can be worked out again at any time: from the
searches, the client's answers and the referrals alone. Whatever is asked twice gives the same answer.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Protocol
from uuid import UUID

from referral.planning.unmet.kinds import Closing, Origin
from referral.planning.unmet.reasons import reasons_of
from referral.referrals.kinds import Received
from referral.referrals.lifecycle import HELPING, LIVE, Actor, Status

#: The client's own word and nobody reached: never a gap of supply by themselves.
NO_GAP = ("U17", "U18")
NO_ANSWER, NO_ROOM, NO_HELP, OTHER = "U15", "U03", "U16", "U99"
#: A hold for this counts from its first day: the service has no place.
WAITS_FOR_PLACE = "waiting_for_place"
#: A hold that tells nothing of the service.
_CLIENTS_OWN = ("institutionalised",)
_IN_VAIN = (Status.REJECTED, Status.FAILED, Status.CANCELLED)


@dataclass(frozen=True)
class Search:
    """A match run; `tally` is the match's."""

    id: UUID
    at: datetime
    tally: Mapping[str, Any]


@dataclass(frozen=True)
class Answer:
    """The client's word on the options: they took one, or said no to all and why (unmet-need reason codes)."""

    id: UUID
    at: datetime
    took: bool
    reasons: Sequence[str] = ()
    receipt_id: UUID | None = None


@dataclass(frozen=True)
class Sent:
    """One referral that went out, as it stands.

    helping_at    since when the agency is helping; None: it never said yes
    silent_at     from then on silence may be taken for an answer; None: it may not
    held_at       since when it lies on hold; with `held_code`, `held_reason`
    held_long_at  from then on a hold is a gap, whatever it is for
    ended_by, ended_code, ended_party, ended_reason   of the step that ended it; the reason is an unmet-need reason
    client_says   one of Received, at `said_at`; None: not asked yet
    """

    id: UUID
    at: datetime
    status: Status
    helping_at: datetime | None = None
    silent_at: datetime | None = None
    held_at: datetime | None = None
    held_code: str | None = None
    held_reason: str | None = None
    held_long_at: datetime | None = None
    ended_at: datetime | None = None
    ended_by: Actor | None = None
    ended_code: str | None = None
    ended_party: str | None = None
    ended_reason: str | None = None
    client_says: str | None = None
    said_at: datetime | None = None


@dataclass(frozen=True)
class History:
    searches: Sequence[Search] = ()
    answers: Sequence[Answer] = ()
    referrals: Sequence[Sent] = ()


@dataclass(frozen=True)
class Gap:
    """Nothing meets the need: what showed it last, why, what else, and everything that stands behind it.

    since      when it was first shown
    evidence   {receipts, choices, referrals: ids in the order in which they happened}
    """

    origin: Origin
    reason: str
    secondary: tuple[str, ...]
    since: datetime
    evidence: Mapping[str, list[str]]


@dataclass(frozen=True)
class Helped:
    """Help came or is being given, since when."""

    closing: Closing
    at: datetime


@dataclass(frozen=True)
class _Word:
    """What one search, answer or referral says."""

    at: datetime
    id: UUID
    kind: str
    origin: Origin
    reasons: tuple[str, ...]
    receipt_id: UUID | None = None


class _Dated(Protocol):
    @property
    def id(self) -> UUID: ...
    @property
    def at(self) -> datetime: ...


@dataclass
class _Chain:
    """The words that still hold, in order."""

    words: list[_Word] = field(default_factory=list)

    def add(self, word: _Word) -> None:
        self.words.append(word)

    def drop(self, *origins: Origin) -> None:
        self.words = [word for word in self.words if word.origin not in origins]


def gap_of(history: History, *, now: datetime, after: datetime | None = None) -> Gap | None:
    """The gap that a need's history shows at `now`; None while help is hoped for, came, or nothing was tried.

    after   what was known up to then has been answered: only what came later counts

    The last word gives the reason; other words stand beside it, newest first. A search that finds somebody takes
    back what earlier searches said, and an option that is taken the client's earlier no.
    """
    if helped(history, now=now) is not None or _is_hoped_for(history, now=now):
        return None
    words = [word for word in _words(history, now=now) if after is None or word.at > after]
    if not words:
        return None
    last = words[-1]
    told = [code for word in reversed(_latest_searches(words)) for code in word.reasons]
    return Gap(
        last.origin,
        last.reasons[0],
        tuple(_once(code for code in told if code != last.reasons[0])),
        words[0].at,
        {
            "receipts": _once(
                str(word.receipt_id or word.id)
                for word in words
                if word.kind == "receipts" or word.receipt_id
            ),
            "choices": _once(str(word.id) for word in words if word.kind == "choices"),
            "referrals": _once(str(word.id) for word in words if word.kind == "referrals"),
        },
    )


def helped(history: History, *, now: datetime) -> Helped | None:
    """Whether help came or is being given; the latest of several."""
    found = [one for sent in history.referrals if (one := _helped(sent, now)) is not None]
    return max(found, key=lambda one: (one.closing is Closing.MET, one.at), default=None)


def found_at(history: History) -> datetime | None:
    """When the last search found somebody with room; None where it did not."""
    last = max(history.searches, key=_order, default=None)
    return last.at if last is not None and not reasons_of(last.tally) else None


def taken_at(history: History) -> datetime | None:
    """When the client took an option, where that is their last answer."""
    last = max(history.answers, key=_order, default=None)
    return last.at if last is not None and last.took else None


def _helped(sent: Sent, now: datetime) -> Helped | None:
    if sent.status is Status.COMPLETED and sent.client_says != Received.NO:
        yes = sent.client_says == Received.YES
        at = (sent.said_at if yes else sent.ended_at) or sent.at
        return Helped(Closing.MET if yes else Closing.FITTING_SERVICE, at)
    is_helping = sent.status in HELPING or sent.status is Status.ON_HOLD
    if is_helping and sent.helping_at is not None and _trouble(sent, now) is None:
        return Helped(Closing.FITTING_SERVICE, sent.helping_at)
    return None


def _is_hoped_for(history: History, *, now: datetime) -> bool:
    """Whether a referral is running about which nothing says that it is in vain."""
    return any(sent.status in LIVE and _trouble(sent, now) is None for sent in history.referrals)


def _words(history: History, *, now: datetime) -> list[_Word]:
    chain = _Chain()
    events: list[tuple[datetime, int, UUID, Any]] = [
        *((one.at, 0, one.id, one) for one in history.searches),
        *((one.at, 1, one.id, one) for one in history.answers),
    ]
    for sent in history.referrals:
        word = _trouble(sent, now)
        if word is not None:
            events.append((word.at, 2, sent.id, word))
    for *_, one in sorted(events, key=lambda event: event[:3]):
        if isinstance(one, Search):
            _search(chain, one)
        elif isinstance(one, Answer):
            _answer(chain, one)
        else:
            chain.add(one)
    return chain.words


def _search(chain: _Chain, search: Search) -> None:
    reasons = reasons_of(search.tally)
    if not reasons:
        chain.drop(Origin.NO_MATCH, Origin.ALL_FAILED)
        return
    is_empty = search.tally["considered"] - search.tally["failed"].get("active", 0) <= 0
    origin = Origin.NO_MATCH if is_empty else Origin.ALL_FAILED
    chain.add(_Word(search.at, search.id, "receipts", origin, reasons))


def _answer(chain: _Chain, answer: Answer) -> None:
    if answer.took:
        chain.drop(Origin.CLIENT_NO, Origin.NO_MATCH, Origin.ALL_FAILED)
        return
    # A reason that lies with the services counts; that the client said no stands second.
    given = [code for code in answer.reasons if code not in NO_GAP]
    reasons = tuple(_once([*given, "U17"]))
    chain.add(_Word(answer.at, answer.id, "choices", Origin.CLIENT_NO, reasons, answer.receipt_id))


def _trouble(sent: Sent, now: datetime) -> _Word | None:
    """What a referral says about a gap at `now`; None where it says nothing, or is still hoped for."""

    def word(origin: Origin, at: datetime | None, reason: str) -> _Word:
        return _Word(at or sent.at, sent.id, "referrals", origin, (reason,))

    if sent.status is Status.ON_HOLD:
        return _held(sent, now, word)
    if sent.status in LIVE:
        is_silent = sent.silent_at is not None and sent.silent_at <= now
        return word(Origin.NO_RESPONSE, sent.silent_at, NO_ANSWER) if is_silent else None
    if sent.status is Status.COMPLETED:
        denied = sent.client_says == Received.NO
        return word(Origin.NOT_HELPED, sent.said_at, NO_HELP) if denied else None
    if sent.status not in _IN_VAIN or sent.ended_reason is None:
        return None
    if sent.ended_code == "no_response":
        return word(Origin.NO_RESPONSE, sent.ended_at, sent.ended_reason)
    is_clients = sent.ended_party == "client" or sent.ended_by is Actor.CLIENT
    if sent.status is Status.CANCELLED and not is_clients and sent.ended_by is not Actor.AGENCY:
        return None  # the worker took it back and knows why
    return word(
        Origin.WITHDRAWN if is_clients else Origin.DECLINED, sent.ended_at, sent.ended_reason
    )


def _held(sent: Sent, now: datetime, word: Any) -> _Word | None:
    if sent.held_at is None or sent.held_code in _CLIENTS_OWN:
        return None
    from_at = sent.held_at if sent.held_code == WAITS_FOR_PLACE else sent.held_long_at
    if from_at is None or from_at > now:
        return None
    held: _Word = word(Origin.LONG_HOLD, from_at, sent.held_reason or NO_ROOM)
    return held


def _latest_searches(words: Sequence[_Word]) -> list[_Word]:
    """The words without the reasons of searches that were asked again: the newest knows best."""
    searches = [word for word in words if word.origin in (Origin.NO_MATCH, Origin.ALL_FAILED)]
    return [word for word in words if word not in searches[:-1]]


def _order(one: _Dated) -> tuple[datetime, UUID]:
    return one.at, one.id


def _once(codes: Iterable[str]) -> list[str]:
    return list(dict.fromkeys(codes))
