"""The table beside the gap map: the same numbers, sorted and paged by the server."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from flask import request

from referral.core.paging import page_number
from referral.core.text import Message
from referral.planning.maps.hexmap import grid_of
from referral.planning.maps.question import (
    MORE_IS_BETTER,
    NEEDS,
    STORED,
    Form,
    Layer,
)
from referral.planning.maps.values import Kind, Value
from referral.web.formatting import label, say
from referral.web.gaps.question import Asked, has_population, threshold
from referral.web.gaps.words import area_words, in_words, instead

SIZE = 25
#: Columns of every table, where they can be told; the chosen layer is always one.
_USUAL = (
    Layer.UNMET,
    Layer.SHARE,
    Layer.PER_100K,
    Layer.COVERAGE,
    Layer.NEAREST,
    Layer.SERVICES,
    Layer.PROPOSALS,
)
AREA = "area"
ASCENDING, DESCENDING = "asc", "desc"


@dataclass(frozen=True)
class Row:
    """One area or hexagon.

    place    its class of colour on the map
    instead  the wider figure that stands in for a hidden one
    """

    code: str
    name: str
    place: str
    cells: Sequence[str]
    instead: str | None
    has_place: bool


@dataclass(frozen=True)
class Column:
    """`sorted` is asc, desc or "" where another column is sorted by; `turn` is the order a touch gives."""

    layer: Layer
    title: str
    sorted: str
    turn: str


@dataclass(frozen=True)
class Table:
    columns: Sequence[Column]
    rows: Sequence[Row]
    area: Column
    sort: str
    direction: str
    page: int
    pages: int
    total: int


def layers_of(asked: Asked, *, every: bool = False) -> list[Layer]:
    """The columns that can be told of this question; `every` for a file, which has room."""
    if asked.question.form is Form.HEXAGONS:
        return [asked.question.layer]
    wanted = [*Layer] if every else [*_USUAL]
    if asked.question.layer not in wanted:
        wanted.insert(1, asked.question.layer)
    is_told = {
        **dict.fromkeys(NEEDS, asked.release is not None),
        **dict.fromkeys(STORED, asked.atlas.overview is not None),
    }
    has_people = has_population(asked.atlas)
    of_residents = {Layer.PER_100K: has_people, Layer.SERVICES_PER_100K: has_people}
    return [layer for layer in wanted if is_told.get(layer, True) and of_residents.get(layer, True)]


def table_of(
    asked: Asked, found: Mapping[str, Value], places_of: Mapping[str, str], *, whole: bool = False
) -> Table:
    """The page of the table that the request asks for; `whole` for paper."""
    layers = layers_of(asked)
    codes, columns = columns_of(asked, found, layers)
    names = _names(asked, codes)
    sort, direction = _order(asked, layers)
    order = _sorted(codes, columns.get(sort), names, direction)
    number = page_number(request.args.get("page", 1, type=int), len(order), SIZE)
    at = request.args.get("at", "")
    if at in codes and "page" not in request.args:
        number = order.index(codes.index(at)) // SIZE + 1
    shown = order if whole else order[(number - 1) * SIZE : number * SIZE]
    least = threshold(asked)
    rows = [
        Row(
            codes[row],
            names[row] or _hexagon_name(asked, codes[row]),
            places_of[codes[row]],
            [in_words(columns[layer.value][row], layer, least) for layer in layers],
            _instead(asked, codes[row]),
            codes[row] in asked.atlas.places,
        )
        for row in shown
    ]
    heads = [
        Column(
            layer,
            label(f"map.short.{layer}"),
            direction if sort == layer else "",
            _turn(direction if sort == layer else _worst_first(layer), is_sorted=sort == layer),
        )
        for layer in layers
    ]
    by_area = direction if sort == AREA else ""
    area = Column(Layer.UNMET, "", by_area, _turn(by_area or ASCENDING, is_sorted=bool(by_area)))
    return Table(
        heads, rows, area, sort, direction, number, max(1, -(-len(order) // SIZE)), len(order)
    )


def columns_of(
    asked: Asked, found: Mapping[str, Value], layers: Sequence[Layer]
) -> tuple[list[str], dict[str, Sequence[Value]]]:
    """Codes of the rows, and each layer's values in their order."""
    if asked.question.form is Form.HEXAGONS:
        return list(found), {asked.question.layer.value: list(found.values())}
    return asked.atlas.areas, {layer.value: asked.atlas.column(layer) for layer in layers}


def _names(asked: Asked, codes: Sequence[str]) -> list[str]:
    """Names to sort by; hexagons have none of their own."""
    if asked.question.form is Form.HEXAGONS:
        return [""] * len(codes)
    return [area_words(code, asked.atlas.places) for code in codes]


def _hexagon_name(asked: Asked, cell: str) -> str:
    grid, places = grid_of(asked.atlas.places, asked.question.within), asked.atlas.places
    latitude, longitude = grid.middles[grid.cells.index(cell)]
    around = (
        places.regency_at(latitude, longitude) or places.nearest_regency(latitude, longitude)[0]
    )
    return say(Message("map.hexagon", {"area": places.label(around.code)}))


def hexagon_names(asked: Asked, cells: Sequence[str]) -> list[str]:
    """Around which kab/kota each hexagon lies."""
    return [_hexagon_name(asked, cell) for cell in cells]


def _order(asked: Asked, layers: Sequence[Layer]) -> tuple[str, str]:
    sort, direction = request.args.get("sort", ""), request.args.get("dir", "")
    if sort not in {AREA, *(layer.value for layer in layers)}:
        sort = asked.question.layer.value if asked.question.layer in layers else AREA
    if direction not in (ASCENDING, DESCENDING):
        direction = ASCENDING if sort == AREA else _worst_first(Layer(sort))
    return sort, direction


def _worst_first(layer: Layer) -> str:
    return ASCENDING if layer in MORE_IS_BETTER else DESCENDING


def _turn(direction: str, *, is_sorted: bool) -> str:
    if not is_sorted:
        return direction
    return ASCENDING if direction == DESCENDING else DESCENDING


#: Between the smallest count that is told and 0, and all alike: their order tells nothing about them.
_HIDDEN = {Kind.SMALL: 0.5, Kind.WITHHELD: 0.4}


def _sorted(
    codes: Sequence[str], column: Sequence[Value] | None, names: Sequence[str], direction: str
) -> list[int]:
    """Rows in order; what is not known comes last either way."""
    order = sorted(range(len(codes)), key=lambda row: (names[row], codes[row]))
    if column is None:
        return order if direction == ASCENDING else order[::-1]
    sign = -1.0 if direction == DESCENDING else 1.0

    def rank(row: int) -> tuple[bool, float]:
        value = column[row]
        number = _HIDDEN.get(value.kind, value.number or 0.0)
        if value.kind is Kind.NONE_ANYWHERE:
            number = float("inf")
        return value.kind is Kind.NO_DATA, sign * number

    return sorted(order, key=rank)


def _instead(asked: Asked, area: str) -> str | None:
    if asked.question.form is Form.HEXAGONS or asked.release is None:
        return None
    shown = asked.atlas.column(Layer.ASKED if asked.question.layer is Layer.ASKED else Layer.UNMET)
    own = shown[asked.atlas.areas.index(area)]
    if own.kind not in (Kind.SMALL, Kind.WITHHELD):
        return None
    return instead(asked.atlas.told(area), asked.atlas.places)
