"""What anyone says should be different in a listing, or which listing is missing; a curator decides.

Nobody is asked who they are. What can't be read as a value of its field goes to the curator as words.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from referral.changes.actors import Actor
from referral.core.errors import Invalid, NotAllowed
from referral.core.text import DEFAULT_LANGUAGE, render
from referral.directory import hours_text, phones
from referral.directory.kinds import ServiceStatus
from referral.directory.models import Service
from referral.directory.upkeep import changes
from referral.directory.upkeep.editing import FIELDS
from referral.directory.upkeep.kinds import ChangeKind, ChangeStatus
from referral.directory.upkeep.listings import values_of
from referral.directory.upkeep.models import ListingChange
from referral.directory.upkeep.verification import propose
from referral.places.gazetteer import Gazetteer

LONGEST = 1000
#: Suggestions that nobody has looked at: more of them in a day tell a curator nothing new.
MOST_A_DAY, MOST_NEW_A_DAY = 10, 50
#: fields whose words are their value
WORDS = (
    "name",
    "description",
    "eligibility_description",
    "application_process",
    "alert",
    "email",
    "url",
)
#: what a correction may be about, in the order it is asked
CORRECTED = (
    "phones",
    "hours",
    "address",
    "status",
    "categories",
    "eligibility",
    "service_areas",
    "documents",
    "cost",
    "languages",
    "capacity",
    "name",
    "description",
    "application_process",
    "email",
    "url",
)
#: what anybody may say of the state of a service
STATUSES = (ServiceStatus.ACTIVE, ServiceStatus.TEMPORARILY_CLOSED, ServiceStatus.DEFUNCT)


@dataclass(frozen=True)
class Typed:
    """A correction as somebody typed it: one field, and what it should say."""

    field: str
    text: str


@dataclass(frozen=True)
class NewListing:
    """A listing that somebody misses, in a few lines; blank what they don't know."""

    name: str
    organization: str
    categories: tuple[str, ...] = ()
    area_code: str | None = None
    address: str = ""
    phones: str = ""
    hours: str = ""
    description: str = ""


def correct(
    session: Session,
    service: Service,
    typed: Typed,
    gazetteer: Gazetteer,
    *,
    by: Actor,
    now: datetime,
) -> ListingChange:
    """Queue what somebody says a field should be. Raises Invalid naming `field` or `text`, NotAllowed on a flood."""
    if typed.field not in CORRECTED:
        raise Invalid("upkeep.suggest.field", field="field")
    text = _bounded(typed.text, "text")
    if not text:
        raise Invalid("upkeep.suggest.empty", field="text")
    _refuse_flood(session, ListingChange.service_id == service.id, MOST_A_DAY, now=now)
    value = value_of(typed.field, text, values_of(service))
    try:
        change = propose(
            session,
            service,
            {} if value is None else {typed.field: value},
            gazetteer,
            note=_as_note(typed.field, text) if value is None else None,
            by=by,
            now=now,
        )
    except Invalid as error:
        # The operation names the part of the field; the form has one box for it.
        raise Invalid(error.message.key, field="text", **error.message.params) from None
    if change is None:
        raise Invalid("upkeep.suggest.same", field="text")
    return change


def add(
    session: Session, new: NewListing, gazetteer: Gazetteer, *, by: Actor, now: datetime
) -> ListingChange:
    """Queue a listing that is missing. Raises Invalid naming the field, NotAllowed on a flood."""
    for field in ("name", "organization"):
        if not getattr(new, field).strip():
            raise Invalid(f"upkeep.suggest.{field}", field=field)
    typed = {
        field: _bounded(getattr(new, field), field)
        for field in ("name", "organization", "description", "phones", "address", "hours")
    }
    _refuse_flood(session, ListingChange.service_id.is_(None), MOST_NEW_A_DAY, now=now)
    values: dict[str, Any] = {}
    notes = []
    for field, text in typed.items():
        value = value_of(field, text, {}) if text else None
        if value is not None:
            values[field] = value
        elif text:
            notes.append(_as_note(field, text))
    if new.categories:
        values["categories"] = list(new.categories)
    if new.area_code:
        values["area_code"] = new.area_code
    return changes.suggest(
        session, None, values, gazetteer, seen={}, by=by, now=now, note="\n".join(notes) or None
    )


def value_of(field: str, text: str, seen: Mapping[str, Any]) -> Any:
    """The value of a field that somebody's words say; None where they can't be read as one."""
    if field in WORDS or field == "organization":
        return text
    if field == "phones":
        return _phones(text, seen.get("phones") or [])
    if field == "address" and ("address" in seen or not seen):  # else its place is secret
        return dict(seen.get("address") or {}) | {"address_1": " ".join(text.split())}
    if field == "status":
        return text if text in set(STATUSES) else None
    if field == "hours":
        try:
            rules = hours_text.parse(text)
        except ValueError:
            return None
        return [
            {"days": one.byday.split(","), "opens": one.opens_at, "closes": one.closes_at}
            for one in rules
        ]
    return None


def _phones(text: str, seen: list[dict[str, Any]]) -> list[dict[str, Any]] | None:
    """One number a line; a number that is there already keeps its kind."""
    known = {phones.dial(one["number"], one["extension"]): one for one in seen}
    found = []
    for line in filter(None, (" ".join(one.split()) for one in text.splitlines())):
        number, extension = phones.split(line)
        if not phones.is_number(number):
            return None
        new = {"number": number, "extension": extension, "type": None, "description": None}
        found.append(known.get(phones.dial(number, extension), new))
    return found


def _bounded(text: str, field: str) -> str:
    text = text.strip()
    if len(text) > LONGEST:
        raise Invalid("upkeep.too_long", field=field, most=LONGEST)
    return text


def _as_note(field: str, text: str) -> str:
    return f"{render(FIELDS[field].label, DEFAULT_LANGUAGE)}: {text}"


def _refuse_flood(session: Session, which: Any, most: int, *, now: datetime) -> None:
    waiting = select(func.count()).where(
        which,
        ListingChange.kind.in_((ChangeKind.NEW, ChangeKind.CORRECTION)),
        ListingChange.status == ChangeStatus.WAITING,
        ListingChange.made_by_id.is_(None),
        ListingChange.made_at > now - timedelta(days=1),
    )
    if (session.scalar(waiting) or 0) >= most:
        raise NotAllowed("upkeep.suggest.too_many")
