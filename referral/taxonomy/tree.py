"""The tree of needs: nine domains, their leaves, and the words people use for them."""

import csv
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache, cached_property
from pathlib import Path

from rapidfuzz import fuzz, process

from referral.core.errors import Invalid
from referral.taxonomy.words import Word, split

PATH = Path(__file__).resolve().parents[2] / "directory_data" / "taxonomy.csv"

#: The four resource systems the product was asked for; every list of domains starts with them.
FIRST_DOMAINS = ("HE", "VR", "SA", "EM")

#: A typed word is compared with the words of the tree from this length on; shorter ones repeat
#: too often by chance (KK, KTP, KIP).
SHORTEST_TYPO = 3
LEAST_LIKENESS = 72


class UnknownCategory(Invalid):
    """No such code; `candidates` holds the codes that were probably meant."""

    code = "unknown_category"


@dataclass(frozen=True)
class Term:
    """One category: a domain (level 1) or a leaf (level 2).

    name, synonyms     by language, id and en
    crisis_default     a need of this kind is taken for a crisis until someone says otherwise
    eligibility_hint   who is usually served, in the taxonomy's own words; "" where open to all
    """

    code: str
    level: int
    parent: str | None
    name: dict[str, str]
    synonyms: dict[str, tuple[str, ...]]
    crisis_default: bool
    eligibility_hint: str


@dataclass(frozen=True)
class _Phrase:
    code: str
    lang: str
    text: str
    words: tuple[Word, ...]
    is_name: bool


class Taxonomy:
    """All terms of one version of the tree."""

    def __init__(self, terms: list[Term]):
        self._terms = {term.code: term for term in terms}

    @classmethod
    def from_csv(cls, path: Path) -> "Taxonomy":
        with path.open(encoding="utf-8-sig", newline="") as file:
            return cls([_term(row) for row in csv.DictReader(file)])

    def __iter__(self) -> Iterator[Term]:
        return iter(self._terms.values())

    def __len__(self) -> int:
        return len(self._terms)

    def __contains__(self, code: object) -> bool:
        return code in self._terms

    def get(self, code: str) -> Term:
        """The term of `code`, in any case. Raises UnknownCategory with what may have been meant."""
        wanted = code.strip().upper()
        if wanted in self._terms:
            return self._terms[wanted]
        raise UnknownCategory(
            "taxonomy.unknown",
            field="need",
            candidates=self._candidates(code.strip()),
            code=code.strip()[:40],
        )

    def _candidates(self, code: str) -> list[str]:
        by_words = [] if len(code) < 5 else [term.code for term in self.search(code, limit=3)]
        alike = process.extract(
            code.upper(), list(self._terms), scorer=fuzz.ratio, limit=3, score_cutoff=60
        )
        return list(dict.fromkeys([*by_words, *(code for code, _, _ in alike)]))

    def leaves(self, code: str) -> list[Term]:
        """The leaves under `code`; a leaf gives itself."""
        term = self.get(code)
        if term.level > 1:
            return [term]
        return [leaf for leaf in self if leaf.parent == term.code]

    def domains(self) -> list[Term]:
        """The domains, the user's four systems first, the others as the file lists them."""
        others = [t.code for t in self if t.level == 1 and t.code not in FIRST_DOMAINS]
        return [self._terms[c] for c in (*FIRST_DOMAINS, *others) if c in self._terms]

    def search(self, text: str, lang: str | None = None, limit: int = 10) -> list[Term]:
        """Terms that `text` may mean, best first: codes, names, synonyms, beginnings and typos.

        Words of `lang` count a little more than those of the other language, which still count.
        """
        if text.strip().upper() in self._terms:
            return [self.get(text)]
        asked = [self._alike(word) for word in split(text[:200])]
        if not asked:
            return []
        best: dict[str, float] = {}
        for phrase in self._phrases:
            score = _score(asked, phrase)
            if lang and phrase.lang != lang:
                score *= 0.93
            if score > best.get(phrase.code, 0.5):
                best[phrase.code] = score
        order = {term.code: place for place, term in enumerate(self)}
        ranked = sorted(best, key=lambda code: (-best[code], order[code]))
        return [self._terms[code] for code in ranked[:limit]]

    @cached_property
    def _phrases(self) -> list[_Phrase]:
        found = []
        for term in self:
            for lang in ("id", "en"):
                texts = [(term.name[lang], True), *((s, False) for s in term.synonyms[lang])]
                found += [
                    _Phrase(term.code, lang, text, tuple(split(text)), is_name)
                    for text, is_name in texts
                ]
        return found

    @cached_property
    def _vocabulary(self) -> list[str]:
        return sorted({word.plain for phrase in self._phrases for word in phrase.words})

    def _alike(self, word: Word) -> dict[str, float]:
        """Words of the tree that this typed word may stand for, with how surely (0 to 1)."""
        alike = {}
        if len(word.plain) >= SHORTEST_TYPO:
            near = process.extract(
                word.plain,
                self._vocabulary,
                scorer=fuzz.ratio,
                score_cutoff=LEAST_LIKENESS,
                limit=12,
            )
            alike = {candidate: 0.9 * score / 100 for candidate, score, _ in near}
        if len(word.plain) >= 2:
            for candidate in self._vocabulary:
                if candidate.startswith(word.plain):
                    alike[candidate] = max(0.9, alike.get(candidate, 0.0))
        alike["stem:" + word.stem] = 0.97
        alike[word.plain] = 1.0
        return alike


@cache
def shipped() -> Taxonomy:
    """The taxonomy the product comes with, read once."""
    return Taxonomy.from_csv(PATH)


def _score(asked: list[dict[str, float]], phrase: _Phrase) -> float:
    """How well the typed words are found in the phrase, with a little for how much of it they say."""
    found = []
    used = set()
    for alike in asked:
        best, place = 0.0, -1
        for index, word in enumerate(phrase.words):
            likeness = max(alike.get(word.plain, 0.0), alike.get("stem:" + word.stem, 0.0))
            if likeness > best:
                best, place = likeness, index
        found.append(best)
        if place >= 0:
            used.add(place)
    said = len(used) / len(phrase.words)
    return 0.9 * sum(found) / len(found) + 0.1 * said + (0.02 if phrase.is_name else 0.0)


def _term(row: dict[str, str]) -> Term:
    return Term(
        code=row["code"],
        level=int(row["level"]),
        parent=row["parent"] or None,
        name={"id": row["name_id"], "en": row["name_en"]},
        synonyms={
            lang: tuple(s.strip() for s in row[f"synonyms_{lang}"].split("|") if s.strip())
            for lang in ("id", "en")
        },
        crisis_default=row["crisis_default"] == "1",
        eligibility_hint=row["eligibility_hint"],
    )
