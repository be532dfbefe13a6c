"""Pages on which other rules of a listing are tried: who may, what is said, and that nothing is written."""

import json
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import parse_qs, urlencode, urlsplit

import pytest
from bs4 import BeautifulSoup
from sqlalchemy.orm import Session

from referral.accounts.models import Role, User
from referral.directory.hours import DAYS
from referral.directory.models import Service, ServiceAtLocation
from referral.directory.upkeep import changes, editing, listings, writing
from referral.directory.upkeep.recording import Recorder
from referral.places.queries import gazetteer
from referral.planning.gaps.models import Audience, Measure
from referral.planning.rehearsal import rehearsing
from referral.planning.rehearsal.models import AskerGroup
from tests.conftest import Browser
from tests.factories import Make
from tests.forms import form_of, typed_over
from tests.releasing import SMALL, released


@pytest.fixture
def site(session: Session, make: Make) -> ServiceAtLocation:
    found = make.service("HE05", minimum_age=0, maximum_age=12)
    facts = {"province": "33", "regency": "33.74"}
    session.add_all(
        AskerGroup(
            quarter="2026-Q3",
            category="HE05",
            facts=facts | {"age": age},
            people=people,
            made_at=make.now,
        )
        for age, people in (("6-12", 8), ("13-17", 7))
    )
    session.commit()
    return found


@pytest.fixture
def agency(make: Make, site: ServiceAtLocation) -> User:
    return make.user(Role.AGENCY, organization_id=site.service.organization_id)


NOBODY_SHUT_OUT: dict[str, Any] = {
    "minimum_age": None,
    "maximum_age": None,
    "sex": None,
    "desil_max": None,
    "disability": None,
    "residency": None,
}


def state(
    session: Session, site: ServiceAtLocation, values: dict[str, Any], *, by: User, now: datetime
) -> None:
    """Let the listing say this."""
    book = Recorder(session, site.service, gazetteer(session), by=by, now=now, as_of=now)
    writing.write(book, values)
    book.finish()
    session.flush()


def figures(page: BeautifulSoup) -> list[str]:
    return [one.get_text(" ", strip=True) for one in page.select(".kpis > div")]


def tried(
    planner: Browser, site: ServiceAtLocation, status: int = 200, **typed: Any
) -> BeautifulSoup:
    """Open the form of a listing's rules, type over some of it and send it."""
    url = f"/rehearsal/{site.service_id}"
    return planner.submit(url, typed_over(form_of(planner.page(url)), **typed), status)


def rules(**values: Any) -> dict[str, str]:
    """The part of an address that names rules to try."""
    return {"rules": json.dumps(values)}


def raised(site: ServiceAtLocation, age: float | None = 17) -> dict[str, str]:
    return rules(eligibility=listings.values_of(site.service)["eligibility"] | {"maximum_age": age})


def test_a_planner_sees_who_would_have_been_gained_in_whole_groups(
    by: Callable[[User], Browser], make: Make, site: ServiceAtLocation
) -> None:
    planner = by(make.user(Role.PLANNER))

    page = tried(planner, site, **{"eligibility-maximum_age": "17"})

    assert figures(page) == [
        "people would have been gained +7",
        "people would have been lost 0",
        "would have fitted 8 as it is now 15",
        "cannot be told 0",
    ]
    assert "Of 15 people who asked nearby, 7 more" in page.text
    assert "groups of at least 7" in page.text
    diff = page.select_one("[aria-labelledby=tried-title]")
    assert diff is not None
    assert "Tried" in diff.text
    assert "17" in diff.text
    assert form_of(page)["eligibility-maximum_age"] == "17"
    assert listings.values_of(site.service)["eligibility"]["maximum_age"] == 12


