"""Planners' pages of the gaps: a map and its table, from published figures and the public directory alone."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Any

from flask import (
    Blueprint,
    Response,
    flash,
    g,
    redirect,
    render_template,
    request,
    url_for,
)
from flask_babel import gettext as _
from sqlalchemy import select
from werkzeug.wrappers import Response as Answer

from referral.core.paging import page_number
from referral.directory.kinds import SystemType
from referral.directory.reference import taxonomy
from referral.extensions import db
from referral.jobs.queue import jobs
from referral.places.gazetteer import PROVINCE
from referral.places.queries import gazetteer
from referral.planning.access import working
from referral.planning.gaps import releases
from referral.planning.gaps.models import Measure
from referral.planning.maps.question import Form, Layer, Level, Question
from referral.planning.maps.values import Scale, Value
from referral.planning.unmet.models import UnmetReason
from referral.web.access import requires
from referral.web.formatting import capital, label
from referral.web.gaps.access import outdated_words
from referral.web.gaps.question import Asked, asked, parameters, threshold
from referral.web.gaps.shapes import row_address, shapes_of, values_of
from referral.web.gaps.table import Table, table_of
from referral.web.gaps.words import (
    area_words,
    category_words,
    closed_sentence,
    gap_sentence,
    in_words,
    instead,
    legend,
    quarter_words,
    ramp_of,
)
from referral.web.language import chosen
from referral.web.map_frames import framed, svg
from referral.web.naming import searchable_categories

bp = Blueprint("gaps", __name__)

GAPS_SHOWN = 10


@dataclass(frozen=True)
class View:
    """What both the page and its paper show."""

    asked: Asked
    found: Mapping[str, Value]
    scale: Scale
    table: Table | None


def view_of(*, whole: bool = False) -> View:
    """The request's question with its values; without a table where the layer can't be told."""
    question = asked()
    if question.missing is not None:
        return View(question, {}, Scale(()), None)
    found = values_of(question)
    scale = question.atlas.scale(list(found.values()))
    places = {code: scale.place(value) for code, value in found.items()}
    return View(question, found, scale, table_of(question, found, places, whole=whole))


def words_of(view: View) -> dict[str, Any]:
    """What a template says of a view."""
    atlas, question, least = view.asked.atlas, view.asked.question, threshold(view.asked)
    return {
        "view": view,
        "question": question,
        "release": view.asked.release,
        "run": atlas.run,
        "threshold": least,
        "missing": view.asked.missing,
        "notes": view.asked.notes,
        "title": label(f"map.layer.{question.layer}"),
        "plain": label(f"map.plain.{question.layer}"),
        "category": capital(category_words(question.category)),
        "within": capital(area_words(question.within, atlas.places)),
        "ramp": ramp_of(question.layer),
        "legend": legend(view.scale, list(view.found.values()), question.layer, least),
        "table": view.table,
        "address": lambda endpoint="gaps.index", **more: url_for(
            endpoint, **parameters(question, **more)
        ),
    }


@bp.get("/gaps")
@requires("gap:read")
def index() -> str:
    """Where help is missing: counts by category and area, never people."""
    view = view_of()
    return render_template(
        "gaps/index.html",
        **words_of(view),
        **_filters(view.asked),
        **_figures(view.asked),
        **_gaps(view.asked),
        trend=_trend(view.asked),
        closed=_closed(view.asked),
        outdated=outdated_words(working.outdated(db.session)),
        may_release=releases.possible(db.session, now=datetime.now(UTC)),
    )


@bp.get("/gaps/print")
@requires("gap:read")
def on_paper() -> str:
    """The same for paper: the map as a picture and the whole table."""
    view = view_of(whole=True)
    return render_template("gaps/print.html", **words_of(view), **_figures(view.asked))


@bp.post("/gaps/release")
@requires("gap:read")
def release() -> Answer:
    """A planner does not wait for the night: the counts of the quarter that may be released now."""
    jobs().publish_gaps_of(str(g.user.id))
    flash(_("The figures are being made. Open this page again in a minute."), "info")
    return redirect(url_for(".index"), 303)


def _figures(question: Asked) -> dict[str, Any]:
    """The counts of everybody the question is about, each with the wider one where it is hidden."""
    atlas, least = question.atlas, threshold(question)
    if question.release is None:
        return {"totals": []}
    whole = atlas.question.key(atlas.question.within)
    totals = []
    for measure in Measure:
        if measure is Measure.CLOSED and whole.reason:
            continue
        key = whole if measure is Measure.UNMET else replace(whole, reason="")
        figures = atlas.figures(measure)
        told = figures.told(key) if figures else None
        words = in_words(atlas.figure(measure, key), Layer.UNMET, least)
        totals.append((measure.value, words, instead(told, atlas.places)))
    return {"totals": totals}


def _gaps(question: Asked) -> dict[str, Any]:
    """The gaps of single kinds of help in single kab/kota, as places to start a proposal from."""
    atlas, least = question.atlas, threshold(question)
    category = atlas.question.category
    leaves = [leaf.code for leaf in taxonomy().leaves(category)] if category else [
        leaf.code for domain in taxonomy().domains() for leaf in taxonomy().leaves(domain.code)
    ]  # fmt: skip
    asked_for = max(request.args.get("gaps", 1, type=int), 1)
    # How many there are is known before the page that was asked for: a number may be too large for a database.
    count, found = atlas.gaps(leaves=leaves, limit=GAPS_SHOWN, offset=0)
    number = page_number(asked_for, count, GAPS_SHOWN)
    if number > 1:
        found = atlas.gaps(leaves=leaves, limit=GAPS_SHOWN, offset=(number - 1) * GAPS_SHOWN)[1]
    rows = [
        {
            "area": gap.area,
            "category": gap.category,
            "area_name": area_words(gap.area, atlas.places),
            "category_name": category_words(gap.category),
            "people": in_words(gap.people, Layer.UNMET, least),
            "sentence": gap_sentence(gap, atlas.places, least),
            "has_place": gap.area in atlas.places,
        }
        for gap in found
    ]
    pages = max(1, -(-count // GAPS_SHOWN))
    return {"gaps": rows, "gap_count": count, "gap_page": number, "gap_pages": pages}


def _trend(question: Asked) -> dict[str, Any] | None:
    """Bars of each quarter beside their numbers; none where there is no release."""
    if question.release is None:
        return None
    category, quarters = question.atlas.trend()
    least = threshold(question)
    numbers = [
        value.number or 0.0
        for quarter in quarters
        for value in (quarter.asked, quarter.unmet, quarter.closed)
    ]
    tallest = max(numbers, default=0.0) or 1.0
    rows = [
        {
            "quarter": quarter_words(one.quarter),
            "cells": [
                {
                    "words": in_words(value, Layer.UNMET, least),
                    "width": 100 * (value.number or 0.0) / tallest,
                }
                for value in (one.asked, one.unmet, one.closed)
            ],
        }
        for one in quarters
    ]
    return {"category": capital(category_words(category)), "rows": rows}


def _closed(question: Asked) -> list[str]:
    return [
        closed_sentence(one, question.atlas.places, threshold(question))
        for one in question.atlas.closed_by_proposals()
    ]


def _filters(question: Asked) -> dict[str, Any]:
    lang, places = chosen(), question.atlas.places
    reasons: dict[str, list[tuple[str, str]]] = {}
    for row in db.session.scalars(select(UnmetReason).order_by(UnmetReason.code)):
        if row.counts_as_gap:
            reasons.setdefault(row.axis, []).append((row.code, getattr(row, f"name_{lang}")))
    return {
        "categories": searchable_categories(),
        "reasons": [
            (label(f"map.axis.{axis}"), [(axis, _("All of: %(domain)s", domain=label(f"map.axis.{axis}"))), *codes])
            for axis, codes in reasons.items()
        ],
        "periods": [(quarter, capital(quarter_words(quarter))) for quarter in question.atlas.quarters],
        "systems": [(kind.value, label(f"directory.system_type.{kind}")) for kind in SystemType],
        "layers": [(layer.value, label(f"map.layer.{layer}")) for layer in Layer],
        "levels": [(level.value, label(f"map.level.{level}")) for level in Level],
        "forms": [(form.value, label(f"map.form.{form}")) for form in Form],
        "provinces": sorted(
            ((place.code, place.name) for place in places if place.level == PROVINCE),
            key=lambda pair: pair[1],
        ),
        "is_default": question.question == Question(),
        "chosen": _chosen(question.question),
    }  # fmt: skip


def _chosen(question: Question) -> list[str]:
    """What the filters stand at, in words: the three that are always asked, others where they are not as usual."""
    usual, places = Question(), gazetteer(db.session)
    words = [
        category_words(question.category),
        label(f"map.layer.{question.layer}"),
        area_words(question.within, places, short=True),
    ]
    if question.reason:
        words.append(_reason_words(question.reason))
    if question.period:
        words.append(quarter_words(question.period))
    if question.system:
        words.append(label(f"directory.system_type.{question.system}"))
    if question.level != usual.level:
        words.append(label(f"map.level.{question.level}"))
    if question.form != usual.form:
        words.append(label(f"map.form.{question.form}"))
    return [capital(words[0]), *words[1:]]


def _reason_words(reason: str) -> str:
    row = db.session.get(UnmetReason, reason)
    return getattr(row, f"name_{chosen()}") if row else label(f"map.axis.{reason}")


@bp.get("/gaps/map")
@requires("gap:read")
def map_page() -> Response:
    """The same numbers on a map, for the frame in the gap page."""
    view = view_of()
    return framed(
        shapes_of(view.asked, view.found, view.scale),
        label=_("Gap map"),
        ramp=ramp_of(view.asked.question.layer),
        rows=row_address(view.asked),
        to_row=_("Show it in the page"),
    )


@bp.get("/gaps/map.svg")
@requires("gap:read")
def picture() -> Response:
    """The map as one picture, for paper and for browsers without scripts."""
    return Response(picture_of(view_of()), mimetype="image/svg+xml")


def picture_of(view: View) -> str:
    """The map as SVG."""
    layer = view.asked.question.layer
    return svg(
        shapes_of(view.asked, view.found, view.scale),
        label=label(f"map.layer.{layer}"),
        ramp=ramp_of(layer),
    )
