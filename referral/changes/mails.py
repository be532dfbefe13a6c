"""Letters that leave by mail, put into words as text and as HTML. They go to published addresses and name no person."""

from collections.abc import Sequence
from functools import cache
from pathlib import Path
from typing import TypedDict

from jinja2 import Environment, FileSystemLoader, StrictUndefined, select_autoescape

from referral.core.text import Message, render

_FOLDER = Path(__file__).parents[2] / "templates" / "mail"


class Mail(TypedDict):
    """What `outbox.write` takes of a letter."""

    subject: str
    text: str
    html: str


def mail(
    subject: Message,
    why: Message,
    links: Sequence[tuple[Message, str]],
    after: Message,
    *,
    lang: str,
) -> Mail:
    """A letter in one language: why it comes, its links with their addresses, and what to know of them."""
    heading = render(subject, lang)
    shown = {
        "lang": lang,
        "subject": heading,
        "why": render(why, lang),
        "links": [(render(words, lang), address) for words, address in links],
        "after": render(after, lang),
        "sender": render(Message("mail.sender"), lang),
    }
    return Mail(
        # A name with a line end in it must not become a heading of the mail.
        subject=" ".join(heading.split()),
        text=_templates().get_template("letter.txt").render(shown),
        html=_templates().get_template("letter.html").render(shown),
    )


@cache
def _templates() -> Environment:
    return Environment(
        loader=FileSystemLoader(_FOLDER),
        autoescape=select_autoescape(["html"]),
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
