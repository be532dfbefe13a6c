"""The table of permissions."""

from dataclasses import dataclass, field
from pathlib import Path

import pytest

from referral.accounts.permissions import (
    GRANTABLE,
    HOLDERS,
    PERSON_LEVEL,
    Role,
    allows,
    permissions_of,
)

DOCS = Path(__file__).resolve().parents[2] / "docs" / "accounts.md"


@dataclass
class Somebody:
    role: Role
    granted: list[str] = field(default_factory=list)


@pytest.mark.parametrize("role", [Role.PLANNER, Role.ADMINISTRATOR])
def test_planners_and_administrators_never_see_a_client(role: Role) -> None:
    assert permissions_of(Somebody(role)) & PERSON_LEVEL == frozenset()


def test_each_role_may_do_what_its_work_needs() -> None:
    assert {role: permissions_of(Somebody(role)) for role in Role} == {
        Role.BROKER: {
            "account:self",
            "advocacy:write",
            "case:open",
            "case:read",
            "case:write",
            "crisis:log",
            "feedback:record",
            "letter:sign",
            "match:run",
            "own_resource:write",
            "receipt:read",
            "referral:read",
            "referral:send",
            "route:edit",
            "unmet:confirm",
        },
        Role.SUPERVISOR: {
            "account:manage",
            "account:self",
            "advocacy:write",
            "case:read",
            "case:reassign",
            "client:erase",
            "crisis:log",
            "crisis:review",
            "fairness:read",
            "letter:sign",
            "office:read",
            "penalty:edit",
            "receipt:read",
            "referral:read",
            "route:edit",
        },
        Role.AGENCY: {
            "account:self",
            "referral:answer",
            "listing:edit",
            "referral:read",
            "rule:rehearse",
        },
        Role.PLANNER: {
            "account:self",
            "fairness:read",
            "gap:read",
            "proposal:write",
            "rule:rehearse",
        },
        Role.ADMINISTRATOR: {
            "account:manage",
            "account:self",
            "listing:approve",
            "listing:import",
            "office:manage",
            "outbox:manage",
            "token:manage",
        },
    }


def test_a_curator_is_anybody_to_whom_approving_listings_was_granted() -> None:
    curator = Somebody(Role.PLANNER, ["listing:approve"])

    assert allows(curator, "listing:approve")
    assert not allows(Somebody(Role.PLANNER), "listing:approve")


def test_nothing_but_the_grantable_can_be_granted() -> None:
    planner = Somebody(Role.PLANNER, ["case:read", "account:manage"])

    assert permissions_of(planner) == permissions_of(Somebody(Role.PLANNER))
    assert not allows(planner, "case:read")


def test_asking_for_a_permission_that_is_not_in_the_table_is_a_mistake() -> None:
    with pytest.raises(KeyError):
        allows(Somebody(Role.ADMINISTRATOR), "case:raed")


def test_what_can_be_granted_and_what_is_personal_are_permissions_of_the_table() -> None:
    assert set(HOLDERS) >= (GRANTABLE | PERSON_LEVEL)
    assert not GRANTABLE & PERSON_LEVEL


def test_the_documented_table_is_the_one_in_force() -> None:
    lines = DOCS.read_text("utf-8").splitlines()
    header = next(line for line in lines if line.startswith("| permission |"))
    roles = [Role(cell.strip()) for cell in header.split("|")[2:-1]]
    documented = {}
    for line in lines:
        cells = [cell.strip() for cell in line.split("|")]
        if len(cells) == len(roles) + 3 and ":" in cells[1] and cells[1].startswith("`"):
            marks = zip(roles, cells[2:-1], strict=True)
            documented[cells[1].strip("`")] = {role for role, mark in marks if mark == "yes"}

    assert documented == HOLDERS
