"""Words of names and queries as the search compares them: plain letters, and short forms beside full ones. Pure."""

import csv
import re
import unicodedata
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

_APOSTROPHES = re.compile("['’‘`´]")
_WORD = re.compile(r"[^\W_]+")
#: Longer runs of letters are no words; what is cut off tells no two of them apart.
LONGEST_WORD = 24
#: Words that say nothing about which service is meant.
EMPTY_WORDS = frozenset(
    [
        "di",
        "ke",
        "dari",
        "yang",
        "dan",
        "atau",
        "untuk",
        "dekat",
        "saya",
        "cari",
        "mencari",
        "ada",
        "the",
        "a",
        "an",
        "of",
        "for",
        "in",
        "at",
        "near",
        "to",
        "and",
        "or",
        "my",
        "i",
    ]
)
#: Roles of directory_data/name_words.csv that say two forms are the same.
_SAME = frozenset(("short", "search"))

Phrase = tuple[str, ...]


def words_of(text: str) -> list[str]:
    """The words of a text in order, lower case and without accents; "Darussa'adah" is one."""
    if not text.isascii():
        text = _APOSTROPHES.sub("", text)
        decomposed = unicodedata.normalize("NFKD", text)
        text = "".join(letter for letter in decomposed if not unicodedata.combining(letter))
    elif "'" in text or "`" in text:
        text = _APOSTROPHES.sub("", text)
    return [word[:LONGEST_WORD] for word in _WORD.findall(text.casefold())]


def telling(words: Sequence[str]) -> list[str]:
    """The words without those that say nothing, each once; all of them where nothing else is there."""
    found = [word for word in words if word not in EMPTY_WORDS]
    return list(dict.fromkeys(found or words))


class NameForms:
    """Full and short forms of words in names: "rumah sakit umum daerah" and "rsud"."""

    def __init__(self, rows: Iterable[tuple[str, Iterable[str]]]):
        groups = [[tuple(words_of(form)) for form in (full, *shorts)] for full, shorts in rows]
        #: Words of forms that have several: a list of short forms also holds Muh. for Muhammad.
        self.of_offices = frozenset(
            word for group in groups if len(group[0]) > 1 for form in group for word in form
        )
        self._full = {form: group[0] for group in groups for form in group[1:]}
        self._beside: dict[Phrase, frozenset[str]] = {}
        for group in groups:
            words = frozenset(word for form in group for word in form)
            for form in group:
                self._beside[form] = self._beside.get(form, frozenset()) | words
        # "rsjd" is also "rsj": a full form holds shorter ones.
        for form, words in list(self._beside.items()):
            wide = set(words)
            for other in [g for g in groups if form in g]:
                for phrase in other:
                    wide |= set(self._inside(phrase))
            self._beside[form] = frozenset(wide)
        self._longest = max((len(form) for form in self._beside), default=0)
        self._first = {form[0] for form in self._beside}

    @classmethod
    def from_csv(cls, path: Path) -> "NameForms":
        """The forms of name_words.csv; short forms of titles, which tell no listings apart, are left out."""
        with path.open(encoding="utf-8", newline="") as file:
            rows = list(csv.DictReader(line for line in file if not line.startswith("#")))
        titles = {row["form"] for row in rows if row["role"] == "title"}
        same: dict[str, list[str]] = {}
        for row in rows:
            if row["role"] in _SAME and row["full"] not in titles:
                same.setdefault(row["full"], []).append(row["form"])
        return cls(same.items())

    def beside(self, words: Sequence[str]) -> set[str]:
        """Words of the other forms of what a name says: for RSUD also rumah, sakit, umum, daerah and rsu."""
        found: set[str] = set()
        for _, phrase in self._phrases(words, self._beside):
            found |= self._beside[phrase]
        return found.difference(words)

    def in_full(self, words: Sequence[str]) -> list[tuple[str, tuple[int, ...]]]:
        """The words with short forms written out; beside each the places of the words it stands for."""
        found: list[tuple[str, tuple[int, ...]]] = []
        place = 0
        starts = dict(self._phrases(words, self._full))
        while place < len(words):
            phrase = starts.get(place)
            if phrase is None:
                found.append((words[place], (place,)))
                place += 1
            else:
                places = tuple(range(place, place + len(phrase)))
                found += [(word, places) for word in self._full[phrase]]
                place += len(phrase)
        return found

    def _phrases(
        self, words: Sequence[str], known: dict[Phrase, Phrase] | dict[Phrase, frozenset[str]]
    ) -> Iterator[tuple[int, Phrase]]:
        """Places where a form begins, with the form; the longest form of a place comes last."""
        for start, word in enumerate(words):
            if word in self._first:
                for length in range(1, self._longest + 1):
                    phrase = tuple(words[start : start + length])
                    if len(phrase) == length and phrase in known:
                        yield start, phrase

    def _inside(self, phrase: Phrase) -> Iterator[str]:
        for start in range(len(phrase)):
            for end in range(start + 1, len(phrase) + 1):
                yield from self._beside.get(phrase[start:end], ())
