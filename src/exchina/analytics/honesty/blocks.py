"""Blocks of sessions drawn again and again: how long they should be, and which sessions each draw holds.

A draw of the stationary bootstrap (Politis and Romano 1994) is a row of blocks that start anywhere, have geometric
lengths and run round the end of the sample. What is asked of its mean alone needs no order: `stationary_counts` says
how often each session is in a draw, so that the means of many series are one matrix product.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TypeAlias

import numpy as np
import numpy.typing as npt

from exchina.analytics.honesty.sharpe import FloatArray, varies
from exchina.errors import DataError, Problem

IntArray: TypeAlias = npt.NDArray[np.int64]
SHORTEST_SAMPLE = 10
CHUNK = 250


@dataclass(frozen=True)
class BlockLength:
    """Best mean block of the stationary and best block of the circular bootstrap, each (K,), in periods.

    Below 1 for a series without autocorrelation: draw single periods then, as `mean_block` does.
    """

    stationary: FloatArray
    circular: FloatArray

    def mean_block(self) -> float:
        """One mean block for all series: the mean over the series, at least 1."""
        return max(1.0, float(self.stationary.mean()))


def block_length(series: FloatArray) -> BlockLength:
    """Block lengths of Politis and White (2004), corrected by Patton, Politis and White (2009).

        b = (2 G^2 / D)^(1/3) n^(1/3), D = 2 g0^2 (stationary) or 4/3 g0^2 (circular), at most ceil(min(3 sqrt n, n/3))
        G = 2 sum lam(k/M) k R(k), g0 = R(0) + 2 sum lam(k/M) R(k), lam(u) = 1 to u = 1/2, then 2 (1 - u)

    with R(k) the sample autocovariances (divided by n), M = min(2 m, ceil(sqrt n) + c), c = max(5, log10 n), and m the
    first lag of the first c correlations in a row with |R(k)/R(0)| < 2 sqrt(log10 n / n); M is its limit without such
    a row.

    Args:
        series: (n,) or (n, K) numbers per period.

    Raises:
        DataError: fewer than 10 periods, a number missing, or a series that never changes.
    """
    values = _checked(series)
    n = len(values)
    run = max(5, int(np.log10(n)))
    most = int(np.ceil(np.sqrt(n))) + run
    deviation = values - values.mean(axis=0)
    covariances = np.array([np.einsum("tk,tk->k", deviation[k:], deviation[: n - k]) for k in range(most + 1)]) / n
    small = np.abs(covariances[1:most]) < 2 * np.sqrt(np.log10(n) / n) * covariances[0]
    runs = np.lib.stride_tricks.sliding_window_view(small, run, axis=0).all(axis=-1)
    widths = np.where(runs.any(axis=0), 2 * (runs.argmax(axis=0) + 1), most)
    width = np.minimum(widths, most)
    lags = np.arange(1, most + 1)[:, None]
    window = np.clip(2 * (1 - lags / width), 0, 1)
    slope = 2 * (window * lags * covariances[1:]).sum(axis=0)
    spectrum = covariances[0] + 2 * (window * covariances[1:]).sum(axis=0)
    with np.errstate(divide="ignore", over="ignore"):
        base = np.cbrt(slope**2 / spectrum**2 * n)
    longest = np.ceil(min(3 * np.sqrt(n), n / 3))
    return BlockLength(np.minimum(base, longest), np.minimum(np.cbrt(1.5) * base, longest))


def stationary_indices(periods: int, *, mean_block: float, draws: int, seed: int) -> IntArray:
    """Sessions of each draw of the stationary bootstrap, in order.

    Args:
        periods: n, length of the sample and of each draw.
        mean_block: mean length of a block, 1 or more; a block ends after each period with chance 1 / mean_block.
        draws: B.
        seed: seed of the random numbers; the same seed gives the draws of `stationary_counts`.

    Returns:
        (B, n) rows of the sample.

    Raises:
        DataError: a size below 1.
    """
    parts = [_in_order(*blocks, periods) for blocks in _drawn(periods, mean_block, draws, seed)]
    return np.concatenate(parts)


def stationary_counts(periods: int, *, mean_block: float, draws: int, seed: int) -> Iterator[FloatArray]:
    """How often each session is in each draw of `stationary_indices`, some draws at a time.

    Yields:
        (at most 250, n) counts; each row sums to n.

    Raises:
        DataError: a size below 1.
    """
    for starts, lengths in _drawn(periods, mean_block, draws, seed):
        yield _counted(starts, lengths, periods)


def counts_of(indices: IntArray, periods: int) -> Iterator[FloatArray]:
    """How often each session is in each of the given draws, some draws at a time; see `checked_indices`."""
    for first in range(0, len(indices), CHUNK):
        part = indices[first : first + CHUNK]
        flat = part + periods * np.arange(len(part))[:, None]
        yield np.bincount(flat.ravel(), minlength=len(part) * periods).reshape(-1, periods).astype(np.float64)


def checked_indices(indices: IntArray, periods: int) -> IntArray:
    """Draws made elsewhere, refused where they do not fit the sample.

    Args:
        indices: (B, n) rows of the sample.
        periods: n.

    Raises:
        DataError: another shape, or a row that the sample does not have.
    """
    rows = np.asarray(indices)
    if rows.ndim != 2 or rows.shape[1] != periods or not len(rows):
        raise DataError(Problem("indices", f"shape {rows.shape}", f"draws x {periods}, the periods of the sample"))
    if not np.issubdtype(rows.dtype, np.integer) or rows.min() < 0 or rows.max() >= periods:
        raise DataError(Problem("indices", "not all are rows of the sample", f"whole numbers from 0 to {periods - 1}"))
    return rows.astype(np.int64)


def _checked(series: FloatArray) -> FloatArray:
    values = np.asarray(series, np.float64)
    values = values[:, None] if values.ndim == 1 else values
    if len(values) < SHORTEST_SAMPLE:
        raise DataError(Problem("series", f"{len(values)} periods", f"a block length needs {SHORTEST_SAMPLE}"))
    if not np.isfinite(values).all():
        raise DataError(Problem("series", "a number is missing or not finite"))
    still = np.flatnonzero(~varies(values))
    if still.size:
        raise DataError(*(Problem(f"series {column}", "never changes", "leave it out") for column in still))
    return values


def _drawn(periods: int, mean_block: float, draws: int, seed: int) -> Iterator[tuple[IntArray, IntArray]]:
    """Starts and lengths of the blocks of some draws at a time; lengths of a draw sum to the periods."""
    sizes = {"periods": periods, "mean_block": mean_block, "draws": draws}
    problems = [Problem(name, f"{size}", "1 or more") for name, size in sizes.items() if not 1 <= size < np.inf]
    if problems:
        raise DataError(*problems)
    rng = np.random.default_rng(seed)
    usual = periods / mean_block
    columns = int(min(periods, usual + 6 * np.sqrt(usual) + 6))
    for first in range(0, draws, CHUNK):
        rows = min(CHUNK, draws - first)
        lengths = rng.geometric(1 / mean_block, (rows, columns))
        while lengths.sum(axis=1).min() < periods:
            lengths = np.hstack([lengths, rng.geometric(1 / mean_block, (rows, columns))])
        ends = np.minimum(np.cumsum(lengths, axis=1), periods)
        starts = rng.integers(0, periods, lengths.shape)
        yield starts, np.diff(ends, axis=1, prepend=0)


def _in_order(starts: IntArray, lengths: IntArray, periods: int) -> IntArray:
    begins = np.cumsum(lengths, axis=1) - lengths
    shift = np.repeat((starts - begins).ravel(), lengths.ravel()).reshape(-1, periods)
    return (shift + np.arange(periods)) % periods


def _counted(starts: IntArray, lengths: IntArray, periods: int) -> FloatArray:
    """Each block adds one from its start and takes it off at its end; what runs round the end starts again at 0."""
    size = len(starts) * (periods + 1)
    row = np.arange(len(starts))[:, None] * (periods + 1)
    ends = starts + lengths
    over = ends > periods
    change = np.bincount((row + starts).ravel(), minlength=size)
    change += np.bincount(np.broadcast_to(row, over.shape)[over], minlength=size)
    change -= np.bincount((row + ends - periods * over).ravel(), minlength=size)
    return np.cumsum(change.reshape(-1, periods + 1), axis=1, dtype=np.float64)[:, :periods]
