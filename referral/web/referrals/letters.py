"""The letter of a referral: what it says, its paper, and its way to signature, number and agency."""

from typing import Any
from uuid import UUID

from flask import current_app, flash, g, redirect, render_template, request, url_for
from flask_babel import gettext as _
from werkzeug.wrappers import Response

from referral.core.errors import Invalid, NotFound
from referral.core.text import LANGUAGES
from referral.extensions import db
from referral.referrals import replies
from referral.referrals.letters import operations, queries
from referral.referrals.letters.letter import LetterFacts, letter_content
from referral.referrals.letters.models import Letter
from referral.referrals.letters.states import Carrier, Hand, LetterEvent, LetterState
from referral.referrals.models import Referral
from referral.web.access import requires
from referral.web.answers import LONG, Answers
from referral.web.formatting import labelled
from referral.web.language import chosen
from referral.web.referrals.sheets import language_asked, of_worker, paper
from referral.web.referrals.steps import Page, bp, now, today

#: signed, numbered and handed over, as told in one form
ALL = "all"
TONES = {
    LetterState.FOR_SIGNATURE: ("wait", "pencil"),
    LetterState.SIGNED: ("active", "file-text"),
    LetterState.NUMBERED: ("active", "file-text"),
    LetterState.HANDED_OVER: ("wait", "send"),
    LetterState.DELIVERED: ("good", "circle-check"),
    LetterState.VOID: ("neutral", "x"),
}


@bp.get("/letters")
@requires("letter:sign")
def letters() -> str:
    """Letters on their way: those to be signed first."""
    waiting = (
        LetterState.FOR_SIGNATURE,
        LetterState.SIGNED,
        LetterState.NUMBERED,
        LetterState.HANDED_OVER,
    )
    return render_template(
        "referrals/letters.html",
        groups=[(state, queries.on_their_way(db.session, g.user, state)) for state in waiting],
        tones=TONES,
    )


@bp.get("/referrals/<uuid:referral_id>/letter")
@requires("referral:read")
def letter(referral_id: UUID) -> Page:
    """What the letter says, how far it is, and the paper to print."""
    return _page(of_worker(referral_id))


@bp.get("/referrals/<uuid:referral_id>/letter.pdf")
@requires("referral:read")
def letter_pdf(referral_id: UUID) -> Response:
    """The letter on paper: only what this recipient may know, with a slip to answer on."""
    referral, lang = of_worker(referral_id), language_asked()
    content = letter_content(_facts(referral, lang), lang)
    name = "surat" if lang == "id" else "letter"
    return paper("letter", content, f"{name}-{referral.number}.pdf")


@bp.post("/referrals/<uuid:referral_id>/letters")
@requires("referral:send")
def make_letter(referral_id: UUID) -> Page:
    """Send the letter for signature."""
    referral, answers = of_worker(referral_id), Answers(request.form)
    language = answers.choice("language", LANGUAGES) or chosen()
    attachments = answers.whole("attachments", 0, operations.MOST_ATTACHMENTS) or 0
    copies = answers.choices("copies", [value for value, _name in _may_get_copy(referral)])
    if not answers.errors:
        try:
            operations.make(
                db.session,
                referral,
                language=language,
                attachments=attachments,
                copies=copies,
                by=g.user,
                now=now(),
            )
        except Invalid as error:
            answers.refused(error)
    if answers.errors:
        return _page(referral, ("make", answers))
    db.session.commit()
    flash(_("The letter waits for its signature."), "good")
    return redirect(url_for(".letter", referral_id=referral_id), 303)


@bp.post(
    "/referrals/<uuid:referral_id>/letters/<uuid:letter_id>/<any(sign, number, hand_over, deliver, void, all):event>"
)
@requires("letter:sign")
def letter_step(referral_id: UUID, letter_id: UUID, event: str) -> Page:
    """A step of a letter on its way, or signing, numbering and handing over at once."""
    referral, answers = of_worker(referral_id), Answers(request.form)
    made = queries.get_letter(db.session, referral, letter_id)
    version = answers.whole("version", 0, 10**6) or 0
    for step, given in _told(answers, event):
        if answers.errors:
            break
        try:
            operations.take_letter_step(
                db.session, made, step, by=g.user, now=now(), version=version, given=given
            )
            version = made.version
        except Invalid as error:
            if event == ALL and step is LetterEvent.HAND_OVER and error.field == "on":
                error.field = "handed_on"
            answers.refused(error)
            # Of several steps in one form none is kept while one is wrong.
            db.session.rollback()
            referral = of_worker(referral_id)
    if answers.errors:
        return _page(referral, (event, answers))
    db.session.commit()
    flash(_("Written down."), "good")
    return redirect(url_for(".letter", referral_id=referral_id), 303)


