"""From a story to proposed needs: what it may ask for, because of which words, and whether it is a crisis.

It proposes; the worker confirms. Nothing here decides about a person.
"""

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

from referral.casework.lexicon import Cue, Lexicon, lexicon_of
from referral.casework.story_facts import Gazetteer, StoryPlace, find_place, read_facts
from referral.casework.story_spans import Span, span
from referral.taxonomy.tree import Taxonomy
from referral.taxonomy.words import Word

MOST_NEEDS = 5
LEAST_SCORE = 0.3
#: A need whose category is a crisis by default makes the story one from this score on.
CRISIS_SCORE = 0.65
MOST_SPANS = 6

GAP_FACTOR = 0.93
TURNED_FACTOR = 0.8
PAST_FACTOR = 0.5
ASKED_FACTOR = 1.15
CONTAINED_FACTOR = 0.35
OTHER_LANGUAGE_FACTOR = 0.85


@dataclass(frozen=True)
class SuggestedNeed:
    """One proposed category. `score` orders the proposals; it is not a probability."""

    code: str
    score: float
    because: tuple[Span, ...]

    def as_json(self) -> dict[str, Any]:
        return {
            "code": self.code,
            "score": self.score,
            "because": [found.as_json() for found in self.because],
        }


@dataclass(frozen=True)
class Suggestion:
    """What a story may ask for. Places in the text are code points, end exclusive.

    unserved   what the story asks for in so many words and no category answers
    """

    needs: tuple[SuggestedNeed, ...]
    crisis: bool
    crisis_because: tuple[Span, ...]
    facts: dict[str, Any]
    place: StoryPlace | None
    unserved: tuple[Span, ...]

    def as_json(self) -> dict[str, Any]:
        return {
            "needs": [need.as_json() for need in self.needs],
            "crisis": self.crisis,
            "crisis_because": [found.as_json() for found in self.crisis_because],
            "facts": self.facts,
            "place": self.place.as_json() if self.place else None,
            "unserved": [found.as_json() for found in self.unserved],
        }


@dataclass(frozen=True)
class _Match:
    cue: Cue
    words: tuple[int, ...]
    score: float
    past: bool


def suggest(
    text: str,
    taxonomy: Taxonomy,
    lang: str | None = None,
    gazetteer: Gazetteer | None = None,
) -> Suggestion:
    """Needs, crisis, facts and place that the story's words speak for.

    `lang` is a hint: words of the other language still count, a little less.
    """
    lexicon = lexicon_of(taxonomy)
    words = lexicon.read(text)
    matches = _Reading(words, lexicon, lang).matches()
    needs = _needs(text, words, matches)
    crisis_because = _crisis(text, words, matches, needs, taxonomy)
    said = {index for match in matches for index in match.words}
    return Suggestion(
        needs=tuple(needs[:MOST_NEEDS]),
        crisis=bool(crisis_because),
        crisis_because=tuple(crisis_because),
        facts=read_facts(text, words),
        place=find_place(text, gazetteer) if gazetteer else None,
        unserved=tuple(_unserved(text, words, said, lexicon)),
    )


