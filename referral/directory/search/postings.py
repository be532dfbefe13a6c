"""Where words stand, and which words were meant: postings by word, and pieces of two letters for typos. Pure.

The base is compressed arrays; what comes later is kept beside it in lists until the next build.
"""

import re
from array import array
from bisect import bisect_left
from collections import defaultdict
from collections.abc import Callable, Iterable
from enum import IntEnum

import numpy as np
from numpy.typing import NDArray
from rapidfuzz import process
from rapidfuzz.distance import DamerauLevenshtein

from referral.directory.search.words import LONGEST_WORD

Rows = NDArray[np.int32]
#: Words looked at letter by letter for one typed word, and those then taken for it.
MOST_ALIKE, MOST_MEANT = 400, 24
#: A beginning of this length may stand for the words that begin so.
SHORTEST_BEGINNING, MOST_BEGINNING_SO = 3, 200
#: From this length on a word may be misspelt at all, have two wrong letters, have three.
ONE_EDIT, TWO_EDITS, THREE_EDITS = 3, 4, 11
LEAST_ALIKE = 0.5
#: How surely a word was meant that only shares the root with the one typed.
SAME_ROOT = 0.93
#: What a likeness is worth where the word as typed is one too.
ALIKE_A_KNOWN_WORD = 0.8
#: Ways to take a word apart that are looked at.
MOST_WAYS = 4
_LEAST_SHARED = 0.2
_NUMBERED = re.compile(r"([a-z]{2,})(\d+)|(\d+)([a-z]{2,})")


class Field(IntEnum):
    """Which text of a listing a word stands in, the best first."""

    NAME = 0
    #: another form of what the name says, as "rsud" of Rumah Sakit Umum Daerah
    FORM = 1
    ORGANIZATION = 2
    PLACE = 3
    DESCRIPTION = 4


#: What a word is worth by where it stands.
WORTH = np.array([1.0, 0.97, 0.95, 0.92, 0.7], dtype=np.float32)


