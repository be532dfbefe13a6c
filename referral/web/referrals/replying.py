"""The agency's answer without an account: a link or a short code opens the blind card, a button answers.

Opening changes nothing. The secret stands in the query, which our access log leaves out, and then in the form.
"""

from dataclasses import dataclass

from flask import Response, current_app, render_template, request
from flask_babel import gettext as _

from referral.accounts.signing_in import network
from referral.core.errors import Invalid, NotAllowed, NotFound, Stale
from referral.core.text import Message
from referral.directory import phones
from referral.directory.upkeep.verification import AGENCY_BY_LINK
from referral.extensions import db, limiter
from referral.planning.unmet.noticing import notice
from referral.referrals import queries, replies
from referral.referrals.lifecycle import Actor, Event, Status
from referral.referrals.models import Channel, Referral, ReplyLink
from referral.web.access import public
from referral.web.answers import Answers
from referral.web.formatting import say
from referral.web.referrals.answering import card_of
from referral.web.referrals.steps import bp, forms_of, given_in, now, outcomes, summary_of

#: Guessing at short codes is slow: there are 8·10¹¹ of them.
TRIES = "20 per minute; 100 per day"


MOST_STEPS = 10**6


def guesser() -> str:
    """Whose wrong codes are counted together: those of an address, or of the whole network it stands for."""
    return network(request.remote_addr or "")


def holds_a_token() -> bool:
    """Whether what came has the form of a link's secret, and not of a code with something around it.

    Nobody guesses that, so nobody is kept from their link by others who guess codes from the same address.
    """
    return replies.TOKEN.fullmatch(request.values.get("key", "").strip()) is not None


def was_wrong(response: Response) -> bool:
    """Whether it counts as a guess."""
    return response.status_code == 404


@bp.route(replies.PATH, methods=["GET", "POST"])
@public
@limiter.limit(TRIES, key_func=guesser, exempt_when=holds_a_token, deduct_when=was_wrong)
def reply_by_link() -> Response:
    """What a link or a code asks, and its buttons; without either, a field for the code."""
    said = (request.values.get("key") or request.form.get("code") or "").strip()
    if not said:
        return by_link("referrals/reply_code.html", 200, error=None, typed="")
    try:
        link = replies.find(db.session, said, now=now())
    except NotFound as error:
        typed = request.form.get("code", "")
        return by_link("referrals/reply_code.html", 404, error=say(error.message), typed=typed)
    name = request.form.get("event", "")
    if name not in replies.EVENTS:
        return _shown(link)
    return _take(link, Event(name))


@dataclass(frozen=True)
class Ways:
    """How the agency can answer without an account, or how it is told who the client is once it said yes so."""

    code: str | None
    address: str | None
    message: str | None
    mailed_to: str | None
    tell_by: list[dict[str, str]]


@dataclass(frozen=True)
class ToClient:
    """Whether the client can be given a link of their own, and the message with it once it was made."""

    message: str | None


def to_client(referral: Referral) -> ToClient | None:
    """None where a message is not safe for the client, or they have spoken."""
    public_url = current_app.config["SETTINGS"].PUBLIC_URL
    if not public_url or not replies.may_ask_the_client(db.session, referral):
        return None
    link = replies.way_for_the_client(db.session, referral, now=now())
    if link is None:
        return ToClient(None)
    address = replies.address(public_url, link) or ""
    return ToClient(say(Message("reply.message.client", {"address": address})))


def ways_of(referral: Referral) -> Ways | None:
    """What the worker can hand on; None where there is nothing to hand on."""
    if referral.status is Status.ACCEPTED and _was_accepted_by_link(referral):
        numbers = [phone for phone in referral.service.phones if phone.type != "fax"]
        tell_by = [
            {"number": one.number, "dial": phones.dial(one.number, one.extension)}
            for one in numbers
        ]
        return Ways(None, None, None, None, tell_by)
    link = replies.way_to_answer(db.session, referral, now=now())
    if link is None:
        return None
    address = replies.address(current_app.config["SETTINGS"].PUBLIC_URL, link)
    told = {"office": referral.case.office.name, "number": referral.number, "code": link.code}
    key = "reply.message.link" if address else "reply.message.code"
    message = say(Message(key, told | {"address": address or ""}))
    mailed_to = replies.mail_address(referral) if address else None
    return Ways(link.code, address, message, mailed_to, [])


def _was_accepted_by_link(referral: Referral) -> bool:
    """Accepted through a link, by an agency where nobody can sign in and read who it is."""
    accepted = [step for step in referral.steps if step.event is Event.ACCEPT]
    return (
        bool(accepted)
        and accepted[-1].channel is Channel.LINK
        and not queries.has_account(db.session, referral.organization_id)
    )


def _take(link: ReplyLink, event: Event) -> Response:
    referral = link.referral
    given, answers = given_in(referral, event, actor=Actor.AGENCY)
    version = answers.whole("version", 0, MOST_STEPS) or 0
    if not answers.errors:
        try:
            replies.answer(
                db.session,
                link,
                event,
                given,
                version=version,
                now=now(),
            )
            notice(db.session, referral.need_id, by=AGENCY_BY_LINK, now=now())
        except Invalid as error:
            answers.refused(error)
        except (NotAllowed, Stale) as error:
            db.session.rollback()
            return by_link("referrals/reply_code.html", 409, error=say(error.message), typed="")
    if answers.errors:
        return _shown(link, (event, answers))
    letterhead = referral.case.office.letterhead or {}
    done = {
        Event.ACCEPT: _(
            "Thank you. The social worker now tells you who it is, by the number your listing gives."
        ),
        Event.DECLINE: _("Thank you. The social worker looks for something else."),
        Event.ASK: _(
            "Thank you. The social worker answers; this link stays open for your decision."
        ),
    }[event]
    shown = {"done": done, "office": referral.case.office.name, "phone": letterhead.get("phone")}
    db.session.commit()
    return by_link("referrals/reply_done.html", 200, **shown)


def _shown(link: ReplyLink, tried: tuple[Event, Answers] | None = None) -> Response:
    referral = link.referral
    asked = [
        (step.event.value, step.note)
        for step in referral.steps
        if step.event in (Event.ASK, Event.REPLY)
    ]
    return by_link(
        "referrals/reply.html",
        tried[1].status if tried else 200,
        referral=referral,
        service=referral.service,
        office=referral.case.office.name,
        card=card_of(referral),
        clock=queries.clock(referral),
        asked=asked,
        forms={
            form.event.value: form for form in forms_of(referral, tried, by_link=replies.EVENTS)
        },
        summary=summary_of(tried),
        token=link.token,
        until=link.expires_at,
        outcomes=outcomes(),
    )


def by_link(template: str, status: int, **shown: object) -> Response:
    """A page that a secret opened: nobody keeps it, and nobody further on hears the secret."""
    response = Response(render_template(template, **shown), status, mimetype="text/html")
    # Forms still need to hear from whom they come.
    response.headers["Referrer-Policy"] = "origin"
    response.headers["Cache-Control"] = "no-store"
    return response
