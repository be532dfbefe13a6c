"""Finding doubles among 20,000, 100,000 and 1,000,000 synthetic listings: time, memory, recall and precision.

Listings are made with a fixed seed: kinds of service, names of two or three words, 514 regencies, towns. One in
twenty has a planted double as another list would write it: short forms, a typo, another point, no number. Ten
in a thousand are traps that look alike and are not (numbered branches, one organization's services, hotlines).

    python -m benchmarks.duplicates [SIZE …]
"""

import random
import resource
import sys
import time
from collections.abc import Iterator
from uuid import UUID

from referral.directory.duplicates.columns import Columns
from referral.directory.duplicates.finding import MINIMUM_SCORE, candidates

SIZES, SEED = (20_000, 100_000, 1_000_000), 20261122
REGENCIES = 514
PLANTED, TRAPS = 0.05, 0.01
KINDS = (
    ("Puskesmas", "PKM", "HE01"),
    ("Rumah Sakit Umum Daerah", "RSUD", "HE02"),
    ("Rumah Sakit Ibu dan Anak", "RSIA", "HE03"),
    ("Sekolah Luar Biasa Negeri", "SLBN", "SS04"),
    ("Yayasan", "Yay.", "SA01"),
    ("Panti Asuhan", "PA", "SA06"),
    ("Lembaga Bantuan Hukum", "LBH", "SP04"),
    ("Pusat Kegiatan Belajar Masyarakat", "PKBM", "ED01"),
)
SYLLABLES = ["ba", "be", "bi", "bo", "bu", "da", "de", "di", "du", "ga", "gi", "gu", "ja", "ji", "ka", "ke", "ki", "ku", "la", "le", "li", "lo", "lu", "ma", "me", "mi", "mo", "mu", "na", "ni", "nu", "pa", "pe", "pi", "pu", "ra", "re", "ri", "ro", "ru", "sa", "se", "si", "so", "su", "ta", "te", "ti", "to", "tu", "wa", "wi", "ya", "yu"]  # fmt: skip
HOTLINE = "1500771000"


def main(sizes: tuple[int, ...]) -> None:
    """Measures and prints one line for each size."""
    print(
        " listings   wall, s    CPU, s  µs/listing    peak MB   pairs compared      found   recall precision"
    )
    for size in sizes:
        columns, truth = synthetic(size)
        compared: list[int] = []
        start, cpu = time.perf_counter(), time.process_time()
        found = {
            (one.first_id, one.second_id) for one in candidates(columns, compared=compared.append)
        }
        taken, used = time.perf_counter() - start, time.process_time() - cpu
        peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1000
        right = len(found & truth)
        print(
            f"{size:>9,} {taken:>9.1f} {used:>9.1f} {used / size * 1e6:>11.0f} {peak:>10.0f}"
            f" {compared[0]:>16,} {len(found):>10,} {right / len(truth):>8.3f}"
            f" {right / max(1, len(found)):>9.3f}"
        )


def synthetic(size: int) -> tuple[Columns, set[tuple[UUID, UUID]]]:
    """Listings, and the pairs among them that are one (at a score of MINIMUM_SCORE)."""
    draw = random.Random(SEED)
    columns, truth = Columns(), set()
    while len(columns.ids) < size:
        first = _listing(draw, columns)
        chance = draw.random()
        if chance < PLANTED:
            _double(draw, columns, first)
            truth.add((columns.ids[first], columns.ids[-1]))
        elif chance < PLANTED + TRAPS:
            _trap(draw, columns, first)
    return columns, truth


def _add(columns: Columns, name: str, category: str, origin: str, site: object) -> int:
    row = len(columns.ids)
    columns.ids.append(UUID(int=row))
    columns.names.append(name)
    columns.organizations.append(UUID(int=row))
    columns.origins.append(origin)
    columns.facility_types.append(None)
    columns.categories.append(frozenset({category}))
    columns.sites.append((site,))  # type: ignore[arg-type]
    return row


def _word(draw: random.Random) -> str:
    return "".join(draw.choice(SYLLABLES) for _ in range(draw.choice((2, 3, 3, 4)))).capitalize()


def _listing(draw: random.Random, columns: Columns) -> int:
    kind, _short, category = draw.choice(KINDS)
    regency = min(int(draw.expovariate(1 / 150)), REGENCIES - 1)
    area = f"{11 + regency // 15}.{1 + regency % 15:02}"
    name = f"{kind} {_word(draw)} {_word(draw)}" if draw.random() < 0.7 else f"{kind} {_word(draw)}"
    lat, lon = -8 + regency % 23 * 0.6, 95 + regency // 23 * 1.9
    site = (
        draw.gauss(lat, 0.15),
        draw.gauss(lon, 0.15),
        0.5 if draw.random() < 0.8 else 13.5,
        f"{area}.{draw.randint(1, 20):02}",
        f"Jl. {_word(draw)} No. {draw.randint(1, 200)}",
    )
    row = _add(columns, name, category, "register", site)
    if draw.random() < 0.3:
        columns.phones[row] = frozenset({str(draw.randint(10**7, 10**10))})
    elif draw.random() < 0.02:
        columns.phones[row] = frozenset({HOTLINE})
    return row


def _double(draw: random.Random, columns: Columns, first: int) -> None:
    """The same listing as another list would have it."""
    name = columns.names[first]
    for kind, short, _category in KINDS:
        if name.startswith(kind) and draw.random() < 0.6:
            name = name.replace(kind, short, 1)
    if draw.random() < 0.3:
        at = draw.randrange(len(name) - 4, len(name) - 1)
        name = name[:at] + name[at + 1 :]
    lat, lon, km, area, line = columns.sites[first][0]
    moved = draw.choice((0.0, 0.001, 0.004))
    site = (
        (lat or 0) + moved,
        (lon or 0) - moved,
        km if draw.random() < 0.7 else 13.5,
        area,
        line if draw.random() < 0.5 else None,
    )
    row = _add(columns, name.upper(), next(iter(columns.categories[first])), "other list", site)
    if first in columns.phones and draw.random() < 0.5:
        columns.phones[row] = columns.phones[first]


def _trap(draw: random.Random, columns: Columns, first: int) -> None:
    """Looks like the same and is not."""
    name, site = columns.names[first], columns.sites[first][0]
    category = next(iter(columns.categories[first]))
    match draw.randrange(3):
        case 0:
            columns.names[first] = f"{name} 1"
            _add(columns, f"{name} 2", category, "other list", site)
        case 1:
            _add(columns, name, "EM05", "other list", site)
            columns.organizations[-1] = columns.organizations[first]
        case _:
            row = _add(columns, f"{name.split()[0]} {_word(draw)}", category, "other list", site)
            columns.phones[first] = columns.phones[row] = frozenset({HOTLINE})


def _sizes() -> Iterator[int]:
    for word in sys.argv[1:]:
        yield int(word.replace("_", "").replace(",", ""))


if __name__ == "__main__":
    print(f"score of at least {MINIMUM_SCORE}, seed {SEED}")
    main(tuple(_sizes()) or SIZES)
