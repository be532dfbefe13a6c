"""Every cell of the referral's table against one written down here by hand, and random histories."""

from dataclasses import dataclass, field
from itertools import product
from pathlib import Path

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from referral.core.errors import Invalid, NotAllowed
from referral.core.text import LANGUAGES, render
from referral.referrals.cards import View, view_of
from referral.referrals.lifecycle import (
    LIVE,
    TERMINAL,
    TRANSITIONS,
    Actor,
    CodeList,
    Event,
    Field,
    Status,
    allowed,
    next_status,
    rule_for,
)

MODES = ("replies", "walk_in", "decision")

# who may do it (B broker, A agency, C client, S timer) · from · event · to (= the same) · when · what it carries.
# `accepted` is only asked of a hold and of a cancellation: elsewhere the status tells.
LAW = """
B  draft         send      requested         any       -
A  requested     receive   received          any       -
A  requested     ask       =                 any       note
A  received      ask       =                 any       note
B  requested     reply     =                 any       note
B  received      reply     =                 any       note
A  requested     hold      on-hold           any       reason:hold:missing_documents review_on
A  received      hold      on-hold           any       reason:hold:missing_documents review_on
A  accepted      hold      on-hold           any       reason:hold review_on
A  in-progress   hold      on-hold           any       reason:hold review_on
A  on-hold       resume    <                 any       -
A  requested     accept    accepted          any       first_contact_on
A  received      accept    accepted          any       first_contact_on
A  requested     decline   rejected          any       reason:decline
A  received      decline   rejected          any       reason:decline
AB accepted      start     in-progress       any       first_contact_on note
A  in-progress   report    =                 any       note
A  accepted      complete  completed         any       outcome outcome_on
A  in-progress   complete  completed         any       outcome outcome_on
A  on-hold       complete  completed         accepted  outcome outcome_on
B  requested     complete  completed         walk_in   outcome outcome_on
B  received      complete  completed         walk_in   outcome outcome_on
B  accepted      complete  completed         walk_in   outcome outcome_on
B  in-progress   complete  completed         walk_in   outcome outcome_on
B  on-hold       complete  completed         walk_in   outcome outcome_on
B  requested     fail      failed            replies   reason:failure:no_response
B  received      fail      failed            replies   reason:failure:no_response
AB accepted      fail      failed            any       reason:failure
AB in-progress   fail      failed            any       reason:failure
B  on-hold       fail      failed            any       reason:failure
A  on-hold       fail      failed            accepted  reason:failure
BC requested     cancel    cancelled         any       reason:cancel
BC received      cancel    cancelled         any       reason:cancel
ABC accepted     cancel    cancelled         any       reason:cancel
ABC in-progress  cancel    cancelled         any       reason:cancel
BC on-hold       cancel    cancelled         any       reason:cancel
A  on-hold       cancel    cancelled         accepted  reason:cancel
A  cancelled     confirm   =                 accepted  -
B  requested     void      entered-in-error  any       note
B  received      void      entered-in-error  any       note
B  accepted      void      entered-in-error  any       note
B  rejected      void      entered-in-error  any       note
B  in-progress   void      entered-in-error  any       note
B  on-hold       void      entered-in-error  any       note
B  completed     void      entered-in-error  any       note
B  failed        void      entered-in-error  any       note
B  cancelled     void      entered-in-error  any       note
"""
LETTERS = {"B": Actor.BROKER, "A": Actor.AGENCY, "C": Actor.CLIENT, "S": Actor.TIMER}


@dataclass(frozen=True)
class Cell:
    """What the law says of one step."""

    to: str
    required: frozenset[str]
    codes: str | None
    only: str | None


def _law() -> dict[tuple[Status, Event, Actor, str, bool], Cell]:
    cells = {}
    for line in LAW.strip().splitlines():
        actors, status, event, to, when, *carries = line.split()
        required, codes, only = set(), None, None
        for each in carries:
            if each != "-":
                name, *limits = each.split(":")
                required.add(name)
                codes, only = [*limits, None, None][:2] if limits else (codes, only)
        cell = Cell(to, frozenset(required), codes, only)
        for letter, mode, accepted in product(actors, MODES, (False, True)):
            if when in ("any", mode) or (when == "accepted" and accepted):
                cells[Status(status), Event(event), LETTERS[letter], mode, accepted] = cell
    return cells


CELLS = _law()
EVERYTHING = frozenset(Field)


