"""A supervisor's pages of penalties: look, change, rehearse, confirm with a reason, and back."""

from typing import Any
from zoneinfo import ZoneInfo

import pytest

from referral.accounts.models import Role, User
from referral.directory.models import CostOption
from referral.matching import operations, queries
from referral.matching.facts import Query
from referral.matching.models import PenaltyTable
from tests.conftest import Browser
from tests.factories import SEMARANG, Make

PAGE = "/office/penalties/"


@pytest.fixture
def supervisor(make: Make) -> User:
    return make.user(Role.SUPERVISOR)


@pytest.fixture
def mine(browser: Browser, supervisor: User) -> Browser:
    return browser.sign_in(supervisor)


def typed(session: Any, **changes: str) -> dict[str, str]:
    steps = queries.shared_table(session).steps
    numbers = {rule: f"{value:g}".replace(".", ",") for rule, value in steps.items()}
    return numbers | {"based_on": "0"} | changes


def own(session: Any, user: User) -> list[PenaltyTable]:
    return [table for table, _ in queries.own_tables(session, user.office_id)]


def searched(make: Make, user: User) -> None:
    """A paid place nearby and a free one behind it, searched for once."""
    site = make.service(name="Berbayar", at=(-6.99, 110.43))
    make.session.add(CostOption(service_id=site.service_id, amount=50_000, currency="IDR"))
    make.service(name="Gratis", at=(-6.99, 110.47))
    at = make.now.astimezone(ZoneInfo("Asia/Jakarta"))
    operations.match(
        make.session,
        Query(need="HE05", at=at, near=SEMARANG),
        by=make.user(office=user.office),
        now=make.now,
        office=user.office,
    )
    make.session.flush()


def test_the_table_is_told_in_words_with_what_it_means_in_km(
    mine: Browser, supervisor: User
) -> None:
    page = mine.page(PAGE)

    assert "Tabel bersama" in page.text or "Shared table" in page.text
    rows = {
        row.th.strong.text: [cell.text for cell in row.select("td")]
        for row in page.select("table tbody tr")
    }
    assert len(rows) == 11
    assert rows["Ada daftar tunggu"] == ["2", "2", "+4 km", "+30 km"]
    assert rows["Tutup pada waktu yang ditanyakan"] == ["0,5", "0,5", "+1 km", "+7,5 km"]


def test_a_change_is_rehearsed_confirmed_with_a_reason_and_holds(
    mine: Browser, make: Make, session: Any, supervisor: User
) -> None:
    searched(make, supervisor)

    rehearsed = mine.submit(PAGE + "rehearsal", typed(session, fee="0"))
    assert own(session, supervisor) == []
    kept = mine.submit(PAGE, typed(session, fee="0", reason="Semua gratis di sini"))

    assert "Berbayar" not in rehearsed.select_one("#found-title").find_next("table").text
    assert [dd.text for dd in rehearsed.select("dl.kpis dd")] == ["1", "1", "1"]
    (table,) = own(session, supervisor)
    assert (table.steps["fee"], table.reason, table.by_id) == (
        0.0,
        "Semua gratis di sini",
        supervisor.id,
    )
    assert "Semua gratis di sini" in kept.text
    assert supervisor.name in kept.select_one("#history-title").find_next("ol").text


def test_what_changes_is_counted_without_a_person(
    mine: Browser, make: Make, session: Any, supervisor: User
) -> None:
    searched(make, supervisor)

    same = mine.submit(PAGE + "rehearsal", typed(session, fee="20"))
    page = mine.submit(PAGE + "rehearsal", typed(session, fee="0"))

    assert [dd.text for dd in same.select("dl.kpis dd")] == ["1", "0", "0"]
    assert [dd.text for dd in page.select("dl.kpis dd")] == ["1", "1", "1"]
    cells = [cell.text for cell in page.select("table tbody tr")[0].select("td")]
    assert cells == ["1", "1", "1", "0", "0", "–", "–"]


@pytest.mark.parametrize(
    ("given", "field"),
    [
        ("", "fee"),
        ("banyak", "fee"),
        ("-1", "fee"),
        ("20,5", "fee"),
        ("0,255", "fee"),
        ("1e1", "fee"),
    ],
)
def test_a_wrong_number_is_said_at_its_field_and_what_was_typed_stays(
    mine: Browser, session: Any, given: str, field: str
) -> None:
    page = mine.submit(PAGE + "rehearsal", typed(session, fee=given, waitlist="3,5"), status=422)

    assert page.select_one(f"#{field}-error") is not None
    assert len(page.select(".field-error")) == 1
    assert page.select_one("#waitlist")["value"] == "3,5"


