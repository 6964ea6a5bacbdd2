"""What a test says: a value with its two-sided p, or the reason why there is none."""

from dataclasses import dataclass
from typing import Literal, NamedTuple, TypeAlias

import numpy as np
import numpy.typing as npt
from scipy.special import ndtr, stdtr

FloatArray: TypeAlias = npt.NDArray[np.float64]
Kind: TypeAlias = Literal["essential", "secondary", "diagnostic"]


class NotComputableError(Exception):
    """A figure is not defined for this sample; the message is the reason, in words for the reader."""


class Outcome(NamedTuple):
    """One computed test: ``p`` is two-sided; ``df`` None means the normal or an exact null distribution."""

    value: float
    p: float
    df: int | None = None
    note: str = ""


@dataclass(frozen=True, slots=True)
class Statistic:
    """One test as it is printed.

    Attributes:
        name: as it is entered in the register.
        label: as it is printed.
        value: the statistic, dimensionless (of the placebo: the CAR); None where it is not computable.
        df: degrees of freedom of Student's t (of the placebo: how many windows); None for the normal or an exact null.
        p: two-sided p-value; None where the statistic is not computable.
        kind: ``essential``, ``secondary``, or ``diagnostic`` (printed with its warning, never as the headline).
        note: why it is not computable, or the warning that belongs beside it.
    """

    name: str
    label: str
    value: float | None
    df: int | None
    p: float | None
    kind: Kind
    note: str = ""


def student(value: float, df: int, note: str = "") -> Outcome:
    """A value against Student's t, two-sided."""
    return Outcome(float(value), float(2 * stdtr(df, -abs(value))), int(df), note)


def normal(value: float, note: str = "") -> Outcome:
    """A value against the standard normal distribution, two-sided."""
    return Outcome(float(value), float(2 * ndtr(-abs(value))), None, note)


def mean_over_error(values: FloatArray, what: str) -> float:
    """mean(x) / (sd(x) / sqrt n), sd with n - 1.

    Args:
        values: (n,) independent under the null.
        what: they are called in a reason.

    Raises:
        NotComputableError: fewer than two, or they do not differ.
    """
    return float(values.mean() / (spread(values, what) / np.sqrt(values.size)))


def spread(values: FloatArray, what: str) -> float:
    """Standard deviation with n - 1; refuses fewer than two values, and values all equal to rounding."""
    if values.size < 2:
        raise NotComputableError(f"needs at least two {what}")
    deviation = float(values.std(ddof=1))
    if not deviation > 1e-13 * np.abs(values).max():
        raise NotComputableError(f"the {what} are all equal")
    return deviation
