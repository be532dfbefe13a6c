"""On a database that was never set up, a command says what to run first; reading a story needs none."""

import json
from pathlib import Path

import pytest

from referral.config import Settings
from referral.factory import create_app


@pytest.mark.parametrize(
    "command",
    [
        ["match", "--need", "HE05", "--near", "0,0", "--json"],
        ["directory", "import", "x.csv", "--json"],
        ["places", "find", "Semarang", "--json"],
        ["audit", "verify", "--json"],
    ],
    ids=lambda command: command[0],
)
def test_a_command_that_needs_tables_names_the_one_that_makes_them(
    command: list[str], tmp_path: Path
) -> None:
    runner = create_app(Settings.from_env({"JEJARING_INSTANCE": str(tmp_path)})).test_cli_runner()

    result = runner.invoke(args=command)

    assert result.exit_code == 2
    assert "flask db upgrade" in json.loads(result.stdout)["error"]["message"]


def test_a_story_is_read_without_a_database(tmp_path: Path) -> None:
    runner = create_app(Settings.from_env({"JEJARING_INSTANCE": str(tmp_path)})).test_cli_runner()

    result = runner.invoke(args=["needs", "suggest", "belum punya BPJS", "--json"])

    assert result.exit_code == 0
    assert "SP01" in [need["code"] for need in json.loads(result.stdout)["needs"]]
