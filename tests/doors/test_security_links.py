"""Links and short codes: who guesses is stopped, who holds a link is not, and no number breaks a page."""

from collections.abc import Iterator
from typing import Any

import pytest
from flask import Flask, request

from referral.accounts.models import Role
from referral.config import Settings
from referral.extensions import limiter
from referral.factory import create_app
from referral.matching.reference import rules
from referral.referrals import replies
from referral.referrals.lifecycle import Event, Status
from tests.conftest import Browser
from tests.factories import Make
from tests.scenes import Scene

#: Python takes the first for a digit, and refuses to make a number of either.
NO_NUMBERS = ["²", "٣²", "9" * 5_000]
GUESSES = 20


@pytest.fixture(autouse=True)
def nobody_asked_before(app: Flask) -> Iterator[None]:
    limiter.init_app(app)
    limiter.reset()
    yield
    limiter.reset()


@pytest.mark.parametrize("version", NO_NUMBERS)
def test_a_version_that_is_no_number_answers_nothing(
    browser: Browser, scene: Scene, version: str
) -> None:
    referral = scene.sent()
    link = replies.issue(scene.session, referral, now=scene.now)
    said = {"key": link.token, "event": Event.ACCEPT.value, "version": version}

    answer = browser.post("/reply", data=said | {"first_contact_on": scene.day.isoformat()})

    assert answer.status_code in (409, 422)
    assert referral.status is Status.REQUESTED


@pytest.mark.parametrize("number", NO_NUMBERS)
def test_penalties_based_on_no_number_are_not_kept(
    browser: Browser, scene: Scene, make: Make, number: str
) -> None:
    browser.sign_in(make.user(Role.SUPERVISOR, office=scene.case.office))
    asked = dict.fromkeys(rules(), "1") | {"based_on": number, "reason": "coba"}

    assert browser.post("/office/penalties/", data=asked).status_code in (409, 422)


def _ask(browser: Browser, key: str, address: str) -> int:
    return browser.get(
        "/reply", query_string={"key": key}, environ_overrides={"REMOTE_ADDR": address}
    ).status_code


def test_who_guesses_from_many_addresses_of_one_network_is_one_guesser(browser: Browser) -> None:
    tried = [
        _ask(browser, f"2222-{number:04}", f"2001:db8:1:2::{number:x}")
        for number in range(GUESSES + 2)
    ]

    assert tried == [404] * GUESSES + [429] * 2


@pytest.mark.parametrize("around", ["-" * 56, " " * 56, "." * 60])
def test_a_code_with_something_around_it_is_still_a_guess(browser: Browser, around: str) -> None:
    tried = [_ask(browser, f"2222{number:04}{around}", "192.0.2.1") for number in range(22)]

    assert tried[-1] == 429


def test_who_holds_a_link_is_not_kept_out_by_who_guesses_behind_the_same_address(
    browser: Browser, scene: Scene
) -> None:
    link = replies.issue(scene.session, scene.sent(), now=scene.now)
    token, code = link.token or "", link.code or ""
    for number in range(GUESSES + 1):
        _ask(browser, f"2222-{number:04}", "192.0.2.1")

    assert _ask(browser, token, "192.0.2.1") == 200
    assert _ask(browser, code, "192.0.2.1") == 429
    assert _ask(browser, code, "192.0.2.2") == 200


def test_no_header_makes_somebody_another_guesser(browser: Browser) -> None:
    def guess(number: int) -> Any:
        headers = {"X-Forwarded-For": f"192.0.2.{number}", "Forwarded": f"for=192.0.2.{number}"}
        return browser.get(f"/reply?key=2222-{number:04}", headers=headers).status_code

    assert [guess(number) for number in range(GUESSES + 1)][-1] == 429


@pytest.mark.parametrize(("proxies", "asked_by"), [("0", "127.0.0.1"), ("1", "192.0.2.9")])
def test_who_asks_is_the_address_that_the_last_proxy_of_ours_saw(
    tmp_path: Any, proxies: str, asked_by: str
) -> None:
    app = create_app(Settings.from_env({"JEJARING_INSTANCE": str(tmp_path), "PROXIES": proxies}))
    seen = []
    app.before_request_funcs[None] = [lambda: seen.append(request.remote_addr) or "seen"]  # type: ignore[func-returns-value]

    app.test_client().get("/", headers={"X-Forwarded-For": "198.51.100.1, 192.0.2.9"})

    assert seen == [asked_by]
