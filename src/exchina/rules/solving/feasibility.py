"""Whether any basket meets all bounds, how much the members can carry, and which bounds clash.

Closed forms where the limits are nested or a concentration rule stands alone; else linear programmes.
"""

from dataclasses import replace

import numpy as np

from exchina.errors import Problem
from exchina.rules.solving.bounds import Bound, Weights
from exchina.rules.solving.branch import IN, OUT, ahead, decided, narrowed, splitting
from exchina.rules.solving.concentration import fewest_names, most_carried, prefix_holds
from exchina.rules.solving.limits import Stated, slot_limits, stated
from exchina.rules.solving.linear import carried
from exchina.rules.solving.water import nested, tightened

FEASIBLE = 1 - 1e-12
SOLVED = 1e-9


def room(weights: Weights, bounds: list[Bound]) -> float:
    """The most that all members together may weigh under the bounds, at most what no bound would let them; below 1 no
    basket exists. Minus infinity where lower bounds cannot be met at all. Triggered caps count as if they applied.
    """
    problem = stated(bounds, len(weights))
    if problem.convex and nested(problem.limits):
        bound = tightened(weights, problem.limits)
        return -np.inf if bound is None or bound[0].sum() > 1 + 1e-12 else float(bound[1].sum())
    if not problem.slots and prefix_holds(weights, problem.limits, problem.large):
        rule = problem.large[0]
        return most_carried(problem.limits.upper, rule.threshold, rule.at_most)
    most = _searched(weights, problem)
    return 1.0 if most >= 1 - SOLVED else most


def possible(weights: Weights, bounds: list[Bound]) -> bool:
    """Whether any weights with sum 1 meet the bounds."""
    return room(weights, bounds) >= FEASIBLE


def _searched(weights: Weights, problem: Stated) -> float:
    """max sum w <= 1 where units have to be chosen: linear relaxations, and branching on the units in doubt."""
    if problem.slots:
        slot, others = problem.slots[0], replace(problem, slots=problem.slots[1:])
        units = [*range(int(slot.groups.max()) + 1)]
        return max(
            _searched(weights, replace(others, limits=slot_limits(problem.limits, slot, unit))) for unit in units
        )
    limits, large = problem.limits, problem.large
    before = [ahead(weights, limits, large, rule) for rule in large]
    open_nodes = [tuple(np.zeros(int(rule.groups.max()) + 1, np.int8) for rule in large)]
    best = -np.inf
    while open_nodes and best < 1 - SOLVED:
        states = open_nodes.pop()
        found = carried(narrowed(limits, large, states))
        if found is None or found[0] <= best + SOLVED:
            continue
        unit = splitting(found[1], limits, large, states)
        if unit is None:
            best = found[0]
            continue
        following = [decided(states, unit, value, before) for value in (OUT, IN)]
        open_nodes += [one for one in following if one is not None]
    return best


def clashes(weights: Weights, bounds: list[Bound]) -> list[Problem]:
    """Which bounds stand in the way, with the arithmetic, and which single cap would have to go."""
    most = room(weights, bounds)
    what = f"{len(weights)} members under all caps together "
    what += f"can carry {most:.2%}, not 100 %" if most >= 0 else "cannot meet the lower bounds"
    rules = list(dict.fromkeys(bound.rule for bound in bounds))
    alone = {rule: room(weights, [bound for bound in bounds if bound.rule == rule]) for rule in rules}
    tight = [_alone(rule, share, bounds) for rule, share in alone.items() if share < FEASIBLE]
    freed = [rule for rule in rules if possible(weights, [bound for bound in bounds if bound.rule != rule])]
    hint = "loosen a cap or let more companies in"
    if len(rules) > 1:
        hint += (
            f"; without {' or '.join(freed)} there is a basket" if freed else "; lifting one cap alone is not enough"
        )
    return [Problem("cap", what + (f": {', '.join(tight)}" if tight else ""), hint)]


def _alone(rule: str, share: float, bounds: list[Bound]) -> str:
    said = f"{rule} alone {share:.2%}" if share >= 0 else f"{rule} alone cannot be met"
    for bound in bounds:
        if bound.rule == rule and bound.threshold is not None:
            fewest = fewest_names(float(bound.at_most.max()), bound.threshold, bound.above_at_most)
            said += f" (it needs at least {fewest} names)"
    return said
