"""An agency answers without an account: by a link or a short code. Opening changes nothing, identity is nowhere."""

from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from referral.casework import operations as casework
from referral.changes.models import AuditEntry, OutgoingMail
from referral.core.errors import NotAllowed, NotFound
from referral.directory.models import AnswerMode
from referral.matching.models import ServiceStanding
from referral.referrals import queries, replies
from referral.referrals.lifecycle import Actor, Event, Status
from referral.referrals.loop import NeedState
from referral.referrals.models import Channel, Referral, ReplyLink
from tests.conftest import Browser
from tests.factories import Make
from tests.scenes import NAME, NUMBER, STORY, Scene

PERSONAL = (NAME, NUMBER, STORY, "Gang Fiktif")
HOUSE = "https://jejaring.example.org"


@pytest.fixture
def scene(session: Session, make: Make) -> Scene:
    """An agency in which nobody can sign in."""
    scene = Scene(session, make, datetime.now(UTC))
    scene.agency.active = False
    return scene


@pytest.fixture
def sent(scene: Scene) -> tuple[Referral, ReplyLink]:
    referral = scene.sent()
    return referral, replies.issue(scene.session, referral, now=scene.now)


def said(link: ReplyLink, event: Event, **fields: object) -> dict[str, object]:
    return {"key": link.token, "event": event.value, "version": link.referral.version} | fields


def test_opening_the_link_shows_the_blind_card_and_changes_nothing(
    browser: Browser, sent: tuple[Referral, ReplyLink]
) -> None:
    referral, link = sent
    before = (referral.version, referral.status, len(referral.steps))

    page = browser.page(f"/reply?key={link.token}")
    by_code = browser.submit("/reply", {"code": (link.code or "").lower()})

    assert (referral.version, referral.status, len(referral.steps)) == before
    for shown in (page, by_code):
        assert referral.number in shown.text
        assert "13-17" in shown.text
        assert not [word for word in PERSONAL if word in str(shown)]


def test_two_taps_say_yes_and_prove_that_it_arrived(
    browser: Browser, scene: Scene, sent: tuple[Referral, ReplyLink]
) -> None:
    referral, link = sent
    page = browser.page(f"/reply?key={link.token}")
    form = next(form for form in page.select("form") if form.select("[name=event][value=accept]"))
    filled = {str(field["name"]): field.get("value", "") for field in form.select("[name]")}

    done = browser.submit("/reply", filled)

    assert "Terima kasih" in done.text
    assert referral.status is Status.ACCEPTED
    assert referral.delivered_at is not None
    step = referral.steps[-1]
    assert (step.actor, step.channel, step.by_id) == (Actor.AGENCY, Channel.LINK, None)
    assert link.used_at is not None
    assert not [word for word in PERSONAL if word in str(done)]
    assert browser.get(f"/reply?key={link.token}").status_code == 404
    entry = scene.session.scalars(
        select(AuditEntry).where(AuditEntry.action == "referral.accept")
    ).one()
    assert (entry.actor_id, entry.actor_role, entry.details["channel"]) == (None, "agency", "link")


def test_the_worker_is_told_to_say_who_it_is_by_the_listed_number(
    browser: Browser, scene: Scene, sent: tuple[Referral, ReplyLink]
) -> None:
    referral, link = sent
    browser.submit("/reply", said(link, Event.ACCEPT, first_contact_on=scene.day.isoformat()))

    page = browser.sign_in(scene.broker).page(f"/referrals/{referral.id}")

    assert "beri tahu siapa orangnya" in page.text


def test_a_no_needs_its_reason_and_keeps_the_link_until_it_has_one(
    browser: Browser, sent: tuple[Referral, ReplyLink]
) -> None:
    referral, link = sent

    refused = browser.submit("/reply", said(link, Event.DECLINE), status=422)
    browser.submit("/reply", said(link, Event.DECLINE, reason="outside_area"))

    assert refused.select(".error-summary")
    assert (referral.status, referral.steps[-1].reason_code) == (Status.REJECTED, "outside_area")


def test_a_conflict_of_safety_said_through_a_link_keeps_the_agency_out(
    browser: Browser, scene: Scene, sent: tuple[Referral, ReplyLink]
) -> None:
    _referral, link = sent
    browser.submit("/reply", said(link, Event.DECLINE, reason="safety_conflict"))

    with pytest.raises(NotFound):
        scene.draft()


def test_a_question_is_answered_on_the_same_link(
    browser: Browser, scene: Scene, sent: tuple[Referral, ReplyLink]
) -> None:
    referral, link = sent
    browser.submit("/reply", said(link, Event.ASK, note="Bisa datang pagi?"))
    scene.take(referral, Event.REPLY, actor=Actor.BROKER, by=scene.broker, note="Bisa, jam 9")

    page = browser.page(f"/reply?key={link.token}")

    assert "Bisa datang pagi?" in page.text
    assert "Bisa, jam 9" in page.text
    browser.submit("/reply", said(link, Event.ACCEPT, first_contact_on=scene.day.isoformat()))
    assert referral.status is Status.ACCEPTED


def test_a_page_that_is_older_than_the_referral_answers_nothing(
    browser: Browser, scene: Scene, sent: tuple[Referral, ReplyLink]
) -> None:
    referral, link = sent
    old = said(link, Event.ACCEPT, first_contact_on=scene.day.isoformat())
    scene.take(referral, Event.ASK, by=scene.broker, channel=Channel.PHONE, note="?")

    browser.submit("/reply", old, status=409)

    assert referral.status is Status.REQUESTED


