"""What the gap map draws for a question, with the words of its popups."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from flask import url_for

from referral.places.gazetteer import Gazetteer, Located
from referral.planning.maps import hexes
from referral.planning.maps.hexmap import grid_of, hexagons
from referral.planning.maps.question import Form, Layer
from referral.planning.maps.shapes import Shape
from referral.planning.maps.values import Scale, Value
from referral.web.formatting import label
from referral.web.gaps.question import Asked, parameters, threshold
from referral.web.gaps.words import area_words, in_words

#: Outlines on a map: about 2 km for the country, finer for one province.
COUNTRY_DEGREES, PROVINCE_DEGREES = 0.02, 0.005


def values_of(asked: Asked) -> Mapping[str, Value]:
    """The layer's value by area or hexagon."""
    if asked.question.form is Form.HEXAGONS:
        return hexagons(asked.atlas, asked.question.layer)
    return dict(zip(asked.atlas.areas, asked.atlas.column(asked.question.layer), strict=True))


def shapes_of(asked: Asked, found: Mapping[str, Value], scale: Scale) -> list[Shape]:
    """Every area or hexagon with its colour, and the proposals above them."""
    if asked.question.form is Form.HEXAGONS:
        shapes = _hexagons(asked, found, scale)
    else:
        shapes = _areas(asked, found, scale)
    if asked.question.layer is Layer.PROPOSALS:
        shapes += _plans(asked)
    return shapes


def row_address(asked: Asked) -> str:
    """The gap page's address up to the parameter that names a row."""
    here = url_for("gaps.index", **parameters(asked.question))
    return f"{here}{'&' if '?' in here else '?'}"


def _areas(asked: Asked, found: Mapping[str, Value], scale: Scale) -> list[Shape]:
    places, question, least = asked.atlas.places, asked.question, threshold(asked)
    degrees = PROVINCE_DEGREES if question.within else COUNTRY_DEGREES
    drawn = geometries(places, found, degrees)
    shapes = []
    for area, value in found.items():
        if area not in drawn:
            continue
        words = f"{label(f'map.short.{question.layer}')}: {in_words(value, question.layer, least)}"
        shapes.append(
            Shape(
                drawn[area],
                scale.place(value),
                area_words(area, places, short=True),
                [words],
                f"at={area}#row-{area}",
            )
        )
    # Points lie above outlines.
    shapes.sort(key=lambda shape: shape.geometry["type"] == "Point")
    return shapes


def geometries(places: Gazetteer, areas: Iterable[str], degrees: float) -> dict[str, Any]:
    """The outline of each area, or the point it has of its own; nothing of those that have neither."""
    drawn = places.drawn(areas, degrees=degrees)
    for area in areas:
        at = places.locate(area) if area in places and area not in drawn else None
        if at is not None and at.at.code == area:
            drawn[area] = _point(at)
    return drawn


def _point(at: Located) -> dict[str, Any]:
    return {"type": "Point", "coordinates": [round(at.longitude, 3), round(at.latitude, 3)]}


def _hexagons(asked: Asked, found: Mapping[str, Value], scale: Scale) -> list[Shape]:
    layer, least = asked.question.layer, threshold(asked)
    cells = grid_of(asked.atlas.places, asked.question.within).cells
    drawn = hexes.outlines(cells)
    title = label(f"map.short.{layer}")
    return [
        Shape(drawn[cell], scale.place(found[cell]), title, [in_words(found[cell], layer, least)])
        for cell in cells
    ]


def _plans(asked: Asked) -> list[Shape]:
    places = asked.atlas.places
    shapes = []
    for plan in asked.atlas.plans:
        at = places.locate(plan.area_code) if plan.area_code in places else None
        if at is None:
            continue
        words: Sequence[str] = [
            label(f"map.plan.{plan.status}"),
            area_words(plan.area_code, places),
        ]
        link = url_for("proposals.show", proposal_id=plan.proposal_id)
        shapes.append(Shape(_point(at), "plan", plan.title, words, link))
    return shapes
