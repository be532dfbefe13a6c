"""What an agency may see of a client: the blind card, the released facts, or a stub. Pure."""

from collections.abc import Iterable, Mapping
from enum import StrEnum
from typing import Any

from referral.places.codes import no_finer_than_regency
from referral.referrals.lifecycle import HELPING, Status

#: The agency's own criteria, which a blind card answers with yes, no or not known.
CRITERIA = ("age", "sex", "desil", "disability", "jurisdiction", "documents")
#: Facts a basis can let go, in the order they are shown.
RELEASABLE = ("name", "contact", "age", "sex", "area", "need", "story")
#: What an agency needs for helping somebody who agreed to come; the story only when the client wants it told.
USUALLY_RELEASED = ("name", "contact", "age", "sex", "area", "need")
#: First and last year of each age band; nobody is older than the last.
AGE_BANDS = {
    "0-5": (0, 5),
    "6-12": (6, 12),
    "13-17": (13, 17),
    "18-24": (18, 24),
    "25-59": (25, 59),
    "60+": (60, 120),
}


class View(StrEnum):
    BLIND = "blind"
    RELEASED = "released"
    STUB = "stub"


def age_band(age_years: float | None) -> str | None:
    """A band wide enough not to point at one person."""
    if age_years is None:
        return None
    return next((band for band, (_, last) in AGE_BANDS.items() if age_years < last + 1), "60+")


def blind_card(
    verdicts: Iterable[Mapping[str, Any]],
    *,
    age_years: float | None,
    area_code: str | None,
    priority: str,
) -> dict[str, Any]:
    """Answers to the agency's own criteria, kab/kota and age band: no identity, diagnosis or village.

    `verdicts` are a receipt's, {rule, verdict}; others than CRITERIA are left out.
    """
    answers = {each["rule"]: each["verdict"] for each in verdicts if each["rule"] in CRITERIA}
    return {
        "criteria": {rule: answers[rule] for rule in CRITERIA if rule in answers},
        "age_band": age_band(age_years),
        "area_code": no_finer_than_regency(area_code or None),
        "priority": priority,
    }


def view_of(status: Status, *, accepted: bool, basis_holds: bool = True) -> View:
    """How much the agency sees now: identity only from accepting on, and never after it ended without help.

    accepted      the agency said yes at some time: tells a hold before the decision from one after it
    basis_holds   False once the client took the consent back
    """
    if status in (Status.REJECTED, Status.FAILED, Status.CANCELLED, Status.ENTERED_IN_ERROR):
        return View.STUB
    released = status in (*HELPING, Status.ON_HOLD, Status.COMPLETED)
    return View.RELEASED if released and accepted and basis_holds else View.BLIND
