"""Our own facts as HSDS attributes: the vocabularies `jejaring:*`, read and written side by side. Pure.

| vocabulary             | attribute of     | code                          | value             |
| ---------------------- | ---------------- | ----------------------------- | ----------------- |
| `jejaring:category`    | service          | a code of our taxonomy        | stated, inferred  |
| `jejaring:sex`         | service          | female, male, any             |                   |
| `jejaring:desil_max`   | service          | 1 to 10, any                  |                   |
| `jejaring:disability`  | service          | a code of our list, any       |                   |
| `jejaring:capacity`    | service_capacity | our four codes                | last day it holds |
| `jejaring:confidential`| location         | yes                           |                   |
| `jejaring:remote`      | service          | phone, online                 |                   |
| `jejaring:answer_mode` | service          | replies, walk_in, decision    |                   |

`any` is a rule known to be open to all. A `jejaring:capacity` of a service is its capacity as of the day it was
last modified. A vocabulary or code that is not in this table stays an attribute like any other.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any

from referral.directory.kinds import (
    AnswerMode,
    CapacityStatus,
    CategoryBasis,
    Criterion,
    Remote,
)

PREFIX = "jejaring:"
ANY = "any"
CONFIDENTIAL = "yes"

CATEGORY = f"{PREFIX}category"
SEX = f"{PREFIX}sex"
DESIL_MAX = f"{PREFIX}desil_max"
DISABILITY = f"{PREFIX}disability"
CAPACITY = f"{PREFIX}capacity"
CONFIDENTIALITY = f"{PREFIX}confidential"
REMOTE = f"{PREFIX}remote"
ANSWER_MODE = f"{PREFIX}answer_mode"

#: vocabularies of eligibility rules
CRITERIA = {
    SEX: Criterion.SEX,
    DESIL_MAX: Criterion.DESIL,
    DISABILITY: Criterion.DISABILITY,
}


@dataclass(frozen=True)
class Fact:
    """One fact of ours: what an attribute in one of the vocabularies says.

    table    the table of ours it belongs to: service_category, eligibility_rule, or the row's own table
    values   our columns; a rule's `values` hold this one value, or none where it is open to all
    """

    table: str
    values: Mapping[str, Any]


def read(
    entity: str, vocabulary: str, code: str, value: str | None, known: Mapping[str, frozenset[str]]
) -> Fact | None:
    """What an attribute of a row says in our columns; None where the vocabularies have no such thing.

    known   vocabulary → its codes, for category and disability
    """
    reader = _READ.get((entity, vocabulary))
    return reader(code, value, known.get(vocabulary, frozenset())) if reader else None


def _read_category(code: str, value: str | None, known: frozenset[str]) -> Fact | None:
    if code not in known:
        return None
    basis = CategoryBasis.INFERRED if value == CategoryBasis.INFERRED else CategoryBasis.STATED
    return Fact("service_category", {"code": code, "basis": basis})


def _rule(criterion: Criterion, values: list[Any]) -> Fact:
    return Fact("eligibility_rule", {"criterion": criterion, "values": values})


def _read_sex(code: str, _value: str | None, _known: frozenset[str]) -> Fact | None:
    if code not in ("female", "male", ANY):
        return None
    return _rule(Criterion.SEX, [] if code == ANY else [code])


def _read_desil(code: str, _value: str | None, _known: frozenset[str]) -> Fact | None:
    if code == ANY:
        return _rule(Criterion.DESIL, [])
    if code.isascii() and code.isdigit() and 1 <= int(code) <= 10:
        return _rule(Criterion.DESIL, [int(code)])
    return None


def _read_disability(code: str, _value: str | None, known: frozenset[str]) -> Fact | None:
    if code != ANY and code not in known:
        return None
    return _rule(Criterion.DISABILITY, [] if code == ANY else [code])


def _read_capacity(code: str, value: str | None, _known: frozenset[str]) -> Fact | None:
    if code not in list(CapacityStatus):
        return None
    try:
        until = date.fromisoformat(value) if value else None
    except ValueError:
        until = None
    return Fact("service_capacity", {"status": CapacityStatus(code), "until": until})


def _read_confidential(code: str, _value: str | None, _known: frozenset[str]) -> Fact | None:
    return Fact("location", {"confidential": True}) if code == CONFIDENTIAL else None


def _read_remote(code: str, _value: str | None, _known: frozenset[str]) -> Fact | None:
    return Fact("service", {"remote": Remote(code)}) if code in list(Remote) else None


def _read_answer_mode(code: str, _value: str | None, _known: frozenset[str]) -> Fact | None:
    if code not in list(AnswerMode):
        return None
    return Fact("service", {"answer_mode": AnswerMode(code)})


_READ = {
    ("service", CATEGORY): _read_category,
    ("service", SEX): _read_sex,
    ("service", DESIL_MAX): _read_desil,
    ("service", DISABILITY): _read_disability,
    ("service_capacity", CAPACITY): _read_capacity,
    ("service", CAPACITY): _read_capacity,
    ("location", CONFIDENTIALITY): _read_confidential,
    ("service", REMOTE): _read_remote,
    ("service", ANSWER_MODE): _read_answer_mode,
}
