"""Measures of access from the database: what is counted as supply, a run that is kept, and how pages read it."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import numpy as np
import pytest
from sqlalchemy import delete, func, select, text
from sqlalchemy.orm import Session

from referral.changes.directory import announce
from referral.directory.kinds import CapacityStatus, CategoryBasis, Remote, ServiceStatus
from referral.directory.models import (
    EligibilityRule,
    Location,
    Service,
    ServiceArea,
    ServiceAtLocation,
    ServiceCapacity,
)
from referral.jobs import tasks
from referral.matching.models import ServiceStanding
from referral.places.models import Place, PlaceAlias, PlaceLoad
from referral.places.queries import gazetteer
from referral.planning.access import distances, operations, queries, supply
from referral.planning.access.models import AccessResult, AccessRun
from referral.planning.gaps.models import Audience, GapFigure, GapRelease, Measure
from tests.factories import Make

#: two kab/kota of one province, 110 km apart, and one of another whose second kecamatan nobody can place
COUNTRY = (
    ("33", 1, None, None, None),
    ("33.01", 2, -7.0, 110.0, 10_000),
    ("33.01.01", 3, -7.0, 110.0, None),
    ("33.01.02", 3, -7.1, 110.1, None),
    ("33.02", 2, -7.0, 111.0, 5_000),
    ("33.02.01", 3, -7.0, 111.0, None),
    ("34", 1, None, None, None),
    ("34.01", 2, None, None, 1_000),
    ("34.01.01", 3, -9.0, 120.0, None),
    ("34.01.02", 3, None, None, None),
)
AREAS = ["33.01.01", "33.01.02", "33.02.01", "34.01.01", "34.01.02"]
NEAR, FAR = (-7.01, 110.01), (-7.01, 111.01)


@pytest.fixture(autouse=True)
def country(session: Session) -> None:
    """A gazetteer of five kecamatan instead of the whole country's."""
    # Without it SQLite reads every place for each one that goes, in search of its children.
    session.execute(text("CREATE INDEX ix_place_parent_code ON place (parent_code)"))
    session.execute(delete(PlaceAlias))
    session.execute(delete(Place))
    for code, level, latitude, longitude, population in COUNTRY:
        session.add(
            Place(
                code=code,
                level=level,
                name=f"Tempat {code}",
                parent_code=code.rpartition(".")[0] or None,
                latitude=latitude,
                longitude=longitude,
                precision_km=None if latitude is None else 7.0,
                population=population,
                source="test",
            )
        )
        session.flush()
    session.add(PlaceLoad(source="test", changed_count=len(COUNTRY)))
    session.flush()


@pytest.fixture
def sites(session: Session, now: Any) -> Callable[..., supply.Sites]:
    return lambda **values: supply.read(session, gazetteer(session), now=now, **values)


def placed(sites: supply.Sites) -> list[tuple[float, ...]]:
    return [tuple(point) for point in sites.points.round(4).tolist()]


def test_a_service_is_read_with_its_place_kind_and_room(make: Make, sites: Any) -> None:
    make.service("HE05", at=NEAR, basis=CategoryBasis.INFERRED, facility_type="RSJ")
    found = sites()
    assert placed(found) == [NEAR]
    assert (found.categories, found.is_told.tolist()) == (["HE05"], [False])
    assert (found.places.tolist(), found.floor_km.tolist()) == ([1.0], [0.25])
    assert (found.type_of.tolist(), found.usable().tolist()) == (["RSJ"], [True])


@pytest.mark.parametrize(
    "status", [ServiceStatus.INACTIVE, ServiceStatus.TEMPORARILY_CLOSED, ServiceStatus.DEFUNCT]
)
def test_what_is_not_in_service_is_no_supply(make: Make, sites: Any, status: ServiceStatus) -> None:
    make.service("HE05", at=NEAR, status=status)
    assert len(sites()) == 0


def test_what_was_merged_or_is_looked_into_for_harm_is_no_supply(
    session: Session, make: Make, sites: Any
) -> None:
    kept = make.service("HE05", at=NEAR)
    make.service("HE05", at=NEAR, merged_into_id=kept.service_id)
    harmful = make.service("HE05", at=NEAR)
    session.add(ServiceStanding(service_id=harmful.service_id, suspended=True))
    session.flush()
    assert len(sites()) == 1


def test_room_is_what_was_said_of_it_and_shared_over_sites(
    session: Session, make: Make, now: Any, sites: Any
) -> None:
    site = make.service("HE05", at=NEAR)
    second = Location(latitude=-7.0, longitude=111.0, precision_km=0.5, area_code="33.02")
    session.add(second)
    session.flush()
    session.add(ServiceAtLocation(service_id=site.service_id, location_id=second.id))
    session.add(ServiceCapacity(service_id=site.service_id, maximum=30, updated=now))
    session.flush()
    assert sites().places.tolist() == [15.0, 15.0]


