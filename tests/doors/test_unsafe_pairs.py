"""Whom a client must not meet is named to nobody: on no page about the client, in no file, count or command."""

import io
import itertools
import json
from typing import Any

import pytest
from flask import Flask
from pypdf import PdfReader
from sqlalchemy import select

from referral.casework.models import Exclusion, Protection
from referral.matching.models import MatchReceipt, VisitPlan
from tests.conftest import Browser
from tests.factories import SEMARANG, Make

UNSAFE = "Jangan Disebut"
#: what one may know of a client, and so what an address may ask for
ABOUT_A_CLIENT = {"case_id", "need_id", "receipt_id", "plan_id"}


def _kept_out(make: Make, case: Any) -> None:
    """The client asked never to be sent to these, who could help with both needs; one only nearly."""
    for values in ({}, {"minimum_age": 60}, {"remote": "phone"}):
        hidden = make.service("HE05", "FC01", name=UNSAFE, description=UNSAFE, **values)
        row = Exclusion(
            key=case.client.key,
            case_id=case.id,
            organization_id=hidden.service.organization_id,
            at=make.now,
            by_id=case.broker_id,
        )
        make.session.add(row)


def _unsafe_with_violence(make: Make, case: Any) -> None:
    """Somebody was hurt: no neighbourhood or faith leader, no couple counselling, no mediation."""
    case.protections = [Protection.VIOLENCE.value]
    make.service("HE05", "FC01", name=UNSAFE, facility_type="RT_RW")
    make.service("FC01", name=f"Konseling pernikahan {UNSAFE}")
    make.service("CD03", name=UNSAFE)


@pytest.fixture
def case(make: Make, broker: Any) -> Any:
    case = make.case(broker=broker)
    case.client.stays_at = {"lat": SEMARANG[0], "lon": SEMARANG[1], "precision_km": 0.0}
    case.client.facts = {"age_years": 16}
    for category in ("HE05", "FC01", "CD03"):
        make.need(case, category=category)
    for number in range(3):
        make.service(
            "HE05", "FC01", "CD03", name=f"Bantuan {number}", at=(-6.99 - number / 20, 110.4)
        )
    make.session.flush()
    return case


def addresses(app: Flask, ids: dict[str, list[str]]) -> list[str]:
    """Every page about a client that can be asked for with these ids."""
    found = []
    with app.test_request_context():
        for rule in app.url_map.iter_rules():
            if "GET" not in (rule.methods or ()) or not rule.arguments & ABOUT_A_CLIENT:
                continue
            if rule.arguments <= ids.keys():
                some = [ids[name] for name in sorted(rule.arguments)]
                for values in itertools.product(*some):
                    built = rule.build(dict(zip(sorted(rule.arguments), values, strict=True)))
                    assert built is not None
                    found.append(built[1])
    return found


def text_of(answer: Any) -> str:
    """What a person reads there, on a page or on paper."""
    if answer.mimetype == "application/pdf":
        return "\n".join(page.extract_text() for page in PdfReader(io.BytesIO(answer.data)).pages)
    text: str = answer.text
    return text


@pytest.mark.parametrize("unsafe", [_kept_out, _unsafe_with_violence])
def test_it_is_named_nowhere(
    app: Flask, mine: Browser, make: Make, session: Any, cli: Any, case: Any, unsafe: Any
) -> None:
    unsafe(make, case)
    session.flush()
    needs = [str(need.id) for need in case.needs]
    pages = [mine.submit(f"/needs/{need}/match").text for need in needs]
    first = session.scalars(select(MatchReceipt)).first()
    pages.append(mine.submit(f"/receipts/{first.id}/again", {"within": "50"}).text)
    pages.append(mine.submit(f"/cases/{case.id}/plan").text)
    receipts = session.scalars(select(MatchReceipt)).all()
    plans = session.scalars(select(VisitPlan)).all()
    assert len(receipts) >= 4
    assert plans

    ids = {
        "case_id": [str(case.id)],
        "need_id": needs,
        "receipt_id": [str(one.id) for one in receipts],
        "plan_id": [str(one.id) for one in plans],
    }
    asked = addresses(app, ids)
    assert len({address.rsplit("/", 1)[-1] for address in asked}) > 5
    pages += [text_of(mine.get(address)) for address in asked]
    pages += [cli("match", "--receipt", str(one.id), "--json").stdout for one in receipts]
    pages += [json.dumps(row.content) for row in (*receipts, *plans)]

    assert [page for page in pages if UNSAFE in page] == []
    for one in receipts:
        assert one.content["tally"]["considered"] <= 3
        assert one.content["why_not_total"] <= 3
    assert any("Bantuan 0" in page for page in pages)


def test_without_the_reason_they_would_be_named(mine: Browser, make: Make, case: Any) -> None:
    """Else the test above would prove nothing."""
    make.service("HE05", name=UNSAFE, facility_type="RT_RW")
    make.session.flush()
    need = next(need for need in case.needs if need.category == "HE05")

    assert UNSAFE in mine.submit(f"/needs/{need.id}/match").text
