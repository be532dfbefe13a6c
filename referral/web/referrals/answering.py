"""The agency's side: an inbox of blind cards, and one referral to answer. Opening a page changes nothing."""

from typing import Any
from uuid import UUID

from flask import g, redirect, render_template, url_for

from referral.casework.contact import printed
from referral.extensions import db
from referral.referrals import queries, reminders
from referral.referrals.cards import CRITERIA, RELEASABLE, View
from referral.referrals.kinds import Share
from referral.referrals.lifecycle import LIVE, WAITING, Actor, Event
from referral.referrals.models import Referral
from referral.web.access import requires
from referral.web.answers import Answers
from referral.web.formatting import label
from referral.web.naming import area_name, category_name
from referral.web.reading import seen
from referral.web.referrals.listing import listing
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
)

_ANSWERS = {"pass": "circle-check", "fail": "triangle-alert"}


@bp.get("/inbox")
@requires("referral:answer")
def inbox() -> Page:
    """What was sent to this agency: unanswered first."""
    return listing(
        "referrals/inbox.html",
        ".inbox",
        queries.inbox,
        _further,
        burden=reminders.asked_lately(db.session, g.user.organization_id, now=now()),
    )


def _further(referral: Referral) -> dict[str, Any]:
    return {
        "card": card_of(referral) if referral.status in LIVE else None,
        "unconfirmed": queries.unconfirmed_cancellation(referral),
    }


def card_of(referral: Referral) -> dict[str, Any]:
    """The blind card in words."""
    card = referral.blind_card
    return {
        "priority": label(f"casework.urgency.{card.get('priority', referral.priority)}"),
        "age_band": card.get("age_band"),
        "area": area_name(card.get("area_code")),
        "criteria": [
            (
                _ANSWERS[card["criteria"][rule]],
                label(f"referral.criterion.{rule}"),
                label(f"referral.criterion.verdict.{card['criteria'][rule]}"),
            )
            for rule in CRITERIA
            if card.get("criteria", {}).get(rule, "unknown") != "unknown"
        ],
        "not_known": [
            label(f"referral.criterion.{rule}")
            for rule in CRITERIA
            if card.get("criteria", {}).get(rule) == "unknown"
        ],
    }


@bp.get("/inbox/<uuid:referral_id>")
@requires("referral:answer")
def answer(referral_id: UUID) -> Page:
    """One referral as the agency may see it now."""
    return _page(queries.get(db.session, g.user, referral_id))


def _page(referral: Referral, tried: tuple[Event, Answers] | None = None) -> Page:
    view = queries.agency_view(db.session, referral, now=now())
    if view is View.RELEASED:
        seen(referral, client_id=referral.client_id)
    answers = tried[1] if tried else Answers()
    feedback = queries.feedback_of(db.session, referral.id)
    shared = feedback is not None and feedback.share == Share.ATTRIBUTED and not feedback.harmed
    forms = forms_of(referral, tried)
    last = referral.steps[-1] if referral.steps else None
    page = render_template(
        "referrals/answer.html",
        referral=referral,
        service=referral.service,
        view=view.value,
        withdrawn=view is View.BLIND
        and referral.status not in WAITING
        and queries.was_accepted(referral),
        card=card_of(referral) if view is not View.STUB else None,
        facts=(referral.released or {}) if view is View.RELEASED else {},
        releasable=RELEASABLE,
        printed=printed,
        category_name=category_name,
        worker=referral.case.broker if view is not View.STUB else None,
        office=referral.case.office,
        tone=TONES[referral.status],
        due=queries.clock(referral).decide_by,
        events=history(referral.steps, for_agency=True) if view is not View.STUB else [],
        end_reason=reason_name(last.reason_code)
        # Why the client or their worker ended it stays with them.
        if view is View.STUB and last and last.actor is Actor.AGENCY
        else None,
        forms={form.event.value: form for form in forms},
        summary=summary_of(tried),
        answers=answers,
        outcomes=outcomes(),
        feedback=feedback if shared and view is View.RELEASED else None,
    )
    return page, answers.status


@bp.post(
    "/inbox/<uuid:referral_id>/<any(receive, accept, decline, ask, hold, resume, start, report, complete, fail, cancel, confirm):event>"
)
@requires("referral:answer")
def reply(referral_id: UUID, event: str) -> Page:
    """A step by the agency."""
    referral = queries.get(db.session, g.user, referral_id)
    if is_stale(referral):
        return stale_page(referral, url_for(".answer", referral_id=referral.id))
    answers = take(referral, Event(event), actor=Actor.AGENCY)
    if answers.errors:
        return _page(referral, (Event(event), answers))
    return redirect(url_for(".answer", referral_id=referral.id), 303)
