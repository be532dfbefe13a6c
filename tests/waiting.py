"""Who waits now, straight from the ledger: what tests of it look at, and no page."""

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from referral.casework.models import Case, Need
from referral.planning.unmet.models import UnmetNeed, UnmetReason


def open_gaps(session: Session) -> dict[tuple[str | None, str], int]:
    """Clients with an open unmet need that counts as a gap: {(area, category): clients}."""
    query = (
        select(UnmetNeed.area_code, UnmetNeed.category, func.count(Case.client_id.distinct()))
        .join(UnmetReason, UnmetReason.code == UnmetNeed.reason)
        .join(Need, Need.id == UnmetNeed.need_id)
        .join(Case, Case.id == Need.case_id)
        .where(UnmetNeed.closed_at.is_(None), UnmetReason.counts_as_gap)
        .group_by(UnmetNeed.area_code, UnmetNeed.category)
    )
    return {(area, category): count for area, category, count in session.execute(query)}
