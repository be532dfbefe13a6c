"""An agency's own system hears of steps that others take: signed, once, and never about whom."""

import hashlib
import hmac
import json
from datetime import UTC, datetime
from typing import Any

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from referral.accounts.models import Role, User
from referral.casework.models import Urgency
from referral.changes import webhooks
from referral.changes.models import AuditEntry, OutgoingEvent
from referral.core.errors import Invalid, NotAllowed
from referral.referrals.exchange.events import TYPES
from referral.referrals.lifecycle import Actor, Event
from referral.referrals.models import Channel
from tests.factories import Make
from tests.scenes import NAME, NUMBER, STORY, Scene

ADDRESS = "https://system.agency.example/jejaring"


@pytest.fixture
def scene(session: Session, make: Make, now: datetime) -> Scene:
    return Scene(session, make, now)


@pytest.fixture
def admin(make: Make) -> User:
    return make.user(Role.ADMINISTRATOR)


def register(scene: Scene, by: User, address: str = ADDRESS, **more: Any) -> webhooks.IssuedWebhook:
    organization_id = scene.site.service.organization_id
    return webhooks.register(
        scene.session,
        organization_id=organization_id,
        address=address,
        by=by,
        now=scene.now,
        **more,
    )


def bodies(session: Session) -> list[dict[str, Any]]:
    return [
        event.body for event in session.scalars(select(OutgoingEvent).order_by(OutgoingEvent.id))
    ]


def test_events_name_the_step_and_the_referral_and_nobody(scene: Scene, admin: User) -> None:
    register(scene, admin)
    referral = scene.sent()

    [body] = bodies(scene.session)
    assert body == {
        "id": str(referral.steps[-1].id),
        "type": "referral.requested",
        "referral": str(referral.id),
        "number": referral.number,
        "status": "requested",
        "version": referral.version,
        "at": scene.now.isoformat(),
    }
    told = webhooks.written_out(body).decode()
    assert not [word for word in (NAME, NUMBER, STORY, "HE05", "33.74") if word in told]


def test_the_agency_hears_what_others_do_and_what_a_worker_wrote_down_for_it(
    scene: Scene, admin: User
) -> None:
    register(scene, admin)
    referral = scene.sent()
    scene.take(referral, Event.ASK, note="Ada surat?")
    scene.take(referral, Event.REPLY, actor=Actor.BROKER, by=scene.broker, note="Ada")
    scene.take(referral, Event.RECEIVE, by=scene.broker, channel=Channel.PHONE)
    scene.take(referral, Event.ACCEPT, first_contact_on=scene.day)
    scene.take(referral, Event.CANCEL, actor=Actor.CLIENT, by=scene.broker, reason="got_elsewhere")

    assert [body["type"] for body in bodies(scene.session)] == [
        "referral.requested",
        "referral.replied",
        "referral.received",
        "referral.cancelled",
    ]


def test_without_a_live_webhook_nothing_is_written(scene: Scene, admin: User, make: Make) -> None:
    webhooks.register(
        scene.session,
        organization_id=make.organization().id,
        address=ADDRESS,
        by=admin,
        now=scene.now,
    )
    stopped = register(scene, admin)
    scene.need.urgency = Urgency.URGENT
    referral = scene.sent()
    webhooks.stop(scene.session, stopped.webhook, by=admin, now=scene.now)
    scene.take(referral, Event.CANCEL, actor=Actor.BROKER, by=scene.broker, reason="moved")

    assert bodies(scene.session) == [], "what was on its way went with the webhook"
    assert stopped.webhook.secret is None
    with pytest.raises(NotAllowed):
        webhooks.stop(scene.session, stopped.webhook, by=admin, now=scene.now)
    actions = scene.session.scalars(
        select(AuditEntry.action)
        .where(AuditEntry.subject_id == stopped.webhook.id)
        .order_by(AuditEntry.seq)
    )
    assert list(actions) == ["webhook.registered", "webhook.stopped"]


def test_a_step_is_written_once_for_each_webhook(scene: Scene, admin: User) -> None:
    register(scene, admin)
    register(scene, admin, address=ADDRESS + "/2")
    scene.sent()
    written = bodies(scene.session)

    again = webhooks.announce(
        scene.session,
        scene.site.service.organization_id,
        key=f"referral_step:{written[0]['id']}",
        body=written[0],
        now=scene.now,
    )

    assert again == 2
    assert bodies(scene.session) == written
    assert len(written) == 2


@pytest.mark.parametrize(
    ("address", "key"),
    [
        ("http://system.agency.example/", "webhook.https"),
        ("http://127.0.0.1:8000/", "webhook.https"),
        ("ftp://system.agency.example/", "webhook.https"),
        ("https://", "webhook.address"),
        ("https://host:99999/", "webhook.address"),
        ("https://host/a\r\nX-Evil: 1", "webhook.address"),
        ("https://host/a b", "webhook.address"),
        ("https://hóst/", "webhook.address"),
        ("https://who:secret@host/", "webhook.address_parts"),
        ("https://host/#part", "webhook.address_parts"),
        ("https://host/" + "a" * 500, "webhook.address_long"),
    ],
)
def test_an_unfit_address_is_refused(scene: Scene, admin: User, address: str, key: str) -> None:
    with pytest.raises(Invalid) as caught:
        register(scene, admin, address=address)

    assert (caught.value.field, caught.value.message.key) == ("address", key)


def test_the_same_address_is_registered_once_and_plain_only_at_home(
    scene: Scene, admin: User
) -> None:
    register(scene, admin, address="http://localhost:8000/", may_be_plain=True)
    with pytest.raises(Invalid):
        register(scene, admin, address="http://localhost:8000/", may_be_plain=True)
    with pytest.raises(Invalid):
        register(scene, admin, address="http://elsewhere.example/", may_be_plain=True)
    secrets = {register(scene, admin, address=f"{ADDRESS}/{n}").secret for n in range(3)}

    assert len(secrets) == 3
    assert min(map(len, secrets)) >= 64


def test_a_signature_can_be_checked_as_the_document_says() -> None:
    body = webhooks.written_out({"type": "referral.requested", "id": "1"})
    header = webhooks.signature("jjw_secret", body, at=datetime(2026, 3, 2, tzinfo=UTC))

    expected = hmac.new(b"jjw_secret", b"1772409600." + body, hashlib.sha256).hexdigest()
    assert header == f"t=1772409600,v1={expected}"
    assert json.loads(body) == {"id": "1", "type": "referral.requested"}


def test_every_event_has_a_name_of_its_own() -> None:
    assert set(TYPES) == set(Event)
    assert len(set(TYPES.values())) == len(TYPES)
