"""Finding organizations by name."""

from collections.abc import Sequence
from uuid import UUID

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from referral.directory.models import Organization

#: No name is longer; a database refuses to look for a text without end.
LONGEST_NAME = 500


def named(session: Session, text: str, *, limit: int = 10) -> Sequence[Organization]:
    """Organizations of exactly this name, else those whose name contains it; none for a text that is no name."""
    text = " ".join(text.split())
    if not text or len(text) > LONGEST_NAME:
        return []
    ordered = select(Organization).order_by(Organization.name, Organization.id).limit(limit)
    same = session.scalars(ordered.where(func.lower(Organization.name) == text.lower())).all()
    return (
        same
        or session.scalars(ordered.where(Organization.name.icontains(text, autoescape=True))).all()
    )


def name_of(session: Session, organization_id: UUID | None) -> str | None:
    """The name of an organization; None when there is none."""
    return session.scalar(select(Organization.name).where(Organization.id == organization_id))
