"""What is not known of the person a match is for and decides somewhere: which facts, and the form that adds them."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, fields
from typing import Any

from flask_babel import gettext as _

from referral.core import text
from referral.directory.kinds import OLDEST_YEARS
from referral.directory.reference import coded
from referral.extensions import db
from referral.matching.facts import Query
from referral.places.gazetteer import PlaceNotClear
from referral.places.queries import gazetteer
from referral.web.answers import Answers
from referral.web.formatting import label, say
from referral.web.language import chosen

#: The sentence of a gate that lacks a fact, and the field that adds it.
_ASKS_FOR = {
    "match.age.unknown": "age_years",
    "match.sex.unknown": "sex",
    "match.desil.unknown": "desil",
    "match.disability.unknown": "disability",
    "match.jurisdiction.registration_unknown": "registered",
}
#: What of a query does not come from the person: the rest is compared with what is known today.
_ASKED = frozenset({"need", "at", "within", "limit", "routes", "open_only", "free_only"})
LONGEST_PLACE = 300


@dataclass(frozen=True)
class Missing:
    """fields: names of _ASKS_FOR's fields; places: how many ask for one of them; papers: (code, name) that places
    ask for and nobody said the person lacks."""

    fields: list[str]
    places: int
    papers: list[tuple[str, str]]

    def __bool__(self) -> bool:
        return bool(self.fields or self.papers)

    @property
    def words(self) -> str:
        return text.listed((label(f"match.learn.{field}") for field in self.fields), chosen())


def missing(query: Query, content: Mapping[str, Any]) -> Missing:
    """What the places of a receipt would have to know of the person."""
    places = 0
    asked: set[str] = set()
    papers: dict[str, None] = {}
    for entry in _entries(content):
        here = set()
        for verdict in entry["verdicts"]:
            message = verdict["message"]
            field = _ASKS_FOR.get(message["key"])
            if field == "registered" and query.registered_in is not None:
                continue  # known, though not closely enough
            if field:
                here.add(field)
            if verdict["rule"] == "documents":
                papers.update(dict.fromkeys(_codes(message["params"].get("documents", ()))))
        asked |= here
        places += bool(here)
    known, lang = coded("documents"), chosen()
    return Missing(
        [field for field in _ASKS_FOR.values() if field in asked],
        places,
        [
            (code, known[code].name[lang])
            for code in papers
            if code in known and code not in query.documents_lacking and not query.is_emergency
        ],
    )


def _entries(content: Mapping[str, Any]) -> Iterable[Mapping[str, Any]]:
    return (entry for part in ("options", "remote", "why_not") for entry in content[part])


def _codes(documents: Iterable[Any]) -> Iterable[str]:
    """Codes of documents in a kept sentence; one without a code stands there in its own words."""
    for one in documents:
        if isinstance(one, Mapping):
            yield str(one["message"]["key"]).removeprefix("document.")


def facts_from(answers: Answers) -> tuple[dict[str, Any], str | None]:
    """The facts of the form, and the code of where the person is registered; what is wrong waits in `answers`."""
    facts = {
        "age_years": answers.whole("age_years", 0, OLDEST_YEARS),
        "sex": answers.choice("sex", ("female", "male")),
        "desil": answers.whole("desil", 1, 10),
        "disability": answers.choices("disability", coded("disabilities")),
        "documents_lacking": answers.choices("documents_lacking", coded("documents")),
    }
    return facts, area_from(answers, "registered")


def disabilities() -> dict[str, list[tuple[str, str]]]:
    """What the form offers, in the page's language."""
    named = [(one.code, one.name[chosen()]) for one in coded("disabilities").values()]
    return {"disabilities": named}


def area_from(answers: Answers, name: str) -> str | None:
    """The code of an area typed in words; what is not clear is said with the first that it may be."""
    words = answers.text(name, longest=LONGEST_PLACE)
    if words is None or answers.error(name):
        return None
    try:
        return gazetteer(db.session).resolve(words).code
    except PlaceNotClear as error:
        names = [str(one["name"]) for one in error.candidates[:3]]
        hint = " " + _("Perhaps: %(names)s", names="; ".join(names)) if names else ""
        answers.wrong(name, say(error.message) + hint)
    return None


def has_changed(before: Query, today: Query) -> bool:
    """Whether something else is known of the person today than a match was asked with."""
    names = (field.name for field in fields(Query) if field.name not in _ASKED)
    return any(getattr(before, name) != getattr(today, name) for name in names)
