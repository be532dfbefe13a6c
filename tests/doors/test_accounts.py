"""The pages and commands by which accounts and offices are looked after."""

import os
import re
import stat
from dataclasses import replace
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
from flask import Flask
from sqlalchemy import select
from sqlalchemy.orm import Session

from referral.accounts import queries
from referral.accounts.models import Office, User
from referral.accounts.permissions import Role
from referral.places.models import Place
from tests.factories import PASSWORD, Make

NEW_PASSWORD = "kopi susu di beranda"
SCRIPT = "<script>alert(1)</script>'; DROP TABLE user; --"


def test_an_administrator_invites_a_broker_who_then_signs_in(
    app: Flask, browser: Any, make: Make, session: Session
) -> None:
    office = make.office()
    browser.sign_in(make.user(Role.ADMINISTRATOR))
    typed = {
        "name": "Rina",
        "email": "rina@example.org",
        "role": "broker",
        "office": str(office.id),
    }

    page = browser.submit("/accounts/new", typed)

    address = page.select_one("#address")["value"]
    key = re.search(r"key=([0-9a-f]{64})$", address)
    assert key
    somebody = app.test_client()
    somebody.submit(
        "/accounts/link", {"key": key[1], "password": NEW_PASSWORD, "again": NEW_PASSWORD}
    )
    user = queries.find_by_email(session, "rina@example.org")
    assert user
    assert (user.role, user.office_id) == (Role.BROKER, office.id)
    assert somebody.sign_in(user, NEW_PASSWORD).get("/accounts/me").status_code == 200
    # The link is shown once: it is in no page that can be opened again.
    assert key[1] not in browser.get(f"/accounts/{user.id}").text


@pytest.mark.parametrize(
    ("values", "field"),
    [
        ({"name": ""}, "name"),
        ({"email": "rina"}, "email"),
        ({"email": SCRIPT}, "email"),
        ({"role": "king"}, "role"),
        ({"office": ""}, "office"),
        ({"office": str(uuid4())}, "office"),
        ({"office": SCRIPT}, "office"),
        ({"role": "agency", "organization": ""}, "organization"),
        ({"role": "agency", "organization": SCRIPT}, "organization"),
        ({"language": "xx"}, "language"),
    ],
)
def test_a_wrong_invitation_comes_back_with_what_was_typed(
    browser: Any, make: Make, session: Session, values: dict[str, str], field: str
) -> None:
    office = make.office()
    browser.sign_in(make.user(Role.ADMINISTRATOR))
    before = len(session.scalars(select(User)).all())
    typed = {
        "name": "Rina",
        "email": "rina@example.org",
        "role": "broker",
        "office": str(office.id),
        "language": "id",
    } | values

    page = browser.submit("/accounts/new", typed, status=422)

    assert [link["href"] for link in page.select(".error-summary a")] == [f"#{field}"]
    assert page.select_one("#name")["value"] == typed["name"]
    assert page.select_one("#email")["value"] == typed["email"]
    assert not page.select("main script")
    assert len(session.scalars(select(User)).all()) == before


def test_an_agency_is_found_by_name_and_chosen_among_similar_ones(
    browser: Any, make: Make, session: Session
) -> None:
    first = make.organization(name="Yayasan Harapan Semarang")
    second = make.organization(name="Yayasan Harapan Kudus")
    make.organization(name="Rumah Singgah")
    browser.sign_in(make.user(Role.ADMINISTRATOR))
    typed = {
        "name": "Dewi",
        "email": "dewi@example.org",
        "role": "agency",
        "organization": "harapan",
        "language": "id",
    }

    page = browser.submit("/accounts/new", typed, status=422)
    offered = [radio["value"] for radio in page.select("input[name=organization_id]")]
    assert offered == [str(second.id), str(first.id)]
    browser.submit("/accounts/new", typed | {"organization_id": offered[1]})

    user = queries.find_by_email(session, "dewi@example.org")
    assert user
    assert user.organization_id == first.id


