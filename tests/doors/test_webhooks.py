"""Events reach an agency's real web server: signed, once, tried again after a failure, and never our own network."""

import hashlib
import hmac
import json
import socket
import ssl
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from http.client import HTTPException
from pathlib import Path
from threading import Thread
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID
from flask import Flask
from sqlalchemy import select
from sqlalchemy.orm import Session

from referral.accounts.permissions import Role
from referral.changes import outbox, webhooks
from referral.changes.models import OutgoingEvent, Webhook
from referral.config import Settings
from referral.extensions import db
from referral.factory import create_app
from referral.jobs import posting, tasks
from tests.factories import Make
from tests.receiving import Receiver, receiver
from tests.together import together

NOW = datetime(2026, 3, 2, 2, 30, tzinfo=UTC)
EVENTS = 12


@pytest.fixture
def box() -> Iterator[Receiver]:
    with receiver() as box:
        yield box


@pytest.fixture
def posting_app(fresh: Settings, box: Receiver) -> Iterator[tuple[Flask, str]]:
    """An application of its own with a webhook at the receiver and one event for it; and the secret."""
    app = create_app(fresh)
    with app.app_context():
        make = Make(db.session, NOW)
        organization = make.organization()
        issued = webhooks.register(
            db.session,
            organization_id=organization.id,
            address=box.address,
            may_be_plain=True,
            by=make.user(Role.ADMINISTRATOR),
            now=NOW,
        )
        announce(organization.id, "1")
        db.session.commit()
    yield app, issued.secret
    with app.app_context():
        db.engine.dispose()


def announce(organization_id: Any, name: str) -> None:
    body = {"id": name, "type": "referral.requested"}
    webhooks.announce(db.session, organization_id, key=name, body=body, now=NOW)


def run(app: Flask, after: timedelta = timedelta()) -> int:
    with app.app_context():
        return tasks.deliver_events(lambda: NOW + after)


def event_of(app: Flask) -> tuple[int, str | None, bool, bool]:
    with app.app_context():
        one = db.session.scalars(select(OutgoingEvent)).one()
        return one.attempts, one.last_error, one.sent_at is not None, one.given_up_at is not None


def test_an_event_arrives_once_and_its_signature_can_be_checked(
    posting_app: tuple[Flask, str], box: Receiver
) -> None:
    app, secret = posting_app

    assert [run(app), run(app, timedelta(days=1))] == [1, 0]

    [(signed, body)] = box.events
    second, digest = (part.partition("=")[2] for part in signed.split(","))
    assert int(second) == int(NOW.timestamp())
    expected = hmac.new(secret.encode(), f"{second}.".encode() + body, hashlib.sha256).hexdigest()
    assert digest == expected
    assert json.loads(body) == {"id": "1", "type": "referral.requested"}


def test_a_failed_event_is_tried_again_the_same_and_at_last_given_up(
    posting_app: tuple[Flask, str], box: Receiver
) -> None:
    app, _secret = posting_app
    box.status = 500
    passed, told = timedelta(), []
    for pause in (*outbox.PAUSES, timedelta()):
        run(app, passed)
        told.append(event_of(app))
        passed += pause

    assert told == [
        *((tries, "HTTP500", False, False) for tries in range(1, 6)),
        (6, "HTTP500", False, True),
    ]
    assert len({body for _signed, body in box.events}) == 1
    assert len(box.events) == 6
    with app.app_context():
        [one] = outbox.troubled_events(db.session)
        assert outbox.count_troubled(db.session) == 1
        assert one.body["id"] == "1"


def test_it_arrives_after_a_failure(posting_app: tuple[Flask, str], box: Receiver) -> None:
    app, _secret = posting_app
    box.status = 503
    first = run(app)
    box.status = 200

    assert (first, run(app, outbox.PAUSES[0])) == (0, 1)
    assert event_of(app) == (2, None, True, False)


def test_a_redirect_is_not_followed(posting_app: tuple[Flask, str], box: Receiver) -> None:
    app, _secret = posting_app
    with receiver() as elsewhere:
        box.status, box.location = 307, elsewhere.address
        run(app)

        assert elsewhere.events == []
    assert event_of(app)[1] == "HTTP307"


def test_workers_at_the_same_moment_send_each_event_once(
    posting_app: tuple[Flask, str], box: Receiver
) -> None:
    app, _secret = posting_app
    with app.app_context():
        webhook = db.session.scalars(select(Webhook)).one()
        for n in range(2, EVENTS + 1):
            announce(webhook.organization_id, str(n))
        db.session.commit()

    left = together([lambda: run(app), lambda: run(app), lambda: run(app)])

    assert sum(left) == EVENTS
    ids = sorted(int(json.loads(body)["id"]) for _signed, body in box.events)
    assert ids == list(range(1, EVENTS + 1))


def test_one_that_is_down_holds_up_no_other(posting_app: tuple[Flask, str], box: Receiver) -> None:
    app, _secret = posting_app
    with app.app_context(), receiver() as other:
        make = Make(db.session, NOW)
        organization = make.organization()
        webhooks.register(
            db.session,
            organization_id=organization.id,
            address=other.address,
            may_be_plain=True,
            by=make.user(Role.ADMINISTRATOR),
            now=NOW,
        )
        down = db.session.scalars(select(Webhook).where(Webhook.address == box.address)).one()
        announce(down.organization_id, "2")
        announce(organization.id, "3")
        db.session.commit()
        box.status = 500

        left = run(app)

        assert (left, len(box.events), len(other.events)) == (1, 1, 1)


