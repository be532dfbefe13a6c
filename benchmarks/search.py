"""The public search against the obvious ways: rapidfuzz over all names, and SQL LIKE.

A synthetic directory (fixed seed) with names as Indonesian offices and organizations bear them. Queries are
whole names or two to three of their words, with one and with two random wrong letters (or spaces). Relevant is
every listing whose name has all the words as they were before; recall@10 is the share of min(10, relevant)
found among the first ten.

`python -m benchmarks.search 1000000` builds the catalogue alone, without a database, at that size.
"""

import platform
import resource
import statistics
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from rapidfuzz import fuzz, process
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from benchmarks.synthetic import NOW, areas_of, fill, listings_of
from referral.changes.models import DirectoryChange
from referral.config import Settings
from referral.core.db import new_id
from referral.directory.models import (
    Service,
)
from referral.directory.search import Near, search
from referral.directory.search import index as search_index
from referral.directory.search.catalogue import Catalogue
from referral.directory.search.columns import Document, Site
from referral.directory.search.index import CATALOGUE, name_forms
from referral.directory.search.words import words_of
from referral.extensions import alembic, db
from referral.factory import create_app
from referral.reference import load_reference
from referral.taxonomy.words import stem

SERVICES, QUERIES, SLOW_QUERIES, SEED = 100_000, 1_000, 60, 20261122
_LETTERS = "abcdefghijklmnopqrstuvwxyz"


class Took(float):
    """Milliseconds on the clock, with those of the processor: a machine that others use too has both."""

    cpu: float


def main() -> None:
    """Measures and prints."""
    if len(sys.argv) > 1 and sys.argv[0].endswith("search.py"):
        _catalogue_alone(int(sys.argv[1]))
        return
    with tempfile.TemporaryDirectory() as folder:
        app = create_app(Settings.from_env({"JEJARING_INSTANCE": folder}))
        app.config.update(TESTING=True)
        with app.app_context():
            alembic.upgrade()
            load_reference(db.session, now=NOW)
            draw = np.random.default_rng(SEED)
            listings = list(listings_of(draw, areas_of(db.session), SERVICES))
            fill(db.session, listings)
            _machine(f"{SERVICES:,} services, SQLite {_megabytes(Path(folder)):.0f} MB")
            _measure(app, draw, [listing.name for listing in listings])


def _measure(app: Any, draw: np.random.Generator, names: list[str]) -> None:
    session = db.session
    before = _rss()
    seconds, (catalogue, _) = _timed(lambda: CATALOGUE.latest(session))
    print(
        f"catalogue: read and built in {seconds / 1000:.1f} s ({seconds.cpu / 1000:.1f} s of the processor), arrays {catalogue.nbytes() / 1e6:.0f} MB, "
        f"process grew by {_rss() - before:.0f} MB, {len(catalogue.postings.words):,} different words"
    )
    tokens = [frozenset(words_of(name)) for name in names]
    having: dict[str, set[int]] = {}
    for number, words in enumerate(tokens):
        for word in words:
            having.setdefault(word, set()).add(number)
    client = app.test_client()
    for typos in (0, 1, 2):
        asked = _queries(draw, names, having, typos)
        ours: list[Took] = []
        found: list[float] = []
        for text, relevant, _ in asked:
            taken, results = _timed(lambda text=text: search(session, words=text, size=20))  # type: ignore[misc]
            first = [hit.listing.service.name for hit in results.page.items[:10]]
            found.append(_recall(first, relevant, names))
            ours.append(taken)
            session.expunge_all()
        _say(f"search(), {typos} typos", ours, found)
        for label, is_whole in (("whole names", True), ("two or three words of a name", False)):
            some = [one for one, query in zip(found, asked, strict=True) if query[2] is is_whole]
            print(
                f"{'  of these ' + label:>36}: recall@10 {statistics.mean(some):.3f} of {len(some)}"
            )
        if typos:
            some_asked = asked[:SLOW_QUERIES]
            median = statistics.median(one.cpu for one in ours)
            _say_slow("rapidfuzz over all names", some_asked, names, _by_rapidfuzz(names), median)
            _say_slow("SQL LIKE on every word", some_asked, names, _by_like(session), median)
    asked = _queries(draw, names, having, 1)[:300]
    here = Near(-6.99, 110.42, 1.0, "33.74")
    for label, values in (
        ("near a place", {"near": here}),
        ("open now, free", {"open_at": NOW, "free": True}),
    ):
        ours = []
        for text, *_ in asked:
            ours.append(_timed(lambda text=text, v=values: search(session, words=text, **v))[0])  # type: ignore[misc]
            session.expunge_all()
        _say(f"search(), {label}", ours)
    for label, values in (
        ("a kind of help alone", {"category": "HE01"}),
        ("a kind near a place, open", {"category": "HE01", "near": here, "open_at": NOW}),
        ("everything by name", {"free": True}),
    ):
        ours = []
        for _ in range(100):
            ours.append(_timed(lambda v=values: search(session, **v))[0])  # type: ignore[misc]
            session.expunge_all()
        _say(f"search(), {label}", ours)
    pages = []
    for text, *_ in asked:
        taken, response = _timed(
            lambda text=text: client.get("/directory", query_string={"q": text})
        )  # type: ignore[misc]
        assert response.status_code == 200
        pages.append(taken)
    _say("the page /directory", pages)
    print(f"{'the last page':>36}: {len(response.data) / 1000:.0f} KB")
    _measure_api(client, [text for text, *_ in asked[:100]], session)
    _follows(session)


