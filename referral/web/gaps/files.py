"""The gap map as files, and what everybody may download of the gaps."""

import json
from collections.abc import Mapping, Sequence
from typing import Any

from flask import Blueprint, Response, abort, render_template
from flask_babel import gettext as _
from sqlalchemy import select

from referral.directory.hsds.exports import plain
from referral.extensions import db
from referral.places.queries import gazetteer
from referral.planning.disclosure.cells import Cell, Shown
from referral.planning.gaps import figures
from referral.planning.gaps.models import Audience, GapFigure, GapRelease
from referral.planning.maps import files, hexes
from referral.planning.maps.atlas import of_cell
from referral.planning.maps.hexmap import grid_of
from referral.planning.maps.palette import PLAIN, RAMPS
from referral.planning.maps.question import Form, Layer
from referral.planning.maps.values import ZERO, Value
from referral.referrals.letters import pdf
from referral.web.access import public, requires
from referral.web.formatting import capital, label
from referral.web.gaps.page import View, picture_of, view_of
from referral.web.gaps.question import Asked, name_of, threshold
from referral.web.gaps.shapes import COUNTRY_DEGREES, PROVINCE_DEGREES, geometries
from referral.web.gaps.table import hexagon_names, layers_of
from referral.web.gaps.words import (
    area_words,
    category_words,
    in_words,
    legend,
    quarter_words,
    ramp_of,
)
from referral.web.language import chosen, zone

bp = Blueprint("gap_files", __name__, url_prefix="/gaps")

_TYPES = {
    "csv": "text/csv",
    "xlsx": "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
    "geojson": "application/geo+json",
    "png": "image/png",
}
_PIXELS_PER_INCH = 144


@bp.get("/<any(csv, xlsx, geojson, png):kind>")
@requires("gap:read")
def file(kind: str) -> Response:
    """What the gap page shows, as a file."""
    view = view_of()
    if view.table is None:
        abort(404)
    certificate = _certificate(view.asked)
    name = f"{name_of(view.asked.question, view.asked.release)}.{kind}"
    if kind == "png":
        return _sent(_picture(view, certificate), name, kind)
    content = _content(view)
    if kind == "csv":
        return _sent(files.as_csv(files.table(content), certificate), name, kind)
    if kind == "xlsx":
        book = files.as_xlsx(
            files.table(content),
            certificate,
            data=_("Gaps"),
            title=_("Certificate"),
        )
        return _sent(book, name, kind)
    made = files.as_geojson(content, _geometries(view.asked), certificate)
    return _sent(json.dumps(made, ensure_ascii=False), name, kind)


def _sent(content: str | bytes, name: str, kind: str) -> Response:
    answer = Response(content, mimetype=_TYPES[kind])
    answer.headers["Content-Disposition"] = f'attachment; filename="{name}"'
    return answer


def _content(view: View) -> files.File:
    """The rows of the page's table, unpaged, with every measure that can be told."""
    asked = view.asked
    layers = layers_of(asked, every=True)
    if asked.question.form is Form.HEXAGONS:
        codes = list(view.found)
        columns: Mapping[Layer, Sequence[Value]] = {layers[0]: list(view.found.values())}
        names = hexagon_names(asked, codes)
    else:
        codes = asked.atlas.areas
        columns = {layer: asked.atlas.column(layer) for layer in layers}
        names = [area_words(code, asked.atlas.places) for code in codes]
    return files.File(layers, codes, names, columns, threshold(asked), chosen())


def _geometries(asked: Asked) -> Mapping[str, Mapping[str, Any]]:
    places, question = asked.atlas.places, asked.question
    if question.form is Form.HEXAGONS:
        return hexes.outlines(grid_of(places, question.within).cells)
    degrees = PROVINCE_DEGREES if question.within else COUNTRY_DEGREES
    return geometries(places, asked.atlas.areas, degrees)


def _certificate(asked: Asked) -> list[tuple[str, str]]:
    return files.certificate_lines(
        asked.release, filters=_filters(asked), lang=chosen(), zone=zone()
    )


def _filters(asked: Asked) -> str:
    question = asked.question
    told = [
        label(f"map.layer.{question.layer}"),
        category_words(question.category),
        area_words(question.within, asked.atlas.places),
        label(f"map.level.{question.level}"),
        question.reason,
        quarter_words(question.period) if question.period else "",
        label(f"directory.system_type.{question.system}") if question.system else "",
    ]
    return ", ".join(part for part in told if part)


