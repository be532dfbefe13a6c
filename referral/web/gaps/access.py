"""The measures of access: when they were worked out, what they do not know yet, and having them worked out again."""

from datetime import UTC, datetime

from flask import Blueprint, flash, g, redirect, render_template, request, url_for
from flask_babel import gettext as _
from flask_babel import ngettext
from werkzeug.wrappers import Response

from referral.accounts.models import User
from referral.core.text import day
from referral.extensions import db
from referral.jobs.queue import jobs
from referral.planning.access import queries, working
from referral.planning.access.explaining import (
    EXPLAINED,
    explained,
    per_how_many,
    whose_demand,
)
from referral.planning.gaps.models import GapRelease
from referral.web.access import requires
from referral.web.formatting import say
from referral.web.gaps.words import quarter_words
from referral.web.language import chosen

bp = Blueprint("gap_access", __name__, url_prefix="/gaps/access")

#: Seconds after which the page of work that goes on asks again.
AGAIN_SECONDS = 5


@bp.get("")
@requires("gap:read")
def index() -> str | tuple[str, int]:
    """What was worked out and when, what came after, and how far the work is that goes on."""
    now, work, outdated = (
        datetime.now(UTC),
        working.latest(db.session),
        working.outdated(db.session),
    )
    is_going_on = work is not None and work.is_going_on(now)
    how_far = f"{work.state}-{work.done}" if work and is_going_on else ""
    if how_far and how_far == request.args.get("seen"):
        return "", 204  # a page that renews itself has nothing to change
    found = queries.read(db.session, queries.EVERYTHING)
    release = db.session.get(GapRelease, found.release_id) if found and found.release_id else None
    failure = work.why_failed() if work else None
    return render_template(
        "gaps/access.html",
        run=queries.latest(db.session),
        quarter=quarter_words(release.quarter) if release else None,
        demand=say(whose_demand(found.supply)) if found else None,
        explained=[
            explained(one, radius_km=found.radius_km, per=per_how_many(found.supply))
            for one in EXPLAINED
        ]
        if found
        else [],
        outdated=outdated_words(outdated),
        work=work,
        by=db.session.get(User, work.made_by_id) if work and work.made_by_id else None,
        is_cut_off=work is not None and work.is_cut_off(now),
        how_far=how_far,
        failure=say(failure) if failure else None,
        again_seconds=AGAIN_SECONDS,
    )


@bp.post("")
@requires("gap:read")
def again() -> Response:
    """Have them worked out, where there is anything that they do not know."""
    if queries.latest(db.session) is not None and working.outdated(db.session) is None:
        flash(_("Nothing has changed since the measures were worked out."), "info")
        return redirect(url_for(".index"), 303)
    working.ask(db.session, by=g.user, now=datetime.now(UTC))
    db.session.commit()
    jobs().work_out_access()
    return redirect(url_for(".index"), 303)


def outdated_words(outdated: working.Outdated | None) -> list[str]:
    """What came after the measures, one sentence each."""
    sentences = []
    if outdated and outdated.release:
        sentences.append(
            _(
                "The figures of %(quarter)s, released on %(day)s, came later.",
                quarter=quarter_words(outdated.release.quarter),
                day=day(outdated.release.made_at, chosen()),
            )
        )
    if outdated and outdated.since:
        sentences.append(
            ngettext(
                "The directory has changed %(num)s time since, on %(day)s.",
                "The directory has changed %(num)s times since, first on %(day)s.",
                outdated.changes,
                day=day(outdated.since, chosen()),
            )
        )
    return sentences
