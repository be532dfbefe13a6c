"""The story box's words: what people say when they mean a need, a crisis, a no or a past.

Read from directory_data/stories_lexicon.csv and from the taxonomy's names and synonyms. docs/stories.md
says how to write a row.
"""

import csv
import re
from collections import Counter, defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path

from rapidfuzz import process
from rapidfuzz.distance import OSA

from referral.taxonomy.tree import Taxonomy
from referral.taxonomy.words import Word, is_root, split, stem

PATH = Path(__file__).resolve().parents[2] / "directory_data" / "stories_lexicon.csv"

#: How much a bare synonym of the taxonomy says, before the lexicon says otherwise.
SYNONYM_WEIGHT = 0.75
ONE_WORD_WEIGHT = 0.6
SHORT_WORD_WEIGHT = 0.45
#: Shorter words are too near one another for a typo to be guessed.
SHORTEST_TYPO = 5

_BRACES = re.compile(r"\{([^{}]*)\}")


@dataclass(frozen=True)
class Cue:
    """Words that, found together, speak for a category.

    keys     one per word: "s:" a stem, "p:" a plain form
    anchor   place in `keys` of the rarest word, by which the cue is found
    state    True: a problem in itself (kelaparan); False: a thing one has or lacks (BPJS)
    """

    code: str
    keys: tuple[str, ...]
    weight: float
    state: bool
    lang: str
    crisis: bool
    negated: bool
    anchor: int = 0


@dataclass
class Lexicon:
    """Cues by anchor, word classes and abbreviations, ready for reading stories."""

    written_out: dict[str, str]
    stop: frozenset[str]
    classes: dict[str, frozenset[str]]
    ago: frozenset[tuple[str, str]]
    asking: frozenset[str]
    idioms: dict[str, list[tuple[str, ...]]]
    cues: dict[str, list[Cue]]
    vocabulary: dict[tuple[str, int], list[str]]
    known: frozenset[str]
    _corrected: dict[str, str | None] = field(default_factory=dict)

    @classmethod
    def load(cls, taxonomy: Taxonomy, path: Path = PATH) -> "Lexicon":
        """The lexicon of `path` over this taxonomy."""
        return _Reader(taxonomy, path).lexicon()

    def is_(self, kind: str, word: Word) -> bool:
        words = self.classes[kind]
        return word.plain in words or word.stem in words

    def read(self, text: str) -> list[Word]:
        """Words of the text, abbreviations written out and likely typos put right."""
        return [self._put_right(word) for word in split(text, self.written_out)]

    def _put_right(self, word: Word) -> Word:
        meant = self._corrected.get(word.plain, "")
        if meant == "":
            meant = self._meant(word)
            if len(self._corrected) < 50_000:
                self._corrected[word.plain] = meant
        if meant is None:
            return word
        return Word(word.start, word.end, word.raw, meant, stem(meant), word.clause, word.sentence)

    def _meant(self, word: Word) -> str | None:
        """The cue word a misspelt word stands for; None where it is no near miss of any."""
        form = word.plain
        if (
            len(form) < SHORTEST_TYPO
            or len(form) > 24
            or not form.isalpha()
            or form in self.known
            or is_root(form)
        ):
            return None
        is_word = word.stem in self.known or is_root(word.stem)
        most = 1 if len(form) < 9 else 2
        near = [
            candidate
            for length in range(len(form) - most, len(form) + most + 1)
            for candidate in self.vocabulary.get((form[0], length), ())
            # A right word with an affix may only turn into its own relatives.
            if not is_word or stem(candidate) == word.stem
        ]
        best = process.extractOne(form, near, scorer=OSA.distance, score_cutoff=most)
        return str(best[0]) if best else None


@lru_cache(maxsize=4)
def lexicon_of(taxonomy: Taxonomy) -> Lexicon:
    """The shipped lexicon over this taxonomy, read once."""
    return Lexicon.load(taxonomy)


def spelled_out(phrase: str) -> list[str]:
    """Every phrase that "{a,b} c" stands for."""
    found = _BRACES.search(phrase)
    if not found:
        return [phrase]
    return [
        whole
        for choice in found.group(1).split(",")
        for whole in spelled_out(phrase[: found.start()] + choice + phrase[found.end() :])
    ]


