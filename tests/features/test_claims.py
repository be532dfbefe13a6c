"""An agency takes its listing over; anyone suggests a correction or a listing that is missing."""

import re
from datetime import timedelta

import pytest
from sqlalchemy import select

from referral.accounts import operations as accounts
from referral.accounts.models import AccessLink, Role, User
from referral.changes.actors import PUBLIC
from referral.changes.models import AuditEntry, OutgoingMail
from referral.core.errors import Invalid, NotAllowed, NotFound
from referral.core.text import label
from referral.directory.models import Phone
from referral.directory.upkeep import changes, claims, suggestions
from referral.directory.upkeep.kinds import ChangeKind, ChangeStatus, ClaimStatus, Proof
from referral.directory.upkeep.models import Claim, ListingChange, ListingLink
from referral.directory.upkeep.suggestions import NewListing, Typed
from referral.places.queries import gazetteer
from tests.factories import PASSWORD

URL = "https://jejaring.example.org"
NAME, EMAIL = "Sari Fiktif", "sari@klinik.example.org"


@pytest.fixture
def service(make):
    return make.service(name="Klinik Zamrud", email="klinik@example.org").service


@pytest.fixture
def curator(make):
    return make.user(Role.BROKER, granted=["listing:approve"])


def claim_of(session, service, now, proof=Proof.MAIL, **values):
    defaults = {"name": NAME, "email": EMAIL, "message": "", "public_url": URL}
    return claims.make(session, service.id, proof=proof, now=now, **defaults | values)


def letters(session):
    return session.scalars(select(OutgoingMail)).all()


def key_in(letter):
    return re.search(r"/listing-links/claim\?key=([0-9a-f]{64})", letter.text)[1]


# Proof -------------------------------------------------------------------------------------------


def test_a_letter_to_the_listings_own_address_proves_a_claim_and_names_nobody(
    session, service, now
):
    claim = claim_of(session, service, now, message="Saya Sari")

    (letter,) = letters(session)
    assert letter.to == "klinik@example.org"
    words = letter.subject + letter.text + letter.html
    assert not any(secret in words for secret in (NAME, EMAIL, "Sari"))
    assert claim.status is ClaimStatus.WAITING

    claims.prove_by_link(session, key_in(letter), now=now)
    assert (claim.status, claim.proven_at) == (ClaimStatus.PROVEN, now)
    with pytest.raises(NotFound):
        claims.prove_by_link(session, key_in(letter), now=now)


@pytest.mark.parametrize(
    ("email", "public_url", "proof"),
    [
        (None, URL, Proof.MAIL),
        ("a@example.org", "", Proof.MAIL),
        ("a@example.org", URL, Proof.PHONE),
    ],
)
def test_a_claim_is_taken_up_alike_where_no_letter_can_be_written(
    session, make, now, email, public_url, proof
):
    service = make.service(email=email).service

    claim = claim_of(session, service, now, proof, public_url=public_url)

    assert (claim.status, letters(session)) == (ClaimStatus.WAITING, [])


def test_claims_do_not_flood_an_address_or_a_listing(session, service, now):
    for _ in range(claims.MOST_CLAIMS_A_DAY):
        claim_of(session, service, now)
    with pytest.raises(NotAllowed):
        claim_of(session, service, now)
    claim_of(session, service, now + timedelta(days=2))

    assert len(letters(session)) == 5


@pytest.mark.parametrize(
    ("values", "field"),
    [
        ({"name": "  "}, "name"),
        ({"name": "x" * 121}, "name"),
        ({"email": "bukan surel"}, "email"),
        ({"message": "x" * 1001}, "message"),
    ],
)
def test_what_is_missing_or_too_long_in_a_claim_is_named(session, service, now, values, field):
    with pytest.raises(Invalid) as refused:
        claim_of(session, service, now, **values)

    assert refused.value.field == field


def test_a_code_told_by_phone_proves_a_claim(session, service, curator, now):
    claim = claim_of(session, service, now, Proof.PHONE)
    code = claims.give_code(session, claim, by=curator, now=now)

    assert re.fullmatch(r"\d{8}", code)
    assert code.encode() not in claim.code_hash
    assert claims.try_code(session, claim, f" {code[:4]} {code[4:]}", now=now)
    assert (claim.status, claim.code_hash) == (ClaimStatus.PROVEN, None)


def test_a_code_ends_after_five_wrong_tries_and_a_new_one_begins_anew(
    session, service, curator, now
):
    claim = claim_of(session, service, now, Proof.PHONE)
    code = claims.give_code(session, claim, by=curator, now=now)
    for _ in range(claims.MOST_ATTEMPTS):
        assert not claims.try_code(session, claim, "wrong", now=now)
    assert not claims.try_code(session, claim, code, now=now)

    code = claims.give_code(session, claim, by=curator, now=now)
    assert claims.try_code(session, claim, code, now=now)


