"""Looks for personal texts in files: every window of twelve characters, names and numbers, in several encodings."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any
from urllib.parse import unquote_to_bytes

import numpy as np
from sqlalchemy import inspect, select
from sqlalchemy.orm import Session

from referral.core.sealing import Sealed, Sealing
from referral.matching.models import MatchReceipt, VisitPlan
from referral.tables import metadata  # noqa: F401 - loads every model

WINDOW = 12
#: odd multiplier of the rolling hash, of whose 32 bits the upper 24 are used; overflow is meant
_BASE = np.uint32(0x9E3779B1)
_UNUSED_BITS, _USED_BITS = 8, 24


@dataclass(frozen=True)
class Traces:
    """What to look for, in lower case: windows of longer texts, and words whole."""

    windows: frozenset[bytes]
    words: frozenset[bytes]

    def __len__(self) -> int:
        return len(self.windows) + len(self.words)

    @cached_property
    def hashes(self) -> np.ndarray[Any, Any]:
        """For each hash there can be whether a window has it."""
        has = np.zeros(1 << _USED_BITS, dtype=bool)
        for window in self.windows:
            has[_hashes(window)] = True
        return has

    def without(self, known: Iterable[bytes]) -> "Traces":
        known = frozenset(known)
        return Traces(self.windows - known, self.words - known)


def traces(texts: Iterable[str], names: Iterable[str], numbers: Iterable[str]) -> Traces:
    """What these texts, names and phone numbers would leave behind."""
    windows = set()
    for text in texts:
        plain = text.lower().encode()
        windows |= {plain[at : at + WINDOW] for at in range(len(plain) - WINDOW + 1)}
    words = {word.lower().encode() for name in names for word in (name, name.split()[0])}
    words |= {form.encode() for number in numbers for form in forms_of(number)}
    return Traces(frozenset(windows), frozenset(words))


def forms_of(number: str) -> set[str]:
    """Ways to write a number kept as +62812…"""
    local = number.removeprefix("+62")
    groups = [local[:3], local[3:7], local[7:]]
    spaced = {sep.join(groups) for sep in (" ", "-", ".")}
    return {number, local, f"0{local}", f"62{local}"} | {f"0{one}" for one in spaced} | spaced


def sealed_texts(session: Session) -> list[str]:
    """Every text that some row holds sealed, opened; receipts left out, they repeat the public directory.

    So are plans of visits: they hold ids and days.
    """
    found: list[str] = []
    for mapper in Sealing.__subclasses__():
        if mapper in (MatchReceipt, VisitPlan):
            continue
        names = [name for name, value in vars(mapper).items() if isinstance(value, Sealed)]
        assert inspect(mapper).local_table is not None
        for row in session.scalars(select(mapper)):
            found += (text for name in names for text in _texts(getattr(row, name)))
    return found


def _texts(value: Any) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict):
        for each in value.values():
            yield from _texts(each)
    elif isinstance(value, list):
        for each in value:
            yield from _texts(each)


def found_in(folder: Path, wanted: Traces) -> dict[str, set[bytes]]:
    """Which traces are in which files under `folder`; empty when there is none."""
    found = {}
    for path in sorted(folder.rglob("*")):
        if path.is_file():
            here = set().union(*(_found(stream, wanted) for stream in _streams(path.read_bytes())))
            if here:
                found[str(path.relative_to(folder))] = here
    return found


def _streams(data: bytes) -> Iterator[bytes]:
    """The bytes as they are, as UTF-16 (every other byte, either way), and with escapes of URLs undone."""
    data = data.lower()
    yield data
    yield data[0::2]
    yield data[1::2]
    yield unquote_to_bytes(data.replace(b"+", b" "))


def _found(data: bytes, wanted: Traces) -> set[bytes]:
    found = {word for word in wanted.words if word in data}
    if len(data) >= WINDOW and wanted.windows:
        for at in np.flatnonzero(wanted.hashes[_hashes(data)]):
            window = data[at : at + WINDOW]
            if window in wanted.windows:
                found.add(window)
    return found


def _hashes(data: bytes) -> np.ndarray[Any, Any]:
    """A number for each window of the data."""
    every = np.frombuffer(data, dtype=np.uint8)
    count = len(every) - WINDOW + 1
    total = np.zeros(count, dtype=np.uint32)
    for at in range(WINDOW):
        total *= _BASE
        total += every[at : at + count]
    return total >> _UNUSED_BITS
