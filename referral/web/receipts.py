"""A receipt beside the directory of today: what changed since, in plain words. Keeps nothing."""

from collections.abc import Sequence
from dataclasses import dataclass
from uuid import UUID

from flask import Blueprint, g, render_template

from referral.casework import queries as casework
from referral.extensions import db
from referral.matching import queries
from referral.matching.differences import KINDS, Comparison, Difference
from referral.matching.repeating import repeat
from referral.web.access import requires
from referral.web.naming import category_name
from referral.web.reading import seen

bp = Blueprint("receipts", __name__)

#: Near misses told one by one; they decide nothing.
_MOST_NEAR_MISSES = 10


@dataclass(frozen=True)
class Section:
    """The differences of one kind."""

    kind: str
    shown: Sequence[Difference]
    total: int


@bp.get("/receipts/<uuid:receipt_id>/today")
@requires("receipt:read")
def today(receipt_id: UUID) -> str:
    """The same question asked today: what is gained, lost, moved or told otherwise, and why."""
    receipt = queries.get_receipt(db.session, g.user, receipt_id)
    if receipt.need_id is not None:
        need = casework.get_need(db.session, g.user, receipt.need_id)
        seen(need, client_id=need.case.client_id)
    found = repeat(db.session, receipt)
    return render_template(
        "matching/today.html",
        receipt=receipt,
        found=found,
        category=category_name((receipt.content or {})["query"]["need"]),
        sections=_sections(found.answer),
        with_table=_sections(found.todays_table) if found.todays_table else [],
    )


def _sections(comparison: Comparison) -> list[Section]:
    sections = []
    for kind in KINDS:
        ones = [one for one in comparison.differences if one.kind == kind]
        if ones:
            shown = ones[:_MOST_NEAR_MISSES] if kind == "near_miss" else ones
            sections.append(Section(kind, shown, len(ones)))
    return sections
