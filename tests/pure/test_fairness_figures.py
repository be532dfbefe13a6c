"""Bands, medians, comparisons and shares, and what is said of them."""

import random
from collections.abc import Sequence
from typing import Any
from uuid import UUID

import numpy as np
import pytest
from scipy.optimize import LinearConstraint, milp

from referral.core.text import LANGUAGES, render
from referral.matching.ranking import tie
from referral.planning.disclosure.cells import Cell, Shown
from referral.planning.disclosure.linked import protect
from referral.planning.fairness import findings, spread, waiting
from referral.planning.fairness.spread import Offer, Sent
from referral.planning.fairness.waiting import Median, Spell, Wait, from_json, median

GROUPS = {"sex": "female", "age": "25-59", "disability": "none", "area": "33.74"}


def waits(days: Sequence[int], sex: str, how: str = "done", period: int = 0) -> list[Wait]:
    return [
        Wait(period, GROUPS | {"sex": sex}, {"decision": Spell(each, how), "contact": Spell(each)})
        for each in days
    ]


def said(sentence: Any, lang: str = "en") -> str:
    return render(sentence, lang)


@pytest.mark.parametrize(
    ("spell", "band"),
    [
        (Spell(0), "0-2"),
        (Spell(2), "0-2"),
        (Spell(3), "3-7"),
        (Spell(14), "8-14"),
        (Spell(30), "15-30"),
        (Spell(31), "31+"),
        (Spell(31, "waiting"), "waiting"),
        (Spell(0, "ended"), "ended"),
    ],
)
def test_a_wait_falls_into_one_band(spell: Spell, band: str) -> None:
    assert waiting.BANDS[spell.band] == band


def test_the_median_is_the_day_on_which_half_are_over() -> None:
    assert median([Spell(day) for day in (1, 2, 3, 4, 5, 6, 7, 8, 9, 10)]).days == 5
    assert median([]) == Median(None, None, None)
    assert median([Spell(3), Spell(9, "waiting"), Spell(9, "waiting")]).days is None


def test_who_still_waits_counts_for_as_long_as_they_have_waited() -> None:
    """Kaplan and Meier by hand: after day 1 three of four are left, two leave on day 2, the last is over on day 8."""
    spells = [Spell(1), Spell(2, "waiting"), Spell(2, "ended"), Spell(8)]

    assert median(spells).days == 8
    assert median([one for one in spells if one.how == "done"]).days == 1


def test_the_range_of_a_median_agrees_with_resampling() -> None:
    """95 of 100 samples of the same waits have a true median within the range, more or less."""
    chance = random.Random(5)
    true, hits = 7, 0
    for _ in range(300):
        days = [min(int(chance.expovariate(0.0963)), 60) for _ in range(41)]  # half by day 7
        found = median([Spell(day) for day in days])
        assert found.low is not None
        hits += found.low <= true and (found.high is None or true <= found.high)

    assert hits >= 0.9 * 300


def test_women_who_waited_longer_are_named_where_it_is_more_than_chance() -> None:
    report = waiting.report(
        waits([8, 9, 10] * 7, "female") + waits([5, 6, 7] * 7, "male"), threshold=5
    )

    found = findings.of_groups(report, "decision", "sex", "3", str)

    assert found.is_sure
    assert said(found.sentence) == (
        "women and girls waited 3 days longer than men and boys for a yes or no: "
        "half had it within 9 and 6 days (21 and 21 people)."
    )


def test_a_difference_that_chance_may_make_is_not_claimed() -> None:
    report = waiting.report(
        waits([1, 5, 9, 13, 30] * 3, "female") + waits([0, 4, 8, 12, 31] * 3, "male"), threshold=5
    )

    found = findings.of_groups(report, "decision", "sex", "3", str)

    assert not found.is_sure
    assert "no difference" in said(found.sentence)


def test_nine_people_have_no_median_and_are_compared_with_nobody() -> None:
    report = waiting.report(waits([9] * 9, "female") + waits([1] * 20, "male"), threshold=5)

    rows = {row["group"]: row for row in report["decision"]["sex"]["groups"]}
    assert rows["female"]["median"] == {"3": None, "6": None, "12": None}
    assert report["decision"]["sex"]["compared"]["12"] is None
    sentence = findings.of_groups(report, "decision", "sex", "12", str).sentence
    assert said(sentence) == (
        "Too few people to compare women and men without giving somebody away."
    )


