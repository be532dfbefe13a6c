"""The look's own promises: named icons exist, nothing is inline, vendored files are what they say."""

import hashlib
import json
import re
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
TEMPLATES = sorted((ROOT / "templates").rglob("*.html"))
VENDOR = ROOT / "static" / "vendor"

ICON_NAMES = re.compile(r"""(?:\bicon\(|\bicon_name=|["']icon["']:\s*)\s*["']([a-z0-9-]+)["']""")
INLINE = re.compile(
    r"""\sstyle=|\son[a-z]+=["']|<style|<script(?![^>]*(?:\ssrc=|application/json))"""
)


@pytest.mark.parametrize("template", TEMPLATES, ids=lambda path: path.name)
def test_every_icon_a_template_names_is_in_the_sprite(template: Path) -> None:
    known = set((ROOT / "assets" / "icons.txt").read_text("utf-8").split())

    named = set(ICON_NAMES.findall(template.read_text("utf-8")))

    assert named - known == set()


@pytest.mark.parametrize("template", TEMPLATES, ids=lambda path: path.name)
def test_no_template_holds_inline_style_or_script(template: Path) -> None:
    assert INLINE.findall(template.read_text("utf-8")) == []


def test_the_icon_list_is_sorted_and_without_repeats() -> None:
    names = (ROOT / "assets" / "icons.txt").read_text("utf-8").split()

    assert names == sorted(set(names))


def test_the_lock_names_no_address_to_download_from() -> None:
    lock = json.loads((ROOT / "package-lock.json").read_text("utf-8"))

    assert [name for name, package in lock["packages"].items() if "resolved" in package] == []


@pytest.mark.skipif(not VENDOR.is_dir(), reason="static/vendor/ is filled at set-up")
def test_vendored_files_are_those_of_the_manifest() -> None:
    manifest = json.loads((VENDOR / "manifest.json").read_text("utf-8"))
    listed = {entry["file"]: entry["sha256"] for entry in manifest["files"]}

    found = {
        path.relative_to(VENDOR).as_posix(): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in VENDOR.rglob("*")
        if path.is_file() and path.name != "manifest.json"
    }

    assert found == listed
