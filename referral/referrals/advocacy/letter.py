"""The letter about an obstacle, in plain official words. Pure: it names whom it is given, and nobody else."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

from referral.core.text import Message, render


@dataclass(frozen=True)
class Letter:
    """The parts of the letter in one language; `text` is all of it, to copy."""

    to: Sequence[str]
    subject: str
    paragraphs: Sequence[str]
    asks: Sequence[str]
    closing: Sequence[str]
    dated: str

    @property
    def text(self) -> str:
        asks = "\n".join(f"{number}. {ask}" for number, ask in enumerate(self.asks, 1))
        parts = [self.dated, "\n".join(self.to), self.subject, *self.paragraphs[:-1], asks]
        return "\n\n".join([*parts, self.paragraphs[-1], "\n".join(self.closing)])


def letter(
    *,
    organization: str,
    service: str,
    reason: str,
    named: Sequence[tuple[str, str]],
    office: str,
    signed_by: str,
    on: date,
    answer_by: date,
    lang: str,
) -> Letter:
    """The letter of an office to the organization whose service stood in the way.

    named   (name, number of the referral) of clients who want to be named
    """

    def say(key: str, **params: object) -> str:
        return render(Message(key, params), lang)

    about = (
        say(
            "advocacy.letter.named",
            who=[
                render(Message("advocacy.letter.who", {"name": name, "number": number}), lang)
                for name, number in named
            ],
        )
        if named
        else say("advocacy.letter.unnamed")
    )
    return Letter(
        to=(say("advocacy.letter.to"), organization),
        subject=say("advocacy.letter.subject", service=service),
        paragraphs=(
            say("advocacy.letter.dear"),
            say("advocacy.letter.what", service=service, reason=reason),
            about,
            say("advocacy.letter.ask"),
            say("advocacy.letter.end", day=answer_by),
        ),
        asks=(
            say("advocacy.letter.ask.why"),
            say("advocacy.letter.ask.exception"),
            say("advocacy.letter.ask.elsewhere"),
        ),
        closing=(say("advocacy.letter.closing"), signed_by, office),
        dated=say("advocacy.letter.dated", day=on),
    )
