"""The pages of the loop: sending, answering, following, closing."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from referral.accounts.models import Role, User
from referral.casework.models import LawfulBasis
from referral.changes.models import AuditEntry
from referral.directory.models import AnswerMode, CapacityStatus, ServiceCapacity
from referral.matching.models import MatchReceipt
from referral.referrals import queries
from referral.referrals.lifecycle import Actor, Event, Status
from referral.referrals.models import Channel, Feedback, Referral, ReferralStep
from tests.factories import Make
from tests.scenes import NAME, NUMBER, STORY, Scene

PERSONAL = (NAME, NUMBER, STORY, "Gang Fiktif")


def new_url(scene: Scene, **further: Any) -> str:
    tail = "".join(f"&{name}={value}" for name, value in further.items())
    return f"/needs/{scene.need.id}/referrals/new?site={scene.site.id}{tail}"


def consenting(**further: Any) -> dict[str, Any]:
    return {
        "basis": "consent",
        "fields": ["name", "contact", "need"],
        "method": "spoken",
        "priority": "routine",
        "known_service_reason": "known well",
    } | further


def stamp(referral: Referral) -> dict[str, Any]:
    return {"version": referral.version, "seen": referral.status.value}


def only(session: Session) -> Referral:
    return session.scalars(select(Referral)).one()


def texts(page: Any, selector: str) -> list[str]:
    return [" ".join(one.text.split()) for one in page.select(selector)]


def test_the_whole_loop_by_the_pages_of_broker_and_agency(
    scene: Scene, by: Any, session: Session
) -> None:
    broker = by(scene.broker)
    page = broker.page(new_url(scene))
    assert "Check before sending" in page.h1.text
    page = broker.submit(new_url(scene), consenting())
    assert "The referral is sent." in page.text
    assert "Sent" in page.select_one(".tag").text
    referral = only(session)
    basis = session.scalars(select(LawfulBasis)).one()
    assert (basis.fields, basis.organization_id) == (
        ["contact", "name", "need"],
        referral.organization_id,
    )

    agency = by(scene.agency)
    page = agency.page("/inbox")
    assert referral.number in page.text
    page = agency.page(f"/inbox/{referral.id}")
    assert "13-17 years" in page.text
    accept = page.select_one("section[aria-labelledby=accept-title] form")
    filled = {tag["name"]: tag["value"] for tag in accept.select("input")}
    page = agency.submit(accept["action"], filled)  # two taps: open, accept
    assert NAME in page.text
    assert NUMBER in page.text
    assert STORY not in page.text
    today = scene.day.isoformat()
    page = agency.submit(
        f"/inbox/{referral.id}/start",
        stamp(referral) | {"first_contact_on": today, "note": "We met"},
    )
    page = agency.submit(f"/inbox/{referral.id}/report", stamp(referral) | {"note": "Second visit"})
    page = agency.submit(
        f"/inbox/{referral.id}/complete",
        stamp(referral) | {"outcome": "received", "outcome_on": today},
    )
    assert "Completed" in page.select_one(".tag").text

    broker = by(scene.broker)
    page = broker.page(f"/referrals/{referral.id}")
    assert texts(page, ".timeline strong") == [
        "Sent",
        "Accepted",
        "In progress",
        "Progress",
        "Completed",
    ]
    assert "We met" in page.select_one(".timeline").text
    page = broker.submit(
        f"/referrals/{referral.id}/feedback",
        {
            "received": "yes",
            "waited": "under_7d",
            "quality": "5",
            "form": "unwritten",
            "share": "attributed",
            "text": "They listened",
        },
    )
    assert "Confirmed by the client" in page.text
    assert scene.state().value == "met"
    assert "They listened" in by(scene.agency).page(f"/inbox/{referral.id}").text


@pytest.mark.parametrize(
    "answer",
    [None, "receive", "ask", "hold", "decline"],
    ids=["unopened", "received", "asked", "on hold", "declined"],
)
def test_before_accepting_and_after_declining_the_agency_gets_no_identity(
    scene: Scene, by: Any, answer: str | None
) -> None:
    referral = scene.sent()
    agency = by(scene.agency)
    given = {
        "note": "Which days?",
        "reason": "outside_area" if answer == "decline" else "missing_documents",
        "review_on": (scene.day + timedelta(days=9)).isoformat(),
    }
    if answer:
        agency.submit(f"/inbox/{referral.id}/{answer}", stamp(referral) | given)
    urls = ["/inbox", "/inbox?show=ended", f"/inbox/{referral.id}", f"/referrals/{referral.id}"]
    # Also when something is wrong with the form, or somebody was faster.
    pages = [agency.get(url, follow_redirects=True).text for url in urls]
    pages.append(agency.post(f"/inbox/{referral.id}/ask", data=stamp(referral)).text)
    pages.append(agency.post(f"/inbox/{referral.id}/ask", data={"version": "1"}).text)

    assert any(referral.number in page for page in pages)
    for page, secret in ((page, secret) for page in pages for secret in PERSONAL):
        assert secret not in page
    assert scene.case.number not in "".join(pages)


@pytest.mark.parametrize("end", ["fail", "cancel"])
def test_an_agency_that_had_accepted_keeps_only_a_stub_after_an_end_without_help(
    scene: Scene, by: Any, end: str
) -> None:
    referral = scene.accepted()
    agency = by(scene.agency)
    assert NAME in agency.page(f"/inbox/{referral.id}").text

    page = agency.submit(f"/inbox/{referral.id}/{end}", stamp(referral) | {"reason": "moved"})

    assert "This request has ended" in page.text
    assert not any(secret in page.text for secret in PERSONAL)


def test_a_cancellation_after_accepting_is_confirmed_by_the_agency(scene: Scene, by: Any) -> None:
    referral = scene.accepted()
    broker = by(scene.broker)
    broker.submit(
        f"/referrals/{referral.id}/steps/cancel",
        stamp(referral) | {"reason": "client_declined", "actor": "client"},
    )
    assert referral.steps[-1].actor is Actor.CLIENT
    agency = by(scene.agency)
    page = agency.page(f"/inbox/{referral.id}")
    assert "Please stop contacting the client" in page.text
    assert NAME not in page.text

    page = agency.submit(f"/inbox/{referral.id}/confirm", stamp(referral))

    assert "Please stop contacting the client" not in page.text
    assert not queries.unconfirmed_cancellation(referral)


def test_whose_page_it_is_not_finds_nothing(
    scene: Scene, by: Any, make: Make, session: Session
) -> None:
    referral = scene.sent()
    before = (referral.version, len(referral.steps))
    other_agency = make.user(Role.AGENCY, organization_id=make.organization().id)
    gets = [f"/referrals/{referral.id}", f"/referrals/{referral.id}/letter"]
    gets += [f"/referrals/{referral.id}/feedback", f"/inbox/{referral.id}", new_url(scene)]
    posts = [f"/referrals/{referral.id}/steps/{event}" for event in ("cancel", "accept", "void")]
    posts += [f"/inbox/{referral.id}/accept", f"/referrals/{referral.id}/discard"]
    posts += [f"/referrals/{referral.id}/decision/wait"]

    for person in (
        other_agency,
        make.user(),
        make.user(Role.PLANNER),
        make.user(Role.ADMINISTRATOR),
        make.user(Role.SUPERVISOR),
    ):
        browser = by(person)
        for url in gets:
            assert browser.get(url).status_code == 404, (person.role, url)
        for url in posts:
            data = stamp(referral) | {"note": "x", "reason": "moved", "actor": "agency"}
            assert browser.post(url, data=data).status_code == 404, (person.role, url)
    # The agency it was sent to does not get the worker's pages either.
    agency = by(scene.agency)
    for url in (gets[1], gets[2], gets[4]):
        assert agency.get(url).status_code == 404, url
    for url in posts[:3]:
        assert agency.post(url, data=stamp(referral) | {"note": "x"}).status_code == 404, url
    session.refresh(referral)
    assert (referral.version, len(referral.steps)) == before


def test_a_supervisor_reads_and_may_only_be_the_second_person(
    scene: Scene, by: Any, make: Make
) -> None:
    referral = scene.sent()
    supervisor = by(make.user(Role.SUPERVISOR, office=scene.case.office))

    page = supervisor.page(f"/referrals/{referral.id}")
    assert texts(page, "aside summary") == ["Mark as entered in error"]
    assert (
        supervisor.post(
            f"/referrals/{referral.id}/steps/cancel", data=stamp(referral) | {"reason": "moved"}
        ).status_code
        == 404
    )

    page = supervisor.submit(
        f"/referrals/{referral.id}/steps/void", stamp(referral) | {"note": "wrong client"}
    )
    assert "Entered in error" in page.select_one(".tag").text


def test_opening_a_page_changes_nothing(scene: Scene, by: Any, session: Session) -> None:
    referral = scene.sent()
    completed = Scene(session, scene.make, scene.now).completed()
    owners = {completed.case.broker: f"/referrals/{completed.id}/feedback"}
    urls = {
        scene.broker: [
            "/referrals",
            "/referrals?show=ended",
            "/referrals?page=9",
            f"/referrals/{referral.id}",
            f"/referrals/{referral.id}/letter",
            f"/referrals/{referral.id}/feedback",
            new_url(scene),
        ],
        scene.agency: ["/inbox", "/inbox?show=ended", f"/inbox/{referral.id}"],
    }
    urls |= {person: [url] for person, url in owners.items()}
    session.commit()
    before = _rows(session)

    for person, pages in urls.items():
        browser = by(person)
        for url in pages:
            assert browser.get(url).status_code in (200, 303), url
        for url in (f"/inbox/{referral.id}/accept", f"/referrals/{referral.id}/steps/cancel"):
            assert browser.get(url).status_code == 405

    assert _rows(session) == before
    assert referral.status is Status.REQUESTED


def _rows(session: Session) -> list[Any]:
    session.expire_all()
    referrals = session.execute(
        select(*Referral.__table__.columns).order_by(Referral.id)
    ).fetchall()
    steps = session.scalar(select(func.count()).select_from(ReferralStep))
    bases = session.scalar(select(func.count()).select_from(LawfulBasis))
    return [referrals, steps, bases]


def test_whoever_is_slower_sees_both_values(scene: Scene, by: Any) -> None:
    referral = scene.sent()
    old = stamp(referral)
    agency = by(scene.agency)
    agency.submit(f"/inbox/{referral.id}/accept", old | {"first_contact_on": scene.day.isoformat()})

    page = agency.submit(
        f"/inbox/{referral.id}/decline",
        old | {"reason": "outside_area", "note": "kept words"},
        status=409,
    )

    assert texts(page, "dl.summary dd")[:2] == ["sent", "accepted"]
    assert "kept words" in page.text
    assert referral.status is Status.ACCEPTED
    broker = by(scene.broker)
    page = broker.submit(
        f"/referrals/{referral.id}/steps/cancel", old | {"reason": "moved"}, status=409
    )
    assert "What you saw" in page.text


def test_nothing_is_sent_without_a_lawful_basis_and_the_page_says_so(
    scene: Scene, by: Any, session: Session
) -> None:
    broker = by(scene.broker)

    page = broker.submit(
        new_url(scene), consenting(basis="", note="kept", known_service_reason="x"), status=422
    )
    assert "Say what the client answered" in page.select_one(".error-summary").text
    assert page.select_one("#note").text == "kept"
    page = broker.submit(new_url(scene), consenting(basis="legal_duty"), status=422)
    assert [link["href"] for link in page.select(".error-summary a")] == ["#reason"]
    page = broker.submit(new_url(scene), consenting(fields=[]), status=422)
    assert [link["href"] for link in page.select(".error-summary a")] == ["#fields"]
    # A form made by hand that claims a basis there is not.
    page = broker.submit(new_url(scene), consenting(basis="in_force"), status=422)
    assert "There is no basis in force" in page.text
    assert session.scalars(select(Referral)).all() == []
    assert session.scalars(select(LawfulBasis)).all() == []


def test_the_clients_no_is_recorded_and_nothing_is_sent(
    scene: Scene, by: Any, session: Session
) -> None:
    page = by(scene.broker).submit(new_url(scene), consenting(basis="refused"))

    assert "Nothing was sent" in page.text
    basis = session.scalars(select(LawfulBasis)).one()
    assert (basis.refused, basis.fields) == (True, [])
    assert session.scalars(select(Referral)).all() == []
    assert "has said no to this agency before" in by(scene.broker).page(new_url(scene)).text


def test_nothing_is_sent_without_a_safe_contact_or_to_a_full_service_unasked(
    scene: Scene, by: Any, session: Session
) -> None:
    contact = scene.case.client.safe_contact
    scene.case.client.safe_contact = None
    broker = by(scene.broker)
    page = broker.submit(new_url(scene), consenting(), status=409)
    assert "First record how the client can be reached safely" in page.text
    assert page.select_one(f'a[href="/cases/{scene.case.id}/client"]')

    scene.case.client.safe_contact = contact
    session.add(
        ServiceCapacity(
            service_id=scene.site.service_id,
            updated=scene.now,
            status=CapacityStatus.NO_CAPACITY,
        )
    )
    session.commit()
    page = broker.submit(new_url(scene), consenting(), status=409)
    assert "This service is full now" in page.text
    assert session.scalars(select(Referral)).all() == []
    page = broker.submit(new_url(scene), consenting(confirmed_full="y"))
    assert "The referral is sent." in page.text


def test_a_draft_is_kept_shown_sent_later_or_thrown_away(
    scene: Scene, by: Any, session: Session
) -> None:
    broker = by(scene.broker)
    page = broker.submit(new_url(scene), consenting(keep="y", basis=""))
    assert "Nothing was sent" in page.text
    draft = only(session)
    page = broker.page(page.select_one("aside a.btn-amber")["href"])
    assert page.select_one("#known_service_reason").text == "known well"
    page = broker.submit(new_url(scene), consenting(priority="urgent"))
    session.refresh(draft)
    assert (draft.status, draft.priority) == (Status.REQUESTED, "urgent")
    page = broker.page(new_url(scene))
    assert "already referred" in page.text

    scene.take(draft, Event.DECLINE, reason="outside_area")
    session.commit()
    page = broker.submit(new_url(scene), consenting(keep="y", basis=""))
    second = page.select_one("form[action$=discard]")["action"]
    page = broker.submit(second)
    assert "The draft is gone." in page.text
    assert only(session) is draft


def test_the_basis_in_force_is_used_again_without_asking(
    scene: Scene, by: Any, session: Session
) -> None:
    scene.consent("name")
    session.commit()
    broker = by(scene.broker)
    page = broker.page(new_url(scene))
    assert page.select_one("input[name=basis][checked]")["value"] == "in_force"

    broker.submit(new_url(scene), consenting(basis="in_force"))

    assert only(session).released == {"name": NAME}
    assert session.scalar(select(func.count()).select_from(LawfulBasis)) == 1


@pytest.mark.parametrize("tail", ["", "&receipt=nonsense", "&based_on=nonsense"])
def test_an_unknown_service_receipt_or_earlier_referral_is_not_there(
    scene: Scene, by: Any, tail: str
) -> None:
    site = scene.site.id if tail else "00000000-0000-0000-0000-000000000000"
    url = f"/needs/{scene.need.id}/referrals/new?site={site}{tail}"

    assert by(scene.broker).get(url).status_code == 404


def test_an_agency_that_answers_by_phone_is_written_down_by_the_worker(
    scene: Scene, by: Any
) -> None:
    referral = scene.sent()
    broker = by(scene.broker)
    url = f"/referrals/{referral.id}/steps/decline"
    given = stamp(referral) | {"actor": "agency", "channel": "phone"}
    given["answered_on"] = scene.day.isoformat()

    page = broker.submit(url, given, status=422)
    assert [link["href"] for link in page.select(".error-summary a")] == ["#decline-reason"]
    assert page.select_one("details[open] summary").text.strip() == "Decline"
    page = broker.submit(url, given | {"reason": "outside_area"})

    assert "What now for this need?" in page.text
    step = referral.steps[-1]
    assert (step.actor, step.channel, step.by_id) == (
        Actor.AGENCY,
        Channel.PHONE,
        scene.broker.id,
    )
    assert f"agency, written down by {scene.broker.name}" in page.select_one(".timeline").text


def test_after_a_decline_the_client_waits_or_withdraws(
    scene: Scene, by: Any, session: Session
) -> None:
    first = scene.sent()
    scene.take(first, Event.DECLINE, reason="outside_area")
    session.commit()
    broker = by(scene.broker)
    page = broker.page(f"/referrals/{first.id}")
    again = page.select_one('a[href*="based_on"]')["href"]
    assert page.select_one(f'a[href="/needs/{scene.need.id}/unmet"]')
    page = broker.submit(f"/referrals/{first.id}/decision/wait", {"note": "wants to wait"})
    assert "The client keeps waiting." in page.text
    assert scene.state().value == "open"

    page = broker.submit(
        again, consenting(basis="in_force", known_service_reason="they moved there")
    )
    second = session.scalars(select(Referral).where(Referral.based_on_id == first.id)).one()
    assert first.number in page.text
    scene.take(second, Event.DECLINE, reason="outside_area")
    session.commit()
    broker.submit(f"/referrals/{second.id}/decision/withdraw")
    assert scene.state().value == "withdrawn"


@pytest.mark.parametrize("decision", ["another", "wait", "unmet", "withdraw"])
def test_after_a_full_agency_declines_the_worker_decides_in_one_of_four_ways(
    scene: Scene, by: Any, session: Session, decision: str
) -> None:
    referral = scene.sent()
    by(scene.agency).submit(
        f"/inbox/{referral.id}/decline", stamp(referral) | {"reason": "at_capacity"}
    )
    other = scene.make.service("HE05", name="Another one")
    session.commit()
    broker = by(scene.broker)
    address = f"/referrals/{referral.id}"

    asked = broker.page(address).select_one("section[aria-labelledby=decide]")
    said = " ".join(asked.text.split())
    assert "It ended because: At capacity. This lies with the service, not the client" in said
    ways = {
        "another": f"/needs/{scene.need.id}/match",
        "wait": f"{address}/decision/wait",
        "unmet": f"/needs/{scene.need.id}/unmet",
        "withdraw": f"{address}/decision/withdraw",
    }
    offered = {
        tag.get("action") or tag.get("formaction") or tag.get("href")
        for tag in asked.select("[action], [formaction], [href^='/needs']")
    }
    assert offered == set(ways.values())

    if decision == "unmet":
        form = broker.page(ways["unmet"])
        assert form.select_one("input[name=reason][checked]")["value"] == "U03"
        broker.submit(ways["unmet"], {"reason": "U03"})
    elif decision == "another":
        page = broker.submit(ways["another"])
        form = page.select_one("form[action$='/choice']")
        broker.submit(form["action"], {"choice": f"site:{other.id}"})
        broker.submit(f"/needs/{scene.need.id}/referrals/new?site={other.id}", consenting())
    else:
        broker.submit(ways[decision], {"note": "as they said"})

    page = broker.page(address)
    assert "What now for this need?" not in page.text
    assert "Needs a decision" not in broker.page("/referrals?show=ended").text
    states = {"another": "Referred", "wait": "Open", "unmet": "Unmet", "withdraw": "Withdrawn"}
    card = broker.page(f"/cases/{scene.case.id}").select_one(f"#need-{scene.need.id} .tag")
    assert card.text.strip() == states[decision]


def test_harm_is_told_to_nobody_at_the_agency(scene: Scene, by: Any, session: Session) -> None:
    referral = scene.completed()
    session.commit()
    broker = by(scene.broker)
    broker.submit(
        f"/referrals/{referral.id}/feedback",
        {
            "received": "no",
            "form": "written",
            "share": "attributed",
            "harmed": "y",
            "text": "They hit me",
        },
    )
    page = broker.page(f"/referrals/{referral.id}")
    assert "The client was harmed there" in page.text
    assert "Disputed by the client" in page.text
    feedback = session.scalars(select(Feedback)).one()
    assert feedback.harmed

    page = by(scene.agency).page(f"/inbox/{referral.id}")
    assert "They hit me" not in page.text
    assert "harmed" not in page.text


def test_feedback_names_what_is_missing_and_keeps_the_rest(
    scene: Scene, by: Any, session: Session
) -> None:
    referral = scene.completed()
    session.commit()
    broker = by(scene.broker)

    page = broker.submit(
        f"/referrals/{referral.id}/feedback",
        {"quality": "9", "text": "<script>alert(1)</script>"},
        status=422,
    )

    assert [link["href"] for link in page.select(".error-summary a")] == [
        "#received",
        "#quality",
        "#form",
        "#share",
    ]
    assert page.select_one("#text").text == "<script>alert(1)</script>"
    assert session.scalars(select(Feedback)).all() == []


def test_the_letter_holds_only_what_was_let_go(scene: Scene, by: Any, session: Session) -> None:
    scene.consent("name", "need")
    scene.site.service.answer_mode = AnswerMode.WALK_IN
    referral = scene.draft()
    session.commit()
    broker = by(scene.broker)
    assert broker.get(f"/referrals/{referral.id}/letter").status_code == 409
    scene.take(referral, Event.SEND)
    session.commit()

    page = broker.page(f"/referrals/{referral.id}/letter")

    letter = page.select_one("article").text
    assert NAME in letter
    assert not any(secret in letter for secret in PERSONAL[1:])
    assert referral.number in letter


def test_seeing_a_person_is_written_down_and_a_blind_card_is_not_seeing(
    scene: Scene, by: Any, session: Session
) -> None:
    referral = scene.sent()
    session.commit()

    def seen_by(user: User) -> int:
        return (
            session.scalar(
                select(func.count()).where(
                    AuditEntry.actor_id == user.id,
                    AuditEntry.client_id == scene.case.client_id,
                    AuditEntry.action == "referral.read",
                )
            )
            or 0
        )

    agency = by(scene.agency)
    agency.page(f"/inbox/{referral.id}")
    blind = seen_by(scene.agency)
    scene.take(referral, Event.ACCEPT, first_contact_on=scene.day)
    session.commit()
    agency.page(f"/inbox/{referral.id}")
    released = seen_by(scene.agency)
    by(scene.broker).page(f"/referrals/{referral.id}")

    assert (blind, released, seen_by(scene.broker)) == (0, 1, 1)


def test_empty_lists_say_what_that_means(by: Any, make: Make) -> None:
    broker = by(make.user())
    assert "No referral is running" in broker.page("/referrals").text
    assert "No referral has ended yet" in broker.page("/referrals?show=ended").text
    agency = by(make.user(Role.AGENCY, organization_id=make.organization().id))
    assert "Nothing waits for your answer" in agency.page("/inbox").text
    assert agency.get("/referrals").headers["Location"].endswith("/inbox")


def test_pages_speak_indonesian_too(scene: Scene, by: Any, session: Session) -> None:
    referral = scene.accepted()
    session.commit()
    agency = by(scene.agency)
    agency.post("/language/id", data={"next": "/"})

    page = agency.page(f"/inbox/{referral.id}")

    assert page.html["lang"] == "id"
    assert "Disetujui" in page.select_one(".tag").text
    assert "Accepted" not in page.text


def test_a_walk_in_service_is_closed_by_the_worker_on_the_clients_word(
    session: Session, make: Make, by: Any
) -> None:
    scene = Scene(session, make, datetime.now(UTC), answer_mode="walk_in")
    broker = by(scene.broker)
    page = broker.submit(new_url(scene), consenting())
    assert page.h1.text == "Referral letter"
    referral = only(session)
    page = broker.page(f"/referrals/{referral.id}")
    assert "the client goes there with a letter" in page.text

    page = broker.submit(
        f"/referrals/{referral.id}/steps/complete",
        stamp(referral)
        | {"actor": "broker", "outcome": "partly", "outcome_on": scene.day.isoformat()},
    )

    assert "Completed" in page.select_one(".tag").text
    assert referral.steps[-1].actor is Actor.BROKER


def test_a_referral_says_that_it_was_the_clients_choice(
    scene: Scene, by: Any, session: Session
) -> None:
    broker = by(scene.broker)
    broker.submit(f"/needs/{scene.need.id}/match")
    receipt = session.scalars(select(MatchReceipt)).one()
    broker.post(
        f"/receipts/{receipt.id}/choice",
        data={"choice": f"site:{scene.site.id}", "note": "near her aunt"},
    )
    chosen = broker.submit(new_url(scene, receipt=receipt.id), consenting())
    said = " ".join(chosen.select_one("dl.summary").text.split())
    name = scene.site.service.name
    assert f"Whose choice The client chose {name}. near her aunt" in said

    other = Scene(session, scene.make, scene.now)
    known = by(other.broker).submit(new_url(other), consenting())
    assert "Whose choice" not in known.text
