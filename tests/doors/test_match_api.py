"""The match for other systems: who is let in, what they are told, and that nothing of it stays."""

import json
import logging
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from functools import cache
from typing import Any

import jsonschema
import pytest
from flask import Flask
from openapi_spec_validator import validate
from referencing import Registry, Resource
from referencing.jsonschema import DRAFT202012
from sqlalchemy import event, func, select
from sqlalchemy.orm import Session
from werkzeug.test import TestResponse

from referral.accounts import tokens
from referral.accounts.models import ApiToken
from referral.accounts.permissions import Role
from referral.api import match_description
from referral.config import Settings
from referral.core.errors import Invalid, NotAllowed
from referral.extensions import db, limiter
from referral.factory import create_app
from referral.matching.models import KnownRoute, PenaltyTable
from referral.tables import metadata
from tests.conftest import Browser
from tests.factories import SEMARANG, Make

MATCH = "/api/v1/match"
QUESTION = {"need": "HE05", "near": list(SEMARANG), "age": 16}


@cache
def schema(pointer: str) -> Any:
    """Of our own description, by which every answer here is held."""
    registry: Any = Registry().with_resource(
        "urn:api",
        Resource.from_contents(match_description.described(), default_specification=DRAFT202012),
    )
    return jsonschema.Draft202012Validator({"$ref": f"urn:api#{pointer}"}, registry=registry)


_ANSWERS = "/paths/~1match/post/responses/{}/content/{}/schema"


class Api:
    """Another system with a token: asks, and checks the form of every answer."""

    def __init__(self, browser: Browser, token: str | None) -> None:
        self.browser = browser
        self.headers = {"Authorization": f"Bearer {token}"} if token is not None else {}

    def ask(self, asked: Any, status: int = 200, path: str = MATCH, **headers: str) -> Any:
        response = self.response(asked, path, **headers)
        assert response.status_code == status, response.text
        return json.loads(response.text)

    def response(self, asked: Any, path: str = MATCH, **headers: str) -> TestResponse:
        body = asked if isinstance(asked, bytes) else json.dumps(asked).encode()
        given = {"Content-Type": "application/json"} | self.headers | headers
        response = self.browser.post(path, data=body, headers=given)
        kind = "application/json" if response.status_code == 200 else "application/problem+json"
        assert response.mimetype == kind
        told = json.loads(response.text)
        pointer = _ANSWERS.format(response.status_code, kind.replace("/", "~1"))
        schema(pointer).validate(told)
        assert "Access-Control-Allow-Origin" not in response.headers
        if response.status_code == 200:
            assert response.headers["Cache-Control"] == "no-store"
        else:
            assert told["status"] == response.status_code
        return response


@pytest.fixture(autouse=True)
def nobody_asked_before(app: Flask) -> None:
    limiter.init_app(app)  # another application of this run may have taken the counts with it
    limiter.reset()


@pytest.fixture
def issue(make: Make, session: Session) -> Callable[..., tokens.IssuedToken]:
    """A token: `issue(days=1)`."""

    def issued(**values: Any) -> tokens.IssuedToken:
        if "office_id" not in values and "organization_id" not in values:
            values["office_id"] = make.office().id
        defaults: dict[str, Any] = {
            "name": "Sistem Uji",
            "office_id": None,
            "organization_id": None,
            "scopes": ["match"],
            "days": 30,
            "by": make.user(Role.ADMINISTRATOR),
            "now": datetime.now(UTC),
        }
        return tokens.issue(session, **defaults | values)

    return issued


@pytest.fixture
def api(browser: Browser, issue: Callable[..., tokens.IssuedToken]) -> Api:
    return Api(browser, issue().text)


def test_the_answer_is_that_of_the_command(api: Api, cli: Any, make: Make) -> None:
    make.service("HE05", source="register", source_id="A1")
    make.service("HE05", minimum_age=60)
    make.service("HE05", remote="phone")
    at = "2026-03-02T09:30:00+07:00"

    told = api.ask(QUESTION | {"at": at})
    printed = cli(
        *("match", "--need", "HE05", "--near", f"{SEMARANG[0]},{SEMARANG[1]}"),
        *("--age", "16", "--at", at, "--json"),
    ).json

    assert told == printed
    assert [len(told[part]) for part in ("options", "remote", "why_not")] == [1, 1, 1]
    again = api.ask(told["query"])
    assert again["options"] == told["options"], "a query copied from an answer asks the same again"
    schemas = match_description.described()["components"]["schemas"]
    assert set(told) == set(schemas["answer"]["properties"])
    for part, named in (("options", "option"), ("remote", "option"), ("why_not", "near_miss")):
        described = set(schemas[named]["properties"])
        assert {key for one in told[part] for key in one} == described, "all is described"


