"""Which kinds of help the words of a query name. Pure."""

from collections.abc import Sequence
from functools import lru_cache

from rapidfuzz import process
from rapidfuzz.distance import OSA

from referral.directory.search.catalogue import KindAsked
from referral.directory.search.words import NameForms
from referral.taxonomy.tree import Taxonomy, Term
from referral.taxonomy.words import split

#: Kinds of help that a query may stand for; more would bury its meaning.
MOST_KINDS = 3
SHORTEST_TYPO, LEAST_LIKENESS = 5, 0.75
#: How surely a kind is meant by a word that only comes from the same root as one of its words.
SAME_ROOT = 0.85


class KindWords:
    """The words by which a taxonomy's kinds of help are named, in both languages."""

    def __init__(self, taxonomy: Taxonomy, forms: NameForms):
        self._taxonomy, self._forms = taxonomy, forms
        self._of = {term.code: _words_of(term) for term in taxonomy}
        self._literal = {term.code: _words_of(term, roots=False) for term in taxonomy}
        self._all = sorted({word for words in self._of.values() for word in words})
        self._known = frozenset(self._all)
        self._search = lru_cache(maxsize=2_000)(self._terms)

    def __contains__(self, word: object) -> bool:
        """Whether a lower-case word, or the word it comes from, names a kind of help."""
        return isinstance(word, str) and bool(_stemmed(word) & self._known)

    def asked(
        self, words: Sequence[str], *, may_be_misspelt: Sequence[bool] = ()
    ) -> tuple[list[str], list[KindAsked]]:
        """Codes of the kinds that the words name, best first, and for each which words do.

        may_be_misspelt   for each word whether the directory has it not
        """
        naming: list[tuple[str, tuple[int, ...], float]] = []
        for word, places in self._forms.in_full(words):
            if word in self:
                naming.append((word, places, 1.0))
            elif places and may_be_misspelt and may_be_misspelt[places[0]]:
                naming += [(meant, places, surely) for meant, surely in self._meant(word)]
        if not naming:
            return [], []
        codes, kinds = [], []
        for term in self._search(" ".join(word for word, *_ in naming)):
            literal = self._literal[term.code]
            covered = {
                place: surely * (1.0 if _stemmed(word, roots=False) & literal else SAME_ROOT)
                for word, places, surely in naming
                if _stemmed(word) & self._of[term.code]
                for place in places
            }
            if covered:
                leaves = self._taxonomy.leaves(term.code)
                codes.append(term.code)
                kinds.append(KindAsked(tuple(leaf.code for leaf in leaves), covered))
        return codes, kinds

    def _terms(self, text: str) -> list[Term]:
        return self._taxonomy.search(text, limit=MOST_KINDS)

    def _meant(self, word: str) -> list[tuple[str, float]]:
        if len(word) < SHORTEST_TYPO or not word.isalpha():
            return []
        found = process.extractOne(
            word, self._all, scorer=OSA.normalized_similarity, score_cutoff=LEAST_LIKENESS
        )
        return [(found[0], found[1])] if found else []


def _words_of(term: Term, *, roots: bool = True) -> frozenset[str]:
    texts = (text for lang in term.name for text in (term.name[lang], *term.synonyms[lang]))
    return frozenset(form for text in texts for form in _stemmed(text, roots=roots))


@lru_cache(maxsize=20_000)
def _stemmed(text: str, *, roots: bool = True) -> frozenset[str]:
    """The words of a text, and what they come from."""
    words = split(text)
    plain = frozenset(word.plain for word in words)
    return plain | frozenset(word.stem for word in words) if roots else plain
