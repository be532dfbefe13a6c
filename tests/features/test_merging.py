"""One listing is made of two and can be taken apart again; nothing that refers to either is lost."""

from datetime import date, timedelta
from uuid import UUID, uuid4

import pytest
from sqlalchemy import select, update
from sqlalchemy.orm import Session

from referral.accounts.models import Role
from referral.casework.models import Exclusion
from referral.changes.actors import SYSTEM
from referral.changes.models import AuditEntry, ChangeRecord, DirectoryChange
from referral.core.errors import Invalid, NotAllowed
from referral.core.text import render
from referral.directory.duplicates import finding, merging, preview, queries, undoing
from referral.directory.duplicates.merging import GONE, Choices
from referral.directory.duplicates.models import DuplicatePair, PairStatus
from referral.directory.duplicates.references import CHOSEN, FIELDS, REFERENCES
from referral.directory.kinds import CapacityStatus, Criterion, ServiceStatus
from referral.directory.models import (
    Address,
    Attribute,
    CostOption,
    EligibilityRule,
    EntryStep,
    Language,
    Phone,
    RequiredDocument,
    Schedule,
    Service,
    ServiceArea,
    ServiceAtLocation,
    ServiceCapacity,
    TaxonomyTerm,
)
from referral.directory.search import search
from referral.directory.upkeep.models import (
    ChangeKind,
    ChangeStatus,
    Claim,
    ClaimStatus,
    LinkPurpose,
    ListingChange,
    ListingLink,
    ListingReport,
    ListingUse,
    Proof,
)
from referral.matching.facts import Query
from referral.matching.models import ServiceStanding
from referral.matching.operations import answer
from referral.places.gazetteer import Gazetteer
from referral.planning.proposals.models import Proposal
from referral.referrals.models import Referral
from referral.tables import metadata

#: What a merge and its undoing leave behind on purpose.
TRACES = {"metadata", "directory_change", "audit_entry", "audit_head", "merge"}
FAR = (-6.99, 110.50)


def contents(session: Session) -> dict[str, list[dict[str, object]]]:
    """Every row of every table but the traces; versions and times of change go forward only."""
    session.flush()
    found = {}
    for name, table in metadata.tables.items():
        if name in TRACES or name.startswith("place") or name == "taxonomy_term":
            continue
        rows = [dict(row) for row in session.execute(select(table)).mappings()]
        if name == "service":
            for row in rows:
                del row["version"], row["last_modified"]
        found[name] = sorted(rows, key=str)
    return found


