"""Concentration rules such as 5/10/40, exactly: which units are large is chosen, and the best choice is a prefix.

With equal caps h the best large set is the k largest uncapped units for some k (an exchange of two units that stand the
wrong way round never moves weights away from the uncapped ones), so one water-filling for each k finds the optimum. A
unit weighs more than t only if k t < Z, so k stays below Z / t.
"""

from dataclasses import dataclass
from math import floor

import numpy as np
from numpy.typing import NDArray

from exchina.rules.solving.bounds import Weights
from exchina.rules.solving.limits import EXACT, Large, Limits, Mask, divergence
from exchina.rules.solving.water import filled


@dataclass(frozen=True)
class Choice:
    """Weights under one choice of the large units, and their KL distance."""

    weights: Weights
    distance: float
    heavy: Mask


def fewest_names(at_most: float, threshold: float | None = None, above_at_most: float = 1.0) -> int:
    """The fewest names with which h, or t/h/Z, can be met: the least n with max_k min(Z, k h) + (n - k) t >= 1.

    Args:
        at_most: h, the most that one name may weigh.
        threshold: t, above which a name is large; None: only h counts.
        above_at_most: Z, the most that the large names may weigh together.

    Example:
        >>> fewest_names(0.1), fewest_names(0.1, 0.05, 0.4), fewest_names(0.25, 0.05, 0.5)
        (10, 16, 12)
    """
    count = 1
    while most_carried(np.full(count, at_most), threshold, above_at_most) < 1 - EXACT:
        count += 1
    return count


def most_carried(upper: Weights, threshold: float | None, above_at_most: float) -> float:
    """The most that names with bounds of their own can weigh together under a concentration rule: max over k large."""
    if threshold is None:
        return float(upper.sum())
    small = np.minimum(upper, threshold)
    order = np.argsort(-upper, kind="stable")
    large = np.minimum(np.concatenate([[0.0], np.cumsum(upper[order])]), above_at_most)
    rest = np.concatenate([[0.0], np.cumsum(small[order][::-1])])[::-1]
    return float((large + rest).max())


def declared_order(weights: Weights) -> NDArray[np.int64]:
    """Larger first, at twelve significant digits; equals in the order of the rows. So two machines agree on ties."""
    digits = 12 - 1 - np.floor(np.log10(np.maximum(weights, 1e-300)))
    rounded = np.rint(weights * 10.0**digits) / 10.0**digits
    return np.argsort(-rounded, kind="stable")


def prefix_holds(weights: Weights, limits: Limits, large: tuple[Large, ...]) -> bool:
    """Whether the best large set is surely a prefix: one rule on names, and no larger name has a lower cap."""
    if len(large) != 1 or len(limits.rows) or limits.excesses or limits.lower.any():
        return False
    ordered = limits.upper[declared_order(weights)]
    return len(np.unique(large[0].groups)) == len(weights) and bool((np.diff(ordered) <= EXACT).all())


def by_prefix(weights: Weights, limits: Limits, rule: Large) -> list[Choice]:
    """The best choice first, then the next-best with other large units; empty where there is none.

    The next-best is among the other prefixes and the best prefix with its last unit exchanged for the first one after.
    """
    order = declared_order(weights)
    most = min(len(weights), floor(rule.at_most / rule.threshold + 1)) if rule.threshold > 0 else len(weights)
    choices = [choice for k in range(most + 1) if (choice := _chosen(weights, limits, rule, order[:k])) is not None]
    if not choices:
        return []
    best = min(choices, key=lambda choice: choice.distance)
    count = int(best.heavy.sum())
    if 0 < count < len(weights):
        swapped = _chosen(weights, limits, rule, np.append(order[: count - 1], order[count]))
        choices += [] if swapped is None else [swapped]
    others = [choice for choice in choices if (choice.heavy != best.heavy).any()]
    return [best, *sorted(others, key=lambda choice: choice.distance)[:1]]


def _chosen(weights: Weights, limits: Limits, rule: Large, members: NDArray[np.int64]) -> Choice | None:
    inside = np.zeros(len(weights), bool)
    inside[members] = True
    small = Limits(
        limits.lower,
        np.where(inside, limits.upper, np.minimum(limits.upper, rule.threshold)),
        limits.rows,
        limits.low,
        limits.high,
    )
    found = filled(weights, small.capped(inside, rule.at_most))
    return None if found is None else Choice(found, divergence(found, weights), found > rule.threshold + EXACT)
