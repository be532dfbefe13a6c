"""The reader for HSDS, whichever of its two forms a path holds."""

from datetime import datetime
from pathlib import Path

from referral.directory.intake.batches import Reader
from referral.directory.intake.hsds.documents import Reading
from referral.directory.intake.hsds.json_file import SOURCE, HsdsJson, is_tables
from referral.directory.intake.hsds.package import HsdsPackage
from referral.directory.intake.hsds.package_files import Package, TabularJson
from referral.directory.intake.hsds.settling import Settling
from referral.directory.intake.mapping import Known
from referral.places.gazetteer import Gazetteer


def reader(
    kind: str,
    path: Path,
    *,
    known: Known,
    gazetteer: Gazetteer,
    now: datetime,
    source: str | None = None,
) -> Reader:
    """The reader of a file, folder or zip. Raises Invalid where it is no HSDS.

    kind     hsds-json or hsds-csv; the standard's tabular.json is JSON
    source   its name; by default the package's publisher
    """
    settling = Settling(gazetteer, known)
    if kind == "hsds-json" and not is_tables(path):
        return HsdsJson(path, Reading(source or SOURCE, now=now), settling)
    package = TabularJson(path) if kind == "hsds-json" else Package(path)
    named = source or package.publisher or SOURCE
    return HsdsPackage(package, Reading(named, now=now), settling)
