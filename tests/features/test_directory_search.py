"""Public search: what is found, in which order, and what must never be found."""

from datetime import timedelta

import pytest

from referral.directory import queries
from referral.directory.kinds import Remote, ServiceStatus, SystemType
from referral.directory.models import (
    Address,
    CostOption,
    Phone,
    Schedule,
    ServiceArea,
)
from referral.directory.search import Near, search
from referral.taxonomy.tree import UnknownCategory

SEMARANG = Near(-6.99, 110.42, 0.1, "33.74")


@pytest.fixture
def names(session):
    """Names on the first page of a search."""

    def run(**asked):
        return [hit.listing.service.name for hit in search(session, **asked).page.items]

    return run


def listing(session, site):
    return queries.get(session, site.service_id)


def test_words_are_found_in_names_of_services_and_organizations_and_in_addresses(
    session, make, names
):
    make.service("HE01", name="Puskesmas Zamrud")
    make.service("SP04", name="Bantuan Hukum", organization=make.organization(name="LBH Zamrud"))
    street = make.service("SA04", name="Loket")
    session.add(
        Address(
            location_id=street.location_id,
            address_1="Jl. Zamrud 3",
            city="Kota Semarang",
            state_province="Jawa Tengah",
            postal_code="",
            country="ID",
        )
    )
    make.service("HE01", name="Puskesmas Lain")
    session.flush()

    assert set(names(words="zamrud")) == {"Puskesmas Zamrud", "Bantuan Hukum", "Loket"}
    assert names(words="puskesmas zamrud") == ["Puskesmas Zamrud"]


@pytest.mark.parametrize("words", ["rumah sakit jiwa kencana", "RSJ Kencana", "rs jiwa kencana"])
def test_short_and_full_names_of_offices_find_each_other(make, names, words):
    make.service("HE05", name="RSJ Kencana")
    make.service("HE05", name="RS Jiwa Lain")

    assert names(words=words) == ["RSJ Kencana"]


def test_a_misspelt_name_is_found(make, names):
    make.service("HE01", name="Puskesmas Zamrudia")
    make.service("HE01", name="Puskesmas Kencana")

    assert names(words="pukesmas zamruddia") == ["Puskesmas Zamrudia"]


@pytest.mark.parametrize("words", ["tempat penitipan anak", "daycare"])
def test_words_of_either_language_find_a_kind_of_help(make, names, words):
    make.service("FC05", name="Taman Kencana")
    make.service("SP03", name="Loket")

    assert names(words=words) == ["Taman Kencana"]


def test_the_best_name_comes_first(make, names):
    make.service(name="Yayasan Kencana Zamrud Semarang Sejahtera")
    make.service(name="Zamrud")

    assert names(words="zamrud")[0] == "Zamrud"


def test_with_a_place_the_nearest_comes_first_with_its_distance_and_doubt(session, make):
    make.service("FC05", name="Jauh", at=(-7.5, 110.42))
    make.service("FC05", name="Dekat", at=(-7.0, 110.42))
    make.service("FC05", name="Tanpa titik", at=None)

    hits = search(session, category="FC05", near=SEMARANG).page.items

    assert [(h.listing.service.name, h.km and round(h.km)) for h in hits] == [
        ("Tanpa titik", None),  # lies somewhere in the city that was asked for
        ("Dekat", 1),
        ("Jauh", 57),
    ]
    assert hits[1].unsure_km == pytest.approx(0.6)


def test_services_by_phone_stand_beside_and_only_where_they_work(session, make):
    make.service("EM06", name="Di sini")
    for name, area in (("Seluruhnya", "*"), ("Jakarta", "31"), ("Jawa Tengah", "33")):
        site = make.service("EM06", name=name, at=None, remote=Remote.PHONE)
        session.add(ServiceArea(service_id=site.service_id, area_code=area))
    session.flush()

    results = search(session, category="EM06", near=SEMARANG)

    assert [h.listing.service.name for h in results.page.items] == ["Di sini"]
    assert [hit.listing.service.name for hit in results.remote] == ["Jawa Tengah", "Seluruhnya"]
    assert search(session, category="EM06").remote == []


def test_a_domain_covers_its_leaves_and_an_unknown_category_is_refused(session, make, names):
    make.service("IN04", name="Pensiun")
    make.service("HE01", name="Sehat")

    assert names(category="IN") == ["Pensiun"]
    with pytest.raises(UnknownCategory):
        search(session, category="ZZ01")


@pytest.mark.parametrize("status", [ServiceStatus.INACTIVE, ServiceStatus.DEFUNCT])
def test_what_is_closed_for_good_is_not_found(make, names, status):
    make.service("FC05", name="Tutup", status=status)
    make.service("FC05", name="Sementara", status=ServiceStatus.TEMPORARILY_CLOSED)

    assert names(category="FC05") == ["Sementara"]


