"""Works the simulated month out again from the steps alone, in another way than the application does.

Clocks are run forwards here, a stopwatch through the steps; the application adds up pauses. What is compared:
every reminder and weekly letter, every wish to end for silence, every instant of every clock, the counts that
the matcher reads, every mail and event that arrived, and what the driver was told against what is there.
"""

from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, time, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import holidays
from sqlalchemy import func, select

from referral.accounts.models import Office
from referral.casework.models import Need
from referral.changes import audit
from referral.changes.models import AuditEntry, OutgoingEvent, OutgoingMail
from referral.config import Settings
from referral.extensions import db
from referral.factory import create_app
from referral.matching.models import ServiceStanding
from referral.referrals import queries
from referral.referrals.loop import NeedState, is_closed, need_state
from referral.referrals.models import Disposition, Feedback, Referral, ReferralStep

WAITING = ("requested", "received")
ENDED = ("rejected", "completed", "failed", "cancelled", "entered-in-error")
HOURS = {"urgent": (36, 72, 72), "city": (168, 336, 720), "remote": (360, 720, 1440)}
SEEN_DAYS = {"urgent": 1, "city": 2, "remote": 10}
JAKARTA = ZoneInfo("Asia/Jakarta")
_HOLIDAYS = holidays.country_holidays("ID", years=[2026], categories=("public", "government"))


@dataclass(frozen=True)
class Row:
    """One step as it stands in the table."""

    event: str
    before: str
    after: str
    actor: str
    channel: str
    at: datetime
    moment: datetime


@dataclass
class One:
    """A referral and its steps; nothing of what the application worked out itself."""

    id: str
    number: str
    service: str
    organization: str
    kind: str
    zone: ZoneInfo
    replies: bool
    has_account: bool
    has_mail: bool
    created_at: datetime
    steps: list[Row]

    def until(self, at: datetime) -> list[Row]:
        return [step for step in self.steps if step.at <= at]

    def delivered(self, steps: Sequence[Row]) -> datetime | None:
        if not steps:
            return None
        if self.has_account:
            return steps[0].at
        return next((step.moment for step in steps if step.actor == "agency"), None)

    def due(self, steps: Sequence[Row], hours: int) -> datetime | None:
        """When so many hours have run, by a stopwatch that is stopped and started; None: it never gets there."""
        start = self.delivered(steps)
        if start is None:
            return None
        left, clock, stopped = timedelta(hours=hours), start, set[str]()
        for step in steps:
            moment = max(step.moment, clock)
            if not stopped and clock + left <= moment:
                return clock + left
            if not stopped:
                left -= moment - clock
            clock = moment
            if step.event in ("ask", "hold"):
                stopped.add(step.event)
            if step.event in ("reply", "resume"):
                stopped.discard({"reply": "ask", "resume": "hold"}[step.event])
            if step.event in ("accept", "decline"):
                stopped.clear()
                break
        return None if stopped else clock + left

    def is_stopped(self, steps: Sequence[Row]) -> bool:
        talk = [step.event for step in steps if step.event in ("ask", "reply")]
        return bool(talk) and talk[-1] == "ask"

    def seen_by(self, steps: Sequence[Row]) -> datetime | None:
        start = self.delivered(steps)
        if start is None:
            return None
        day, left = start.astimezone(self.zone).date(), SEEN_DAYS[self.kind]
        while left:
            day += timedelta(days=1)
            left -= day.isoweekday() < 6 and day not in _HOLIDAYS
        return datetime.combine(day, time(23, 59, 59), self.zone)


