"""What people do to listings besides importing them: say that one is wrong, and look at what was said."""

from datetime import datetime, timedelta
from uuid import UUID

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from referral.changes import audit
from referral.changes.actors import Actor
from referral.core.errors import Invalid, NotAllowed
from referral.directory import queries
from referral.directory.upkeep.models import ListingReport

LONGEST_REPORT = 2000
#: More unread reports about one listing within a day tell a curator nothing new.
MOST_REPORTS_A_DAY = 10


def report_wrong(session: Session, service_id: UUID, text: str, *, now: datetime) -> ListingReport:
    """Keep what somebody says is wrong with a listing, for a curator to look at. Nobody is asked who they are."""
    queries.get(session, service_id)
    text = text.strip()
    if not text:
        raise Invalid("directory.report.empty", field="text")
    if len(text) > LONGEST_REPORT:
        raise Invalid("directory.report.too_long", field="text", most=LONGEST_REPORT)
    recent = session.scalar(
        select(func.count()).where(
            ListingReport.service_id == service_id,
            ListingReport.closed_at.is_(None),
            ListingReport.reported_at > now - timedelta(days=1),
        )
    )
    if (recent or 0) >= MOST_REPORTS_A_DAY:
        raise NotAllowed("directory.report.too_many", field="text")
    report = ListingReport(service_id=service_id, text=text, reported_at=now)
    session.add(report)
    session.flush()
    return report


def close_report(session: Session, report: ListingReport, *, by: Actor, now: datetime) -> None:
    """Note that a curator has dealt with a report."""
    report.closed_at = now
    audit.record(session, "listing_report.closed", report, by=by, now=now)
    session.flush()
