"""Concentration rules beside other bounds: branch on a unit being large or not, with convex relaxations.

In a node some units are large (they count in full against Z), some are not (w <= t), the rest is undecided. An
undecided unit with bound h adds at least max(0, w - t) h / (h - t), the convex hull of its two cases. The relaxation's
proven lower bound prunes; where one unit may take the place of another in every limit and is larger before the caps, it
is large first.
"""

import heapq
from dataclasses import dataclass, replace
from itertools import count

import numpy as np
from numpy.typing import NDArray

from exchina.rules.solving.bounds import Groups, Weights, by_group
from exchina.rules.solving.concentration import declared_order
from exchina.rules.solving.conic import relaxed
from exchina.rules.solving.limits import EXACT, Excess, Large, Limits, Mask
from exchina.rules.solving.nearest import Point, nearest

UNDECIDED, IN, OUT = 0, 1, -1
State = NDArray[np.int8]
TOLERANCE = 1e-9
MOST_NODES = 4000
STEEPEST = 1e4


@dataclass(frozen=True)
class Found:
    """The best weights, their KL, the lower bound proven for all others, and how many relaxations that took."""

    point: Point
    least: float
    nodes: int

    @property
    def gap(self) -> float:
        """How much nearer another basket could be at most."""
        return max(self.point.distance - self.least, 0.0)


def branch(weights: Weights, limits: Limits, large: tuple[Large, ...]) -> Found | None:
    """The optimum under convex limits and concentration rules; None where there is none.

    Args:
        weights: u, all > 0.
        limits: the convex part.
        large: the concentration rules.
    """
    before = [ahead(weights, limits, large, rule) for rule in large]
    first = tuple(np.zeros(int(rule.groups.max()) + 1, np.int8) for rule in large)
    best: Point | None = None
    floor, nodes, numbers = np.inf, 0, count()
    tried: set[bytes] = set()
    heap: list[tuple[float, int, tuple[State, ...]]] = [(-np.inf, next(numbers), first)]
    while heap:
        bound, _, states = heapq.heappop(heap)
        target = best.distance if best else np.inf
        if bound >= target - TOLERANCE or nodes >= MOST_NODES:
            floor = min(floor, bound)
            break
        nodes += 1
        near = relaxed(weights, narrowed(limits, large, states))
        if near is None or (least := max(near.least, bound)) >= target - TOLERANCE:
            floor = min(floor, np.inf if near is None else max(near.least, bound))
            continue
        for guess in _guesses(near.weights, large, states):
            key = b"".join(state.tobytes() for state in guess)
            if key not in tried:
                tried.add(key)
                point = nearest(weights, narrowed(limits, large, guess))
                best = point if point and (best is None or point.distance < best.distance - EXACT) else best
        split = splitting(near.weights, limits, large, states)
        if split is None:
            floor = min(floor, least)
            continue
        for value in (IN, OUT):
            following = decided(states, split, value, before)
            if following is not None:
                heapq.heappush(heap, (least, next(numbers), following))
    return None if best is None else Found(best, min(floor, best.distance), nodes)


def narrowed(limits: Limits, large: tuple[Large, ...], states: tuple[State, ...], *, strict: bool = False) -> Limits:
    """The convex limits of a node; ``strict`` asks units that are in to reach the threshold."""
    for rule, state in zip(large, states, strict=True):
        most = _unit_bounds(limits, rule.groups)
        for unit in np.flatnonzero((state == OUT) & (most > rule.threshold)):
            limits = limits.capped(rule.groups == unit, rule.threshold)
        for unit in np.flatnonzero(state == IN) if strict else ():
            limits = limits.capped(rule.groups == unit, 1.0, rule.threshold)
        inside = (state == IN)[rule.groups]
        open_units = np.flatnonzero((state == UNDECIDED) & (most > rule.threshold))
        if not len(open_units):
            limits = limits.capped(inside, rule.at_most)
            continue
        slopes = most[open_units] / np.maximum(most[open_units] - rule.threshold, most[open_units] / STEEPEST)
        units = rule.groups == open_units[:, None]
        excess = Excess(units, slopes, inside, rule.threshold, 0, rule.at_most)
        limits = replace(limits, excesses=(*limits.excesses, excess))
    return limits


