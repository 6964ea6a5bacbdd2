"""Capping solved, not looped: the weights nearest to the uncapped ones that meet every bound.

    minimise  KL(w | u) = sum_i w_i ln(w_i / u_i)   subject to  sum w = 1  and every bound of every cap

Bounds on names and on groups within each other have a closed form (`solving.water`); groups that overlap and sums of
the largest go to a cone solver and are then polished to rounding (`solving.conic`, `solving.polish`); concentration
rules are enumerated where the best large set is a prefix, else branched on (`solving.concentration`, `solving.branch`).
Iterative clip-and-renormalise reaches none of these and hides that no basket exists.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from exchina.errors import InfeasibleError
from exchina.rules.solving.bounds import Bound, Weights, by_group
from exchina.rules.solving.choices import optimum
from exchina.rules.solving.feasibility import clashes
from exchina.rules.solving.limits import divergence, stated

BINDING = 1e-9


@dataclass(frozen=True)
class NextBest:
    """The best weights with another choice of the large names (or of the name in the slot of a 20/35 rule).

    Attributes:
        weights: of those weights.
        joins: members that weigh more than the threshold there and not in the optimum (rows).
        leaves: members that weigh more than the threshold in the optimum and not there (rows).
        distance: KL to the uncapped weights.
        one_way: 0.5 sum |w' - w|, the one-way distance to the optimum.
    """

    weights: Weights
    joins: tuple[int, ...]
    leaves: tuple[int, ...]
    distance: float
    one_way: float


@dataclass(frozen=True)
class Solution:
    """The optimum and how it was found.

    Attributes:
        weights: w, in the order of the members, sum 1.
        distance: KL(w | u).
        gap: how much smaller the KL of another basket could be at most; 0 for a closed form.
        method: ``closed form``, ``cone solver``, ``enumeration`` or ``branch and bound (n nodes)``.
        binding: of each cap that binds, what of it does, in words.
        next_best: of a concentration rule that binds, the next-best choice; None elsewhere. These rules are
            discontinuous: where its distance is near that of the optimum, a small move of prices moves much weight.
        triggered: caps with a trigger that was crossed.
    """

    weights: Weights
    distance: float
    gap: float
    method: str
    binding: Mapping[str, tuple[str, ...]]
    next_best: NextBest | None = None
    triggered: tuple[str, ...] = ()


def solve(weights: Weights, bounds: list[Bound]) -> Solution:
    """The optimum of the stated problem, exact to rounding where closed, to 1e-8 elsewhere.

    Caps with a trigger are left out at first; those whose trigger the weights so found cross are added, until none is.

    Args:
        weights: u, uncapped, all > 0, sum 1; members in their declared order, which decides ties.
        bounds: any number of caps.

    Raises:
        InfeasibleError: no weights meet all bounds; the problem names those that clash.
    """
    always = [bound for bound in bounds if not bound.trigger]
    waiting, fired = [bound for bound in bounds if bound.trigger], list[str]()
    found = _solved(weights, always)
    while due := crossed(found.weights, waiting):
        fired += [bound.rule for bound in due]
        always, waiting = [*always, *due], [bound for bound in waiting if bound.rule not in fired]
        found = _solved(weights, always)
    return replace(found, triggered=tuple(dict.fromkeys(fired)))


def crossed(weights: Weights, bounds: list[Bound]) -> list[Bound]:
    """The caps whose trigger the weights have crossed, without their triggers.

    Args:
        weights: what the index would weigh without them.
        bounds: any caps; those without a trigger are left out.
    """
    due = [bound for bound in bounds if bound.trigger and bound.trigger.crossed(weights, bound.groups)]
    return [replace(bound, trigger=None) for bound in due]


def capped_weights(weights: Weights, bounds: list[Bound]) -> Weights:
    """The weights of `solve` alone."""
    return solve(weights, bounds).weights


def _solved(weights: Weights, bounds: list[Bound]) -> Solution:
    lines = _lines(bounds, len(weights))
    issuers = by_group(lines, weights)
    first = np.unique(lines, return_index=True)[1]
    chosen = optimum(issuers, stated([bound.taken(first) for bound in bounds], len(first)))
    if chosen is None:
        raise InfeasibleError(*clashes(weights, bounds))
    share = weights / issuers[lines]
    found = chosen.point.weights[lines] * share
    other = None if chosen.next_best is None else chosen.next_best.weights[lines] * share
    return Solution(
        found,
        divergence(found, weights),
        chosen.gap,
        chosen.method,
        _binding(found, bounds),
        None if other is None else _next_best(weights, found, other, bounds),
    )


def _lines(bounds: list[Bound], count: int) -> NDArray[np.int64]:
    """Members that every cap treats alike (the lines of one issuer) are one; numbered in the order of the members."""
    if any(bound.single_name for bound in bounds) or not bounds:
        return np.arange(count)
    alike = np.unique(np.stack([bound.groups for bound in bounds]), axis=1, return_index=True, return_inverse=True)
    order = np.argsort(alike[1])
    place = np.empty(len(order), np.int64)
    place[order] = np.arange(len(order))
    return place[alike[2].ravel()]


def _binding(found: Weights, bounds: list[Bound]) -> dict[str, tuple[str, ...]]:
    binding: dict[str, list[str]] = {}
    for bound in bounds:
        said = [*_binding_groups(found, bound), *_binding_sums(found, bound)]
        if said:
            binding.setdefault(bound.rule, []).extend(said)
    return {rule: tuple(said) for rule, said in binding.items()}


def _binding_groups(found: Weights, bound: Bound) -> list[str]:
    sums = by_group(bound.groups, found)
    high, low = np.ones(len(sums)), np.zeros(len(sums))
    np.minimum.at(high, bound.groups, bound.at_most)
    if bound.at_least is not None:
        np.maximum.at(low, bound.groups, bound.at_least)
    above = np.flatnonzero((high < 1) & (np.abs(sums - high) <= BINDING))
    below = np.flatnonzero((low > 0) & (sums <= low + BINDING) & (sums < high - BINDING))
    said = [f"{bound.label(group)} at most {high[group]:.2%}" for group in above.tolist()]
    return said + [f"{bound.label(group)} at least {low[group]:.2%}" for group in below.tolist()]


def _binding_sums(found: Weights, bound: Bound) -> list[str]:
    sums = np.sort(by_group(bound.groups, found))[::-1]
    said: list[str] = []
    if bound.threshold is not None and bound.above_at_most < 1:
        heavy = sums[sums > bound.threshold + 1e-12]
        if heavy.sum() >= bound.above_at_most - BINDING or (np.abs(sums - bound.threshold) <= BINDING).any():
            said.append(f"{len(heavy)} above {bound.threshold:.2%} together {heavy.sum():.2%}")
    if bound.largest is not None and sums[: bound.largest].sum() >= bound.largest_at_most - BINDING:
        said.append(f"largest {bound.largest} together {bound.largest_at_most:.2%}")
    if bound.one_at_most is not None and sums[0] >= bound.one_at_most - BINDING:
        said.append(f"one at {bound.one_at_most:.2%}")
    return said


def _next_best(weights: Weights, found: Weights, other: Weights, bounds: list[Bound]) -> NextBest:
    joins, leaves = set[int](), set[int]()
    for bound in bounds:
        threshold = bound.threshold if bound.one_at_most is None else float(bound.at_most.min())
        if threshold is not None:
            now, then = (by_group(bound.groups, one)[bound.groups] > threshold + 1e-12 for one in (found, other))
            joins |= set(np.flatnonzero(then & ~now).tolist())
            leaves |= set(np.flatnonzero(now & ~then).tolist())
    one_way = float(0.5 * np.abs(other - found).sum())
    return NextBest(other, tuple(sorted(joins)), tuple(sorted(leaves)), divergence(other, weights), one_way)
