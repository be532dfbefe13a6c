"""Sentences say one thing and several things with the right words."""

import csv
from pathlib import Path

import pytest
from babel.numbers import format_decimal
from hypothesis import given
from hypothesis import strategies as st

from referral.core.text import LANGUAGES, Message, named, number, render

DATA = Path(__file__).resolve().parents[2] / "directory_data"


@pytest.mark.parametrize(
    ("count", "english", "indonesian"),
    [
        (
            1,
            "1 service is an option; its distance can't be told.",
            "1 layanan bisa jadi pilihan; jaraknya tidak bisa disebut.",
        ),
        (
            10_469,
            "10,469 services are options; their distances can't be told.",
            "10.469 layanan bisa jadi pilihan; jaraknya tidak bisa disebut.",
        ),
    ],
)
def test_words_follow_their_number(count: int, english: str, indonesian: str) -> None:
    message = Message("match.coverage.no_distance", {"count": count})

    assert render(message, "en") == english
    assert render(message, "id") == indonesian


@pytest.mark.parametrize(
    ("highest", "english", "indonesian"),
    [
        (1, "For income decile 1; recorded is 7.", "Untuk desil 1; tercatat desil 7."),
        (
            4,
            "For income deciles 1 to 4; recorded is 7.",
            "Untuk desil 1 sampai 4; tercatat desil 7.",
        ),
    ],
)
def test_a_span_of_one_is_no_span(highest: int, english: str, indonesian: str) -> None:
    message = Message("match.desil.fail", {"highest": highest, "desil": 7})

    assert render(message, "en") == english
    assert render(message, "id") == indonesian


@pytest.mark.parametrize(
    ("family", "file"), [("language", "languages.csv"), ("document", "documents.csv")]
)
def test_a_code_is_said_in_the_words_of_its_list(family: str, file: str) -> None:
    with (DATA / file).open(encoding="utf-8", newline="") as rows:
        for row in csv.DictReader(rows):
            word = named(f"{family}.{row['code']}", "not listed")
            assert isinstance(word, Message)
            assert [render(word, lang) for lang in ("id", "en")] == [row["name_id"], row["name_en"]]
    assert named(f"{family}.qqq", "qqq") == "qqq"


def test_a_sentence_may_ask_for_more_digits_of_a_number() -> None:
    message = Message("repeat.step", {"then": 3.2147, "now": 2.0})

    assert render(message, "en") == "One local step was 3.215 km and is 2 km now."
    assert render(message, "id") == "Satu langkah setempat 3,215 km, sekarang 2 km."


@given(st.one_of(st.integers(-(10**9), 10**9), st.floats(-1e9, 1e9)), st.integers(0, 3))
@pytest.mark.parametrize("lang", LANGUAGES)
def test_numbers_are_written_as_the_locales_of_unicode_say(
    lang: str, value: float, digits: int
) -> None:
    assert number(value, lang, digits=digits) == format_decimal(round(value, digits), locale=lang)
