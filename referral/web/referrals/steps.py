"""What the pages of both sides share: the forms of the steps, the history, and what to do when somebody was faster."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import Any
from uuid import UUID

from flask import Blueprint, flash, g, render_template, request
from flask_babel import gettext as _
from sqlalchemy import select
from werkzeug.wrappers import Response

from referral.accounts.models import User
from referral.core.errors import Invalid
from referral.directory.upkeep.kinds import Part
from referral.extensions import db
from referral.planning.unmet.noticing import notice
from referral.referrals import effects, operations, queries
from referral.referrals.given import Given
from referral.referrals.lifecycle import Actor, Event, Field, Status, rule_for
from referral.referrals.models import Channel, ReasonCode, Referral, ReferralStep
from referral.web.answers import LONG, Answers
from referral.web.formatting import capital, label, labelled
from referral.web.language import chosen

bp = Blueprint("referrals", __name__)
Page = str | Response | tuple[str, int]

#: how a status is coloured and drawn; a word says the same
TONES = {
    Status.DRAFT: ("neutral", "pencil"),
    Status.REQUESTED: ("wait", "send"),
    Status.RECEIVED: ("wait", "mail"),
    Status.ACCEPTED: ("active", "thumbs-up"),
    Status.REJECTED: ("bad", "circle-x"),
    Status.IN_PROGRESS: ("active", "play"),
    Status.ON_HOLD: ("wait", "pause"),
    Status.COMPLETED: ("good", "circle-check"),
    Status.FAILED: ("bad", "triangle-alert"),
    Status.CANCELLED: ("neutral", "x"),
    Status.ENTERED_IN_ERROR: ("neutral", "undo-2"),
}
_ICONS = {
    Event.SEND: "send",
    Event.RECEIVE: "mail",
    Event.ACCEPT: "thumbs-up",
    Event.DECLINE: "circle-x",
    Event.ASK: "circle-question-mark",
    Event.REPLY: "message-circle",
    Event.HOLD: "pause",
    Event.RESUME: "play",
    Event.START: "handshake",
    Event.REPORT: "notebook-pen",
    Event.COMPLETE: "circle-check",
    Event.FAIL: "triangle-alert",
    Event.CANCEL: "x",
    Event.CONFIRM: "check",
    Event.VOID: "undo-2",
}
_HISTORY_TONES = {
    Event.ACCEPT: "good",
    Event.COMPLETE: "good",
    Event.HOLD: "wait",
    Event.ASK: "wait",
    Event.DECLINE: "bad",
    Event.FAIL: "bad",
}
#: what may come with a step beside what it must carry
_MORE = {
    Event.DECLINE: (Field.REVIEW_ON, Field.NOTE),
    Event.HOLD: (Field.NOTE,),
    Event.COMPLETE: (Field.NOTE,),
    Event.FAIL: (Field.NOTE,),
    Event.CANCEL: (Field.NOTE,),
}
ON_BEHALF = (Channel.PHONE, Channel.PAPER)
FIRST_CONTACT_DAYS = 3  # proposed to an agency that accepts; it may choose another day


@dataclass(frozen=True)
class StepForm:
    """One step as a form: what it asks, and who may be meant."""

    event: Event
    title: str
    actors: tuple[Actor, ...]
    required: frozenset[Field]
    fields: tuple[Field, ...]
    reasons: tuple[tuple[str, str], ...]
    icon: str
    answers: Answers
    #: the worker writes down what the agency said
    on_behalf: bool

    @property
    def is_open(self) -> bool:
        """A form that is to be corrected, and the answer that an agency waits for, are not folded away."""
        return bool(self.answers.errors) or self.event is Event.REPLY

    def field_id(self, name: str) -> str:
        return f"{self.event}-{name}"

    @property
    def asks_wrong_part(self) -> bool:
        return any(code == effects.LISTING_WRONG for code, _name in self.reasons)

    @property
    def wrong_parts(self) -> list[tuple[str, str]]:
        return labelled(Part, "listing.field")

    def says(self, field: str) -> str:
        """The question a field asks, which depends on the step."""
        by_step: dict[tuple[str, str], str] = {
            ("accept", "first_contact_on"): _("When will you first be in touch?"),
            ("start", "first_contact_on"): _("When was the first contact?"),
            ("start", "note"): _("What came of it?"),
            ("ask", "note"): _("What do you need to know?"),
            ("reply", "note"): _("Your answer. The agency reads it: no name, no number."),
            ("report", "note"): _("What has happened since?"),
            ("void", "note"): _("What was wrong with this entry?"),
            ("decline", "review_on"): _("If there is no room: until when?"),
            ("complete", "outcome_on"): _("On which day?"),
        }
        by_field: dict[str, str] = {
            "reason": _("Why?"),
            "note": _("Note"),
            "review_on": _("Look at it again on"),
            "outcome": _("What did the client get?"),
        }
        if self.on_behalf and field == Field.FIRST_CONTACT_ON:
            return str(_("First contact"))
        return by_step.get((self.event.value, field)) or by_field[field]


def now() -> datetime:
    return datetime.now(UTC)


def today(referral: Referral) -> date:
    """The day it is in the zone of the office that sent it."""
    return operations.local_day(referral, now())


def reason_name(code: str | None) -> str | None:
    """A coded reason in the page's language."""
    reason = queries.reasons_by_code(db.session).get(code) if code else None
    return _named(reason) if reason else None


