"""Whose listing this is: what every page on keeping listings begins with."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

from flask import Blueprint, g
from werkzeug.wrappers import Response

from referral.core.errors import NotFound
from referral.core.text import Message
from referral.directory import words
from referral.directory.models import Organization, Service
from referral.directory.upkeep import changes, desk, editing, listings
from referral.directory.upkeep.models import ListingChange
from referral.directory.upkeep.values import Lists
from referral.extensions import db
from referral.places.queries import gazetteer
from referral.web.access import may
from referral.web.formatting import capital, say

bp = Blueprint("listings", __name__, url_prefix="/listings")
Page = str | Response | tuple[str, int]
#: what opens the pages on which a listing is kept: its agency and every curator
KEEPERS = ("listing:edit", "listing:approve")


#: the key of words that somebody wrote
AS_WRITTEN = "listing.words"


def now() -> datetime:
    return datetime.now(UTC)


@dataclass(frozen=True)
class Kept:
    """A listing (None: a new one) as the person who keeps it sees it.

    values    what it says now
    draft     what this person has changed and not sent
    """

    service: Service | None
    values: dict[str, Any]
    draft: ListingChange | None

    @property
    def service_id(self) -> UUID | None:
        return self.service.id if self.service else None

    @property
    def drafted(self) -> dict[str, Any]:
        """The fields of the draft that differ from the listing; none that this person may not see."""
        values = self.draft.values if self.draft else {}
        return editing.changed({k: v for k, v in values.items() if k in self.values}, self.values)

    @property
    def shown(self) -> dict[str, Any]:
        """What forms show: the draft, and the listing where the draft says nothing."""
        return self.values | self.drafted

    @property
    def organization(self) -> Organization | None:
        if self.service is not None:
            return self.service.organization
        return db.session.get(Organization, g.user.organization_id) if is_agency() else None

    @property
    def publishes_at_once(self) -> bool:
        organization = self.organization
        return may("listing:approve") or (organization is not None and organization.trusted)

    @property
    def name(self) -> str:
        return self.service.name if self.service else str(self.shown["name"] or "")


def is_agency() -> bool:
    return may("listing:edit") and g.user.organization_id is not None


def is_own(service: Service) -> bool:
    return is_agency() and g.user.organization_id == service.organization_id


def service_of(service_id: UUID) -> Service:
    """A listing of this person's own agency; any for a curator. For everybody else it is not there."""
    service = listings.get(db.session, service_id)
    if not (is_own(service) or may("listing:approve")):
        raise NotFound("directory.unknown_service")
    return service


def values_of(service: Service) -> dict[str, Any]:
    return listings.values_of(service, for_owner=is_own(service))


def kept(service_id: UUID | None) -> Kept:
    """A listing with this person's draft of it; for None their new listing."""
    if service_id is None:
        values = editing.empty_values()
        if is_agency():
            del values["organization"]
        return Kept(None, values, desk.draft_of(db.session, None, by=g.user))
    service = service_of(service_id)
    values = {k: v for k, v in values_of(service).items() if not editing.FIELDS[k].is_for_new}
    return Kept(service, values, desk.draft_of(db.session, service.id, by=g.user))


def keep(
    subject: Kept, values: Mapping[str, Any], *, seen: Mapping[str, Any] | None = None
) -> None:
    """Put these values into the person's draft.

    seen  what they are meant to replace; without it what this draft saw first, else what the listing says now
    """
    if not values:
        return
    draft = subject.draft or changes.start(db.session, subject.service_id, by=g.user, now=now())
    first = subject.values | dict(draft.previous)
    before = {name: (seen or first)[name] for name in values}
    changes.save_draft(db.session, draft, values, seen=before, by=g.user, now=now())


def lists() -> Lists:
    """The codes and areas that a listing may use."""
    return listings.lists(gazetteer(db.session))


def area_words(code: str) -> str:
    return words.place_name(gazetteer(db.session), code)


def in_words(name: str, value: Any) -> list[str]:
    """A field's value as lines of the page's language; none where nothing is stated."""
    return lines(editing.FIELDS[name].say(value, area_words))


def lines(messages: Iterable[Message]) -> list[str]:
    """Lines of words with a capital first letter; what somebody wrote stays as it was written."""
    return [say(one) if one.key == AS_WRITTEN else capital(say(one)) for one in messages]


def facts(fields: Iterable[str], values: Mapping[str, Any]) -> list[tuple[str, list[str]]]:
    """Fields with what they say, in words."""
    return [
        (say(editing.FIELDS[name].label), in_words(name, values[name]))
        for name in fields
        if name in values
    ]
