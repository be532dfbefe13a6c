"""Attacks on the pages that once worked, or must never."""

import io
import re
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import select, text
from sqlalchemy.exc import OperationalError
from sqlalchemy.orm import Session

from referral.accounts import tokens
from referral.accounts.models import Role
from referral.casework import agreements, crisis
from referral.casework import operations as casework
from referral.casework.models import BasisKind, Exclusion, LawfulBasis, Purpose
from referral.changes.models import AuditEntry, OutgoingMail
from referral.directory.models import Address, Location
from referral.directory.search import Near, search
from referral.matching import operations as matching
from referral.matching.models import ServiceStanding
from referral.planning.proposals import operations as proposing
from referral.planning.proposals.models import ProposalStatus
from referral.planning.unmet import ledger, telling
from referral.planning.unmet import queries as unmet_queries
from referral.planning.unmet.models import NewServiceNotice
from referral.referrals import reminders, replies
from referral.referrals.lifecycle import Actor, Event
from referral.referrals.standing import push_standing
from referral.web.addresses import is_own
from tests.factories import Make
from tests.scenes import NAME, NUMBER, STORY, Scene

ELSEWHERE = (
    "//elsewhere.example",
    "/\\elsewhere.example",
    "/\t/elsewhere.example",
    "/\n/elsewhere.example",
    "\t//elsewhere.example",
    "https://elsewhere.example",
    "javascript:alert(1)",
    "",
)


@pytest.fixture
def scene(session: Session, make: Make, now: Any) -> Scene:
    return Scene(session, make, now)


def run_match(scene: Scene) -> Any:
    return matching.match(
        scene.session,
        matching.query_for(scene.session, scene.need, now=scene.now),
        by=scene.broker,
        now=scene.now,
        office=scene.case.office,
        case=scene.case,
        need=scene.need,
    )


# Addresses and requests -----------------------------------------------------------------------------


def test_only_a_path_of_ours_is_an_address_of_ours() -> None:
    own = ["/", "/cases?show=closed", "/directory?q=a%20b#map", "/needs/1/unmet"]

    assert [one for one in (*own, *ELSEWHERE) if is_own(one)] == own


@pytest.mark.parametrize("address", ELSEWHERE)
def test_no_form_leads_to_another_host(browser: Any, scene: Scene, address: str) -> None:
    browser.sign_in(scene.broker)
    basis = {"purpose": "casework", "kind": "consent", "answer": "given", "method": "spoken"}

    for answer in (
        browser.post("/language/en", data={"next": address}),
        browser.post(f"/cases/{scene.case.id}/basis", data=basis | {"next": address}),
    ):
        assert answer.status_code == 303
        assert "elsewhere" not in answer.headers["Location"]


class _SlowForm(io.BytesIO):
    """A form that notes when it is read."""

    def __init__(self, form: bytes, happened: list[str]) -> None:
        super().__init__(form)
        self.happened = happened

    def read(self, *args: Any) -> bytes:
        self.happened.append("form")
        return super().read(*args)

    def readinto(self, buffer: Any) -> int:
        self.happened.append("form")
        return super().readinto(buffer)