def test_sentences_come_in_the_language_asked_for(api: Api, make: Make) -> None:
    make.service("HE05", minimum_age=60)

    def said(path: str = MATCH, **headers: str) -> Any:
        return api.ask(QUESTION, path=path, **headers)["why_not"][0]["would_fit_if"]

    indonesian, english = said(), said(f"{MATCH}?lang=en")
    assert indonesian != english
    assert said(**{"Accept-Language": "en-GB,en;q=0.9"}) == english
    assert said(f"{MATCH}?lang=id", **{"Accept-Language": "en"}) == indonesian
    assert api.ask(QUESTION, 422, f"{MATCH}?lang=jv")["field"] == "lang"
    assert api.ask(QUESTION, 422, f"{MATCH}?langue=id")["candidates"] == ["lang"]


def test_several_questions_are_answered_in_their_order(api: Api, make: Make) -> None:
    make.service("HE05")
    make.service("EM06")

    told = api.ask(
        [QUESTION, {"need": "XX"}, 7, QUESTION | {"need": "EM06"}], path=f"{MATCH}?lang=en"
    )

    assert [one.get("query", {}).get("need") for one in told] == ["HE05", None, None, "EM06"]
    assert [len(told[n]["options"]) for n in (0, 3)] == [1, 1]
    assert [told[n]["error"]["code"] for n in (1, 2)] == ["unknown_category", "invalid"]
    assert api.ask([]) == []
    assert len(api.ask([QUESTION] * 100)) == 100
    assert "100" in api.ask([QUESTION] * 101, 422)["detail"]


@pytest.mark.parametrize(
    ("question", "field"),
    [
        ({"near": [0, 0]}, "need"),
        ({"need": "HE05"}, "near"),
        (QUESTION | {"name": "Siti"}, "name"),
        (QUESTION | {"need": {"code": "HE05"}}, "need"),
        (QUESTION | {"near": [1]}, "near"),
        (QUESTION | {"near": "di sini"}, "near"),
        (QUESTION | {"near": [91, 0]}, "near"),
        (QUESTION | {"place": "Kerajaan Antah Berantah"}, "place"),
        (QUESTION | {"place": "a" * 600}, "place"),
        (QUESTION | {"place": "\ud800\0"}, "place"),
        (QUESTION | {"age": -1}, "age"),
        (QUESTION | {"age": True}, "age"),
        (QUESTION | {"sex": "laki"}, "sex"),
        (QUESTION | {"desil": 11}, "desil"),
        (QUESTION | {"disability": [["physical"]]}, "disability"),
        (QUESTION | {"language": ["in"]}, "language"),
        (QUESTION | {"documents_lacking": ["SIM"]}, "documents_lacking"),
        (QUESTION | {"urgency": "now"}, "urgency"),
        (QUESTION | {"at": "besok"}, "at"),
        (QUESTION | {"within": 0}, "within"),
        (QUESTION | {"within": 1e999}, "within"),
        (QUESTION | {"limit": 10_000}, "limit"),
        (QUESTION | {"a" * 900: 1}, None),
    ],
)
def test_a_value_that_cannot_be_taken_is_named(api: Api, question: Any, field: str | None) -> None:
    told = api.ask(question, 422)

    assert told["detail"]
    if field is not None:
        assert told["field"] == field


def test_what_could_have_been_meant_is_said(api: Api) -> None:
    told = api.ask(QUESTION | {"documents_lacking": ["KTPP"]}, 422, f"{MATCH}?lang=en")

    assert "KTP" in told["candidates"]


@pytest.mark.parametrize(
    ("body", "status"),
    [
        (b"", 400),
        (b"{", 400),
        (b'"HE05"', 400),
        (b"[" * 100_000, 400),
        (b"\xff\xfe", 400),
        (b'{"need": "' + b"x" * 9_000 + b'"}', 413),
        (b"[" + b'{"need": "HE05"},' * 9_000 + b"{}]", 413),
    ],
)
def test_a_body_that_is_no_question_is_refused(api: Api, body: bytes, status: int) -> None:
    assert api.response(body).status_code == status


def test_a_form_is_no_question(api: Api) -> None:
    kind = {"Content-Type": "application/x-www-form-urlencoded"}

    assert api.response(b"need=HE05", **kind).status_code == 415


