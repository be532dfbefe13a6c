"""A broker's pages of what nothing meets: confirming it, and telling clients of new services that may fit."""

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

from flask import Blueprint, flash, g, redirect, render_template, request, url_for
from flask_babel import gettext as _
from markupsafe import Markup
from werkzeug.wrappers import Response as Answer

from referral.casework import queries as casework
from referral.casework.contact import printed
from referral.casework.models import Need, Purpose
from referral.casework.operations import has_safe_contact
from referral.core.errors import NotFound
from referral.core.paging import page_number
from referral.core.text import Message
from referral.directory.models import ServiceAtLocation
from referral.extensions import db
from referral.matching.models import MatchReceipt
from referral.matching.queries import get_receipt, latest_receipt
from referral.planning.unmet import ledger, noticing, queries
from referral.planning.unmet.models import CallOutcome, NewServiceNotice, UnmetNeed
from referral.planning.unmet.queries import Turn
from referral.referrals.queries import ended_in_vain
from referral.web.access import requires
from referral.web.addresses import is_own
from referral.web.answers import Answers
from referral.web.formatting import say
from referral.web.naming import category_name
from referral.web.reading import seen
from referral.web.unmet.lines import gap_lines

bp = Blueprint("unmet", __name__)
Page = str | Answer | tuple[str, int]

PAGE_SIZE = 25


@dataclass(frozen=True)
class Call:
    """One client to tell of one service: what their consent and safe contact allow now."""

    notice: NewServiceNotice
    need: Need
    site: ServiceAtLocation
    unmet: UnmetNeed
    turn: Turn
    has_consent: bool
    #: as Client.safe_contact; {}: no safe way is known
    contact: dict[str, Any]


# Recording and confirming --------------------------------------------------------------------------


