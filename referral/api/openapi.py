"""The API's own description in OpenAPI 3.1, made of the tables and parameters that the API itself goes by."""

from functools import cache
from typing import Any

from referral.api.asking import LISTS, PARAMETERS
from referral.directory.hsds.shape import TABLES, VERSION, Field, Kind, Table

#: of this description; a change that a client could notice raises it
API_VERSION = "1.0.0"
SUMMARY = "The public directory of Jejaring in HSDS 3.2.3: open, read-only."
_DESCRIPTION = (
    "All filters hold together (AND). Lists keep their order while rows are added: new rows come last. "
    "Confidential places and people's own informal help are in no answer. Errors are problem details "
    "(RFC 9457). How to keep a copy: docs/api.md."
)
Schema = dict[str, Any]

#: what the answers of each list hold, and which other shape they may have
_TABLES = {
    "services": "service",
    "organizations": "organization",
    "service_at_locations": "service_at_location",
    "taxonomies": "taxonomy",
    "taxonomy_terms": "taxonomy_term",
}
_NAMES = {
    "services": "services",
    "organizations": "organizations",
    "service_at_locations": "services at their locations",
    "taxonomies": "taxonomies",
    "taxonomy_terms": "taxonomy terms",
}


@cache
def described() -> Schema:
    """The whole description."""
    paths: Schema = {
        "/": _get("about", "What this API is.", "about", asks=()),
        "/openapi.json": {
            "get": {
                "operationId": "description",
                "summary": "This description.",
                "responses": {
                    "200": {
                        "description": "OpenAPI 3.1",
                        "content": {"application/json": {"schema": {"type": "object"}}},
                    },
                    **_errors(),
                },
            }
        },
    }
    for listed, table in _TABLES.items():
        paths[f"/{listed}"] = _list(listed, table)
        takes = ("full_service",) if table == "organization" else ()
        one = _get(f"get_{table}", f"One of the {_NAMES[listed]}, nested.", table, asks=takes)
        one["parameters"] = [
            {"name": "id", "in": "path", "required": True, "schema": {"type": "string"}}
        ]
        paths[f"/{listed}/{{id}}"] = one
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "Jejaring HSDS API",
            "version": API_VERSION,
            "summary": SUMMARY,
            "description": _DESCRIPTION,
            "x-hsds-version": VERSION,
        },
        "servers": [{"url": "/api/hsds"}],
        "paths": paths,
        "components": {
            "parameters": {name: _parameter(name) for name in PARAMETERS},
            "schemas": {name: _object(table) for name, table in TABLES.items()}
            | {"page": _PAGE, "problem": PROBLEM, "about": _ABOUT, "minimal_service": _MINIMAL},
        },
    }


def _ref(name: str, kind: str = "schemas") -> Schema:
    return {"$ref": f"#/components/{kind}/{name}"}


def _get(name: str, summary: str, schema: str, *, asks: tuple[str, ...]) -> Schema:
    return {
        "get": {
            "operationId": name,
            "summary": summary,
            "parameters": [
                *(_ref(each, "parameters") for each in asks),
                {"name": "If-None-Match", "in": "header", "schema": {"type": "string"}},
            ],
            "responses": {
                "200": {
                    "description": summary,
                    "headers": {"ETag": {"schema": {"type": "string"}}},
                    "content": {"application/json": {"schema": _ref(schema)}},
                },
                "304": {"description": "It is as it was when it had the ETag of `If-None-Match`."},
                **_errors(),
            },
        }
    }


def _errors() -> Schema:
    content = {"application/problem+json": {"schema": _ref("problem")}}
    return {"default": {"description": "A problem.", "content": content}}


