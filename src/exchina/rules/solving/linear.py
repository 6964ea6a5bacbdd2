"""Linear programmes over the same limits (HiGHS): how much members can carry, and where there is next to no choice."""

from dataclasses import replace

import numpy as np

from exchina.rules.solving.bounds import Weights
from exchina.rules.solving.conic import SAME, linear, program
from exchina.rules.solving.limits import Limits

THIN = 1e-5
TOLERANCE = 1e-10


def carried(limits: Limits) -> tuple[float, Weights] | None:
    """max sum w <= 1 under convex limits, and such weights; None where the limits contradict each other."""
    count = len(limits.upper)
    if (limits.lower > limits.upper + SAME).any() or (limits.low > limits.high + SAME).any():
        return None
    matrix, right, equal = program(linear(limits), limits.excesses, count)
    equal[0] = False
    cost = np.zeros(matrix.shape[1])
    cost[:count] = -1.0
    found = _solved(cost, matrix, right, equal, count)
    return None if found is None else (float(found[:count].sum()), found[:count])


def fixed_where_thin(limits: Limits) -> Limits | None:
    """Limits that leave next to no choice as equalities, at weights that meet them all; None where none do.

    Of all weights that meet the limits it takes those with the most slack, counted up to 0.001 on each limit.
    """
    count = len(limits.upper)
    lines = linear(limits)
    matrix, right, equal = program(lines, limits.excesses, count)
    free = np.flatnonzero(~lines.equal)
    slack = np.zeros((len(matrix), len(free)))
    slack[1 + free, np.arange(len(free))] = 1.0
    cost = np.concatenate([np.zeros(matrix.shape[1]), -np.ones(len(free))])
    found = _solved(cost, np.hstack([matrix, slack]), right, equal, count, most=1e-3)
    if found is None:
        return None
    weights = found[:count]
    sums = limits.rows @ weights
    tight = (limits.upper - weights < THIN) | ((limits.lower > 0) & (weights - limits.lower < THIN))
    tied = (limits.high - sums < THIN) | ((limits.low > 0) & (sums - limits.low < THIN))
    return replace(
        limits,
        lower=np.where(tight, weights, limits.lower),
        upper=np.where(tight, weights, limits.upper),
        low=np.where(tied, sums, limits.low),
        high=np.where(tied, sums, limits.high),
    )


def _solved(
    cost: Weights, matrix: np.ndarray, right: Weights, equal: np.ndarray, count: int, *, most: float | None = None
) -> Weights | None:
    from scipy.optimize import linprog

    bounds: list[tuple[float | None, float | None]] = [(0.0, None) for _ in range(count)]
    bounds += [(None, None) for _ in range(len(cost) - count)]
    if most is not None:
        slacks = int((cost < 0).sum())
        bounds[len(cost) - slacks :] = [(0.0, most)] * slacks
    found = linprog(
        cost,
        A_ub=matrix[~equal],
        b_ub=right[~equal],
        A_eq=matrix[equal] if equal.any() else None,
        b_eq=right[equal] if equal.any() else None,
        bounds=bounds,
        options={"primal_feasibility_tolerance": TOLERANCE, "dual_feasibility_tolerance": TOLERANCE},
    )
    return None if found.x is None else np.asarray(found.x)
