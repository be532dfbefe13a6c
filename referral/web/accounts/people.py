"""The accounts one looks after: inviting, changing, ending, and the links handed over."""

from datetime import UTC, datetime
from typing import Any
from uuid import UUID

from flask import flash, g, redirect, render_template, request, url_for
from flask_babel import gettext as _
from werkzeug.datastructures import MultiDict

from referral.accounts import operations, queries, signing_in
from referral.accounts.models import LinkPurpose, Office, User
from referral.accounts.operations import IssuedLink
from referral.accounts.permissions import GRANTABLE, Role
from referral.casework import handover
from referral.changes import outbox
from referral.core.errors import Invalid, NotAllowed
from referral.core.text import Message
from referral.directory import organizations
from referral.extensions import db
from referral.web.access import may, requires
from referral.web.accounts.door import Page, bp, refused
from referral.web.answers import Answers
from referral.web.formatting import label, say


class UserForm(Answers):
    """The form of an account; `offered` holds the organizations a name could mean: (id, name)."""

    def __init__(self, given: MultiDict[str, str] | None = None) -> None:
        super().__init__(given)
        self.offered: list[tuple[str, str]] = []


@bp.get("/")
@requires("account:manage")
def index() -> Page:
    """Everybody whose account this person looks after."""
    undelivered = outbox.count_troubled(db.session) if may("outbox:manage") else 0
    return render_template(
        "accounts/index.html",
        people=queries.managed(db.session, g.user),
        undelivered=undelivered,
    )


@bp.route("/new", methods=["GET", "POST"])
@requires("account:manage")
def new() -> Page:
    """Invite somebody."""
    answers = _typed_user() if request.method == "POST" else UserForm.of(**_blank_user())
    if request.method == "POST" and not answers.errors:
        now = datetime.now(UTC)
        try:
            user = operations.invite(
                db.session, email=answers.shown("email"), by=g.user, now=now, **_details(answers)
            )
            issued = operations.issue_link(db.session, user, by=g.user, now=now)
        except (Invalid, NotAllowed) as error:
            db.session.rollback()
            refused(answers, error)
        else:
            db.session.commit()
            return _show_link(issued)
    return render_template("accounts/new.html", **_form(answers)), answers.status


@bp.route("/<uuid:user_id>", methods=["GET", "POST"])
@requires("account:manage")
def show(user_id: UUID) -> Page:
    """One account: what it is, and changing it."""
    user = queries.get_managed(db.session, g.user, user_id)
    answers = _typed_user() if request.method == "POST" else UserForm.of(**_values_of(user))
    if request.method == "POST" and not answers.errors:
        granted = request.form.getlist("granted") if may("office:manage") else list(user.granted)
        try:
            handover.change_worker(
                db.session,
                user,
                granted=granted,
                by=g.user,
                now=datetime.now(UTC),
                **_details(answers),
            )
        except (Invalid, NotAllowed) as error:
            db.session.rollback()
            refused(answers, error)
        else:
            db.session.commit()
            flash(_("Saved."), "good")
            return redirect(url_for(".show", user_id=user_id), 303)
    page = render_template(
        "accounts/show.html",
        user=user,
        cases=handover.open_cases(db.session, user),
        grantable=sorted(GRANTABLE),
        **_form(answers),
    )
    return page, answers.status


@bp.post("/<uuid:user_id>/link")
@requires("account:manage")
def issue_link(user_id: UUID) -> Page:
    """Make a link for an invitation or a new password, to be handed over."""
    user = queries.get_managed(db.session, g.user, user_id)
    issued = operations.issue_link(db.session, user, by=g.user, now=datetime.now(UTC))
    db.session.commit()
    return _show_link(issued)


@bp.post("/<uuid:user_id>/sign-out")
@requires("account:manage")
def sign_out_everywhere(user_id: UUID) -> Page:
    """Sign somebody out of every device."""
    user = queries.get_managed(db.session, g.user, user_id)
    signing_in.end_sessions(db.session, user, by=g.user, now=datetime.now(UTC))
    db.session.commit()
    flash(_("Signed out of every device."), "good")
    return redirect(url_for(".show", user_id=user_id), 303)


