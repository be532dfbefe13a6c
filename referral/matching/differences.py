"""What two answers to one question tell otherwise, and why, in sentences without a fact of the person. Pure.

Sentences of rules may repeat what is known of the person ("this person is 16"); those here name the rule alone.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from referral.core.text import Message
from referral.matching.receipts import PARTS

Entry = Mapping[str, Any]
#: icons of the facts of an entry, and which part of the listing each tells
FACTS = {
    "clock": "hours",
    "users": "room",
    "banknote": "cost",
    "shield-check": "check",
    "shield-alert": "check",
    "phone-off": "phone",
    "triangle-alert": "doubt",
}
#: what may have happened to a service, the weightiest first
KINDS = ("gained", "lost", "moved", "changed", "near_miss")
_TOLD_APART = 1e-9


@dataclass(frozen=True)
class Since:
    """What became of a listing between two answers.

    changed  it was written to at all; `fields` names what, as far as that is known
    is_new   it was not yet in the directory
    gone     it is not offered any more, or stands under another listing
    failed   what keeps it from being an option now, where the new answer does not list it
    """

    changed: bool = False
    fields: tuple[Message, ...] = ()
    is_new: bool = False
    gone: bool = False
    failed: tuple[str, ...] = ()


@dataclass(frozen=True)
class Difference:
    """A service that the later answer tells otherwise.

    kind    gained (is an option now), lost, moved (another rank), changed (same rank), near_miss
    ranks   places in its list, from 1; None: not listed as an option
    """

    kind: str
    site_id: str
    service_id: str
    name: str
    rank_then: int | None
    rank_now: int | None
    effective_km_then: float | None
    effective_km_now: float | None
    reasons: tuple[Message, ...]

    @property
    def change(self) -> Message:
        """What happened to it: "place 1 then, place 3 now"."""
        ranks = {"then": self.rank_then, "now": self.rank_now}
        return Message(
            f"repeat.change.{self.kind}",
            {name: rank for name, rank in ranks.items() if rank is not None},
        )

    @property
    def sentence(self) -> Message:
        """The service and what happened to it."""
        return Message("repeat.line", {"name": self.name, "change": self.change})

    @property
    def told(self) -> tuple[Message, ...]:
        """Its effective km where they differ, then the reasons."""
        then, now = self.effective_km_then, self.effective_km_now
        if then is None or now is None or then == now:
            return self.reasons
        return (Message("repeat.effective", {"then": then, "now": now}), *self.reasons)


@dataclass(frozen=True)
class Comparison:
    """All that differs: service by service, and what is told of the whole."""

    differences: tuple[Difference, ...]
    general: tuple[Message, ...]

    @property
    def is_equal(self) -> bool:
        return not self.differences and not self.general


def compare(
    then: Mapping[str, Any],
    now: Mapping[str, Any],
    *,
    since: Mapping[str, Since] | None = None,
    otherwise: Sequence[Message] = (),
) -> Comparison:
    """How `now` differs from `then`, both contents of receipts.

    since      what became of listings, by service_at_location id
    otherwise  the reasons to give where nothing about the service itself tells
    """
    comparing = _Comparing(then, now, since or {}, tuple(otherwise))
    return Comparison(tuple(comparing.differences()), tuple(comparing.general()))


def missing(then: Mapping[str, Any], now: Mapping[str, Any]) -> list[str]:
    """Services at places that were listed then and are not listed now."""
    listed = {one["service_at_location_id"] for part in PARTS for one in now[part]}
    return [
        one["service_at_location_id"]
        for part in PARTS
        for one in then[part]
        if one["service_at_location_id"] not in listed
    ]


@dataclass(frozen=True)
class _Place:
    part: str
    rank: int
    entry: Entry

    @property
    def is_option(self) -> bool:
        return self.part != "why_not"


@dataclass(frozen=True)
class _Comparing:
    then: Mapping[str, Any]
    now: Mapping[str, Any]
    since: Mapping[str, Since]
    otherwise: tuple[Message, ...]
    places: tuple[dict[str, _Place], dict[str, _Place]] = field(init=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "places", (_places(self.then), _places(self.now)))

    def differences(self) -> list[Difference]:
        before, after = self.places
        found = [self._of(site_id) for site_id in dict.fromkeys((*before, *after))]
        told = [one for one in found if one is not None]
        return sorted(
            told, key=lambda one: (KINDS.index(one.kind), one.rank_now or one.rank_then or 0)
        )

    def general(self) -> list[Message]:
        told = []
        then_km, now_km = self.then["query"]["step_km"], self.now["query"]["step_km"]
        if then_km != now_km:
            told.append(Message("repeat.step", {"then": then_km, "now": now_km}))
        for part in PARTS:
            counts = [_count(content, part) for content in (self.then, self.now)]
            if counts[0] != counts[1]:
                told.append(
                    Message(
                        "repeat.count",
                        {
                            "list": Message(f"match.list.{part}"),
                            "then": counts[0],
                            "now": counts[1],
                        },
                    )
                )
        if not told and self.then["coverage"] != self.now["coverage"]:
            told.append(Message("repeat.coverage"))
        return told

    def _of(self, site_id: str) -> Difference | None:
        then, now = (places.get(site_id) for places in self.places)
        kind = self._kind(then, now)
        if kind is None:
            return None
        entry = (now or then).entry  # type: ignore[union-attr]  # one of the two is there
        return Difference(
            kind,
            site_id,
            entry["service_id"],
            entry["name"],
            then.rank if then and then.is_option else None,
            now.rank if now and now.is_option else None,
            then.entry["effective_km"] if then else None,
            now.entry["effective_km"] if now else None,
            tuple(self._reasons(site_id, then, now)) or self.otherwise,
        )

    def _kind(self, then: _Place | None, now: _Place | None) -> str | None:
        was, is_ = bool(then and then.is_option), bool(now and now.is_option)
        if was != is_:
            return "gained" if is_ else "lost"
        if then is None or now is None or not is_:
            same = then and now and then.rank == now.rank and not _differ(then.entry, now.entry)
            return None if same else "near_miss"
        if (then.part, then.rank) != (now.part, now.rank):
            return "moved"
        return "changed" if _differ(then.entry, now.entry) else None

    def _reasons(self, site_id: str, then: _Place | None, now: _Place | None) -> list[Message]:
        since = self.since.get(site_id, Since())
        reasons: list[Message] = []
        if then is None:
            reasons.append(Message("repeat.new" if since.is_new else "repeat.came_up"))
        elif now is None:
            reasons.append(_went(since))
        else:
            reasons += _told_otherwise(then.entry, now.entry, self._step_moved())
            if not reasons and then.is_option and now.is_option:
                reasons += self._overtaken(then, now)
        if reasons and since.fields and not since.is_new:
            reasons.append(Message("repeat.fields", {"fields": list(since.fields)}))
        elif reasons and since.changed and not since.is_new and not since.gone:
            reasons.append(Message("repeat.listing_changed"))
        return reasons

    def _step_moved(self) -> tuple[float, float] | None:
        steps = self.then["query"]["step_km"], self.now["query"]["step_km"]
        return steps if steps[0] != steps[1] else None

    def _overtaken(self, then: _Place, now: _Place) -> list[Message]:
        """Who stands before it now and did not, and the other way round."""
        ahead = [
            {one["service_at_location_id"] for one in content[place.part][: place.rank - 1]}
            for content, place in ((self.then, then), (self.now, now))
        ]
        came, went = len(ahead[1] - ahead[0]), len(ahead[0] - ahead[1])
        if not came and not went:
            return []
        return [Message("repeat.others", {"came": came, "went": went})]


def _places(content: Mapping[str, Any]) -> dict[str, _Place]:
    return {
        one["service_at_location_id"]: _Place(part, rank, one)
        for part in PARTS
        for rank, one in enumerate(content[part], 1)
    }


def _count(content: Mapping[str, Any], part: str) -> int:
    return int(content["why_not_total"] if part == "why_not" else content["tally"][part])


def _differ(then: Entry, now: Entry) -> bool:
    """A receipt of an earlier version of the program may tell less: only what both tell is compared."""
    return any(then[name] != now[name] for name in then.keys() & now.keys())


def _went(since: Since) -> Message:
    if since.gone:
        return Message("repeat.gone")
    if since.failed:
        return Message("repeat.fails_now", {"gates": _gates(since.failed)})
    return Message("repeat.fell_behind")


def _gates(rules: Sequence[str]) -> list[Message]:
    return [Message(f"repeat.gate.{rule}") for rule in rules]


def _told_otherwise(
    then: Entry, now: Entry, step_moved: tuple[float, float] | None
) -> list[Message]:
    """Why the two entries of one service differ, number by number."""
    return [
        *_verdicts(then, now),
        *_distances(then, now),
        *_penalties(then, now, step_moved),
        *_words(then, now),
    ]


def _verdicts(then: Entry, now: Entry) -> list[Message]:
    told = []
    was = {one["rule"]: one for one in then["verdicts"]}
    for one in now["verdicts"]:
        before = was.pop(one["rule"], None)
        gate = Message(f"repeat.gate.{one['rule']}")
        if before is None:
            told.append(Message("repeat.gate_added", {"gate": gate}))
        elif before["verdict"] != one["verdict"]:
            told.append(
                Message(
                    "repeat.verdict",
                    {
                        "gate": gate,
                        "then": Message(f"repeat.outcome.{before['verdict']}"),
                        "now": Message(f"repeat.outcome.{one['verdict']}"),
                    },
                )
            )
        elif before["message"] != one["message"]:
            told.append(Message("repeat.condition", {"gate": gate}))
    told += [Message("repeat.gate_left", {"gate": Message(f"repeat.gate.{rule}")}) for rule in was]
    if then["group"] != now["group"]:
        told.append(Message("repeat.group", {"group": Message(f"match.group.{now['group']}")}))
    return told


def _distances(then: Entry, now: Entry) -> list[Message]:
    before, after = then["distance_km"], now["distance_km"]
    if before == after:
        if then["precision_km"] != now["precision_km"]:
            return [Message("repeat.precision")]
        if then.get("measured_from_area", now["measured_from_area"]) != now["measured_from_area"]:
            return [Message("repeat.measured_from")]
        return []
    if before is None:
        return [Message("repeat.distance_known", {"now": after})]
    if after is None:
        return [Message("repeat.distance_unknown", {"then": before})]
    return [Message("repeat.distance", {"then": before, "now": after})]


def _penalties(then: Entry, now: Entry, step_moved: tuple[float, float] | None) -> list[Message]:
    before = {one["rule"]: one["steps"] for one in then["penalties"]}
    after = {one["rule"]: one["steps"] for one in now["penalties"]}
    told = []
    for rule in dict.fromkeys((*before, *after)):
        penalty = Message(f"penalties.rule.{rule}")
        if rule not in after:
            told.append(Message("repeat.penalty_left", {"penalty": penalty}))
        elif rule not in before:
            told.append(Message("repeat.penalty_added", {"penalty": penalty, "steps": after[rule]}))
        elif abs(before[rule] - after[rule]) > _TOLD_APART:
            told.append(
                Message(
                    "repeat.penalty_steps",
                    {"penalty": penalty, "then": before[rule], "now": after[rule]},
                )
            )
    if step_moved and before and after:
        told.append(Message("repeat.step", {"then": step_moved[0], "now": step_moved[1]}))
    return told


def _words(then: Entry, now: Entry) -> list[Message]:
    told = []
    if (then["name"], then["organization"]) != (now["name"], now["organization"]):
        told.append(Message("repeat.renamed"))
    if "way" in then and then["way"] != now["way"] and then["distance_km"] and now["distance_km"]:
        told.append(Message("repeat.way"))
    if "phones" in then and then["phones"] != now["phones"]:
        told.append(Message("repeat.fact.phone"))
    before, after = (_facts(entry) for entry in (then, now))
    told += [
        Message(f"repeat.fact.{part}")
        for part in dict.fromkeys((*before, *after))
        if before.get(part) != after.get(part)
    ]
    return told


def _facts(entry: Entry) -> dict[str, list[Any]]:
    found: dict[str, list[Any]] = {}
    for fact in entry["facts"]:
        found.setdefault(FACTS.get(fact["icon"], "other"), []).append(fact["message"])
    return found
