"""Names, streets and contacts of listings in the form in which two of them can be compared. Pure."""

import csv
import re
import unicodedata
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from functools import cache, lru_cache
from pathlib import Path
from urllib.parse import urlsplit

from referral.core.country import COUNTRY

WORDS = Path(__file__).parents[3] / "directory_data" / "name_words.csv"
#: Schools whose name says by letters for whom they are: A blind, B deaf, C and D mental, E behaviour, G several.
_LETTERED = "luar biasa"
_LETTERS = frozenset("abcdefg")
_PIECE = re.compile(r"[a-z]+|\d+")
_ROMAN = {
    "i": 1, "ii": 2, "iii": 3, "iv": 4, "v": 5, "vi": 6, "vii": 7, "viii": 8, "ix": 9, "x": 10,
    "xi": 11, "xii": 12, "xiii": 13, "xiv": 14, "xv": 15,
}  # fmt: skip
#: Spellings of before 1972 that live on in names.
_OLD = (("oe", "u"), ("dj", "j"), ("tj", "c"), ("sj", "sy"), ("nj", "ny"))
_VOWELS = re.compile(r"[aeiouyh]+")
_TWICE = re.compile(r"(.)\1+")
#: Hosts that thousands of agencies share: they say nothing about who it is.
_SHARED_HOSTS = (
    "facebook.com", "instagram.com", "wa.me", "google.com", "blogspot.com", "wordpress.com",
    "youtube.com", "twitter.com", "x.com", "linktr.ee", "tiktok.com", "wixsite.com", "bit.ly",
)  # fmt: skip
_LEAST_DIGITS = 6
#: A name of several words at most; what is longer is a sentence.
_MOST_WORDS = 24


@dataclass(frozen=True, slots=True)
class Name:
    """A name taken apart.

    core       the words that make it this one, in order; of a name that has none, the words of its kind
    kinds      what kind of service its words say
    numbers    as "3" of "SMKN 3" and "1" of "Cicadas I"
    letters    of special schools, as "b" of "SLB B"
    sides      group → words of which a place can't have two, as region → {kota}
    is_part    it says that it is a branch
    is_bare    nothing but a kind
    """

    core: tuple[str, ...]
    kinds: frozenset[str]
    numbers: frozenset[str]
    letters: frozenset[str]
    sides: Mapping[str, frozenset[str]]
    is_part: bool
    is_bare: bool

    @property
    def joined(self) -> str:
        """The words in alphabetical order in one string, for a first look at two names."""
        return " ".join(sorted(self.core))

    @property
    def whole(self) -> str:
        """What is the same for listings of exactly this name."""
        return " ".join((self.joined, *sorted(self.numbers), *sorted(self.letters)))


@dataclass(frozen=True, slots=True)
class Street:
    """An address line taken apart: words and numbers of the street, and the areas that it names."""

    words: tuple[str, ...]
    numbers: frozenset[str]
    areas: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class _Words:
    short: dict[tuple[str, ...], tuple[str, ...]]
    kind: dict[tuple[str, ...], str]
    opposite: dict[str, str]
    status: frozenset[str]
    step: frozenset[str]
    part: frozenset[str]
    title: frozenset[tuple[str, ...]]


@cache
def _words() -> _Words:
    short: dict[tuple[str, ...], tuple[str, ...]] = {}
    kind: dict[tuple[str, ...], str] = {}
    opposite: dict[str, str] = {}
    statuses, steps, parts, titles = set(), set(), set(), set()
    with WORDS.open(encoding="utf-8", newline="") as file:
        heading = next(file)
        lines = (line for line in file if not line.startswith("#"))
        for row in csv.DictReader(lines, fieldnames=heading.strip().split(",")):
            form, full = tuple(_PIECE.findall(row["form"])), row["full"]
            match row["role"]:
                case "short":
                    short[form] = tuple(full.split())
                case "kind" | "step":
                    kind[form] = full
                    if row["role"] == "step":
                        steps.add(full)
                case "opposite":
                    opposite[row["form"]] = full
                case "status":
                    opposite[row["form"]] = full
                    statuses.add(row["form"])
                case "part":
                    parts.add(row["form"])
                case "title":
                    titles.add(form)
    return _Words(
        short,
        kind,
        opposite,
        frozenset(statuses),
        frozenset(steps),
        frozenset(parts),
        frozenset(titles),
    )


def pieces(text: str) -> list[str]:
    """Words and numbers of a text in lower case without accents: "SMKN1 Ma'arif" is smkn, 1, maarif."""
    if not text.isascii():
        text = unicodedata.normalize("NFKD", text)
        text = "".join(letter for letter in text if not unicodedata.combining(letter))
    return _PIECE.findall(text.lower().replace("'", "").replace("’", "").replace("`", ""))