def test_a_code_ends_after_a_day_and_none_fits_where_none_was_given(session, service, curator, now):
    claim = claim_of(session, service, now, Proof.PHONE)
    assert not claims.try_code(session, claim, "", now=now)

    code = claims.give_code(session, claim, by=curator, now=now)
    other = claim_of(session, service, now, Proof.PHONE)
    assert not claims.try_code(session, other, code, now=now)
    assert not claims.try_code(session, claim, code, now=now + claims.CODE_LASTS)


# Decision ----------------------------------------------------------------------------------------


def test_approving_a_proven_claim_makes_an_account_of_the_agency(session, service, curator, now):
    claim = claim_of(session, service, now)
    claims.prove_by_link(session, key_in(letters(session)[0]), now=now)

    issued = claims.approve(session, claim, note="", by=curator, now=now)

    user = session.scalar(select(User).where(User.email == EMAIL))
    assert (user.name, user.role, user.organization_id) == (
        NAME,
        Role.AGENCY,
        service.organization_id,
    )
    assert (claim.status, claim.user_id, claim.decided_by_id) == (
        ClaimStatus.APPROVED,
        user.id,
        curator.id,
    )
    signed_up = accounts.take_link(session, issued.token, password=PASSWORD, now=now)
    assert signed_up.id == user.id
    actions = session.execute(select(AuditEntry.action, AuditEntry.actor_role)).all()
    assert ("user.invited", "curator") in actions
    assert ("claim.approved", "broker") in actions
    with pytest.raises(NotAllowed):
        claims.refuse(session, claim, "terlambat", by=curator, now=now)


def test_what_is_not_proven_is_approved_only_with_how_the_curator_knows(
    session, service, curator, now
):
    claim = claim_of(session, service, now, Proof.CURATOR)

    with pytest.raises(Invalid) as refused:
        claims.approve(session, claim, note=" ", by=curator, now=now)
    assert refused.value.field == "note"

    claims.approve(session, claim, note="bertemu di kantornya", by=curator, now=now)
    assert claim.decision_note == "bertemu di kantornya"


def test_an_agencys_existing_account_gets_the_organization(session, service, make, curator, now):
    user = make.user(Role.AGENCY, email=EMAIL)
    claim = claim_of(session, service, now, Proof.CURATOR)

    issued = claims.approve(session, claim, note="kenal", by=curator, now=now)

    assert issued is None
    assert user.organization_id == service.organization_id
    assert session.scalars(select(AccessLink)).all() == []


@pytest.mark.parametrize("values", [{"role": Role.BROKER}, {"role": Role.AGENCY, "active": False}])
def test_an_account_for_something_else_is_never_changed_by_a_claim(
    session, service, make, curator, now, values
):
    user = make.user(email=EMAIL, **values)
    before = (user.role, user.organization_id, user.active)
    claim = claim_of(session, service, now, Proof.CURATOR)

    with pytest.raises(NotAllowed):
        claims.approve(session, claim, note="kenal", by=curator, now=now)

    assert (user.role, user.organization_id, user.active) == before
    assert claim.status is ClaimStatus.WAITING


def test_a_refusal_has_a_reason(session, service, curator, now):
    claim = claim_of(session, service, now)
    with pytest.raises(Invalid):
        claims.refuse(session, claim, "  ", by=curator, now=now)

    claims.refuse(session, claim, "tidak dikenal di sana", by=curator, now=now)

    assert (claim.status, claim.decision_note) == (ClaimStatus.REFUSED, "tidak dikenal di sana")
    with pytest.raises(NotFound):
        claims.prove_by_link(session, key_in(letters(session)[0]), now=now)


def test_what_a_claim_says_about_a_person_is_deleted_thirty_days_after_its_decision(
    session, service, curator, now
):
    decided, waiting = (claim_of(session, service, now) for _ in range(2))
    claims.refuse(session, decided, "tidak dikenal", by=curator, now=now)

    assert claims.forget(session, now=now + timedelta(days=30)) == 0
    assert claims.forget(session, now=now + timedelta(days=30, seconds=1)) == 1

    assert session.scalars(select(Claim.id)).all() == [waiting.id]
    assert session.scalars(select(ListingLink.claim_id)).all() == [waiting.id]
    details = " ".join(str(e.details) for e in session.scalars(select(AuditEntry)))
    assert NAME not in details
    assert EMAIL not in details


# Suggestions -------------------------------------------------------------------------------------


def correct(session, service, field, text, now, by=PUBLIC):
    return suggestions.correct(
        session, service, Typed(field, text), gazetteer(session), by=by, now=now
    )


