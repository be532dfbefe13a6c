"""Hours as people write them become weekly rules, or are refused: nothing is half understood."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from referral.directory import hours_text

WEEK = "MO,TU,WE,TH,FR,SA,SU"


@pytest.mark.parametrize(
    ("text", "rules"),
    [
        (
            "Senin-Kamis 08.00-15.00, Jumat 08.00-11.00",
            [("MO,TU,WE,TH", "08:00", "15:00"), ("FR", "08:00", "11:00")],
        ),
        ("Mon-Fri 9am-5pm", [("MO,TU,WE,TH,FR", "09:00", "17:00")]),
        ("Mo-Fr 08:00-16:00; PH off", [("MO,TU,WE,TH,FR", "08:00", "16:00")]),
        ("Senin s/d Jumat pukul 08.00 - 16.00 WIB", [("MO,TU,WE,TH,FR", "08:00", "16:00")]),
        (
            "Senin - Kamis: 08.00-15.30 (istirahat 12.00-13.00); Jum'at: 08.00-11.00",
            [
                ("MO,TU,WE,TH", "08:00", "12:00"),
                ("MO,TU,WE,TH", "13:00", "15:30"),
                ("FR", "08:00", "11:00"),
            ],
        ),
        ("Buka 24 jam setiap hari", [(WEEK, "00:00", "23:59")]),
        ("Monday to Friday 8:30 a.m. – 4:30 p.m.", [("MO,TU,WE,TH,FR", "08:30", "16:30")]),
        ("Mon-Fri 9-5pm", [("MO,TU,WE,TH,FR", "09:00", "17:00")]),
        ("Sat 1-5pm", [("SA", "13:00", "17:00")]),
        (
            "weekdays 9am-noon and 1pm-5pm",
            [("MO,TU,WE,TH,FR", "09:00", "12:00"), ("MO,TU,WE,TH,FR", "13:00", "17:00")],
        ),
        ("9am-5pm Mon-Fri", [("MO,TU,WE,TH,FR", "09:00", "17:00")]),
        ("hari kerja jam 8-16", [("MO,TU,WE,TH,FR", "08:00", "16:00")]),
        ("Sabtu-Minggu tutup, Senin-Jumat 08.00-16.00", [("MO,TU,WE,TH,FR", "08:00", "16:00")]),
        ("Senin, Rabu dan Jumat 09.00-12.00", [("MO,WE,FR", "09:00", "12:00")]),
        ("10pm-6am", [(WEEK, "22:00", "06:00")]),
    ],
)
def test_hours_in_indonesian_and_english_are_understood(text, rules):
    assert [(o.byday, o.opens_at, o.closes_at) for o in hours_text.parse(text)] == rules


def test_a_second_interval_of_a_day_is_added_and_another_time_for_it_replaces():
    added = hours_text.parse("Senin 08.00-12.00, Senin 13.00-16.00")
    replaced = hours_text.parse("Setiap hari 08.00-16.00, Jumat 08.00-11.00")

    assert [(o.byday, o.opens_at, o.closes_at) for o in added] == [
        ("MO", "08:00", "12:00"),
        ("MO", "13:00", "16:00"),
    ]
    assert [(o.byday, o.opens_at, o.closes_at) for o in replaced] == [
        ("MO,TU,WE,TH,SA,SU", "08:00", "16:00"),
        ("FR", "08:00", "11:00"),
    ]


@pytest.mark.parametrize(
    "text",
    [
        "",
        "by appointment",
        "Mo-Fr 09:00+",
        "Mon-Fri 9-5",  # of which half of the day?
        "Senin-Jumat",
        "Tuesday",
        "25.00-26.00",
        "Senin- 08.00-16.00",
        "08.00-12.00 istirahat",
        "tutup",
        "Senin-Jumat 08.00-16.00 kecuali tanggal merah",
    ],
)
def test_what_is_not_wholly_understood_is_refused(text):
    with pytest.raises(ValueError):  # noqa: PT011 - its words are the text itself
        hours_text.parse(text)


@pytest.mark.parametrize(
    ("text", "time"),
    [
        ("9am", "09:00"),
        ("4:00 PM", "16:00"),
        ("3pm", "15:00"),
        ("17.30", "17:30"),
        ("12am", "00:00"),
    ],
)
def test_a_time_of_day_is_read(text, time):
    assert hours_text.clock(text) == time


@given(st.text(alphabet="SeninJumat MonFri 0123456789.:-,;apm()/&", max_size=40))
def test_any_text_gives_rules_with_days_and_times_or_is_refused(text):
    try:
        rules = hours_text.parse(text)
    except ValueError:
        return
    assert rules
    assert all(o.byday and len(o.opens_at) == len(o.closes_at) == 5 for o in rules)
