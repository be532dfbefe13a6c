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
from referral.planning.models import NewServiceNotice, Proposal, ProposalStatus
from referral.referrals.queries import ended_in_vain
from referral.web.access import requires
from referral.web.answers import Answers
from referral.web.formatting import say
from referral.web.language import chosen
from referral.web.naming import area_name, category_name
from referral.web.reading import seen

bp = Blueprint("planning", __name__)
Page = str | Answer | tuple[str, int]


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
def proposal_new() -> Page:
    """Start a proposal from a gap; its problem statement is filled in from the counts."""
    area, category = request.args.get("area", ""), request.args.get("category", "")
    _table, rows = _gaps(db.session, None)
    gap = next((row for row in rows if (row.area, row.category) == (area, category)), None)
    if gap is None or not gap.can_propose:
        raise Invalid("planning.area", field="area_code")
    if request.method == "POST":
        answers = Answers(request.form)
        title, problem = (
            answers.text("title"),
            answers.text("problem", longest=operations.TEXT_LIMIT),
        )
        capacity = answers.whole("capacity", 1, operations.CAPACITY_LIMIT)
        if not answers.errors:
            try:
                proposal = operations.propose(
                    db.session,
                    category=category,
                    area_code=area,
                    title=title or "",
                    problem=problem or "",
                    capacity=capacity,
                    by=g.user,
                    now=datetime.now(UTC),
                )
            except Invalid as error:
                answers.refused(error, "title", "problem", "capacity")
            else:
                db.session.commit()
                flash(_("The proposal is recorded."), "good")
                return redirect(url_for(".proposal", proposal_id=proposal.id), 303)
    else:
        title = _("%(category)s in %(area)s", category=gap.category_name, area=gap.area_name)
        answers = Answers.of(title=title, problem=gap.sentence)
    page = render_template("planning/proposal_new.html", gap=gap, answers=answers)
    return page, answers.status


@bp.get("/proposals/<uuid:proposal_id>")
@requires("proposal:write")
def proposal(proposal_id: UUID) -> Page:
    """One proposal: the plan, its history, and the next step."""
    return _show(queries.get_proposal(db.session, proposal_id))


def _show(found: Proposal, tried: Answers | None = None) -> Page:
    answers = tried or Answers()
    asked = "name" in answers.given
    page = render_template(
        "planning/proposal.html",
        proposal=found,
        next_statuses=operations.NEXT[found.status],
        answers=answers,
        is_confidential=answers.ticked("confidential")
        if asked
        else found.category in VIOLENT_NEEDS,
        category_name=category_name,
        area_name=area_name,
    )
    return page, answers.status


@bp.post("/proposals/<uuid:proposal_id>/<any(in_development, funded, dropped):status>")
@requires("proposal:write")
def proposal_move(proposal_id: UUID, status: str) -> Page:
    """Take the proposal one status further."""
    found = queries.get_proposal(db.session, proposal_id)
    answers = Answers(request.form)
    note = answers.text("note", longest=operations.TEXT_LIMIT)
    if not answers.errors:
        try:
            operations.move(
                db.session,
                found,
                ProposalStatus(status),
                note=note or "",
                by=g.user,
                now=datetime.now(UTC),
            )
        except Invalid as error:
            answers.refused(error, "note")
    if answers.errors:
        return _show(found, answers)
    db.session.commit()
    flash(_("The proposal moved on."), "good")
    return redirect(url_for(".proposal", proposal_id=proposal_id), 303)


@bp.post("/proposals/<uuid:proposal_id>/opened")
@requires("proposal:write")
def proposal_open(proposal_id: UUID) -> Page:
    """The resource exists now: make its listing and tell the brokers whose clients wait."""
    found = queries.get_proposal(db.session, proposal_id)
    answers = Answers(request.form)
    told = False
    try:
        opening = _opening(found, answers)
        if not answers.errors:
            _site, notices = operations.open_resource(
                db.session, found, opening, by=g.user, now=datetime.now(UTC)
            )
            told = bool(notices)
    except Invalid as error:
        answers.refused(error, *_OPENING)
    if answers.errors:
        return _show(found, answers)
    db.session.commit()
    flash(
        _("The service is listed, and the brokers whose clients wait were told.")
        if told
        else _("The service is listed. Nobody is waiting whom it fits."),
        "good",
    )
    return redirect(url_for(".proposal", proposal_id=proposal_id), 303)


_OPENING = ("name", "organization", "address", "hours", "phone")


def _opening(found: Proposal, answers: Answers) -> operations.Opening:
    typed = {name: answers.text(name) or "" for name in _OPENING}
    return operations.Opening(
        name=typed["name"],
        organization=typed["organization"],
        category=found.category,
        area_code=found.area_code,
        address=typed["address"],
        hours=_hours(typed["hours"]),
        phone=typed["phone"],
        confidential=answers.ticked("confidential"),
    )


def _hours(text: str) -> list[Schedule]:
    if not text:
        return []
    try:
        return [
            Schedule(
                freq="WEEKLY",
                byday=opening.byday,
                opens_at=opening.opens_at,
                closes_at=opening.closes_at,
                description=text,
            )
            for opening in parse(text)
        ]
    except ValueError:
        raise Invalid("planning.opening.hours", field="hours") from None


@bp.route("/needs/<uuid:need_id>/unmet", methods=["GET", "POST"])
@requires("unmet:confirm")
def record_unmet(need_id: UUID) -> Page:
    """Record that nothing meets a need, with the reason that is already known filled in."""
    need = casework.get_need(db.session, g.user, need_id)
    receipt = _receipt_of(need) or latest_receipt(db.session, need.id)
    referral = ended_in_vain(db.session, need.id)
    suggested = operations.suggest(db.session, need, receipt, referral)
    reasons = queries.reasons(db.session)
    if request.method == "POST":
        answers = Answers(request.form)
        codes = [reason.code for reason in reasons]
        reason = answers.choice("reason", codes)
        answers.require("reason", reason, say(Message("planning.reason")))
        secondary = answers.choices("secondary", codes)
        if not answers.errors:
            operations.record_unmet(
                db.session,
                need,
                reason=reason or "",
                secondary=[code for code in secondary if code != reason],
                receipt=receipt,
                referral=referral,
                by=g.user,
                now=datetime.now(UTC),
            )
            case_id = need.case_id
            db.session.commit()
            flash(_("Recorded as unmet. When a fitting service appears, you will be told."), "good")
            return redirect(url_for("casework.case", case_id=case_id), 303)
    else:
        answers = (
            Answers.of(reason=suggested.reason, secondary=suggested.secondary)
            if suggested
            else Answers()
        )
    seen(need, client_id=need.case.client_id)
    page = render_template(
        "planning/unmet.html",
        need=need,
        receipt=receipt,
        reasons=reasons,
        told_by=suggested.told_by if suggested else None,
        category=category_name(need.category),
        answers=answers,
    )
    return page, answers.status


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
