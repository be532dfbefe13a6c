"""Nested documents become rows; the same id at several places is one row where it can be."""

from datetime import UTC, datetime
from uuid import UUID, uuid5

from hypothesis import given
from hypothesis import strategies as st

from referral.directory.hsds.shape import TABLES
from referral.directory.intake.batches import Line
from referral.directory.intake.hsds.documents import Reading

NOW = datetime(2026, 3, 2, tzinfo=UTC)
SERVICE, SITE, PLACE = (UUID(int=number) for number in (1, 2, 3))
PHONE = UUID(int=21)


def read(document, table="service"):
    reading = Reading("uji", now=NOW)
    reading.nested(table, document, Line("", 1))
    return reading.done()


def phone(**more):
    return {"id": str(PHONE), "number": "024 1", **more}


def document(own, there, **more):
    return {
        "id": str(SERVICE),
        "name": "Konseling",
        "status": "active",
        "phones": own,
        "service_at_locations": [
            {"id": str(SITE), "location": {"id": str(PLACE), "location_type": "physical", **there}}
        ],
        **more,
    }


def test_a_row_that_says_the_same_at_two_places_has_two_links():
    batch = read(document([phone()], {"phones": [phone()]}))

    assert batch.rows["phone"] == {
        PHONE: {
            "id": PHONE,
            "number": "024 1",
            "extension": None,
            "type": None,
            "description": None,
            "service_id": SERVICE,
            "location_id": PLACE,
            "as_stated": None,
        }
    }


def test_a_row_that_says_something_else_is_a_further_row_that_keeps_its_id_as_stated():
    batch = read(document([phone()], {"phones": [phone(description="malam")]}))

    further = batch.rows["phone"][uuid5(PHONE, str(PLACE))]
    assert (further["location_id"], further.get("service_id")) == (PLACE, None)
    assert further["as_stated"] == {"id": str(PHONE)}
    assert "location_id" not in batch.rows["phone"][PHONE]


def test_two_parents_of_one_kind_have_a_row_each():
    other = UUID(int=4)
    sites = [
        {
            "id": str(UUID(int=100 + place.int)),
            "location": {"id": str(place), "location_type": "physical", "phones": [phone()]},
        }
        for place in (PLACE, other)
    ]

    batch = read(document([], {}, service_at_locations=sites))

    assert {row["location_id"] for row in batch.rows["phone"].values()} == {PLACE, other}


def test_an_attribute_has_one_parent_so_a_repeated_id_is_a_row_for_each():
    term = {"id": str(UUID(int=71)), "code": "a", "name": "a", "description": "a"}
    attribute = {"id": str(UUID(int=70)), "taxonomy_term": term}

    batch = read(document([], {"attributes": [attribute]}, attributes=[attribute]))

    assert sorted(
        (row["link_entity"], row["link_id"]) for row in batch.rows["attribute"].values()
    ) == [("location", PLACE), ("service", SERVICE)]
    assert {row["taxonomy_term_id"] for row in batch.rows["attribute"].values()} == {UUID(int=71)}


def test_an_object_in_full_says_of_its_lists_that_they_are_all_there_is():
    whole = {each for each in read(document([], {})).whole if each[2] == SERVICE}
    named = read({"id": str(SERVICE), "name": "Konseling", "status": "active"}).whole

    assert ("phone", "service_id", SERVICE) in whole
    assert ("service_at_location", "service_id", SERVICE) not in whole
    assert named == set()


def test_numbers_of_a_source_are_told_apart_by_their_table():
    batch = read(document([phone(id=1)], {}, id="1"))

    assert batch.rows["phone"].keys().isdisjoint(batch.rows["service"].keys())
    assert (
        batch.rows["phone"].keys() == read(document([phone(id=1)], {}, id="1")).rows["phone"].keys()
    )


KEYS = (
    *("id", "name", "status", "phones", "location", "service_at_locations", "attributes"),
    *("taxonomy_term", "organization", "services", "metadata"),
)
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=8),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(KEYS),
            inner,
            max_size=6,
        )
    ),
    max_leaves=30,
)


@given(JSON)
def test_nothing_that_json_can_hold_stops_the_reading(document):
    for table in ("service", "organization"):
        made = read(document, table)
        assert set(made.rows) <= set(TABLES)
