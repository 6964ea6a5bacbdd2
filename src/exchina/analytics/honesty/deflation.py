"""What the number of trials takes away from a Sharpe ratio: deflation, minimum backtest length, haircut.

All ratios are per period, see `sharpe`. K counts every variant tried, not those that were kept. Sources: Bailey and
Lopez de Prado (2014); Bailey et al. (2014); Harvey and Liu (2015).
"""

from dataclasses import dataclass

import numpy as np
from scipy.special import ndtr, ndtri

from exchina.analytics.honesty import settings
from exchina.analytics.honesty.sharpe import FloatArray, PerPeriod, Track, probabilistic_sharpe
from exchina.errors import DataError, Problem

EULER_GAMMA = 0.5772156649015329


@dataclass(frozen=True)
class Deflated:
    """A Sharpe ratio judged against the best that K trials without skill would show.

    Attributes:
        value: deflated Sharpe ratio, PSR(sr0).
        sr0: expected best ratio of K trials without skill, per period.
        trials: K.
        variance: V, variance (K - 1) of the trials' ratios per period.
    """

    value: float
    sr0: PerPeriod
    trials: float
    variance: float


@dataclass(frozen=True)
class Haircut:
    """The Sharpe ratios that would have, tried once, the p-values that K trials leave; None where it is undefined.

    Attributes:
        p: two-sided p of the ratio, tried once.
        bonferroni, sidak, bhy: adjusted p-values.
        sr_bonferroni, sr_sidak, sr_bhy: ratios per period with those p-values.
    """

    p: float
    bonferroni: float
    sidak: float
    bhy: float
    sr_bonferroni: PerPeriod
    sr_sidak: PerPeriod
    sr_bhy: PerPeriod


def expected_maximum(trials: float) -> float:
    """Expected largest of K independent standard normal numbers.

        (1 - gamma) Phi^-1(1 - 1/K) + gamma Phi^-1(1 - 1/(K e))

    read in the lower tail, -Phi^-1(1/K), which does not run out of digits for a large K.

    0 for K = 1, where the formula diverges, and never below 0 for an effective K between 1 and 2.

    Raises:
        DataError: K below 1, or not finite.
    """
    settings.check(trials=trials)
    if trials == 1:
        return 0.0
    first, second = -ndtri(1 / trials), -ndtri(1 / (trials * np.e))
    return max(0.0, float((1 - EULER_GAMMA) * first + EULER_GAMMA * second))


def deflated_sharpe(record: Track, *, trials: float, variance: float) -> Deflated:
    """Deflated Sharpe ratio: PSR(sr0) with sr0 = sqrt(V) E[largest of K].

    With one trial it is PSR(0). At the same V, more trials never raise it; V itself falls when trials are added that
    resemble each other, so the number is only as honest as the ledger.

    Args:
        record: the chosen variant's track.
        trials: K, every variant tried.
        variance: V, variance (K - 1) of the trials' ratios per period.

    Raises:
        DataError: K below 1, or V negative or missing.
    """
    if not 0 <= variance < np.inf:
        raise DataError(Problem("variance", f"{variance}", "variance of the trials' Sharpe ratios per period"))
    sr0 = PerPeriod(float(np.sqrt(variance)) * expected_maximum(trials))
    return Deflated(probabilistic_sharpe(record, above=sr0), sr0, trials, variance)


def mean_correlation(trials: FloatArray) -> float | None:
    """Mean correlation of the pairs of trials; None with fewer than two.

    Args:
        trials: (periods, K) returns, each column with a spread.
    """
    count = trials.shape[1]
    if count < 2:
        return None
    scaled = trials - trials.mean(axis=0)
    scaled = scaled / np.sqrt((scaled**2).sum(axis=0))
    together = float((scaled.sum(axis=1) ** 2).sum())
    return (together - count) / (count * (count - 1))


def effective_trials(trials: float, correlation: float) -> float:
    """Number of independent trials that K correlated ones are said to be worth: rho + (1 - rho) K.

    A secondary figure; slightly above K where the mean correlation is negative.
    """
    return correlation + (1 - correlation) * trials


def minimum_backtest_years(trials: float, *, target_annual: float = 1.0) -> float:
    """Years below which the best of K variants without skill is expected to show the target Sharpe ratio.

        ( E[largest of K] / target )^2 <= 2 ln K / target^2

    Args:
        trials: K.
        target_annual: yearly Sharpe ratio, above 0.

    Raises:
        DataError: K below 1, or a target that is not positive.
    """
    settings.check(target_annual=target_annual, trials=trials)
    return (expected_maximum(trials) / target_annual) ** 2


def haircut(sr: PerPeriod, *, periods: int, trials: int, others: FloatArray | None = None) -> Haircut | None:
    """Sharpe ratio that has, tried once, the p-value that is left after K trials.

        p = 2 Phi(-sr sqrt(n)); Bonferroni min(1, K p); Sidak 1 - (1 - p)^K;
        BHY (Benjamini, Hochberg, Yekutieli) min over ranks j >= its own of K c(K) p_(j) / j, c(K) = sum 1/i

    each turned back by sr = Phi^-1(1 - p/2) / sqrt(n). Assumes normal, independent returns.

    Args:
        sr: the chosen variant's ratio per period.
        periods: n.
        trials: K.
        others: ratios per period of all trials, the chosen one among them; without them BHY takes the chosen one for
            the best and knows nothing of the rest: min(1, K c(K) p).

    Returns:
        None for a ratio that is not positive: there is nothing to cut.

    Raises:
        DataError: a ratio that is not finite, fewer than two periods, or K below 1 or below the number of ratios given.
    """
    settings.check(sr=sr, periods=periods, trials=trials)
    known = np.array([sr]) if others is None else np.asarray(others, np.float64)
    if trials < known.size:
        raise DataError(Problem("trials", f"{trials}", f"at least {known.size}: the ratios given"))
    if not np.isfinite(known).all():
        raise DataError(Problem("others", "a ratio is missing or not finite", "leave out trials without a ratio"))
    if sr <= 0:
        return None
    root = np.sqrt(periods)
    p = 2 * float(ndtr(-sr * root))
    ordered = np.sort(2 * ndtr(-np.abs(known) * root))
    scale = trials * float(np.sum(1 / np.arange(1, trials + 1)))
    ranked = scale * ordered / np.arange(1, ordered.size + 1)
    bhy = min(1.0, float(ranked[ordered >= p * (1 - 1e-12)].min(initial=np.inf)))
    adjusted = (min(1.0, trials * p), float(-np.expm1(trials * np.log1p(-p))), bhy)
    cut = (PerPeriod(max(0.0, float(-ndtri(one / 2) / root))) for one in adjusted)
    return Haircut(p, *adjusted, *cut)
