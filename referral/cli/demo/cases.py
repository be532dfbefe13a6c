"""The cases of a demonstration instance, told of the last weeks."""

from datetime import datetime, timedelta

from sqlalchemy import select
from sqlalchemy.orm import Session

from referral.accounts import queries as accounts
from referral.accounts.demo import OFFICE
from referral.accounts.models import Office, User
from referral.casework import agreements, crisis
from referral.casework import operations as casework
from referral.casework.models import BasisKind, Purpose, Urgency, Visibility, WorkerRole
from referral.casework.own import making
from referral.cli.demo.files import (
    agree,
    confirm_needs,
    needs_day_care,
    no_day_care,
    open_file,
    opening_hours,
)
from referral.cli.demo.people import (
    COMMUNITY,
    FAMILY,
    MOTHER,
    PARENTS,
    REGENCY,
    REGENCY_CODE,
    TEENAGER,
)
from referral.directory.models import Phone, ServiceAtLocation
from referral.directory.queries import emergency_numbers
from referral.matching import operations as matching
from referral.places.queries import gazetteer
from referral.planning.proposals import opening
from referral.planning.proposals import operations as proposing
from referral.planning.proposals.models import ProposalStatus
from referral.referrals import operations as referrals
from referral.referrals.lifecycle import Actor, Event

_DEMO_AGENCY = "Yayasan Contoh Peduli (demo)"


def make_cases(session: Session, *, now: datetime) -> int:
    """Cases in different stages for the demonstration's office, told of the last weeks; gives how many.

    Does nothing where the office has cases already. Needs the people of the demonstration.
    """
    office = session.scalar(select(Office).where(Office.name == OFFICE))
    broker = accounts.find_by_email(session, "broker@demo.example")
    planner = accounts.find_by_email(session, "planner@demo.example")
    if office is None or broker is None or planner is None or office.case_count:
        return 0
    # The counselling first: the family's referral goes there.
    site = _open_counselling(session, planner, now=now - timedelta(days=40))
    for weeks, person in zip((5, 4, 4, 3, 2), PARENTS, strict=True):
        needs_day_care(session, person, broker=broker, now=now - timedelta(weeks=weeks))
    _mother(session, broker, now=now - timedelta(days=9))
    _community(session, broker, now=now - timedelta(days=6))
    _family(session, broker, site, now=now - timedelta(days=3))
    _crisis(session, broker, now=now - timedelta(minutes=40))
    return office.case_count


def _open_counselling(session: Session, planner: User, *, now: datetime) -> ServiceAtLocation:
    """A service that does not exist, so that the demonstration's agency has something to answer for."""
    places = gazetteer(session)
    area = places.resolve(REGENCY).code
    proposal = proposing.propose(
        session,
        category="FC01",
        area_code=area,
        title=f"Konseling keluarga di {REGENCY} (contoh)",
        problem="Usulan rekaan untuk peragaan.",
        capacity=10,
        by=planner,
        now=now,
    )
    proposing.move(session, proposal, ProposalStatus.IN_DEVELOPMENT, by=planner, now=now)
    site, _notices = opening.open_resource(
        session,
        proposal,
        opening.Opening(
            name="Konseling Keluarga Contoh (demo)",
            organization=_DEMO_AGENCY,
            category="FC01",
            area_code=area,
            address="Jalan Contoh 1 (rekaan)",
            hours=opening_hours("Mo-Fr 08:00-16:00"),
            phones=[Phone(number="0800 000 001", type="voice")],
        ),
        by=planner,
        now=now + timedelta(days=30),
    )
    return site


def _mother(session: Session, broker: User, *, now: datetime) -> None:
    case = open_file(session, MOTHER, broker=broker, now=now)
    codes = dict.fromkeys(("SA04", "FC05", "FC02", "CD01"), Urgency.ROUTINE)
    needs = confirm_needs(session, case, codes, by=broker, now=now)
    session.refresh(case, ["needs"])
    agree(
        session,
        case,
        list(needs.values()),
        "Mencari penitipan anak, bantuan sosial dan kelompok; anggaran rumah tangga disusun bersama.",
        by=broker,
        now=now,
    )
    no_day_care(session, needs["FC05"], by=broker, now=now)
    making.make_ourselves(
        session,
        case,
        category="CD01",
        name="Kelompok ibu tunggal Bukit Sari",
        details={"day": "Minggu sore", "place": "Rumah kader"},
        visibility=Visibility.OFFICE,
        helper_agreed=True,
        by=broker,
        now=now,
    )
    casework.add_note(
        session,
        case,
        "Anggaran bulan ini disusun bersama; utang warung dicicil.",
        acted_as=WorkerRole.FACILITATOR,
        by=broker,
        now=now + timedelta(days=2),
    )


def _community(session: Session, broker: User, *, now: datetime) -> None:
    case = open_file(session, COMMUNITY, broker=broker, now=now)
    confirm_needs(session, case, {"CD02": Urgency.URGENT}, by=broker, now=now)


def _family(session: Session, broker: User, site: ServiceAtLocation, *, now: datetime) -> None:
    """A family whose referral waits in the agency's inbox."""
    case = open_file(session, FAMILY, broker=broker, now=now)
    codes = {"FC01": Urgency.URGENT, "SS01": Urgency.ROUTINE}
    needs = confirm_needs(session, case, codes, by=broker, now=now)
    session.refresh(case, ["needs"])
    agree(
        session,
        case,
        list(needs.values()),
        "Konseling keluarga dan biaya sekolah anak.",
        by=broker,
        now=now,
    )
    need = needs["FC01"]
    receipt = matching.match(
        session,
        matching.query_for(session, need, now=now),
        by=broker,
        now=now,
        office=case.office,
        case=case,
        need=need,
    )
    matching.record_choice(session, receipt, need=need, site_id=site.id, by=broker, now=now)
    agreements.give_basis(
        session,
        case.client,
        kind=BasisKind.CONSENT,
        purpose=Purpose.REFERRAL,
        organization_id=site.service.organization_id,
        fields=("name", "contact", "area", "need"),
        method="spoken",
        language="id",
        by=broker,
        now=now,
    )
    referral = referrals.draft(session, need, site, receipt=receipt, by=broker, now=now)
    referrals.take_step(
        session,
        referral,
        Event.SEND,
        actor=Actor.BROKER,
        by=broker,
        now=now,
        version=referral.version,
    )


def _crisis(session: Session, broker: User, *, now: datetime) -> None:
    """Somebody in danger half an hour ago: one number did not answer, and nobody else has looked yet."""
    case = open_file(session, TEENAGER, broker=broker, now=now)
    codes = {"EM06": Urgency.EMERGENCY, "HE05": Urgency.URGENT, "SS03": Urgency.ROUTINE}
    confirm_needs(session, case, codes, by=broker, now=now)
    first, second, *_more = emergency_numbers(session, area_code=REGENCY_CODE, needs=["EM06"])
    for minutes, number, answered in ((1, first.number, False), (6, second.number, True)):
        crisis.log_call(
            session,
            office=case.office,
            case=case,
            number=number,
            answered=answered,
            outcome="Petugas menenangkan Kinanti; ibunya menemani." if answered else None,
            by=broker,
            now=now + timedelta(minutes=minutes),
        )