# Where it may go ---------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "address",
    [
        *("127.0.0.1", "10.1.2.3", "172.16.0.9", "192.168.1.1", "169.254.169.254", "0.0.0.0"),
        *("100.64.0.1", "224.0.0.1", "255.255.255.255", "::1", "::", "fe80::1%eth0", "fc00::1"),
        *("::ffff:127.0.0.1", "::ffff:10.0.0.1", "2002:7f00:1::", "64:ff9b::7f00:1"),
        *("64:ff9b:1::a00:1", "ff02::1", "198.18.0.1", "192.0.2.1"),
    ],
)
def test_what_is_not_the_open_internet_is_refused(address: str) -> None:
    assert not posting.is_public(address)


@pytest.mark.parametrize("address", ["8.8.8.8", "103.10.66.1", "2606:4700::1", "::ffff:8.8.8.8"])
def test_the_open_internet_is_not(address: str) -> None:
    assert posting.is_public(address)


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost", "2130706433", "0x7f.1", "[::1]"])
def test_a_guarded_post_reaches_nothing_inside(box: Receiver, host: str) -> None:
    with pytest.raises((posting.NotTaken, OSError)):
        posting.post(f"http://{host}:{box.port}/", b"{}", {}, guarded=True)

    assert box.events == []


def test_the_address_that_was_checked_is_the_one_that_is_used(
    box: Receiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A name that answers with a public address first and with ours a moment later gains nothing."""
    asked: list[str] = []

    def answers(host: str, port: int, *_: Any, **__: Any) -> Any:
        asked.append(host)
        address = "203.0.114.1" if len(asked) == 1 else "127.0.0.1"
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (address, port))]

    def connect(where: tuple[str, int], *_: Any) -> Any:
        raise ConnectionRefusedError(where[0])

    monkeypatch.setattr(socket, "getaddrinfo", answers)
    monkeypatch.setattr(socket, "create_connection", connect)
    with pytest.raises(ConnectionRefusedError, match=r"203\.0\.114\.1"):
        posting.post(f"http://rebind.example:{box.port}/", b"{}", {}, guarded=True)

    assert asked == ["rebind.example"]


def test_in_production_an_event_for_our_own_network_is_not_sent(
    posting_app: tuple[Flask, str], box: Receiver
) -> None:
    app, _secret = posting_app
    settings = app.config["SETTINGS"]
    object.__setattr__(settings, "JEJARING_ENV", "production")

    run(app)

    assert box.events == []
    assert event_of(app)[1] == "NotPublic"


# How it goes -------------------------------------------------------------------------------------


def test_a_large_event_is_not_sent(box: Receiver) -> None:
    with pytest.raises(posting.NotTaken, match="TooLarge"):
        posting.post(box.address, b"x" * (posting.LARGEST_BODY + 1), {}, guarded=False)

    assert box.events == []


def test_a_line_that_drips_is_cut() -> None:
    """Each byte comes before the timeout of a read; all together take for ever."""
    with socket.create_server(("127.0.0.1", 0)) as server:

        def drip() -> None:
            line, _ = server.accept()
            with line:
                try:
                    while True:
                        line.sendall(b"H")
                        time.sleep(0.05)
                except OSError:
                    return

        thread = Thread(target=drip, daemon=True)
        thread.start()
        with pytest.raises((OSError, HTTPException)):
            posting.post(
                f"http://127.0.0.1:{server.getsockname()[1]}/",
                b"{}",
                {},
                guarded=False,
                seconds=0.5,
            )
        thread.join(20)

    assert not thread.is_alive()


def test_over_tls_the_name_must_be_the_certificate_s(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    certificate = _certificate(tmp_path, "localhost")
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate)
    with receiver(context) as box:
        with pytest.raises(ssl.SSLCertVerificationError):
            posting.post(f"https://localhost:{box.port}/", b"{}", {}, guarded=False)
        monkeypatch.setenv("SSL_CERT_FILE", str(certificate))
        posting.post(f"https://localhost:{box.port}/", b"{}", {}, guarded=False)
        with pytest.raises(ssl.SSLCertVerificationError):
            posting.post(f"https://127.0.0.1:{box.port}/", b"{}", {}, guarded=False)

    assert [body for _signed, body in box.events] == [b"{}"]


def _certificate(folder: Path, host: str) -> Path:
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, host)])
    now = datetime.now(UTC)
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName(host)]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    path = folder / "certificate.pem"
    path.write_bytes(
        made.public_bytes(serialization.Encoding.PEM)
        + key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        )
    )
    return path


# The pages ---------------------------------------------------------------------------------------


def test_an_administrator_registers_a_webhook_sees_its_secret_once_and_stops_it(
    browser: Any, make: Make, session: Session
) -> None:
    make.organization(name="Lembaga Uji Kabar")
    browser.sign_in(make.user(Role.ADMINISTRATOR))
    typed = {"organization": "Lembaga Uji Kabar", "address": "https://s.example/kabar"}

    wrong = browser.submit(
        "/accounts/webhooks/new", typed | {"address": "http://s.example/"}, status=422
    )
    secret = browser.submit("/accounts/webhooks/new", typed).select_one("#secret")["value"]

    assert "https://" in wrong.select_one(".error-summary, [role=alert]").text
    assert secret.startswith("jjw_")
    page = browser.page("/accounts/webhooks")
    assert secret not in str(page)
    (row,) = page.select("table.data tbody tr")
    assert "https://s.example/kabar" in row.text
    browser.submit(row.select_one("form")["action"])
    (row,) = browser.page("/accounts/webhooks").select("table.data tbody tr")
    assert not row.select("form")
    assert session.scalars(select(Webhook)).one().stopped_at is not None