def test_a_supervisor_sees_and_invites_brokers_of_their_office_only(
    browser: Any, make: Make, session: Session
) -> None:
    supervisor = make.user(Role.SUPERVISOR)
    ours, theirs = make.user(office=supervisor.office), make.user()
    browser.sign_in(supervisor)

    page = browser.page("/accounts/")
    assert [link.text for link in page.select("table a")] == [ours.name]
    assert browser.get(f"/accounts/{theirs.id}").status_code == 404
    assert browser.post(f"/accounts/{theirs.id}/link").status_code == 404
    assert browser.post(f"/accounts/{theirs.id}/deactivate").status_code == 404
    assert browser.get("/accounts/offices").status_code == 404

    typed = {"name": "Rina", "email": "rina@example.org", "role": "administrator", "language": "id"}
    refused = browser.submit("/accounts/new", typed, status=422)
    assert "administrator" in refused.select_one(".error-summary").text.lower()
    browser.submit("/accounts/new", typed | {"role": "broker"})
    user = queries.find_by_email(session, "rina@example.org")
    assert user
    assert (user.role, user.office_id) == (Role.BROKER, supervisor.office_id)


def test_a_changed_account_is_saved_and_its_person_signs_in_anew(
    app: Flask, browser: Any, make: Make, session: Session
) -> None:
    user = make.user(Role.PLANNER)
    theirs = app.test_client().sign_in(user)
    browser.sign_in(make.user(Role.ADMINISTRATOR))
    typed = {"name": "Tari", "role": "planner", "language": "en", "granted": "listing:approve"}

    browser.submit(f"/accounts/{user.id}", typed)

    session.refresh(user)
    assert (user.name, user.language, user.granted) == ("Tari", "en", ["listing:approve"])
    assert theirs.get("/accounts/me").status_code == 303


def test_an_account_with_open_cases_is_not_ended(
    browser: Any, make: Make, session: Session
) -> None:
    case = make.case()
    browser.sign_in(make.user(Role.ADMINISTRATOR))

    page = browser.submit(f"/accounts/{case.broker_id}/deactivate")

    assert case.number in page.select_one(".notice-bad").text
    session.refresh(case.broker)
    assert case.broker.active


def test_an_ended_account_is_opened_again_by_a_link(
    app: Flask, browser: Any, make: Make, session: Session
) -> None:
    user = make.user(Role.PLANNER)
    theirs = app.test_client().sign_in(user)
    browser.sign_in(make.user(Role.ADMINISTRATOR))

    browser.submit(f"/accounts/{user.id}/deactivate")
    assert theirs.get("/accounts/me").status_code == 303
    assert theirs.sign_in(user).get("/accounts/me").status_code == 303

    page = browser.submit(f"/accounts/{user.id}/reactivate")
    key = page.select_one("#address")["value"].partition("key=")[2]
    theirs.submit("/accounts/link", {"key": key, "password": NEW_PASSWORD, "again": NEW_PASSWORD})
    session.refresh(user)
    assert theirs.sign_in(user, NEW_PASSWORD).get("/accounts/me").status_code == 200


def test_an_administrator_signs_somebody_out_everywhere(
    app: Flask, browser: Any, make: Make
) -> None:
    user = make.user(Role.PLANNER)
    theirs = app.test_client().sign_in(user)
    browser.sign_in(make.user(Role.ADMINISTRATOR))

    browser.submit(f"/accounts/{user.id}/sign-out")

    assert theirs.get("/accounts/me").status_code == 303


def test_an_office_is_opened_and_changed(browser: Any, make: Make, session: Session) -> None:
    session.merge(Place(code="33", level=1, name="Jawa Tengah", source="test"))
    session.flush()
    for code, name in (("33.74", "Kota Semarang"), ("33.22", "Kab. Semarang")):
        session.merge(Place(code=code, level=2, name=name, parent_code="33", source="test"))
    browser.sign_in(make.user(Role.ADMINISTRATOR))
    typed = {
        "name": "Dinas Sosial Kota",
        "area_code": "33.74",
        "time_zone": "Asia/Jakarta",
        "clock_profile": "city",
    }

    wrong = browser.submit(
        "/accounts/offices/new",
        {"name": " ", "area_code": "99.99", "time_zone": "Mars", "clock_profile": "?"},
        status=422,
    )
    browser.submit("/accounts/offices/new", typed)
    office = session.scalars(select(Office).where(Office.name == typed["name"])).one()
    browser.submit(f"/accounts/offices/{office.id}", typed | {"clock_profile": "remote"})

    links = [link["href"] for link in wrong.select(".error-summary a")]
    assert links == ["#area_code", "#time_zone", "#clock_profile"]
    session.refresh(office)
    assert (office.area_code, office.clock_profile) == ("33.74", "remote")
    assert office.key.wrapped
    assert browser.get(f"/accounts/offices/{uuid4()}").status_code == 404


