"""Fictional people and their stories, for `flask demo` and for the cases of a demonstration instance.

Nobody here exists. Numbers begin with 0812-0000, which no story of a real person has.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from sqlalchemy import select
from sqlalchemy.orm import Session

from referral.accounts import queries as accounts
from referral.accounts.demo import OFFICE
from referral.accounts.models import Office, User
from referral.casework import agreements, crisis
from referral.casework import operations as casework
from referral.casework.models import (
    BasisKind,
    Beneficiary,
    Case,
    ClientKind,
    Need,
    Purpose,
    Urgency,
    Visibility,
    WorkerRole,
)
from referral.casework.stories import suggest
from referral.directory.hours import parse
from referral.directory.models import Schedule, ServiceAtLocation
from referral.directory.queries import emergency_numbers
from referral.directory.reference import taxonomy
from referral.matching import operations as matching
from referral.places.gazetteer import Gazetteer
from referral.places.queries import gazetteer
from referral.planning import operations as planning
from referral.planning.models import ProposalStatus
from referral.referrals import operations as referrals
from referral.referrals.lifecycle import Actor, Event

REGENCY, REGENCY_CODE = "Kota Semarang", "33.74"
#: as far as a parent goes twice a day with a small child, km
DAY_CARE_REACH_KM = 15.0


@dataclass(frozen=True)
class Fictional:
    """Somebody invented. `stories` by language; `child_age_years` of the child a need is about."""

    name: str
    number: str
    place: str
    kind: ClientKind = ClientKind.PERSON
    age_years: int | None = None
    sex: str | None = None
    stories: Mapping[str, str] | None = None
    protections: tuple[str, ...] = ()
    child_age_years: int | None = None
    desil: int | None = None
    urgency: Urgency = Urgency.ROUTINE

    def story(self, lang: str) -> str:
        return (self.stories or {})[lang]


TEENAGER = Fictional(
    name="Kinanti Contoh",
    number="+6281200000016",
    place="Kec. Banyumanik",
    age_years=16,
    sex="female",
    protections=("child",),
    stories={
        "id": "Kinanti, 16 tahun, tinggal bersama ibunya di Banyumanik. Sejak ayah dan ibunya bertengkar"
        " terus dan ayahnya pergi dari rumah, ia depresi, tidak bisa tidur dan mengurung diri. Ujian makin"
        " dekat, nilainya turun, dan ia tidak kuat lagi dengan tekanan sekolah. Kemarin ia bilang kepada"
        " temannya bahwa ia tidak ingin hidup lagi.",
        "en": "Kinanti, 16, lives with her mother in Banyumanik. Since her parents fight all the time and"
        " her father left home, she feels depressed, can't sleep and stays in her room. Exams are coming,"
        " her grades fell and she can't bear the pressure at school any more. Yesterday she told a friend"
        " that she no longer wants to live.",
    },
)
MOTHER = Fictional(
    name="Sekarwangi Contoh",
    number="+6281200000029",
    place="Kec. Banyumanik",
    age_years=29,
    sex="female",
    desil=2,
    child_age_years=3,
    stories={
        "id": "Sekarwangi, 29 tahun, ibu tunggal di Banyumanik. Upah cuci setrika habis sebelum akhir bulan"
        " dan ia belum pernah dapat bansos karena belum terdaftar DTSEN. Ada tawaran masuk pabrik konveksi,"
        " tetapi anaknya yang 3 tahun tidak ada yang jaga; ia mencari penitipan anak yang murah. Ia"
        " kewalahan mengasuh sendirian, gampang marah lalu menyesal. Ia ingin ikut kelompok ibu-ibu untuk"
        " saling menguatkan.",
        "en": "Sekarwangi, 29, is a single mother in Banyumanik. Her pay for washing and ironing is gone"
        " before the end of the month, and she never got social assistance because she is not registered in"
        " DTSEN. A garment factory would take her, but nobody can watch her child of 3; she is looking for a"
        " cheap day care. She is overwhelmed by parenting alone, gets angry and is sorry afterwards. She"
        " would like to join a mothers' support group in the neighbourhood.",
    },
)
#: single parents of the same city whose small children nobody watches while they work
PARENTS = (
    Fictional("Wulandari Contoh", "+6281200000031", "Kec. Tembalang", age_years=24, sex="female",
              child_age_years=2, desil=3),
    Fictional("Bagaskara Contoh", "+6281200000032", "Kec. Banyumanik", age_years=35, sex="male",
              child_age_years=4, desil=4),
    Fictional("Puspitasari Contoh", "+6281200000033", "Kec. Gunungpati", age_years=22, sex="female",
              child_age_years=1, desil=1, urgency=Urgency.URGENT),
    Fictional("Handarini Contoh", "+6281200000034", "Kec. Candisari", age_years=31, sex="female",
              child_age_years=3, desil=2),
    Fictional("Rahmawati Contoh", "+6281200000035", "Kec. Tembalang", age_years=27, sex="female",
              child_age_years=5, desil=3),
)  # fmt: skip
FAMILY = Fictional(
    name="Keluarga Pamungkas Contoh",
    number="+6281200000041",
    place="Kec. Tembalang",
    kind=ClientKind.FAMILY,
    desil=3,
    stories={
        "id": "Sejak bapak di-PHK, keluarga Pamungkas dengan tiga anak menunggak SPP, dan bapak ibunya"
        " bertengkar hampir tiap malam. Mereka ingin dibantu berbicara lagi satu sama lain.",
        "en": "Since the father lost his job the Pamungkas family with three children owes school fees, and"
        " the parents quarrel almost every night. They want help to talk to each other again.",
    },
)
COMMUNITY = Fictional(
    name="Warga RT 09 Contoh",
    number="+6281200000051",
    place="Kec. Gunungpati",
    kind=ClientKind.COMMUNITY,
    stories={
        "id": "Sumur warga RT 09 kering setiap kemarau; empat puluh rumah membeli air bersih dari tangki.",
        "en": "The wells of RT 09 run dry every dry season; forty homes buy clean water from a tank lorry.",
    },
)
CASE_PEOPLE = (TEENAGER, MOTHER, FAMILY, COMMUNITY, *PARENTS)

_DEMO_AGENCY = "Yayasan Contoh Peduli (demo)"


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
        registered_in=".".join(place.code.split(".")[:2]),
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
    reason = planning.reason_from(receipt)
    if reason is not None:
        planning.record_unmet(session, need, reason=reason, receipt=receipt, by=by, now=now)


def day_care_opening(places: Gazetteer) -> planning.Opening:
    """What is known of the day care on the day it opens."""
    return planning.Opening(
        name="Taman Penitipan Anak Contoh",
        organization="Perkumpulan Contoh Bukit Sari",
        category="FC05",
        area_code=places.resolve(f"Kec. Banyumanik, {REGENCY}").code,
        address="Balai RW 5 (contoh)",
        hours=opening_hours("Mo-Sa 06:30-17:00"),
        phone="0800 000 000",
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


# The cases of a demonstration instance -----------------------------------------------------------


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
    proposal = planning.propose(
        session,
        category="FC01",
        area_code=area,
        title=f"Konseling keluarga di {REGENCY} (contoh)",
        problem="Usulan rekaan untuk peragaan.",
        capacity=10,
        by=planner,
        now=now,
    )
    planning.move(session, proposal, ProposalStatus.IN_DEVELOPMENT, by=planner, now=now)
    site, _notices = planning.open_resource(
        session,
        proposal,
        planning.Opening(
            name="Konseling Keluarga Contoh (demo)",
            organization=_DEMO_AGENCY,
            category="FC01",
            area_code=area,
            address="Jalan Contoh 1 (rekaan)",
            hours=opening_hours("Mo-Fr 08:00-16:00"),
            phone="0800 000 001",
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
    casework.make_ourselves(
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
