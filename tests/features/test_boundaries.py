"""Boundaries of areas: what files hold, where a point lies, and what maps are given."""

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import select
from sqlalchemy.orm import Session

from referral.cli import places as places_commands
from referral.core import db
from referral.core.errors import Invalid
from referral.matching.asking import place_of_point
from referral.places import boundaries, operations, outlines, queries
from referral.places.models import AreaBoundary
from referral.places.outlines import Anchor, Outlines

NOW = datetime(2026, 3, 2, 2, 30, tzinfo=UTC)
PLACES = [
    {"code": "99", "level": "1", "name": "Tanah Uji"},
    {"code": "99.01", "level": "2", "name": "Kabupaten Kiri", "latitude": "-10.4", "longitude": "110.5"},
    {"code": "99.02", "level": "2", "name": "Kabupaten Kanan", "latitude": "-10.4", "longitude": "111.05"},
    {"code": "99.71", "level": "2", "name": "Kota Dalam", "latitude": "-10.1", "longitude": "110.8"},
]  # fmt: skip


@pytest.fixture
def places(session: Session) -> None:
    """Two regencies side by side and a town inside the left one, far out at sea."""
    operations.load(session, PLACES, source="survey", now=NOW)


def square(west: float, south: float, size: float = 1.0) -> list[list[list[float]]]:
    east, north = west + size, south + size
    return [[[west, south], [east, south], [east, north], [west, north], [west, south]]]


def feature(code: Any, *, west: float = 110.0, **changes: Any) -> dict[str, Any]:
    return {
        "type": "Feature",
        "properties": {"kode": code, "kode_prov": "99", "nama": "x"},
        "geometry": {"type": "Polygon", "coordinates": square(west, -10.9)},
    } | changes


def file(tmp_path: Path, *found: Any) -> Path:
    path = tmp_path / "areas.geojson"
    path.write_text(json.dumps({"type": "FeatureCollection", "features": found}), "utf-8")
    return path


def loaded(session: Session, path: Path, **options: Any) -> dict[str, Any]:
    read = boundaries.read(session, boundaries.features(path), **options)
    report = boundaries.keep(session, read, source="test")
    return report.as_counts() | {"findings": [(f.row, f.message.key) for f in report.findings]}


def area_at(session: Session, latitude: float, longitude: float) -> str | None:
    found = queries.gazetteer(session).regency_at(latitude, longitude)
    return found.code if found else None


def test_outlines_are_kept_and_the_same_file_again_changes_nothing(
    session: Session, places: None, tmp_path: Path
) -> None:
    path = file(tmp_path, feature("9901"), feature("99.02", west=111.0))

    first, before = loaded(session, path), queries.gazetteer(session)
    second = loaded(session, path)

    assert first == {
        "features": 2,
        "code_property": "kode",
        "added": 2,
        "changed": 0,
        "unchanged": 0,
        "mended": 0,
        "joined": 0,
        "area_km2": pytest.approx(24_220, rel=0.002),
        "rejected": 0,
        "findings": [],
    }
    assert (second["added"], second["changed"], second["unchanged"]) == (0, 0, 2)
    assert queries.gazetteer(session) is before
    moved = loaded(session, file(tmp_path, feature("9901", west=110.1)))
    assert (moved["changed"], moved["added"]) == (1, 0)
    assert len(session.scalars(select(AreaBoundary)).all()) == 2


def test_a_point_lies_where_its_boundary_says_and_matching_goes_by_it(
    session: Session, places: None, tmp_path: Path
) -> None:
    near_the_border = (-10.4, 110.95)
    assert place_of_point(near_the_border, queries.gazetteer(session)).code == "99.02"  # type: ignore[union-attr]

    loaded(session, file(tmp_path, feature(9901), feature(9902, west=111.0)))

    assert place_of_point(near_the_border, queries.gazetteer(session)).code == "99.01"  # type: ignore[union-attr]
    assert area_at(session, -10.4, 111.4) == "99.02"
    assert area_at(session, -10.88, 110.0 - 0.01) == "99.01"  # a harbour, 1 km out
    assert area_at(session, -10.4, 112.5) is None


def test_a_town_without_a_boundary_is_not_taken_for_the_regency_around_it(
    session: Session, places: None, tmp_path: Path
) -> None:
    loaded(session, file(tmp_path, feature("99.01"), feature("99.02", west=111.0)))

    assert area_at(session, -10.11, 110.8) is None
    assert place_of_point((-10.11, 110.8), queries.gazetteer(session)).code == "99.71"  # type: ignore[union-attr]


