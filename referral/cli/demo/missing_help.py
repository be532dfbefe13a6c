"""The third scene: help is made where it was missing."""

from collections.abc import Sequence
from datetime import timedelta

from sqlalchemy.orm import Session

from referral.casework import agreements
from referral.casework import operations as casework
from referral.casework import queries as cases
from referral.casework.models import BasisKind, Need, Purpose, Urgency
from referral.cli.demo import files, showing, steps
from referral.cli.demo.cast import Cast
from referral.cli.demo.people import MOTHER, PARENTS, REGENCY_CODE
from referral.core.errors import NotFound
from referral.core.text import Message, render
from referral.directory.models import ServiceAtLocation, ServiceStatus
from referral.places.queries import gazetteer
from referral.planning.disclosure.cells import Cell, Shown
from referral.planning.gaps import figures, releases
from referral.planning.gaps.cuts import Key
from referral.planning.gaps.models import Measure
from referral.planning.gaps.nearest import nearest
from referral.planning.gaps.periods import end_of, quarter_of
from referral.planning.proposals import opening
from referral.planning.proposals import operations as proposing
from referral.planning.proposals.models import ProposalStatus
from referral.planning.unmet import ledger
from referral.planning.unmet import queries as unmet_queries
from referral.referrals import operations as referrals
from referral.referrals.given import Given
from referral.referrals.lifecycle import Event

THRESHOLD = 5


def missing_help(cast: Cast) -> None:
    """One parent is nobody's count; six are a gap, a proposal, and then a place."""
    session, teller, clock = cast.session, cast.teller, cast.clock
    clock.after(days=1)
    teller.title("demo.gap.title")
    teller.step("demo.gap.one")
    _release(cast)
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
    _next_quarter(cast)
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
        needs.append(files.needs_day_care(session, person, broker=broker, now=clock.now))
        cast.save()
    cast.teller.step("demo.gap.five")
    urgent = [need for need in needs if need.urgency is Urgency.URGENT]
    return [*urgent, cast.mother["FC05"], *(need for need in needs if need not in urgent)]


def _release(cast: Cast) -> None:
    releases.publish(cast.session, threshold=THRESHOLD, by=cast.planner, now=cast.clock.now)
    cast.save()


def _next_quarter(cast: Cast) -> None:
    """The first day of the next quarter, and its release: there is one for each."""
    cast.clock.after(seconds=(end_of(quarter_of(cast.clock.now)) - cast.clock.now).total_seconds())
    cast.teller.step("demo.gap.quarter")
    _release(cast)


def _cell(session: Session, measure: Measure = Measure.UNMET) -> Cell:
    """Day care in the city, in the newest release."""
    newest = figures.latest(session)
    if newest is None:
        raise LookupError("release")
    return figures.read(session, newest, measure).cell(Key(REGENCY_CODE, "FC05"))


def _gap(cast: Cast) -> Message:
    """The planner's sentence on the day care gap, as it was released."""
    session, places = cast.session, gazetteer(cast.session)
    cell = _cell(session)
    found = nearest(session, places, [(REGENCY_CODE, "FC05")])[REGENCY_CODE, "FC05"]
    small = Message("planning.people.small", {"threshold": THRESHOLD})
    return Message(
        "planning.gap.nearest",
        {
            "people": small if cell.count is None else cell.count,
            "category": showing.names(cast, ["FC05"]),
            "area": places.label(REGENCY_CODE),
            "km": found.km or 0.0,
            "name": found.name or "-",
        },
    )


def _proposal(cast: Cast, waiting: Sequence[Need]) -> ServiceAtLocation:
    session, teller, clock, planner = cast.session, cast.teller, cast.clock, cast.planner
    proposal = proposing.propose(
        session,
        category="FC05",
        area_code=REGENCY_CODE,
        title="Tempat penitipan balita (contoh)",
        problem=render(_gap(cast), "id"),
        capacity=20,
        by=planner,
        now=clock.now,
    )
    with teller.refuses(session, "planning.out_of_turn", "demo.gap.check.out_of_turn"):
        proposing.move(session, proposal, ProposalStatus.FUNDED, by=planner, now=clock.now)
    for status in (ProposalStatus.IN_DEVELOPMENT, ProposalStatus.FUNDED):
        clock.after(days=20)
        proposing.move(session, proposal, status, by=planner, now=clock.now)
        cast.save()
    with teller.refuses(session, "planning.opening", "demo.gap.check.needs_listing"):
        proposing.move(session, proposal, ProposalStatus.OPENED, by=planner, now=clock.now)
    clock.after(days=20)
    site, notices = opening.open_resource(
        session,
        proposal,
        files.day_care_opening(gazetteer(session)),
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
    told = [unmet_queries.open_unmet(session, [need.id])[need.id].id for need in waiting]
    teller.check(
        [notice.unmet_need_id for notice in notices] == told
        and [notice.position for notice in notices] == list(range(1, len(told) + 1)),
        "demo.gap.check.order",
        count=len(told),
    )
    for broker in (cast.broker, cast.broker2):
        found = unmet_queries.notices(session, broker)
        lines = ", ".join(need.case.number for _notice, need, _site in found)
        teller.sees("broker", Message("demo.gap.notice", {"name": broker.name, "cases": lines}))
    both = [len(unmet_queries.notices(session, broker)) for broker in (cast.broker, cast.broker2)]
    teller.check(both == [4, 2], "demo.gap.check.told")
    return site


def _mother_goes(cast: Cast, site: ServiceAtLocation) -> None:
    session, teller, clock, broker = cast.session, cast.teller, cast.clock, cast.broker
    need = cast.mother["FC05"]
    notice = next(
        one for one, told, _site in unmet_queries.notices(session, broker) if told is need
    )
    ledger.see(notice, now=clock.now)
    receipt = steps.match(cast, need, within=files.DAY_CARE_REACH_KM)
    teller.step("demo.gap.again")
    content = showing.options(cast, receipt)
    ids = [one["service_at_location_id"] for one in content["options"]]
    teller.check(ids == [str(site.id)], "demo.gap.check.fits", name=site.service.name)
    steps.choose(cast, receipt, need, content["options"][0])
    showing.handout(cast, site)
    agency = steps.staff(cast, site, "penitipan@demo.example", "Petugas Contoh Penitipan")
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
    steps.take(cast, referral, Event.SEND)
    cast.save()
    showing.blind_card(cast, agency, referral, MOTHER)
    clock.after(days=1)
    steps.agency_takes(
        cast,
        agency,
        referral,
        Event.ACCEPT,
        Given(first_contact_on=clock.today + timedelta(days=1)),
    )
    cast.save()
    released = referral.released or {}
    teller.sees("agency", *showing.released(cast, released))
    rules = (released.get("contact"), released.get("for_whom"), "story" in released)
    child = need.beneficiary.label if need.beneficiary else None
    teller.check(rules == (MOTHER.number, child, False), "demo.gap.check.released")
    steps.serve(cast, referral, outcome="enrolled", days=3)
    steps.client_says_yes(cast, referral, "demo.gap.feedback")
    for code in ("CD01", "FC02"):
        casework.resolve_otherwise(session, cast.mother[code], by=broker, now=clock.now)
    cast.save()
    states = {code: steps.state_of(session, one).value for code, one in cast.mother.items()}
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
    _next_quarter(cast)
    over = _cell(session, Measure.CLOSED)
    teller.check((over.shown, over.count) == (Shown.SMALL, None), "demo.gap.check.one_over")
    teller.check(_cell(session).count == 1 + len(PARENTS), "demo.gap.check.stays")
