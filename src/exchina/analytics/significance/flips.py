"""All sign vectors of a few figures, or seeded draws of them where there are too many."""

from typing import NamedTuple

import numpy as np

from exchina.analytics.significance.outcome import FloatArray

LARGEST_ENUMERATION = 16
DRAWS = 9_999
ROUNDING = 1e-12


class Flips(NamedTuple):
    """Two-sided p of a sum under flips of sign, the smallest p that could have been reached, and both in words."""

    p: float
    smallest_p: float
    note: str


def sign_flips(values: FloatArray, *, seed: int = 0) -> Flips:
    """How often a sum of flipped figures is at least as far from zero as that of the figures themselves.

    Up to 16 figures all 2^n sign vectors: p = share with |sum| >= observed, so p is at least 2 / 2^n. Above, 9,999
    draws of the seed: p = (1 + number as large) / 10,000. Sums equal up to rounding count as as large.

    Args:
        values: (n,), independent and symmetric around zero under the null.
        seed: of the draws.
    """
    observed = abs(values.sum()) - ROUNDING * np.abs(values).sum()
    if values.size <= LARGEST_ENUMERATION:
        sums = _sums(values[None])[0]
        smallest = min(1.0, 2 / sums.size)
        note = f"all {sums.size:,} sign vectors; smallest reachable p {smallest:.3g}"
        return Flips(float((np.abs(sums) >= observed).mean()), smallest, note)
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
