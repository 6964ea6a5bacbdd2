"""Randomness by name: each quantity draws from a stream of its own, so that one more leaves the others as they were."""

from hashlib import sha256
from statistics import NormalDist
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

Floats: TypeAlias = NDArray[np.float64]
Days: TypeAlias = NDArray[np.datetime64]
DEGREES_OF_FREEDOM = 4


def chance(*words: object) -> float:
    """A number in (0, 1) that depends on nothing but the words.

    Example:
        >>> chance(1, "lynas") == chance(1, "lynas") != chance(2, "lynas")
        True
    """
    return ((_digest(words) >> 75) + 0.5) / 2**53


def between(low: float, high: float, *words: object) -> float:
    """A number in (low, high), evenly spread over different words."""
    return low + (high - low) * chance(*words)


def spread(deviation: float, *words: object) -> float:
    """A lognormal factor with median 1 and this standard deviation of its logarithm."""
    return float(np.exp(deviation * NormalDist().inv_cdf(chance(*words))))


def stream(*words: object) -> np.random.Generator:
    """The generator that belongs to the words; its first n draws are the same however many follow."""
    return np.random.Generator(np.random.PCG64(_digest(words)))


def fat_tailed(size: int, *words: object) -> Floats:
    """Independent Student t draws with 4 degrees of freedom, scaled to variance 1; shape (size,)."""
    scale = np.sqrt((DEGREES_OF_FREEDOM - 2) / DEGREES_OF_FREEDOM)
    return stream(*words).standard_t(DEGREES_OF_FREEDOM, size) * scale


def reverting(steps: Floats, half_life_days: float) -> Floats:
    """The path that adds each step and forgets: x_t = 2^(-1/h) x_(t-1) + step_t, from x_(-1) = 0; shape (days,).

    Args:
        steps: shape (days,), of fewer than a thousand half-lives.
        half_life_days: h, after which half of a step is left.

    Example:
        >>> reverting(np.array([1.0, 0.0, 0.0]), half_life_days=1).tolist()
        [1.0, 0.5, 0.25]
    """
    growth = 2 ** (np.arange(len(steps)) / half_life_days)
    return np.cumsum(steps * growth) / growth


def _digest(words: tuple[object, ...]) -> int:
    return int.from_bytes(sha256("|".join(map(str, words)).encode()).digest()[:16])
