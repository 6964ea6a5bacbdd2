"""Concentration rules and everything beside them: against all admissible subsets, and by their own conditions."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from exchina.errors import InfeasibleError
from exchina.rules.solve import Solution, solve
from exchina.rules.solving.bounds import Bound, Crossing, Weights
from exchina.rules.solving.concentration import fewest_names
from exchina.rules.solving.feasibility import possible, room
from exchina.rules.solving.limits import Limits, stated
from exchina.rules.solving.nearest import nearest

Case = tuple[Weights, list[Bound], Bound]


def shares(raw: list[float]) -> Weights:
    return np.array(raw) / np.sum(raw)


@st.composite
def alone(draw: st.DrawFn) -> Case:
    """One rule of the type t/h/Z; small integers make ties likely."""
    count = draw(st.integers(3, 12))
    size = st.one_of(st.integers(1, 4).map(float), st.floats(0.02, 9.0))
    weights = shares(draw(st.lists(size, min_size=count, max_size=count)))
    threshold = draw(st.floats(0.5, 1.2)) / count
    most = min(threshold * draw(st.floats(1.0, 4.0)), 1.0)
    above = draw(st.floats(threshold, 0.95))
    rule = Bound("rule", np.arange(count), np.full(count, most), threshold=threshold, above_at_most=above)
    return weights, [], rule


@st.composite
def beside(draw: st.DrawFn) -> Case:
    """The same beside caps of each name's own and two sets of groups that overlap, one of them with lower bounds."""
    weights, _, rule = draw(alone().filter(lambda case: len(case[0]) <= 8))
    count = len(weights)
    own = draw(st.lists(st.floats(0.5, 2.5), min_size=count, max_size=count))
    others = [Bound("liquidity", np.arange(count), np.minimum(np.array(own) * rule.at_most, 1.0))]
    for name in ("stage", "country"):
        groups = np.array(draw(st.lists(st.integers(0, 2), min_size=count, max_size=count)))
        most = np.array(draw(st.lists(st.floats(0.3, 0.9), min_size=3, max_size=3)))
        least = np.maximum(most - 0.5, 0.0) if name == "country" else np.zeros(3)
        others.append(Bound(name, groups, most[groups], at_least=least[groups]))
    return weights, others, rule


def least_of_all_subsets(weights: Weights, others: list[Bound], rule: Bound) -> float:
    """min KL over every admissible set of large groups."""
    count, best = int(rule.groups.max()) + 1, np.inf
    free = stated([*others, replace(rule, threshold=None)], len(weights)).limits
    assert rule.threshold is not None
    for number in range(2**count):
        large = (number >> np.arange(count)) & 1 == 1
        if large.sum() * rule.threshold <= rule.above_at_most + 1e-9:
            point = nearest(weights, with_large(free, rule, large))
            best = best if point is None else min(best, point.distance)
    return best


def with_large(limits: Limits, rule: Bound, large: np.ndarray) -> Limits:
    for group in np.flatnonzero(~large):
        limits = limits.capped(rule.groups == group, rule.threshold or 1.0)
    return limits.capped(large[rule.groups], rule.above_at_most)


def meets(found: Solution, bounds: list[Bound]) -> None:
    assert found.weights.sum() == pytest.approx(1, abs=1e-12)
    for bound in bounds:
        sums = np.bincount(bound.groups, found.weights)
        assert (sums[bound.groups] <= bound.at_most + 1e-10).all()
        if bound.at_least is not None:
            assert (sums[bound.groups] >= bound.at_least - 1e-10).all()
        if bound.threshold is not None:
            assert sums[sums > bound.threshold + 1e-12].sum() <= bound.above_at_most + 1e-10