@pytest.fixture
def two(make, session, now):
    """Two listings of one help, with something in every table that refers to them."""
    kept = make.service("HE05", name="RSUD Harapan", facility_type="RS", description="Umum")
    gone = make.service(
        "HE05", "HE06", name="Rumah Sakit Umum Daerah Harapan", email="a@rs.example"
    )
    far = make.service("HE05", name="tempat lain", at=FAR)
    far_site = session.get_one(ServiceAtLocation, far.id)
    far_site.service = gone.service
    case = make.case()
    need = make.need(case)
    term = session.scalars(select(TaxonomyTerm)).first()
    user = make.user(Role.ADMINISTRATOR)
    rows = [
        Address(location_id=kept.location_id, address_1="Jl. Mawar 1", city="Semarang", state_province="Jawa Tengah", postal_code="", country="ID"),
        Address(location_id=gone.location_id, address_1="Jalan Mawar No 1", city="Semarang", state_province="Jawa Tengah", postal_code="50131", country="ID"),
        Phone(service_id=kept.service_id, number="024 3540000"),
        Phone(service_id=gone.service_id, number="(024) 3540000"),
        Phone(service_id=gone.service_id, number="024 3541111"),
        Phone(service_at_location_id=gone.id, number="024 3542222"),
        Schedule(service_id=kept.service_id, freq="WEEKLY", byday="MO", opens_at="08:00", closes_at="12:00"),
        Schedule(service_id=gone.service_id, freq="WEEKLY", byday="TU", opens_at="08:00", closes_at="12:00"),
        ServiceArea(service_id=gone.service_id, area_code="33.74"),
        Language(service_id=gone.service_id, code="jav"),
        CostOption(service_id=gone.service_id, option="free", amount=0),
        RequiredDocument(service_id=gone.service_id, document="KTP"),
        ServiceCapacity(service_id=gone.service_id, status=CapacityStatus.CAPACITY, updated=now),
        EligibilityRule(service_id=kept.service_id, criterion=Criterion.SEX, values=["female"]),
        EligibilityRule(service_id=gone.service_id, criterion=Criterion.SEX, values=["male"]),
        EligibilityRule(service_id=gone.service_id, criterion=Criterion.DESIL, values=[4]),
        EntryStep(service_id=gone.service_id, position=1, office="Kelurahan"),
        Attribute(link_id=gone.service_id, link_entity="service", taxonomy_term_id=term.id),
        ListingReport(service_id=gone.service_id, text="nomornya mati", reported_at=now),
        ListingReport(service_id=gone.service_id, text="sudah", reported_at=now, closed_at=now),
        ListingChange(service_id=gone.service_id, kind=ChangeKind.EDIT, status=ChangeStatus.WAITING, values={}, previous={}, made_by_role="agency", made_at=now),
        ListingChange(service_id=gone.service_id, kind=ChangeKind.EDIT, status=ChangeStatus.PUBLISHED, values={}, previous={}, made_by_role="agency", made_at=now),
        Claim(service_id=gone.service_id, organization_id=gone.service.organization_id, name="Sari", email="s@rs.example", proof=Proof.CURATOR, status=ClaimStatus.WAITING, made_at=now),
        ListingLink(service_id=gone.service_id, purpose=next(iter(LinkPurpose)), token_hash=uuid4().bytes, made_at=now, expires_at=now),
        ListingUse(service_id=kept.service_id, month=date(2026, 3, 1), times=3),
        ListingUse(service_id=gone.service_id, month=date(2026, 3, 1), times=4),
        ListingUse(service_id=gone.service_id, month=date(2026, 2, 1), times=5),
        ServiceStanding(service_id=gone.service_id, due=6, in_time=5, open_referrals=1),
        Proposal(category="HE05", area_code="33.74", title="RS", problem="jauh", created_at=now, created_by_id=user.id, service_id=gone.service_id),
        Exclusion(key=case.key, case_id=case.id, organization_id=gone.service.organization_id, at=now, by_id=case.broker_id),
        Referral(key=case.key, number="R-1", office_id=case.office_id, case_id=case.id, need_id=need.id, client_id=case.client_id, service_id=gone.service_id, service_at_location_id=gone.id, organization_id=gone.service.organization_id, priority="routine", answer_mode="replies", created_at=now),
    ]  # fmt: skip
    session.add_all(rows)
    session.flush()
    session.expire_all()
    finding.find_for(session, kept.service_id, now=now)
    return kept, gone, far_site, user


def columns(session: Session, model: type, column: str, **where: object) -> list[object]:
    query = select(getattr(model, column)).filter_by(**where)
    return sorted(session.scalars(query), key=str)


def test_every_column_that_refers_to_a_listing_its_sites_or_places_is_declared() -> None:
    referring = {
        (table.name, column.name, key.column.table.name)
        for table in metadata.tables.values()
        for column in table.columns
        for key in column.foreign_keys
        if key.column.table.name in {"service", "service_at_location", "location"}
    }

    assert {(one.table, one.column, one.to) for one in REFERENCES} == referring


def test_every_column_of_a_service_is_chosen_or_known_not_to_be() -> None:
    others = {
        "id", "source", "source_id", "as_stated", "program_id", "version", "last_modified", "merged_into_id", "entered_at",
    }  # fmt: skip
    chosen = {column for some in FIELDS.values() for column in some}

    assert chosen | others == set(metadata.tables["service"].columns.keys())
    assert not chosen & others


def test_the_kept_listing_gets_what_it_lacks_and_both_sites_when_they_are_two_places(
    session, two, now
):
    kept, gone, far, user = two

    merging.merge(session, kept.service_id, gone.service_id, by=user, now=now)

    service = session.get_one(Service, kept.service_id)
    assert (service.name, service.description, service.email) == (
        "RSUD Harapan",
        "Umum",
        "a@rs.example",
    )
    assert {site.id for site in service.sites} == {kept.id, far.id}
    assert {c.code for c in service.categories} == {"HE05", "HE06"}
    assert sorted(p.number for p in service.phones) == ["024 3540000", "024 3541111"]
    assert columns(session, Phone, "number", service_at_location_id=kept.id) == ["024 3542222"]
    assert [s.byday for s in service.schedules] == ["MO"]
    assert [c.option for c in service.cost_options] == ["free"]
    assert {r.criterion: r.values for r in service.eligibility_rules} == {Criterion.SEX: ["female"]}
    assert columns(session, ListingReport, "text", service_id=service.id) == ["nomornya mati"]
    assert columns(session, ListingChange, "status", service_id=service.id) == ["waiting"]
    assert columns(session, Claim, "organization_id", service_id=service.id) == [
        service.organization_id
    ]
    assert columns(session, ListingUse, "times", service_id=service.id) == [5, 7]
    assert columns(session, ServiceStanding, "due", service_id=service.id) == [6]
    assert columns(session, Proposal, "title", service_id=service.id) == ["RS"]
    assert columns(session, Attribute, "link_entity", link_id=service.id) == ["service"]


