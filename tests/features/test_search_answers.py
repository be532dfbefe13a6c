"""What the public search answers, and how it explains it."""

import csv
from pathlib import Path

import pytest
from sqlalchemy import delete

from referral.directory.kinds import CategoryBasis, SystemType
from referral.directory.models import Schedule
from referral.directory.search import Near, ids, misses, search
from referral.directory.search.postings import Field
from referral.directory.upkeep.models import SearchMiss

JUDGED = Path(__file__).parent / "data" / "search_judgements.csv"
SEMARANG = Near(-6.99, 110.42, 0.1, "33.74")
#: Share of the judged queries that find what is expected among the first five.
LEAST_FOUND = 0.95


@pytest.fixture
def names(session):
    def run(**asked):
        return [hit.listing.service.name for hit in search(session, **asked).page.items]

    return run


@pytest.mark.parametrize(
    "words",
    [
        "puskes zamrud",  # begun
        "zamrud puskesmas",  # in another order
        "pkm zamrud",  # short
        "pusat kesehatan masyarakat zamrud",  # in full
        "puskesmaszamrud",  # a space forgotten
        "puskesm aszamrud",  # a space in the wrong place
        "PUSKESMAS, ZAMRUD!",
        "puskesmas zmarudd",  # two mistakes
    ],
)
def test_a_name_is_found_however_it_is_typed(make, names, words):
    make.service("HE01", name="Puskesmas Zamrud")
    make.service("HE01", name="Puskesmas Kencana")

    assert names(words=words)[0] == "Puskesmas Zamrud"


def test_inflected_words_find_each_other_and_literal_words_come_first(make, names):
    make.service("SA04", name="Loket A", description="Pelayanan pengaduan warga.")
    make.service("SA04", name="Pengaduan Warga")

    assert names(words="layani") == ["Loket A"]
    assert names(words="mengadukan") == ["Pengaduan Warga"]
    assert names(words="pengaduan")[0] == "Pengaduan Warga"


def test_a_kind_of_help_and_a_place_together_are_found_without_either_in_the_name(
    session, make, names
):
    make.service("FC05", name="Taman Ceria", organization=make.organization(name="Zamrud"))
    make.service("FC05", name="Taman Lain")

    assert names(words="penitipan anak zamrud") == ["Taman Ceria"]
    assert names(words="daycare zamrud") == ["Taman Ceria"]
    assert names(words="penitpan anak")[:2] == ["Taman Ceria", "Taman Lain"]


def test_what_the_source_states_comes_before_what_its_kind_suggests(make, names):
    make.service("HE05", name="A", basis=CategoryBasis.INFERRED)
    make.service("HE05", name="B")

    assert names(words="psikiater") == ["B", "A"]


def test_words_and_nearness_weigh_together(make, names):
    make.service("HE01", name="Puskesmas Zamrud", at=(-7.6, 110.42))
    make.service("HE01", name="Puskesmas Kencana", at=(-7.0, 110.42))

    assert names(words="puskesmas", near=SEMARANG) == ["Puskesmas Kencana", "Puskesmas Zamrud"]
    assert names(words="puskesmas zamrud", near=SEMARANG)[0] == "Puskesmas Zamrud"


def test_a_hit_says_which_word_answered_and_where_it_stands(session, make):
    make.service("FC05", name="Taman Zamrud", organization=make.organization(name="Kencana"))

    [hit] = search(session, words="zamrd kencana daycare").page.items

    assert [(one.asked, one.word, one.field) for one in hit.why] == [
        ("zamrd", "zamrud", Field.NAME),
        ("kencana", "kencana", Field.ORGANIZATION),
        ("daycare", "daycare", None),
    ]


def test_words_that_nothing_has_are_named_and_the_others_still_find(session, make):
    make.service("HE01", name="Puskesmas Zamrud")

    results = search(session, words="puskesmas qqqxyw zamrud")

    assert [hit.listing.service.name for hit in results.page.items] == ["Puskesmas Zamrud"]
    assert results.missing == ["qqqxyw"]


