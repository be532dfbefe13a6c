"""Accounts and offices: one's own, and those one looks after. Signing in itself is in signin.py."""

from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

from flask import Blueprint, flash, g, redirect, render_template, request, url_for
from flask_babel import gettext as _
from sqlalchemy import select
from werkzeug.wrappers import Response

from referral.accounts import operations, queries
from referral.accounts.models import ClockProfile, LinkPurpose, Office, User
from referral.accounts.operations import IssuedLink
from referral.accounts.permissions import GRANTABLE, Role
from referral.casework import handover
from referral.core.country import COUNTRY
from referral.core.errors import Invalid, JejaringError, NotAllowed
from referral.core.text import Message
from referral.directory import organizations
from referral.extensions import db
from referral.places.models import Place
from referral.web.access import may, public, requires
from referral.web.formatting import label, say

bp = Blueprint("accounts", __name__, url_prefix="/accounts")
Page = str | Response | tuple[str, int]

TIME_ZONES = tuple(COUNTRY.time_zones)


@dataclass
class Answers:
    """What was typed into a form and what is wrong with it: {field: sentence}; "" for the whole form."""

    values: dict[str, Any]
    errors: dict[str, str] = field(default_factory=dict)
    #: organizations that could have been meant: (id, name)
    choices: list[tuple[str, str]] = field(default_factory=list)

    def refuse(self, error: JejaringError) -> None:
        self.errors[error.field or ""] = say(error.message)

    @property
    def status(self) -> int:
        return 422 if self.errors else 200


# One's own account


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
    operations.end_other_session(db.session, g.user, session_id, now=datetime.now(UTC))
    db.session.commit()
    flash(_("That device is signed out."), "good")
    return redirect(url_for(".me"), 303)


@bp.post("/me/devices/end-others")
@requires("account:self")
def end_other_devices() -> Page:
    """Sign every device out but this one."""
    operations.end_sessions(db.session, g.user, by=g.user, now=datetime.now(UTC), but=g.sign_in)
    db.session.commit()
    flash(_("All other devices are signed out."), "good")
    return redirect(url_for(".me"), 303)


@bp.route("/me/password", methods=["GET", "POST"])
@requires("account:self")
def password() -> Page:
    """Choose a new password by giving the current one."""
    answers = Answers({})
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
            answers.refuse(error)
        else:
            db.session.commit()
            flash(_("Your password is changed. Your other devices are signed out."), "good")
            return redirect(url_for(".me"), 303)
    return render_template("accounts/password.html", errors=answers.errors), answers.status


@bp.route("/link", methods=["GET", "POST"])
@public
def take_link() -> Page:
    """Choose a password by a one-time link. Opening it changes nothing; only the button does."""
    # The key is a query argument, not a path: access logs keep paths.
    token = request.values.get("key", "")
    now = datetime.now(UTC)
    answers = Answers({})
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
            answers.refuse(error)
        else:
            db.session.commit()
            flash(_("Your password is kept. Sign in with it now."), "good")
            return redirect(url_for(".sign_in"), 303)
    page = render_template(
        "accounts/take_link.html",
        token=token,
        user=link.user,
        is_invitation=link.purpose is LinkPurpose.INVITATION,
        errors=answers.errors,
    )
    return page, answers.status


def _must_agree() -> None:
    if request.form.get("password", "") != request.form.get("again", ""):
        raise Invalid("accounts.password.different", field="again")


# Accounts one looks after


@bp.get("/")
@requires("account:manage")
def index() -> Page:
    """Everybody whose account this person looks after."""
    return render_template("accounts/index.html", people=queries.managed(db.session, g.user))


@bp.route("/new", methods=["GET", "POST"])
@requires("account:manage")
def new() -> Page:
    """Invite somebody."""
    answers = _typed_user() if request.method == "POST" else Answers(_blank_user())
    if request.method == "POST" and not answers.errors:
        now = datetime.now(UTC)
        try:
            user = operations.invite(
                db.session, email=answers.values["email"], by=g.user, now=now, **_details(answers)
            )
            issued = operations.issue_link(db.session, user, by=g.user, now=now)
        except (Invalid, NotAllowed) as error:
            db.session.rollback()
            answers.refuse(error)
        else:
            db.session.commit()
            return _show_link(issued)
    return render_template("accounts/new.html", **_form(answers)), answers.status


@bp.route("/<uuid:user_id>", methods=["GET", "POST"])
@requires("account:manage")
def show(user_id: UUID) -> Page:
    """One account: what it is, and changing it."""
    user = queries.get_managed(db.session, g.user, user_id)
    answers = _typed_user() if request.method == "POST" else Answers(_values_of(user))
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
            answers.refuse(error)
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
    operations.end_sessions(db.session, user, by=g.user, now=datetime.now(UTC))
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