def test_who_sends_a_form_slowly_keeps_nobody_from_writing(
    browser: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    happened: list[str] = []
    connection = Session.connection

    def noted(self: Session, *args: Any, **options: Any) -> Any:
        if (options.get("execution_options") or {}).get("writes"):
            happened.append("lock")
        return connection(self, *args, **options)

    monkeypatch.setattr(Session, "connection", noted)
    form = b"email=a%40example.org&password=b"
    browser.post(
        "/sign-in",
        input_stream=_SlowForm(form, happened),
        content_type="application/x-www-form-urlencoded",
        content_length=len(form),
    )

    assert "lock" in happened
    assert happened[: happened.index("lock")].count("form") == happened.count("form") > 0


def test_a_page_with_a_one_time_key_or_a_typed_address_is_kept_nowhere(browser: Any) -> None:
    for address in ("/sign-in", "/accounts/link?key=0"):
        assert browser.get(address).headers["Cache-Control"] == "no-store"


def test_a_form_too_large_is_refused_to_the_person_who_sent_it(browser: Any, scene: Scene) -> None:
    browser.sign_in(scene.broker)

    answer = browser.post(f"/cases/{scene.case.id}/story", data={"story": "x" * 3_000_000})

    assert answer.status_code == 413
    assert scene.broker.name in answer.text


@pytest.mark.parametrize(
    "moment", ["0001-01-01T00:00", "9999-12-31T23:59", "0001-01-01T00:00+14:00"]
)
def test_a_time_at_the_edge_of_the_calendar_is_said_to_be_wrong(
    browser: Any, scene: Scene, moment: str
) -> None:
    browser.sign_in(scene.broker)
    call = {"number": "other", "other_number": "1", "answered": "no", "called_at": moment}

    browser.submit(f"/cases/{scene.case.id}/crisis", call, status=422)


def test_a_name_without_end_names_no_organization(browser: Any, scene: Scene) -> None:
    browser.sign_in(scene.broker)
    data = {"organization": "q" * 400_000}

    browser.submit(f"/cases/{scene.case.id}/exclusions/new", data, status=422)


# Who saw this person --------------------------------------------------------------------------------


def readings(session: Session, scene: Scene, user: Any) -> set[str]:
    rows = select(AuditEntry.action).where(
        AuditEntry.actor_id == user.id,
        AuditEntry.client_id == scene.case.client_id,
        AuditEntry.action.endswith(".read"),
    )
    return set(session.scalars(rows))


def test_a_form_that_comes_back_with_errors_is_a_reading_too(
    browser: Any, session: Session, scene: Scene
) -> None:
    referral = scene.accepted()
    browser.sign_in(scene.agency)
    address = f"/inbox/{referral.id}/start"

    page = browser.submit(address, {"version": str(referral.version)}, status=422)

    assert NAME in page.text
    assert readings(session, scene, scene.agency) == {"referral.read"}


def test_an_error_page_is_no_reading(browser: Any, session: Session, scene: Scene) -> None:
    supervisor = scene.make.user(Role.SUPERVISOR, office=scene.broker.office)
    scene.accepted()
    browser.sign_in(supervisor)

    page = browser.submit(
        f"/cases/{scene.case.id}/erase", {"number": scene.case.number}, status=409
    )

    assert NAME not in page.text
    assert readings(session, scene, supervisor) == set()


def test_everything_done_about_a_person_names_them_in_the_chain(
    session: Session, scene: Scene
) -> None:
    call = crisis.log_call(
        session,
        office=scene.case.office,
        case=scene.case,
        number="112",
        answered=None,
        outcome=None,
        by=scene.broker,
        now=scene.now,
    )
    crisis.tell_call(session, call, answered=True, outcome=None, by=scene.broker, now=scene.now)
    supervisor = scene.make.user(Role.SUPERVISOR, office=scene.broker.office)
    crisis.review_call(session, call, by=supervisor, now=scene.now)
    unmet = ledger.record_unmet(session, scene.need, reason="U01", by=scene.broker, now=scene.now)
    ledger.close_unmet(session, unmet, closed_as="met", by=scene.broker, now=scene.now)
    referral = scene.sent()
    scene.take(referral, Event.DECLINE, reason="safety_conflict")
    session.flush()

    found = session.execute(
        select(AuditEntry.action, AuditEntry.client_id).where(
            AuditEntry.action.in_(
                ["crisis.told", "crisis.reviewed", "unmet.closed", "exclusion.added"]
            )
        )
    )
    assert {row.action: row.client_id for row in found} == dict.fromkeys(
        ["crisis.told", "crisis.reviewed", "unmet.closed", "exclusion.added"],
        scene.case.client_id,
    )


# What an agency sees --------------------------------------------------------------------------------


def test_a_consent_that_has_run_out_or_was_followed_by_a_no_releases_nobody(
    browser: Any, session: Session, scene: Scene
) -> None:
    referral = scene.accepted()
    browser.sign_in(scene.agency)
    address = f"/inbox/{referral.id}"
    assert NAME in browser.page(address).text

    basis = session.get_one(LawfulBasis, referral.basis_id)
    basis.expires_on = date(2026, 3, 1)
    page = browser.page(address)
    assert not any(secret in page.text for secret in (NAME, NUMBER, STORY))

    session.get_one(LawfulBasis, referral.basis_id).expires_on = None
    assert NAME in browser.page(address).text
    agreements.give_basis(
        session,
        scene.case.client,
        kind=BasisKind.CONSENT,
        purpose=Purpose.REFERRAL,
        fields=(),
        organization_id=scene.site.service.organization_id,
        refused=True,
        method="spoken",
        language="id",
        by=scene.broker,
        now=scene.now + timedelta(hours=1),
    )
    page = browser.page(address)
    assert not any(secret in page.text for secret in (NAME, NUMBER, STORY))


def test_why_the_client_stopped_is_not_told_to_the_agency(browser: Any, scene: Scene) -> None:
    referral = scene.sent()
    scene.take(
        referral, Event.CANCEL, actor=Actor.CLIENT, by=scene.broker, reason="institutionalised"
    )
    browser.sign_in(scene.agency)

    page = browser.page(f"/inbox/{referral.id}")

    assert "Alasan:" not in page.text


# Who is kept out ------------------------------------------------------------------------------------


def test_an_old_result_that_names_whom_the_client_must_not_meet_is_shown_no_more(
    browser: Any, session: Session, scene: Scene
) -> None:
    receipt = run_match(scene)
    browser.sign_in(scene.broker)
    name = scene.site.service.name
    assert name in browser.page(f"/receipts/{receipt.id}").text

    casework.exclude(
        session,
        scene.case,
        scene.site.service.organization_id,
        reason="x",
        by=scene.broker,
        now=scene.now,
    )

    for address in (f"/receipts/{receipt.id}", f"/receipts/{receipt.id}/handout"):
        assert name not in browser.page(address, status=409).text
    choice = {"choice": f"site:{scene.site.id}"}
    assert name not in browser.submit(f"/receipts/{receipt.id}/choice", choice, status=409).text
    again = browser.submit(f"/receipts/{receipt.id}/again")
    assert name not in again.text


def test_a_notice_of_whom_the_client_must_not_meet_disappears(
    session: Session, scene: Scene
) -> None:
    unmet = ledger.record_unmet(session, scene.need, reason="U01", by=scene.broker, now=scene.now)
    session.add(
        NewServiceNotice(
            unmet_need_id=unmet.id,
            broker_id=scene.broker.id,
            service_at_location_id=scene.site.id,
            position=1,
            at=scene.now,
        )
    )
    session.flush()
    assert len(unmet_queries.notices(session, scene.broker)) == 1

    session.add(
        Exclusion(
            key=scene.case.key,
            case_id=scene.case.id,
            organization_id=scene.site.service.organization_id,
            at=scene.now,
            by_id=scene.broker.id,
        )
    )
    session.flush()

    assert unmet_queries.notices(session, scene.broker) == []


# Ids of other rows in a form ------------------------------------------------------------------------


def test_a_result_for_another_need_is_no_evidence(
    browser: Any, session: Session, scene: Scene
) -> None:
    receipt = run_match(scene)
    other = scene.make.need(scene.make.case(broker=scene.broker))
    browser.sign_in(scene.broker)

    for wrong in (receipt.id, "1", "' OR 1=1 --"):
        data = {"reason": "U01", "receipt": str(wrong)}
        browser.submit(f"/needs/{other.id}/unmet", data, status=404)
    assert unmet_queries.open_unmet(session, [other.id]) == {}


# Places that stay secret ----------------------------------------------------------------------------


def test_a_confidential_place_is_known_by_its_regency_alone(
    browser: Any, session: Session, make: Make
) -> None:
    site = make.service(
        "EM07",
        at=(-6.98765, 110.41234),
        confidential=True,
        name="Rumah Aman Fiktif",
        source_url="https://berita.example/rumah-di-jalan-rahasia-5",
        source_title="Rumah di Jalan Rahasia 5 diresmikan",
    )
    place = session.get_one(Location, site.location_id)
    place.area_code = "33.74.11.1002"
    session.add(
        Address(
            location_id=place.id,
            address_1="Jalan Rahasia 5",
            city="Semarang",
            state_province="",
            postal_code="",
            country="ID",
        )
    )
    session.flush()
    secrets = ("Jalan Rahasia", "jalan-rahasia", "98765", "41234", "33.74.11")

    page = browser.page(f"/services/{site.service_id}")
    found = browser.page("/directory?q=Rumah Aman Fiktif&place=Kota Semarang")

    assert "berita.example" in page.text
    assert "Rumah Aman Fiktif" in found.text
    told = re.sub(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", "", f"{page}{found}")
    assert [secret for secret in secrets if secret in told] == []
    by_street = browser.page("/directory?q=Jalan Rahasia")
    assert "Rumah Aman Fiktif" not in by_street.text


def test_the_area_of_a_confidential_place_does_not_show_in_its_rank(
    session: Session, make: Make
) -> None:
    secret = make.service("EM07", confidential=True, name="Aman A")
    session.get_one(Location, secret.location_id).area_code = "33.74.11.1002"
    plain = make.service("EM07", at=None, name="Aman Z")
    session.get_one(Location, plain.location_id).area_code = "33.74"
    session.flush()

    ranks = [
        [
            hit.listing.service.name
            for hit in search(session, words="Aman", near=Near(-6.99, 110.42, 3, code)).page.items
        ]
        for code in ("33.74.11", "33.74.01", "33.74.11.1002")
    ]

    assert ranks[0] == ranks[1] == ranks[2]


def test_a_refuge_that_opens_keeps_its_place_out_of_every_table(
    browser: Any, session: Session, make: Make, now: Any
) -> None:
    planner = make.user(Role.PLANNER)
    plan = proposing.propose(
        session,
        category="EM07",
        area_code="33.74",
        title="Rumah aman",
        problem="",
        capacity=None,
        by=planner,
        now=now,
    )
    proposing.move(session, plan, ProposalStatus.IN_DEVELOPMENT, by=planner, now=now)
    browser.sign_in(planner)
    form = browser.page(f"/proposals/{plan.id}/opened").select_one("[name=confidential]")
    assert form is not None
    assert form.has_attr("checked")

    browser.submit(
        f"/proposals/{plan.id}/opened",
        {
            "seen": str(plan.version),
            "name": "Rumah Aman Fiktif",
            "organization": "Lembaga Fiktif",
            "place": "33.74.11",
            "address": "Jalan Rahasia 5",
            "hours-MO-count": "1",
            "hours-MO-0-opens": "00:00",
            "hours-MO-0-closes": "24:00",
            "phones-count": "1",
            "phones-0-number": "0211234567",
            "confidential": "y",
        },
    )

    place = session.scalars(select(Location).where(Location.confidential)).one()
    assert (place.area_code, place.latitude, place.longitude) == ("33.74", None, None)
    assert session.scalars(select(Address).where(Address.location_id == place.id)).all() == []


# After erasing --------------------------------------------------------------------------------------


def test_nothing_is_done_for_or_shown_of_somebody_who_was_erased(
    browser: Any, session: Session, scene: Scene
) -> None:
    referral = scene.completed()
    receipt = run_match(scene)
    ledger.record_unmet(session, scene.need, reason="U01", by=scene.broker, now=scene.now)
    supervisor = scene.make.user(Role.SUPERVISOR, office=scene.broker.office)
    casework.erase_client(session, scene.case.client, by=supervisor, now=scene.now)
    browser.sign_in(scene.broker)
    need = f"/needs/{scene.need.id}"

    for method, address in (
        ("GET", f"/referrals/{referral.id}"),
        ("GET", f"/referrals/{referral.id}/letter"),
        ("POST", f"/referrals/{referral.id}/feedback"),
        ("GET", f"/receipts/{receipt.id}"),
        ("POST", f"{need}/match"),
        ("POST", f"{need}/unmet"),
        ("POST", f"{need}/referrals/new?site={scene.site.id}"),
    ):
        assert browser.open(address, method=method).status_code == 404, address
    assert referral.number not in browser.page("/referrals?show=ended").text
    assert telling.tell_waiting(session, scene.site, scene.need.category, now=scene.now) == []


@pytest.mark.parametrize("link_was_sent", [True, False])
def test_an_agency_is_asked_and_told_nothing_more_about_somebody_who_was_erased(
    browser: Any, session: Session, scene: Scene, link_was_sent: bool
) -> None:
    referral, other = scene.sent(), Scene(session, scene.make, scene.now)
    address = f"/api/v1/referrals/{referral.id}"
    for one, mailbox in ((scene, "satu@example.org"), (other, "dua@example.org")):
        one.site.service.email = mailbox
    waiting = other.sent()
    link = replies.issue(session, referral, now=scene.now) if link_was_sent else None
    secret = link.token if link else "0" * 64
    token = tokens.issue(
        session,
        name="Panti",
        office_id=None,
        organization_id=scene.site.service.organization_id,
        scopes=["referral"],
        days=10,
        by=scene.make.user(Role.ADMINISTRATOR),
        now=datetime.now(UTC),
    ).text
    supervisor = scene.make.user(Role.SUPERVISOR, office=scene.broker.office)
    casework.erase_client(session, scene.case.client, by=supervisor, now=scene.now)

    later = scene.now + timedelta(days=15)
    written = reminders.write_digests(session, public_url="https://example.org", now=later)

    mails = session.scalars(select(OutgoingMail)).all()
    assert written == 1
    assert [mail.to for mail in mails] == ["dua@example.org"]
    assert waiting.number in (mails[0].text or "")
    bearer = {"Authorization": f"Bearer {token}"}
    assert browser.get(f"/reply?key={secret}").status_code == 404
    assert browser.get(address, headers=bearer).status_code == 404
    assert browser.get("/api/v1/referrals", headers=bearer).json["total"] == 0
    browser.sign_in(scene.agency)
    assert browser.get(f"/inbox/{referral.id}").status_code == 404
    push_standing(session, scene.site.service_id, now=later)
    standing = session.get_one(ServiceStanding, scene.site.service_id)
    assert standing.open_referrals == 0


# Errors ---------------------------------------------------------------------------------------------


def test_an_error_of_the_database_quotes_no_value(session: Session) -> None:
    with pytest.raises(OperationalError) as refused:
        session.execute(text("SELECT nothing_like_it WHERE :name = 1"), {"name": NAME})

    assert NAME not in str(refused.value)
    session.rollback()