def test_the_other_is_closed_leads_to_it_and_is_found_nowhere(session, two, now):
    kept, gone, _far, user = two

    merging.merge(session, kept.service_id, gone.service_id, by=user, now=now)

    other = session.get_one(Service, gone.service_id)
    assert (other.status, other.merged_into_id) == (ServiceStatus.DEFUNCT, kept.service_id)
    found = search(session, words="rumah sakit harapan")
    assert [hit.listing.service.id for hit in found.page.items] == [kept.service_id]
    assert queries.waiting(session).total == 0


def test_a_match_offers_the_kept_listing_once_at_each_place_and_the_other_not_even_as_a_near_miss(
    session, two, now
):
    kept, gone, far, user = two
    query = Query(need="HE05", at=now, near=(-6.9903, 110.4229), precision_km=0.5)

    def named() -> list[str]:
        content = answer(session, query, zone="Asia/Jakarta")
        parts = (content[part] for part in ("options", "remote", "why_not"))
        return sorted(one["service_at_location_id"] for part in parts for one in part)

    assert named() == sorted(map(str, (kept.id, gone.id, far.id)))
    merging.merge(session, kept.service_id, gone.service_id, by=user, now=now)
    assert named() == sorted(map(str, (kept.id, far.id)))


def test_a_referral_moves_but_its_organization_and_site_stay_as_they_were_asked(session, two, now):
    kept, gone, _far, user = two
    asked = session.scalars(select(Referral)).one().organization_id

    merging.merge(session, kept.service_id, gone.service_id, by=user, now=now)

    referral = session.scalars(select(Referral)).one()
    assert (referral.service_id, referral.service_at_location_id, referral.organization_id) == (
        kept.service_id,
        gone.id,
        asked,
    )
    assert referral.site.service.name == "Rumah Sakit Umum Daerah Harapan"


def test_an_option_of_an_old_search_leads_to_the_site_it_became(session, two, now):
    kept, gone, far, user = two
    assert queries.site_now(session, gone.id).id == gone.id

    merging.merge(session, kept.service_id, gone.service_id, by=user, now=now)

    found = [queries.site_now(session, one) for one in (gone.id, far.id, uuid4())]
    assert [site and site.id for site in found] == [kept.id, far.id, None]


def test_a_client_who_keeps_one_organization_out_is_kept_from_the_merged_listing(session, two, now):
    kept, gone, _far, user = two
    runs_it = session.get_one(Service, kept.service_id).organization_id

    merging.merge(session, kept.service_id, gone.service_id, by=user, now=now)

    assert {one.organization_id for one in session.scalars(select(Exclusion))} >= {runs_it}


def test_a_curator_chooses_field_by_field_and_place_by_place(session, two, now):
    kept, gone, far, user = two
    theirs = session.get_one(ServiceAtLocation, gone.id).location_id
    chosen = Choices(
        fields={"name": GONE, "schedule": GONE, "eligibility_rule": GONE},
        sites={gone.id: kept.id, far.id: None},
        places=frozenset({gone.id}),
    )

    merging.merge(session, kept.service_id, gone.service_id, chosen, by=user, now=now)

    service = session.get_one(Service, kept.service_id)
    assert service.name == "Rumah Sakit Umum Daerah Harapan"
    assert [s.byday for s in service.schedules] == ["TU"]
    assert {r.criterion: r.values for r in service.eligibility_rules} == {
        Criterion.SEX: ["male"],
        Criterion.DESIL: [4],
    }
    assert session.get_one(ServiceAtLocation, kept.id).location_id == theirs


@pytest.mark.parametrize("everything_of", ["kept", "gone"])
def test_undoing_restores_every_table(session, two, now, everything_of):
    kept, gone, _far, user = two
    before = contents(session)
    chosen = Choices(
        fields=dict.fromkeys((*FIELDS, *CHOSEN), everything_of),
        places=frozenset({gone.id}) if everything_of == GONE else frozenset(),
    )
    merge = merging.merge(session, kept.service_id, gone.service_id, chosen, by=user, now=now)
    assert contents(session) != before

    left = undoing.undo(session, merge, by=user, now=now + timedelta(hours=1))

    assert left == []
    after = contents(session)
    assert {name: rows for name, rows in after.items() if rows != before[name]} == {}


