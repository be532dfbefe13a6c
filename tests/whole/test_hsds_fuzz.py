"""The HSDS API under requests that nobody would think of, made from its own description."""

import os
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

from referral.api import openapi
from referral.api.asking import LISTS
from referral.directory.models import Address, Phone, ServiceArea
from tests.factories import Make

CHECKS = [
    not_a_server_error,
    status_code_conformance,
    content_type_conformance,
    response_schema_conformance,
]
#: of each address and method; FUZZ_EXAMPLES makes it longer
EXAMPLES = int(os.environ.get("FUZZ_EXAMPLES", "8"))


@pytest.fixture
def description(app: Flask, session: Session, make: Make) -> Any:
    """The API of a small directory, as it describes itself."""
    site = make.service("HE05")
    make.service("EM06", confidential=True)
    session.add_all(
        [
            Phone(service_id=site.service_id, number="024 7601000", extension="12"),
            ServiceArea(service_id=site.service_id, name="Kota Semarang", area_code="33.74"),
            Address(
                location_id=site.location_id,
                address_1="Jalan Pemuda 1",
                city="Semarang",
                state_province="Jawa Tengah",
                postal_code="50131",
                country="ID",
            ),
        ]
    )
    session.commit()
    return schemathesis.openapi.from_wsgi("/api/hsds/openapi.json", app)


OPERATIONS = [
    (path, method, mode)
    for path, operations in openapi.described()["paths"].items()
    for method in ("get", "post")
    for mode in (GenerationMode.POSITIVE, GenerationMode.NEGATIVE)
    # What takes nothing but an id can't be asked wrongly.
    if method in operations and (mode is GenerationMode.POSITIVE or path.strip("/") in LISTS)
]


@pytest.mark.parametrize(("path", "method", "mode"), OPERATIONS)
def test_no_request_breaks_the_api_and_every_answer_is_as_described(
    description: Any, path: str, method: str, mode: GenerationMode
) -> None:
    """As it asks to be asked, and as it asks not to be."""
    operation = description[path][method]

    @given(case=operation.as_strategy(generation_mode=mode))
    @settings(
        max_examples=EXAMPLES,
        deadline=None,
        database=None,
        derandomize=EXAMPLES <= 50,
        suppress_health_check=list(HealthCheck),
    )
    def attempt(case: Any) -> None:
        response = case.call()
        assert response.status_code < 500
        case.validate_response(response, checks=CHECKS)

    attempt()
