"""Taking files into the directory from a page: tried first, read through, then done."""

import csv
import io
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from uuid import UUID

from flask import (
    Blueprint,
    Response,
    current_app,
    flash,
    g,
    redirect,
    render_template,
    request,
    stream_with_context,
    url_for,
)
from flask_babel import gettext as _
from flask_login import current_user
from werkzeug.datastructures import FileStorage
from werkzeug.wrappers import Response as BaseResponse

from referral.accounts.permissions import allows
from referral.core.errors import Invalid, NotAllowed, NotFound
from referral.core.paging import page_of
from referral.core.text import render
from referral.directory.hsds.exports import plain
from referral.directory.intake import formats, runs
from referral.directory.intake.models import ImportRun, RunStatus
from referral.directory.intake.uploads import ENDINGS, Uploads
from referral.extensions import db
from referral.jobs.queue import jobs
from referral.web.access import requires
from referral.web.answers import SHORT, Answers
from referral.web.language import chosen

bp = Blueprint("imports", __name__, url_prefix="/directory/imports")
Page = str | BaseResponse | tuple[str, int]

LARGEST_MB = 512
#: seconds after which the page of a run that goes on asks again
AGAIN_SECONDS = 5
_AT_ONCE = 1000


@bp.url_value_preprocessor
def _take_more(endpoint: str | None, _values: object) -> None:
    """Only somebody who may import sends more than the house takes elsewhere; asked before the form is read."""
    if request.method != "POST" or endpoint != "imports.new":
        return
    if current_user.is_authenticated and allows(current_user, "listing:import"):
        request.max_content_length = LARGEST_MB << 20
    # The request begins after this: who it is is asked again, in a transaction that may write.
    db.session.rollback()
    g.pop("_login_user", None)


def _uploads() -> Uploads:
    return Uploads(Path(current_app.config["SETTINGS"].JEJARING_INSTANCE) / "imports")


@bp.get("/")
@requires("listing:import")
def index() -> Page:
    """What was imported so far, and what goes on."""
    number = request.args.get("page", 1, type=int)
    return render_template(
        "directory/imports.html",
        runs=page_of(db.session, runs.latest(), number=number),
        state=_state,
        page_url=lambda page: url_for(".index", page=page),
    )


@bp.route("/new", methods=["GET", "POST"])
@requires("listing:import")
def new() -> Page:
    """Hand a file in. It is only tried at first."""
    answers = Answers(request.form)
    if request.method == "POST":
        file, mapping = request.files.get("file"), request.files.get("own_mapping")
        kind, chosen_mapping = answers.shown("format"), answers.shown("mapping")
        source = answers.text("source", longest=SHORT)
        try:
            if file is None or not file.filename:
                raise Invalid("directory.import.no_file", field="file")
            if kind not in (formats.AUTO, *formats.FORMATS):
                raise Invalid("directory.import.no_format", field="format")
            if chosen_mapping and chosen_mapping not in {path.stem for path in runs.shipped()}:
                raise Invalid("directory.import.no_mapping", field="mapping")
            if not answers.errors:
                run = _begin(file, mapping, kind, chosen_mapping or None, source or None)
                return redirect(url_for(".show", run_id=run.id), 303)
        except Invalid as error:
            answers.refused(error, "file", "format", "mapping", "source")
    page = render_template(
        "directory/import_new.html",
        answers=answers,
        formats=_format_words(),
        mappings=[(path.stem, path.stem) for path in runs.shipped()],
        largest_mb=LARGEST_MB,
        endings=",".join(ENDINGS),
    )
    return page, answers.status


def _begin(
    file: FileStorage,
    mapping: FileStorage | None,
    kind: str,
    chosen_mapping: str | None,
    source: str | None,
) -> ImportRun:
    now = datetime.now(UTC)
    run = runs.begin(
        db.session,
        file_name=Path(file.filename or "").name[:SHORT],
        format=kind,
        mapping=chosen_mapping,
        source=source,
        dry_run=True,
        by=g.user,
        now=now,
    )
    uploads = _uploads()
    uploads.forget_old(now=now)
    uploads.keep(run.id, file.stream, file.filename or "")
    if mapping is not None and mapping.filename:
        uploads.keep_mapping(run.id, mapping.stream)
    db.session.commit()
    jobs().import_file(str(run.id))
    return run


