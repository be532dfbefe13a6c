"""Our own facts as HSDS attributes: the vocabularies `jejaring:*`, read and written side by side. Pure.

| vocabulary             | attribute of     | code                          | value             |
| ---------------------- | ---------------- | ----------------------------- | ----------------- |
| `jejaring:category`    | service          | a code of our taxonomy        | stated, inferred  |
| `jejaring:sex`         | service          | female, male, any             |                   |
| `jejaring:desil_max`   | service          | 1 to 10, any                  |                   |
| `jejaring:disability`  | service          | a code of our list, any       |                   |
| `jejaring:capacity`    | service_capacity | our four codes                | last day it holds |
| `jejaring:confidential`| location, service| yes                           |                   |
| `jejaring:remote`      | service          | phone, online                 |                   |
| `jejaring:answer_mode` | service          | replies, walk_in, decision    |                   |

`any` is a rule known to be open to all. A `jejaring:capacity` of a service is its capacity as of the day it was
last modified. A `jejaring:confidential` of a service says that a place of it is kept secret and therefore not told;
it is only written. A vocabulary or code that is not in this table stays an attribute like any other.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any
from uuid import NAMESPACE_URL, UUID, uuid5

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
    if code.isascii() and code.isdigit() and len(code) < 3 and 1 <= int(code) <= 10:
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


# Writing.

#: so a service answers unless it is said otherwise
SILENT_ANSWER_MODE = AnswerMode.REPLIES
#: what HSDS calls the purpose of an attribute
_ELIGIBILITY = "eligibility"
_OF_CRITERION = {criterion: vocabulary for vocabulary, criterion in CRITERIA.items()}


@dataclass(frozen=True)
class Stated:
    """One fact of ours as an attribute of the row it is about."""

    vocabulary: str
    code: str
    entity: str = "service"
    value: str | None = None
    purpose: str | None = None

    @property
    def term_id(self) -> UUID:
        """Id of the term in the taxonomies that every installation has."""
        return term_id(self.vocabulary, self.code)

    def attribute(self, row_id: UUID) -> dict[str, Any]:
        """The attribute without its term; its id is the same every time."""
        given = {
            "id": str(uuid5(row_id, f"{self.vocabulary}/{self.code}")),
            "link_type": self.purpose,
            "link_entity": self.entity,
            "value": self.value,
        }
        return {name: value for name, value in given.items() if value is not None}


def taxonomy_id(name: str) -> UUID:
    """Id of one of our taxonomies."""
    return uuid5(NAMESPACE_URL, name)


def term_id(name: str, code: str) -> UUID:
    """Id of a term of one of our taxonomies."""
    return uuid5(taxonomy_id(name), code)


def is_ours(taxonomy: str | None, entity: str = "") -> bool:
    """Whether a taxonomy's terms are facts that we keep ourselves, so that a stored attribute may be out of date."""
    # Of a secret place that another directory keeps to itself we know nothing more than that.
    return taxonomy in WRITTEN and (entity, taxonomy) != ("service", CONFIDENTIALITY)


def of_service(
    service: Mapping[str, Any],
    categories: Iterable[tuple[str, str]],
    rules: Mapping[str, Sequence[Any]],
    *,
    secret: bool,
) -> list[Stated]:
    """What we know of a service beside HSDS's columns; what is so unless said is not said.

    categories   (code, basis)
    rules        criterion → values
    """
    stated = [
        Stated(CATEGORY, code, value=CategoryBasis.INFERRED.value)
        if basis == CategoryBasis.INFERRED
        else Stated(CATEGORY, code)
        for code, basis in categories
    ]
    for criterion, values in rules.items():
        vocabulary = _OF_CRITERION.get(Criterion(criterion))
        if vocabulary:
            codes = [str(value) for value in values] or [ANY]
            stated += [Stated(vocabulary, code, purpose=_ELIGIBILITY) for code in codes]
    if secret:
        stated.append(Stated(CONFIDENTIALITY, CONFIDENTIAL))
    if service["remote"] is not None:
        stated.append(Stated(REMOTE, str(service["remote"])))
    if service["answer_mode"] != SILENT_ANSWER_MODE:
        stated.append(Stated(ANSWER_MODE, str(service["answer_mode"])))
    return stated


def of_capacity(capacity: Mapping[str, Any]) -> list[Stated]:
    """The state of a capacity, with the last day it holds."""
    if capacity["status"] is None:
        return []
    until = capacity["until"]
    last = until.isoformat() if until else None
    return [Stated(CAPACITY, str(capacity["status"]), "service_capacity", last)]


WRITTEN = (
    CATEGORY,
    SEX,
    DESIL_MAX,
    DISABILITY,
    CAPACITY,
    CONFIDENTIALITY,
    REMOTE,
    ANSWER_MODE,
)
