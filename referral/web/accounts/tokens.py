"""Tokens of other systems: which were given out, giving one out, and ending one."""

from datetime import UTC, datetime
from uuid import UUID

from flask import flash, g, redirect, render_template, request, url_for
from flask_babel import gettext as _

from referral.accounts import queries, tokens
from referral.accounts.permissions import SCOPES
from referral.core.errors import Invalid
from referral.core.text import Message
from referral.directory import organizations
from referral.extensions import db
from referral.web.access import requires
from referral.web.accounts.door import Page, bp, refused
from referral.web.accounts.people import UserForm, find_organization, office_of
from referral.web.formatting import labelled, say

_TYPED = ("name", "whose", "office", "organization", "organization_id", "days")
_OFFICE, _AGENCY = "office", "agency"


@bp.get("/tokens", endpoint="tokens")
@requires("token:manage")
def index() -> Page:
    """Every token, also those that are over."""
    now = datetime.now(UTC)
    issued = tokens.issued(db.session)
    offices = {one.id: one.name for one in queries.offices(db.session)}
    return render_template(
        "accounts/tokens.html",
        tokens=issued,
        states={one.id: tokens.state_of(one, now=now) for one in issued},
        owners={
            one.id: offices[one.office_id]
            if one.office_id
            else organizations.name_of(db.session, one.organization_id)
            for one in issued
        },
    )


@bp.route("/tokens/new", methods=["GET", "POST"])
@requires("token:manage")
def new_token() -> Page:
    """Give a token out. The page that answers is the only one that ever shows it."""
    answers = UserForm.of(whose=_OFFICE, days=tokens.DAYS, scopes=["match"])
    if request.method == "POST":
        answers = _typed()
        if not answers.errors and (issued := _issue(answers)):
            return render_template("accounts/tokens_issued.html", issued=issued)
    page = render_template(
        "accounts/tokens_new.html",
        answers=answers,
        whose=[(_OFFICE, _("An office")), (_AGENCY, _("An agency"))],
        offices=[(str(one.id), one.name) for one in queries.offices(db.session)],
        organizations=answers.offered,
        scopes=labelled(sorted(SCOPES), "accounts.token.scope"),
        longest_days=tokens.LONGEST_DAYS,
    )
    return page, answers.status


@bp.post("/tokens/<uuid:token_id>/revoke")
@requires("token:manage")
def revoke_token(token_id: UUID) -> Page:
    """End a token at once."""
    token = tokens.get(db.session, token_id)
    tokens.revoke(db.session, token, by=g.user, now=datetime.now(UTC))
    begins = token.begins
    db.session.commit()
    flash(say(Message("accounts.token.revoked", {"begins": begins})), "good")
    return redirect(url_for(".tokens"), 303)


def _typed() -> UserForm:
    """The form as typed; whose it is is looked up here, the rest is the operation's to judge."""
    answers = UserForm.of(scopes=request.form.getlist("scopes"))
    for name in _TYPED:
        answers.given[name] = request.form.get(name, "").strip()
    answers.require(
        "days", answers.whole("days", 1, tokens.LONGEST_DAYS), _("Write how many days it lasts.")
    )
    if answers.shown("whose") == _AGENCY:
        find_organization(answers)
    elif office_of(answers.shown("office")) is None:
        answers.wrong("office", say(Message("accounts.token.office_missing")))
    return answers


def _issue(answers: UserForm) -> tokens.IssuedToken | None:
    is_agency = answers.shown("whose") == _AGENCY
    office = None if is_agency else office_of(answers.shown("office"))
    try:
        issued = tokens.issue(
            db.session,
            name=answers.shown("name"),
            office_id=office.id if office else None,
            organization_id=UUID(answers.shown("organization_id")) if is_agency else None,
            scopes=answers.chosen("scopes"),
            days=int(answers.shown("days")),
            by=g.user,
            now=datetime.now(UTC),
        )
    except Invalid as error:
        db.session.rollback()
        refused(answers, error)
        return None
    db.session.commit()
    return issued