@bp.route("/office/letterhead", methods=["GET", "POST"])
@requires("letter:sign")
def letterhead() -> Page:
    """What the office's letters say of it: address, who signs, how letters are numbered."""
    office = g.user.office
    if office is None:
        raise NotFound("letter.none")
    if request.method == "GET":
        answers = Answers.of(**(office.letterhead or {}))
        return render_template("referrals/letterhead.html", office=office, answers=answers)
    answers = Answers(request.form)
    values = {name: answers.text(name) for name in operations.LETTERHEAD}
    if not answers.errors:
        try:
            operations.say_letterhead(db.session, office, values, by=g.user, now=now())
        except Invalid as error:
            answers.refused(error)
    if answers.errors:
        return render_template("referrals/letterhead.html", office=office, answers=answers), 422
    db.session.commit()
    flash(_("Letters now say this of your office."), "good")
    return redirect(url_for(".letterhead"), 303)


def _facts(referral: Referral, lang: str) -> LetterFacts:
    link = replies.way_to_answer(db.session, referral, now=now())
    public_url = current_app.config["SETTINGS"].PUBLIC_URL
    return queries.letter_facts(
        db.session,
        referral,
        lang,
        letter=queries.current(db.session, referral),
        now=now(),
        reply_url=replies.address(public_url, link) if link else None,
        short_code=link.code if link else None,
    )


def _may_get_copy(referral: Referral) -> list[tuple[str, str]]:
    facts = queries.letter_facts(db.session, referral, chosen(), letter=None, now=now())
    found = queries.copies_for(db.session, referral, facts.about, now=now())
    return [(str(one.id), one.name) for one in found]


def _told(answers: Answers, event: str) -> list[tuple[LetterEvent, operations.LetterGiven]]:
    """The steps that a form tells, each with what belongs to it."""
    carrier = answers.choice("handed_to", list(Carrier))
    given = operations.LetterGiven(
        on=answers.day("on"),
        signatory_name=answers.text("signatory_name"),
        signatory_title=answers.text("signatory_title"),
        signatory_nip=answers.text("signatory_nip"),
        number=answers.text("number"),
        handed_to=Carrier(carrier) if carrier else None,
        receiver=answers.text("receiver"),
        note=answers.text("note", longest=LONG),
    )
    if event != ALL:
        return [(LetterEvent(event), given)]
    handed = operations.LetterGiven(
        on=answers.day("handed_on"), handed_to=given.handed_to, receiver=given.receiver
    )
    return [
        (LetterEvent.SIGN, given),
        (LetterEvent.NUMBER, given),
        (LetterEvent.HAND_OVER, handed),
    ]


def _page(referral: Referral, tried: tuple[str, Answers] | None = None) -> tuple[str, int]:
    """The letter's page, with the form that was refused where there is one."""
    made = queries.current(db.session, referral)
    facts = _facts(referral, chosen())
    page = render_template(
        "referrals/letter.html",
        referral=referral,
        letter=letter_content(facts, chosen()),
        made=made,
        earlier=[one for one in queries.of_referral(db.session, referral.id) if one is not made],
        tones=TONES,
        forms={
            event: tried[1] if tried and tried[0] == event else _filled_in(referral, made)
            for event in _forms(referral, made)
        },
        tried=tried[0] if tried else None,
        summary=[(f"{tried[0]}-{name}", said) for name, said in tried[1].summary] if tried else [],
        may_get_copy=_may_get_copy(referral),
        carriers=labelled(Carrier, "letter.carrier"),
        has_pattern=bool((referral.case.office.letterhead or {}).get("number_pattern")),
    )
    return page, tried[1].status if tried else 200


def _forms(referral: Referral, made: Letter | None) -> list[str]:
    """The steps that are open to whoever is signed in."""
    is_worker = operations.hand_of(referral, g.user) is Hand.WORKER
    if made is None:
        return ["make"] if is_worker and queries.may_make(db.session, referral) else []
    events = [event.value for event in operations.possible_letter_steps(made, g.user)]
    if made.state is LetterState.FOR_SIGNATURE and is_worker:
        events.insert(-1, ALL)  # before making it void
    return events


def _filled_in(referral: Referral, made: Letter | None) -> Answers:
    signatory = queries.signatory_of(referral, made)
    known: dict[str, Any] = {
        "language": chosen(),
        "attachments": 0,
        "on": today(referral),
        "handed_on": today(referral),
        "signatory_name": signatory.name,
        "signatory_title": signatory.title,
        "signatory_nip": signatory.nip,
        "handed_to": (
            Carrier.CLIENT if referral.answer_mode == "walk_in" else Carrier.AGENCY
        ).value,
    }
    return Answers.of(**known)
