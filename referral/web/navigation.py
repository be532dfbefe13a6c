"""The places a person can go from anywhere, by what they may do."""

from dataclasses import dataclass
from typing import Any

from flask import Flask, request
from flask_babel import gettext as _

from referral.web.access import PUBLIC, may


@dataclass(frozen=True)
class Place:
    """One entry of the menu."""

    endpoint: str
    label: str
    icon: str
    current: bool


def _places() -> list[Place]:
    entries = [
        ("casework.index", _("Cases"), "users", "case:read"),
        ("matching.search", _("Find help"), "search", "match:run"),
        ("referrals.index", _("Referrals"), "file-text", "referral:read"),
        ("referrals.inbox", _("Inbox"), "inbox", "referral:answer"),
        ("office.index", _("Office"), "building-2", "office:read"),
        ("planning.gaps", _("Gaps"), "layers", "gap:read"),
        ("planning.proposals", _("Proposals"), "lightbulb", "proposal:write"),
        ("directory.index", _("Directory"), "house", PUBLIC),
        ("accounts.index", _("Accounts"), "settings", "account:manage"),
    ]
    here = (request.endpoint or "").split(".")[0] if request else ""
    return [
        Place(
            endpoint,
            label,
            icon,
            current=request.endpoint == endpoint or here == endpoint.split(".")[0],
        )
        for endpoint, label, icon, permission in entries
        if permission == PUBLIC or may(permission)
    ]


def _context() -> dict[str, Any]:
    return {"navigation": _places()}


def init_app(app: Flask) -> None:
    app.context_processor(_context)
