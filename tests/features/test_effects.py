"""What follows from a coded reason: nothing in the list is without its effect, and each happens once."""

from datetime import datetime, timedelta

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from referral.casework.models import LawfulBasis, Need
from referral.core.errors import NotFound
from referral.referrals import effects, parking
from referral.referrals.lifecycle import Actor, Event
from referral.referrals.models import Parked, ReasonCode, Task, TaskKind
from tests.factories import Make
from tests.scenes import Scene


@pytest.fixture
def scene(session: Session, make: Make, now: datetime) -> Scene:
    return Scene(session, make, now)


def test_every_effect_of_the_code_list_happens_or_is_told(session: Session) -> None:
    listed = {one.effect for one in session.scalars(select(ReasonCode)) if one.effect}

    # After "rematch" the worker's page offers the next best option, found anew.
    assert listed == {*effects.EFFECTS, "rematch"}


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
    assert scene.site.service.name in (made[0].note or "")


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


def test_what_is_offered_instead_is_neither_tried_nor_parked(scene: Scene, make: Make) -> None:
    other, third = make.service("HE05"), make.service("HE05")
    referral = scene.sent()
    scene.take(referral, Event.DECLINE, reason="outside_area")
    offered = parking.next_best(scene.session, scene.need, now=scene.now)
    for site in (other, third):
        scene.session.add(
            Parked(
                need_id=scene.need.id,
                service_id=site.service_id,
                at=scene.now,
                by_id=scene.broker.id,
            )
        )
    scene.session.flush()
    nothing = parking.next_best(scene.session, scene.need, now=scene.now)
    parking.lift(scene.session, scene.need, third.service_id, by=scene.broker, now=scene.now)
    again = parking.next_best(scene.session, scene.need, now=scene.now)

    assert offered is not None
    assert offered["service_id"] in {str(other.service_id), str(third.service_id)}
    assert nothing is None
    assert again is not None
    assert again["service_id"] == str(third.service_id)


def test_only_what_is_parked_is_lifted_and_only_by_the_cases_worker(
    scene: Scene, make: Make
) -> None:
    referral = scene.sent()
    with pytest.raises(NotFound):
        parking.lift(scene.session, scene.need, referral.service_id, by=scene.broker, now=scene.now)
    scene.take(
        referral, Event.CANCEL, actor=Actor.CLIENT, by=scene.broker, reason="client_declined"
    )

    with pytest.raises(NotFound):
        parking.lift(scene.session, scene.need, referral.service_id, by=make.user(), now=scene.now)
    assert list(parking.parked(scene.session, [scene.need.id])[scene.need.id]) == [
        referral.service_id
    ]
