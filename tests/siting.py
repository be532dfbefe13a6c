"""Siting cases as tests need them: asked and worked out at once, without a job between."""

from datetime import datetime

from sqlalchemy.orm import Session

from referral.accounts.models import User
from referral.planning.siting import operations
from referral.planning.siting.models import SitingCase
from referral.planning.siting.questions import Question
from referral.planning.work import WorkState


def answered(session: Session, question: Question, *, by: User, now: datetime) -> SitingCase:
    """The case that answers a question. Raises Invalid as asking and working out do."""
    case = operations.ask(session, question, by=by, now=now)
    if case.state is WorkState.WAITING:
        case.begin(now)
        outcome = operations.work_out(session, question, now=now)
        operations.end(session, case.id, outcome, now=now)
    return case
