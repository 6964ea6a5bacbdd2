"""Probability of backtest overfitting by combinatorially symmetric cross-validation (Bailey et al. 2017).

A description, not a test: 0.5 under pure noise, and never "the probability that the fund will fail".
"""

from dataclasses import dataclass
from itertools import combinations
from math import comb

import numpy as np

from exchina.analytics.honesty.blocks import IntArray
from exchina.analytics.honesty.sharpe import FloatArray, varies
from exchina.errors import DataError, Problem

FEWEST_VARIANTS = 7
SHORTEST_BLOCK = 40
FEWEST_BLOCKS, MOST_BLOCKS = 8, 16
SPLITS_AT_ONCE = 500
ALONE = "one variant: nothing to choose among"


@dataclass(frozen=True)
class Overfitting:
    """How the best half of the time fares in the other half.

    Attributes:
        pbo: share of splits in which the in-sample best is in the lower half out of sample (logit <= 0).
        loss: share of splits in which its out-of-sample ratio is below 0.
        slope, intercept: least squares of its out-of-sample ratio on its in-sample ratio; None where the latter is the
            same in every split.
        mean_in_sample, mean_out_of_sample: its ratios per period, mean over splits.
        logits: (splits,) ln(w / (1 - w)), w = rank / (K + 1).
        selected: (splits,) the in-sample best.
        variants: K.
        blocks: S.
        block_periods: periods in a block; the first T mod S periods are dropped.
        warnings: what makes the figure weak, in words.
    """

    pbo: float
    loss: float
    slope: float | None
    intercept: float | None
    mean_in_sample: float
    mean_out_of_sample: float
    logits: FloatArray
    selected: IntArray
    variants: int
    blocks: int
    block_periods: int
    warnings: tuple[str, ...]


def overfitting(trials: FloatArray, *, blocks: int | None = None) -> Overfitting:
    """Probability of backtest overfitting with the Sharpe ratio per period as the measure.

    S blocks of equal length, all C(S, S/2) ways to take half of them as the sample, in the order of their numbers; in
    each the variant with the best ratio is ranked among all in the other half (mean ranks for ties; the first of equal
    bests). w = rank / (K + 1); PBO is the share of ln(w / (1 - w)) <= 0.

    Args:
        trials: (T, K) returns per period of every variant.
        blocks: S, even; without it the largest even number from 8 to 16 that leaves 40 periods a block, at least 8.

    Raises:
        DataError: not computable: fewer than two variants, a return missing, all variants identical, blocks odd or
            shorter than two periods, or a variant that never changes within a half.
    """
    values, count = _checked(trials), _blocks(len(trials), blocks)
    length = len(values) // count
    kept = values[len(values) - count * length :]
    cut = kept.reshape(count, length, -1)
    centre = kept.mean(axis=0)
    sums, squares = (cut - centre).sum(axis=1), ((cut - centre) ** 2).sum(axis=1)
    chosen = np.array(list(combinations(range(count), count // 2)))
    member = np.zeros((len(chosen), count))
    np.put_along_axis(member, chosen, 1.0, axis=1)
    parts = [
        _ranked(member[first : first + SPLITS_AT_ONCE], (sums, squares, centre), length)
        for first in range(0, comb(count, count // 2), SPLITS_AT_ONCE)
    ]
    best, inside, outside, ranks = (np.concatenate(part) for part in zip(*parts, strict=True))
    logits = np.log(ranks / (values.shape[1] + 1 - ranks))
    slope, intercept = _line(inside, outside)
    return Overfitting(
        pbo=float((logits <= 0).mean()),
        loss=float((outside < 0).mean()),
        slope=slope,
        intercept=intercept,
        mean_in_sample=float(inside.mean()),
        mean_out_of_sample=float(outside.mean()),
        logits=logits,
        selected=best,
        variants=values.shape[1],
        blocks=count,
        block_periods=length,
        warnings=_warnings(values, count, length),
    )


def _checked(trials: FloatArray) -> FloatArray:
    values = np.asarray(trials, np.float64)
    if values.ndim == 2 and values.shape[1] == 1:
        raise DataError(Problem("trials", ALONE, "give the returns of two variants or more"))
    if values.ndim != 2 or values.shape[1] < 2:
        raise DataError(Problem("trials", f"shape {values.shape}", "periods x variants, two variants or more"))
    if not np.isfinite(values).all():
        raise DataError(Problem("trials", "a return is missing", "use the periods that all variants have"))
    if _distinct(values) == 1:
        raise DataError(Problem("trials", "all variants are identical", "overfitting needs something to choose from"))
    return values


def _distinct(values: FloatArray) -> int:
    return len({column.tobytes() for column in values.T + 0.0})


def _blocks(periods: int, blocks: int | None) -> int:
    if blocks is None:
        fitting = [count for count in range(FEWEST_BLOCKS, MOST_BLOCKS + 1, 2) if periods // count >= SHORTEST_BLOCK]
        blocks = max(fitting, default=FEWEST_BLOCKS)
    if blocks < 2 or blocks % 2 or blocks > 2 * FEWEST_BLOCKS + 4:
        raise DataError(Problem("blocks", f"{blocks}", "an even number from 2 to 20"))
    if periods // blocks < 2:
        raise DataError(Problem("trials", f"{periods} periods in {blocks} blocks", "two periods a block or more"))
    return blocks


def _ranked(
    member: FloatArray, moments: tuple[FloatArray, FloatArray, FloatArray], length: int
) -> tuple[IntArray, FloatArray, FloatArray, FloatArray]:
    """The in-sample best of each split, its ratios inside and outside, and its mean rank outside."""
    inside, outside = _ratios(member, *moments, length), _ratios(1 - member, *moments, length)
    best = inside.argmax(axis=1)
    rows = np.arange(len(best))
    shown = outside[rows, best]
    ranks = (outside < shown[:, None]).sum(axis=1) + ((outside == shown[:, None]).sum(axis=1) + 1) / 2
    return best, inside[rows, best], shown, ranks


def _ratios(member: FloatArray, sums: FloatArray, squares: FloatArray, centre: FloatArray, length: int) -> FloatArray:
    """Sharpe ratio per period of each variant over the member blocks of each split, from sums about the centre."""
    periods = length * member.sum(axis=1, keepdims=True)
    means = member @ sums / periods
    variance = (member @ squares - periods * means**2) / (periods - 1)
    still = variance <= 1e-14 * (member @ squares)
    if still.any():
        stuck = np.flatnonzero(still.any(axis=0))
        raise DataError(*(Problem(f"trials, variant {one}", "never changes within a half") for one in stuck))
    return (means + centre) / np.sqrt(variance)


def _line(inside: FloatArray, outside: FloatArray) -> tuple[float | None, float | None]:
    if not varies(inside):
        return None, None
    deviation = inside - inside.mean()
    slope = float(deviation @ outside / (deviation @ deviation))
    return slope, float(outside.mean() - slope * inside.mean())


def _warnings(values: FloatArray, blocks: int, length: int) -> tuple[str, ...]:
    distinct = _distinct(values)
    found = {
        f"{distinct} different variants, fewer than {FEWEST_VARIANTS}": distinct < FEWEST_VARIANTS,
        f"blocks of {length} periods, shorter than {SHORTEST_BLOCK}": length < SHORTEST_BLOCK,
        f"{blocks} blocks, fewer than {FEWEST_BLOCKS}": blocks < FEWEST_BLOCKS,
    }
    return tuple(text for text, so in found.items() if so)
