"""The list of referrals of either side: running or ended, page by page."""

from collections.abc import Callable
from typing import Any

from flask import g, render_template, request, url_for
from sqlalchemy import Select

from referral.accounts.models import User
from referral.core.paging import page_of
from referral.extensions import db
from referral.referrals import queries
from referral.referrals.lifecycle import WAITING
from referral.referrals.models import Referral
from referral.web.referrals.steps import TONES, now


def listing(
    template: str,
    endpoint: str,
    query: Callable[..., Select[Any]],
    further: Callable[[Referral], dict[str, Any]],
    **shown: Any,
) -> str:
    """The page of `query(user, live=…)`; `further` says of a referral what only this side is shown, `shown` of all."""
    user: User = g.user
    ended = request.args.get("show") == "ended"
    number = request.args.get("page", 1, type=int)
    page = page_of(db.session, query(user, live=not ended), number=number)
    return render_template(
        template,
        endpoint=endpoint,
        page=page,
        rows=[_row(referral) | further(referral) for referral in page.items],
        ended=ended,
        live_count=queries.count_live(db.session, user),
        ended_count=queries.count_ended(db.session, user),
        page_url=lambda number: url_for(endpoint, page=number, show="ended" if ended else None),
        **shown,
    )


def _row(referral: Referral) -> dict[str, Any]:
    waits = referral.status in WAITING
    clock = queries.clock(referral)
    due = clock.decide_by or clock.stalled_from
    return {
        "referral": referral,
        "tone": TONES[referral.status],
        "waits": waits,
        "paused": clock.is_paused,
        "silent": clock.silent_from is not None and clock.silent_from <= now(),
        "due": due,
        "overdue": due is not None and due < now(),
    }