def test_other_interfaces_get_ids_in_the_same_order(session, make):
    best = make.service("HE01", name="Zamrud").service_id
    make.service("HE01", name="Yayasan Zamrud Kencana")
    hidden = make.organization(name="Arisan Zamrud", system_type=SystemType.INFORMAL)
    make.service("HE01", name="Zamrud Kami", organization=hidden)

    assert ids(session, "zamrud", 10)[0] == best
    assert len(ids(session, "zamrud", 10)) == 2
    assert ids(session, "zamrud", 1) == [best]


@pytest.mark.parametrize("half", ["tune", "held"])
def test_queries_people_would_type_find_what_they_mean_in_the_starter_directory(session, cli, half):
    """Written before the search was; one half was looked at while it was made, the other was not."""
    cli("directory", "starter")
    with JUDGED.open(encoding="utf-8", newline="") as file:
        judged = [row for row in csv.DictReader(file) if row["half"] == half]

    missed = []
    for row in judged:
        found = [
            hit.listing.service for hit in search(session, words=row["query"], size=5).page.items
        ]
        right = {service.name for service in found} | {
            category.code for service in found for category in service.categories
        }
        if row["expected"] not in right:
            missed.append(row["query"])

    assert len(judged) == 22
    assert len(missed) <= (1 - LEAST_FOUND) * len(judged), missed


@pytest.mark.parametrize("whose", ["service", "site", "place"])
def test_open_now_reads_hours_wherever_the_listing_does(session, make, names, now, whose):
    site = make.service("HE01", name="Klinik Zamrud")
    other = make.service("HE01", name="Klinik Kencana")
    for one, opens in ((site, "08:00"), (other, "13:00")):
        link = {
            "service": {"service_id": one.service_id},
            "site": {"service_at_location_id": one.id},
            "place": {"location_id": one.location_id},
        }[whose]
        rule = {"freq": "WEEKLY", "byday": "MO", "timezone": 7.0}
        session.add(Schedule(**link, **rule, opens_at=opens, closes_at="16:00"))
    session.flush()

    assert names(words="klinik", open_at=now) == ["Klinik Zamrud"]
    assert search(session, words="klinik", open_at=now).page.total == 1


# Misses ------------------------------------------------------------------------------------------


def counted(session):
    rows = session.query(SearchMiss).order_by(SearchMiss.words)
    return [(one.words, one.month.isoformat(), one.times) for one in rows]


def test_searches_in_vain_are_counted_by_month_and_without_what_may_tell_a_person(
    session, make, now
):
    make.service("HE01", name="Puskesmas Zamrud")
    misses.write(session)  # what other tests left waiting
    session.execute(delete(SearchMiss))

    for words in (
        "kursi roda Siti Aminah",
        "kursi roda",
        "0812 3456 7890",
        "gerobak",
        "zamrud melati",
    ):
        misses.count(session, words, kinds=[], on=now.date())
    assert session.query(SearchMiss).count() == 0
    misses.write(session)
    misses.count(session, "kursi roda", kinds=[], on=now.date())
    misses.write(session)

    assert ("kursi roda", "2026-03-01", 3) in counted(session)
    assert ("gerobak", "2026-03-01", 1) in counted(session)
    text = " ".join(words for words, *_ in counted(session))
    for part in ("siti", "aminah", "zamrud", "0812"):
        assert part not in text
    assert misses.most_missed(session)[0] == misses.Miss("kursi roda", 3, now.date().replace(day=1))


def test_a_row_of_misses_does_not_tell_when_somebody_searched(session, now):
    misses.write(session)  # what other tests left waiting
    session.execute(delete(SearchMiss))
    misses.count(session, "kursi roda", kinds=[], on=now.date())
    misses.write(session)

    [row] = session.query(SearchMiss).all()
    assert row.id.version == 5  # made of the words and the month, not of the time


def test_a_flood_of_searches_fills_neither_memory_nor_table(session, now, monkeypatch):
    misses.write(session)  # what other tests left waiting
    session.execute(delete(SearchMiss))
    monkeypatch.setattr(misses, "MOST_WAITING", 2)
    for words in ("kursi roda", "konseling", "psikiater", "kursi roda"):
        misses.count(session, words, kinds=[], on=now.date())

    assert misses.write(session) == 2
    assert ("kursi roda", "2026-03-01", 2) in counted(session)