def _list(listed: str, table: str) -> Schema:
    row = _ref(table)
    rows = {"anyOf": [row, _ref("minimal_service")]} if "minimal" in LISTS[listed] else row
    page = {
        "allOf": [
            _ref("page"),
            {
                "type": "object",
                "properties": {"contents": {"type": "array", "items": rows}},
                "required": ["contents"],
            },
        ]
    }
    answers = {
        "200": {
            "description": f"A page of {_NAMES[listed]}; with `format=ndjson` one of them a line.",
            "headers": {"ETag": {"schema": {"type": "string"}}},
            "content": {
                "application/json": {"schema": page},
                "application/x-ndjson": {"schema": {"type": "string"}},
            },
        },
        "304": {"description": "The page is as it was when it had the ETag of `If-None-Match`."},
        **_errors(),
    }
    asks = [_ref(name, "parameters") for name in LISTS[listed]]
    body = {
        "type": "object",
        "properties": {name: PARAMETERS[name].schema for name in LISTS[listed]},
        "additionalProperties": False,
    }
    return {
        "get": {
            "operationId": f"list_{listed}",
            "summary": f"List {_NAMES[listed]}.",
            "parameters": asks,
            "responses": answers,
        },
        "post": {
            "operationId": f"list_{listed}_by_body",
            "summary": f"List {_NAMES[listed]}, asked for in a body. Changes nothing.",
            "requestBody": {"required": False, "content": {"application/json": {"schema": body}}},
            "responses": answers,
        },
    }


def _parameter(name: str) -> Schema:
    parameter = PARAMETERS[name]
    return {
        "name": name,
        "in": "query",
        "required": False,
        "description": parameter.help,
        "schema": dict(parameter.schema),
    }


def _object(table: Table) -> Schema:
    properties = {each.name: _value(each) for each in table.fields}
    required = [
        each.name for each in table.fields if each.required and each.kind not in _NESTED_KINDS
    ]
    for child in table.children:
        row = _ref(child.table)
        properties[child.key] = {"type": "array", "items": row} if child.many else row
    if table.name == "service_capacity":
        required.append("unit")
    return {
        "type": "object",
        "properties": properties,
        "required": required,
        "additionalProperties": False,
    }


#: JSON says these by where an object stands, or leaves them open
_NESTED_KINDS = (Kind.LINK, Kind.TABLE)


def _value(each: Field) -> Schema:
    if each.kind in (Kind.NUMBER, Kind.INTEGER, Kind.EXTENSION):
        return {"type": "number"}
    if each.kind in (Kind.ID, Kind.LINK):
        return {"type": "string", "format": "uuid"}
    if each.kind is Kind.CODE:
        return {"type": "string", "enum": [*each.codes]}
    return {"type": "string"}


_COUNT = {"type": "integer", "minimum": 0}
_PAGE: Schema = {
    "type": "object",
    "properties": {
        "total_items": _COUNT,
        "total_pages": _COUNT,
        "page_number": {"type": "integer", "minimum": 1},
        "size": {**_COUNT, "description": "Rows in this page."},
        "first_page": {"type": "boolean"},
        "last_page": {"type": "boolean"},
        "empty": {"type": "boolean", "description": "Whether this page has no rows."},
    },
    "required": [
        "total_items",
        "total_pages",
        "page_number",
        "size",
        "first_page",
        "last_page",
        "empty",
    ],
}
PROBLEM: Schema = {
    "type": "object",
    "properties": {
        "type": {"type": "string", "format": "uri-reference"},
        "title": {"type": "string"},
        "status": {"type": "integer"},
        "detail": {"type": "string", "description": "For people, in English or Indonesian."},
        "field": {"type": "string", "description": "The parameter that is wrong."},
        "candidates": {"type": "array", "description": "What it could be."},
    },
    "required": ["type", "title", "status"],
    "additionalProperties": False,
}
_ABOUT: Schema = {
    "type": "object",
    "properties": {
        "version": {"type": "string"},
        "profile": {"type": "string", "format": "uri"},
        "openapi_url": {"type": "string", "format": "uri"},
        "description": {"type": "string"},
        "data_guide": {"type": "string", "format": "uri"},
    },
    "required": ["version", "profile", "openapi_url"],
}
_MINIMAL: Schema = {
    "type": "object",
    "properties": {
        "id": {"type": "string", "format": "uuid"},
        "last_modified": {"type": "string"},
    },
    "required": ["id", "last_modified"],
    "additionalProperties": False,
}
