"""Planners' pages: gaps as counts, proposals. And the broker's: recording an unmet need, new services."""

from datetime import UTC, datetime
from pathlib import Path
from uuid import UUID

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
from sqlalchemy.orm import Session
from werkzeug.wrappers import Response as Answer

from referral.casework import queries as casework
from referral.casework.models import Need
from referral.core.errors import Invalid, NotFound
from referral.core.paging import page_of
from referral.core.text import Message
from referral.directory.hours import parse
from referral.directory.models import Schedule
from referral.directory.reference import taxonomy
from referral.extensions import db
from referral.matching.models import MatchReceipt
from referral.matching.queries import get_receipt, latest_receipt
from referral.matching.rules import VIOLENT_NEEDS
from referral.places.queries import gazetteer
from referral.planning import gapmap, operations, queries
from referral.planning.disclosure import Shown, Table, protect
from referral.planning.models import NewServiceNotice, ProposalStatus
from referral.web.access import requires
from referral.web.formatting import say
from referral.web.language import chosen
from referral.web.naming import area_name, category_name
from referral.web.reading import seen

bp = Blueprint("planning", __name__)


class GapRow:
    """One gap as a planner may see it: area, category, people in words, and the nearest service."""

    def __init__(self, area: str, category: str, table: Table, nearest: queries.Nearest) -> None:
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


def _gaps(session: Session, domain: str | None) -> tuple[Table, list[GapRow]]:
    """The table after disclosure control, and its rows that are not zero, most people first.

    The whole table is protected before a filter is applied: protecting each filter for itself would let
    two of them be subtracted.
    """
    raw = queries.counts(session)
    table = protect(raw, threshold=current_app.config["SETTINGS"].COUNT_THRESHOLD)
    pairs = [
        pair for pair, count in raw.items() if count and (not domain or pair[1].startswith(domain))
    ]
    nearest = queries.nearest(session, gazetteer(session), pairs)
    rows = [GapRow(area, category, table, nearest[area, category]) for area, category in pairs]
    rows.sort(key=lambda row: (-(row.people or 0), row.is_withheld, row.area_name, row.category))
    return table, rows


def _domain() -> str | None:
    asked = request.args.get("domain", "")
    return asked if asked in {term.code for term in taxonomy().domains()} else None


@bp.get("/gaps")
@requires("gap:read")
def gaps() -> str:
    """Where help is missing: counts by category and area, never people."""
    domain = _domain()
    table, rows = _gaps(db.session, domain)
    return render_template(
        "planning/gaps.html",
        table=table,
        rows=rows,
        total=_people(table.total.count, table.total.shown, table.threshold),
        withheld=sum(row.people is None for row in rows),
        domain=domain,
        domains=[(term.code, term.name[chosen()]) for term in taxonomy().domains()],
    )


@bp.get("/gaps/map")
@requires("gap:read")
def gap_map() -> Response:
    """The same numbers on a map, for the frame in the gap page."""
    _table, rows = _gaps(db.session, _domain())
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


@bp.get("/proposals")
@requires("proposal:write")
def proposals() -> str:
    """Plans for new resources, under way or ended."""
    ended = request.args.get("ended") == "1"
    page = page_of(
        db.session, queries.proposals(ended=ended), number=request.args.get("page", 1, type=int)
    )
    return render_template(
        "planning/proposals.html",
        page=page,
        ended=ended,
        category_name=category_name,
        area_name=area_name,
    )


@bp.route("/proposals/new", methods=["GET", "POST"])
@requires("proposal:write")
def proposal_new() -> str | Answer | tuple[str, int]:
    """Start a proposal from a gap; its problem statement is filled in from the counts."""
    area, category = request.args.get("area", ""), request.args.get("category", "")
    _table, rows = _gaps(db.session, None)
    gap = next((row for row in rows if (row.area, row.category) == (area, category)), None)
    if gap is None or not gap.can_propose:
        raise Invalid("planning.area", field="area_code")
    given = request.form if request.method == "POST" else {}
    values = {
        "title": given.get(
            "title", _("%(category)s in %(area)s", category=gap.category_name, area=gap.area_name)
        ),
        "problem": given.get("problem", gap.sentence),
        "capacity": given.get("capacity", ""),
    }
    errors: list[tuple[str, str]] = []
    if request.method == "POST":
        try:
            proposal = operations.propose(
                db.session,
                category=category,
                area_code=area,
                title=values["title"],
                problem=values["problem"],
                capacity=_whole(values["capacity"]),
                by=g.user,
                now=datetime.now(UTC),
            )
        except Invalid as error:
            db.session.rollback()
            errors = [(str(error.field), say(error.message))]
        else:
            db.session.commit()
            flash(_("The proposal is recorded."), "good")
            return redirect(url_for(".proposal", proposal_id=proposal.id), 303)
    page = render_template("planning/proposal_new.html", gap=gap, values=values, errors=errors)
    return (page, 422) if errors else page


def _whole(text: str) -> int | None:
    if not text.strip():
        return None
    try:
        return int(text)
    except ValueError:
        raise Invalid("planning.capacity", field="capacity") from None


@bp.get("/proposals/<uuid:proposal_id>")
@requires("proposal:write")
def proposal(proposal_id: UUID) -> str:
    """One proposal: the plan, its history, and the next step."""
    return _show(proposal_id, {}, [])