def report(month: Any, *, seconds: float) -> dict[str, Any]:
    """What happened, and what does not agree: every list under `wrong` has to be empty."""
    app = create_app(Settings.from_env(month.env))
    with app.app_context():
        end = max(month.journal.reminded_at) + timedelta(hours=200)
        standings = {
            one.service_id.hex: _counts(one) for one in db.session.scalars(select(ServiceStanding))
        }
        services = sorted({one.service for one in month.agencies})
        month.pool.do({"do": "push", "now": end, "services": services})
        db.session.rollback()
        ones = _ones(month)
        wrong = {
            "lost or half": list(_lost(month, ones)),
            "reminders and weekly letters": list(_letters(month, ones)),
            "silence": list(_silences(month, ones)),
            "instants of clocks": list(_clocks(ones)),
            "counts of services": list(_standings(ones, standings, end)),
            "mails": list(_mails(month)),
            "events": list(_events(month, ones)),
            "audit": list(_audit(ones)),
            "needs": list(_needs(month, ones)),
        }
        told = _figures(month, ones) | {"seconds": round(seconds), "wrong": wrong}
        db.session.rollback()
        db.engine.dispose()
    return told


def _ones(month: Any) -> dict[str, One]:
    steps: dict[Any, list[Row]] = defaultdict(list)
    for row in db.session.execute(
        select(
            ReferralStep.referral_id,
            ReferralStep.event,
            ReferralStep.from_status,
            ReferralStep.to_status,
            ReferralStep.actor,
            ReferralStep.channel,
            ReferralStep.at,
            ReferralStep.happened_at,
        ).order_by(ReferralStep.at, ReferralStep.id)
    ):
        referral_id, *words, at, happened_at = row
        steps[referral_id].append(Row(*(str(one) for one in words), at, happened_at or at))
    agencies = month.by_organization
    found = {}
    for referral, office in db.session.execute(
        select(Referral, Office).join(Office, Office.id == Referral.office_id)
    ):
        agency = agencies[str(referral.organization_id)]
        remote = office.clock_profile.value == "remote"
        kind = "urgent" if referral.priority != "routine" else "remote" if remote else "city"
        found[str(referral.id)] = One(
            str(referral.id),
            referral.number,
            str(referral.service_id),
            agency.organization,
            kind,
            ZoneInfo(office.time_zone),
            agency.way != "walk_in",
            agency.user is not None,
            agency.has_mail,
            referral.created_at,
            steps[referral.id],
        )
    return found


def _lost(month: Any, ones: dict[str, One]) -> Iterator[str]:
    """What was confirmed is there; what is there was asked for; nothing is there by half."""
    journal = month.journal
    yield from (f"lost: {one}" for one in journal.referrals - set(ones))
    there = {(one.id, step.at) for one in ones.values() for step in one.steps}
    yield from (f"step lost: {one}" for one in journal.steps - there)
    yield from (
        f"step of nobody: {one}" for one in there - journal.steps if one[1] not in journal.unheard
    )
    rows = db.session.execute(select(Referral.id, Referral.status, Referral.version))
    for referral_id, status, version in rows:
        one = ones[str(referral_id)]
        said = one.steps[-1].after if one.steps else "draft"
        if said != status:
            yield f"half: {one.number} is {status}, its last step says {said}"
        if version < 1 + len(one.steps):
            yield f"half: {one.number} has version {version} after {len(one.steps)} steps"
        if not one.steps:
            yield f"half: {one.number} was never sent"
        for first, second in zip(one.steps, one.steps[1:], strict=False):
            if first.after != second.before:
                yield f"chain: {one.number} {first.after} then {second.before}"
    if journal.refusals.pop("BOTH WENT THROUGH", 0):
        yield "two steps on the same version"
    numbers = Counter(one.number for one in ones.values())
    yield from (f"number twice: {one}" for one, count in numbers.items() if count > 1)