@pytest.mark.parametrize(
    ("days", "until", "is_full"),
    [(1, None, True), (31, None, False), (40, 2, True), (1, -1, False)],
    ids=["said lately", "said long ago", "until a day to come", "until a day that is over"],
)
def test_a_full_service_is_no_supply_as_long_as_the_word_holds(
    session: Session, make: Make, now: Any, sites: Any, days: int, until: int | None, is_full: bool
) -> None:
    site = make.service("HE05", at=NEAR)
    session.add(
        ServiceCapacity(
            service_id=site.service_id,
            status=CapacityStatus.NO_CAPACITY,
            updated=now - timedelta(days=days),
            until=None if until is None else now.date() + timedelta(days=until),
        )
    )
    session.flush()
    assert sites().usable().tolist() == [not is_full]


def test_a_waiting_list_is_not_full(session: Session, make: Make, now: Any, sites: Any) -> None:
    site = make.service("HE05", at=NEAR)
    session.add(
        ServiceCapacity(
            service_id=site.service_id, status=CapacityStatus.WAITLIST, maximum=4, updated=now
        )
    )
    session.flush()
    assert sites().places.tolist() == [4.0]


def test_a_refuge_stands_at_its_kab_and_its_own_point_is_not_even_read(
    session: Session, make: Make, sites: Any
) -> None:
    refuge = make.service("EM07", at=(-7.09, 110.09), confidential=True)
    assert refuge.location is not None
    refuge.location.area_code = "33.01.02"
    session.flush()
    found = sites()
    assert placed(found) == [(-7.0, 110.0)]
    assert (found.areas, found.hidden.tolist(), found.floor_km.tolist()) == (["33.01"], [True], [3.5])  # fmt: skip


def test_a_refuge_of_a_kab_that_nobody_can_place_stands_nowhere(
    session: Session, make: Make, sites: Any
) -> None:
    refuge = make.service("EM07", at=(-9.0, 120.0), confidential=True)
    assert refuge.location is not None
    refuge.location.area_code = "34.01.01"
    session.flush()
    assert np.isnan(sites().points).all()
    assert sites().usable().tolist() == [False]


def test_without_a_point_of_its_own_a_service_stands_at_its_area(
    session: Session, make: Make, sites: Any
) -> None:
    site = make.service("HE05", at=None)
    assert site.location is not None
    site.location.area_code = "33.02"
    session.flush()
    assert placed(sites()) == [(-7.0, 111.0)]
    assert sites().floor_km.tolist() == [3.5]


def test_remote_help_is_counted_apart(make: Make, sites: Any) -> None:
    make.service("HE05", at=NEAR, remote=Remote.PHONE)
    assert (sites().is_remote.tolist(), sites().usable().tolist()) == ([True], [False])


def test_a_domain_is_read_with_all_its_kinds_and_a_site_counts_once(
    session: Session, make: Make, now: Any, sites: Any
) -> None:
    make.service("HE05", "HE06", at=NEAR)
    make.service("SS04", at=NEAR)
    assert sorted(sites(category="HE").categories) == ["HE05", "HE06"]
    whole = distances.farther(session, now=now, within_km=25, category="HE")
    assert (whole.sites, whole.usable) == (1, 1)


def far_from(session: Session, now: Any, **values: Any) -> dict[str, tuple[int, int]]:
    found = distances.farther(session, now=now, within_km=25, **values)
    return {one.area: (one.farther, one.areas) for one in (found.whole, *found.provinces)}


def test_areas_farther_than_so_many_km_are_counted_by_province(
    session: Session, make: Make, now: Any
) -> None:
    make.service("HE05", at=NEAR)
    assert far_from(session, now) == {"": (2, 4), "33": (1, 3), "34": (1, 1)}
    found = distances.farther(session, now=now, within_km=25)
    assert found.unknown == 1
    assert (found.whole.people, found.whole.people_farther) == (15_500, 5_500)
    assert found.whole.median_km == pytest.approx((14.1 + 109.3) / 2, rel=0.01)
    nothing = distances.farther(session, now=now, within_km=25, category="EM07")
    assert (nothing.whole.farther, nothing.whole.median_km) == (4, None)


