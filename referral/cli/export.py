"""`flask directory export`: the public directory as a file."""

import os
import sys
from pathlib import Path
from tempfile import NamedTemporaryFile
from uuid import UUID

import click

from referral.cli.answering import as_json, language, on_schema, print_json, refuse
from referral.core.errors import Invalid, JejaringError
from referral.core.text import Message, render
from referral.directory.hsds.exports import Format, write, write_file
from referral.extensions import db


@click.argument("path", type=click.Path(path_type=Path, allow_dash=True))
@click.option(
    "--format",
    "kind",
    type=click.Choice([one.value for one in Format]),
    required=True,
    help="hsds-csv is a folder, or a zip where PATH ends in .zip; - as PATH is stdout.",
)
@click.option(
    "--service",
    "services",
    multiple=True,
    metavar="UUID",
    help="Only this service; may be given several times. hsds-json of a single one is one object.",
)
@as_json
@language
@on_schema
def export(path: Path, kind: str, services: tuple[str, ...], as_json: bool, lang: str) -> None:
    """Write the public directory to a file. Confidential places and informal help are never in it.

    \b
    Example: flask directory export directory.ndjson --format hsds-json
    """
    try:
        counted = _write(path, Format(kind), _ids(services))
    except JejaringError as error:
        refuse(error, as_json=as_json, lang=lang)
    except OSError:
        refuse(
            Invalid("cli.file.unwritable", field="path", file=str(path)),
            as_json=as_json,
            lang=lang,
        )
    finally:
        db.session.rollback()
    if as_json and str(path) != "-":
        print_json({"path": str(path), "format": kind, **counted})
    else:
        total = counted.get("services", counted.get("rows", 0))
        done = Message("directory.export.done", {"total": total, "path": str(path)})
        click.echo(render(done, lang), err=True)


def _ids(services: tuple[str, ...]) -> list[UUID]:
    try:
        return [UUID(one) for one in services]
    except ValueError:
        raise Invalid("api.no_uuid", field="service", name="--service") from None


def _write(path: Path, kind: Format, services: list[UUID]) -> dict[str, int]:
    if str(path) == "-":
        return write_file(db.session, sys.stdout.buffer, kind, services)
    if kind is Format.HSDS_CSV and path.suffix.lower() != ".zip":
        return write(db.session, path, kind, services)
    # Whoever reads the file meanwhile sees the old one whole, and then the new one whole.
    with NamedTemporaryFile(dir=path.parent, suffix=path.suffix, delete=False) as beside:
        made = Path(beside.name)
    try:
        counted = write(db.session, made, kind, services)
        made.chmod(0o666 & ~_umask())
        made.replace(path)
    finally:
        made.unlink(missing_ok=True)
    return counted


def _umask() -> int:
    mask = os.umask(0)
    os.umask(mask)
    return mask
