"""How pages show somebody's own people: when, where, for how many, how often they helped."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime
from uuid import UUID

from flask_babel import gettext as _
from flask_babel import ngettext

from referral.casework.contact import printed
from referral.casework.models import OwnResource, Visibility
from referral.casework.own.helping import Given
from referral.casework.own.word import ask_again_on
from referral.core.text import day
from referral.directory.hours import days_said
from referral.matching.own_people import OwnOption
from referral.web.formatting import say
from referral.web.language import chosen


@dataclass(frozen=True)
class OwnCard:
    """One of them, in words; facts as (icon, text)."""

    id: UUID
    name: str
    category: str
    visibility: Visibility
    facts: list[tuple[str, str]]
    phone: str | None
    note: str | None
    is_full: bool
    ask_again: bool

    @property
    def phone_printed(self) -> str:
        return printed(self.phone or "")


def own_cards(options: Iterable[OwnOption]) -> list[OwnCard]:
    return [own_card(one.own, people=one.people, is_full=one.is_full) for one in options]


def own_card(
    own: OwnResource,
    *,
    people: int,
    is_full: bool,
    given: Given | None = None,
) -> OwnCard:
    details = own.details or {}
    facts = [("calendar", when_words(own)), ("map-pin", details.get("place") or "")]
    if own.capacity is not None:
        facts.append(("users", room_words(own.capacity, people, is_full=is_full)))
    if given is not None:
        facts.append(("heart-handshake", given_words(given)))
    return OwnCard(
        own.id,
        own.name or _("Somebody near"),
        own.category,
        own.visibility,
        [(icon, text) for icon, text in facts if text],
        details.get("phone"),
        details.get("note"),
        is_full,
        own.helper_agreed and ask_again_on(own) <= datetime.now(UTC).date(),
    )


def when_words(own: OwnResource) -> str:
    """The days of the week and the words for the time, as "Monday, Wednesday, after school"."""
    days = say(days_said(own.byday.split(","))) if own.byday else ""
    return ", ".join(words for words in (days, (own.details or {}).get("day")) if words)


def room_words(capacity: int, people: int, *, is_full: bool) -> str:
    if is_full:
        words = _("Full now: helps %(people)s of %(capacity)s", people=people, capacity=capacity)
    else:
        words = _("Helps %(people)s of %(capacity)s now", people=people, capacity=capacity)
    return str(words)


def given_words(given: Given) -> str:
    if given.last_on is None:
        return str(_("has not helped yet"))
    words = ngettext(
        "helped %(num)s time, last on %(day)s",
        "helped %(num)s times, last on %(day)s",
        given.times,
        day=day(given.last_on, chosen()),
    )
    return str(words)
