"""The match API's own description in OpenAPI 3.1, made of the lists and limits that the matcher itself goes by."""

from functools import cache
from typing import Any

from referral.api.openapi import PROBLEM
from referral.core.text import LANGUAGES
from referral.directory.kinds import OLDEST_YEARS
from referral.directory.reference import coded
from referral.matching.asking import DEFAULT_LIMIT, FARTHEST_KM, LARGEST_LIMIT, SEXES, URGENCIES

#: of this description; a change that a client could notice raises it
API_VERSION = "1.0.0"
#: questions in one request; bytes of a request and of one question; characters of one value
MOST = 100
LARGEST_BODY, LARGEST_QUESTION, LONGEST_VALUE = 128 * 1024, 8 * 1024, 500
_DESCRIPTION = (
    "Which services fit a need, nearest first, each with every reason, and why others do not. Send no name and "
    "nothing else that says who the person is: nothing of a question is kept or logged. Errors are problem details "
    "(RFC 9457). More: docs/api.md."
)
Schema = dict[str, Any]


@cache
def described() -> Schema:
    """The whole description."""
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "Jejaring match API",
            "version": API_VERSION,
            "summary": "The explained match, for systems of offices and agencies.",
            "description": _DESCRIPTION,
        },
        "servers": [{"url": "/api/v1"}],
        "paths": {"/match": {"post": _match()}, "/openapi.json": {"get": _description()}},
        "components": {
            "securitySchemes": {
                "token": {
                    "type": "http",
                    "scheme": "bearer",
                    "description": "Given out by an administrator, with the scope `match`.",
                }
            },
            "schemas": {
                "question": _question(),
                "answer": _ANSWER,
                "query": _QUERY,
                "option": _OPTION,
                "near_miss": _NEAR_MISS,
                "penalty": _PENALTY,
                "fact": _FACT,
                "verdict": _VERDICT,
                "refused": _REFUSED,
                "problem": PROBLEM,
            },
        },
    }


def _ref(name: str) -> Schema:
    return {"$ref": f"#/components/schemas/{name}"}


def _list_of(name: str, **limits: int) -> Schema:
    return {"type": "array", "items": _ref(name), **limits}


def _json(schema: Schema) -> Schema:
    return {"application/json": {"schema": schema}}


def _match() -> Schema:
    return {
        "operationId": "match",
        "summary": "The options for one question, or for each of a list in its order. Keeps nothing.",
        "security": [{"token": []}],
        "parameters": [
            {
                "name": "lang",
                "in": "query",
                "description": "Language of the sentences; else as `Accept-Language` says, else Indonesian.",
                "schema": {"type": "string", "enum": [*LANGUAGES]},
            }
        ],
        "requestBody": {
            "required": True,
            "content": _json({"anyOf": [_ref("question"), _list_of("question", maxItems=MOST)]}),
        },
        "responses": {
            "200": {
                "description": "The answer; of a list one for each question, or what is wrong with it.",
                "headers": {
                    name: {"schema": {"type": "string"}, "description": meaning}
                    for name, meaning in _RATE_HEADERS.items()
                },
                "content": _json(
                    {
                        "anyOf": [
                            _ref("answer"),
                            {
                                "type": "array",
                                "items": {"anyOf": [_ref("answer"), _ref("refused")]},
                            },
                        ]
                    }
                ),
            },
            **{status: _problem(meaning) for status, meaning in _PROBLEMS.items()},
        },
    }


_RATE_HEADERS = {
    "X-RateLimit-Limit": "Requests this token has in a while.",
    "X-RateLimit-Remaining": "Requests left of them.",
    "X-RateLimit-Reset": "When they are all there again, seconds since 1970.",
}
_PROBLEMS = {
    "400": "The body is no JSON, or neither an object nor an array.",
    "401": "No token, or one that is wrong, revoked or over.",
    "403": "The token may not be used for this.",
    "413": "The body is too large.",
    "415": "The body is not said to be JSON.",
    "422": "A value that can't be taken: `field` says which, `candidates` what could have been meant.",
    "429": "Asked too often: `Retry-After` says in how many seconds to ask again.",
}