@bp.get("/<uuid:run_id>")
@requires("listing:import")
def show(run_id: UUID) -> Page:
    """One import: how far it is, what it did, what was wrong."""
    run = runs.get(db.session, run_id)
    number = request.args.get("page", 1, type=int)
    state = _state(run)
    failure = runs.why_failed(run)
    return render_template(
        "directory/import.html",
        run=run,
        state=state,
        is_going_on=state in ("waiting", "running"),
        again_seconds=AGAIN_SECONDS,
        part=_part(run),
        failure=render(failure, chosen()) if failure else None,
        findings=page_of(db.session, runs.findings_of(run), number=number, size=50),
        reason=lambda finding: render(runs.reason(finding), chosen()),
        may_go_on=run.dry_run and state == "done" and _uploads().find(run.id) is not None,
        page_url=lambda page: url_for(".show", run_id=run.id, page=page),
    )


@bp.post("/<uuid:run_id>/take")
@requires("listing:import")
def take(run_id: UUID) -> Page:
    """Do what was tried."""
    tried, uploads = runs.get(db.session, run_id), _uploads()
    if not tried.dry_run or tried.status is not RunStatus.DONE:
        raise NotAllowed("directory.import.not_tried")
    if uploads.find(tried.id) is None:
        raise NotFound("directory.import.file_gone")
    run = runs.begin(
        db.session,
        file_name=tried.file_name,
        format=tried.format,
        mapping=tried.mapping,
        source=tried.source,
        by=g.user,
        now=datetime.now(UTC),
    )
    uploads.hand_over(tried.id, run.id)
    db.session.commit()
    jobs().import_file(str(run.id))
    return redirect(url_for(".show", run_id=run.id), 303)


@bp.post("/<uuid:run_id>/forget")
@requires("listing:import")
def forget(run_id: UUID) -> Page:
    """Throw the file of a tried import away."""
    run = runs.get(db.session, run_id)
    if run.dry_run and run.status not in (RunStatus.WAITING, RunStatus.RUNNING):
        _uploads().forget(run.id)
        flash(_("The file is deleted. The report stays."), "good")
    return redirect(url_for(".show", run_id=run.id), 303)


@bp.get("/<uuid:run_id>/findings.csv")
@requires("listing:import")
def findings(run_id: UUID) -> Response:
    """All that was wrong, for a spreadsheet."""
    run = runs.get(db.session, run_id)
    lang = chosen()

    def lines() -> Iterator[str]:
        buffer = io.StringIO()
        table = csv.writer(buffer)
        table.writerow(("file", "row", "field", "value", "code", "reason"))
        query = runs.findings_of(run).execution_options(yield_per=_AT_ONCE)
        for one in db.session.scalars(query):
            code = one.key.removeprefix("directory.import.")
            told = (
                one.file or run.file_name,
                one.field,
                one.value,
                code,
                render(runs.reason(one), lang),
            )
            file, *rest = (plain(text) for text in told)
            table.writerow((file, one.row, *rest))
            if buffer.tell() > 1 << 16:
                yield buffer.getvalue()
                buffer.seek(0)
                buffer.truncate()
        yield buffer.getvalue()

    answer = Response(stream_with_context(lines()), mimetype="text/csv")
    answer.headers["Content-Disposition"] = f'attachment; filename="findings-{run.id}.csv"'
    return answer


def _state(run: ImportRun) -> str:
    return "cut_off" if runs.is_cut_off(run, now=datetime.now(UTC)) else str(run.status)


def _part(run: ImportRun) -> int | None:
    """Per cent done, where that can be told."""
    if not run.rows_total:
        return None
    return min(100, round(100 * run.rows_done / run.rows_total))


def _format_words() -> list[tuple[str, str]]:
    return [
        (formats.AUTO, _("Find out from the file")),
        ("hsds-json", _("HSDS as JSON")),
        ("hsds-csv", _("HSDS data package (zip)")),
        ("table", _("Table: CSV, workbook, or a zip of tables")),
        ("geojson", _("Map (GeoJSON)")),
        ("osm", _("OpenStreetMap (Overpass JSON)")),
    ]