class _Reading:
    """Cues found in one story, each weighed by the words around it."""

    def __init__(self, words: list[Word], lexicon: Lexicon, lang: str | None):
        self.words = words
        self.lexicon = lexicon
        self.lang = lang
        masked = self._idioms()
        self.content = [
            index
            for index, word in enumerate(words)
            if word.plain not in lexicon.stop and index not in masked and not self._counts(index)
        ]
        self.negators = {
            index
            for index, word in enumerate(words)
            if lexicon.is_("negator", word) or lexicon.is_("not_yet", word)
        }
        self.healed = {
            word.sentence
            for index, word in enumerate(words)
            if lexicon.is_("healed", word) and self._is_done(index)
        }

    def _is_done(self, index: int) -> bool:
        """Whether "sudah" stands shortly before, with no "belum" or "tidak" between."""
        for place in range(index - 1, max(-1, index - 4), -1):
            if place in self.negators:
                return False
            if self._is("done", place):
                return True
        return False

    def _counts(self, index: int) -> bool:
        """Numbers, and "pukul 7", where pukul is o'clock and not a blow."""
        word = self.words[index]
        after = self.words[index + 1].raw if index + 1 < len(self.words) else ""
        return word.raw.isdigit() or (word.raw == "pukul" and after[:1].isdigit())

    def _idioms(self) -> set[int]:
        masked: set[int] = set()
        plains = [word.plain for word in self.words]
        for index, first in enumerate(plains):
            for idiom in self.lexicon.idioms.get(first, ()):
                if tuple(plains[index : index + len(idiom)]) == idiom:
                    masked.update(range(index, index + len(idiom)))
        return masked

    def matches(self) -> list[_Match]:
        """Every cue found and not denied; a cue inside a longer one of another need counts less."""
        found: dict[tuple[Cue, tuple[int, ...]], _Match] = {}
        for at, index in enumerate(self.content):
            word = self.words[index]
            # A root that is a cue by itself (adopsi) is also found in its own verbs (mengadopsi).
            for key in {"s:" + word.stem, "p:" + word.plain, "p:" + word.stem}:
                for cue in self.lexicon.cues.get(key, ()):
                    placed = self._place(cue, at)
                    if placed is None:
                        continue
                    places, fit = placed
                    indices = tuple(sorted(self.content[place] for place in places))
                    match = self._weighed(cue, indices, fit)
                    if match and (cue, indices) not in found:
                        found[cue, indices] = match
        return _without_contained(list(found.values()))

    def _place(self, cue: Cue, at: int) -> tuple[list[int], float] | None:
        """Where in `content` the cue's words stand around its anchor, and how well they fit."""
        slack = 2 if len(cue.keys) < 3 or cue.negated else 3
        straight = self._walk(cue, at, slack, turned=False)
        if straight:
            return straight if self._negates(cue, sorted(straight[0])) else None
        wishes = any(key[2:] in self.lexicon.classes["want"] for key in cue.keys)
        # "mati padahal mau berobat" is no "mau mati".
        if len(cue.keys) in (2, 3) and not cue.negated and not wishes:
            turned = self._walk(cue, at, 1, turned=True)
            if turned:
                return turned[0], turned[1] * TURNED_FACTOR
        return None

    def _negates(self, cue: Cue, places: list[int]) -> bool:
        """Whether each "tidak" of the cue belongs to the word after it."""
        if not cue.negated:
            return True
        for here, there in pairwise(places):
            first, second = self.content[here], self.content[there]
            if first in self.negators and (
                there - here > 2 or self.words[first].clause != self.words[second].clause
            ):
                return False
        return True

    def _walk(
        self, cue: Cue, at: int, slack: int, *, turned: bool
    ) -> tuple[list[int], float] | None:
        before, after = cue.keys[: cue.anchor], cue.keys[cue.anchor + 1 :]
        if turned:
            before, after = tuple(reversed(after)), tuple(reversed(before))
        places = [at]
        gaps = 0
        for keys, step in ((tuple(reversed(before)), -1), (after, 1)):
            here = at
            for key in keys:
                there = self._next(cue, key, here, step, slack - gaps)
                if there is None:
                    return None
                gaps += abs(there - here) - 1
                here = there
                places.append(here)
        return places, GAP_FACTOR**gaps

    def _next(self, cue: Cue, key: str, here: int, step: int, slack: int) -> int | None:
        sentence = self.words[self.content[here]].sentence
        for distance in range(1, slack + 2):
            there = here + step * distance
            if not 0 <= there < len(self.content):
                return None
            index = self.content[there]
            word = self.words[index]
            if word.sentence != sentence:
                return None
            if key in ("s:" + word.stem, "p:" + word.plain):
                return there
            if index in self.negators and cue.state:
                # "suami tidak memukul" is not "suami memukul".
                return None
            if cue.negated and self._is("want", index):
                # "tidak butuh makanan" is not "tidak ada makanan".
                return None
        return None

    def _weighed(self, cue: Cue, indices: tuple[int, ...], fit: float) -> _Match | None:
        past = self._is_past(indices[0])
        if self._is_denied(cue, indices):
            return None
        if cue.state and self._is_topic(indices[0]):
            return None
        score = cue.weight * fit
        if past and cue.state and cue.code != "EM06":
            score *= PAST_FACTOR
        if self._is_asked(indices[0]):
            score *= ASKED_FACTOR
        if self.lang and cue.lang != self.lang:
            score *= OTHER_LANGUAGE_FACTOR
        return _Match(cue, indices, min(score, 0.97), past)

    def _before(self, index: int, most: int) -> list[int]:
        """Places before `index` in the same clause, nearest first, up to a word of contrast."""
        found = []
        for place in range(index - 1, max(-1, index - 1 - most), -1):
            word = self.words[place]
            if word.clause != self.words[index].clause or self.lexicon.is_("contrast", word):
                break
            found.append(place)
        return found

    def _after(self, index: int, most: int) -> list[int]:
        found = []
        for place in range(index + 1, min(len(self.words), index + 1 + most)):
            word = self.words[place]
            if word.clause != self.words[index].clause or self.lexicon.is_("contrast", word):
                break
            found.append(place)
        return found

    def _is(self, kind: str, place: int) -> bool:
        return self.lexicon.is_(kind, self.words[place])

    def _is_past(self, index: int) -> bool:
        clause = self.words[index].clause
        if any(self._is("past", place) for place in self._before(index, 6)):
            return True
        plains = [word.plain for word in self.words if word.clause == clause]
        return any(pair in self.lexicon.ago for pair in pairwise(plains))

    def _is_topic(self, index: int) -> bool:
        return any(self._is("topic", place) for place in self._before(index, 5))

    def _is_asked(self, index: int) -> bool:
        return any(self._is("want", place) for place in self._before(index, 3))

    def _is_denied(self, cue: Cue, indices: tuple[int, ...]) -> bool:
        """Whether the words around say that it is not so, not wanted, or already settled."""
        first, last = indices[0], indices[-1]
        return (
            self._is_negated(cue, first)
            or self._is_settled_before(cue, first)
            or self._is_settled_after(cue, last)
            # "dulu mau bunuh diri, sekarang sudah sembuh": still worth a worker's question.
            or (cue.state and not cue.crisis and self.words[first].sentence in self.healed)
        )

    def _is_negated(self, cue: Cue, first: int) -> bool:
        between: list[int] = []
        for place in self._before(first, 6):
            if self._is("refuse", place) and len(between) < 3:
                return not cue.crisis
            if place not in self.negators:
                between.append(place)
                continue
            not_yet = self._is("not_yet", place)
            wishes = any(self._is("want", word) for word in between)
            if wishes and not cue.state:
                return True
            # "tidak tahan, mau bunuh diri" denies nothing: all that stands between must be empty.
            bridged = all(
                self._is("bridge", word)
                or self._is("want", word)
                or self.words[word].plain in self.lexicon.stop
                for word in between
            )
            if cue.negated or not bridged:
                return False
            if cue.state:
                return len(between) <= 3
            # "bukan PKH" is no wish for PKH; "tidak ada PKH" and "belum PKH" are.
            return not not_yet and self.words[place].plain == "bukan" and not between
        return False

    def _is_settled_before(self, cue: Cue, first: int) -> bool:
        if cue.state:
            return False
        before = self._before(first, 5)
        if any(place in self.negators or self._is("want", place) for place in before):
            return False
        owned = bool(before) and self._is("own", before[0])
        done = any(self._is("done", place) for place in before)
        settled = any(self._is("settled", place) for place in before)
        return owned or (done and settled)

    def _is_settled_after(self, cue: Cue, last: int) -> bool:
        done = False
        for place in self._after(last, 4):
            if place in self.negators:
                wanted = any(self._is("want", word) for word in self._after(place, 2))
                return wanted and not cue.crisis and not cue.negated
            done = done or self._is("done", place)
            if done and self._is("over", place):
                return True
            if done and not cue.state and self._is("settled", place):
                return True
        return False