@pytest.mark.parametrize("language", ["id", "en"])
def test_every_page_of_accounts_opens_in_both_languages(
    browser: Any, make: Make, language: str
) -> None:
    office = make.office()
    admin = make.user(Role.ADMINISTRATOR, language=language)
    others = [make.user(), make.user(active=False), make.user(password=None)]
    browser.sign_in(admin)

    for path in (
        "me",
        "me/password",
        "",
        "new",
        "offices",
        "offices/new",
        f"offices/{office.id}",
        *(str(user.id) for user in (admin, *others)),
    ):
        assert browser.page(f"/accounts/{path}").select_one("html")["lang"] == language


def test_create_admin_prints_a_link_that_works(cli: Any, browser: Any, session: Session) -> None:
    answer = cli("accounts", "create-admin", "Adi@Example.org", "--json")

    assert answer.exit_code == 0
    assert answer.json["email"] == "adi@example.org"
    path = answer.json["link"].removeprefix("http://127.0.0.1:5000")
    browser.page(path)
    again = cli("accounts", "create-admin", "adi@example.org", "--lang", "en")
    assert again.exit_code == 0
    assert "choose a password" in again.stdout
    browser.page(path, status=404)


def test_create_admin_refuses_a_wrong_address_and_another_role(cli: Any, make: Make) -> None:
    user = make.user(Role.PLANNER)

    wrong = cli("accounts", "create-admin", "adi", "--json")
    other = cli("accounts", "create-admin", user.email, "--json", "--lang", "en")

    assert (wrong.exit_code, wrong.json["error"]["field"]) == (2, "email")
    assert (other.exit_code, other.json["error"]["field"]) == (2, "email")


def test_create_admin_makes_no_link_that_no_browser_opens(cli: Any) -> None:
    answer = cli("accounts", "create-admin", "a@example.org", "--base-url", "data:x", "--json")

    assert (answer.exit_code, answer.json["error"]["field"]) == (2, "base_url")


def _starter(make: Make) -> None:
    for source_id in ("pkbi-jateng-warga-utama", "uptd-ppa-provinsi-33"):
        make.service(source="jejaring-starter", source_id=source_id)


def test_demo_people_of_every_role_sign_in_with_one_password_of_this_instance(
    app: Flask, cli: Any, browser: Any, make: Make, session: Session
) -> None:
    _starter(make)

    made = cli("accounts", "demo", "--json")
    again = cli("accounts", "demo", "--json")

    assert (made.exit_code, again.stdout) == (0, made.stdout)
    people = queries.demo_people(session)
    assert {user.role for user in people} == set(Role)
    assert len({user.organization_id for user in people if user.role is Role.AGENCY}) == 3
    assert {user.office.area_code for user in people if user.office} == {"33.74"}
    path = Path(app.instance_path) / "demo_password"
    assert stat.S_IMODE(os.stat(path).st_mode) == 0o600
    assert path.read_text("utf-8").strip() == made.json["password"] != PASSWORD
    browser.sign_in(people[0], made.json["password"])
    assert browser.get("/accounts/me").status_code == 200
    assert made.json["password"] in cli("accounts", "hint").stdout


def test_demo_needs_the_starter_directory_and_is_refused_in_production(
    app: Flask, cli: Any, make: Make, session: Session
) -> None:
    early = cli("accounts", "demo", "--lang", "en")
    _starter(make)
    settings = app.config["SETTINGS"]
    app.config["SETTINGS"] = replace(settings, JEJARING_ENV="production")
    try:
        production = cli("accounts", "demo", "--json")
    finally:
        app.config["SETTINGS"] = settings

    assert (early.exit_code, "flask directory starter" in early.stderr) == (2, True)
    assert (production.exit_code, production.json["error"]["code"]) == (2, "not_allowed")
    assert queries.demo_people(session) == []
    assert "tidak ada akun demonstrasi" in cli("accounts", "hint").stdout.lower()
