"""A worker's due days, tasks and meetings for their calendar program: case numbers and kinds, nobody and nowhere.

The secret stands in the query, which our access log leaves out. A calendar program keeps what it fetches on other
people's machines: no name, need, service or place leaves by this door.
"""

from datetime import UTC, date, datetime, timedelta
from uuid import UUID

from flask import (
    Blueprint,
    Response,
    abort,
    current_app,
    flash,
    g,
    redirect,
    render_template,
    request,
    url_for,
)
from flask_babel import gettext as _
from flask_limiter.util import get_remote_address
from icalendar import Calendar, Event
from werkzeug.wrappers import Response as AnyResponse

from referral.accounts import calendar_links
from referral.accounts.models import User
from referral.accounts.permissions import allows
from referral.casework import cover, meetings
from referral.core.errors import NotFound
from referral.core.text import label
from referral.extensions import db, limiter
from referral.referrals import due, queries, tasks
from referral.web.access import public, requires

bp = Blueprint("calendar", __name__)

PATH = "/calendar.ics"
#: Guessing is hopeless at 2²⁵⁶ and slow besides; programs that fetch every few minutes are let through.
TRIES = "20 per minute; 100 per day"
MEETING_MINUTES = 60


def was_wrong(response: Response) -> bool:
    """Whether it counts as a guess."""
    return response.status_code == 404


@bp.get(PATH)
@public
@limiter.limit(TRIES, key_func=get_remote_address, deduct_when=was_wrong)
def feed() -> Response:
    """The calendar behind a secret."""
    try:
        user = calendar_links.find_user(db.session, request.args.get("key", ""))
    except NotFound:
        abort(404)
    if not allows(user, "case:write"):
        abort(404)  # they no longer work on cases
    response = Response(_calendar(user, datetime.now(UTC)).to_ical(), mimetype="text/calendar")
    response.headers["Cache-Control"] = "no-store"
    response.headers["Referrer-Policy"] = "no-referrer"
    return response


def _calendar(user: User, now: datetime) -> Calendar:
    made = Calendar()
    made.add("prodid", "-//Jejaring//ID")
    made.add("version", "2.0")
    made.add("x-wr-calname", "Jejaring")
    lang, today = user.language, cover.today_of(user, now)
    for referral in db.session.scalars(due.running(user)):
        line = due.due_of(referral, now=now)
        if line is not None:
            words = label(f"day.due.{line.due}", lang)
            made.add_component(_day(referral.id, referral.case.number, words, line.on, now))
    for referral in db.session.scalars(queries.to_ask_client(user, today)):
        if referral.ended_at is not None:
            words = label(f"day.due.{due.Due.ASK_CLIENT}", lang)
            made.add_component(_day(referral.id, referral.case.number, words, today, now))
    for task in db.session.scalars(tasks.open_of(user)):
        words = label(f"task.kind.{task.kind}", lang)
        made.add_component(_day(task.id, task.case.number, words, task.due_on, now))
    for meeting in db.session.scalars(meetings.open_of(user)):
        words = label(f"casework.meeting.kind.{meeting.kind}", lang)
        event = _event(meeting.id, meeting.case.number, words, now)
        event.add("dtstart", meeting.at)
        event.add("dtend", meeting.at + timedelta(minutes=MEETING_MINUTES))
        made.add_component(event)
    return made


def _day(row_id: UUID, number: str, words: str, on: date, now: datetime) -> Event:
    event = _event(row_id, number, words, now)
    event.add("dtstart", on)
    event.add("dtend", on + timedelta(days=1))
    event.add("transp", "TRANSPARENT")  # it takes no hour of the day
    return event


def _event(row_id: UUID, number: str, words: str, now: datetime) -> Event:
    event = Event()
    event.add("uid", f"{row_id}@jejaring")
    event.add("dtstamp", now)
    event.add("summary", f"{number}: {words}")
    event.add("class", "PRIVATE")
    return event


# One's own link ----------------------------------------------------------------------------------


@bp.get("/calendar")
@requires("case:write")
def mine() -> str:
    """Whether one's days can be fetched, and how to begin and end that."""
    return render_template("day/calendar.html", link=calendar_links.current(db.session, g.user))


@bp.post("/calendar/link")
@requires("case:write")
def make() -> Response:
    """A new address, shown once; an earlier one stops working."""
    token = calendar_links.issue(db.session, g.user, now=datetime.now(UTC))
    db.session.commit()
    base = current_app.config["SETTINGS"].PUBLIC_URL
    address = f"{base.rstrip('/')}{PATH}" if base else url_for(".feed", _external=True)
    page = render_template("day/calendar_made.html", address=f"{address}?key={token}")
    response = Response(page, mimetype="text/html")
    response.headers["Cache-Control"] = "no-store"
    return response


@bp.post("/calendar/link/revoke")
@requires("case:write")
def revoke() -> AnyResponse:
    """End it: whoever has the address gets nothing more."""
    calendar_links.revoke(db.session, g.user, now=datetime.now(UTC))
    db.session.commit()
    flash(_("The address works no longer."), "good")
    return redirect(url_for(".mine"), 303)
