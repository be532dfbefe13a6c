"""The gates: what decides whether an offer can be an option, each with its own sentence. Pure.

A gate finds one of its `findings` from a query and an offer; finding is cheap and done for every
offer, saying it is done only for the offers that are shown.
"""

from collections.abc import Callable, Hashable, Mapping
from dataclasses import dataclass
from datetime import date
from functools import lru_cache, partial
from math import ceil
from operator import attrgetter
from typing import Any, NamedTuple

from referral.core.country import COUNTRY
from referral.core.text import Message, named
from referral.directory.opening import is_open, next_opening
from referral.matching.facts import Document, Names, Offer, Outcome, Query
from referral.places.codes import holds

RULES_VERSION = 2

#: How large a change it takes until a gate no longer fails, by rule, the smallest first: what was only asked to be
#: seen alone; what the client can do; what others can decide; what nobody can change. Near misses stand in this order.
CHANGES = (
    "open_only",
    "free_only",
    "documents",
    "within",
    "accessibility",
    "jurisdiction",
    "desil",
    "age",
    "active",
    "disability",
    "sex",
    "category",
)
_SIZES = {rule: size for size, rule in enumerate(CHANGES, 1)}

#: Needs that nobody is sent elsewhere for because of where they are registered: emergencies,
#: violence and the rescue of children.
RESIDENCE_FREE = ("EM", "FC04", "SP06")
#: Needs that are violence whatever else was said.
VIOLENT_NEEDS = ("EM07",)
MEDIATION = "CD03"
FAMILY_COUNSELLING = "FC01"
EVERYWHERE = ("*", COUNTRY.code)

Params = Mapping[str, Any]


@dataclass(frozen=True)
class Finding:
    """One answer a gate may give; `key` is its sentence."""

    outcome: Outcome
    key: str


class Verdict(NamedTuple):
    """What a gate said about one offer."""

    rule: str
    outcome: Outcome
    message: Message


@dataclass(frozen=True)
class Gate:
    """One rule.

    find         gives the finding; the km is the one the order uses, None without position
    findings     all it can give
    params       what its sentences say beside themselves
    personal     looks at the person: does not apply to a group
    eligibility  not knowing it lowers the quality of the data
    off          where it fails, by how much: from 0 to less than 1. It depends on what `find` looks at except the km
    tells        what of the offer `params` looks at: offers that are equal in it share their sentences
    """

    rule: str
    find: Callable[[Query, Offer, float | None], Finding]
    findings: tuple[Finding, ...]
    params: Callable[[Query, Offer, Names], Params]
    personal: bool = False
    eligibility: bool = True
    off: Callable[[Query, Offer], float] | None = None
    tells: Callable[[Offer], Hashable] = lambda _: None

    def said(self, found: Finding, query: Query, offer: Offer, names: Names) -> Verdict:
        """What the gate found, with its sentence."""
        return Verdict(
            self.rule, found.outcome, Message(found.key, self.params(query, offer, names))
        )

    @property
    def size(self) -> int:
        """How large a change it takes for this gate not to fail: its place in CHANGES."""
        return _SIZES[self.rule]

    def change(self, query: Query, offer: Offer) -> float:
        """The same with, behind the point, by how much it fails."""
        return self.size + (self.off(query, offer) if self.off else 0.0)

    def would_fit(self, query: Query, offer: Offer, names: Names, km: float | None) -> Message:
        """What would have to be different for this gate not to fail; the km is the one the order uses."""
        far = {} if km is None else {"km": _told_km(km), "more": _told_km(km - (query.within or 0))}
        return Message(f"match.{self.rule}.would_fit", {**far, **self.params(query, offer, names)})


def _told_km(km: float) -> float:
    """Up to the next 100 m: who travels less does not get there."""
    return ceil(round(km * 10, 6)) / 10


def applying(query: Query, holidays: frozenset[date] = frozenset()) -> tuple[Gate, ...]:
    """The gates of a query, in the order they are told."""
    gates = [gate for gate in GATES if not (gate.personal and query.is_group)]
    if query.open_only:
        gates.append(open_only(holidays))
    if query.free_only:
        gates.append(FREE_ONLY)
    return tuple(gates)


def is_proposed(query: Query, offer: Offer) -> bool:
    """False for what is never proposed where there is violence: not listed, not counted, not explained."""
    if not query.violence:
        return True
    asked = {code for code in offer.categories if query.asks_for(code)}
    return not offer.unsafe_with_violence and bool(asked - {MEDIATION})


def covers(area: str, code: str) -> bool:
    """Whether a service for the area serves the place with `code`."""
    return area in EVERYWHERE or holds(area, code)


