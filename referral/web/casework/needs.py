"""Assessed needs: adding one, closing one without a referral, and making help ourselves."""

from uuid import UUID

from flask import g, render_template, request
from flask_babel import gettext as _

from referral.casework import operations
from referral.casework.contact import normal_number
from referral.casework.models import Beneficiary, Case, Need, Urgency, Visibility
from referral.core.errors import Invalid
from referral.directory import reference
from referral.extensions import db
from referral.planning.unmet.noticing import notice
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
    term,
)
from referral.web.formatting import say
from referral.web.language import chosen
from referral.web.naming import category_name

URGENCIES = tuple(Urgency)


@bp.route("/cases/<uuid:case_id>/needs/new", methods=["GET", "POST"])
@requires("case:write")
def new_need(case_id: UUID) -> Page:
    """Add a need: choose a category by search or from the list, for whom, how urgent."""
    case = file_to_change(case_id)
    answers = Answers(request.form)
    if request.method == "POST" and "search" not in request.form:
        code = answers.shown("category")
        if not is_leaf(code):
            answers.wrong("category", _("Choose what is needed."))
        urgency = answers.choice("urgency", [one.value for one in URGENCIES])
        answers.require("urgency", urgency, _("Choose how urgent it is."))
        severity = answers.whole("severity", 1, 3) or 2
        note = answers.text("note", longest=LONG)
        beneficiary = chosen_beneficiary(case, answers, "beneficiary")
        if urgency and not answers.errors:
            operations.assess_need(
                db.session,
                case,
                category=term(code).code,
                urgency=Urgency(urgency),
                severity=severity,
                beneficiary=beneficiary,
                note=note,
                by=g.user,
                now=now(),
            )
            sentence = _("Added: %(category)s.", category=category_name(code))
            return saved(case, sentence, part="needs")
    elif request.method == "GET":
        answers = Answers.of(
            category=request.args.get("category"), urgency=Urgency.ROUTINE.value, severity=2
        )
    words = answers.shown("words")
    page = render_template(
        "casework/need.html",
        case=case,
        answers=answers,
        categories=category_choices(),
        urgencies=URGENCIES,
        beneficiaries=beneficiary_choices(case),
        words=words,
        found=[
            (one.code, one.name[chosen()])
            for one in reference.taxonomy().search(words, chosen(), limit=12)
            if one.level > 1
        ]
        if words
        else [],
    )
    return page, answers.status


def beneficiary_choices(case: Case) -> list[tuple[str, str]]:
    """Whom a need may be about; the client first."""
    others = [(str(one.id), one.label or "–") for one in case.beneficiaries]
    return [("", _("The client")), *others]


def chosen_beneficiary(case: Case, answers: Answers, name: str) -> Beneficiary | None:
    chosen_id = answers.choice(name, [str(one.id) for one in case.beneficiaries])
    return next((one for one in case.beneficiaries if str(one.id) == chosen_id), None)


@bp.post("/cases/<uuid:case_id>/needs/<uuid:need_id>/withdraw")
@requires("case:write")
def withdraw_need(case_id: UUID, need_id: UUID) -> Page:
    """The client no longer asks for this."""
    case = file_to_change(case_id)
    need = need_in(case, need_id)
    operations.withdraw_need(db.session, need, by=g.user, now=now())
    notice(db.session, need.id, by=g.user, now=now())
    return saved(case, _("The need is withdrawn, as the client wishes."), part="needs")


@bp.post("/cases/<uuid:case_id>/needs/<uuid:need_id>/resolve")
@requires("case:write")
def resolve_need(case_id: UUID, need_id: UUID) -> Page:
    """The need was met without a referral."""
    case = file_to_change(case_id)
    need = need_in(case, need_id)
    operations.resolve_otherwise(db.session, need, by=g.user, now=now())
    notice(db.session, need.id, by=g.user, now=now())
    return saved(case, _("Good: the need is resolved without a referral."), part="needs")


@bp.route("/cases/<uuid:case_id>/needs/<uuid:need_id>/own", methods=["GET", "POST"])
@requires("own_resource:write")
def own_resource(case_id: UUID, need_id: UUID) -> Page:
    """Make it ourselves: somebody near the client, or a group the worker starts. Usable at once."""
    case = file_to_change(case_id)
    need = need_in(case, need_id)
    answers = Answers(request.form)
    if request.method == "POST":
        name = answers.text("name")
        phone = answers.text("phone", longest=40)
        if phone is not None and "phone" not in answers.errors:
            try:
                phone = normal_number(phone)
            except Invalid as error:
                answers.wrong("phone", say(error.message))
        details = {
            "day": answers.text("day"),
            "place": answers.text("place"),
            "phone": phone,
            "note": answers.text("note", longest=LONG),
        }
        visibility = answers.choice("visibility", [one.value for one in Visibility])
        answers.require("visibility", visibility, _("Choose who may be offered this help."))
        if visibility and not answers.errors:
            try:
                operations.make_ourselves(
                    db.session,
                    case,
                    category=need.category,
                    name=name or "",
                    details=details,
                    visibility=Visibility(visibility),
                    helper_agreed=answers.ticked("helper_agreed"),
                    by=g.user,
                    now=now(),
                )
            except Invalid as error:
                answers.refused(error, "name", "helper_agreed")
            else:
                return saved(
                    case, _("Made. It can be chosen for this client from now on."), part="own"
                )
    else:
        answers = Answers.of(visibility=Visibility.CLIENT.value)
    page = render_template(
        "casework/own.html",
        case=case,
        need=need,
        state=need_states([need])[need.id],
        answers=answers,
        visibilities=list(Visibility),
        at_risk=case.has_violence,
    )
    return page, answers.status
