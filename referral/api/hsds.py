"""HSDS 3.2.3's endpoints under /api/hsds: open, read-only, in the shapes of the standard."""

from collections.abc import Callable, Iterable, Iterator
from typing import Any
from uuid import UUID

from flask import Blueprint, Response, request, url_for
from werkzeug.http import http_date

from referral.accounts.permissions import changes_nothing, public
from referral.api import openapi
from referral.api.answers import answer, of_the_work, stream
from referral.api.asking import Asked, asked, read
from referral.core.errors import JejaringError, NotFound
from referral.directory.hsds import finding
from referral.directory.hsds.compiled import Listings, minimal
from referral.directory.hsds.shape import VERSION
from referral.directory.hsds.telling import Document
from referral.extensions import db

bp = Blueprint("hsds", __name__, url_prefix="/api/hsds")
bp.register_error_handler(JejaringError, of_the_work)

PROFILE = "https://docs.openreferral.org/en/v3.2.3/hsds/"
TABLES = {
    "services": "service",
    "organizations": "organization",
    "service_at_locations": "service_at_location",
    "taxonomies": "taxonomy",
    "taxonomy_terms": "taxonomy_term",
}
Documents = Callable[[list[UUID]], Iterable[Document]]


@bp.get("/", strict_slashes=False)
@public
def about() -> Response:
    """What this API is."""
    return answer(
        {
            "version": VERSION,
            "profile": PROFILE,
            "openapi_url": url_for("hsds.description", _external=True),
            "description": openapi.SUMMARY,
            "data_guide": url_for("downloads.show", _external=True),
        }
    )


@bp.get("/openapi.json")
@public
def description() -> Response:
    """What it takes and gives, in OpenAPI 3.1."""
    return answer(openapi.described())


@bp.get("/<any(services, organizations, service_at_locations, taxonomies, taxonomy_terms):listed>")
@public
def listing(listed: str) -> Response:
    """One of the lists."""
    return _list(listed)


@bp.post("/<any(services, organizations, service_at_locations, taxonomies, taxonomy_terms):listed>")
@public
@changes_nothing
def posted_listing(listed: str) -> Response:
    """The same list, asked for in a body: so what is looked for stands in no address."""
    return _list(listed)


@bp.get("/services/<row_id>")
@public
def service(row_id: str) -> Response:
    """A service with everything that belongs to it."""
    read((), request.args)
    found = Listings.of_services(db.session, [_id(row_id)])
    told = _there(found.service(_id(row_id)))
    response = _dated(answer(told), found.modified_at("service", _id(row_id)))
    kept = found.merged_into(_id(row_id))
    if kept and Listings.in_short(db.session, "service", [kept]).short("service", kept):
        address = url_for("hsds.service", row_id=kept)
        response.headers["Link"] = f'<{address}>; rel="successor-version"'
    return response


@bp.get("/organizations/<row_id>")
@public
def organization(row_id: str) -> Response:
    """An organization with its services: in full, or with `full_service=false` in short."""
    given = read(("full_service",), request.args)
    full = given.get("full_service", True)
    found = Listings.of_organizations(db.session, [_id(row_id)], services=full)
    return answer(_there(found.organization(_id(row_id), services=full)))


@bp.get("/service_at_locations/<row_id>")
@public
def service_at_location(row_id: str) -> Response:
    """A service at one place."""
    read((), request.args)
    found = Listings.of_sites(db.session, [_id(row_id)])
    told = _there(found.site(_id(row_id)))
    return _dated(answer(told), found.modified_at("service_at_location", _id(row_id)))


@bp.get("/<any(taxonomies, taxonomy_terms):listed>/<row_id>")
@public
def term(listed: str, row_id: str) -> Response:
    """A taxonomy or a term."""
    read((), request.args)
    table = TABLES[listed]
    return answer(
        _there(Listings.of_terms(db.session, table, [_id(row_id)]).term(table, _id(row_id)))
    )


def _id(text: str) -> UUID:
    try:
        return UUID(text)
    except ValueError:
        raise NotFound("api.unknown_row") from None


def _there(told: Document | None) -> Document:
    if told is None:
        raise NotFound("api.unknown_row")
    return told


def _dated(response: Response, modified_at: Any) -> Response:
    response.headers["Last-Modified"] = http_date(modified_at)
    return response


def _list(listed: str) -> Response:
    what = asked(listed)
    table = TABLES[listed]
    query = finding.ids(db.session, table, what.wanted)
    documents = _documents(table, what)
    if what.ndjson:
        batches = finding.batches(db.session, table, query)
        return stream(_each(batches, documents))
    ids, total = finding.page(db.session, table, query, number=what.page, size=what.per_page)
    return answer(_page(list(documents(ids)), what, total))


def _each(batches: Iterator[list[UUID]], documents: Documents) -> Iterator[Document]:
    for ids in batches:
        yield from documents(ids)


def _documents(table: str, what: Asked) -> Documents:
    """How rows of a list are told, in the order of their ids."""

    def told(ids: list[UUID]) -> Iterable[Document]:
        if what.minimal:
            return minimal(db.session, ids)
        if table == "service" and what.full:
            found = Listings.of_services(db.session, ids)
            return _kept(found.service(one) for one in ids)
        if table == "service_at_location" and what.full:
            found = Listings.of_sites(db.session, ids)
            return _kept(found.site(one) for one in ids)
        if table == "organization" and (what.full or what.full_service):
            services = what.full_service
            found = Listings.of_organizations(db.session, ids, services=services)
            return _kept(found.organization(one, services=services) for one in ids)
        if table in ("taxonomy", "taxonomy_term"):
            found = Listings.of_terms(db.session, table, ids)
            return _kept(found.term(table, one) for one in ids)
        found = Listings.in_short(db.session, table, ids)
        return _kept(found.short(table, one) for one in ids)

    return told


def _kept(documents: Iterable[Document | None]) -> Iterable[Document]:
    return (document for document in documents if document is not None)


def _page(contents: list[Document], what: Asked, total: int) -> Document:
    pages = -(-total // what.per_page)
    return {
        "total_items": total,
        "total_pages": pages,
        "page_number": what.page,
        "size": len(contents),
        "first_page": what.page == 1,
        "last_page": what.page >= pages,
        "empty": not contents,
        "contents": contents,
    }
