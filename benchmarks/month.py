"""A simulated month: thousands of referrals, people who answer or don't, and processes that are killed.

`python -m benchmarks.month --referrals 5000 --brokers 50 --agencies 200 --seed 1` makes an instance of its own
(SQLite, or the database of DATABASE_URL, which it fills), lives through 30 days with a clock of its own, and
then works everything out again from the steps (`month_check`). It ends with 1 where something does not agree.
"""

import argparse
import heapq
import json
import os
import sys
import tempfile
import threading
import time
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from random import Random
from typing import Any

from aiosmtpd.controller import Controller

from benchmarks.month_driver import (
    Caller,
    Killed,
    Mailbox,
    Nursery,
    Order,
    Pool,
    Receiver,
    Web,
    Worker,
    free_port,
)
from benchmarks.month_work import PUBLIC_URL, agency_wish
from referral.accounts import tokens
from referral.accounts.models import ClockProfile, Role
from referral.changes import webhooks
from referral.config import Settings
from referral.directory.models import AnswerMode
from referral.extensions import alembic, db
from referral.factory import create_app
from referral.reference import load_reference
from referral.referrals.lifecycle import TERMINAL, Event, Status
from tests.factories import Make

START = datetime(2026, 3, 2, tzinfo=UTC)  # a Monday, 07.00 in Jakarta
OFFICES = (
    ("Asia/Jakarta", ClockProfile.CITY),
    ("Asia/Jakarta", ClockProfile.REGENCY),
    ("Asia/Makassar", ClockProfile.CITY),
    ("Asia/Makassar", ClockProfile.REMOTE),
    ("Asia/Jayapura", ClockProfile.REMOTE),
)


@dataclass
class Agency:
    """How one agency answers. `way`: account, link, system, phone or walk_in."""

    organization: str
    site: str
    service: str
    way: str
    user: str | None
    token: str | None
    webhook: str | None
    has_mail: bool
    is_silent: bool
    mean_hours: float


@dataclass
class Case:
    """A referral as the driver knows it."""

    id: str
    number: str
    agency: Agency
    status: str
    version: int
    ended_looks: int = 0


@dataclass
class Journal:
    """What the driver was told, and what it never heard about. The check reads nothing else of the driver."""

    #: (referral, instant) of every step that was confirmed
    steps: set[tuple[str, datetime]] = field(default_factory=set)
    #: instants of orders that were cut off: a step of that instant may be there or not
    unheard: set[datetime] = field(default_factory=set)
    referrals: set[str] = field(default_factory=set)
    #: (referral, instant, what became of the wish to end it for silence)
    silences: list[tuple[str, datetime, str]] = field(default_factory=list)
    #: when the reminding job ran and was confirmed
    reminded_at: list[datetime] = field(default_factory=list)
    withdrawn: set[str] = field(default_factory=set)
    refusals: Counter[str] = field(default_factory=Counter)
    kills: Counter[str] = field(default_factory=Counter)
    acts: Counter[str] = field(default_factory=Counter)


