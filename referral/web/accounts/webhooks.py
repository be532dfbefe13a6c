"""Where agencies' own systems hear of events: registering an address, and stopping it."""

from datetime import UTC, datetime
from uuid import UUID

from flask import current_app, flash, g, redirect, render_template, request, url_for
from flask_babel import gettext as _

from referral.changes import webhooks
from referral.core.errors import Invalid, NotAllowed
from referral.directory import organizations
from referral.extensions import db
from referral.web.access import requires
from referral.web.accounts.door import Page, bp, refused
from referral.web.accounts.people import UserForm, find_organization
from referral.web.formatting import say

_TYPED = ("organization", "organization_id", "address")


@bp.get("/webhooks", endpoint="webhooks")
@requires("token:manage")
def index() -> Page:
    """Every webhook, also those that were stopped."""
    known = webhooks.all_of(db.session)
    return render_template(
        "accounts/webhooks.html",
        webhooks=known,
        stands={one.id: webhooks.stand_of(db.session, one) for one in known},
        owners={one.id: organizations.name_of(db.session, one.organization_id) for one in known},
    )


@bp.route("/webhooks/new", methods=["GET", "POST"])
@requires("token:manage")
def new_webhook() -> Page:
    """Register an address. The page that answers is the only one that ever shows its secret."""
    answers = UserForm.of(organization="", organization_id="", address="")
    if request.method == "POST":
        for name in _TYPED:
            answers.given[name] = request.form.get(name, "").strip()
        find_organization(answers)
        if not answers.errors and (issued := _register(answers)):
            return render_template("accounts/webhooks_issued.html", issued=issued)
    page = render_template(
        "accounts/webhooks_new.html", answers=answers, organizations=answers.offered
    )
    return page, answers.status


@bp.post("/webhooks/<uuid:webhook_id>/stop")
@requires("token:manage")
def stop_webhook(webhook_id: UUID) -> Page:
    """Send nothing there any more."""
    webhook = webhooks.get(db.session, webhook_id)
    try:
        webhooks.stop(db.session, webhook, by=g.user, now=datetime.now(UTC))
    except NotAllowed as error:
        db.session.rollback()
        flash(say(error.message), "bad")
    else:
        db.session.commit()
        flash(_("Nothing is sent there any more."), "good")
    return redirect(url_for(".webhooks"), 303)


def _register(answers: UserForm) -> webhooks.IssuedWebhook | None:
    settings = current_app.config["SETTINGS"]
    try:
        issued = webhooks.register(
            db.session,
            organization_id=UUID(answers.shown("organization_id")),
            address=answers.shown("address"),
            may_be_plain=settings.JEJARING_ENV == "development",
            by=g.user,
            now=datetime.now(UTC),
        )
    except Invalid as error:
        db.session.rollback()
        refused(answers, error)
        return None
    db.session.commit()
    return issued
