"""The page of the ways that an office knows."""

from datetime import datetime
from typing import Any

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from referral.accounts.models import Role
from referral.matching import routes
from referral.matching.models import KnownRoute
from referral.places.models import Place, PlaceLoad
from tests.factories import Make


@pytest.fixture
def places(session: Session) -> None:
    """Two regencies far from each other, and two kecamatan of one name."""
    for code, level, name, parent, point in [
        ("97", 1, "Nusa Uji", None, (-6.9, 110.4)),
        ("97.01", 2, "Kabupaten Uji", "97", (-7.0, 110.0)),
        ("97.71", 2, "Kota Coba", "97", (-7.0, 111.0)),
        ("97.01.01", 3, "Kembarjaya", "97.01", (-7.0, 110.0)),
        ("97.71.01", 3, "Kembarjaya", "97.71", (-7.0, 111.0)),
    ]:
        session.merge(
            Place(
                code=code,
                level=level,
                name=name,
                parent_code=parent,
                latitude=point[0],
                longitude=point[1],
                precision_km=5.0,
                point_source="test",
                source="test",
            )
        )
    session.add(PlaceLoad(source="test", changed_count=5))
    session.commit()


def typed(**values: str) -> dict[str, str]:
    return {
        "from": "Kabupaten Uji",
        "to": "Kota Coba",
        "km": "124,5",
        "how": "kapal Selasa dan Jumat, Rp 50.000",
    } | values


def kept(session: Session) -> list[tuple[str, str, float]]:
    rows = session.scalars(select(KnownRoute).where(KnownRoute.ended_at.is_(None)))
    return sorted((row.from_code, row.to_code, row.km) for row in rows)


@pytest.mark.parametrize("role", [Role.BROKER, Role.SUPERVISOR])
def test_a_way_is_entered_listed_and_ended(
    browser: Any, make: Make, session: Session, places: None, role: Role
) -> None:
    user = make.user(role)
    browser.sign_in(user)

    browser.submit("/routes/", typed(both_ways="y"))
    assert kept(session) == [("97.01", "97.71", 124.5), ("97.71", "97.01", 124.5)]
    page = browser.page("/routes/")
    assert "kapal Selasa dan Jumat, Rp 50.000" in page.text
    assert len(page.select("tbody tr")) == 2
    first = page.select_one("tbody form")["action"]
    browser.submit(first)

    assert len(browser.page("/routes/").select("tbody tr")) == 1
    assert len(kept(session)) == 1


@pytest.mark.parametrize(
    ("values", "field", "words"),
    [
        ({"km": "90"}, "km", "lebih pendek dari garis lurus"),
        ({"km": "jauh"}, "km", ""),
        ({"km": ""}, "km", ""),
        ({"how": ""}, "how", "cara perginya"),
        ({"from": ""}, "from", ""),
        ({"to": "Antah Berantah"}, "to", ""),
        ({"to": "Kec. Kembarjaya, Kabupaten Uji"}, "to", "dua wilayah"),
    ],
)
def test_what_is_wrong_is_said_beside_its_field_and_the_rest_is_kept(
    browser: Any,
    make: Make,
    session: Session,
    places: None,
    values: dict[str, str],
    field: str,
    words: str,
) -> None:
    browser.sign_in(make.user())

    page = browser.submit("/routes/", typed(**values), status=422)

    assert words in page.select_one(f"#{field}-error").text
    assert page.select_one("#how")["value"] == typed(**values)["how"]
    assert kept(session) == []


def test_a_name_that_several_places_bear_is_asked_about(
    browser: Any, make: Make, session: Session, places: None
) -> None:
    browser.sign_in(make.user())

    page = browser.submit("/routes/", typed(**{"from": "Kembarjaya", "km": "9"}), status=422)
    offered = [one["value"] for one in page.select("input[name=from_code]")]
    assert sorted(offered) == ["97.01.01", "97.71.01"]

    # chosen, and the next thing wrong does not ask again
    page = browser.submit(
        "/routes/", typed(**{"from": "Kembarjaya", "from_code": "97.01.01", "km": "9"}), status=422
    )
    assert page.select_one("#from")["value"].startswith("Kec. Kembarjaya, Kabupaten Uji")
    assert "garis lurus" in page.select_one("#km-error").text
    assert not page.select("input[name=from_code]")


def test_another_office_sees_and_ends_nothing_of_it(
    browser: Any, make: Make, session: Session, places: None, now: datetime
) -> None:
    ours, other = make.user(), make.user()
    route = KnownRoute(
        office_id=ours.office_id,
        from_code="97.01",
        to_code="97.71",
        km=124.5,
        how="kapal",
        created_at=now,
        by_id=ours.id,
    )
    session.add(route)
    session.commit()
    browser.sign_in(other)

    assert not browser.page("/routes/").select("tbody tr")
    assert browser.post(f"/routes/{route.id}/end").status_code == 404
    assert len(routes.of_office(session, ours.office_id)) == 1


@pytest.mark.parametrize("role", [Role.AGENCY, Role.PLANNER, Role.ADMINISTRATOR])
def test_for_others_the_page_is_not_there(browser: Any, make: Make, role: Role) -> None:
    browser.sign_in(make.user(role))

    assert browser.get("/routes/").status_code == 404
