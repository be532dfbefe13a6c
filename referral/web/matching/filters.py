"""What a worker asks to see alone in a match: read from a form or a receipt, put on a query, shown as chips."""

from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any

from flask_babel import gettext as _

from referral.core import text
from referral.matching.asking import FARTHEST_KM
from referral.matching.facts import Query
from referral.web.answers import Answers
from referral.web.language import chosen, zone

#: A receipt asked for "now" is a little younger than its query.
_NOW = timedelta(minutes=1)
#: What is known of the person in a search without a case, and can be taken away like a filter.
_OF_THE_PERSON = (
    "age",
    "sex",
    "desil",
    "registered_in",
    "disability",
    "language",
    "documents_lacking",
)
_EMPTY: dict[str, Any] = {"disability": (), "language": (), "documents_lacking": ()}


@dataclass(frozen=True)
class Filters:
    """within: km; at: None is now."""

    within: float | None = None
    at: datetime | None = None
    open_only: bool = False
    free_only: bool = False

    def put_on(self, query: Query, now: datetime) -> Query:
        """The query with these filters in place of its own."""
        return replace(
            query,
            within=self.within,
            at=self.at or now,
            open_only=self.open_only,
            free_only=self.free_only,
        )


@dataclass(frozen=True)
class Chip:
    """Something a match was narrowed by; `name` takes it away."""

    name: str
    words: str


def filters_of(query: Query, asked_at: datetime) -> Filters:
    """The filters of a receipt's query; `asked_at` is when it was asked."""
    is_now = abs(query.at - asked_at) < _NOW
    return Filters(query.within, None if is_now else query.at, query.open_only, query.free_only)


def filters_from(answers: Answers) -> Filters:
    """The filters of a form; what is wrong waits in `answers.errors`."""
    return Filters(
        answers.whole("within", 1, int(FARTHEST_KM)),
        answers.instant("at"),
        answers.ticked("open_only"),
        answers.ticked("free_only"),
    )


def typed(filters: Filters) -> Answers:
    """The form filled in with these filters."""
    at = filters.at.strftime("%Y-%m-%dT%H:%M") if filters.at else None
    within = f"{filters.within:g}" if filters.within else None
    marked = {name: "y" for name in ("open_only", "free_only") if getattr(filters, name)}
    return Answers.of(within=within, at=at, **marked)


def without(name: str, filters: Filters) -> Filters:
    """The filters without one of them."""
    return Filters(**{field: value for field, value in vars(filters).items() if field != name})


def less_known(name: str, query: Query) -> Query:
    """The query without one fact of the person; any other name leaves it as it is."""
    if name not in _OF_THE_PERSON:
        return query
    unknown: dict[str, Any] = {name: _EMPTY.get(name)}
    return replace(query, **unknown)


def chips_of(filters: Filters) -> list[Chip]:
    """The filters that are on."""
    lang = chosen()
    chips = []
    if filters.within is not None:
        chips.append(Chip("within", f"≤ {text.km(filters.within, lang)}"))
    if filters.at is not None:
        chips.append(Chip("at", text.instant(filters.at, lang, zone())))
    if filters.open_only:
        chips.append(Chip("open_only", _("Only what is open then, or may be")))
    if filters.free_only:
        chips.append(Chip("free_only", _("Only what is free, or may be")))
    return chips
