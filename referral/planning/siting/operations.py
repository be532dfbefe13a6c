"""Asking where a resource should stand, working it out by a job, keeping the answer, and taking it away again."""

from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import delete as deletion
from sqlalchemy import select
from sqlalchemy.orm import Session

from referral.accounts.models import User
from referral.changes.directory import version as directory_version
from referral.core.errors import Invalid, NotAllowed
from referral.core.text import Message
from referral.directory.reference import taxonomy
from referral.places.queries import gazetteer
from referral.planning.gaps import figures
from referral.planning.proposals.models import Proposal
from referral.planning.siting import ground, queries
from referral.planning.siting.models import NOTHING_YET, SitingCase
from referral.planning.siting.questions import By, Question
from referral.planning.siting.solving import Clock
from referral.planning.siting.study import SECONDS, Study
from referral.planning.work import WorkState

#: One planner may have so many questions waiting or worked on at once.
MOST_GOING_ON = 3
#: An answer that no proposal stands on is kept so long.
KEPT = timedelta(days=180)


def work_out(session: Session, question: Question, *, now: datetime) -> dict[str, Any]:
    """The answer to a question, from the newest published figures and the directory as it is now.

    Raises Invalid where the area is no province or kab/kota, nobody is counted, or there is no site.
    """
    taxonomy().get(question.category)
    release = figures.latest(session)
    land = ground.read(session, gazetteer(session), question, release, now=now)
    study = Study(
        land.scene,
        aim=question.aim,
        within_km=question.within_km,
        most=question.most,
        clock=Clock(SECONDS),
    )
    found = study.answer()
    people = land.people
    return {
        "release": release.quarter if release and question.by is By.NEEDS else None,
        "directory_version": directory_version(session),
        "people": {
            "all": round(float(people.people.sum()), 2),
            "beyond": round(float(people.people[land.scene.is_beyond].sum()), 2),
            "told": round(people.told, 2),
            "estimated": round(people.estimated, 2),
            "hidden": people.hidden,
            "is_even": people.is_even,
        },
        "services": land.services,
        "unplaced": land.unplaced,
        "found": dict(land.found),
        "weighed": dict(land.weighed),
        "places": [
            [spot.code, round(float(count), 2), int(spot.is_beyond)]
            for spot, count in zip(land.spots, people.people, strict=True)
        ],
        "sites": {
            str(at): land.sites[at].as_json(*land.near(land.sites[at])) for at in _named(found)
        },
        **found,
    }


def _named(found: dict[str, Any]) -> list[int]:
    """The sites that an answer speaks of."""
    chosen = {site["site"] for count in found["counts"] for site in count["sites"]}
    return sorted(chosen | {step["site"] for step in found["order"]})


def ask(session: Session, question: Question, *, by: User, now: datetime) -> SitingCase:
    """The case that answers a question: the one there is already, or a new one that waits for its turn.

    Raises Invalid where it can't be asked or the planner has as many going on as one may have.
    """
    taxonomy().get(question.category)
    ground.area_of(gazetteer(session), question.area)
    version, quarter = _basis(session, question)
    found = queries.same(session, question, version=version, quarter=quarter, now=now)
    if found is not None:
        return found
    _refuse_more(session, by, now)
    case = SitingCase(
        category=question.category,
        area_code=question.area,
        made_by_id=by.id,
        question=question.as_json(),
        answer=NOTHING_YET,
        directory_version=version,
        release_quarter=quarter,
    )
    case.wait(now)
    session.add(case)
    session.flush()
    return case


def ask_again(session: Session, case: SitingCase, *, by: User, now: datetime) -> None:
    """Let a case that failed or was cut off wait for its turn once more; one that did not stays as it is."""
    if case.state is not WorkState.FAILED and not case.is_cut_off(now):
        return
    question = Question.from_json(case.category, case.area_code, case.question)
    version, quarter = _basis(session, question)
    _refuse_more(session, by, now)
    case.made_by_id, case.directory_version, case.release_quarter = by.id, version, quarter
    case.wait(now)
    session.flush()


def take_next(session: Session, *, now: datetime) -> tuple[UUID, Question] | None:
    """Take the question that waits longest in hand; None where none waits or one is in hand. Needs the write lock."""
    in_hand = session.scalars(select(SitingCase).where(SitingCase.state == WorkState.WORKING))
    if any(not case.is_cut_off(now) for case in in_hand):
        return None
    case = session.scalar(queries.waiting().limit(1))
    if case is None:
        return None
    case.begin(now)
    session.flush()
    return case.id, Question.from_json(case.category, case.area_code, case.question)


def end(
    session: Session, case_id: UUID, outcome: dict[str, Any] | Message, *, now: datetime
) -> None:
    """Keep the answer, or why there is none. A case that was taken away meanwhile stays away."""
    case = session.get(SitingCase, case_id)
    if case is None or case.state is not WorkState.WORKING:
        return
    if isinstance(outcome, Message):
        case.end(outcome, now)
    else:
        case.answer = outcome
        case.directory_version, case.release_quarter = (
            outcome["directory_version"],
            outcome["release"],
        )
        case.end(None, now)
    session.flush()


def forget_old(session: Session, *, now: datetime) -> int:
    """Delete cases whose time is over and that no proposal stands on; gives how many."""
    in_use = select(Proposal.siting_case_id).where(Proposal.siting_case_id.is_not(None))
    old = session.scalars(
        select(SitingCase.id).where(
            SitingCase.made_at < now - KEPT,
            SitingCase.id.not_in(in_use),
        )
    ).all()
    session.execute(deletion(SitingCase).where(SitingCase.id.in_(old)))
    return len(old)


def delete(session: Session, case: SitingCase, *, by: User) -> None:
    """Take one's own case away. Raises NotAllowed where it is somebody else's or a proposal stands on it."""
    if case.made_by_id != by.id:
        raise NotAllowed("siting.not_own")
    if session.scalar(select(Proposal.id).where(Proposal.siting_case_id == case.id).limit(1)):
        raise NotAllowed("siting.in_use")
    session.delete(case)
    session.flush()


def _basis(session: Session, question: Question) -> tuple[int, str | None]:
    """What a question would be worked out from now: version of the directory, and release where needs count."""
    release = figures.latest(session) if question.by is By.NEEDS else None
    if question.by is By.NEEDS and release is None:
        raise Invalid("siting.no_release", field="by")
    return directory_version(session), release.quarter if release else None


def _refuse_more(session: Session, by: User, now: datetime) -> None:
    if len(queries.going_on(session, by=by, now=now)) >= MOST_GOING_ON:
        raise Invalid("siting.too_many", field="going_on", most=MOST_GOING_ON)
