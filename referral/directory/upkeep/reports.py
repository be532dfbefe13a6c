"""What people say is wrong with listings, and the parts that are in doubt until a curator has looked."""

from datetime import datetime, timedelta
from uuid import UUID

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from referral.accounts.permissions import Role
from referral.changes import audit
from referral.changes import directory as changes
from referral.changes.actors import PUBLIC, Actor
from referral.core.errors import Invalid, NotAllowed, NotFound
from referral.core.paging import Page, page_of
from referral.directory import queries
from referral.directory.upkeep.kinds import ChangeKind, Part
from referral.directory.upkeep.models import ListingChange, ListingReport

LONGEST_REPORT = 2000
#: fields of upkeep.editing that stand in another's part
_PART_OF = {"point": Part.ADDRESS.value, "area_code": Part.ADDRESS.value}
#: More unread reports about one listing within a day tell a curator nothing new.
MOST_REPORTS_A_DAY = 10


def report_wrong(
    session: Session,
    service_id: UUID,
    text: str,
    *,
    part: Part | None = None,
    by: Actor = PUBLIC,
    now: datetime,
) -> ListingReport:
    """Keep what somebody says is wrong with a listing, for a curator to look at. Only the role of who says it is kept."""
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
    return _keep(session, service_id, text, part=part, by=by, now=now)


def report_from_answer(
    session: Session,
    service_id: UUID,
    text: str,
    *,
    part: Part | None = None,
    value: str | None = None,
    is_doubted: bool,
    by: Actor,
    now: datetime,
) -> None:
    """Keep what an agency's answer to a referral says about its listing; `is_doubted` quarantines the part.

    The same doubt is kept once: it counts from when it was first said.
    """
    if is_doubted:
        twin = select(ListingReport.id).where(
            ListingReport.service_id == service_id,
            ListingReport.is_quarantine,
            ListingReport.closed_at.is_(None),
            ListingReport.field.is_(None) if part is None else ListingReport.field == part.value,
            ListingReport.value.is_(None) if value is None else ListingReport.value == value,
        )
        if session.scalar(twin.limit(1)) is not None:
            return
    made = _keep(session, service_id, text, part=part, value=value, by=by, now=now)
    made.is_quarantine = is_doubted
    if is_doubted:
        changes.announce(session, service_id, now=now)
    session.flush()


def close(
    session: Session, report: ListingReport, *, was_right: bool, by: Actor, now: datetime
) -> None:
    """Note that a curator has dealt with a report; what it put in doubt no longer is.

    was_right   the listing was found true as it stands; else it was corrected
    """
    report.closed_at = now
    audit.record(
        session, "listing_report.closed", report, by=by, now=now, listing_was_right=was_right
    )
    if report.is_quarantine:
        changes.announce(session, report.service_id, now=now)
    session.flush()


def close_corrected(
    session: Session, change: ListingChange, *, by_curator: bool, by: Actor, now: datetime
) -> None:
    """Close what a change that is now published corrects: reports of its fields that were there when it was written.

    A curator's decision closes anybody's; an agency that publishes itself takes back only what it said itself.
    A kind of help stays in doubt where the listing still names it, and so does the listing as a whole.
    """
    if change.kind is ChangeKind.REVERT:
        return
    parts = {_PART_OF.get(field, field) for field in change.values}
    told = select(ListingReport).where(
        ListingReport.service_id == change.service_id,
        ListingReport.closed_at.is_(None),
        ListingReport.field.in_(parts),
        ListingReport.reported_at <= change.made_at,
    )
    if not by_curator:
        told = told.where(ListingReport.reported_by_role == Role.AGENCY.value)
    for report in session.scalars(told.order_by(ListingReport.reported_at)):
        named = change.values.get("categories") or () if report.value else ()
        if not any(code.startswith(report.value) for code in named):
            close(session, report, was_right=False, by=by, now=now)


def open_reports(session: Session, *, page: int = 1) -> Page[ListingReport]:
    """What people said is wrong and nobody has looked at yet: what keeps a part in doubt first, then the oldest."""
    query = (
        select(ListingReport)
        .where(ListingReport.closed_at.is_(None))
        .order_by(ListingReport.is_quarantine.desc(), ListingReport.reported_at, ListingReport.id)
    )
    return page_of(session, query, number=page)


def get_open_report(session: Session, report_id: UUID) -> ListingReport:
    """A report that nobody has closed. Raises NotFound."""
    report = session.get(ListingReport, report_id)
    if report is None or report.closed_at is not None:
        raise NotFound("directory.unknown_report")
    return report


def _keep(
    session: Session,
    service_id: UUID,
    text: str,
    *,
    part: Part | None,
    value: str | None = None,
    by: Actor,
    now: datetime,
) -> ListingReport:
    report = ListingReport(
        service_id=service_id,
        text=text,
        reported_at=now,
        reported_by_role=str(by.role),
        field=part.value if part else None,
        value=value,
        is_quarantine=False,
    )
    session.add(report)
    session.flush()
    return report