class Postings:
    """Words of many rows. Add rows, `settle` once, ask; rows added afterwards are found too."""

    def __init__(self, stem: Callable[[str], str]):
        self._stem = stem
        self._ids: dict[str, int] = {}
        self.words: list[str] = []
        self._entries = (array("i"), array("i"), array("B"))  # word, row, field
        self._starts = np.zeros(1, dtype=np.int64)
        self._rows: Rows = np.zeros(0, dtype=np.int32)
        self._fields = np.zeros(0, dtype=np.uint8)
        self._later: dict[int, tuple[list[int], list[int]]] = {}
        self._settled = 0
        self._sorted: list[str] = []
        self._pieces = _Pieces([])
        self._roots: dict[str, list[int]] = defaultdict(list)
        self._rooted: set[int] = set()
        self._is_settled = False

    def add(self, row: int, texts: Iterable[tuple[Field, Iterable[str]]]) -> None:
        """Put a row's words in; of a word that stands in several fields the best counts.

        Rows come in rising order. A word is known by its root only where a description has it: names
        that end as if they were inflected (Pekalongan) stay what they are.
        """
        seen: set[int] = set()
        for field, words in texts:
            for word in words:
                number = self._ids.get(word)
                if number is None:
                    number = self._ids[word] = len(self.words)
                    self.words.append(word)
                if field is Field.DESCRIPTION and number not in self._rooted:
                    self._rooted.add(number)
                    self._roots[self._stem(word)].append(number)
                if number in seen:
                    continue
                seen.add(number)
                if self._is_settled:
                    rows, fields = self._later.setdefault(number, ([], []))
                    rows.append(row)
                    fields.append(field)
                else:
                    numbers, rows_, fields_ = self._entries
                    numbers.append(number)
                    rows_.append(row)
                    fields_.append(field)

    def settle(self) -> None:
        """Lay what was added out for asking."""
        numbers, rows, fields = self._entries
        keys = np.frombuffer(numbers, dtype=np.int32) if len(numbers) else np.zeros(0, np.int32)
        order = np.argsort(keys, kind="stable")
        if len(order):
            self._rows = np.frombuffer(rows, dtype=np.int32)[order]
            self._fields = np.frombuffer(fields, dtype=np.uint8)[order]
        self._starts = np.searchsorted(keys[order], np.arange(len(self.words) + 1))
        self._entries = (array("i"), array("i"), array("B"))
        self._settled = len(self.words)
        self._sorted = sorted(self.words)
        self._pieces = _Pieces(self.words)
        self._is_settled = True

    def rows(self, number: int) -> tuple[Rows, NDArray[np.float32]]:
        """Rows that have the word, rising, and what it is worth in each."""
        found, fields = self._at(number)
        return found, WORTH[fields]

    def field_in(self, number: int, rows: Rows) -> NDArray[np.int8]:
        """The field in which each of `rows` has the word; -1 where it has it not."""
        found, fields = self._at(number)
        if not len(found):
            return np.full(len(rows), -1, dtype=np.int8)
        places = np.minimum(np.searchsorted(found, rows), len(found) - 1)
        return np.where(found[places] == rows, fields[places].astype(np.int8), -1)

    def count(self, number: int) -> int:
        later = self._later.get(number)
        base = int(self._starts[number + 1] - self._starts[number]) if number < self._settled else 0
        return base + (len(later[0]) if later else 0)

    def find(self, word: str) -> int | None:
        """The number of the very word, where some row has it."""
        return self._ids.get(word)

    def meant(self, word: str, *, may_go_on: bool = True) -> dict[int, float]:
        """Words that a typed one may stand for, with how surely (0 to 1).

        The word itself, words of the same root, words that begin so (`may_go_on`, or where nobody has
        the word itself), and words spelt alike.
        """
        found: dict[int, float] = {}
        exact = self._ids.get(word)
        if not word.isalpha():
            return {} if exact is None else {exact: 1.0}
        as_typed = 1.0 if exact is None else ALIKE_A_KNOWN_WORD
        for number, surely in self._alike(word).items():
            found[number] = max(as_typed * surely, found.get(number, 0.0))
        if may_go_on or exact is None:
            for number, surely in self._beginning(word).items():
                found[number] = max(surely, found.get(number, 0.0))
        for number in self._roots.get(self._stem(word), ()):
            found[number] = max(SAME_ROOT, found.get(number, 0.0))
        best = sorted(found, key=lambda n: (-found[n], -self.count(n)))[:MOST_MEANT]
        kept = {number: found[number] for number in best}
        return kept if exact is None else kept | {exact: 1.0}

    def parts(self, word: str, *, most: int = 3) -> list[list[dict[int, float]]]:
        """Ways to read one word as several, spaces forgotten: what each part may stand for.

        All parts but one are words as they stand; the other may be misspelt. A number and the word it
        was written to are two.
        """
        if found := _NUMBERED.fullmatch(word):
            both = [self.meant(part, may_go_on=False) for part in found.groups() if part]
            return [both] if all(both) else []
        ways: list[list[dict[int, float]]] = []
        for at in range(len(word) - 2, 1, -1):
            for known, rest in ((word[:at], word[at:]), (word[-at:], word[:-at])):
                number = self._ids.get(known)
                if number is None or len(ways) >= MOST_WAYS:
                    continue
                meant = self.meant(rest, may_go_on=False)
                if meant:
                    ways.append([{number: 1.0}, meant])
                elif most > 2:
                    further = self.parts(rest, most=most - 1)
                    ways += [[{number: 1.0}, *way] for way in further[:1]]
        return ways

    def nbytes(self) -> int:
        """Bytes of the arrays; Python's strings and lists are not counted."""
        return self._rows.nbytes + self._fields.nbytes + self._starts.nbytes + self._pieces.nbytes()

    def _at(self, number: int) -> tuple[Rows, NDArray[np.uint8]]:
        later = self._later.get(number)
        if number < self._settled:
            start, end = self._starts[number], self._starts[number + 1]
            rows, fields = self._rows[start:end], self._fields[start:end]
            if later is None:
                return rows, fields
            return (
                np.concatenate([rows, np.array(later[0], dtype=np.int32)]),
                np.concatenate([fields, np.array(later[1], dtype=np.uint8)]),
            )
        if later is None:
            return np.zeros(0, dtype=np.int32), np.zeros(0, dtype=np.uint8)
        return np.array(later[0], dtype=np.int32), np.array(later[1], dtype=np.uint8)

    def _beginning(self, word: str) -> dict[int, float]:
        if len(word) < SHORTEST_BEGINNING:
            return {}
        start = bisect_left(self._sorted, word)
        end = bisect_left(self._sorted, word + "\U0010ffff")
        longer = self._sorted[start : min(end, start + MOST_BEGINNING_SO)]
        longer += [w for w in self.words[self._settled :] if w.startswith(word)]
        return {self._ids[w]: 0.75 + 0.2 * len(word) / len(w) for w in longer}

    def _alike(self, word: str) -> dict[int, float]:
        if len(word) < ONE_EDIT:
            return {}
        edits = 1 + (len(word) >= TWO_EDITS) + (len(word) >= THREE_EDITS)
        numbers = self._pieces.sharing(word, edits)
        texts = [self.words[number] for number in numbers]
        numbers += range(self._settled, len(self.words))
        texts += self.words[self._settled :]
        found = process.extract(
            word, texts, scorer=DamerauLevenshtein.distance, score_cutoff=edits, limit=MOST_MEANT
        )
        alike = {
            numbers[place]: 1 - distance / max(len(word), len(text))
            for text, distance, place in found
            if text.isalpha()
        }
        return {number: 0.97 * share for number, share in alike.items() if share >= LEAST_ALIKE}