def _letters(month: Any, ones: dict[str, One]) -> Iterator[str]:
    expected = set()
    for one in ones.values():
        if one.steps and one.has_mail and one.replies:
            expected.add(f"referral.asks:{one.id}")
    for now in month.journal.reminded_at:
        local = now.astimezone(JAKARTA)
        monday = local.date() - timedelta(days=local.weekday())
        since = datetime.combine(monday, time(7), JAKARTA)
        for one in ones.values():
            steps = one.until(now)
            if not (one.has_mail and one.replies and steps and steps[-1].after in WAITING):
                continue
            if one.kind == "urgent" and not one.is_stopped(steps):
                remind_at = one.due(steps, HOURS[one.kind][0])
                if remind_at is not None and remind_at <= now:
                    expected.add(f"referral.reminds:{one.id}")
            if now >= since and steps[0].at < since:
                expected.add(f"referral.digest:{one.organization}:{monday.isoformat()}")
    keys = select(OutgoingMail.key).where(OutgoingMail.key.like("referral.%"))
    # An agency has one mailbox here; its part of the key says nothing that could be worked out.
    parts = [key.split(":") for key in db.session.scalars(keys)]
    written = {f"{one[0]}:{one[1]}:{one[-1]}" if len(one) > 2 else ":".join(one) for one in parts}
    month.figures = Counter(key.split(":")[0] for key in written)
    yield from (f"not written: {key}" for key in expected - written)
    yield from (f"written for nothing: {key}" for key in written - expected)


def _silences(month: Any, ones: dict[str, One]) -> Iterator[str]:
    """Whether somebody could end a referral for silence, each time they wished to."""
    for referral_id, at, became in month.journal.silences:
        one = ones[referral_id]
        steps = [step for step in one.steps if step.at < at]
        expected = "taken"
        if one.is_stopped(steps):
            expected = "referral.clock_stands"
        elif one.delivered(steps) is None:
            expected = "referral.not_delivered"
        else:
            due = one.due(steps, HOURS[one.kind][2])
            expected = "taken" if due is not None and at >= due else "referral.not_silent_yet"
        if became not in (expected, "referral.stale"):
            yield f"{one.number} at {at}: {became}, not {expected}"


def _clocks(ones: dict[str, One]) -> Iterator[str]:
    loaded = queries.loaded(select(Referral)).execution_options(yield_per=200)
    for referral in db.session.scalars(loaded):
        one = ones[str(referral.id)]
        clock = queries.clock(referral)
        said = (clock.acknowledge_by, clock.remind_at, clock.decide_by, clock.silent_from)
        status = one.steps[-1].after if one.steps else "draft"
        decided = any(step.event == "accept" for step in one.steps)
        runs = one.replies and not decided and status in (*WAITING, "on-hold")
        expected: tuple[datetime | None, ...] = (None,) * 4
        if runs:
            seen_by = one.seen_by(one.steps) if status == "requested" else None
            expected = (seen_by, *(one.due(one.steps, hours) for hours in HOURS[one.kind]))
        if said != expected:
            yield f"{one.number} {status}: {said}, not {expected}"
        if status in ENDED and any((*said, clock.contact_by, clock.stalled_from, clock.is_paused)):
            yield f"{one.number} {status}: its clocks run on"


def _counts(one: ServiceStanding) -> dict[str, int]:
    names = ("open_referrals", "decided", "accepted", "claimed", "asked", "confirmed")
    return {name: getattr(one, name) for name in names}


def _standings(
    ones: dict[str, One], before: dict[str, dict[str, int]], end: datetime
) -> Iterator[str]:
    said = dict(
        db.session.execute(
            select(Feedback.referral_id, Feedback.received).where(Feedback.given_by == "client")
        ).all()
    )
    words = {str(referral_id): received for referral_id, received in said.items()}
    of_service: dict[str, list[One]] = defaultdict(list)
    for one in ones.values():
        if one.steps and one.steps[-1].after != "entered-in-error":
            of_service[one.service].append(one)
    for standing in db.session.scalars(select(ServiceStanding)):
        sent = of_service[str(standing.service_id)]
        states = [one.steps[-1].after for one in sent]
        decisions = [
            next((s.event for s in one.steps if s.event in ("accept", "decline")), None)
            for one in sent
        ]
        heard = [
            words[one.id]
            for one, state in zip(sent, states, strict=True)
            if state == "completed" and one.id in words
        ]
        expected = {
            "open_referrals": sum(state not in ENDED for state in states),
            "decided": sum(one is not None for one in decisions),
            "accepted": decisions.count("accept"),
            "claimed": states.count("completed"),
            "asked": len(heard),
            "confirmed": sum(one != "no" for one in heard),
        }
        if before[standing.service_id.hex] != expected:
            yield f"{standing.service_id}: {before[standing.service_id.hex]}, not {expected}"
        answers = [_in_time(one, end) for one in sent]
        due, in_time = sum(one is not None for one in answers), answers.count(True)
        if (standing.due, standing.in_time) != (due, in_time):
            yield f"{standing.service_id}: {standing.in_time}/{standing.due}, not {in_time}/{due}"


