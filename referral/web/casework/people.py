"""Others in a case: those a need may be about, and those who must be kept out."""

from uuid import UUID

from flask import g, render_template, request
from flask_babel import gettext as _

from referral.casework import operations
from referral.core.errors import Invalid
from referral.directory import organizations, reference
from referral.extensions import db
from referral.web.access import requires
from referral.web.answers import LONG, Answers
from referral.web.casework.files import Page, bp, file_to_change, now, saved
from referral.web.casework.intake import read_facts
from referral.web.language import chosen


@bp.route("/cases/<uuid:case_id>/beneficiaries/new", methods=["GET", "POST"])
@requires("case:write")
def new_beneficiary(case_id: UUID) -> Page:
    """Add somebody a need may be about: a child, a parent, a group, a village."""
    case = file_to_change(case_id)
    answers = Answers(request.form)
    if request.method == "POST":
        kind = answers.choice("kind", ("member", "group"))
        label, facts = answers.text("label"), read_facts(answers)
        if not answers.errors:
            try:
                operations.add_beneficiary(
                    db.session,
                    case,
                    label=label or "",
                    facts=facts if kind != "group" else {},
                    kind=kind or "member",
                    by=g.user,
                    now=now(),
                )
            except Invalid as error:
                answers.refused(error, "label", "age_years")
            else:
                return saved(case, _("Added. A need can now be about them."), part="people")
    else:
        answers = Answers.of(kind="member")
    page = render_template(
        "casework/beneficiary.html",
        case=case,
        answers=answers,
        disabilities=[
            (one.code, one.name[chosen()]) for one in reference.coded("disabilities").values()
        ],
    )
    return page, answers.status


@bp.route("/cases/<uuid:case_id>/exclusions/new", methods=["GET", "POST"])
@requires("case:write")
def new_exclusion(case_id: UUID) -> Page:
    """Keep an organization out of this case: it will be offered and named nowhere."""
    case = file_to_change(case_id)
    answers = Answers(request.form)
    words = answers.text("organization")
    found = organizations.named(db.session, words) if words else []
    if request.method == "POST":
        reason = answers.text("reason", longest=LONG)
        picked = answers.shown("pick")
        chosen_one = next((one for one in found if str(one.id) == picked), None)
        if chosen_one is None and len(found) == 1:
            chosen_one = found[0]
        if words is None:
            answers.wrong("organization", _("Write the name of the organization."))
        elif not found:
            answers.wrong(
                "organization",
                _("No organization of the directory has this name. Try a part of it."),
            )
        elif chosen_one is None:
            answers.wrong("pick", _("Several organizations have this name. Choose one."))
        if chosen_one is not None and not answers.errors:
            operations.exclude(
                db.session, case, chosen_one.id, reason=reason or "", by=g.user, now=now()
            )
            return saved(case, _("Kept out. It will be shown nowhere in this case."), part="people")
    page = render_template("casework/exclusion.html", case=case, answers=answers, found=found)
    return page, answers.status
