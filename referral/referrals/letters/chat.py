"""What to send somebody in a chat so that they get there: no name of theirs, and no word of why."""

from collections.abc import Sequence

from referral.core.text import Message, label, render
from referral.referrals.letters.discretion import tells
from referral.referrals.letters.place import Place


def chat_text(place: Place, lang: str, *, unsaid: Sequence[str] | None = None) -> str:
    """Address, hours, what to bring and phone, as one message to copy.

    unsaid   the need's own names, where whoever finds the message must not learn of it: lines that tell are
             left out. None: nothing is to be hidden
    """

    def words(key: str, **params: str) -> str:
        return render(Message(key, params), lang)

    names = [place.name] if place.name == place.organization else [place.name, place.organization]
    blocks = [[f"*{name}*" if name == place.name else name for name in names]]
    if place.confidential:
        blocks.append([words("letter.chat.call_first")])
    elif place.address or place.area:
        blocks.append([line for line in (place.address, place.area) if line])
    if place.phones:
        blocks.append([words("letter.chat.phone", numbers=" / ".join(place.phones[:2]))])
    blocks.append([words("letter.chat.hours"), *(f"{days}: {times}" if times else days for days, times in place.hours)]
                  if place.hours else [words("letter.chat.hours_unknown")])  # fmt: skip
    if place.documents:
        bring = [f"- {name} ({how})" if how else f"- {name}" for name, how in place.documents]
        blocks.append([words("letter.chat.bring"), *bring])
    if unsaid is not None:
        blocks = [[line for line in block if not tells(line, unsaid)] for block in blocks]
        # A heading whose lines are all gone says nothing.
        headings = {label("letter.chat.bring", lang)}
        blocks = [
            block for block in blocks if block and not (len(block) == 1 and block[0] in headings)
        ]
    return "\n\n".join("\n".join(block) for block in blocks)