# Category ----------------------------------------------------------------------------------------

_STATED = Finding(Outcome.PASS, "match.category.stated")
_INFERRED = Finding(Outcome.UNKNOWN, "match.category.inferred")
_OTHER_HELP = Finding(Outcome.FAIL, "match.category.fail")


def _category(query: Query, offer: Offer, _km: float | None) -> Finding:
    bases = [stated for code, stated in offer.categories.items() if query.asks_for(code)]
    if not bases:
        return _OTHER_HELP
    return _STATED if any(bases) else _INFERRED


def _category_params(query: Query, offer: Offer, _names: Names) -> Params:
    asked = sorted(code for code in offer.categories if query.asks_for(code))
    stated = [code for code in asked if offer.categories[code]]
    shown = stated or asked or [query.need]
    return {"category": [Message(f"category.{code}") for code in shown]}


# Active ------------------------------------------------------------------------------------------

_ACTIVE = Finding(Outcome.PASS, "match.active.pass")
_INACTIVE = Finding(Outcome.FAIL, "match.active.fail")


def _active(_query: Query, offer: Offer, _km: float | None) -> Finding:
    return _ACTIVE if offer.active else _INACTIVE


def _nothing(_query: Query, _offer: Offer, _names: Names) -> Params:
    return {}


# Jurisdiction ------------------------------------------------------------------------------------

_NEVER_ASKED = Finding(Outcome.PASS, "match.jurisdiction.never_asked")
_EVERYWHERE = Finding(Outcome.PASS, "match.jurisdiction.everywhere")
_OWN_AREA = Finding(Outcome.PASS, "match.jurisdiction.pass")
_OUTSIDE = Finding(Outcome.FAIL, "match.jurisdiction.fail")
_ASSUMED_OWN = Finding(Outcome.PASS, "match.jurisdiction.assumed_own")
ASSUMED_OTHER = Finding(Outcome.UNKNOWN, "match.jurisdiction.assumed_other")
_REGISTRATION_UNKNOWN = Finding(Outcome.UNKNOWN, "match.jurisdiction.registration_unknown")
_AREA_NOT_SAID = Finding(Outcome.UNKNOWN, "match.jurisdiction.not_said")


def residence_matters(query: Query) -> bool:
    """Whether anybody may be sent elsewhere because of where they are registered."""
    return not (query.is_emergency or query.violence or query.need.startswith(RESIDENCE_FREE))


def _jurisdiction(query: Query, offer: Offer, _km: float | None) -> Finding:
    if not residence_matters(query):
        return _NEVER_ASKED
    stated = [areas for areas in (offer.service_areas, offer.residency) if areas]
    if stated:
        answers = [_lives_in(areas, query.registered_in) for areas in stated]
        if _OUTSIDE in answers:
            return _OUTSIDE
        if _REGISTRATION_UNKNOWN in answers:
            return _REGISTRATION_UNKNOWN
        return _OWN_AREA if _OWN_AREA in answers else _EVERYWHERE
    if offer.residency is not None:
        return _EVERYWHERE
    if offer.assumed_area is None:
        return _AREA_NOT_SAID
    answer = _lives_in((offer.assumed_area,), query.registered_in)
    return {_OWN_AREA: _ASSUMED_OWN, _OUTSIDE: ASSUMED_OTHER}.get(answer, answer)


def _lives_in(areas: tuple[str, ...], code: str | None) -> Finding:
    if any(area in EVERYWHERE for area in areas):
        return _EVERYWHERE
    if code is None:
        return _REGISTRATION_UNKNOWN
    if any(covers(area, code) for area in areas):
        return _OWN_AREA
    # Registered "somewhere in the province" may or may not be in the regency that is served.
    return _REGISTRATION_UNKNOWN if any(covers(code, area) for area in areas) else _OUTSIDE


def _jurisdiction_params(_query: Query, offer: Offer, names: Names) -> Params:
    areas = (
        offer.service_areas
        or offer.residency
        or ((offer.assumed_area,) if offer.assumed_area else ())
    )
    return {"areas": [names(area) for area in areas[:4]] or ["-"]}


# Age ---------------------------------------------------------------------------------------------

_AGE_FITS = Finding(Outcome.PASS, "match.age.pass")
_ALL_AGES = Finding(Outcome.PASS, "match.age.all")
_WRONG_AGE = Finding(Outcome.FAIL, "match.age.fail")
_AGES_NOT_SAID = Finding(Outcome.UNKNOWN, "match.age.not_said")
_AGE_UNKNOWN = Finding(Outcome.UNKNOWN, "match.age.unknown")