def _show(proposal_id: UUID, values: dict[str, str], errors: list[tuple[str, str]]) -> str:
    found = queries.get_proposal(db.session, proposal_id)
    return render_template(
        "planning/proposal.html",
        proposal=found,
        next_statuses=operations.NEXT[found.status],
        values=values,
        errors=errors,
        is_confidential=bool(values.get("confidential"))
        if values
        else found.category in VIOLENT_NEEDS,
        category_name=category_name,
        area_name=area_name,
    )


@bp.post("/proposals/<uuid:proposal_id>/<any(in_development, funded, dropped):status>")
@requires("proposal:write")
def proposal_move(proposal_id: UUID, status: str) -> str | Answer | tuple[str, int]:
    """Take the proposal one status further."""
    found = queries.get_proposal(db.session, proposal_id)
    note = request.form.get("note", "")
    try:
        operations.move(
            db.session, found, ProposalStatus(status), note=note, by=g.user, now=datetime.now(UTC)
        )
    except Invalid as error:
        db.session.rollback()
        return _show(proposal_id, {"note": note}, [(str(error.field), say(error.message))]), 422
    db.session.commit()
    flash(_("The proposal moved on."), "good")
    return redirect(url_for(".proposal", proposal_id=proposal_id), 303)


@bp.post("/proposals/<uuid:proposal_id>/opened")
@requires("proposal:write")
def proposal_open(proposal_id: UUID) -> str | Answer | tuple[str, int]:
    """The resource exists now: make its listing and tell the brokers whose clients wait."""
    found = queries.get_proposal(db.session, proposal_id)
    values = request.form.to_dict()
    try:
        _site, notices = operations.open_resource(
            db.session,
            found,
            operations.Opening(
                name=values.get("name", ""),
                organization=values.get("organization", ""),
                category=found.category,
                area_code=found.area_code,
                address=values.get("address", ""),
                hours=_hours(values.get("hours", "")),
                phone=values.get("phone", ""),
                confidential=bool(values.get("confidential")),
            ),
            by=g.user,
            now=datetime.now(UTC),
        )
    except Invalid as error:
        db.session.rollback()
        return _show(proposal_id, values, [(str(error.field), say(error.message))]), 422
    told = bool(notices)
    db.session.commit()
    flash(
        _("The service is listed, and the brokers whose clients wait were told.")
        if told
        else _("The service is listed. Nobody is waiting whom it fits."),
        "good",
    )
    return redirect(url_for(".proposal", proposal_id=proposal_id), 303)


def _hours(text: str) -> list[Schedule]:
    if not text.strip():
        return []
    try:
        return [
            Schedule(
                freq="WEEKLY",
                byday=opening.byday,
                opens_at=opening.opens_at,
                closes_at=opening.closes_at,
                description=text.strip(),
            )
            for opening in parse(text)
        ]
    except ValueError:
        raise Invalid("planning.opening.hours", field="hours") from None


@bp.route("/needs/<uuid:need_id>/unmet", methods=["GET", "POST"])
@requires("unmet:confirm")
def record_unmet(need_id: UUID) -> str | Answer | tuple[str, int]:
    """Record that nothing meets a need, with the reason that the match itself tells filled in."""
    need = casework.get_need(db.session, g.user, need_id)
    receipt = _receipt_of(need) or latest_receipt(db.session, need.id)
    known = queries.open_unmet(db.session, [need.id]).get(need.id)
    suggested = known.reason if known else operations.reason_from(receipt) if receipt else None
    reason = request.form.get("reason", suggested or "")
    errors: list[tuple[str, str]] = []
    if request.method == "POST":
        try:
            operations.record_unmet(
                db.session,
                need,
                reason=reason,
                secondary=[code for code in request.form.getlist("secondary") if code != reason],
                receipt=receipt,
                by=g.user,
                now=datetime.now(UTC),
            )
        except Invalid as error:
            db.session.rollback()
            need = casework.get_need(db.session, g.user, need_id)
            errors = [(str(error.field), say(error.message))]
        else:
            case_id = need.case_id
            db.session.commit()
            flash(_("Recorded as unmet. When a fitting service appears, you will be told."), "good")
            return redirect(url_for("casework.case", case_id=case_id), 303)
    seen(need, client_id=need.case.client_id)
    page = render_template(
        "planning/unmet.html",
        need=need,
        receipt=receipt,
        reasons=queries.reasons(db.session),
        reason=reason,
        suggested=suggested,
        category=category_name(need.category),
        errors=errors,
    )
    return (page, 422) if errors else page


def _receipt_of(need: Need) -> MatchReceipt | None:
    """The receipt that the address names; what another need was told is no evidence for this one."""
    asked = request.values.get("receipt", "")
    if not asked:
        return None
    try:
        receipt = get_receipt(db.session, g.user, UUID(asked))
    except ValueError:
        raise NotFound("match.receipt.unknown") from None
    if receipt.need_id != need.id:
        raise NotFound("match.receipt.unknown")
    return receipt


@bp.post("/notices/<uuid:notice_id>/seen")
@requires("unmet:confirm")
def notice_seen(notice_id: UUID) -> Answer:
    """A broker has looked at a new service; on to the need it may fit."""
    notice = db.session.get(NewServiceNotice, notice_id)
    mine = {each.id: need for each, need, _site in queries.notices(db.session, g.user)}
    if notice is None or notice.id not in mine:
        return redirect(url_for("casework.index"), 303)
    case_id = mine[notice.id].case_id
    operations.see(notice, now=datetime.now(UTC))
    db.session.commit()
    return redirect(url_for("casework.case", case_id=case_id), 303)
