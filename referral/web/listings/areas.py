"""Places in a form: people write names, the gazetteer knows which; an unclear name comes back with what it could be."""

from collections.abc import Collection, Sequence
from typing import Any

from flask_babel import gettext as _
from werkzeug.datastructures import MultiDict

from referral.directory import words
from referral.extensions import db
from referral.places.gazetteer import PlaceNotClear
from referral.places.queries import gazetteer
from referral.web.answers import Answers
from referral.web.formatting import say
from referral.web.listings import rows

FIELDS = ("place",)
MOST_OFFERED = 6


def written(code: str) -> str:
    """An area as it stands in a form: its name where the name alone leads back to it, else its code or words."""
    places = gazetteer(db.session)
    name = words.place_name(places, code)
    try:
        return name if name and places.resolve(name).code == code else code
    except PlaceNotClear:
        return code


def fill(given: MultiDict[str, str], name: str, codes: Sequence[str]) -> None:
    rows.write(given, name, FIELDS, [{"place": written(code)} for code in codes])


def read(answers: Answers, name: str, *, known_words: Collection[str] = ()) -> list[str]:
    """Codes of the places of a form's rows; an unclear name waits with its candidates at its row.

    known_words   of the listing itself, which name no area that is known: they may stay
    """
    found = []
    for number, row in enumerate(rows.typed(answers.given, name, FIELDS)):
        text = " ".join(row["place"].split())
        if text in known_words:
            found.append(text)
        elif text and (code := one(answers, f"{name}-{number}-place", text)):
            found.append(code)
    return found


def one(answers: Answers, field: str, text: str) -> str | None:
    """The code of one place by its name."""
    try:
        code: str = gazetteer(db.session).resolve(text).code
    except PlaceNotClear as error:
        answers.wrong(field, say(error.message))
        return None
    return code


def candidates(text: str) -> list[tuple[str, str]]:
    """What an unclear name could mean: (text that is clear, words)."""
    try:
        gazetteer(db.session).resolve(" ".join(text.split()))
    except PlaceNotClear as error:
        return [(written(c["code"]), c["name"]) for c in error.candidates[:MOST_OFFERED]]
    return []


def offered(answers: Answers) -> dict[str, list[tuple[str, str]]]:
    """For each field of the form with an unclear place: what it could mean."""
    fields = (name for name in answers.errors if name.endswith(("-place", "area_code")))
    found: dict[str, Any] = {name: candidates(answers.shown(name)) for name in fields}
    return {name: listed for name, listed in found.items() if listed}


def pick(given: MultiDict[str, str], button: str) -> str | None:
    """Take a candidate (`pick.service_areas-0-place.Kota Semarang`); gives the field, None for another button."""
    verb, _dot, rest = button.partition(".")
    field, _dot, text = rest.partition(".")
    if verb != "pick" or not field.endswith(("-place", "area_code")) or not text:
        return None
    given[field] = text
    return field


def hint() -> str:
    """How a place is written."""
    return str(_("Kecamatan, kabupaten, kota or province, as: Kec. Banyumanik, Kota Semarang"))
