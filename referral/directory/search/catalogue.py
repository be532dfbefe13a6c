"""All public listings of a directory as words and columns, and how well each answers a question. Pure."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from itertools import pairwise
from math import log
from uuid import UUID

import numpy as np
from numpy.typing import NDArray

from referral.directory.search.columns import Columns, Document
from referral.directory.search.postings import Field, Postings
from referral.directory.search.words import NameForms, telling, words_of

#: How surely a kind of help answers a word that names it: less than the word in a name, and less for
#: each kind that the words mean better, and where the kind of facility alone suggests it.
KIND, NEXT_KIND, INFERRED_KIND = 0.9, 0.04, 0.02
#: Two words that were typed as one, or one as two.
JOINED, PARTED = 0.95, 0.9
#: A listing is shown when it answers this share of the words' weight, and this share of what the best does.
LEAST, LEAST_OF_BEST = 0.45, 0.8
#: What a name that says nothing but the words asked for gains on a long one.
SHORT_NAME = 0.015
#: What a word that nothing stands for weighs beside those that are known.
UNKNOWN = 0.5
#: Longest part of a description that is read for words.
DESCRIPTION_WORDS = 60
MOST_WORDS = 12


@dataclass(frozen=True, slots=True)
class KindAsked:
    """A kind of help that words were taken for: its leaves, and by place of the words that name it how surely."""

    leaves: tuple[str, ...]
    places: dict[int, float]


@dataclass(slots=True)
class Asked:
    """One typed word and what it may stand for: word number → how surely."""

    word: str
    meant: dict[int, float]
    #: ways to read it as several words, each of which a listing must have
    parts: list[list[dict[int, float]]] = field(default_factory=list)
    weight: float = 0.0


@dataclass(frozen=True, slots=True)
class Found:
    """Which word of a listing answered a typed one; None: none did. No field: its kind of help did."""

    asked: str
    word: str | None
    field: Field | None


class Catalogue:
    """Listings to search. `add` all, `settle`, then ask; `put` and `take_out` follow later changes."""

    def __init__(
        self,
        forms: NameForms,
        stem: Callable[[str], str],
        areas: Callable[[str], tuple[str, ...]] = lambda _: (),
    ) -> None:
        self._forms = forms
        self._area_words = lru_cache(maxsize=20_000)(lambda code: self._words(areas(code)))
        self._organization_words = lru_cache(maxsize=20_000)(self._words)
        self.postings = Postings(stem)
        self.columns = Columns()
        self.changed = 0

    def __len__(self) -> int:
        """How many rows there are, dead ones counted."""
        return len(self.columns)

    def add(self, document: Document) -> None:
        name = words_of(document.name)
        row = self.columns.add(document, len(name))
        names = [*name, *words_of(document.alternate_name)] if document.alternate_name else name
        places = [word for text in document.places for word in words_of(text)]
        for code in {site.area_code for site in document.sites if site.area_code}:
            places += self._area_words(code)
        texts: list[tuple[Field, Iterable[str]]] = [
            (Field.NAME, names),
            (Field.FORM, self._forms.beside(names)),
            (Field.ORGANIZATION, self._organization_words(document.organization)),
            (Field.PLACE, places),
        ]
        if document.description:
            texts.append((Field.DESCRIPTION, words_of(document.description)[:DESCRIPTION_WORDS]))
        self.postings.add(row, texts)

    def _words(self, texts: tuple[str, ...]) -> tuple[str, ...]:
        words = [word for text in texts for word in words_of(text)]
        return (*words, *self._forms.beside(words))

    def settle(self) -> None:
        self.columns.settle()
        self.postings.settle()

    def put(self, document: Document) -> None:
        """Take a listing's present state in, in place of what was known of it."""
        self.take_out(document.id)
        self.add(document)

    def take_out(self, service_id: UUID) -> None:
        row = self.columns.row_of(service_id)
        if row is not None:
            self.columns.alive[row] = False
        self.changed += 1

    def nbytes(self) -> int:
        return self.postings.nbytes() + self.columns.nbytes()

    # Questions ---------------------------------------------------------------------------------

    def read(self, text: str) -> list[Asked]:
        """The telling words of a query, each with the words of the directory that it may stand for."""
        typed = telling(words_of(text))[:MOST_WORDS]
        asked = [
            Asked(word, self.postings.meant(word, may_go_on=word == typed[-1])) for word in typed
        ]
        for left, right in pairwise(asked):
            self._join(left, right)
        for one in asked:
            if self.postings.find(one.word) is None and len(one.word) >= 3:
                one.parts += self.postings.parts(one.word)
        return asked

    def _join(self, left: Asked, right: Asked) -> None:
        """Where two typed words are one in the directory ("rumah sakit": "rumahsakit"), both stand for it.

        Where one of them is not known, the space may stand in the wrong place ("rumahs akit").
        """
        is_known = all(self.postings.find(one.word) is not None for one in (left, right))
        word = left.word + right.word
        number = self.postings.find(word)
        meant = {} if number is None else {number: 1.0}
        if not is_known and len(word) >= 6:
            meant = self.postings.meant(word, may_go_on=False)
        for one in (left, right):
            for number, surely in meant.items():
                one.meant[number] = max(JOINED * surely, one.meant.get(number, 0.0))
        if not is_known:
            ways = self.postings.parts(word, most=2)
            left.parts += ways
            right.parts += ways

    def score(self, asked: Sequence[Asked], kinds: Sequence[KindAsked] = ()) -> NDArray[np.float32]:
        """How well each row answers, 0 to 1: the words it has, rare ones weighing more."""
        total = np.zeros(len(self), dtype=np.float32)
        for place, one in enumerate(asked):
            answers = self._answers(one)
            count = self._count(one)
            for rank, kind in enumerate(kinds):
                named = kind.places.get(place)
                if named is None:
                    continue
                for code in kind.leaves:
                    rows, stated = self.columns.of_kind(code)
                    surely = named * (KIND - NEXT_KIND * rank - INFERRED_KIND * ~stated)
                    answers[rows] = np.maximum(answers[rows], surely.astype(np.float32))
                    count = max(count, len(rows))
            one.weight = log(1 + len(self) / (1 + count)) if count else 0.0
            answers *= one.weight
            total += answers
        known = [one.weight for one in asked if one.weight]
        for one in asked:
            one.weight = one.weight or UNKNOWN * sum(known) / (len(known) or 1)
        weight = sum(one.weight for one in asked)
        share: NDArray[np.float32] = total / np.float32(weight or 1.0)
        return share

    def _count(self, one: Asked) -> int:
        """In how many listings stands what the word surest stands for."""
        if not one.meant:
            rarest = (
                min(self.postings.count(n) for part in way for n in part) for way in one.parts
            )
            return max(rarest, default=0)
        return self.postings.count(max(one.meant, key=lambda number: one.meant[number]))

    def _answers(self, one: Asked) -> NDArray[np.float32]:
        answers = self._most(one.meant)
        for way in one.parts:
            all_parts = self._most(way[0])
            for part in way[1:]:
                np.minimum(all_parts, self._most(part), out=all_parts)
            np.maximum(answers, all_parts * np.float32(PARTED), out=answers)
        return answers

    def _most(self, meant: dict[int, float]) -> NDArray[np.float32]:
        most = np.zeros(len(self), dtype=np.float32)
        for number, surely in meant.items():
            rows, worth = self.postings.rows(number)
            most[rows] = np.maximum(most[rows], worth * np.float32(surely))
        return most

    def short_names(self, count: int) -> NDArray[np.float32]:
        """What each row's name gains by saying little beside `count` words."""
        lengths = np.maximum(self.columns.listings["name_words"], 1)
        gain: NDArray[np.float32] = np.minimum(1.0, count / lengths).astype(np.float32)
        return gain * np.float32(SHORT_NAME)

    def why(
        self, asked: Sequence[Asked], kinds: Sequence[KindAsked], rows: NDArray[np.int32]
    ) -> list[list[Found]]:
        """For each row and typed word the word that answered it."""
        found: list[list[Found]] = [[] for _ in rows]
        for place, one in enumerate(asked):
            named = np.zeros(len(rows), dtype=np.bool_)
            for kind in kinds:
                if place in kind.places:
                    named |= self.columns.of_any_kind(kind.leaves)[rows]
            best: list[Found | None] = [None] * len(rows)
            for number, surely in sorted(one.meant.items(), key=lambda pair: -pair[1]):
                fields = self.postings.field_in(number, rows)
                for at in np.flatnonzero(fields >= 0).tolist():
                    if best[at] is None and (surely >= KIND or not named[at]):
                        best[at] = Found(one.word, self.postings.words[number], Field(fields[at]))
            for way in one.parts:
                for at, read in enumerate(self._read_apart(way, rows)):
                    if best[at] is None and not named[at] and read:
                        best[at] = Found(one.word, *read)
            for at, one_found in enumerate(best):
                word = one.word if named[at] else None
                found[at].append(one_found or Found(one.word, word, None))
        return found

    def _read_apart(
        self, way: Sequence[dict[int, float]], rows: NDArray[np.int32]
    ) -> list[tuple[str, Field] | None]:
        """For each row the words of a word that was taken apart, where the row has all of them."""
        found: list[list[tuple[str, Field]]] = [[] for _ in rows]
        for count, part in enumerate(way):
            for number in sorted(part, key=lambda n: -part[n]):
                fields = self.postings.field_in(number, rows)
                for at in np.flatnonzero(fields >= 0).tolist():
                    if len(found[at]) == count:
                        found[at].append((self.postings.words[number], Field(fields[at])))
        return [
            (" ".join(word for word, _ in parts), parts[0][1]) if len(parts) == len(way) else None
            for parts in found
        ]