def _in_time(one: One, end: datetime) -> bool | None:
    start = one.delivered(one.steps)
    if start is None or not one.replies:
        return None
    due = one.due(one.steps, HOURS[one.kind][1])
    decided = next((s.moment for s in one.steps if s.event in ("accept", "decline")), None)
    if decided is not None:
        return due is None or decided <= due
    by = next((step.at for step in one.steps if step.after in ENDED), end)
    return False if due is not None and by >= due else None


def _mails(month: Any) -> Iterator[str]:
    """Every letter that left arrived; only as many came twice as senders were killed between two lines."""
    ids, given_up = {}, 0
    for letter in db.session.scalars(select(OutgoingMail)):
        ids[f"<{letter.id}@kota.example>"] = letter
        gone = letter.to.endswith(month.mailbox.dead)
        if gone:
            given_up += letter.given_up_at is not None
            if letter.given_up_at is None or letter.sent_at is not None:
                yield f"not given up: {letter.key}"
        elif letter.sent_at is None:
            yield f"never left: {letter.key} after {letter.attempts} × {letter.last_error}"
    arrivals = month.mailbox.arrivals
    yield from (
        f"lost: {letter.key}"
        for name, letter in ids.items()
        if letter.sent_at is not None and not arrivals[name]
    )
    yield from (f"of nobody: {name}" for name in arrivals if arrivals[name] and name not in ids)
    month.twice = sum(count - 1 for count in arrivals.values() if count > 1)
    month.given_up = given_up
    if month.twice > month.journal.kills["deliver"]:
        yield f"{month.twice} came twice, {month.journal.kills['deliver']} senders were killed"


def _events(month: Any, ones: dict[str, One]) -> Iterator[str]:
    expected = Counter(
        (agency.webhook, one.number, step.at.isoformat())
        for one in ones.values()
        if (agency := month.by_organization[one.organization]).webhook
        for step in one.steps
        if step.actor != "agency" or step.channel in ("phone", "paper")
    )
    written: Counter[Any] = Counter()
    arrivals = month.receiver.arrivals
    known = set()
    for event in db.session.scalars(select(OutgoingEvent)):
        path = "/" + event.webhook.address.rpartition("/")[2]
        written[path, event.body["number"], event.body["at"]] += 1
        known.add((path, event.body["id"]))
        if event.sent_at is None:
            yield f"never left: {event.body} after {event.attempts} × {event.last_error}"
        elif not arrivals[path, event.body["id"]]:
            yield f"lost: {event.body}"
    yield from (f"not written: {one}" for one in expected - written)
    yield from (f"written for nothing: {one}" for one in written - expected)
    yield from (f"of nobody: {one}" for one in arrivals if arrivals[one] and one not in known)
    month.events_twice = sum(count - 1 for count in arrivals.values() if count > 1)
    if month.events_twice > month.journal.kills["events"]:
        yield f"{month.events_twice} twice, {month.journal.kills['events']} senders were killed"
    if month.receiver.forged:
        yield f"{month.receiver.forged} signatures are wrong"


def _audit(ones: dict[str, One]) -> Iterator[str]:
    if (broken := audit.first_break(db.session)) is not None:
        yield f"the chain breaks at {broken}"
    noted = Counter(
        (str(subject), action, at)
        for subject, action, at in db.session.execute(
            select(AuditEntry.subject_id, AuditEntry.action, AuditEntry.at).where(
                AuditEntry.subject_type == "referral",
                AuditEntry.action.not_in(["referral.drafted", "referral.read"]),
            )
        )
    )
    taken = Counter(
        (one.id, f"referral.{step.event}", step.at) for one in ones.values() for step in one.steps
    )
    yield from (f"step without its entry: {one}" for one in taken - noted)
    yield from (f"entry without its step: {one}" for one in noted - taken)


