"""The worker's side after sending: the list, one referral with its history and next steps."""

import json
from typing import Any
from uuid import UUID

from flask import Response, flash, g, redirect, render_template, request, url_for
from flask_babel import gettext as _

from referral.accounts.models import Role
from referral.casework.models import Need
from referral.core.errors import NotAllowed, NotFound
from referral.core.text import Message, km, km_range
from referral.extensions import db
from referral.planning.unmet.queries import confirmed_unmet
from referral.referrals import operations, parking, queries
from referral.referrals.advocacy import operations as advocacy
from referral.referrals.advocacy import queries as advocacy_queries
from referral.referrals.cards import RELEASABLE
from referral.referrals.exchange import fhir
from referral.referrals.exchange import operations as exchange
from referral.referrals.letters.sheets import message_of_referral
from referral.referrals.lifecycle import Actor, Event, Status
from referral.referrals.loop import Trace, awaits_disposition, loop_of
from referral.referrals.models import Channel, Referral
from referral.web.access import may, requires
from referral.web.answers import Answers
from referral.web.formatting import label, say
from referral.web.language import chosen
from referral.web.naming import area_name, category_name
from referral.web.reading import seen
from referral.web.referrals.disagreeing import disagreements
from referral.web.referrals.listing import listing
from referral.web.referrals.replying import to_client, ways_of
from referral.web.referrals.sending import values_of
from referral.web.referrals.steps import (
    TONES,
    Page,
    bp,
    forms_of,
    history,
    is_stale,
    now,
    outcomes,
    reason_name,
    stale_page,
    summary_of,
    take,
    today,
)
from referral.web.told import choice_behind

#: rules whose passing says something about this client
_TELLING = ("category", "age", "sex", "jurisdiction", "documents")


@bp.get("/referrals")
@requires("referral:read")
def index() -> Page:
    """The referrals of this person's cases: those due first, or those that ended."""
    if g.user.role is Role.AGENCY:
        return redirect(url_for(".inbox"), 303)
    return listing(
        "referrals/index.html",
        ".index",
        queries.of_broker,
        _further,
        disagreements=disagreements(),
    )


def _further(referral: Referral) -> dict[str, Any]:
    seen(referral, client_id=referral.client_id)
    trace = queries.trace_of(db.session, referral)
    return {
        "category": category_name(referral.need.category),
        "decide": _is_undecided(referral, trace),
        "question": queries.open_question(referral) is not None,
        "review_due": bool(referral.review_on and referral.review_on <= today(referral)),
        "ask_client": referral.status is Status.COMPLETED and trace.client_says is None,
    }


@bp.get("/referrals/<uuid:referral_id>")
@requires("referral:read")
def show(referral_id: UUID) -> Page:
    """One referral: where it stands, what happened, what can be done now."""
    referral = queries.get(db.session, g.user, referral_id)
    if g.user.role is Role.AGENCY:
        return redirect(url_for(".answer", referral_id=referral.id), 303)
    return page_for(referral)


def page_for(referral: Referral, tried: tuple[Event, Answers] | None = None) -> Page:
    """The referral's page, with the form that was refused where there is one."""
    seen(referral, client_id=referral.client_id)
    trace = queries.trace_of(db.session, referral)
    feedback = queries.feedback_of(db.session, referral.id)
    answers = tried[1] if tried else Answers()
    page = render_template(
        "referrals/show.html",
        referral=referral,
        service=referral.service,
        case=referral.case,
        category=category_name(referral.need.category),
        tone=TONES[referral.status],
        loop=label(f"referral.loop.{loop_of(trace)}"),
        events=history(referral.steps),
        forms=forms_of(referral, tried),
        summary=summary_of(tried),
        answers=answers,
        outcomes=outcomes(),
        choice=choice_behind(referral),
        question=queries.open_question(referral),
        unconfirmed=queries.unconfirmed_cancellation(referral),
        decide=_is_undecided(referral, trace) and may("referral:send"),
        why=_why_ended(referral),
        next_best=_next_best(referral, trace),
        disposition=queries.disposition_of(db.session, referral.id),
        again=queries.based_on(db.session, referral.id),
        before=db.session.get(Referral, referral.based_on_id) if referral.based_on_id else None,
        can_again=referral.status
        in (Status.REJECTED, Status.FAILED, Status.CANCELLED, Status.COMPLETED)
        and may("referral:send"),
        draft_url=url_for(".new", **values_of(referral))
        if referral.status is Status.DRAFT
        else None,
        feedback=feedback,
        can_give_feedback=feedback is None
        and may("feedback:record")
        and referral.status in (Status.COMPLETED, Status.FAILED, Status.REJECTED),
        shows_harm=feedback is not None and feedback.harmed,
        complaint=advocacy_queries.complaint_about(db.session, referral.id),
        can_complain=may("advocacy:write") and advocacy.may_complain(db.session, referral),
        clock=queries.clock(referral),
        ways=ways_of(referral),
        to_client=to_client(referral) if may("feedback:record") else None,
        area=area_name(referral.blind_card.get("area_code")),
        message=message_of_referral(db.session, referral, chosen(), on=today(referral)),
        released=[name for name in RELEASABLE if name in (referral.released or {})],
    )
    return page, answers.status