def _measure_api(client: Any, texts: Sequence[str], session: Session) -> None:
    """Answers of twenty rows each."""
    ids = session.scalars(select(Service.id).order_by(Service.id).limit(100)).all()
    term = client.get("/api/hsds/taxonomy_terms?search=HE01").json["contents"][0]["id"]
    asked: dict[str, list[tuple[str, dict[str, Any]]]] = {
        "API: services by words": [("services", {"search": text}) for text in texts],
        "API: the same, whole": [("services", {"search": t, "full": "true"}) for t in texts],
        "API: sites of a kind": [
            ("service_at_locations", {"taxonomy_term_id": term, "page": n + 1}) for n in range(100)
        ],
        "API: a page of services": [("services", {"page": 1 + 49 * n}) for n in range(100)],
        "API: a service by its id": [(f"services/{id_}", {}) for id_ in ids],
    }
    for label, questions in asked.items():
        taken = []
        for address, values in questions:
            listed = {} if "/" in address else {"per_page": 20}
            took, response = _timed(
                lambda a=address, v=values | listed: client.get(f"/api/hsds/{a}", query_string=v)
            )  # type: ignore[misc]
            assert response.status_code == 200, response.text
            taken.append(took)
        _say(label, taken)


def _follows(session: Session) -> None:
    """What it takes until a changed listing is found under its new name."""
    taken = []
    ids = session.scalars(select(Service.id).limit(100)).all()
    for number, service_id in enumerate(ids):
        service = session.get_one(Service, service_id)
        service.name = f"Zwqx{number} Pembaruan"
        session.add(DirectoryChange(at=NOW, service_id=service_id))
        session.commit()
        taken.append(_timed(lambda: CATALOGUE.latest(session))[0])
    _say("taking in one changed listing", taken)


def _queries(
    draw: np.random.Generator, names: Sequence[str], having: dict[str, set[int]], typos: int
) -> list[tuple[str, set[int], bool]]:
    """Texts to ask for, the listings that have all their words, and whether it is a whole name."""
    found = []
    while len(found) < QUERIES:
        words = list(dict.fromkeys(words_of(names[int(draw.integers(len(names)))])))
        whole = words
        if draw.random() < 0.5 and len(words) > 2:
            count = int(draw.integers(2, min(3, len(words)) + 1))
            words = [words[i] for i in sorted(draw.choice(len(words), count, replace=False))]
        relevant = set.intersection(*(having[word] for word in words))
        text = " ".join(words)
        for _ in range(typos):
            text = _wrong(draw, text)
        found.append((text, relevant, words is whole))
    return found


def _wrong(draw: np.random.Generator, text: str) -> str:
    """The text with one letter or space too many, missing, replaced, or two of them changed over.

    A number stays: nothing in a text tells which one was meant.
    """
    places = [place for place, letter in enumerate(text) if not letter.isdigit()]
    at, letter = places[int(draw.integers(len(places)))], _LETTERS[int(draw.integers(26))]
    match int(draw.integers(4)):
        case 0:
            return text[:at] + letter + text[at:]
        case 1:
            return text[:at] + text[at + 1 :]
        case 2:
            return text[:at] + letter + text[at + 1 :]
        case _:
            return text[:at] + text[at + 1 : at + 2] + text[at : at + 1] + text[at + 2 :]


def _recall(first: Sequence[str], relevant: set[int], names: Sequence[str]) -> float:
    right = {names[number] for number in relevant}
    return min(1.0, sum(name in right for name in first) / min(10, len(relevant)))