def compared(case: Case) -> None:
    weights, others, rule = case
    wanted, bounds = least_of_all_subsets(*case), [*others, rule]
    if np.isinf(wanted):
        with pytest.raises(InfeasibleError):
            solve(weights, bounds)
        return
    found = solve(weights, bounds)
    meets(found, bounds)
    assert found.distance == pytest.approx(wanted, abs=1e-8)
    assert found.gap <= 1e-8
    if found.next_best is not None:
        assert found.next_best.distance >= found.distance - 1e-9
        assert found.next_best.joins or found.next_best.leaves


@settings(max_examples=40)
@given(alone())
def test_one_rule_against_all_subsets(case: Case) -> None:
    compared(case)


@settings(max_examples=12)
@given(beside())
def test_a_rule_beside_groups_against_all_subsets(case: Case) -> None:
    compared(case)


@settings(max_examples=15)
@given(alone().filter(lambda case: len(case[0]) <= 9), st.data())
def test_lines_of_one_issuer_count_together(case: Case, data: st.DataObject) -> None:
    weights, _, rule = case
    count = len(weights)
    groups = np.array(data.draw(st.lists(st.integers(0, max(count - 3, 1)), min_size=count, max_size=count)))
    issuers = replace(rule, groups=np.unique(groups, return_inverse=True)[1])
    compared((weights, [Bound("line", np.arange(count), np.full(count, 0.4))], issuers))


@settings(max_examples=25)
@given(beside())
def test_what_can_be_met_has_room_and_the_reverse(case: Case) -> None:
    weights, others, rule = case
    bounds = [*others, rule]
    if abs(room(weights, bounds) - 1) > 1e-7 or room(weights, bounds) == 1.0:
        try:
            solve(weights, bounds)
        except InfeasibleError:
            assert not possible(weights, bounds)
        else:
            assert possible(weights, bounds)


@pytest.mark.parametrize(
    ("limits", "names"),
    [
        ((0.10, 0.05, 0.40), 16),
        ((0.25, 0.05, 0.50), 12),
        ((0.225, 0.045, 0.45), 15),
        ((0.08, 0.045, 0.45), 19),
        ((0.09, 0.045, 0.36), 19),
        ((0.20, 0.045, 0.48), 15),
    ],
)
def test_fewest_names(limits: tuple[float, float, float], names: int) -> None:
    assert fewest_names(*limits) == names
    for count in (names - 1, names):
        rule = Bound("rule", np.arange(count), np.full(count, limits[0]), None, limits[1], limits[2])
        assert possible(np.full(count, 1 / count), [rule]) == (count == names)


def test_a_weight_at_the_threshold_is_small() -> None:
    """Sixteen equal names: four at 10 %, twelve at exactly 5 %; strictly above 5 % are four, together 40 %."""
    rule = Bound("ucits", np.arange(16), np.full(16, 0.1), threshold=0.05, above_at_most=0.4)
    found = solve(np.full(16, 1 / 16), [rule])
    assert found.weights == pytest.approx([0.1] * 4 + [0.05] * 12, abs=1e-12)
    assert found.next_best is not None
    assert found.next_best.distance == pytest.approx(found.distance, abs=1e-12)


def test_equal_names_at_the_edge_take_the_declared_order() -> None:
    """Four equal names, 5/25/50, twelve in all (standard 4.5): the first two by order are large, run after run."""
    weights = shares([3.0] * 4 + [1.0] * 8)
    rule = Bound("ric", np.arange(12), np.full(12, 0.25), threshold=0.05, above_at_most=0.5)
    noisy = weights * (1 + 1e-15 * np.arange(12))
    for one in (weights, noisy / noisy.sum()):
        assert solve(one, [rule]).weights == pytest.approx([0.25, 0.25] + [0.05] * 10, abs=1e-12)


