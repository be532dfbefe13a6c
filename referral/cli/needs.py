"""Commands about needs: `flask needs suggest`."""

import json
from collections.abc import Iterator
from typing import Any

import click
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from referral.casework.stories import Suggestion, suggest
from referral.cli.answering import (
    FINDINGS,
    Group,
    as_json,
    has_schema,
    print_json,
    refuse,
)
from referral.cli.answering import jsonl as lines_of
from referral.core.errors import Invalid
from referral.core.text import DEFAULT_LANGUAGE, LANGUAGES, label, number
from referral.extensions import db
from referral.places import queries as places
from referral.places.gazetteer import Gazetteer
from referral.taxonomy.tree import Taxonomy, shipped

group = Group("needs", help="Read needs out of stories.")


@group.command("suggest")
@click.argument("text", required=False)
@click.option("--jsonl", help="File of stories, one JSON object per line; - for stdin.")
@click.option(
    "--lang",
    type=click.Choice(LANGUAGES),
    default=DEFAULT_LANGUAGE,
    help="Language of the answer. Stories are read in both.",
)
@as_json
def suggest_(text: str | None, jsonl: str | None, lang: str, as_json: bool) -> None:
    """Propose needs from a story: categories with the words behind them, crisis, facts, place.

    With --jsonl each line holds {"id", "text", "lang"?} and gives one line of JSON; a bad line gives
    {"id", "error"}, the rest run, and the command ends with 1.

    \b
    Example: flask needs suggest "Belum punya BPJS, anak tidak ada yang jaga" --json
             flask needs suggest --jsonl stories.jsonl
    """
    if (text is None) == (jsonl is None):
        refuse(Invalid("needs.text_or_file", field="text"), as_json=as_json, lang=lang)
    read = _Reader()
    if text is not None:
        suggestion = read(text, None)
        if as_json:
            print_json({"id": None, **suggestion.as_json()})
        else:
            _show(suggestion, shipped(), lang)
        return
    is_fine = True
    for line_number, line in enumerate(lines_of(str(jsonl), as_json=as_json, lang=lang), 1):
        answer, is_good = _answer(line, line_number, read, lang)
        is_fine = is_fine and is_good
        print_json(answer)
    if not is_fine:
        raise SystemExit(FINDINGS)


class _Reader:
    """Reads stories with the taxonomy and the gazetteer, each fetched once."""

    def __init__(self) -> None:
        # Reading a story needs no database; its place is told where there is a gazetteer.
        self.gazetteer = places.gazetteer(db.session) if has_schema() else Gazetteer(())

    def __call__(self, text: str, story_lang: str | None) -> Suggestion:
        gazetteer = self.gazetteer if len(self.gazetteer) else None
        return suggest(text, shipped(), lang=story_lang, gazetteer=gazetteer)


def _answer(line: bytes, line_number: int, read: _Reader, lang: str) -> tuple[dict[str, Any], bool]:
    """What to print for one line, and whether it was good."""
    story_id = None
    try:
        story = _story(line, line_number)
        story_id = story.get("id")
        if not isinstance(story.get("text"), str):
            raise Invalid("needs.line.text", field="text", line=line_number)
        if story.get("lang") not in (None, *LANGUAGES):
            raise Invalid("needs.line.lang", field="lang", line=line_number)
    except Invalid as error:
        return {"id": story_id, **error.as_json(lang)}, False
    return {"id": story_id, **read(story["text"], story.get("lang")).as_json()}, True


def _story(line: bytes, line_number: int) -> dict[str, Any]:
    try:
        story = json.loads(line)
    except (ValueError, RecursionError):
        raise Invalid("needs.line.not_json", line=line_number) from None
    if not isinstance(story, dict):
        raise Invalid("needs.line.not_object", line=line_number)
    return story


def _show(suggestion: Suggestion, taxonomy: Taxonomy, lang: str) -> None:
    console = Console()
    if suggestion.crisis:
        words = "; ".join(found.text for found in suggestion.crisis_because)
        console.print(f"[bold red]{label('needs.report.crisis', lang)}[/]: {escape(words)}")
    if suggestion.needs:
        heads = ("code", "need", "score", "because")
        table = Table(*(label(f"needs.report.{head}", lang) for head in heads))
        for need in suggestion.needs:
            table.add_row(
                need.code,
                taxonomy.get(need.code).name[lang],
                number(need.score, lang, digits=2),
                escape("; ".join(found.text for found in need.because)),
            )
        console.print(table)
    else:
        console.print(label("needs.report.none", lang))
    if suggestion.place:
        console.print(f"{label('needs.report.place', lang)}: {escape(suggestion.place.name)}")
    # One phrase may tell several facts.
    said = dict.fromkeys(fact["text"] for fact in _each(suggestion.facts))
    if said:
        console.print(f"{label('needs.report.facts', lang)}: {escape('; '.join(said))}")
    if suggestion.unserved:
        words = "; ".join(found.text for found in suggestion.unserved)
        console.print(f"{label('needs.report.unserved', lang)}: {escape(words)}")


def _each(facts: dict[str, Any]) -> Iterator[dict[str, Any]]:
    for fact in facts.values():
        yield from fact if isinstance(fact, list) else [fact]
