"""Matching: for a need of a case or without a case; the receipt, and what the client chose."""

from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

from flask import Blueprint, flash, g, redirect, render_template, request, url_for
from flask_babel import gettext as _
from sqlalchemy.orm import Session
from werkzeug.wrappers import Response

from referral.casework import operations as casework_operations
from referral.casework import queries as casework
from referral.casework.models import Case, Need, OwnResource
from referral.core.errors import Invalid, NotFound
from referral.core.text import Message
from referral.extensions import db
from referral.matching import operations, own_people, queries
from referral.matching.asking import FARTHEST_KM
from referral.matching.facts import Query
from referral.matching.models import MatchReceipt
from referral.matching.receipts import printed, query_of
from referral.planning.unmet.noticing import notice
from referral.referrals.queries import resting_on
from referral.web.access import requires
from referral.web.answers import LONG, Answers
from referral.web.formatting import label, say
from referral.web.language import chosen, zone
from referral.web.matching.facts import disabilities, facts_from, has_changed, missing
from referral.web.matching.filters import (
    Filters,
    chips_of,
    filters_from,
    filters_of,
    less_known,
    typed,
    without,
)
from referral.web.matching.near_misses import grouped, nearest_km
from referral.web.matching.options import cards_of, options_map
from referral.web.matching.question import (
    Question,
    choices,
    known_chips,
    needs_offered,
    question_of,
)
from referral.web.naming import category_name
from referral.web.own_cards import own_cards
from referral.web.reading import seen, shown_receipt
from referral.web.track_records import track_records

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
    question = Question(request.form)
    if request.method == "POST":
        query = question.read()
        if query is not None:
            only = filters_from(Answers(request.form))
            query = replace(query, open_only=only.open_only, free_only=only.free_only)
            return _kept(_run(query))
    else:
        question = _question_again() or Question.of(urgency="routine")
    page = render_template("matching/search.html", answers=question, **choices())
    return page, question.status


def _question_again() -> Question | None:
    """The question of an earlier search, to be changed."""
    receipt_id = request.args.get("receipt", type=UUID)
    if receipt_id is None:
        return None
    before = shown_receipt(receipt_id)
    if before.need_id is not None:
        raise NotFound("match.receipt.unknown")
    query = query_of(before.content or {})
    question = question_of(query)
    question.given.update(typed(filters_of(query, before.at)).given)
    return question


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
def again(receipt_id: UUID) -> Page:
    """Ask again with other filters, one filter less or a longer way; the earlier receipt stays as it was.

    A need is asked with what is known of the person today, a search with what was asked before.
    """
    before = queries.get_receipt(db.session, g.user, receipt_id)
    need = _need_of(db.session, before)
    query = query_of(before.content or {})
    filters = filters_of(query, before.at)
    answers = Answers(request.form)
    dropped = answers.shown("without")
    if dropped:
        filters = without(dropped, filters)
        query = less_known(dropped, query) if need is None else query
    elif "widen" in answers.given:
        filters = replace(filters, within=answers.whole("widen", 1, int(FARTHEST_KM)))
    elif "same" not in answers.given:
        filters = filters_from(answers)
    if answers.errors:
        return _receipt_page(shown_receipt(receipt_id), filters=answers)
    return _kept(_run(_asked(query, filters, need), need))


@bp.post("/receipts/<uuid:receipt_id>/facts")
@requires("case:write")
def add_facts(receipt_id: UUID) -> Page:
    """Keep what the worker learned about whom the need is for, and ask again with it."""
    before = queries.get_receipt(db.session, g.user, receipt_id)
    need = _need_of(db.session, before)
    if need is None:
        raise NotFound("match.receipt.unknown")
    answers = Answers(request.form)
    facts, registered_in = facts_from(answers)
    if answers.errors:
        return _receipt_page(shown_receipt(receipt_id), facts=answers)
    now = datetime.now(UTC)
    casework_operations.add_facts(
        db.session, need, facts, registered_in=registered_in, by=g.user, now=now
    )
    query = query_of(before.content or {})
    return _kept(_run(_asked(query, filters_of(query, before.at), need), need))


@bp.get("/receipts/<uuid:receipt_id>/again")
@bp.get("/receipts/<uuid:receipt_id>/choice")
@bp.get("/receipts/<uuid:receipt_id>/facts")
@requires("receipt:read")
def back_to_receipt(receipt_id: UUID) -> Response:
    """Where a refused form was answered, a reload or another language leads to the receipt it stands on."""
    queries.get_receipt(db.session, g.user, receipt_id)
    return redirect(url_for(".receipt", receipt_id=receipt_id), 303)


