"""A certificate tells what was hidden, and whether a copy is what was published."""

import json

import numpy as np

from referral.planning.disclosure.cells import Cell, Shown
from referral.planning.disclosure.certificate import Audit, Certificate, digest, verify
from referral.planning.disclosure.suppression import protect
from referral.planning.disclosure.system import Sums, System

KEYS = [("33.74", "HL"), ("33.75", "HL"), ("33.76", "HL"), ("33.77", "HL"), ("33", "HL")]
FIGURES = Sums.of([[0], [1], [2], [3], [0, 1, 2, 3]])
PROTECTED = protect(
    System(np.array([3, 8, 900, 0]), FIGURES, loss=np.array([0.0, 0, 0, 0, 10])), threshold=5
)
CERTIFICATE = PROTECTED.certificate(KEYS)
PUBLISHED = dict(zip(KEYS, PROTECTED.cells(), strict=True))


def test_it_counts_what_was_shown_and_hidden_and_what_the_audit_found() -> None:
    assert (
        Certificate(
            rule="2026-11-22",
            threshold=5,
            shown=2,
            small=1,
            withheld=1,
            primary=1,
            complementary=1,
            earlier=0,
            audit=Audit(
                secrets=1,
                told_before=0,
                least_possible=4,
                highest_low=1,
                programmes=CERTIFICATE.audit.programmes,
            ),
            digest=digest(PUBLISHED),
        )
        == CERTIFICATE
    )
    assert CERTIFICATE.audit.programmes >= 1


def test_it_comes_back_from_json() -> None:
    assert Certificate.from_json(json.loads(json.dumps(CERTIFICATE.as_json()))) == CERTIFICATE


def test_a_true_copy_fits_with_and_without_its_zeros() -> None:
    assert verify(PUBLISHED, CERTIFICATE) == []
    assert verify({k: c for k, c in PUBLISHED.items() if c.count != 0}, CERTIFICATE) == []


def test_a_copy_with_one_changed_count_does_not_fit() -> None:
    assert verify({**PUBLISHED, KEYS[2]: Cell(Shown.COUNT, 901)}, CERTIFICATE) == ["digest"]


def test_a_copy_that_tells_a_small_count_is_found_out() -> None:
    assert verify({**PUBLISHED, KEYS[0]: Cell(Shown.COUNT, 3)}, CERTIFICATE) == [
        "digest",
        "shown",
        "small",
        "threshold",
    ]


def test_a_copy_with_a_missing_row_does_not_fit() -> None:
    copy = {key: cell for key, cell in PUBLISHED.items() if key != KEYS[1]}

    assert verify(copy, CERTIFICATE) == ["digest", "withheld"]
