"""The pages of help the broker makes: a form, the office's list, one helper, and one tap when they helped."""

from datetime import datetime, timedelta
from typing import Any

import pytest
from bs4 import BeautifulSoup
from sqlalchemy import select
from sqlalchemy.orm import Session

from referral.accounts.models import Role, User
from referral.casework.models import Case, Need, OwnHelp, OwnResource, Visibility
from referral.casework.own import queries
from referral.changes.models import AuditEntry
from referral.directory.models import Service
from referral.directory.upkeep.models import ListingChange
from referral.matching.models import MatchReceipt
from tests.conftest import Browser
from tests.factories import Make
from tests.scenes import JAKARTA

NEIGHBOUR = "Bu Sulastri Fiktif"
GIVEN: dict[str, Any] = {
    "name": NEIGHBOUR,
    "day": "sepulang sekolah",
    "place": "rumah sebelah",
    "phone": "0812 0000 0078",
    "visibility": "office",
    "helper_agreed": "y",
    "method": "spoken",
    "days": ["MO", "WE"],
    "capacity": "2",
}


@pytest.fixture
def need(make: Make, case: Case) -> Need:
    return make.need(case, category="FC05")


@pytest.fixture
def own(mine: Any, session: Session, need: Need) -> OwnResource:
    """Made through the form, for the office."""
    mine.post("/language/en", data={"next": "/"})
    mine.submit(form_of(need), GIVEN)
    return session.scalars(select(OwnResource)).one()


def form_of(need: Need) -> str:
    return f"/cases/{need.case_id}/needs/{need.id}/own"


def words(page: BeautifulSoup, part: str) -> str:
    found = page.select_one(part)
    assert found is not None, part
    return " ".join(found.text.split())


# Making ------------------------------------------------------------------------------------------


def test_own_help_is_made_in_one_form_and_usable_at_once(
    mine: Any, session: Session, case: Case, need: Need
) -> None:
    few = {name: GIVEN[name] for name in ("name", "day", "place", "phone", "helper_agreed")}

    page = mine.submit(form_of(need), few | {"visibility": "client"})

    [made] = queries.own_resources(session, case, "FC05")
    assert (made.name, made.visibility) == (NEIGHBOUR, Visibility.CLIENT)
    assert made.details == {
        "day": "sepulang sekolah",
        "place": "rumah sebelah",
        "phone": "+6281200000078",
    }
    assert (made.agreed_method, made.capacity, made.byday) == ("spoken", None, None)
    assert NEIGHBOUR in words(page, "#own")


@pytest.mark.parametrize(
    ("field", "values"),
    [
        ("name", {"name": " "}),
        ("helper_agreed", {"helper_agreed": ""}),
        ("phone", {"phone": "besok"}),
        ("visibility", {"visibility": ""}),
        ("visibility", {"visibility": "everybody"}),
        ("public_name", {"visibility": "public"}),
        ("capacity", {"capacity": "0"}),
        ("days", {"days": "XX"}),
        ("method", {"method": "guardian"}),
        ("agreed_on", {"agreed_on": "2100-01-01"}),
        ("agreed_on", {"agreed_on": "besok"}),
    ],
)
def test_what_is_wrong_is_said_at_its_field_and_nothing_typed_is_lost(
    mine: Any, session: Session, need: Need, field: str, values: dict[str, str]
) -> None:
    page = mine.submit(form_of(need), GIVEN | values, status=422)

    assert page.select_one(f'.error-summary a[href="#{field}"]') is not None
    assert page.select_one(f"#{field}") is not None
    assert page.select_one("#day")["value"] == "sepulang sekolah"
    assert session.scalars(select(OwnResource)).all() == []


def test_the_words_to_ask_with_stand_beside_each_answer(mine: Any, need: Need) -> None:
    mine.post("/language/en", data={"next": "/"})
    page = mine.page(form_of(need))

    asked = words(page, "#visibility")
    assert asked.count("You may say no") == 3
    assert page.select_one("#visibility-1")["checked"] == ""


def test_help_for_the_office_is_made_without_a_case(mine: Any, session: Session) -> None:
    mine.submit("/own/new", GIVEN, status=422)  # no kind of help was chosen
    mine.submit("/own/new", GIVEN | {"category": "FC05", "visibility": "client"}, status=422)
    page = mine.submit("/own/new", GIVEN | {"category": "FC05"})

    made = session.scalars(select(OwnResource)).one()
    assert (made.client_id, made.category, made.byday) == (None, "FC05", "MO,WE")
    assert NEIGHBOUR in words(page, f"#own-{made.id}")


