"""How long people waited and how they were shared among agencies: published counts for supervisors and planners."""

import csv
import io
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from flask import (
    Blueprint,
    Response,
    current_app,
    flash,
    g,
    redirect,
    render_template,
    request,
    url_for,
)
from flask_babel import gettext as _
from werkzeug.wrappers import Response as Answer

from referral.core.errors import NotFound
from referral.core.text import Message, number
from referral.directory.hsds.exports import plain
from referral.extensions import db
from referral.jobs.queue import jobs
from referral.places.queries import gazetteer
from referral.planning.disclosure.cells import Cell, mark
from referral.planning.fairness import findings
from referral.planning.fairness import releases as fairness
from referral.planning.fairness.models import FairnessRelease
from referral.planning.fairness.waiting import (
    BANDS,
    CUTS,
    EVERYBODY,
    MEASURES,
    MEDIAN_TIMES,
    PERIODS,
    UNKNOWN,
    from_json,
)
from referral.planning.gaps.periods import quarter_of
from referral.web.access import requires
from referral.web.formatting import capital, say
from referral.web.language import chosen
from referral.web.naming import category_name

bp = Blueprint("fairness", __name__, url_prefix="/fairness")

SPREAD = "spread"
SIDES = (*MEASURES, SPREAD)


@dataclass(frozen=True)
class Bar:
    """One row of a chart: its words, its figures as they may be seen, and its parts as (kind, left, width) of 100."""

    name: str
    cells: Sequence[str]
    parts: Sequence[tuple[str, float, float]]
    is_total: bool = False


@dataclass(frozen=True)
class Chart:
    """Bars with the table that holds the same figures, and the sentence about them."""

    id: str
    title: str
    sentence: str
    bars: Sequence[Bar]
    is_sure: bool = False


@bp.get("/")
@requires("fairness:read")
def index() -> str:
    """The figures of the newest release, one side at a time; no person is read."""
    release = fairness.latest(db.session, g.user)
    side, months = _side(request.args.get("of", "")), _months()
    return render_template(
        "fairness/index.html",
        release=release,
        is_current=release is not None and release.quarter == quarter_of(datetime.now(UTC)),
        side=side,
        months=months,
        periods=PERIODS,
        charts=_charts(release, side, str(months)) if release else [],
        columns=_columns(side),
        kinds=_kinds(side),
        least=_least(release),
    )


@bp.get("/<any(decision, contact, spread):of>.csv")
@requires("fairness:read")
def table(of: str) -> Response:
    """The same figures for a spreadsheet."""
    release = fairness.latest(db.session, g.user)
    if release is None:
        raise NotFound("fairness.none")
    months = _months()
    buffer = io.StringIO()
    lines = csv.writer(buffer)
    lines.writerow([_("Comparison"), *_columns(of)])
    for chart in _charts(release, of, str(months)):
        lines.writerows(
            [plain(chart.title), plain(bar.name), *map(plain, bar.cells)] for bar in chart.bars
        )
    answer = Response(buffer.getvalue(), mimetype="text/csv")
    name = f"fairness-{of}-{release.quarter}-{months}-months.csv"
    answer.headers["Content-Disposition"] = f'attachment; filename="{name}"'
    return answer


@bp.post("/make")
@requires("office:read")
def make() -> Answer:
    """A supervisor does not wait for the night: the office's figures of this quarter, where there are none yet."""
    jobs().publish_fairness_of(str(g.user.office_id), str(g.user.id))
    flash(_("The figures are being made. Open this page again in a minute."), "info")
    return redirect(url_for(".index"), 303)


def _side(asked: str) -> str:
    return asked if asked in SIDES else SIDES[0]


def _months() -> int:
    asked = request.args.get("months", type=int)
    return asked if asked in PERIODS else PERIODS[-1]


def _least(release: FairnessRelease | None) -> int:
    """How many people any figure wants."""
    usual: int = current_app.config["SETTINGS"].COUNT_THRESHOLD
    return MEDIAN_TIMES * (release.threshold if release else usual)


def _charts(release: FairnessRelease, side: str, months: str) -> list[Chart]:
    if side == SPREAD:
        rows = sorted(
            release.content[SPREAD],
            key=lambda row: (-(from_json(row["people"][months]).count or 0), row["category"]),
        )
        return [
            _shares(f"spread-{at}", row, months, release.threshold)
            for at, row in enumerate(rows, 1)
        ]
    waits = release.content["waiting"]
    return [_waits(waits, side, cut, months, release.threshold) for cut in (EVERYBODY, *CUTS)]