@bp.post("/<uuid:user_id>/deactivate")
@requires("account:manage")
def deactivate(user_id: UUID) -> Page:
    """End an account; a broker's open cases must be handed over first."""
    user = queries.get_managed(db.session, g.user, user_id)
    try:
        handover.retire(db.session, user, by=g.user, now=datetime.now(UTC))
    except NotAllowed as error:
        db.session.rollback()
        flash(say(error.message), "bad")
    else:
        db.session.commit()
        flash(_("The account is deactivated and signed out everywhere."), "good")
    return redirect(url_for(".show", user_id=user_id), 303)


@bp.post("/<uuid:user_id>/reactivate")
@requires("account:manage")
def reactivate(user_id: UUID) -> Page:
    """Open an ended account again and make the link its person needs."""
    user = queries.get_managed(db.session, g.user, user_id)
    now = datetime.now(UTC)
    operations.reactivate(db.session, user, by=g.user, now=now)
    issued = operations.issue_link(db.session, user, by=g.user, now=now)
    db.session.commit()
    return _show_link(issued)


def _show_link(issued: IssuedLink) -> Page:
    """The only page that ever shows this link: it is in no address, mail, log or cookie."""
    return render_template(
        "accounts/link.html",
        user=issued.link.user,
        expires_at=issued.link.expires_at,
        is_invitation=issued.link.purpose is LinkPurpose.INVITATION,
        address=url_for(".take_link", key=issued.token, _external=True),
    )


def _blank_user() -> dict[str, Any]:
    blank: dict[str, Any] = {
        "name": "",
        "email": "",
        "role": Role.BROKER.value,
        "office": "",
        "organization": "",
        "organization_id": "",
        "language": "id",
        "granted": [],
    }
    if g.user.role is Role.SUPERVISOR:
        blank["office"] = str(g.user.office_id)
    return blank


def _values_of(user: User) -> dict[str, Any]:
    return {
        "name": user.name,
        "email": user.email,
        "role": user.role.value,
        "office": str(user.office_id or ""),
        "organization": organizations.name_of(db.session, user.organization_id) or "",
        "organization_id": str(user.organization_id or ""),
        "language": user.language,
        "granted": user.granted,
    }


def _typed_user() -> UserForm:
    """The form as typed; role, office and organization are looked up here, the rest is the operation's to judge."""
    answers = UserForm.of(**_blank_user())
    for name in ("name", "email", "role", "office", "organization", "organization_id", "language"):
        if name in request.form:
            answers.given[name] = request.form[name].strip()
    answers.given.setlist("granted", request.form.getlist("granted"))
    if answers.shown("role") not in set(Role):
        answers.wrong("role", say(Message("accounts.user.role")))
    elif answers.shown("role") == Role.AGENCY:
        find_organization(answers)
    return answers


def find_organization(answers: UserForm) -> None:
    """Reads which organization a form means by its name; offers those it could be."""
    found = organizations.named(db.session, answers.shown("organization"))
    chosen = [one for one in found if str(one.id) == answers.shown("organization_id")]
    if len(found) == 1 or chosen:
        answers.given["organization_id"] = str((chosen or found)[0].id)
        return
    answers.offered = [(str(one.id), one.name) for one in found]
    key = "ambiguous" if found else "unknown" if answers.shown("organization") else "missing"
    answers.wrong("organization", say(Message(f"accounts.organization.{key}")))


def _details(answers: UserForm) -> dict[str, Any]:
    is_agency = answers.shown("role") == Role.AGENCY
    return {
        "name": answers.shown("name"),
        "role": Role(answers.shown("role")),
        "office": office_of(answers.shown("office")),
        "organization_id": UUID(answers.shown("organization_id")) if is_agency else None,
        "language": answers.shown("language"),
    }


def office_of(text: str) -> Office | None:
    """The office that a form's choice stands for."""
    return next((one for one in queries.offices(db.session) if str(one.id) == text), None)


def _form(answers: UserForm) -> dict[str, Any]:
    roles = list(Role) if g.user.role is Role.ADMINISTRATOR else [Role.BROKER]
    offices = queries.offices(db.session)
    if g.user.role is not Role.ADMINISTRATOR:
        offices = [one for one in offices if one.id == g.user.office_id]
    return {
        "answers": answers,
        "organizations": answers.offered,
        "roles": [(role.value, label(f"accounts.role.{role}")) for role in roles],
        "offices": [(str(one.id), one.name) for one in offices],
    }