def test_crossed_rings_are_mended_and_islands_of_one_area_joined(
    session: Session, places: None, tmp_path: Path
) -> None:
    bow = [[[110, -10.9], [111, -9.9], [111, -10.9], [110, -9.9], [110, -10.9]]]
    island = {"type": "Polygon", "coordinates": square(110.2, -11.0, 0.01)}
    found = loaded(
        session,
        file(
            tmp_path,
            feature("99.01", geometry={"type": "Polygon", "coordinates": bow}),
            feature("99.01", geometry=island),
        ),
    )

    assert (found["mended"], found["joined"], found["added"], found["findings"]) == (1, 1, 1, [])
    (shape,) = queries.gazetteer(session).drawn(["99.01"], degrees=0.05).values()
    assert len(shape["coordinates"]) == 3  # the two halves of the bow, and the island


def test_what_can_not_be_taken_is_told_with_its_feature(
    session: Session, places: None, tmp_path: Path
) -> None:
    line = {"type": "LineString", "coordinates": [[110, -10.9], [111, -9.9]]}
    swapped = [[[y, x] for x, y in square(110.0, -10.9)[0]]]
    far = {"type": "Polygon", "coordinates": square(120.0, -10.9)}
    found = loaded(
        session,
        file(
            tmp_path,
            feature("99.01"),
            feature("98.01"),
            feature(None),
            feature("99.02", geometry=None),
            feature("99.02", geometry=line),
            feature("99.02", geometry={"type": "Polygon", "coordinates": [["x"]]}),
            feature("99.02", geometry={"type": "Polygon", "coordinates": swapped}),
            feature("99.02", geometry=far),
            "no feature",
        ),
    )

    assert found["findings"] == [
        (2, "place.boundary.code"),
        (3, "place.boundary.code"),
        (4, "place.boundary.no_shape"),
        (5, "place.boundary.no_area"),
        (6, "place.boundary.unreadable"),
        (7, "place.boundary.not_on_earth"),
        (8, "place.boundary.elsewhere"),
        (9, "place.boundary.code"),
    ]
    assert found["features"] == found["added"] + found["joined"] + found["rejected"]


@pytest.mark.parametrize(
    "content", ["", "{", '{"features": []}', "[1]", '{"features": [{"a": 1}, {']
)
def test_a_file_without_areas_is_refused(
    content: str, session: Session, places: None, tmp_path: Path
) -> None:
    path = tmp_path / "areas.geojson"
    path.write_text(content, "utf-8")

    with pytest.raises(Invalid):
        loaded(session, path)


def test_a_file_without_codes_names_the_properties_there_are(
    session: Session, places: None, tmp_path: Path
) -> None:
    with pytest.raises(Invalid) as refused:
        loaded(session, file(tmp_path, feature("x", properties={"nama": "x", "luas": 3})))

    assert refused.value.candidates == ["nama", "luas"]


AREA = json.dumps(feature("99.01"))


@pytest.mark.parametrize(
    "hostile",
    [
        '{"geometry": ' + "[" * 100_000 + "]" * 100_000 + "}",
        '{"id": ' + "9" * 5_000 + "}",
        AREA.replace("110.0", "NaN"),
        '{"properties": {"kode": "9902", "x": "' + "x" * (1 << 20) + '"}}',
    ],
    ids=["deep", "a long number", "not a number", "large"],
)
def test_a_file_made_to_end_the_reader_is_refused_and_nothing_of_it_is_kept(
    cli: Any, session: Session, places: None, tmp_path: Path, monkeypatch: Any, hostile: str
) -> None:
    monkeypatch.setattr(boundaries, "LARGEST_AREA_BYTES", 1 << 19)
    path = tmp_path / "areas.geojson"
    fine = ", ".join([AREA] * 10_000)  # more than one area may be, together
    path.write_text(f'{{"features": [{fine}, {hostile}]}}', "utf-8")

    said = cli("places", "import-boundaries", str(path), "--json", "--lang", "en")

    assert said.exit_code == 2
    assert "not readable GeoJSON" in f"{said.stdout}{said.stderr}"
    assert session.scalars(select(AreaBoundary)).all() == []


def test_a_border_that_crosses_itself_without_end_is_told_and_not_mended(
    session: Session, places: None, tmp_path: Path
) -> None:
    zigzag = [[110 + at / 2000, -10.9 + at % 2] for at in range(1000)]
    crossed = [*zigzag, *([y + 120.9, x - 120.9] for x, y in zigzag)]
    crossed.append(crossed[0])
    found = loaded(
        session,
        file(
            tmp_path,
            feature("99.02", west=111.0),
            feature("99.01", geometry={"type": "Polygon", "coordinates": [crossed]}),
        ),
    )

    assert (found["added"], found["findings"]) == (1, [(2, "place.boundary.crossed")])