def test_every_cell_of_the_table_is_as_the_law_says() -> None:
    seen = 0
    for status, event, actor, mode, accepted in product(Status, Event, Actor, MODES, (False, True)):
        seen += 1
        cell = CELLS.get((status, event, actor, mode, accepted))
        where = f"{status}/{event}/{actor}/{mode}/accepted={accepted}"
        steps = allowed(status, actor=actor, mode=mode, accepted=accepted)
        assert (event in steps) == (cell is not None), where
        if cell is None:
            with pytest.raises(NotAllowed):
                rule_for(status, event, actor=actor, mode=mode, accepted=accepted)
            continue
        found = rule_for(status, event, actor=actor, mode=mode, accepted=accepted)
        assert found.required == cell.required, where
        assert found.codes == (CodeList(cell.codes) if cell.codes else None), where
        assert found.only == (frozenset({cell.only}) if cell.only else frozenset()), where
        after = next_status(
            status,
            event,
            actor=actor,
            mode=mode,
            given=EVERYTHING,
            accepted=accepted,
            before_hold=Status.RECEIVED,
        )
        expected = {"=": status, "<": Status.RECEIVED}.get(cell.to) or Status(cell.to)
        assert after == expected, where
    assert seen == 11 * 15 * 4 * 3 * 2


@pytest.mark.parametrize(("key", "cell"), list(CELLS.items()), ids=lambda value: str(value)[:40])
def test_each_required_field_is_missed_by_name(
    key: tuple[Status, Event, Actor, str, bool], cell: Cell
) -> None:
    status, event, actor, mode, accepted = key

    for name in cell.required:
        with pytest.raises(Invalid) as caught:
            next_status(
                status,
                event,
                actor=actor,
                mode=mode,
                given=EVERYTHING - {Field(name)},
                accepted=accepted,
                before_hold=Status.RECEIVED,
            )
        assert caught.value.field == name
        assert caught.value.message.key == f"referral.missing.{name}"


@pytest.mark.parametrize(
    ("status", "event"),
    [
        (Status.REJECTED, Event.ACCEPT),
        (Status.COMPLETED, Event.START),
        (Status.COMPLETED, Event.REPORT),
        (Status.CANCELLED, Event.ACCEPT),
        (Status.DRAFT, Event.ACCEPT),
    ],
)
def test_what_the_law_forbids_by_name_is_forbidden_to_all(status: Status, event: Event) -> None:
    for actor, mode, accepted in product(Actor, MODES, (False, True)):
        with pytest.raises(NotAllowed):
            rule_for(status, event, actor=actor, mode=mode, accepted=accepted)


def test_the_timer_takes_no_step_it_only_proposes() -> None:
    assert not any(
        allowed(status, actor=Actor.TIMER, mode=mode, accepted=True)
        for status, mode in product(Status, MODES)
    )


@pytest.mark.parametrize("lang", LANGUAGES)
def test_a_step_out_of_turn_names_what_is_possible(lang: str) -> None:
    with pytest.raises(NotAllowed) as caught:
        rule_for(Status.REQUESTED, Event.REPORT, actor=Actor.AGENCY, mode="replies")

    sentence = render(caught.value.message, lang)
    assert {"id": "setujui", "en": "accept"}[lang] in sentence


def test_every_rule_of_the_table_belongs_to_some_cell() -> None:
    assert {(status, event) for status, event, *_ in CELLS} == set(TRANSITIONS)


@dataclass
class Followed:
    """A referral as the machine follows it."""

    mode: str
    status: Status = Status.DRAFT
    accepted: bool = False
    before_hold: Status | None = None
    path: list[Status] = field(default_factory=lambda: [Status.DRAFT])


