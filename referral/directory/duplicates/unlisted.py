"""What a listing that is only suggested may be the same as: asked before it is published."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from uuid import UUID, uuid4

from sqlalchemy.orm import Session

from referral.directory.duplicates import finding, normal
from referral.directory.duplicates.columns import load
from referral.directory.duplicates.scoring import Judgement, Shared, judge

#: More of them would be a list, not a warning.
MOST_SHOWN = 5


@dataclass(frozen=True)
class Unlisted:
    """What is known of a listing before it has rows; numbers as they are written."""

    name: str
    organization_id: UUID | None = None
    categories: Sequence[str] = ()
    numbers: Sequence[str] = ()
    email: str | None = None
    url: str | None = None
    point: tuple[float, float] | None = None
    precision_km: float = 0.0
    area_code: str | None = None
    address: str | None = None


def twins(session: Session, unlisted: Unlisted) -> list[tuple[UUID, Judgement]]:
    """Listings that it may be the same as, most alike first. Reads only."""
    lat, lon = unlisted.point or (None, None)
    around = finding.around(
        [(lat, lon, unlisted.area_code, False)], unlisted.numbers, unlisted.name
    )
    columns = load(session, only=around)
    others = len(columns.ids)
    columns.ids.append(uuid4())
    columns.names.append(unlisted.name)
    columns.organizations.append(unlisted.organization_id or uuid4())
    columns.origins.append(None)
    columns.facility_types.append(None)
    columns.categories.append(frozenset(unlisted.categories))
    site = (lat, lon, unlisted.precision_km, unlisted.area_code, unlisted.address)
    columns.sites.append((site,))
    contacts = (
        (columns.phones, normal.phone, unlisted.numbers),
        (columns.emails, normal.email, [unlisted.email]),
        (columns.hosts, normal.host, [unlisted.url]),
    )
    for found, as_compared, written in contacts:
        if values := frozenset(as_compared(one) for one in written if one) - {""}:
            found[others] = values
    shared = Shared(
        finding.widespread(session, unlisted.numbers, columns.shared.phones, besides_directory=1),
        columns.shared.emails,
        columns.shared.hosts,
        Counter(normal.name(name).whole for name in columns.names),
    )
    own = columns.entry(others)
    judged = [(columns.ids[row], judge(columns.entry(row), own, shared)) for row in range(others)]
    alike = [one for one in judged if one[1].score >= finding.MINIMUM_SCORE]
    return sorted(alike, key=lambda one: (-one[1].score, one[0]))[:MOST_SHOWN]
