"""Make it ourselves: help near the client or made by the office, from the first yes to the last."""

from datetime import date
from typing import Any
from uuid import UUID

from flask import flash, g, redirect, render_template, request, url_for
from flask_babel import gettext as _
from werkzeug.wrappers import Response

from referral.casework.contact import normal_number, printed
from referral.casework.cover import today_of
from referral.casework.models import Case, Method, Need, OwnResource, Visibility
from referral.casework.own import helping, listing, making, queries, word
from referral.casework.own.kinds import Ended, Published
from referral.core.errors import Invalid
from referral.core.paging import page_of
from referral.directory.hours import DAYS
from referral.directory.upkeep.editing import InvalidListing
from referral.extensions import db
from referral.matching import own_people
from referral.web.access import requires
from referral.web.answers import LONG, Answers
from referral.web.casework.files import (
    Page,
    bp,
    category_choices,
    file_to_change,
    is_leaf,
    need_in,
    need_states,
    now,
    saved,
)
from referral.web.formatting import capital, label, labelled, say
from referral.web.naming import category_name
from referral.web.own_cards import OwnCard, own_card
from referral.web.reading import seen

#: the fields of the form that an operation may find wrong
_FIELDS = (
    "name",
    "capacity",
    "days",
    "visibility",
    "public_name",
    "helper_agreed",
    "agreed_on",
    "method",
)


# Making ------------------------------------------------------------------------------------------


@bp.route("/cases/<uuid:case_id>/needs/<uuid:need_id>/own", methods=["GET", "POST"])
@requires("own_resource:write")
def own_resource(case_id: UUID, need_id: UUID) -> Page:
    """Make it ourselves: somebody near the client, or a group the worker starts. Usable at once."""
    case = file_to_change(case_id)
    need = need_in(case, need_id)
    answers = Answers(request.form)
    if request.method == "POST":
        offered = _offered(answers, need.category)
        if offered is not None and _made(case, offered, answers):
            return saved(case, _("Made. It can be chosen for this client from now on."), part="own")
        case = file_to_change(case_id)
        need = need_in(case, need_id)
    else:
        answers = Answers.of(visibility=Visibility.CLIENT.value, method=Method.SPOKEN.value)
    return _form(answers, case=case, need=need)


@bp.route("/own/new", methods=["GET", "POST"])
@requires("own_resource:write")
def new_own() -> Page:
    """Help that the office makes for anybody, without a case."""
    answers = Answers(request.form)
    if request.method == "POST":
        code = answers.shown("category")
        if not is_leaf(code):
            answers.wrong("category", _("Choose what is needed."))
        offered = _offered(answers, code)
        if offered is not None and _made(None, offered, answers):
            db.session.commit()
            flash(_("Made. It can be chosen for your clients from now on."), "good")
            return redirect(url_for(".own_list"), 303)
    else:
        answers = Answers.of(visibility=Visibility.OFFICE.value, method=Method.SPOKEN.value)
    return _form(answers)


@bp.route("/own/<uuid:own_id>/edit", methods=["GET", "POST"])
@requires("own_resource:write")
def edit_own(own_id: UUID) -> Page:
    """What is different of it now. More than the helper agreed to needs their yes again."""
    own = _own(own_id)
    answers = Answers(request.form)
    if request.method == "POST":
        offered = _offered(answers, own.category, is_new=False)
        if offered is not None and _changed(own, offered, answers):
            return _back(own, _("Kept."))
        own = _own(own_id)
    else:
        answers = _answers_of(own)
    return _form(answers, own=own)


def _offered(answers: Answers, category: str, *, is_new: bool = True) -> making.Offered | None:
    """What the form says; None where something in it is wrong."""
    if is_new and not answers.ticked("helper_agreed"):
        answers.wrong("helper_agreed", label("casework.helper_agreed"))
    phone = answers.text("phone", longest=40)
    if phone is not None and "phone" not in answers.errors:
        try:
            phone = normal_number(phone)
        except Invalid as error:
            answers.wrong("phone", say(error.message))
    visibility = answers.choice("visibility", [one.value for one in Visibility])
    answers.require("visibility", visibility, _("Choose who may be offered this help."))
    name = answers.text("name")
    if not name:
        answers.wrong("name", label("casework.own_name"))
    answers.day("agreed_on")
    answers.choice("method", [one.value for one in word.METHODS])
    parts: dict[str, Any] = {
        "day": answers.text("day"),
        "place": answers.text("place"),
        "note": answers.text("note", longest=LONG),
        "days": answers.choices("days", DAYS),
        "capacity": answers.whole("capacity", 1, making.MOST_PEOPLE),
        "publishes": answers.choices("publishes", [one.value for one in Published]),
        "public_name": answers.text("public_name"),
    }
    if answers.errors or name is None or visibility is None:
        return None
    return making.Offered(category, name, Visibility(visibility), phone=phone, **parts)


