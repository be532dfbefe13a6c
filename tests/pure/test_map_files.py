"""Features and elements of maps become rows of a table."""

import json

import pytest

from referral.core.errors import Finding, Invalid
from referral.directory.intake import geojson, osm
from referral.directory.intake.mapping import TableMapping
from referral.directory.kinds import ServiceStatus
from referral.directory.reference import FOLDER, known

RULES = osm.rules(FOLDER / "osm_tags.csv")
OSM = TableMapping.from_yaml(FOLDER / "mappings" / "osm.yaml")


def saved(tmp_path, content):
    path = tmp_path / "a.json"
    path.write_text(content if isinstance(content, str) else json.dumps(content), "utf-8")
    return path


def features(tmp_path, *some):
    path = saved(tmp_path, {"type": "FeatureCollection", "features": list(some)})
    return list(geojson.entries(path))


def element(**tags):
    return {"type": "node", "id": 1, "lat": -6.99, "lon": 110.42, "tags": tags}


def of(tmp_path, *elements, **options):
    return list(osm.entries(saved(tmp_path, {"elements": list(elements)}), RULES, **options))


def one(tmp_path, **tags):
    """The listing that an element with these tags becomes, and the fields of what was found."""
    (entry,) = of(tmp_path, element(**tags))
    assert not isinstance(entry, Finding), entry
    listing, findings = OSM.read(entry[0], entry[1], known())
    return listing, [
        (f.field, f.value, f.message.key.removeprefix("directory.import.")) for f in findings
    ]


def test_a_feature_is_a_row_with_its_properties_and_point(tmp_path):
    rows = features(
        tmp_path,
        {
            "type": "Feature",
            "id": 7,
            "properties": {"name": "A", "open": True, "level": 2.0, "tags": ["x", 1], "at": {"city": "B"}, "no": None},
            "geometry": {"type": "Point", "coordinates": [110.42, -6.99, 12]},
        },
    )  # fmt: skip

    assert rows == [
        (
            1,
            {
                "id": "7",
                "name": "A",
                "open": "true",
                "level": "2",
                "tags": "x|1",
                "at.city": "B",
                "no": "",
                "latitude": "-6.99",
                "longitude": "110.42",
            },
            True,
        )
    ]


def test_an_area_is_taken_by_its_middle_with_half_its_width(tmp_path):
    square = [[[110.0, -7.0], [110.2, -7.0], [110.2, -6.8], [110.0, -6.8], [110.0, -7.0]]]
    geometry = {"type": "Polygon", "coordinates": square}
    ((_, cells, _),) = features(tmp_path, {"properties": {"id": "a"}, "geometry": geometry})

    assert (float(cells["latitude"]), float(cells["longitude"])) == pytest.approx((-6.9, 110.1))
    assert cells["precision_km"] == "15.67"


@pytest.mark.parametrize("geometry", [None, {}])
def test_a_feature_without_geometry_has_no_point(tmp_path, geometry):
    ((_, cells, _),) = features(tmp_path, {"properties": {"id": "a"}, "geometry": geometry})

    assert cells == {"id": "a"}


@pytest.mark.parametrize("geometry", [{"type": "Point", "coordinates": ["x", "y"]}, "POINT(1 2)"])
def test_a_geometry_without_a_point_is_found_and_the_row_kept(tmp_path, geometry):
    (entry,) = features(tmp_path, {"properties": {"id": "a", "name": "A"}, "geometry": geometry})
    listing, findings = TableMapping.from_yaml(FOLDER / "mappings/table.yaml").read(
        *entry[:2], known()
    )

    assert listing.name == "A"
    assert ("latitude", "directory.import.no_point") in [(f.field, f.message.key) for f in findings]


def test_a_damaged_file_is_refused_where_it_breaks(tmp_path):
    path = saved(tmp_path, '{"features": [{"properties": {"id": "a"}}, {"prop')
    read = geojson.entries(path)

    assert next(read)[1] == {"id": "a"}
    with pytest.raises(Invalid):
        next(read)


def test_every_rule_names_categories_that_exist():
    codes = {code for rule in RULES for code in rule.categories} - {"-"}

    assert codes <= known().categories


