"""Marked people walk through every room of gaps, and every byte that leaves is searched for them."""

import io
import logging
import zipfile
from collections import defaultdict
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from urllib.parse import quote, unquote_plus

import pytest
from bs4 import BeautifulSoup
from flask import Flask
from flask.testing import FlaskClient
from pypdf import PdfReader
from sqlalchemy import select
from sqlalchemy.orm import Session
from werkzeug.test import TestResponse

from referral.accounts.models import Role
from referral.casework.models import Meeting, OwnHelp, OwnResource
from referral.changes.actors import SYSTEM
from referral.cli.demo import command as demo
from referral.directory.upkeep.models import ListingChange
from referral.extensions import db, limiter
from referral.jobs import tasks
from referral.matching.models import MatchReceipt
from referral.planning.gaps import releases
from referral.planning.proposals.models import Proposal
from referral.planning.siting.models import SitingCase
from referral.planning.unmet.models import NewServiceNotice, UnmetNeed
from tests.factories import PASSWORD, Make
from tests.scenes import Scene

#: words that nothing but these people has
CLIENT = {
    "name": "Zorvantika Quelbris",
    "phone": "081298765431",
    "address": "Gang Plimbrotto 77",
    "story": "Xentoquavil memukulnya di dapur",
    "note": "Brimzolatek menunggu di luar",
    "slip": "Drunvexilok salah ketik",
}
HELPER = {
    "name": "Wuxabrindel Tostagriv",
    "phone": "081276543219",
    "place": "Warung Skelfimoor",
    "day": "habis Krovestilan",
    "note": "Pemalu Jintwolarek",
    "ended_note": "Pindah ke Ostrigvalen",
}
#: what a helper let everybody know
PUBLIC_NAME = "Titip anak Belimbing"
CLIENT_MARKS = {"zorvantika", "quelbris", "plimbrotto", "xentoquavil", "brimzolatek", "drunvexilok", "081298765431"}  # fmt: skip
HELPER_MARKS = {"wuxabrindel", "tostagriv", "skelfimoor", "krovestilan", "jintwolarek", "ostrigvalen", "081276543219"}  # fmt: skip
#: the same numbers as they are kept and printed
CLIENT_NUMBERS = ("81298765431", "8129-8765-431", "812-9876-5431", "812 9876 5431")
HELPER_NUMBERS = ("81276543219", "8127-6543-219", "812-7654-3219", "812 7654 3219")
MARKS = {*CLIENT_MARKS, *HELPER_MARKS, *CLIENT_NUMBERS, *HELPER_NUMBERS}


def marks_in(data: bytes) -> set[str]:
    text = data.decode("latin-1")
    forms = {text.lower(), unquote_plus(text).lower(), text[::2].lower(), text[1::2].lower()}
    return {mark for mark in MARKS if any(mark in form for form in forms)}


def opened(body: bytes, kind: str) -> bytes:
    """What a reader of the file sees, after the bytes themselves."""
    if kind == "application/pdf":
        paper = PdfReader(io.BytesIO(body))
        told = [*(page.extract_text() for page in paper.pages), str(paper.metadata), str(paper.xmp_metadata)]  # fmt: skip
        return body + "".join(told).encode()
    if body.startswith(b"PK"):
        with zipfile.ZipFile(io.BytesIO(body)) as packed:
            return body + b"".join(packed.read(name) for name in packed.namelist())
    return body


LARGE = ("downloads.file", "hsds.listing")
#: rooms where nobody of this walk can be
ELSEWHERE = (
    "/accounts",
    "/api",
    "/claims",
    "/checks",
    "/directory/duplicates",
    "/directory/imports",
    "/routes",
)


