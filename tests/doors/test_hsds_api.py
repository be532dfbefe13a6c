"""The open HSDS API: shapes of the standard, filters, paging, errors, and what it never tells."""

import io
import json
import zipfile
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from functools import cache
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import jsonschema
import pytest
from flask import Flask
from openapi_spec_validator import validate
from referencing import Registry, Resource
from sqlalchemy import event
from sqlalchemy.orm import Session
from werkzeug.test import TestResponse

from referral.api import openapi
from referral.changes.models import ChangeRecord
from referral.directory.hsds import package
from referral.directory.hsds.exports import Format
from referral.directory.hsds.vocabularies import taxonomy_id, term_id
from referral.directory.models import (
    Accessibility,
    Address,
    Attribute,
    Contact,
    Funding,
    Language,
    Location,
    Organization,
    Phone,
    Schedule,
    Service,
    ServiceArea,
    ServiceAtLocation,
    ServiceStatus,
    SystemType,
    Taxonomy,
    TaxonomyTerm,
    Url,
)
from referral.extensions import db
from tests.conftest import SHARED, Browser
from tests.factories import SEMARANG, Make

ROOT = "/api/hsds"
LISTS = {
    "services": "service",
    "organizations": "organization",
    "service_at_locations": "service_at_location",
    "taxonomies": "taxonomy",
    "taxonomy_terms": "taxonomy_term",
}
SECRET = "BOCOR"


# Every answer a test asks for is held against the standard's schemas and our own description.


@cache
def _standard(name: str) -> Any:
    path = SHARED / f"hsds/schema/{name}.json"
    return jsonschema.Draft202012Validator(json.loads(path.read_text("utf-8")))


@cache
def _ours(pointer: str) -> Any:
    description = openapi.described()
    registry: Any = Registry().with_resource(
        "urn:api", Resource.from_contents(description, default_specification=_specification())
    )
    schema = {"$ref": f"urn:api#/components/schemas/{pointer}"}
    return jsonschema.Draft202012Validator(schema, registry=registry)


def _specification() -> Any:
    from referencing.jsonschema import DRAFT202012

    return DRAFT202012


class Api:
    """Asks the API and checks the form of every answer."""

    def __init__(self, browser: Browser) -> None:
        self.browser = browser

    def get(self, path: str, status: int = 200, **asks: Any) -> Any:
        return self.checked(self.response(path, **asks), path, status)

    def post(self, path: str, body: Any, status: int = 200) -> Any:
        response = self.browser.post(f"{ROOT}{path}", json=body)
        return self.checked(response, path, status)

    def response(self, path: str, headers: Any = None, **asks: Any) -> TestResponse:
        return self.browser.get(f"{ROOT}{path}", query_string=asks, headers=headers or {})

    def ids(self, path: str, **asks: Any) -> list[str]:
        return [one["id"] for one in self.get(path, **asks)["contents"]]

    def checked(self, response: TestResponse, path: str, status: int) -> Any:
        assert response.status_code == status, response.text
        assert response.headers["Access-Control-Allow-Origin"] == "*"
        told = json.loads(response.text)
        if status >= 400:
            assert response.mimetype == "application/problem+json"
            assert told["status"] == status
            _ours("problem").validate(told)
            return told
        assert response.mimetype == "application/json"
        assert response.headers["ETag"]
        listed, _, row_id = path.strip("/").partition("/")
        if row_id:
            check(LISTS[listed], told)
        elif listed in LISTS:
            _ours("page").validate(told)
            for row in told["contents"]:
                check_row(listed, row)
        return told


def check(table: str, told: Any) -> None:
    _ours(table).validate(told)
    if SHARED.exists() and table in ("service", "organization", "service_at_location"):
        _standard(table).validate(told)


def check_row(listed: str, row: Any) -> None:
    table = LISTS[listed]
    if set(row) == {"id", "last_modified"}:
        _ours("minimal_service").validate(row)
        return
    check(table, row)
    if SHARED.exists() and table in ("service", "organization", "service_at_location"):
        _standard(f"{table}_list").validate(row)


@pytest.fixture
def api(browser: Browser) -> Api:
    return Api(browser)


