"""Opening hours: what texts mean, what is refused, and how it is said."""

from datetime import date

import pytest

from referral.directory.hours import EVERY_DAY, Opening, in_words, parse
from referral.directory.opening import OpeningRow


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


def said(lang: str = "en", *, on: date | None = None, **columns: object) -> list[tuple[str, str]]:
    row = OpeningRow(**{"opens_at": "08:00", "closes_at": "10:00"} | columns)
    return in_words([row], lang, on=on)


@pytest.mark.parametrize(
    ("columns", "indonesian", "english"),
    [
        (
            {"freq": "MONTHLY", "byday": "1SA,-1SA"},
            "Sabtu pertama dan Sabtu terakhir tiap bulan",
            "first Saturday and last Saturday of the month",
        ),
        (
            {"freq": "MONTHLY", "byday": "1SA,-1FR"},
            "Sabtu pertama dan Jumat terakhir tiap bulan",
            "first Saturday and last Friday of the month",
        ),
        (
            {"freq": "MONTHLY", "bymonthday": "1,15"},
            "Tanggal 1 dan 15 tiap bulan",
            "Day 1 and 15 of the month",
        ),
        (
            {"freq": "WEEKLY", "interval": 2, "byday": "MO,TU", "dtstart": date(2026, 3, 2)},
            "Senin–Selasa, dua minggu sekali (mulai 2 Maret 2026)",
            "Monday–Tuesday, every second week (from 2 March 2026)",
        ),
        (
            {"freq": "WEEKLY", "interval": 3, "byday": "MO"},
            "Senin, tiap 3 minggu",
            "Monday, every 3 weeks",
        ),
        ({"freq": "DAILY", "interval": 2}, "Tiap 2 hari", "Every 2 days"),
        ({"freq": "DAILY"}, "Senin–Minggu", "Monday–Sunday"),
        ({"freq": "WEEKLY", "dtstart": date(2026, 3, 2)}, "Senin", "Monday"),
        (
            {"freq": "YEARLY", "byyearday": "61"},
            "Hari tertentu, tanyakan dulu",
            "Certain days, ask first",
        ),
        (
            {"freq": "WEEKLY", "byday": "MO", "valid_to": date(2026, 8, 31)},
            "Senin (sampai 31 Agustus 2026)",
            "Monday (until 31 August 2026)",
        ),
        (
            {"freq": "WEEKLY", "byday": "MO", "valid_from": date(2026, 8, 31)},
            "Senin (mulai 31 Agustus 2026)",
            "Monday (from 31 August 2026)",
        ),
        (
            {"valid_from": date(2026, 12, 24), "valid_to": date(2026, 12, 24)},
            "24 Desember 2026",
            "24 December 2026",
        ),
    ],
)
def test_rarer_rules_are_said_for_what_they_are(
    columns: dict[str, object], indonesian: str, english: str
) -> None:
    assert said("id", **columns) == [(indonesian, "08.00–10.00")]
    assert said("en", **columns) == [(english, "08:00–10:00")]


def test_closed_days_and_whole_days_are_said() -> None:
    closed = {"is_closure": True, "valid_from": date(2026, 3, 19), "valid_to": date(2026, 3, 24)}

    assert said("id", **closed) == [("19 Maret 2026–24 Maret 2026", "tutup")]
    assert said("en", freq="DAILY", opens_at="00:00", closes_at="23:59") == [
        ("Monday–Sunday", "24 hours")
    ]
    assert said("en", freq="WEEKLY", byday="SOMEDAY") == []
    assert said("en", freq="DAILY", opens_at=None) == []


def test_weekly_hours_come_first_and_what_is_over_is_left_out() -> None:
    day = date(2026, 3, 10)
    rows = [
        OpeningRow(is_closure=True, valid_from=day, valid_to=day),
        OpeningRow(is_closure=True, valid_from=date(2026, 3, 1), valid_to=date(2026, 3, 1)),
        OpeningRow(freq="MONTHLY", byday="1SA", opens_at="08:00", closes_at="10:00"),
        OpeningRow(freq="WEEKLY", byday="TU", opens_at="13:00", closes_at="15:00"),
        OpeningRow(freq="WEEKLY", byday="TU", opens_at="08:00", closes_at="10:00"),
        OpeningRow(
            freq="WEEKLY", byday="MO", until=date(2026, 3, 9), opens_at="08:00", closes_at="10:00"
        ),
        OpeningRow(
            freq="WEEKLY",
            byday="SU",
            valid_from=date(2026, 3, 1),
            opens_at="08:00",
            closes_at="10:00",
        ),
    ]

    assert in_words(rows, "en", on=day) == [
        ("Tuesday", "08:00–10:00"),
        ("Tuesday", "13:00–15:00"),
        ("Sunday", "08:00–10:00"),
        ("first Saturday of the month", "08:00–10:00"),
        ("10 March 2026", "closed"),
    ]