def _word(answers: Answers) -> dict[str, Any]:
    return {
        "agreed": answers.ticked("helper_agreed"),
        "agreed_on": answers.day("agreed_on"),
        "method": Method(answers.shown("method") or Method.SPOKEN),
        "by": g.user,
        "now": now(),
    }


def _made(case: Case | None, offered: making.Offered, answers: Answers) -> bool:
    office = case.office if case is not None else g.user.office
    try:
        making.make(db.session, office, offered, case=case, **_word(answers))
    except Invalid as error:
        _refused(answers, error)
    return not answers.errors


def _changed(own: OwnResource, offered: making.Offered, answers: Answers) -> bool:
    try:
        making.change(db.session, own, offered, **_word(answers))
    except Invalid as error:
        _refused(answers, error)
    return not answers.errors


def _refused(answers: Answers, error: Invalid) -> None:
    db.session.rollback()
    if isinstance(error, InvalidListing):  # of what would be listed, a value can't be taken
        answers.wrong("visibility", say(error.message))
    else:
        answers.refused(error, *_FIELDS)


def _answers_of(own: OwnResource) -> Answers:
    details = own.details or {}
    phone = details.get("phone")
    return Answers.of(
        name=own.name,
        visibility=own.visibility.value,
        days=own.byday.split(",") if own.byday else [],
        capacity=own.capacity,
        phone=printed(phone) if phone else None,
        method=own.agreed_method or Method.SPOKEN.value,
        **{
            part: details.get(part) for part in ("day", "place", "note", "publishes", "public_name")
        },
    )


def _form(
    answers: Answers,
    *,
    case: Case | None = None,
    need: Need | None = None,
    own: OwnResource | None = None,
) -> Page:
    reach = [
        one
        for one in Visibility
        if one is not Visibility.CLIENT
        or case is not None
        or (own is not None and own.visibility is Visibility.CLIENT)
    ]
    opened = {
        "more": {"days", "capacity", "note", "agreed_on", "method"},
        "public": {"publishes", "public_name"},
    }
    filled = {name for name in opened["more"] - {"agreed_on", "method"} if answers.shown(name)}
    page = render_template(
        "casework/own.html",
        case=case,
        need=need,
        own=own,
        state=need_states([need])[need.id] if need else None,
        answers=answers,
        categories=category_choices() if need is None and own is None else [],
        visibilities=[
            (
                one.value,
                capital(label(f"casework.visibility.{one}")),
                label(f"casework.own_text.{one}"),
            )
            for one in reach
        ],
        days=labelled(DAYS, "hours.day"),
        methods=labelled(word.METHODS, "casework.method"),
        publishes=labelled(Published, "casework.publishes"),
        at_risk=case is not None and not own_people.may_be_asked(case),
        unfolds={
            "more": bool(opened["more"] & answers.errors.keys() or filled),
            "public": answers.shown("visibility") == Visibility.PUBLIC,
        },
        today=today_of(g.user).isoformat(),
    )
    return page, answers.status


# The office's own --------------------------------------------------------------------------------


@bp.get("/own")
@requires("own_resource:write")
def own_list() -> Page:
    """What the office may use for anybody, by kind of help; what is over, apart."""
    ended = request.args.get("show") == "ended"
    kinds = queries.categories_of(db.session, g.user)
    category = request.args.get("category", "")
    category = category if category in kinds else ""
    found = queries.of_office(g.user, category=category or None, ended=ended)
    page = page_of(db.session, found, number=request.args.get("page", 1, type=int))
    ids = [own.id for own in page.items]
    people = own_people.helped_now(db.session, ids)
    given = helping.given_by(db.session, ids)
    return render_template(
        "casework/own_list.html",
        page=page,
        ended=ended,
        category=category,
        kinds=sorted(((code, category_name(code)) for code in kinds), key=lambda kind: kind[1]),
        cards=[card_of(own, len(people[own.id]), given.get(own.id)) for own in page.items],
        listed={own.id: _listed(own) for own in page.items},
        page_url=lambda number: url_for(
            ".own_list",
            page=number,
            category=category or None,
            show="ended" if ended else None,
        ),
        to_ask_again=queries.to_ask_again(db.session, g.user, today=today_of(g.user)),
    )


def card_of(own: OwnResource, people: int, given: helping.Given | None) -> OwnCard:
    """One of them with whom they help now and how often they did."""
    is_full = own.capacity is not None and people >= own.capacity
    return own_card(own, people=people, is_full=is_full, given=given or helping.Given())


def _listed(own: OwnResource) -> dict[str, Any] | None:
    """How far its public listing is."""
    asked = listing.change_of(db.session, own)
    if asked is None:
        return None
    service = listing.of(db.session, own)
    return {
        "status": asked.status.value,
        "note": asked.decision_note,
        "service_id": service.id if service else None,
    }