class Month:
    """One run."""

    def __init__(self, options: argparse.Namespace, folder: Path) -> None:
        self.options, self.folder = options, folder
        self.chance, self.lock = Random(options.seed), threading.Lock()
        self.journal, self.count = Journal(), 0
        self.cases: dict[str, Case] = {}
        self.plan: list[tuple[datetime, int, Any]] = []
        self.mailbox = Mailbox(Random(options.seed + 1), refuses=0.02)
        self.receiver = Receiver(Random(options.seed + 2), fails=0.05)
        mail_port = free_port()
        self.mail_server = Controller(self.mailbox, hostname="127.0.0.1", port=mail_port)
        self.env = {
            **os.environ,
            "JEJARING_INSTANCE": str(folder),
            "PUBLIC_URL": PUBLIC_URL,
            "MAIL_SERVER": "127.0.0.1",
            "MAIL_PORT": str(mail_port),
            "MAIL_TLS": "0",
            "MAIL_SENDER": "jejaring@kota.example",
            "API_RATE": "1000000 per minute",
        }
        self.kill_chance = options.kills / max(options.referrals * 9, 1)

    # Before -------------------------------------------------------------------------------------

    def prepare(self) -> None:
        """Offices, brokers, agencies with their ways to answer."""
        app = create_app(Settings.from_env(self.env))
        with app.app_context():
            alembic.upgrade()
            load_reference(db.session, now=START)
            db.session.commit()
            make = Make(db.session, START)
            admin = make.user(Role.ADMINISTRATOR, password="-")
            offices = [
                make.office(time_zone=zone, clock_profile=profile) for zone, profile in OFFICES
            ]
            self.brokers = [
                str(make.user(office=offices[n % len(offices)], password="-").id)
                for n in range(self.options.brokers)
            ]
            self.agencies = [self._agency(make, admin) for _ in range(self.options.agencies)]
            db.session.commit()
            db.engine.dispose()
        self.by_organization = {one.organization: one for one in self.agencies}

    def _agency(self, make: Make, admin: Any) -> Agency:
        chance = self.chance
        way = chance.choices(
            ("account", "link", "system", "phone", "walk_in"), (40, 30, 12, 10, 8)
        )[0]
        has_mail = way == "link" or (way != "phone" and chance.random() < 0.8)
        domain = "gone.example" if has_mail and chance.random() < 0.02 else "lembaga.example"
        organization = make.organization()
        mode = AnswerMode.WALK_IN if way == "walk_in" else AnswerMode.REPLIES
        site = make.service(
            organization=organization,
            answer_mode=mode,
            email=f"a{organization.id.hex[-12:]}@{domain}" if has_mail else None,
        )
        user = token = path = None
        if way in ("account", "system"):
            user = str(make.user(Role.AGENCY, organization_id=organization.id, password="-").id)
        if way == "system":
            token = tokens.issue(
                db.session,
                name="Sistem",
                office_id=None,
                organization_id=organization.id,
                scopes=["referral"],
                days=365,
                by=admin,
                now=START,
            ).text
        if way == "system" or chance.random() < 0.1:
            path = f"/{organization.id}"
            issued = webhooks.register(
                db.session,
                organization_id=organization.id,
                address=self.receiver.address + path,
                may_be_plain=True,
                by=admin,
                now=START,
            )
            self.receiver.secrets[path] = issued.secret
        return Agency(
            str(organization.id),
            str(site.id),
            str(site.service_id),
            way,
            user,
            token,
            path,
            has_mail,
            chance.random() < 0.12,
            chance.uniform(6, 90),
        )

    # The month ----------------------------------------------------------------------------------

    def live(self) -> None:
        for n in range(self.options.referrals):
            seconds = self.chance.uniform(0, (self.options.days - 1) * 86_400)
            self._plan(START + timedelta(seconds=seconds), ("send", n, None))
        self.mail_server.start()
        self.nursery = Nursery(self.env, self.folder)
        self.pool = Pool(self.nursery, self.options.workers)
        self.jobs = [Worker(self.nursery) for _ in range(2)]
        self.web = Web(self.env)
        jobs: list[Future[None]] = []
        with ThreadPoolExecutor(self.options.workers + 3) as people, ThreadPoolExecutor(2) as work:
            tick = START
            while tick < START + timedelta(days=self.options.days):
                tick += timedelta(hours=self.options.hours)
                groups: dict[str, list[tuple[datetime, Any]]] = {}
                while self.plan and self.plan[0][0] < tick:
                    at, number, act = heapq.heappop(self.plan)
                    groups.setdefault(act[2] or f"new {number}", []).append((at, act))
                running = [people.submit(self._group, acts, tick) for acts in groups.values()]
                if self.chance.random() < self.options.kills / 400:
                    self.journal.kills["web"] += 1
                    self.web.kill(whole=self.chance.random() < 0.3)
                _all(running)
                _all(jobs)
                now = tick + timedelta(seconds=1)
                _all([work.submit(self._remind, job, now) for job in self.jobs])
                self.journal.reminded_at.append(now)
                jobs = [work.submit(self._deliver, job, now) for job in self.jobs]
                self._say(tick)
            _all(jobs)
            self._settle(tick)

    def _settle(self, end: datetime) -> None:
        """Nothing happens any more; what waits is sent, as long as it takes."""
        self.mailbox.refuses = 0
        for hours in (1, 2, 5, 12, 24, 60, 100):
            for job in self.jobs:
                self._deliver(job, end + timedelta(hours=hours), calm=True)

    def _group(self, acts: list[tuple[datetime, Any]], until: datetime) -> None:
        for at, (kind, number, referral) in acts:
            if kind == "send":
                self._send(at, number, until)
            else:
                self._look(at, kind, self.cases[referral], until)

    def _send(self, at: datetime, number: int, until: datetime) -> None:
        chance = Random(f"{self.options.seed}-{number}")
        agency = chance.choice(self.agencies)
        order = {
            "do": "send",
            "now": at,
            "seed": f"{number}-{at.timestamp()}",
            "broker": chance.choice(self.brokers),
            "site": agency.site,
            "priority": chance.choices(("routine", "urgent", "emergency"), (70, 25, 5))[0],
        }
        answer = self._order(order)
        if answer is None:
            # As somebody does who was cut off: look whether it is there, else do it again.
            answer = self.pool.do({"do": "find", "now": at})
            if not answer:
                self._plan(until + timedelta(minutes=chance.randint(1, 60)), ("send", number, None))
                return
            self.journal.steps.add((answer["id"], at))
        elif "refused" in answer:
            self.journal.refusals[answer["refused"]] += 1
            if answer["refused"] == "busy":
                self._plan(until + timedelta(minutes=chance.randint(1, 60)), ("send", number, None))
            return
        self._known(answer, at)

    def _known(self, told: Order, at: datetime) -> None:
        agency = self.by_organization[told["organization"]]
        case = Case(told["id"], told["number"], agency, told["status"], told["version"])
        with self.lock:
            self.cases[case.id] = case
            self.journal.referrals.add(case.id)
            self.journal.steps.add((case.id, at))
        self._next(case, "agency", at)
        self._next(case, "broker", at)

    def _next(self, case: Case, who: str, at: datetime) -> None:
        """When they look at it again."""
        if case.status in TERMINAL:
            case.ended_looks += 1
            if case.ended_looks > 4:
                return
        agency = case.agency
        if who == "agency":
            if agency.is_silent or agency.way in ("phone", "walk_in"):
                return
            hours = self.chance.expovariate(1 / agency.mean_hours) + 0.2
        else:
            hours = self.chance.uniform(20, 110)
        self._plan(at + timedelta(hours=hours), (who, 0, case.id))

    def _look(self, at: datetime, who: str, case: Case, until: datetime) -> None:
        way = case.agency.way
        if who == "broker" or way == "account" or (way == "system" and at.minute % 3 == 0):
            self._look_by_worker(at, who, case)
        elif way == "system":
            self._answer_by_system(at, case)
        else:
            self._answer_by_link(at, case)
        self._next(case, who, max(at, until))

    def _look_by_worker(self, at: datetime, who: str, case: Case) -> None:
        order = {
            "do": "act",
            "now": at,
            "seed": f"{case.id}-{at.timestamp()}",
            "referral": case.id,
            "who": who,
            "by": case.agency.user,
            "phone": case.agency.way == "phone",
            "other_site": self.chance.choice(self.agencies).site,
            # Some act on the page they opened before, which may be old.
            "version": case.version if self.chance.random() < 0.3 else None,
        }
        if self.chance.random() < 0.01:
            self._both_at_once(order, case)
            return
        self._took(self._order(order), case, at)

    def _both_at_once(self, order: Order, case: Case) -> None:
        """Two press on the same page at the same moment, in two processes: one at most gets through."""
        other = {**order, "now": order["now"] + timedelta(microseconds=1)}
        orders = [{**one, "version": case.version} for one in (order, other)]
        with ThreadPoolExecutor(2) as two:
            answers = list(two.map(self._order, orders))
        for answer, one in zip(answers, orders, strict=True):
            self._took(answer, case, one["now"])
        self.journal.acts["both at once"] += 1
        if all(answer and answer.get("stepped") for answer in answers):
            self.journal.refusals["BOTH WENT THROUGH"] += 1

    def _took(self, answer: Order | None, case: Case, at: datetime) -> None:
        if answer is None:
            return
        with self.lock:
            if "silence" in answer:
                self.journal.silences.append((case.id, at, answer["silence"]))
            if "refused" in answer:
                self.journal.refusals[answer["refused"]] += 1
                if answer["refused"] == "referral.stale":
                    case.version = 0  # opens the page anew
                return
            case.status, case.version = answer["status"], answer["version"]
            stepped = answer.get("stepped") or answer.get("silence") == "taken"
            if stepped:
                self.journal.steps.add((case.id, at))
                self.journal.acts["steps by worker"] += 1
            if answer.get("disposed") == "withdrawn":
                self.journal.withdrawn.add(case.id)
        if "again" in answer:
            self._known(answer["again"], at)
        if "client_key" in answer:
            self._client_says(answer["client_key"], at + timedelta(microseconds=7))

    def _order(self, order: Order) -> Order | None:
        """What a worker answers; None where it was killed before."""
        with self.lock:
            kill = self.chance.random() < self.kill_chance
            after = self.chance.uniform(0, 0.06) if kill else None
            self.journal.kills["worker"] += kill
        try:
            return self.pool.do(order, kill_after=after)
        except Killed:
            with self.lock:
                self.journal.unheard.add(order["now"])
            return None

    def _answer_by_link(self, at: datetime, case: Case) -> None:
        """Two taps without an account: the link of the mail, a button."""
        key = self.mailbox.links.get(case.number)
        if key is None:
            return
        caller = Caller(self.web, Random(f"{case.id}{at}"))
        status, fields = caller.form("/reply", key, at)
        if status != 200 or not fields:
            self.journal.acts[f"link {status}"] += 1
            return
        facts = {"asked": True, "unconfirmed": False}
        wish = agency_wish(Status.RECEIVED, facts, Random(f"{case.id}{at}"), at.date())
        if wish is None or wish[0] not in (Event.ACCEPT, Event.DECLINE):
            wish = (Event.ASK, None) if at.minute % 4 == 0 else None  # type: ignore[assignment]
        if wish is None:
            return
        event, given = wish
        fields["event"] = event.value
        fields["note"] = "Catatan"
        if event is Event.ACCEPT:
            fields["first_contact_on"] = (at + timedelta(days=3)).date().isoformat()
        if event is Event.DECLINE:
            fields["reason"] = given.reason or ""
        self._posted(caller, "/reply", fields, at, case.id, "link")

    def _client_says(self, key: str, at: datetime) -> None:
        caller = Caller(self.web, Random(key))
        status, fields = caller.form("/how-was-it", key, at)
        if status == 200:
            fields |= {"received": "yes", "share": "no", "form": "written"}
            self._posted(caller, "/how-was-it", fields, at, None, "client")

    def _posted(
        self, caller: Caller, path: str, fields: dict[str, str], at: datetime,
        referral: str | None, what: str,
    ) -> None:  # fmt: skip
        try:
            status = caller.post(path, fields, at)
        except Killed:
            with self.lock:
                self.journal.unheard.add(at)
            return
        with self.lock:
            self.journal.acts[f"{what} {status}"] += 1
            if status == 200 and referral:
                self.journal.steps.add((referral, at))

    def _answer_by_system(self, at: datetime, case: Case) -> None:
        """The agency's own system reads the document and posts a Task."""
        caller = Caller(self.web, Random(f"{case.id}{at}"))
        path = f"/api/v1/referrals/{case.id}"
        signed = {"Authorization": f"Bearer {case.agency.token}"}
        status, text = caller.call("GET", path, at, headers=signed)
        if status != 200:
            self.journal.acts[f"system {status}"] += 1
            return
        entries = json.loads(text)["entry"]
        task = next(one["resource"] for one in entries if one["resource"]["resourceType"] == "Task")
        wish = agency_wish(
            Status(task["status"]), {"asked": True, "unconfirmed": False}, Random(text), at.date()
        )
        told = wish and _task(wish[0], wish[1], Status(task["status"]), task["meta"]["versionId"])
        if not told:
            return
        signed["Content-Type"] = "application/fhir+json"
        try:
            status, _text = caller.call("POST", path, at, json.dumps(told), signed)
        except Killed:
            with self.lock:
                self.journal.unheard.add(at)
            return
        with self.lock:
            self.journal.acts[f"system {status}"] += 1
            if status == 200:
                self.journal.steps.add((case.id, at))

    # Jobs ---------------------------------------------------------------------------------------

    def _remind(self, job: Worker, now: datetime) -> None:
        while True:
            with suppress(Killed):
                answer = job.do({"do": "remind", "now": now}, kill_after=self._kill("job"))
                if "refused" not in answer:
                    return

    def _deliver(self, job: Worker, now: datetime, *, calm: bool = False) -> None:
        for what in ("deliver", "events"):
            after = None if calm else self._kill(what)
            with suppress(Killed):
                if "refused" in job.do({"do": what, "now": now}, kill_after=after):
                    self.journal.kills[what] += 1  # cut off all the same

    def _kill(self, what: str) -> float | None:
        with self.lock:
            if self.chance.random() >= self.options.kills / 500:
                return None
            self.journal.kills[what] += 1
            return self.chance.uniform(0, 0.5)

    def _plan(self, at: datetime, act: Any) -> None:
        """Every act has an instant of its own, by which its step is known again."""
        with self.lock:
            self.count += 1
            at = at.replace(microsecond=self.count * 10 % 1_000_000)
            heapq.heappush(self.plan, (at, self.count, act))

    def _say(self, tick: datetime) -> None:
        if self.options.quiet or tick.hour:
            return
        steps = len(self.journal.steps)
        passed = time.monotonic() - self.began
        print(
            f"{tick:%d %b}: {len(self.cases)} referrals, {steps} steps,"
            f" {sum(self.mailbox.arrivals.values())} mails, {passed:.0f} s",
            flush=True,
        )

    @contextmanager
    def running(self) -> Iterator[None]:
        self.began = time.monotonic()
        try:
            yield
        finally:
            for job in getattr(self, "jobs", ()):
                job.kill()
                job.close()
            for name in ("pool", "nursery", "web"):
                if hasattr(self, name):
                    getattr(self, name).stop()
            if self.mail_server.loop.is_running():
                self.mail_server.stop()
            self.receiver.server.shutdown()
            self.receiver.server.server_close()


