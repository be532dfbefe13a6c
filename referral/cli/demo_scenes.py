"""The scenes of the demonstration: a teenager in danger, a mother alone, and help that is made where it was missing.

Everything is done by the operations that the pages use too; nothing writes a row by itself.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session

from referral.accounts import operations as accounts
from referral.accounts import queries as people
from referral.accounts.models import Office, Role, User
from referral.casework import agreements, contact, crisis
from referral.casework import operations as casework
from referral.casework import queries as cases
from referral.casework.models import (
    BasisKind,
    Case,
    Need,
    OwnResource,
    Purpose,
    Urgency,
    Visibility,
    WorkerRole,
)
from referral.casework.stories import Suggestion, suggest
from referral.changes import audit
from referral.cli import demo_people
from referral.cli.demo_people import MOTHER, PARENTS, TEENAGER, Fictional
from referral.cli.demo_telling import Clock, Teller
from referral.core.db import take_write_lock
from referral.core.errors import NotFound
from referral.core.text import Message, km, label, render
from referral.directory import hours
from referral.directory.models import ServiceAtLocation, ServiceStatus
from referral.directory.queries import emergency_numbers
from referral.directory.reference import taxonomy
from referral.matching import operations as matching
from referral.matching import queries as receipts
from referral.matching.models import MatchReceipt
from referral.matching.receipts import printed, recomputed
from referral.places.queries import gazetteer
from referral.planning import operations as planning
from referral.planning import queries as gaps
from referral.planning.disclosure import Shown, protect
from referral.planning.models import ProposalStatus
from referral.referrals import operations as referrals
from referral.referrals import queries as loop
from referral.referrals.cards import RELEASABLE, View
from referral.referrals.feedback import record_feedback
from referral.referrals.kinds import Form, Received, Share, Wait
from referral.referrals.lifecycle import Actor, Event, Status
from referral.referrals.loop import NeedState, need_state
from referral.referrals.models import Channel, Referral
from referral.referrals.operations import Given

#: Kota Semarang, where the stories happen
REGENCY = demo_people.REGENCY_CODE
THRESHOLD = 5
CRISIS_REVIEW_WITHIN = timedelta(hours=24)
NUMBERS_SHOWN, OPTIONS_SHOWN, REASONS_SHOWN = 4, 2, 1
#: as far as the girl's mother can take her in a day, km
TEENAGER_REACH_KM = 60.0


@dataclass
class Cast:
    """Who plays: the people who sign in, the office, and the teller."""

    session: Session
    teller: Teller
    clock: Clock
    password: str
    office: Office
    broker: User
    broker2: User
    supervisor: User
    planner: User
    admin: User
    #: the mother's file, which the third scene goes on with
    mother: dict[str, Need] = field(default_factory=dict)

    @classmethod
    def of(cls, session: Session, teller: Teller, clock: Clock, *, password: str) -> "Cast":
        def find(name: str) -> User:
            user = people.find_by_email(session, f"{name}@demo.example")
            if user is None:
                raise LookupError(name)
            return user

        broker = find("broker")
        if broker.office is None:
            raise LookupError("office")
        return cls(
            session,
            teller,
            clock,
            password,
            broker.office,
            broker,
            find("broker2"),
            find("supervisor"),
            find("planner"),
            find("admin"),
        )

    def save(self) -> None:
        self.session.commit()
        take_write_lock(self.session)


def play(cast: Cast) -> None:
    """Every scene, in order; each is committed step by step as a page would."""
    cast.teller.title("demo.title")
    cast.teller.sees("nobody", Message("demo.intro"))
    teenager(cast)
    mother_alone(cast)
    missing_help(cast)
    chain(cast)


# The teenager ------------------------------------------------------------------------------------


def teenager(cast: Cast) -> None:
    """Family problems, exams, and a sentence that makes it a crisis."""
    session, teller, clock, broker = cast.session, cast.teller, cast.clock, cast.broker
    teller.title("demo.teen.title")
    teller.step("demo.teen.story")
    case = demo_people.open_file(session, TEENAGER, broker=broker, now=clock.now, lang=teller.lang)
    teller.sees("client", f"“{case.story}”")
    suggestion = suggest(case.story or "", taxonomy(), gazetteer=gazetteer(session))
    needs = _crisis(cast, case, suggestion)
    _proposed(cast, suggestion)
    codes = {need.code for need in suggestion.needs}
    teller.check({"HE05", "SS03", "FC01"} <= codes, "demo.teen.check.needs")
    _agreement_with_a_child(cast, case, needs)
    receipt, site = _match_mental_health(cast, needs["HE05"])
    referral = _refer_the_child(cast, needs["HE05"], receipt, site)
    _serve(cast, referral, outcome="received", days=6)
    _client_says_yes(cast, referral, "demo.teen.feedback")
    _school(cast, case, needs)


def _crisis(cast: Cast, case: Case, suggestion: Suggestion) -> dict[str, Need]:
    session, teller, clock, broker = cast.session, cast.teller, cast.clock, cast.broker
    words = ", ".join(f"“{span.text}”" for span in suggestion.crisis_because)
    teller.check(suggestion.crisis, "demo.teen.check.crisis", words=words or "-")
    area = (case.client.stays_at or {})["code"]
    numbers = emergency_numbers(session, area_code=area, needs=["EM06"])
    teller.sees(
        "broker",
        Message("demo.teen.numbers"),
        *(
            f"☎ {one.number}  {one.name}"
            + (f" · {teller.say('demo.always_open')}" if one.always_open else "")
            for one in numbers[:NUMBERS_SHOWN]
        ),
    )
    teller.check(len(numbers) >= NUMBERS_SHOWN, "demo.teen.check.numbers", count=len(numbers))
    needs = demo_people.confirm_needs(
        session, case, {"EM06": Urgency.EMERGENCY}, by=broker, now=clock.now
    )
    nothing_before = not cases.bases_of(session, case.client_id) and not case.contracts
    first = crisis.log_call(
        session,
        office=cast.office,
        case=case,
        number=numbers[0].number,
        answered=False,
        outcome=None,
        by=broker,
        now=clock.now,
    )
    clock.after(minutes=5)
    second = crisis.log_call(
        session,
        office=cast.office,
        case=case,
        number=numbers[1].number,
        answered=True,
        outcome="Petugas menenangkan Kinanti lewat telepon; ibunya menemani sampai malam.",
        by=broker,
        now=clock.now,
    )
    cast.save()
    teller.step("demo.teen.called", first=first.number, second=second.number)
    teller.check(
        nothing_before
        and [call.answered for call in cases.calls_of(session, case.id)] == [True, False]
        and case.crisis_since is not None,
        "demo.teen.check.calls",
    )
    alone = cases.alone_in_crisis(session, cast.office.id)
    teller.sees("supervisor", Message("demo.teen.alone", {"number": case.number}))
    with teller.refuses(session, "casework.own_review", "demo.teen.check.own_review"):
        crisis.review_call(session, second, by=broker, now=clock.now)
    clock.after(hours=2)
    crisis.review_call(session, second, by=cast.supervisor, now=clock.now)
    in_time = second.reviewed_at is not None and (
        second.reviewed_at - second.called_at <= CRISIS_REVIEW_WITHIN
    )
    still_alone = cases.alone_in_crisis(session, cast.office.id)
    teller.check([alone, still_alone, in_time] == [[case], [], True], "demo.teen.check.review")
    crisis.end_crisis(session, case, by=broker, now=clock.now)
    casework.resolve_otherwise(session, needs["EM06"], by=broker, now=clock.now)
    cast.save()
    return needs


def _agreement_with_a_child(cast: Cast, case: Case, needs: dict[str, Need]) -> None:
    session, teller, clock, broker = cast.session, cast.teller, cast.clock, cast.broker
    clock.after(hours=1)
    needs |= demo_people.confirm_needs(
        session,
        case,
        {"HE05": Urgency.URGENT, "SS03": Urgency.ROUTINE, "FC01": Urgency.ROUTINE},
        by=broker,
        now=clock.now,
    )
    agreements.give_basis(
        session,
        case.client,
        kind=BasisKind.CONSENT,
        purpose=Purpose.CASEWORK,
        fields=("name", "contact", "area", "need", "story"),
        method="guardian",
        language="id",
        witness="Ibu Kinanti, hadir di kantor",
        by=broker,
        now=clock.now,
    )
    session.refresh(case, ["needs"])
    contract = agreements.agree_contract(
        session,
        case,
        terms="Mendampingi Kinanti ke layanan jiwa dan berbicara dengan guru BK; orang tuanya belum diajak.",
        in_scope=[needs[code].id for code in ("EM06", "HE05", "SS03")],
        method="guardian",
        by=broker,
        now=clock.now,
    )
    cast.save()
    teller.step("demo.teen.contract")
    teller.sees(
        "broker",
        Message("demo.in_scope", {"needs": _names(cast, ("HE05", "SS03"))}),
        Message("demo.out_of_scope", {"needs": _names(cast, ("FC01",))}),
    )
    scope = {code: need.in_scope for code, need in needs.items()}
    expected = {"EM06": True, "HE05": True, "SS03": True, "FC01": False}
    teller.check((contract.number, scope) == (1, expected), "demo.teen.check.scope")


def _match_mental_health(cast: Cast, need: Need) -> tuple[MatchReceipt, ServiceAtLocation]:
    session, teller = cast.session, cast.teller
    receipt = _match(cast, need, within=TEENAGER_REACH_KM)
    teller.step("demo.match", need=_names(cast, [need.category]))
    content = _options(cast, receipt)
    options, why_not = content["options"], content["why_not"]
    teller.check(
        options
        and options[0]["distance_km"] <= demo_people.DAY_CARE_REACH_KM
        and all(one["distance_km"] <= TEENAGER_REACH_KM for one in options),
        "demo.teen.check.near",
        name=options[0]["name"] if options else "-",
    )
    teller.check(
        content["remote"] and why_not and all(one["failed"] == ["within"] for one in why_not),
        "demo.teen.check.why_not",
        count=content["why_not_total"],
    )
    teller.check(recomputed(receipt.content or {}) == [], "demo.check.recomputed")
    site = _choose(cast, receipt, need, options[0])
    _handout(cast, site)
    fc01 = next(one for one in need.case.needs if one.category == "FC01")
    with teller.refuses(session, "referral.out_of_scope", "demo.teen.check.out_of_scope"):
        referrals.draft(
            session, fc01, site, known_service_reason="-", by=cast.broker, now=cast.clock.now
        )
    return receipt, site


def _refer_the_child(
    cast: Cast, need: Need, receipt: MatchReceipt, site: ServiceAtLocation
) -> Referral:
    session, teller, clock, broker = cast.session, cast.teller, cast.clock, cast.broker
    agency = _staff(cast, site, "jiwa@demo.example", "Petugas Contoh RSJ")
    referral = referrals.draft(session, need, site, receipt=receipt, by=broker, now=clock.now)
    with teller.refuses(
        session, "referral.no_basis", "demo.check.no_basis", agency=site.service.organization.name
    ):
        _step(cast, referral, Event.SEND)
    agreements.give_basis(
        session,
        need.case.client,
        kind=BasisKind.CHILD_BEST_INTEREST,
        purpose=Purpose.REFERRAL,
        organization_id=site.service.organization_id,
        fields=("name", "contact", "age", "sex", "area", "need"),
        method="spoken",
        language="id",
        witness="Sri Contoh, supervisor",
        reason="Keselamatan anak; Kinanti sendiri ingin ditemani ke dokter, ibunya tahu.",
        by=broker,
        now=clock.now,
    )
    _step(cast, referral, Event.SEND)
    cast.save()
    teller.step("demo.sent", number=referral.number, agency=site.service.organization.name)
    _blind_card(cast, agency, referral, TEENAGER)
    clock.after(hours=20)
    _agency_step(cast, agency, referral, Event.RECEIVE)
    planned = clock.today + timedelta(days=1)
    _agency_step(cast, agency, referral, Event.ACCEPT, Given(first_contact_on=planned))
    cast.save()
    released = referral.released or {}
    teller.step("demo.accepted", on=planned)
    teller.sees("agency", *_released(cast, released))
    view = loop.agency_view(session, referral, now=clock.now)
    teller.check(
        (view, set(released)) == (View.RELEASED, {"name", "age", "sex", "area", "need"}),
        "demo.teen.check.released",
    )
    return referral


def _school(cast: Cast, case: Case, needs: Mapping[str, Need]) -> None:
    """School counselling is far away, so the worker asks the girl's own teacher; then the contract grows."""
    session, teller, clock, broker = cast.session, cast.teller, cast.clock, cast.broker
    clock.after(days=1)
    own = casework.make_ourselves(
        session,
        case,
        category="SS03",
        name="Bu Wijayanti, guru BK",
        details={"day": "Jumat", "place": "Ruang BK", "note": "Ujian susulan sudah disepakati."},
        visibility=Visibility.CLIENT,
        helper_agreed=True,
        by=broker,
        now=clock.now,
    )
    receipt = _match(cast, needs["SS03"], within=TEENAGER_REACH_KM)
    matching.record_choice(session, receipt, need=needs["SS03"], own=own, by=broker, now=clock.now)
    casework.resolve_otherwise(session, needs["SS03"], by=broker, now=clock.now)
    casework.add_note(
        session,
        case,
        "Kinanti sudah masuk sekolah lagi dan ingin orang tuanya ikut konseling.",
        acted_as=WorkerRole.ADVOCATE,
        by=broker,
        now=clock.now,
    )
    amended = agreements.agree_contract(
        session,
        case,
        terms="Juga konseling keluarga, atas permintaan Kinanti.",
        in_scope=[need.id for need in needs.values()],
        method="guardian",
        by=broker,
        now=clock.now,
    )
    cast.save()
    teller.step("demo.teen.school")
    states = [_state(session, needs[code]) for code in ("HE05", "SS03", "FC01")]
    expected = [NeedState.MET, NeedState.RESOLVED_OTHERWISE, NeedState.OPEN]
    teller.check(
        (states, amended.number, needs["FC01"].in_scope) == (expected, 2, True),
        "demo.teen.check.amended",
    )


