"""Signing in and out through the pages."""

from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import urljoin, urlsplit
from uuid import UUID

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import select
from sqlalchemy.orm import Session

from referral.accounts import operations, signing_in
from referral.accounts.models import User, UserSession
from referral.accounts.permissions import Role
from referral.accounts.sessions import IDLE
from referral.changes.actors import SYSTEM
from referral.changes.models import AuditEntry
from tests.factories import PASSWORD, Make

NEW_PASSWORD = "kopi susu di beranda"


def location(browser: Any, user: User, **data: str) -> str | None:
    answer = browser.post("/sign-in", data={"email": user.email, "password": PASSWORD} | data)
    return answer.headers.get("Location") if answer.status_code in (302, 303) else None


def signed_in(browser: Any) -> bool:
    return browser.get("/accounts/me").status_code == 200


def actions(session: Session) -> list[str]:
    return list(session.scalars(select(AuditEntry.action).order_by(AuditEntry.seq)))


def test_somebody_signs_in_and_out_and_both_are_audited(
    browser: Any, make: Make, session: Session
) -> None:
    user = make.user(Role.PLANNER)
    form = browser.page("/sign-in")
    assert form.select_one("input[name=password]")["autocomplete"] == "current-password"

    assert location(browser, user) == "/"
    assert browser.page("/accounts/me").select_one("h1").text == "Akun Anda"

    browser.post("/sign-out")
    assert not signed_in(browser)
    assert actions(session) == ["session.started", "session.ended"]


def test_a_wrong_password_is_said_in_words_and_keeps_the_address(
    browser: Any, make: Make, session: Session
) -> None:
    user = make.user()

    page = browser.submit("/sign-in", {"email": user.email, "password": "wrong"})

    assert page.title.text.startswith("Error") or page.select_one(".error-summary")
    assert "tidak cocok" in page.select_one(".error-summary").text
    assert page.select_one("input[name=email]")["value"] == user.email
    assert page.select_one("input[name=password]")["value"] == ""
    assert actions(session) == ["sign_in.failed"]


def test_empty_fields_are_named(browser: Any, session: Session) -> None:
    page = browser.submit("/sign-in", {"email": " ", "password": ""})

    links = [link["href"] for link in page.select(".error-summary a")]
    assert links == ["#email", "#password"]
    assert actions(session) == []


def test_after_five_failures_the_page_says_how_long_to_wait(browser: Any, make: Make) -> None:
    user = make.user()
    for _each in range(5):
        browser.post("/sign-in", data={"email": user.email, "password": "wrong"})

    page = browser.submit("/sign-in", {"email": user.email, "password": PASSWORD})

    assert "Tunggu 1 menit" in page.select_one(".error-summary").text
    assert not signed_in(browser)


def test_a_page_that_needs_an_account_comes_after_signing_in(browser: Any, make: Make) -> None:
    user = make.user(Role.PLANNER)

    answer = browser.get("/accounts/me")
    assert (answer.status_code, answer.headers["Location"]) == (303, "/sign-in?next=/accounts/me")
    form = browser.page("/sign-in?next=/accounts/me")
    assert form.select_one("main input[name=next]")["value"] == "/accounts/me"

    assert location(browser, user, next="/accounts/me") == "/accounts/me"


@pytest.mark.parametrize(
    "target",
    [
        "https://evil.example/",
        "//evil.example/",
        "///evil.example/",
        "/\\evil.example/",
        "\\\\evil.example/",
        "javascript:alert(1)",
        "http:evil.example",
    ],
)
def test_signing_in_never_leads_to_another_site(browser: Any, make: Make, target: str) -> None:
    answer = location(browser, make.user(Role.PLANNER), next=target)

    assert urlsplit(urljoin("http://localhost/sign-in", answer)).netloc == "localhost"


@pytest.mark.parametrize("path", ["/accounts/", "/accounts/offices", "/office/"])
def test_a_page_one_may_not_open_is_not_there(browser: Any, make: Make, path: str) -> None:
    browser.sign_in(make.user(Role.PLANNER))

    assert browser.get(path).status_code == 404


