"""A proposal on one page, as PDF."""

from datetime import UTC, datetime
from uuid import UUID
from zoneinfo import ZoneInfo

from flask import Response

from referral.core.text import LANGUAGES
from referral.extensions import db
from referral.planning.proposals import saying
from referral.planning.proposals.case import content
from referral.planning.proposals.evidence import printed
from referral.planning.proposals.models import Proposal
from referral.referrals.letters.pdf import pdf
from referral.web.access import requires
from referral.web.language import zone
from referral.web.proposals.door import bp, names, proposal
from referral.web.referrals.sheets import language_asked


@bp.get("/<uuid:proposal_id>/case.pdf")
@requires("proposal:write")
def case(proposal_id: UUID) -> Response:
    """The case for a meeting, in `?lang=`; opening it changes nothing."""
    found, lang = proposal(proposal_id), language_asked()
    at = datetime.now(UTC)
    page = content(
        db.session,
        found,
        names(lang),
        lang,
        on=at.astimezone(ZoneInfo(zone())).date(),
        is_as_filled_in=_is_as_filled_in(found),
    )
    made = Response(pdf("case", page, at=at, folder="proposals"), mimetype="application/pdf")
    name = "usulan-layanan.pdf" if lang == "id" else "service-proposal.pdf"
    made.headers["Content-Disposition"] = f'inline; filename="{name}"'
    return made


def _is_as_filled_in(found: Proposal) -> bool:
    """Whether what stands under the problem is still what was filled in from the figures."""
    evidence = printed(found.evidence)
    return bool(evidence) and found.problem in [
        saying.statement(evidence, names(lang), lang) for lang in LANGUAGES
    ]