def _is_undecided(referral: Referral, trace: Trace) -> bool:
    """Whether somebody must still say what follows; the worker's word on the need itself says it too."""
    need = referral.need
    if not awaits_disposition(trace) or need.withdrawn_at or need.resolved_otherwise_at:
        return False
    return need.id not in confirmed_unmet(db.session, [need.id])


def _next_best(referral: Referral, trace: Trace) -> dict[str, Any] | None:
    if not _is_undecided(referral, trace) or not may("referral:send"):
        return None
    return alternative_for(referral.need)


def alternative_for(need: Need) -> dict[str, Any] | None:
    """What to offer instead, found anew: its name, how far, and what speaks for it."""
    entry = parking.next_best(db.session, need, now=now())
    if entry is None:
        return None
    away, band = entry["distance_km"], entry["distance_band"]
    distance = km(away, chosen()) if away is not None else None
    if band:  # known only by its area: the range, never its middle
        distance = km_range(band, chosen())
    return {
        "name": entry["name"],
        "organization": entry["organization"],
        "distance": distance,
        "reasons": [
            say(Message.from_json(verdict["message"]))
            for verdict in entry["verdicts"]
            if verdict["verdict"] == "pass" and verdict["rule"] in _TELLING
        ],
        "asks": sum(verdict["verdict"] == "unknown" for verdict in entry["verdicts"]),
    }


def _why_ended(referral: Referral) -> tuple[str, str] | None:
    """The reason an ended referral was given, and with whom that lies: what a decision starts from."""
    reason = queries.end_reason(db.session, referral)
    if reason is None:
        return None
    return reason_name(reason.code) or "", label(f"referral.party.{reason.party}")


@bp.post(
    "/referrals/<uuid:referral_id>/steps/<any(receive, accept, decline, ask, hold, resume, start, report, complete, fail, cancel, confirm, reply):event>"
)
@requires("referral:send")
def step(referral_id: UUID, event: str) -> Page:
    """A step by the worker, or one that the client or the agency told them."""
    return _step(referral_id, Event(event))


@bp.post("/referrals/<uuid:referral_id>/steps/void")
@requires("referral:read")
def void(referral_id: UUID) -> Page:
    """This should never have been entered; after the first day a second person says so."""
    if g.user.role is Role.AGENCY:
        raise NotFound("referral.none")
    return _step(referral_id, Event.VOID)


def _step(referral_id: UUID, event: Event) -> Page:
    referral = queries.get(db.session, g.user, referral_id)
    if is_stale(referral):
        return stale_page(referral, url_for(".show", referral_id=referral.id))
    asked = request.form.get("actor", Actor.BROKER.value)
    actor = Actor(asked) if asked in (Actor.BROKER, Actor.CLIENT, Actor.AGENCY) else Actor.BROKER
    channel = Channel.WEB
    if actor is Actor.AGENCY:
        paper = request.form.get("channel") == Channel.PAPER
        channel = Channel.PAPER if paper else Channel.PHONE
    answers = take(referral, event, actor=actor, channel=channel)
    if answers.errors:
        return page_for(referral, (event, answers))
    return redirect(url_for(".show", referral_id=referral.id), 303)


@bp.post("/referrals/<uuid:referral_id>/discard")
@requires("referral:send")
def discard(referral_id: UUID) -> Page:
    """Throw a draft away."""
    referral = queries.get(db.session, g.user, referral_id)
    operations.discard(db.session, referral, by=g.user, now=now())
    db.session.commit()
    flash(_("The draft is gone."), "info")
    return redirect(url_for(".index"), 303)


@bp.get("/referrals/<uuid:referral_id>/fhir.json")
@requires("referral:send")
def fhir_document(referral_id: UUID) -> Response:
    """The referral as a FHIR R4 document for another system: what the client let this agency know."""
    referral = queries.get(db.session, g.user, referral_id)
    if referral.status is Status.DRAFT:
        raise NotAllowed("referral.letter_early")
    seen(referral, client_id=referral.client_id)
    made = fhir.document(exchange.told_to_worker(db.session, referral), at=now())
    response = Response(
        json.dumps(made, ensure_ascii=False, indent=1), mimetype="application/fhir+json"
    )
    response.headers["Content-Disposition"] = f'attachment; filename="{referral.number}.fhir.json"'
    response.headers["Cache-Control"] = "no-store"
    return response
