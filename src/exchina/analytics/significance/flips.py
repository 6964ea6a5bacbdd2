"""All sign vectors of a few figures, or seeded draws of them where there are too many."""

from typing import NamedTuple

import numpy as np

from exchina.analytics.significance.outcome import FloatArray

LARGEST_EXACT = 34
LARGEST_BEFORE_DRAWS = 16
DRAWS = 9_999
ROUNDING = 1e-12


class Flips(NamedTuple):
    """Two-sided p of a sum under flips of sign, the smallest p that could have been reached, and both in words."""

    p: float
    smallest_p: float
    note: str


def sign_flips(values: FloatArray, *, seed: int | None = None) -> Flips:
    """How often a sum of flipped figures is at least as far from zero as that of the figures themselves.

    Exact over all 2^n sign vectors: p = share with |sum| >= observed, so p is at least 2 / 2^n. Each sum is one of the
    2^(n/2) sums of the first half plus one of those of the second; with the second half sorted, those far enough out
    are counted by search. Drawn: p = (1 + number as large) / 10,000 of 9,999 draws. Sums equal up to rounding count
    as as large.

    Args:
        values: (n,), independent and symmetric around zero under the null.
        seed: exact up to 16 figures and above them drawn with this seed, as is the rule for the wild cluster; None is
            exact up to 34 figures and above them drawn with seed 0.
    """
    observed = abs(values.sum()) - ROUNDING * np.abs(values).sum()
    if values.size > (LARGEST_EXACT if seed is None else LARGEST_BEFORE_DRAWS):
        return _drawn(values, observed, seed or 0)
    vectors = 2**values.size
    smallest = min(1.0, 2 / vectors)
    note = f"all {vectors:,} sign vectors; smallest reachable p {smallest:.3g}"
    return Flips(_as_large(values, observed) / vectors, smallest, note)


def _as_large(values: FloatArray, observed: float) -> int:
    """How many of the 2^n sums are at least ``observed`` away from zero; they lie evenly around it."""
    if observed <= 0:
        return 2**values.size
    half = values.size // 2
    first, second = _sums(values[None, :half])[0], np.sort(_sums(values[None, half:])[0])
    return 2 * int((second.size - np.searchsorted(second, observed - first)).sum())


def _drawn(values: FloatArray, observed: float, seed: int) -> Flips:
    padded = np.concatenate([values, np.zeros(-values.size % 8)]).reshape(-1, 8)
    picks = np.random.default_rng(seed).integers(0, 256, (len(padded), DRAWS), dtype=np.uint8)
    sums = np.zeros(DRAWS)
    for group, pick in zip(_sums(padded), picks, strict=True):
        sums += group.take(pick)
    p = (1 + int((np.abs(sums) >= observed).sum())) / (DRAWS + 1)
    return Flips(p, 1 / (DRAWS + 1), f"{DRAWS:,} draws of seed {seed}; smallest reachable p {1 / (DRAWS + 1):.3g}")


def _sums(values: FloatArray) -> FloatArray:
    """The sums of all 2^n sign vectors of each row: (g, n) to (g, 2^n)."""
    sums = np.zeros((len(values), 1))
    for value in values.T[:, :, None]:
        sums = np.concatenate([sums + value, sums - value], axis=1)
    return sums