# The list and one of them ------------------------------------------------------------------------


def test_the_list_says_when_for_how_many_and_how_often(
    mine: Any, session: Session, case: Case, need: Need, own: OwnResource
) -> None:
    mine.submit(f"/cases/{case.id}/helped", {"own": own.id, "need": need.id})

    page = mine.page("/own")

    told = words(page, f"#own-{own.id}")
    for part in ("Monday, Wednesday, sepulang sekolah", "rumah sebelah", "Helps 1 of 2 now"):
        assert part in told
    assert "helped 1 time, last on" in told
    assert page.select_one('a[href="tel:+6281200000078"]') is not None
    assert mine.get("/own?category=XX").status_code == 200
    assert "Nothing is over" in words(mine.page("/own?show=ended"), "main")


def test_a_kind_of_help_narrows_the_list(mine: Any, own: OwnResource) -> None:
    mine.submit("/own/new", GIVEN | {"category": "CD01", "name": "Arisan Fiktif"})

    page = mine.page("/own?category=CD01")

    assert [one.text.strip() for one in page.select("main .cards h2")] == ["Arisan Fiktif"]
    assert {one["value"] for one in page.select("#category option")} == {"", "FC05", "CD01"}


@pytest.mark.parametrize(
    "role", [Role.SUPERVISOR, Role.AGENCY, Role.PLANNER, Role.ADMINISTRATOR, Role.BROKER, None]
)
def test_for_anybody_else_it_is_not_there(
    browser: Browser,
    make: Make,
    session: Session,
    broker: User,
    case: Case,
    need: Need,
    own: OwnResource,
    role: Role | None,
) -> None:
    browser.post("/sign-out")
    if role is not None:
        inside = {"office": broker.office} if role is Role.SUPERVISOR else {}
        browser.sign_in(make.user(role, **inside))
    steps = ["", "/edit", "/agree", "/withdraw", "/end", "/resume", "/publish"]
    asked = [
        *(("GET", f"/own/{own.id}{step}") for step in steps),
        *(("POST", f"/own/{own.id}{step}") for step in steps[1:]),
        ("POST", f"/cases/{case.id}/helped"),
    ]
    data = GIVEN | {"own": str(own.id), "need": str(need.id), "because": "moved"}
    for method, address in asked:
        answer = browser.open(address, method=method, data=data if method == "POST" else None)
        to_sign_in = "/sign-in" in answer.headers.get("Location", "")
        assert answer.status_code == 404 or to_sign_in, (method, address, answer.status_code)
    listed = browser.get("/own")
    assert NEIGHBOUR not in listed.text
    session.expire_all()
    assert (own.ended_at, own.helper_agreed, session.scalars(select(OwnHelp)).all()) == (
        None,
        True,
        [],
    )


def test_a_clients_own_people_are_on_no_list_and_reading_them_is_noted(
    mine: Any, make: Make, session: Session, broker: User, case: Case, need: Need
) -> None:
    mine.submit(form_of(need), GIVEN | {"visibility": "client"})
    own = session.scalars(select(OwnResource)).one()
    assert NEIGHBOUR not in mine.page("/own").text

    page = mine.page(f"/own/{own.id}")

    assert NEIGHBOUR not in (page.title.text if page.title else "")
    assert page.select_one(f'a[href^="/cases/{case.id}"]') is not None
    read = select(AuditEntry).where(AuditEntry.action == "own_resource.read")
    assert [(one.subject_id, one.client_id) for one in session.scalars(read)] == [
        (own.id, case.client_id)
    ]
    mine.post("/sign-out")
    mine.sign_in(make.user(office=broker.office))
    assert mine.get(f"/own/{own.id}").status_code == 404
    assert mine.get(f"/own/{own.id}/edit").status_code == 404


def test_what_is_different_is_kept_and_more_needs_their_yes(
    mine: Any, session: Session, own: OwnResource
) -> None:
    where = f"/own/{own.id}/edit"
    page = mine.page(where)
    assert page.select_one("#phone")["value"] == "0812-0000-0078"
    assert [one["value"] for one in page.select('input[name="days"][checked]')] == ["MO", "WE"]
    less = GIVEN | {"helper_agreed": "", "capacity": "3"}

    page = mine.submit(where, less | {"visibility": "public", "public_name": "Titip"}, status=422)
    assert page.select_one('.error-summary a[href="#helper_agreed"]') is not None
    mine.submit(where, less)

    session.expire_all()
    assert (own.capacity, own.visibility) == (3, Visibility.OFFICE)


