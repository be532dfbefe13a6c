"""What the client chose for a need and why nothing meets it, in words: for the case and its referrals."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from flask_babel import gettext as _

from referral.accounts.models import User
from referral.casework.models import Case, OwnResource
from referral.casework.queries import excluded_organizations
from referral.directory.models import ServiceAtLocation
from referral.extensions import db
from referral.matching.models import ClientChoice
from referral.matching.queries import latest_choices
from referral.planning.unmet import queries as unmet_queries
from referral.planning.unmet.models import UnmetReason
from referral.referrals.models import Referral
from referral.web.formatting import label
from referral.web.language import chosen


@dataclass(frozen=True)
class Choice:
    """The client's word on the options: what they took, or their reasons against all of them."""

    sentence: str
    reasons: Sequence[str]
    note: str | None
    by: str
    at: datetime


@dataclass(frozen=True)
class Unmet:
    """Why nothing meets a need: the reason that weighs most, those beside it, and since when."""

    reason: str
    secondary: Sequence[str]
    since: datetime
    confirmed_at: datetime | None


def choices_in(case: Case) -> dict[UUID, Choice]:
    """The client's last word on each need of a case; nothing of whom they must not meet."""
    kept_out = excluded_organizations(db.session, case.id)
    found = latest_choices(db.session, [need.id for need in case.needs])
    told = {need_id: _told(choice, kept_out) for need_id, choice in found.items()}
    return {need_id: choice for need_id, choice in told.items() if choice is not None}


def choice_behind(referral: Referral) -> Choice | None:
    """The client's word that led to a referral; None where they had not chosen this service."""
    found = latest_choices(db.session, [referral.need_id], until=referral.created_at)
    choice = found.get(referral.need_id)
    if choice is None or choice.service_at_location_id is None:
        return None
    if choice.service_at_location_id != referral.service_at_location_id:
        return None
    return _told(choice, frozenset())


def _told(choice: ClientChoice, kept_out: frozenset[UUID]) -> Choice | None:
    sentence = _("The client said no to every option.")
    if choice.service_at_location_id is not None:
        service = db.session.get_one(ServiceAtLocation, choice.service_at_location_id).service
        if service.organization_id in kept_out:
            return None
        sentence = _("The client chose %(name)s.", name=service.name)
    elif choice.own_resource_id is not None:
        own = db.session.get_one(OwnResource, choice.own_resource_id)
        sentence = _("The client chose their own people: %(name)s.", name=own.name or "–")
    return Choice(
        sentence,
        # What "another reason" is stands in the note.
        [label(f"match.no.{code}") for code in choice.reasons if code != "U99"],
        choice.note,
        db.session.get_one(User, choice.by_id).name,
        choice.at,
    )


def unmet_in(case: Case) -> dict[UUID, Unmet]:
    """Why nothing meets those needs of a case that are recorded as unmet."""
    found = unmet_queries.confirmed_unmet(db.session, [need.id for need in case.needs])
    names = {reason.code: _name(reason) for reason in unmet_queries.reasons(db.session)}
    return {
        need_id: Unmet(
            names[unmet.reason],
            [names[code] for code in unmet.secondary],
            unmet.opened_at,
            unmet.confirmed_at,
        )
        for need_id, unmet in found.items()
    }


def _name(reason: UnmetReason) -> str:
    return reason.name_id if chosen() == "id" else reason.name_en