@pytest.mark.parametrize(
    ("rule", "facts", "without"),
    [
        ({"minimum_age": 18, "maximum_age": 24}, {}, {"eligibility-maximum_age": ""}),
        ({"minimum_age": 0, "maximum_age": 12}, {}, {"eligibility-ages": "all"}),
        ({"desil_max": 4}, {"desil": "9-10"}, {"eligibility-desil": "all"}),
        ({"sex": ["female"]}, {"sex": "male"}, {"eligibility-sex": "all"}),
        ({"disability": ["visual"]}, {"disability": "hearing"}, {"eligibility-disability-known": "all"}),
        ({"residency": ["33.22"]}, {"registered": "33.74"}, {"eligibility-residency-known": "all"}),
        ({"service_areas": ["33.22"]}, {"registered": "33.74"}, {"service_areas-known": "everywhere"}),
    ],
    ids=["age ceiling", "ages", "desil", "sex", "disability", "registration", "area"],
)  # fmt: skip
def test_a_limit_is_taken_away_in_one_choice_and_whoever_it_kept_out_is_gained(
    session: Session,
    by: Callable[[User], Browser],
    make: Make,
    rule: dict[str, Any],
    facts: dict[str, str],
    without: dict[str, str],
) -> None:
    site = make.service("HE05")
    stated = rule if "service_areas" in rule else {"eligibility": NOBODY_SHUT_OUT | rule}
    state(session, site, stated, by=make.user(Role.ADMINISTRATOR), now=make.now)
    everybody = {"province": "33", "regency": "33.74", "age": "25-59", "sex": "female", "registered": "33.74", "desil": "1-2"}  # fmt: skip
    session.add(AskerGroup(quarter="2026-Q3", category="HE05", facts=everybody | facts, people=9, made_at=make.now))  # fmt: skip
    session.commit()

    page = tried(by(make.user(Role.PLANNER)), site, **without)

    assert figures(page)[:3] == [
        "people would have been gained +9",
        "people would have been lost 0",
        "would have fitted 0 as it is now 9",
    ]


def test_hours_are_typed_as_in_a_listing_and_day_and_night_is_one_press(
    session: Session, by: Callable[[User], Browser], make: Make
) -> None:
    site = make.service("HE05")
    days = {"days": list(DAYS[:5]), "opens": "08:00", "closes": "16:00", "every": "week"}
    over = {"hours": [days], "hours_until": str(make.now.date() - timedelta(days=1))}
    values, wrong = editing.read(over, listings.lists(gazetteer(session)))
    assert not wrong
    state(session, site, values, by=make.user(Role.ADMINISTRATOR), now=make.now)
    facts = {"province": "33", "regency": "33.74"}
    session.add_all(
        AskerGroup(quarter="2026-Q3", category="HE05", facts=facts | {"when": when}, people=people, made_at=make.now)
        for when, people in (("workday_morning", 8), ("workday_evening", 6), ("weekend", 5))
    )  # fmt: skip
    session.commit()
    planner, url = by(make.user(Role.PLANNER)), f"/rehearsal/{site.service_id}"
    form = form_of(planner.page(url))
    assert form["hours-MO-0-opens"] == "08:00"

    form.setlist("do", ["hours.always"])
    pressed = planner.submit(url, form)
    assert [form_of(pressed)[f"hours-{day}-0-closes"] for day in DAYS] == ["24:00"] * 7
    always = planner.submit(url, form_of(pressed))
    late = tried(planner, site, **{"hours-MO-0-closes": "21", "hours-TU-0-closes": "2100"})

    # Hours that are over shut nobody out, so all of them would have been met.
    assert [figures(page)[2] for page in (always, late)] == [
        "would have fitted 19 as it is now 19",
        "would have fitted 19 as it is now 14",
    ]
    assert figures(late)[1] == "people would have been lost −5"
    refused = tried(planner, site, 422, **{"hours-MO-0-closes": "25"})
    assert [link["href"] for link in refused.select(".error-summary a")] == ["#hours-MO-0-closes"]


def test_a_full_service_counts_as_none_and_room_is_left_as_it_is_by_itself(
    by: Callable[[User], Browser], make: Make, site: ServiceAtLocation
) -> None:
    planner = by(make.user(Role.PLANNER))

    page = tried(planner, site, room="no-capacity")

    assert figures(page)[1] == "people would have been lost −8"
    assert form_of(page)["room"] == "no-capacity"
    assert form_of(planner.page(f"/rehearsal/{site.service_id}"))["room"] == ""


