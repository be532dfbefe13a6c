"""Words that would tell whoever finds a sheet what kind of help somebody looks for. Pure."""

import re
from collections.abc import Iterable

#: beginnings of words that name an office's kind, a referral, or a danger, in both languages
TELLING = (
    "rujuk", "dirujuk", "merujuk", "referral", "dinsos", "sosial", "social", "kekerasan", "violence", "kdrt", "korban", "victim",
    "pelecehan", "perkosa", "abuse", "ppa", "pppa", "p2tp2a", "dp3a", "perlindungan", "pelindungan", "protection",
    "aman", "shelter", "safe", "refuge", "hiv", "aids", "odha", "odhiv", "plhiv", "arv", "vct", "pdp", "ims",
    "narkoba", "napza", "narkotika", "drug", "bnn", "ipwl", "metadon", "methadone", "rehab", "adiksi", "addict",
    "jiwa", "mental", "psiki", "psiko", "psych", "krisis", "crisis", "trauma", "bunuh", "suicide", "lapas", "bapas",
    "polisi", "polres", "polda", "police", "konseling", "counsel", "perempuan", "women",
)  # fmt: skip
#: shorter synonyms are parts of too many addresses
_SHORTEST = 3


def telling_words(names: Iterable[str]) -> tuple[str, ...]:
    """The phrases, in plain letters, that must not stand on the sheet besides `TELLING`: the need's own names."""
    return tuple(plain for name in names if len(plain := _plain(name)) >= _SHORTEST)


def tells(text: str, words: Iterable[str]) -> bool:
    """Whether a text holds one of the need's names, or a word of `TELLING`."""
    plain = f" {_plain(text)} "
    return any(f" {word}" in plain for word in TELLING) or any(
        f" {word} " in plain for word in words
    )


def _plain(text: str) -> str:
    return re.sub(r"[\W_]+", " ", text.casefold()).strip()
