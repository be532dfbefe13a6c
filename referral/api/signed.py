"""Who asks: the token that another system signs its request with, what it may do, and how often."""

from datetime import UTC, datetime

from flask import Flask, Response, current_app, g, request
from limits import parse_many

from referral.accounts import tokens
from referral.accounts.signing_in import network
from referral.api.answers import problem
from referral.config import Settings
from referral.core.db import take_write_lock
from referral.extensions import db, limiter

#: how often one address may come with no token or a wrong one
FAILURES = "20 per minute"


def rate() -> str:
    """How often a token may ask, of the settings."""
    settings: Settings = current_app.config["SETTINGS"]
    return settings.API_RATE


def asker() -> str:
    """Whose requests are counted together: those of one token."""
    return str(g.system.token_id)


def _check() -> Response | None:
    """Let nobody through to a view of a scope but the holder of a good token that has it. No cookie counts."""
    view = current_app.view_functions.get(request.endpoint or "")
    scope = getattr(view, "scope", None)
    if scope is None:
        return None
    now = datetime.now(UTC)
    kind, _, text = request.headers.get("Authorization", "").partition(" ")
    system = None
    if kind.lower() == "bearer":
        system = tokens.find(db.session, text.strip(), now=now)
    if system is None:
        with limiter.limit(FAILURES, key_func=_address):
            # The same whether the token is missing, wrong, revoked or over.
            return _refused(401, 'Bearer realm="jejaring"')
    if scope not in system.scopes:
        return _refused(
            403, f'Bearer realm="jejaring", error="insufficient_scope", scope="{scope}"'
        )
    if not tokens.is_use_noted(system, now=now):
        _note_use(system, now, reads=request.method == "GET" or hasattr(view, "changes_nothing"))
    g.system = system
    return None


def _note_use(system: tokens.System, now: datetime, *, reads: bool) -> None:
    if reads:
        db.session.commit()  # the reading transaction ends, a short writing one follows
        take_write_lock(db.session)
    tokens.note_use(db.session, system, now=now)
    if reads:
        db.session.commit()  # else it is kept when the view commits


def _address() -> str:
    return network(request.remote_addr or "")


def _refused(status: int, challenge: str) -> Response:
    response = problem(status)
    response.headers["WWW-Authenticate"] = challenge
    return response


def init_app(app: Flask) -> None:
    settings: Settings = app.config["SETTINGS"]
    try:
        parse_many(settings.API_RATE)
    except ValueError:
        raise RuntimeError("Set these right first: API_RATE (docs/settings.md)") from None
    app.config["RATELIMIT_STORAGE_URI"] = settings.REDIS_URL or "memory://"
    app.before_request(_check)  # before the limits, which ask whose request it is
    limiter.init_app(app)
