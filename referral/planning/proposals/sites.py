"""Where a proposed resource should stand, read from a kept siting case."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any, Self

from referral.core.errors import Invalid
from referral.planning.siting.models import SitingCase
from referral.planning.siting.questions import Kind

#: What is said of a point when it is no more than a facility that is already there.
_OF_FACILITY_KM = 1.0


@dataclass(frozen=True)
class Site:
    """One place it may stand at.

    name    of the facility there; None: the middle of `area_code`, or a spot in it
    people  who had nothing within reach and have it here
    """

    kind: str
    name: str | None
    area_code: str
    latitude: float
    longitude: float
    people: int | None

    @property
    def is_facility(self) -> bool:
        return self.kind == Kind.AGENCY

    @property
    def precision_km(self) -> float | None:
        """How surely it stands there; None: as surely as the middle of its area is known."""
        return _OF_FACILITY_KM if self.is_facility else None


@dataclass(frozen=True)
class Sites:
    """The chosen places, whom they reach together and who is left out.

    people     who have it within reach then and did not before; None: nobody's number is known
    of         everybody who was counted, and `by` who that is: needs or population
    already    who have it within reach today
    left_out   areas that stay out of reach, the most people first; `left_people` of all of them
    """

    sites: tuple[Site, ...]
    people: int | None
    of: int | None
    already: int | None
    by: str
    left_out: tuple[str, ...]
    left_people: int | None
    within_km: float

    def as_json(self) -> dict[str, Any]:
        return asdict(self)

    @classmethod
    def from_json(cls, kept: Mapping[str, Any]) -> Self:
        return cls(
            **dict(kept)
            | {
                "sites": tuple(Site(**one) for one in kept["sites"]),
                "left_out": tuple(kept["left_out"]),
            }
        )


def counts_of(case: SitingCase) -> list[int]:
    """For how many sites the case has an answer."""
    return [one["count"] for one in case.answer["counts"]]


def sites_of(
    case: SitingCase, count: int | None = None, *, told: Mapping[str, float] | None = None
) -> Sites:
    """What the case answers for so many sites; without a number for the fewest. Raises Invalid.

    told   people by area, where others are to be counted than those of the case: then no site has a number of its
           own, and who is left out stands in the order of the codes
    """
    found: Sequence[Mapping[str, Any]] = case.answer["counts"]
    chosen = next((one for one in found if count in (None, one["count"])), None)
    if chosen is None:
        raise Invalid("planning.sites", field="sites")
    codes = [code for code, _people, _beyond in case.answer["places"]]
    people = told if told is not None else {one[0]: one[1] for one in case.answer["places"]}
    left = [codes[place] for place, _km in chosen["left"]]
    before = [codes[place] for place, _km in case.answer["before"]["left"]]
    everybody = _sum(people, codes)
    # Where nobody is known to live every area counts as one: that is no number of people.
    is_people = everybody > 0 and not case.answer["people"]["is_even"]

    def whole(people: float) -> int | None:
        return round(people) if is_people else None

    return Sites(
        tuple(
            _site(
                case.answer["sites"][str(one["site"])],
                whole(one["people"]) if told is None else None,
            )
            for one in chosen["sites"]
        ),
        whole(_sum(people, before) - _sum(people, left)),
        whole(everybody),
        whole(everybody - _sum(people, before)),
        case.question["by"],
        tuple(left if told is None else sorted(left)),
        whole(_sum(people, left)),
        case.question["within_km"],
    )


def _sum(people: Mapping[str, float], codes: Sequence[str]) -> float:
    return sum(people.get(code, 0.0) for code in codes)


def _site(kept: Mapping[str, Any], people: int | None) -> Site:
    is_named = kept["kind"] == Kind.AGENCY
    return Site(
        kept["kind"],
        kept["name"] if is_named else None,
        kept["near"],
        kept["latitude"],
        kept["longitude"],
        people,
    )
