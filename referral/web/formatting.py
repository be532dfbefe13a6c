"""How pages write distances, numbers, days and sentences."""

from collections.abc import Iterable
from datetime import UTC, date, datetime
from typing import Any

from babel.dates import format_timedelta
from flask import Flask, g
from flask_babel import get_locale

from referral.core import text
from referral.core.text import Message
from referral.web.access import may
from referral.web.language import chosen, zone
from referral.web.naming import category_name


def say(message: Message) -> str:
    """A sentence of a rule or operation in the page's language."""
    return text.render(message, chosen(), zone=zone())


def label(key: str) -> str:
    """The words for a coded value, as `referral.status.accepted`."""
    return text.label(key, chosen())


def capital(words: str) -> str:
    """Words with a capital first letter; the rest stays, so that HIV stays HIV."""
    return words[:1].upper() + words[1:]


def labelled(codes: Iterable[object], prefix: str) -> list[tuple[str, str]]:
    """Choices of a form from codes: (code, its words with a capital first letter)."""
    return [(str(code), capital(label(f"{prefix}.{code}"))) for code in codes]


def ago(moment: datetime | date) -> str:
    """How long ago, in words."""
    if isinstance(moment, datetime):
        distance = moment - datetime.now(UTC)
    else:
        distance = moment - datetime.now(UTC).date()
    return str(format_timedelta(distance, add_direction=True, locale=str(get_locale())))


def _context() -> dict[str, Any]:
    return {"lang": chosen(), "current_user": g.get("user"), "may": may, "say": say, "label": label}


def init_app(app: Flask) -> None:
    app.jinja_env.filters.update(
        km=lambda value: text.km(value, chosen()),
        number=lambda value, digits=1: text.number(value, chosen(), digits=digits),
        day=lambda value: text.day(value, chosen()),
        instant=lambda value: text.instant(value, chosen(), zone()),
        ago=ago,
        category=category_name,
        labelled=labelled,
        say=say,
        sentence=capital,
    )
    app.context_processor(_context)
