"""No question that anybody may ask tells where a refuge is."""

from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any

import pytest
from flask import Flask

from benchmarks import attack
from referral.directory.models import ServiceAtLocation
from referral.extensions import db
from referral.matching import candidates, live
from referral.matching.facts import Offer
from referral.matching.operations import answer

ASKED = 300


@pytest.fixture(scope="module")
def apps(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Flask, Flask]]:
    both = attack.directories(tmp_path_factory.mktemp("attack"))
    yield both
    for app in both:
        with app.app_context():
            live.INDEX.forget(db.engine)
            db.engine.dispose()


def forget(apps: tuple[Flask, Flask]) -> None:
    for app in apps:
        with app.app_context():
            live.INDEX.forget(db.engine)


def test_two_directories_that_differ_in_the_true_point_of_a_refuge_give_the_same_answers(
    apps: tuple[Flask, Flask],
) -> None:
    forget(apps)

    assert list(attack.leaks(apps, list(attack.questions(ASKED)), every=5)) == []


def test_the_refuges_are_among_the_answers_of_the_attack(apps: tuple[Flask, Flask]) -> None:
    """Else it would prove nothing: as options and as near misses."""
    shown = {"options": 0, "why_not": 0}
    with apps[0].app_context():
        for query in attack.questions(60):
            content = answer(db.session, query, zone=attack.ZONE, need_id="n")
            for part in shown:
                shown[part] += sum(one["name"].startswith("refuge") for one in content[part])
        db.session.rollback()

    assert min(shown.values()) > 20


def _at_its_true_point(offer: Offer, _row: Any) -> Offer:
    site = db.session.get_one(ServiceAtLocation, offer.service_at_location_id)
    assert site.location is not None
    return replace(offer, latitude=site.location.latitude, longitude=site.location.longitude)


def _with_a_precision_that_tells(offer: Offer, row: Any) -> Offer:
    moved = _at_its_true_point(offer, row)
    assert moved.latitude is not None
    return replace(offer, precision_km=offer.precision_km + abs(moved.latitude) / 1000)


@pytest.mark.parametrize("fault", [_at_its_true_point, _with_a_precision_that_tells])
def test_the_attack_finds_a_true_point_that_was_let_in(
    apps: tuple[Flask, Flask],
    monkeypatch: pytest.MonkeyPatch,
    fault: Callable[[Offer, Any], Offer],
) -> None:
    forget(apps)
    make = candidates._offer

    def faulty(row: Any, *more: Any) -> Offer:
        offer = make(row, *more)
        return fault(offer, row) if offer.confidential else offer

    monkeypatch.setattr(candidates, "_offer", faulty)

    found = list(attack.leaks(apps, list(attack.questions(20))))

    assert {leak.way for leak in found} == {"index", "database"}
    forget(apps)
