"""Could the best of all variants tried be luck? White's (2000) reality check and Hansen's (2005) SPA test.

SPA, superior predictive ability, is the studentised test: each variant's mean is divided by its own standard error, so
one wild variant cannot drown the others, and variants that are clearly worse than the benchmark do not count against
the best (the "consistent" p, between "lower" and "upper").
"""

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np

from exchina.analytics.honesty import settings
from exchina.analytics.honesty.blocks import (
    SHORTEST_SAMPLE,
    IntArray,
    block_length,
    checked_indices,
    counts_of,
    stationary_counts,
)
from exchina.analytics.honesty.sharpe import FloatArray, varies
from exchina.errors import DataError, Problem

DRAWS = 10_000


@dataclass(frozen=True)
class DataSnooping:
    """p-values of "no variant beats the benchmark", over all variants.

    Attributes:
        t_reality_check: largest sqrt(T) mean excess.
        t_spa: largest studentised mean excess, at least 0.
        p_reality_check: of the reality check.
        p_spa_lower, p_spa_consistent, p_spa_upper: of SPA; the consistent one is the headline.
        omega: (K,) standard deviation of sqrt(T) times the mean excess; 0 where left out.
        best: the variant with the largest studentised mean excess.
        left_out: variants that equal the benchmark in every period, which are counted but cannot beat it.
        variants: K.
        periods: T.
        draws: B; a p of 0 means below 1/B.
        mean_block: mean block in periods.
        seed: of the random numbers; None where the draws were given.
    """

    t_reality_check: float
    t_spa: float
    p_reality_check: float
    p_spa_lower: float
    p_spa_consistent: float
    p_spa_upper: float
    omega: FloatArray
    best: int
    left_out: tuple[int, ...]
    variants: int
    periods: int
    draws: int
    mean_block: float
    seed: int | None


def data_snooping(
    excess: FloatArray,
    *,
    mean_block: float | None = None,
    draws: int = DRAWS,
    seed: int = 1,
    indices: IntArray | None = None,
) -> DataSnooping:
    """Reality check and SPA over all variants, by the stationary bootstrap.

        RC : max_k sqrt(T) dbar_k          against max_k sqrt(T) (dbar*_k - dbar_k)
        SPA: max(0, max_k sqrt(T) dbar_k / omega_k) against max_k sqrt(T) (dbar*_k - g_k) / omega_k
             lower g = max(dbar, 0); consistent g = dbar if dbar >= -omega sqrt(2 ln ln T / T), else 0; upper g = dbar

    p is the share of draws strictly above the statistic; omega is that of `long_run_deviation`. Where no variant beats
    the benchmark the SPA statistic is 0 and its p-values are 1: draws recentred at losers can all be below 0 as well.

    Args:
        excess: (T, K) return of each variant less the benchmark's, per period; every variant tried.
        mean_block: mean block in periods; without it the mean over the variants of `block_length`.
        draws: B.
        seed: of the random numbers.
        indices: (B, T) draws made elsewhere, instead of ``draws`` and ``seed``; they need ``mean_block`` for omega.

    Raises:
        DataError: a return missing, fewer than 10 periods, a constant excess other than 0, no variant that differs from
            the benchmark, draws without a mean block, or a mean block or draws below 1.
    """
    settings.check(draws=draws, **({} if mean_block is None else {"mean_block": mean_block}))
    values, moving = _checked(excess)
    if indices is not None and mean_block is None:
        raise DataError(Problem("mean_block", "missing", "the draws were made elsewhere: say with which mean block"))
    moved = values[:, moving]
    periods = len(values)
    block = block_length(moved).mean_block() if mean_block is None else mean_block
    counts = (
        stationary_counts(periods, mean_block=block, draws=draws, seed=seed)
        if indices is None
        else counts_of(checked_indices(indices, periods), periods)
    )
    omega = long_run_deviation(moved, block)
    scores = np.sqrt(periods) * moved.mean(axis=0) / omega
    statistics = np.array([(scores * omega).max(), *[max(0.0, float(scores.max()))] * 3])
    above, drawn = _exceedances(moved, omega, statistics, counts)
    shares = above / drawn
    shares[1:] = shares[1:] if statistics[1] > 0 else 1.0
    everyone = np.zeros(values.shape[1])
    everyone[moving] = omega
    return DataSnooping(
        float(statistics[0]),
        float(statistics[1]),
        *shares.tolist(),
        omega=everyone,
        best=int(np.flatnonzero(moving)[scores.argmax()]),
        left_out=tuple(np.flatnonzero(~moving).tolist()),
        variants=values.shape[1],
        periods=periods,
        draws=drawn,
        mean_block=block,
        seed=seed if indices is None else None,
    )


