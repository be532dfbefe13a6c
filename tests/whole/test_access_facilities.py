"""How far help is on the real facilities, by the product's own commands, beside figures reckoned by others."""

import json
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from referral.config import Settings
from referral.extensions import alembic, db
from referral.factory import create_app
from referral.reference import load_reference

Ask = Callable[..., Any]

HOSPITALS = ("RS", "RSIA", "RSK", "RSJ", "RS_PARU", "RSKO")
#: types of facility, how many of them, share of kecamatan farther than 50 km as others found it, and as we do
FIGURES = {
    "psychiatric hospital": (("RSJ",), 47, 0.75, 0.7535),
    "vocational training centre": (("BPVP",), 43, 0.73, 0.7266),
    "special school": (("SLB",), 2_109, 0.18, 0.1763),
    "any hospital": (HOSPITALS, 3_490, 0.085, 0.0848),
    "puskesmas": (("PUSKESMAS",), 10_422, 0.002, 0.0019),
    "ministry centre": (("SENTRA_KEMENSOS",), 31, 0.78, 0.7769),
}


@pytest.fixture(scope="module")
def ask(shared: Path, tmp_path_factory: pytest.TempPathFactory) -> Ask:
    """Runs a command on an instance of its own that has the full gazetteer and 20,118 facilities."""
    folder = tmp_path_factory.mktemp("facilities")
    app = create_app(Settings.from_env({"JEJARING_INSTANCE": str(folder)}))
    app.config.update(TESTING=True)
    with app.app_context():
        alembic.upgrade()
        load_reference(db.session, now=datetime.now(UTC))
        db.session.commit()
    runner = app.test_cli_runner()

    def run(*args: str) -> Any:
        result = runner.invoke(args=[*args, "--json"])
        # An import that found something to tell of single rows ends with 1.
        assert result.exit_code in ((0, 1) if "import" in args else (0,)), (
            result.stdout,
            result.stderr,
            result.exception,
        )
        return json.loads(result.stdout)

    data = shared / "data" / "idn"
    run("places", "import", str(data / "gazetteer" / "gazetteer_l1_l3.csv"))
    run("directory", "import", str(data / "facilities" / "facilities_all.csv"))
    return run


def nearest(ask: Ask, *types: str, **options: str) -> Any:
    given = [word for one in types for word in ("--facility-type", one)]
    given += [word for name, value in options.items() for word in (f"--{name}", value)]
    return ask("gaps", "nearest", "--within", "50", *given)


@pytest.mark.parametrize("kind", FIGURES)
def test_kecamatan_farther_than_fifty_km_are_as_many_as_others_found(ask: Ask, kind: str) -> None:
    """Independent figures are whole or half percents: ours must round to them, and stay what they are."""
    types, count, theirs, ours = FIGURES[kind]
    found = nearest(ask, *types)
    whole = found["areas"][0]
    assert (found["sites"], found["usable"], found["areas_without_point"]) == (count, count, 0)
    assert whole["areas"] == 7_285
    assert whole["share"] == pytest.approx(theirs, abs=0.005 if theirs > 0.1 else 0.0005)
    assert whole["share"] == pytest.approx(ours, abs=0.0002)
    assert len(found["areas"]) == 1 + 38
    assert sum(one["farther"] for one in found["areas"][1:]) == whole["farther"]


def test_a_unit_for_its_own_kab_is_farther_than_the_nearest_office_of_any_kab(ask: Ask) -> None:
    """Others found 20 % for UPTD PPA by distance alone. We leave out units of another kab/kota, which take no one
    from outside, and units of which only the province is known, which are no nearer than half of that."""
    whole = nearest(ask, "UPTD_PPA")["areas"][0]
    assert whole["share"] == pytest.approx(0.3414, abs=0.001)


def test_a_category_tells_more_than_a_type_of_facility(ask: Ask) -> None:
    """Mental health care is far where only psychiatric hospitals count, near where puskesmas count too, and
    nobody has said of any facility that it does it."""
    whole = nearest(ask, category="HE05")
    assert whole["areas"][0]["share"] == pytest.approx(0.0019, abs=0.0002)
    told = ask("gaps", "nearest", "--within", "50", "--category", "HE05", "--told-only")
    assert (told["usable"], told["areas"][0]["share"]) == (0, 1.0)


def test_people_are_nearer_than_kecamatan_because_far_ones_are_empty(ask: Ask) -> None:
    found = ask("gaps", "access", "--category", "SS04", "--within", "50")
    whole = found["areas"][0]
    assert found["supply"]["demand"]["basis"] == "residents"
    assert whole["covered_areas"] == pytest.approx(1 - 0.1763, abs=0.0002)
    assert whole["covered"] == pytest.approx(0.949, abs=0.001)
    assert whole["places"] == pytest.approx(2_109)
