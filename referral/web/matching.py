"""Matching: for a need of a case or without a case; the receipt, its print, and what the client chose."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

from flask import Blueprint, flash, g, redirect, render_template, request, url_for
from flask_babel import gettext as _
from sqlalchemy.orm import Session
from werkzeug.wrappers import Response

from referral.casework import queries as casework
from referral.casework.models import Case, Need, OwnResource
from referral.core.errors import Invalid, JejaringError, NotAllowed, NotFound
from referral.core.text import Message
from referral.directory.models import ServiceAtLocation
from referral.directory.reference import taxonomy
from referral.extensions import db
from referral.matching import operations, queries
from referral.matching.asking import FARTHEST_KM, URGENCIES, query_from
from referral.matching.facts import Query
from referral.matching.models import MatchReceipt
from referral.matching.receipts import printed, query_of
from referral.places.queries import gazetteer
from referral.web.access import requires
from referral.web.answers import LONG, Answers
from referral.web.formatting import label, say
from referral.web.language import chosen, zone
from referral.web.naming import category_name, searchable_categories
from referral.web.option_cards import cards_of, options_map
from referral.web.reading import seen

bp = Blueprint("matching", __name__)
Page = str | Response | tuple[str, int]

#: Reasons a client may give against every option: those that are a gap, and "other".
_NO_REASONS = ("U07", "U08", "U09", "U10", "U11", "U12", "U13", "U16", "U17", "U99")
#: Options shown at once, on the list and the map; the farther ones are unfolded below.
FIRST_CARDS = 5


# A search without a case --------------------------------------------------------------------------


@bp.route("/match", methods=["GET", "POST"])
@requires("match:run")
def search() -> Page:
    """Find help without a case: a need, a place and a few facts; nothing about a person is kept."""
    answers = Answers(request.form)
    candidates: list[dict[str, Any]] = []
    if request.method == "POST":
        given = {name: answers.shown(name).strip() for name in _SEARCHED}
        given["place"] = answers.shown("place_code") or given["place"]
        try:
            query = query_from(
                given,
                taxonomy=taxonomy(),
                gazetteer=gazetteer(db.session),
                now=datetime.now(UTC),
                zone=zone(),
            )
        except JejaringError as error:
            candidates = error.candidates if error.field == "place" else []
            field = "place" if error.field == "near" else error.field or "need"
            answers.wrong(field, _where(error, say(error.message)))
        else:
            return _kept(_run(query))
    else:
        answers = Answers.of(urgency="routine")
    page = render_template(
        "matching/search.html",
        answers=answers,
        candidates=[(one["code"], one["name"]) for one in candidates],
        categories=searchable_categories(),
        urgencies=URGENCIES,
    )
    return page, answers.status


_SEARCHED = ("need", "place", "age", "sex", "urgency", "within", "at")


def _where(error: JejaringError, sentence: str) -> str:
    return _("Write where help is looked for.") if error.field == "near" else sentence


# Running ------------------------------------------------------------------------------------------


@bp.post("/needs/<uuid:need_id>/match")
@requires("match:run")
def run(need_id: UUID) -> Response:
    """Look for help for a need of one's own case."""
    need = casework.get_need(db.session, g.user, need_id)
    query = operations.query_for(db.session, need, now=datetime.now(UTC))
    return _kept(_run(query, need))


@bp.post("/receipts/<uuid:receipt_id>/again")
@requires("match:run")
def again(receipt_id: UUID) -> Response:
    """Run the same query again with what was filtered; the earlier receipt stays as it was."""
    before = queries.get_receipt(db.session, g.user, receipt_id)
    need = _need_of(db.session, before)
    answers = Answers(request.form)
    within = answers.whole("within", 1, int(FARTHEST_KM))
    at = answers.instant("at")
    if answers.errors:
        for sentence in answers.errors.values():
            flash(sentence, "bad")
        return redirect(url_for(".receipt", receipt_id=receipt_id), 303)
    now = datetime.now(UTC).astimezone(ZoneInfo(zone())).replace(microsecond=0)
    query = query_of(before.content or {})
    query = replace(
        query,
        within=within,
        at=at or now,
        open_only=answers.ticked("open_only"),
        free_only=answers.ticked("free_only"),
    )
    return _kept(_run(query, need))


def _run(query: Query, need: Need | None = None) -> MatchReceipt:
    return operations.match(
        db.session,
        query,
        by=g.user,
        now=datetime.now(UTC),
        office=need.case.office if need else g.user.office,
        case=need.case if need else None,
        need=need,
    )


def _kept(receipt: MatchReceipt) -> Response:
    where = url_for(".receipt", receipt_id=receipt.id)
    db.session.commit()
    return redirect(where, 303)


def _need_of(session: Session, receipt: MatchReceipt) -> Need | None:
    if receipt.need_id is None:
        return None
    return casework.get_need(session, g.user, receipt.need_id)


# The receipt --------------------------------------------------------------------------------------


@bp.get("/receipts/<uuid:receipt_id>")
@requires("receipt:read")
def receipt(receipt_id: UUID) -> Page:
    """What a match gave: options in order, remote help beside, why not the others."""
    return _receipt_page(_shown_receipt(receipt_id), Answers())


