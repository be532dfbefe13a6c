"""What a planner may ask of the map, and how a question is fitted to what is published. Pure."""

from collections.abc import Collection
from dataclasses import dataclass, replace
from enum import StrEnum

from referral.core.text import Message
from referral.planning.gaps.cuts import ALL, CUTS, Key, Tree


class Layer(StrEnum):
    """One measure that a map shows and a column holds."""

    #: people whom nothing met
    UNMET = "unmet"
    #: people who asked
    ASKED = "asked"
    #: of a hundred who asked, those whom nothing met
    SHARE = "share"
    #: people whom nothing met, of 100,000 residents
    PER_100K = "per_100k"
    #: part of those who asked within reach of an open service
    COVERAGE = "coverage"
    #: places for a hundred people who asked
    RATIO = "ratio"
    #: the same by balanced floating catchment areas
    BALANCED = "balanced"
    #: km to the nearest open service
    NEAREST = "nearest"
    #: services that stand in the area
    SERVICES = "services"
    #: services for 100,000 residents
    SERVICES_PER_100K = "services_per_100k"
    #: proposals for a new resource, under way or opened
    PROPOSALS = "proposals"


#: Layers that count needs; all others are told from the public directory.
NEEDS = (Layer.UNMET, Layer.ASKED, Layer.SHARE, Layer.PER_100K)
#: Layers that want an access run.
STORED = (Layer.COVERAGE, Layer.RATIO, Layer.BALANCED, Layer.NEAREST)
#: Layers where less is worse.
MORE_IS_BETTER = (Layer.COVERAGE, Layer.RATIO, Layer.BALANCED)
#: Layers that are neither good nor bad by themselves.
NEUTRAL = (Layer.ASKED, Layer.SERVICES, Layer.SERVICES_PER_100K, Layer.PROPOSALS)
#: Layers of whole numbers.
COUNTS = (Layer.UNMET, Layer.ASKED, Layer.SERVICES, Layer.PROPOSALS)


class Form(StrEnum):
    """What carries the colours."""

    AREAS = "areas"
    HEXAGONS = "hexagons"


class Level(StrEnum):
    """The areas a table has a row for."""

    REGENCY = "regency"
    PROVINCE = "province"


@dataclass(frozen=True)
class Question:
    """What is to be shown; "" is all.

    category   leaf or domain;  reason  code or axis;  period  a quarter of the release
    system     kind of resource system, for the layers of services
    within     province that is looked at
    """

    category: str = ALL
    reason: str = ALL
    period: str = ALL
    system: str = ALL
    layer: Layer = Layer.UNMET
    form: Form = Form.AREAS
    level: Level = Level.REGENCY
    within: str = ALL

    def key(self, area: str) -> Key:
        """The figure of an area this asks for."""
        return Key(area, self.category, self.reason, self.period)


@dataclass(frozen=True)
class Fitted:
    """The question as it can be answered, and what had to be taken wider for it."""

    question: Question
    notes: list[Message]


def fitted(asked: Question, tree: Tree, quarters: Collection[str]) -> Fitted:
    """The nearest question that published figures answer. Widening is told, never silent."""
    question, notes = asked, []
    if question.period and question.period not in quarters:
        question = replace(question, period=ALL)
        notes.append(Message("map.note.period", {"period": asked.period}))
    if question.layer not in NEEDS and (question.reason or question.period):
        question = replace(question, reason=ALL, period=ALL)
        notes.append(Message("map.note.needs_only"))
    if question.layer is Layer.ASKED and question.reason:
        question = replace(question, reason=ALL)
        notes.append(Message("map.note.asked_reason"))
    if question.reason and question.period:
        question = replace(question, period=ALL)
        notes.append(Message("map.note.reason_or_period"))
    if question.layer in NEEDS and question.system:
        question = replace(question, system=ALL)
        notes.append(Message("map.note.supply_only"))
    if (question.reason or question.period) and (
        question.level is Level.REGENCY or tree.level(question.key(ALL), "category") > 1
    ):
        notes.append(
            Message("map.note.province_reason" if question.reason else "map.note.province_period")
        )
        question = replace(question, level=Level.PROVINCE, category=_domain(question, tree))
    return Fitted(question, notes)


def _domain(question: Question, tree: Tree) -> str:
    key = Key(category=question.category)
    while tree.level(key, "category") > max(cut.category for cut in CUTS if cut.reason):
        key = tree.wider(key, "category") or Key()
    return key.category
