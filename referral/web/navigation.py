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
    # (endpoint, words, icon, who, beginnings of the endpoints that belong to it)
    entries = [
        ("day.index", _("Today"), "calendar-check", "case:write", ("day.", "unmet.")),
        ("casework.index", _("Cases"), "users", "case:read", ("casework.",)),
        ("matching.search", _("Find help"), "search", "match:run", ("matching.", "routes.")),
        (
            "referrals.index",
            _("Referrals"),
            "file-text",
            "referral:send",
            ("referrals.", "advocacy."),
        ),
        (
            "referrals.index",
            _("Referrals"),
            "file-text",
            "office:read",
            ("referrals.", "advocacy."),
        ),
        ("referrals.inbox", _("Inbox"), "inbox", "referral:answer", ("referrals.",)),
        ("listings.index", _("My listings"), "clipboard-list", "listing:edit", ("listings.",)),
        ("office.index", _("Office"), "building-2", "office:read", ("office.", "penalties.")),
        (
            "gaps.index",
            _("Gaps"),
            "layers",
            "gap:read",
            ("gaps.", "gap_files.", "gap_access.", "siting."),
        ),
        (
            "proposals.index",
            _("Proposals"),
            "lightbulb",
            "proposal:write",
            ("proposals.",),
        ),
        (
            "directory.index",
            _("Directory"),
            "house",
            PUBLIC,
            ("directory.index", "directory.near", "directory.show", "directory.emergency"),
        ),
        ("fairness.index", _("Fairness"), "scale", "fairness:read", ("fairness.",)),
        (
            "listings.review",
            _("To review"),
            "list-checks",
            "listing:approve",
            ("listings.", "upkeep.", "duplicates.", "directory.missed"),
        ),
        ("imports.index", _("Imports"), "upload", "listing:import", ("imports.",)),
        ("accounts.index", _("Accounts"), "settings", "account:manage", ("accounts.", "jobs.")),
    ]
    here = request.endpoint or ""
    return [
        Place(endpoint, label, icon, current=here.startswith(beginnings))
        for endpoint, label, icon, permission, beginnings in entries
        if permission == PUBLIC or may(permission)
    ]


def _context() -> dict[str, Any]:
    return {"navigation": _places()}


def init_app(app: Flask) -> None:
    app.context_processor(_context)