def _typed_user() -> Answers:
    """The form as typed; role, office and organization are looked up here, the rest is the operation's to judge."""
    answers = Answers(_blank_user())
    for name in ("name", "email", "role", "office", "organization", "organization_id", "language"):
        answers.values[name] = request.form.get(name, answers.values[name]).strip()
    answers.values["granted"] = request.form.getlist("granted")
    if answers.values["role"] not in set(Role):
        answers.errors["role"] = say(Message("accounts.user.role"))
    elif answers.values["role"] == Role.AGENCY:
        _find_organization(answers)
    return answers


def _find_organization(answers: Answers) -> None:
    found = organizations.named(db.session, answers.values["organization"])
    chosen = [one for one in found if str(one.id) == answers.values["organization_id"]]
    if len(found) == 1 or chosen:
        answers.values["organization_id"] = str((chosen or found)[0].id)
        return
    answers.choices = [(str(one.id), one.name) for one in found]
    key = "ambiguous" if found else "unknown" if answers.values["organization"] else "missing"
    answers.errors["organization"] = say(Message(f"accounts.organization.{key}"))


def _details(answers: Answers) -> dict[str, Any]:
    values = answers.values
    is_agency = values["role"] == Role.AGENCY
    return {
        "name": values["name"],
        "role": Role(values["role"]),
        "office": _office(values["office"]),
        "organization_id": UUID(values["organization_id"]) if is_agency else None,
        "language": values["language"],
    }


def _office(text: str) -> Office | None:
    return next((one for one in queries.offices(db.session) if str(one.id) == text), None)


def _form(answers: Answers) -> dict[str, Any]:
    roles = list(Role) if g.user.role is Role.ADMINISTRATOR else [Role.BROKER]
    offices = queries.offices(db.session)
    if g.user.role is not Role.ADMINISTRATOR:
        offices = [one for one in offices if one.id == g.user.office_id]
    return {
        "values": answers.values,
        "errors": answers.errors,
        "organizations": answers.choices,
        "roles": [(role.value, label(f"accounts.role.{role}")) for role in roles],
        "offices": [(str(one.id), one.name) for one in offices],
    }


# Offices


@bp.get("/offices")
@requires("office:manage")
def offices() -> Page:
    """Every office."""
    return render_template(
        "accounts/offices.html", offices=queries.offices(db.session), area_names=dict(_areas())
    )


@bp.route("/offices/new", methods=["GET", "POST"])
@requires("office:manage")
def new_office() -> Page:
    """Open an office."""
    return _office_page(None)


@bp.route("/offices/<uuid:office_id>", methods=["GET", "POST"])
@requires("office:manage")
def office(office_id: UUID) -> Page:
    """Change an office."""
    return _office_page(queries.get_office(db.session, office_id))


def _office_page(existing: Office | None) -> Page:
    answers = Answers(
        {
            "name": existing.name if existing else "",
            "area_code": (existing.area_code if existing else None) or "",
            "time_zone": existing.time_zone if existing else TIME_ZONES[0],
            "clock_profile": (existing.clock_profile if existing else ClockProfile.CITY).value,
        }
    )
    areas = _areas()
    if request.method == "POST":
        for name in answers.values:
            answers.values[name] = request.form.get(name, "").strip()
        _check_office(answers, {code for code, _name in areas})
        if not answers.errors and _save_office(existing, answers):
            flash(_("Saved."), "good")
            return redirect(url_for(".offices"), 303)
    page = render_template(
        "accounts/office.html",
        office=existing,
        values=answers.values,
        errors=answers.errors,
        areas=areas,
        zones=[(zone, label(f"accounts.zone.{zone}")) for zone in TIME_ZONES],
        profiles=[(one.value, label(f"accounts.profile.{one}")) for one in ClockProfile],
    )
    return page, answers.status


def _check_office(answers: Answers, areas: set[str]) -> None:
    if answers.values["area_code"] not in areas | {""}:
        answers.errors["area_code"] = say(Message("accounts.office.area"))
    if answers.values["time_zone"] not in TIME_ZONES:
        answers.errors["time_zone"] = say(Message("accounts.office.zone"))
    if answers.values["clock_profile"] not in set(ClockProfile):
        answers.errors["clock_profile"] = say(Message("accounts.office.profile"))


def _save_office(existing: Office | None, answers: Answers) -> bool:
    values = {
        "name": answers.values["name"],
        "area_code": answers.values["area_code"] or None,
        "time_zone": answers.values["time_zone"],
        "clock_profile": ClockProfile(answers.values["clock_profile"]),
        "by": g.user,
        "now": datetime.now(UTC),
    }
    try:
        if existing is None:
            operations.create_office(db.session, **values)
        else:
            operations.change_office(db.session, existing, **values)
    except Invalid as error:
        db.session.rollback()
        answers.refuse(error)
        return False
    db.session.commit()
    return True


def _areas() -> list[tuple[str, str]]:
    """Every regency and city of the gazetteer: (code, name)."""
    rows = db.session.execute(
        select(Place.code, Place.name).where(Place.level == 2).order_by(Place.name, Place.code)
    )
    return [(code, f"{name} ({code})") for code, name in rows]
