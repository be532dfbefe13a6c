"""`flask demo` tells both stories and ends with 1 as soon as one check fails; demonstration cases come once."""

import io
import re
from datetime import UTC, datetime
from pathlib import Path

import pytest
from click.testing import CliRunner
from flask import Flask
from rich.console import Console
from sqlalchemy import func, select

from referral.accounts import queries as accounts
from referral.casework import queries as cases
from referral.casework.models import Case, ClientKind, Stage
from referral.casework.stories import suggest
from referral.changes import audit
from referral.changes.actors import SYSTEM
from referral.cli.demo import command as demo
from referral.cli.demo import people
from referral.cli.demo.cases import make_cases
from referral.cli.demo.telling import Clock, Teller
from referral.core.db import take_write_lock
from referral.core.errors import NotAllowed
from referral.core.text import LANGUAGES, label
from referral.directory.reference import taxonomy
from referral.extensions import db
from referral.planning.disclosure.cells import Cell, Shown
from referral.planning.gaps import figures
from referral.planning.gaps import releases as gaps
from referral.planning.gaps.cuts import Key
from referral.planning.gaps.models import Measure
from referral.referrals import queries as referrals
from referral.referrals.cards import View
from referral.referrals.lifecycle import Status

MOST_LINES = 200


@pytest.fixture(scope="module")
def instance(tmp_path_factory: pytest.TempPathFactory) -> Flask:
    """A fresh instance with its directory and its staff."""
    return demo.new_instance(tmp_path_factory.mktemp("demo"))


def told(lang: str) -> Teller:
    return Teller(lang, Clock(demo.START), Console(file=io.StringIO(), highlight=False))


def test_the_command_keeps_its_own_instance_and_ends_well(tmp_path: Path) -> None:
    folder = tmp_path / "kept"

    done = CliRunner().invoke(demo.command, ["--lang", "en", "--keep", str(folder)])
    again = CliRunner().invoke(demo.command, ["--keep", str(folder)])

    lines = done.stdout.rstrip().splitlines()
    assert done.exit_code == 0, done.stdout
    assert re.fullmatch(r"\d+ checks passed", lines[-1])
    assert len(lines) <= MOST_LINES
    for who in ("broker", "agency", "supervisor", "planner", "client"):
        assert label(f"demo.who.{who}", "en") in done.stdout
    assert (folder / "jejaring.db").exists()
    assert (again.exit_code, "not empty" in again.stderr) == (2, True)


def test_a_check_that_fails_is_named_at_the_end_with_exit_code_1(
    instance: Flask, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(demo, "new_instance", lambda _folder: instance)
    monkeypatch.setattr(demo, "play", lambda cast: cast.teller.check(False, "demo.check.met"))

    done = CliRunner().invoke(demo.command, ["--lang", "en", "--keep", str(tmp_path / "new")])

    assert done.exit_code == 1
    assert "✗ the client confirms it" in done.stdout
    assert done.stdout.rstrip().splitlines()[-1] == "Checks failed: 1; passed: 0"


def test_a_refused_step_ends_the_story_as_a_failure(
    instance: Flask, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(_cast: object) -> None:
        raise NotAllowed("referral.no_contract")

    monkeypatch.setattr(demo, "play", refuse)

    teller = demo.run(instance, "en", told("en"))

    assert teller.failed == [
        "The story stops because a step was refused: Agree on a service contract with the client first."
    ]


@pytest.mark.parametrize("lang", LANGUAGES)
def test_both_stories_speak_for_their_needs_in_both_languages(lang: str) -> None:
    girl = suggest(people.TEENAGER.story(lang), taxonomy())
    mother = suggest(people.MOTHER.story(lang), taxonomy())

    assert girl.crisis
    assert {"EM06", "HE05", "SS03", "FC01"} <= {need.code for need in girl.needs}
    assert not mother.crisis
    assert {"SA04", "FC05", "FC02", "CD01"} <= {need.code for need in mother.needs}
    assert all(need.because for need in (*girl.needs, *mother.needs))


def test_demonstration_cases_are_made_once_in_every_stage(instance: Flask) -> None:
    with instance.app_context():
        session = db.session
        take_write_lock(session)
        made = make_cases(session, now=demo.START)
        again = make_cases(session, now=demo.START)

        broker = accounts.find_by_email(session, "broker@demo.example")
        agency = accounts.find_by_email(session, "agency@demo.example")
        assert broker is not None
        assert agency is not None
        files = session.scalars(cases.cases_of(broker)).all()
        assert (made, again) == (9, 0)
        assert session.scalar(select(func.count(Case.id))) == 9
        assert {case.client.kind for case in files} == set(ClientKind)
        assert {case.stage for case in files} == {Stage.ASSESSMENT, Stage.INTERVENTION}
        assert [case.crisis_since is not None for case in files] == [True] + [False] * 8
        assert [call.answered for call in cases.calls_of(session, files[0].id)] == [True, False]
        assert cases.alone_in_crisis(session, files[0].office_id) == [files[0]]
        (waiting,) = session.scalars(referrals.inbox(agency)).all()
        assert waiting.status is Status.REQUESTED
        assert referrals.agency_view(session, waiting, now=datetime.now(UTC)) is View.BLIND
        release = gaps.publish(session, threshold=5, by=SYSTEM, now=demo.START)
        assert release is not None
        day_care = figures.read(session, release, Measure.UNMET).cell(Key("33.74", "FC05"))
        assert day_care == Cell(Shown.COUNT, 6)
        assert audit.first_break(session) is None
        session.rollback()