# The mother --------------------------------------------------------------------------------------


def mother_alone(cast: Cast) -> None:
    """Money, a child nobody watches, being overwhelmed, and the wish for company."""
    session, teller, clock, broker = cast.session, cast.teller, cast.clock, cast.broker
    clock.after(days=1)
    teller.title("demo.mother.title")
    teller.step("demo.mother.story")
    case = demo_people.open_file(session, MOTHER, broker=broker, now=clock.now, lang=teller.lang)
    teller.sees("client", f"“{case.story}”")
    suggestion = suggest(case.story or "", taxonomy(), gazetteer=gazetteer(session))
    _proposed(cast, suggestion)
    wanted = ("SA04", "FC05", "FC02", "CD01")
    codes = {need.code for need in suggestion.needs}
    teller.check(set(wanted) <= codes and not suggestion.crisis, "demo.mother.check.needs")
    needs = demo_people.confirm_needs(
        session, case, dict.fromkeys(wanted, Urgency.ROUTINE), by=broker, now=clock.now
    )
    session.refresh(case, ["needs"])
    demo_people.agree(
        session,
        case,
        list(needs.values()),
        "Mencari penitipan anak, bantuan sosial dan kelompok; anggaran rumah tangga disusun bersama.",
        by=broker,
        now=clock.now,
    )
    cast.mother = needs
    cast.save()
    _no_day_care(cast, needs["FC05"])
    _make_it_ourselves(cast, case, needs)
    _social_assistance(cast, needs["SA04"])


