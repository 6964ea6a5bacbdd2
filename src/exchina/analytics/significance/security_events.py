"""The security-events that are tested together, and what several tests need of them."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

import numpy as np
import numpy.typing as npt

from exchina.analytics.market_model import AbnormalReturns
from exchina.analytics.significance.correlation import mean_correlation
from exchina.analytics.significance.outcome import FloatArray, NotComputableError, spread
from exchina.analytics.significance.ranking import average_ranks, with_events
from exchina.errors import DataError, Problem

IntArray = npt.NDArray[np.int64]
SEVERAL_DATES = "the events have several dates: there is no one portfolio"


@dataclass(frozen=True)
class Portfolio:
    """The portfolio of all names, fitted as one security; None with the reason where it cannot be."""

    fit: AbnormalReturns | None
    note: str = ""

    @property
    def fitted(self) -> AbnormalReturns:
        """The fit.

        Raises:
            NotComputableError: there is none.
        """
        if self.fit is None:
            raise NotComputableError(self.note)
        return self.fit


@dataclass(frozen=True)
class Sample:
    """N security-events. Returns are fractions of 1; what is missing is NaN and takes no part.

    Attributes:
        days: (T,) calendar days of the estimation, ascending: those on which any name has a return.
        residuals: (T, N) estimation residuals by calendar day; correlations are taken from them.
        ar: (L, N) abnormal returns by relative day.
        se_ar: (L, N) their standard errors as forecasts.
        car: (N,) cumulative abnormal returns.
        se_car: (N,) their standard errors.
        s: (N,) residual standard deviations.
        sessions: (N,) estimation sessions M_i.
        df: (N,) M_i - K.
        portfolio: the equal-weighted portfolio.
        weighted: the portfolio by the weights of the names; not computable without weights.
        by_event: (T', N) the same residuals by day before the event, for the tests on ranks and signs, whose event day
            gathers several dates; None where the names share one date: by calendar day.
        hours: (N,) hour of the usual close of each name's market, UTC; None where they are all the same.
    """

    days: npt.NDArray[Any]
    residuals: FloatArray
    ar: FloatArray
    se_ar: FloatArray
    car: FloatArray
    se_car: FloatArray
    s: FloatArray
    sessions: IntArray
    df: IntArray
    portfolio: Portfolio = field(default=Portfolio(None, "the portfolio was not fitted"), repr=False)
    weighted: Portfolio = field(default=Portfolio(None, "the names have no weights"), repr=False)
    by_event: FloatArray | None = field(default=None, repr=False)
    hours: FloatArray | None = field(default=None, repr=False)

    @property
    def names(self) -> int:
        """N, the security-events."""
        return len(self.car)

    @cached_property
    def caar(self) -> float:
        """Mean of the CAR; refused where a name has none."""
        self.require_complete()
        return float(self.car.mean())

    @cached_property
    def scar(self) -> FloatArray:
        """(N,) CAR_i / se(CAR_i); refused where a name has no CAR or no residual variance."""
        self.require_complete()
        return self.car / self.se_car

    @cached_property
    def sar(self) -> FloatArray:
        """(L, N) AR_it / se(AR_it), NaN where missing."""
        self.require_complete()
        return self.ar / self.se_ar

    @property
    def rows(self) -> FloatArray:
        """(T, N) estimation residuals of which a row means to the names what the event day means to them."""
        return self.residuals if self.by_event is None else self.by_event

    @cached_property
    def standardised(self) -> FloatArray:
        """(T, N) e_it / s_i of `rows`."""
        self.require_complete()
        return self.rows / self.s

    @cached_property
    def rbar(self) -> float:
        """Mean correlation of the estimation residuals over all pairs; see `mean_correlation`."""
        self.require_complete()
        if self.names < 2:
            raise NotComputableError("needs at least two names")
        return mean_correlation(self.residuals, self.hours)

    @cached_property
    def inflation(self) -> float:
        """1 + (N-1) rbar: how much the correlation inflates the variance of a mean; refused unless above 0."""
        inflation = 1 + (self.names - 1) * self.rbar
        if not inflation > 1e-12:
            raise NotComputableError(f"1 + (N-1) rbar = {inflation:.3g}, not above 0 (rbar {self.rbar:.3f})")
        return inflation

    @cached_property
    def ranks(self) -> FloatArray:
        """(T, N) rank of each estimation residual among those of its security, from 1, ties averaged."""
        return average_ranks(self.rows)

    @cached_property
    def generalised_ranks(self) -> FloatArray:
        """(T + 1, N) ranks / (count + 1) of the M_i values e_it / s_i and, in the last row, SCAR_i / sd(SCAR)."""
        return with_events(self.standardised, self.ranks, (self.scar / spread(self.scar, "SCAR"))[None])

    def require_complete(self) -> None:
        """Refuse a sample of which a part is not defined, so that no figure is silently about fewer names."""
        without = int((~np.isfinite(self.car)).sum())
        still = int((~(self.s > 0)).sum())
        if not self.names:
            raise NotComputableError("no name is measured")
        if without:
            raise NotComputableError(f"{without} of {self.names} names have no return in the window")
        if still:
            raise NotComputableError(f"{still} of {self.names} names have no residual variance")


def pooled(*samples: Sample) -> Sample:
    """The security-events of several dates as one sample.

    Estimation residuals are aligned by calendar day for the correlations, and by their place before the event for the
    tests on ranks and signs: there a row must gather the names as the event day does, those of one date together.

    Args:
        samples: one a date, all with windows of the same length.

    Raises:
        DataError: there is none, or their windows differ in length.
    """
    lengths = sorted({len(one.ar) for one in samples})
    if len(lengths) != 1:
        found = f"windows of {', '.join(map(str, lengths)) or 'no'} days"
        raise DataError(Problem("pooled", found, "pool samples of one window"))
    days, residuals = by_day([one.days for one in samples], [one.residuals for one in samples])
    apart = Portfolio(None, SEVERAL_DATES)
    depth = max(len(one.rows) for one in samples)
    before = [np.pad(one.rows, ((depth - len(one.rows), 0), (0, 0)), constant_values=np.nan) for one in samples]
    figures = side_by_side(samples)
    hours = np.concatenate([np.zeros(one.names) if one.hours is None else one.hours for one in samples])
    return Sample(days, residuals, **figures, portfolio=apart, weighted=apart, by_event=np.hstack(before), hours=hours)


def side_by_side(parts: Sequence[AbnormalReturns] | Sequence[Sample]) -> dict[str, Any]:
    """The figures by security of several fits or samples, one after the other."""
    names = ("ar", "se_ar", "car", "se_car", "s", "sessions", "df")
    return {name: np.concatenate([getattr(part, name) for part in parts], axis=-1) for name in names}


def by_day(days: list[npt.NDArray[Any]], columns: list[FloatArray]) -> tuple[npt.NDArray[Any], FloatArray]:
    """Columns of several calendars side by side on the union of their days, NaN where a calendar has no such day.

    Days on which no column has a value are left out.
    """
    union = np.unique(np.concatenate(days))
    aligned = np.full((len(union), sum(part.shape[1] for part in columns)), np.nan)
    first = 0
    for here, part in zip(days, columns, strict=True):
        aligned[np.searchsorted(union, here), first : first + part.shape[1]] = part
        first += part.shape[1]
    held = np.isfinite(aligned).any(axis=1)
    return union[held], aligned[held]
