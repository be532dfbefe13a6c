"""Files handed in on a page are tried, read through and taken in; only administrators may."""

import io
from dataclasses import replace

import pytest
from sqlalchemy import func, select
from werkzeug.datastructures import FileStorage
from werkzeug.test import encode_multipart

from referral.accounts.permissions import Role
from referral.directory.intake.models import ImportFinding, ImportRun, RunStatus
from referral.directory.models import Service
from referral.jobs import tasks
from referral.web import imports

TABLE = b"id,name,category,minimum_age\nu1,Layanan Satu,HE05,\nu2,=1+1,HE05,-4\n"


@pytest.fixture
def waiting(app, monkeypatch, tmp_path):
    """Work that was given to the queue; files are kept in a folder of the test."""
    given = []
    monkeypatch.setattr(imports, "jobs", lambda: type("Jobs", (), {"import_file": given.append}))
    settings = replace(app.config["SETTINGS"], JEJARING_INSTANCE=str(tmp_path))
    monkeypatch.setitem(app.config, "SETTINGS", settings)

    def work():
        while given:
            tasks.import_file(given.pop(0))

    work.folder = tmp_path / "imports"
    return work


@pytest.fixture
def administrator(browser, make):
    return browser.sign_in(make.user(role=Role.ADMINISTRATOR))


def upload(browser, content=TABLE, name="tabel.csv", status=200, **fields):
    data = {
        "file": FileStorage(io.BytesIO(content), name),
        "format": "auto",
        "source": "uji",
        **fields,
    }
    boundary, body = encode_multipart(data)
    answer = browser.post(
        "/directory/imports/new",
        data=body,
        content_type=f"multipart/form-data; boundary={boundary}",
        follow_redirects=True,
    )
    assert answer.status_code == status, answer.text[:2000]
    return answer


def last(session, **where):
    return session.scalar(
        select(ImportRun).filter_by(**where).order_by(ImportRun.made_at.desc()).limit(1)
    )


def services(session):
    return session.scalar(select(func.count()).select_from(Service).where(Service.source == "uji"))


def test_a_file_is_tried_then_taken_in_and_deleted(administrator, session, waiting):
    upload(administrator)
    run = last(session)
    assert (run.status, run.dry_run, run.file_name) == (RunStatus.WAITING, True, "tabel.csv")
    kept = list(waiting.folder.iterdir())
    assert [(path.suffix, path.stat().st_mode & 0o777) for path in kept] == [(".csv", 0o600)]
    assert waiting.folder.stat().st_mode & 0o777 == 0o700
    going_on = administrator.page(f"/directory/imports/{run.id}")
    assert going_on.select_one("meta[http-equiv=refresh]")

    waiting()

    assert services(session) == 0
    page = administrator.page(f"/directory/imports/{run.id}")
    assert [dd.text for dd in page.select("dl.kpis dd")][:2] == ["2", "2"]
    assert not page.select_one("meta[http-equiv=refresh]")
    assert "-4" in page.text
    page = administrator.submit(f"/directory/imports/{run.id}/take")
    waiting()
    done = last(session, dry_run=False)
    assert (done.status, done.rows_done, done.counts["created"]) == (RunStatus.DONE, 2, 2)
    assert services(session) == 2
    assert list(waiting.folder.iterdir()) == []
    assert len(administrator.page("/directory/imports/").select("tbody tr")) >= 2


def test_findings_come_as_a_table_without_formulas(administrator, session, waiting):
    upload(administrator, b"id,name,category\nu1,Satu,=HYPERLINK(1)\n")
    waiting()

    answer = administrator.get(f"/directory/imports/{last(session).id}/findings.csv")

    assert answer.mimetype == "text/csv"
    assert answer.text.splitlines()[1].startswith(
        "tabel.csv,2,category,'=HYPERLINK(1),unknown_category,"
    )


def test_a_file_that_nothing_can_read_says_why_and_is_deleted(administrator, session, waiting):
    upload(administrator, b"satu,dua\n1,2\n")
    waiting()

    run = last(session)
    assert run.status is RunStatus.FAILED
    assert "satu, dua" in administrator.page(f"/directory/imports/{run.id}").text
    assert list(waiting.folder.iterdir()) == []
    assert (
        session.scalar(select(func.count()).select_from(ImportFinding).filter_by(run_id=run.id))
        == 0
    )


def test_a_mapping_of_ones_own_is_used_for_trying_and_for_taking_in(
    administrator, session, waiting
):
    mapping = b"source: uji\ncolumns: {id: kode, name: nama}\npoints: {}\n"
    upload(
        administrator,
        b"kode,nama\nk1,Layanan\n",
        source="",
        own_mapping=FileStorage(io.BytesIO(mapping), "m.yaml"),
    )
    waiting()
    administrator.submit(f"/directory/imports/{last(session).id}/take")
    waiting()

    assert services(session) == 1
    assert list(waiting.folder.iterdir()) == []


def test_a_form_without_a_file_or_with_an_invented_choice_is_sent_back(administrator, waiting):
    answers = administrator.submit("/directory/imports/new", {"format": "auto"}, status=422)
    assert answers.select_one("#file-error")
    upload(administrator, status=422, format="exe")
    upload(administrator, status=422, mapping="../../etc/passwd")


def test_more_than_elsewhere_is_taken_from_an_administrator_and_from_nobody_else(
    administrator, session, waiting, monkeypatch
):
    rows = b"".join(b"u%d,%s,HE05\n" % (n, b"a" * 100_000) for n in range(30))
    upload(administrator, b"id,name,category\n" + rows)
    assert last(session).file_name == "tabel.csv"

    monkeypatch.setattr(imports, "LARGEST_MB", 1)
    upload(administrator, b"id,name,category\n" + rows, status=413)


@pytest.mark.parametrize("role", [Role.BROKER, Role.SUPERVISOR, Role.AGENCY, Role.PLANNER])
def test_for_everybody_else_there_are_no_imports(browser, make, session, waiting, role):
    run = ImportRun(file_name="a.csv", format="auto", dry_run=True, status="done", made_at=make.now)
    session.add(run)
    browser.sign_in(make.user(role=role))

    for url in ("", "new", str(run.id), f"{run.id}/findings.csv"):
        assert browser.get(f"/directory/imports/{url}").status_code == 404
    assert browser.post(f"/directory/imports/{run.id}/take").status_code == 404


def test_what_was_not_tried_to_its_end_is_not_taken_in(administrator, session, waiting):
    upload(administrator)
    run = last(session)

    assert administrator.post(f"/directory/imports/{run.id}/take").status_code == 409
    waiting()
    administrator.submit(f"/directory/imports/{run.id}/forget")
    assert list(waiting.folder.iterdir()) == []
    assert administrator.post(f"/directory/imports/{run.id}/take").status_code == 404
