"""Hexagons: those that touch land, as fine as is quick, and what they hold of points."""

import numpy as np
import pytest
import shapely
from h3 import average_hexagon_area

from referral.planning.maps import hexes
from referral.planning.maps.values import NO_DATA, SMALL, Kind, Value, told

JAVA = shapely.box(105.2, -8.8, 114.6, -5.9)
SEMARANG, SOLO = (-6.99, 110.42), (-7.57, 110.82)


def test_a_grid_touches_its_land_and_nothing_else() -> None:
    grid = hexes.grid([JAVA], area_km2=JAVA.area * 12_360)

    assert 0 < len(grid.cells) <= hexes.MOST
    for cell, outline in hexes.outlines(grid.cells).items():
        assert shapely.intersects(shapely.geometry.shape(outline), JAVA.buffer(0.01)), cell
    assert grid.of([SEMARANG, (0.0, 0.0), (np.nan, 1.0)])[1:] == [None, None]
    assert grid.of([SEMARANG])[0] in grid.cells


@pytest.mark.parametrize("degrees", [0.1, 1.0, 10.0, 40.0])
def test_the_resolution_fits_the_extent(degrees: float) -> None:
    land = shapely.box(100, -degrees / 2, 100 + degrees, degrees / 2)

    grid = hexes.grid([land], area_km2=land.area * 12_360)

    assert len(grid.cells) <= hexes.MOST
    if grid.resolution < hexes.FINEST:
        finer = land.area * 12_360 / average_hexagon_area(grid.resolution + 1, unit="km^2")
        assert finer > hexes.MOST / 2


def test_what_is_no_land_has_no_hexagons() -> None:
    assert hexes.grid([], area_km2=0.0).cells == ()


def test_shown_counts_add_up_and_hidden_ones_are_named_beside_them() -> None:
    cells = ["a", "a", "a", "b", None, "c"]

    found = hexes.summed(cells, [told(7), told(5), SMALL, SMALL, told(9), NO_DATA])

    assert found == {
        "a": Value(Kind.TOLD, 12.0, few=1),
        "b": Value(Kind.TOLD, 0.0, few=1),
        "c": NO_DATA,
    }


def test_a_measure_of_a_hexagon_is_the_mean_by_people() -> None:
    found = hexes.averaged(
        ["a", "a", "b", "b", None], [10.0, 40.0, 3.0, 5.0, 9.0], [1.0, 2.0, 0.0, np.nan, 1.0]
    )

    assert found == {"a": 30.0, "b": 4.0}
