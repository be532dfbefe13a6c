"""What an agency's own system hears of a referral: that something happened, never about whom."""

from collections.abc import Mapping

from sqlalchemy.orm import Session

from referral.changes import webhooks
from referral.referrals.lifecycle import Actor, Event
from referral.referrals.models import Channel, Referral, ReferralStep

TYPES: Mapping[Event, str] = {
    Event.SEND: "referral.requested",
    Event.RECEIVE: "referral.received",
    Event.ACCEPT: "referral.accepted",
    Event.DECLINE: "referral.declined",
    Event.ASK: "referral.asked",
    Event.REPLY: "referral.replied",
    Event.HOLD: "referral.held",
    Event.RESUME: "referral.resumed",
    Event.START: "referral.started",
    Event.REPORT: "referral.reported",
    Event.COMPLETE: "referral.completed",
    Event.FAIL: "referral.failed",
    Event.CANCEL: "referral.cancelled",
    Event.CONFIRM: "referral.confirmed",
    Event.VOID: "referral.voided",
}
#: how a worker writes down what the agency said elsewhere
_WRITTEN_DOWN = (Channel.PHONE, Channel.PAPER)


def announce(session: Session, referral: Referral, step: ReferralStep) -> None:
    """Tell the agency's systems of a step, once this transaction holds; not of what the agency itself pressed."""
    if step.actor is Actor.AGENCY and step.channel not in _WRITTEN_DOWN:
        return
    body = {
        "id": str(step.id),
        "type": TYPES[step.event],
        "referral": str(referral.id),
        "number": referral.number,
        "status": referral.status.value,
        "version": referral.version,
        "at": step.at.isoformat(),
    }
    webhooks.announce(
        session, referral.organization_id, key=f"referral_step:{step.id}", body=body, now=step.at
    )
