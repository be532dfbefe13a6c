"""Assessed needs: adding one, and closing one without a referral."""

from uuid import UUID

from flask import g, render_template, request
from flask_babel import gettext as _

from referral.casework import operations
from referral.casework.cover import today_of
from referral.casework.models import Beneficiary, Case, Urgency
from referral.casework.own import helping, queries
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
    now,
    saved,
    term,
)
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
    """The need was met without a referral; where their own people did it, that they helped is counted."""
    case = file_to_change(case_id)
    need = need_in(case, need_id)
    if "own" in request.form:
        own = queries.usable_in(db.session, case, request.form.get("own", type=UUID))
        helping.record(db.session, own, need, on=today_of(g.user), by=g.user, now=now())
    operations.resolve_otherwise(db.session, need, by=g.user, now=now())
    notice(db.session, need.id, by=g.user, now=now())
    return saved(case, _("Good: the need is resolved without a referral."), part="needs")
