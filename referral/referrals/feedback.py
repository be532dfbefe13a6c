"""What the client says came of a referral. The caller commits."""

from datetime import datetime

from sqlalchemy.orm import Session

from referral.accounts.models import User
from referral.changes import audit
from referral.changes.actors import StandingActor
from referral.core.errors import Invalid, NotAllowed, NotFound
from referral.referrals import queries
from referral.referrals.advocacy import harm
from referral.referrals.kinds import Explanation, Form, Received, Share, Wait
from referral.referrals.lifecycle import Status
from referral.referrals.models import Feedback, Referral
from referral.referrals.operations import TEXT_LIMIT, works
from referral.referrals.standing import push_standing

#: a client who answers for themselves; replies has looked at the link
CLIENT_BY_LINK = StandingActor("client")


def record_feedback(
    session: Session,
    referral: Referral,
    *,
    received: str,
    form: str,
    share: str,
    explanation: str | None = None,
    waited: str | None = None,
    quality: int | None = None,
    waiting: int | None = None,
    staff: int | None = None,
    harmed: bool = False,
    text: str | None = None,
    by: User | StandingActor,
    now: datetime,
) -> Feedback:
    """What the client says came of it, through the worker or by their own link. Once per referral."""
    if by is not CLIENT_BY_LINK and not (isinstance(by, User) and works(referral.case, by)):
        raise NotFound("referral.none")
    if referral.status not in (Status.COMPLETED, Status.FAILED, Status.REJECTED):
        raise NotAllowed("referral.feedback_early")
    if received not in list(Received):
        raise Invalid("referral.feedback_received", field="received")
    if explanation is not None and explanation not in list(Explanation):
        raise Invalid("referral.feedback_choice", field="explanation")
    if waited is not None and waited not in list(Wait):
        raise Invalid("referral.feedback_choice", field="waited")
    for name, mark in (("quality", quality), ("waiting", waiting), ("staff", staff)):
        if mark is not None and not 1 <= mark <= 5:
            raise Invalid("referral.feedback_mark", field=name)
    if form not in list(Form):
        raise Invalid("referral.feedback_form", field="form")
    if share not in list(Share):
        raise Invalid("referral.feedback_share", field="share")
    if text is not None and len(text) > TEXT_LIMIT:
        raise Invalid("referral.text_long", field="text", limit=TEXT_LIMIT, length=len(text))
    if queries.feedback_of(session, referral.id) is not None:
        raise NotAllowed("referral.feedback_twice")
    feedback = Feedback(
        key=referral.key,
        referral=referral,
        given_by="client",
        form=form,
        at=now,
        recorded_by_id=by.id,
        received=received,
        explanation=explanation,
        waited=waited,
        quality=quality,
        waiting=waiting,
        staff=staff,
        share=share,
        harmed=harmed,
        text=text,
    )
    session.add(feedback)
    push_standing(session, referral.service_id, now=now)
    if harmed:
        harm.report(session, referral, text=text, by=by, now=now)
    audit.record(
        session,
        "feedback.recorded",
        feedback,
        by=by,
        now=now,
        client_id=referral.client_id,
        received=received,
    )
    return feedback
