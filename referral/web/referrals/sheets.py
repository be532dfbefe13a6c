"""The sheet that a client takes home, for a referral or for chosen options of a match."""

from datetime import UTC, datetime
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

from flask import g, render_template, request
from werkzeug.wrappers import Response

from referral.accounts.models import Role
from referral.casework.models import Case
from referral.casework.queries import get_need
from referral.core.errors import NotFound
from referral.core.text import LANGUAGES
from referral.extensions import db
from referral.matching.models import MatchReceipt
from referral.referrals import queries as referrals
from referral.referrals.letters import sheets
from referral.referrals.letters.pdf import pdf
from referral.referrals.models import Referral
from referral.web.access import requires
from referral.web.language import chosen, zone
from referral.web.reading import seen, shown_receipt
from referral.web.referrals.steps import Page, bp, today

#: Nobody asks for more sheets at once; the query says which options.
_MOST_NAMED = 20


@bp.get("/referrals/<uuid:referral_id>/handout.pdf")
@requires("referral:read")
def handout_pdf(referral_id: UUID) -> Response:
    """The service of a referral on a sheet for the client."""
    referral, lang = of_worker(referral_id), language_asked()
    content = sheets.handout_of_referral(db.session, referral, lang, on=today(referral))
    return paper("handout", content, _name(lang))


@bp.get("/receipts/<uuid:receipt_id>/handout")
@requires("receipt:read")
def receipt_handout(receipt_id: UUID) -> Page:
    """Choose which options of a match stand on the client's sheet."""
    receipt, case = _receipt_and_case(receipt_id)
    content = receipt.content or {}
    entries = [*content.get("options", []), *content.get("remote", [])]
    return render_template(
        "referrals/handout.html",
        receipt=receipt,
        discreet=sheets.names_unsaid(case, [content["query"]["need"]]) is not None,
        choices=[(one["service_at_location_id"], one["name"]) for one in entries],
        picked=sheets.on_the_sheet(db.session, receipt),
    )


@bp.get("/receipts/<uuid:receipt_id>/handout.pdf")
@requires("receipt:read")
def receipt_handout_pdf(receipt_id: UUID) -> Response:
    """Options of a match on a sheet for the client; `?site=` names them, else it is what the client chose."""
    receipt, case = _receipt_and_case(receipt_id)
    lang = language_asked()
    content = sheets.handout_of_receipt(
        db.session,
        receipt,
        lang,
        case=case,
        site_ids=_sites(),
        on=datetime.now(ZoneInfo(zone())).date(),
    )
    return paper("handout", content, _name(lang))


def of_worker(referral_id: UUID) -> Referral:
    """A referral of one's own case or office; its paper is not for the agency's account."""
    referral = referrals.get(db.session, g.user, referral_id)
    if g.user.role is Role.AGENCY:
        raise NotFound("referral.none")
    seen(referral, client_id=referral.client_id)
    return referral


def language_asked() -> str:
    """The language of the paper: `?lang=`, else that of the page."""
    asked = request.args.get("lang", "")
    return asked if asked in LANGUAGES else chosen()


def paper(template: str, content: dict[str, Any], name: str) -> Response:
    """The document as PDF under a name that tells of nobody."""
    made = Response(pdf(template, content, at=datetime.now(UTC)), mimetype="application/pdf")
    # Shown, not kept: a file among the downloads of a shared phone would stay there.
    made.headers["Content-Disposition"] = f'inline; filename="{name}"'
    return made


def _receipt_and_case(receipt_id: UUID) -> tuple[MatchReceipt, Case | None]:
    """A receipt that may still be shown, and the case it is of."""
    receipt = shown_receipt(receipt_id)
    if receipt.need_id is None:
        return receipt, None
    need = get_need(db.session, g.user, receipt.need_id)
    seen(need, client_id=need.case.client_id)
    return receipt, need.case


def _sites() -> list[UUID]:
    try:
        return [UUID(one) for one in request.args.getlist("site")[:_MOST_NAMED]]
    except ValueError:
        raise NotFound("letter.no_option") from None


def _name(lang: str) -> str:
    return "informasi-layanan.pdf" if lang == "id" else "service-information.pdf"
