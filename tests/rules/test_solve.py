"""Capping: the optimum by its own conditions, whatever the input."""

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from exchina.errors import InfeasibleError
from exchina.rules.solve import capped_weights, solve
from exchina.rules.solving.bounds import Bound
from exchina.rules.solving.feasibility import room
from exchina.rules.solving.ladder import widen_until_feasible


@st.composite
def problems(draw: st.DrawFn):
    count = draw(st.integers(2, 12))
    raw = draw(st.lists(st.floats(0.001, 1.0), min_size=count, max_size=count))
    caps = draw(st.lists(st.floats(0.01, 1.0), min_size=count, max_size=count))
    groups = draw(st.lists(st.integers(0, 3), min_size=count, max_size=count))
    limits = np.array(draw(st.lists(st.floats(0.05, 1.0), min_size=4, max_size=4)))
    weights = np.array(raw) / np.sum(raw)
    chosen = np.array(groups)
    return weights, [Bound("issuer", np.arange(count), np.array(caps)), Bound("stage", chosen, limits[chosen])]


@settings(max_examples=400, deadline=None)
@given(problems())
def test_solution_meets_the_optimality_conditions(problem) -> None:
    """Feasible; and with ratio r = w/u, a name below its cap has the largest ratio of its group, and a group below its
    limit lets no name below its cap fall behind any other name of the index: no shift of weight lowers KL."""
    weights, bounds = problem
    assume(room(weights, bounds) >= 1 + 1e-9)
    assume(len(np.unique(bounds[1].groups)) < len(weights))
    found = capped_weights(weights, bounds)
    caps, groups, limits = bounds[0].at_most, bounds[1].groups, bounds[1].at_most
    assert found.sum() == pytest.approx(1, abs=1e-12)
    assert (found <= caps + 1e-9).all()
    sums = np.array([found[groups == group].sum() for group in groups])
    assert (sums <= limits + 1e-9).all()
    ratio, free_name, free_group = found / weights, found < caps - 1e-9, sums < limits - 1e-9
    for receiver in np.flatnonzero(free_name):
        givers = (groups == groups[receiver]) | free_group[receiver]
        assert (ratio[givers] <= ratio[receiver] * (1 + 1e-7)).all()


@settings(max_examples=100, deadline=None)
@given(problems(), st.randoms())
def test_order_of_members_does_not_matter(problem, random) -> None:
    weights, bounds = problem
    assume(room(weights, bounds) >= 1 + 1e-9)
    order = np.array(random.sample(range(len(weights)), len(weights)))
    moved = [Bound(bound.rule, bound.groups[order], bound.at_most[order]) for bound in bounds]
    assert capped_weights(weights[order], moved) == pytest.approx(capped_weights(weights, bounds)[order], abs=1e-12)


def test_infeasible_names_the_arithmetic() -> None:
    with pytest.raises(
        InfeasibleError, match=r"3 members under all caps together can carry 60.00%.*issuer alone 60.00%"
    ):
        capped_weights(np.full(3, 1 / 3), [Bound("issuer", np.arange(3), np.full(3, 0.2))])


def test_a_rule_that_cannot_help_is_lifted() -> None:
    weights = np.full(4, 0.25)
    bounds = [
        Bound("issuer", np.arange(4), np.full(4, 0.2)),
        Bound("stage", np.array([0, 0, 0, 1]), np.array([0.5] * 3 + [1])),
    ]
    lifted, factor = widen_until_feasible(weights, bounds, "stage")
    assert factor == np.inf
    widened, factor = widen_until_feasible(weights, lifted, "issuer")
    assert factor == pytest.approx(1.25)
    assert capped_weights(weights, widened) == pytest.approx(np.full(4, 0.25))


def test_two_sets_of_overlapping_groups_are_solved_together() -> None:
    """By hand: a belongs to stage 0 only, b to both, c to the sponsor only; both groups bind at 0.6."""
    groups = [
        Bound(name, np.array(ids), np.array(most))
        for name, ids, most in (("stage", [0, 0, 1], [0.6, 0.6, 1]), ("sponsor", [0, 1, 1], [1, 0.6, 0.6]))
    ]
    found = solve(np.full(3, 1 / 3), groups)
    assert found.weights == pytest.approx([0.4, 0.2, 0.4], abs=1e-12)
    assert found.method == "cone solver"
    assert set(found.binding) == {"stage", "sponsor"}
    assert found.gap <= 1e-12