def _problem(meaning: str) -> Schema:
    return {
        "description": meaning,
        "content": {"application/problem+json": {"schema": _ref("problem")}},
    }


def _description() -> Schema:
    return {
        "operationId": "description",
        "summary": "This description.",
        "responses": {
            "200": {"description": "OpenAPI 3.1", "content": _json({"type": "object"})},
            "304": {"description": "It is as it was when it had the ETag of `If-None-Match`."},
            "default": _problem("A problem."),
        },
    }


def _question() -> Schema:
    text = {"type": ["string", "null"], "maxLength": LONGEST_VALUE}
    return {
        "type": "object",
        "description": "The person facts are those of whom the help is for. What is not known is left out.",
        "properties": {
            "need": {
                "type": "string",
                "description": "Code of a kind of help, as HE05; a domain (HE) takes all in it.",
                "examples": ["HE05"],
            },
            "near": {
                "description": "Latitude and longitude to measure from; this or `place` has to be there.",
                "anyOf": [
                    _POINT,
                    {"type": "string", "description": "LAT,LON", "examples": ["-6.99,110.42"]},
                    {"type": "null"},
                ],
            },
            "place": {
                "description": "Area the person stays in: its name or code, or an object with its code.",
                "anyOf": [
                    text,
                    {
                        "type": "object",
                        "properties": {"code": {"type": "string"}},
                        "required": ["code"],
                    },
                ],
                "examples": ["Kec. Banyumanik, Kota Semarang"],
            },
            "registered_in": text | {"description": "Area code of the person's registration."},
            "age": {"type": ["integer", "null"], "minimum": 0, "maximum": OLDEST_YEARS},
            "sex": {"type": ["string", "null"], "enum": [*SEXES, None]},
            "desil": {
                "type": ["integer", "null"],
                "minimum": 1,
                "maximum": 10,
                "description": "Income decile of the household.",
            },
            "disability": _codes(sorted(coded("disabilities"))),
            "language": {
                "type": ["array", "null"],
                "items": {"type": "string", "pattern": "^[a-z]{3}$"},
                "description": "Languages the person speaks, ISO 639-3.",
            },
            "documents_lacking": _codes([*coded("documents")]),
            "urgency": {"type": ["string", "null"], "enum": [*URGENCIES, None]},
            "at": text
            | {
                "description": "When help is looked for (ISO 8601); without an offset in the zone of the token's office; else now."
            },
            "within": {
                "type": ["number", "null"],
                "exclusiveMinimum": 0,
                "maximum": FARTHEST_KM,
                "description": "Travel limit, km.",
            },
            "limit": {
                "type": ["integer", "null"],
                "minimum": 1,
                "maximum": LARGEST_LIMIT,
                "description": f"Most options in each list; {DEFAULT_LIMIT} if not said.",
            },
            "step_km": {"description": "Not read: a query copied from an answer asks the same."},
        },
        "required": ["need"],
        "additionalProperties": False,
    }


def _codes(codes: list[str]) -> Schema:
    return {"type": ["array", "null"], "items": {"type": "string", "enum": codes}}


def _object(properties: Schema) -> Schema:
    """A part of an answer: all of it is always there, and later versions may say more."""
    return {"type": "object", "properties": properties, "required": [*properties]}