def test_people_whose_group_is_not_known_are_compared_with_nobody() -> None:
    report = waiting.report(waits([9] * 20, "unknown") + waits([1] * 20, "male"), threshold=5)

    assert report["decision"]["sex"]["compared"]["12"] is None


def test_where_most_still_wait_the_sentence_says_so() -> None:
    report = waiting.report(
        waits([40] * 20, "female", "waiting") + waits([4] * 20, "male"), threshold=5
    )

    by_sex = findings.of_groups(report, "decision", "sex", "12", str)
    assert said(by_sex.sentence) == (
        "Of women and girls fewer than half have had a yes or no so far; half of men and boys had "
        "it within 4 days (20 and 20 people)."
    )
    whole = findings.of_everybody(report, "decision", "12")
    assert said(whole.sentence) == "Half of 40 people had a yes or no within 4 days."
    everybody = waiting.report(waits([40] * 20, "female", "waiting"), threshold=5)
    assert "fewer than half" in said(findings.of_everybody(everybody, "decision", "12").sentence)


def test_all_cuts_measures_and_periods_together_narrow_no_small_count() -> None:
    """An attacker who looks for whole numbers knows everything published, and that all cuts divide the same people."""
    chance = random.Random(11)
    some = [_anybody(chance) for _ in range(30)]
    layout = waiting._Layout(some, 5)
    release = protect(
        layout.counts,
        layout.figures,
        threshold=5,
        differences=layout.differences,
        equals=layout.equals,
        statements=layout.statements,
    )
    rules: list[tuple[dict[int, float], float, float]] = []
    for key, cell in release.cells.items():
        low, high = {Shown.COUNT: (cell.count, cell.count), Shown.SMALL: (1, 4)}.get(
            cell.shown, (0, 500)
        )
        rules.append((dict.fromkeys(layout.figures[key].parts, 1.0), low or 0, high or 0))
    rules += [
        (dict.fromkeys(left, 1.0) | dict.fromkeys(right, -1.0), 0, 0)
        for left, right in layout.equals
    ]
    rules += [
        (dict(one.factors), -9999, one.most)
        for key in release.statements
        for one in layout.statements[key]
    ]
    width = len(layout.counts)
    matrix = np.zeros((len(rules), width))
    for at, (factors, _, _) in enumerate(rules):
        matrix[at, list(factors)] = list(factors.values())
    known = LinearConstraint(matrix, [one[1] for one in rules], [one[2] for one in rules])
    small = [
        parts
        for parts in {*(one.parts for one in layout.figures.values()), *layout.differences}
        if 0 < sum(layout.counts[at] for at in parts) < 5
    ]
    for parts in chance.sample(sorted(small), 12):
        aim = np.zeros(width)
        aim[list(parts)] = 1
        low, high = (
            sign * milp(sign * aim, constraints=known, integrality=np.ones(width)).fun
            for sign in (1, -1)
        )
        assert round(low) <= 1
        assert round(high) - round(low) + 1 >= 4


def _anybody(chance: random.Random) -> Wait:
    how = chance.choices(["done", "waiting", "ended"], [8, 1, 1])[0]
    groups = {
        "sex": chance.choice(["female", "male"]),
        "age": chance.choice(["0-17", "25-59", "60+"]),
        "disability": chance.choices(["recorded", "none"], [1, 4])[0],
        "area": chance.choice(["33.74", "+"]),
    }
    days = int(chance.expovariate(0.1))
    return Wait(
        chance.randrange(3), groups, {"decision": Spell(days, how), "contact": Spell(days + 5)}
    )


def test_a_shorter_period_holds_the_people_of_its_own_months_only() -> None:
    report = waiting.report(
        waits([1] * 10, "female") + waits([9] * 20, "female", period=2), threshold=5
    )

    (row,) = report["decision"]["sex"]["groups"]
    assert row["people"] == {"3": 10, "6": 10, "12": 30}
    assert row["bands"]["3"] == [10, 0, 0, 0, 0, 0, 0]
    assert row["bands"]["12"] == [10, 0, 20, 0, 0, 0, 0]
    assert row["median"] == {"3": {"days": 1}, "6": {"days": 1}, "12": {"days": 9}}


def test_a_stored_cell_comes_back_as_it_was() -> None:
    cells = [Cell(Shown.COUNT, 12), Cell(Shown.SMALL), Cell(Shown.WITHHELD), Cell(Shown.COUNT, 0)]

    assert [from_json(waiting.as_json(cell)) for cell in cells] == cells


