"""Words of a text as the taxonomy and the story box compare them: place, plain form, stem."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache

from Sastrawi.Stemmer.Stemmer import Stemmer
from Sastrawi.Stemmer.StemmerFactory import StemmerFactory

_WORD = re.compile(r"[^\W_]+(?:['’][^\W_]+)?")
_STRETCHED = re.compile(r"(.)\1{2,}")
_SENTENCE_END = re.compile(r"[.!?;\n\r…]")
_CLAUSE_END = re.compile(r"[,:()–—]")
_ENCLITIC = re.compile(r"(nya|ku|mu|lah|kah|pun)$")
#: Longer runs of letters than any word; a stemmer should not be fed with them.
_LONGEST = 40


@dataclass(frozen=True, slots=True)
class Word:
    """One word of a text.

    start, end   code points in the unmodified text, end exclusive
    raw          lower case, as written
    plain        after abbreviations are written out and endings like -nya are off
    stem         Indonesian root, or the English word without its commonest endings
    """

    start: int
    end: int
    raw: str
    plain: str
    stem: str
    clause: int
    sentence: int


@lru_cache(maxsize=1)
def _stemmer() -> tuple[Stemmer, frozenset[str]]:
    roots = frozenset(StemmerFactory().get_words())
    # The factory's own stemmer caches without a bound; ours is bounded below.
    dictionary = StemmerFactory().create_stemmer().delegatedStemmer.dictionary
    return Stemmer(dictionary), roots


def is_root(word: str) -> bool:
    """Whether the Indonesian root dictionary knows this word."""
    return word in _stemmer()[1]


def _english(word: str) -> str:
    for ending, instead in (("ies", "y"), ("sses", "ss"), ("ing", ""), ("ed", ""), ("s", "")):
        if word.endswith(ending) and len(word) - len(ending) >= 3 and not word.endswith("ss"):
            return word.removesuffix(ending) + instead
    return word


@lru_cache(maxsize=50_000)
def stem(word: str) -> str:
    """Root of one lower-case word, Indonesian first, else English."""
    if len(word) < 4 or len(word) > _LONGEST or not word.isalpha() or is_root(word):
        return word
    root: str = _stemmer()[0].stem(word)
    return root if root and root != word else _english(word)


@lru_cache(maxsize=50_000)
def plain(word: str) -> str:
    """The word without stretched letters and without -nya, -ku, -mu, -lah, -kah, -pun."""
    word = _STRETCHED.sub(r"\1", word)
    if len(word) < 6 or len(word) > _LONGEST or is_root(word):
        return word
    bare = _ENCLITIC.sub("", word)
    # -nya also ends abbreviations (BPJSnya); the shorter endings are trusted on known words only.
    is_known = word.endswith("nya") or is_root(bare) or is_root(stem(bare))
    if bare != word and len(bare) >= 3 and is_known:
        return bare
    # English plural: "orphans" is the cue "orphan".
    if word.endswith("s") and not word.endswith("ss") and not is_root(stem(word)):
        return word[:-1]
    return word


def split(text: str, written_out: Mapping[str, str] | None = None) -> list[Word]:
    """Words of `text` in order; `written_out` gives the full form of abbreviations.

    A doubled word (anak-anak, anak2) is one word. A full form of several words becomes several
    words on the same place.
    """
    forms = written_out or {}
    found: list[Word] = []
    clause = sentence = last = 0
    for match in _WORD.finditer(text):
        gap = text[last : match.start()]
        if last and _SENTENCE_END.search(gap):
            sentence += 1
            clause += 1
        elif last and _CLAUSE_END.search(gap):
            clause += 1
        last = match.end()
        raw = match.group().lower().replace("’", "'")
        if raw.endswith("'s"):
            raw = raw[:-2]
        raw = raw.replace("'", "")
        if raw[-1:] == "2" and raw[:-1].isalpha():
            raw = raw[:-1]
        bare = _STRETCHED.sub(r"\1", raw)
        full = forms.get(raw) or forms.get(bare) or forms.get(plain(bare)) or bare
        for part in full.split():
            word = Word(match.start(), match.end(), raw, plain(part), stem(part), clause, sentence)
            twin = found[-1] if found and gap == "-" else None
            if twin and twin.stem == word.stem and twin.sentence == sentence:
                found[-1] = Word(
                    twin.start, word.end, twin.raw, twin.plain, twin.stem, clause, sentence
                )
            else:
                found.append(word)
    return found