def _shown_receipt(receipt_id: UUID) -> MatchReceipt:
    """A receipt that may still be shown: one that names whom the client must not meet is kept unseen."""
    kept = queries.get_receipt(db.session, g.user, receipt_id)
    if queries.names_kept_out(db.session, kept):
        raise NotAllowed("match.receipt.outdated")
    return kept


@bp.get("/receipts/<uuid:receipt_id>/print")
@requires("receipt:read")
def print_receipt(receipt_id: UUID) -> str:
    """The options on paper for the client, without the reasons against the others."""
    kept = _shown_receipt(receipt_id)
    need = _need_of(db.session, kept)
    if need is not None:
        seen(need, client_id=need.case.client_id)
    shown = printed(kept.content or {}, chosen())
    sites = _sites(shown)
    return render_template(
        "matching/print.html",
        receipt=kept,
        category=category_name(shown["query"]["need"]),
        cards=cards_of(shown["options"], kept.content or {}, "options", sites),
        remote=cards_of(shown["remote"], kept.content or {}, "remote", sites),
        coverage=shown["coverage"],
    )


@bp.post("/receipts/<uuid:receipt_id>/choice")
@requires("match:run")
def choose(receipt_id: UUID) -> Page:
    """Keep what the client chose; a chosen service leads to the referral, "none" to the unmet need."""
    kept = _shown_receipt(receipt_id)
    need = _need_of(db.session, kept)
    if need is None:
        raise NotFound("match.receipt.unknown")
    answers = Answers(request.form)
    kind, _sep, chosen_id = answers.shown("choice").partition(":")
    site_id = _uuid(chosen_id) if kind == "site" else None
    own = _own_resource(need, _uuid(chosen_id)) if kind == "own" else None
    reasons = answers.choices("reasons", _NO_REASONS) if kind == "none" else []
    note = answers.text("note", longest=LONG)
    if kind not in ("site", "own", "none") or (kind == "site" and site_id is None):
        answers.wrong("choice", say(Message("match.choice.unknown")))
    if kind == "own" and own is None:
        answers.wrong("choice", say(Message("match.choice.unknown")))
    if not answers.errors:
        try:
            operations.record_choice(
                db.session,
                kept,
                need=need,
                by=g.user,
                now=datetime.now(UTC),
                site_id=site_id,
                own=own,
                reasons=reasons,
                note=note or "",
            )
        except Invalid as error:
            answers.refused(error, "choice", "reasons")
    if answers.errors:
        return _receipt_page(kept, answers)
    need_id, case_id = need.id, need.case_id
    db.session.commit()
    if site_id is not None:
        return redirect(
            url_for("referrals.new", need_id=need_id, site=site_id, receipt=receipt_id), 303
        )
    if own is not None:
        flash(_("Written down: the client chose somebody of their own people."), "good")
        return redirect(url_for("casework.case", case_id=case_id, _anchor="needs"), 303)
    return redirect(url_for("planning.record_unmet", need_id=need_id, receipt=receipt_id), 303)


def _uuid(typed: str) -> UUID | None:
    try:
        return UUID(typed)
    except ValueError:
        return None


def _own_people(need: Need) -> Sequence[OwnResource]:
    """The client's own people for this need; none by itself where somebody near may be the danger."""
    if need.case.has_violence:
        return ()
    return casework.own_resources(db.session, need.case, need.category)


def _own_resource(need: Need, own_id: UUID | None) -> OwnResource | None:
    return next((own for own in _own_people(need) if own.id == own_id), None)


def _receipt_page(kept: MatchReceipt, answers: Answers) -> Page:
    need = _need_of(db.session, kept)
    case: Case | None = need.case if need else None
    if need is not None:
        seen(need, client_id=need.case.client_id)
    content = kept.content or {}
    shown = printed(content, chosen())
    sites = _sites(shown)
    cards = cards_of(shown["options"], content, "options", sites)
    at = datetime.fromisoformat(shown["query"]["at"])
    page = render_template(
        "matching/receipt.html",
        receipt=kept,
        need=need,
        case=case,
        at_risk=case is not None and case.has_violence,
        own=_own_people(need) if need else (),
        category=category_name(shown["query"]["need"]),
        shown=shown,
        asked=content["asked"],
        at=at,
        at_typed=at.astimezone(ZoneInfo(zone())).strftime("%Y-%m-%dT%H:%M"),
        cards=cards,
        remote=cards_of(shown["remote"], content, "remote", sites),
        why_not=cards_of(shown["why_not"], content, "why_not", sites),
        longest_km=max(
            (one["effective_km"] or 0 for one in shown["options"][:FIRST_CARDS]), default=0
        ),
        first=FIRST_CARDS,
        map=options_map(
            shown, cards[:FIRST_CARDS], sites, precision_km=content["asked"]["precision_km"]
        ),
        total=content["tally"]["options"],
        reasons=_reasons(),
        answers=answers,
    )
    return page, answers.status


def _reasons() -> list[tuple[str, str]]:
    return [(code, label(f"match.no.{code}")) for code in _NO_REASONS]


def _sites(shown: Mapping[str, Any]) -> dict[UUID, ServiceAtLocation]:
    ids = (
        UUID(one["service_at_location_id"])
        for part in ("options", "remote", "why_not")
        for one in shown[part]
    )
    return queries.sites(db.session, ids)