def _task(event: Event, given: Any, status: Status, version: str) -> Order | None:
    """The step as a FHIR Task tells it; None for what a system does not say."""
    to = {
        Event.RECEIVE: "received",
        Event.ACCEPT: "accepted",
        Event.DECLINE: "rejected",
        Event.START: "in-progress",
        Event.REPORT: status.value,
        Event.HOLD: "on-hold",
        Event.COMPLETE: "completed",
        Event.FAIL: "failed",
    }.get(event)
    if to is None:
        return None
    told: Order = {"resourceType": "Task", "status": to, "meta": {"versionId": version}}
    told["note"] = [{"text": "Dari sistem"}]
    if given.reason:
        told["statusReason"] = {"coding": [{"code": given.reason}]}
    if given.first_contact_on:
        told["executionPeriod"] = {"start": given.first_contact_on.isoformat()}
    if given.review_on:
        told["restriction"] = {"period": {"end": given.review_on.isoformat()}}
    if given.outcome:
        told["output"] = [{"valueCodeableConcept": {"coding": [{"code": given.outcome}]}}]
        told["executionPeriod"] = {"end": given.outcome_on.isoformat()}
    return told


def _all(running: list[Future[None]]) -> None:
    for one in running:
        one.result()


def options(arguments: list[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(description="A simulated month of referrals.")
    parser.add_argument("--referrals", type=int, default=5_000)
    parser.add_argument("--brokers", type=int, default=50)
    parser.add_argument("--agencies", type=int, default=200)
    parser.add_argument("--days", type=int, default=30)
    parser.add_argument("--hours", type=int, default=4, help="between two runs of the jobs")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--workers", type=int, default=3, help="processes that take steps")
    parser.add_argument("--kills", type=int, default=40, help="about how many workers are killed")
    parser.add_argument("--quiet", action="store_true")
    return parser.parse_args(arguments)


def run(arguments: list[str], folder: Path) -> dict[str, Any]:
    """Live the month in a folder and give the report."""
    from benchmarks import month_check

    month = Month(options(arguments), folder)
    with month.running():
        month.prepare()
        month.live()
        return month_check.report(month, seconds=time.monotonic() - month.began)


def main() -> None:
    with tempfile.TemporaryDirectory() as folder:
        report = run(sys.argv[1:], Path(folder))
    print(json.dumps(report, indent=2, default=str))
    raise SystemExit(1 if any(report["wrong"].values()) else 0)


if __name__ == "__main__":
    main()