_POINT: Schema = {"type": "array", "items": {"type": "number"}, "minItems": 2, "maxItems": 2}
_TEXT, _NUMBER, _WHOLE = {"type": "string"}, {"type": "number"}, {"type": "integer"}
_TEXT_OR_NOT, _KM = {"type": ["string", "null"]}, {"type": ["number", "null"], "minimum": 0}
_TEXTS = {"type": "array", "items": _TEXT}
_WHOLE_OR_NOT = {"type": ["integer", "null"]}
_UUID = {"type": "string", "format": "uuid"}
_QUERY = _object(
    {
        "need": _TEXT,
        "near": {"anyOf": [_POINT, {"type": "null"}]},
        "place": {
            "anyOf": [
                _object({"code": _TEXT, "name": _TEXT, "precision_km": _NUMBER}),
                {"type": "null"},
            ]
        },
        "registered_in": _TEXT_OR_NOT,
        "age": _WHOLE_OR_NOT,
        "sex": _TEXT_OR_NOT,
        "desil": _WHOLE_OR_NOT,
        "disability": _TEXTS,
        "language": _TEXTS,
        "documents_lacking": _TEXTS,
        "urgency": _TEXT,
        "at": _TEXT,
        "within": _KM,
        "limit": _WHOLE,
        "step_km": {**_NUMBER, "description": "One local step, which penalties are counted in."},
    }
)
_SAID: Schema = {"key": _TEXT, "params": {"type": "object"}, "because": _TEXT}
_FACT = _object(_SAID)
_PENALTY = _object({"rule": _TEXT, "steps": _NUMBER, "km": _NUMBER, **_SAID})
_VERDICT = _object(
    {
        "rule": _TEXT,
        "verdict": {"type": "string", "enum": ["pass", "fail", "unknown"]},
        **_SAID,
    }
)
_OPTION_FIELDS: Schema = {
    "service_at_location_id": _UUID,
    "service_id": _UUID,
    "source": _TEXT_OR_NOT,
    "source_id": _TEXT_OR_NOT,
    "name": _TEXT,
    "organization": _TEXT,
    "group": {
        "type": "integer",
        "enum": [0, 1, 2, 3],
        "description": "1 usually serves another area, 2 full now, 3 without a position.",
    },
    "distance_km": {**_KM, "description": "null: remote, confidential or without a position."},
    "distance_band": {"anyOf": [_POINT, {"type": "null"}]},
    "precision_km": _KM,
    "effective_km": {**_KM, "description": "What the order within a group is by."},
    "measured_from_area": {
        **_TEXT_OR_NOT,
        "description": "Of a confidential place: the area from whose public point it is ordered.",
    },
    "penalties": _list_of("penalty"),
    "verdicts": _list_of("verdict"),
    "facts": {**_list_of("fact"), "description": "Open now, room and how old that word is, cost."},
    "bearing": {**_TEXT_OR_NOT, "description": "Direction in words."},
    "way": {**_TEXT_OR_NOT, "description": "How one gets there, or that the line is straight."},
    "straight_km": {**_KM, "description": "Where a known way stands for it: the straight line."},
    "route": {
        "anyOf": [_object({"km": _NUMBER, "how": _TEXT}), {"type": "null"}],
        "description": "The way that the token's office knows.",
    },
    "crossing": {
        **_TEXT_OR_NOT,
        "description": "Whether the two ends lie on two islands: no, perhaps, yes.",
    },
    "phones": {"type": "array"},
}
_OPTION = _object(_OPTION_FIELDS)
_NEAR_MISS = _object(
    _OPTION_FIELDS
    | {
        "failed": {**_TEXTS, "description": "Rules that keep it out."},
        "change": {**_NUMBER, "description": "How large a change it takes: they stand by it."},
        "would_fit_if": _TEXT,
    }
)
_ANSWER = _object(
    {
        "query": _ref("query"),
        "rules_version": _WHOLE,
        "penalty_table": _object({"number": _WHOLE, "steps": {"type": "object"}}),
        "answered_in_time": {
            **_KM,
            "description": "Share of the category's referrals that were answered in time.",
        },
        "routes": {
            "type": "array",
            "items": _object({"to_code": _TEXT, "km": _NUMBER, "how": _TEXT}),
            "description": "Ways known to the token's office from where the person stays.",
        },
        "directory_version": _WHOLE,
        "options": _list_of("option"),
        "remote": _list_of("option"),
        "why_not": _list_of("near_miss"),
        "why_not_total": _WHOLE,
        "coverage": _TEXT,
    }
)
_REFUSED = _object(
    {
        "error": _object(
            {
                "code": _TEXT,
                "field": _TEXT_OR_NOT,
                "message": _TEXT,
                "candidates": {"type": "array"},
            }
        )
    }
)
