"""`flask directory export` and the page to download from."""

import csv
import io
import json
import zipfile
from pathlib import Path
from typing import Any
from uuid import uuid4

from python_calamine import CalamineWorkbook

from referral.directory.models import Address, Phone
from tests.conftest import Browser
from tests.factories import Make


def test_one_service_is_one_object_and_all_are_a_line_each(
    cli: Any, make: Make, tmp_path: Path
) -> None:
    one, two = make.service("HE05"), make.service("EM06")
    path = tmp_path / "out.json"

    done = cli(
        "directory", "export", str(path), "--format", "hsds-json", "--service", str(one.service_id)
    )
    assert (done.exit_code, done.stdout) == (0, "")
    assert json.loads(path.read_text("utf-8"))["id"] == str(one.service_id)

    told = cli("directory", "export", str(path), "--format", "hsds-json", "--json")
    assert (told.exit_code, told.json) == (
        0,
        {"path": str(path), "format": "hsds-json", "services": 2},
    )
    ids = [json.loads(line)["id"] for line in path.read_text("utf-8").splitlines()]
    assert ids == [str(one.service_id), str(two.service_id)]
    assert [entry.name for entry in tmp_path.iterdir()] == ["out.json"]


def test_every_format_holds_what_is_public(cli: Any, make: Make, tmp_path: Path) -> None:
    site = make.service("HE05", name="Puskesmas Satu")
    make.service("HE05", name="Rumah aman", confidential=True)
    make.service("HE05", name="Hotline", at=None, remote="phone")
    make.session.add(Phone(service_id=site.service_id, number="024 7601000", extension="12"))
    make.session.add(
        Address(
            location_id=site.location_id,
            address_1="Jalan Pemuda 1",
            city="Semarang",
            state_province="Jawa Tengah",
            postal_code="50131",
            country="ID",
        )
    )
    make.session.flush()
    folder, table, book, points = (tmp_path / n for n in ("package", "t.csv", "t.xlsx", "m.json"))
    for path, kind in ((folder, "hsds-csv"), (table, "csv"), (book, "xlsx"), (points, "geojson")):
        assert cli("directory", "export", str(path), "--format", kind).exit_code == 0

    rows = list(csv.DictReader(io.StringIO(table.read_text("utf-8-sig"), newline="")))
    shown = ("name", "category", "phone", "address", "place", "latitude", "confidential", "remote")
    assert [tuple(row[name] for name in shown) for row in rows] == [
        (
            "Puskesmas Satu",
            "HE05",
            "024 7601000 ext 12",
            "Jalan Pemuda 1",
            "33.74",
            "-6.9903",
            "",
            "",
        ),
        ("Rumah aman", "HE05", "", "", "", "", "yes", ""),
        ("Hotline", "HE05", "", "", "33.74", "", "", "phone"),
    ]
    sheet = CalamineWorkbook.from_path(str(book)).get_sheet_by_index(0).to_python()
    assert [row[sheet[0].index("name")] for row in sheet[1:]] == [row["name"] for row in rows]
    (feature,) = json.loads(points.read_text("utf-8"))["features"]
    assert feature["geometry"] == {"type": "Point", "coordinates": [110.4229, -6.9903]}
    assert feature["properties"]["name"] == "Puskesmas Satu"
    assert feature["properties"]["precision_km"] == 0.5
    assert len(list(folder.glob("*.csv"))) == 24


def test_what_can_t_be_exported_is_refused(cli: Any, make: Make, tmp_path: Path) -> None:
    make.service("HE05")
    path = tmp_path / "x.json"

    def refused(*args: str) -> Any:
        output = cli("directory", "export", *args, "--json")
        assert output.exit_code == 2
        return output.json["error"]["field"]

    assert refused(str(path), "--format", "hsds-json", "--service", str(uuid4())) == "service"
    assert refused(str(path), "--format", "hsds-json", "--service", "x") == "service"
    assert refused(str(path), "--format", "kml") == "kind"
    assert refused(str(tmp_path / "no" / "x.json"), "--format", "csv") == "path"
    assert list(tmp_path.iterdir()) == []


def test_anyone_may_download_the_directory(browser: Browser, make: Make) -> None:
    make.service("HE05", name="Puskesmas Satu")
    page = browser.page("/directory/data/")

    links = [link["href"] for link in page.select("main .cards a")]
    assert len(links) == 5
    for link in links:
        response = browser.get(str(link))
        assert response.status_code == 200
        assert response.headers["Content-Disposition"].startswith("attachment; filename=")
        content = response.get_data()
        if content.startswith(b"PK"):
            with zipfile.ZipFile(io.BytesIO(content)) as archive:
                content = b"".join(archive.read(name) for name in archive.namelist())
        assert b"Puskesmas Satu" in content
    assert browser.get("/directory/data/kml").status_code == 404