def _no_day_care(cast: Cast, need: Need) -> None:
    session, teller = cast.session, cast.teller
    receipt = _match(cast, need, within=demo_people.DAY_CARE_REACH_KM)
    teller.step("demo.match", need=_names(cast, [need.category]))
    content = _options(cast, receipt)
    query = content["query"]
    teller.check(
        need.beneficiary is not None and query["age"] == MOTHER.child_age_years,
        "demo.mother.check.child",
        years=query["age"] or 0,
    )
    reason = planning.reason_from(receipt)
    teller.check(
        (content["options"], content["remote"], reason) == ([], [], "U02"),
        "demo.mother.check.reason",
        reason=_reason(cast, reason),
    )
    planning.record_unmet(
        session, need, reason=reason or "U99", receipt=receipt, by=cast.broker, now=cast.clock.now
    )
    cast.save()
    teller.check(_state(session, need) is NeedState.UNMET, "demo.mother.check.unmet")


def _make_it_ourselves(cast: Cast, case: Case, needs: Mapping[str, Need]) -> None:
    session, teller, clock, broker = cast.session, cast.teller, cast.clock, cast.broker
    with teller.refuses(session, "casework.helper_agreed", "demo.mother.check.helper"):
        _own(cast, case, "CD01", "Kelompok ibu tunggal Bukit Sari", helper_agreed=False)
    group = _own(cast, case, "CD01", "Kelompok ibu tunggal Bukit Sari")
    parenting = _own(cast, case, "FC02", "Kelas pengasuhan kader Nuraini")
    for own in (group, parenting):
        need = needs[own.category]
        receipt = _match(cast, need, within=demo_people.DAY_CARE_REACH_KM)
        matching.record_choice(session, receipt, need=need, own=own, by=broker, now=clock.now)
    cast.save()
    teller.step("demo.mother.ourselves")
    details = group.details or {}
    teller.sees("client", f"{group.name}: {details['day']}, {details['place']}")
    found = [cases.own_resources(session, case, own.category) for own in (group, parenting)]
    teller.check(found == [[group], [parenting]], "demo.mother.check.ourselves")


