"""The Sharpe ratio of one track record, its error, and what record it would need.

Everything here is per period (per session for daily returns): a yearly Sharpe ratio beside a daily number of periods
is the commonest mistake with these formulas, so a ratio per period has a type of its own, `PerPeriod`, made by `track`
from returns or by `per_period` from a yearly one. Sources: Lo (2002); Mertens (2002); Bailey and Lopez de Prado (2012).
"""

from dataclasses import dataclass
from typing import NewType, TypeAlias

import numpy as np
import numpy.typing as npt
from scipy.special import ndtr, ndtri

from exchina.analytics.honesty import settings
from exchina.errors import DataError, Problem

FloatArray: TypeAlias = npt.NDArray[np.float64]
PerPeriod = NewType("PerPeriod", float)
NO_SKILL = PerPeriod(0.0)


@dataclass(frozen=True)
class Track:
    """What the error of a Sharpe ratio depends on.

    Attributes:
        sr: mean over standard deviation (n - 1) of the returns, per period.
        skew: population skewness g3 of the returns (moments divided by n).
        kurtosis: population kurtosis g4, raw: 3 for a normal distribution.
        periods: number of returns n.

    Raises:
        DataError: fewer than two periods, a figure is not finite, or no distribution has this skew and kurtosis.
    """

    sr: PerPeriod
    skew: float
    kurtosis: float
    periods: int

    def __post_init__(self) -> None:
        problems: list[Problem] = []
        if not np.isfinite([self.sr, self.skew, self.kurtosis, self.periods]).all():
            problems.append(Problem("track", "a figure is missing or not finite"))
        if self.periods < 2:
            problems.append(Problem("track.periods", f"{self.periods}", "a Sharpe ratio needs two periods"))
        if self.kurtosis < (self.skew**2 + 1) * (1 - 1e-9):
            where = f"kurtosis {self.kurtosis:.4g} below skew^2 + 1 = {self.skew**2 + 1:.4g}"
            problems.append(Problem("track.kurtosis", where, "give the raw kurtosis, 3 for a normal distribution"))
        if problems:
            raise DataError(*problems)


def per_period(sr_annual: float, periods_per_year: float) -> PerPeriod:
    """A yearly Sharpe ratio per period: sr_annual / sqrt(periods per year); `DataError` for what is no such number."""
    settings.check(sr_annual=sr_annual, periods_per_year=periods_per_year)
    return PerPeriod(sr_annual / np.sqrt(periods_per_year))


def annual(sr: PerPeriod, periods_per_year: float) -> float:
    """A Sharpe ratio per period as a yearly one, for returns without autocorrelation: sr sqrt(periods per year).

    Raises:
        DataError: periods per year that are not above 0.
    """
    settings.check(periods_per_year=periods_per_year)
    return float(sr * np.sqrt(periods_per_year))


def checked_returns(returns: FloatArray, where: str = "returns") -> FloatArray:
    """Returns as float64, refused where they have no Sharpe ratio.

    Args:
        returns: (n,) simple returns per period, fractions of 1.
        where: what to call them in a message.

    Raises:
        DataError: not one column, fewer than two, a value missing, or all the same.
    """
    values = np.asarray(returns, np.float64)
    if values.ndim != 1 or values.size < 2:
        raise DataError(Problem(where, f"shape {values.shape}", "one column of two returns or more"))
    if not np.isfinite(values).all():
        count = int((~np.isfinite(values)).sum())
        raise DataError(Problem(where, f"{count} missing or not finite", "leave out sessions without a return"))
    if not varies(values):
        raise DataError(Problem(where, "all returns are the same", "their standard deviation is zero"))
    return values


def varies(values: FloatArray) -> npt.NDArray[np.bool_]:
    """Whether each column has a spread beyond the rounding of its numbers."""
    spread = np.ptp(values, axis=0)
    return spread > 8 * np.finfo(np.float64).eps * np.abs(values).max(axis=0)


