"""The gates: what decides whether an offer can be an option, each with its own sentence. Pure.

Those that look at the person are in `eligibility`; the others here.
"""

from datetime import date
from functools import lru_cache, partial
from operator import attrgetter

from referral.core.country import COUNTRY
from referral.core.text import Message
from referral.directory.opening import is_open, next_opening
from referral.matching.eligibility import PERSONAL
from referral.matching.facts import Names, Offer, Outcome, Query
from referral.matching.gates import Finding, Gate, Params
from referral.places.codes import holds

RULES_VERSION = 2

#: Needs that nobody is sent elsewhere for because of where they are registered: emergencies,
#: violence and the rescue of children.
RESIDENCE_FREE = ("EM", "FC04", "SP06")
#: Needs that are violence whatever else was said.
VIOLENT_NEEDS = ("EM07",)
MEDIATION = "CD03"
FAMILY_COUNSELLING = "FC01"
EVERYWHERE = ("*", COUNTRY.code)


def applying(query: Query, holidays: frozenset[date] = frozenset()) -> tuple[Gate, ...]:
    """The gates of a query, in the order they are told."""
    return _applying(query.is_group, query.free_only, holidays if query.open_only else None)


@lru_cache(maxsize=32)
def _applying(is_group: bool, free_only: bool, open_on: frozenset[date] | None) -> tuple[Gate, ...]:
    gates = [gate for gate in GATES if not (gate.personal and is_group)]
    if open_on is not None:
        gates.append(open_only(open_on))
    if free_only:
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
        names_areas=True,
    ),
    *PERSONAL,
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