@pytest.mark.parametrize(
    ("field", "text", "values"),
    [
        ("name", "Klinik Zamrud Baru", {"name": "Klinik Zamrud Baru"}),
        (
            "phones",
            "(024) 672-2565\n119 ext 8",
            {
                "phones": [
                    {
                        "number": "024 6722565",
                        "extension": None,
                        "type": "cell",
                        "description": "meja depan",
                    },
                    {"number": "119", "extension": "8", "type": None, "description": None},
                ]
            },
        ),
        (
            "hours",
            "Senin-Jumat 08.00-15.30",
            {
                "hours": [
                    {
                        "days": ["MO", "TU", "WE", "TH", "FR"],
                        "opens": "08:00",
                        "closes": "15:30",
                        "every": "week",
                        "nth": [],
                        "start": None,
                    }
                ]
            },
        ),
        ("status", "temporarily closed", {"status": "temporarily closed"}),
        (
            "address",
            "Jalan Zamrud 5",
            {
                "address": {
                    "address_1": "Jalan Zamrud 5",
                    "city": "",
                    "state_province": "",
                    "postal_code": "",
                }
            },
        ),
    ],
)
def test_a_correction_waits_for_a_curator_with_the_value_it_means(
    session, service, curator, now, field, text, values
):
    phone = {"number": "024 6722565", "type": "cell", "description": "meja depan"}
    session.add(Phone(service_id=service.id, **phone))
    session.flush()
    session.refresh(service)

    change = correct(session, service, field, text, now)

    assert (change.kind, change.status, change.made_by_id, change.made_by_role) == (
        ChangeKind.CORRECTION,
        ChangeStatus.WAITING,
        None,
        "public",
    )
    assert (change.values, change.note) == (values, None)
    changes.approve(session, change, gazetteer(session), by=curator, now=now)
    assert change.status is ChangeStatus.PUBLISHED


@pytest.mark.parametrize(
    ("field", "text"),
    [
        ("eligibility", "hanya untuk lansia"),
        ("hours", "kadang-kadang"),
        ("phones", "tidak ada"),
        ("status", "pindah ke kota lain"),
    ],
)
def test_what_can_not_be_read_as_a_value_reaches_the_curator_as_words(
    session, service, now, field, text
):
    change = correct(session, service, field, text, now)

    said = label(f"listing.field.{field}", "id")
    assert (change.values, change.note) == ({}, f"{said}: {text}")


@pytest.mark.parametrize(
    ("field", "text", "wrong"),
    [
        ("name", "   ", "text"),
        ("name", "x" * 1001, "text"),
        ("name", "x" * 400, "text"),
        ("name", "Klinik Zamrud", "text"),
        ("url", "javascript:alert(1)", "text"),
        ("organization", "Lain", "field"),
        ("trusted", "true", "field"),
    ],
)
def test_a_correction_that_can_not_be_taken_names_its_field(
    session, service, now, field, text, wrong
):
    with pytest.raises(Invalid) as refused:
        correct(session, service, field, text, now)

    assert refused.value.field == wrong
    assert session.scalars(select(ListingChange)).all() == []


def test_corrections_do_not_flood_the_queue(session, service, now):
    for number in range(suggestions.MOST_A_DAY):
        correct(session, service, "name", f"Nama {number}", now)

    with pytest.raises(NotAllowed):
        correct(session, service, "name", "Satu lagi", now)
    correct(session, service, "name", "Besok", now + timedelta(days=1, seconds=1))


def test_a_listing_that_is_missing_waits_for_a_curator_and_becomes_one(session, curator, now):
    new = NewListing(
        name="Posyandu Mawar",
        organization="RW 05",
        categories=("HE05",),
        phones="0812-0000-1234",
        hours="tidak tentu",
        description="Timbang balita.",
    )

    change = suggestions.add(session, new, gazetteer(session), by=PUBLIC, now=now)

    assert (change.kind, change.status, change.service_id) == (
        ChangeKind.NEW,
        ChangeStatus.WAITING,
        None,
    )
    assert change.note == "Jam buka: tidak tentu"
    assert (change.values["name"], change.values["organization"]) == ("Posyandu Mawar", "RW 05")
    changes.approve(session, change, gazetteer(session), by=curator, now=now)
    assert (change.status, change.service_id is not None) == (ChangeStatus.PUBLISHED, True)


@pytest.mark.parametrize(("name", "organization"), [("", "RW 05"), ("Posyandu", " ")])
def test_a_missing_listing_needs_a_name_and_who_runs_it(session, now, name, organization):
    with pytest.raises(Invalid) as refused:
        suggestions.add(
            session, NewListing(name, organization), gazetteer(session), by=PUBLIC, now=now
        )

    assert refused.value.field == ("name" if not name else "organization")
