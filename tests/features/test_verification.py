"""Listings are checked, asked about, reported and doubted."""

import re
from datetime import date, timedelta

import pytest
from sqlalchemy import event, select

from referral.accounts.models import Role
from referral.changes.actors import PUBLIC
from referral.changes.models import ChangeRecord, DirectoryChange, OutgoingMail
from referral.core.errors import Invalid, NotAllowed, NotFound
from referral.core.text import render
from referral.directory.kinds import ServiceStatus
from referral.directory.models import Phone, Schedule
from referral.directory.upkeep import checking, doubts, links, reports, verification
from referral.directory.upkeep.kinds import ChangeStatus, LinkPurpose, Part
from referral.directory.upkeep.models import ListingLink, ListingReport, ListingUse
from referral.directory.upkeep.verification import AGENCY_BY_LINK
from referral.matching import candidates
from referral.matching import operations as matching
from referral.places.queries import gazetteer
from referral.referrals.lifecycle import Event
from tests.scenes import Scene

URL = "https://jejaring.example.org"


@pytest.fixture
def service(make):
    return make.service(name="Klinik Zamrud", email="klinik@example.org").service


@pytest.fixture
def curator(make):
    return make.user(Role.ADMINISTRATOR)


def records(session, service):
    rows = session.scalars(
        select(ChangeRecord)
        .where(ChangeRecord.resource_id == service.id)
        .order_by(ChangeRecord.field_name)
    )
    return [(r.field_name, r.previous_value, r.replacement_value, r.updated_by_role) for r in rows]


# Checks ------------------------------------------------------------------------------------------


def test_a_check_moves_the_day_and_the_role_and_nothing_else(session, service, make, now):
    broker, before = make.user(), service.last_modified
    later = now + timedelta(days=40)

    verification.confirm(session, service, by=broker, now=later)

    assert (service.assured_date, service.assured_by_role) == (date(2026, 4, 11), "broker")
    assert service.last_modified == before
    assert records(session, service) == [
        ("assured_by_role", "", "broker", "broker"),
        ("assured_date", "", "2026-04-11", "broker"),
    ]
    verification.confirm(session, service, by=broker, now=later)
    assert len(records(session, service)) == 2


def test_the_day_of_a_check_is_the_day_it_is_where_the_house_is(session, service, curator, now):
    verification.confirm(session, service, by=curator, now=now.replace(hour=20))

    assert service.assured_date == date(2026, 3, 3)


def test_who_checked_is_told_as_agency_curator_or_broker(make):
    told = [
        verification.assurer(by).value
        for by in (
            make.user(Role.AGENCY),
            make.user(Role.ADMINISTRATOR),
            make.user(granted=["listing:approve"]),
            make.user(),
            AGENCY_BY_LINK,
        )
    ]

    assert told == ["agency", "curator", "curator", "broker", "agency"]


def test_an_earlier_assurers_address_does_not_stand_beside_a_new_check(session, make, curator, now):
    service = make.service(assurer_email="dulu@example.org").service

    verification.confirm(session, service, by=curator, now=now)

    assert service.assurer_email is None


@pytest.mark.parametrize("status", [ServiceStatus.INACTIVE, ServiceStatus.DEFUNCT])
def test_what_is_closed_can_not_be_still_true(session, make, curator, now, status):
    service = make.service(status=status).service

    with pytest.raises(NotAllowed):
        verification.confirm(session, service, by=curator, now=now)


def test_a_number_that_was_answered_is_kept_once_and_counts_as_a_check(session, service, make, now):
    broker = make.user()
    session.add(Phone(service_id=service.id, number="(024) 6722565", type="voice"))
    session.flush()
    session.refresh(service)

    verification.add_number(session, service, "024-6722565", by=broker, now=now)
    verification.add_number(session, service, "119 ext 8", by=broker, now=now)

    numbers = session.execute(
        select(Phone.number, Phone.extension).where(Phone.service_id == service.id)
    ).all()
    assert sorted(numbers, key=str) == [("(024) 6722565", None), ("119", "8")]
    assert (service.assured_date, service.assured_by_role) == (date(2026, 3, 2), "broker")


@pytest.mark.parametrize("typed", ["", "dua belas", "12", "0" * 60])
def test_what_is_no_number_is_not_kept(session, service, make, now, typed):
    with pytest.raises(Invalid):
        verification.add_number(session, service, typed, by=make.user(), now=now)

    assert service.assured_date is None


# Use and the queue -------------------------------------------------------------------------------