def test_what_is_left_as_it_is_tries_nothing_and_says_so(
    by: Callable[[User], Browser], make: Make, site: ServiceAtLocation
) -> None:
    page = tried(by(make.user(Role.PLANNER)), site)

    assert "Nothing is different from the listing yet." in page.text
    assert figures(page) == []


def test_a_trial_has_an_address_that_can_be_shared_and_names_only_what_differs(
    by: Callable[[User], Browser], make: Make, site: ServiceAtLocation
) -> None:
    planner, url = by(make.user(Role.PLANNER)), f"/rehearsal/{site.service_id}"
    sent = typed_over(form_of(planner.page(url)), **{"eligibility-maximum_age": ""})

    answer = planner.post(url, data=sent)

    assert answer.status_code == 303
    named = json.loads(parse_qs(urlsplit(answer.location).query)["rules"][0])
    assert {name: rule["maximum_age"] for name, rule in named.items()} == {"eligibility": None}
    assert figures(planner.page(answer.location))[0] == "people would have been gained +7"


def test_more_rules_than_an_address_holds_are_tried_all_the_same(
    by: Callable[[User], Browser], make: Make, site: ServiceAtLocation
) -> None:
    rows = {"hours-MO-count": "48"} | {
        f"hours-MO-{at}-{part}": f"{at // 2:02}:{30 * (at % 2) + more:02}"
        for at in range(48)
        for part, more in (("opens", 0), ("closes", 20))
    }

    page = tried(by(make.user(Role.PLANNER)), site, **rows)

    assert len(figures(page)) == 4


def test_what_cannot_be_is_said_at_its_field_nothing_is_tried_and_nothing_lost(
    by: Callable[[User], Browser], make: Make, site: ServiceAtLocation
) -> None:
    typed = {
        "eligibility-minimum_age": "20",
        "eligibility-maximum_age": "10",
        "eligibility-residency-known": "only",
        "eligibility-residency-count": "1",
        "eligibility-residency-0-place": "Banyumanikk Utara",
        "service_areas-known": "only",
        "hours-MO-count": "1",
        "hours-MO-0-opens": "pagi",
        "hours-MO-0-closes": "16:00",
        "room": "huge",
    }

    page = tried(by(make.user(Role.PLANNER)), site, 422, **typed)

    wrong = [link["href"] for link in page.select(".error-summary a")]
    assert {"#eligibility-residency-0-place", "#hours-MO-0-opens", "#room"} <= set(wrong)
    assert all(page.select(str(at)) for at in wrong)
    assert {name: form_of(page).get(name) for name in typed if name != "room"} == {
        name: text for name, text in typed.items() if name != "room"
    }
    assert "would have fitted" not in page.text
    ages = tried(by(make.user(Role.PLANNER)), site, 422, **{"eligibility-minimum_age": "20", "eligibility-maximum_age": "10"})  # fmt: skip
    assert [link["href"] for link in ages.select(".error-summary a")] == [
        "#eligibility-maximum_age"
    ]


@pytest.mark.parametrize(
    "typed",
    [
        "{",
        "[]",
        "7",
        '"' + "9" * 5_000,
        "[" * 50_000,
        '{"phones": []}',
        '{"eligibility": 5}',
        '{"eligibility": {"maximum_age": "NaN"}}',
        '{"eligibility": {"maximum_age": 1e400}}',
        '{"hours": [[]]}',
        '{"hours": [{"rule": 1}]}',
        '{"service_areas": [{}]}',
        '{"capacity": {"status": []}}',
    ],
)
def test_an_address_that_names_no_rules_is_no_error_of_ours(
    by: Callable[[User], Browser], make: Make, site: ServiceAtLocation, typed: str
) -> None:
    planner = by(make.user(Role.PLANNER))

    answer = planner.get(f"/rehearsal/{site.service_id}", query_string={"rules": typed})

    assert answer.status_code == 400


