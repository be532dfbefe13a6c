"""The only place where everything meets."""

from inspect import iscoroutinefunction
from pathlib import Path

from flask import Flask
from jinja2 import StrictUndefined
from sqlalchemy import inspect
from werkzeug.middleware.proxy_fix import ProxyFix

from referral import api
from referral.accounts import operations as accounts
from referral.accounts.models import User
from referral.cli import register_commands
from referral.config import ROOT, Settings
from referral.core.db import migration_type, refuse_dangling
from referral.extensions import REPLICA, alembic, babel, csrf, db, mail
from referral.jobs import queue
from referral.matching import live
from referral.web import access, errors, formatting, headers, language, navigation, reading, signin
from referral.web.blueprints import BLUEPRINTS


def create_app(settings: Settings) -> Flask:
    """The whole application, ready to serve or to run commands."""
    Path(settings.JEJARING_INSTANCE).mkdir(mode=0o700, parents=True, exist_ok=True)
    app = Flask(
        "referral",
        instance_path=str(Path(settings.JEJARING_INSTANCE).absolute()),
        template_folder=str(ROOT / "templates"),
        static_folder=str(ROOT / "static"),
    )
    app.config.update(
        SETTINGS=settings,
        SECRET_KEY=settings.SECRET_KEY,
        # An error must not quote values: wherever it ends up printed, they may be a person's.
        SQLALCHEMY_ENGINES={
            name: {"url": url, "hide_parameters": True}
            for name, url in (("default", settings.database_url), (REPLICA, settings.REPLICA_URL))
            if url
        },
        ALEMBIC={"script_location": str(ROOT / "migrations")},
        ALEMBIC_CONTEXT={
            "render_as_batch": True,
            "compare_type": True,
            "render_item": migration_type,
            "on_version_apply": refuse_dangling,
        },
        BABEL_DEFAULT_LOCALE="id",
        BABEL_TRANSLATION_DIRECTORIES=str(ROOT / "referral" / "translations"),
        SESSION_COOKIE_SECURE=settings.COOKIE_SECURE,
        SESSION_COOKIE_HTTPONLY=True,
        SESSION_COOKIE_SAMESITE="Lax",
        SESSION_COOKIE_NAME="jejaring",
        MAX_CONTENT_LENGTH=2 * 1024 * 1024,
        MAIL_SERVER=settings.MAIL_SERVER,
        MAIL_PORT=settings.MAIL_PORT,
        MAIL_USE_TLS=settings.MAIL_TLS,
        MAIL_USERNAME=settings.MAIL_USERNAME or None,
        MAIL_PASSWORD=settings.MAIL_PASSWORD or None,
        MAIL_DEFAULT_SENDER=settings.MAIL_SENDER,
        MAIL_BACKEND="smtp",
        MAIL_TIMEOUT=30,
        WTF_CSRF_TIME_LIMIT=None,  # a form filled in slowly, beside a client, is still good
    )
    app.jinja_env.undefined = StrictUndefined
    app.jinja_env.trim_blocks = app.jinja_env.lstrip_blocks = True
    # Otherwise a filter on fixed codes is worked out once, in the language of whoever asked first.
    app.jinja_env.optimized = False

    if settings.PROXIES > 0:
        # Only who asked: what is said of host and scheme is believed of nobody.
        app.wsgi_app = ProxyFix(app.wsgi_app, x_for=settings.PROXIES, x_proto=0)  # type: ignore[method-assign]

    db.init_app(app)
    # It would start threads and an event loop after every request to close asynchronous sessions; there are none.
    app.teardown_appcontext_funcs[:] = [
        call for call in app.teardown_appcontext_funcs if not iscoroutinefunction(call)
    ]
    with app.app_context():
        db.sessionmaker.configure(info={"keyring": settings.keyring})
        live.keep_in(db.engine, Path(settings.JEJARING_INSTANCE))
    alembic.init_app(app)
    babel.init_app(app, locale_selector=language.chosen, timezone_selector=language.zone)
    csrf.init_app(app)
    mail.init_app(app)
    queue.init_app(app)

    signin.init_app(app)  # sets g.user, which access then reads
    access.init_app(app)
    for part in (errors, formatting, headers, navigation, reading):
        part.init_app(app)
    for blueprint in BLUEPRINTS:
        app.register_blueprint(blueprint)
    api.init_app(app)
    register_commands(app)
    if settings.JEJARING_ENV == "production":
        _refuse_demo(app)
    return app


def _refuse_demo(app: Flask) -> None:
    """Production does not start with people whose password is public."""
    with app.app_context():
        if inspect(db.engine).has_table(User.__tablename__):
            accounts.refuse_demo(db.session)
