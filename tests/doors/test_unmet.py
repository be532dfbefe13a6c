"""What nothing meets, on a broker's pages: confirmed with one tap, and clients told of new services in order."""

import re
from datetime import datetime, timedelta
from typing import Any

import pytest
from bs4 import BeautifulSoup
from sqlalchemy import select
from sqlalchemy.orm import Session

from referral.accounts.models import Role
from referral.casework import agreements, cover
from referral.casework import operations as casework
from referral.casework.models import BasisKind, Purpose
from referral.changes.actors import SYSTEM
from referral.changes.models import AuditEntry
from referral.directory.models import CapacityStatus, ServiceStatus
from referral.matching.operations import match, query_for, record_choice
from referral.planning.unmet import ledger, noticing, queries
from referral.planning.unmet.models import NewServiceNotice, UnmetNeed
from referral.referrals.lifecycle import Event
from referral.referrals.models import Parked
from referral.referrals.standing import say_capacity
from tests.conftest import Browser
from tests.factories import Make
from tests.scenes import NAME, NUMBER, Scene


def ticked(page: BeautifulSoup, name: str) -> list[str]:
    return [str(box["value"]) for box in page.select(f"input[name={name}][checked]")]


def words(part: Any) -> str:
    return " ".join(part.text.split())


@pytest.fixture
def scene(session: Session, make: Make, now: datetime) -> Scene:
    return Scene(session, make, now)


@pytest.fixture
def broker(browser: Browser, scene: Scene) -> Browser:
    scene.session.commit()
    browser.sign_in(scene.broker).post("/language/en", data={"next": "/"})
    return browser


def noticed(scene: Scene, reason: str = "no_funds") -> UnmetNeed:
    """An agency said no, and the ledger wrote it down."""
    scene.take(scene.sent(), Event.DECLINE, reason=reason)
    record = noticing.notice(scene.session, scene.need.id, by=scene.broker, now=scene.now)
    scene.session.commit()
    assert record is not None
    return record


def appeared(scene: Scene, position: int = 1, **service: Any) -> NewServiceNotice:
    """Another service has opened, and the scene's broker was told."""
    ledger.record_unmet(scene.session, scene.need, reason="U01", by=scene.broker, now=scene.now)
    unmet = queries.open_unmet(scene.session, [scene.need.id])[scene.need.id]
    site = scene.make.service(scene.need.category, **service)
    notice = NewServiceNotice(
        unmet_need_id=unmet.id,
        broker_id=scene.broker.id,
        service_at_location_id=site.id,
        position=position,
        at=scene.now,
    )
    scene.session.add(notice)
    scene.session.commit()
    return notice


# Written down by itself -----------------------------------------------------------------------------


def test_a_search_without_a_result_stands_on_the_day_page_to_be_confirmed(
    broker: Browser, scene: Scene, session: Session
) -> None:
    scene.site.service.status = ServiceStatus.DEFUNCT
    session.commit()

    broker.submit(f"/needs/{scene.need.id}/match")
    part = broker.page("/day").select_one("section[aria-labelledby=gaps]")

    assert part is not None
    said = words(part)
    assert said.startswith("1 gap to confirm")
    assert "No service exists: the search found no service of this kind." in said
    assert "1 search, on " in said
    assert NAME not in said
    assert [words(one) for one in part.select("button, .actions a")] == [
        f"Yes, that's why {scene.case.number}",
        f"Other reason {scene.case.number}",
        f"Not a gap {scene.case.number}",
    ]