def _by_rapidfuzz(names: list[str]) -> Callable[[str], list[str]]:
    lower = [name.lower() for name in names]

    def run(text: str) -> list[str]:
        found = process.extract(text, lower, scorer=fuzz.WRatio, limit=10)
        return [names[number] for _, _, number in found]

    return run


def _by_like(session: Session) -> Callable[[str], list[str]]:
    def run(text: str) -> list[str]:
        query = select(Service.name)
        for word in text.split():
            query = query.where(func.lower(Service.name).contains(word, autoescape=True))
        return list(session.scalars(query.limit(10)))

    return run


def _say_slow(
    label: str,
    asked: Sequence[tuple[str, set[int], bool]],
    names: Sequence[str],
    run: Callable[[str], list[str]],
    median: float,
) -> None:
    taken, found = [], []
    for text, relevant, _ in asked:
        one, first = _timed(lambda text=text: run(text))  # type: ignore[misc]
        taken.append(one)
        found.append(_recall(first, relevant, names))
    _say(f"  {label}", taken, found)
    ratio = statistics.median(one.cpu for one in taken) / median
    print(f"{'  its processor time to ours':>36}: {ratio:.1f}")


def _say(label: str, taken: Sequence[Took], found: Sequence[float] = ()) -> None:
    p95 = statistics.quantiles(taken, n=20)[-1]
    recall = f", recall@10 {statistics.mean(found):.3f} of {len(found)}" if found else ""
    print(
        f"{label:>36}: median {statistics.median(taken):6.1f}, p95 {p95:6.1f} ms; "
        f"processor {statistics.median(one.cpu for one in taken):6.1f} ms{recall}"
    )


def _machine(text: str) -> None:
    model = next(
        (
            line.split(":")[1].strip()
            for line in Path("/proc/cpuinfo").read_text().splitlines()
            if line.startswith("model name")
        ),
        platform.machine(),
    )
    print(f"{model}, one core, Python {platform.python_version()}; {text}")


def _timed(call: Callable[[], Any]) -> tuple[Took, Any]:
    start, cpu = time.perf_counter(), time.process_time()
    result = call()
    took = Took((time.perf_counter() - start) * 1000)
    took.cpu = (time.process_time() - cpu) * 1000
    return took, result


def _rss() -> float:
    """Memory of the process, MB."""
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    return pages * resource.getpagesize() / 1e6


def _megabytes(folder: Path) -> float:
    return (folder / "jejaring.db").stat().st_size / 1e6


def _catalogue_alone(count: int) -> None:
    """Builds and asks a catalogue of `count` listings, no database behind it."""
    draw = np.random.default_rng(SEED)
    with tempfile.TemporaryDirectory() as folder:
        app = create_app(Settings.from_env({"JEJARING_INSTANCE": folder}))
        with app.app_context():
            alembic.upgrade()
            load_reference(db.session, now=NOW)
            areas = areas_of(db.session)
            names = search_index.area_names(db.session)
    _machine(f"{count:,} services, catalogue alone")
    catalogue = Catalogue(name_forms(), stem, lambda code: search_index.names_around(names, code))
    kept: list[str] = []
    before, started = _rss(), time.process_time()
    spent = 0.0
    for one in listings_of(draw, areas, count):
        if len(kept) < 200_000:
            kept.append(one.name)
        document = Document(
            new_id(),
            one.name,
            organization=(one.organization,),
            sites=(Site(*one.at, 0.5, one.area),),
            categories=tuple((code, True) for code in one.codes),
            is_free=one.is_free,
            opening=one.hours,
        )
        start = time.process_time()
        catalogue.add(document)
        spent += time.process_time() - start
    start = time.process_time()
    catalogue.settle()
    spent += time.process_time() - start
    print(
        f"built in {spent:.1f} s of the processor ({time.process_time() - started:.0f} s with making the names), "
        f"arrays {catalogue.nbytes() / 1e6:.0f} MB, process grew by {_rss() - before:.0f} MB, "
        f"{len(catalogue.postings.words):,} different words"
    )
    for typos in (1, 2):
        taken = []
        for _ in range(200):
            text = kept[int(draw.integers(len(kept)))].lower()
            for _ in range(typos):
                text = _wrong(draw, text)
            taken.append(_timed(lambda text=text: catalogue.score(catalogue.read(text)))[0])  # type: ignore[misc]
        _say(f"reading and scoring, {typos} typos", taken)


if __name__ == "__main__":
    main()
