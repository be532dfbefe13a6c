"""Who may open which page. A view that does not say so can't be opened at all."""

from contextlib import suppress

from flask import Flask, abort, current_app, g, redirect, request, url_for
from werkzeug.exceptions import RequestEntityTooLarge
from werkzeug.wrappers import Response

from referral.accounts.permissions import PUBLIC as PUBLIC
from referral.accounts.permissions import allows
from referral.accounts.permissions import public as public
from referral.accounts.permissions import requires as requires
from referral.core.db import take_write_lock
from referral.extensions import db


def may(permission: str) -> bool:
    """Whether the signed-in person holds `permission`."""
    return g.user is not None and allows(g.user, permission)


def _refuse_nul() -> None:
    """No keyboard makes this character, and PostgreSQL keeps no text that holds it."""
    texts = (text for _name, texts in request.values.lists() for text in texts)
    if "\0" in request.path or any("\0" in text for text in texts):
        abort(400)


def _check() -> Response | None:
    if request.endpoint in (None, "static"):
        return None
    view = current_app.view_functions[request.endpoint]
    if hasattr(view, "scope"):
        return None  # no person may open it; api.signed asks for a token
    permissions = getattr(view, "permissions", ())
    if PUBLIC in permissions:
        return None
    if not permissions:
        abort(404)
    if g.user is None:
        wanted = request.full_path.rstrip("?") if request.method == "GET" else None
        return redirect(url_for("accounts.sign_in", next=wanted), 303)
    if not any(may(permission) for permission in permissions):
        abort(404)
    return None


def _take_write_lock() -> None:
    """A request that may write waits for other writers before it reads: see core.db.

    Its form arrives first: whoever sends one slowly must not keep everybody else from writing.
    """
    g.user = g.sign_in = None  # nobody yet: an answer given before we know is a stranger's
    if request.method in ("GET", "HEAD", "OPTIONS"):
        return
    with suppress(RequestEntityTooLarge):  # said later, to a person we know
        request.form.get("")
    view = current_app.view_functions.get(request.endpoint or "")
    if view is not None and not getattr(view, "changes_nothing", False):
        take_write_lock(db.session)


def init_app(app: Flask) -> None:
    app.before_request(_check)
    app.before_request(_refuse_nul)
    app.before_request_funcs.setdefault(None, []).insert(0, _take_write_lock)