def test_types_of_facility_and_told_categories_can_be_asked_for(
    session: Session, make: Make, now: Any
) -> None:
    make.service("HE05", at=NEAR, basis=CategoryBasis.INFERRED, facility_type="RSJ")
    make.service("HE05", at=FAR, facility_type="PUSKESMAS")
    assert far_from(session, now)["33"] == (0, 3)
    assert far_from(session, now, types=["RSJ"])["33"] == (1, 3)
    assert far_from(session, now, told_only=True)["33"] == (2, 3)


@pytest.mark.parametrize("how", ["service area", "residency", "type of facility"])
def test_a_service_for_one_kab_is_none_for_its_neighbour(
    session: Session, make: Make, now: Any, how: str
) -> None:
    kind = "UPTD_PPA" if how == "type of facility" else None
    site = make.service("EM07", at=(-7.0, 110.5), facility_type=kind)
    assert site.location is not None
    site.location.area_code = "33.02"
    if how == "service area":
        session.add(ServiceArea(service_id=site.service_id, area_code="33.02"))
    if how == "residency":
        session.add(
            EligibilityRule(service_id=site.service_id, criterion="residency", values=["33.02"])
        )
    session.flush()
    found = distances.farther(session, now=now, within_km=70)
    assert [one.farther for one in found.provinces] == [2, 1]


def test_an_area_that_nobody_can_name_may_be_anybodys(
    session: Session, make: Make, now: Any
) -> None:
    site = make.service("HE05", at=NEAR)
    session.add(ServiceArea(service_id=site.service_id, name="Wilayah kerja"))
    session.flush()
    assert far_from(session, now)["33"] == (1, 3)


def release(session: Session, now: Any, figures: dict[str, int | str]) -> GapRelease:
    made = GapRelease(
        quarter="2026-Q1",
        audience=Audience.PLANNERS,
        made_at=now,
        threshold=5,
        certificate={},
    )
    session.add(made)
    session.flush()
    for area, told in figures.items():
        is_count = isinstance(told, int)
        session.add(
            GapFigure(
                release_id=made.id,
                measure=Measure.ASKED,
                category="HE05",
                area=area,
                reason="",
                period="",
                shown="count" if is_count else told,
                people=told if is_count else None,
            )
        )
    session.flush()
    return made


def test_a_run_holds_every_category_and_is_read_again_as_it_was(
    session: Session, make: Make, now: Any
) -> None:
    made = release(session, now, {"": 60, "33": 60, "33.01": 56, "33.02": "small"})
    make.service("HE05", at=NEAR)
    make.service("SS04", at=FAR, remote=Remote.ONLINE)
    run = operations.work_out(session, now=now)
    assert (run.release_id, run.areas, run.radius_km) == (made.id, AREAS, 25.0)
    found = queries.read(session, "HE05")
    assert found is not None
    assert found["people"].tolist() == [28, 28, 4, 0, 0]
    assert found["within"].tolist()[:4] == [1, 1, 0, 0]
    np.testing.assert_allclose(found["nearest_km"][:3], [1.57, 14.1, 109.3], rtol=0.01)
    assert found["two_step"][2] == 0
    assert float(found["balanced_per_person"][:2] @ found["people"][:2]) == pytest.approx(1)
    assert [np.isnan(found[name][4]) for name in ("nearest_km", "two_step", "cost")] == [True] * 3
    assert found.supply == {
        "sites": 1,
        "usable": 1,
        "told": 1,
        "full": 0,
        "remote": 0,
        "confidential": 0,
        "unplaced": 0,
        "places": 1.0,
        "gap": found.supply["gap"],
        "demand": {"basis": "asked", "told": 56.0, "shared": 4.0, "unplaced": 0.0},
    }
    remote = queries.read(session, "SS04")
    assert remote is not None
    assert (remote.supply["remote"], remote.supply["usable"]) == (1, 0)
    assert np.isinf(remote["nearest_km"][:4]).all()
    overview = queries.overview(session)
    assert overview is not None
    assert overview.areas == ["33.01", "33.02", "34.01", "33", "34", ""]
    row, country = overview.row("HE05"), overview.column("")
    assert overview.figures.covered[row, country] == pytest.approx(56 / 60)
    assert overview.figures.covered_areas[row, country] == 0.5
    assert overview.figures.people[row, 3:].tolist() == [60, 0, 60]
    at = queries.points(session)
    assert at is not None
    np.testing.assert_allclose(at[:4, 0], [-7.0, -7.1, -7.0, -9.0], rtol=1e-6)


def test_kinds_of_resource_systems_have_measures_of_their_own(
    session: Session, make: Make, now: Any
) -> None:
    make.service("HE05", at=NEAR, organization=make.organization(system_type="formal"))
    make.service("HE05", at=FAR, organization=make.organization(system_type="societal"))
    operations.work_out(session, now=now)
    formal = queries.read(session, "HE05", "formal")
    assert formal is not None
    assert formal["within"].tolist()[:3] == [1, 1, 0]
    assert queries.read(session, "HE05", "informal") is None