def _own(
    cast: Cast, case: Case, category: str, name: str, *, helper_agreed: bool = True
) -> OwnResource:
    return casework.make_ourselves(
        cast.session,
        case,
        category=category,
        name=name,
        details={"day": "Minggu sore", "place": "Rumah Bu Nuraini", "phone": "+6281200000077"},
        visibility=Visibility.OFFICE,
        helper_agreed=helper_agreed,
        by=cast.broker,
        now=cast.clock.now,
    )


def _social_assistance(cast: Cast, need: Need) -> None:
    """The first way in ends in a refusal with a code; the next one is tried and works."""
    session, teller, clock, broker = cast.session, cast.teller, cast.clock, cast.broker
    receipt = _match(cast, need)
    teller.step("demo.match", need=_names(cast, [need.category]))
    content = _options(cast, receipt)
    by_mode = {
        receipts.sites(session, [site_id])[site_id].service.answer_mode.value: one
        for one in content["remote"]
        for site_id in [UUID(one["service_at_location_id"])]
    }
    teller.check({"decision", "walk_in"} <= set(by_mode), "demo.mother.check.modes")
    site = _choose(cast, receipt, need, by_mode["decision"])
    agreements.give_basis(
        session,
        need.case.client,
        kind=BasisKind.CONSENT,
        purpose=Purpose.REFERRAL,
        organization_id=site.service.organization_id,
        fields=("name", "need", "area"),
        method="spoken",
        language="id",
        by=broker,
        now=clock.now,
    )
    first = referrals.draft(session, need, site, receipt=receipt, by=broker, now=clock.now)
    with teller.refuses(session, "referral.duplicate", "demo.check.duplicate", number=first.number):
        referrals.draft(session, need, site, receipt=receipt, by=broker, now=clock.now)
    _step(cast, first, Event.SEND)
    cast.save()
    teller.step("demo.sent", number=first.number, agency=site.service.organization.name)
    clock.after(days=9)
    _step(
        cast,
        first,
        Event.DECLINE,
        Given(reason="not_eligible_documents", note="Kartu keluarga masih atas nama mantan suami."),
        actor=Actor.AGENCY,
        channel=Channel.PAPER,
        answered_on=clock.today - timedelta(days=1),
    )
    cast.save()
    code = loop.reasons_by_code(session)["not_eligible_documents"]
    teller.step(
        "demo.mother.declined", reason=code.name_id if teller.lang == "id" else code.name_en
    )
    waiting = _state(session, need)
    teller.sees("broker", Message("demo.need_is", {"state": Message(f"referral.need.{waiting}")}))
    teller.check(
        (first.status, waiting) == (Status.REJECTED, NeedState.DISPOSITION),
        "demo.mother.check.disposition",
    )
    with teller.refuses(session, "referral.nothing_more", "demo.mother.check.no_way_back"):
        _step(cast, first, Event.ACCEPT, Given(first_contact_on=clock.today), actor=Actor.AGENCY,
              channel=Channel.PHONE)  # fmt: skip
    again = _match(cast, need)
    site = _choose(cast, again, need, by_mode["walk_in"])
    second = referrals.draft(session, need, site, receipt=again, by=broker, now=clock.now)
    _step(cast, second, Event.SEND)
    teller.step("demo.mother.walk_in", name=site.service.name, on=second.review_on or clock.today)
    asked_on = second.review_on
    clock.after(days=7)
    due = session.scalars(loop.to_ask_client(broker, clock.today)).all()
    teller.check(second in due and asked_on == clock.today, "demo.mother.check.asked")
    _step(cast, second, Event.COMPLETE, Given(outcome="enrolled", outcome_on=clock.today))
    cast.save()
    _client_says_yes(cast, second, "demo.mother.feedback")


