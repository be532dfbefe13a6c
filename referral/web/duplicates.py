"""A curator looks at two listings side by side and says whether they are one; merges can be taken back."""

from collections.abc import Sequence
from datetime import UTC, date, datetime
from typing import Any
from uuid import UUID

from flask import Blueprint, flash, g, redirect, render_template, request, url_for
from flask_babel import gettext as _
from werkzeug.wrappers import Response

from referral.core.errors import Invalid, JejaringError
from referral.core.text import Message, day, km, listed, number
from referral.directory import phones, words
from referral.directory import queries as directory
from referral.directory.duplicates import merging, preview, queries, undoing
from referral.directory.duplicates.merging import GONE, KEPT, Choices
from referral.directory.duplicates.models import DuplicatePair, PairStatus
from referral.directory.duplicates.preview import Line, Preview, SiteLine
from referral.directory.queries import Listing, Site
from referral.extensions import db
from referral.places.gazetteer import Gazetteer
from referral.places.queries import gazetteer
from referral.referrals.standing import push_standing
from referral.web.access import requires
from referral.web.formatting import capital, label, say
from referral.web.language import chosen

bp = Blueprint("duplicates", __name__, url_prefix="/directory/duplicates")
Page = str | Response | tuple[str, int]

#: Reasons told in the list; the page of a pair tells all.
REASONS_SHOWN = 3
APART = "apart"


@bp.get("/")
@requires("listing:approve")
def index() -> Page:
    """Pairs that may be one listing, most alike first."""
    page = queries.waiting(db.session, page=request.args.get("page", 1, type=int))
    ids = {one for pair in page.items for one in (pair.first_id, pair.second_id)}
    places = gazetteer(db.session)
    listings = directory.by_ids(db.session, ids)
    pairs = [
        {
            "pair": pair,
            "both": [
                _in_list(listings[one], places)
                for one in (pair.first_id, pair.second_id)
                if one in listings
            ],
            "reasons": _reasons(pair)[:REASONS_SHOWN],
        }
        for pair in page.items
    ]
    return render_template(
        "duplicates/index.html",
        page=page,
        pairs=pairs,
        page_url=lambda number: url_for(".index", page=number),
    )


@bp.get("/<uuid:pair_id>")
@requires("listing:approve")
def show(pair_id: UUID) -> Page:
    """Two listings side by side, and what merging them would do; `?keep=` names the one that stays."""
    return _review(queries.get_pair(db.session, pair_id))


@bp.post("/<uuid:pair_id>/merge")
@requires("listing:approve")
def merge(pair_id: UUID) -> Page:
    """Make one of the two, as the form chose."""
    pair = queries.get_pair(db.session, pair_id)
    now = datetime.now(UTC)
    try:
        if pair.status is not PairStatus.OPEN:
            raise Invalid("duplicates.pair.decided")
        kept_id, gone_id = _sides(pair)
        made = merging.merge(db.session, kept_id, gone_id, _choices(), by=g.user, now=now)
        for one in (kept_id, gone_id):
            push_standing(db.session, one, now=now)
    except JejaringError as error:
        db.session.rollback()
        return _review(queries.get_pair(db.session, pair_id), say(error.message)), 409
    merge_id = made.id
    db.session.commit()
    flash(_("The two are one listing now."), "good")
    return redirect(url_for(".merged", merge_id=merge_id), 303)


@bp.post("/<uuid:pair_id>/different")
@requires("listing:approve")
def different(pair_id: UUID) -> Page:
    """Say that the two are not the same, and go on to the next pair."""
    pair = queries.get_pair(db.session, pair_id)
    try:
        merging.differ(db.session, pair, by=g.user, now=datetime.now(UTC))
    except JejaringError as error:
        db.session.rollback()
        flash(say(error.message), "bad")
        return redirect(url_for(".index"), 303)
    db.session.commit()
    flash(_("Noted: they are two. They will not be shown together again."), "good")
    following = queries.next_pair(db.session)
    where = url_for(".index") if following is None else url_for(".show", pair_id=following.id)
    return redirect(where, 303)


@bp.get("/merges")
@requires("listing:approve")
def merges() -> Page:
    """What was merged, newest first."""
    page = queries.merges(db.session, page=request.args.get("page", 1, type=int))
    ids = {one for merge in page.items for one in (merge.kept_id, merge.gone_id)}
    return render_template(
        "duplicates/merges.html",
        page=page,
        names=queries.names(db.session, ids),
        page_url=lambda number: url_for(".merges", page=number),
    )