def test_every_sentence_has_both_languages_and_every_group_a_name() -> None:
    names = {
        said(findings.group_name(cut, group, lambda code: f"<{code}>"), lang)
        for lang in LANGUAGES
        for cut, group in (("area", "33.74"), ("area", "33+"), ("area", "+"), ("area", "unknown"))
    }

    assert len(names) == 8
    assert {"people in <33.74>", "people elsewhere in <33>", "people in other areas"} <= names


# Spread -------------------------------------------------------------------------------------------


def shared(sent: list[Sent], offers: Sequence[Offer] = ()) -> list[dict[str, Any]]:
    names = {one.agency: one.agency.upper() for one in sent}
    return spread.report(sent, offers, names=names, domain_of=lambda code: code[:2], threshold=5)


def test_one_family_sent_five_times_is_one_person_for_an_agency() -> None:
    sent = [Sent(0, "a", "HE05", 0)] * 5 + [Sent(client, "b", "HE05", 0) for client in range(20)]

    (row,) = shared(sent)

    people = {one["name"]: one["people"]["3"] for one in row["agencies"]}
    assert people["A"] == "small"


def test_the_busiest_agency_is_named_with_its_share_beside_an_equal_one() -> None:
    sent = [Sent(client, "a" if client < 30 else "b", "HE05", 0) for client in range(50)]
    offers = [Offer(agency, frozenset({"HE05"}), room) for agency, room in (("a", 9), ("c", None))]

    (row,) = shared(sent, [*offers, Offer("d", frozenset({"FC01"}), 50)])

    assert (row["offering"], row["room"]) == (2, 9)
    sentence = findings.of_spread(row, "3", lambda code: code, threshold=5)
    assert said(sentence) == (
        "HE05: 30 of 50 people went to A, 60 %. If the 2 agencies that were asked or offer this "
        "here had taken equally many, each would have 50 %."
    )


def test_nobody_is_named_busiest_where_a_hidden_one_may_have_had_more() -> None:
    row = {
        "people": {"3": 30},
        "offering": 3,
        "agencies": [
            {"name": "A", "people": {"3": 10}},
            {"name": "B", "people": {"3": "withheld"}},
            {"name": "C", "people": {"3": "small"}},
        ],
    }

    assert spread.busiest(row, "3", threshold=5) is None
    row["people"] = {"3": 18}
    assert spread.busiest(row, "3", threshold=5) is not None


def test_kinds_of_help_with_few_people_are_put_together_by_field() -> None:
    sent = [Sent(client, "a", "HE05", 0) for client in range(12)]
    sent += [Sent(client, "a", "HE01", 0) for client in range(4)]
    sent += [Sent(client, "b", "HE02", 0) for client in range(9)]

    rows = shared(sent)

    assert [(row["category"], row["is_rest"], row["people"]["3"]) for row in rows] == [
        ("HE", True, 13),
        ("HE05", False, 12),
    ]
    assert said(findings.of_spread(rows[1], "3", str, threshold=5)) == (
        "HE05: all 12 people went to A; no other agency offers this here."
    )


# Order among equals -------------------------------------------------------------------------------


def test_over_many_needs_each_of_the_equals_comes_first_about_equally_often() -> None:
    """Chi-square over 6 equals and 6,000 needs: above 20.5 one fair order in a thousand lies (5 degrees)."""
    chance = random.Random(2)
    places = [str(UUID(int=chance.getrandbits(128))) for _ in range(6)]
    needs = [str(UUID(int=chance.getrandbits(128))) for _ in range(6_000)]

    first = [min(places, key=lambda place: tie(need, place)) for need in needs]
    last = [max(places, key=lambda place: tie(need, place)) for need in needs]

    for ends in (first, last):
        counts = [ends.count(place) for place in places]
        assert sum((count - 1_000) ** 2 / 1_000 for count in counts) < 20.5
    assert first == [min(places, key=lambda place: tie(need, place)) for need in needs]


def test_needs_numbered_one_after_another_spread_as_well() -> None:
    """Ids made at the same time share their beginning; the order must not follow it."""
    places = [f"0198f000-0000-7000-8000-{at:012x}" for at in range(3)]
    needs = [f"0198f000-0000-7000-8000-{at:012x}" for at in range(3_000)]

    first = [min(places, key=lambda place: tie(need, place)) for need in needs]

    counts = [first.count(place) for place in places]
    assert (
        sum((count - 1_000) ** 2 / 1_000 for count in counts) < 13.8
    )  # one in a thousand, 2 degrees