def test_what_was_changed_since_stays_and_is_named(session, two, now):
    kept, gone, _far, user = two
    merge = merging.merge(session, kept.service_id, gone.service_id, by=user, now=now)
    service = session.get_one(Service, kept.service_id)
    service.email = "baru@rs.example"
    session.delete(next(p for p in service.phones if p.number == "024 3541111"))
    use = session.get_one(ListingUse, (kept.service_id, date(2026, 3, 1)))
    use.times += 1
    session.flush()

    left = undoing.undo(session, merge, by=user, now=now)

    assert sorted(render(one, "en") for one in left) == [
        "This was changed after the merge, so it stays as it is now: listing (email).",
        "This was deleted since and can't be restored: phone numbers.",
    ]
    assert session.get_one(Service, kept.service_id).email == "baru@rs.example"
    assert session.get_one(Service, gone.service_id).status is ServiceStatus.ACTIVE
    assert session.get_one(ListingUse, (kept.service_id, date(2026, 3, 1))).times == 4


def test_a_referral_made_since_goes_back_with_its_site(session, two, now, make):
    kept, gone, far, user = two
    merge = merging.merge(session, kept.service_id, gone.service_id, by=user, now=now)
    case = make.case()
    session.add(
        Referral(key=case.key, number="R-2", office_id=case.office_id, case_id=case.id, need_id=make.need(case).id, client_id=case.client_id, service_id=kept.service_id, service_at_location_id=far.id, organization_id=kept.service.organization_id, priority="routine", answer_mode="replies", created_at=now)
    )  # fmt: skip

    undoing.undo(session, merge, by=user, now=now)

    made = session.scalars(select(Referral).where(Referral.number == "R-2")).one()
    assert made.service_id == gone.service_id


def test_a_merge_on_which_another_stands_is_undone_after_it(session, two, make, now):
    kept, gone, _far, user = two
    third = make.service("HE05", name="RS Harapan Tiga")
    before = contents(session)
    first = merging.merge(session, kept.service_id, gone.service_id, by=user, now=now)
    later = now + timedelta(minutes=1)
    second = merging.merge(session, third.service_id, kept.service_id, by=user, now=later)
    assert session.get_one(Service, gone.service_id).merged_into_id == third.service_id

    with pytest.raises(NotAllowed, match="RSUD Harapan"):
        undoing.undo(session, first, by=user, now=later)
    assert undoing.undo(session, second, by=user, now=later) == []
    assert undoing.undo(session, first, by=user, now=later) == []

    after = contents(session)
    assert {name: rows for name, rows in after.items() if rows != before[name]} == {}
    with pytest.raises(NotAllowed):
        undoing.undo(session, first, by=user, now=later)


def test_a_merge_is_in_the_change_record_the_feed_and_the_audit(session, two, now):
    kept, gone, _far, user = two
    merge = merging.merge(session, kept.service_id, gone.service_id, by=user, now=now)

    def recorded(field: str) -> list[tuple[str, str]]:
        rows = session.scalars(select(ChangeRecord).where(ChangeRecord.field_name == field))
        return [(one.previous_value, one.replacement_value) for one in rows]

    assert recorded("merged_into_id") == [("", str(kept.service_id))]
    assert (str(gone.service_id), str(kept.service_id)) in recorded("service_id")
    assert {one.service_id for one in session.scalars(select(DirectoryChange))} >= {
        kept.service_id,
        gone.service_id,
    }
    undoing.undo(session, merge, by=user, now=now)
    assert recorded("merged_into_id")[1:] == [(str(kept.service_id), "")]
    actions = [one.action for one in session.scalars(select(AuditEntry).order_by(AuditEntry.seq))]
    assert actions[-2:] == ["listing.merged", "listing.unmerged"]


def test_what_can_not_be_merged_is_refused(session, two, now):
    kept, gone, far, user = two

    with pytest.raises(Invalid):
        merging.merge(session, kept.service_id, kept.service_id, by=user, now=now)
    wrong = Choices(fields={"name": "neither"})
    with pytest.raises(Invalid):
        merging.merge(session, kept.service_id, gone.service_id, wrong, by=user, now=now)
    wrong = Choices(sites={far.id: uuid4()})
    with pytest.raises(Invalid):
        merging.merge(session, kept.service_id, gone.service_id, wrong, by=user, now=now)
    merging.merge(session, kept.service_id, gone.service_id, by=user, now=now)
    with pytest.raises(NotAllowed):
        merging.merge(session, kept.service_id, gone.service_id, by=user, now=now)


