"""How the API answers: JSON that a copy can be compared with, open to every site, and errors as RFC 9457 has them."""

import hashlib
import json
from collections.abc import Iterable, Iterator
from http import HTTPStatus
from typing import Any

from flask import Flask, Response, request, stream_with_context
from werkzeug.exceptions import HTTPException

from referral.core.errors import JejaringError, NotFound
from referral.core.text import DEFAULT_LANGUAGE, LANGUAGES, render
from referral.directory.hsds import exports
from referral.extensions import db

PREFIX = "/api/"
#: what every site may read
OPEN = "/api/hsds"
PROBLEM = "application/problem+json"


def encoded(value: Any) -> str:
    """JSON, in the letters it was written with where UTF-8 has them."""
    text = json.dumps(value, ensure_ascii=False, separators=(",", ":"))
    try:
        text.encode()
    except UnicodeEncodeError:  # half of a pair in somebody's text
        return json.dumps(value, separators=(",", ":"))
    return text


def answer(value: Any) -> Response:
    """One JSON document with its ETag; 304 where the asker has it."""
    body = encoded(value).encode()
    etag = hashlib.sha256(body).hexdigest()[:32]
    response = Response(body, mimetype="application/json")
    if request.if_none_match.contains_weak(etag):
        response = Response(status=304)
    response.set_etag(etag)
    response.headers["Cache-Control"] = (
        "public, no-cache"  # keep it, and ask whether it is still so
    )
    return response


def stream(values: Iterable[Any]) -> Response:
    """One JSON document per line, as they are made."""

    def lines() -> Iterator[str]:
        for value in values:
            yield encoded(value) + "\n"

    end = exports.take_turn()
    if end is None:
        response = problem(503)
        response.headers["Retry-After"] = "60"
        return response
    response = Response(
        stream_with_context(exports.in_turn(lines(), end)), mimetype="application/x-ndjson"
    )
    response.call_on_close(end)
    return response


def unkept(value: Any, mimetype: str = "application/json") -> Response:
    """One JSON document that nobody on the way keeps."""
    response = Response(encoded(value), mimetype=mimetype)
    response.headers["Cache-Control"] = "no-store"
    return response


def language(default: str = DEFAULT_LANGUAGE) -> str:
    """The language that the asker's header prefers of ours."""
    return request.accept_languages.best_match(LANGUAGES, default=default)


def of_the_work(error: JejaringError) -> Response:
    """What is wrong with what was asked of the open API, in English where nobody said otherwise."""
    return refused(error, 404 if isinstance(error, NotFound) else 400, language(default="en"))


def refused(error: JejaringError, status: int, lang: str) -> Response:
    """What is wrong with what was asked: which field, in words, and what could have been meant."""
    db.session.rollback()
    told: dict[str, Any] = {"detail": render(error.message, lang)}
    if error.field:
        told["field"] = error.field
    if error.candidates:
        told["candidates"] = error.candidates
    return problem(status, **told)


def not_answered(error: HTTPException) -> Response | HTTPException:
    """A problem at once, where the web would first make a page."""
    return error if error.code is None else problem(error.code)


def problem(status: int, **more: Any) -> Response:
    """An error in the one shape that all errors of the API have."""
    told = {
        "type": "about:blank",
        "title": HTTPStatus(status).phrase,
        "status": status,
        **more,
    }
    return Response(encoded(told), status, mimetype=PROBLEM)


def _finish(response: Response) -> Response:
    """Every error under the prefix is a problem, none a page; every answer of the open API is for every site."""
    if not request.path.startswith(PREFIX):
        return response
    if response.status_code >= 400 and response.mimetype != PROBLEM:
        allow = response.headers.get("Allow") or _allowed()
        after = response.headers.get("Retry-After")
        response = problem(response.status_code)
        if response.status_code == 405 and allow:
            response.headers["Allow"] = allow
        if after:
            response.headers["Retry-After"] = after
    if not request.path.startswith(OPEN):
        return response
    response.headers["Access-Control-Allow-Origin"] = "*"
    response.headers["Access-Control-Expose-Headers"] = "ETag, Last-Modified, Link"
    if request.method == "OPTIONS":
        response.headers["Access-Control-Allow-Methods"] = response.headers.get("Allow", "GET")
        response.headers["Access-Control-Allow-Headers"] = "Content-Type, If-None-Match"
        response.headers["Access-Control-Max-Age"] = "86400"
    return response


def _allowed() -> str:
    methods = getattr(request.routing_exception, "valid_methods", None) or ()
    return ", ".join(sorted(methods))


def init_app(app: Flask) -> None:
    app.after_request(_finish)
