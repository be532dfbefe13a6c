"""How alike two listings are: points for and against, each with its reason, and the score they make. Pure.

score = 1 / (1 + e^-points), where points is START plus what name, numbers, contacts, address, place, kind
and source give. docs/duplicates.md has the table.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from math import exp, log2

from rapidfuzz import fuzz

from referral.core.geo import haversine_km
from referral.core.text import Message
from referral.directory.duplicates.normal import Name, Street
from referral.places.codes import holds, regency_of

START = -1.0
#: name alike (0–1) → points, straight lines between
_NAME = ((0.0, -8.0), (0.5, -6.0), (0.75, -2.5), (0.85, -0.5), (0.92, 1.2), (1.0, 3.0))
#: km between two surveyed points → points
_NEAR = ((0.15, 1.5), (0.5, 1.0), (1.5, 0.3), (5.0, -1.0), (15.0, -2.0), (50.0, -3.0))
_FAR = -4.0
#: However wrong a point or a district is, the rest of what is said can speak against it.
_LEAST_PLACE = -3.5
#: A point known no better than this says nothing about being at one place.
_COARSE_KM = 1.0
#: One number or host of more listings than this belongs to an office above them.
MOST_SHARED = 20
#: Words of one letter or two count half.
_SHORT = 2
_ALIKE_WORD = 80.0
#: A word that only repeats the area says little about which one it is.
_AREA_WEIGHT = 0.35
_SAME_NAME = 0.97
#: Services of one organization share its name, number and place; only their own names tell.
_LEAST_NAME_IN_ONE_HOUSE = 0.9


@dataclass(frozen=True, slots=True)
class Place:
    """Where a listing is. A confidential one is known by its regency and nothing else."""

    latitude: float | None = None
    longitude: float | None = None
    precision_km: float = 0.0
    area_code: str | None = None
    street: Street | None = None


@dataclass(frozen=True, slots=True)
class Entry:
    """What of a listing is compared.

    origin       the list that it was read from; None: written here
    area_words   words of the names of its areas
    """

    name: Name
    organization: object
    origin: object = None
    facility_type: str | None = None
    categories: frozenset[str] = frozenset()
    phones: frozenset[str] = frozenset()
    emails: frozenset[str] = frozenset()
    hosts: frozenset[str] = frozenset()
    places: Sequence[Place] = ()
    area_words: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class Reason:
    """One thing that speaks for a pair (points above 0) or against it."""

    message: Message
    points: float


@dataclass(frozen=True)
class Judgement:
    """How alike two listings are, 0 to 1, and why."""

    score: float
    reasons: Sequence[Reason]
    distance_km: float | None


@dataclass(frozen=True)
class Shared:
    """How many listings of the whole directory have the same: what many share is weak evidence."""

    phones: Mapping[str, int] = field(default_factory=dict)
    emails: Mapping[str, int] = field(default_factory=dict)
    hosts: Mapping[str, int] = field(default_factory=dict)
    #: listings of exactly this name, by `Name.whole`
    names: Mapping[str, int] = field(default_factory=dict)


NOTHING_SHARED = Shared()


def judge(one: Entry, other: Entry, shared: Shared = NOTHING_SHARED) -> Judgement:
    """Whether two listings are one, and all that speaks for and against it."""
    likeness = name_likeness(one, other)
    km, place = _place(one, other)
    reasons = [
        _name(one, other, likeness, shared),
        *_name_marks(one.name, other.name),
        *_contacts(one, other, shared),
        *_address(one, other),
        *place,
        *_kind(one, other),
        *_house(one, other, likeness),
    ]
    reasons = [reason for reason in reasons if reason.points]
    points = START + sum(reason.points for reason in reasons)
    reasons.sort(key=lambda reason: -abs(reason.points))
    return Judgement(1 / (1 + exp(-points)), reasons, km)


def name_likeness(one: Entry, other: Entry) -> float:
    """How alike the words of two names are, 0 to 1; a word with a typo counts in part."""
    left, right = one.name.core, other.name.core
    if left == right:
        return 1.0
    areas = one.area_words | other.area_words
    free = list(right)
    total = sum(_weight(word, areas) for word in (*left, *right))
    matched = 0.0
    for word in left:
        if word in free:
            free.remove(word)
            matched += 2 * _weight(word, areas)
            continue
        best, score = None, _ALIKE_WORD
        for candidate in free:
            ratio = fuzz.ratio(word, candidate, score_cutoff=score)
            if ratio > score or (ratio == score and best is None and ratio):
                best, score = candidate, ratio
        if best is not None and len(word) > _SHORT:
            free.remove(best)
            matched += (_weight(word, areas) + _weight(best, areas)) * (score / 100) ** 2
    joined = fuzz.ratio("".join(left), "".join(right)) / 100
    # "Kota Baru" is "Kotabaru"; two words are not one because a letter in each is the same.
    return max(matched / total, joined if joined >= _SAME_NAME else 0.0)


def _weight(word: str, areas: frozenset[str]) -> float:
    if word in areas:
        return _AREA_WEIGHT
    return 0.5 if len(word) <= _SHORT else 1.0


def _name(one: Entry, other: Entry, likeness: float, shared: Shared) -> Reason:
    points = _on(_NAME, likeness)
    percent = round(likeness * 100)
    if likeness < _SAME_NAME:
        key = "duplicates.name.alike" if points > 0 else "duplicates.name.unlike"
        return Reason(Message(key, {"percent": percent}), points)
    if one.name.is_bare:
        return Reason(Message("duplicates.name.kind_only"), points - 2.0)
    times = max(shared.names.get(entry.name.whole, 1) for entry in (one, other))
    if times > 2:
        common = Message("duplicates.name.common", {"count": times})
        return Reason(common, max(0.5, points - log2(times / 2)))
    return Reason(Message("duplicates.name.same"), points)


def _name_marks(one: Name, other: Name) -> list[Reason]:
    found = []
    if one.numbers != other.numbers:
        both = bool(one.numbers and other.numbers) and not one.numbers & other.numbers
        params = {"one": _listed(one.numbers), "other": _listed(other.numbers)}
        key = "duplicates.name.numbers" if both else "duplicates.name.number_once"
        found.append(Reason(Message(key, params if both else {}), -6.0 if both else -2.2))
    if one.letters != other.letters:
        both = bool(one.letters and other.letters)
        params = {"one": _letters(one.letters), "other": _letters(other.letters)}
        key = "duplicates.name.letters" if both else "duplicates.name.letter_once"
        found.append(Reason(Message(key, params if both else {}), -5.5 if both else -1.0))
    for group in one.sides.keys() & other.sides.keys():
        left, right = one.sides[group], other.sides[group]
        if not left & right:
            params = {"one": _listed(left), "other": _listed(right)}
            found.append(Reason(Message("duplicates.name.opposite", params), -6.0))
    if ("step" in one.sides) != ("step" in other.sides):
        found.append(Reason(Message("duplicates.name.step_once"), -3.0))
    if one.is_part != other.is_part:
        found.append(Reason(Message("duplicates.name.branch"), -5.0))
    return found


def _listed(words: frozenset[str]) -> str:
    return ", ".join(sorted(words))


def _letters(words: frozenset[str]) -> str:
    return "".join(sorted(words)).upper()


_CONTACTS: tuple[tuple[str, Callable[[Entry], frozenset[str]], float], ...] = (
    ("phone", lambda entry: entry.phones, 4.0),
    ("email", lambda entry: entry.emails, 3.0),
    ("host", lambda entry: entry.hosts, 1.5),
)
_PHONES_DIFFER = -0.7


def _contacts(one: Entry, other: Entry, shared: Shared) -> list[Reason]:
    found = []
    for kind, of, most in _CONTACTS:
        counts: Mapping[str, int] = getattr(shared, f"{kind}s")
        common = of(one) & of(other)
        if common:
            times = min(counts.get(value, 2) for value in common)
            points = 0.2 if times > MOST_SHARED else most / max(1.0, log2(max(times, 2)))
            if times > 2:
                message = Message(f"duplicates.{kind}.shared_by", {"count": times})
            else:
                message = Message(f"duplicates.{kind}.same")
            found.append(Reason(message, points))
        elif kind == "phone" and of(one) and of(other):
            found.append(Reason(Message("duplicates.phone.differ"), _PHONES_DIFFER))
    return found


def _address(one: Entry, other: Entry) -> list[Reason]:
    """The best two streets; and where addresses name different districts or villages."""
    pairs = [
        (left.street, right.street)
        for left in one.places
        for right in other.places
        if left.street and right.street
    ]
    if not pairs:
        return []
    found = max((_streets(*pair) for pair in pairs), key=lambda r: r[0].points if r else 0.0)
    for level, points in (("district", -4.0), ("village", -1.2)):
        named = [
            (left.areas[level], right.areas[level])
            for left, right in pairs
            if level in left.areas and level in right.areas
        ]
        if named and all(fuzz.ratio(*pair) < _ALIKE_WORD for pair in named):
            left, right = named[0]
            params = {"one": left, "other": right}
            found.append(Reason(Message(f"duplicates.address.{level}", params), points))
    return found


def _streets(one: Street, other: Street) -> list[Reason]:
    if not one.words or not other.words:
        return []
    alike = fuzz.token_set_ratio(" ".join(one.words), " ".join(other.words)) / 100
    enough = min(len("".join(words)) for words in (one.words, other.words)) >= 5
    if alike >= 0.9 and enough:
        if one.numbers & other.numbers:
            return [Reason(Message("duplicates.address.same"), 2.5)]
        if one.numbers and other.numbers:
            return [Reason(Message("duplicates.address.other_number"), 0.3)]
        return [Reason(Message("duplicates.address.street"), 1.2)]
    if alike < 0.5:
        return [Reason(Message("duplicates.address.differ"), -1.0)]
    return []


def _place(one: Entry, other: Entry) -> tuple[float | None, list[Reason]]:
    """The distance of the two nearest places, and what it and the areas say."""
    best: tuple[float, float] | None = None
    for left in one.places:
        for right in other.places:
            ends = (left.latitude, left.longitude, right.latitude, right.longitude)
            if None not in ends:
                km = haversine_km(*ends)  # type: ignore[arg-type]
                unsure_km = left.precision_km + right.precision_km
                if best is None or km < best[0]:
                    best = km, unsure_km
    found = []
    if best is not None:
        km, unsure_km = best
        # 2: half a kilometre on either side is what "facility" is right to; it is not subtracted.
        coarse = unsure_km > 2 * _COARSE_KM
        points = _at(_NEAR, max(0.0, km - unsure_km) if coarse else km)
        if coarse:
            points = min(0.0, points)
        if points:
            key = "duplicates.place.near" if points > 0 else "duplicates.place.far"
            found.append(Reason(Message(key, {"km": round(km, 1)}), points))
    areas = [(p.area_code, q.area_code) for p in one.places for q in other.places]
    known = [(p, q) for p, q in areas if p and q]
    if known:
        found += _areas(known)
    total = sum(reason.points for reason in found)
    if total < _LEAST_PLACE:
        found = [Reason(r.message, r.points * _LEAST_PLACE / total) for r in found]
    return (None if best is None else best[0]), found


def _areas(pairs: list[tuple[str, str]]) -> list[Reason]:
    if any(p == q and p.count(".") >= 2 for p, q in pairs):
        return [Reason(Message("duplicates.area.same"), 0.5)]
    if all(not _may_be_one(p, q) for p, q in pairs):
        if all(p.split(".")[0] != q.split(".")[0] for p, q in pairs):
            return [Reason(Message("duplicates.area.province"), -2.7)]
        return [Reason(Message("duplicates.area.differ"), -1.5)]
    return []


def _may_be_one(one: str, other: str) -> bool:
    left, right = regency_of(one), regency_of(other)
    if left is None or right is None:
        return holds(one, other) or holds(other, one)
    return left == right


def _kind(one: Entry, other: Entry) -> list[Reason]:
    found = []
    if one.categories and other.categories:
        common = len(one.categories & other.categories)
        if not common:
            found.append(Reason(Message("duplicates.category.differ"), -5.0))
        elif common / len(one.categories | other.categories) >= 0.5:
            found.append(Reason(Message("duplicates.category.same"), 0.5))
    types = one.facility_type, other.facility_type
    kinds = one.name.kinds, other.name.kinds
    if (all(types) and types[0] != types[1]) or (
        all(kinds) and not kinds[0] & kinds[1] and not _one_holds(*kinds)
    ):
        found.append(Reason(Message("duplicates.facility_type.differ"), -1.2))
    return found


def _one_holds(one: frozenset[str], other: frozenset[str]) -> bool:
    """ "Rumah sakit" is no other kind than "rumah sakit umum", it is only said less exactly."""
    return any(p.startswith(q) or q.startswith(p) for p in one for q in other)


_ONE_LIST = -4.0
_ONE_HOUSE = -20.0


def _house(one: Entry, other: Entry, likeness: float) -> list[Reason]:
    found = []
    if one.organization == other.organization:
        apart = one.categories and other.categories and not one.categories & other.categories
        if apart or likeness < _LEAST_NAME_IN_ONE_HOUSE:
            found.append(Reason(Message("duplicates.organization.two_services"), _ONE_HOUSE))
    if one.origin is not None and one.origin == other.origin:
        found.append(Reason(Message("duplicates.origin.same"), _ONE_LIST))
    return found


def _on(line: Sequence[tuple[float, float]], at: float) -> float:
    """The height of a line of straight pieces."""
    before = line[0]
    for here in line:
        if at <= here[0]:
            if here[0] == before[0]:
                return here[1]
            share = (at - before[0]) / (here[0] - before[0])
            return before[1] + share * (here[1] - before[1])
        before = here
    return line[-1][1]


def _at(steps: Sequence[tuple[float, float]], km: float) -> float:
    return next((points for up_to, points in steps if km <= up_to), _FAR)
