"""What follows from a coded reason: nothing in the list is without its effect, and each happens once."""

from datetime import datetime, timedelta

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from referral.casework.models import LawfulBasis, Need
from referral.referrals import effects
from referral.referrals.lifecycle import Actor, Event
from referral.referrals.models import Parked, ReasonCode, Task, TaskKind
from tests.factories import Make
from tests.scenes import Scene


@pytest.fixture
def scene(session: Session, make: Make, now: datetime) -> Scene:
    return Scene(session, make, now)


def test_every_effect_of_the_code_list_happens_or_is_told(session: Session) -> None:
    listed = {one.effect for one in session.scalars(select(ReasonCode)) if one.effect}

    assert listed == set(effects.EFFECTS) | effects.TOLD_TO_THE_WORKER


def test_missing_papers_become_a_need_of_the_same_person_once(scene: Scene) -> None:
    referral = scene.sent()
    for days in (7, 14):
        scene.take(
            referral,
            Event.HOLD,
            reason="missing_documents",
            review_on=scene.day + timedelta(days=days),
        )
        scene.take(referral, Event.RESUME)

    made = scene.session.scalars(select(Need).where(Need.category == effects.DOCUMENTS_NEED)).all()

    assert [(need.case_id, need.beneficiary_id, need.urgency) for need in made] == [
        (scene.case.id, None, scene.need.urgency)
    ]
    assert referral.number in (made[0].note or "")


def test_papers_are_a_need_of_whom_the_referral_is_for(scene: Scene, make: Make) -> None:
    child = make.beneficiary(scene.case)
    scene.need.beneficiary = child
    referral = scene.sent()
    scene.take(referral, Event.DECLINE, reason="not_eligible_documents")

    made = scene.session.scalars(select(Need).where(Need.category == effects.DOCUMENTS_NEED)).one()

    assert made.beneficiary_id == child.id


def test_what_the_client_declines_is_parked_for_this_need_alone(scene: Scene) -> None:
    referral = scene.sent()
    scene.take(
        referral, Event.CANCEL, actor=Actor.CLIENT, by=scene.broker, reason="client_declined"
    )

    parked = scene.session.scalars(select(Parked)).one()

    assert (parked.need_id, parked.service_id, parked.lifted_at) == (
        scene.need.id,
        scene.site.service_id,
        None,
    )


def test_who_did_not_come_is_asked_what_kept_them(scene: Scene) -> None:
    referral = scene.accepted()
    scene.take(referral, Event.FAIL, reason="no_show")

    task = scene.session.scalars(select(Task)).one()

    assert (task.kind, task.referral_id, task.due_on, task.done_at) == (
        TaskKind.ASK_TRANSPORT,
        referral.id,
        scene.day + timedelta(days=effects.ASK_WITHIN_DAYS),
        None,
    )


def test_a_consent_that_ended_the_referral_is_over(scene: Scene) -> None:
    referral = scene.accepted()
    scene.take(
        referral, Event.CANCEL, actor=Actor.CLIENT, by=scene.broker, reason="consent_withdrawn"
    )

    basis = scene.session.get_one(LawfulBasis, referral.basis_id)

    assert basis.withdrawn_at == scene.now
