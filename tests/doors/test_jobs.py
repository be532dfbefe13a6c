"""Jobs: letters reach a real mail server, once; the web process works tasks off in threads."""

import asyncio
import json
import socket
import time
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest
from aiosmtpd.controller import Controller
from flask import Flask

from referral.changes import outbox
from referral.config import Settings
from referral.extensions import db
from referral.factory import create_app
from referral.jobs.queue import jobs
from tests import redis


class Mailbox:
    """What a mail server received; it refuses everything while `refuses`."""

    def __init__(self) -> None:
        self.letters: list[str] = []
        self.refuses = False

    async def handle_DATA(self, _server: Any, _session: Any, envelope: Any) -> str:  # noqa: N802
        await asyncio.sleep(0)
        if self.refuses:
            return "451 not now"
        self.letters.append(envelope.content.decode())
        return "250 OK"


@pytest.fixture
def mailbox() -> Iterator[tuple[Mailbox, int]]:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    mailbox = Mailbox()
    server = Controller(mailbox, hostname="127.0.0.1", port=port)
    server.start()
    yield mailbox, port
    server.stop()


@pytest.fixture
def mailing(fresh: Settings, mailbox: tuple[Mailbox, int]) -> Iterator[Flask]:
    """An application of its own that sends its mail to the mailbox."""
    app = create_app(settings_of(fresh, mailbox[1]))
    with app.app_context():
        outbox.write(
            db.session,
            key="verify:1",
            to="tu@panti.example",
            subject="Masih benar?",
            text="Salam dari kota",
            html="<p>Salam dari kota</p>",
            now=datetime.now(UTC),
        )
        db.session.commit()
    yield app
    with app.app_context():
        db.engine.dispose()


def settings_of(fresh: Settings, mail_port: int, **more: str) -> Settings:
    return replace(
        fresh,
        MAIL_SERVER="127.0.0.1",
        MAIL_PORT=mail_port,
        MAIL_TLS=False,
        MAIL_SENDER="jejaring@kota.example",
        **more,
    )


def deliver(app: Flask) -> Any:
    return json.loads(app.test_cli_runner().invoke(args=["jobs", "deliver", "--json"]).stdout)


def test_a_letter_reaches_the_mail_server_once_as_text_and_html(
    mailing: Flask, mailbox: tuple[Mailbox, int]
) -> None:
    assert deliver(mailing) == {"sent": 1, "waiting": 0}
    assert deliver(mailing) == {"sent": 0, "waiting": 0}

    [letter] = mailbox[0].letters
    assert "From: jejaring@kota.example" in letter
    assert "To: tu@panti.example" in letter
    assert "Content-Type: text/plain" in letter
    assert "<p>Salam dari kota</p>" in letter


def test_a_refused_letter_waits_and_says_what_kind_of_trouble_it_met(
    mailing: Flask, mailbox: tuple[Mailbox, int]
) -> None:
    mailbox[0].refuses = True

    assert deliver(mailing) == {"sent": 0, "waiting": 1}
    told = mailing.test_cli_runner().invoke(args=["jobs", "letters", "--json"])
    assert json.loads(told.stdout)["letters"] == [
        {"key": "verify:1", "attempts": 1, "error": "SMTPDataError", "given_up_at": None}
    ]
    assert told.exit_code == 1


def test_without_a_mail_server_letters_wait(fresh: Settings) -> None:
    silent = create_app(fresh)
    with silent.app_context():
        outbox.write(
            db.session,
            key="verify:1",
            to="tu@panti.example",
            subject="Masih benar?",
            text="Salam",
            now=datetime.now(UTC),
        )
        db.session.commit()

    assert deliver(silent) == {"sent": 0, "waiting": 1}
    with silent.app_context():
        db.engine.dispose()


def test_a_task_put_into_the_queue_is_worked_off_by_threads_of_the_process(
    mailing: Flask, mailbox: tuple[Mailbox, int]
) -> None:
    with mailing.app_context():
        jobs().deliver_letters()
        consumers = [jobs().start()]

    assert _letters_that_came(mailbox[0], consumers) == 1


def test_on_redis_a_task_of_one_process_is_worked_off_by_others_and_a_letter_leaves_once(
    mailing: Flask, mailbox: tuple[Mailbox, int], fresh: Settings
) -> None:
    with redis.server() as address:
        settings = settings_of(fresh, mailbox[1], REDIS_URL=address)
        asking, first, second = (create_app(settings) for _ in range(3))
        with asking.app_context():
            for _ in range(5):
                jobs().deliver_letters()
            waiting = len(jobs().queue)
        consumers = [app.extensions["jobs"].start() for app in (first, second)]
        came = _letters_that_came(mailbox[0], consumers)
        for app in (asking, first, second):
            with app.app_context():
                db.engine.dispose()

    assert (waiting, came) == (5, 1)


def _letters_that_came(mailbox: Mailbox, consumers: list[Any]) -> int:
    """How many there are once the queue was worked off."""
    deadline = time.monotonic() + 60
    try:
        while not mailbox.letters and time.monotonic() < deadline:
            time.sleep(0.05)
    finally:
        for consumer in consumers:
            consumer.stop(graceful=True)
    return len(mailbox.letters)