# The missing day care -----------------------------------------------------------------------------


def missing_help(cast: Cast) -> None:
    """One parent is nobody's count; six are a gap, a proposal, and then a place."""
    session, teller, clock = cast.session, cast.teller, cast.clock
    clock.after(days=1)
    teller.title("demo.gap.title")
    teller.step("demo.gap.one")
    teller.sees("planner", _gap(cast))
    cell = _cell(session)
    teller.check((cell.shown, cell.count) == (Shown.SMALL, None), "demo.gap.check.small")
    try:
        cases.get_case(session, cast.planner, cast.mother["FC05"].case_id)
        seen = True
    except NotFound:
        seen = False
    teller.check(not seen, "demo.gap.check.no_case")
    waiting = _five_more(cast)
    teller.sees("planner", _gap(cast))
    cell = _cell(session)
    teller.check((cell.shown, cell.count) == (Shown.COUNT, 6), "demo.gap.check.count")
    site = _proposal(cast, waiting)
    _mother_goes(cast, site)


def _five_more(cast: Cast) -> list[Need]:
    """Five more parents with two brokers; gives every waiting need in the order in which they are to be told."""
    session, clock = cast.session, cast.clock
    needs = []
    for number, person in enumerate(PARENTS):
        broker = (cast.broker, cast.broker2)[number % 2]
        clock.after(hours=1)
        needs.append(demo_people.needs_day_care(session, person, broker=broker, now=clock.now))
        cast.save()
    cast.teller.step("demo.gap.five")
    urgent = [need for need in needs if need.urgency is Urgency.URGENT]
    return [*urgent, cast.mother["FC05"], *(need for need in needs if need not in urgent)]


def _cell(session: Session) -> Any:
    return protect(gaps.counts(session), threshold=THRESHOLD).cell(REGENCY, "FC05")


def _gap(cast: Cast) -> Message:
    """The planner's sentence on the day care gap, after disclosure control."""
    session, places = cast.session, gazetteer(cast.session)
    cell = _cell(session)
    nearest = gaps.nearest(session, places, [(REGENCY, "FC05")])[REGENCY, "FC05"]
    small = Message("planning.people.small", {"threshold": THRESHOLD})
    return Message(
        "planning.gap.nearest",
        {
            "people": small if cell.count is None else cell.count,
            "category": _names(cast, ["FC05"]),
            "area": places.label(REGENCY),
            "km": nearest.km or 0.0,
            "name": nearest.name or "-",
        },
    )