@pytest.mark.parametrize(
    "where", ["/day", "/unmet", "/unmet?category=HE05&unconfirmed=y&page=1", "/cases/{case}"]
)
def test_one_tap_confirms_and_leads_back_to_where_it_stood(
    where: str, broker: Browser, scene: Scene, session: Session
) -> None:
    record = noticed(scene)
    where = where.format(case=scene.case.id)
    page = broker.page(where)
    assert "Funds or stock exhausted" in page.text
    back = page.select_one(f'form[action$="/unmet/{record.id}/confirm"] [name=back]')
    assert back is not None

    answer = broker.post(f"/unmet/{record.id}/confirm", data={"back": back["value"]})

    assert answer.location == where + (
        f"#need-{scene.need.id}" if where.startswith("/cases") else ""
    )
    session.refresh(record)
    assert (record.confirmed_at is not None, record.reason) == (True, "U04")
    assert "to confirm" not in broker.page("/day").text
    actions = session.scalars(select(AuditEntry.action).order_by(AuditEntry.seq)).all()
    assert "unmet.confirmed" in actions


def test_an_answer_of_an_agency_waits_for_a_decision_until_the_broker_has_spoken(
    broker: Browser, scene: Scene
) -> None:
    record = noticed(scene)
    page = broker.page("/day")
    assert page.select_one("section[aria-labelledby=undecided]") is not None

    broker.submit(f"/unmet/{record.id}/confirm", {"back": "/day"})

    page = broker.page("/day")
    assert page.select_one("section[aria-labelledby=undecided]") is None
    assert page.select_one("section[aria-labelledby=gaps]") is None


def test_not_a_gap_closes_it_and_a_second_tap_is_told_so(
    broker: Browser, scene: Scene, session: Session
) -> None:
    record = noticed(scene)

    page = broker.submit(f"/unmet/{record.id}/deny", {"back": "/unmet"})
    broker.submit(f"/unmet/{record.id}/confirm", {"back": "/unmet"}, status=409)

    session.refresh(record)
    assert (record.closed_as, record.confirmed_at) == ("not_a_gap", None)
    assert "No gap here" in broker.page("/unmet").text
    # A slip of the finger is one link away from being put right, and leads back to the list.
    [mend] = page.select(".flashes a")
    assert broker.page(str(mend["href"])).select("form [name=back][value='/unmet']")
    answer = broker.post(str(mend["href"]), data={"reason": "U01", "back": "/unmet"})
    session.refresh(record)
    assert (answer.location, record.closed_as, record.reason) == ("/unmet", None, "U01")


def test_nobody_is_led_away_from_here(broker: Browser, scene: Scene) -> None:
    record = noticed(scene)

    answer = broker.post(f"/unmet/{record.id}/confirm", data={"back": "//elsewhere.example"})

    assert answer.location == f"/cases/{scene.case.id}#need-{scene.need.id}"


def test_where_several_rules_did_it_together_the_broker_chooses(
    broker: Browser, scene: Scene, session: Session
) -> None:
    scene.site.service.minimum_age = 60
    other = scene.make.service("HE05")
    other.service.maximum_age = 10
    other.service.status = ServiceStatus.ACTIVE
    scene.make.service("HE05").service.sex = ["male"]
    record = noticed(scene)
    record.reason, record.secondary = "U99", ["U05", "U12"]
    session.commit()

    page = broker.page("/unmet")

    assert "Nothing fits, and why is not clear" in page.text
    assert page.select_one(f'form[action="/unmet/{record.id}/confirm"]') is None
    assert "Choose the reason" in page.text


def test_the_list_is_filtered_and_shows_only_ones_own(
    broker: Browser, scene: Scene, session: Session, make: Make, now: datetime
) -> None:
    noticed(scene)
    other = make.need(scene.case, category="FC05")
    ledger.record_unmet(session, other, reason="U08", by=scene.broker, now=now)
    foreign = Scene(session, make, now)
    noticed(foreign)

    def shown(query: str) -> list[str]:
        return [words(one) for one in broker.page(f"/unmet{query}").select("main .cards h2")]

    both = shown("")
    assert len(both) == 2
    assert shown("?unconfirmed=y") == both[:1]
    assert shown("?category=FC05") == both[1:]
    assert shown("?reason=U08") == both[1:]
    assert shown("?reason=U08&category=HE05") == []
    assert foreign.case.number not in broker.page("/unmet").text or (
        foreign.case.number == scene.case.number
    )


