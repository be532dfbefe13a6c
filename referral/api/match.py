"""The match for other systems, under /api/v1: a question in, the explained options out. Nothing of it is kept."""

import json
from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

from flask import Blueprint, Response, abort, g, request
from werkzeug.exceptions import HTTPException, RequestEntityTooLarge, UnsupportedMediaType

from referral.accounts.permissions import changes_nothing, public, requires_scope
from referral.api import match_description, signed
from referral.api.answers import answer as described_answer
from referral.api.answers import language, not_answered, problem, refused, unkept
from referral.api.match_description import LARGEST_BODY, LARGEST_QUESTION, LONGEST_VALUE, MOST
from referral.core.country import COUNTRY
from referral.core.errors import Invalid, JejaringError
from referral.core.text import DEFAULT_LANGUAGE, LANGUAGES, Message, render
from referral.directory.reference import taxonomy
from referral.extensions import db, limiter
from referral.matching import routes
from referral.matching.asking import query_from
from referral.matching.operations import answer
from referral.matching.receipts import printed
from referral.places.queries import gazetteer

bp = Blueprint("v1", __name__, url_prefix="/api/v1")
bp.register_error_handler(HTTPException, not_answered)


@bp.get("/openapi.json")
@public
def description() -> Response:
    """What this API takes and gives, in OpenAPI 3.1."""
    return described_answer(match_description.described())


@bp.post("/match")
@requires_scope("match")
@changes_nothing
@limiter.limit(signed.rate, key_func=signed.asker)
def match() -> Response:
    """The options for one question, or for each of a list in its order."""
    lang = _language()
    asked = _body(lang)
    if isinstance(asked, list):
        return unkept([_one_of_many(given, lang) for given in asked])
    return unkept(_answered(asked, lang))


@bp.errorhandler(JejaringError)
def _refused(error: JejaringError) -> Response:
    return refused(error, 422, _spoken())


def _answered(given: Any, lang: str) -> dict[str, Any]:
    if not isinstance(given, dict):
        raise Invalid("api.no_question", most=MOST)
    given.pop("step_km", None)  # a query copied from an answer asks the same again
    _refuse_long(given)
    now, office_id = datetime.now(UTC), g.system.office_id
    zone = g.system.zone or COUNTRY.time_zone
    query = query_from(
        given, taxonomy=taxonomy(), gazetteer=gazetteer(db.session), now=now, zone=zone
    )
    query = replace(query, routes=routes.known(db.session, office_id, query.place))
    content = answer(db.session, query, zone=zone, office_id=office_id, now=now)
    return printed(content, lang)


def _one_of_many(given: Any, lang: str) -> dict[str, Any]:
    """One that can't be answered gets its error, and the others go on."""
    try:
        return _answered(given, lang)
    except JejaringError as error:
        return error.as_json(lang)


def _refuse_long(given: Mapping[str, Any]) -> None:
    for name, value in given.items():
        if len(str(value)) > LONGEST_VALUE:
            raise Invalid("api.too_long", field=name[:40], name=name[:40], most=LONGEST_VALUE)


def _body(lang: str) -> Any:
    """The question or list of questions of this request."""
    if not request.is_json:
        raise UnsupportedMediaType
    if (request.content_length or 0) > LARGEST_BODY:
        raise RequestEntityTooLarge
    content = request.get_data()
    try:
        asked = json.loads(content)
    except (ValueError, RecursionError):
        asked = None
    if not isinstance(asked, (dict, list)):
        message = Message("api.no_question", {"most": MOST})
        abort(problem(400, detail=render(message, lang)))
    if len(content) > (LARGEST_QUESTION if isinstance(asked, dict) else LARGEST_BODY):
        raise RequestEntityTooLarge
    if isinstance(asked, list) and len(asked) > MOST:
        raise Invalid("api.too_many_questions", most=MOST)
    return asked


def _language() -> str:
    """The language asked for: in the address, else in the header. Raises Invalid."""
    for name in request.args:
        if name != "lang":
            shown = name[:40] if name.isprintable() else "?"
            raise Invalid("api.unknown_parameter", field=shown, name=shown, candidates=["lang"])
    if request.args.get("lang", DEFAULT_LANGUAGE) not in LANGUAGES:
        raise Invalid(
            "api.no_choice",
            field="lang",
            name="lang",
            choices=list(LANGUAGES),
            candidates=list(LANGUAGES),
        )
    return _spoken()


def _spoken() -> str:
    asked = request.args.get("lang")
    return asked if asked in LANGUAGES else language()
