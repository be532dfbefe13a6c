"""Geocoders with geopy's interface: the gazetteer in memory, or a Nominatim server by configuration."""

from typing import Any, Protocol

from geopy.geocoders import Nominatim
from geopy.geocoders.base import DEFAULT_SENTINEL, Geocoder
from geopy.location import Location
from geopy.point import Point

from referral.places.gazetteer import Candidate, Gazetteer, Located


class GeocoderSettings(Protocol):
    """The settings that choose a geocoder."""

    @property
    def GEOCODER(self) -> str: ...  # noqa: N802 - as the settings are written

    @property
    def NOMINATIM_DOMAIN(self) -> str: ...  # noqa: N802 - as the settings are written


class GazetteerGeocoder(Geocoder):  # type: ignore[misc]  # geopy has no types
    """Points of administrative areas, offline. A location's `raw` has code, area and precision_km."""

    def __init__(self, gazetteer: Gazetteer):
        super().__init__(user_agent="jejaring")
        self.gazetteer = gazetteer

    def geocode(
        self,
        query: str,
        *,
        exactly_one: bool = True,
        timeout: Any = DEFAULT_SENTINEL,  # noqa: ARG002 - geopy's interface; nothing is waited for
    ) -> Location | list[Location] | None:
        """The location a text means, or with `exactly_one=False` all it could mean; None for none.

        Raises AmbiguousPlace when one was asked for and the text means several.
        """
        found = self.gazetteer.find(query)
        if not found or found[0].missing:
            return None
        if exactly_one:
            place = self.gazetteer.resolve(query)
            located = self.gazetteer.locate(place.code)
            return located and self._location(located)
        return [location for one in found if (location := self._candidate(one))] or None

    def reverse(
        self,
        query: Point | str | tuple[float, float],
        *,
        exactly_one: bool = True,
        timeout: Any = DEFAULT_SENTINEL,  # noqa: ARG002 - as above
    ) -> Location | list[Location] | None:
        """The nearest kecamatan or regency; `raw` has its km and the km of the next regency.

        Nearness is not membership: where the two are about equal, the area is unknown.
        """
        point = Point(query)
        place, km = self.gazetteer.nearest(point.latitude, point.longitude)
        _, regency_km, runner_up_km = self.gazetteer.nearest_regency(
            point.latitude, point.longitude
        )
        located = self.gazetteer.locate(place.code)
        if located is None:
            return None
        location = self._location(located, km=km, regency_km=regency_km, runner_up_km=runner_up_km)
        return location if exactly_one else [location]

    def _candidate(self, candidate: Candidate) -> Location | None:
        located = self.gazetteer.locate(candidate.place.code)
        return located and self._location(located, score=candidate.score)

    def _location(self, located: Located, **extra: float | None) -> Location:
        area = self.gazetteer.label(located.place.code)
        raw = {
            "code": located.place.code,
            "area": area,
            "precision_km": located.precision_km,
            "point_of": located.at.code,
            **extra,
        }
        return Location(area, (located.latitude, located.longitude), raw)


def geocoder_from(settings: GeocoderSettings, gazetteer: Gazetteer) -> Geocoder:
    """The geocoder the settings name: `gazetteer`, or `nominatim` at NOMINATIM_DOMAIN."""
    if settings.GEOCODER == "gazetteer":
        return GazetteerGeocoder(gazetteer)
    if settings.GEOCODER == "nominatim":
        if not settings.NOMINATIM_DOMAIN:
            raise RuntimeError("GEOCODER=nominatim needs NOMINATIM_DOMAIN (docs/settings.md)")
        return Nominatim(domain=settings.NOMINATIM_DOMAIN, user_agent="jejaring")
    raise RuntimeError("GEOCODER is `gazetteer` or `nominatim` (docs/settings.md)")
