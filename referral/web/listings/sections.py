"""A listing in sections: the six things that are checked, and what it is; each with its form."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Any

from flask_babel import gettext as _
from werkzeug.datastructures import MultiDict

from referral.directory.upkeep import editing
from referral.directory.upkeep.values import Lists
from referral.web.answers import Answers
from referral.web.formatting import say
from referral.web.listings.fields import BY_ROW, FORMS, LISTS, with_first_rows


@dataclass(frozen=True)
class Section:
    """Fields of a listing that are looked at together."""

    key: str
    icon: str
    fields: tuple[str, ...]

    @property
    def title(self) -> str:
        titles: dict[str, str] = {
            "contact": _("Phone numbers"),
            "hours": _("Opening hours"),
            "room": _("Room"),
            "who": _("Who is served"),
            "bring": _("What to bring and what it costs"),
            "place": _("Place and area"),
            "about": _("About this service"),
        }
        return titles[self.key]


SECTIONS: dict[str, Section] = {
    section.key: section
    for section in (
        Section("contact", "phone", ("phones", "email", "url")),
        Section(
            "hours", "clock", ("hours", "exceptions", "follows_public_holidays", "hours_until")
        ),
        Section("room", "users", ("capacity",)),
        Section(
            "who",
            "user-check",
            ("eligibility", "eligibility_description", "languages", "interpretation_services"),
        ),
        Section(
            "bring",
            "id-card",
            (
                *("documents", "cost", "entry_steps", "application_process"),
                *("answer_mode", "contact_mode"),
            ),
        ),
        Section("place", "map-pin", ("address", "area_code", "point", "service_areas")),
        Section(
            "about",
            "info",
            (
                *("name", "organization", "alternate_name", "description"),
                *("categories", "status", "alert"),
            ),
        ),
    )
}
#: the six things that somebody checks, in the order of the page
CHECKED = tuple(key for key in SECTIONS if key != "about")


def section_of(field: str) -> Section:
    """The section whose form asks for a field."""
    return next(section for section in SECTIONS.values() if field in section.fields)


def filled(fields: Collection[str], values: Mapping[str, Any]) -> Answers:
    """A form that shows these values."""
    given: MultiDict[str, str] = MultiDict()
    for name in fields:
        FORMS[name].fill(given, values[name])
    with_first_rows(given)
    return Answers(given)


def read(
    answers: Answers, fields: Collection[str], before: Mapping[str, Any], lists: Lists
) -> dict[str, Any]:
    """The values of the form's fields; what is wrong stands in `answers.errors` by field of the form."""
    found: dict[str, Any] = {}
    for name in fields:
        raw = FORMS[name].read(answers, before.get(name))
        if name in BY_ROW and raw:
            for number, row in enumerate(raw):
                _one(answers, name, [row], lists, number=number)
        found |= _one(answers, name, raw, lists)
    return found


def _one(answers: Answers, name: str, raw: Any, lists: Lists, *, number: int = 0) -> dict[str, Any]:
    found, findings = editing.read({name: raw}, lists)
    for finding in findings:
        field, _dot, part = finding.field.partition(".")
        row = f"-{finding.row - 1 + number}" if finding.row and field in LISTS else ""
        answers.wrong(_id(f"{field}{row}", part), say(finding.message))
    return found


def _id(start: str, part: str) -> str:
    """Where on the page a wrong part stands."""
    at = f"{start}-{part}" if part else start
    return {"eligibility-residency": "eligibility-residency-0-place"}.get(at, at)
