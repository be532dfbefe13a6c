"""A listing in words: who is served, where, what to bring, how far away."""

from collections.abc import Iterable

from referral.core.text import Message, km, label, listed, number, render
from referral.directory.kinds import Criterion
from referral.directory.models import Service
from referral.directory.queries import Site
from referral.directory.reference import coded
from referral.places.codes import no_finer_than_regency
from referral.places.gazetteer import Gazetteer, PlaceNotClear

#: Below this much doubt, in km, a distance is said as one number.
SURE_KM = 1.0


def place_name(gazetteer: Gazetteer, code: str | None) -> str:
    """An area with all it lies in, as "Kota Semarang, Jawa Tengah"; the code where it is not in the gazetteer."""
    try:
        return gazetteer.label(code) if code else ""
    except PlaceNotClear:
        return code or ""


def areas(service: Service, gazetteer: Gazetteer, lang: str) -> list[str]:
    """Where the people live whom the service says it is for; of a refuge no finer than its kab/kota."""
    if _is_refuge(service):
        codes = _no_finer(area.area_code for area in service.service_areas if area.area_code)
        return [_area(gazetteer, code, lang) for code in codes]
    return [
        _area(gazetteer, area.area_code, lang) or area.name or "" for area in service.service_areas
    ]


def _area(gazetteer: Gazetteer, code: str | None, lang: str) -> str:
    return label("directory.everywhere", lang) if code == "*" else place_name(gazetteer, code)


def _is_refuge(service: Service) -> bool:
    return any(site.location is not None and site.location.confidential for site in service.sites)


def _no_finer(codes: Iterable[str]) -> list[str]:
    return list(dict.fromkeys(no_finer_than_regency(code) or code for code in codes))


def eligibility(service: Service, gazetteer: Gazetteer, lang: str) -> list[str]:
    """Who is served, one sentence per condition; what is open to all or not known is not said."""
    found = []
    low, high = service.minimum_age, service.maximum_age
    if low and high is not None:
        found.append(Message("directory.eligibility.age", {"low": low, "high": high}))
    elif high is not None:
        found.append(Message("directory.eligibility.maximum_age", {"high": high}))
    elif low:
        found.append(Message("directory.eligibility.minimum_age", {"low": low}))
    for rule in service.eligibility_rules:
        values = [str(value) for value in rule.values]
        if not values:
            continue
        if rule.criterion is Criterion.SEX and len(values) == 1:
            found.append(Message(f"directory.eligibility.{values[0]}"))
        elif rule.criterion is Criterion.DESIL:
            found.append(Message("directory.eligibility.desil", {"desil": values[0]}))
        elif rule.criterion is Criterion.DISABILITY:
            kinds = listed(coded_names("disabilities", values, lang), lang)
            found.append(Message("directory.eligibility.disability", {"kinds": lower(kinds)}))
        elif rule.criterion is Criterion.RESIDENCY:
            told = _no_finer(values) if _is_refuge(service) else values
            names = listed((place_name(gazetteer, code) for code in told), lang)
            found.append(Message("directory.eligibility.residency", {"areas": names}))
    sentences = [render(message, lang) for message in found]
    if service.eligibility_description:
        sentences.append(service.eligibility_description)
    return sentences


def documents(service: Service, lang: str) -> list[tuple[str, str | None]]:
    """What to bring, and how somebody without it gets it; nothing where none is needed or none is known."""
    return [
        (
            coded_names("documents", [item.code], lang)[0] if item.code else (item.document or ""),
            item.how_to_get,
        )
        for item in service.required_documents
        if item.code or item.document
    ]


def position(site: Site, lang: str) -> str:
    """How well it is known where the place is."""
    if site.confidential:
        return label("directory.point.confidential", lang)
    if site.latitude is None or site.precision_km is None:
        return label("directory.point.none", lang)
    known = ("facility", "village", "kecamatan", "regency", "province")
    source = site.point_source if site.point_source in known else "facility"
    said = number(site.precision_km, lang)
    return render(Message(f"directory.point.{source}", {"km": said}), lang)


def distance(away_km: float, unsure_km: float | None, lang: str) -> str:
    """Kilometres as one number, or as a range where both points together are not known well enough."""
    if not unsure_km or unsure_km < SURE_KM:
        return km(away_km, lang)
    low, high = max(0.0, away_km - unsure_km), away_km + unsure_km
    return f"{number(low, lang, digits=0)}–{number(high, lang, digits=0)} km"


def coded_names(list_name: str, codes: Iterable[str], lang: str) -> list[str]:
    """Names of the codes of a coded list; an unknown code stands for itself."""
    known = coded(list_name)
    return [known[code].name[lang] if code in known else code for code in codes]


def lower(text: str) -> str:
    """The text with a small first letter, to stand inside a sentence."""
    return text[:1].lower() + text[1:]
