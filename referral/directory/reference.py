"""The coded lists that every installation has: categories, documents, disabilities, languages."""

import csv
from dataclasses import dataclass
from datetime import datetime
from functools import cache
from pathlib import Path
from uuid import UUID, uuid5

from sqlalchemy.orm import Session

from referral.core.text import LANGUAGES, Message, render
from referral.directory.hsds import vocabularies
from referral.directory.intake.mapping import Known
from referral.directory.kinds import HIGHEST_DESIL, AnswerMode
from referral.directory.models import Taxonomy as TaxonomyTable
from referral.directory.models import TaxonomyTerm
from referral.taxonomy.tree import Taxonomy

FOLDER = Path(__file__).parents[2] / "directory_data"
LISTS = {
    "documents": "Documents that a service may ask for",
    "disabilities": "Kinds of disability that a service may be for",
    "languages": "Languages, ISO 639-3",
}
CATEGORY = vocabularies.CATEGORY
#: the other vocabularies in which our facts travel: what each is, and its codes with their labels
VOCABULARIES: dict[str, tuple[str, dict[str, str]]] = {
    vocabularies.SEX: (
        "Sex of the people a service is for",
        {
            "female": "casework.sex.female",
            "male": "casework.sex.male",
            vocabularies.ANY: "directory.vocabulary.any",
        },
    ),
    vocabularies.CAPACITY: (
        "Whether a service has room",
        {
            "capacity": "directory.capacity.capacity",
            "no-capacity": "directory.capacity.no-capacity",
            "waitlist": "directory.capacity.waitlist",
            "additional-assessment-required": "directory.capacity.additional-assessment-required",
        },
    ),
    vocabularies.CONFIDENTIALITY: (
        "Whether where a service is given must stay secret",
        {vocabularies.CONFIDENTIAL: "directory.vocabulary.confidential"},
    ),
    vocabularies.REMOTE: (
        "How a service is given that needs no visit",
        {"phone": "directory.remote.phone", "online": "directory.remote.online"},
    ),
    vocabularies.ANSWER_MODE: (
        "How a service answers a referral",
        {
            "replies": "directory.answer_mode.replies",
            "walk_in": "directory.answer_mode.walk_in",
            "decision": "directory.answer_mode.decision",
        },
    ),
}


@dataclass(frozen=True)
class Code:
    """One coded word and its names in both languages."""

    code: str
    name: dict[str, str]


@cache
def taxonomy() -> Taxonomy:
    """The tree of needs that this version ships with."""
    return Taxonomy.from_csv(FOLDER / "taxonomy.csv")


@cache
def coded(name: str) -> dict[str, Code]:
    """A coded list by code, in the order of its file: documents, disabilities or languages."""
    with (FOLDER / f"{name}.csv").open(encoding="utf-8", newline="") as file:
        return {
            row["code"]: Code(row["code"], {"id": row["name_id"], "en": row["name_en"]})
            for row in csv.DictReader(file)
        }


@cache
def known() -> Known:
    """The codes that a listing may use."""
    return Known(
        categories=frozenset(term.code for term in taxonomy() if term.level > 1),
        documents={code: item.name["id"] for code, item in coded("documents").items()},
        disabilities=frozenset(coded("disabilities")),
        answer_modes=_answer_modes(),
    )


def _answer_modes() -> dict[str, AnswerMode]:
    with (FOLDER / "facility_defaults.csv").open(encoding="utf-8", newline="") as file:
        return {
            row["facility_type"]: AnswerMode(row["answer_mode"]) for row in csv.DictReader(file)
        }


def load_reference(session: Session, *, now: datetime) -> None:  # noqa: ARG001 - as its sisters
    """Bring the taxonomies of the directory up to date with directory_data; flushes."""
    tree = _taxonomy(session, CATEGORY, "Needs that a service meets")
    for term in taxonomy():
        _term(session, tree, term.code, term.name, parent=term.parent)
    session.flush()
    for name, description in LISTS.items():
        owner = _taxonomy(session, f"jejaring:{name}", description)
        for item in coded(name).values():
            _term(session, owner, item.code, item.name)
    for vocabulary, (description, labels) in _vocabularies().items():
        owner = _taxonomy(session, vocabulary, description)
        for code, names in labels.items():
            _term(session, owner, code, names)
    session.flush()


def _vocabularies() -> dict[str, tuple[str, dict[str, dict[str, str]]]]:
    """The vocabularies of our facts beside the categories: description, and names by code."""
    found = {
        vocabulary: (description, {code: _names(key) for code, key in labels.items()})
        for vocabulary, (description, labels) in VOCABULARIES.items()
    }
    everybody = {vocabularies.ANY: _names("directory.vocabulary.any")}
    desils = {
        str(n): {"id": f"Desil {n}", "en": f"Decile {n}"} for n in range(1, HIGHEST_DESIL + 1)
    }
    found[vocabularies.DESIL_MAX] = (
        "Highest decile of welfare (DTSEN) that a service is for",
        desils | everybody,
    )
    found[vocabularies.DISABILITY] = (
        LISTS["disabilities"],
        {code: item.name for code, item in coded("disabilities").items()} | everybody,
    )
    return found


def _names(key: str) -> dict[str, str]:
    return {lang: render(Message(key), lang) for lang in LANGUAGES}


def _taxonomy(session: Session, name: str, description: str) -> TaxonomyTable:
    row = TaxonomyTable(id=vocabularies.taxonomy_id(name), name=name, description=description)
    return session.merge(row)


def _term(
    session: Session,
    owner: TaxonomyTable,
    code: str,
    name: dict[str, str],
    *,
    parent: str | None = None,
) -> None:
    def identity(code: str) -> UUID:
        return uuid5(owner.id, code)

    session.merge(
        TaxonomyTerm(
            id=identity(code),
            code=code,
            name=name["id"],
            description=name["en"],
            parent_id=identity(parent) if parent else None,
            taxonomy=owner.name,
            taxonomy_id=owner.id,
            language="id",
        )
    )
