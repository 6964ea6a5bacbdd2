"""Capping solved, not looped: the weights nearest to the uncapped ones that meet every bound.

    minimise  KL(w | u) = sum_i w_i ln(w_i / u_i)   subject to  sum w = 1,  w_i <= c_i,  sum_{i in g} w_i <= G_g

With single-name bounds c and disjoint groups g the optimum is unique and has a closed form (nested water-filling):
w_i = min(c'_i, lambda u_i) with c'_i = min(c_i, x_g u_i), where x_g is the level at which group g reaches its bound.
Iterative clip-and-renormalise reaches neither it nor, often, feasibility.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from exchina.errors import InfeasibleError, Problem

Weights = NDArray[np.float64]
ROUNDING = 1e-12
FEASIBLE = 1 - ROUNDING


@dataclass(frozen=True)
class Bound:
    """One cap rule applied to the members: each member's group and the most that group may weigh.

    Attributes:
        rule: name of the cap in the rulebook.
        groups: group of each member, as integers; a single-name cap puts each member in a group of its own.
        at_most: bound of each member's group, as a fraction of the index.
    """

    rule: str
    groups: NDArray[np.int64]
    at_most: Weights

    @property
    def single_name(self) -> bool:
        """Whether each member is bounded on its own."""
        return len(np.unique(self.groups)) == len(self.groups)

    def widened(self, factor: float) -> "Bound":
        """The same bound, multiplied by ``factor`` and at most 1."""
        return Bound(self.rule, self.groups, np.minimum(self.at_most * factor, 1.0))


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
    order = np.argsort(bounds / weights, kind="stable")
    capped = np.concatenate([[0.0], np.cumsum(bounds[order])[:-1]])
    free = np.cumsum(weights[order][::-1])[::-1]
    levels = (total - capped) / free
    first = int(np.argmax(levels <= (bounds / weights)[order]))
    level = float(levels[first])
    return np.minimum(bounds, level * weights), level


def capped_weights(weights: Weights, bounds: list[Bound]) -> Weights:
    """The optimum of the stated problem, exact to rounding.

    Args:
        weights: u, uncapped, all > 0, sum 1.
        bounds: any number of single-name bounds and at most one set of disjoint groups.

    Raises:
        InfeasibleError: the bounds cannot carry the whole index, or two sets of groups overlap.
    """
    if room(weights, bounds) < FEASIBLE:
        raise InfeasibleError(*clashes(weights, bounds))
    filled, _ = water_fill(weights, _tightened(weights, bounds), 1.0)
    return filled / filled.sum()


def room(weights: Weights, bounds: list[Bound]) -> float:
    """The most that all members together may weigh under the bounds; below 1 no basket exists."""
    return float(_tightened(weights, bounds).sum())


def _tightened(weights: Weights, bounds: list[Bound]) -> Weights:
    """Single-name bounds that say the same as the single-name and the group bounds together."""
    single = [bound.at_most for bound in bounds if bound.single_name]
    names = np.minimum.reduce([np.ones_like(weights), *single])
    for groups in _groups(bounds):
        for group in np.unique(groups.groups):
            inside = groups.groups == group
            limit = float(groups.at_most[inside].min())
            names[inside], _ = water_fill(weights[inside], names[inside], limit)
    return names


def _groups(bounds: list[Bound]) -> list[Bound]:
    grouped = [bound for bound in bounds if not bound.single_name]
    if len(grouped) > 1:
        both = " and ".join(repr(bound.rule) for bound in grouped)
        hint = "keep one of them; overlapping groups need a solver that this version does not have"
        raise InfeasibleError(Problem("cap", f"the groups of {both} overlap", hint))
    return grouped


def clashes(weights: Weights, bounds: list[Bound]) -> list[Problem]:
    """Which bounds stand in the way, with the arithmetic."""
    shortfall = f"{len(weights)} members under all caps together can carry {room(weights, bounds):.2%}, not 100 %"
    alone = [(bound.rule, room(weights, [bound])) for bound in bounds]
    tight = ", ".join(f"{rule} alone {share:.2%}" for rule, share in alone if share < 1)
    return [Problem("cap", shortfall + (f": {tight}" if tight else ""), "loosen a cap or let more companies in")]


def widen_until_feasible(weights: Weights, bounds: list[Bound], rule: str) -> tuple[list[Bound], float]:
    """Multiply the bounds of one rule by the smallest factor that makes a basket possible.

    Room grows with the factor, so it is found by bisection to the last bit. Where no factor is enough, the rule is
    lifted altogether (factor infinite), so that the next step of a ladder need only do the rest.
    """

    def widened(factor: float) -> list[Bound]:
        return [bound.widened(factor) if bound.rule == rule else bound for bound in bounds]

    tightest = min(
        (bound.at_most[bound.at_most > 0].min(initial=1.0) for bound in bounds if bound.rule == rule), default=1.0
    )
    low, high = 1.0, 1.0 / float(tightest)
    if room(weights, widened(high)) < FEASIBLE:
        return widened(high), np.inf
    for _ in range(100):
        middle = (low + high) / 2
        low, high = (low, middle) if room(weights, widened(middle)) >= FEASIBLE else (middle, high)
    return widened(high), high
