"""Imports as they run: batch after batch, each its own transaction, and what is kept of them."""

import hashlib
import json
import weakref
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path
from tempfile import TemporaryFile
from typing import IO, Any
from uuid import UUID

from sqlalchemy import Select, insert, select, update
from sqlalchemy.orm import Session

from referral.accounts.models import User
from referral.core.db import new_id, take_write_lock
from referral.core.errors import Finding, JejaringError, NotFound
from referral.core.text import Message
from referral.directory import reference
from referral.directory.intake import formats
from referral.directory.intake.batches import Reader
from referral.directory.intake.formats import Guides
from referral.directory.intake.models import ImportFinding, ImportRun, RunStatus
from referral.directory.intake.uploads import Uploads
from referral.directory.intake.upsert import Taken, Upsert
from referral.places.queries import gazetteer

#: A batch takes seconds; a run from which nothing was heard for so long was cut off.
SILENT_MINUTES = 10
COUNTS = ("created", "updated", "unchanged", "left_out", "unplaced")
_PIECE = 1 << 20


class Findings:
    """Findings in their order, kept on disk: a bad file may have as many as rows."""

    def __init__(self) -> None:
        self._file: IO[str] = TemporaryFile("w+", encoding="utf-8")  # noqa: SIM115
        weakref.finalize(self, self._file.close)
        self._count = 0
        self.reasons: Counter[str] = Counter()

    def __len__(self) -> int:
        return self._count

    def __iter__(self) -> Iterator[Finding]:
        self._file.seek(0)
        for line in self._file:
            one = json.loads(line)
            yield Finding(**{**one, "message": Message.from_json(one["message"])})

    def add(self, findings: Sequence[Finding]) -> None:
        self._file.seek(0, 2)
        for finding in findings:
            one = {**vars(finding), "message": finding.message.as_json()}
            self._file.write(json.dumps(one) + "\n")
            self.reasons[finding.message.key] += 1
        self._count += len(findings)


@dataclass
class Outcome:
    """What an import did, so far or in all."""

    source: str
    format: str
    mapping: str
    rows: int = 0
    created: int = 0
    updated: int = 0
    unchanged: int = 0
    left_out: int = 0
    unplaced: int = 0
    findings: Findings = field(default_factory=Findings)

    def add(self, taken: Taken) -> None:
        self.rows += taken.count
        for name in COUNTS:
            setattr(self, name, getattr(self, name) + getattr(taken, name))
        self.findings.add(taken.findings)

    @property
    def counts(self) -> dict[str, Any]:
        """As ImportRun keeps them."""
        return {
            **{name: getattr(self, name) for name in COUNTS},
            "findings": len(self.findings),
            "reasons": dict(self.findings.reasons),
        }


def begin(
    session: Session,
    *,
    file_name: str,
    format: str = formats.AUTO,  # noqa: A002 - the column's word
    mapping: str | None = None,
    source: str | None = None,
    dry_run: bool = False,
    by: User | None = None,
    now: datetime,
) -> ImportRun:
    """A run that waits for its turn; flushes."""
    run = ImportRun(
        file_name=file_name,
        format=format,
        mapping=mapping,
        source=source,
        dry_run=dry_run,
        status=RunStatus.WAITING,
        made_at=now,
        by_id=by.id if by else None,
        rows_done=0,
        counts={},
    )
    session.add(run)
    session.flush()
    return run


def perform(
    session: Session,
    path: Path,
    guides: Guides,
    *,
    run: ImportRun | None = None,
    dry_run: bool = False,
    format: str = formats.AUTO,  # noqa: A002 - the command's word
    mapping: Path | None = None,
    source: str | None = None,
    sheet: str | None = None,
    clock: Callable[[], datetime],
    heard: Callable[[Taken, int | None], None] = lambda _taken, _total: None,
) -> Outcome:
    """Take a file in, and commit after each batch together with the run's progress and findings.

    However it ends, whole batches are in the directory and nothing else; doing it again completes it. A dry run
    compares and writes nothing but its own run, where it has one. Raises Invalid for a file or mapping that
    can't be used; the run then says so.

    heard   is told after each batch what became of it, and about how many entries there are
    """
    run_id = run.id if run else None
    session.commit()
    try:
        rules = formats.mapping_from(mapping) if mapping else None
        with formats.opened(
            path, guides, format=format, mapping=rules, source=source, sheet=sheet
        ) as reader:
            return _take_all(session, reader, guides.now, run_id, path, dry_run, clock, heard)
    except Exception as error:
        session.rollback()
        if run_id is not None:
            known = isinstance(error, JejaringError)
            words = error.message if known else Message("directory.import.failed")  # type: ignore[attr-defined]
            _save(
                session,
                run_id,
                status=RunStatus.FAILED,
                failure=words.as_json(),
                finished_at=clock(),
            )
            session.commit()
        raise