@pytest.mark.parametrize("event", sorted(set(Event) - set(replies.EVENTS)))
def test_nothing_else_can_be_said_through_a_link(
    scene: Scene, sent: tuple[Referral, ReplyLink], event: Event
) -> None:
    referral, link = sent

    with pytest.raises(NotFound):
        replies.answer(
            scene.session,
            link,
            event,
            replies.Given(note="x"),
            version=referral.version,
            now=scene.now,
        )


def test_a_wrong_old_or_foreign_secret_opens_nothing(
    browser: Browser, scene: Scene, sent: tuple[Referral, ReplyLink]
) -> None:
    _referral, link = sent
    token = link.token

    assert browser.get("/reply?key=" + "0" * 64).status_code == 404
    browser.submit("/reply", {"code": "2222-2222"}, status=404)
    link.expires_at = datetime.now(UTC) - timedelta(seconds=1)
    assert browser.get(f"/reply?key={token}").status_code == 404


def test_once_decided_elsewhere_the_link_is_closed(
    browser: Browser, scene: Scene, sent: tuple[Referral, ReplyLink]
) -> None:
    referral, link = sent
    scene.take(referral, Event.CANCEL, actor=Actor.BROKER, by=scene.broker, reason="self_resolved")

    assert browser.get(f"/reply?key={link.token}").status_code == 404


def test_a_walk_in_service_is_asked_for_no_answer(session: Session, make: Make) -> None:
    scene = Scene(session, make, datetime.now(UTC), answer_mode=AnswerMode.WALK_IN)
    referral = scene.sent()

    with pytest.raises(NotAllowed):
        replies.issue(session, referral, now=scene.now)


def test_the_mail_is_written_once_with_a_link_and_no_person(scene: Scene) -> None:
    scene.site.service.email = "layanan@example.org"
    referral = scene.sent()
    for _ in range(3):
        assert replies.ask_by_mail(scene.session, referral, public_url=HOUSE, now=scene.now)
    assert not replies.ask_by_mail(scene.session, referral, public_url="", now=scene.now)

    mail = scene.session.scalars(select(OutgoingMail)).one()
    link = replies.issue(scene.session, referral, now=scene.now)

    assert mail.to == "layanan@example.org"
    for text in (mail.text, mail.html or ""):
        assert f"{HOUSE}/reply?key={link.token}" in text
        assert not [word for word in (*PERSONAL, "HE05") if word in text]


def test_the_link_stays_out_of_where_the_page_goes_on_to(
    browser: Browser, sent: tuple[Referral, ReplyLink]
) -> None:
    _referral, link = sent
    answer = browser.get(f"/reply?key={link.token}")

    assert answer.headers["Referrer-Policy"] == "origin"
    assert answer.headers["Cache-Control"] == "no-store"


# The client's own word ---------------------------------------------------------------------------


def ended(scene: Scene, **contact: object) -> Referral:
    casework.set_safe_contact(
        scene.session, scene.case, {"number": NUMBER, "may_leave_text": True} | contact
    )
    scene.agency.active = True
    return scene.completed()


def test_the_client_answers_by_themselves_on_a_page_that_names_nothing(
    browser: Browser, scene: Scene
) -> None:
    referral = ended(scene)
    link = replies.issue_to_client(scene.session, referral, by=scene.broker, now=scene.now)

    page = browser.page(f"/how-was-it?key={link.token}")
    done = browser.submit(
        "/how-was-it",
        {"key": link.token, "received": "no", "share": "no", "text": "Tidak ada yang datang"},
    )

    named = (*PERSONAL, scene.site.service.name, referral.number, "rujukan", "Rujukan")
    for shown in (page, done):
        assert not [word for word in named if word in shown.main.text]
    feedback = queries.feedback_of(scene.session, referral.id)
    assert feedback is not None
    assert (feedback.received, feedback.form, feedback.recorded_by_id, feedback.text) == (
        "no",
        "written",
        None,
        "Tidak ada yang datang",
    )
    assert scene.state() is NeedState.DISPOSITION
    assert browser.get(f"/how-was-it?key={link.token}").status_code == 404


def test_help_that_the_client_confirms_counts_for_the_service(
    browser: Browser, scene: Scene
) -> None:
    referral = ended(scene)
    link = replies.issue_to_client(scene.session, referral, by=scene.broker, now=scene.now)
    browser.submit("/how-was-it", {"key": link.token, "received": "yes", "share": "pooled"})

    standing = scene.session.get_one(ServiceStanding, referral.service_id)

    assert (standing.decided, standing.accepted) == (1, 1)
    assert (standing.claimed, standing.asked, standing.confirmed) == (1, 1, 1)
    assert scene.state() is NeedState.MET


@pytest.mark.parametrize(
    "unsafe", [{"may_leave_text": False}, {"through_worker_only": True}, {"protections": True}]
)
def test_no_link_is_made_for_a_client_to_whom_a_message_is_not_safe(
    scene: Scene, unsafe: dict[str, bool]
) -> None:
    if unsafe.pop("protections", False):
        scene.case.protections = ["violence"]
    referral = ended(scene, **unsafe)

    with pytest.raises(NotAllowed):
        replies.issue_to_client(scene.session, referral, by=scene.broker, now=scene.now)


def test_a_link_that_became_unsafe_opens_no_more(browser: Browser, scene: Scene) -> None:
    referral = ended(scene)
    token = replies.issue_to_client(scene.session, referral, by=scene.broker, now=scene.now).token
    scene.case.protections = ["violence"]

    assert browser.get(f"/how-was-it?key={token}").status_code == 404


def test_one_kind_of_link_does_not_open_the_other(
    browser: Browser, sent: tuple[Referral, ReplyLink]
) -> None:
    _referral, link = sent

    assert browser.get(f"/how-was-it?key={link.token}").status_code == 404