def test_a_choice_and_a_known_service_count_as_use_by_month_and_a_search_does_not(
    session, make, now
):
    scene = Scene(session, make, now)
    query = matching.query_for(session, scene.need, now=now)
    receipt = matching.match(
        session,
        query,
        by=scene.broker,
        now=now,
        office=scene.case.office,
        case=scene.case,
        need=scene.need,
    )
    assert session.scalars(select(ListingUse)).all() == []

    chosen = {"need": scene.need, "by": scene.broker, "site_id": scene.site.id}
    matching.record_choice(session, receipt, **chosen, now=now)
    matching.record_choice(session, receipt, **chosen, now=now + timedelta(days=31))
    scene.draft()  # a service the worker knows

    uses = session.execute(select(ListingUse.month, ListingUse.times).order_by(ListingUse.month))
    assert uses.all() == [(date(2026, 3, 1), 2), (date(2026, 4, 1), 1)]


def test_what_is_used_most_and_checked_longest_ago_is_asked_about_first(session, make, now):
    today = now.date()
    facts = {  # days since the last check, times chosen lately, times chosen long ago
        "never": (None, 0, 0),
        "never but used": (None, 3, 0),
        "old and used": (400, 9, 0),
        "older than a never": (2000, 1, 0),
        "used long ago": (200, 0, 50),
        "fresh and used": (179, 500, 0),
    }
    names = {}
    for name, (days, lately, before) in facts.items():
        assured = None if days is None else today - timedelta(days=days)
        service = make.service(name=name, assured_date=assured).service
        names[service.id] = name
        session.add(ListingUse(service_id=service.id, month=date(2026, 2, 1), times=lately))
        session.add(ListingUse(service_id=service.id, month=date(2024, 1, 1), times=before))
    make.service(name="closed", status=ServiceStatus.DEFUNCT)
    session.flush()

    page = checking.due(session, today=today)

    found = [(names[d.listing.service.id], d.uses, d.urgency) for d in page.items]
    assert found == [
        ("old and used", 9, 10 * 400),
        ("never but used", 3, 4 * 730),
        ("older than a never", 1, 2 * 730),
        ("never", 0, 730),
        ("used long ago", 0, 200),
    ]
    second = checking.due(session, today=today, page=2, size=2)
    assert [names[d.listing.service.id] for d in second.items] == ["older than a never", "never"]
    assert (second.number, second.last, second.total) == (2, 3, 5)


def test_the_queue_asks_as_many_questions_for_many_listings_as_for_one(session, make, now):
    asked = []
    connection = session.connection()

    def questions():
        asked.clear()
        session.expire_all()
        checking.due(session, today=now.date())
        return len(asked)

    event.listen(connection, "before_cursor_execute", lambda *a: asked.append(a[2]))
    make.service()
    session.flush()
    one = questions()
    for _ in range(10):
        make.service()
    session.flush()

    assert questions() == one


# Letters and links -------------------------------------------------------------------------------


def letters(session):
    return session.scalars(select(OutgoingMail).order_by(OutgoingMail.key)).all()


def tokens(letter):
    return dict(re.findall(r"/listing-links/([a-z-]+)\?key=([0-9a-f]+)", letter.text))


@pytest.mark.parametrize(
    ("lang", "subject"),
    [
        ("id", "Apakah data Klinik Zamrud di direktori masih benar?"),
        ("en", "Is what the directory says about Klinik Zamrud still true?"),
    ],
)
def test_a_letter_goes_to_the_listings_own_address_with_three_links(
    session, service, now, lang, subject
):
    asked = links.ask_to_verify(session, public_url=URL + "/", limit=5, lang=lang, now=now)

    (letter,) = letters(session)
    assert asked == [service.id]
    assert (letter.to, letter.subject) == ("klinik@example.org", subject)
    assert list(tokens(letter)) == ["still-true", "fix", "closed"]
    assert all(len(token) == 64 for token in tokens(letter).values())
    assert f"{URL}/services/{service.id}" in letter.text
    for token in tokens(letter).values():
        assert f"?key={token}" in letter.html
    kept = session.scalars(select(ListingLink)).all()
    assert {link.purpose for link in kept} == set(LinkPurpose) - {LinkPurpose.CLAIM}
    assert not any(
        bytes.fromhex(token) == link.token_hash
        for token in tokens(letter).values()
        for link in kept
    )


def test_a_name_can_break_neither_the_heading_nor_the_markup_of_a_letter(session, make, now):
    make.service(name="<b>Klinik</b>\nBcc: x@example.org", email="a@example.org")

    links.ask_to_verify(session, public_url=URL, limit=5, now=now)

    (letter,) = letters(session)
    assert "\n" not in letter.subject
    assert "<b>" not in letter.html


