"""Lock-out, passwords, and how long a sign-in lasts."""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import pytest
from argon2 import PasswordHasher

from referral.accounts import passwords
from referral.accounts.lockout import ACCOUNT, ORIGIN, locked_until
from referral.accounts.sessions import IDLE, WHOLE, device_name, is_live
from referral.core.errors import Invalid

NOW = datetime(2026, 3, 2, 2, 30, tzinfo=UTC)
MINUTE = timedelta(minutes=1)


@pytest.mark.parametrize(
    ("failures", "wait"),
    [
        (0, None),
        (4, None),
        (5, 1 * MINUTE),
        (6, 2 * MINUTE),
        (7, 4 * MINUTE),
        (9, 15 * MINUTE),
        (100_000, 15 * MINUTE),
    ],
)
def test_the_wait_doubles_with_each_failure_up_to_a_quarter_of_an_hour(
    failures: int, wait: timedelta | None
) -> None:
    assert locked_until(ACCOUNT, [NOW] * failures) == (wait and NOW + wait)


def test_an_address_that_an_office_shares_is_given_more_failures_than_one_account() -> None:
    assert locked_until(ORIGIN, [NOW] * 29) is None
    assert locked_until(ORIGIN, [NOW] * 30) == NOW + MINUTE


@dataclass
class SignedIn:
    started_at: datetime
    last_seen_at: datetime
    revoked_at: datetime | None = None


@pytest.mark.parametrize(
    ("sign_in", "live"),
    [
        (SignedIn(NOW, NOW), True),
        (SignedIn(NOW - IDLE, NOW - IDLE + MINUTE), True),
        (SignedIn(NOW - IDLE, NOW - IDLE), False),
        (SignedIn(NOW - WHOLE, NOW), False),
        (SignedIn(NOW, NOW, revoked_at=NOW), False),
    ],
)
def test_a_sign_in_ends_when_idle_when_old_and_when_revoked(sign_in: SignedIn, live: bool) -> None:
    assert is_live(sign_in, now=NOW) is live


@pytest.mark.parametrize(
    ("agent", "name"),
    [
        (
            "Mozilla/5.0 (Linux; Android 14; SM-A155F) AppleWebKit/537.36 Chrome/126.0 Mobile Safari/537.36",
            "Chrome, Android",
        ),
        (
            "Mozilla/5.0 (iPhone; CPU iPhone OS 17_5 like Mac OS X) Version/17.5 Safari/604.1",
            "Safari, iPhone",
        ),
        (
            "Mozilla/5.0 (Windows NT 10.0; Win64; x64) Chrome/126.0 Safari/537.36 Edg/126.0",
            "Edge, Windows",
        ),
        ("Werkzeug/3.1", None),
        ("", None),
    ],
)
def test_a_device_is_called_by_browser_and_system_only(agent: str, name: str | None) -> None:
    assert device_name(agent) == name


@pytest.mark.parametrize(
    ("password", "key"),
    [
        ("kopi susu", "accounts.password.short"),
        ("kopi susu " * 21, "accounts.password.long"),
        ("aaaaaaaaabab", "accounts.password.repetitive"),
        ("Rina.Sari2026", "accounts.password.own_name"),
    ],
)
def test_easy_passwords_are_refused_with_what_to_do(password: str, key: str) -> None:
    with pytest.raises(Invalid) as refused:
        passwords.check(password, email="rina.sari@example.org")

    assert (refused.value.message.key, refused.value.field) == (key, "password")


def test_a_password_is_kept_as_argon2id_and_recognised() -> None:
    kept = passwords.hashed("kopi susu di beranda")

    assert kept.startswith("$argon2id$")
    assert passwords.matches("kopi susu di beranda", kept)
    assert not passwords.matches("kopi susu di dapur", kept)
    assert not passwords.matches("kopi susu di beranda", None)
    assert not passwords.matches("kopi susu di beranda", "not a hash")
    assert not passwords.is_outdated(kept)


def test_a_password_costs_what_owasp_asks_and_one_that_was_cheaper_is_hashed_again(
    own_hasher: PasswordHasher, monkeypatch: pytest.MonkeyPatch
) -> None:
    cheaper = passwords.hashed("kopi susu di beranda")
    monkeypatch.setattr(passwords, "_hasher", own_hasher)

    assert passwords.hashed("kopi susu").startswith("$argon2id$v=19$m=47104,t=1,p=1$")
    assert passwords.is_outdated(cheaper)
