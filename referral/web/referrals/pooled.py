"""What clients let a service hear only together with others, for the agency."""

from flask import g, render_template

from referral.extensions import db
from referral.referrals import heard
from referral.referrals.kinds import Received, Wait
from referral.referrals.pooled import MARKS, TOGETHER
from referral.web.access import requires
from referral.web.referrals.steps import bp


@bp.get("/inbox/feedback")
@requires("referral:answer")
def pooled() -> str:
    """Counts and means of answers that were released in fives, by service. Nothing of a single client."""
    return render_template(
        "advocacy/pooled.html",
        pools=heard.pools_of(db.session, g.user.organization_id),
        received=Received,
        waits=Wait,
        marks=MARKS,
        together=TOGETHER,
    )