def _take_all(
    session: Session,
    reader: Reader,
    now: datetime,
    run_id: UUID | None,
    path: Path,
    dry_run: bool,
    clock: Callable[[], datetime],
    heard: Callable[[Taken, int | None], None],
) -> Outcome:
    outcome = Outcome(reader.source, reader.format, reader.mapping)
    if run_id is not None:
        _save(
            session,
            run_id,
            status=RunStatus.RUNNING,
            source=reader.source,
            format=reader.format,
            mapping=reader.mapping or None,
            rows_total=reader.total,
            file_hash=_hash(path),
            started_at=clock(),
            seen_at=clock(),
        )
        session.commit()
    upsert = Upsert(session, reader.source, now=now, is_rehearsal=dry_run)
    for batch in reader:
        if not dry_run:
            # What is read of the file comes before: nobody waits for a slow disk.
            take_write_lock(session)
        taken = upsert.take(batch)
        outcome.add(taken)
        _commit(session, run_id, outcome, taken.findings, dry_run, clock)
        heard(taken, reader.total)
    if not dry_run:
        take_write_lock(session)
    last = upsert.finish()
    outcome.findings.add(last)
    _commit(session, run_id, outcome, last, dry_run, clock, is_done=True)
    return outcome


def _commit(
    session: Session,
    run_id: UUID | None,
    outcome: Outcome,
    findings: Sequence[Finding],
    dry_run: bool,
    clock: Callable[[], datetime],
    *,
    is_done: bool = False,
) -> None:
    if dry_run:
        session.rollback()
    if run_id is not None:
        at = clock()
        ending = {"status": RunStatus.DONE, "finished_at": at} if is_done else {}
        _save(session, run_id, rows_done=outcome.rows, counts=outcome.counts, seen_at=at, **ending)
        if findings:
            session.execute(insert(ImportFinding), [_kept(run_id, one) for one in findings])
    session.commit()


def _save(session: Session, run_id: UUID, **values: Any) -> None:
    session.execute(update(ImportRun).where(ImportRun.id == run_id).values(**values))


def _kept(run_id: UUID, finding: Finding) -> dict[str, Any]:
    words = finding.message.as_json()
    kept = {name: getattr(finding, name) for name in ("file", "row", "field", "value")}
    return {"id": new_id(), "run_id": run_id, **kept, **words}


def _hash(path: Path) -> bytes | None:
    if not path.is_file():
        return None
    digest = hashlib.sha256()
    with path.open("rb") as file:
        while piece := file.read(_PIECE):
            digest.update(piece)
    return digest.digest()


def perform_kept(
    session: Session, run_id: UUID, uploads: Uploads, *, clock: Callable[[], datetime]
) -> None:
    """Do a run whose file was handed in, if it still waits. The file goes once it is in, or was no file for us."""
    session.rollback()
    take_write_lock(session)
    run, path = session.get(ImportRun, run_id), uploads.find(run_id)
    if run is None or run.status is not RunStatus.WAITING:
        session.rollback()
        return
    if path is None:
        run.status, run.finished_at = RunStatus.FAILED, clock()
        run.failure = Message("directory.import.file_gone").as_json()
        session.commit()
        return
    run.status, run.started_at = RunStatus.RUNNING, clock()
    session.commit()
    dry_run, own = run.dry_run, _mapping_path(run, uploads)
    try:
        perform(
            session,
            path,
            guides(session, now=clock()),
            run=run,
            dry_run=dry_run,
            format=run.format,
            mapping=own,
            source=run.source,
            clock=clock,
        )
    except JejaringError:
        uploads.forget(run_id)
    else:
        if not dry_run:
            uploads.forget(run_id)


def _mapping_path(run: ImportRun, uploads: Uploads) -> Path | None:
    """The mapping that was handed in with the file, else the shipped one that was chosen."""
    own = uploads.find_mapping(run.id)
    if own is None and run.mapping:
        own = next((path for path in shipped() if path.stem == run.mapping), None)
    return own


def shipped() -> list[Path]:
    """The mapping files that come with the program."""
    folder = reference.FOLDER / "mappings"
    return sorted((*folder.glob("*.yaml"), *folder.glob("folders/*.yaml")))


def guides(session: Session, *, now: datetime) -> Guides:
    """What every reader needs to know, with the gazetteer as the database has it now."""
    return Guides(
        known=reference.known(), gazetteer=gazetteer(session), folder=reference.FOLDER, now=now
    )


# What is kept.


def is_cut_off(run: ImportRun, *, now: datetime) -> bool:
    """Whether a run was stopped from outside: it says that it runs, and nothing is heard of it."""
    heard_at = run.seen_at or run.started_at or run.made_at
    return run.status is RunStatus.RUNNING and now - heard_at > timedelta(minutes=SILENT_MINUTES)


def latest() -> Select[ImportRun]:
    """All runs, the last one first."""
    return select(ImportRun).order_by(ImportRun.made_at.desc(), ImportRun.id.desc())


def get(session: Session, run_id: UUID) -> ImportRun:
    """Raises NotFound."""
    run = session.get(ImportRun, run_id)
    if run is None:
        raise NotFound("directory.import.unknown_run")
    return run


def findings_of(run: ImportRun) -> Select[ImportFinding]:
    """What was wrong, file by file and row by row."""
    by_place = (ImportFinding.file, ImportFinding.row, ImportFinding.id)
    return select(ImportFinding).where(ImportFinding.run_id == run.id).order_by(*by_place)


def reason(finding: ImportFinding) -> Message:
    """Why, as a message to render."""
    return Message.from_json({"key": finding.key, "params": finding.params})


def why_failed(run: ImportRun) -> Message | None:
    return Message.from_json(run.failure) if run.failure else None
