"""Wrong listings: anyone says so, a curator looks."""

from uuid import UUID

from flask import flash, g, redirect, render_template, request, url_for
from flask_babel import gettext as _

from referral.changes.actors import PUBLIC
from referral.core.errors import Invalid, NotAllowed
from referral.directory import queries
from referral.directory.upkeep import reports
from referral.directory.upkeep.kinds import Part
from referral.extensions import db
from referral.web.access import public, requires
from referral.web.answers import LONG, Answers
from referral.web.directory import service_page
from referral.web.formatting import say
from referral.web.upkeep.door import Page, bp, has_sent, not_now, now, pause


@bp.post("/services/<uuid:service_id>/report")
@public
def report(service_id: UUID) -> Page:
    """Say that a listing is wrong; a curator looks at it."""
    answers = Answers(request.form)
    part = answers.choice("part", list(Part))
    try:
        pause()
        reports.report_wrong(
            db.session,
            service_id,
            answers.text("text", longest=LONG) or "",
            part=Part(part) if part else None,
            by=g.user or PUBLIC,
            now=now(),
        )
    except NotAllowed as error:
        db.session.rollback()
        status = not_now(error)
        return service_page(queries.get(db.session, service_id), answers=answers), status
    except Invalid as error:
        db.session.rollback()
        answers.wrong("text", say(error.message))
        return service_page(queries.get(db.session, service_id), answers=answers), answers.status
    db.session.commit()
    has_sent()
    flash(_("Thank you. Somebody will check this listing."), "good")
    return redirect(url_for("directory.show", service_id=service_id), 303)


@bp.get("/directory/reports")
@requires("listing:approve")
def open_reports() -> Page:
    """What people said is wrong with listings: what is in doubt first, then the oldest."""
    page = reports.open_reports(db.session, page=request.args.get("page", 1, type=int))
    listings = queries.by_ids(db.session, {one.service_id for one in page.items})
    return render_template(
        "directory/reports.html",
        page=page,
        listings=listings,
        page_url=lambda number: url_for(".open_reports", page=number),
    )


@bp.post("/directory/reports/<uuid:report_id>/close")
@requires("listing:approve")
def close_report(report_id: UUID) -> Page:
    """Note that a report has been dealt with: the listing is right as it is, or was corrected."""
    found = reports.get_open_report(db.session, report_id)
    was_right = request.form.get("found") == "right"
    reports.close(db.session, found, was_right=was_right, by=g.user, now=now())
    db.session.commit()
    flash(_("The report is closed."), "good")
    return redirect(url_for(".open_reports"), 303)
