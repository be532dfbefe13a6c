"""Files made to end the process that reads them, to fill its memory or its disk, or to read what is none of theirs."""

import io
import json
import re
import zipfile
from pathlib import Path

import ijson
import pytest
from sqlalchemy.orm import Session

from referral.core.careful_json import CarefulJson
from referral.core.errors import Invalid
from referral.directory import hours_text
from referral.directory.intake import files, formats, geojson, runs
from referral.directory.intake.folder_mapping import FolderMapping
from referral.directory.intake.hsds import json_file
from referral.directory.intake.mapping import TableMapping

_CELLS = '<row r="1"><c r="A1" t="inlineStr"><is><t>id</t></is></c></row>'


def workbook(path: Path, rows: str) -> Path:
    """An XLSX file with one sheet, as small as one can be."""
    office = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
    package = "http://schemas.openxmlformats.org/package/2006"
    sheet = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"

    def link(kind: str, target: str) -> str:
        one = f'<Relationship Id="r1" Type="{office}/{kind}" Target="{target}"/>'
        return f'<Relationships xmlns="{package}/relationships">{one}</Relationships>'

    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as packed:
        packed.writestr("[Content_Types].xml", f'<Types xmlns="{package}/content-types"/>')
        packed.writestr("_rels/.rels", link("officeDocument", "xl/workbook.xml"))
        packed.writestr(
            "xl/workbook.xml",
            f'<workbook xmlns="{sheet}" xmlns:r="{office}"><sheets>'
            '<sheet name="a" sheetId="1" r:id="r1"/></sheets></workbook>',
        )
        packed.writestr("xl/_rels/workbook.xml.rels", link("worksheet", "worksheets/sheet1.xml"))
        packed.writestr(
            "xl/worksheets/sheet1.xml",
            f'<worksheet xmlns="{sheet}"><sheetData>{rows}</sheetData></worksheet>',
        )
    return path


def test_a_workbook_with_one_cell_far_away_is_refused_before_it_is_held(tmp_path: Path) -> None:
    near = workbook(tmp_path / "near.xlsx", _CELLS + '<row r="9"><c r="A9"><v>1</v></c></row>')
    with files.opened(near) as table:
        assert [(number, cells) for number, cells, _ in table.rows] == [(9, {"id": "1"})]

    far = '<row r="1048576"><c s="1" r = \'XFD1048576\'><v>1</v></c></row>'
    with pytest.raises(Invalid) as error, files.opened(workbook(tmp_path / "a.xlsx", _CELLS + far)):
        pass
    assert error.value.message.key == "directory.file.too_large"


def test_a_zip_that_grows_without_end_is_refused(
    session: Session, tmp_path: Path, now: object
) -> None:
    with zipfile.ZipFile(tmp_path / "a.zip", "w", zipfile.ZIP_DEFLATED) as packed:
        packed.writestr("a.csv", "id,name\n" + "0" * (11 << 20))
    guides = runs.guides(session, now=now)  # type: ignore[arg-type]  # the fixture's instant

    with pytest.raises(Invalid) as error, formats.opened(tmp_path / "a.zip", guides):
        pass
    assert error.value.message.key == "directory.file.too_large"


@pytest.mark.parametrize(
    "value", ["9" * 5000, "-" + "9" * 5000, "[" * 500 + "]" * 500, '{"a":' * 500 + "1" + "}" * 500]
)
def test_json_that_would_end_the_reader_is_damaged(tmp_path: Path, value: str) -> None:
    features = tmp_path / "a.geojson"
    features.write_text(f'{{"type": "FeatureCollection", "features": [{{"id": {value}}}]}}')
    with pytest.raises(Invalid) as error:
        list(geojson.features(features))
    assert error.value.message.key == "directory.file.damaged"

    for name, text in {"a.json": f'[{{"id": {value}}}]', "b.json": f'{{"id": {value}}}'}.items():
        (tmp_path / name).write_text(text)
        formats.detect(tmp_path / name, tmp_path)
        read = [entry for _, entry in json_file.entries(tmp_path / name)]
        too_deep_or_long = value.startswith(("9", "-")) or name == "a.json"
        assert isinstance(read[0], Exception) == too_deep_or_long


def test_json_in_small_pieces_is_read_as_it_is() -> None:
    told = [
        {"a": '[[[{ "\\', "b\\": "\\\\", "c": ['"', '\\"[', {"d": -1.5e3}], "": "[" * 300},
        "9" * 3000,
        [[]] * 300,
    ]
    text = json.dumps(told).encode()

    for size in (1, 2, 3, 7, 1000, 1 << 16):
        assert (
            list(ijson.items(CarefulJson(io.BytesIO(text)), "item", use_float=True, buf_size=size))
            == told
        )


def test_a_mapping_reads_no_file_but_those_handed_in_with_it(tmp_path: Path) -> None:
    (tmp_path / "secrets.json").write_text('{"key": 1}')
    folder = tmp_path / "tables"
    folder.mkdir()
    mapping = tmp_path / "own.yaml"
    elsewhere = [str(tmp_path / "secrets.json"), "../secrets.json", "..", "a/../../secrets.json"]

    for name in elsewhere:
        for text in (
            f"{{format: folder, source: a, tables: [{{table: service, file: '{name}'}}]}}",
            f"{{format: folder, source: a, tables: [], crosswalks: {{a: '{name}'}}}}",
            f"{{format: folder, source: a, tables: [], crosswalks: {{a: '../../crosswalks/{name}'}}}}",
        ):
            mapping.write_text(text)
            with pytest.raises(Invalid) as error:
                FolderMapping.from_yaml(mapping)
            assert error.value.message.key == "directory.mapping.bad"


def test_a_mapping_of_aliases_of_aliases_is_refused(tmp_path: Path) -> None:
    mapping = tmp_path / "own.yaml"
    lines = ["a0: &a0 [x, x, x, x, x, x, x, x, x, x]"]
    for level in range(1, 9):
        lines.append(f"a{level}: &a{level} [" + ", ".join([f"*a{level - 1}"] * 10) + "]")
    for last in ("source: *a8\ncolumns: {}\npoints: {}", "b: &b [*b]", "x: " + "[" * 5000):
        mapping.write_text("\n".join([*lines, last]))
        for kind in (TableMapping, FolderMapping):
            with pytest.raises(Invalid) as error:
                kind.from_yaml(mapping)
            assert error.value.message.key == "directory.mapping.bad"
        with pytest.raises(Invalid):
            formats.mapping_from(mapping)


def test_hours_as_long_as_a_book_are_no_hours() -> None:
    with pytest.raises(ValueError, match=re.escape("s/d")):
        hours_text.parse("s/d " * 2_000_000)
