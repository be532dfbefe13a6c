"""Somebody's own people for a need, before every listed place: who may be asked, and who has room.

Nobody of the surroundings is offered by itself where one of them may be the danger.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from uuid import UUID

from sqlalchemy import ColumnElement, and_, or_, select
from sqlalchemy.orm import Session, aliased

from referral.casework.models import Case, Client, Need, OwnHelp, OwnResource, Stage
from referral.casework.own import queries
from referral.core.errors import Invalid
from referral.matching.models import ClientChoice
from referral.matching.rules import VIOLENT_NEEDS

#: a client, and whom of theirs the need is about
Person = tuple[UUID, UUID | None]


@dataclass(frozen=True)
class OwnOption:
    """One of them: how many people they help now, and whether one more would be too many."""

    own: OwnResource
    people: int
    is_full: bool


def may_be_asked(case: Case) -> bool:
    """Whether people of the surroundings are offered in this case at all."""
    return not (case.has_violence or any(need.category in VIOLENT_NEEDS for need in case.needs))


def options(session: Session, need: Need) -> list[OwnOption]:
    """The client's own people for a need, then the office's; who has no room stands last."""
    if not may_be_asked(need.case):
        return []
    found = queries.own_resources(session, need.case, need.category)
    people = helped_now(session, [own.id for own in found])
    told = [_option(own, people, need) for own in found]
    return sorted(told, key=lambda one: one.is_full)


def refuse_full(session: Session, own: OwnResource, need: Need) -> None:
    """Raises Invalid where they already help as many people as they can. Two workers who choose at once wait in line."""
    session.execute(select(OwnResource.id).where(OwnResource.id == own.id).with_for_update())
    if _option(own, helped_now(session, [own.id]), need).is_full:
        raise Invalid("match.choice.own_full", field="choice", capacity=own.capacity)


def helped_now(session: Session, own_ids: Iterable[UUID]) -> dict[UUID, frozenset[Person]]:
    """Whom each of them helps now: people whose open need chose them last, or was last helped by them."""
    ids = list(own_ids)
    later = aliased(ClientChoice)
    is_last = ~(
        select(later.id)
        .where(
            later.need_id == ClientChoice.need_id,
            or_(
                later.at > ClientChoice.at,
                and_(later.at == ClientChoice.at, later.id > ClientChoice.id),
            ),
        )
        .exists()
    )
    chosen = (
        select(ClientChoice.own_resource_id, Case.client_id, Need.beneficiary_id)
        .join(Need, Need.id == ClientChoice.need_id)
        .where(ClientChoice.own_resource_id.in_(ids), is_last)
    )
    # A choice says where somebody is helped; help without one counts as long as the need is open.
    any_choice = select(ClientChoice.id).where(ClientChoice.need_id == OwnHelp.need_id).exists()
    helped = (
        select(OwnHelp.own_resource_id, Case.client_id, Need.beneficiary_id)
        .join(Need, Need.id == OwnHelp.need_id)
        .where(OwnHelp.own_resource_id.in_(ids), ~any_choice)
    )
    found: dict[UUID | None, set[Person]] = {own_id: set() for own_id in ids}
    for query in (chosen, helped):
        open_ones = query.join(Case, Case.id == Need.case_id).join(
            Client, Client.id == Case.client_id
        )
        for own_id, client_id, beneficiary_id in session.execute(open_ones.where(_is_open())):
            found[own_id].add((client_id, beneficiary_id))
    return {own_id: frozenset(found[own_id]) for own_id in ids}


def _is_open() -> ColumnElement[bool]:
    return and_(
        Need.withdrawn_at.is_(None),
        Need.resolved_otherwise_at.is_(None),
        Case.stage != Stage.CLOSED,
        Client.erased_at.is_(None),
    )


def is_full(capacity: int | None, people: frozenset[Person], person: Person) -> bool:
    """Whether helping one more would be too many; who is helped already is no more."""
    return capacity is not None and person not in people and len(people) >= capacity


def _option(own: OwnResource, people: dict[UUID, frozenset[Person]], need: Need) -> OwnOption:
    now = people[own.id]
    person = (need.case.client_id, need.beneficiary_id)
    return OwnOption(own, len(now), is_full(own.capacity, now, person))


def names_for(session: Session, needs: Sequence[Need]) -> list[tuple[Need, list[str | None]]]:
    """Needs for which somebody of their own people has room, with how they are called."""
    found = []
    for need in needs:
        names = [one.own.name for one in options(session, need) if not one.is_full]
        if names:
            found.append((need, names))
    return found
