"""Passwords: which are taken, and how they are kept (argon2id). Knows no Flask."""

import unicodedata
from functools import cache

from argon2 import PasswordHasher, Type
from argon2.exceptions import InvalidHashError, VerificationError

from referral.core.errors import Invalid

SHORTEST, LONGEST = 12, 200
_FEWEST_DIFFERENT = 5

#: OWASP's first choice for argon2id: 46 MiB, one pass, one lane
MEMORY_KIB, PASSES, LANES = 47104, 1, 1
_hasher = PasswordHasher(time_cost=PASSES, memory_cost=MEMORY_KIB, parallelism=LANES, type=Type.ID)


def check(password: str, *, email: str) -> None:
    """Raises Invalid, saying what to do, for a password that is easily guessed."""
    if len(password) < SHORTEST:
        raise Invalid("accounts.password.short", field="password", shortest=SHORTEST)
    if len(password) > LONGEST:
        raise Invalid("accounts.password.long", field="password", longest=LONGEST)
    if len(set(password.casefold())) < _FEWEST_DIFFERENT:
        raise Invalid("accounts.password.repetitive", field="password")
    if email.partition("@")[0].casefold() in password.casefold():
        raise Invalid("accounts.password.own_name", field="password")


def hashed(password: str) -> str:
    return _hasher.hash(_normal(password))


def matches(password: str, kept: str | None) -> bool:
    """Whether this is the password; without one kept it takes as long to say no."""
    try:
        return _hasher.verify(kept or _nobodys(), _normal(password)) and kept is not None
    except (VerificationError, InvalidHashError):
        return False


def is_outdated(kept: str) -> bool:
    """Whether it was hashed with weaker settings than today's."""
    return _hasher.check_needs_rehash(kept)


def _normal(password: str) -> str:
    return unicodedata.normalize("NFKD", password[: LONGEST + 1])


@cache
def _nobodys() -> str:
    return hashed("a password that opens nothing")
