"""How coarse an area is told."""

import pytest

from referral.places.codes import holds, no_finer_than_regency, regency_of


@pytest.mark.parametrize(
    ("code", "regency", "told"),
    [
        ("33.74.11.1001", "33.74", "33.74"),
        ("33.74.11", "33.74", "33.74"),
        ("33.74", "33.74", "33.74"),
        ("33", None, "33"),
        ("", None, ""),
        (None, None, None),
    ],
)
def test_an_area_is_told_by_its_regency_and_a_province_as_it_is(
    code: str | None, regency: str | None, told: str | None
) -> None:
    assert (regency_of(code), no_finer_than_regency(code)) == (regency, told)


@pytest.mark.parametrize(
    ("area", "code", "inside"),
    [
        ("33", "33.74.11", True),
        ("33.74", "33.74", True),
        ("33.74.11", "33.74", False),
        ("33.7", "33.74", False),
        ("34", "33.74", False),
    ],
)
def test_an_area_holds_itself_and_what_lies_in_it(area: str, code: str, inside: bool) -> None:
    assert holds(area, code) is inside