def test_the_sector_case_keeps_three_names_large() -> None:
    """Standard 4.4: three names of nearly one size, none is cut to 4.5 % for being third by a hair."""
    weights = shares([21.8, 21.5, 21.2, *[2.0] * 17])
    rule = Bound("ric", np.arange(20), np.full(20, 0.25), threshold=0.05, above_at_most=0.5)
    found = solve(weights, [rule])
    assert (found.weights[:3] > 0.16).all()
    assert found.next_best is not None
    assert found.next_best.leaves == (2,) or found.next_best.joins


def test_a_trigger_waits() -> None:
    """4.5/48/40: below 48 % nothing happens; above, the large group is reset to 40 % and nobody slips over 4.5 %."""
    for large, applies in ((0.118, False), (0.122, True)):
        weights = np.array([large] * 4 + [0.044] * 4 + [(1 - 4 * large - 0.176) / 16] * 16)
        rule = Bound(
            "nasdaq",
            np.arange(24),
            np.ones(24),
            threshold=0.045,
            above_at_most=0.40,
            trigger=Crossing(threshold=0.045, above=0.48),
        )
        found = solve(weights, [rule])
        assert bool(found.triggered) == applies
        assert (found.weights[:4].sum() == pytest.approx(0.4, abs=1e-10)) == applies
        assert (found.weights[4:] <= 0.045 + 1e-12).all()


@settings(max_examples=40)
@given(alone(), st.integers(1, 4), st.floats(0.2, 0.9))
def test_sum_of_the_largest(case: Case, count: int, limit: float) -> None:
    """Feasible; what binds is proven to be the optimum by the multipliers (gap)."""
    weights, _, rule = case
    size = len(weights)
    bounds = [Bound("largest", np.arange(size), np.ones(size), largest=count, largest_at_most=limit)]
    bounds += [Bound("issuer", np.arange(size), np.minimum(3 * rule.at_most, 1.0))]
    assume(room(weights, bounds) >= 1)
    found = solve(weights, bounds)
    assert np.sort(found.weights)[-count:].sum() <= limit + 1e-10
    assert found.weights.sum() == pytest.approx(1, abs=1e-12)
    assert found.gap <= 1e-8


@settings(max_examples=25)
@given(beside())
def test_bands_and_overlapping_groups_are_solved_to_rounding(case: Case) -> None:
    weights, others, _ = case
    assume(possible(weights, others))
    found = solve(weights, others)
    meets(found, others)
    assert found.gap <= 1e-9


@pytest.mark.parametrize("slot", [0.35, 0.25])
def test_one_may_be_exceptional(slot: float) -> None:
    """The best of all that may take the slot, tried one by one."""
    weights = shares([9.0, 8.0, 4.0, 2.0, 1.0, 1.0, 1.0])
    own = np.array([0.22, 1, 1, 1, 1, 1, 1])
    bounds = [Bound("liquidity", np.arange(7), own)]
    found = solve(weights, [*bounds, Bound("exceptional", np.arange(7), np.full(7, 0.2), one_at_most=slot)])
    tried = [
        solve(weights, [*bounds, Bound("caps", np.arange(7), np.where(np.arange(7) == one, slot, 0.2))]).distance
        for one in range(7)
    ]
    assert found.distance == pytest.approx(min(tried), abs=1e-9)
    assert int(np.argmax(found.weights)) == 1


def test_a_cap_that_crosses_another_trigger_sets_that_one_off_too() -> None:
    """A takes the largest down to 18 %; the others rise above 15 %, together above 80 %, which B answers."""
    uncapped, own = np.array([0.30, 0.14, 0.14, 0.14, 0.14, 0.14]), np.arange(6)
    first = Bound("A", own, np.full(6, 0.18), trigger=Crossing(one=0.25))
    then = Bound(
        "B", own, np.full(6, 0.9), threshold=0.15, above_at_most=0.8, trigger=Crossing(threshold=0.15, above=0.8)
    )
    found = solve(uncapped, [first, then])
    assert found.triggered == ("A", "B")
    assert found.weights[found.weights > 0.15 + 1e-9].sum() <= 0.8 + 1e-9