@bp.get("/merges/<uuid:merge_id>")
@requires("listing:approve")
def merged(merge_id: UUID) -> Page:
    """One merge: what moved, and what taking it back would restore."""
    found = queries.get_merge(db.session, merge_id)
    problem, plan = None, None
    try:
        plan = undoing.plan(db.session, found)
    except JejaringError as error:
        problem = say(error.message)
    following = queries.next_pair(db.session)
    return render_template(
        "duplicates/merged.html",
        merge=found,
        names=queries.names(db.session, {found.kept_id, found.gone_id}),
        moved=[(_rows_named(name), len(rows)) for name, rows in found.moved.items()],
        plan=plan,
        problem=problem,
        following=following,
    )


@bp.post("/merges/<uuid:merge_id>/undo")
@requires("listing:approve")
def undo(merge_id: UUID) -> Page:
    """Take a merge back."""
    found = queries.get_merge(db.session, merge_id)
    kept_id, gone_id, now = found.kept_id, found.gone_id, datetime.now(UTC)
    try:
        left = undoing.undo(db.session, found, by=g.user, now=now)
    except JejaringError as error:
        db.session.rollback()
        flash(say(error.message), "bad")
        return redirect(url_for(".merged", merge_id=merge_id), 303)
    for one in (kept_id, gone_id):
        push_standing(db.session, one, now=now)
    db.session.commit()
    flash(_("They are two listings again."), "good")
    for sentence in left:
        flash(say(sentence), "wait")
    return redirect(url_for(".merges"), 303)


def _review(pair: DuplicatePair, problem: str | None = None) -> str:
    names = queries.names(db.session, {pair.first_id, pair.second_id})
    kept_id, gone_id = _sides(pair)
    places = gazetteer(db.session)
    seen = None
    try:
        seen = preview.preview(db.session, kept_id, gone_id, places, chosen())
    except JejaringError as error:
        problem = problem or say(error.message)
    return render_template(
        "duplicates/review.html",
        pair=pair,
        names=names,
        kept_id=kept_id,
        gone_id=gone_id,
        reasons=_reasons(pair),
        score=_percent(pair.score),
        problem=problem,
        preview=seen,
        parts=_parts(seen, places) if seen else None,
    )


def _parts(seen: Preview, places: Gazetteer) -> dict[str, Any]:
    """The tables of the page: fields, what is only shown, sites, and what moves."""
    listings = directory.by_ids(db.session, [seen.kept.id, seen.gone.id])
    kept, gone = listings[seen.kept.id], listings[seen.gone.id]
    return {
        "choices": [_line(line) for line in seen.lines if line.is_choice],
        "others": [_line(line) for line in seen.lines if not line.is_choice],
        "shown": _only_shown(kept, gone),
        "sites": [_site_line(line, kept, gone, places) for line in seen.sites],
        "moves": [(_rows_named(name), count) for name, count in seen.moves],
        "where": [_where(one, places) for one in (kept, gone)],
    }


def _line(line: Line) -> dict[str, Any]:
    return {
        "name": line.name,
        "label": _field_named(line.name),
        "kept": _shown(line.kept),
        "gone": _shown(line.gone),
        "proposed": request.form.get(f"field-{line.name}", line.proposed),
        "differs": line.differs,
    }


def _only_shown(kept: Listing, gone: Listing) -> list[dict[str, Any]]:
    """What both listings have side by side afterwards: nothing to choose."""

    def row(name: str, of: Any) -> dict[str, Any]:
        left, right = of(kept), of(gone)
        return {
            "label": _rows_named(name),
            "kept": ", ".join(left),
            "gone": ", ".join(right),
            "differs": set(left) != set(right),
        }

    numbers = [
        {phones.dial(phone.number, phone.extension): phone.number for phone in one.service.phones}
        for one in (kept, gone)
    ]
    calls = {
        "label": _rows_named("phone"),
        "kept": ", ".join(numbers[0].values()),
        "gone": ", ".join(numbers[1].values()),
        "differs": set(numbers[0]) != set(numbers[1]),
    }
    rows = [
        calls,
        row(
            "service_category",
            lambda one: [label(f"category.{c.code}") for c in one.service.categories],
        ),
        row("required_document", lambda one: [d.document for d in one.service.required_documents]),
    ]
    return [one for one in rows if one["kept"] or one["gone"]]