def test_the_name_of_a_property_commands_no_terminal(
    session: Session, places: None, tmp_path: Path
) -> None:
    odd = feature("x", properties={"\x1b[2Jkode": "99.01", "nama": "99.01"})

    assert loaded(session, file(tmp_path, odd))["code_property"] == "nama"


def test_reading_a_large_file_keeps_nobody_from_writing(
    cli: Any, session: Session, places: None, tmp_path: Path, monkeypatch: Any
) -> None:
    happened: list[str] = []
    read, lock = boundaries.read, db.take_write_lock
    monkeypatch.setattr(
        boundaries, "read", lambda *a, **k: (read(*a, **k), happened.append("read"))[0]
    )
    monkeypatch.setattr(
        places_commands, "take_write_lock", lambda s: (happened.append("lock"), lock(s))
    )

    assert cli("places", "import-boundaries", str(file(tmp_path, feature("99.01")))).exit_code == 0
    assert happened == ["read", "lock"]


def test_neighbours_stay_neighbours_when_they_are_made_lighter() -> None:
    import shapely

    wave = [(111 + 0.001 * (at % 2), -8 + at / 100) for at in range(101)]
    left = shapely.Polygon([(110, -8), *wave, (110, -7)])
    right = shapely.Polygon([(112, -8), *wave, (112, -7)])

    light = outlines.lighter([left, right], 0.05)

    assert shapely.area(shapely.intersection(*light)) == 0
    assert shapely.area(shapely.union_all(light)) == pytest.approx(2.0, abs=0.01)
    assert shapely.get_num_coordinates(light).sum() < 30


def test_a_province_without_an_outline_is_drawn_from_its_regencies() -> None:
    import shapely

    kept = {
        code: shapely.to_wkb(shapely.Polygon(square(west, -8.0)[0]))
        for code, west in (("99.01", 110.0), ("99.02", 111.0))
    }

    assert shapely.area(Outlines(kept).shape("99")) == pytest.approx(2.0)
    assert Outlines(kept).shape("98") is None


@given(st.text(max_size=12) | st.floats() | st.integers() | st.none() | st.booleans())
def test_any_value_is_a_code_or_none(value: Any) -> None:
    code = outlines.dotted(value)

    assert code == "" or all(len(part) == 2 and part.isdigit() for part in code.split("."))


@given(
    st.recursive(
        st.none() | st.floats() | st.text(max_size=5) | st.integers(),
        lambda inner: st.lists(inner, max_size=4)
        | st.dictionaries(st.sampled_from(["type", "coordinates", "geometry", "properties", "kode"]), inner),
        max_leaves=12,
    )
)  # fmt: skip
def test_no_content_of_a_file_is_an_error_of_ours(content: Any) -> None:
    known = {"99.01": Anchor(-10.4, 110.5, 5.0)}
    odd = {"properties": {"kode": "9901"}, "geometry": content}

    found = outlines.read([feature("9901"), content, odd], known)

    assert found.features == len(found.outlines) + found.joined + len(found.findings)


def test_the_real_files_are_taken_whole(session: Session, shared: Path) -> None:
    folder = shared / "data" / "idn" / "boundaries"

    regencies = loaded(session, folder / "kabupaten_coded.geojson")
    provinces = loaded(session, folder / "provinsi_38.geojson")

    assert (regencies["features"], regencies["added"], regencies["rejected"]) == (507, 507, 0)
    assert (provinces["code_property"], provinces["added"], provinces["mended"]) == (
        "KODE_PROV",
        38,
        15,
    )
    # The country has 1.89 million square kilometres of land (BIG, 2024).
    assert provinces["area_km2"] == pytest.approx(1_890_000, rel=0.01)
    assert area_at(session, -6.9903, 110.4229) == "33.74"


def test_the_command_reports_and_ends_with_one_where_something_was_kept_out(
    cli: Any, session: Session, places: None, tmp_path: Path
) -> None:
    path = file(tmp_path, feature("99.01"), feature("97.01"))

    said = cli("places", "import-boundaries", str(path), "--code", "kode", "--json", "--lang", "en")

    assert said.exit_code == 1
    assert said.json == {
        "features": 2,
        "code_property": "kode",
        "added": 1,
        "changed": 0,
        "unchanged": 0,
        "mended": 0,
        "joined": 0,
        "area_km2": pytest.approx(12_110, rel=0.01),
        "rejected": 1,
        "findings": [
            {
                "row": 2,
                "field": "kode",
                "value": "97.01",
                "message": "This code is not in the gazetteer.",
            }
        ],
    }
    refused = cli("places", "import-boundaries", str(path), "--code", "nama", "--json")
    assert refused.exit_code == 1
    assert refused.json["rejected"] == 2