def _age(query: Query, offer: Offer, _km: float | None) -> Finding:
    low, high = offer.minimum_age, offer.maximum_age
    if low is None and high is None:
        return _AGES_NOT_SAID
    if not low and high is None:
        return _ALL_AGES
    if query.age is None:
        return _AGE_UNKNOWN
    fits = (low or 0) <= query.age and (high is None or query.age <= high)
    return _AGE_FITS if fits else _WRONG_AGE


def _years_off(query: Query, offer: Offer) -> float:
    """Years between the person's age and the ages that are served, as thousandths."""
    age = query.age or 0
    short, over = (offer.minimum_age or 0) - age, age - (offer.maximum_age or age)
    return min(max(short, over, 0.0), 999.0) / 1000


def _age_params(query: Query, offer: Offer, _names: Names) -> Params:
    low, high = offer.minimum_age, offer.maximum_age
    if high is None:
        ages = Message("match.ages.from", {"low": low or 0})
    elif not low:
        ages = Message("match.ages.up_to", {"high": high})
    elif low == high:
        ages = Message("match.ages.only", {"low": low})
    else:
        ages = Message("match.ages.between", {"low": low, "high": high})
    return {"ages": ages} | ({} if query.age is None else {"age": query.age})


# Sex ---------------------------------------------------------------------------------------------

_SEX_FITS = Finding(Outcome.PASS, "match.sex.pass")
_ALL_SEXES = Finding(Outcome.PASS, "match.sex.all")
_OTHER_SEX = Finding(Outcome.FAIL, "match.sex.fail")
_SEX_NOT_SAID = Finding(Outcome.UNKNOWN, "match.sex.not_said")
_SEX_UNKNOWN = Finding(Outcome.UNKNOWN, "match.sex.unknown")


def _sex(query: Query, offer: Offer, _km: float | None) -> Finding:
    if offer.sex is None:
        return _SEX_NOT_SAID
    if not offer.sex or {"female", "male"} <= set(offer.sex):
        return _ALL_SEXES
    if query.sex is None:
        return _SEX_UNKNOWN
    return _SEX_FITS if query.sex in offer.sex else _OTHER_SEX


def _sex_params(_query: Query, offer: Offer, _names: Names) -> Params:
    return {"sex": [Message(f"match.word.{sex}") for sex in offer.sex or ()]}


# Income decile -----------------------------------------------------------------------------------

_DESIL_FITS = Finding(Outcome.PASS, "match.desil.pass")
_ALL_INCOMES = Finding(Outcome.PASS, "match.desil.all")
_DESIL_TOO_HIGH = Finding(Outcome.FAIL, "match.desil.fail")
_DESIL_NOT_SAID = Finding(Outcome.UNKNOWN, "match.desil.not_said")
_DESIL_UNKNOWN = Finding(Outcome.UNKNOWN, "match.desil.unknown")


def _desil(query: Query, offer: Offer, _km: float | None) -> Finding:
    if offer.desil is None:
        return _DESIL_NOT_SAID
    if not offer.desil or max(offer.desil) >= 10:
        return _ALL_INCOMES
    if query.desil is None:
        return _DESIL_UNKNOWN
    return _DESIL_FITS if query.desil <= max(offer.desil) else _DESIL_TOO_HIGH


def _desil_params(query: Query, offer: Offer, _names: Names) -> Params:
    return {"highest": max(offer.desil, default=10) if offer.desil else 10} | (
        {} if query.desil is None else {"desil": query.desil}
    )


# Disability --------------------------------------------------------------------------------------

_DISABILITY_FITS = Finding(Outcome.PASS, "match.disability.pass")
_ALL_ABILITIES = Finding(Outcome.PASS, "match.disability.all")
_OTHER_DISABILITY = Finding(Outcome.FAIL, "match.disability.fail")
_DISABILITY_NOT_SAID = Finding(Outcome.UNKNOWN, "match.disability.not_said")
_DISABILITY_UNKNOWN = Finding(Outcome.UNKNOWN, "match.disability.unknown")


def _disability(query: Query, offer: Offer, _km: float | None) -> Finding:
    if offer.disability is None:
        return _DISABILITY_NOT_SAID
    if not offer.disability:
        return _ALL_ABILITIES
    if not query.disability:
        return _DISABILITY_UNKNOWN
    served = set(offer.disability)
    fits = (
        "any" in served
        or bool(served & set(query.disability))
        or ("multiple" in served and len(query.disability) > 1)
    )
    return _DISABILITY_FITS if fits else _OTHER_DISABILITY


def _disability_params(_query: Query, offer: Offer, _names: Names) -> Params:
    return {"disabilities": [Message(f"match.word.{code}") for code in offer.disability or ()]}


