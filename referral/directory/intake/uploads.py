"""Files that wait to be imported: kept under names nobody can guess, for nobody else to read, and not for long."""

import os
from collections.abc import Iterable
from datetime import datetime, timedelta
from pathlib import Path
from shutil import copyfileobj
from typing import IO
from uuid import UUID

#: A file that was only tried is forgotten after so many days.
KEPT_DAYS = 3
ENDINGS = (".csv", ".tsv", ".xlsx", ".json", ".ndjson", ".jsonl", ".geojson", ".zip")
_MAPPING = ".mapping.yaml"


class Uploads:
    """The folder of them. A file has the id of its run for a name, which is mostly random."""

    def __init__(self, folder: Path):
        self.folder = folder

    def keep(self, run_id: UUID, stream: IO[bytes], name: str) -> None:
        """Keep a file; its ending is kept too, and nothing else of its name."""
        ending = Path(name).suffix.lower()
        self._write(f"{run_id}{ending if ending in ENDINGS else ''}", stream)

    def keep_mapping(self, run_id: UUID, stream: IO[bytes]) -> None:
        self._write(f"{run_id}{_MAPPING}", stream)

    def find(self, run_id: UUID) -> Path | None:
        """The file of a run, while it is there."""
        found = (self.folder / f"{run_id}{ending}" for ending in (*ENDINGS, ""))
        return next((path for path in found if path.is_file()), None)

    def find_mapping(self, run_id: UUID) -> Path | None:
        path = self.folder / f"{run_id}{_MAPPING}"
        return path if path.is_file() else None

    def hand_over(self, from_id: UUID, to_id: UUID) -> None:
        """Give the files of a run to another one."""
        for path in self._of(from_id):
            path.rename(path.with_name(path.name.replace(str(from_id), str(to_id), 1)))

    def forget(self, run_id: UUID) -> None:
        for path in self._of(run_id):
            path.unlink(missing_ok=True)

    def forget_old(self, *, now: datetime) -> None:
        """Forget what nobody came back for."""
        oldest = (now - timedelta(days=KEPT_DAYS)).timestamp()
        for path in self.folder.glob("*") if self.folder.is_dir() else ():
            if path.stat().st_mtime < oldest:
                path.unlink(missing_ok=True)

    def _of(self, run_id: UUID) -> Iterable[Path]:
        return [path for path in (self.find(run_id), self.find_mapping(run_id)) if path]

    def _write(self, name: str, stream: IO[bytes]) -> None:
        self.folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        handle = os.open(self.folder / name, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(handle, "wb") as file:
            copyfileobj(stream, file)
