"""One's own account: where one is signed in, one's password, and taking up a link."""

from datetime import UTC, datetime
from uuid import UUID

from flask import flash, g, redirect, render_template, request, url_for
from flask_babel import gettext as _

from referral.accounts import operations, queries, signing_in
from referral.accounts.models import LinkPurpose
from referral.core.errors import Invalid
from referral.directory import organizations
from referral.extensions import db
from referral.web.access import public, requires
from referral.web.accounts.door import Page, bp, refused
from referral.web.answers import Answers


@bp.get("/me")
@requires("account:self")
def me() -> Page:
    """Who is signed in here, and on which other devices."""
    now = datetime.now(UTC)
    return render_template(
        "accounts/me.html",
        user=g.user,
        organization=organizations.name_of(db.session, g.user.organization_id),
        sessions=queries.live_sessions(db.session, g.user, now=now),
        here=g.sign_in,
    )


@bp.post("/me/devices/<uuid:session_id>/end")
@requires("account:self")
def end_device(session_id: UUID) -> Page:
    """Sign one of one's own devices out."""
    signing_in.end_other_session(db.session, g.user, session_id, now=datetime.now(UTC))
    db.session.commit()
    flash(_("That device is signed out."), "good")
    return redirect(url_for(".me"), 303)


@bp.post("/me/devices/end-others")
@requires("account:self")
def end_other_devices() -> Page:
    """Sign every device out but this one."""
    signing_in.end_sessions(db.session, g.user, by=g.user, now=datetime.now(UTC), but=g.sign_in)
    db.session.commit()
    flash(_("All other devices are signed out."), "good")
    return redirect(url_for(".me"), 303)


@bp.route("/me/password", methods=["GET", "POST"])
@requires("account:self")
def password() -> Page:
    """Choose a new password by giving the current one."""
    answers = Answers(request.form)
    if request.method == "POST":
        try:
            _must_agree()
            operations.change_password(
                db.session,
                g.user,
                current=request.form.get("current", ""),
                new=request.form.get("password", ""),
                keep=g.sign_in,
                now=datetime.now(UTC),
            )
        except Invalid as error:
            refused(answers, error)
        else:
            db.session.commit()
            flash(_("Your password is changed. Your other devices are signed out."), "good")
            return redirect(url_for(".me"), 303)
    return render_template("accounts/password.html", answers=answers), answers.status


@bp.route("/link", methods=["GET", "POST"])
@public
def take_link() -> Page:
    """Choose a password by a one-time link. Opening it changes nothing; only the button does."""
    # The key is a query argument, not a path: access logs keep paths.
    token = request.values.get("key", "")
    now = datetime.now(UTC)
    answers = Answers(request.form)
    link = queries.find_open_link(db.session, token, now=now)
    if link is None:
        return render_template("accounts/link_gone.html"), 404
    if request.method == "POST":
        try:
            _must_agree()
            operations.take_link(
                db.session, token, password=request.form.get("password", ""), now=now
            )
        except Invalid as error:
            refused(answers, error)
        else:
            db.session.commit()
            flash(_("Your password is kept. Sign in with it now."), "good")
            return redirect(url_for(".sign_in"), 303)
    page = render_template(
        "accounts/take_link.html",
        token=token,
        user=link.user,
        is_invitation=link.purpose is LinkPurpose.INVITATION,
        answers=answers,
    )
    return page, answers.status


def _must_agree() -> None:
    if request.form.get("password", "") != request.form.get("again", ""):
        raise Invalid("accounts.password.different", field="again")