def _asked(query: Query, filters: Filters, need: Need | None) -> Query:
    now = datetime.now(UTC)
    if need is not None:
        query = operations.query_for(db.session, need, now=now, limit=query.limit)
    return filters.put_on(query, now.astimezone(ZoneInfo(zone())).replace(microsecond=0))


def _run(query: Query, need: Need | None = None) -> MatchReceipt:
    now = datetime.now(UTC)
    receipt = operations.match(
        db.session,
        query,
        by=g.user,
        now=now,
        office=need.case.office if need else g.user.office,
        case=need.case if need else None,
        need=need,
    )
    if need is not None:
        notice(db.session, need.id, by=g.user, now=now)
    return receipt


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
    return _receipt_page(shown_receipt(receipt_id))


@bp.post("/receipts/<uuid:receipt_id>/choice")
@requires("match:run")
def choose(receipt_id: UUID) -> Page:
    """Keep what the client chose; a chosen service leads to the referral, "none" to the unmet need."""
    kept = shown_receipt(receipt_id)
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
        return _receipt_page(kept, choice=answers)
    need_id, case_id = need.id, need.case_id
    notice(db.session, need_id, by=g.user, now=datetime.now(UTC))
    db.session.commit()
    if site_id is not None:
        return redirect(
            url_for("referrals.new", need_id=need_id, site=site_id, receipt=receipt_id), 303
        )
    if own is not None:
        flash(_("Written down: the client chose somebody of their own people."), "good")
        return redirect(url_for("casework.case", case_id=case_id, _anchor="needs"), 303)
    return redirect(url_for("unmet.record", need_id=need_id, receipt=receipt_id), 303)


def _uuid(typed: str) -> UUID | None:
    try:
        return UUID(typed)
    except ValueError:
        return None


def _own_resource(need: Need, own_id: UUID | None) -> OwnResource | None:
    """One of the client's own people, as far as they may be asked for this need."""
    offered = own_people.options(db.session, need)
    return next((one.own for one in offered if one.own.id == own_id), None)


def _receipt_page(
    kept: MatchReceipt,
    *,
    choice: Answers | None = None,
    filters: Answers | None = None,
    facts: Answers | None = None,
) -> Page:
    """The page of a receipt; one of its forms may come back with what was wrong in it."""
    need = _need_of(db.session, kept)
    case: Case | None = need.case if need else None
    if need is not None:
        seen(need, client_id=need.case.client_id)
    content = kept.content or {}
    shown = printed(content, chosen())
    query = query_of(content)
    sites = _sites(shown)
    listed = [*shown["options"], *shown["remote"]]
    records = track_records(UUID(one["service_id"]) for one in listed)
    cards = cards_of(shown["options"], content, "options", sites, records)
    near_misses = grouped(content, cards_of(shown["why_not"], content, "why_not", sites))
    wrong = [
        *(choice or Answers()).summary,
        *(filters or Answers()).summary,
        *(facts or Answers()).summary,
    ]
    narrowed = filters_of(query, kept.at)
    page = render_template(
        "matching/receipt.html",
        receipt=kept,
        need=need,
        case=case,
        rests=resting_on(db.session, kept.id),
        at_risk=case is not None and case.has_violence,
        own=own_cards(own_people.options(db.session, need)) if need else (),
        category=category_name(query.need),
        shown=shown,
        at=query.at,
        cards=cards,
        remote=cards_of(shown["remote"], content, "remote", sites, records),
        near_misses=near_misses,
        widen_km=nearest_km(near_misses),
        longest_km=max(
            (one["effective_km"] or 0 for one in shown["options"][:FIRST_CARDS]), default=0
        ),
        first=FIRST_CARDS,
        map=options_map(shown, cards, sites, first=FIRST_CARDS, precision_km=query.precision_km),
        total=content["tally"]["options"],
        reasons=_reasons(),
        chips=chips_of(narrowed),
        known=known_chips(query) if need is None else [],
        missing=missing(query, content),
        has_changed=need is not None and _knows_more(query, need),
        question=question_of(query) if need is None else None,
        **(needs_offered() if need is None else disabilities()),
        wrong=wrong,
        answers=choice or Answers(),
        filters=filters or typed(narrowed),
        facts=facts or Answers(),
    )
    return page, 422 if wrong else 200


def _knows_more(query: Query, need: Need) -> bool:
    today = operations.query_for(db.session, need, now=datetime.now(UTC), limit=query.limit)
    return has_changed(query, today)


def _reasons() -> list[tuple[str, str]]:
    return [(code, label(f"match.no.{code}")) for code in _NO_REASONS]


def _sites(shown: Mapping[str, Any]) -> dict[UUID, queries.ShownSite]:
    ids = (
        UUID(one["service_at_location_id"])
        for part in ("options", "remote", "why_not")
        for one in shown[part]
    )
    return queries.shown_sites(db.session, ids)
