"""The second scene: a mother alone, with money short and a child nobody watches."""

from collections.abc import Mapping
from datetime import timedelta
from uuid import UUID

from referral.casework import agreements
from referral.casework.models import (
    BasisKind,
    Case,
    Need,
    OwnResource,
    Purpose,
    Urgency,
    Visibility,
)
from referral.casework.own import making
from referral.casework.own import queries as own_people
from referral.casework.stories import suggest
from referral.cli.demo import files, showing, steps
from referral.cli.demo.cast import Cast
from referral.cli.demo.people import MOTHER
from referral.core.text import Message
from referral.directory.reference import taxonomy
from referral.matching import operations as matching
from referral.matching import queries as receipts
from referral.places.queries import gazetteer
from referral.planning.unmet import ledger
from referral.referrals import operations as referrals
from referral.referrals import queries as loop
from referral.referrals.given import Given
from referral.referrals.lifecycle import Actor, Event, Status
from referral.referrals.loop import NeedState
from referral.referrals.models import Channel


def mother_alone(cast: Cast) -> None:
    """Money, a child nobody watches, being overwhelmed, and the wish for company."""
    session, teller, clock, broker = cast.session, cast.teller, cast.clock, cast.broker
    clock.after(days=1)
    teller.title("demo.mother.title")
    teller.step("demo.mother.story")
    case = files.open_file(session, MOTHER, broker=broker, now=clock.now, lang=teller.lang)
    teller.sees("client", f"“{case.story}”")
    suggestion = suggest(case.story or "", taxonomy(), gazetteer=gazetteer(session))
    showing.proposed(cast, suggestion)
    wanted = ("SA04", "FC05", "FC02", "CD01")
    codes = {need.code for need in suggestion.needs}
    teller.check(set(wanted) <= codes and not suggestion.crisis, "demo.mother.check.needs")
    needs = files.confirm_needs(
        session, case, dict.fromkeys(wanted, Urgency.ROUTINE), by=broker, now=clock.now
    )
    session.refresh(case, ["needs"])
    files.agree(
        session,
        case,
        list(needs.values()),
        "Mencari penitipan anak, bantuan sosial dan kelompok; anggaran rumah tangga disusun bersama.",
        by=broker,
        now=clock.now,
    )
    cast.mother = needs
    cast.save()
    teller.step("demo.plan.step")
    met = showing.plan(cast, steps.plan(cast, case))
    teller.check(met == {"stops": [], "remote": ["SA04"]}, "demo.mother.check.plan")
    _no_day_care(cast, needs["FC05"])
    _make_it_ourselves(cast, case, needs)
    _social_assistance(cast, needs["SA04"])


def _no_day_care(cast: Cast, need: Need) -> None:
    session, teller = cast.session, cast.teller
    receipt = steps.match(cast, need, within=files.DAY_CARE_REACH_KM)
    teller.step("demo.match", need=showing.names(cast, [need.category]))
    content = showing.options(cast, receipt)
    query = content["query"]
    teller.check(
        need.beneficiary is not None and query["age"] == MOTHER.child_age_years,
        "demo.mother.check.child",
        years=query["age"] or 0,
    )
    reason = ledger.reason_from(receipt)
    teller.check(
        (content["options"], content["remote"], reason) == ([], [], "U02"),
        "demo.mother.check.reason",
        reason=showing.reason(cast, reason),
    )
    ledger.record_unmet(
        session, need, reason=reason or "U99", receipt=receipt, by=cast.broker, now=cast.clock.now
    )
    cast.save()
    teller.check(steps.state_of(session, need) is NeedState.UNMET, "demo.mother.check.unmet")


def _make_it_ourselves(cast: Cast, case: Case, needs: Mapping[str, Need]) -> None:
    session, teller, clock, broker = cast.session, cast.teller, cast.clock, cast.broker
    with teller.refuses(session, "casework.helper_agreed", "demo.mother.check.helper"):
        _own(cast, case, "CD01", "Kelompok ibu tunggal Bukit Sari", helper_agreed=False)
    group = _own(cast, case, "CD01", "Kelompok ibu tunggal Bukit Sari")
    parenting = _own(cast, case, "FC02", "Kelas pengasuhan kader Nuraini")
    for own in (group, parenting):
        need = needs[own.category]
        receipt = steps.match(cast, need, within=files.DAY_CARE_REACH_KM)
        matching.record_choice(session, receipt, need=need, own=own, by=broker, now=clock.now)
    cast.save()
    teller.step("demo.mother.ourselves")
    details = group.details or {}
    teller.sees("client", f"{group.name}: {details['day']}, {details['place']}")
    found = [own_people.own_resources(session, case, own.category) for own in (group, parenting)]
    teller.check(found == [[group], [parenting]], "demo.mother.check.ourselves")


def _own(
    cast: Cast, case: Case, category: str, name: str, *, helper_agreed: bool = True
) -> OwnResource:
    return making.make_ourselves(
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
    receipt = steps.match(cast, need)
    teller.step("demo.match", need=showing.names(cast, [need.category]))
    content = showing.options(cast, receipt)
    by_mode = {
        receipts.sites(session, [site_id])[site_id].service.answer_mode.value: one
        for one in content["remote"]
        for site_id in [UUID(one["service_at_location_id"])]
    }
    teller.check({"decision", "walk_in"} <= set(by_mode), "demo.mother.check.modes")
    site = steps.choose(cast, receipt, need, by_mode["decision"])
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
    steps.take(cast, first, Event.SEND)
    cast.save()
    teller.step("demo.sent", number=first.number, agency=site.service.organization.name)
    clock.after(days=9)
    steps.take(
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
    waiting = steps.state_of(session, need)
    teller.sees("broker", Message("demo.need_is", {"state": Message(f"referral.need.{waiting}")}))
    teller.check(
        (first.status, waiting) == (Status.REJECTED, NeedState.DISPOSITION),
        "demo.mother.check.disposition",
    )
    with teller.refuses(session, "referral.nothing_more", "demo.mother.check.no_way_back"):
        steps.take(cast, first, Event.ACCEPT, Given(first_contact_on=clock.today), actor=Actor.AGENCY,
              channel=Channel.PHONE)  # fmt: skip
    again = steps.match(cast, need)
    site = steps.choose(cast, again, need, by_mode["walk_in"])
    second = referrals.draft(session, need, site, receipt=again, by=broker, now=clock.now)
    steps.take(cast, second, Event.SEND)
    teller.step("demo.mother.walk_in", name=site.service.name, on=second.review_on or clock.today)
    asked_on = second.review_on
    clock.after(days=7)
    due = session.scalars(loop.to_ask_client(broker, clock.today)).all()
    teller.check(second in due and asked_on == clock.today, "demo.mother.check.asked")
    steps.take(cast, second, Event.COMPLETE, Given(outcome="enrolled", outcome_on=clock.today))
    cast.save()
    steps.client_says_yes(cast, second, "demo.mother.feedback")