# Documents ---------------------------------------------------------------------------------------

_DOCUMENTS_NOT_ASKED = Finding(Outcome.PASS, "match.documents.emergency")
_NO_DOCUMENTS = Finding(Outcome.PASS, "match.documents.none")
_DOCUMENTS_AT_HAND = Finding(Outcome.PASS, "match.documents.pass")
_DOCUMENTS_TO_GET = Finding(Outcome.PASS, "match.documents.to_get")
_DOCUMENTS_LACKING = Finding(Outcome.FAIL, "match.documents.fail")
_DOCUMENTS_NOT_SAID = Finding(Outcome.UNKNOWN, "match.documents.not_said")
_DOCUMENTS_UNCLEAR = Finding(Outcome.UNKNOWN, "match.documents.unclear")


def _documents(query: Query, offer: Offer, _km: float | None) -> Finding:
    if query.is_emergency:
        return _DOCUMENTS_NOT_ASKED
    if offer.documents is None:
        return _DOCUMENTS_NOT_SAID
    if not offer.documents:
        return _NO_DOCUMENTS
    lacking = _lacking(query, offer)
    if any(document.how_to_get is None for document in lacking):
        return _DOCUMENTS_LACKING
    if lacking:
        return _DOCUMENTS_TO_GET
    if query.documents_lacking and any(document.code is None for document in offer.documents):
        return _DOCUMENTS_UNCLEAR
    return _DOCUMENTS_AT_HAND


def _lacking(query: Query, offer: Offer) -> list[Document]:
    return [d for d in offer.documents or () if d.code and d.code in query.documents_lacking]


def _called(document: Document) -> Message | str:
    return named(f"document.{document.code}", document.name)


def _documents_params(query: Query, offer: Offer, _names: Names) -> Params:
    lacking = _lacking(query, offer)
    return {
        "documents": [_called(document) for document in offer.documents or ()],
        "lacking": [_called(document) for document in lacking],
        "how": [document.how_to_get for document in lacking if document.how_to_get],
    }


# Accessibility -----------------------------------------------------------------------------------

#: Disabilities for which the way in and around the place itself matters.
_PLACE_MATTERS = ("physical", "visual", "hearing")

_ACCESS_NOT_NEEDED = Finding(Outcome.PASS, "match.accessibility.not_needed")
_ACCESSIBLE = Finding(Outcome.PASS, "match.accessibility.pass")
_NOT_ACCESSIBLE = Finding(Outcome.FAIL, "match.accessibility.fail")
_ACCESS_NOT_SAID = Finding(Outcome.UNKNOWN, "match.accessibility.not_said")


def _accessibility(query: Query, offer: Offer, _km: float | None) -> Finding:
    needed = {code for code in query.disability if code in _PLACE_MATTERS}
    if not needed or offer.remote:
        return _ACCESS_NOT_NEEDED
    if needed & set(offer.no_access):
        return _NOT_ACCESSIBLE
    return _ACCESSIBLE if needed <= set(offer.access) else _ACCESS_NOT_SAID


def _accessibility_params(query: Query, _offer: Offer, _names: Names) -> Params:
    needed = [code for code in query.disability if code in _PLACE_MATTERS]
    return {"disabilities": [Message(f"match.word.{code}") for code in needed]}


# Travel limit ------------------------------------------------------------------------------------

_NO_LIMIT = Finding(Outcome.PASS, "match.within.no_limit")
_IN_REACH = Finding(Outcome.PASS, "match.within.pass")
_TOO_FAR = Finding(Outcome.FAIL, "match.within.fail")
_REACH_UNKNOWN = Finding(Outcome.UNKNOWN, "match.within.unknown")


def _within(query: Query, offer: Offer, km: float | None) -> Finding:
    if query.within is None or offer.remote:
        return _NO_LIMIT
    if km is None or offer.confidential:
        return _REACH_UNKNOWN
    return _IN_REACH if km <= query.within else _TOO_FAR


def _within_params(query: Query, _offer: Offer, _names: Names) -> Params:
    return {"within": query.within or 0}


# What the worker asked to see alone --------------------------------------------------------------

_OPEN = Finding(Outcome.PASS, "match.open_only.pass")
_CLOSED = Finding(Outcome.FAIL, "match.open_only.fail")
_HOURS_NOT_SAID = Finding(Outcome.UNKNOWN, "match.open_only.not_said")
_HOLIDAY = Finding(Outcome.UNKNOWN, "match.open_only.holiday")
_FREE = Finding(Outcome.PASS, "match.free_only.pass")
_NOT_FREE = Finding(Outcome.FAIL, "match.free_only.fail")
_COST_NOT_SAID = Finding(Outcome.UNKNOWN, "match.free_only.not_said")