class _Reader:
    def __init__(self, taxonomy: Taxonomy, path: Path):
        self.taxonomy = taxonomy
        with path.open(encoding="utf-8-sig", newline="") as file:
            self.rows = list(csv.DictReader(file))
        self.written = {
            form: row["value"]
            for row in self.rows
            if row["kind"] == "written"
            for form in row["phrases"].split("|")
        }
        self.stop = frozenset(self._phrases("stop"))
        self.classes: dict[str, frozenset[str]] = {}
        for kind in {row["value"] for row in self.rows if row["kind"] == "word"}:
            words = [word for p in self._phrases("word", kind) for word in split(p, self.written)]
            self.classes[kind] = frozenset(word.plain for word in words)
        self.problems = frozenset(self._phrases("polarity", "problem"))
        self.things = frozenset(
            whole.lower()
            for phrase in self._phrases("polarity", "resource")
            for whole in spelled_out(phrase)
        )
        self.negators = self.classes["negator"] | self.classes["not_yet"]

    def _phrases(self, kind: str, value: str | None = None) -> list[str]:
        return [
            phrase
            for row in self.rows
            if row["kind"] == kind and value in (None, row["value"])
            for phrase in row["phrases"].split("|")
        ]

    def lexicon(self) -> Lexicon:
        cues: dict[tuple[str, tuple[str, ...], bool], Cue] = {}
        for cue in [*self._own(), *self._synonyms()]:
            # Our reviewed row comes first and wins over the taxonomy's synonym.
            cues.setdefault((cue.code, cue.keys, cue.crisis), cue)
        for code, keys in self._ignored():
            cues.pop((code, keys, False), None)
        often = Counter(key for cue in cues.values() for key in cue.keys)
        by_anchor: dict[str, list[Cue]] = defaultdict(list)
        for cue in cues.values():
            anchor = min(range(len(cue.keys)), key=lambda i: often[cue.keys[i]])
            by_anchor[cue.keys[anchor]].append(
                Cue(
                    cue.code,
                    cue.keys,
                    cue.weight,
                    cue.state,
                    cue.lang,
                    cue.crisis,
                    cue.negated,
                    anchor,
                )
            )
        words = {key[2:] for cue in cues.values() for key in cue.keys if key[2:].isalpha()}
        vocabulary: dict[tuple[str, int], list[str]] = defaultdict(list)
        for word in sorted(self._plain_forms()):
            if len(word) >= SHORTEST_TYPO - 1 and word.isalpha():
                vocabulary[word[0], len(word)].append(word)
        idioms: dict[str, list[tuple[str, ...]]] = defaultdict(list)
        for phrase in self._phrases("idiom"):
            found = tuple(word.plain for word in split(phrase, self.written))
            idioms[found[0]].append(found)
        ago = [split(phrase, self.written) for phrase in self._phrases("word", "ago")]
        return Lexicon(
            written_out=self.written,
            stop=self.stop,
            classes=self.classes,
            ago=frozenset((first.plain, second.plain) for first, second in ago),
            asking=frozenset(
                word.plain for p in self._phrases("unserved") for word in split(p, self.written)
            ),
            idioms=dict(idioms),
            cues=dict(by_anchor),
            vocabulary=dict(vocabulary),
            known=frozenset(words | self.stop | set().union(*self.classes.values())),
        )

    def _plain_forms(self) -> Iterable[str]:
        """Words worth recognising when misspelt."""
        phrases = [*self._phrases("need"), *self._phrases("crisis")]
        texts = [whole for phrase in phrases for whole in spelled_out(phrase)]
        texts += [s for term in self.taxonomy for lang in ("id", "en") for s in term.synonyms[lang]]
        return {word.plain for text in texts for word in split(text, self.written)}

    def _own(self) -> Iterable[Cue]:
        for row in self.rows:
            if row["kind"] not in ("need", "crisis"):
                continue
            code = self.taxonomy.get(row["value"]).code
            for phrase in row["phrases"].split("|"):
                for whole in spelled_out(phrase):
                    cue = self._cue(code, whole, float(row["weight"]), row["lang"], row["polarity"])
                    if cue:
                        yield cue if row["kind"] == "need" else _as_crisis(cue)

    def _synonyms(self) -> Iterable[Cue]:
        for term in self.taxonomy:
            if term.level == 1:
                continue
            for lang in ("id", "en"):
                for text in (term.name[lang], *term.synonyms[lang]):
                    cue = self._cue(term.code, text, None, lang, "")
                    if cue:
                        yield cue

    def _ignored(self) -> Iterable[tuple[str, tuple[str, ...]]]:
        for row in self.rows:
            if row["kind"] == "ignore":
                for phrase in row["phrases"].split("|"):
                    yield row["value"], self._keys(phrase)

    def _keys(self, phrase: str) -> tuple[str, ...]:
        parts = [
            (mark, word)
            for part in phrase.split()
            for mark in [part[0] if part[0] in "~=" else ""]
            for word in split(part.lstrip("~="), self.written)
            if word.plain not in self.stop
        ]
        return tuple(
            "s:" + word.stem
            if mark == "~" or (mark == "" and len(parts) > 1)
            else "p:" + word.plain
            for mark, word in parts
        )

    def _cue(
        self, code: str, phrase: str, weight: float | None, lang: str, polarity: str
    ) -> Cue | None:
        keys = self._keys(phrase)
        if weight is not None and len(keys) < min(2, len(phrase.split())):
            raise ValueError(f"{code}: without its small words, {phrase!r} is a cue too wide")
        if not keys:
            return None
        if weight is None:
            one = SHORT_WORD_WEIGHT if len(keys[0]) <= 5 else ONE_WORD_WEIGHT
            weight = SYNONYM_WEIGHT if len(keys) > 1 else one
        negated = any(key[2:] in self.negators for key in keys)
        is_thing = phrase.lower() in self.things
        state = polarity == "problem" or (not polarity and code in self.problems)
        state = negated or (state and not is_thing)
        return Cue(code, keys, weight, state, lang, False, negated)


def _as_crisis(cue: Cue) -> Cue:
    return Cue(cue.code, cue.keys, cue.weight, cue.state, cue.lang, True, cue.negated, cue.anchor)
