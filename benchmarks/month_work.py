"""The processes of the simulated month: a worker that does what it is told in JSON lines, and the web.

Both are killed at any moment. Time comes with each order, in the web with each request: the simulation alone
puts a clock of its own in the place of the doors' one; the application has no setting for it.
"""

import json
import os
import signal
import socket
import sys
from collections.abc import Callable
from contextvars import ContextVar
from datetime import UTC, date, datetime, timedelta
from random import Random
from typing import Any
from uuid import UUID

from flask import current_app
from sqlalchemy import select
from sqlalchemy.exc import OperationalError
from sqlalchemy.orm import Session, configure_mappers

from referral.accounts.models import User
from referral.casework import agreements
from referral.casework import operations as casework
from referral.casework.models import BasisKind, Case, Purpose, Urgency
from referral.config import Settings
from referral.core.db import take_write_lock
from referral.core.errors import JejaringError
from referral.directory.closed_days import around
from referral.directory.models import AnswerMode, ServiceAtLocation
from referral.extensions import db
from referral.factory import create_app
from referral.jobs import tasks
from referral.referrals import operations, queries, replies
from referral.referrals.feedback import record_feedback
from referral.referrals.given import Given
from referral.referrals.lifecycle import HELPING, LIVE, WAITING, Actor, Event, Status
from referral.referrals.loop import awaits_disposition
from referral.referrals.models import Channel, Referral
from referral.referrals.standing import push_standing
from tests.factories import Make

Order = dict[str, Any]
PUBLIC_URL = "https://jejaring.example.org"
NOW_HEADER = "X-Simulated-Now"


# The worker --------------------------------------------------------------------------------------


def main() -> None:
    """Wait for lines at a socket of this name; each gets a process of its own that does what it is told."""
    app = create_app(Settings.from_env(os.environ))
    configure_mappers()  # once, not in every worker while it holds the lock
    around(2026)
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)
    with socket.socket(socket.AF_UNIX) as door:
        door.bind(sys.argv[1])
        door.listen()
        while True:
            line, _address = door.accept()
            if os.fork() == 0:
                door.close()
                _work(app, line)
                os._exit(0)
            line.close()


def _work(app: Any, line: socket.socket) -> None:
    """Do one order after the other, each answered by one line once it is committed."""
    with app.app_context(), line.makefile("r") as orders:
        line.sendall(json.dumps({"pid": os.getpid()}).encode() + b"\n")
        for text in orders:
            order = json.loads(text)
            try:
                answer = ORDERS[order["do"]](order, datetime.fromisoformat(order["now"]))
            except JejaringError as error:
                answer = {"refused": error.message.key}
            except OperationalError:  # others held the lock for longer than one waits
                answer = {"refused": "busy"}
            db.session.rollback()
            db.session.expunge_all()
            line.sendall(json.dumps(answer).encode() + b"\n")


def _writing() -> Session:
    db.session.rollback()
    take_write_lock(db.session)
    return db.session


def _send(order: Order, now: datetime) -> Order:
    """A new client with a need, and a referral of it: one transaction, as the page makes it."""
    session = _writing()
    chance = Random(order["seed"])
    broker = session.get_one(User, UUID(order["broker"]))
    make = Make(session, now)
    case = make.case(broker=broker, number=f"KB-{order['seed']}")
    need = make.need(case, urgency=Urgency(order["priority"]))
    client = case.client
    client.name, client.facts = "Dewi Fiktif", {"age_years": chance.randint(3, 80)}
    casework.set_safe_contact(
        session, case, {"number": "0812-0000-1234", "may_leave_text": chance.random() < 0.5}
    )
    agreements.agree_contract(
        session, case, terms="", in_scope=[need.id], method="spoken", by=broker, now=now
    )
    referral = _sent(session, case, UUID(order["site"]), broker, now)
    session.commit()
    return _told(referral)


def _sent(
    session: Session,
    case: Case,
    site_id: UUID,
    broker: User,
    now: datetime,
    based_on: Referral | None = None,
) -> Referral:
    site = session.get_one(ServiceAtLocation, site_id)
    agreements.give_basis(
        session,
        case.client,
        kind=BasisKind.CONSENT,
        purpose=Purpose.REFERRAL,
        fields=["name", "age", "need"],
        organization_id=site.service.organization_id,
        method="spoken",
        language="id",
        by=broker,
        now=now,
    )
    referral = operations.draft(
        session,
        based_on.need if based_on else case.needs[0],
        site,
        known_service_reason="simulasi",
        based_on=based_on,
        by=broker,
        now=now,
    )
    operations.take_step(
        session,
        referral,
        Event.SEND,
        actor=Actor.BROKER,
        by=broker,
        now=now,
        version=referral.version,
        confirmed_full=True,
    )
    if referral.answer_mode is not AnswerMode.WALK_IN:
        replies.issue(session, referral, now=now)
        public_url = current_app.config["SETTINGS"].PUBLIC_URL
        replies.ask_by_mail(session, referral, public_url=public_url, now=now)
    return referral