class _Pieces:
    """Which words have which two letters side by side; their beginning and end count as letters."""

    _SIZE = 38  # letters, digits, edge, anything else

    def __init__(self, words: list[str]):
        width = LONGEST_WORD
        self._lengths = np.array([len(word) for word in words], dtype=np.int16)
        table = np.array(words or [""], dtype=f"U{width}").view(np.uint32).reshape(-1, width)
        coded = self._coded(table)
        edge = np.zeros((len(coded), 1), dtype=np.int16)
        left, right = np.hstack([edge, coded]), np.hstack([coded, edge])
        pieces = left * self._SIZE + right
        held = np.arange(width + 1) <= self._lengths[:, None] if words else np.zeros((1, width + 1))
        numbers = np.nonzero(held)[0].astype(np.int32)
        keys = pieces[held.astype(bool)]
        order = np.argsort(keys, kind="stable")
        self._words = numbers[order]
        self._starts = np.searchsorted(keys[order], np.arange(self._SIZE**2 + 1))

    def sharing(self, word: str, edits: int) -> list[int]:
        """Words of about the same length that share most pieces with `word`, at most MOST_ALIKE."""
        if not len(self._lengths):
            return []
        letters = self._coded(np.array([[ord(letter) for letter in word]], dtype=np.uint32))[0]
        left, right = np.append([0], letters), np.append(letters, [0])
        pieces = set((left * self._SIZE + right).tolist())
        lists = [self._words[self._starts[p] : self._starts[p + 1]] for p in pieces]
        shared = np.bincount(np.concatenate(lists), minlength=len(self._lengths))
        near = np.flatnonzero(shared >= max(1, len(pieces) - 3 * edits))
        near = near[np.abs(self._lengths[near] - len(word)) <= edits]
        share = 2 * shared[near] / (len(pieces) + self._lengths[near] + 1)
        near, share = near[share >= _LEAST_SHARED], share[share >= _LEAST_SHARED]
        if len(near) > MOST_ALIKE:
            near = near[np.argpartition(-share, MOST_ALIKE)[:MOST_ALIKE]]
        return [int(number) for number in near]

    def nbytes(self) -> int:
        return self._words.nbytes + self._starts.nbytes + self._lengths.nbytes

    @staticmethod
    def _coded(table: NDArray[np.uint32]) -> NDArray[np.int16]:
        """Letters as 1–26, digits as 27–36, the empty end as 0, anything else as 37."""
        coded = np.full(table.shape, 37, dtype=np.int16)
        coded[table == 0] = 0
        letter = (table >= 97) & (table <= 122)
        coded[letter] = table[letter].astype(np.int16) - 96
        digit = (table >= 48) & (table <= 57)
        coded[digit] = table[digit].astype(np.int16) - 21
        return coded
