"""Every sentence of pages and doors has its Indonesian, and the catalogue holds nothing else."""

import ast
import os
import re
from functools import cache
from pathlib import Path

from babel.messages.catalog import Catalog
from babel.messages.extract import DEFAULT_KEYWORDS, extract_from_dir
from babel.messages.frontend import parse_keywords, parse_mapping_cfg
from babel.messages.pofile import read_po

ROOT = Path(__file__).resolve().parents[2]
#: as docs/glossary.md gives them to pybabel
KEYWORDS = DEFAULT_KEYWORDS | parse_keywords(["lazy_gettext", "lazy_ngettext:1,2"])
GETTEXT = {"_", "gettext", "ngettext", "lazy_gettext", "lazy_ngettext"}
PLACEHOLDER = re.compile(r"%\((\w+)\)s")
NOT_LITERAL = re.compile(r"\b(?:_|gettext|ngettext)\(\s*(?![\"'\s]).*")
SPOKEN = ("referral", "templates")


@cache
def catalogue() -> Catalog:
    path = ROOT / "referral" / "translations" / "id" / "LC_MESSAGES" / "messages.po"
    with path.open("rb") as file:
        return read_po(file)


@cache
def said() -> frozenset[tuple[str, ...]]:
    """What templates and doors say in English: singular and, where it counts, plural."""

    def is_ours(folder: str | os.PathLike[str]) -> bool:
        inside = Path(folder).relative_to(ROOT).parts
        return not inside or inside[0] in SPOKEN

    with (ROOT / "babel.cfg").open() as file:
        methods, options = parse_mapping_cfg(file)
    found = extract_from_dir(ROOT, methods, options, KEYWORDS, directory_filter=is_ours)
    return frozenset(forms(message) for _file, _line, message, _comments, _context in found)


@cache
def translations() -> dict[tuple[str, ...], str]:
    return {
        forms(message.id): "".join(forms(message.string)) for message in catalogue() if message.id
    }


def forms(sentence: str | tuple[str, ...] | list[str]) -> tuple[str, ...]:
    return (sentence,) if isinstance(sentence, str) else tuple(sentence)


def placeholders(sentence: str) -> set[str]:
    return set(PLACEHOLDER.findall(sentence))


def test_indonesian_has_one_form_for_every_number() -> None:
    assert (catalogue().num_plurals, catalogue().plural_expr) == (1, "0")


def test_the_catalogue_holds_exactly_what_pages_and_doors_say() -> None:
    held = set(translations())

    assert (sorted(said() - held), sorted(held - said())) == ([], [])
    assert not catalogue().obsolete


def test_every_sentence_has_its_indonesian() -> None:
    assert [english for english, indonesian in translations().items() if not indonesian] == []
    assert [message.id for message in catalogue() if message.id and message.fuzzy] == []


def test_a_translation_has_the_placeholders_of_its_sentence() -> None:
    different = {
        english: indonesian
        for english, indonesian in translations().items()
        if placeholders(indonesian) != placeholders(english[-1])
    }

    assert different == {}


def test_a_translation_can_be_filled_in() -> None:
    """A single % in a sentence with placeholders would be read as one more."""
    filled = [
        indonesian % dict.fromkeys(placeholders(indonesian), "x")
        for indonesian in translations().values()
        if placeholders(indonesian)
    ]

    assert [sentence for sentence in filled if "%(" in sentence] == []


def test_gettext_is_given_the_sentence_itself() -> None:
    """A variable is never extracted, so it would stay English."""
    doors = {
        f"{path.relative_to(ROOT)}:{call.lineno}": ast.unparse(call)
        for path in (ROOT / "referral").rglob("*.py")
        for call in ast.walk(ast.parse(path.read_text("utf-8")))
        if isinstance(call, ast.Call)
        and isinstance(call.func, ast.Name)
        and call.func.id in GETTEXT
        and not isinstance(call.args[0], ast.Constant)
    }
    pages = {
        str(path.relative_to(ROOT)): found
        for path in (ROOT / "templates").rglob("*.html")
        if (found := NOT_LITERAL.findall(path.read_text("utf-8")))
    }

    assert doors | pages == {}


def test_no_template_says_a_word_without_gettext() -> None:
    """The pattern page is for people who build pages."""
    bare = {
        str(path.relative_to(ROOT)): found
        for path in (ROOT / "templates").rglob("*.html")
        if path.name != "patterns.html" and (found := bare_words(path.read_text("utf-8")))
    }

    assert bare == {}


def bare_words(template: str) -> list[str]:
    """Words between tags and in the attributes that are read out."""
    kept = re.sub(
        r"<script.*?</script>|\{#.*?#\}|\{%.*?%\}|\{\{.*?\}\}", "", template, flags=re.DOTALL
    )
    read_out = re.findall(r"""\s(?:aria-label|title|placeholder|alt)=["']([^"']*)["']""", kept)
    # Some macros print attributes.
    texts = [text for text in re.findall(r">([^<>]*)(?=<)", kept) if '="' not in text]
    return [words.strip() for words in (*texts, *read_out) if re.search(r"[A-Za-z]{2}", words)]
