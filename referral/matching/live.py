"""The match index of this process, kept true by the change feed; of a large directory also kept in a file.

A new process maps the file into its memory and brings what changed since, instead of reading everything.
"""

from datetime import datetime
from hashlib import sha256
from pathlib import Path
from uuid import UUID
from weakref import WeakKeyDictionary

from sqlalchemy import Engine
from sqlalchemy.orm import Session

from referral.changes.following import Followed, Head
from referral.directory import queries
from referral.matching import candidates, snapshot
from referral.matching.facts import Offer
from referral.matching.index import Index
from referral.places.queries import gazetteer


def _read(session: Session) -> Index:
    return Index.of(candidates.everything(session, gazetteer(session)))


def _bring(index: Index, session: Session, ids: set[UUID]) -> None:
    found: dict[UUID, list[Offer]] = {service_id: [] for service_id in ids}
    for offer in candidates.offers_by(session, ids, gazetteer(session)):
        found[offer.service_id].append(offer)
    for service_id, offers in found.items():
        index.replace(service_id, offers)


#: Where the file of each database lies; a database that nobody named here has none.
_folders: WeakKeyDictionary[Engine, Path] = WeakKeyDictionary()


def keep_in(engine: Engine, folder: Path) -> None:
    """Keep the index of this database in a file of this folder."""
    _folders[engine] = folder


def _restore(engine: Engine) -> tuple[Index, Head] | None:
    folder = _folders.get(engine)
    if folder is None:
        return None
    try:
        columns, head = snapshot.read(folder / _name(engine))
    except snapshot.Unusable:
        return None
    if head["assumed"] != _assumed():
        return None
    at, service_id = head["at"], head["service_id"]
    return Index(columns), (
        head["seq"],
        at and datetime.fromisoformat(at),
        service_id and UUID(service_id),
    )


def _keep(engine: Engine, index: Index, head: Head) -> None:
    if (folder := _folders.get(engine)) is not None:
        seq, at, service_id = head
        snapshot.write(
            index.columns,
            folder / _name(engine),
            head={
                "seq": seq,
                "at": at and at.isoformat(),
                "service_id": service_id and str(service_id),
                "assumed": _assumed(),
            },
        )


def _name(engine: Engine) -> str:
    """One file for each database that processes of this instance work on; the address itself stays secret."""
    return f"match-{sha256(str(engine.url).encode()).hexdigest()[:12]}.index"


def _assumed() -> str:
    """What offers are made of beside the database."""
    return sha256(candidates.FACILITY_DEFAULTS.read_bytes()).hexdigest()


#: The index of each database of this process.
INDEX = Followed(
    "match index",
    read=_read,
    bring=_bring,
    count=queries.count,
    worn=lambda index: index.changes,
    restore=_restore,
    keep=_keep,
)