def test_it_is_over_with_a_reason_and_taken_up_again(
    mine: Any, session: Session, own: OwnResource
) -> None:
    page = mine.submit(f"/own/{own.id}/end", status=422)
    assert page.select_one('.error-summary a[href="#because"]') is not None

    page = mine.submit(f"/own/{own.id}/end", {"because": "moved", "ended_note": "Ke Kudus."})
    assert "Moved away: Ke Kudus." in words(page, "main")
    assert NEIGHBOUR in mine.page("/own?show=ended").text
    mine.submit(f"/own/{own.id}/end", {"because": "moved"}, status=409)

    mine.submit(f"/own/{own.id}/resume")
    session.expire_all()
    assert own.ended_at is None
    for step in ("end", "agree", "withdraw", "resume", "publish"):
        assert mine.get(f"/own/{own.id}/{step}").location == f"/own/{own.id}"


def test_a_word_taken_back_counts_at_once_and_can_be_given_anew(
    mine: Any, session: Session, case: Case, own: OwnResource
) -> None:
    page = mine.submit(f"/own/{own.id}/withdraw")
    assert "The helper agrees no more" in words(page, "main")
    assert NEIGHBOUR not in mine.page(f"/cases/{case.id}").text

    mine.submit(f"/own/{own.id}/agree", {"method": "written"})
    session.expire_all()
    assert (own.helper_agreed, own.agreed_method) == (True, "written")

    mine.submit(f"/own/{own.id}/withdraw", {"forget": "y"})
    session.expire_all()
    assert (own.name, own.details) == (None, None)
    assert "Somebody near" in words(mine.page("/own?show=ended"), "main")


def test_after_a_year_the_pages_say_to_ask_again(
    mine: Any, session: Session, case: Case, own: OwnResource
) -> None:
    own.agreed_on = datetime.now(JAKARTA).date() - timedelta(days=366)
    session.commit()

    assert "1 helper agreed more than a year ago" in words(mine.page("/own"), "main")
    assert "Ask them again" in words(mine.page(f"/cases/{case.id}"), "#own")
    assert "1 helper agreed more than a year ago" in words(mine.page("/day"), "main")
    mine.submit(f"/own/{own.id}/agree", {"method": "spoken"})
    assert "more than a year ago" not in words(mine.page("/own"), "main")


# Listed ------------------------------------------------------------------------------------------


def test_a_curator_sees_what_was_agreed_to_and_the_listing_is_for_all_until_it_is_taken_back(
    mine: Any, make: Make, session: Session, broker: User, need: Need
) -> None:
    mine.post("/language/en", data={"next": "/"})
    public = {"visibility": "public", "public_name": "Titip anak RW 5", "publishes": ["phone"]}
    mine.submit(form_of(need), GIVEN | public)
    own = session.scalars(select(OwnResource)).one()
    assert "Waits for a curator" in words(mine.page(f"/own/{own.id}"), "main")
    mine.post("/sign-out")

    change = session.scalars(select(ListingChange)).one()
    mine.sign_in(make.user(Role.ADMINISTRATOR))
    page = mine.page(f"/listings/review/{change.id}")
    assert "nomor telepon boleh diketahui umum" in words(page, "main")
    assert NEIGHBOUR not in page.text
    fields = [one["value"] for one in page.select('input[name="fields"]')]
    mine.submit(
        f"/listings/review/{change.id}/approve",
        {"fields": fields, "seen": page.select_one('input[name="seen"]')["value"]},
    )
    mine.post("/sign-out")

    service = session.scalars(select(Service)).one()
    assert "Titip anak RW 5" in mine.page(f"/services/{service.id}").text
    open_data = [
        f"/api/hsds/services/{service.id}",
        "/api/hsds/organizations",
        "/api/hsds/services",
    ]
    assert ["Titip anak RW 5" in mine.get(url).text for url in open_data] == [True] * 3
    mine.sign_in(broker)
    page = mine.page(f"/own/{own.id}")
    assert page.select_one(f'a[href="/services/{service.id}"]') is not None
    mine.submit(f"/own/{own.id}/withdraw")
    assert mine.get(f"/services/{service.id}").status_code == 404
    assert ["Titip anak RW 5" in mine.get(url).text for url in open_data] == [False] * 3