def long_run_deviation(excess: FloatArray, mean_block: float) -> FloatArray:
    """Standard deviation of sqrt(T) times the mean of each column under the stationary bootstrap.

        omega^2 = c_0 + 2 sum_(i=1..T-1) kap_i c_i, kap_i = (1 - i/T)(1 - q)^i + (i/T)(1 - q)^(T - i), q = 1/mean_block

    c_i sample autocovariances (divided by T). The same sum over circular autocovariances needs the first half of kap_i
    alone; those come from a Fourier transform.

    Args:
        excess: (T, K).
        mean_block: mean block in periods.

    Returns:
        (K,).

    Raises:
        DataError: a mean block below 1.
    """
    settings.check(mean_block=mean_block)
    periods = len(excess)
    lags = np.arange(periods)
    kernel = 2 * (1 - lags / periods) * (1 - 1 / mean_block) ** lags
    kernel[0] = 1
    power = np.abs(np.fft.rfft(excess - excess.mean(axis=0), axis=0)) ** 2
    return np.sqrt(kernel @ np.fft.irfft(power, periods, axis=0) / periods)


def _checked(excess: FloatArray) -> tuple[FloatArray, np.ndarray]:
    """The matrix, and which columns differ from the benchmark."""
    values = np.asarray(excess, np.float64)
    if values.ndim != 2 or len(values) < SHORTEST_SAMPLE or not values.shape[1]:
        hint = f"periods x variants, {SHORTEST_SAMPLE} periods or more"
        raise DataError(Problem("excess", f"shape {values.shape}", hint))
    gaps = np.flatnonzero(~np.isfinite(values).all(axis=0))
    if gaps.size:
        hint = "use the periods that all have, or leave the variant out and say so"
        raise DataError(*(Problem(f"excess, variant {one}", "a return is missing", hint) for one in gaps))
    moving = varies(values)
    stuck = np.flatnonzero(~moving & (values != 0).any(axis=0))
    if stuck.size:
        raise DataError(*(Problem(f"excess, variant {one}", "the same in every period, and not 0") for one in stuck))
    if not moving.any():
        raise DataError(Problem("excess", "every variant equals the benchmark", "there is nothing to test"))
    return values, moving


def _exceedances(
    excess: FloatArray, omega: FloatArray, statistics: FloatArray, counts: Iterable[FloatArray]
) -> tuple[FloatArray, int]:
    """How many draws are above each statistic (RC, lower, consistent, upper), and how many draws there are."""
    periods = len(excess)
    scaled = excess / (omega * np.sqrt(periods))
    scores = scaled.sum(axis=0)
    threshold = -np.sqrt(2 * np.log(np.log(periods)))
    recentred = (np.maximum(scores, 0), np.where(scores >= threshold, scores, 0), scores)
    above, drawn = np.zeros(4), 0
    for chunk in counts:
        means = chunk @ scaled
        beside = np.empty_like(means)
        largest = [np.subtract(means, centre, out=beside).max(axis=1) for centre in recentred]
        largest.insert(0, np.multiply(beside, omega, out=beside).max(axis=1))
        above += (np.array(largest) > statistics[:, None]).sum(axis=1)
        drawn += len(chunk)
    return above, drawn
