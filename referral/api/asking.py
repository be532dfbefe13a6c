"""What a list of the API may be asked for: one table, from which requests are read and the OpenAPI file is made."""

import json
import math
import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

from flask import request
from werkzeug.exceptions import UnsupportedMediaType

from referral.core.errors import Invalid
from referral.directory.hsds.finding import Wanted

LONGEST_TEXT = 200
MOST_PAGES = 1_000_000
PAGE_SIZE = 50
LARGEST_PAGE = 500
#: `minimal` is for comparing copies: all in one page, as far as a page goes.
LARGEST_MINIMAL = 100_000
#: half the way around the earth
FARTHEST_M = 20_037_508
_TRUTHS = {"true": True, "1": True, "false": False, "0": False}


@dataclass(frozen=True)
class Parameter:
    """One parameter of a list: its name, what it takes (as JSON Schema says it), and what it is for."""

    name: str
    schema: Mapping[str, Any]
    help: str


_TEXT = {"type": "string", "maxLength": LONGEST_TEXT}
_UUID = {"type": "string", "format": "uuid"}
_TRUTH = {"type": "boolean"}

PARAMETERS = {
    parameter.name: parameter
    for parameter in (
        Parameter(
            "search",
            _TEXT,
            "Words: services as the directory's own search finds them, at most 500; elsewhere all words have to be "
            "in names and descriptions.",
        ),
        Parameter(
            "page", {"type": "integer", "minimum": 1, "maximum": MOST_PAGES}, "Number of the page."
        ),
        Parameter(
            "per_page",
            {"type": "integer", "minimum": 1, "maximum": LARGEST_MINIMAL},
            f"Rows in a page: {PAGE_SIZE} if not said, at most {LARGEST_PAGE}; with `minimal` "
            f"{LARGEST_MINIMAL}.",
        ),
        Parameter(
            "format",
            {"type": "string", "enum": ["json", "ndjson"]},
            "`ndjson` streams the whole list, one row a line, without pages.",
        ),
        Parameter(
            "taxonomy_term_id",
            _UUID,
            "Only rows with this term. A domain of `jejaring:category` stands for all kinds of help in it.",
        ),
        Parameter("taxonomy_id", _UUID, "Only rows with a term of this taxonomy."),
        Parameter("organization_id", _UUID, "Only what this organization offers."),
        Parameter(
            "modified_after",
            {"type": "string", "format": "date-time"},
            "Only rows whose service was modified at this instant or later, merged ones too. Without an "
            "offset it is UTC.",
        ),
        Parameter(
            "minimal", _TRUTH, "Only `id` and `last_modified`, as many as possible in one page."
        ),
        Parameter("full", _TRUTH, "Nested documents as under the row's own address."),
        Parameter("full_service", _TRUTH, "Organizations with their services in full."),
        Parameter("top_only", _TRUTH, "Only terms that have no parent."),
        Parameter("parent_id", _UUID, "Only terms directly below this one."),
        Parameter(
            "postcode",
            {"type": "string", "minLength": 1, "maxLength": LONGEST_TEXT},
            "Only rows that serve where this postal code is, as far as their service area is known.",
        ),
        Parameter(
            "proximity",
            {"type": "number", "minimum": 0, "maximum": FARTHEST_M},
            "With `postcode`: only rows that lie so many metres or less from its middle; rows without a "
            "point only if their service area is known to hold it.",
        ),
    )
}
_PAGED = ("search", "page", "per_page", "format")
#: what each list takes
LISTS: Mapping[str, tuple[str, ...]] = {
    "services": (
        *_PAGED,
        "taxonomy_term_id",
        "taxonomy_id",
        "organization_id",
        "modified_after",
        "minimal",
        "full",
    ),
    "organizations": (*_PAGED, "full_service", "full", "taxonomy_term_id", "taxonomy_id"),
    "service_at_locations": (
        *_PAGED,
        "taxonomy_term_id",
        "taxonomy_id",
        "organization_id",
        "modified_after",
        "full",
        "postcode",
        "proximity",
    ),
    "taxonomies": _PAGED,
    "taxonomy_terms": (*_PAGED, "taxonomy_id", "top_only", "parent_id"),
}


@dataclass(frozen=True)
class Asked:
    """A request for a list, understood."""

    wanted: Wanted
    page: int
    per_page: int
    ndjson: bool
    minimal: bool
    full: bool
    full_service: bool