def written_out(words: list[str]) -> list[str]:
    """The words with short forms in full, the longest form first."""
    return [word for run in _replaced(words, _words().short) for word in run]


def _replaced(
    words: list[str], forms: Mapping[tuple[str, ...], tuple[str, ...]]
) -> Iterable[tuple[str, ...]]:
    at = 0
    while at < len(words):
        for length in range(min(4, len(words) - at), 0, -1):
            run = tuple(words[at : at + length])
            if run in forms:
                yield forms[run]
                at += length
                break
        else:
            yield (words[at],)
            at += 1


@lru_cache(maxsize=50_000)
def name(text: str) -> Name:
    """The name taken apart."""
    known = _words()
    words = written_out(pieces(text))[:_MOST_WORDS]
    kinds: set[str] = set()
    kept: list[str] = []
    said: list[str] = []
    at = 0
    while at < len(words):
        for length in range(min(6, len(words) - at), 0, -1):
            run = tuple(words[at : at + length])
            if run in known.kind:
                kinds.add(known.kind[run])
                said += run
            elif run not in known.title:
                continue
            at += length
            break
        else:
            kept.append(words[at])
            at += 1
    is_school = any(_LETTERED in kind for kind in kinds)
    numbers: set[str] = set()
    letters: set[str] = set()
    core: list[str] = []
    sides: dict[str, frozenset[str]] = {}
    if steps := kinds & known.step:
        sides["step"] = frozenset(steps)
    for place, word in enumerate(kept):
        if word.isdigit():
            numbers.add(word.lstrip("0") or "0")
        elif word in _ROMAN and (kinds or place):
            numbers.add(str(_ROMAN[word]))
        elif is_school and len(word) <= len(_LETTERS) and set(word) <= _LETTERS:
            letters.update(word)
        elif word in ("n", "s") and kinds:
            sides["owner"] = frozenset({"negeri" if word == "n" else "swasta"})
        elif word in known.opposite:
            group = known.opposite[word]
            sides[group] = sides.get(group, frozenset()) | {word}
            if word not in known.status:
                core.append(word)
        else:
            core.append(_modern(word))
    is_bare = not core
    return Name(
        core=tuple(core) if core else tuple(said or kept),
        kinds=frozenset(kinds),
        numbers=frozenset(numbers),
        letters=frozenset(letters),
        sides=sides,
        is_part=not known.part.isdisjoint(words),
        is_bare=is_bare,
    )


def _modern(word: str) -> str:
    for old, new in _OLD:
        if old in word:
            word = word.replace(old, new)
    return word


@lru_cache(maxsize=50_000)
def skeleton(word: str) -> str:
    """The word without what people spell in different ways: vowels after the first letter, h, doubled letters."""
    return _TWICE.sub(r"\1", word[0] + _VOWELS.sub("", word[1:]))


_LEVELS = {"kecamatan": "district", "desa": "village", "kelurahan": "village"}
_NO_STREET = frozenset(
    ["jalan", "raya", "nomor", "rt", "rw", "km", "kabupaten", "kota", "provinsi"]
)


@lru_cache(maxsize=50_000)
def street(text: str) -> Street:
    """The address line taken apart: a word after "Kec." or "Desa" names an area, the rest the street."""
    areas: dict[str, str] = {}
    rest: list[str] = []
    for part in re.split(r"[,;]", text):
        words = written_out(pieces(part))
        at = next((i for i, word in enumerate(words) if word in _LEVELS), len(words))
        rest += words[:at]
        while at < len(words):
            end = next((i for i in range(at + 1, len(words)) if words[i] in _LEVELS), len(words))
            named = [w for w in words[at + 1 : end] if not w.isdigit() and w not in _NO_STREET]
            if named:
                areas.setdefault(_LEVELS[words[at]], "".join(map(_modern, named)))
            at = end
    return Street(
        words=tuple(_modern(w) for w in rest if not w.isdigit() and w not in _NO_STREET),
        numbers=frozenset(w.lstrip("0") or "0" for w in rest if w.isdigit()),
        areas=areas,
    )


def phone(number: str) -> str:
    """The digits by which a number is known wherever it is written; nothing for one too short to name anybody."""
    digits = re.sub(r"\D", "", number)
    calling = COUNTRY.calling_code.lstrip("+")
    if digits.startswith(calling) and len(digits) > len(calling) + _LEAST_DIGITS:
        digits = digits[len(calling) :]
    digits = digits.lstrip("0")
    return digits if len(digits) >= _LEAST_DIGITS else ""


def email(address: str) -> str:
    return address.strip().lower()


def host(url: str) -> str:
    """The host of a web address; nothing for one that thousands share."""
    found = (urlsplit(url if "//" in url else f"//{url}").hostname or "").removeprefix("www.")
    shared = any(found == one or found.endswith(f".{one}") for one in _SHARED_HOSTS)
    return "" if shared else found