def test_a_long_list_is_paged(
    broker: Browser, scene: Scene, session: Session, make: Make, now: datetime
) -> None:
    for _ in range(26):
        need = make.need(scene.case, category="FC05")
        ledger.record_unmet(session, need, reason="U01", by=scene.broker, now=now)
    session.commit()

    assert len(broker.page("/unmet").select("main .cards h2")) == 25
    assert len(broker.page("/unmet?page=2").select("main .cards h2")) == 1


# The form -------------------------------------------------------------------------------------------


def test_a_broker_records_an_unmet_need_and_is_told_what_is_wrong(
    browser: Browser, make: Make, session: Session
) -> None:
    need = make.need(category="FC05")
    session.commit()
    browser.sign_in(need.case.broker)
    address = f"/needs/{need.id}/unmet"

    assert browser.get(address).status_code == 200
    assert browser.post(address, data={"reason": "U77"}).status_code == 422
    assert browser.post(address, data={"reason": "U01", "callback": "y"}).status_code == 303
    kept = session.scalars(select(UnmetNeed)).one()
    assert (kept.reason, kept.callback_asked_at is not None) == ("U01", True)
    assert ticked(browser.page(address), "callback") == ["y"]
    browser.submit(address, {"reason": "U01"})
    session.refresh(kept)
    assert kept.callback_asked_at is None


def test_the_reason_of_an_unmet_need_starts_with_what_the_last_ended_referral_tells(
    broker: Browser, session: Session, scene: Scene
) -> None:
    referral = scene.sent()
    scene.take(referral, Event.DECLINE, reason="no_funds")
    session.commit()
    address = f"/needs/{scene.need.id}/unmet"

    page = broker.page(address)

    assert ticked(page, "reason") == ["U04"]
    assert "The last referral ended with the chosen one" in page.text
    broker.submit(address, {"reason": "U03", "secondary": ["U03", "U04"]})
    kept = session.scalars(select(UnmetNeed)).one()
    assert (kept.reason, kept.secondary) == ("U03", ["U04"])
    assert kept.evidence == {"receipts": [], "choices": [], "referrals": [str(referral.id)]}
    kept.opened_at -= timedelta(days=9)
    session.commit()
    card = broker.page(f"/cases/{scene.case.id}").select_one(f"#need-{scene.need.id}")
    said = words(card)
    assert re.search(
        r"Recorded as unmet since [^:]+: Full or waiting list\. "
        r"Also: Funds or stock exhausted\. Last looked at on ",
        said,
    ), said
    # What a broker has recorded is what the page starts with from then on.
    page = broker.page(address)
    assert (ticked(page, "reason"), ticked(page, "secondary")) == (["U03"], ["U04"])


def test_the_reason_starts_with_the_last_word_and_names_the_others_beside_it(
    broker: Browser, session: Session, scene: Scene, now: datetime
) -> None:
    scene.take(scene.sent(), Event.DECLINE, reason="outside_area")
    query = query_for(session, scene.need, now=now)
    asked = {"by": scene.broker, "office": scene.case.office, "case": scene.case}
    receipt = match(session, query, need=scene.need, now=now, **asked)
    record_choice(
        session,
        receipt,
        need=scene.need,
        reasons=["U08", "U07"],
        by=scene.broker,
        now=now + timedelta(minutes=5),
    )
    session.commit()
    address = f"/needs/{scene.need.id}/unmet"

    page = broker.page(address)
    assert ticked(page, "reason") == ["U08"]
    assert ticked(page, "secondary") == ["U02", "U07", "U17"]

    scene.site.service.status = ServiceStatus.DEFUNCT
    match(session, query, need=scene.need, now=now + timedelta(hours=1), **asked)
    session.commit()
    assert ticked(broker.page(address), "reason") == ["U01"]


# Telling clients ------------------------------------------------------------------------------------