def test_cookies_are_kept_from_scripts_and_other_sites(
    app: Flask, browser: Any, make: Make
) -> None:
    app.config["SESSION_COOKIE_SECURE"] = True
    try:
        user = make.user()
        answer = browser.post("/sign-in", data={"email": user.email, "password": PASSWORD})
    finally:
        app.config["SESSION_COOKIE_SECURE"] = False

    cookies = answer.headers.getlist("Set-Cookie")
    assert len(cookies) == 1
    assert {"Secure", "HttpOnly", "SameSite=Lax"} <= {
        part.strip() for part in cookies[0].split(";")
    }
    assert "Expires" not in cookies[0]


def test_what_was_in_the_cookie_before_signing_in_is_gone_but_the_language(
    browser: Any, make: Make
) -> None:
    with browser.session_transaction() as cookie:
        cookie.update(language="en", planted="by somebody else", sign_in="x")

    browser.sign_in(make.user(Role.PLANNER))

    with browser.session_transaction() as cookie:
        assert cookie["language"] == "en"
        assert "planted" not in cookie
        assert UUID(cookie["sign_in"])


def test_each_sign_in_gets_a_new_id(browser: Any, make: Make, session: Session) -> None:
    user = make.user(Role.PLANNER)
    browser.sign_in(user)
    browser.post("/sign-out")
    browser.sign_in(user)

    rows = session.scalars(select(UserSession).order_by(UserSession.started_at)).all()
    assert [row.revoked_at is None for row in rows] == [False, True]


def test_a_stolen_cookie_is_worth_nothing_after_signing_out(
    app: Flask, browser: Any, make: Make
) -> None:
    browser.sign_in(make.user(Role.PLANNER))
    cookie = browser.get_cookie("jejaring")
    browser.post("/sign-out")

    browser.set_cookie("jejaring", cookie.value)

    assert not signed_in(browser)


def test_an_idle_sign_in_is_over(browser: Any, make: Make, session: Session) -> None:
    browser.sign_in(make.user(Role.PLANNER))
    row = session.scalars(select(UserSession)).one()
    row.last_seen_at = datetime.now(UTC) - IDLE
    session.commit()

    assert not signed_in(browser)


def test_opening_a_page_keeps_a_sign_in_alive(browser: Any, make: Make, session: Session) -> None:
    browser.sign_in(make.user(Role.PLANNER))
    row = session.scalars(select(UserSession)).one()
    row.last_seen_at = earlier = datetime.now(UTC) - timedelta(minutes=30)
    session.commit()

    assert signed_in(browser)

    session.refresh(row)
    assert row.last_seen_at > earlier + timedelta(minutes=29)


def test_somebody_whose_account_ended_is_out_at_once(
    browser: Any, make: Make, session: Session
) -> None:
    user = make.user(Role.PLANNER)
    browser.sign_in(user)
    user.active = False
    session.commit()

    assert not signed_in(browser)
    assert location(browser, user) is None


def test_a_token_in_header_or_address_opens_nothing(
    app: Flask, browser: Any, make: Make, session: Session
) -> None:
    user = make.user(Role.PLANNER)
    session.commit()
    with app.test_request_context():
        token = user.get_auth_token()

    headers = {"Authentication-Token": token}
    assert browser.get("/accounts/me", headers=headers).status_code == 303
    assert browser.get(f"/accounts/me?auth_token={token}").status_code == 303


def test_the_devices_page_signs_other_devices_out(
    app: Flask, browser: Any, make: Make, session: Session
) -> None:
    user = make.user(Role.PLANNER)
    phone: FlaskClient = app.test_client()
    phone.post(
        "/sign-in",
        data={"email": user.email, "password": PASSWORD},
        headers={"User-Agent": "Mozilla/5.0 (Linux; Android 14) Chrome/126.0"},
    )
    browser.sign_in(user)

    page = browser.page("/accounts/me")
    names = [heading.text for heading in page.select(".row-card h3")]
    assert sorted(names) == ["Chrome, Android", "Perangkat tidak dikenal"]
    button = page.select_one(".row-card form")
    browser.submit(button["action"])

    assert signed_in(browser)
    assert not signed_in(phone)