def _site_line(line: SiteLine, kept: Listing, gone: Listing, places: Gazetteer) -> dict[str, Any]:
    ours = {site.id: site for site in kept.sites}
    theirs = {site.id: site for site in gone.sites}
    choices = [
        (
            str(site_id),
            _("The same place as: %(place)s", place=_place(ours[site_id], places)),
            "" if distance is None else _("%(km)s apart", km=km(distance, chosen())),
        )
        for site_id, distance in line.others
    ]
    choices.append((APART, _("A place of its own: both are kept"), ""))
    proposed = str(line.same_as) if line.same_as else APART
    return {
        "id": str(line.site_id),
        "place": _place(theirs[line.site_id], places),
        "choices": choices,
        "proposed": request.form.get(f"site-{line.site_id}", proposed),
        "takes_place": request.form.get(f"place-{line.site_id}", KEPT),
        "may_be_same": len(choices) > 1,
    }


def _place(site: Site, places: Gazetteer) -> str:
    if site.confidential:
        return str(_("a confidential place"))
    parts = [
        site.address.address_1 if site.address else "",
        words.place_name(places, site.area_code),
    ]
    said = ", ".join(part for part in parts if part)
    return said if said else str(_("a place not known"))


def _where(listing: Listing, places: Gazetteer) -> str:
    return "; ".join(_place(site, places) for site in listing.sites)


def _in_list(listing: Listing, places: Gazetteer) -> dict[str, Any]:
    service = listing.service
    return {
        "id": service.id,
        "name": service.name,
        "organization": listing.organization.name,
        "where": _where(listing, places),
        "source": service.source_title or service.source or "",
    }


def _sides(pair: DuplicatePair) -> tuple[UUID, UUID]:
    """The listing that is kept and the other: as asked, else the one that more is known of."""
    both = (pair.first_id, pair.second_id)
    asked = request.values.get("keep", "")
    for one, other in (both, both[::-1]):
        if asked == str(one):
            return one, other
    listings = directory.by_ids(db.session, both)
    ordered = sorted(both, key=lambda one: _known_of(listings.get(one)), reverse=True)
    return ordered[0], ordered[1]


def _known_of(listing: Listing | None) -> tuple[bool, bool, int]:
    if listing is None:
        return False, False, 0
    service = listing.service
    parts = (
        service.phones,
        service.schedules,
        service.required_documents,
        service.cost_options,
        service.eligibility_rules,
        service.entry_steps,
    )
    has = sum(map(bool, parts)) + sum(
        bool(getattr(service, name)) for name in ("description", "email", "url")
    )
    has += sum(
        site.point_source == "facility" or site.address is not None for site in listing.sites
    )
    return listing.is_shown_in_searches, service.assured_date is not None, has


def _choices() -> Choices:
    form = request.form
    fields = {
        name.removeprefix("field-"): side for name, side in form.items() if name[:6] == "field-"
    }
    sites: dict[UUID, UUID | None] = {}
    places = set()
    for name, value in form.items():
        if not name.startswith("site-"):
            continue
        try:
            site_id = UUID(name.removeprefix("site-"))
            sites[site_id] = None if value == APART else UUID(value)
        except ValueError:
            raise Invalid("duplicates.merge.no_choice", field="sites") from None
        if value != APART and form.get(f"place-{site_id}") == GONE:
            places.add(site_id)
    return Choices(fields, sites, frozenset(places))


def _reasons(pair: DuplicatePair) -> list[dict[str, Any]]:
    """What speaks for the pair first, then what speaks against it, the weightiest first."""
    told = [
        {"points": one["points"], "text": say(Message.from_json(one)), "speaks": one["points"] > 0}
        for one in pair.reasons
    ]
    return sorted(told, key=lambda one: (not one["speaks"], -abs(one["points"])))


def _percent(score: float) -> str:
    return number(score * 100, chosen(), digits=0)


def _shown(value: preview.Shown) -> str:
    if value is None:
        return ""
    if isinstance(value, Message):
        return capital(say(value))
    if isinstance(value, date):
        return day(value, chosen())
    if isinstance(value, (int, float)):
        return number(value, chosen())
    if isinstance(value, Sequence) and not isinstance(value, str):
        return listed([_shown(one) for one in value], chosen())
    return str(value)


def _rows_named(name: str) -> str:
    return capital(label(f"duplicates.rows.{name}"))


def _field_named(name: str) -> str:
    return capital(label(f"duplicates.field.{name}"))