def test_the_call_list_says_how_the_client_may_safely_be_reached(
    broker: Browser, scene: Scene, session: Session, now: datetime
) -> None:
    contact = {
        "number": NUMBER,
        "when": "sore",
        "who_may_answer": "ibu",
        "name_to_use": "Dewi",
        "may_leave_text": False,
    }
    casework.set_safe_contact(session, scene.case, contact)
    agreements.give_basis(
        session,
        scene.case.client,
        kind=BasisKind.CONSENT,
        purpose=Purpose.CASEWORK,
        fields=["name"],
        method="spoken",
        language="id",
        by=scene.broker,
        now=now,
    )
    notice = appeared(scene)

    card = broker.page("/unmet/calls").select_one("ol.cards > li")

    said = words(card)
    for part in (NUMBER[:4], "sore", "ibu", "Dewi", "Number 1 in the order", "Leave a textNo"):
        assert part in said, (part, said)
    assert "No live consent" not in said
    assert NAME not in said
    values = [one["value"] for one in card.select("button[name=outcome]")]  # type: ignore[union-attr]
    assert values == ["referred", "declined", "not_reached", "does_not_fit"]
    assert f"/notices/{notice.id}/done" in str(card)
    reads = session.scalars(
        select(AuditEntry.subject_id).where(AuditEntry.action == "need.read")
    ).all()
    assert scene.need.id in reads


def test_without_consent_or_a_safe_way_the_list_says_so_and_shows_no_number(
    broker: Browser, scene: Scene, session: Session, now: datetime
) -> None:
    basis = agreements.give_basis(
        session,
        scene.case.client,
        kind=BasisKind.CONSENT,
        purpose=Purpose.CASEWORK,
        fields=["name"],
        method="spoken",
        language="id",
        by=scene.broker,
        now=now,
    )
    agreements.withdraw_basis(session, basis, by=scene.broker, now=now)
    casework.set_safe_contact(session, scene.case, {"when": "malam"})
    appeared(scene)

    said = words(broker.page("/unmet/calls").select_one("ol.cards > li"))

    assert "No live consent: ask first" in said
    assert "No safe contact" in said
    assert "malam" not in said


def test_the_list_of_whom_to_tell_is_paged_and_goes_on_counting(
    broker: Browser, scene: Scene, session: Session, now: datetime
) -> None:
    notice = appeared(scene)
    session.add_all(
        NewServiceNotice(
            unmet_need_id=notice.unmet_need_id,
            broker_id=notice.broker_id,
            service_at_location_id=notice.service_at_location_id,
            position=position,
            at=now,
        )
        for position in range(2, 31)
    )
    session.commit()

    pages = [broker.page(f"/unmet/calls?page={number}") for number in (1, 2)]

    assert [len(page.select("ol.cards > li")) for page in pages] == [25, 5]
    assert [page.select("ol.cards")[0]["start"] for page in pages] == ["1", "26"]


@pytest.mark.parametrize("outcome", ["referred", "declined", "not_reached", "does_not_fit"])
def test_what_came_of_telling_is_one_tap_and_takes_the_client_off_the_list(
    outcome: str, broker: Browser, scene: Scene, session: Session
) -> None:
    notice = appeared(scene)
    address = f"/notices/{notice.id}/done"

    answer = broker.post(address, data={"outcome": outcome})
    session.refresh(notice)

    onward = f"/needs/{scene.need.id}/referrals/new?site={notice.service_at_location_id}"
    assert answer.location == (onward if outcome == "referred" else "/unmet/calls")
    assert (notice.done_as, notice.seen_at is not None) == (outcome, True)
    assert "Nobody to tell now" in broker.page("/unmet/calls").text
    parked = session.scalars(select(Parked)).all()
    assert [one.need_id for one in parked] == ([scene.need.id] if outcome == "declined" else [])
    entry = session.scalars(select(AuditEntry).where(AuditEntry.action == "notice.done")).one()
    assert (entry.client_id, entry.details) == (scene.case.client_id, {"outcome": outcome})
    assert broker.post(address, data={"outcome": outcome}).status_code in (404, 409)