def test_after_a_curators_no_it_can_be_asked_again(
    mine: Any, make: Make, session: Session, broker: User, need: Need
) -> None:
    mine.submit(form_of(need), GIVEN | {"visibility": "public", "public_name": "Titip anak"})
    own = session.scalars(select(OwnResource)).one()
    change = session.scalars(select(ListingChange)).one()
    mine.post("/sign-out")
    mine.sign_in(make.user(Role.ADMINISTRATOR))
    mine.submit(f"/listings/review/{change.id}/refuse", {"refusal": "Terlalu umum."})
    mine.post("/sign-out")
    mine.sign_in(broker)

    assert "Terlalu umum." in words(mine.page(f"/own/{own.id}"), "main")
    mine.submit(f"/own/{own.id}/publish")

    session.expire_all()
    assert own.listing_change_id != change.id


# Chosen and helped -------------------------------------------------------------------------------


def test_who_is_full_stands_last_and_can_not_be_chosen(
    mine: Any, make: Make, session: Session, broker: User, case: Case, need: Need, own: OwnResource
) -> None:
    mine.submit("/own/new", GIVEN | {"category": "FC05", "name": "Pak Fiktif", "capacity": ""})
    own.capacity = 1
    other = make.need(make.case(broker=broker), category="FC05")
    session.commit()
    mine.submit(f"/cases/{case.id}/helped", {"own": own.id, "need": need.id})

    page = mine.submit(f"/needs/{other.id}/match")

    cards = page.select("section[aria-labelledby=own-title] li.card")
    assert [card.h3.text.strip() for card in cards] == ["Pak Fiktif", NEIGHBOUR]
    assert [card.select_one("button") is None for card in cards] == [False, True]
    assert "Full now: helps 1 of 1" in cards[1].text
    receipt = session.scalars(select(MatchReceipt)).one()
    page = mine.submit(f"/receipts/{receipt.id}/choice", {"choice": f"own:{own.id}"}, status=422)
    assert "as many as they can (1)" in words(page, ".error-summary")


def test_help_is_written_down_in_one_tap_and_taken_back(
    mine: Any, session: Session, case: Case, need: Need, own: OwnResource
) -> None:
    page = mine.page(f"/cases/{case.id}")
    form = page.select_one(f'form[action="/cases/{case.id}/helped"]')
    data = {one["name"]: one.get("value", "") for one in form.select("input")}

    page = mine.submit(form["action"], data)
    mine.submit(form["action"], data)  # a second tap
    mine.submit(form["action"], data | {"helped_on": "2026-01-05"})
    mine.submit(form["action"], data | {"helped_on": "2100-01-05"})
    mine.submit(form["action"], data | {"helped_on": "besok"})
    mine.submit(form["action"], data | {"own": "x"}, status=404)

    given = session.scalars(select(OwnHelp).order_by(OwnHelp.helped_on)).all()
    assert [(one.own_resource_id, one.need_id) for one in given] == [(own.id, need.id)] * 2
    page = mine.page(f"/cases/{case.id}")
    assert "helped 2 times" in words(page, f"#own-{own.id}")
    mine.submit(f"/cases/{case.id}/helped/{given[0].id}/undo")
    assert len(session.scalars(select(OwnHelp)).all()) == 1


def test_a_need_their_own_people_resolved_counts_as_help(
    mine: Any, session: Session, case: Case, need: Need, own: OwnResource
) -> None:
    page = mine.page(f"/cases/{case.id}")
    assert f"Resolved by {NEIGHBOUR}" in words(page, f"#need-{need.id}")

    mine.submit(f"/cases/{case.id}/needs/{need.id}/resolve", {"own": own.id})

    session.expire_all()
    assert need.resolved_otherwise_at is not None
    assert [one.need_id for one in session.scalars(select(OwnHelp))] == [need.id]


def test_with_violence_only_whom_the_worker_named_for_this_client_is_shown(
    mine: Any, session: Session, case: Case, need: Need, own: OwnResource
) -> None:
    mine.submit(form_of(need), GIVEN | {"visibility": "client", "name": "Sahabat Fiktif"})
    case.protections = ["violence"]
    session.commit()

    page = mine.page(f"/cases/{case.id}")

    assert "Sahabat Fiktif" in words(page, "#own")
    assert NEIGHBOUR not in page.text
    assert "Ask nobody who could be on the side" in words(mine.page(form_of(need)), "main")
    mine.submit(f"/cases/{case.id}/helped", {"own": own.id, "need": need.id}, status=404)
