"""Water-filling: the closed form where groups are disjoint or lie within each other.

With bounds on names the optimum is w_i = min(max(lambda u_i, l_i), c_i): one level for all. A group that reaches its
limit has a level of its own, which bounds its members for the level of everything around it; so the limits are met from
the smallest group to the whole index.
"""

import numpy as np

from exchina.rules.solving.bounds import Weights
from exchina.rules.solving.limits import Limits

ROUNDING = 1e-12


def water_fill(weights: Weights, bounds: Weights, total: float) -> tuple[Weights, float]:
    """min KL under single-name bounds: w_i = min(c_i, lambda u_i) with sum w = total; also returns lambda.

    Args:
        weights: u, uncapped, all > 0.
        bounds: c, the largest weight of each.
        total: what the weights must sum to; where the bounds cannot carry it, lambda is infinite and w = c.

    Example:
        >>> water_fill(np.array([0.5, 0.3, 0.15, 0.05]), np.full(4, 0.35), 1.0)[0].round(3).tolist()
        [0.35, 0.35, 0.225, 0.075]
    """
    if bounds.sum() <= total * (1 + ROUNDING):
        return bounds.copy(), np.inf
    ratios = bounds / weights
    order = np.argsort(ratios, kind="stable")
    capped = np.concatenate([[0.0], np.cumsum(bounds[order])[:-1]])
    free = np.cumsum(weights[order][::-1])[::-1]
    levels = (total - capped) / free
    first = int(np.argmax(levels <= ratios[order]))
    level = float(levels[first])
    return np.minimum(bounds, level * weights), level


def filled_between(weights: Weights, lower: Weights, upper: Weights, total: float) -> Weights:
    """min KL under bounds on both sides: w_i = min(max(lambda u_i, l_i), c_i) with sum w = total.

    Where the bounds cannot reach the total, w is the bound on that side.

    Example:
        >>> filled_between(np.array([0.5, 0.3, 0.2]), np.array([0, 0, 0.4]), np.ones(3), 1.0).round(3).tolist()
        [0.375, 0.225, 0.4]
    """
    if not lower.any():
        return water_fill(weights, upper, total)[0]
    if upper.sum() <= total * (1 + ROUNDING):
        return upper.copy()
    if lower.sum() >= total * (1 - ROUNDING):
        return lower.copy()
    starts, ends = lower / weights, upper / weights
    levels = np.unique(np.concatenate([starts, ends]))
    below, above = 0, len(levels) - 1
    while above - below > 1:
        middle = (below + above) // 2
        reached = np.clip(levels[middle] * weights, lower, upper).sum() <= total
        below, above = (middle, above) if reached else (below, middle)
    waiting, full = starts >= levels[above], ends <= levels[below]
    free = weights[~waiting & ~full].sum()
    level = (total - lower[waiting].sum() - upper[full].sum()) / free
    return np.clip(level * weights, lower, upper)


def nested(limits: Limits) -> bool:
    """Whether any two bounded groups are disjoint or one lies within the other, and nothing else is bounded."""
    if limits.excesses:
        return False
    if len(limits.rows) < 2:
        return True
    rows = limits.rows.astype(np.int64)
    common, sizes = rows @ rows.T, rows.sum(axis=1)
    return bool(((common == 0) | (common == np.minimum(sizes[:, None], sizes))).all())


def tightened(weights: Weights, limits: Limits) -> tuple[Weights, Weights] | None:
    """Bounds on names that say the same as all nested limits together; None where a group cannot meet its own."""
    lower, upper = limits.lower.copy(), limits.upper.copy()
    if (lower > upper + ROUNDING).any():
        return None
    lower = np.minimum(lower, upper)
    for row in np.argsort(limits.rows.sum(axis=1), kind="stable"):
        inside, high, low = limits.rows[row], float(limits.high[row]), float(limits.low[row])
        if lower[inside].sum() > high + ROUNDING or upper[inside].sum() < low - ROUNDING or low > high + ROUNDING:
            return None
        upper[inside] = filled_between(weights[inside], lower[inside], upper[inside], high)
        if low > 0:
            lower[inside] = filled_between(weights[inside], lower[inside], upper[inside], low)
    return lower, upper


def filled(weights: Weights, limits: Limits) -> Weights | None:
    """The optimum under nested limits, sum w = 1; None where there is none."""
    bounds = tightened(weights, limits)
    if bounds is None or bounds[0].sum() > 1 + ROUNDING or bounds[1].sum() < 1 - ROUNDING:
        return None
    found = filled_between(weights, *bounds, 1.0)
    return found / found.sum()