def test_an_outcome_nobody_knows_changes_nothing(
    broker: Browser, scene: Scene, session: Session
) -> None:
    notice = appeared(scene)

    broker.post(f"/notices/{notice.id}/done", data={"outcome": "maybe"})

    session.refresh(notice)
    assert (notice.done_as, notice.seen_at) == (None, None)


def test_counted_places_are_offered_in_the_published_order(
    broker: Browser, scene: Scene, session: Session, make: Make, now: datetime
) -> None:
    notice = appeared(scene, position=2)
    first = Scene(session, make, now)
    ledger.record_unmet(session, first.need, reason="U01", by=first.broker, now=now)
    unmet = queries.open_unmet(session, [first.need.id])[first.need.id]
    before = NewServiceNotice(
        unmet_need_id=unmet.id,
        broker_id=first.broker.id,
        service_at_location_id=notice.service_at_location_id,
        position=1,
        at=now,
    )
    session.add(before)
    service_id = queries.service_of(session, notice)
    service = session.get_one(type(scene.site.service), service_id)
    say_capacity(session, service, status=CapacityStatus.CAPACITY, available=1, by=SYSTEM, now=now)
    session.commit()

    def turns(days: float) -> list[bool]:
        when = now + timedelta(days=days)
        return [queries.turn_of(session, one, now=when).is_next for one in (before, notice)]

    assert turns(1) == [True, False]
    assert turns(8) == [True, True]
    before.done_as = "declined"
    session.commit()
    assert turns(1) == [True, True]
    page = broker.page("/unmet/calls")
    assert "1 place; it is your client's turn" in words(page.select_one("main"))
    assert first.case.client.name not in page.text


# Who may --------------------------------------------------------------------------------------------


def test_nobody_else_finds_a_record_or_a_notice(
    browser: Browser, scene: Scene, session: Session, make: Make, now: datetime
) -> None:
    notice = appeared(scene)
    record = queries.open_unmet(session, [scene.need.id])[scene.need.id]
    office = scene.broker.office
    others = [
        make.user(),
        make.user(office=office),
        make.user(Role.SUPERVISOR, office=office),
        make.user(Role.PLANNER),
        make.user(Role.ADMINISTRATOR),
        scene.agency,
    ]
    session.commit()
    for user in others:
        browser.post("/sign-out")
        browser.sign_in(user)
        for address in (
            f"/unmet/{record.id}/confirm",
            f"/unmet/{record.id}/deny",
            f"/unmet/{record.id}/callback",
            f"/notices/{notice.id}/done",
            f"/notices/{notice.id}/seen",
        ):
            sent = {"outcome": "declined", "wanted": "yes"}
            assert browser.post(address, data=sent).status_code == 404, (user.role, address)
        if user.role is not Role.BROKER:
            assert browser.get("/unmet").status_code == 404
            assert browser.get("/unmet/calls").status_code == 404
        else:
            assert scene.case.number not in browser.page("/unmet").select_one("main").text  # type: ignore[union-attr]
    session.refresh(notice)
    session.refresh(record)
    assert (notice.done_as, record.closed_as, record.callback_asked_at) == (None, None, None)


def test_whoever_stands_in_tells_the_clients_of_a_colleague(
    browser: Browser, scene: Scene, session: Session, make: Make
) -> None:
    appeared(scene)
    office = scene.broker.office
    standing_in = make.user(office=office)
    cover.begin(
        session,
        absent=scene.broker,
        covering=standing_in,
        until=cover.today_of(scene.broker) + timedelta(days=3),
        by=make.user(Role.SUPERVISOR, office=office),
        now=datetime.now().astimezone(),
    )
    session.commit()
    browser.sign_in(standing_in)

    assert scene.case.number in browser.page("/unmet/calls").text


def test_another_brokers_need_is_not_there(browser: Browser, make: Make, session: Session) -> None:
    need = make.need()
    session.commit()
    browser.sign_in(make.user())

    assert browser.get(f"/needs/{need.id}/unmet").status_code == 404