def _without_contained(matches: list[_Match]) -> list[_Match]:
    by_word: dict[int, list[_Match]] = defaultdict(list)
    for match in matches:
        for index in match.words:
            by_word[index].append(match)
    kept = []
    for match in matches:
        mine = set(match.words)
        inside = any(
            other.cue.code != match.cue.code and mine < set(other.words) and not match.cue.crisis
            for other in by_word[match.words[0]]
        )
        score = match.score * CONTAINED_FACTOR if inside else match.score
        kept.append(_Match(match.cue, match.words, score, match.past))
    return kept


def _needs(text: str, words: list[Word], matches: list[_Match]) -> list[SuggestedNeed]:
    """Needs in descending score: independent cues add up, a repeated cue does not."""
    by_code: dict[str, list[_Match]] = defaultdict(list)
    for match in matches:
        by_code[match.cue.code].append(match)
    needs = []
    for code, found in by_code.items():
        taken: set[int] = set()
        counted: set[tuple[str, ...]] = set()
        evidence: list[_Match] = []
        doubt = 1.0
        for match in sorted(found, key=lambda m: (-m.score, m.words)):
            if taken & set(match.words):
                continue
            taken |= set(match.words)
            evidence.append(match)
            if match.cue.keys not in counted:
                # Further cues strengthen, but a few weak ones never outrank one plain sentence.
                doubt *= 1 - match.score * (1.0 if not counted else 0.6)
                counted.add(match.cue.keys)
        score = round(min(1 - doubt, 0.99), 3)
        if score >= LEAST_SCORE:
            needs.append(SuggestedNeed(code, score, tuple(_spans(text, words, evidence))))
    return sorted(needs, key=lambda n: (-n.score, n.because[0].start, n.code))


