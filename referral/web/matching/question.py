"""The question of a search without a case: read from its form, and put back into it to be changed."""

from datetime import UTC, datetime
from typing import Any

from flask_babel import gettext as _

from referral.core import text
from referral.core.errors import JejaringError
from referral.directory.reference import coded, taxonomy
from referral.extensions import db
from referral.matching.asking import URGENCIES, query_from
from referral.matching.facts import Query
from referral.places.queries import gazetteer
from referral.web.answers import Answers
from referral.web.formatting import capital, label, say
from referral.web.language import chosen, zone
from referral.web.matching.facts import area_from
from referral.web.matching.filters import Chip
from referral.web.naming import area_name, searchable_categories

_LINES = ("need", "place", "age", "sex", "desil", "urgency", "within", "at")
_LISTS = {"disability": "disabilities", "language": "languages", "documents_lacking": "documents"}


class Question(Answers):
    """The form of a search; `candidates` holds the places a text could mean."""

    def __init__(self, given: Any = None) -> None:
        super().__init__(given)
        self.candidates: list[tuple[str, str]] = []

    def read(self, now: datetime | None = None) -> Query | None:
        """The query; None where something is wrong, which is then said beside its field."""
        registered_in = area_from(self, "registered")
        given: dict[str, Any] = {name: self.shown(name).strip() for name in _LINES}
        given |= {name: self.choices(name, coded(listed)) for name, listed in _LISTS.items()}
        given["place"] = self.shown("place_code") or given["place"]
        given["registered_in"] = registered_in
        try:
            query = query_from(
                given,
                taxonomy=taxonomy(),
                gazetteer=gazetteer(db.session),
                now=now or datetime.now(UTC),
                zone=zone(),
            )
        except JejaringError as error:
            if error.field == "place":
                self.candidates = [(one["code"], one["name"]) for one in error.candidates]
            nowhere = error.field == "near"
            sentence = _("Write where help is looked for.") if nowhere else say(error.message)
            self.wrong("place" if nowhere else error.field or "need", sentence)
            return None
        return None if self.errors else query


def question_of(query: Query) -> Question:
    """The form filled in with a query."""
    return Question.of(
        need=query.need,
        place=query.place.name if query.place else None,
        age=query.age,
        sex=query.sex,
        desil=query.desil,
        urgency=query.urgency,
        registered=area_name(query.registered_in),
        **{name: getattr(query, name) for name in _LISTS},
    )


def choices() -> dict[str, Any]:
    """What the form offers, in the page's language."""
    lang = chosen()
    listed = {
        name: [(one.code, one.name[lang]) for one in coded(name).values()]
        for name in _LISTS.values()
    }
    return needs_offered() | listed


def needs_offered() -> dict[str, Any]:
    """What the shorter form on a receipt offers."""
    return {"categories": searchable_categories(), "urgencies": URGENCIES}


def known_chips(query: Query) -> list[Chip]:
    """What a search says of the person."""
    called = {name: _called(listed, getattr(query, name)) for name, listed in _LISTS.items()}
    said = {
        "age": None if query.age is None else _("%(age)s years", age=query.age),
        "sex": query.sex and capital(label(f"casework.sex.{query.sex}")),
        "desil": None if query.desil is None else _("Desil %(desil)s", desil=query.desil),
        "registered_in": query.registered_in
        and _("Registered in %(area)s", area=(area_name(query.registered_in) or "").split(", ")[0]),
        "disability": called["disability"],
        "language": called["language"],
        "documents_lacking": called["documents_lacking"]
        and _("Without %(papers)s", papers=called["documents_lacking"]),
    }
    return [Chip(name, words) for name, words in said.items() if words]


def _called(listed: str, codes: tuple[str, ...]) -> str:
    lang, known = chosen(), coded(listed)
    return text.listed((known[code].name[lang] if code in known else code for code in codes), lang)
