"""Which words a typed one may stand for, and where they stand."""

import numpy as np
import pytest

from referral.directory.search.postings import SAME_ROOT, Field, Postings
from referral.taxonomy.words import stem

ROWS = (
    ["puskesmas", "banyumanik"],
    ["puskesmas", "banyubiru"],
    ["yayasan", "zamrud", "12"],
    ["yayasan", "zamrudia", "pekalongan"],
)


@pytest.fixture
def postings():
    made = Postings(stem)
    for row, words in enumerate(ROWS):
        made.add(row, [(Field.NAME, words)])
    made.add(4, [(Field.PLACE, ["banyumanik"]), (Field.DESCRIPTION, ["pelayanan", "menyembuhkan"])])
    made.settle()
    return made


def meant(postings, word, **how):
    found = postings.meant(word, **how)
    return {postings.words[number]: round(surely, 2) for number, surely in found.items()}


def test_a_word_is_found_where_it_stands_and_counts_by_its_field(postings):
    rows, worth = postings.rows(postings.find("banyumanik"))

    assert rows.tolist() == [0, 4]
    assert worth.tolist() == pytest.approx([1.0, 0.92])
    assert postings.field_in(postings.find("banyumanik"), np.array([0, 1, 4])).tolist() == [
        Field.NAME,
        -1,
        Field.PLACE,
    ]


@pytest.mark.parametrize(
    "typed",
    [
        "puskesmas",
        "pukesmas",  # a letter missing
        "puskessmas",  # one too many
        "puskesnas",  # another one
        "puskemsas",  # two changed over
        "puksemmas",  # two mistakes
        "xuskesmas",  # the first letter
    ],
)
def test_one_or_two_wrong_letters_do_not_matter(postings, typed):
    assert next(iter(meant(postings, typed))) == "puskesmas"


def test_the_word_itself_is_surer_than_a_longer_and_that_than_a_likeness(postings):
    found = meant(postings, "zamrud")

    assert found["zamrud"] == 1.0
    assert 0.8 < found["zamrudia"] < 1.0
    assert "zamrudia" not in meant(postings, "zamrud", may_go_on=False) or (
        meant(postings, "zamrud", may_go_on=False)["zamrudia"] < 0.8
    )


@pytest.mark.parametrize("typed", ["puskes", "pusk", "pus"])
def test_a_beginning_stands_for_the_words_that_begin_so(postings, typed):
    assert "puskesmas" in meant(postings, typed)


@pytest.mark.parametrize(("typed", "whole"), [("pu", {}), ("12", {"12": 1.0}), ("13", {})])
def test_very_short_words_and_numbers_are_taken_as_they_are(postings, typed, whole):
    assert meant(postings, typed) == whole


def test_words_of_one_root_find_each_other_and_names_keep_their_endings(postings):
    assert meant(postings, "melayani")["pelayanan"] == SAME_ROOT
    assert meant(postings, "sembuh")["menyembuhkan"] == SAME_ROOT
    # Pekalongan is no bat (kalong) although it looks inflected.
    assert "pekalongan" not in meant(postings, "kalong")


def test_words_typed_as_one_are_taken_apart(postings):
    def read(word):
        return [[{postings.words[n] for n in part} for part in way] for way in postings.parts(word)]

    assert [{"puskesmas"}, {"banyumanik"}] in read("puskesmasbanyumanik")
    assert any(
        "puskesmas" in way[0] and "banyumanik" in way[1] for way in read("puskesmasbanyumamik")
    )
    assert any("zamrud" in way[0] and "12" in way[1] for way in read("zamrud12"))


def test_rows_that_come_later_are_found_too_with_words_nobody_had(postings):
    postings.add(5, [(Field.NAME, ["puskesmas", "xilofon"])])

    assert postings.rows(postings.find("puskesmas"))[0].tolist() == [0, 1, 5]
    assert postings.rows(postings.find("xilofon"))[0].tolist() == [5]
    assert meant(postings, "silofon") == meant(postings, "silofon") | {"xilofon": 0.83}
    assert "xilofon" in meant(postings, "xilo")


def test_nothing_at_all_can_be_asked_too():
    empty = Postings(stem)
    empty.settle()

    assert empty.meant("puskesmas") == {}
    assert empty.parts("puskesmas12") == []