class Eye:
    """Sees every answer: who got it, and which marks are in its head and in its body."""

    def __init__(self) -> None:
        self.heads: list[tuple[str, str, set[str]]] = []
        self.bodies: list[tuple[str, str, set[str]]] = []
        self.kept: list[tuple[str, str]] = []
        self.links: list[tuple[str, str, set[str]]] = []
        self.opened: set[tuple[str, str]] = set()

    def look(self, who: str, asked: str, answer: TestResponse) -> None:
        head = marks_in(f"{answer.status} {answer.headers}".encode())
        body = marks_in(opened(answer.data, answer.mimetype))
        if head:
            self.heads.append((who, asked, head))
        if body:
            self.bodies.append((who, asked, body))
            if answer.headers.get("Cache-Control") != "no-store":
                self.kept.append((who, asked))
        if answer.mimetype == "text/html":
            for piece in answer.data.split(b"<")[1:]:
                tag = piece.split(b">")[0]
                for name in (b"href=", b"action=", b"src="):
                    there = tag.split(name)[1].split(b" ")[0] if name in tag else b""
                    # A number to dial opens the telephone and goes to no server.
                    if not there.startswith(b'"tel:') and (found := marks_in(there)):
                        self.links.append((who, asked, found))
        if answer.status_code == 200:
            self.opened.add((who, asked.split("?")[0]))


class Person:
    """Somebody at a browser of their own."""

    def __init__(self, app: Flask, eye: Eye, who: str, email: str | None) -> None:
        self.client: FlaskClient = app.test_client()
        self.eye, self.who = eye, who
        if email is not None:
            self.post("/sign-in", 302, email=email, password=PASSWORD)

    def get(self, path: str) -> TestResponse:
        answer = self.client.get(path)
        self.eye.look(self.who, f"GET {path}", answer)
        return answer

    def post(self, path: str, status: int | None = None, **fields: Any) -> TestResponse:
        answer = self.client.post(path, data=fields)
        self.eye.look(self.who, f"POST {path}", answer)
        assert status is None or answer.status_code == status, (path, answer.text[:3000])
        return answer


@pytest.fixture
def instance(tmp_path: Path) -> Iterator[tuple[Flask, Path]]:
    folder = tmp_path / "instance"
    app = demo.new_instance(folder)
    app.config.update(WTF_CSRF_ENABLED=False, RATELIMIT_ENABLED=False)
    limiter.enabled = False
    yield app, folder
    limiter.enabled = True
    with app.app_context():
        db.engine.dispose()


def pages(app: Flask, ids: dict[str, list[str]]) -> Iterator[str]:
    """Every address that can be opened with these ids."""
    for rule in app.url_map.iter_rules():
        # Large files of the directory are asked for once, by nobody in particular.
        if "GET" not in (rule.methods or ()) or rule.endpoint in ("static", *LARGE):
            continue
        choices: list[dict[str, str]] = [{}]
        for name in rule.arguments:
            items = sorted(getattr(rule._converters.get(name), "items", None) or ())
            of_siting = rule.rule.startswith("/gaps/siting")
            known = ids.get("siting_id" if of_siting else name, [])
            choices = [one | {name: each} for one in choices for each in (items or known)]
        if rule.rule.startswith(ELSEWHERE):
            continue
        adapter = app.url_map.bind("localhost")
        for values in choices:
            yield adapter.build(rule.endpoint, values)


def asked(app: Flask, what: Callable[[Session], Any]) -> Any:
    """What the database says, in a context of its own: a request has another."""
    with app.app_context():
        found = what(db.session)
        db.session.commit()
        return found