def _spans(text: str, words: list[Word], evidence: Iterable[_Match]) -> list[Span]:
    """The strongest places in the text, in reading order, none inside another."""
    spans: list[Span] = []
    for match in evidence:
        found = span(text, words[match.words[0]].start, words[match.words[-1]].end)
        if len(spans) < MOST_SPANS and not any(found.overlaps(other) for other in spans):
            spans.append(found)
    return sorted(spans, key=lambda s: s.start)


def _crisis(
    text: str,
    words: list[Word],
    matches: list[_Match],
    needs: list[SuggestedNeed],
    taxonomy: Taxonomy,
) -> list[Span]:
    """Places that speak of danger to life. A score never hides them: one plain cue is enough."""
    acute = [m for m in matches if m.cue.crisis and (m.cue.code == "EM06" or not m.past)]
    for need in needs:
        if need.score >= CRISIS_SCORE and taxonomy.get(need.code).crisis_default:
            acute += [
                m
                for m in matches
                if m.cue.code == need.code and not m.past and m.cue.weight >= CRISIS_SCORE
            ]
    return _spans(text, words, sorted(acute, key=lambda m: (-m.score, m.words)))


def _unserved(text: str, words: list[Word], said: set[int], lexicon: Lexicon) -> Iterable[Span]:
    """Clauses that ask for something ("butuh …", "need …") in which no category was found."""
    clauses: dict[int, list[int]] = defaultdict(list)
    for index, word in enumerate(words):
        clauses[word.clause].append(index)
    count = 0
    for places in clauses.values():
        asks = [p for p in places if words[p].plain in lexicon.asking]
        if not asks or said & set(places) or count == MOST_SPANS:
            continue
        before = places[: places.index(asks[0])]
        rest = places[places.index(asks[0]) + 1 :][:8]
        if any(lexicon.is_("negator", words[p]) for p in before[-2:]):
            continue
        if any(words[p].plain not in lexicon.stop | lexicon.asking for p in rest):
            count += 1
            yield span(text, words[asks[0]].start, words[rest[-1]].end)
