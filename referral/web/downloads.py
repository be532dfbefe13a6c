"""The public directory as files for anyone: formats, terms, and what is left out."""

from collections.abc import Iterator
from tempfile import TemporaryFile
from typing import IO

from flask import Blueprint, Response, render_template, stream_with_context
from flask_babel import gettext as _

from referral.directory.hsds import exports
from referral.directory.hsds.exports import Format
from referral.extensions import db
from referral.web.access import public

bp = Blueprint("downloads", __name__, url_prefix="/directory/data")

#: kind → file name, media type
FILES = {
    Format.HSDS_JSON: ("jejaring.ndjson", "application/x-ndjson"),
    Format.HSDS_CSV: ("jejaring-hsds.zip", "application/zip"),
    Format.GEOJSON: ("jejaring.geojson", "application/geo+json"),
    Format.CSV: ("jejaring.csv", "text/csv"),
    Format.XLSX: (
        "jejaring.xlsx",
        "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
    ),
}
_PIECE_BYTES = 64 * 1024
#: when to ask again while others are served
AGAIN_SECONDS = 60


@bp.get("/")
@public
def show() -> str:
    """What may be downloaded, and what is not in it."""
    words = {
        Format.XLSX: (
            _("Workbook"),
            _("For Excel and LibreOffice. One row is one service at one place."),
        ),
        Format.CSV: (_("Table (CSV)"), _("The same rows for any spreadsheet or program.")),
        Format.GEOJSON: (_("Map (GeoJSON)"), _("Services whose point is known, for maps.")),
        Format.HSDS_JSON: (_("HSDS as JSON"), _("Everything we may tell, one service per line.")),
        Format.HSDS_CSV: (
            _("HSDS data package"),
            _("All tables as CSV files in one zip, for other directories."),
        ),
    }
    files = [
        {"kind": kind.value, "label": label, "note": note, "name": FILES[kind][0]}
        for kind, (label, note) in words.items()
    ]
    return render_template("directory/data.html", files=files)


@bp.get("/<any('hsds-json', 'hsds-csv', geojson, csv, xlsx):kind>")
@public
def file(kind: str) -> Response:
    """One of the files, made now."""
    form = Format(kind)
    name, media_type = FILES[form]
    end = exports.take_turn()
    if end is None:
        page = render_template(
            "error.html", code=503, title=_("Not now"), message=_("Go back and try again.")
        )
        return Response(page, 503, {"Retry-After": str(AGAIN_SECONDS)}, mimetype="text/html")
    if form in (Format.HSDS_CSV, Format.XLSX):
        made = TemporaryFile()  # noqa: SIM115 - closed when it is sent
        try:
            exports.write_file(db.session, made, form)
        finally:
            end()  # to send it is little work
        made.seek(0)
        response = Response(_pieces(made), mimetype=media_type)
    else:
        lines = (
            text.encode("utf-8", "backslashreplace") for text in exports.texts(db.session, form)
        )
        response = Response(stream_with_context(exports.in_turn(lines, end)), mimetype=media_type)
        response.call_on_close(end)
    response.headers["Content-Disposition"] = f'attachment; filename="{name}"'
    return response


def _pieces(made: IO[bytes]) -> Iterator[bytes]:
    with made:
        while piece := made.read(_PIECE_BYTES):
            yield piece
