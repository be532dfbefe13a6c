"""Errors of the work become answers of the web here and nowhere else."""

from flask import Flask, current_app, g, render_template
from flask_babel import gettext as _
from flask_wtf.csrf import CSRFError
from sqlalchemy.orm.exc import StaleDataError
from werkzeug.exceptions import HTTPException

from referral.core import errors
from referral.core.text import render
from referral.extensions import db
from referral.web.language import chosen

STATUS: dict[type[Exception], int] = {
    errors.NotFound: 404,
    errors.Invalid: 422,
    errors.BasisMissing: 409,
    errors.NotAllowed: 409,
    errors.Stale: 409,
}


def _page(status: int, title: str, message: str) -> tuple[str, int]:
    db.session.rollback()
    g.pop("seen", None)  # the page that would have shown a person is not the one that leaves
    return render_template("error.html", code=status, title=title, message=message), status


def _title(status: int) -> str:
    titles: dict[int, str] = {
        400: _("That form could not be read"),
        404: _("Nothing here"),
        409: _("Not now"),
        422: _("Please check this"),
        413: _("Too large"),
    }
    return titles.get(status) or str(_("Something went wrong"))


def _of_the_work(error: errors.JejaringError) -> tuple[str, int]:
    status = next(code for kind, code in STATUS.items() if isinstance(error, kind))
    return _page(status, _title(status), render(error.message, chosen()))


def _stale(_error: Exception) -> tuple[str, int]:
    message = _("Somebody else changed this while you were reading. Open it again and look first.")
    return _page(409, _title(409), message)


def _csrf(_error: Exception) -> tuple[str, int]:
    message = _(
        "The page was open too long or came from elsewhere. Go back, reload, and send again."
    )
    return _page(400, _title(400), message)


def _http(error: HTTPException) -> tuple[str, int] | HTTPException:
    if error.code is None or error.code < 400:
        return error
    message = {
        404: _("This page does not exist, or it is not yours to see."),
        405: _("This address is not opened that way. Use the buttons on the page."),
        413: _("What you sent is too large. Shorten the text or split the file."),
    }.get(error.code, _("Go back and try again."))
    return _page(error.code, _title(error.code), message)


def _unexpected(error: Exception) -> tuple[str, int]:
    # The type and place are logged, never the message: it may quote what a client said.
    trace = error.__traceback__
    while trace and trace.tb_next:
        trace = trace.tb_next
    where = f"{trace.tb_frame.f_code.co_filename}:{trace.tb_lineno}" if trace else "?"
    current_app.logger.error("unexpected %s at %s", type(error).__name__, where)
    message = _("This is our fault and nothing was saved. Try again, or tell your administrator.")
    return _page(500, _title(500), message)


def init_app(app: Flask) -> None:
    app.register_error_handler(errors.JejaringError, _of_the_work)
    app.register_error_handler(StaleDataError, _stale)
    app.register_error_handler(CSRFError, _csrf)
    app.register_error_handler(HTTPException, _http)
    if not app.debug:
        app.register_error_handler(Exception, _unexpected)
