"""The form of who is served: each question has three answers: not known, open to all, or only some."""

from typing import Any

from flask_babel import gettext as _
from werkzeug.datastructures import MultiDict

from referral.directory.kinds import HIGHEST_DESIL
from referral.web.answers import Answers
from referral.web.listings import areas

UNKNOWN, ALL, ONLY = "unknown", "all", "only"
CRITERIA = ("ages", "sex", "desil", "disability", "residency")
RESIDENCY = "eligibility-residency"


def three(only: str) -> list[tuple[str, str]]:
    """The three answers, the last in the words of its question."""
    return [(UNKNOWN, _("Not known")), (ALL, _("Open to all")), (ONLY, only)]


def fill(given: MultiDict[str, str], value: dict[str, Any]) -> None:
    low, high = value["minimum_age"], value["maximum_age"]
    ages = UNKNOWN if low is None and high is None else ONLY if low or high is not None else ALL
    given["eligibility-ages"] = ages
    given["eligibility-minimum_age"] = _number(low) if ages == ONLY else ""
    given["eligibility-maximum_age"] = _number(high)
    sex = value["sex"]
    given["eligibility-sex"] = UNKNOWN if sex is None else sex[0] if sex else ALL
    desil = value["desil_max"]
    given["eligibility-desil"] = (
        UNKNOWN if desil is None else ALL if desil >= HIGHEST_DESIL else ONLY
    )
    given["eligibility-desil_max"] = _number(desil) if given["eligibility-desil"] == ONLY else ""
    for name in ("disability", "residency"):
        listed = value[name]
        given[f"eligibility-{name}-known"] = UNKNOWN if listed is None else ONLY if listed else ALL
    given.setlist("eligibility-disability", value["disability"] or [])
    areas.fill(given, RESIDENCY, value["residency"] or [])


def read(answers: Answers) -> dict[str, Any]:
    """What the form says, for `eligibility` of a listing."""
    given = answers.given
    ages = given.get("eligibility-ages", UNKNOWN)
    low = high = None
    if ages == ALL:
        low = "0"
    elif ages == ONLY:
        low = given.get("eligibility-minimum_age", "").strip()
        high = given.get("eligibility-maximum_age", "").strip()
        if not low and not high:
            answers.wrong(
                "eligibility-minimum_age",
                _("Write the lowest or the highest age, or choose that all ages are served."),
            )
        low = low or "0"
    sex = given.get("eligibility-sex", UNKNOWN)
    desil = given.get("eligibility-desil", UNKNOWN)
    highest = given.get("eligibility-desil_max", "").strip()
    if desil == ONLY and not highest:
        answers.wrong("eligibility-desil_max", _("Write up to which desil, from 1 to 9."))
    return {
        "minimum_age": low,
        "maximum_age": high or None,
        "sex": {UNKNOWN: None, ALL: []}.get(sex, [sex]),
        "desil_max": {UNKNOWN: None, ALL: HIGHEST_DESIL}.get(desil, highest or None),
        "disability": _some(answers, "disability", given.getlist("eligibility-disability")),
        "residency": _some(
            answers,
            "residency",
            areas.read(answers, RESIDENCY)
            if given.get("eligibility-residency-known") == ONLY
            else [],
        ),
    }


def _some(answers: Answers, name: str, chosen: list[str]) -> list[str] | None:
    known = answers.shown(f"eligibility-{name}-known") or UNKNOWN
    field = "eligibility-disability" if name == "disability" else f"{RESIDENCY}-0-place"
    if known == ONLY and not chosen:
        answers.wrong(field, _("Say which, or choose another answer."))
    return {UNKNOWN: None, ALL: []}.get(known, chosen)


def _number(value: float | None) -> str:
    return "" if value is None else f"{value:g}"