def test_no_listing_is_asked_about_twice_in_ninety_days(session, service, now):
    def ask(days):
        return links.ask_to_verify(session, public_url=URL, limit=5, now=now + timedelta(days=days))

    assert [len(ask(days)) for days in (0, 0, 89, 91)] == [1, 0, 0, 1]
    assert len(letters(session)) == 2


def test_one_address_gets_no_more_than_five_letters_a_month(session, make, now):
    shared = make.organization(email=" Dinas@Example.org ")
    for _ in range(8):
        make.service(organization=shared)

    def ask(days):
        return len(
            links.ask_to_verify(session, public_url=URL, limit=50, now=now + timedelta(days=days))
        )

    assert [ask(0), ask(1), ask(31)] == [5, 0, 3]
    assert {letter.to for letter in letters(session)} == {"dinas@example.org"}


def test_the_most_urgent_are_written_to_first_and_no_more_than_asked(session, make, now):
    often = make.service(email="a@example.org").service
    make.service(email="b@example.org")
    make.service(email=None)
    make.service(email="c@example.org", status=ServiceStatus.INACTIVE)
    session.add(ListingUse(service_id=often.id, month=date(2026, 2, 1), times=2))
    session.flush()

    assert links.ask_to_verify(session, public_url=URL, limit=1, now=now) == [often.id]
    assert len(links.ask_to_verify(session, public_url=URL, limit=9, now=now)) == 1


def test_without_an_address_of_ours_no_link_is_made(session, service, now):
    for ask in (
        lambda: links.ask_to_verify(session, public_url="", limit=5, now=now),
        lambda: links.ask_about(session, service.id, public_url="", now=now),
    ):
        with pytest.raises(NotAllowed, match="PUBLIC_URL"):
            ask()

    assert letters(session) == []
    assert session.scalars(select(ListingLink)).all() == []


def test_one_listing_can_be_asked_about_by_name_unless_it_was_lately(session, service, make, now):
    nowhere = make.service(email=None).service

    links.ask_about(session, service.id, public_url=URL, now=now)

    for service_id in (service.id, nowhere.id):
        with pytest.raises(NotAllowed):
            links.ask_about(session, service_id, public_url=URL, now=now)
    assert len(letters(session)) == 1


def test_a_link_is_for_one_purpose_for_a_while_and_for_once(session, service, now):
    token = links.issue(session, service.id, LinkPurpose.STILL_TRUE, now=now)
    over = now + timedelta(days=links.LASTS_DAYS)

    assert links.find(session, token, LinkPurpose.CLOSED, now=now) is None
    assert links.find(session, token[:-1], LinkPurpose.STILL_TRUE, now=now) is None
    assert links.find(session, token, LinkPurpose.STILL_TRUE, now=over) is None
    links.take(session, token, LinkPurpose.STILL_TRUE, now=now)
    with pytest.raises(NotFound):
        links.take(session, token, LinkPurpose.STILL_TRUE, now=now)


# Closed ------------------------------------------------------------------------------------------


def closed(session, service, by, now):
    return verification.found_closed(
        session, service, ServiceStatus.DEFUNCT, gazetteer(session), by=by, now=now
    )


def test_a_curators_word_closes_a_listing_at_once_and_can_be_taken_back(
    session, service, curator, now
):
    change = closed(session, service, curator, now)

    assert (change.status, service.status) == (ChangeStatus.PUBLISHED, ServiceStatus.DEFUNCT)
    assert (service.assured_date, service.assured_by_role) == (date(2026, 3, 2), "curator")
    assert closed(session, service, curator, now) is None


@pytest.mark.parametrize("trusted", [False, True])
def test_an_agencys_word_through_a_link_waits_unless_it_is_trusted(session, service, now, trusted):
    service.organization.trusted = trusted

    change = closed(session, service, AGENCY_BY_LINK, now)

    expected = (
        (ChangeStatus.PUBLISHED, ServiceStatus.DEFUNCT, "agency")
        if trusted
        else (ChangeStatus.WAITING, ServiceStatus.ACTIVE, None)
    )
    assert (change.status, service.status, service.assured_by_role) == expected
    assert (change.made_by_id, change.made_by_role) == (None, "agency")


# Reports and doubts ------------------------------------------------------------------------------