def _waits(waits: Mapping[str, Any], measure: str, cut: str, months: str, threshold: int) -> Chart:
    found = (
        findings.of_everybody(waits, measure, months)
        if cut == EVERYBODY
        else findings.of_groups(waits, measure, cut, months, _area)
    )
    bars = []
    # Groups that are told apart, then what was put together, then who is in none.
    rows = sorted(
        waits[measure][cut]["groups"],
        key=lambda row: (
            row["group"] == UNKNOWN,
            cut == "area" and row["group"].endswith("+"),
            row["group"],
        ),
    )
    for row in rows:
        people = from_json(row["people"][months])
        bands = [from_json(cell) for cell in row["bands"][months]]
        words = [_words(cell, threshold) for cell in bands]
        cells = [_words(people, threshold), _median(row["median"][months]), *words]
        name = capital(say(findings.group_name(cut, row["group"], _area)))
        bars.append(Bar(name, cells, _parts(people, bands)))
    return Chart(
        f"{measure}-{cut}", _titles()[cut], capital(say(found.sentence)), bars, found.is_sure
    )


def _shares(chart_id: str, row: Mapping[str, Any], months: str, threshold: int) -> Chart:
    total = from_json(row["people"][months])
    agencies = [(from_json(one["people"][months]), one) for one in row["agencies"]]
    # In the order of what is shown: the true order would tell hidden counts apart.
    agencies.sort(key=lambda pair: (-(pair[0].count or 0), pair[1]["name"]))
    bars = []
    for cell, one in agencies:
        share = 100 * cell.count / total.count if cell.count and total.count else None
        words = f"{round(share)} %" if share is not None else "–"
        room = number(one["room"], chosen()) if one["room"] is not None else _("not known")
        parts = [("km", 0.0, share)] if share is not None else []
        bars.append(Bar(one["name"], [_words(cell, threshold), words, room], parts))
    room = number(row["room"], chosen()) if row["room"] is not None else _("not known")
    all_words = [_words(total, threshold), "100 %" if total.count else "–", room]
    name = findings.category_name(row, category_name)
    title = capital(say(name) if isinstance(name, Message) else name)
    sentence = say(findings.of_spread(row, months, category_name, threshold=threshold))
    return Chart(
        chart_id,
        title,
        capital(sentence),
        [*bars, Bar(_("Together"), all_words, [], is_total=True)],
    )


def _parts(people: Cell, bands: Iterable[Cell]) -> list[tuple[str, float, float]]:
    """The bands that are shown, in per cent of the group; what is left was not shown."""
    if not people.count:
        return []
    parts, left = [], 0.0
    for at, cell in enumerate(bands):
        if cell.count:
            width = 100 * cell.count / people.count
            parts.append((f"band-{at}", left, width))
            left += width
    return parts


def _words(cell: Cell, threshold: int) -> str:
    if cell.count is not None:
        return number(cell.count, chosen())
    return mark(cell.shown, threshold)


def _median(found: Mapping[str, Any] | None) -> str:
    if found is None:
        return "–"
    return _("not yet half") if found["days"] is None else number(found["days"], chosen())


def _columns(side: str) -> list[str]:
    if side == SPREAD:
        return [_("Agency"), _("People"), _("Share"), _("Room it has told")]
    return [_("Group"), _("People"), _("Half within (days)"), *_bands()]


def _kinds(side: str) -> list[tuple[str, str]]:
    """What the colours of a chart stand for."""
    if side == SPREAD:
        return []
    bands = [(f"band-{at}", words) for at, words in enumerate(_bands())]
    return [*bands, ("band-none", _("not shown"))]


def _bands() -> list[str]:
    words = {"31+": _("over 30 days"), "waiting": _("still waiting"), "ended": _("ended without")}
    days = {band: _("%(band)s days", band=band.replace("-", "–")) for band in BANDS}
    return [words.get(band, days[band]) for band in BANDS]


def _titles() -> dict[str, str]:
    return {
        EVERYBODY: _("Everybody"),
        "sex": _("Women and men"),
        "age": _("Age"),
        "disability": _("Disability"),
        "area": _("Where they stay"),
    }


def _area(code: str) -> str:
    places = gazetteer(db.session)
    return places.label(code) if code in places else code
