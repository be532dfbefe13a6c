"""Who is signed in. Flask-Security signs in and out with our rules; our own table says whether a sign-in still holds."""

from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

from flask import Flask, g, request, session
from flask_login import LoginManager, current_user, user_logged_out
from flask_security import FSQLALiteUserDatastore, LoginForm, Security, user_authenticated

from referral.accounts import passwords, queries, signing_in
from referral.accounts.models import Role, User, UserSession
from referral.accounts.sessions import GRAIN, device_name
from referral.core.db import take_write_lock
from referral.core.text import Message, render
from referral.extensions import db
from referral.web.access import public
from referral.web.language import chosen

_SIGN_IN = "sign_in"  # the key in the cookie: which row of user_session this device is
_READING = ("GET", "HEAD", "OPTIONS")
_KEPT = ("language",)  # what a device keeps when somebody signs in or out


class SignInForm(LoginForm):
    """Address and password, judged by `signing_in.authenticate` with its lock-out."""

    remember = None  # type: ignore[assignment]  # nobody stays signed in on a shared office computer

    user: Any

    def validate(self, **_kwargs: Any) -> bool:
        self.email.errors, self.password.errors, self.form_errors = [], [], []
        email, password = (self.email.data or "").strip(), self.password.data or ""
        if not email:
            self.email.errors.append(_say(Message("accounts.sign_in.email")))
        if not password:
            self.password.errors.append(_say(Message("accounts.sign_in.password")))
        if self.email.errors or self.password.errors:
            return False
        try:
            self.user = signing_in.authenticate(
                db.session,
                email=email,
                password=password,
                origin=request.remote_addr or "",
                now=datetime.now(UTC),
            )
        except signing_in.Refused as refusal:
            db.session.commit()  # the failure counts although nobody came in
            self.form_errors.append(_say(refusal.message))
            return False
        # A session that somebody else may have planted in this browser ends here.
        _empty_cookie()
        return True


def _say(message: Message) -> str:
    return render(message, chosen())


def _empty_cookie() -> None:
    kept = {key: session[key] for key in _KEPT if key in session}
    session.clear()
    session.update(kept)
    g.pop("csrf_token", None)


def _started(_app: Flask, user: User, **_extra: Any) -> None:
    device = device_name(request.user_agent.string)
    started = signing_in.start_session(db.session, user, device=device, now=datetime.now(UTC))
    session[_SIGN_IN] = str(started.id)
    g.user, g.sign_in = user, started  # Flask-Security commits after this request


def _ended(_app: Flask, **_extra: Any) -> None:
    if g.get("sign_in") is not None:
        signing_in.end_session(db.session, g.sign_in, by=g.user, now=datetime.now(UTC))
        db.session.commit()
    _empty_cookie()


def _user_of_cookie(uniquifier: str) -> User | None:
    """Flask-Login's question: whom does this cookie stand for? Nobody, once the sign-in is over."""
    try:
        session_id = UUID(session.get(_SIGN_IN, ""))
    except ValueError:
        return None
    now = datetime.now(UTC)
    found = queries.find_live_session(db.session, session_id, now=now)
    if found is None or found.user.fs_uniquifier != uniquifier:
        return None
    if now - found.last_seen_at >= GRAIN:
        _touch(found, now)
    g.sign_in = found
    return found.user


def _touch(sign_in: UserSession, now: datetime) -> None:
    if request.method in _READING:
        # The first thing a request does: the reading transaction ends, a short writing one follows.
        db.session.commit()
        take_write_lock(db.session)
        sign_in.last_seen_at = now
        db.session.commit()
    else:
        sign_in.last_seen_at = now  # kept when the view commits


def _who() -> None:
    g.user = g.sign_in = None
    if request.endpoint not in (None, "static") and current_user.is_authenticated:
        g.user = current_user._get_current_object()


def init_app(app: Flask) -> None:
    app.config.update(
        SECURITY_LOGIN_URL="/sign-in",
        SECURITY_LOGOUT_URL="/sign-out",
        SECURITY_LOGOUT_METHODS=["POST"],
        SECURITY_LOGIN_USER_TEMPLATE="accounts/sign_in.html",
        SECURITY_POST_LOGIN_VIEW="/",
        SECURITY_POST_LOGOUT_VIEW="/",
        SECURITY_FLASH_MESSAGES=False,
        SECURITY_STATIC_FOLDER=None,
        SECURITY_FRESHNESS=timedelta(seconds=-1),  # no page of theirs asks for the password again
        SECURITY_API_ENABLED_METHODS=["session"],
        SECURITY_CLI_USERS_NAME=None,  # their commands would pass our operations and the audit by
        SECURITY_CLI_ROLES_NAME=None,
        SECURITY_PASSWORD_HASH="argon2",  # noqa: S106 - the name of a method
        SECURITY_PASSWORD_SCHEMES=["argon2"],
        SECURITY_PASSWORD_SINGLE_HASH=["argon2"],
        SECURITY_PASSWORD_HASH_PASSLIB_OPTIONS={
            "argon2__memory_cost": passwords.MEMORY_KIB,
            "argon2__time_cost": passwords.PASSES,
            "argon2__parallelism": passwords.LANES,
        },
    )
    security = Security()
    # Our roles are words and no table; Flask-Security asks for a class and, without its decorators, never uses it.
    datastore = FSQLALiteUserDatastore(db, User, Role)  # type: ignore[arg-type]  # Role: see above
    security.init_app(app, datastore, login_form=SignInForm)
    security.want_json(lambda _request: False)
    login: LoginManager = app.login_manager  # type: ignore[attr-defined]  # set by Flask-Login
    login.user_loader(_user_of_cookie)
    login.request_loader(lambda _request: None)  # no tokens in headers or addresses
    # Both send on every sign-in and sign-out of this application only.
    user_authenticated.connect(_started, app)
    user_logged_out.connect(_ended, app)
    sign_in = public(app.view_functions["security.login"])
    sign_out = public(app.view_functions["security.logout"])
    # The names our pages use for them.
    app.add_url_rule("/sign-in", "accounts.sign_in", sign_in, methods=["GET", "POST"])
    app.add_url_rule("/sign-out", "accounts.sign_out", sign_out, methods=["POST"])
    # First of all: the page that says a forged form was refused asks who reads it, too.
    app.before_request_funcs.setdefault(None, []).insert(0, _who)