def _picture(view: View, certificate: Sequence[tuple[str, str]]) -> bytes:
    """The map on a sheet with its legend and its certificate."""
    asked = view.asked
    layer = asked.question.layer
    ramp = RAMPS[ramp_of(layer)]
    classes = legend(view.scale, list(view.found.values()), layer, threshold(asked))
    content = {
        "lang": chosen(),
        "title": capital(label(f"map.layer.{layer}")),
        "subtitle": capital(_filters(asked)),
        "map": picture_of(view),
        "alt": label(f"map.layer.{layer}"),
        "legend": [
            {
                "colour": PLAIN[one.place][0] if one.place in PLAIN else ramp[int(one.place[1:])],
                "pattern": PLAIN[one.place][1] if one.place in PLAIN else None,
                "words": one.words,
            }
            for one in classes
        ],
        "plain": label(f"map.plain.{layer}"),
        "people": label("map.asked_not_population"),
        "certificate": [f"{name}: {value}" for name, value in certificate],
    }
    pages = pdf.pictures("map", content, ppi=_PIXELS_PER_INCH, folder="gaps")
    return pages[0]


@bp.get("/public")
@public
def everybody() -> str:
    """What everybody may know of the gaps: the newest public release, its terms, and its files."""
    release = figures.latest(db.session, Audience.PUBLIC)
    places = gazetteer(db.session)
    rows = []
    if release is not None:
        for province, asked, unmet in _by_province(release):
            rows.append(
                [
                    capital(area_words(province, places)),
                    in_words(asked, Layer.ASKED, release.threshold),
                    in_words(unmet, Layer.UNMET, release.threshold),
                ]
            )
    certificate = (
        files.certificate_lines(
            release, filters=label("map.category.all"), lang=chosen(), zone=zone()
        )
        if release
        else []
    )
    return render_template("gaps/public.html", release=release, rows=rows, certificate=certificate)


def _by_province(release: GapRelease) -> list[tuple[str, Value, Value]]:
    query = select(GapFigure.area, GapFigure.measure, GapFigure.shown, GapFigure.people).where(
        GapFigure.release_id == release.id,
        GapFigure.category == "",
        GapFigure.reason == "",
        GapFigure.period == "",
        ~GapFigure.area.contains("."),
    )
    cells = {
        (row.area, row.measure.value): of_cell(Cell(Shown(row.shown), row.people))
        for row in db.session.execute(query)
    }
    zero = ZERO
    areas = sorted({area for area, _measure in cells}, key=lambda area: (not area, area))
    return [
        (area, cells.get((area, "asked"), zero), cells.get((area, "unmet"), zero)) for area in areas
    ]


@bp.get("/public.<any(csv, geojson):kind>")
@public
def public_file(kind: str) -> Response:
    """The newest public release: every figure of it as CSV, or its kab/kota as GeoJSON."""
    release = figures.latest(db.session, Audience.PUBLIC)
    if release is None:
        abort(404)
    certificate = files.certificate_lines(
        release, filters=label("map.category.all"), lang=chosen(), zone=zone()
    )
    name = f"gaps-public-{release.quarter.lower()}.{kind}"
    if kind == "csv":
        return _sent(files.as_csv(_every_figure(release), certificate), name, kind)
    return _sent(json.dumps(_public_map(release, certificate), ensure_ascii=False), name, kind)


def _every_figure(release: GapRelease) -> list[list[Any]]:
    """As published, so that the digest of the certificate can be worked out again; what is 0 has no row."""
    names = ("measure", "area", "category", "reason", "period", "shown", "people")
    columns = [getattr(GapFigure, name) for name in names]
    query = select(*columns).where(GapFigure.release_id == release.id).order_by(*columns[:5])
    rows: list[list[Any]] = [list(names)]
    for one in db.session.execute(query):
        rows.append([*map(plain, one[:-1]), "" if one.people is None else one.people])
    return rows


def _public_map(release: GapRelease, certificate: Sequence[tuple[str, str]]) -> dict[str, Any]:
    query = select(
        GapFigure.area, GapFigure.category, GapFigure.measure, GapFigure.shown, GapFigure.people
    ).where(
        GapFigure.release_id == release.id,
        GapFigure.category == "",
        GapFigure.reason == "",
        GapFigure.period == "",
        GapFigure.area.contains("."),
    )
    found: dict[str, dict[Layer, Value]] = {}
    for row in db.session.execute(query):
        if row.measure.value in (Layer.ASKED, Layer.UNMET):
            found.setdefault(row.area, {})[Layer(row.measure.value)] = of_cell(
                Cell(Shown(row.shown), row.people)
            )
    places, zero = gazetteer(db.session), ZERO
    codes = sorted(found)
    layers = [Layer.ASKED, Layer.UNMET]
    content = files.File(
        layers,
        codes,
        [area_words(code, places) for code in codes],
        {layer: [found[code].get(layer, zero) for code in codes] for layer in layers},
        release.threshold,
        chosen(),
    )
    return files.as_geojson(content, geometries(places, codes, COUNTRY_DEGREES), certificate)