def _open_only(holidays: frozenset[date], query: Query, offer: Offer, _km: float | None) -> Finding:
    answer = is_open(offer.hours, query.at, holidays=holidays)
    if answer is not None:
        return _OPEN if answer else _CLOSED
    return _HOLIDAY if is_open(offer.hours, query.at) is not None else _HOURS_NOT_SAID


def _free_only(_query: Query, offer: Offer, _km: float | None) -> Finding:
    return _COST_NOT_SAID if offer.fee is None else _NOT_FREE if offer.fee else _FREE


def _open_only_params(
    holidays: frozenset[date], query: Query, offer: Offer, _names: Names
) -> Params:
    opens = next_opening(offer.hours, query.at, holidays=holidays)
    when = Message("match.when.at", {"opens": opens}) if opens else Message("match.when.other")
    return {"at": query.at, "when": when}


GATES = (
    Gate(
        "category",
        _category,
        (_STATED, _INFERRED, _OTHER_HELP),
        _category_params,
        tells=lambda offer: tuple(offer.categories.items()),
    ),
    Gate("active", _active, (_ACTIVE, _INACTIVE), _nothing, eligibility=False),
    Gate(
        "jurisdiction",
        _jurisdiction,
        (
            _NEVER_ASKED,
            _EVERYWHERE,
            _OWN_AREA,
            _OUTSIDE,
            _ASSUMED_OWN,
            ASSUMED_OTHER,
            _REGISTRATION_UNKNOWN,
            _AREA_NOT_SAID,
        ),
        _jurisdiction_params,
        tells=attrgetter("service_areas", "residency", "assumed_area"),
    ),
    Gate(
        "age",
        _age,
        (_AGE_FITS, _ALL_AGES, _WRONG_AGE, _AGES_NOT_SAID, _AGE_UNKNOWN),
        _age_params,
        personal=True,
        off=_years_off,
        tells=attrgetter("minimum_age", "maximum_age"),
    ),
    Gate(
        "sex",
        _sex,
        (_SEX_FITS, _ALL_SEXES, _OTHER_SEX, _SEX_NOT_SAID, _SEX_UNKNOWN),
        _sex_params,
        personal=True,
        tells=attrgetter("sex"),
    ),
    Gate(
        "desil",
        _desil,
        (_DESIL_FITS, _ALL_INCOMES, _DESIL_TOO_HIGH, _DESIL_NOT_SAID, _DESIL_UNKNOWN),
        _desil_params,
        personal=True,
        tells=attrgetter("desil"),
    ),
    Gate(
        "disability",
        _disability,
        (
            _DISABILITY_FITS,
            _ALL_ABILITIES,
            _OTHER_DISABILITY,
            _DISABILITY_NOT_SAID,
            _DISABILITY_UNKNOWN,
        ),
        _disability_params,
        personal=True,
        tells=attrgetter("disability"),
    ),
    Gate(
        "documents",
        _documents,
        (
            _DOCUMENTS_NOT_ASKED,
            _NO_DOCUMENTS,
            _DOCUMENTS_AT_HAND,
            _DOCUMENTS_TO_GET,
            _DOCUMENTS_LACKING,
            _DOCUMENTS_NOT_SAID,
            _DOCUMENTS_UNCLEAR,
        ),
        _documents_params,
        personal=True,
        tells=attrgetter("documents"),
    ),
    Gate(
        "accessibility",
        _accessibility,
        (_ACCESS_NOT_NEEDED, _ACCESSIBLE, _NOT_ACCESSIBLE, _ACCESS_NOT_SAID),
        _accessibility_params,
        personal=True,
    ),
    Gate(
        "within",
        _within,
        (_NO_LIMIT, _IN_REACH, _TOO_FAR, _REACH_UNKNOWN),
        _within_params,
        eligibility=False,
    ),
)


@lru_cache(maxsize=32)
def open_only(holidays: frozenset[date] = frozenset()) -> Gate:
    """The gate of who asks to see only what is open, where these are the public holidays."""
    return Gate(
        "open_only",
        partial(_open_only, holidays),
        (_OPEN, _CLOSED, _HOURS_NOT_SAID, _HOLIDAY),
        partial(_open_only_params, holidays),
        eligibility=False,
        tells=attrgetter("hours"),
    )


FREE_ONLY = Gate(
    "free_only", _free_only, (_FREE, _NOT_FREE, _COST_NOT_SAID), _nothing, eligibility=False
)