def _find(_order: Order, now: datetime) -> Order:
    """What is there of an order that was never answered: the referral made at that instant, if any."""
    db.session.rollback()
    found = db.session.scalar(select(Referral).where(Referral.created_at == now))
    return _told(found) if found is not None else {}


def _act(order: Order, now: datetime) -> Order:
    """One person looks at a referral and does what comes to their mind, or nothing."""
    session = _writing()
    referral = session.scalars(
        queries.loaded(select(Referral)).where(Referral.id == UUID(order["referral"]))
    ).one()
    chance = Random(order["seed"])
    before = referral.version
    if order["who"] == "agency":
        agency = session.get_one(User, UUID(order["by"]))
        wish = agency_wish(referral.status, _facts(referral), chance, _day(referral, now))
        if wish is None:
            return {"idle": True} | _told(referral)
        _step(session, referral, wish, Actor.AGENCY, agency, now, order)
    else:
        done = _broker(session, referral, chance, now, order)
        if done is None:
            return {"idle": True} | _told(referral)
        if done:
            session.commit()
            return done | _told(referral)
    session.commit()
    return {"stepped": referral.version > before} | _told(referral)


def _step(
    session: Session,
    referral: Referral,
    wish: tuple[Event, Given],
    actor: Actor,
    by: User,
    now: datetime,
    order: Order,
    **more: Any,
) -> None:
    event, given = wish
    operations.take_step(
        session,
        referral,
        event,
        actor=actor,
        by=by,
        now=now,
        version=order.get("version") or referral.version,
        given=given,
        **more,
    )


def agency_wish(
    status: Status, facts: dict[str, bool], chance: Random, today: date
) -> tuple[Event, Given] | None:
    """What an agency that looks at a referral now wants to do."""
    dice = chance.random()
    later = today + timedelta(days=chance.randint(1, 9))
    if status in WAITING:
        if dice < 0.15 and status is Status.REQUESTED:
            return Event.RECEIVE, Given()
        if dice < 0.28:
            return None if facts["asked"] else (Event.ASK, Given(note="Ada surat?"))
        if dice < 0.33:
            return Event.HOLD, Given(reason="missing_documents", review_on=later)
        if dice < 0.58:
            codes = ("outside_area", "at_capacity", "not_eligible_age", "safety_conflict")
            return Event.DECLINE, Given(reason=chance.choice(codes), note="Maaf")
        return Event.ACCEPT, Given(first_contact_on=later)
    if status is Status.ACCEPTED:
        if dice < 0.1:
            return Event.HOLD, Given(reason="missing_documents", review_on=later)
        if dice < 0.15:
            return Event.FAIL, Given(reason="could_not_contact", note="Tidak datang")
        return Event.START, Given(first_contact_on=today, note="Sudah bertemu")
    if status is Status.IN_PROGRESS:
        if dice < 0.35:
            return Event.REPORT, Given(note="Berjalan baik")
        if dice < 0.42:
            return Event.FAIL, Given(reason="could_not_contact", note="Berhenti")
        return Event.COMPLETE, Given(outcome="received", outcome_on=today)
    if status is Status.ON_HOLD:
        return (Event.RESUME, Given()) if dice < 0.8 else None
    if facts["unconfirmed"]:
        return Event.CONFIRM, Given()
    return None


def _facts(referral: Referral) -> dict[str, bool]:
    return {
        "asked": queries.open_question(referral) is not None,
        "unconfirmed": queries.unconfirmed_cancellation(referral),
    }