def test_a_report_keeps_its_part_and_only_the_role_of_who_said_it(session, service, make, now):
    reports.report_wrong(session, service.id, " Nomor mati ", part=Part.PHONES, by=PUBLIC, now=now)
    reports.report_wrong(session, service.id, "Pindah", by=make.user(), now=now)

    found = [
        (r.text, r.field, r.reported_by_role, r.is_quarantine)
        for r in reports.open_reports(session).items
    ]
    assert found == [
        ("Nomor mati", "phones", "public", False),
        ("Pindah", None, "broker", False),
    ]
    assert doubts.doubts(session, [service.id]) == {}


#: what each part in doubt leaves not known in an offer
UNKNOWN = {
    Part.PHONES: {},
    Part.ADDRESS: {"latitude": None, "longitude": None, "precision_km": 0.0},
    Part.HOURS: {"hours": ()},
    Part.ELIGIBILITY: {"minimum_age": None, "maximum_age": None},
    Part.SERVICE_AREAS: {},
    Part.DOCUMENTS: {},
    Part.COST: {},
    Part.LANGUAGES: {"interprets": False},
    Part.CAPACITY: {},
    Part.CATEGORIES: {"categories": {"HE05": False}},
}


@pytest.mark.parametrize("part", [*Part, None])
def test_what_the_agency_says_is_wrong_is_not_known_until_a_curator_looked(
    session, make, curator, now, part
):
    service = make.service(minimum_age=1, maximum_age=5, interpretation_services="JBI").service
    session.add(Schedule(service_id=service.id, freq="DAILY", opens_at="08:00", closes_at="16:00"))
    session.flush()
    before, told_before = _offer(session, service), announced(session, service)

    doubt = {"part": part, "is_doubted": True, "by": make.user(Role.AGENCY)}
    reports.report_from_answer(session, service.id, "Salah", **doubt, now=now)
    reports.report_from_answer(session, service.id, "Salah", **doubt, now=now)
    during = _offer(session, service)
    (report,) = session.scalars(select(ListingReport)).all()
    reports.close(session, report, was_right=True, by=curator, now=now)
    after = _offer(session, service)

    parts = Part if part is None else (part,)
    expected = {name: value for one in parts for name, value in UNKNOWN[one].items()}
    changed = {
        name: getattr(during, name)
        for name in before.__dataclass_fields__
        if getattr(during, name) != getattr(before, name)
    }
    ((what, since),) = changed.pop("in_doubt")
    assert {n: dict(v) if n == "categories" else v for n, v in changed.items()} == expected
    assert render(what, "id")
    assert since == date(2026, 3, 2)
    assert after == before
    assert announced(session, service) == told_before + 2


def announced(session, service):
    return session.scalars(select(DirectoryChange.service_id)).all().count(service.id)


def _offer(session, service):
    (offer,) = [
        one
        for one in candidates.offers_of(session, ["HE05"], gazetteer(session))
        if one.service_id == service.id
    ]
    return offer


@pytest.mark.parametrize(
    ("reason", "given", "expected"),
    [
        ("service_not_offered", {}, ("categories", "HE05", True)),
        ("listing_wrong", {}, (None, None, True)),
        ("listing_wrong", {"wrong_part": Part.HOURS}, ("hours", None, True)),
        ("not_eligible_age", {}, ("eligibility", None, False)),
        ("outside_area", {}, ("service_areas", None, False)),
    ],
)
def test_a_decline_opens_a_correction_and_what_is_wrong_is_in_doubt(
    session, make, now, reason, given, expected
):
    scene = Scene(session, make, now)
    scene.take(scene.sent(), Event.DECLINE, reason=reason, **given)

    (report,) = session.scalars(
        select(ListingReport).where(ListingReport.service_id == scene.site.service_id)
    )
    assert (report.field, report.value, report.is_quarantine) == expected
    assert report.reported_by_role == "agency"


def test_a_kind_of_help_that_is_not_offered_is_only_suggested_in_the_next_match(session, make, now):
    scene = Scene(session, make, now)

    def card():
        query = matching.query_for(session, scene.need, now=now)
        options = matching.answer(session, query, zone="Asia/Jakarta")["options"]
        (one,) = [o for o in options if o["service_id"] == str(scene.site.service_id)]
        category = next(v for v in one["verdicts"] if v["rule"] == "category")
        doubts = [f for f in one["facts"] if f["message"]["key"] == "match.fact.in_doubt"]
        return category["verdict"], len(doubts)

    assert card() == ("pass", 0)
    scene.take(scene.sent(), Event.DECLINE, reason="service_not_offered")
    assert card() == ("unknown", 1)