def track(returns: FloatArray) -> Track:
    """The Sharpe ratio per period of a series, with the moments that its error needs.

    Args:
        returns: (n,) returns per period; in excess of cash where the figure is to be called a Sharpe ratio.

    Raises:
        DataError: see `checked_returns`.
    """
    values = checked_returns(returns)
    deviation = values - values.mean()
    second = np.mean(deviation**2)
    return Track(
        sr=PerPeriod(float(values.mean() / values.std(ddof=1))),
        skew=float(np.mean(deviation**3) / second**1.5),
        kurtosis=float(np.mean(deviation**4) / second**2),
        periods=values.size,
    )


def standard_error(record: Track, *, normal: bool = False) -> float:
    """Standard error of the Sharpe ratio per period.

        sqrt( (1 - g3 sr + (g4 - 1)/4 sr^2) / (n - 1) )

    for independent returns (Mertens 2002); with ``normal`` g3 = 0 and g4 = 3 (Lo 2002).
    """
    skew, kurtosis = (0.0, 3.0) if normal else (record.skew, record.kurtosis)
    spread = 1 - skew * record.sr + (kurtosis - 1) / 4 * record.sr**2
    return float(np.sqrt(max(spread, 0.0) / (record.periods - 1)))


def interval(record: Track, *, level: float = 0.95) -> tuple[PerPeriod, PerPeriod]:
    """Normal interval of the Sharpe ratio per period: sr -+ z standard errors. Assumes independent returns.

    Raises:
        DataError: a level that is no fraction between 0 and 1.
    """
    settings.check(level=level)
    half = float(ndtri((1 + level) / 2)) * standard_error(record)
    return PerPeriod(record.sr - half), PerPeriod(record.sr + half)


def probabilistic_sharpe(record: Track, *, above: PerPeriod = NO_SKILL) -> float:
    """Probabilistic Sharpe ratio: Phi( (sr - above) / standard error ), all per period.

    One minus it is the p-value of "the true ratio is at most ``above``". It knows nothing of how many were tried.

    Raises:
        DataError: ``above`` is not a finite number.
    """
    settings.check(above=above)
    error, gap = standard_error(record), record.sr - above
    return float(ndtr(gap / error)) if error > 0 else float(gap > 0)


def minimum_track_record(record: Track, *, above: PerPeriod = NO_SKILL, confidence: float = 0.95) -> float | None:
    """Periods after which the probabilistic Sharpe ratio would reach the confidence, at this ratio and these moments.

        1 + (1 - g3 sr + (g4 - 1)/4 sr^2) (z / (sr - above))^2

    None where sr <= above: no record is long enough.

    Raises:
        DataError: ``above`` is not a finite number, or the confidence no fraction between 0 and 1.
    """
    settings.check(above=above, confidence=confidence)
    if record.sr <= above:
        return None
    spread = 1 - record.skew * record.sr + (record.kurtosis - 1) / 4 * record.sr**2
    return float(1 + spread * (ndtri(confidence) / (record.sr - above)) ** 2)


def lo_factor(returns: FloatArray, periods: int) -> float | None:
    """What Lo (2002) multiplies a Sharpe ratio per period by, for ``periods`` periods together.

        q / sqrt( q + 2 sum_(k=1..q-1) (q - k) rho_k )

    with rho_k the sample autocorrelations (population moments); sqrt(q) where there are none.

    Args:
        returns: (n,) returns per period.
        periods: q, small beside n: the sum holds q - 1 estimated numbers.

    Returns:
        None where q >= n: the sum over all lags of a sample is zero, whatever the data.

    Raises:
        DataError: see `checked_returns`; or q below 1.
    """
    values = checked_returns(returns)
    if periods < 1:
        raise DataError(Problem("periods", f"{periods}", "one or more"))
    if periods >= values.size:
        return None
    deviation = values - values.mean()
    rho = np.array([deviation[k:] @ deviation[: values.size - k] for k in range(1, periods)]) / (deviation @ deviation)
    variance = periods + 2 * float(np.arange(periods - 1, 0, -1) @ rho)
    return float(periods / np.sqrt(variance))