def _broker(
    session: Session, referral: Referral, chance: Random, now: datetime, order: Order
) -> Order | None:
    """The worker's look: what they did beside a step; {} after a step; None: nothing."""
    by, status, today = referral.case.broker, referral.status, _day(referral, now)
    dice = chance.random()
    silent = status in WAITING and referral.answer_mode is AnswerMode.REPLIES
    if queries.open_question(referral) is not None and dice < 0.9:
        _step(session, referral, (Event.REPLY, Given(note="Ada")), Actor.BROKER, by, now, order)
        return {}
    if status in LIVE and dice < 0.04:
        actor = chance.choice((Actor.BROKER, Actor.CLIENT))
        wish = (Event.CANCEL, Given(reason="client_declined", note="Tidak jadi"))
        _step(session, referral, wish, actor, by, now, order)
        return {}
    if dice < 0.05 and status is not Status.ENTERED_IN_ERROR:
        same_day = _day(referral, referral.created_at) == today
        if same_day:
            wish = (Event.VOID, Given(note="Keliru"))
            _step(session, referral, wish, Actor.BROKER, by, now, order)
            return {}
    if silent and order.get("phone") and dice < 0.5:
        said = agency_wish(status, _facts(referral), chance, today)
        if said is None:
            return None
        sent_on = _day(referral, referral.requested_at or now)
        on = max(sent_on, today - timedelta(days=chance.randint(0, 2)))
        _step(
            session, referral, said, Actor.AGENCY, by, now, order,
            channel=Channel.PHONE, answered_on=on,
        )  # fmt: skip
        return {}
    if silent and dice < 0.8:
        wish = (Event.FAIL, Given(reason="no_response"))
        try:
            _step(session, referral, wish, Actor.BROKER, by, now, order)
        except JejaringError as error:
            session.rollback()
            return {"silence": error.message.key}
        return {"silence": "taken"}
    if status in (*WAITING, *HELPING) and referral.answer_mode is AnswerMode.WALK_IN:
        if referral.review_on and referral.review_on <= today:
            wish = (Event.COMPLETE, Given(outcome="received", outcome_on=today))
            _step(session, referral, wish, Actor.BROKER, by, now, order)
            return {}
        return None
    if awaits_disposition(queries.trace_of(session, referral)):
        return _dispose(session, referral, dice, now, order)
    if status is Status.COMPLETED and queries.feedback_of(session, referral.id) is None:
        return _ask_the_client(session, referral, chance, now)
    return None


def _dispose(
    session: Session, referral: Referral, dice: float, now: datetime, order: Order
) -> Order | None:
    by = referral.case.broker
    if dice < 0.6:
        again = _sent(session, referral.case, UUID(order["other_site"]), by, now, referral)
        session.flush()
        return {"again": _told(again)}
    if dice < 0.75:
        operations.keep_waiting(session, referral, note=None, by=by, now=now)
        return {"disposed": "keep_waiting"}
    if dice < 0.9:
        operations.withdraw_after(session, referral, note=None, by=by, now=now)
        casework.withdraw_need(session, referral.need, by=by, now=now)
        return {"disposed": "withdrawn"}
    return None


def _ask_the_client(
    session: Session, referral: Referral, chance: Random, now: datetime
) -> Order | None:
    by = referral.case.broker
    if replies.may_ask_the_client(session, referral) and chance.random() < 0.5:
        link = replies.issue_to_client(session, referral, by=by, now=now)
        return {"client_key": link.token}
    record_feedback(
        session,
        referral,
        received=chance.choice(("yes", "yes", "partly", "no")),
        form="unwritten",
        share="no",
        by=by,
        now=now,
    )
    return {"fed_back": True}


def _deliver(_order: Order, now: datetime) -> Order:
    return {"left": tasks.deliver_letters(lambda: now)}


def _events(_order: Order, now: datetime) -> Order:
    return {"left": tasks.deliver_events(lambda: now)}


def _remind(_order: Order, now: datetime) -> Order:
    return {"due": tasks.remind_agencies(lambda: now)}


def _push(order: Order, now: datetime) -> Order:
    """Have every service's standing counted at one instant."""
    session = _writing()
    for service_id in order["services"]:
        push_standing(session, UUID(service_id), now=now)
    session.commit()
    return {}


def _day(referral: Referral, now: datetime) -> date:
    return operations.local_day(referral, now)


def _told(referral: Referral) -> Order:
    return {
        "id": str(referral.id),
        "number": referral.number,
        "status": referral.status.value,
        "version": referral.version,
        "organization": str(referral.organization_id),
    }


ORDERS: dict[str, Callable[[Order, datetime], Order]] = {
    "send": _send,
    "find": _find,
    "act": _act,
    "deliver": _deliver,
    "events": _events,
    "remind": _remind,
    "push": _push,
}


# The web -----------------------------------------------------------------------------------------

_request_now: ContextVar[datetime | None] = ContextVar("request_now", default=None)


class _LooksLikeDatetime(type):
    def __instancecheck__(cls, instance: object) -> bool:
        return isinstance(instance, datetime)


class _Simulated(datetime, metaclass=_LooksLikeDatetime):
    @classmethod
    def now(cls, tz: Any = None) -> Any:
        return _request_now.get() or datetime.now(tz or UTC)


def web() -> Any:
    """The application as gunicorn serves it, where each request says what time it is."""
    app = create_app(Settings.from_env(os.environ))
    for name, module in list(sys.modules.items()):
        door = name.startswith(("referral.web.", "referral.api."))
        if door and getattr(module, "datetime", None) is datetime:
            module.datetime = _Simulated  # type: ignore[attr-defined]
    served = app.wsgi_app

    def with_time(environ: Any, start: Any) -> Any:
        said = environ.get("HTTP_" + NOW_HEADER.upper().replace("-", "_"))
        _request_now.set(datetime.fromisoformat(said) if said else None)
        return served(environ, start)

    app.wsgi_app = with_time  # type: ignore[method-assign]
    return app


if __name__ == "__main__":
    main()