def _proposal(cast: Cast, waiting: Sequence[Need]) -> ServiceAtLocation:
    session, teller, clock, planner = cast.session, cast.teller, cast.clock, cast.planner
    proposal = planning.propose(
        session,
        category="FC05",
        area_code=REGENCY,
        title="Tempat penitipan balita (contoh)",
        problem=render(_gap(cast), "id"),
        capacity=20,
        by=planner,
        now=clock.now,
    )
    with teller.refuses(session, "planning.out_of_turn", "demo.gap.check.out_of_turn"):
        planning.move(session, proposal, ProposalStatus.FUNDED, by=planner, now=clock.now)
    for status in (ProposalStatus.IN_DEVELOPMENT, ProposalStatus.FUNDED):
        clock.after(days=20)
        planning.move(session, proposal, status, by=planner, now=clock.now)
        cast.save()
    with teller.refuses(session, "planning.opening", "demo.gap.check.needs_listing"):
        planning.move(session, proposal, ProposalStatus.OPENED, by=planner, now=clock.now)
    clock.after(days=20)
    site, notices = planning.open_resource(
        session,
        proposal,
        demo_people.day_care_opening(gazetteer(session)),
        by=planner,
        now=clock.now,
    )
    cast.save()
    path = [Message(f"planning.status.{step.to_status}") for step in proposal.steps]
    teller.step("demo.gap.opened", name=site.service.name, path=path)
    teller.check(
        (
            site.service.status,
            site.service.assured_date,
            [step.to_status.value for step in proposal.steps],
        )
        == (ServiceStatus.ACTIVE, None, ["in_development", "funded", "opened"]),
        "demo.gap.check.listed",
    )
    told = [gaps.open_unmet(session, [need.id])[need.id].id for need in waiting]
    teller.check(
        [notice.unmet_need_id for notice in notices] == told
        and [notice.position for notice in notices] == list(range(1, len(told) + 1)),
        "demo.gap.check.order",
        count=len(told),
    )
    for broker in (cast.broker, cast.broker2):
        found = gaps.notices(session, broker)
        lines = ", ".join(need.case.number for _notice, need, _site in found)
        teller.sees("broker", Message("demo.gap.notice", {"name": broker.name, "cases": lines}))
    both = [len(gaps.notices(session, broker)) for broker in (cast.broker, cast.broker2)]
    teller.check(both == [4, 2], "demo.gap.check.told")
    return site


def _mother_goes(cast: Cast, site: ServiceAtLocation) -> None:
    session, teller, clock, broker = cast.session, cast.teller, cast.clock, cast.broker
    need = cast.mother["FC05"]
    notice = next(one for one, told, _site in gaps.notices(session, broker) if told is need)
    planning.see(notice, now=clock.now)
    receipt = _match(cast, need, within=demo_people.DAY_CARE_REACH_KM)
    teller.step("demo.gap.again")
    content = _options(cast, receipt)
    ids = [one["service_at_location_id"] for one in content["options"]]
    teller.check(ids == [str(site.id)], "demo.gap.check.fits", name=site.service.name)
    _choose(cast, receipt, need, content["options"][0])
    _handout(cast, site)
    agency = _staff(cast, site, "penitipan@demo.example", "Petugas Contoh Penitipan")
    agreements.give_basis(
        session,
        need.case.client,
        kind=BasisKind.CONSENT,
        purpose=Purpose.REFERRAL,
        organization_id=site.service.organization_id,
        fields=("name", "contact", "age", "area", "need"),
        method="written",
        language="id",
        by=broker,
        now=clock.now,
    )
    referral = referrals.draft(session, need, site, receipt=receipt, by=broker, now=clock.now)
    _step(cast, referral, Event.SEND)
    cast.save()
    _blind_card(cast, agency, referral, MOTHER)
    clock.after(days=1)
    _agency_step(
        cast,
        agency,
        referral,
        Event.ACCEPT,
        Given(first_contact_on=clock.today + timedelta(days=1)),
    )
    cast.save()
    released = referral.released or {}
    teller.sees("agency", *_released(cast, released))
    rules = (released.get("contact"), released.get("for_whom"), "story" in released)
    child = need.beneficiary.label if need.beneficiary else None
    teller.check(rules == (MOTHER.number, child, False), "demo.gap.check.released")
    _serve(cast, referral, outcome="enrolled", days=3)
    _client_says_yes(cast, referral, "demo.gap.feedback")
    for code in ("CD01", "FC02"):
        casework.resolve_otherwise(session, cast.mother[code], by=broker, now=clock.now)
    cast.save()
    states = {code: _state(session, one).value for code, one in cast.mother.items()}
    teller.check(
        states
        == {
            "SA04": "met",
            "FC05": "met",
            "FC02": "resolved_otherwise",
            "CD01": "resolved_otherwise",
        },
        "demo.gap.check.loop_closed",
    )
    teller.sees("planner", _gap(cast))
    teller.check(_cell(session).count == len(PARENTS), "demo.gap.check.five_left")


