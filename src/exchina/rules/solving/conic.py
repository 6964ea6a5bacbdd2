"""Limits that overlap: Clarabel's exponential cone, with a lower bound on the optimum that holds whatever it did.

    minimise sum r   subject to  (-r_i, w_i, u_i) in K_exp, that is w_i ln(w_i / u_i) <= r_i,  and linear limits

For multipliers mu >= 0 of limits a_j w <= b_j, every w with sum 1 has KL >= -ln sum_i u_i exp(-(A' mu)_i) - mu b.
So the multipliers that the solver found prove how good its answer is, to rounding, even if it stopped early.
"""

from dataclasses import dataclass
from importlib import import_module
from typing import Any

import numpy as np
from numpy.typing import NDArray

from exchina.rules.solving.bounds import Weights
from exchina.rules.solving.limits import Excess, Limits

Matrix = NDArray[np.float64]
SAME = 1e-12


@dataclass(frozen=True)
class Linear:
    """matrix @ w <= limit, or = where ``equal``: every linear limit of a problem but sum w = 1."""

    matrix: Matrix
    limit: Weights
    equal: NDArray[np.bool_]


@dataclass(frozen=True)
class Relaxed:
    """Weights near the optimum, the multipliers of the linear limits and of the excesses, and a proven lower bound.

    Attributes:
        weights: w.
        multipliers: of each row of `linear`.
        shares: of each excess, the multiplier of the whole and those of its units.
        least: no admissible weights have a smaller KL.
    """

    weights: Weights
    multipliers: Weights
    shares: tuple[tuple[float, Weights], ...]
    least: float


def linear(limits: Limits) -> Linear:
    """Bounds on names, then on groups; one equality where both sides are the same."""
    names = np.eye(len(limits.upper))
    blocks = [
        _two_sided(names, limits.lower, limits.upper),
        _two_sided(limits.rows.astype(float), limits.low, limits.high),
    ]
    matrix, limit, equal = (np.concatenate(parts) for parts in zip(*blocks, strict=True))
    return Linear(matrix, limit, equal)


def _two_sided(rows: Matrix, low: Weights, high: Weights) -> tuple[Matrix, Weights, NDArray[np.bool_]]:
    same = np.abs(high - low) <= SAME
    above, below = (high < 1) & ~same, (low > 0) & ~same
    matrix = np.vstack([rows[same], rows[above], -rows[below]])
    limit = np.concatenate([high[same], high[above], -low[below]])
    return matrix, limit, np.arange(len(limit)) < same.sum()


def relaxed(weights: Weights, limits: Limits) -> Relaxed | None:
    """The optimum to about 1e-8 and its proof; None where the solver finds that no weights meet the limits."""
    from scipy import sparse

    clarabel: Any = import_module("clarabel")  # a compiled module without type stubs

    if (limits.lower > limits.upper + SAME).any() or (limits.low > limits.high + SAME).any():
        return None
    lines = linear(limits)
    matrix, right, equal = program(lines, limits.excesses, len(weights))
    count, extra = len(weights), matrix.shape[1] - 2 * len(weights)
    cone = np.zeros((3 * count, matrix.shape[1]))
    cone[np.arange(0, 3 * count, 3), count + np.arange(count)] = 1.0
    cone[np.arange(1, 3 * count, 3), np.arange(count)] = -1.0
    order = np.argsort(~equal, kind="stable")
    tail = np.zeros(3 * count)
    tail[2::3] = weights
    cones: list[Any] = [clarabel.ZeroConeT(int(equal.sum())), clarabel.NonnegativeConeT(int((~equal).sum()))]
    cones += [clarabel.ExponentialConeT()] * count
    solver = clarabel.DefaultSolver(
        sparse.csc_matrix((matrix.shape[1], matrix.shape[1])),
        np.concatenate([np.zeros(count), np.ones(count), np.zeros(extra)]),
        sparse.csc_matrix(np.vstack([matrix[order], cone])),
        np.concatenate([right[order], tail]),
        cones,
        _settings(clarabel),
    )
    found = solver.solve()
    if "Infeasible" in str(found.status):
        return None
    prices = np.empty(len(right))
    prices[order] = np.array(found.z)[: len(right)]
    return _read(weights, limits, lines, np.array(found.x)[:count], prices)


def _settings(clarabel: Any) -> Any:
    chosen = clarabel.DefaultSettings()
    chosen.verbose = False
    chosen.max_threads = 1
    chosen.tol_gap_abs = chosen.tol_gap_rel = chosen.tol_feas = 1e-10
    return chosen


def program(lines: Linear, excesses: tuple[Excess, ...], count: int) -> tuple[Matrix, Weights, NDArray[np.bool_]]:
    """Rows over (w, r, extra variables of each excess): sum w = 1, the linear limits, the excesses."""
    width = 2 * count + sum(len(one.units) + 1 for one in excesses)
    blocks = [np.zeros((1, width)), np.zeros((len(lines.limit), width))]
    blocks[0][0, :count] = 1.0
    blocks[1][:, :count] = lines.matrix
    right, equal = [np.ones(1), lines.limit], [np.ones(1, bool), lines.equal]
    start = 2 * count
    for one in excesses:
        size = len(one.units)
        block = np.zeros((2 * size + 2, width))
        parts, level = slice(start, start + size), start + size
        block[0, :count], block[0, parts], block[0, level] = one.whole, one.slopes, one.count
        block[1 : size + 1, :count] = one.units
        block[1 : size + 1, parts] = -np.eye(size)
        block[size + 1 : 2 * size + 1, parts] = -np.eye(size)
        block[1 : size + 1, level] = -1.0
        block[-1, level] = 1.0
        blocks.append(block)
        fixed = one.level is not None
        right.append(np.concatenate([[one.at_most], np.zeros(2 * size), [1.0 if one.level is None else one.level]]))
        equal.append(np.concatenate([np.zeros(2 * size + 1, bool), [fixed]]))
        start += size + 1
    return np.vstack(blocks), np.concatenate(right), np.concatenate(equal)


def _read(weights: Weights, limits: Limits, lines: Linear, found: Weights, prices: Weights) -> Relaxed:
    multipliers = prices[1 : len(lines.limit) + 1]
    multipliers = np.where(lines.equal, multipliers, np.maximum(multipliers, 0.0))
    shares: list[tuple[float, Weights]] = []
    start = len(lines.limit) + 1
    for one in limits.excesses:
        whole = max(float(prices[start]), 0.0)
        shares.append((whole, np.clip(prices[start + 1 : start + 1 + len(one.units)], 0.0, one.slopes * whole)))
        start += 2 * len(one.units) + 2
    least = proven(weights, limits, lines, multipliers, tuple(shares))
    return Relaxed(np.maximum(found, 0.0), multipliers, tuple(shares), least)


def proven(
    weights: Weights,
    limits: Limits,
    lines: Linear,
    multipliers: Weights,
    shares: tuple[tuple[float, Weights], ...],
) -> float:
    """The lower bound on KL that multipliers prove (>= 0 where a limit is no equality)."""
    slope, height = lines.matrix.T @ multipliers, float(lines.limit @ multipliers)
    for one, (whole, parts) in zip(limits.excesses, shares, strict=True):
        slope = slope + parts @ one.units.astype(float)
        if one.level is None:
            height += max(float(parts.max(initial=0.0)), float(parts.sum()) / one.count) * one.at_most
        else:
            slope = slope + whole * one.whole
            height += whole * one.at_most + float(parts.sum()) * one.level
    lowest = float((-slope).max())
    return -(lowest + float(np.log((weights * np.exp(-slope - lowest)).sum()))) - height