def test_without_a_good_token_nobody_is_answered_and_all_are_told_the_same(
    browser: Browser, issue: Callable[..., tokens.IssuedToken], session: Session, make: Make
) -> None:
    now = datetime.now(UTC)
    good, revoked = issue(), issue()
    over = issue(days=1, now=now - timedelta(days=1))
    tokens.revoke(session, revoked.token, by=make.user(Role.ADMINISTRATOR), now=now)
    wrong = good.text[:-1] + ("0" if good.text[-1] != "0" else "1")
    presented = [
        None,
        "",
        "jj_",
        wrong,
        good.text.upper(),
        over.text,
        revoked.text,
        "é",
        "x" * 5000,
    ]

    answers = {
        (response.text, response.status_code, response.headers["WWW-Authenticate"])
        for response in (Api(browser, token).response(QUESTION) for token in presented)
    }

    assert len(answers) == 1
    ((text, status, challenge),) = answers
    assert (status, challenge) == (401, 'Bearer realm="jejaring"')
    assert json.loads(text) == {"type": "about:blank", "title": "Unauthorized", "status": 401}
    assert Api(browser, good.text).response(QUESTION).status_code == 200


def test_a_session_opens_nothing_here_and_changes_nothing_about_the_answer(
    browser: Browser, api: Api, make: Make
) -> None:
    browser.sign_in(make.user())

    assert Api(browser, None).response(QUESTION).status_code == 401
    assert api.response(QUESTION).status_code == 200


def test_a_token_without_the_scope_is_told_so(
    browser: Browser, issue: Callable[..., tokens.IssuedToken], session: Session
) -> None:
    issued = issue()
    issued.token.scopes = []
    session.flush()

    response = Api(browser, issued.text).response(QUESTION)

    assert response.status_code == 403
    assert 'error="insufficient_scope"' in response.headers["WWW-Authenticate"]


def test_asking_keeps_and_logs_nothing(
    api: Api, make: Make, session: Session, caplog: pytest.LogCaptureFixture
) -> None:
    make.service("HE05")
    api.ask(QUESTION)
    counts = {name: _count(session, name) for name in metadata.tables}
    caplog.set_level(logging.DEBUG)
    writes: list[str] = []

    def wrote(_connection: Any, _cursor: Any, statement: str, *_: Any) -> None:
        if not statement.startswith(("SELECT", "SAVEPOINT", "RELEASE", "ROLLBACK", "BEGIN")):
            writes.append(statement)

    event.listen(db.engine, "before_cursor_execute", wrote)
    try:
        api.ask(QUESTION | {"place": "Rahasia Sekali"}, 422)
        api.ask(QUESTION | {"age": 17})
    finally:
        event.remove(db.engine, "before_cursor_execute", wrote)

    assert writes == []
    assert {name: _count(session, name) for name in metadata.tables} == counts
    assert "Rahasia" not in caplog.text
    assert "HE05" not in caplog.text


def _count(session: Session, name: str) -> int:
    return session.scalar(select(func.count()).select_from(metadata.tables[name])) or 0


def test_when_a_token_was_last_used_is_true_to_a_day(
    browser: Browser, issue: Callable[..., tokens.IssuedToken], session: Session
) -> None:
    issued = issue()
    api = Api(browser, issued.text)

    def used() -> datetime | None:
        return session.scalar(select(ApiToken.last_used_at).where(ApiToken.id == issued.token.id))

    assert used() is None
    api.ask(QUESTION)
    first = used()
    assert first is not None
    api.ask(QUESTION)
    assert used() == first

    earlier = datetime.now(UTC) - timedelta(days=1)
    session.get_one(ApiToken, issued.token.id).last_used_at = earlier
    api.ask(QUESTION)
    assert (used() or earlier) > earlier


def test_the_office_of_a_token_gives_penalties_and_zone(
    browser: Browser, issue: Callable[..., tokens.IssuedToken], make: Make, session: Session
) -> None:
    office = make.office(time_zone="Asia/Jayapura")
    shared = session.scalars(select(PenaltyTable).where(PenaltyTable.office_id.is_(None))).one()
    session.add(
        PenaltyTable(
            office_id=office.id,
            number=1,
            steps=shared.steps | {"capacity_unknown": 0.05},
            created_at=make.now,
        )
    )
    site = make.service("HE05")
    of_office = Api(browser, issue(office_id=office.id).text)
    of_agency = Api(browser, issue(organization_id=site.service.organization_id).text)
    question = QUESTION | {"at": "2026-03-02T09:30"}

    def steps(told: Any) -> Any:
        (option,) = told["options"]
        return {one["rule"]: one["steps"] for one in option["penalties"]}["capacity_unknown"]

    ours, theirs = of_office.ask(question), of_agency.ask(question)
    assert (steps(ours), ours["query"]["at"]) == (0.05, "2026-03-02T09:30:00+09:00")
    assert (steps(theirs), theirs["query"]["at"]) == (0.1, "2026-03-02T09:30:00+07:00")


