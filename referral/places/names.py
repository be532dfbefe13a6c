"""How Indonesian place names are written: kinds, abbreviations and spellings that mean the same. Pure."""

import re
import unicodedata
from functools import lru_cache

_KIND = re.compile(
    r"^\s*(?:(?:kabupaten|kab|kota|kotamadya|city of)\b\.?\s*)?(?:(?:administrasi|adm)\b\.?\s*)?",
    re.IGNORECASE,
)
_KIND_AFTER = re.compile(r"\s+(?:regency|city)\s*$", re.IGNORECASE)
_OLD_SPELLINGS = (("oe", "u"), ("dj", "j"), ("tj", "c"), ("sungei", "sei"), ("sungai", "sei"))
_SHORT_WORDS = (
    (re.compile(r"\bkep\b\.?", re.IGNORECASE), "kepulauan"),
    (re.compile(r"\bg(?:n|unung)\b\.?", re.IGNORECASE), "gunung"),
    (re.compile(r"\bt(?:j|g)\b\.?", re.IGNORECASE), "tanjung"),
)

_ROMANS = {"I": "1", "II": "2", "III": "3", "IV": "4", "V": "5", "VI": "6", "VII": "7"}
_ROMAN = re.compile(r"(?<=\s)(?:III|II|IV|VII|VI|V|I)(?=\s|$)", re.IGNORECASE)


def letters(text: str) -> str:
    """Lower-case letters and digits only, without accents: what is compared first."""
    plain = unicodedata.normalize("NFKD", text.casefold())
    return "".join(letter for letter in plain if letter.isalnum() and letter.isascii())


def is_city(code: str) -> bool:
    """Whether a regency code is a kota's: Kemendagri numbers them from 71."""
    return int(code[3:5]) >= 71


def base_name(name: str) -> str:
    """A regency's name without its kind: "Kota Administrasi Jakarta Selatan" → "Jakarta Selatan"."""
    return _KIND_AFTER.sub("", _KIND.sub("", name)).strip()


@lru_cache(maxsize=200_000)
def spelling(name: str) -> str:
    """One key for the ways a name is spelt: spaces, short words, old and doubled letters aside."""
    for pattern, full in _SHORT_WORDS:
        name = pattern.sub(full, name)
    name = _ROMAN.sub(lambda found: _ROMANS[found[0].upper()], name)
    key = letters(name)
    for old, new in _OLD_SPELLINGS:
        key = key.replace(old, new)
    return re.sub(r"([a-z])\1+", r"\1", key)