def cast(session: Session) -> tuple[dict[str, str], dict[str, list[str]]]:
    """Accounts of every role, and a marked client whose broker works with six more; gives addresses and ids."""
    now = datetime.now(UTC)
    make = Make(session, now - timedelta(days=40))
    scene = Scene(session, make, now - timedelta(days=30))
    scene.need.category = "FC05"
    client = scene.case.client
    client.name, client.stays_at = CLIENT["name"], {"text": CLIENT["address"], "code": "33.74"}
    client.area_code = "33.74"
    scene.case.story = CLIENT["story"]
    client.safe_contact = {"number": f"+62{CLIENT['phone'][1:]}", "name_to_use": CLIENT["name"]}
    users = {
        "broker": scene.broker,
        "colleague": make.user(office=scene.broker.office),
        "stranger": make.user(),
        "supervisor": make.user(Role.SUPERVISOR, office=scene.broker.office),
        "agency": scene.agency,
        "planner": make.user(Role.PLANNER),
        "administrator": make.user(Role.ADMINISTRATOR),
    }
    for _ in range(6):
        other = make.client(scene.broker.office, stays_at={"code": "33.74"})
        make.need(make.case(broker=scene.broker, client=other), category="FC05")
    ids = {
        "case_id": [str(scene.case.id)],
        "need_id": [str(scene.need.id)],
        "service_id": [str(scene.site.service_id)],
        "office_id": [str(scene.case.office_id)],
        "user_id": [str(scene.broker.id)],
    }
    return {who: user.email for who, user in users.items()}, ids


def more_ids(session: Session) -> dict[str, list[str]]:
    """What the walk has made."""
    made = {
        "own_id": OwnResource,
        "help_id": OwnHelp,
        "unmet_id": UnmetNeed,
        "notice_id": NewServiceNotice,
        "proposal_id": Proposal,
        "siting_id": SitingCase,
        "change_id": ListingChange,
        "receipt_id": MatchReceipt,
        "meeting_id": Meeting,
    }
    return {
        name: [str(one) for one in session.scalars(select(model.id).limit(4))]
        for name, model in made.items()
    }


def walk(app: Flask, people: dict[str, Person], ids: dict[str, list[str]]) -> None:
    """Every flow of gaps by its pages, right and wrong answers."""
    broker, planner = people["broker"], people["planner"]
    (case,), (need,) = ids["case_id"], ids["need_id"]
    tomorrow = (datetime.now(UTC) + timedelta(days=1)).isoformat()[:16]

    broker.post(f"/cases/{case}/notes/new", 303, text=CLIENT["note"])
    broker.post(f"/cases/{case}/meetings/new", 303, kind="visit", at=tomorrow, note=CLIENT["note"])
    broker.post(f"/needs/{need}/match", 303)
    helper = {part: HELPER[part] for part in ("name", "phone", "place", "day", "note")}
    helper |= {"helper_agreed": "y", "method": "spoken", "capacity": "2"}
    own = f"/cases/{case}/needs/{need}/own"
    broker.post(own, 422, **helper | {"phone": CLIENT["slip"], "visibility": "client"})
    broker.post(own, 303, **helper, visibility="client")
    broker.post("/own/new", 303, **helper, visibility="office", category="FC05")
    public = {"visibility": "public", "public_name": PUBLIC_NAME, "category": "FC05"}
    broker.post("/own/new", 303, **helper, **public)
    made = asked(app, more_ids)
    for one in made["own_id"]:
        broker.post(f"/cases/{case}/helped", 303, own=one, need=need)
    for change in made["change_id"]:
        page = BeautifulSoup(
            people["administrator"].get(f"/listings/review/{change}").text, "html.parser"
        )
        form = page.select_one(f'form[action$="/{change}/approve"]')
        given: dict[str, list[str]] = defaultdict(list)
        for one in form.select("input[name]"):
            given[str(one["name"])].append(str(one.get("value", "y")))
        people["administrator"].post(f"/listings/review/{change}/approve", 303, **given)
    broker.post(f"/own/{made['own_id'][1]}/end", 303, because="moved", ended_note=HELPER["ended_note"])  # fmt: skip
    broker.post(f"/needs/{need}/unmet", 422, reason=CLIENT["slip"])
    broker.post(f"/needs/{need}/unmet", 303, reason="U01", callback="y")
    planner.post("/gaps/release", 303)
    gap = {"area": "33.74", "category": "FC05"}
    planner.post("/proposals/new?area=33.74&category=FC05", 303, title="TPA", capacity="20", **gap)
    day = datetime.now(UTC)
    asked(app, lambda session: releases.publish(session, threshold=5, by=SYSTEM, now=day))
    planner.post(
        "/gaps/siting/new", 303, by="needs", kinds="seat", within="20", aim="people", **gap
    )
    with app.app_context():
        tasks.work_out_sites()
    (proposal,) = asked(app, more_ids)["proposal_id"]

    def seen() -> str:
        return str(asked(app, lambda session: session.scalars(select(Proposal.version)).one()))

    planner.post(f"/proposals/{proposal}/in_development", 303, seen=seen())
    opening = {
        "name": "TPA Rekaan",
        "organization": "Perkumpulan Rekaan",
        "place": "33.74",
        "address": "Balai",
        "phones-count": "1",
        "phones-0-number": "0800 000 002",
        "hours-MO-count": "1",
        "hours-MO-0-opens": "06:30",
        "hours-MO-0-closes": "17:00",
    }
    planner.post(f"/proposals/{proposal}/opened", 303, seen=seen(), **opening)
    assert HELPER["name"] not in broker.get("/unmet/calls").text
    for notice in asked(app, more_ids)["notice_id"]:
        broker.post(f"/notices/{notice}/done", 303, outcome="unreached")
    for search in ("/directory?q=", "/match?category=FC05&words="):
        broker.get(search + quote(CLIENT["name"]))


