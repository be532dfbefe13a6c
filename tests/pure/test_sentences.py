"""Sentences say one thing and several things with the right words."""

import pytest

from referral.core.text import Message, render


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
