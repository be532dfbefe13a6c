"""The match API under requests that nobody would think of, made from its own description."""

import os
from datetime import UTC, datetime
from typing import Any

import pytest
import schemathesis
from flask import Flask
from hypothesis import HealthCheck, given, settings
from schemathesis import GenerationMode
from schemathesis.checks import not_a_server_error
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_schema_conformance,
    status_code_conformance,
)
from sqlalchemy.orm import Session

from referral.accounts import tokens
from referral.accounts.permissions import Role
from referral.extensions import limiter
from tests.factories import Make

CHECKS = [
    not_a_server_error,
    status_code_conformance,
    content_type_conformance,
    response_schema_conformance,
]
#: of each way of asking; FUZZ_EXAMPLES makes it longer
EXAMPLES = int(os.environ.get("FUZZ_EXAMPLES", "12"))


@pytest.fixture
def token(session: Session, make: Make) -> str:
    """A token, in a directory with a few services."""
    site = make.service("HE05")
    make.service("EM06", confidential=True)
    make.service("HE05", at=None)
    issued = tokens.issue(
        session,
        name="Sistem Uji",
        office_id=None,
        organization_id=site.service.organization_id,
        scopes=["match"],
        days=1,
        by=make.user(Role.ADMINISTRATOR),
        now=datetime.now(UTC),
    )
    session.commit()
    return issued.text


@pytest.mark.parametrize("mode", [GenerationMode.POSITIVE, GenerationMode.NEGATIVE])
@pytest.mark.parametrize("signed", [True, False])
def test_no_request_breaks_the_match_and_every_answer_is_as_described(
    app: Flask, token: str, mode: GenerationMode, signed: bool
) -> None:
    """As it asks to be asked, and as it asks not to be; with a token and without."""
    limiter.init_app(app)
    operation = schemathesis.openapi.from_wsgi("/api/v1/openapi.json", app)["/match"]["post"]
    headers = {"Authorization": f"Bearer {token}"} if signed else {}

    @given(case=operation.as_strategy(generation_mode=mode))
    @settings(
        max_examples=EXAMPLES,
        deadline=None,
        database=None,
        derandomize=EXAMPLES <= 50,
        suppress_health_check=list(HealthCheck),
    )
    def attempt(case: Any) -> None:
        limiter.reset()
        response = case.call(headers=headers)
        assert response.status_code < 500
        assert signed or response.status_code in (401, 405, 415, 429)
        case.validate_response(response, checks=CHECKS)

    attempt()
