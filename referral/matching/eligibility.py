"""The gates that look at the person: whom a service is for, and who gets in. Pure."""

from operator import attrgetter

from referral.core.text import Message, named
from referral.matching.facts import Document, Names, Offer, Outcome, Query
from referral.matching.gates import Finding, Gate, Params

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


PERSONAL = (
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
)
