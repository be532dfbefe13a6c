"""A listing's rows as values that can be edited, and changed values back into its rows."""

from typing import Any
from uuid import UUID

from sqlalchemy.orm import Session

from referral.directory.models import Service


def get(session: Session, service_id: UUID) -> Service:
    """A listing that may be changed. Raises NotFound for one that is merged into another or nobody's to see."""
    raise NotImplementedError


def values_of(service: Service, *, for_owner: bool = False) -> dict[str, Any]:
    """The values of every field, as `upkeep.editing` has them.

    for_owner  with where a confidential place is; without it those fields are not there at all
    """
    raise NotImplementedError
