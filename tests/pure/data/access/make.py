"""Records what PySAL's `access` answers on random instances, for tests/pure/test_access_recorded.py; see README.md."""

import json
import warnings
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from access import fca, weights
from access.raam import raam

RADIUS_KM = 6371.009
HERE = Path(__file__).parent


def main() -> None:
    warnings.simplefilter("ignore")
    for name, seed, n, m, kind in (
        ("country", 1, 300, 25, "plain"),
        ("islands", 2, 60, 10, "isolated"),
        ("grid", 3, 64, 9, "ties"),
        ("empty-areas", 4, 80, 12, "zeros"),
        ("date-line", 5, 50, 8, "date line"),
    ):
        record(name, instance(np.random.default_rng(seed), n, m, kind))


def instance(draw: np.random.Generator, n: int, m: int, kind: str) -> dict[str, Any]:
    south, north, west, east = -8.0, -6.0, 107.0, 111.0
    if kind == "date line":
        west, east = 178.5, 181.5
    areas = np.column_stack([draw.uniform(south, north, n), draw.uniform(west, east, n)])
    services = np.column_stack([draw.uniform(south, north, m), draw.uniform(west, east, m)])
    if kind == "ties":
        side = round(n**0.5)
        steps = np.arange(side) * 0.25
        areas = np.array([(-8 + a, 108 + b) for a in steps for b in steps])
        services = areas[draw.choice(n, m, replace=False)]
    if kind == "isolated":
        areas[:6] += [0.0, 20.0]  # nobody within any band
        services[:2] += [15.0, 0.0]
    people = draw.integers(5_000, 60_000, n)
    places = draw.integers(1, 60, m)
    if kind == "zeros":
        people[draw.choice(n, n // 3, replace=False)] = 0
        places[:3] = 0
    areas[:, 1] = (areas[:, 1] + 180) % 360 - 180
    services[:, 1] = (services[:, 1] + 180) % 360 - 180
    return {
        "areas": areas.round(6).tolist(),
        "services": services.round(6).tolist(),
        "people": people.tolist(),
        "places": places.tolist(),
        "radius_km": 60.0,
        "sigma_km": 25.0,
        "steps": [[20.0, 1.0], [40.0, 0.68], [60.0, 0.22]],
        "tau_km": 30.0,
    }


def record(name: str, given: dict[str, Any]) -> None:
    demand = pd.DataFrame({"demand": given["people"]}, index=range(len(given["people"])))
    supply = pd.DataFrame({"supply": given["places"]}, index=range(len(given["places"])))
    demand.index.name = supply.index.name = "geoid"
    ways = long(kilometres(given["areas"], given["services"]))
    among = long(kilometres(given["areas"], given["areas"]))
    step = weights.step_fn(dict(given["steps"]))
    names = {"demand_index": True, "supply_index": True}
    flat = {"max_cost": given["radius_km"], "demand_name": "demand", "supply_name": "supply"}
    answers = {
        "two_step": fca.two_stage_fca(demand, supply, ways, **flat, **names),
        "two_step_stepwise": fca.two_stage_fca(demand, supply, ways, weight_fn=step, **flat, **names),
        "two_step_gaussian": fca.two_stage_fca(
            demand, supply, ways, weight_fn=weights.gaussian(given["sigma_km"]), **flat, **names
        ),
        "within": fca.weighted_catchment(
            supply, ways, given["radius_km"], cost_source="dest", cost_dest="origin",
            loc_index=True, loc_value="supply",
        ),
        "people_within": fca.weighted_catchment(
            demand, among, given["radius_km"], cost_source="dest", cost_dest="origin",
            loc_index=True, loc_value="demand",
        ),
        "ratio": fca.fca_ratio(demand, supply, among, ways, **flat, **names),
        "raam": raam(
            demand, supply, ways, tau=given["tau_km"], max_cycles=4000, min_step=0.0005, half_life=200
        ),
    }  # fmt: skip
    whole = {
        measure: [number(value) for value in series.reindex(demand.index)]
        for measure, series in answers.items()
    }
    (HERE / f"{name}.json").write_text(json.dumps(given | {"answers": whole}) + "\n", "utf-8")


def number(value: float) -> float | str | None:
    """None: the package has no row for the area; "inf": it divided by nobody."""
    if pd.isna(value):
        return None
    return "inf" if np.isinf(value) else float(f"{value:.12g}")


def kilometres(here: Any, there: Any) -> np.ndarray:
    """Great-circle km by the haversine formula, (n, m)."""
    a, b = np.radians(np.array(here))[:, None, :], np.radians(np.array(there))[None, :, :]
    half = np.sin((b - a) / 2) ** 2
    root = half[..., 0] + np.cos(a[..., 0]) * np.cos(b[..., 0]) * half[..., 1]
    return 2 * RADIUS_KM * np.arcsin(np.sqrt(np.minimum(root, 1)))


def long(km: np.ndarray) -> pd.DataFrame:
    origin, dest = np.indices(km.shape)
    return pd.DataFrame({"origin": origin.ravel(), "dest": dest.ravel(), "cost": km.ravel()})


main()