def test_a_point_is_a_decimal_sign_too(mine: Browser, session: Any, supervisor: User) -> None:
    mine.submit(PAGE, typed(session, fee="0.25", reason="uji"))

    assert own(session, supervisor)[0].steps["fee"] == 0.25


def test_without_a_change_or_a_reason_nothing_is_kept(
    mine: Browser, session: Any, supervisor: User
) -> None:
    same = mine.submit(PAGE + "rehearsal", typed(session), status=422)
    silent = mine.submit(PAGE, typed(session, fee="3"), status=422)

    assert "Tidak ada angka yang berbeda" in same.text
    assert silent.select_one("#reason-error") is not None
    assert silent.select_one('input[name="fee"]')["value"] == "3"
    assert own(session, supervisor) == []


def test_the_slower_of_two_supervisors_is_told_and_sees_the_newest(
    mine: Browser, session: Any, supervisor: User
) -> None:
    mine.submit(PAGE, typed(session, fee="3", reason="yang cepat"))

    rehearsed = mine.submit(PAGE + "rehearsal", typed(session, fee="4"), status=409)
    kept = mine.submit(PAGE, typed(session, fee="4", reason="yang lambat"), status=409)

    for page in (rehearsed, kept):
        assert "sudah diubah orang lain" in page.select_one("[role=alert]").text
        assert "yang cepat" in page.text
    assert len(own(session, supervisor)) == 1


def test_back_to_an_earlier_version_and_to_the_shared_table_are_new_versions(
    mine: Browser, session: Any, supervisor: User
) -> None:
    mine.submit(PAGE, typed(session, fee="3", reason="satu"))
    mine.submit(PAGE, typed(session, fee="4", reason="dua", based_on="1"))
    first = own(session, supervisor)[-1]

    back = mine.submit(PAGE + "rehearsal", {"based_on": "2", "version": str(first.id)})
    given = {one["name"]: one["value"] for one in back.select(f'form[action="{PAGE}"] [value]')}
    mine.submit(PAGE, given | {"reason": "kembali"})
    mine.submit(PAGE + "rehearsal", {"based_on": "3", "shared": "y"})
    page = mine.submit(PAGE, {"based_on": "3", "shared": "y", "reason": "bersama"})

    tables = own(session, supervisor)
    assert [(one.number, one.steps.get("fee"), one.reason) for one in tables] == [
        (4, None, "bersama"),
        (3, 3.0, "kembali"),
        (2, 4.0, "dua"),
        (1, 3.0, "satu"),
    ]
    assert queries.penalty_table(session, supervisor.office_id).office_id is None
    assert "Tabel bersama, versi" in page.text or "The shared table" in page.text


def test_another_office_s_version_is_not_there(
    mine: Browser, make: Make, session: Any, supervisor: User
) -> None:
    other = make.user(Role.SUPERVISOR)
    table = PenaltyTable(
        office_id=other.office_id,
        number=1,
        steps=dict(queries.shared_table(session).steps),
        created_at=make.now,
        by_id=other.id,
        reason="rahasia kantor lain",
    )
    session.add(table)
    session.flush()

    assert "rahasia kantor lain" not in mine.page(PAGE).text
    for version in (str(table.id), "bukan id"):
        answer = mine.post(PAGE + "rehearsal", data={"based_on": "0", "version": version})
        assert answer.status_code == 404


@pytest.mark.parametrize("role", [Role.BROKER, Role.AGENCY, Role.PLANNER, Role.ADMINISTRATOR])
def test_only_supervisors_open_them(browser: Browser, make: Make, role: Role) -> None:
    browser.sign_in(make.user(role))

    assert browser.get(PAGE).status_code == 404
    assert browser.get(PAGE + "edit").status_code == 404
    assert browser.post(PAGE + "edit").status_code == 404
    assert browser.post(PAGE + "rehearsal").status_code == 404
    assert browser.post(PAGE).status_code == 404


def test_numbers_come_back_to_the_form_from_a_rehearsal_and_the_pages_speak_english(
    mine: Browser, session: Any
) -> None:
    mine.post("/language/en", data={"next": "/"})
    page = mine.submit(PAGE + "edit", typed(session, fee="3,25"))

    assert page.h1.text == "Change the penalties"
    assert page.select_one("#fee")["value"] == "3,25"
    assert mine.page(PAGE + "edit").select_one("#closed")["value"] == "0.5"
    assert "Office" in mine.page("/office/").text
    assert mine.page("/office/").select_one(f'a[href="{PAGE}"]') is not None


def test_another_language_while_a_rehearsal_is_shown_leads_to_a_page_that_opens(
    mine: Browser,
) -> None:
    answer = mine.post("/language/en", data={"next": "/office/penalties/rehearsal"})

    assert (answer.status_code, answer.location) == (303, "/office/penalties")
    assert "Penalties" in mine.get(answer.location, follow_redirects=True).text