def test_nothing_of_marked_people_leaves_by_the_rooms_of_gaps(
    instance: tuple[Flask, Path], caplog: pytest.LogCaptureFixture
) -> None:
    app, folder = instance
    eye = Eye()
    emails, ids = asked(app, cast)
    with caplog.at_level(logging.DEBUG):
        people = {who: Person(app, eye, who, emails.get(who)) for who in (*emails, "nobody")}
        walk(app, people, ids)
        ids |= asked(app, more_ids)
        addresses = sorted(set(pages(app, ids)))
        for person in people.values():
            for address in addresses:
                person.get(address)
        for kind in ("csv", "geojson", "hsds-csv", "hsds-json", "xlsx"):
            people["nobody"].get(f"/directory/data/{kind}")
        gone = people["broker"]
        gone.post("/sign-out")
        after = [gone.get(address) for address in (f"/cases/{ids['case_id'][0]}", "/unmet/calls")]

    assert [one.location.partition("?")[0] for one in after] == ["/sign-in"] * 2
    # Walked, not only asked for.
    for who, part in (("broker", "/own/"), ("planner", "/case.pdf"), ("planner", "/gaps/xlsx"), ("planner", "/gaps/siting/")):  # fmt: skip
        assert any(part in address for person, address in eye.opened if person == who), part
    assert {mark for who, _asked, marks in eye.bodies if who == "broker" for mark in marks} >= {
        *("zorvantika", "81298765431", "xentoquavil", "brimzolatek", "wuxabrindel", "jintwolarek")
    }
    # A colleague may ask the office's helpers, a supervisor reads the cases of the office; nobody else anything.
    known = {"colleague": ("GET /own",), "supervisor": ("GET /cases", "GET /receipts/")}
    seen = [one for one in eye.bodies if one[0] != "broker"]
    assert [one for one in seen if not one[1].startswith(known.get(one[0], ("-",)))] == []
    of_colleagues = [marks for who, _asked, marks in seen if who == "colleague"]
    assert of_colleagues
    assert set().union(*of_colleagues) <= {*HELPER_MARKS, *HELPER_NUMBERS}
    assert (eye.heads, eye.links, eye.kept) == ([], [], [])
    assert [one.getMessage() for one in caplog.records if marks_in(repr(vars(one)).encode())] == []
    files = [path for path in folder.rglob("*") if path.is_file()]
    assert {path.name: marks for path in files if (marks := marks_in(path.read_bytes()))} == {}