@pytest.mark.parametrize("typed", ["--5", "-", "9" * 400, "1e308", "NaN"])
def test_what_is_no_age_is_said_at_its_field(
    by: Callable[[User], Browser], make: Make, site: ServiceAtLocation, typed: str
) -> None:
    page = tried(by(make.user(Role.PLANNER)), site, 422, **{"eligibility-maximum_age": typed})

    assert [link["href"] for link in page.select(".error-summary a")] == [
        "#eligibility-maximum_age"
    ]


def test_an_agency_tries_its_draft_and_only_its_own(
    session: Session,
    by: Callable[[User], Browser],
    make: Make,
    site: ServiceAtLocation,
    agency: User,
) -> None:
    now = datetime.now(UTC)
    draft = changes.start(session, site.service_id, by=agency, now=now)
    rules = listings.values_of(site.service)["eligibility"]
    changes.save_draft(
        session,
        draft,
        {"eligibility": rules | {"maximum_age": 5}},
        seen={"eligibility": rules},
        by=agency,
        now=now,
    )
    session.commit()
    mine = by(agency)

    assert (
        f"/rehearsal/{site.service_id}/draft"
        in mine.get(f"/listings/{site.service_id}/changes").text
    )
    assert "−8" in mine.page(f"/rehearsal/{site.service_id}/draft").text
    others = by(make.user(Role.AGENCY))
    assert others.get(f"/rehearsal/{site.service_id}/draft").status_code == 404
    assert others.get(f"/rehearsal/{site.service_id}", query_string=raised(site)).status_code == 404
    assert others.post(f"/rehearsal/{site.service_id}").status_code == 404


def test_an_agency_reads_of_a_gap_what_everybody_may_and_a_planner_what_planners_may(
    session: Session,
    by: Callable[[User], Browser],
    make: Make,
    site: ServiceAtLocation,
    agency: User,
) -> None:
    key = ("33.74", "HE05", "", "")
    released(session, {Measure.UNMET: {key: 7}})
    released(session, {Measure.UNMET: {key: SMALL}}, audience=Audience.PUBLIC, threshold=11)

    told = [
        by(user)
        .page(f"/rehearsal/{site.service_id}?{urlencode(raised(site))}")
        .select("tbody td")[-1]
        .text
        for user in (agency, make.user(Role.PLANNER))
    ]

    assert told == ["few", "7"]


def test_a_listing_is_written_only_while_matching_reads_it(
    monkeypatch: pytest.MonkeyPatch,
    session: Session,
    by: Callable[[User], Browser],
    make: Make,
    site: ServiceAtLocation,
) -> None:
    seen = []
    rehearse = rehearsing.rehearse

    def look(_session: Session, *args: Any, **kwargs: Any) -> Any:
        seen.append(session.get_one(Service, site.service_id).maximum_age)
        return rehearse(_session, *args, **kwargs)

    monkeypatch.setattr(rehearsing, "rehearse", look)

    by(make.user(Role.PLANNER)).page(f"/rehearsal/{site.service_id}?{urlencode(raised(site))}")

    assert seen == [12]


def test_a_curator_keeps_a_draft_and_reads_nothing_of_those_who_asked(
    session: Session, by: Callable[[User], Browser], make: Make, site: ServiceAtLocation
) -> None:
    curator, now = make.user(Role.ADMINISTRATOR), datetime.now(UTC)
    draft = changes.start(session, site.service_id, by=curator, now=now)
    rules = listings.values_of(site.service)["eligibility"]
    less = {"eligibility": rules | {"maximum_age": 5}}
    changes.save_draft(session, draft, less, seen={"eligibility": rules}, by=curator, now=now)
    session.commit()
    mine = by(curator)

    assert "/rehearsal/" not in mine.get(f"/listings/{site.service_id}/changes").text
    assert mine.get(f"/rehearsal/{site.service_id}/draft").status_code == 404


@pytest.mark.parametrize("role", [Role.BROKER, Role.SUPERVISOR, Role.ADMINISTRATOR])
def test_nobody_else_opens_it(
    by: Callable[[User], Browser], make: Make, site: ServiceAtLocation, role: Role
) -> None:
    assert by(make.user(role)).get(f"/rehearsal/{site.service_id}").status_code == 404
