"""Planners' pages of the gaps: counts by category and area, as a table and a map."""

from pathlib import Path

from flask import Blueprint, Response, current_app, render_template, request, url_for
from flask_babel import gettext as _
from sqlalchemy.orm import Session

from referral.core.text import Message
from referral.directory.reference import taxonomy
from referral.extensions import db
from referral.places.queries import gazetteer
from referral.planning.disclosure.cells import Shown
from referral.planning.disclosure.table import Table, protect
from referral.planning.gaps import queries as gap_queries
from referral.planning.maps import page as gapmap
from referral.web.access import requires
from referral.web.formatting import say
from referral.web.language import chosen
from referral.web.naming import category_name

bp = Blueprint("gaps", __name__)


class GapRow:
    """One gap as a planner may see it: area, category, people in words, and the nearest service."""

    def __init__(
        self, area: str, category: str, table: Table, nearest: gap_queries.Nearest
    ) -> None:
        places = gazetteer(db.session)
        self.area, self.category = area, category
        self.area_name = (
            places.label(area) if area in places else say(Message("planning.area_unknown"))
        )
        self.category_name = category_name(category)
        cell = table.cell(area, category)
        self.people = cell.count
        self.is_withheld = cell.shown is Shown.WITHHELD
        self.people_words = _people(cell.count, cell.shown, table.threshold)
        self.nearest = nearest
        self.can_propose = area in places
        self.sentence = say(self._message(table.threshold))

    def _message(self, threshold: int) -> Message:
        people: object = self.people
        if self.people is None:
            key = "withheld" if self.is_withheld else "small"
            people = Message(
                f"planning.people.{key}", {} if self.is_withheld else {"threshold": threshold}
            )
        params = {"people": people, "category": self.category_name, "area": self.area_name}
        if not self.nearest.anywhere:
            return Message("planning.gap.none_anywhere", params)
        if self.nearest.km is None:
            return Message("planning.gap.not_placed", params | {"anywhere": self.nearest.anywhere})
        return Message(
            "planning.gap.nearest", params | {"km": self.nearest.km, "name": self.nearest.name}
        )


def _people(count: int | None, shown: Shown, threshold: int) -> str:
    if count is not None:
        return str(count)
    return f"<{threshold}" if shown is Shown.SMALL else "–"


def gaps_of(session: Session, domain: str | None) -> tuple[Table, list[GapRow]]:
    """The table after disclosure control, and its rows that are not zero, most people first.

    The whole table is protected before a filter is applied: protecting each filter for itself would let
    two of them be subtracted.
    """
    raw = gap_queries.counts(session)
    table = protect(raw, threshold=current_app.config["SETTINGS"].COUNT_THRESHOLD)
    pairs = [
        pair for pair, count in raw.items() if count and (not domain or pair[1].startswith(domain))
    ]
    nearest = gap_queries.nearest(session, gazetteer(session), pairs)
    rows = [GapRow(area, category, table, nearest[area, category]) for area, category in pairs]
    rows.sort(key=lambda row: (-(row.people or 0), row.is_withheld, row.area_name, row.category))
    return table, rows


def _domain() -> str | None:
    asked = request.args.get("domain", "")
    return asked if asked in {term.code for term in taxonomy().domains()} else None


@bp.get("/gaps")
@requires("gap:read")
def index() -> str:
    """Where help is missing: counts by category and area, never people."""
    domain = _domain()
    table, rows = gaps_of(db.session, domain)
    return render_template(
        "gaps/index.html",
        table=table,
        rows=rows,
        total=_people(table.total.count, table.total.shown, table.threshold),
        withheld=sum(row.people is None for row in rows),
        domain=domain,
        domains=[(term.code, term.name[chosen()]) for term in taxonomy().domains()],
    )


@bp.get("/gaps/map")
@requires("gap:read")
def map_page() -> Response:
    """The same numbers on a map, for the frame in the gap page."""
    _table, rows = gaps_of(db.session, _domain())
    places = gazetteer(db.session)
    points = []
    for area in dict.fromkeys(row.area for row in rows):
        located = places.locate(area) if area in places else None
        if located is None:
            continue
        here = [row for row in rows if row.area == area]
        known = [row.people for row in here if row.people is not None]
        points.append(
            gapmap.GapPoint(
                here[0].area_name,
                located.latitude,
                located.longitude,
                max(known) if known else None,
                [f"{row.category_name}: {row.people_words}" for row in here],
            )
        )
    page = gapmap.render(
        points,
        assets={
            "leaflet_js": url_for("static", filename="vendor/leaflet/leaflet.js"),
            "leaflet_css": url_for("static", filename="vendor/leaflet/leaflet.css"),
        },
        coast=Path(str(current_app.static_folder)) / "vendor" / "coast.json",
        label=_("Gap map"),
        lang=chosen(),
    )
    answer = Response(page, mimetype="text/html")
    # folium writes inline scripts; the frame is sandboxed and may load our own files only.
    answer.headers["Content-Security-Policy"] = (
        "sandbox allow-scripts; default-src 'none'; script-src 'self' 'unsafe-inline'; "
        "style-src 'self' 'unsafe-inline'; img-src 'self' data:; frame-ancestors 'self'"
    )
    return answer
