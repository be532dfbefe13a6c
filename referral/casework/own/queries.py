"""Who may know of somebody's own people, and for whom they may be asked."""

from collections.abc import Sequence
from datetime import date, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, Select, func, or_, select
from sqlalchemy.orm import Session

from referral.accounts.models import Role, User
from referral.casework.models import Case, OwnResource, Visibility
from referral.casework.own.word import ASK_AGAIN_DAYS
from referral.casework.queries import theirs
from referral.core.errors import NotFound

_FOR_OTHERS: ColumnElement[bool] = OwnResource.visibility != Visibility.CLIENT


def get(session: Session, user: User, resource_id: UUID) -> OwnResource:
    """Help that this broker may know: their office's, and that of clients whose cases are theirs. Raises NotFound."""
    mine = select(Case.client_id).where(theirs(user))
    found = session.scalar(
        select(OwnResource).where(
            OwnResource.id == resource_id,
            _their_office(user),
            or_(_FOR_OTHERS, OwnResource.client_id.in_(mine)),
        )
    )
    if found is None:
        raise NotFound("casework.own.unknown")
    return found


def usable_in(session: Session, case: Case, resource_id: UUID | None) -> OwnResource:
    """Help that may be used in a case, by id. Raises NotFound."""
    found = next((own for own in made_for(session, case) if own.id == resource_id), None)
    if found is None:
        raise NotFound("casework.own.unknown")
    return found


def case_for(session: Session, user: User, resource: OwnResource) -> Case | None:
    """This person's case, the newest, in which a client's own help is known."""
    if resource.client_id is None:
        return None
    cases = select(Case).where(Case.client_id == resource.client_id, theirs(user))
    return session.scalars(cases.order_by(Case.opened_at.desc()).limit(1)).first()


def of_office(user: User, *, category: str | None = None, ended: bool = False) -> Select[Any]:
    """What the office may use for anybody, by kind of help; to be paged."""
    over = or_(OwnResource.ended_at.is_not(None), ~OwnResource.helper_agreed)
    query = select(OwnResource).where(_their_office(user), _FOR_OTHERS, over if ended else ~over)
    if category:
        query = query.where(OwnResource.category == category)
    return query.order_by(OwnResource.category, OwnResource.created_at, OwnResource.id)


def categories_of(session: Session, user: User) -> list[str]:
    """Which kinds of help the office has."""
    kinds = select(OwnResource.category).where(_their_office(user), _FOR_OTHERS).distinct()
    return list(session.scalars(kinds.order_by(OwnResource.category)))


def to_ask_again(session: Session, user: User, *, today: date) -> int:
    """How many of the office's helpers gave their word so long ago that they are to be asked again."""
    long_ago = today - timedelta(days=ASK_AGAIN_DAYS)
    due = of_office(user).where(
        func.coalesce(OwnResource.agreed_on, func.date(OwnResource.created_at)) <= long_ago
    )
    return session.scalar(select(func.count()).select_from(due.order_by(None).subquery())) or 0


def own_resources(session: Session, case: Case, category: str) -> Sequence[OwnResource]:
    """Informal help that may be offered in this case for a leaf: the client's own first, then the office's."""
    return session.scalars(
        select(OwnResource)
        .where(
            OwnResource.office_id == case.office_id,
            OwnResource.category == category,
            OwnResource.ended_at.is_(None),
            OwnResource.helper_agreed,
            or_(OwnResource.client_id == case.client_id, _FOR_OTHERS),
        )
        .order_by(OwnResource.client_id.is_(None), OwnResource.created_at, OwnResource.id)
    ).all()


def made_for(session: Session, case: Case) -> Sequence[OwnResource]:
    """Informal help usable in a case, of any category: the client's own first, then the office's.

    Where somebody near may be the danger, only what was recorded for this client.
    """
    usable = OwnResource.client_id == case.client_id
    return session.scalars(
        select(OwnResource)
        .where(
            OwnResource.office_id == case.office_id,
            OwnResource.ended_at.is_(None),
            OwnResource.helper_agreed,
            usable if case.has_violence else or_(usable, _FOR_OTHERS),
        )
        .order_by(OwnResource.client_id.is_(None), OwnResource.category, OwnResource.id)
    ).all()


def _their_office(user: User) -> ColumnElement[bool]:
    return (OwnResource.office_id == user.office_id) & (user.role is Role.BROKER)