@bp.get("/unmet")
@requires("unmet:confirm")
def index() -> Page:
    """What nothing meets in this broker's cases: not confirmed first, filtered by kind of help and reason."""
    categories, reasons = queries.kinds_of(db.session, g.user)
    given = Answers(request.args)
    category, reason = given.choice("category", categories), given.choice("reason", reasons)
    unconfirmed = given.ticked("unconfirmed")
    query = queries.own(g.user, category=category, reason=reason, unconfirmed=unconfirmed)
    total = queries.count(db.session, query)
    number = page_number(request.args.get("page", 1, type=int), total, PAGE_SIZE)
    rows = db.session.execute(query.limit(PAGE_SIZE).offset((number - 1) * PAGE_SIZE)).all()
    lines = gap_lines((unmet, need) for unmet, need in rows)
    for line in lines:
        seen(line.need, client_id=line.case.client_id)
    names = {one.code: one for one in queries.reasons(db.session)}
    return render_template(
        "unmet/index.html",
        lines=lines,
        total=total,
        number=number,
        last=max(1, -(-total // PAGE_SIZE)),
        categories=[(code, category_name(code)) for code in categories],
        reasons=[names[code] for code in reasons],
        category=category,
        reason=reason,
        unconfirmed=unconfirmed,
        here=request.full_path.rstrip("?"),
        calls=queries.count(db.session, queries.calls(g.user)),
    )


@bp.route("/needs/<uuid:need_id>/unmet", methods=["GET", "POST"])
@requires("unmet:confirm")
def record(need_id: UUID) -> Page:
    """Record that nothing meets a need, or correct why, with what is already known filled in."""
    need = casework.get_need(db.session, g.user, need_id)
    now = datetime.now(UTC)
    receipt = _receipt_of(need) or latest_receipt(db.session, need.id)
    referral = ended_in_vain(db.session, need.id)
    known = queries.open_unmet(db.session, [need.id]).get(need.id)
    suggested = noticing.suggest(db.session, need, now=now)
    reasons = queries.reasons(db.session)
    if request.method == "POST":
        answers = Answers(request.form)
        codes = [reason.code for reason in reasons]
        reason = answers.choice("reason", codes)
        answers.require("reason", reason, say(Message("planning.reason")))
        secondary = answers.choices("secondary", codes)
        if not answers.errors:
            unmet = ledger.record_unmet(
                db.session,
                need,
                reason=reason or "",
                secondary=[code for code in secondary if code != reason],
                receipt=receipt,
                referral=referral,
                by=g.user,
                now=now,
            )
            wanted = answers.ticked("callback")
            ledger.ask_callback(db.session, unmet, wanted, by=g.user, now=now)
            return _back(
                need, _("Recorded as unmet. When a fitting service appears, you will be told.")
            )
    else:
        callback = known is not None and known.callback_asked_at is not None
        answers = Answers.of(
            reason=suggested.reason if suggested else None,
            secondary=suggested.secondary if suggested else [],
            callback="y" if callback else None,
        )
    seen(need, client_id=need.case.client_id)
    page = render_template(
        "unmet/record.html",
        need=need,
        receipt=receipt,
        reasons=reasons,
        told_by=suggested.told_by if suggested else None,
        category=category_name(need.category),
        can_be_told=has_safe_contact(need.case),
        back=_came_from(),
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


@bp.post("/unmet/<uuid:unmet_id>/confirm")
@requires("unmet:confirm")
def confirm(unmet_id: UUID) -> Answer:
    """Yes, that is why."""
    unmet, need = queries.get(db.session, g.user, unmet_id)
    ledger.confirm(db.session, unmet, by=g.user, now=datetime.now(UTC))
    return _back(need, _("Confirmed. When a fitting service appears, you will be told."))


@bp.post("/unmet/<uuid:unmet_id>/deny")
@requires("unmet:confirm")
def deny(unmet_id: UUID) -> Answer:
    """No gap: what was known up to now opens it no more."""
    unmet, need = queries.get(db.session, g.user, unmet_id)
    ledger.deny(db.session, unmet, by=g.user, now=datetime.now(UTC))
    return _back(
        need,
        Markup('{} <a href="{}">{}</a>').format(
            _("Closed: it is not counted as a gap."),
            url_for(".record", need_id=need.id, back=_came_from()),
            _("It is one after all"),
        ),
    )


@bp.post("/unmet/<uuid:unmet_id>/callback")
@requires("unmet:confirm")
def callback(unmet_id: UUID) -> Answer:
    """Whether the client wants to be told when something appears."""
    unmet, need = queries.get(db.session, g.user, unmet_id)
    wanted = request.form.get("wanted") == "yes"
    ledger.ask_callback(db.session, unmet, wanted, by=g.user, now=datetime.now(UTC))
    said = _("Noted: the client wants to be told.") if wanted else _("Noted: no call is wanted.")
    return _back(need, said)


def _back(need: Need, sentence: str) -> Answer:
    """To the page on which the button stood, else to the need."""
    need_url = url_for("casework.case", case_id=need.case_id, _anchor=f"need-{need.id}")
    db.session.commit()
    flash(sentence, "good")
    return redirect(_came_from() or need_url, 303)


def _came_from() -> str | None:
    """The page of ours that the request names to go back to."""
    address = request.values.get("back", "")
    return address if is_own(address) else None


# New services --------------------------------------------------------------------------------------


@bp.get("/unmet/calls")
@requires("unmet:confirm")
def calls() -> Page:
    """Whom to tell of which new service, in the published order, and how they may safely be reached."""
    now, query = datetime.now(UTC), queries.calls(g.user)
    total = queries.count(db.session, query)
    number = page_number(request.args.get("page", 1, type=int), total, PAGE_SIZE)
    rows = db.session.execute(query.limit(PAGE_SIZE).offset((number - 1) * PAGE_SIZE)).all()
    found = [_call(notice, need, site, unmet, now=now) for notice, need, site, unmet in rows]
    for call in found:
        seen(call.need, client_id=call.need.case.client_id)
    return render_template(
        "unmet/calls.html",
        calls=found,
        number=number,
        last=max(1, -(-total // PAGE_SIZE)),
        first=(number - 1) * PAGE_SIZE + 1,
        outcomes=list(CallOutcome),
        printed=printed,
    )


def _call(
    notice: NewServiceNotice, need: Need, site: ServiceAtLocation, unmet: UnmetNeed, now: datetime
) -> Call:
    client = need.case.client
    consent = casework.basis_for(
        db.session, client.id, purpose=Purpose.CASEWORK, organization_id=None, now=now
    )
    is_safe = has_safe_contact(need.case)
    return Call(
        notice,
        need,
        site,
        unmet,
        queries.turn_of(db.session, notice, now=now),
        consent is not None,
        (client.safe_contact or {}) if is_safe else {},
    )


@bp.post("/notices/<uuid:notice_id>/seen")
@requires("unmet:confirm")
def notice_seen(notice_id: UUID) -> Answer:
    """A broker has looked at a new service; on to the need it may fit."""
    notice, need, _site = queries.get_notice(db.session, g.user, notice_id)
    ledger.see(notice, now=datetime.now(UTC))
    stands_at = url_for("casework.case", case_id=need.case_id, _anchor=f"need-{need.id}")
    db.session.commit()
    return redirect(stands_at, 303)


@bp.post("/notices/<uuid:notice_id>/done")
@requires("unmet:confirm")
def notice_done(notice_id: UUID) -> Answer:
    """What came of telling the client; a yes leads on to the referral."""
    notice, need, site = queries.get_notice(db.session, g.user, notice_id)
    answers = Answers(request.form)
    listed = url_for(".calls", page=request.form.get("page", type=int))
    outcome = answers.choice("outcome", list(CallOutcome))
    if outcome is None:
        flash(say(Message("unmet.outcome.missing")), "bad")
        return redirect(listed, 303)
    ledger.tell_done(db.session, notice, CallOutcome(outcome), by=g.user, now=datetime.now(UTC))
    onward = url_for("referrals.new", need_id=need.id, site=site.id)
    db.session.commit()
    if outcome == CallOutcome.REFERRED:
        return redirect(onward, 303)
    flash(_("Written down."), "good")
    return redirect(listed, 303)
