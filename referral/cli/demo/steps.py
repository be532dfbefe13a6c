"""The steps that several scenes take, by the operations that the pages use too."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

from sqlalchemy import select
from sqlalchemy.orm import Session

from referral.accounts import operations as accounts
from referral.accounts.models import Role, User
from referral.casework.models import Case, Need
from referral.cli.demo.cast import Cast
from referral.core.text import Message
from referral.directory import closed_days
from referral.directory.models import ServiceAtLocation
from referral.matching import operations as matching
from referral.matching import queries as receipts
from referral.matching import visit_plans
from referral.matching.models import MatchReceipt
from referral.matching.plans import DAY_TRIP_KM, sets_out_at
from referral.planning.unmet import ledger
from referral.planning.unmet import queries as unmet_queries
from referral.referrals import operations as referrals
from referral.referrals import queries as loop
from referral.referrals.feedback import record_feedback
from referral.referrals.given import Given
from referral.referrals.kinds import Form, Received, Share, Wait
from referral.referrals.lifecycle import Actor, Event, Status
from referral.referrals.loop import NeedState, need_state
from referral.referrals.models import Referral


def match(cast: Cast, need: Need, *, within: float | None = None) -> MatchReceipt:
    """The receipt of a match for this need, made by the broker."""
    now = cast.clock.now
    query = replace(matching.query_for(cast.session, need, now=now), within=within)
    return matching.match(
        cast.session, query, by=cast.broker, now=now, office=cast.office, case=need.case, need=need
    )


def plan(cast: Cast, case: Case) -> Mapping[str, Any]:
    """One plan for the open needs of a case within the contract: its stops, and what is met from home."""
    now = cast.clock.now
    here = now.astimezone(ZoneInfo(cast.office.time_zone))
    needs = [need for need in case.needs if need.in_scope and need.resolved_otherwise_at is None]
    made = visit_plans.make(
        cast.session,
        case,
        needs,
        by=cast.broker,
        now=now,
        at=sets_out_at(here, closed_days.around(here.year)),
        within=DAY_TRIP_KM,
    )
    cast.save()
    found: Mapping[str, Any] = (made.content or {})["plans"][visit_plans.KINDS[0]]
    return found


def choose(
    cast: Cast, receipt: MatchReceipt, need: Need, option: Mapping[str, Any]
) -> ServiceAtLocation:
    """Keep the option that client and broker chose; gives the service at its place."""
    site_id = UUID(option["service_at_location_id"])
    matching.record_choice(
        cast.session, receipt, need=need, site_id=site_id, by=cast.broker, now=cast.clock.now
    )
    cast.save()
    return receipts.sites(cast.session, [site_id])[site_id]


def take(
    cast: Cast,
    referral: Referral,
    event: Event,
    given: Given | None = None,
    *,
    actor: Actor = Actor.BROKER,
    **how: Any,
) -> None:
    """A step of the referral, taken by the broker."""
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


def agency_takes(
    cast: Cast, agency: User, referral: Referral, event: Event, given: Given | None = None
) -> None:
    """A step of the referral, taken by somebody of the agency who found it in their inbox."""
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


def serve(cast: Cast, referral: Referral, *, outcome: str, days: int) -> None:
    """The agency meets the client and says what came of it; then the need waits for the client's word."""
    session, teller, clock = cast.session, cast.teller, cast.clock
    agency = session.scalars(
        select(User).where(
            User.organization_id == referral.organization_id, User.role == Role.AGENCY
        )
    ).one()
    clock.after(days=1)
    met = Given(first_contact_on=clock.today, note="Datang bersama ibunya, disambut di loket.")
    agency_takes(cast, agency, referral, Event.START, met)
    clock.after(days=days)
    agency_takes(
        cast, agency, referral, Event.COMPLETE, Given(outcome=outcome, outcome_on=clock.today)
    )
    cast.save()
    teller.step("demo.served", outcome=Message(f"referral.outcome.{outcome}"))
    state = state_of(session, referral.need)
    teller.check(
        (referral.status, state) == (Status.COMPLETED, NeedState.SERVED), "demo.check.only_claimed"
    )


def client_says_yes(cast: Cast, referral: Referral, key: str) -> None:
    """The client confirms the agency's claim, and the need is met."""
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
    ledger.close_met(session, referral.need, by=broker, now=clock.now)
    cast.save()
    cast.teller.step(key)
    cast.teller.check(state_of(session, referral.need) is NeedState.MET, "demo.check.met")


def state_of(session: Session, need: Need) -> NeedState:
    """Where the need stands now."""
    return need_state(
        loop.traces(session, [need.id])[need.id],
        unmet=need.id in unmet_queries.confirmed_unmet(session, [need.id]),
        withdrawn=need.withdrawn_at is not None,
        resolved_otherwise=need.resolved_otherwise_at is not None,
    )


def staff(cast: Cast, site: ServiceAtLocation, email: str, name: str) -> User:
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
