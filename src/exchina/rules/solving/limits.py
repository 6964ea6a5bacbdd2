"""All bounds together as one problem: what is convex (`Limits`), and the choices that are not (`Large`, `Slot`)."""

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from exchina.rules.solving.bounds import Bound, Groups, Weights, by_group

Mask = NDArray[np.bool_]
EXACT = 1e-12


@dataclass(frozen=True)
class Excess:
    """sum of w over ``whole`` + sum_g slope_g max(0, W_g - level) + count x level <= at_most, W_g the weight of unit g.

    Attributes:
        units: members of each unit, one row a unit.
        slopes: of each unit.
        whole: members that count with all their weight.
        level: the threshold; None where the solver may choose it, which limits the ``count`` heaviest units together.
        count: how many units.
        at_most: the limit.
    """

    units: Mask
    slopes: Weights
    whole: Mask
    level: float | None
    count: int
    at_most: float


@dataclass(frozen=True)
class Limits:
    """The convex part: lower <= w <= upper, low <= (sums over the rows of ``rows``) <= high, and the excesses."""

    lower: Weights
    upper: Weights
    rows: Mask
    low: Weights
    high: Weights
    excesses: tuple[Excess, ...] = ()

    def capped(self, inside: Mask, at_most: float, at_least: float = 0.0) -> "Limits":
        """With one more bounded group; a group of one member is a bound on that member."""
        if inside.sum() == 1:
            upper = np.where(inside, np.minimum(self.upper, at_most), self.upper)
            return replace(self, upper=upper, lower=np.where(inside, np.maximum(self.lower, at_least), self.lower))
        if not inside.any():
            return self
        rows = np.vstack([self.rows, inside])
        return replace(self, rows=rows, low=np.append(self.low, at_least), high=np.append(self.high, at_most))

    def on(self, keep: Mask) -> "Limits":
        """The same limits on some of the members, the others being held at zero."""
        cut = tuple(replace(one, units=one.units[:, keep], whole=one.whole[keep]) for one in self.excesses)
        return Limits(self.lower[keep], self.upper[keep], self.rows[:, keep], self.low, self.high, cut)


@dataclass(frozen=True)
class Large:
    """The units heavier than ``threshold`` weigh together at most ``at_most``."""

    rule: str
    groups: Groups
    threshold: float
    at_most: float

    def heavy(self, weights: Weights) -> Mask:
        """Which units are large: strictly heavier than the threshold."""
        return by_group(self.groups, weights) > self.threshold + EXACT


@dataclass(frozen=True)
class Slot:
    """Every unit weighs at most ``at_most``, but one may reach ``one_at_most``."""

    rule: str
    groups: Groups
    at_most: float
    one_at_most: float


@dataclass(frozen=True)
class Stated:
    """A whole problem: the convex limits, the concentration rules, and the slots."""

    limits: Limits
    large: tuple[Large, ...] = ()
    slots: tuple[Slot, ...] = ()

    @property
    def convex(self) -> bool:
        """Whether nothing has to be chosen."""
        return not self.large and not self.slots


def stated(bounds: list[Bound], count: int) -> Stated:
    """The bounds of ``count`` members as one problem; triggers are not looked at."""
    limits = Limits(np.zeros(count), np.ones(count), np.zeros((0, count), bool), np.zeros(0), np.zeros(0))
    large: list[Large] = []
    slots: list[Slot] = []
    for bound in bounds:
        groups = np.unique(bound.groups, return_inverse=True)[1]
        if bound.one_at_most is not None:
            slots.append(Slot(bound.rule, groups, float(bound.at_most.min()), bound.one_at_most))
            bound = replace(bound, at_most=np.full(count, bound.one_at_most))  # noqa: PLW2901
        limits = _grouped(limits, bound, groups)
        if bound.threshold is not None and bound.above_at_most < 1:
            large.append(Large(bound.rule, groups, bound.threshold, bound.above_at_most))
        if bound.largest is not None and bound.largest_at_most < 1:
            limits = replace(limits, excesses=(*limits.excesses, _largest(bound, groups)))
    return Stated(limits, tuple(large), tuple(slots))


def _grouped(limits: Limits, bound: Bound, groups: Groups) -> Limits:
    sizes = np.bincount(groups)
    high, low = np.ones(len(sizes)), np.zeros(len(sizes))
    np.minimum.at(high, groups, bound.at_most)
    if bound.at_least is not None:
        np.maximum.at(low, groups, bound.at_least)
    alone = sizes[groups] == 1
    upper = np.where(alone, np.minimum(limits.upper, high[groups]), limits.upper)
    lower = np.where(alone, np.maximum(limits.lower, low[groups]), limits.lower)
    several = np.flatnonzero((sizes > 1) & ((high < 1) | (low > 0)))
    rows = np.vstack([limits.rows, groups == several[:, None]])
    return replace(
        limits,
        lower=lower,
        upper=upper,
        rows=rows,
        low=np.append(limits.low, low[several]),
        high=np.append(limits.high, high[several]),
    )


def _largest(bound: Bound, groups: Groups) -> Excess:
    units = groups == np.arange(groups.max() + 1)[:, None]
    assert bound.largest is not None
    none = np.zeros(len(groups), bool)
    return Excess(units, np.ones(len(units)), none, None, min(bound.largest, len(units)), bound.largest_at_most)


def slot_limits(limits: Limits, slot: Slot, taken: int | None) -> Limits:
    """The limits where one unit, or nobody, has the slot."""
    for unit in range(int(slot.groups.max()) + 1):
        if unit != taken:
            limits = limits.capped(slot.groups == unit, slot.at_most)
    return limits


def divergence(weights: Weights, uncapped: Weights) -> float:
    """KL(w | u) = sum w ln(w / u); a weight of zero adds nothing."""
    some = weights > 0
    return float((weights[some] * np.log(weights[some] / uncapped[some])).sum())