# One of them -------------------------------------------------------------------------------------


@bp.get("/own/<uuid:own_id>")
@requires("own_resource:write")
def own_page(own_id: UUID) -> Page:
    """One helper or group: what they give, what they agreed to, and what can be done."""
    return _page(_own(own_id), Answers())


@bp.get("/own/<uuid:own_id>/end")
@bp.get("/own/<uuid:own_id>/agree")
@bp.get("/own/<uuid:own_id>/withdraw")
@bp.get("/own/<uuid:own_id>/resume")
@bp.get("/own/<uuid:own_id>/publish")
@requires("own_resource:write")
def back_to_own(own_id: UUID) -> Response:
    """Where a form was refused, a reload or another language leads to the page it stands on."""
    return redirect(url_for(".own_page", own_id=_own(own_id).id), 303)


def _own(own_id: UUID) -> OwnResource:
    """Help this broker may know; of a client's own, that it was read is noted."""
    own = queries.get(db.session, g.user, own_id)
    if own.client_id is not None:
        seen(own, client_id=own.client_id)
    return own


def _page(own: OwnResource, answers: Answers) -> Page:
    given = helping.given_by(db.session, [own.id]).get(own.id)
    people = own_people.helped_now(db.session, [own.id])[own.id]
    details = own.details or {}
    because = details.get("ended_because")
    page = render_template(
        "casework/own_one.html",
        own=own,
        card=card_of(own, len(people), given),
        case=queries.case_for(db.session, g.user, own),
        agreed_to=[label(f"casework.publishes.{kind}") for kind in listing.publishes(own)],
        public_name=details.get("public_name"),
        listed=_listed(own),
        ask_again_on=word.ask_again_on(own),
        withdrawn_on=_day(details.get("withdrawn_on")),
        because=label(f"casework.own_ended.{because}") if because else None,
        ended_note=details.get("ended_note"),
        reasons=labelled(Ended, "casework.own_ended"),
        methods=labelled(word.METHODS, "casework.method"),
        answers=answers,
    )
    return page, answers.status


def _day(said: str | None) -> date | None:
    return date.fromisoformat(said) if said else None


def _back(own: OwnResource, sentence: str) -> Response:
    where = url_for(".own_page", own_id=own.id)
    db.session.commit()
    flash(sentence, "good")
    return redirect(where, 303)


@bp.post("/own/<uuid:own_id>/agree")
@requires("own_resource:write")
def agree_own(own_id: UUID) -> Page:
    """They were asked again, and still want to help."""
    own = _own(own_id)
    method = Answers(request.form).choice("method", [one.value for one in word.METHODS])
    word.agree_again(db.session, own, method=Method(method or Method.SPOKEN), by=g.user, now=now())
    return _back(own, _("Noted: they agreed today."))


@bp.post("/own/<uuid:own_id>/withdraw")
@requires("own_resource:write")
def withdraw_own(own_id: UUID) -> Page:
    """The helper takes their word back: from now on nobody is sent to them."""
    own = _own(own_id)
    forget = Answers(request.form).ticked("forget")
    word.withdraw(db.session, own, forget=forget, by=g.user, now=now())
    return _back(
        own, _("Noted. From now on nobody is sent to them, and nothing of them is public.")
    )


@bp.post("/own/<uuid:own_id>/end")
@requires("own_resource:write")
def end_own(own_id: UUID) -> Page:
    """This help is over, and why."""
    own = _own(own_id)
    answers = Answers(request.form)
    because = answers.choice("because", [one.value for one in Ended])
    answers.require("because", because, _("Choose why it is over."))
    note = answers.text("ended_note", longest=LONG)
    if because is None or answers.errors:
        return _page(own, answers)
    word.end(db.session, own, because=Ended(because), note=note, by=g.user, now=now())
    return _back(own, _("It is over, and can be taken up again here."))


@bp.post("/own/<uuid:own_id>/resume")
@requires("own_resource:write")
def resume_own(own_id: UUID) -> Page:
    """Take an end back."""
    own = _own(own_id)
    word.resume(db.session, own, by=g.user, now=now())
    return _back(own, _("It can be chosen again."))


@bp.post("/own/<uuid:own_id>/publish")
@requires("own_resource:write")
def publish_own(own_id: UUID) -> Page:
    """Ask a curator once more, after a no."""
    own = _own(own_id)
    try:
        making.ask_again_to_list(db.session, own, by=g.user, now=now())
    except InvalidListing as error:
        db.session.rollback()
        flash(say(error.message), "bad")
        return redirect(url_for(".edit_own", own_id=own_id), 303)
    return _back(own, _("A curator is asked to list it."))
