"""A snapshot gives back the index it was made of, or says that it can't."""

from datetime import date
from pathlib import Path

import numpy as np
import pytest

from benchmarks import offers as synthetic
from referral.core.text import Message
from referral.directory.opening import OpeningRow
from referral.matching.columns import Columns
from referral.matching.facts import Offer
from referral.matching.index import Index
from referral.matching.snapshot import Unusable, read, write

OFFERS = [
    *synthetic.offers(500, seed=11),
    Offer(
        **{
            **next(iter(synthetic.offers(1, seed=12))).__dict__,
            "in_doubt": ((Message("match.doubt", {"part": "hours"}), date(2026, 11, 1)),),
            "hours": (OpeningRow(freq="WEEKLY", byday="MO", valid_to=date(2026, 12, 31)),),
        }
    ),
]


@pytest.fixture
def kept(tmp_path: Path) -> Path:
    path = tmp_path / "offers.index"
    write(Columns.of(OFFERS), path, head={"seq": 7})
    return path


def test_every_offer_comes_back_as_it_was(kept: Path) -> None:
    columns, head = read(kept)

    assert head == {"seq": 7}
    found = sorted(columns.offers(np.arange(len(columns))), key=str)
    assert found == sorted(OFFERS, key=str)
    assert not columns.points.flags.writeable, "it is mapped, not copied"


def test_what_is_asked_of_it_is_answered_as_by_the_first_index(kept: Path) -> None:
    first, again = Index.of(OFFERS), Index(read(kept)[0])
    for one in OFFERS[:20]:
        first.replace(one.service_id, [])
        again.replace(one.service_id, [])

    for query in synthetic.queries(60, seed=13, hard=True):
        assert again.select(query, synthetic.STEPS) == first.select(query, synthetic.STEPS)


def test_a_damaged_or_foreign_file_is_refused(kept: Path) -> None:
    whole = kept.read_bytes()
    for damaged in (
        b"",
        b"JEJARING",
        whole[:60],
        whole[:-1],
        b"x" + whole[1:],
        whole[:-9] + b"?" * 9,
    ):
        kept.write_bytes(damaged)
        with pytest.raises(Unusable):
            read(kept)
    kept.unlink()
    with pytest.raises(Unusable):
        read(kept)


def test_a_snapshot_of_another_version_is_refused(
    kept: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("referral.matching.snapshot.form", lambda: "another")
    with pytest.raises(Unusable):
        read(kept)