def asked(listed: str) -> Asked:
    """What this request asks of a list, in its address or in its JSON body. Raises Invalid."""
    values = read(LISTS[listed], {**_in_address(), **_in_body()})
    minimal, full = bool(values.get("minimal")), bool(values.get("full"))
    if minimal and full:
        raise Invalid("api.not_together", field="minimal")
    largest = LARGEST_MINIMAL if minimal else LARGEST_PAGE
    per_page = values.get("per_page", LARGEST_MINIMAL if minimal else PAGE_SIZE)
    if per_page > largest:
        raise Invalid("api.no_number", field="per_page", name="per_page", least=1, most=largest)
    return Asked(
        wanted=Wanted(
            search=values.get("search", ""),
            taxonomy_term_id=values.get("taxonomy_term_id"),
            taxonomy_id=values.get("taxonomy_id"),
            organization_id=values.get("organization_id"),
            modified_after=values.get("modified_after"),
            parent_id=values.get("parent_id"),
            top_only=values.get("top_only", False),
            postcode=values.get("postcode", "").strip(),
            proximity_m=values.get("proximity"),
        ),
        page=values.get("page", 1),
        per_page=per_page,
        ndjson=values.get("format") == "ndjson",
        minimal=minimal,
        full=full,
        full_service=values.get("full_service", False),
    )


def read(takes: tuple[str, ...], given: Mapping[str, Any]) -> dict[str, Any]:
    """The values given, each as what it stands for; blank ones are not given. Raises Invalid."""
    found = {}
    for name, value in given.items():
        if name not in takes:
            shown = name if name.isprintable() else "?"
            raise Invalid(
                "api.unknown_parameter", field=shown[:40], name=shown[:40], candidates=[*takes]
            )
        if value is not None and value != "":
            found[name] = _read(PARAMETERS[name], value)
    return found


def _in_address() -> dict[str, Any]:
    for name, values in request.args.lists():
        if len(set(values)) > 1:
            raise Invalid("api.given_twice", field=name[:40], name=name[:40])
    return request.args.to_dict()


def _in_body() -> dict[str, Any]:
    """Parameters in the body of a POST: so words looked for stay out of addresses and of every log of them."""
    if request.method != "POST":
        return {}
    content = request.get_data()
    if (content.strip() or request.form or request.files) and not request.is_json:
        raise UnsupportedMediaType
    if not content.strip():
        return {}
    try:
        body = json.loads(content)
    except (ValueError, RecursionError):
        raise Invalid("api.no_object") from None
    if not isinstance(body, dict):
        raise Invalid("api.no_object")
    for name in body:
        if name in request.args:
            raise Invalid("api.given_twice", field=name[:40], name=name[:40])
    return body


def _read(parameter: Parameter, value: Any) -> Any:
    name, schema = parameter.name, parameter.schema
    text = str(value).lower() if isinstance(value, bool) else str(value)
    if isinstance(value, (list, dict)) or len(text) > LONGEST_TEXT or not _is_plain(text):
        raise Invalid("api.no_text", field=name, name=name, most=LONGEST_TEXT)
    if schema["type"] == "boolean":
        if text.lower() not in _TRUTHS:
            raise Invalid("api.no_truth", field=name, name=name, candidates=["true", "false"])
        return _TRUTHS[text.lower()]
    if schema["type"] == "integer":
        least, most = schema["minimum"], schema["maximum"]
        if not re.fullmatch(r"[0-9]{1,9}", text) or not least <= int(text) <= most:
            raise Invalid("api.no_number", field=name, name=name, least=least, most=most)
        return int(text)
    if schema["type"] == "number":
        return _metres(name, text)
    if "enum" in schema:
        if text not in schema["enum"]:
            choices = ", ".join(schema["enum"])
            raise Invalid(
                "api.no_choice", field=name, name=name, choices=choices, candidates=schema["enum"]
            )
        return text
    if schema.get("format") == "uuid":
        try:
            return UUID(text)
        except ValueError:
            raise Invalid("api.no_uuid", field=name, name=name) from None
    if schema.get("format") == "date-time":
        return _instant(name, text)
    return text


def _is_plain(text: str) -> bool:
    """Whether a database can look for it: no character 0, no half of a pair."""
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return "\0" not in text


def _metres(name: str, text: str) -> float:
    try:
        metres = float(text)
    except ValueError:
        metres = math.nan
    if not 0 <= metres <= FARTHEST_M:  # nan is in no range
        raise Invalid("api.no_metres", field=name, name=name, most=FARTHEST_M)
    return metres


def _instant(name: str, text: str) -> datetime:
    # A plus that was not escaped in an address arrives as a space.
    text = re.sub(r" (\d{2}:?\d{2})$", r"+\1", text.strip())
    try:
        at = datetime.fromisoformat(text)
        return (at if at.tzinfo else at.replace(tzinfo=UTC)).astimezone(UTC)
    except (ValueError, OverflowError):
        raise Invalid("api.no_instant", field=name, name=name) from None
