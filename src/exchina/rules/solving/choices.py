"""What has to be chosen: which name takes the slot of a 20/35 rule, which units are large; and the next-best choice."""

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from exchina.rules.solving.bounds import Weights, by_group
from exchina.rules.solving.branch import IN, OUT, Found, State, branch, narrowed
from exchina.rules.solving.concentration import by_prefix, declared_order, prefix_holds
from exchina.rules.solving.limits import EXACT, Large, Mask, Slot, Stated, slot_limits
from exchina.rules.solving.nearest import Point, nearest

NEIGHBOURS = 2


@dataclass(frozen=True)
class Chosen:
    """The optimum of a whole problem: its point, how it was found, and the next-best point with another choice."""

    point: Point
    method: str
    next_best: Point | None = None

    @property
    def gap(self) -> float:
        """How much nearer another basket could be at most."""
        return self.point.gap


def optimum(weights: Weights, problem: Stated) -> Chosen | None:
    """The nearest weights that meet the whole problem; None where there are none."""
    if problem.slots:
        return _slotted(weights, problem)
    free = nearest(weights, problem.limits)
    if free is None:
        return None
    if not any(_broken(rule, free.weights) for rule in problem.large):
        return Chosen(free, "closed form" if free.closed_form else "cone solver")
    if prefix_holds(weights, problem.limits, problem.large):
        found = by_prefix(weights, problem.limits, problem.large[0])
        points = [Point(choice.weights, choice.distance, choice.distance, True) for choice in found]
        return Chosen(points[0], "enumeration", points[1] if len(points) > 1 else None) if points else None
    found = branch(weights, problem.limits, problem.large)
    if found is None:
        return None
    point = replace(found.point, least=found.least)
    method = f"branch and bound ({found.nodes} nodes)"
    return Chosen(point, method, _neighbour(weights, problem, found))


def _broken(rule: Large, weights: Weights) -> bool:
    sums = by_group(rule.groups, weights)
    return bool(sums[rule.heavy(weights)].sum() > rule.at_most + EXACT)


def _neighbour(weights: Weights, problem: Stated, found: Found) -> Point | None:
    """The best with other large units: one fewer, one more, or one exchanged, among those nearest to the threshold."""
    large = problem.large
    heavy = [rule.heavy(found.point.weights) for rule in large]
    states = tuple(np.where(one, IN, OUT).astype(np.int8) for one in heavy)
    points: list[Point] = []
    for number, rule in enumerate(large):
        for changed in _changes(heavy[number], by_group(rule.groups, weights)):
            following = (*states[:number], changed, *states[number + 1 :])
            point = nearest(weights, narrowed(problem.limits, large, following, strict=True))
            if point is not None and (rule.heavy(point.weights) != heavy[number]).any():
                points.append(point)
    return min(points, key=lambda point: point.distance, default=None)


def _changes(heavy: Mask, uncapped: Weights) -> list[State]:
    order = declared_order(uncapped)
    leaving: NDArray[np.int64] = order[heavy[order]][::-1][:NEIGHBOURS]
    joining: NDArray[np.int64] = order[~heavy[order]][:NEIGHBOURS]
    pairs = [(out, None) for out in leaving] + [(None, into) for into in joining]
    pairs += [(out, into) for out in leaving for into in joining]
    made: list[State] = []
    for out, into in pairs:
        state = np.where(heavy, IN, OUT).astype(np.int8)
        if out is not None:
            state[out] = OUT
        if into is not None:
            state[into] = IN
        made.append(state)
    return made


def _slotted(weights: Weights, problem: Stated) -> Chosen | None:
    """Try each unit in the slot that none other can replace, and nobody."""
    slot, others = problem.slots[0], replace(problem, slots=problem.slots[1:])
    tried = [
        found
        for unit in _candidates(weights, problem, slot)
        if (found := optimum(weights, replace(others, limits=slot_limits(problem.limits, slot, unit)))) is not None
    ]
    if not tried:
        return None
    best = min(tried, key=lambda one: one.point.distance)
    top = best.point.weights
    rest = [one for one in tried if np.abs(one.point.weights - top).max() > EXACT]
    following = min((one.point for one in rest), key=lambda point: point.distance, default=None)
    if all(by_group(slot.groups, top) <= slot.at_most + EXACT):
        following = best.next_best
    least = min(one.point.least for one in tried)
    method = best.method if "branch" in best.method else "enumeration"
    return Chosen(replace(best.point, least=min(least, best.point.distance)), method, following)


def _candidates(weights: Weights, problem: Stated, slot: Slot) -> list[int | None]:
    """Nobody, and the units by their uncapped weight; the two largest where all are alike, for the next-best."""
    sums = by_group(slot.groups, weights)
    order = [int(unit) for unit in declared_order(sums)]
    limits = problem.limits
    alike = not len(limits.rows) and not limits.excesses and len(sums) == len(weights) and np.ptp(limits.upper) < EXACT
    return [*(order[:2] if alike and not limits.lower.any() else order), None]