def test_all_other_devices_are_signed_out_at_once(app: Flask, browser: Any, make: Make) -> None:
    user = make.user(Role.PLANNER)
    others = [app.test_client().sign_in(user) for _each in range(2)]
    browser.sign_in(user)

    browser.submit("/accounts/me/devices/end-others")

    assert [signed_in(each) for each in (browser, *others)] == [True, False, False]


def test_the_device_of_somebody_else_is_not_there(
    browser: Any, make: Make, session: Session, now: datetime
) -> None:
    theirs = signing_in.start_session(session, make.user(), device=None, now=now)
    session.commit()
    browser.sign_in(make.user(Role.PLANNER))

    assert browser.post(f"/accounts/me/devices/{theirs.id}/end").status_code == 404


def test_changing_the_password(browser: Any, make: Make) -> None:
    user = make.user(Role.PLANNER)
    browser.sign_in(user)
    typed = {"current": PASSWORD, "password": NEW_PASSWORD, "again": NEW_PASSWORD}

    wrong = browser.submit("/accounts/me/password", typed | {"current": "guess"}, status=422)
    differing = browser.submit("/accounts/me/password", typed | {"again": "other"}, status=422)
    short = browser.submit(
        "/accounts/me/password", typed | {"password": "kort", "again": "kort"}, status=422
    )
    browser.submit("/accounts/me/password", typed)

    assert wrong.select_one(".error-summary a")["href"] == "#current"
    assert differing.select_one(".error-summary a")["href"] == "#again"
    assert "12" in short.select_one(".error-summary").text
    assert signed_in(browser)
    browser.post("/sign-out")
    assert location(browser, user) is None
    assert location(browser, user, password=NEW_PASSWORD) == "/"


def test_a_link_is_opened_without_effect_and_used_by_its_button(
    browser: Any, make: Make, session: Session
) -> None:
    user = make.user(Role.PLANNER, password=None)
    issued = operations.issue_link(session, user, by=SYSTEM, now=datetime.now(UTC))
    session.commit()

    for _each in range(2):
        page = browser.page(f"/accounts/link?key={issued.token}")
    key = page.select_one("input[name=key]")["value"]
    typed = {"key": key, "password": NEW_PASSWORD, "again": NEW_PASSWORD}
    differing = browser.submit("/accounts/link", typed | {"again": "x"}, status=422)
    assert differing.select_one("input[name=key]")["value"] == key
    browser.submit("/accounts/link", typed)

    assert location(browser, user, password=NEW_PASSWORD) == "/"
    browser.page(f"/accounts/link?key={issued.token}", status=404)
    browser.page("/accounts/link?key=guess", status=404)
    browser.page("/accounts/link", status=404)


@pytest.mark.parametrize(
    "path", ["/sign-in", "/sign-out", "/accounts/me/password", "/accounts/link"]
)
def test_a_form_from_another_site_is_refused(app: Flask, browser: Any, path: str) -> None:
    app.config["WTF_CSRF_ENABLED"] = True
    try:
        assert browser.post(path, data={"email": "x", "password": "y"}).status_code == 400
    finally:
        app.config["WTF_CSRF_ENABLED"] = False


def test_the_page_itself_sends_the_token_it_needs(app: Flask, browser: Any, make: Make) -> None:
    user = make.user(Role.PLANNER)
    app.config["WTF_CSRF_ENABLED"] = True
    try:
        token = browser.page("/sign-in").select_one("main input[name=csrf_token]")["value"]
        assert location(browser, user, csrf_token=token) == "/"
        assert browser.post("/sign-out", data={"csrf_token": token}).status_code == 400
        token = browser.page("/accounts/me").select_one("input[name=csrf_token]")["value"]
        browser.post("/sign-out", data={"csrf_token": token})
    finally:
        app.config["WTF_CSRF_ENABLED"] = False
    assert not signed_in(browser)
