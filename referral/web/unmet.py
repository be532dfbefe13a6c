"""A broker's pages of what nothing meets: recording it, and new services that may fit."""

from datetime import UTC, datetime
from uuid import UUID

from flask import Blueprint, flash, g, redirect, render_template, request, url_for
from flask_babel import gettext as _
from werkzeug.wrappers import Response as Answer

from referral.casework import queries as casework
from referral.casework.models import Need
from referral.core.errors import NotFound
from referral.core.text import Message
from referral.extensions import db
from referral.matching.models import MatchReceipt
from referral.matching.queries import get_receipt, latest_receipt
from referral.planning.unmet import ledger, noticing, queries
from referral.planning.unmet.models import NewServiceNotice
from referral.referrals.queries import ended_in_vain
from referral.web.access import requires
from referral.web.answers import Answers
from referral.web.formatting import say
from referral.web.naming import category_name
from referral.web.reading import seen

bp = Blueprint("unmet", __name__)
Page = str | Answer | tuple[str, int]


@bp.route("/needs/<uuid:need_id>/unmet", methods=["GET", "POST"])
@requires("unmet:confirm")
def record(need_id: UUID) -> Page:
    """Record that nothing meets a need, with the reason that is already known filled in."""
    need = casework.get_need(db.session, g.user, need_id)
    receipt = _receipt_of(need) or latest_receipt(db.session, need.id)
    referral = ended_in_vain(db.session, need.id)
    suggested = noticing.suggest(db.session, need, now=datetime.now(UTC))
    reasons = queries.reasons(db.session)
    if request.method == "POST":
        answers = Answers(request.form)
        codes = [reason.code for reason in reasons]
        reason = answers.choice("reason", codes)
        answers.require("reason", reason, say(Message("planning.reason")))
        secondary = answers.choices("secondary", codes)
        if not answers.errors:
            ledger.record_unmet(
                db.session,
                need,
                reason=reason or "",
                secondary=[code for code in secondary if code != reason],
                receipt=receipt,
                referral=referral,
                by=g.user,
                now=datetime.now(UTC),
            )
            case_id = need.case_id
            db.session.commit()
            flash(_("Recorded as unmet. When a fitting service appears, you will be told."), "good")
            return redirect(url_for("casework.case", case_id=case_id), 303)
    else:
        answers = (
            Answers.of(reason=suggested.reason, secondary=suggested.secondary)
            if suggested
            else Answers()
        )
    seen(need, client_id=need.case.client_id)
    page = render_template(
        "unmet/record.html",
        need=need,
        receipt=receipt,
        reasons=reasons,
        told_by=suggested.told_by if suggested else None,
        category=category_name(need.category),
        answers=answers,
    )
    return page, answers.status


def _receipt_of(need: Need) -> MatchReceipt | None:
    """The receipt that the address names; what another need was told is no evidence for this one."""
    asked = request.values.get("receipt", "")
    if not asked:
        return None
    try:
        receipt = get_receipt(db.session, g.user, UUID(asked))
    except ValueError:
        raise NotFound("match.receipt.unknown") from None
    if receipt.need_id != need.id:
        raise NotFound("match.receipt.unknown")
    return receipt


@bp.post("/notices/<uuid:notice_id>/seen")
@requires("unmet:confirm")
def notice_seen(notice_id: UUID) -> Answer:
    """A broker has looked at a new service; on to the need it may fit."""
    notice = db.session.get(NewServiceNotice, notice_id)
    mine = {each.id: need for each, need, _site in queries.notices(db.session, g.user)}
    if notice is None or notice.id not in mine:
        return redirect(url_for("casework.index"), 303)
    case_id = mine[notice.id].case_id
    ledger.see(notice, now=datetime.now(UTC))
    db.session.commit()
    return redirect(url_for("casework.case", case_id=case_id), 303)
