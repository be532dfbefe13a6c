"""What did not arrive: an administrator sees it, sends it again or drops it; its words are never shown."""

import json
from datetime import UTC, datetime
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import select
from sqlalchemy.orm import Session

from referral.accounts.permissions import Role
from referral.changes import outbox, webhooks
from referral.changes.models import AuditEntry, OutgoingEvent, OutgoingMail
from referral.extensions import db
from tests.doors.test_jobs import Mailbox, deliver, mailbox, mailing
from tests.factories import Make

__all__ = ["mailbox", "mailing"]  # fixtures
SECRET_WORDS = "https://jejaring.example.org/reply?key=5ec2e7"


def given_up(session: Session, key: str = "referral.asks:1") -> OutgoingMail:
    now = datetime.now(UTC)
    letter = outbox.write(
        session,
        key=key,
        to="tu@panti.example",
        subject="Satu permintaan",
        text=SECRET_WORDS,
        now=now,
    )
    letter.attempts = 6
    outbox.failed(session, letter, "SMTPDataError", now=now)
    return letter


def given_up_event(session: Session, make: Make) -> OutgoingEvent:
    now, admin = datetime.now(UTC), make.user(Role.ADMINISTRATOR)
    organization = make.organization(name="Lembaga Uji Kirim")
    webhooks.register(
        session, organization_id=organization.id, address="https://s.example/", by=admin, now=now
    )
    webhooks.announce(
        session, organization.id, key="step:1", body={"type": "referral.requested"}, now=now
    )
    event = session.scalars(select(OutgoingEvent)).one()
    event.attempts = 6
    outbox.failed(session, event, "HTTP500", now=now)
    return event


def test_an_administrator_sees_what_failed_but_not_its_words(
    browser: Any, make: Make, session: Session
) -> None:
    given_up(session)
    given_up_event(session, make)
    browser.sign_in(make.user(Role.ADMINISTRATOR))
    assert "(2)" in browser.page("/accounts/").select_one('a[href="/undelivered"]').text

    page = browser.page("/undelivered")

    letters, events = (table.select_one("tbody").text for table in page.select("table.data"))
    for word in ("Satu permintaan", "tu@panti.example", "referral.asks", "SMTPDataError", "6"):
        assert word in letters
    for word in ("referral.requested", "Lembaga Uji Kirim", "https://s.example/", "HTTP500"):
        assert word in events
    assert "5ec2e7" not in str(page)


def test_sending_again_and_dropping_are_one_press_each(
    browser: Any, make: Make, session: Session
) -> None:
    letter, event = given_up(session), given_up_event(session, make)
    browser.sign_in(make.user(Role.ADMINISTRATOR))

    browser.submit(f"/undelivered/{letter.id}/resend")
    browser.submit(f"/undelivered/{event.id}/drop", {"why": "told_otherwise"})

    session.expire_all()
    assert (letter.given_up_at, letter.attempts) == (None, 0)
    assert event.dropped_because == "told_otherwise"
    assert not browser.page("/undelivered").select(f'form[action*="{event.id}"]')
    told = session.scalars(
        select(AuditEntry.action)
        .where(AuditEntry.subject_type.like("outgoing%"))
        .order_by(AuditEntry.seq)
    )
    assert list(told) == ["outgoing_mail.resent", "outgoing_event.dropped"]


def test_dropping_without_a_reason_changes_nothing(
    browser: Any, make: Make, session: Session
) -> None:
    letter = given_up(session)
    browser.sign_in(make.user(Role.ADMINISTRATOR))

    page = browser.submit(f"/undelivered/{letter.id}/drop", {"why": "karena Dewi"})

    session.expire_all()
    assert "Pilih mengapa" in page.text
    assert letter.dropped_because is None


@pytest.mark.parametrize("role", [role for role in Role if role is not Role.ADMINISTRATOR])
def test_nobody_else_finds_them(browser: Any, make: Make, session: Session, role: Role) -> None:
    letter = given_up(session)
    browser.sign_in(make.user(role))

    statuses = [
        browser.get("/undelivered").status_code,
        browser.post(f"/undelivered/{letter.id}/resend").status_code,
        browser.post(f"/undelivered/{letter.id}/drop", data={"why": "mistake"}).status_code,
    ]

    assert statuses == [404, 404, 404]
    session.expire_all()
    assert letter.given_up_at is not None


def test_a_letter_that_was_given_up_arrives_after_the_command_sends_it_again(
    mailing: Flask, mailbox: tuple[Mailbox, int]
) -> None:
    run = mailing.test_cli_runner().invoke
    mailbox[0].refuses = True
    with mailing.app_context():
        letter = db.session.scalars(select(OutgoingMail)).one()
        letter.attempts = len(outbox.PAUSES)
        db.session.commit()
    assert deliver(mailing)["sent"] == 0
    listed = json.loads(run(args=["jobs", "letters", "--json"]).stdout)["letters"]
    mailbox[0].refuses = False

    again = run(args=["jobs", "letters", "--resend", "verify:1", "--json"])

    assert [one["given_up_at"] is not None for one in listed] == [True]
    assert [one["given_up_at"] for one in json.loads(again.stdout)["letters"]] == [None]
    assert deliver(mailing)["sent"] == 1
    assert len(mailbox[0].letters) == 1
    assert run(args=["jobs", "letters"]).exit_code == 0


def test_the_command_drops_with_a_reason_and_refuses_what_is_not_there(
    cli: Any, make: Make, session: Session
) -> None:
    given_up(session)
    event = given_up_event(session, make)

    wrong = [
        cli("jobs", "letters", "--resend", "verify:9", "--json"),
        cli("jobs", "letters", "--drop", "referral.asks:1", "--json"),
    ]
    first = cli("jobs", "letters", "--drop", "referral.asks:1", "--because", "outdated", "--json")
    second = cli("jobs", "letters", "--drop", str(event.id), "--because", "mistake", "--json")

    assert [answer.exit_code for answer in wrong] == [2, 2]
    assert wrong[0].json["error"]["field"] == "key"
    assert [one["key"] for one in first.json["events"]] == [str(event.id)]
    assert (first.json["letters"], first.exit_code) == ([], 1)
    assert (second.json, second.exit_code) == ({"letters": [], "events": []}, 0)