@pytest.fixture
def statements(session: Session) -> Iterator[list[str]]:
    """The SQL sent since."""
    sent: list[str] = []

    def keep(_connection: Any, _cursor: Any, statement: str, *_: Any) -> None:
        if statement.lstrip().upper().startswith(("SELECT", "INSERT", "UPDATE", "DELETE")):
            sent.append(statement)

    event.listen(db.engine, "before_cursor_execute", keep)
    yield sent
    event.remove(db.engine, "before_cursor_execute", keep)


def test_the_root_tells_version_profile_and_description(api: Api) -> None:
    about = api.get("/")

    _ours("about").validate(about)
    assert about == {
        "version": "3.2.3",
        "profile": "https://docs.openreferral.org/en/v3.2.3/hsds/",
        "openapi_url": "http://localhost/api/hsds/openapi.json",
        "description": openapi.SUMMARY,
        "data_guide": "http://localhost/directory/data/",
    }
    assert api.get("") == about


def test_its_own_description_is_valid_and_names_every_address(api: Api, app: Flask) -> None:
    described = json.loads(api.response("/openapi.json").text)

    validate(described)
    assert (described["openapi"], described["info"]["version"]) == ("3.1.0", "1.0.0")
    served = {
        (f"/{listed}{tail}", method)
        for listed in LISTS
        for tail, methods in (("", ("get", "post")), ("/{id}", ("get",)))
        for method in methods
    } | {("/", "get"), ("/openapi.json", "get")}
    assert {
        (path, method)
        for path, one in described["paths"].items()
        for method in one
        if method in ("get", "post", "put", "patch", "delete")
    } == served
    methods = {
        method
        for rule in app.url_map.iter_rules()
        if rule.endpoint.startswith("hsds.")
        for method in rule.methods or ()
    }
    assert methods == {"GET", "HEAD", "OPTIONS", "POST"}


def test_every_parameter_of_the_standard_is_taken(shared: Path) -> None:
    official = json.loads((shared / "hsds/examples/schema/openapi.json").read_text("utf-8"))
    ours = openapi.described()

    def named(description: Any, path: str, method: str) -> set[str]:
        operation = description["paths"][path].get(method, {})
        if method == "post" and "requestBody" in operation:
            body = operation["requestBody"]["content"]["application/json"]["schema"]
            return set(body["properties"])
        every = operation.get("parameters", [])
        names = (one.get("name") or one["$ref"].rpartition("/")[2] for one in every)
        return {name for name in names if name != "If-None-Match"}

    for path, operations in official["paths"].items():
        for method in ("get", "post"):
            if method in operations:
                assert named(ours, path, method) == named(official, path, method), (path, method)


