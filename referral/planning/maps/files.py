"""Tables of the map as files, each with the certificate of the release its counts come from."""

import csv
import io
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from referral.core.text import Message, instant, label, number, render
from referral.directory.hsds.exports import plain
from referral.planning.disclosure.cells import Shown, mark
from referral.planning.disclosure.certificate import Certificate
from referral.planning.gaps.models import GapRelease, Measure
from referral.planning.maps.question import Layer
from referral.planning.maps.values import Kind, Value

#: what a certificate begins with
HEADS = ("title", "note", "filters", "release", "made_at", "audience", "threshold")
#: parts of a measure's certificate, in the order they are told
PARTS = ("rule", "shown", "small", "withheld", "primary", "complementary", "earlier")
AUDIT = ("secrets", "told_before", "least_possible", "highest_low")
_SHEET_NAME_LIMIT = 31


@dataclass(frozen=True)
class File:
    """What a file holds: a row for each area or hexagon with its name, and the value of each layer."""

    layers: Sequence[Layer]
    codes: Sequence[str]
    names: Sequence[str]
    columns: Mapping[Layer, Sequence[Value]]
    threshold: int
    lang: str


def certificate_lines(
    release: GapRelease | None, *, filters: str, lang: str, zone: str
) -> list[tuple[str, str]]:
    """The certificate in words, for any file: who made what when, what was hidden, and the digest."""

    def said(name: str) -> str:
        return label(f"map.certificate.{name}", lang)

    lines = [(said("note"), render(Message("map.asked_not_population"), lang))]
    lines.append((said("filters"), filters))
    if release is None:
        return lines
    lines += [
        (said("release"), release.quarter),
        (said("made_at"), instant(release.made_at, lang, zone)),
        (said("audience"), label(f"map.audience.{release.audience}", lang)),
        (said("threshold"), str(release.threshold)),
    ]
    for measure in Measure:
        found = release.certificate.get(measure.value)
        if found is None:
            continue
        certificate, of = Certificate.from_json(found), label(f"map.measure.{measure}", lang)
        told = [(name, getattr(certificate, name)) for name in PARTS]
        told += [(name, getattr(certificate.audit, name)) for name in AUDIT]
        told.append(("digest", certificate.digest))
        lines += [(f"{of}: {said(name)}", _told(value, lang)) for name, value in told]
    return lines


def _told(value: Any, lang: str) -> str:
    if value is None:
        return "–"
    return number(value, lang, digits=0) if isinstance(value, int) else str(value)


def cell(value: Value, threshold: int, lang: str) -> float | int | str:
    """A value as a cell: a number where it is told, else how it is hidden or why it is not known."""
    if value.kind is Kind.TOLD and value.number is not None:
        told = round(value.number, 3)
        whole: float | int = int(told) if told == int(told) else told
        if not value.few:
            return whole
        return render(Message("map.few", {"number": whole, "few": value.few}), lang)
    if value.kind is Kind.SMALL:
        return mark(Shown.SMALL, threshold)
    return label(f"map.kind.{value.kind}", lang)


def table(file: File) -> list[list[Any]]:
    """Heads, then a row for each area. No cell is taken for a formula by a spreadsheet."""
    heads = ["code", "name", *(layer.value for layer in file.layers)]
    rows: list[list[Any]] = [heads]
    for row, (code, name) in enumerate(zip(file.codes, file.names, strict=True)):
        cells = [cell(file.columns[layer][row], file.threshold, file.lang) for layer in file.layers]
        rows.append([plain(one) for one in (code, name, *cells)])
    return rows


def as_csv(rows: Iterable[Sequence[Any]], certificate: Sequence[tuple[str, str]]) -> str:
    """The certificate as comments, then the table."""
    out = io.StringIO()
    for name, value in certificate:
        # A line break would end the comment.
        out.write(f"# {' '.join(f'{name}: {value}'.split())}\r\n")
    csv.writer(out).writerows(rows)
    return out.getvalue()


def as_xlsx(
    rows: Sequence[Sequence[Any]], certificate: Sequence[tuple[str, str]], *, data: str, title: str
) -> bytes:
    """A workbook with the table on one sheet and the certificate on the other."""
    import xlsxwriter  # loads slowly

    out = io.BytesIO()
    options = {"in_memory": True, "strings_to_formulas": False, "strings_to_urls": False}
    with xlsxwriter.Workbook(out, options) as book:
        bold = book.add_format({"bold": True})
        sheet = book.add_worksheet(data[:_SHEET_NAME_LIMIT])
        for at, row in enumerate(rows):
            sheet.write_row(at, 0, row, bold if at == 0 else None)
        sheet.freeze_panes(1, 2)
        sheet.set_column(1, 1, 42)
        sheet.autofilter(0, 0, max(len(rows) - 1, 0), len(rows[0]) - 1)
        told = book.add_worksheet(title[:_SHEET_NAME_LIMIT])
        told.set_column(0, 0, 62)
        told.set_column(1, 1, 70)
        for at, (name, value) in enumerate(certificate):
            told.write_string(at, 0, plain(name))
            told.write_string(at, 1, plain(value))
    return out.getvalue()


def as_geojson(
    file: File, geometries: Mapping[str, Mapping[str, Any]], certificate: Sequence[tuple[str, str]]
) -> dict[str, Any]:
    """A feature for each area; where it is not drawn its geometry is null, so that nothing is lost."""
    features = []
    for row, (code, name) in enumerate(zip(file.codes, file.names, strict=True)):
        told: dict[str, Any] = {"code": code, "name": name}
        for layer in file.layers:
            value = file.columns[layer][row]
            told[layer.value] = None if value.number is None else round(value.number, 3)
            told[f"{layer.value}_shown"] = value.kind.value
            if value.few:
                told[f"{layer.value}_few"] = value.few
        features.append(
            {"type": "Feature", "id": code, "geometry": geometries.get(code), "properties": told}
        )
    return {
        "type": "FeatureCollection",
        "features": features,
        "certificate": [{"name": name, "value": value} for name, value in certificate],
    }
