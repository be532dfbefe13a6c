"""Opening hours: what texts mean, what is refused, and how it is said."""

import pytest

from referral.directory.hours import EVERY_DAY, Opening, in_words, parse


@pytest.mark.parametrize(
    ("text", "openings"),
    [
        ("24/7", [Opening(EVERY_DAY, "00:00", "23:59")]),
        ("Mo-Fr 08:00-16:00", [Opening("MO,TU,WE,TH,FR", "08:00", "16:00")]),
        (
            "Mo-Th 08:00-15:30; Fr 08:00-11:00",
            [Opening("MO,TU,WE,TH", "08:00", "15:30"), Opening("FR", "08:00", "11:00")],
        ),
        (
            "Mo,We 8.00-12.00,13:00-24:00; PH off",
            [Opening("MO,WE", "08:00", "12:00"), Opening("MO,WE", "13:00", "23:59")],
        ),
        ("08:00-17:00", [Opening(EVERY_DAY, "08:00", "17:00")]),
        ("Mo-Su 08:00-17:00; Su off", [Opening("MO,TU,WE,TH,FR,SA", "08:00", "17:00")]),
        ("Fr-Mo 20:00-04:00", [Opening("MO,FR,SA,SU", "20:00", "04:00")]),
    ],
)
def test_hours_of_a_list_become_weekly_rules(text, openings):
    assert parse(text) == openings


@pytest.mark.parametrize(
    "text", ["", "jam kerja", "Mo-Xx 08:00-16:00", "Mo 25:00-26:00", "Mo 8-16", "Su off", "PH off"]
)
def test_hours_that_are_half_understood_are_refused(text):
    with pytest.raises(ValueError):  # noqa: PT011 - the text itself is the message
        parse(text)


def test_hours_are_said_as_people_write_them():
    openings = parse("Sa 09:00-24:00; Mo-Th 08:00-15:30; Fr 08:00-11:00")

    assert in_words(openings, "id") == [
        ("Senin–Kamis", "08.00–15.30"),
        ("Jumat", "08.00–11.00"),
        ("Sabtu", "09.00–24.00"),
    ]
    assert in_words(openings, "en")[0] == ("Monday–Thursday", "08:00–15:30")
