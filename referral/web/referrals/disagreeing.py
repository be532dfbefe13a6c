"""Where the agency's word and the client's contradict each other, for the worker's list and the supervisor's page."""

from typing import Any

from flask import g

from referral.extensions import db
from referral.planning.unmet.queries import confirmed_unmet
from referral.referrals.advocacy import queries
from referral.referrals.lifecycle import Actor
from referral.web.directory import phone_of
from referral.web.formatting import label
from referral.web.reading import seen
from referral.web.referrals.steps import reason_name


def disagreements() -> list[dict[str, Any]]:
    """What nobody has answered yet, longest first, with both words."""
    found = queries.disagreements(db.session, g.user)
    unmet = confirmed_unmet(db.session, [one.referral.need_id for one in found])
    told = []
    for one in found:
        if one.referral.need_id in unmet:
            continue
        seen(one.feedback, client_id=one.referral.client_id)
        reason = reason_name(one.step.reason_code) if one.step else None
        told.append(
            {
                "referral": one.referral,
                # A walk-in service's end, or an agency's silence, is our own record.
                "by_agency": one.step is not None and one.step.actor is Actor.AGENCY,
                "agency": [
                    words
                    for words in (
                        label(f"referral.outcome.{one.referral.outcome}")
                        if one.referral.outcome
                        else None,
                        reason,
                        one.step.note if one.step else None,
                    )
                    if words
                ],
                "agency_at": one.step.moment if one.step else None,
                "feedback": one.feedback,
                # What was said of harm goes its own way.
                "text": None if one.feedback.harmed else one.feedback.text,
                "phones": [phone_of(phone) for phone in one.referral.service.phones][:1],
            }
        )
    return told
