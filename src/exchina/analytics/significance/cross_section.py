"""Tests on the spread of the CAR over the names."""

from typing import NamedTuple

import numpy as np

from exchina.analytics.significance.outcome import (
    FloatArray,
    NotComputableError,
    Outcome,
    mean_over_error,
    normal,
    spread,
    student,
)
from exchina.analytics.significance.register import statistic
from exchina.analytics.significance.security_events import Sample


class Skewness(NamedTuple):
    """Skewness-adjusted t of some values, in both forms, with what they are made of."""

    mean: float
    deviation: float
    skewness: float
    plain: Outcome
    johnson: Outcome
    hall: Outcome


def skewness_adjusted(values: FloatArray) -> Skewness:
    """Skewness-adjusted t-tests that a mean is zero; for BHAR and other long windows.

    S = mean / sd, g = n / ((n-1)(n-2)) sum (x - xbar)^3 / sd^3 (sd with n - 1).
    Johnson (Lyon, Barber and Tsai 1999): sqrt n (S + g S^2 / 3 + g / (6 n)), t with n - 1.
    Hall (1992): sqrt n (S + g S^2 / 3 + g^2 S^3 / 27 + g / (6 n)), N(0,1).

    Args:
        values: (n,), at least three that differ.

    Raises:
        NotComputableError: fewer than three values, or all equal.
    """
    n = values.size
    if n < 3:
        raise NotComputableError("needs at least three values")
    deviation = spread(values, "values")
    mean = float(values.mean())
    scaled = mean / deviation
    g = skewness(values)
    adjusted = scaled + g * scaled**2 / 3 + g / (6 * n)
    johnson = student(np.sqrt(n) * adjusted, n - 1)
    hall = normal(np.sqrt(n) * (adjusted + g**2 * scaled**3 / 27))
    return Skewness(mean, deviation, g, student(np.sqrt(n) * scaled, n - 1), johnson, hall)


def skewness(values: FloatArray) -> float:
    """g = n / ((n-1)(n-2)) sum (x - xbar)^3 / sd^3 of at least three values that differ."""
    n = values.size
    scaled = (values - values.mean()) / values.std(ddof=1)
    return float(n / ((n - 1) * (n - 2)) * (scaled * scaled * scaled).sum())


@statistic("cross_section", "diagnostic", "independent")
def cross_section(sample: Sample) -> Outcome:
    """Cross-section t: CAAR / (sd(CAR) / sqrt N), t with N - 1."""
    return student(mean_over_error(_car(sample), "CAR"), sample.names - 1)


@statistic("skewness_johnson", "diagnostic", "independent")
def skewness_johnson(sample: Sample) -> Outcome:
    """Skewness-adjusted t (Johnson): of the CAR, see `skewness_adjusted`, t with N - 1."""
    return skewness_adjusted(_car(sample)).johnson


@statistic("skewness_hall", "diagnostic", "independent")
def skewness_hall(sample: Sample) -> Outcome:
    """Skewness-adjusted t (Hall): of the CAR, see `skewness_adjusted`, N(0,1)."""
    return skewness_adjusted(_car(sample)).hall


def _car(sample: Sample) -> FloatArray:
    sample.require_complete()
    return sample.car
