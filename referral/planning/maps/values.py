"""One value as a map and its table may show it, and the classes of colour it falls into. Pure."""

import math
from bisect import bisect_right
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from enum import StrEnum

CLASSES = 5


class Kind(StrEnum):
    """What is known of a value."""

    #: it is told
    TOLD = "told"
    #: 1 … threshold-1
    SMALL = "small"
    #: hidden so that a small one can't be worked out
    WITHHELD = "withheld"
    #: nobody knows; not the same as none
    NO_DATA = "no_data"
    #: the directory has no such service anywhere
    NONE_ANYWHERE = "none_anywhere"


@dataclass(frozen=True)
class Value:
    """A measure of one area; `number` is None unless it is told. `few`: hidden counts beside a hexagon's sum."""

    kind: Kind
    number: float | None = None
    few: int = 0


NO_DATA = Value(Kind.NO_DATA)
SMALL = Value(Kind.SMALL)
WITHHELD = Value(Kind.WITHHELD)
NONE_ANYWHERE = Value(Kind.NONE_ANYWHERE)
ZERO = Value(Kind.TOLD, 0.0)


def told(number: float) -> Value:
    """A number, or what an array holds in its stead: NaN is not known, infinity is nowhere."""
    if math.isnan(number):
        return NO_DATA
    return NONE_ANYWHERE if math.isinf(number) else Value(Kind.TOLD, float(number))


@dataclass(frozen=True)
class Scale:
    """Classes of colour: class i holds from `edges[i]` up to the next edge. Zero of a count has its own class.

    edges    lower edges, the first being the smallest value that has a colour
    """

    edges: Sequence[float]
    is_count: bool = False

    def place(self, value: Value) -> str:
        """The class of a value: c0 … c4, zero, small, withheld, no_data or none_anywhere."""
        if value.kind is not Kind.TOLD or value.number is None:
            return value.kind.value
        if value.number == 0 and self.is_count:
            return Kind.SMALL.value if value.few else "zero"
        return self._colour(max(0, bisect_right(self.edges, value.number) - 1))

    def _colour(self, at: int) -> str:
        """Fewer classes are spread over the same ramp."""
        last = len(self.edges) - 1
        return f"c{round(at * (CLASSES - 1) / last) if last > 0 else CLASSES // 2}"

    @property
    def classes(self) -> list[tuple[str, float, float | None]]:
        """Colour, lower edge and the next class's (None: the last) of each class."""
        nexts: list[float | None] = [*self.edges[1:], None]
        # Without edges there is no last class either.
        pairs = zip(self.edges, nexts, strict=False)
        return [(self._colour(at), low, high) for at, (low, high) in enumerate(pairs)]


def scale(values: Iterable[Value], *, is_count: bool) -> Scale:
    """Classes with about equally many values each, and round edges."""
    numbers = sorted(
        value.number for value in values if value.number is not None and (value.number or not is_count)
    )  # fmt: skip
    if not numbers:
        return Scale((), is_count)
    first = round_down(numbers[0])
    edges = [first]
    for at in range(1, CLASSES):
        edge = rounded(numbers[len(numbers) * at // CLASSES])
        if is_count:
            edge = max(1.0, float(round(edge)))
        # A class that nothing falls into is none.
        low = edges[-1]
        if edge > low and any(low <= number < edge for number in numbers) and edge <= numbers[-1]:
            edges.append(edge)
    if is_count:
        edges[0] = max(1.0, math.floor(edges[0]))
    return Scale(tuple(edges), is_count)


def rounded(number: float) -> float:
    """A number near this one that is easily read: two digits at most, the second a 0 or a 5."""
    if not number:
        return 0.0
    step = 10.0 ** math.floor(math.log10(abs(number))) / 2
    return _tidy(round(number / step) * step)


def round_down(number: float) -> float:
    if not number:
        return 0.0
    step = 10.0 ** math.floor(math.log10(abs(number))) / 2
    return _tidy(math.floor(number / step) * step)


def _tidy(number: float) -> float:
    return float(f"{number:.3g}")