def _unit_bounds(limits: Limits, groups: Groups) -> Weights:
    """The most that each unit may weigh by the bounds on names and on groups around it."""
    most = np.minimum(by_group(groups, limits.upper), 1.0)
    units = groups == np.arange(len(most))[:, None]
    for inside, high in zip(limits.rows, limits.high, strict=True):
        most = np.where((units & ~inside).any(axis=1), most, np.minimum(most, high))
    return most


def _guesses(found: Weights, large: tuple[Large, ...], states: tuple[State, ...]) -> list[tuple[State, ...]]:
    """Two whole decisions near a relaxation: all that are heavy in it, and the heaviest of them that fit."""
    every: list[State] = []
    fitting: list[State] = []
    for rule, state in zip(large, states, strict=True):
        sums = by_group(rule.groups, found)
        heavy = (state == IN) | ((state == UNDECIDED) & (sums > rule.threshold + TOLERANCE))
        order = np.argsort(-np.where(heavy, sums, 0.0), kind="stable")
        fits = np.zeros(len(sums), bool)
        fits[order] = np.cumsum(np.where(heavy, sums, 0.0)[order]) <= rule.at_most + TOLERANCE
        every.append(np.where(heavy, IN, OUT).astype(np.int8))
        fitting.append(np.where((state == IN) | (heavy & fits), IN, OUT).astype(np.int8))
    return [tuple(every), tuple(fitting)]


def splitting(
    found: Weights, limits: Limits, large: tuple[Large, ...], states: tuple[State, ...]
) -> tuple[int, int] | None:
    """The rule and the undecided unit to branch on; None where the relaxation meets every rule as it is."""
    best, worst = None, 0.0
    for number, (rule, state) in enumerate(zip(large, states, strict=True)):
        sums, most = by_group(rule.groups, found), _unit_bounds(limits, rule.groups)
        heavy = sums > rule.threshold + TOLERANCE
        if sums[heavy].sum() <= rule.at_most + TOLERANCE:
            continue
        doubt = np.where(heavy & (state == UNDECIDED), (sums - rule.threshold) * (most - sums + TOLERANCE), 0.0)
        unit = int(np.argmax(doubt))
        if doubt[unit] > worst:
            best, worst = (number, unit), float(doubt[unit])
    return best


def decided(
    states: tuple[State, ...], split: tuple[int, int], value: int, before: list[Mask]
) -> tuple[State, ...] | None:
    """One more unit decided, and those that follow from it; None where that contradicts what was decided."""
    number, unit = split
    state, first = states[number].copy(), before[number]
    state[unit] = value
    others = first[:, unit] if value == IN else first[unit]
    if (state[others] == -value).any():
        return None
    state[others] = value
    return (*states[:number], state, *states[number + 1 :])


def ahead(weights: Weights, limits: Limits, large: tuple[Large, ...], rule: Large) -> Mask:
    """Which unit goes before which: [a, b] where exchanging their weights never breaks a limit nor adds to KL."""
    size = int(rule.groups.max()) + 1
    members = [np.flatnonzero(rule.groups == unit) for unit in range(size)]
    alone = np.array([len(member) == 1 for member in members])
    first = np.array([member[0] for member in members])
    rank = np.empty(len(weights), np.int64)
    rank[declared_order(weights)] = np.arange(len(weights))
    others = [limits.rows, *(one.units[one.units.sum(axis=1) > 1] for one in limits.excesses)]
    others += [one.groups == np.flatnonzero(np.bincount(one.groups) > 1)[:, None] for one in large]
    profile = np.unique(np.vstack(others), axis=1, return_inverse=True)[1].ravel()[first]
    upper, lower, rank = limits.upper[first], limits.lower[first], rank[first]
    goes = (rank[:, None] < rank) & (profile[:, None] == profile) & (upper[:, None] >= upper)
    goes &= (lower[:, None] >= lower) & (lower[:, None] <= rule.threshold)
    return goes & alone[:, None] & alone