def test_a_preview_says_what_each_has_and_what_moves(session, two, now):
    kept, gone, far, _user = two

    seen = preview.preview(session, kept.service_id, gone.service_id, Gazetteer([]), "en")

    lines = {line.name: line for line in seen.lines}
    assert (lines["name"].kept, lines["name"].gone, lines["name"].is_choice) == (
        "RSUD Harapan",
        "Rumah Sakit Umum Daerah Harapan",
        True,
    )
    assert (lines["email"].proposed, lines["description"].proposed) == ("gone", "kept")
    assert {one.site_id: one.same_as for one in seen.sites} == {gone.id: kept.id, far.id: None}
    assert dict(seen.moves)["referral"] == 1


def test_looking_again_keeps_decisions_drops_what_no_longer_fits_and_finds_what_is_new(
    session, make, now
):
    place = (-1.5, 120.1)
    one = make.service(name="Panti Asuhan Kasih Bunda", at=place)
    two = make.service(name="LKSA Kasih Bunda", at=place)
    three = make.service(name="Panti Asuhan Kasih Bunda", at=(-1.5001, 120.1001))
    assert finding.find_for(session, one.service_id, now=now)[0].added == 2
    assert finding.find_for(session, two.service_id, now=now)[0].added == 1
    first = pair_of(session, one, two)
    merging.differ(session, first, by=SYSTEM, now=now)

    found, some = finding.look(session)
    waiting = finding.keep(session, found, some, now=now)
    ours = {one.service_id, two.service_id, three.service_id}
    mine = [c for c in waiting if {c.first_id, c.second_id} <= ours]
    assert found.decided == 1
    assert {(c.first_id, c.second_id) for c in mine} == {
        ordered(one, three),
        ordered(two, three),
    }

    three.service.name = "Klinik Melati"
    session.flush()
    finding.keep(session, *finding.look(session), now=now)
    assert pair_of(session, one, three) is None
    assert pair_of(session, one, two).status is PairStatus.DIFFERENT


def test_a_pair_found_different_is_asked_again_when_it_comes_to_look_much_more_alike(
    session, make, now
):
    one = make.service(name="Panti Asuhan Kasih", at=(-1.5, 120.1))
    two = make.service(name="Panti Asuhan Kasih", at=(-1.53, 120.1))
    finding.find_for(session, one.service_id, now=now)
    pair = pair_of(session, one, two)
    merging.differ(session, pair, by=SYSTEM, now=now)
    session.execute(update(DuplicatePair).values(score=0.55))
    for site in (one, two):
        session.add(Phone(service_id=site.service_id, number="0451 421421"))
    session.flush()

    found, _waiting = finding.find_for(session, one.service_id, now=now)

    session.expire_all()
    assert found.reopened == 1
    assert pair_of(session, one, two).status is PairStatus.OPEN


def test_what_was_found_different_from_a_listing_is_different_from_the_one_it_became(
    session, make, now
):
    one, two, three = (make.service(name="Panti Kasih Bunda", at=(-1.5, 120.1)) for _ in range(3))
    for site in (one, two):
        finding.find_for(session, site.service_id, now=now)
    merging.differ(session, pair_of(session, two, three), by=SYSTEM, now=now)
    session.delete(pair_of(session, one, three))
    merging.merge(session, one.service_id, two.service_id, by=SYSTEM, now=now)

    found, waiting = finding.find_for(session, one.service_id, now=now)

    assert (found.decided, waiting) == (1, [])


def test_nothing_is_read_of_a_confidential_place_but_its_regency(session, make, now):
    site = make.service(name="Rumah Aman Melati", at=(-1.5, 120.1), confidential=True)
    session.add(
        Address(location_id=site.location_id, address_1="Jl. Rahasia 9", city="", state_province="", postal_code="", country="ID")
    )  # fmt: skip
    session.flush()

    columns_ = finding.load(session, only=[site.service_id])

    assert columns_.sites == [((None, None, 0.5, "33.74", None),)]


def pair_of(session, one, two):
    first, second = ordered(one, two)
    return session.scalar(
        select(DuplicatePair).where(
            DuplicatePair.first_id == first, DuplicatePair.second_id == second
        )
    )


def ordered(one, two) -> tuple[UUID, UUID]:
    first, second = sorted((one.service_id, two.service_id))
    return first, second
