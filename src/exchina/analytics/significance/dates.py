"""Several policy dates of one class, same securities: the date is the observation, not the security."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from exchina.analytics.significance.battery import stated
from exchina.analytics.significance.flips import sign_flips
from exchina.analytics.significance.outcome import (
    FloatArray,
    NotComputableError,
    Outcome,
    Statistic,
    mean_over_error,
    normal,
    student,
)
from exchina.analytics.significance.security_events import IntArray, Sample
from exchina.analytics.significance.standardised import kp_bmp
from exchina.errors import DataError, Problem

FEWEST_DATES = 6
FEW = f"fewer than {FEWEST_DATES} dates: description only, no claim"
POOLED = "refused: pooling security-events as independent rejects 44-60 % of true nulls"
CALM = "assumes that the event does not raise the variance: rejects 16-17 % of true nulls where it doubles"


@dataclass(frozen=True)
class Dates:
    """The equal-weighted portfolio of each of J dates.

    Attributes:
        car: (J,) CAR of the portfolio, fractions of 1.
        t: (J,) CAR / se(CAR) of the portfolio regression.
        df: (J,) its degrees of freedom M - K.
        note: how many dates were left out, and why.
    """

    car: FloatArray
    t: FloatArray
    df: IntArray
    note: str = ""


def dated(samples: Sequence[Sample], signs: Sequence[int] | None = None) -> Dates:
    """The portfolio regressions of several dates of one declared class; a date without one is left out, and noted.

    Args:
        samples: one a date.
        signs: +1 or -1 a date, the direction expected before the returns were looked at; all +1 by default.

    Raises:
        DataError: not one sign a date.
    """
    expected = [1] * len(samples) if signs is None else list(signs)
    if len(expected) != len(samples) or not set(expected) <= {1, -1}:
        raise DataError(Problem("dates.signs", f"{expected} for {len(samples)} dates", "+1 or -1 for each date"))
    found = [(sign, one.portfolio.fit) for sign, one in zip(expected, samples, strict=True)]
    kept = [(sign, fit) for sign, fit in found if fit is not None and fit.se_car[0] > 0]
    reasons = sorted({one.portfolio.note or "no residual variance" for one in samples if one.portfolio.fit is None})
    left_out = len(samples) - len(kept)
    return Dates(
        car=np.array([sign * fit.car[0] for sign, fit in kept], float),
        t=np.array([sign * fit.car[0] / fit.se_car[0] for sign, fit in kept], float),
        df=np.array([fit.df[0] for _, fit in kept], np.int64),
        note=f"{left_out} of {len(samples)} dates left out: {'; '.join(reasons)}" if left_out else "",
    )


def date_battery(dates: Dates, security_events: Sample | None = None, *, seed: int = 0) -> tuple[Statistic, ...]:
    """The tests over J dates, the headline first.

    date_bmp        mean(t_j) / (sd(t_j) / sqrt J), t with J - 1
    wild_cluster    share of the sign vectors of t_j with |sum| as large (see `exchina.analytics.significance.flips`)
    date_mean       mean(A_j) / (sd(A_j) / sqrt J), t with J - 1
    pooled_kp_bmp   KP-BMP of all security-events, correlations by calendar day
    jaffe           sum t_j / sqrt(sum df_j / (df_j - 2)), N(0,1)
    pooled_as_independent   never computed

    Args:
        dates: result of `dated`.
        security_events: of the same dates, result of `exchina.analytics.significance.security_events.pooled`.
        seed: of the draws, where there are more than 16 dates.
    """
    few = "; ".join(part for part in (FEW if dates.t.size < FEWEST_DATES else "", dates.note) if part)
    return (
        stated("date_bmp", "Date BMP t", "essential", lambda: _over(dates.t, "date-level t"), few),
        stated("wild_cluster", "Wild cluster sign flips", "essential", lambda: _flipped(dates.t, seed), few),
        stated("date_mean", "Date mean t", "secondary", lambda: _over(dates.car, "date-level CAR"), few),
        stated("pooled_kp_bmp", "Pooled Kolari-Pynnonen BMP t", "secondary", lambda: _pooled(security_events), few),
        stated("jaffe", "Jaffe z", "diagnostic", lambda: _jaffe(dates), "; ".join(p for p in (CALM, few) if p)),
        Statistic("pooled_as_independent", "Pooled as independent", None, None, None, "diagnostic", POOLED),
    )


def contrast(first: Dates, second: Dates, *, seed: int = 0) -> tuple[Statistic, ...]:
    """Whether two groups, such as stages of the supply chain, moved differently on the same J dates.

    d_j = t_j of the first less t_j of the second, paired by date: mean(d) / (sd(d) / sqrt J) against t with J - 1, and
    all sign vectors of d. "Significant here, not there" is no difference; this is.

    Args:
        first: one group.
        second: the other, on the same dates in the same order.
        seed: of the draws, where there are more than 16 dates.

    Raises:
        DataError: a date is missing in one of them.
    """
    if first.t.size != second.t.size or first.note or second.note:
        what = f"{first.t.size} and {second.t.size} dates. {first.note} {second.note}".strip()
        raise DataError(Problem("contrast", what, "give both groups on the dates on which both can be measured"))
    difference = first.t - second.t
    few = FEW if difference.size < FEWEST_DATES else ""
    return (
        stated("contrast", "Contrast by date t", "essential", lambda: _over(difference, "differences"), few),
        stated("contrast_flips", "Contrast sign flips", "essential", lambda: _flipped(difference, seed), few),
    )


def _over(values: FloatArray, what: str) -> Outcome:
    return student(mean_over_error(values, what), values.size - 1)


def _flipped(values: FloatArray, seed: int) -> Outcome:
    if values.size < 2:
        raise NotComputableError("needs at least two dates")
    flips = sign_flips(values, seed=seed)
    return Outcome(float(values.sum()), flips.p, None, flips.note)


def _pooled(security_events: Sample | None) -> Outcome:
    if security_events is None:
        raise NotComputableError("the security-events were not given")
    return kp_bmp(security_events)


def _jaffe(dates: Dates) -> Outcome:
    if not dates.t.size or (dates.df <= 2).any():
        raise NotComputableError("undefined: no date, or a date with M - K of 2 or less")
    return normal(dates.t.sum() / np.sqrt((dates.df / (dates.df - 2)).sum()))
