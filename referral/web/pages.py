"""Pages that belong to no area: start, health, language."""

from flask import Blueprint, current_app, g, redirect, render_template, request, session, url_for
from sqlalchemy import text
from werkzeug.wrappers import Response

from referral.accounts.permissions import allows
from referral.core.text import LANGUAGES
from referral.extensions import db
from referral.web.access import public
from referral.web.addresses import is_own

bp = Blueprint("pages", __name__)

_HOME = (
    ("case:write", "day.index"),
    ("case:read", "casework.index"),
    ("referral:answer", "referrals.inbox"),
    ("gap:read", "gaps.index"),
    ("account:manage", "accounts.index"),
)


@bp.get("/")
@public
def home() -> str | Response:
    """The first page: each person's own work, or the public start."""
    if g.user is not None:
        for permission, endpoint in _HOME:
            if allows(g.user, permission):
                return redirect(url_for(endpoint), 303)
    return render_template("start.html")


@bp.get("/healthz")
@public
def health() -> dict[str, str]:
    """Whether the application and its database answer."""
    db.session.execute(text("SELECT 1"))
    return {"status": "ok"}


@bp.post("/language/<lang>")
@public
def language(lang: str) -> Response:
    """Choose the language of pages on this device."""
    if lang in LANGUAGES:
        session["language"] = lang
    back = request.form.get("next", "")
    return redirect(_opened(back) if is_own(back) else url_for(".home"), 303)


def _opened(address: str) -> str:
    """The address, or the nearest one above it that opens where a form was only sent to it."""
    pages = current_app.create_url_adapter(request)
    path = address.partition("?")[0]
    if pages is None or "GET" in (opens := pages.allowed_methods(path)) or not opens:
        return address
    while path := path.rpartition("/")[0]:
        if "GET" in {*pages.allowed_methods(path), *pages.allowed_methods(f"{path}/")}:
            return path
    return url_for(".home")