def _needs(month: Any, ones: dict[str, One]) -> Iterator[str]:
    """No need is closed but by the client's word, or by a decision that is written down."""
    said = {
        str(i): r for i, r in db.session.execute(select(Feedback.referral_id, Feedback.received))
    }
    decided = {
        str(i): kind
        for i, kind in db.session.execute(select(Disposition.referral_id, Disposition.kind))
    }
    of_need: dict[Any, list[One]] = defaultdict(list)
    rows = db.session.execute(
        select(Referral.id, Referral.need_id).order_by(Referral.created_at, Referral.id)
    )
    for referral_id, need_id in rows:
        one = ones[str(referral_id)]
        if one.steps and one.steps[-1].after != "entered-in-error":
            of_need[need_id].append(one)
    needs = list(db.session.scalars(select(Need)))
    traces = queries.traces(db.session, [need.id for need in needs]) if len(needs) < 500 else {
        need.id: found
        for n in range(0, len(needs), 400)
        for part in [needs[n : n + 400]]
        for traced in [queries.traces(db.session, [one.id for one in part])]
        for need in part
        for found in [traced[need.id]]
    }  # fmt: skip
    month.need_states = Counter()
    for need in needs:
        state = need_state(traces[need.id], unmet=False, withdrawn=need.withdrawn_at is not None)
        month.need_states[state.value] += 1
        mine = of_need[need.id]
        met = any(one.steps[-1].after == "completed" and said.get(one.id) == "yes" for one in mine)
        withdrawn = any(decided.get(one.id) == "withdrawn" for one in mine)
        if is_closed(state) and not (met or withdrawn):
            yield f"{need.id} is {state} without anybody's word"
        last = mine[-1] if mine else None
        in_vain = last is not None and (
            last.steps[-1].after in ("rejected", "failed", "cancelled")
            or (last.steps[-1].after == "completed" and said.get(last.id) == "no")
        )
        quiet = all(one.steps[-1].after in ENDED for one in mine)
        claimed = any(
            one.steps[-1].after == "completed" and said.get(one.id) != "no" for one in mine
        )
        undecided = (
            in_vain and quiet and not claimed and last is not None and last.id not in decided
        )
        if undecided and state is not NeedState.DISPOSITION:
            yield f"{need.id} waits for a decision, and is {state}"


def _figures(month: Any, ones: dict[str, One]) -> dict[str, Any]:
    journal = month.journal
    steps = Counter(step.event for one in ones.values() for step in one.steps)
    channels = Counter(step.channel for one in ones.values() for step in one.steps)
    unheard = sum(step.at in journal.unheard for one in ones.values() for step in one.steps)
    return {
        "referrals": len(ones),
        "steps": sum(steps.values()),
        "steps by event": dict(steps),
        "steps by channel": dict(channels),
        "status now": dict(Counter(one.steps[-1].after for one in ones.values() if one.steps)),
        "killed": {**journal.kills, "web in all": month.web.kills},
        "orders never answered": len(journal.unheard),
        "of these done all the same": unheard,
        "refused": dict(journal.refusals),
        "acts": dict(journal.acts),
        "silence wished": dict(Counter(became for *_, became in journal.silences)),
        "reminding runs (each by two processes)": len(journal.reminded_at),
        "letters": dict(month.figures),
        "mails": sum(month.mailbox.arrivals.values()),
        "mails refused by the server": month.mailbox.refused,
        "mails twice after a kill": month.twice,
        "mails given up": month.given_up,
        "events": sum(month.receiver.arrivals.values()),
        "events failed at the receiver": month.receiver.failed,
        "events twice after a kill": month.events_twice,
        "audit entries": db.session.scalar(select(func.count()).select_from(AuditEntry)),
        "needs": dict(month.need_states),
    }
