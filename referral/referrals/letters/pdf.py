"""Sets a letter, a handout or another paper as PDF or as pictures, with typst and the fonts it carries.

Every value travels as data and is printed as it stands; nothing of it is ever read as markup. The typesetter
sees the folder of templates, no fonts of the machine and no network.
"""

import json
import re
from collections.abc import Mapping
from datetime import datetime
from functools import cache
from pathlib import Path
from typing import Any

import typst

TEMPLATES = Path(__file__).resolve().parents[3] / "templates"
#: What no paper can show, and marks that turn the direction of what follows: a name could hide another.
_UNPRINTABLE = re.compile(
    "[\x00-\x08\x0b-\x1f\x7f-\x9f\u200b\u2028\u2029\u202a-\u202e\u2060-\u2069\ufeff\ufffe\uffff\ud800-\udfff]"
)


def pdf(
    template: str, content: Mapping[str, Any], *, at: datetime, folder: str = "letters"
) -> bytes:
    """The document as PDF; `at` is when it says that it was made."""
    compiler = _compiler(folder, template, content)
    try:
        # PDF/UA-1: tagged, with a title and a language, as readers for blind people need it.
        made = compiler.compile(
            format="pdf", pdf_standards=["ua-1"], timestamp=at.replace(microsecond=0)
        )
    except typst.TypstError as error:
        if "could not be displayed with font" not in str(error):
            raise
        # A name in a script that our fonts lack: boxes on paper are better than no letter.
        made = compiler.compile(format="pdf", timestamp=at.replace(microsecond=0))
    assert isinstance(made, bytes)  # noqa: S101 - only pictures come page by page
    return made


def pictures(
    template: str, content: Mapping[str, Any], *, ppi: float = 100, folder: str = "letters"
) -> list[bytes]:
    """The document's pages as PNG."""
    made = _compiler(folder, template, content).compile(format="png", ppi=ppi)
    return [made] if isinstance(made, bytes) else list(made or [])


def _compiler(folder: str, template: str, content: Mapping[str, Any]) -> typst.Compiler:
    # One for each document, so that nobody's letter stays in it; only the fonts are shared.
    return typst.Compiler(
        TEMPLATES / folder / f"{template}.typ",
        root=TEMPLATES,
        font_paths=_fonts(),
        ignore_system_fonts=True,
        sys_inputs={"content": json.dumps(printable(content))},
    )


@cache
def _fonts() -> typst.Fonts:
    return typst.Fonts(include_system_fonts=False)


def printable(value: Any) -> Any:
    """The content with every text rid of what can't be printed."""
    if isinstance(value, str):
        return _UNPRINTABLE.sub("", value)
    if isinstance(value, Mapping):
        return {name: printable(item) for name, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [printable(item) for item in value]
    return value
