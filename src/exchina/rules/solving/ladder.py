"""The declared ladder where caps cannot all be met: what each step may change, by how much at least, and in words.

    raise_<cap>_cap       multiply the upper bounds of a cap by the smallest factor that lets a basket exist
    widen_<cap>_bands     widen the bands of a cap by the fewest points on both sides
    spill_<cap>           give what a group cannot carry to the other groups, in proportion to their own budgets
    hold_previous_basket  go on with the basket before

A step that is not enough alone is said to be so and leaves its cap lifted (raise, widen) or spilled for the steps after
it; once a basket exists, each such cap is put back if one exists with it as well.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import TypeAlias

import numpy as np

from exchina.rules.solving.bounds import Bound, Weights
from exchina.rules.solving.feasibility import possible, room
from exchina.rules.solving.limits import stated
from exchina.rules.solving.water import nested, water_fill

LEEWAY = 1e-6
HOLD = "hold_previous_basket"
Change: TypeAlias = Callable[[Bound, float], Bound]


@dataclass(frozen=True)
class Taken:
    """One step that was taken: its name, the cap it changed, whether that made a basket possible, and the words."""

    step: str
    rule: str
    enough: bool
    words: str


def rule_of(step: str) -> str:
    """The cap that a step changes.

    Example:
        >>> rule_of("raise_issuer_cap"), rule_of("widen_stage_bands"), rule_of("spill_stage")
        ('issuer', 'stage', 'stage')
    """
    for start, end in (("raise_", "_cap"), ("widen_", "_bands"), ("spill_", "")):
        if step.startswith(start) and step.endswith(end):
            return step.removeprefix(start).removesuffix(end)
    return step


def relaxed_down(weights: Weights, wanted: list[Bound], steps: tuple[str, ...]) -> tuple[list[Bound], list[Taken]]:
    """The bounds after as many steps of the ladder as are needed, and the steps.

    Args:
        weights: u, uncapped.
        wanted: the bounds as the rulebook states them.
        steps: the ladder; it ends at ``hold_previous_basket``, which is the pipeline's to do.
    """
    bounds, taken = wanted, list[Taken]()
    for step in steps:
        if step == HOLD or possible(weights, bounds):
            break
        bounds, done = _taken(step, weights, bounds)
        taken.append(done)
    for done in [one for one in taken if not one.enough]:
        kept = [old if old.rule == done.rule else now for old, now in zip(wanted, bounds, strict=True)]
        if possible(weights, kept):
            bounds = kept
            taken.remove(done)
    return bounds, taken


def _taken(step: str, weights: Weights, bounds: list[Bound]) -> tuple[list[Bound], Taken]:
    rule = rule_of(step)
    if step.startswith("spill_"):
        spilled, words = _spilled(weights, bounds, rule)
        enough = possible(weights, spilled)
        words += "" if enough else ", which alone was not enough"
        return spilled, Taken(step, rule, enough, f"{step}: {words}")
    if step.startswith("widen_"):
        changed, points = stretch_until_feasible(weights, bounds, rule)
        done = f"had to be {points * 100:.4f} points wider on both sides"
    else:
        changed, points = widen_until_feasible(weights, bounds, rule)
        done = f"had to be multiplied by {points:.4f}"
    what = f"the {rule} bands" if step.startswith("widen_") else f"the {rule} cap"
    if points == np.inf:
        done = "had to be lifted, which alone was not enough"
    return changed, Taken(step, rule, points < np.inf, f"{step}: {what} {done}")


def widen_until_feasible(weights: Weights, bounds: list[Bound], rule: str) -> tuple[list[Bound], float]:
    """Multiply the upper bounds of one rule by the smallest factor that makes a basket possible.

    Room grows with the factor, so it is found by bisection: to the last bit where room has a closed form, else to one
    part in a million, which leaves a solver some choice. Where no factor is enough, the rule's upper bounds are lifted
    altogether (factor infinite), so that the next step of a ladder need only do the rest.
    """
    own = [bound for bound in bounds if bound.rule == rule]
    tightest = min((_tightest(bound) for bound in own), default=1.0)
    return _smallest(weights, bounds, rule, Bound.widened, (1.0, 1.0 / tightest))


def stretch_until_feasible(weights: Weights, bounds: list[Bound], rule: str) -> tuple[list[Bound], float]:
    """Widen the bands of one rule by the fewest points (fractions of the index) that make a basket possible."""
    return _smallest(weights, bounds, rule, Bound.stretched, (0.0, 1.0))


def _tightest(bound: Bound) -> float:
    some = [bound.above_at_most, bound.largest_at_most, bound.one_at_most or 1.0]
    return float(min(*some, bound.at_most[bound.at_most > 0].min(initial=1.0)))


def _smallest(
    weights: Weights,
    bounds: list[Bound],
    rule: str,
    change: Callable[[Bound, float], Bound],
    between: tuple[float, float],
) -> tuple[list[Bound], float]:
    def changed(by: float) -> list[Bound]:
        return [change(bound, by) if bound.rule == rule else bound for bound in bounds]

    low, high = between
    if not possible(weights, changed(high)):
        return changed(high), np.inf
    exact = _exact(bounds, len(weights))
    for _ in range(100 if exact else 48):
        middle = (low + high) / 2
        low, high = (low, middle) if possible(weights, changed(middle)) else (middle, high)
    found = high if exact else high * (1 + LEEWAY)
    return changed(found), found


def _exact(bounds: list[Bound], count: int) -> bool:
    problem = stated(bounds, count)
    return not problem.slots and not problem.large and nested(problem.limits)


def _spilled(weights: Weights, bounds: list[Bound], rule: str) -> tuple[list[Bound], str]:
    """What each group of a rule cannot carry under the other bounds, given to its other groups by their budgets."""
    others = [bound for bound in bounds if bound.rule != rule]
    words: list[str] = []
    made: list[Bound] = []
    for bound in bounds:
        made.append(_spill(weights, bound, others, words) if bound.rule == rule else bound)
    return made, "; ".join(words) or f"every group of the {rule} cap can carry its budget"


def _spill(weights: Weights, bound: Bound, others: list[Bound], words: list[str]) -> Bound:
    sizes = int(bound.groups.max()) + 1
    some = np.unique(bound.groups)
    carried, high, low = np.zeros(sizes), np.ones(sizes), np.zeros(sizes)
    np.minimum.at(high, bound.groups, bound.at_most)
    if bound.at_least is not None:
        np.maximum.at(low, bound.groups, bound.at_least)
    for group in some:
        rows = np.flatnonzero(bound.groups == group)
        upper_only = [replace(other, at_least=None).taken(rows) for other in others]
        carried[group] = min(max(room(weights[rows], upper_only), 0.0), 1.0)
    new_high, new_low = high.copy(), low.copy()
    budgets = np.maximum(high[some], 1e-15)
    if np.minimum(carried, high)[some].sum() < 1:
        new_high[some] = np.maximum(high[some], water_fill(budgets, carried[some], 1.0)[0])
    bounded = some[low[some] > 0]
    if len(bounded):
        most = np.minimum(carried, new_high)[bounded]
        new_low[bounded] = water_fill(low[bounded], most, float(low[bounded].sum()))[0]
    short = [group for group in some if carried[group] < high[group] - 1e-12]
    raised = [group for group in some if new_high[group] > high[group] + 1e-12]
    if short and raised:
        words.append(
            ", ".join(f"{bound.label(one)} can carry {carried[one]:.2%} of its {high[one]:.2%}" for one in short)
            + ", so "
            + ", ".join(f"{bound.label(one)} may weigh {new_high[one]:.2%}" for one in raised)
        )
    low_of = None if bound.at_least is None else new_low[bound.groups]
    return replace(bound, at_most=new_high[bound.groups], at_least=low_of)
