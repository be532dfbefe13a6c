"""The index gives exactly what looking at every offer gives."""

from collections.abc import Sequence
from dataclasses import fields, replace
from typing import Any
from uuid import UUID

import numpy as np
import pytest

from benchmarks import offers as synthetic
from benchmarks.oracle import one_round
from referral.matching.columns import GROUPS
from referral.matching.facts import Offer, Query, Route
from referral.matching.index import Index
from referral.matching.judging import Judged
from referral.matching.ranking import Selection, select

TABLE = synthetic.STEPS


def told(selection: Selection) -> dict[str, Any]:
    """All of a selection that anybody gets to see."""

    def those(ones: Sequence[Judged]) -> list[Any]:
        return [
            (
                one.offer,
                one.group,
                one.km,
                one.order_km,
                one.effective_km if not one.failed else None,
                one.penalties,
                one.findings,
                one.change,
                [gate.rule for gate in one.failed],
            )
            for one in ones
        ]

    return {
        "step_km": selection.step_km,
        "options": those(selection.options),
        "remote": those(selection.remote),
        "why_not": those(selection.why_not),
        "nearest": selection.nearest and selection.nearest.offer,
        "nearest_too_far": selection.nearest_too_far and selection.nearest_too_far.offer,
        "tally": dict(selection.tally),
        "answered_in_time": selection.around.answered_in_time,
    }


def same(index: Index, offers: list[Offer], query: Query, **how: Any) -> None:
    among = [one for one in offers if any(query.asks_for(code) for code in one.categories)]
    expected = told(select(query, among, TABLE, **how))
    found = told(index.select(query, TABLE, **how))
    for part, value in expected.items():
        assert found[part] == value, (part, query)


@pytest.mark.parametrize(("count", "asked"), [(0, 5), (7, 60), (400, 100), (12_000, 60)])
def test_it_selects_what_looking_at_every_offer_selects(count: int, asked: int) -> None:
    offers = list(synthetic.offers(count, seed=count))
    index = Index.of(offers)

    for query in synthetic.queries(asked, seed=count + 1, hard=True):
        same(index, offers, query, need_id="need-1")


@pytest.mark.parametrize("seed", range(12))
def test_it_agrees_with_the_oracle_whatever_happens_to_the_directory(seed: int) -> None:
    wrong = [
        (query, differs) for _, query, differs in one_round(seed, largest=600, count=30) if differs
    ]

    assert wrong == []


def test_a_service_that_changes_twice_leaves_the_category_once() -> None:
    offers = [
        replace(one, due=10, in_time=number % 10)
        for number, one in enumerate(synthetic.offers(400, seed=21))
    ]
    index = Index.of(offers)
    changed = [replace(one, fee=True) for one in offers[:60]]
    for one in (*offers[:60], *changed):
        index.replace(one.service_id, [one])

    for query in synthetic.queries(30, seed=22, hard=True):
        same(index, changed + offers[60:], query)


def test_a_way_the_office_knows_decides_how_far_an_offer_is() -> None:
    offers = list(synthetic.offers(2000, seed=31))
    index = Index.of(offers)

    for query in synthetic.queries(60, seed=32):
        there = next(one for one in offers if query.need in one.categories and one.area_code)
        route = Route(there.area_code or "", 55.5, "boat")
        for within in (None, 55.5, 55.4):
            same(index, offers, replace(query, routes=(route,), within=within))


def test_the_order_alone_is_the_order_of_the_selection() -> None:
    offers = list(synthetic.offers(4000, seed=41))
    index = Index.of(offers)

    for query in synthetic.queries(40, seed=42, hard=True):
        found = [index.columns.site_id(one.row) for one in index.search(query, TABLE).options]

        options = index.select(query, TABLE).options
        assert found == [one.offer.service_at_location_id for one in options]


def test_whom_the_client_must_not_meet_is_in_no_list_and_no_count() -> None:
    offers = list(synthetic.offers(3000, seed=5))
    index = Index.of(offers)
    kept_out = frozenset(UUID(int=number) for number in range(0, 1000, 7))

    for query in synthetic.queries(40, seed=6, hard=True):
        same(index, offers, query, kept_out=kept_out)


def test_a_changed_service_counts_at_once_and_a_closed_one_no_more() -> None:
    offers = list(synthetic.offers(3000, seed=8))
    index = Index.of(offers)
    changed = [
        replace(one, active=True, fee=True, latitude=-6.9, longitude=110.4) for one in offers[:40]
    ]
    for one in changed:
        index.replace(one.service_id, [one])
    for one in offers[40:80]:
        index.replace(one.service_id, [])
    now = changed + offers[80:]

    assert index.changes == 40
    for query in synthetic.queries(80, seed=9, hard=True):
        same(index, now, query)


def test_equals_at_one_door_are_told_apart_by_their_tie_alone() -> None:
    [first] = synthetic.offers(1, seed=3)
    first = replace(
        first, categories={"HE05": True}, active=True, remote=None, latitude=-7.0, longitude=110.4
    )
    offers = [
        replace(first, service_at_location_id=UUID(int=number), service_id=UUID(int=number))
        for number in range(1, 900)
    ]
    index = Index.of(offers)

    for query in synthetic.queries(20, seed=4):
        same(index, offers, replace(query, need="HE05"), need_id="n")


def test_every_fact_of_an_offer_has_its_column() -> None:
    kept = {name for names in GROUPS.values() for name in names}
    identified = {"service_at_location_id", "service_id", "organization_id"}

    assert kept | identified | {"latitude", "longitude"} == {each.name for each in fields(Offer)}
    offers = list(synthetic.offers(300, seed=1))
    columns = Index.of(offers).columns
    assert sorted(columns.offers(np.arange(300)), key=str) == sorted(offers, key=str)
