"""A place in a story: where it starts and ends, and the words there."""

from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, order=True)
class Span:
    """start, end are Unicode code points in the unmodified text, end exclusive."""

    start: int
    end: int
    text: str

    def as_json(self) -> dict[str, Any]:
        return {"start": self.start, "end": self.end, "text": self.text}

    def overlaps(self, other: "Span") -> bool:
        return self.start < other.end and other.start < self.end


def span(text: str, start: int, end: int) -> Span:
    return Span(start, end, text[start:end])