def chain(cast: Cast) -> None:
    """Everything that was done is in the audit chain, unbroken, without a name."""
    session, teller = cast.session, cast.teller
    teller.title("demo.chain.title")
    teller.check(audit.first_break(session) is None, "demo.chain.check.whole")


# What the scenes share ----------------------------------------------------------------------------


def _match(cast: Cast, need: Need, *, within: float | None = None) -> MatchReceipt:
    now = cast.clock.now
    query = replace(matching.query_for(cast.session, need, now=now), within=within)
    return matching.match(
        cast.session, query, by=cast.broker, now=now, office=cast.office, case=need.case, need=need
    )


def _choose(
    cast: Cast, receipt: MatchReceipt, need: Need, option: Mapping[str, Any]
) -> ServiceAtLocation:
    site_id = UUID(option["service_at_location_id"])
    matching.record_choice(
        cast.session, receipt, need=need, site_id=site_id, by=cast.broker, now=cast.clock.now
    )
    cast.save()
    return receipts.sites(cast.session, [site_id])[site_id]


def _step(
    cast: Cast,
    referral: Referral,
    event: Event,
    given: Given | None = None,
    *,
    actor: Actor = Actor.BROKER,
    **how: Any,
) -> None:
    referrals.take_step(
        cast.session,
        referral,
        event,
        actor=actor,
        by=cast.broker,
        now=cast.clock.now,
        version=referral.version,
        given=given,
        **how,
    )


def _agency_step(
    cast: Cast, agency: User, referral: Referral, event: Event, given: Given | None = None
) -> None:
    found = loop.get(cast.session, agency, referral.id)
    referrals.take_step(
        cast.session,
        found,
        event,
        actor=Actor.AGENCY,
        by=agency,
        now=cast.clock.now,
        version=found.version,
        given=given,
    )


def _serve(cast: Cast, referral: Referral, *, outcome: str, days: int) -> None:
    """The agency meets the client and says what came of it; then the need waits for the client's word."""
    session, teller, clock = cast.session, cast.teller, cast.clock
    agency = session.scalars(
        select(User).where(
            User.organization_id == referral.organization_id, User.role == Role.AGENCY
        )
    ).one()
    clock.after(days=1)
    met = Given(first_contact_on=clock.today, note="Datang bersama ibunya, disambut di loket.")
    _agency_step(cast, agency, referral, Event.START, met)
    clock.after(days=days)
    _agency_step(
        cast, agency, referral, Event.COMPLETE, Given(outcome=outcome, outcome_on=clock.today)
    )
    cast.save()
    teller.step("demo.served", outcome=Message(f"referral.outcome.{outcome}"))
    state = _state(session, referral.need)
    teller.check(
        (referral.status, state) == (Status.COMPLETED, NeedState.SERVED), "demo.check.only_claimed"
    )


def _client_says_yes(cast: Cast, referral: Referral, key: str) -> None:
    session, clock, broker = cast.session, cast.clock, cast.broker
    record_feedback(
        session,
        referral,
        received=Received.YES,
        form=Form.UNWRITTEN,
        share=Share.ATTRIBUTED,
        waited=Wait.UNDER_7_DAYS,
        quality=5,
        text="Saya didengarkan dan tidak dihakimi.",
        by=broker,
        now=clock.now,
    )
    planning.close_met(session, referral.need, by=broker, now=clock.now)
    cast.save()
    cast.teller.step(key)
    cast.teller.check(_state(session, referral.need) is NeedState.MET, "demo.check.met")


def _state(session: Session, need: Need) -> NeedState:
    return need_state(
        loop.traces(session, [need.id])[need.id],
        unmet=need.id in gaps.open_unmet(session, [need.id]),
        withdrawn=need.withdrawn_at is not None,
        resolved_otherwise=need.resolved_otherwise_at is not None,
    )


def _staff(cast: Cast, site: ServiceAtLocation, email: str, name: str) -> User:
    """Somebody invented who answers for the organization, with a password chosen through their own link."""
    session, now = cast.session, cast.clock.now
    user = accounts.invite(
        session,
        name=name,
        email=email,
        role=Role.AGENCY,
        organization_id=site.service.organization_id,
        is_demo=True,
        by=cast.admin,
        now=now,
    )
    issued = accounts.issue_link(session, user, by=cast.admin, now=now)
    accounts.take_link(session, issued.token, password=cast.password, now=now)
    cast.save()
    return user


