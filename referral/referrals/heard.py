"""What an agency hears of its clients' words: those they let be pooled, once there are enough."""

from uuid import UUID

from sqlalchemy import and_, select
from sqlalchemy.orm import Session

from referral.directory.models import Service
from referral.referrals.kinds import Share
from referral.referrals.lifecycle import Event
from referral.referrals.models import Feedback, Referral, ReferralStep
from referral.referrals.pooled import Answer, Pool, pool


def pools_of(session: Session, organization_id: UUID) -> list[tuple[Service, Pool]]:
    """By service of an organization what may be read together, by name. Words about harm are in none."""
    rows = session.execute(
        select(Referral.service_id, Feedback, ReferralStep.at)
        .join(Feedback, Feedback.referral_id == Referral.id)
        .outerjoin(
            ReferralStep,
            and_(ReferralStep.referral_id == Referral.id, ReferralStep.event == Event.VOID),
        )
        .where(
            Referral.organization_id == organization_id,
            Feedback.given_by == "client",
            Feedback.share == Share.POOLED,
            ~Feedback.harmed,
        )
        .order_by(Feedback.at, Feedback.id)
    )
    answers: dict[UUID, list[Answer]] = {}
    for service_id, said, taken_back_at in rows:
        answers.setdefault(service_id, []).append(
            Answer(
                at=said.at,
                received=said.received,
                waited=said.waited,
                quality=said.quality,
                waiting=said.waiting,
                staff=said.staff,
                taken_back_at=taken_back_at,
            )
        )
    pools = {service_id: pool(given) for service_id, given in answers.items()}
    services = session.scalars(
        select(Service)
        .where(Service.id.in_([one for one, found in pools.items() if found is not None]))
        .order_by(Service.name, Service.id)
    )
    return [(one, found) for one in services if (found := pools[one.id]) is not None]
