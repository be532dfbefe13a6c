"""How long a sign-in lasts, and what a device is called. Pure."""

from datetime import datetime, timedelta
from typing import Protocol

#: without a page opened
IDLE = timedelta(minutes=60)
#: from the sign-in on, whatever is done
WHOLE = timedelta(hours=12)
#: how finely `last_seen_at` is kept, so that reading a page seldom writes
GRAIN = timedelta(minutes=1)


class SignedIn(Protocol):
    started_at: datetime
    last_seen_at: datetime
    revoked_at: datetime | None


def is_live(sign_in: SignedIn, *, now: datetime) -> bool:
    """Whether this sign-in still opens pages."""
    return (
        sign_in.revoked_at is None
        and now - sign_in.last_seen_at < IDLE
        and now - sign_in.started_at < WHOLE
    )


_BROWSERS = (
    ("Edg", "Edge"),
    ("OPR/", "Opera"),
    ("SamsungBrowser", "Samsung Internet"),
    ("Firefox", "Firefox"),
    ("Chrome", "Chrome"),
    ("Safari", "Safari"),
)
_SYSTEMS = (
    ("Android", "Android"),
    ("iPhone", "iPhone"),
    ("iPad", "iPad"),
    ("Windows", "Windows"),
    ("Mac OS", "macOS"),
    ("Linux", "Linux"),
)


def device_name(user_agent: str) -> str | None:
    """A device as its owner would call it, as "Chrome, Android"; the full header would identify it too well."""
    names = [
        next((name for mark, name in marks if mark in user_agent), None)
        for marks in (_BROWSERS, _SYSTEMS)
    ]
    return ", ".join(name for name in names if name) or None