def test_informal_help_is_never_found_or_shown(session, make, names):
    neighbours = make.organization(name="Arisan Zamrud", system_type=SystemType.INFORMAL)
    make.service("FC05", name="Titip anak di Zamrud", organization=neighbours)

    assert names(words="zamrud") == []
    assert names(category="FC05") == []
    assert queries.by_ids(session, [one.id for one in neighbours.services]) == {}


def test_a_confidential_place_has_no_distance_and_its_street_finds_nothing(session, make, names):
    site = make.service("EM07", name="Rumah Aman", confidential=True)
    session.add(
        Address(
            location_id=site.location_id,
            address_1="Jl. Zamrud 9",
            city="Kota Semarang",
            state_province="Jawa Tengah",
            postal_code="",
            country="ID",
        )
    )
    session.flush()

    assert names(words="zamrud") == []
    [hit] = search(session, category="EM07", near=SEMARANG).page.items
    assert hit.km is None
    shown = listing(session, site).sites[0]
    assert (shown.latitude, shown.longitude, shown.precision_km) == (None, None, None)
    assert (shown.address, shown.area_code, shown.confidential) == (None, "33.74", True)


def test_open_now_asks_for_certainty(session, make, names, now):
    for name, opens in (("Buka", "08:00"), ("Belum", "13:00")):
        site = make.service("FC05", name=name)
        session.add(
            Schedule(
                service_id=site.service_id,
                freq="WEEKLY",
                byday="MO",
                opens_at=opens,
                closes_at="16:00",
                timezone=7.0,
            )
        )
    make.service("FC05", name="Tidak diketahui")
    session.flush()

    assert names(category="FC05", open_at=now) == ["Buka"]
    assert names(category="FC05", open_at=now + timedelta(days=1)) == []


def test_free_asks_for_certainty(session, make, names):
    free, paid = make.service("FC05", name="Gratis"), make.service("FC05", name="Bayar")
    make.service("FC05", name="Tidak diketahui")
    session.add(CostOption(service_id=free.service_id, option="free", amount=0.0))
    session.add(CostOption(service_id=paid.service_id, option="paid", amount=None))
    session.flush()

    assert names(category="FC05", free=True) == ["Gratis"]


def test_age_leaves_out_only_those_known_to_be_for_others(make, names):
    make.service("FC05", name="Balita", minimum_age=0, maximum_age=5)
    make.service("FC05", name="Lansia", minimum_age=60)
    make.service("FC05", name="Tidak diketahui")

    assert set(names(category="FC05", age_years=5.9)) == {"Balita", "Tidak diketahui"}
    assert set(names(category="FC05", age_years=70)) == {"Lansia", "Tidak diketahui"}


def test_pages_hold_everything_once_and_a_page_past_the_end_is_the_last(session, make):
    made = {make.service("FC05").service_id for _ in range(7)}

    pages = [search(session, category="FC05", page=n, size=3).page for n in (1, 2, 3)]

    assert {(p.total, p.last) for p in pages} == {(7, 3)}
    assert {hit.listing.service.id for page in pages for hit in page.items} == made
    assert search(session, category="FC05", page=99, size=3).page.number == 3


@pytest.mark.parametrize(
    "words", ["'; DROP TABLE service; --", "%_\\", "<script>", "a" * 10_000, "", "???"]
)
def test_any_text_may_be_searched_for(session, make, words):
    make.service("FC05", name="Taman")

    assert search(session, words=words).page.number == 1


def test_emergency_numbers_start_with_those_that_work_everywhere(session, make):
    def hotline(name, number, *areas, **values):
        site = make.service(
            "EM01", name=name, at=None, remote=Remote.PHONE, facility_type="HOTLINE", **values
        )
        session.add(Phone(service_id=site.service_id, number=number, type="hotline"))
        for area in areas:
            session.add(ServiceArea(service_id=site.service_id, area_code=area))

    hotline("Jakarta", "112", "31")
    hotline("Jawa Tengah", "118", "33")
    hotline("Nasional", "119", "*")
    hotline("Tutup", "999", "*", status=ServiceStatus.DEFUNCT)
    session.flush()

    everywhere = queries.emergency_numbers(session)
    here = queries.emergency_numbers(session, area_code="33.74")

    assert [(n.number, n.name) for n in everywhere] == [
        ("119", "Nasional"),
        ("112", "Jakarta"),
        ("118", "Jawa Tengah"),
    ]
    assert [n.name for n in here] == ["Nasional", "Jawa Tengah"]


def test_before_any_listing_is_loaded_there_are_still_numbers_to_call(session):
    assert [n.number for n in queries.emergency_numbers(session)] == ["112", "110", "119", "115"]


def test_a_kind_that_answers_only_a_part_of_the_words_is_shown_where_nothing_answers_more(
    make, names
):
    make.service("SS02", name="Anjungan PAUD")
    assert names(words="stres sekolah") == ["Anjungan PAUD"]

    make.service("SS03", name="Ruang Konseling")
    assert names(words="stres sekolah") == ["Ruang Konseling"]