def test_the_ways_that_the_office_of_a_token_knows_count(
    browser: Browser, issue: Callable[..., tokens.IssuedToken], make: Make, session: Session
) -> None:
    office, other = make.office(), make.office()
    make.service("HE05")
    session.add(
        KnownRoute(
            office_id=office.id,
            from_code="33.74",
            to_code="33.74",
            km=31.5,
            how="perahu",
            created_at=make.now,
            by_id=make.user().id,
        )
    )
    question = QUESTION | {"place": "33.74"}

    def km(of: Any) -> float:
        (option,) = Api(browser, issue(office_id=of.id).text).ask(question)["options"]
        return float(option["distance_km"])

    assert km(office) == 31.5
    assert km(other) < 31


def test_who_asks_too_often_waits_and_others_do_not(
    app: Flask,
    browser: Browser,
    issue: Callable[..., tokens.IssuedToken],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    rarely = replace(app.config["SETTINGS"], API_RATE="3 per minute")
    monkeypatch.setitem(app.config, "SETTINGS", rarely)
    often, other = Api(browser, issue().text), Api(browser, issue().text)

    answers = [often.response(QUESTION) for _ in range(5)]

    assert [one.status_code for one in answers] == [200, 200, 200, 429, 429]
    assert [one.headers["X-RateLimit-Remaining"] for one in answers[:3]] == ["2", "1", "0"]
    assert 1 <= int(answers[-1].headers["Retry-After"]) <= 60
    assert other.response(QUESTION).status_code == 200


def test_an_address_that_keeps_failing_waits_and_its_good_token_does_not(
    browser: Browser, api: Api
) -> None:
    stranger = Api(browser, "jj_" + "0" * 64)

    statuses = [stranger.response(QUESTION).status_code for _ in range(22)]

    assert statuses == [401] * 20 + [429] * 2
    assert int(stranger.response(QUESTION).headers["Retry-After"]) >= 1
    assert api.response(QUESTION).status_code == 200


@pytest.mark.parametrize("rate", ["often", "60", "per minute"])
def test_a_rate_that_says_nothing_stops_the_start(rate: str, tmp_path: Any) -> None:
    with pytest.raises(RuntimeError, match="API_RATE"):
        create_app(Settings.from_env({"JEJARING_INSTANCE": str(tmp_path), "API_RATE": rate}))


def test_the_description_is_valid_and_served(browser: Browser) -> None:
    response = browser.get("/api/v1/openapi.json")

    validate(match_description.described())
    assert response.json == match_description.described()
    assert set(match_description.described()["paths"]) == {"/match", "/openapi.json"}


def test_other_addresses_and_methods_are_problems(browser: Browser) -> None:
    missing, wrong = browser.get("/api/v1/cases"), browser.get(MATCH)

    assert (missing.status_code, missing.mimetype) == (404, "application/problem+json")
    assert (wrong.status_code, wrong.mimetype) == (405, "application/problem+json")
    assert "POST" in wrong.headers["Allow"]


def test_a_confidential_place_keeps_its_distance_to_itself(api: Api, make: Make) -> None:
    make.service("EM06", confidential=True)

    (option,) = api.ask(QUESTION | {"need": "EM06"})["options"]

    assert (option["distance_km"], option["distance_band"]) == (None, None)


def test_a_token_is_issued_only_whole_and_by_an_administrator(
    issue: Callable[..., tokens.IssuedToken], make: Make, session: Session
) -> None:
    office, organization = make.office(), make.organization()
    for wrong, field in [
        ({"name": "  "}, "name"),
        ({"name": "x" * 121}, "name"),
        ({"office_id": None}, "office"),
        ({"office_id": office.id, "organization_id": organization.id}, "office"),
        ({"scopes": []}, "scopes"),
        ({"scopes": ["everything"]}, "scopes"),
        ({"days": 0}, "days"),
        ({"days": 731}, "days"),
    ]:
        with pytest.raises(Invalid) as refused:
            issue(**{"office_id": office.id} | wrong)
        assert refused.value.field == field
    with pytest.raises(NotAllowed):
        issue(by=make.user(Role.SUPERVISOR))

    issued = issue()

    assert issued.text.startswith(issued.token.begins)
    assert issued.text.encode() not in issued.token.digest
    assert session.scalars(select(ApiToken)).all() == [issued.token]