def summary_of(tried: tuple[Event, Answers] | None) -> list[tuple[str, str]]:
    """What is wrong with the form that was tried, each by the id its field has on the page."""
    if tried is None:
        return []
    event, answers = tried
    return [(f"{event}-{name}", sentence) for name, sentence in answers.summary]


def _named(reason: ReasonCode) -> str:
    return reason.name_id if chosen() == "id" else reason.name_en


def outcomes() -> list[tuple[str, str]]:
    return [(one, label(f"referral.outcome.{one}")) for one in operations.OUTCOMES]


def forms_of(
    referral: Referral,
    tried: tuple[Event, Answers] | None = None,
    *,
    by_link: Sequence[Event] = (),
) -> list[StepForm]:
    """A form for every step that is open to whoever is signed in, in the order of the loop.

    `tried` is the one that was sent and refused: it comes back with what was typed. `by_link`: not the steps of
    a person, but these of the agency.
    """
    possible = [(event, Actor.AGENCY) for event in by_link] or operations.possible_steps(
        referral, g.user, now=now()
    )
    forms = []
    for event in Event:
        actors = tuple(actor for one, actor in possible if one is event)
        if not actors or event is Event.SEND:
            continue
        own = Actor.BROKER in actors or Actor.CLIENT in actors
        rule = rule_for(
            referral.status,
            event,
            actor=actors[0],
            mode=referral.answer_mode,
            accepted=queries.was_accepted(referral),
        )
        answers = tried[1] if tried and tried[0] is event else _filled_in(event, referral)
        reasons: tuple[tuple[str, str], ...] = ()
        if rule.codes is not None:
            reasons = tuple(
                (reason.code, _named(reason))
                for reason in queries.reason_codes(db.session, rule.codes)
                if not rule.only or reason.code in rule.only
            )
        more = _MORE.get(event, ())
        fields = tuple(field for field in Field if field in rule.required or field in more)
        # A note comes last: it says more about what was chosen above it.
        fields = tuple(sorted(fields, key=lambda field: field is Field.NOTE))
        forms.append(
            StepForm(
                event,
                capital(label(f"referral.event.{event}")),
                actors,
                rule.required,
                fields,
                reasons,
                _ICONS[event],
                answers,
                on_behalf=not (own or by_link) and g.user.organization_id is None,
            )
        )
    return forms


def _filled_in(event: Event, referral: Referral) -> Answers:
    day = today(referral)
    known: dict[str, Any] = {"channel": Channel.PHONE.value, "answered_on": day}
    if event is Event.ACCEPT:
        known["first_contact_on"] = next_working_day(day + timedelta(days=FIRST_CONTACT_DAYS))
    elif event is Event.START:
        known["first_contact_on"] = day
    elif event is Event.COMPLETE:
        known["outcome_on"] = day
    elif event is Event.HOLD:
        known["review_on"] = next_working_day(day + timedelta(days=14))
        if referral.status in (Status.REQUESTED, Status.RECEIVED):
            known["reason"] = "missing_documents"
    return Answers.of(**known)


def next_working_day(day: date) -> date:
    """The day itself, or the Monday after a weekend."""
    return day + timedelta(days=max(0, 7 - day.weekday())) if day.weekday() >= 5 else day


def is_stale(referral: Referral) -> bool:
    """Whether the page this form came from shows an older version than there is now."""
    return request.form.get("version", "") != str(referral.version)


def _part(answers: Answers) -> Part | None:
    chosen_part = answers.choice("wrong_part", list(Part))
    return Part(chosen_part) if chosen_part else None


def stale_page(referral: Referral, back: str) -> tuple[str, int]:
    """Somebody was faster: what the reader saw, what it is now, and who did that."""
    seen = request.form.get("seen", "")
    last = referral.steps[-1] if referral.steps else None
    page = render_template(
        "referrals/stale.html",
        referral=referral,
        seen=label(f"referral.status.{seen}") if seen in list(Status) else None,
        last=last,
        last_title=label(f"referral.event.{last.event}") if last else None,
        actor=label(f"referral.actor.{last.actor}") if last else None,
        typed=[
            (name, request.form[name])
            for name in ("note", "first_contact_on", "review_on", "outcome_on")
            if request.form.get(name)
        ],
        back=back,
    )
    db.session.rollback()
    return page, 409