def _blind_card(cast: Cast, agency: User, referral: Referral, person: Fictional) -> None:
    """What the agency has before it decides; and that nothing in it points at the person."""
    session, teller = cast.session, cast.teller
    inbox = session.scalars(loop.inbox(agency)).all()
    card = referral.blind_card
    answers = [
        Message(
            f"demo.answer.{answer}",
            {"rules": [label(f"demo.rule.{rule}", teller.lang) for rule in rules]},
        )
        for answer, rules in _by_answer(card["criteria"]).items()
    ]
    teller.sees(
        "agency",
        Message(
            "demo.blind",
            {
                "number": referral.number,
                "area": gazetteer(session).label(card["area_code"]),
                "band": card["age_band"],
                "priority": Message(f"casework.urgency.{card['priority']}"),
            },
        ),
        *answers,
    )
    shown = json.dumps(card, ensure_ascii=False)
    telling = (person.name.split()[0], person.number[-6:], person.place.split()[1], "HE05", "FC05")
    teller.check(
        inbox == [referral]
        and loop.agency_view(session, referral, now=cast.clock.now) is View.BLIND
        and not any(word in shown for word in telling),
        "demo.check.blind",
    )


def _by_answer(criteria: Mapping[str, str]) -> dict[str, list[str]]:
    rules: dict[str, list[str]] = {}
    for rule, answer in criteria.items():
        rules.setdefault(answer, []).append(rule)
    return rules


def _released(cast: Cast, released: Mapping[str, Any]) -> list[Message]:
    lang = cast.teller.lang
    values = dict(released)
    if "need" in values:
        values["need"] = _names(cast, [values["need"]])
    if "sex" in values:
        values["sex"] = label(f"demo.sex.{values['sex']}", lang)
    if "contact" in values:
        values["contact"] = contact.printed(values["contact"])
    facts = [
        f"{label(f'demo.fact.{name}', lang)} {values[name]}"
        for name in (*RELEASABLE, "for_whom")
        if name in values
    ]
    return [Message("demo.sees_now", {"facts": "; ".join(facts)})]


def _options(cast: Cast, receipt: MatchReceipt) -> dict[str, Any]:
    """Shows the broker what a match gave, shortened; gives it whole, in words."""
    teller, lang = cast.teller, cast.teller.lang
    content = printed(receipt.content or {}, lang)
    lines: list[str] = [content["coverage"]]
    for rank, one in enumerate(content["options"][:OPTIONS_SHOWN], 1):
        lines.append(f"{rank}. {one['name']}: {_distance(teller, one)}")
        doubts = [penalty["because"] for penalty in one["penalties"]]
        if doubts:
            lines.append(f"   {'; '.join(doubts)}")
    remote = [one["name"] for one in content["remote"][:OPTIONS_SHOWN]]
    if remote:
        lines.append(teller.say("demo.beside", names=remote))
    for one in content["why_not"][:REASONS_SHOWN]:
        lines.append(teller.say("demo.why_not", name=one["name"], would=one["would_fit_if"]))
    teller.sees("broker", *lines)
    return content


def _distance(teller: Teller, option: Mapping[str, Any]) -> str:
    if option["distance_km"] is None:
        return teller.say("demo.no_distance")
    band = option["distance_band"]
    if band is None:
        return km(option["distance_km"], teller.lang)
    return f"{round(band[0])}–{km(band[1], teller.lang)}"


def _proposed(cast: Cast, suggestion: Suggestion) -> None:
    lines = [
        f"{need.code} {_names(cast, [need.code])} ← "
        + ", ".join(f"“{s.text}”" for s in need.because)
        for need in suggestion.needs
    ]
    cast.teller.step("demo.proposed")
    cast.teller.sees("broker", *lines)


def _handout(cast: Cast, site: ServiceAtLocation) -> None:
    """What the client takes home: where to go and whom to call; no reasons against others, no need, no "referral"."""
    teller, service = cast.teller, site.service
    lines = [service.name]
    addresses = site.location.addresses if site.location else []
    if addresses:
        street, city = addresses[0].address_1, addresses[0].city
        lines.append(street if city in street else f"{street}, {city}")
    if service.phones:
        lines.append(f"☎ {service.phones[0].number}")
    open_hours = hours.in_words(service.schedules, teller.lang)
    lines += [f"{days} {times}" for days, times in open_hours]
    lines += [f"→ {step.office}" for step in service.entry_steps]
    teller.sees("client", teller.say("demo.handout"), *lines)
    text = " ".join(lines).lower()
    forbidden = ("rujukan", "referral", "krisis", MOTHER.name.lower(), TEENAGER.name.lower())
    teller.check(
        len(lines) > 1 and not any(word in text for word in forbidden), "demo.check.handout"
    )


def _names(cast: Cast, codes: Sequence[str]) -> str:
    names = [taxonomy().get(code).name[cast.teller.lang] for code in codes]
    return ", ".join(names)


def _reason(cast: Cast, code: str | None) -> str:
    for reason in gaps.reasons(cast.session):
        if reason.code == code:
            return f"{code} {reason.name_id if cast.teller.lang == 'id' else reason.name_en}"
    return "-"
