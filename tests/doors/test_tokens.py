"""Tokens of other systems: the pages and commands by which an administrator looks after them."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from referral.accounts import tokens
from referral.accounts.models import ApiToken
from referral.accounts.permissions import Role
from referral.changes.models import AuditEntry
from tests.factories import Make


def typed(of: Any, **values: str) -> dict[str, str]:
    return {
        "name": "SIM Dinsos",
        "whose": "office",
        "office": str(of.id),
        "scopes": "match",
        "days": "90",
    } | values


def test_an_administrator_gives_a_token_out_and_ends_it(
    browser: Any, make: Make, session: Session
) -> None:
    office = make.office(name="Dinsos Kota Uji")
    browser.sign_in(make.user(Role.ADMINISTRATOR))
    assert "jj_" not in browser.page("/accounts/tokens").text

    text = browser.submit("/accounts/tokens/new", typed(office)).select_one("#token")["value"]

    now = datetime.now(UTC)
    system = tokens.find(session, text, now=now)
    assert system
    assert (system.office_id, system.scopes) == (office.id, {"match"})
    assert tokens.find(session, text, now=now + timedelta(days=89))
    assert not tokens.find(session, text, now=now + timedelta(days=90))
    page = browser.page("/accounts/tokens")
    assert text not in page.text
    (row,) = page.select("table.data tbody tr")
    assert text[:11] in row.text
    assert "Dinsos Kota Uji" in row.text

    browser.submit(row.select_one("form")["action"])

    assert tokens.find(session, text, now=now) is None
    (row,) = browser.page("/accounts/tokens").select("table.data tbody tr")
    assert not row.select("form")
    told = session.scalars(
        select(AuditEntry.action).where(AuditEntry.subject_type == "api_token")
    ).all()
    assert sorted(told) == ["api_token.issued", "api_token.revoked"]


def test_an_agency_s_system_is_found_by_the_agency_s_name(
    browser: Any, make: Make, session: Session
) -> None:
    first = make.organization(name="Yayasan Harapan Semarang")
    make.organization(name="Yayasan Harapan Kudus")
    browser.sign_in(make.user(Role.ADMINISTRATOR))
    asked = typed(make.office(), whose="agency", organization="harapan")

    page = browser.submit("/accounts/tokens/new", asked, status=422)
    offered = [radio["value"] for radio in page.select("input[name=organization_id]")]
    browser.submit("/accounts/tokens/new", asked | {"organization_id": offered[1]})

    token = session.scalars(select(ApiToken)).one()
    assert (token.organization_id, token.office_id) == (first.id, None)
    assert "Yayasan Harapan Semarang" in browser.page("/accounts/tokens").text


@pytest.mark.parametrize(
    ("values", "field"),
    [
        ({"name": " "}, "name"),
        ({"office": "nowhere"}, "office"),
        ({"whose": "agency", "organization": ""}, "organization"),
        ({"days": "0"}, "days"),
        ({"days": ""}, "days"),
        ({"days": "soon"}, "days"),
        ({"scopes": "everything"}, "scopes"),
    ],
)
def test_a_wrong_form_comes_back_with_what_was_typed(
    browser: Any, make: Make, session: Session, values: dict[str, str], field: str
) -> None:
    browser.sign_in(make.user(Role.ADMINISTRATOR))
    asked = typed(make.office(), **values)

    page = browser.submit("/accounts/tokens/new", asked, status=422)

    assert [link["href"] for link in page.select(".error-summary a")] == [f"#{field}"]
    assert page.select_one("#name")["value"] == asked["name"].strip()
    assert session.scalars(select(ApiToken)).all() == []


def test_the_commands_give_out_list_and_end(cli: Any, make: Make, session: Session) -> None:
    make.office(name="Dinsos Kota Uji")
    admin, broker = make.user(Role.ADMINISTRATOR), make.user()
    new = ("accounts", "token", "new", "--name", "SIM", "--json", "--lang", "en")
    assert cli("accounts", "token", "list", "--json").json == {"tokens": []}

    text = cli(*new, "--office", "Dinsos Kota Uji", "--days", "7", "--by", admin.email).json[
        "token"
    ]

    assert tokens.find(session, text, now=datetime.now(UTC))
    (row,) = cli("accounts", "token", "list", "--json").json["tokens"]
    assert (row["begins"], row["whose"], row["state"]) == (text[:11], "Dinsos Kota Uji", "active")
    assert "SIM" in cli("accounts", "token", "list").stdout
    assert cli("accounts", "token", "revoke", row["begins"], "--json").json["state"] == "revoked"
    assert tokens.find(session, text, now=datetime.now(UTC)) is None
    for wrong, field in [
        (("--office", "Kantor Lain", "--by", admin.email), "office"),
        (("--organization", "Tidak Ada", "--by", admin.email), "organization"),
        (("--by", admin.email), "office"),
        (("--office", "Dinsos Kota Uji", "--by", broker.email), None),
        (("--office", "Dinsos Kota Uji", "--by", "nobody@example.org"), "by"),
    ]:
        refused = cli(*new, *wrong)
        assert (refused.exit_code, refused.json["error"]["field"]) == (2, field)
    assert cli("accounts", "token", "revoke", "jj_00000000", "--json").exit_code == 2