class Histories(RuleBasedStateMachine):
    """Many referrals at once, pushed about by everybody; most pushes are out of turn."""

    def __init__(self) -> None:
        super().__init__()
        self.referrals: list[Followed] = []
        self.refused = self.taken = self.pushed = 0

    @rule(mode=st.sampled_from(MODES))
    def draft(self, mode: str) -> None:
        self.referrals.append(Followed(mode))

    @precondition(lambda self: self.referrals)
    @rule(
        which=st.integers(min_value=0, max_value=10_000),
        event=st.sampled_from(list(Event)),
        actor=st.sampled_from(list(Actor)),
        given=st.sets(st.sampled_from(list(Field))) | st.just(set(Field)),
    )
    def push(self, which: int, event: Event, actor: Actor, given: set[Field]) -> None:
        one = self.referrals[which % len(self.referrals)]
        self.pushed += 1
        try:
            after = next_status(
                one.status,
                event,
                actor=actor,
                mode=one.mode,
                given=frozenset(given),
                accepted=one.accepted,
                before_hold=one.before_hold,
            )
        except (NotAllowed, Invalid):
            self.refused += 1
            return
        self.taken += 1
        if event is Event.HOLD:
            one.before_hold = one.status
        one.accepted = one.accepted or event is Event.ACCEPT
        one.status = after
        one.path.append(after)

    @precondition(lambda self: self.referrals)
    @rule(which=st.integers(min_value=0, max_value=10_000), pick=st.integers(0, 10_000))
    def take_turn(self, which: int, pick: int) -> None:
        """A step that is in turn, so that histories get long."""
        one = self.referrals[which % len(self.referrals)]
        turns = [
            (event, actor)
            for actor in Actor
            for event in allowed(one.status, actor=actor, mode=one.mode, accepted=one.accepted)
        ]
        if turns:
            event, actor = turns[pick % len(turns)]
            self.push(which, event, actor, set(Field))

    @invariant()
    def identity_is_seen_only_after_accepting_and_never_after_an_end_without_help(self) -> None:
        for one in self.referrals:
            view = view_of(one.status, accepted=one.accepted)
            if Status.ACCEPTED not in one.path:
                assert view is not View.RELEASED, one.path
            if one.status in TERMINAL - {Status.COMPLETED}:
                assert view is View.STUB, one.path
            assert (
                view_of(one.status, accepted=one.accepted, basis_holds=False) is not View.RELEASED
            )

    @invariant()
    def an_end_stays_an_end(self) -> None:
        for one in self.referrals:
            for before, after in zip(one.path, one.path[1:], strict=False):
                if before in TERMINAL:
                    assert after in (before, Status.ENTERED_IN_ERROR), one.path
            if one.status in TERMINAL:
                left = {
                    event
                    for actor in Actor
                    for event in allowed(
                        one.status, actor=actor, mode=one.mode, accepted=one.accepted
                    )
                }
                assert left <= {Event.VOID, Event.CONFIRM}

    @invariant()
    def a_rejected_referral_was_never_accepted_and_nobody_completes_what_none_accepted(
        self,
    ) -> None:
        for one in self.referrals:
            if Status.REJECTED in one.path:
                assert Status.ACCEPTED not in one.path
            if Status.COMPLETED in one.path and one.mode != "walk_in":
                assert Status.ACCEPTED in one.path

    @invariant()
    def every_referral_is_in_exactly_one_heap(self) -> None:
        heaps = [
            sum(one.status in heap for one in self.referrals)
            for heap in (LIVE, TERMINAL, {Status.DRAFT})
        ]
        assert sum(heaps) == len(self.referrals)
        assert self.pushed == self.taken + self.refused


Histories.TestCase.settings = settings(
    max_examples=60, stateful_step_count=60, deadline=None, database=None
)
test_random_histories_keep_the_promises = Histories.TestCase


def _told() -> str:
    """The table of the code as docs/referrals.md tells it."""
    lines = [
        "| from | step | by | to | must carry | only |",
        "| --- | --- | --- | --- | --- | --- |",
    ]
    for (status, event), rules in TRANSITIONS.items():
        for one in rules:
            to = one.to or ("where it was held" if event is Event.RESUME else "stays")
            reasons = f"reason ({one.codes} list)" if one.codes else ""
            if one.only:
                reasons = f"reason: {', '.join(sorted(one.only))}"
            carries = [
                reasons if name is Field.REASON else name.replace("_", " ")
                for name in Field
                if name in one.required
            ]
            only = [f"mode {mode}" for mode in sorted(one.modes)]
            only += ["once accepted"] if one.once_accepted and status is not Status.ACCEPTED else []
            by = ", ".join(actor for actor in Actor if actor in one.by)
            lines.append(
                f"| {status} | {event} | {by} | {to} | {'; '.join(carries)} | {'; '.join(only)} |"
            )
    return "\n".join(line.replace("|  |", "| |").replace("|  |", "| |") for line in lines)


def test_the_document_tells_the_table_of_the_code() -> None:
    document = (Path(__file__).parents[2] / "docs" / "referrals.md").read_text("utf-8")

    assert _told() in document, "copy what this prints:\n" + _told()
