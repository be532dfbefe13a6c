"""What all may know of people's own help: a curator is asked, and it is gone at once when it is to be. The caller commits."""

from datetime import datetime
from typing import Any

from sqlalchemy.orm import Session

from referral.accounts.models import Office, User
from referral.casework.contact import printed
from referral.casework.models import OwnResource, Visibility
from referral.casework.own.kinds import Published
from referral.core.text import DEFAULT_LANGUAGE, Message, render
from referral.directory import phones
from referral.directory.hours import days_said
from referral.directory.kinds import AnswerMode, CapacityStatus, ContactMode
from referral.directory.models import Service
from referral.directory.upkeep import informal
from referral.directory.upkeep.kinds import ChangeStatus
from referral.directory.upkeep.models import ListingChange
from referral.places.queries import gazetteer

_NOT_TAKEN = frozenset({ChangeStatus.REFUSED, ChangeStatus.WITHDRAWN, ChangeStatus.REVERTED})


def publishes(resource: OwnResource) -> list[str]:
    """What of the helper may be known to all."""
    return list((resource.details or {}).get("publishes", ()))


def ask(
    session: Session, resource: OwnResource, office: Office, *, by: User, now: datetime
) -> None:
    """Ask a curator to list it as it is now, or to bring its listing up to date. Raises InvalidListing."""
    places = gazetteer(session)
    values, note = values_of(resource, office), _note_to_curator(resource)
    if values["area_code"] not in places:
        values["area_code"] = None
    asked = change_of(session, resource)
    if asked is None or asked.status in _NOT_TAKEN:
        asked = informal.propose(session, values, places, note=note, by=by, now=now)
        resource.listing_change_id = asked.id
    else:
        informal.propose_changes(session, asked, values, places, note=note, by=by, now=now)
    session.flush()


def close(session: Session, resource: OwnResource, *, by: User, now: datetime) -> None:
    """Nothing of it is public from now on."""
    asked = change_of(session, resource)
    if asked is not None:
        informal.close(session, asked, gazetteer(session), by=by, now=now)
        resource.listing_change_id = None
    if resource.visibility is Visibility.PUBLIC:
        resource.visibility = Visibility.OFFICE
        hidden = {"publishes", "public_name"}
        resource.details = {k: v for k, v in (resource.details or {}).items() if k not in hidden}


def change_of(session: Session, resource: OwnResource) -> ListingChange | None:
    """What a curator was asked for it."""
    if resource.listing_change_id is None:
        return None
    return session.get(ListingChange, resource.listing_change_id)


def of(session: Session, resource: OwnResource) -> Service | None:
    """The public listing it has become."""
    asked = change_of(session, resource)
    return None if asked is None else informal.listing(session, asked)


def values_of(resource: OwnResource, office: Office) -> dict[str, Any]:
    """What all may know of it: what the helper let be known, and the office's own contact where they did not."""
    details, may = resource.details or {}, set(publishes(resource))
    name = resource.name if Published.NAME in may else details.get("public_name")
    phone, place = details.get("phone"), details.get("place")
    direct = phone if Published.PHONE in may else None
    number = printed(direct) if direct else (office.letterhead or {}).get("phone")
    # Weekdays alone: when they can, in free words, was told to the worker and may name anybody.
    when = days_said(resource.byday.split(",")) if resource.byday else None
    said = Message("casework.own.listing", {"when": when}) if when else None
    through = Message("casework.own.through", {"office": office.name})
    values: dict[str, Any] = {
        "name": name,
        "organization": name,
        "categories": [resource.category],
        "area_code": office.area_code,
        "description": render(said or Message("casework.own.listing_plain"), DEFAULT_LANGUAGE),
        "answer_mode": AnswerMode.WALK_IN.value,
        "contact_mode": (ContactMode.DIRECT if direct else ContactMode.INDIRECT).value,
        "application_process": None if direct else render(through, DEFAULT_LANGUAGE),
        "phones": [],
        "address": None,
        "capacity": None,
    }
    if number and phones.is_number(str(number)):
        named = None if direct else office.name
        values["phones"] = [
            {"number": number, "extension": None, "type": None, "description": named}
        ]
    if Published.PLACE in may and place:
        values["address"] = {
            "address_1": place,
            "city": "",
            "state_province": "",
            "postal_code": "",
        }
    if resource.capacity is not None:
        values["capacity"] = {
            "status": CapacityStatus.CAPACITY.value,
            "available": None,
            "maximum": resource.capacity,
            "until": None,
        }
    return values


def _note_to_curator(resource: OwnResource) -> str:
    may = [Message(f"casework.publishes.{kind}") for kind in publishes(resource)]
    agreed = Message(
        "casework.own.for_curator",
        {
            "on": resource.agreed_on,
            "method": Message(f"casework.method.{resource.agreed_method}"),
            "text": (resource.agreed_text or "").rpartition(":")[2],
            "may": may or [Message("casework.own.nothing_of_them")],
        },
    )
    return render(agreed, DEFAULT_LANGUAGE)