def test_places_of_a_service_known_by_its_kab_alone_are_spread_over_it(
    session: Session, make: Make, now: Any
) -> None:
    site = make.service("HE05", at=NEAR)
    assert site.location is not None
    site.location.area_code = "33.01"
    lost = make.service("HE05", at=FAR)
    assert lost.location is not None
    lost.location.area_code = None
    session.flush()
    operations.work_out(session, now=now)
    found = queries.read(session, "HE05")
    assert found is not None
    assert found["places"].tolist() == [0.5, 0.5, 1, 0, 0]
    overview = queries.overview(session)
    assert overview is not None
    assert overview.figures.places[overview.row("HE05"), :3].tolist() == [1, 1, 0]


def test_only_the_newest_runs_are_kept(session: Session, now: Any) -> None:
    made = [operations.work_out(session, now=now + timedelta(days=day)).id for day in range(5)]
    kept = session.scalars(select(AccessRun.id).order_by(AccessRun.made_at)).all()
    assert kept == made[-operations.KEPT :]
    runs = session.scalars(select(AccessResult.run_id).distinct()).all()
    assert set(runs) == set(kept)
    newest = queries.latest(session)
    assert newest is not None
    assert newest.id == made[-1]


def test_a_run_is_due_after_a_release_and_a_while_after_a_change(
    session: Session, make: Make, now: Any
) -> None:
    assert operations.is_due(session, now=now)
    operations.work_out(session, now=now)
    later = now + timedelta(days=2)
    assert not operations.is_due(session, now=later)
    announce(session, None, now=now)
    session.flush()
    assert not operations.is_due(session, now=now + timedelta(hours=1))
    assert operations.is_due(session, now=later)
    operations.work_out(session, now=later)
    release(session, now, {"": 9})
    assert operations.is_due(session, now=later)


def test_a_directory_without_services_or_places_is_measured_all_the_same(
    session: Session, now: Any
) -> None:
    session.execute(delete(Place))
    session.add(PlaceLoad(source="test", changed_count=0))
    session.flush()
    run = operations.work_out(session, now=now)
    assert run.areas == []
    assert session.scalar(select(func.count()).select_from(Service)) == 0
    overview = queries.overview(session)
    assert overview is not None
    assert overview.figures.areas[overview.row("")].tolist() == [0]


def test_access_is_printed_by_province_in_both_languages(make: Make, cli: Any) -> None:
    make.service("HE05", at=NEAR)
    told = cli("gaps", "access", "--category", "he05", "--lang", "en").stdout.splitlines()
    assert told[0].split()[-1] == "RAAM"
    assert told[1].startswith("Indonesia")
    assert [line[:9] for line in told[2:4]] == ["Tempat 33", "Tempat 34"]
    assert "64.5 %" in told[1]  # 10,000 of the 15,500 whose area has a point
    assert told[-5].startswith("No counts of needs have been released yet.")
    assert told[-1].startswith("RAAM: How hard it is to get help")
    assert told[-1].endswith(
        "A cost of 1 is a way of 25 km, or crowding at the country's average. "
        "It is not a number of places. Rational Agent Access Model (Saxon & Snow 2019)."
    )
    assert "64,5 %" in cli("gaps", "access", "--category", "HE05").stdout
    found = cli("gaps", "access", "--category", "HE05", "--json").json
    assert [one["area"] for one in found["areas"]] == ["", "33", "34"]
    assert found["areas"][2]["nearest_km"] is None or found["areas"][2]["covered"] == 0
    assert "people" not in found["areas"][0]


def test_distances_are_printed_and_a_wrong_category_is_refused(make: Make, cli: Any) -> None:
    make.service("HE05", at=NEAR, facility_type="RSJ")
    told = cli("gaps", "nearest", "--facility-type", "RSJ", "--within", "50", "--lang", "en").stdout
    assert " ".join(told.splitlines()[1].split()) == "Indonesia 4 2 50 % 35.5 % 62 km"
    wrong = cli("gaps", "nearest", "--category", "XX99", "--json")
    assert (wrong.exit_code, wrong.json["error"]["code"]) == (2, "unknown_category")


def test_the_job_works_access_out_once_and_again_when_asked(
    session: Session, make: Make, cli: Any
) -> None:
    make.service("HE05", at=NEAR)
    assert [tasks.work_out_access(), tasks.work_out_access()] == [True, False]
    cli("gaps", "access", "--keep")
    assert session.scalar(select(func.count()).select_from(AccessRun)) == 2
