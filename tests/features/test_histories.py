"""Random histories of one need against the database: whatever everybody presses, the promises hold."""

import json
from collections import Counter
from datetime import datetime, timedelta
from itertools import pairwise
from typing import Any

import hypothesis.strategies as st
import pytest
from hypothesis import HealthCheck, Phase, settings
from hypothesis.stateful import (
    RuleBasedStateMachine,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from referral.accounts.models import Role, User
from referral.casework import agreements
from referral.casework import operations as casework
from referral.casework.models import BasisKind, LawfulBasis, Purpose
from referral.changes import audit
from referral.changes.models import AuditEntry
from referral.core.errors import JejaringError
from referral.matching.models import ServiceStanding
from referral.referrals import operations, queries
from referral.referrals.clocks import Clock
from referral.referrals.exchange import fhir
from referral.referrals.exchange import operations as exchange
from referral.referrals.feedback import record_feedback
from referral.referrals.given import Given
from referral.referrals.lifecycle import LIVE, TERMINAL, Actor, Event, Status
from referral.referrals.loop import NeedState, is_closed, need_state
from referral.referrals.models import Channel, Disposition, Feedback, Referral, ReferralStep
from tests.factories import Make
from tests.scenes import FIELDS, NAME, NUMBER, STORY, Scene

SITES, EXAMPLES, STEPS = 3, 12, 25
#: steps that are offered: which, whether the agency or the worker takes it, and how many hours later
TURNS = st.lists(
    st.tuples(st.integers(0, 99), st.booleans(), st.integers(0, 200)), min_size=2, max_size=6
)
WORDS = {
    Event.DECLINE: "outside_area",
    Event.HOLD: "missing_documents",
    Event.CANCEL: "moved",
    Event.FAIL: "could_not_contact",
}
#: what was counted over all histories
COUNTED: Counter[str] = Counter()


class Histories(RuleBasedStateMachine):
    """One client's need, three agencies, and people who press whatever there is."""

    def __init__(self, session: Session, make: Make, now: datetime, browser: Any) -> None:
        super().__init__()
        self.session, self.make, self.now, self.browser = session, make, now, browser
        self.scene = Scene(session, make, now)
        self.sites = [self.scene.site, *(make.service("HE05") for _ in range(SITES - 1))]
        self.agencies: list[User] = [
            self.scene.agency,
            *(
                make.user(Role.AGENCY, organization_id=site.service.organization_id)
                for site in self.sites[1:]
            ),
        ]
        self.referrals: list[Referral] = []
        COUNTED["histories"] += 1

    # What people do ----------------------------------------------------------------------------

    def _any(self, *statuses: Status) -> bool:
        return any(one.status in statuses for one in self.referrals)

    @precondition(lambda self: not self._any(*LIVE))
    @rule(which=st.integers(0, SITES - 1))
    def send(self, which: int) -> None:
        """To an agency that the client agreed to."""
        site = self.sites[which]
        with self._try("sent"):
            agreements.give_basis(
                self.session,
                self.scene.case.client,
                kind=BasisKind.CONSENT,
                purpose=Purpose.REFERRAL,
                fields=FIELDS,
                organization_id=site.service.organization_id,
                method="spoken",
                language="id",
                by=self.scene.broker,
                now=self.now,
            )
            referral = operations.draft(
                self.session,
                self.scene.need,
                site,
                known_service_reason="dikenal",
                by=self.scene.broker,
                now=self.now,
            )
            self._take(referral, Event.SEND, Actor.BROKER, self.scene.broker)
            self.referrals.append(referral)

    @precondition(lambda self: self.referrals)
    @rule(
        which=st.integers(0, 99),
        event=st.sampled_from(list(Event)),
        actor=st.sampled_from(list(Actor)),
        stale=st.sampled_from((False, False, False, True)),
    )
    def press(self, which: int, event: Event, actor: Actor, stale: bool) -> None:
        """Any button, mostly out of turn, sometimes on a page that was opened before."""
        referral = self.referrals[which % len(self.referrals)]
        by = self._agency(referral) if actor is Actor.AGENCY else self.scene.broker
        with self._try(f"pressed {event}"):
            self._take(referral, event, actor, by, version=referral.version - stale)

    @precondition(lambda self: self._any(*LIVE))
    @rule(turns=TURNS)
    def take_turns(self, turns: list[tuple[int, bool, int]]) -> None:
        """Steps that the page offers, one after the other, with hours between them."""
        referral = next(one for one in self.referrals if one.status in LIVE)
        for pick, agency, hours in turns:
            self.now += timedelta(hours=hours)
            by = self._agency(referral) if agency else self.scene.broker
            offered = operations.possible_steps(referral, by, now=self.now)
            if offered:
                event, actor = offered[pick % len(offered)]
                channel = Channel.PHONE if actor is Actor.AGENCY and not agency else Channel.WEB
                with self._try(f"in turn: {event}"):
                    self._take(referral, event, actor, by, channel=channel)

    @precondition(lambda self: self._any(*LIVE))
    @rule(turns=TURNS)
    def take_more_turns(self, turns: list[tuple[int, bool, int]]) -> None:
        self.take_turns(turns)

    @precondition(lambda self: self._any(Status.COMPLETED, Status.FAILED, Status.REJECTED))
    @rule(which=st.integers(0, 99), received=st.sampled_from(("yes", "partly", "no")))
    def hear_the_client(self, which: int, received: str) -> None:
        with self._try("heard"):
            record_feedback(
                self.session,
                self.referrals[which % len(self.referrals)],
                received=received,
                form="unwritten",
                share="no",
                by=self.scene.broker,
                now=self.now,
            )

    @precondition(lambda self: self._any(*(TERMINAL - {Status.ENTERED_IN_ERROR})))
    @rule(which=st.integers(0, 99), wants=st.booleans())
    def decide_what_follows(self, which: int, wants: bool) -> None:
        referral = self.referrals[which % len(self.referrals)]
        by, now = self.scene.broker, self.now
        with self._try("decided"):
            if wants:
                operations.keep_waiting(self.session, referral, note=None, by=by, now=now)
            else:
                operations.withdraw_after(self.session, referral, note=None, by=by, now=now)
                casework.withdraw_need(self.session, self.scene.need, by=by, now=now)

    @precondition(lambda self: self._any(*LIVE))
    @rule(which=st.integers(0, 99))
    def take_consent_back(self, which: int) -> None:
        basis = self.session.get(LawfulBasis, self.referrals[which % len(self.referrals)].basis_id)
        if basis is not None:
            with self._try("consent back"):
                agreements.withdraw_basis(self.session, basis, by=self.scene.broker, now=self.now)

    def _take(
        self, referral: Referral, event: Event, actor: Actor, by: User, **more: Any
    ) -> ReferralStep:
        today = operations.local_day(referral, self.now)
        reason = "no_response" if referral.status in ("requested", "received") else None
        given = Given(
            reason=reason if reason and event is Event.FAIL else WORDS.get(event),
            note="catatan",
            review_on=today + timedelta(days=3),
            first_contact_on=today,
            outcome="received",
            outcome_on=today,
        )
        defaults: dict[str, Any] = {"version": referral.version, "now": self.now, "given": given}
        return operations.take_step(
            self.session, referral, event, actor=actor, by=by, **defaults | more
        )

    def _agency(self, referral: Referral) -> User:
        return next(one for one in self.agencies if one.organization_id == referral.organization_id)

    def _try(self, what: str) -> "Attempt":
        return Attempt(self.session, what)

    # What holds --------------------------------------------------------------------------------

    def _steps(self, referral: Referral) -> list[ReferralStep]:
        return list(
            self.session.scalars(
                select(ReferralStep)
                .where(ReferralStep.referral_id == referral.id)
                .order_by(ReferralStep.at, ReferralStep.id)
            )
        )

    @invariant()
    def no_need_closes_without_a_disposition(self) -> None:
        need = self.scene.need
        traces = queries.traces(self.session, [need.id])[need.id]
        state = need_state(traces, unmet=False, withdrawn=need.withdrawn_at is not None)
        ids = [one.id for one in self.referrals]
        kinds = set(
            self.session.scalars(select(Disposition.kind).where(Disposition.referral_id.in_(ids)))
        )
        helped = self.session.scalars(
            select(Feedback.referral_id).where(
                Feedback.referral_id.in_(ids), Feedback.received == "yes"
            )
        ).all()
        if is_closed(state):
            done = {one.id for one in self.referrals if one.status is Status.COMPLETED}
            assert "withdrawn" in kinds or done & set(helped), state
        counting = [one for one in self.referrals if one.status is not Status.ENTERED_IN_ERROR]
        if counting and all(
            one.status in (Status.REJECTED, Status.FAILED, Status.CANCELLED) for one in counting
        ):
            last = counting[-1]
            decided = queries.disposition_of(self.session, last.id) is not None
            assert (state is NeedState.DISPOSITION) is not decided, (state, decided)
        COUNTED["invariants"] += 1

    @invariant()
    def what_ended_has_no_clock_and_stays_ended(self) -> None:
        for referral in self.referrals:
            if referral.status in TERMINAL:
                assert queries.clock(referral) == Clock()
                assert referral.review_on is None
                assert referral.ended_at is not None
            ends = [
                step
                for step in self._steps(referral)
                if step.from_status in TERMINAL and step.to_status != step.from_status
            ]
            assert {step.event for step in ends} <= {Event.VOID}
        COUNTED["invariants"] += 1

    @invariant()
    def identity_never_leaves_before_a_yes_nor_after_an_end_without_help(self) -> None:
        for referral in self.referrals:
            told = exchange.told_to_agency(self.session, referral, now=self.now)
            text = json.dumps([fhir.document(told, at=self.now), fhir.task(told)])
            seen = [word for word in (NAME, NUMBER, STORY) if word in text]
            accepted = any(step.event is Event.ACCEPT for step in self._steps(referral))
            if not accepted or referral.status in TERMINAL - {Status.COMPLETED}:
                assert not seen, (referral.status, accepted)
            basis = self.session.get(LawfulBasis, referral.basis_id)
            if basis is not None and basis.withdrawn_at is not None:
                assert not seen
        COUNTED["invariants"] += 1

    @invariant()
    def counts_add_up(self) -> None:
        for referral in self.referrals:
            steps = self._steps(referral)
            assert steps[0].from_status is Status.DRAFT
            assert steps[-1].to_status is referral.status
            for first, second in pairwise(steps):
                assert first.to_status is second.from_status
            noted = self.session.scalar(
                select(func.count()).where(
                    AuditEntry.subject_id == referral.id,
                    AuditEntry.action.in_([f"referral.{event}" for event in Event]),
                )
            )
            assert noted == len(steps)
        for site in self.sites:
            mine = [
                one
                for one in self.referrals
                if one.service_id == site.service_id and one.status is not Status.ENTERED_IN_ERROR
            ]
            standing = self.session.get(ServiceStanding, site.service_id)
            if standing is None:
                assert not mine
                continue
            assert standing.open_referrals == sum(one.status in LIVE for one in mine)
            assert standing.claimed == sum(one.status is Status.COMPLETED for one in mine)
            assert standing.accepted == sum(queries.was_accepted(one) for one in mine)
            assert standing.in_time <= standing.due <= len(mine)
        COUNTED["invariants"] += 1

    def teardown(self) -> None:
        """The page the agency opens, once for each referral; and the chain."""
        ids = [
            (one.id, one.status, queries.was_accepted(one), self._agency(one).email)
            for one in self.referrals
        ]
        assert audit.first_break(self.session) is None
        for referral_id, status, accepted, email in ids:
            self.browser.post("/sign-out")
            agency = self.session.scalars(select(User).where(User.email == email)).one()
            page = self.browser.sign_in(agency).get(f"/inbox/{referral_id}").text
            assert "R-" in page
            seen = [word for word in (NAME, NUMBER, STORY) if word in page]
            if not accepted or status in TERMINAL - {Status.COMPLETED}:
                assert not seen, status
            COUNTED["pages"] += 1


class Attempt:
    """What is refused changes nothing."""

    def __init__(self, session: Session, what: str) -> None:
        self.session, self.what = session, what

    def __enter__(self) -> None:
        self.point = self.session.begin_nested()

    def __exit__(self, kind: Any, error: Any, _trace: Any) -> bool:
        if isinstance(error, JejaringError):
            self.point.rollback()
            self.session.expire_all()
            COUNTED["refused"] += 1
            return True
        if kind is None:
            self.session.flush()
            self.point.commit()
            self.session.expire_all()
            COUNTED["taken"] += 1
            COUNTED[self.what] += 1
        return False


def test_random_histories_keep_every_promise(
    session: Session,
    make: Make,
    now: datetime,
    browser: Any,
    capsys: pytest.CaptureFixture[str],
) -> None:
    COUNTED.clear()
    run_state_machine_as_test(
        lambda: Histories(session, make, now, browser),
        settings=settings(
            max_examples=EXAMPLES,
            stateful_step_count=STEPS,
            deadline=None,
            database=None,
            suppress_health_check=list(HealthCheck),
            phases=(Phase.generate,),  # a shrunk history would take minutes
        ),
    )

    with capsys.disabled():
        print(f"\n{dict(COUNTED)}")  # noqa: T201 - asked for: how much was tried
    assert COUNTED["taken"] > 60
    assert COUNTED["refused"] > 20
    assert COUNTED["pages"] > 5