@pytest.mark.parametrize("listed", sorted(LISTS))
def test_a_list_is_a_page_and_each_of_its_rows_is_there_by_its_id(
    api: Api, make: Make, listed: str
) -> None:
    for _ in range(3):
        make.service("HE05")
    page = api.get(f"/{listed}", per_page=2, page=1)

    assert page | {"contents": None, "total_items": None, "total_pages": None} == {
        "total_items": None,
        "total_pages": None,
        "page_number": 1,
        "size": 2,
        "first_page": True,
        "last_page": False,
        "empty": False,
        "contents": None,
    }
    assert page["total_pages"] == -(-page["total_items"] // 2)
    last = api.get(f"/{listed}", per_page=2, page=page["total_pages"])
    assert (last["first_page"], last["last_page"]) == (False, True)
    beyond = api.get(f"/{listed}", per_page=2, page=page["total_pages"] + 1)
    assert (beyond["contents"], beyond["empty"], beyond["last_page"]) == ([], True, True)
    for row in page["contents"]:
        assert api.get(f"/{listed}/{row['id']}")["id"] == row["id"]
        assert api.post(f"/{listed}", {"per_page": 2}) == page


def test_lists_have_the_standard_s_fields_and_full_ones_everything(api: Api, make: Make) -> None:
    site = make.service("HE05")
    session = make.session
    session.add(Phone(service_id=site.service_id, number="024 7601000", extension="12"))
    session.flush()

    (short,) = api.get("/services")["contents"]
    assert set(short) == {"id", "name", "status", "last_modified", "organization"}
    (full,) = api.get("/services", full="true")["contents"]
    assert full == api.get(f"/services/{site.service_id}")
    assert full["phones"][0]["extension"] == 12
    (here,) = api.get("/service_at_locations")["contents"]
    assert set(here) == {"id", "location", "service"}
    (whole,) = api.get("/service_at_locations", full="true")["contents"]
    assert whole == api.get(f"/service_at_locations/{site.id}")
    (minimal,) = api.get("/services", minimal="true")["contents"]
    assert minimal == {"id": short["id"], "last_modified": short["last_modified"]}

    (scalars,) = api.get("/organizations")["contents"]
    assert set(scalars) == {"id", "name", "description"}
    (nested,) = api.get("/organizations", full="true")["contents"]
    assert set(nested["services"][0]) == {"id", "name", "status", "last_modified"}
    (deep,) = api.get("/organizations", full_service="true")["contents"]
    assert deep == api.get(f"/organizations/{short['organization']['id']}")
    assert deep["services"][0]["phones"] == full["phones"]
    simple = api.get(f"/organizations/{short['organization']['id']}", full_service="false")
    assert simple == nested


def test_ndjson_is_the_whole_list_a_row_a_line(api: Api, make: Make) -> None:
    for _ in range(3):
        make.service("HE05")
    for listed in LISTS:
        response = api.response(f"/{listed}", format="ndjson", per_page=1)
        assert response.mimetype == "application/x-ndjson"
        rows = [json.loads(line) for line in response.text.splitlines()]
        for row in rows:
            check_row(listed, row)
        assert rows == api.get(f"/{listed}", per_page=500)["contents"]
    full = api.response("/services", format="ndjson", full="true").text.splitlines()
    assert [json.loads(line) for line in full] == api.get("/services", full="1")["contents"]


def test_filters_hold_together(api: Api, make: Make, now: datetime) -> None:
    early = now - timedelta(days=30)
    one = make.service("HE05", name="Konseling Mawar", last_modified=early)
    two = make.service("HE05", name="Konseling Melati", organization=one.service.organization)
    three = make.service("SH02", name="Rumah Singgah Mawar")
    names = {str(site.service_id): number for number, site in enumerate((one, two, three), 1)}
    of = str(one.service.organization_id)
    he05, domain = term_id("jejaring:category", "HE05"), term_id("jejaring:category", "HE")
    since = (now - timedelta(days=1)).isoformat()

    def found(**asks: Any) -> list[int]:
        by_list = [names[row] for row in api.ids("/services", **asks)]
        sites = api.get("/service_at_locations", **asks)["contents"]
        assert [names[row["service"]["id"]] for row in sites] == by_list
        assert [row["id"] for row in api.post("/services", asks)["contents"]] == api.ids(
            "/services", **asks
        )
        return by_list

    assert found() == [1, 2, 3]
    assert found(search="mawar") == [1, 3]
    assert found(search="MAWAR konseling") == [1]
    assert found(organization_id=of) == [1, 2]
    assert found(organization_id=of, search="melati") == [2]
    assert found(taxonomy_term_id=str(he05)) == [1, 2]
    assert found(taxonomy_term_id=str(domain)) == [1, 2]
    assert found(taxonomy_id=str(taxonomy_id("jejaring:category"))) == [1, 2, 3]
    assert found(taxonomy_id=str(taxonomy_id("jejaring:remote"))) == []
    assert found(taxonomy_term_id=str(uuid4())) == []
    assert found(modified_after=since) == [2, 3]
    assert found(modified_after=since, organization_id=of, search="konseling") == [2]
    assert api.ids("/organizations", taxonomy_term_id=str(he05)) == [of]
    assert api.ids("/organizations", search="tak ada") == []


def test_what_sources_say_in_their_taxonomies_can_be_asked_for(
    api: Api, make: Make, session: Session
) -> None:
    one, two = make.service("HE05"), make.service("HE05")
    owner = Taxonomy(name="211HSIS", description="Human services")
    session.add(owner)
    session.flush()
    top = TaxonomyTerm(code="RP", name="Mental", description="", taxonomy_id=owner.id)
    session.add(top)
    session.flush()
    below = TaxonomyTerm(
        code="RP-1", name="Talks", description="", taxonomy_id=owner.id, parent_id=top.id
    )
    session.add(below)
    session.flush()
    session.add(Attribute(link_id=one.service_id, link_entity="service", taxonomy_term_id=below.id))
    session.add(Attribute(link_id=two.location_id, link_entity="location", taxonomy_term_id=top.id))
    session.flush()

    assert api.ids("/services", taxonomy_term_id=str(below.id)) == [str(one.service_id)]
    assert api.ids("/services", taxonomy_id=str(owner.id)) == [
        str(one.service_id),
        str(two.service_id),
    ]
    assert api.ids("/taxonomy_terms", taxonomy_id=str(owner.id)) == [str(top.id), str(below.id)]
    assert api.ids("/taxonomy_terms", parent_id=str(top.id)) == [str(below.id)]
    tops = api.ids("/taxonomy_terms", taxonomy_id=str(owner.id), top_only="true")
    assert tops == [str(top.id)]
    told = api.get(f"/services/{one.service_id}")["attributes"]
    assert {term["taxonomy_term"]["code"] for term in told} == {"HE05", "RP-1"}


def test_our_taxonomies_are_real_ones(api: Api, make: Make) -> None:
    make.service("HE05", answer_mode="walk_in", remote="phone")
    (told,) = api.get("/services", full="true")["contents"]

    for attribute in told["attributes"]:
        term = attribute["taxonomy_term"]
        owner = api.get(f"/taxonomies/{term['taxonomy_detail']['id']}")
        assert owner["name"] == term["taxonomy"]
        assert api.get(f"/taxonomy_terms/{term['id']}") == term
        assert api.ids("/services", taxonomy_term_id=term["id"]) == [told["id"]]


def test_a_term_that_somebody_else_put_into_our_taxonomies_finds_nothing(
    api: Api, make: Make, session: Session
) -> None:
    make.service("HE05")
    for name in ("capacity", "remote", "answer_mode", "sex", "desil_max", "category"):
        owner = taxonomy_id(f"jejaring:{name}")
        term = TaxonomyTerm(
            code="%'\"x",
            name="x",
            description="",
            taxonomy=f"jejaring:{name}",
            taxonomy_id=owner,
        )
        session.add(term)
        session.flush()
        for listed in ("services", "organizations", "service_at_locations"):
            assert api.ids(f"/{listed}", taxonomy_term_id=str(term.id)) == []


def test_near_a_postal_code(api: Api, make: Make, session: Session) -> None:
    def at(name: str, km: float, code: str | None = None, area: str | None = None) -> str:
        point = (SEMARANG[0] + km / 111.195, SEMARANG[1])
        site = make.service("HE05", at=point, name=name)
        if code:
            session.add(_address(site.location_id, postal_code=code))
        if area:
            session.add(ServiceArea(service_id=site.service_id, name=area, area_code=area))
        session.flush()
        return str(site.id)

    here = at("di sini", 0, code="50 269")
    near = at("dekat", 2)
    far = at("jauh", 40)
    elsewhere = at("daerah lain", 1, area="34.71")
    ours = at("daerah sini", 3, area="33")
    phone = make.service("HE05", at=None, remote="phone", name="telepon")
    session.add(ServiceArea(service_id=phone.service_id, name="Indonesia", area_code="*"))
    nowhere = make.service("HE05", at=None, name="tanpa tempat")
    session.flush()

    def found(**asks: Any) -> set[str]:
        return set(api.ids("/service_at_locations", **asks))

    everywhere = {here, near, far, ours, str(phone.id), str(nowhere.id)}
    assert found(postcode="50269") == everywhere
    assert found(postcode="50269", proximity=5000) == {here, near, ours, str(phone.id)}
    assert found(postcode="50269", proximity=500) == {here, str(phone.id)}
    assert found(postcode="50269", proximity=5000, search="dekat") == {near}
    assert elsewhere not in found(postcode="50269", proximity=100_000)
    # What a site says of its own area goes before what the service says.
    session.add(ServiceArea(service_at_location_id=UUID(ours), name="Yogya", area_code="34.71"))
    session.flush()
    assert ours not in found(postcode="50269", proximity=5000)

    problem = api.get("/service_at_locations", 400, postcode="99999")
    assert problem["field"] == "postcode"
    assert api.get("/service_at_locations", 400, proximity=5)["field"] == "proximity"


def _address(location_id: Any, **values: Any) -> Address:
    given = {
        "address_1": "Jalan Pemuda 1",
        "city": "Semarang",
        "state_province": "Jawa Tengah",
        "postal_code": "50131",
        "country": "ID",
    }
    return Address(location_id=location_id, **given | values)


def test_pages_stay_as_they_are_while_rows_are_added(api: Api, make: Make) -> None:
    """Whatever the new rows' ids and dates: who pages through sees every old row once."""
    old = [str(make.service("HE05").service_id) for _ in range(6)]
    seen: list[str] = []
    for page in range(1, 10):
        rows = api.ids("/services", page=page, per_page=2)
        if not rows:
            break
        seen += rows
        if page < 4:
            for row_id in (UUID(int=page), UUID(int=2**128 - page)):
                make.service("HE05", id=row_id, last_modified=datetime(2001, 1, 1, tzinfo=UTC))

    assert seen[:6] == old
    assert len(seen) == len(set(seen)) == 12


def test_what_is_closed_or_merged_says_so(api: Api, make: Make, now: datetime) -> None:
    kept = make.service("HE05")
    closed = make.service("HE05", status=ServiceStatus.DEFUNCT)
    merged = make.service("HE05", merged_into_id=kept.service_id)

    states = {row["id"]: row["status"] for row in api.get("/services")["contents"]}
    assert states == {str(kept.service_id): "active", str(closed.service_id): "defunct"}
    changed = api.get("/services", modified_after=now.isoformat())["contents"]
    assert {row["id"]: row["status"] for row in changed} == states | {
        str(merged.service_id): "defunct"
    }
    response = api.response(f"/services/{merged.service_id}")
    assert json.loads(response.text)["status"] == "defunct"
    assert response.headers["Link"] == (
        f'<{ROOT}/services/{kept.service_id}>; rel="successor-version"'
    )


def test_a_copy_is_compared_by_its_etag(api: Api, make: Make, session: Session) -> None:
    site = make.service("HE05")
    for path in ("/services", f"/services/{site.service_id}", "/organizations", "/"):
        first = api.response(path)
        again = api.response(path, headers={"If-None-Match": first.headers["ETag"]})
        assert (again.status_code, again.text) == (304, "")
        assert again.headers["Access-Control-Allow-Origin"] == "*"
        assert again.headers["ETag"] == first.headers["ETag"]
    etag = api.response("/services").headers["ETag"]
    session.get_one(Service, site.service_id).name = "Nama baru"
    session.flush()
    assert api.response("/services", headers={"If-None-Match": etag}).status_code == 200
    modified = api.response(f"/services/{site.service_id}").headers["Last-Modified"]
    assert modified == "Mon, 02 Mar 2026 02:30:00 GMT"


@pytest.mark.parametrize(
    ("path", "asks", "field"),
    [
        ("/services", {"page": "0"}, "page"),
        ("/services", {"page": "1" * 30}, "page"),
        ("/services", {"per_page": "501"}, "per_page"),
        ("/services", {"per_page": "-1"}, "per_page"),
        ("/services", {"full": "maybe"}, "full"),
        ("/services", {"full": "true", "minimal": "true"}, "minimal"),
        ("/services", {"format": "xml"}, "format"),
        ("/services", {"taxonomy_id": "food"}, "taxonomy_id"),
        ("/services", {"modified_after": "yesterday"}, "modified_after"),
        ("/services", {"modified_after": "0001-01-01T00:00:00+23:59"}, "modified_after"),
        ("/services", {"search": "x" * 201}, "search"),
        ("/services", {"page": ["1", "2"]}, "page"),
        ("/services", {"postcode": "50269"}, "postcode"),
        ("/taxonomies", {"full": "true"}, "full"),
        ("/service_at_locations", {"postcode": "1", "proximity": "nan"}, "proximity"),
        ("/service_at_locations", {"postcode": "1", "proximity": "-1"}, "proximity"),
    ],
)
def test_a_wrong_parameter_is_named(api: Api, path: str, asks: Any, field: str) -> None:
    problem = api.get(path, 400, **asks)

    assert (problem["title"], problem["field"]) == ("Bad Request", field)
    assert problem["detail"]


def test_every_error_is_a_problem(api: Api, browser: Browser) -> None:
    for path in ("/services/no-uuid", f"/organizations/{uuid4()}", "/nothing", "/services/a/b"):
        assert api.get(path, 404)["title"] == "Not Found"
    assert browser.get("/api/").mimetype == "application/problem+json"
    for method in ("post", "put", "delete"):
        response = browser.open(f"{ROOT}/services/{uuid4()}", method=method.upper())
        api.checked(response, "/services/x", 405)
        assert set(response.headers["Allow"].split(", ")) == {"GET", "HEAD", "OPTIONS"}
    for body in ([], "x", {"search": ["x"]}, {"foo": 1}, {"search": "\ud800"}, {"search": "\0"}):
        api.post("/services", body, 400)
    response = browser.post(f"{ROOT}/services", data="{", content_type="application/json")
    api.checked(response, "/services", 400)
    deep = "[" * 100_000
    response = browser.post(f"{ROOT}/services", data=deep, content_type="application/json")
    api.checked(response, "/services", 400)
    api.checked(browser.post(f"{ROOT}/services", data={"search": "x"}), "/services", 415)
    api.checked(browser.get(f"{ROOT}/services?search=%00"), "/services", 400)
    spoken = browser.get(f"{ROOT}/services?page=0", headers={"Accept-Language": "id"})
    assert "bilangan bulat" in json.loads(spoken.text)["detail"]


def test_any_site_may_ask(browser: Browser, app: Flask) -> None:
    app.config["WTF_CSRF_ENABLED"] = True
    try:
        response = browser.options(f"{ROOT}/services")
        assert response.status_code == 200
        assert response.headers["Access-Control-Allow-Origin"] == "*"
        assert "POST" in response.headers["Access-Control-Allow-Methods"]
        assert "Content-Type" in response.headers["Access-Control-Allow-Headers"]
        assert browser.post(f"{ROOT}/services", json={"search": "x"}).status_code == 200
    finally:
        app.config["WTF_CSRF_ENABLED"] = False


def test_a_posted_list_waits_for_no_writer(api: Api, monkeypatch: pytest.MonkeyPatch) -> None:
    locked: list[Any] = []
    monkeypatch.setattr("referral.web.access.take_write_lock", locked.append)

    api.post("/services", {})

    assert locked == []


def test_fifty_services_take_a_handful_of_statements(
    api: Api, make: Make, statements: list[str]
) -> None:
    for _ in range(50):
        make.service("HE05")
    make.session.commit()

    def sent(**asks: Any) -> int:
        statements.clear()
        assert len(api.get("/services", per_page=50, **asks)["contents"]) == 50
        return len(statements)

    assert sent() <= 7
    assert sent(minimal="true") <= 4
    # As many as there are tables, however many services.
    assert sent(full="true") <= 30


# What is never told.


@pytest.fixture
def refuge(make: Make, session: Session) -> Service:
    """A refuge whose every part would tell where it is, and a neighbour's own help."""
    make.service("HE05", name="Umum")
    site = make.service("HE05", confidential=True, name="Pendampingan korban")
    service, place = site.service, session.get_one(Location, site.location_id)
    place.name = place.description = place.transportation = place.url = SECRET
    place.organization_id = service.organization_id
    site.description = SECRET
    service.source_url = service.url = f"https://example.org/{SECRET}"
    term = TaxonomyTerm(
        code="x",
        name="x",
        description="",
        taxonomy_id=session.merge(Taxonomy(id=uuid4(), name="other", description="")).id,
    )
    contact = Contact(location_id=place.id, name=SECRET)
    of_service = Contact(service_id=service.id, name=SECRET)
    address = _address(place.id, address_1=SECRET, postal_code="50999")
    session.add_all([term, contact, of_service, address])
    session.flush()
    session.add_all(
        [
            Phone(location_id=place.id, number=SECRET),
            Phone(location_id=place.id, service_id=service.id, number=SECRET),
            Phone(service_at_location_id=site.id, number=SECRET),
            Phone(contact_id=contact.id, organization_id=service.organization_id, number=SECRET),
            Phone(contact_id=of_service.id, number=SECRET),
            Phone(service_id=service.id, number="129"),
            Schedule(location_id=place.id, notes=SECRET),
            Schedule(service_at_location_id=site.id, notes=SECRET),
            Language(location_id=place.id, note=SECRET),
            Accessibility(location_id=place.id, description=SECRET),
            Contact(service_at_location_id=site.id, name=SECRET),
            ServiceArea(service_at_location_id=site.id, name=SECRET, area_code="33.74.11"),
            ServiceArea(service_id=service.id, name=SECRET, area_code="33.74.11"),
            ServiceArea(service_id=service.id, name=SECRET, extent=SECRET),
            ServiceArea(service_id=service.id, name="Kota Semarang", area_code="33.74"),
            Attribute(
                link_id=service.id, link_entity="service", taxonomy_term_id=term.id, value=SECRET
            ),
            Attribute(
                link_id=place.id, link_entity="location", taxonomy_term_id=term.id, value=SECRET
            ),
        ]
    )
    for row_id, table, field in (
        (place.id, "location", "name"),
        (address.id, "address", "address_1"),
        (uuid4(), "address", "address_1"),  # of a row that is gone
        (service.id, "service", "description"),
        (site.id, "service_at_location", "description"),
    ):
        for stated in (None, {"updated_by": SECRET}):
            session.add(
                ChangeRecord(
                    resource_id=row_id,
                    resource_type=table,
                    last_action_date=make.now,
                    last_action_type="update",
                    field_name=field,
                    previous_value=SECRET,
                    replacement_value=SECRET,
                    updated_by_role="administrator",
                    as_stated=stated,
                )
            )
    neighbour = make.organization(name=SECRET, system_type=SystemType.INFORMAL)
    help_ = make.service("HE05", organization=neighbour, name=SECRET)
    session.add_all(
        [
            Phone(service_id=help_.service_id, number=SECRET),
            Funding(organization_id=neighbour.id, source=SECRET),
            Url(service_id=help_.service_id, url=SECRET),
            _address(help_.location_id, address_1=SECRET, postal_code="50998"),
        ]
    )
    session.flush()
    return service


def _everything(api: Api) -> Iterator[tuple[str, str]]:
    """Every text the API and the downloads give, by address."""
    for listed in LISTS:
        for asks in ({}, {"full": "true"}, {"full_service": "true"}, {"format": "ndjson"}):
            response = api.response(f"/{listed}", **asks)
            if response.status_code == 200:
                yield f"{listed} {asks}", response.text
        for row in api.get(f"/{listed}", per_page=500)["contents"]:
            yield f"{listed} {row['id']}", api.response(f"/{listed}/{row['id']}").text
    for kind in Format:
        response = api.browser.get(f"/directory/data/{kind.value}")
        assert response.status_code == 200, kind
        content = response.get_data()
        if kind in (Format.HSDS_CSV, Format.XLSX):
            with zipfile.ZipFile(io.BytesIO(content)) as archive:
                content = b"".join(archive.read(name) for name in archive.namelist())
        yield kind.value, content.decode("utf-8")


def test_a_refuge_is_told_of_and_its_place_is_not(
    api: Api, refuge: Service, session: Session
) -> None:
    (site,) = refuge.sites
    hidden = [SECRET, str(site.id), str(site.location_id), "50999", "33.74.11"]
    told = dict(_everything(api))

    assert {where: word for where, text in told.items() for word in hidden if word in text} == {}
    service = api.get(f"/services/{refuge.id}")
    assert [phone["number"] for phone in service["phones"]] == ["129"]
    assert [area["name"] for area in service["service_areas"]] == ["Kota Semarang"]
    terms = {one["taxonomy_term"]["taxonomy"] for one in service["attributes"]}
    assert terms == {"jejaring:category", "jejaring:confidential"}
    assert "service_at_locations" not in service
    assert "locations" not in service["organization"]
    for path in (f"/service_at_locations/{site.id}", f"/service_at_locations/{site.location_id}"):
        api.get(path, 404)


def test_nothing_hidden_can_be_found_out_by_asking(
    api: Api, refuge: Service, session: Session
) -> None:
    (site,) = refuge.sites
    place = session.get_one(Location, site.location_id)
    for listed in ("services", "organizations", "service_at_locations"):
        assert api.get(f"/{listed}", search=SECRET)["total_items"] == 0
    # Only hidden addresses have these codes: nobody here has them.
    for code in ("50999", "50998", "00000"):
        assert api.get("/service_at_locations", 400, postcode=code)["field"] == "postcode"
    (shown,) = api.get("/service_at_locations")["contents"]
    session.add(_address(UUID(shown["location"]["id"]), postal_code="50131"))
    place.latitude, place.longitude = -7.5, 112.0
    session.flush()
    near = api.get("/service_at_locations", postcode="50131", proximity=1000)
    assert [row["id"] for row in near["contents"]] == [shown["id"]]
    owner = next(row["id"] for row in api.get("/taxonomies")["contents"] if row["name"] == "other")
    (term,) = api.ids("/taxonomy_terms", taxonomy_id=owner)
    for asks in ({"taxonomy_id": owner}, {"taxonomy_term_id": term}):
        for listed in ("services", "organizations", "service_at_locations"):
            assert api.get(f"/{listed}", **asks)["total_items"] == 0, asks


def test_a_change_of_what_is_hidden_changes_no_answer(
    api: Api, refuge: Service, session: Session
) -> None:
    before = {where: text for where, text in _everything(api) if where not in ("xlsx", "hsds-csv")}
    etags = [api.response(f"/{listed}").headers["ETag"] for listed in LISTS]
    (site,) = refuge.sites
    place = session.get_one(Location, site.location_id)
    place.latitude, place.longitude, place.area_code = -7.1, 110.1, "33.22.01"
    session.add(_address(place.id, address_1="Jalan lain"))
    hidden = session.query(Organization).filter_by(system_type=SystemType.INFORMAL).one()
    hidden.name = "Tetangga lain"
    session.flush()

    assert {
        where: text for where, text in _everything(api) if where not in ("xlsx", "hsds-csv")
    } == before
    assert [api.response(f"/{listed}").headers["ETag"] for listed in LISTS] == etags


def test_who_changed_a_listing_leaves_as_a_role(api: Api, make: Make, session: Session) -> None:
    site = make.service("HE05")
    user = make.user(name="Bu Ratna")

    def record(field: str, role: str, **more: Any) -> None:
        session.add(
            ChangeRecord(
                resource_id=site.service_id,
                resource_type="service",
                last_action_date=make.now,
                last_action_type=more.pop("action", "update"),
                field_name=field,
                previous_value="lama",
                replacement_value="baru",
                updated_by_id=user.id,
                updated_by_role=role,
                **more,
            )
        )

    record("name", "administrator")
    record("version", "administrator")  # not a field of HSDS
    record("id", "import", action="create")
    record("email", "Ann Persona", as_stated={"updated_by": "Ann Persona"})
    session.flush()

    told = api.get(f"/services/{site.service_id}")["metadata"]
    assert sorted((one["field_name"], one["updated_by"]) for one in told) == [
        ("email", "Ann Persona"),
        ("name", "administrator"),
    ]


def test_a_service_at_a_second_open_place_keeps_the_first_one_secret(
    api: Api, refuge: Service, make: Make, session: Session
) -> None:
    place = Location(latitude=-6.9, longitude=110.4, precision_km=0.5, name="Kantor")
    session.add(place)
    session.flush()
    session.add(ServiceAtLocation(service_id=refuge.id, location_id=place.id))
    session.flush()

    told = api.get(f"/services/{refuge.id}")
    assert [one["location"]["name"] for one in told["service_at_locations"]] == ["Kantor"]
    assert SECRET not in json.dumps(told)
    assert package.descriptor()["profile"] == "tabular-data-package"
