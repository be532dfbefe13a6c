"""What did not arrive: letters and events in trouble, for whoever looks after the installation. Never their words."""

from datetime import UTC, datetime
from uuid import UUID

from flask import Blueprint, flash, g, redirect, render_template, request, url_for
from flask_babel import gettext as _
from werkzeug.wrappers import Response

from referral.changes import outbox
from referral.core.errors import Invalid, NotAllowed
from referral.directory import organizations
from referral.extensions import db
from referral.web.access import requires
from referral.web.formatting import say

bp = Blueprint("jobs", __name__, url_prefix="/undelivered")
MOST = 200


@bp.get("")
@requires("outbox:manage")
def index() -> str:
    """Letters and events that failed, those given up first."""
    events = outbox.troubled_events(db.session, limit=MOST)
    return render_template(
        "jobs/index.html",
        letters=outbox.troubled(db.session, limit=MOST),
        events=events,
        owners={
            one.id: organizations.name_of(db.session, one.webhook.organization_id) for one in events
        },
        count=outbox.count_troubled(db.session),
        most=MOST,
        reasons=list(outbox.Why),
    )


@bp.post("/<uuid:outgoing_id>/resend")
@requires("outbox:manage")
def resend(outgoing_id: UUID) -> Response:
    """Try one again now."""
    one = outbox.get_by_id(db.session, outgoing_id)
    try:
        outbox.resend(db.session, one, by=g.user, now=datetime.now(UTC))
    except NotAllowed as error:
        db.session.rollback()
        flash(say(error.message), "bad")
    else:
        db.session.commit()
        flash(_("It is tried again within a minute."), "good")
    return redirect(url_for(".index"), 303)


@bp.post("/<uuid:outgoing_id>/drop")
@requires("outbox:manage")
def drop(outgoing_id: UUID) -> Response:
    """Never try one again, and say why."""
    one = outbox.get_by_id(db.session, outgoing_id)
    try:
        outbox.drop(db.session, one, request.form.get("why", ""), by=g.user, now=datetime.now(UTC))
    except (Invalid, NotAllowed) as error:
        db.session.rollback()
        flash(say(error.message), "bad")
    else:
        db.session.commit()
        flash(_("It is not sent any more."), "good")
    return redirect(url_for(".index"), 303)
