"""Working out where a resource should stand, keeping the answer, and taking it away again."""

from datetime import datetime
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from referral.accounts.models import User
from referral.changes.directory import version as directory_version
from referral.core.errors import NotAllowed
from referral.directory.reference import taxonomy
from referral.places.queries import gazetteer
from referral.planning.gaps import figures
from referral.planning.proposals.models import Proposal
from referral.planning.siting import ground
from referral.planning.siting.models import SitingCase
from referral.planning.siting.questions import By, Question
from referral.planning.siting.solving import Clock
from referral.planning.siting.study import SECONDS, Study


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


def make(session: Session, question: Question, *, by: User, now: datetime) -> SitingCase:
    """Work a question out and keep it with its answer. Raises Invalid as `work_out` does."""
    answer = work_out(session, question, now=now)
    case = SitingCase(
        category=question.category,
        area_code=question.area,
        made_at=now,
        made_by_id=by.id,
        question=question.as_json(),
        answer=answer,
    )
    session.add(case)
    session.flush()
    return case


def delete(session: Session, case: SitingCase, *, by: User) -> None:
    """Take one's own answer away. Raises NotAllowed where it is somebody else's or a proposal stands on it."""
    if case.made_by_id != by.id:
        raise NotAllowed("siting.not_own")
    if session.scalar(select(Proposal.id).where(Proposal.siting_case_id == case.id).limit(1)):
        raise NotAllowed("siting.in_use")
    session.delete(case)
    session.flush()
