"""What is kept of an import: how far it came and what was wrong."""

from datetime import datetime
from enum import StrEnum
from typing import Any
from uuid import UUID

from sqlalchemy import ForeignKey
from sqlalchemy.orm import Mapped, mapped_column

from referral.core.db import Identified


class RunStatus(StrEnum):
    WAITING = "waiting"
    RUNNING = "running"
    DONE = "done"
    FAILED = "failed"


class ImportRun(Identified):
    """One file on its way into the directory."""

    __tablename__ = "import_run"

    source: Mapped[str | None]
    file_name: Mapped[str]
    #: SHA-256 of the file
    file_hash: Mapped[bytes | None]
    format: Mapped[str]
    mapping: Mapped[str | None]
    dry_run: Mapped[bool]
    status: Mapped[RunStatus] = mapped_column(index=True)
    made_at: Mapped[datetime]
    started_at: Mapped[datetime | None]
    #: when the last batch was committed; a running run that is silent for long was cut off
    seen_at: Mapped[datetime | None]
    finished_at: Mapped[datetime | None]
    #: rows taken in and committed, and about how many there are
    rows_done: Mapped[int] = mapped_column(default=0)
    rows_total: Mapped[int | None]
    #: created, updated, unchanged, left_out, unplaced, findings
    counts: Mapped[dict[str, Any]] = mapped_column(default=dict)
    #: key and parameters of the message that says why it failed
    failure: Mapped[dict[str, Any] | None]
    by_id: Mapped[UUID | None] = mapped_column(ForeignKey("user.id"))


class ImportFinding(Identified):
    """One thing wrong with one row of an imported file."""

    __tablename__ = "import_finding"

    run_id: Mapped[UUID] = mapped_column(ForeignKey("import_run.id"), index=True)
    #: the part of a package that it is in
    file: Mapped[str]
    row: Mapped[int]
    field: Mapped[str]
    value: Mapped[str]
    key: Mapped[str]
    params: Mapped[dict[str, Any]]
