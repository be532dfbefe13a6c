"""Every column that refers to a listing, its sites or its places, and what a merge does with it.

Tables are named, not imported: a merge moves referrals and unmet needs' notices too, whose areas stand above
the directory. A test holds this list against every foreign key of the schema.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

from referral.directory import phones


class How(StrEnum):
    """What becomes of the rows of the listing that goes."""

    #: they belong to the kept listing from now on
    MOVES = "moves"
    #: each moves unless the kept listing has the same already
    ADDED = "added"
    #: one listing's rows are kept as a whole, the other's go with the one that goes
    CHOSEN = "chosen"
    #: their numbers are added to the kept listing's
    COUNTED = "counted"
    #: they follow their site where it becomes one with a site of the kept listing
    WITH_SITE = "with_site"
    #: the sites themselves: see `merging`
    SITES = "sites"
    #: they go on naming what they named: the row stays there to be named
    STAYS = "stays"


@dataclass(frozen=True)
class Reference:
    """One column.

    same        of ADDED and WITH_SITE: what makes two rows the same; None: never the same
    only        of MOVES: column → values; other rows stay
    swapped     of CHOSEN: (key, value) where the schema allows each key once for a listing
    """

    table: str
    column: str
    to: str
    how: How
    same: Callable[[Mapping[str, Any]], Any] | None = None
    only: Mapping[str, Sequence[str]] = field(default_factory=dict)
    swapped: tuple[str, str] | None = None


def _number(row: Mapping[str, Any]) -> Any:
    return phones.dial(row["number"], row["extension"])


def _same(*columns: str) -> Callable[[Mapping[str, Any]], Any]:
    def key(row: Mapping[str, Any]) -> Any:
        return tuple(str(row[column] or "").strip().casefold() for column in columns)

    return key


_SERVICE, _SITE, _PLACE = "service", "service_at_location", "location"

REFERENCES: tuple[Reference, ...] = (
    # the listing's own rows
    Reference("phone", "service_id", _SERVICE, How.ADDED, same=_number),
    Reference("contact", "service_id", _SERVICE, How.ADDED, same=_same("name", "email", "title")),
    Reference("language", "service_id", _SERVICE, How.ADDED, same=_same("code", "name")),
    Reference("required_document", "service_id", _SERVICE, How.ADDED, same=_same("document")),
    Reference("service_category", "service_id", _SERVICE, How.ADDED, same=_same("code")),
    Reference("funding", "service_id", _SERVICE, How.ADDED, same=_same("source")),
    Reference("url", "service_id", _SERVICE, How.ADDED, same=_same("url")),
    Reference("schedule", "service_id", _SERVICE, How.CHOSEN),
    Reference("service_area", "service_id", _SERVICE, How.CHOSEN),
    Reference("cost_option", "service_id", _SERVICE, How.CHOSEN),
    Reference("service_capacity", "service_id", _SERVICE, How.CHOSEN),
    Reference("entry_step", "service_id", _SERVICE, How.CHOSEN),
    Reference(
        "eligibility_rule", "service_id", _SERVICE, How.CHOSEN, swapped=("criterion", "values")
    ),
    # its sites, and what hangs on them. A choice and a referral go on naming the site of the search they
    # came from, so that the receipt can be read beside them.
    Reference("service_at_location", "service_id", _SERVICE, How.SITES),
    Reference("service_at_location", "location_id", _PLACE, How.SITES),
    Reference("phone", "service_at_location_id", _SITE, How.WITH_SITE, same=_number),
    Reference(
        "contact", "service_at_location_id", _SITE, How.WITH_SITE, same=_same("name", "email")
    ),
    Reference("schedule", "service_at_location_id", _SITE, How.STAYS),
    Reference("service_area", "service_at_location_id", _SITE, How.STAYS),
    Reference("new_service_notice", "service_at_location_id", _SITE, How.WITH_SITE),
    Reference("client_choice", "service_at_location_id", _SITE, How.STAYS),
    Reference("referral", "service_at_location_id", _SITE, How.STAYS),
    # what belongs to a place stays with the place; the curator chooses whose place is kept
    Reference("address", "location_id", _PLACE, How.STAYS),
    Reference("accessibility", "location_id", _PLACE, How.STAYS),
    Reference("contact", "location_id", _PLACE, How.STAYS),
    Reference("phone", "location_id", _PLACE, How.STAYS),
    Reference("schedule", "location_id", _PLACE, How.STAYS),
    Reference("language", "location_id", _PLACE, How.STAYS),
    # what people do with the listing. The organization that was asked keeps what was sent to it.
    Reference("referral", "service_id", _SERVICE, How.MOVES),
    Reference("proposal", "service_id", _SERVICE, How.MOVES),
    Reference("parked", "service_id", _SERVICE, How.MOVES),
    Reference("obstacle", "service_id", _SERVICE, How.MOVES),
    Reference("harm_report", "service_id", _SERVICE, How.MOVES),
    Reference("listing_use", "service_id", _SERVICE, How.COUNTED),
    Reference("service_standing", "service_id", _SERVICE, How.COUNTED),
    # what waits for a curator is answered for the kept listing; what was decided is history. A signed link
    # was given for one listing and opens no other.
    Reference("listing_report", "service_id", _SERVICE, How.MOVES, only={"closed_at": ()}),
    Reference(
        "listing_change", "service_id", _SERVICE, How.MOVES, only={"status": ("draft", "waiting")}
    ),
    Reference("claim", "service_id", _SERVICE, How.MOVES, only={"status": ("waiting", "proven")}),
    Reference("listing_link", "service_id", _SERVICE, How.STAYS),
    # who was merged into it before leads to where it went
    Reference("service", "merged_into_id", _SERVICE, How.MOVES),
    Reference("duplicate_pair", "first_id", _SERVICE, How.STAYS),
    Reference("duplicate_pair", "second_id", _SERVICE, How.STAYS),
    Reference("merge", "kept_id", _SERVICE, How.STAYS),
    Reference("merge", "gone_id", _SERVICE, How.STAYS),
)

CHOSEN = tuple(one.table for one in REFERENCES if one.how is How.CHOSEN)

#: What a curator chooses as one: its name → columns of service.
FIELDS: Mapping[str, tuple[str, ...]] = {
    "organization": ("organization_id",),
    "name": ("name",),
    "alternate_name": ("alternate_name",),
    "description": ("description",),
    "status": ("status",),
    "url": ("url",),
    "email": ("email",),
    "facility_type": ("facility_type",),
    "remote": ("remote",),
    "answer_mode": ("answer_mode",),
    "contact_mode": ("contact_mode",),
    "ages": ("minimum_age", "maximum_age"),
    "eligibility_description": ("eligibility_description",),
    "application_process": ("application_process",),
    "fees_description": ("fees_description", "fees"),
    "wait_time": ("wait_time",),
    "interpretation_services": ("interpretation_services",),
    "accreditations": ("accreditations", "licenses"),
    "alert": ("alert",),
    "assured": ("assured_date", "assurer_email", "assured_by_role"),
    "read_in": ("source_url", "source_title", "source_date", "read_on"),
}
