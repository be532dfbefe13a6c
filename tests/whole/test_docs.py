"""The documents say what is there: settings, commands, links, and what make can make."""

import re
from collections.abc import Iterator
from dataclasses import fields
from pathlib import Path

import click
import pytest
from flask import Flask

from referral.config import Settings

ROOT = Path(__file__).resolve().parents[2]
DOCS = [ROOT / "README.md", *sorted((ROOT / "docs").rglob("*.md"))]
LINK = re.compile(r"\]\(([^)#\s]+)(?:#[^)\s]*)?\)")
MAKE = re.compile(r"`make ([a-z-]+)")
FLASK_COMMAND = re.compile(r"`flask ([a-z][a-z -]*[a-z])")


def commands(app: Flask) -> dict[str, click.Command]:
    """Our commands by name, as `places find`."""

    def walk(group: click.Group, before: str) -> Iterator[tuple[str, click.Command]]:
        for name, command in group.commands.items():
            if isinstance(command, click.Group):
                yield from walk(command, f"{before}{name} ")
            else:
                yield f"{before}{name}", command

    return dict(walk(app.cli, ""))


def headings(document: Path, level: str) -> list[str]:
    lines = document.read_text("utf-8").splitlines()
    return [line.removeprefix(level).strip(" `") for line in lines if line.startswith(f"{level} ")]


def test_every_setting_is_documented_with_its_help_and_default() -> None:
    document = (ROOT / "docs" / "settings.md").read_text("utf-8")
    rows = {
        setting.name: f"| `{setting.name}` | {_default(setting.default)} | {setting.metadata['help']} |"
        for setting in fields(Settings)
    }

    assert {name: row for name, row in rows.items() if row not in document} == {}
    assert re.findall(r"^\| `(\w+)` \|", document, re.MULTILINE) == list(rows)


def _default(value: object) -> str:
    if isinstance(value, str) and value.startswith(str(ROOT)):
        return f"`{Path(value).relative_to(ROOT)}/`"
    return "" if value == "" else f"`{value}`"


def test_every_command_is_documented_and_no_other(app: Flask) -> None:
    documented = headings(ROOT / "docs" / "cli.md", "###")

    assert sorted(documented) == sorted(f"flask {name}" for name in commands(app))


def test_every_option_is_in_the_section_of_its_command(app: Flask) -> None:
    text = (ROOT / "docs" / "cli.md").read_text("utf-8")
    sections = dict(
        re.findall(r"^### `flask ([^`]+)`\n(.*?)(?=^##|\Z)", text, re.DOTALL | re.MULTILINE)
    )
    options = {
        f"{name} {option}": option in sections.get(name, "")
        for name, command in commands(app).items()
        for parameter in command.params
        for option in parameter.opts
        if option.startswith("--")
    }

    assert [option for option, is_there in options.items() if not is_there] == []


def test_every_command_helps_with_an_example(app: Flask) -> None:
    without = [
        name
        for name, command in commands(app).items()
        if f"Example: flask {name}" not in re.sub(r"\s+", " ", command.help or "")
    ]

    assert without == []


def test_a_command_that_a_document_names_exists(app: Flask) -> None:
    known = set(commands(app))
    groups = {name.split()[0] for name in known}
    named = {
        words: document.name
        for document in DOCS
        for words in FLASK_COMMAND.findall(document.read_text("utf-8"))
    }

    def exists(words: str) -> bool:
        return words in groups or any(f"{words} ".startswith(f"{name} ") for name in known)

    assert {words: where for words, where in named.items() if not exists(words)} == {}


@pytest.mark.parametrize("document", DOCS, ids=lambda path: path.name)
def test_links_to_our_own_files_lead_somewhere(document: Path) -> None:
    targets = LINK.findall(document.read_text("utf-8"))
    ours = [
        target for target in targets if "://" not in target and not target.startswith("mailto:")
    ]

    assert [target for target in ours if not (document.parent / target).exists()] == []


def test_what_documents_make_is_in_the_makefile() -> None:
    targets = set(re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text("utf-8"), re.MULTILINE))
    made = {
        target: document.name
        for document in DOCS
        for target in MAKE.findall(document.read_text("utf-8"))
    }

    assert {target: where for target, where in made.items() if target not in targets} == {}
