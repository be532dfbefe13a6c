"""How a fictional person gets a case: the steps of a worker that both demonstrations take."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime

from sqlalchemy.orm import Session

from referral.accounts.models import User
from referral.casework import agreements
from referral.casework import operations as casework
from referral.casework.models import BasisKind, Beneficiary, Case, Need, Purpose, Urgency
from referral.casework.stories import suggest
from referral.cli.demo.people import REGENCY, Fictional
from referral.directory.hours import parse
from referral.directory.models import Phone, Schedule
from referral.directory.reference import taxonomy
from referral.matching import operations as matching
from referral.places.codes import regency_of
from referral.places.gazetteer import Gazetteer
from referral.places.queries import gazetteer
from referral.planning.proposals import opening
from referral.planning.unmet import ledger

#: as far as a parent goes twice a day with a small child, km
DAY_CARE_REACH_KM = 15.0


def open_file(
    session: Session, person: Fictional, *, broker: User, now: datetime, lang: str = "id"
) -> Case:
    """A case with what was told of this person, their story and, where there is one, their child."""
    assert broker.office is not None  # noqa: S101 - a broker works for an office
    place = gazetteer(session).resolve(f"{person.place}, {REGENCY}")
    located = gazetteer(session).locate(place.code)
    point = (
        {
            "lat": located.latitude,
            "lon": located.longitude,
            "precision_km": located.precision_km,
        }
        if located
        else {}
    )
    case = casework.open_case(
        session,
        office=broker.office,
        broker=broker,
        kind=person.kind,
        name=person.name,
        facts={"age_years": person.age_years, "sex": person.sex, "desil": person.desil},
        stays_at={"text": f"{person.place}, {REGENCY}", "code": place.code} | point,
        registered_in=regency_of(place.code),
        safe_contact={"number": person.number, "may_leave_text": False},
        protections=person.protections,
        by=broker,
        now=now,
    )
    if person.stories:
        casework.tell_story(session, case, person.story(lang), by=broker, now=now)
    if person.child_age_years is not None:
        child_of(session, case, person, by=broker, now=now)
    return case


def child_of(
    session: Session, case: Case, person: Fictional, *, by: User, now: datetime
) -> Beneficiary:
    """The child whom day care would be for."""
    child = casework.add_beneficiary(
        session,
        case,
        label=f"anak bungsu {person.name}",
        facts={"age_years": person.child_age_years},
        by=by,
        now=now,
    )
    session.refresh(case, ["beneficiaries"])
    return child


def confirm_needs(
    session: Session, case: Case, codes: Mapping[str, Urgency], *, by: User, now: datetime
) -> dict[str, Need]:
    """Needs the worker confirms, how urgent each is, and the words of the story behind it. By category."""
    said = suggest(case.story or "", taxonomy(), gazetteer=gazetteer(session))
    spans = {need.code: [span.as_json() for span in need.because] for need in said.needs}
    child = case.beneficiaries[0] if case.beneficiaries else None
    return {
        code: casework.assess_need(
            session,
            case,
            category=code,
            urgency=urgency,
            beneficiary=child if code == "FC05" else None,
            because=spans.get(code, ()),
            by=by,
            now=now,
        )
        for code, urgency in codes.items()
    }


def agree(
    session: Session, case: Case, needs: Sequence[Need], terms: str, *, by: User, now: datetime
) -> None:
    """The client's consent to work together, and the contract on these needs."""
    agreements.give_basis(
        session,
        case.client,
        kind=BasisKind.CONSENT,
        purpose=Purpose.CASEWORK,
        fields=("name", "contact", "area", "need", "story"),
        method="spoken",
        language="id",
        by=by,
        now=now,
    )
    agreements.agree_contract(
        session,
        case,
        terms=terms,
        in_scope=[need.id for need in needs],
        method="spoken",
        by=by,
        now=now,
    )


def needs_day_care(session: Session, person: Fictional, *, broker: User, now: datetime) -> Need:
    """A parent whose child finds no day care in reach: an unmet need, for the reason that the match tells."""
    case = open_file(session, person, broker=broker, now=now)
    need = casework.assess_need(
        session,
        case,
        category="FC05",
        urgency=person.urgency,
        beneficiary=case.beneficiaries[0],
        note=f"{person.name.split()[0]} bekerja dari pagi; anaknya dititipkan bergantian ke tetangga.",
        by=broker,
        now=now,
    )
    no_day_care(session, need, by=broker, now=now)
    return need


def no_day_care(session: Session, need: Need, *, by: User, now: datetime) -> None:
    """Match day care as far as a parent goes with a child, and keep that there is none."""
    query = replace(matching.query_for(session, need, now=now), within=DAY_CARE_REACH_KM)
    receipt = matching.match(
        session, query, by=by, now=now, office=need.case.office, case=need.case, need=need
    )
    reason = ledger.reason_from(receipt)
    if reason is not None:
        ledger.record_unmet(session, need, reason=reason, receipt=receipt, by=by, now=now)


def day_care_opening(places: Gazetteer) -> opening.Opening:
    """What is known of the day care on the day it opens."""
    return opening.Opening(
        name="Taman Penitipan Anak Contoh",
        organization="Perkumpulan Contoh Bukit Sari",
        category="FC05",
        area_code=places.resolve(f"Kec. Banyumanik, {REGENCY}").code,
        address="Balai RW 5 (contoh)",
        hours=opening_hours("Mo-Sa 06:30-17:00"),
        phones=[Phone(number="0800 000 000", type="voice")],
    )


def opening_hours(text: str) -> list[Schedule]:
    return [
        Schedule(
            freq="WEEKLY",
            byday=opening.byday,
            opens_at=opening.opens_at,
            closes_at=opening.closes_at,
            description=text,
        )
        for opening in parse(text)
    ]
