"""Words of names and queries, and what of a query may be kept."""

import pytest

from referral.directory.search.countable import countable
from referral.directory.search.words import NameForms, telling, words_of

FORMS = NameForms(
    [
        ("rumah sakit umum daerah", ["rsud"]),
        ("rumah sakit jiwa", ["rsj", "rs jiwa"]),
        ("rumah sakit", ["rs", "hospital"]),
        ("puskesmas", ["pkm", "pusat kesehatan masyarakat"]),
    ]
)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("RSJD Dr. Amino Gondohutomo", ["rsjd", "dr", "amino", "gondohutomo"]),
        ("Sentra Darussa'adah, Aceh", ["sentra", "darussaadah", "aceh"]),
        ("Darussa’adah", ["darussaadah"]),
        ("São José", ["sao", "jose"]),
        ("1500-567 #halo_dunia", ["1500", "567", "halo", "dunia"]),
        ("x" * 100, ["x" * 24]),
        ("%_\\ ???", []),
    ],
)
def test_a_text_is_read_as_plain_lower_case_words(text, words):
    assert words_of(text) == words


def test_words_that_say_nothing_are_left_out_unless_nothing_else_is_there():
    assert telling(["puskesmas", "di", "kota", "puskesmas"]) == ["puskesmas", "kota"]
    assert telling(["di", "dekat", "saya"]) == ["di", "dekat", "saya"]


@pytest.mark.parametrize(
    ("name", "beside"),
    [
        ("rsud kencana", {"rumah", "sakit", "umum", "daerah", "rs", "hospital"}),
        ("rumah sakit jiwa kencana", {"rsj", "rs", "hospital"}),
        ("rs jiwa kencana", {"rumah", "sakit", "rsj", "hospital"}),
        ("pkm kencana", {"puskesmas", "pusat", "kesehatan", "masyarakat"}),
        ("kencana", set()),
    ],
)
def test_a_name_is_known_by_all_forms_of_its_words(name, beside):
    assert FORMS.beside(name.split()) == beside


def test_short_forms_are_written_out_and_keep_their_place():
    assert FORMS.in_full(["cari", "rs", "jiwa", "semarang"]) == [
        ("cari", (0,)),
        ("rumah", (1, 2)),
        ("sakit", (1, 2)),
        ("jiwa", (1, 2)),
        ("semarang", (3,)),
    ]


def kept(text, *, is_danger=False):
    return countable(
        words_of(text),
        names_help={"konseling", "kursi", "roda", "kdrt"}.__contains__,
        names_region={"semarang", "kota"}.__contains__,
        is_plain_word={"gerobak", "budi"}.__contains__,
        is_danger=is_danger,
    )


@pytest.mark.parametrize(
    ("query", "entries"),
    [
        ("konseling semarang", ["konseling semarang"]),
        ("kursi roda untuk Siti Aminah", ["kursi roda"]),
        ("kursi roda 081234567890", ["kursi roda"]),
        ("siti@example.org kdrt", ["kdrt"]),
        ("Jl. Melati 5 kdrt", ["kdrt"]),
        ("gerobak", ["gerobak"]),
        # a plain word never stands beside anything; one that is a given name too is not kept
        ("gerobak kdrt semarang", ["kdrt semarang", "gerobak"]),
        ("budi kdrt semarang", ["kdrt semarang"]),
        ("semarang", []),
        ("Siti Aminah", []),
        ("3374010101900001", []),
        ("anak saya bernama budi kdrt di semarang tolong", []),
        ("", []),
    ],
)
def test_of_a_query_only_words_for_help_and_region_are_kept_together(query, entries):
    assert kept(query) == entries


def test_where_somebody_in_danger_searched_is_not_kept():
    assert kept("kdrt semarang", is_danger=True) == ["kdrt"]