def test_an_element_is_a_listing_with_all_its_tags_say(tmp_path):
    listing, findings = one(
        tmp_path,
        amenity="clinic",
        name="Puskesmas Pandanaran",
        operator="Dinas Kesehatan Kota Semarang",
        phone="+62 24 8311;0812 345 678",
        **{
            "contact:whatsapp": "081234567",
            "addr:street": "Jl. Pandanaran",
            "addr:housenumber": "79",
        },
        opening_hours="Mo-Th 08:00-15:00; Fr 08:00-11:00",
        wheelchair="no",
        fee="no",
        website="https://example.org",
        check_date="2025-01-02",
    )

    assert findings == []
    assert (listing.source_id, listing.facility_type) == ("node/1", "PUSKESMAS")
    assert "HE01" in listing.categories
    assert listing.organization == "Dinas Kesehatan Kota Semarang"
    assert [(p.number, p.type) for p in listing.phones] == [
        ("+62 24 8311", "voice"),
        ("0812 345 678", "voice"),
        ("081234567", "whatsapp"),
    ]
    assert listing.address == "Jl. Pandanaran 79"
    assert listing.accessibility == ["Tidak bisa dimasuki kursi roda"]
    assert (listing.fee, listing.point, listing.precision_km) == ("free", (-6.99, 110.42), 0.2)
    assert [(o.byday, o.closes_at) for o in listing.openings] == [
        ("MO,TU,WE,TH", "15:00"),
        ("FR", "11:00"),
    ]
    assert listing.source_url == "https://www.openstreetmap.org/node/1"
    assert str(listing.source_date) == "2025-01-02"


@pytest.mark.parametrize(
    ("tags", "status"),
    [
        ({"amenity": "hospital"}, ServiceStatus.ACTIVE),
        ({"disused:amenity": "hospital"}, ServiceStatus.DEFUNCT),
        ({"abandoned:healthcare": "hospital"}, ServiceStatus.DEFUNCT),
        ({"amenity": "hospital", "disused": "yes"}, ServiceStatus.DEFUNCT),
        ({"amenity": "hospital", "opening_hours": "closed"}, ServiceStatus.TEMPORARILY_CLOSED),
        ({"amenity": "hospital", "was:amenity": "clinic"}, ServiceStatus.ACTIVE),
    ],
)
def test_what_is_gone_comes_in_as_closed_for_good(tmp_path, tags, status):
    listing, findings = one(tmp_path, name="RS Lama", **tags)

    assert (listing.status, list(listing.categories), findings) == (status, ["HE02"], [])


def test_a_refuge_is_confidential_wherever_the_map_shows_it(tmp_path):
    tags = {
        "amenity": "social_facility",
        "social_facility": "shelter",
        "social_facility:for": "abused",
    }
    listing, _ = one(tmp_path, name="Rumah Aman", **tags)

    assert (listing.confidential, listing.point, listing.categories.keys()) == (
        True,
        None,
        {"EM07"},
    )


def test_help_of_an_unknown_kind_is_kept_and_found(tmp_path):
    listing, findings = one(
        tmp_path, amenity="social_facility", social_facility="dairy", name="Dapur"
    )

    assert (listing.name, listing.categories) == ("Dapur", {})
    assert findings == [
        ("category", "social_facility=dairy, amenity=social_facility", "unknown_category")
    ]


@pytest.mark.parametrize(
    ("tags", "why"),
    [
        ({"amenity": "restaurant", "name": "Warung"}, "no_help"),
        ({"healthcare": "pharmacy", "name": "Apotek"}, "no_help"),
        ({"amenity": "police"}, "nameless"),
        ({"construction:amenity": "hospital", "name": "RS Baru"}, "not_yet_there"),
    ],
)
def test_what_is_no_listing_is_left_out_with_its_reason(tmp_path, tags, why):
    (entry,) = of(tmp_path, element(**tags))

    assert entry.message.key == f"directory.import.osm.{why}"


def test_ways_are_placed_by_their_middle_and_bare_nodes_passed_over(tmp_path):
    police = {"amenity": "police", "name": "Polsek"}
    bounds = {"minlat": -7.0, "minlon": 110.0, "maxlat": -6.8, "maxlon": 110.2}
    rows = of(
        tmp_path,
        {"type": "node", "id": 1, "lat": -6.9, "lon": 110.1},
        {"type": "way", "id": 2, "center": {"lat": -6.5, "lon": 110.5}, "tags": police},
        {"type": "relation", "id": 3, "bounds": bounds, "tags": police},
    )

    assert [
        (n, c["id"], round(float(c["latitude"]), 3), round(float(c["longitude"]), 3))
        for n, c, _ in rows
    ] == [
        (2, "way/2", -6.5, 110.5),
        (3, "relation/3", -6.9, 110.1),
    ]


def test_the_export_of_overpass_turbo_is_read_as_the_answer_itself(tmp_path):
    feature = {
        "type": "Feature",
        "properties": {"@id": "node/1", "@timestamp": "2025-01-02T00:00:00Z", "amenity": "police", "name": "Polsek"},
        "geometry": {"type": "Point", "coordinates": [110.42, -6.99]},
    }  # fmt: skip
    path = saved(tmp_path, {"type": "FeatureCollection", "features": [feature]})
    answer = element(amenity="police", name="Polsek") | {"timestamp": "2025-01-02T00:00:00Z"}

    assert list(osm.entries(path, RULES, as_features=True)) == of(tmp_path, answer)