def given_in(referral: Referral, event: Event, *, actor: Actor) -> tuple[Given, Answers]:
    """What came with the form of a step; what it must carry and doesn't is an error of the answers."""
    answers = Answers(request.form)
    given = Given(
        reason=answers.text("reason"),
        note=answers.text("note", longest=LONG),
        review_on=answers.day("review_on"),
        first_contact_on=answers.day("first_contact_on"),
        outcome=answers.choice("outcome", operations.OUTCOMES),
        outcome_on=answers.day("outcome_on"),
        wrong_part=_part(answers),
    )
    rule = rule_for(
        referral.status,
        event,
        actor=actor,
        mode=referral.answer_mode,
        accepted=queries.was_accepted(referral),
    )
    for field in rule.required:
        answers.require(field, getattr(given, field), label(f"referral.missing.{field}"))
    return given, answers


def take(
    referral: Referral, event: Event, *, actor: Actor, channel: Channel = Channel.WEB
) -> Answers:
    """Take the step the form asks for and commit; what is wrong with the form is in the answers."""
    given, answers = given_in(referral, event, actor=actor)
    answered_on = answers.day("answered_on") if channel in ON_BEHALF else None
    if answers.errors:
        return answers
    try:
        operations.take_step(
            db.session,
            referral,
            event,
            actor=actor,
            by=g.user,
            now=now(),
            version=int(request.form["version"]),
            given=given,
            channel=channel,
            answered_on=answered_on,
        )
    except Invalid as error:
        answers.refused(error)
        return answers
    notice(db.session, referral.need_id, by=g.user, now=now())
    db.session.commit()
    flash(done(event), "good")
    return answers


def done(event: Event) -> str:
    """What to say after a step."""
    words: dict[Event, str] = {
        Event.SEND: _("The referral is sent."),
        Event.RECEIVE: _("Marked as received."),
        Event.ACCEPT: _("Accepted."),
        Event.DECLINE: _("Declined. The worker looks for something else."),
        Event.ASK: _("The question is with the social worker."),
        Event.REPLY: _("The agency reads your answer; its time to decide runs again."),
        Event.HOLD: _("On hold until the review date."),
        Event.RESUME: _("Resumed."),
        Event.START: _("The first contact is recorded."),
        Event.REPORT: _("The progress is recorded."),
        Event.COMPLETE: _("Completed. Now the client is asked whether it helped."),
        Event.FAIL: _("Marked as failed. Decide what follows for the need."),
        Event.CANCEL: _("Cancelled."),
        Event.CONFIRM: _("Thank you. Everybody knows now."),
        Event.VOID: _("Marked as entered in error. It counts nowhere."),
    }
    return words[event]


def history(steps: Sequence[ReferralStep], *, for_agency: bool = False) -> list[dict[str, Any]]:
    """The steps in words for a timeline. An agency reads its own notes, not what the worker wrote."""
    ids: set[UUID] = {step.by_id for step in steps if step.by_id}
    people = db.session.execute(select(User.id, User.name).where(User.id.in_(ids)))
    names: dict[UUID | None, str] = {row.id: row.name for row in people}
    reasons = queries.reasons_by_code(db.session)
    told = []
    for step in steps:
        who = label(f"referral.actor.{step.actor}")
        if step.by_id in names:
            by_other = step.actor is not Actor.BROKER and step.channel in ON_BEHALF
            written = _("%(who)s, written down by %(name)s", who=who, name=names[step.by_id])
            who = (
                written if by_other or step.actor is Actor.CLIENT else f"{who}: {names[step.by_id]}"
            )
        reason = reasons.get(step.reason_code) if step.reason_code else None
        own = step.actor is Actor.AGENCY and step.channel is Channel.WEB
        to_agency = step.event is Event.REPLY
        note = step.note if own or to_agency or not for_agency else None
        words = [_named(reason) if reason else None, note]
        tone = _HISTORY_TONES.get(step.event, "")
        told.append(
            {
                "at": step.at,
                "title": _title(step),
                "who": who,
                "channel": label(f"referral.channel.{step.channel}"),
                "note": ". ".join(word for word in words if word) or None,
                "icon": _ICONS[step.event],
                "tone": tone,
            }
        )
    return told


def _title(step: ReferralStep) -> str:
    status = label(f"referral.status.{step.to_status}")
    title: str = {
        Event.ASK: _("The agency asked"),
        Event.REPLY: _("The worker answered"),
        Event.REPORT: _("Progress"),
        Event.RESUME: _("Resumed: %(status)s", status=status),
        Event.CONFIRM: _("The agency knows of the cancellation"),
    }.get(step.event, status)
    return capital(title)
