"""The first scene: family problems, exams, and a sentence that makes it a crisis."""

from collections.abc import Mapping
from datetime import timedelta

from referral.casework import agreements, crisis
from referral.casework import operations as casework
from referral.casework import queries as cases
from referral.casework.models import BasisKind, Case, Need, Purpose, Urgency, Visibility, WorkerRole
from referral.casework.own import making
from referral.casework.stories import Suggestion, suggest
from referral.cli.demo import files, showing, steps
from referral.cli.demo.cast import Cast
from referral.cli.demo.people import TEENAGER
from referral.core.text import Message
from referral.directory.models import ServiceAtLocation
from referral.directory.queries import emergency_numbers
from referral.directory.reference import taxonomy
from referral.matching import operations as matching
from referral.matching.models import MatchReceipt
from referral.matching.recomputing import recomputed
from referral.places.queries import gazetteer
from referral.referrals import operations as referrals
from referral.referrals import queries as loop
from referral.referrals.cards import View
from referral.referrals.given import Given
from referral.referrals.lifecycle import Event
from referral.referrals.loop import NeedState
from referral.referrals.models import Referral

CRISIS_REVIEW_WITHIN = timedelta(hours=24)
NUMBERS_SHOWN = 4
#: as far as the girl's mother can take her in a day, km
TEENAGER_REACH_KM = 60.0


def teenager(cast: Cast) -> None:
    """Family problems, exams, and a sentence that makes it a crisis."""
    session, teller, clock, broker = cast.session, cast.teller, cast.clock, cast.broker
    teller.title("demo.teen.title")
    teller.step("demo.teen.story")
    case = files.open_file(session, TEENAGER, broker=broker, now=clock.now, lang=teller.lang)
    teller.sees("client", f"“{case.story}”")
    suggestion = suggest(case.story or "", taxonomy(), gazetteer=gazetteer(session))
    needs = _crisis(cast, case, suggestion)
    showing.proposed(cast, suggestion)
    codes = {need.code for need in suggestion.needs}
    teller.check({"HE05", "SS03", "FC01"} <= codes, "demo.teen.check.needs")
    _agreement_with_a_child(cast, case, needs)
    _plan(cast, case)
    receipt, site = _match_mental_health(cast, needs["HE05"])
    referral = _refer_the_child(cast, needs["HE05"], receipt, site)
    steps.serve(cast, referral, outcome="received", days=6)
    steps.client_says_yes(cast, referral, "demo.teen.feedback")
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
    needs = files.confirm_needs(
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
    needs |= files.confirm_needs(
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
        Message("demo.in_scope", {"needs": showing.names(cast, ("HE05", "SS03"))}),
        Message("demo.out_of_scope", {"needs": showing.names(cast, ("FC01",))}),
    )
    scope = {code: need.in_scope for code, need in needs.items()}
    expected = {"EM06": True, "HE05": True, "SS03": True, "FC01": False}
    teller.check((contract.number, scope) == (1, expected), "demo.teen.check.scope")


def _plan(cast: Cast, case: Case) -> None:
    """What is in the contract, in one way; what was an emergency is no stop."""
    cast.teller.step("demo.plan.step")
    met = showing.plan(cast, steps.plan(cast, case))
    cast.teller.check(met == {"stops": ["HE05"], "remote": ["SS03"]}, "demo.teen.check.plan")


def _match_mental_health(cast: Cast, need: Need) -> tuple[MatchReceipt, ServiceAtLocation]:
    session, teller = cast.session, cast.teller
    receipt = steps.match(cast, need, within=TEENAGER_REACH_KM)
    teller.step("demo.match", need=showing.names(cast, [need.category]))
    content = showing.options(cast, receipt)
    options, why_not = content["options"], content["why_not"]
    teller.check(
        options
        and options[0]["distance_km"] <= files.DAY_CARE_REACH_KM
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
    site = steps.choose(cast, receipt, need, options[0])
    showing.handout(cast, site)
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
    agency = steps.staff(cast, site, "jiwa@demo.example", "Petugas Contoh RSJ")
    referral = referrals.draft(session, need, site, receipt=receipt, by=broker, now=clock.now)
    with teller.refuses(
        session, "referral.no_basis", "demo.check.no_basis", agency=site.service.organization.name
    ):
        steps.take(cast, referral, Event.SEND)
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
    steps.take(cast, referral, Event.SEND)
    cast.save()
    teller.step("demo.sent", number=referral.number, agency=site.service.organization.name)
    showing.blind_card(cast, agency, referral, TEENAGER)
    clock.after(hours=20)
    steps.agency_takes(cast, agency, referral, Event.RECEIVE)
    planned = clock.today + timedelta(days=1)
    steps.agency_takes(cast, agency, referral, Event.ACCEPT, Given(first_contact_on=planned))
    cast.save()
    released = referral.released or {}
    teller.step("demo.accepted", on=planned)
    teller.sees("agency", *showing.released(cast, released))
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
    own = making.make_ourselves(
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
    receipt = steps.match(cast, needs["SS03"], within=TEENAGER_REACH_KM)
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
    states = [steps.state_of(session, needs[code]) for code in ("HE05", "SS03", "FC01")]
    expected = [NeedState.MET, NeedState.RESOLVED_OTHERWISE, NeedState.OPEN]
    teller.check(
        (states, amended.number, needs["FC01"].in_scope) == (expected, 2, True),
        "demo.teen.check.amended",
    )
