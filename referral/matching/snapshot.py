"""The columns of an index in one file that every process can map into its memory. Pure.

A small beginning says how the file is laid out; behind it the arrays lie as they are in memory, and last
the different facts as JSON. A file of another layout, of other rules, cut off or changed is refused.
"""

import json
import os
import struct
import zlib
from collections.abc import Mapping, Sequence
from dataclasses import fields
from datetime import date, datetime
from hashlib import sha256
from pathlib import Path
from typing import Any

import numpy as np

from referral.core.text import Message
from referral.directory.opening import OpeningRow
from referral.matching.columns import ARRAYS, GROUPS, Columns, form_of
from referral.matching.facts import Document, Offer
from referral.matching.postings import BLOCK, Posting

_MAGIC = b"JEJARING"
_BEGINNING = struct.Struct("<8sQII")  # magic, length of the layout, its checksum, that of the facts
_ALIGNED = 64


class Unusable(ValueError):
    """The file is no snapshot of this program's; make a new one."""


def form() -> str:
    """Names what the snapshot is made of: another version of these classes can't be read."""
    parts: list[Any] = [sorted(GROUPS.items()), ARRAYS, BLOCK]
    parts += [
        [(each.name, str(each.type)) for each in fields(kind)]
        for kind in (Offer, OpeningRow, Document)
    ]
    return sha256(repr(parts).encode()).hexdigest()[:16]


def write(columns: Columns, path: Path, *, head: Mapping[str, Any]) -> None:
    """Keep the columns at `path`, whole or not at all. `head`: what they were read from, as JSON values."""
    arrays = {"codes": columns.codes.view(np.uint8).reshape(len(columns), -1), **columns.arrays}
    postings = {}
    for key, posting in columns.postings.items():
        arrays |= {
            f"rows/{key}": posting.rows,
            f"centres/{key}": posting.centres,
            f"radii/{key}": posting.radii,
        }
        postings[key] = [posting.here, posting.elsewhere, posting.due, posting.in_time]
    facts = json.dumps(
        {name: list(those) for name, those in columns.values.items()},
        default=_as_json,
        separators=(",", ":"),
    ).encode()
    layout: dict[str, Any] = {"form": form(), "head": dict(head), "postings": postings}
    layout["arrays"] = {}
    end = 0
    for name, array in arrays.items():
        layout["arrays"][name] = [array.dtype.str, array.shape, end]
        end = _up(end + array.nbytes)
    layout["facts"] = [end, len(facts)]
    beginning = json.dumps(layout).encode()
    aside = path.with_name(f"{path.name}.{os.getpid()}")
    with aside.open("wb") as file:
        file.write(
            _BEGINNING.pack(_MAGIC, len(beginning), zlib.crc32(beginning), zlib.crc32(facts))
        )
        file.write(beginning)
        start = _up(file.tell())
        for name, array in arrays.items():
            file.seek(start + layout["arrays"][name][2])
            file.write(np.ascontiguousarray(array).data)
        file.seek(start + end)
        file.write(facts)
        file.flush()
        os.fsync(file.fileno())
    aside.replace(path)


def read(path: Path) -> tuple[Columns, dict[str, Any]]:
    """The columns kept at `path`, mapped and not copied, and what they were read from. Raises Unusable."""
    try:
        with path.open("rb") as file:
            magic, length, layout_sum, facts_sum = _BEGINNING.unpack(file.read(_BEGINNING.size))
            beginning = file.read(length if magic == _MAGIC else 0)
            if not beginning or zlib.crc32(beginning) != layout_sum:
                raise Unusable("its beginning is damaged")
            layout = json.loads(beginning)
            if layout["form"] != form():
                raise Unusable("another version made it")
            start = _up(file.tell())
            at, size = layout["facts"]
            file.seek(start + at)
            facts = file.read(size)
            if len(facts) != size or zlib.crc32(facts) != facts_sum:
                raise Unusable("it is cut off or damaged")
        whole = np.asarray(np.memmap(path, np.uint8, "r"))
    except (OSError, struct.error) as error:
        raise Unusable(str(type(error).__name__)) from error

    def array(name: str) -> Any:
        kind, shape, offset = layout["arrays"][name]
        count = int(np.prod(shape)) * np.dtype(kind).itemsize
        begins = start + offset
        return whole[begins : begins + count].view(kind).reshape(shape)

    values = {name: _Facts(those) for name, those in json.loads(facts).items()}
    postings = {
        key: Posting(
            array(f"rows/{key}"),
            here,
            elsewhere,
            due,
            in_time,
            array(f"centres/{key}"),
            array(f"radii/{key}"),
        )
        for key, (here, elsewhere, due, in_time) in layout["postings"].items()
    }
    form_of_codes = form_of({name: len(those) for name, those in values.items()})
    codes = array("codes").view(form_of_codes).reshape(-1)
    arrays = {name: array(name) for name in ARRAYS}
    return Columns(values, codes, arrays, postings), layout["head"]


class _Facts(Sequence[tuple[Any, ...]]):
    """The different facts of a group, each made of its JSON when somebody asks for it."""

    def __init__(self, kept: list[list[Any]]):
        self._kept = kept

    def __len__(self) -> int:
        return len(self._kept)

    def __getitem__(self, at: Any) -> Any:
        return tuple(_revived(one) for one in self._kept[at])


def _up(size: int) -> int:
    return -(-size // _ALIGNED) * _ALIGNED


def _as_json(value: Any) -> dict[str, Any]:
    if isinstance(value, datetime):
        return {"moment": value.isoformat()}
    if isinstance(value, date):
        return {"day": value.isoformat()}
    if isinstance(value, Document):
        return {"document": [value.code, value.name, value.how_to_get]}
    if isinstance(value, OpeningRow):
        given = {each.name: getattr(value, each.name) for each in fields(OpeningRow)}
        return {"hours": {name: one for name, one in given.items() if one is not None}}
    if isinstance(value, Message):
        return {"message": value.as_json()}
    if isinstance(value, Mapping):
        return dict(value)
    raise TypeError(f"a snapshot has no form for {type(value).__name__}")


def _revived(value: Any) -> Any:
    if isinstance(value, list):
        return tuple(_revived(one) for one in value)
    if not isinstance(value, dict):
        return value
    for name, revive in _REVIVE.items():
        if name in value:
            return revive(value[name])
    return value  # categories, which are capitals and digits


_REVIVE: Mapping[str, Any] = {
    "moment": datetime.fromisoformat,
    "day": date.fromisoformat,
    "document": lambda facts: Document(*facts),
    "hours": lambda facts: OpeningRow(**{name: _revived(one) for name, one in facts.items()}),
    "message": Message.from_json,
}
