"""How a fund samples: what every method owes, strata, and the least tracking error against outside answers."""

import doctest
import sys
from dataclasses import replace
from itertools import combinations
from typing import Any

import numpy as np
import pytest
from hypothesis import assume, example, given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st
from scipy.optimize import minimize

from exchina.errors import DataError
from exchina.fund.candidates import Candidates
from exchina.fund.path import FloatArray
from exchina.fund.registers import replication
from exchina.fund.replication.least_error import Choice, Optimum, Programme, optimum, outlook
from exchina.fund.replication.optimised import RIDGE, optimised
from exchina.fund.replication.room import fullest
from exchina.fund.replication.search import best
from exchina.fund.replication.stratified import stratified
from exchina.fund.risk import ex_ante_tracking_error, shrunk_covariance
from tests.every.universe import settings_for

EASY = {"fund_usd": 1e3, "participation": 0.2, "sessions": 5}
STAGES = ["producer", "processor", "magnet_maker"]


def candidates(lines: int, seed: int, sessions: int = 150) -> Candidates:
    """Lines of three factors and of their own, of very different size."""
    draw = np.random.default_rng(seed)
    b = draw.dirichlet(np.full(lines, 1.5))
    loadings = np.column_stack([np.ones(lines), draw.normal(0, 0.5, (lines, 2))])
    own = draw.normal(0, 1, (sessions, lines)) * draw.uniform(0.01, 0.04, lines)
    value = np.exp(draw.normal(20, 1, lines))
    return Candidates(
        tuple(f"S{line:03d}" for line in range(lines)),
        tuple(f"company-{line:03d}" for line in range(lines)),
        tuple(draw.choice(STAGES, lines).tolist()),
        tuple(draw.choice(["AU", "US", "JP"], lines).tolist()),
        b,
        0.6 * value,
        np.exp(draw.normal(16, 1.2, lines)),
        value,
        np.ones(lines),
        np.zeros(lines, int),
        draw.normal(0, 0.015, (sessions, 3)) @ loadings.T + own,
    )


def reordered(of: Candidates, order: list[int]) -> Candidates:
    """The same lines under other symbols, so in another order."""
    words = {name: tuple(getattr(of, name)[i] for i in order) for name in ("companies", "stages", "countries")}
    amounts = ("weights", "size_usd", "adv_usd", "value_usd", "price", "lot")
    return replace(of, **words, **{name: getattr(of, name)[order] for name in amounts}, returns=of.returns[:, order])


def risk(of: Candidates) -> FloatArray:
    """The covariance that is minimised: of about 1, with the ridge."""
    covariance = shrunk_covariance(of.returns).matrix
    return covariance / np.diag(covariance).mean() + RIDGE * np.eye(len(covariance))


def programme(of: Candidates, count: int, **more: Any) -> Programme:
    lines = len(of.symbols)
    given_ = {"upper": np.ones(lines), "least": 0.0, "count": count, "issuers": np.arange(lines)} | more
    return Programme(risk(of), of.weights, **given_)


def exhausted(asked: Programme) -> Optimum | None:
    """The best of every set of lines and of large issuers."""
    usable, issuers = np.flatnonzero(asked.upper > 0), int(asked.issuers.max()) + 1
    sizes = range(1, asked.count + 1) if asked.least else [min(asked.count, len(usable))]
    most = int(asked.large[1] / asked.large[0]) + 1 if asked.large else 0
    found: list[Optimum] = []
    for lines in (lines for size in sizes for lines in combinations(usable, size)):
        held = np.isin(np.arange(len(asked.upper)), lines)
        inside = sorted(set(asked.issuers[held].tolist()))
        for large in (large for size in range(most + 1) for large in combinations(inside, size)):
            marked = np.isin(np.arange(issuers), large)
            found += [one for one in [optimum(asked, Choice(held, marked, asked.least > 0))] if one is not None]
    return min(found, key=lambda one: one.value, default=None)


@pytest.mark.parametrize("name", replication.all())
class TestEveryMethod:
    def held(self, name: str, of: Candidates, **more: int) -> FloatArray:
        plugin = replication[name]
        settings = settings_for(plugin)
        return plugin(of, **settings | {key: value for key, value in more.items() if key in settings})

    @pytest.mark.parametrize("seed", range(4))
    def test_weights_are_fractions_that_sum_to_one(self, name: str, seed: int) -> None:
        weights = self.held(name, candidates(14, seed))
        assert weights.shape == (14,)
        assert (weights >= 0).all()
        assert weights.sum() == pytest.approx(1, abs=1e-12)

    def test_all_lines_are_the_index(self, name: str) -> None:
        of = candidates(12, seed=1)
        weights = self.held(name, of, count=12)
        assert weights.tolist() == of.weights.tolist()
        assert ex_ante_tracking_error(weights, of.weights, shrunk_covariance(of.returns)) == 0
        assert self.held(name, of, count=40).tolist() == of.weights.tolist()

    def test_holds_as_many_lines_as_asked(self, name: str) -> None:
        asked = 6 if "count" in settings_for(replication[name]) else 14
        assert np.count_nonzero(self.held(name, candidates(14, seed=2), count=6)) == asked

    def test_order_of_the_lines_does_not_matter(self, name: str) -> None:
        of, order = candidates(12, seed=3), [5, 2, 11, 0, 7, 9, 1, 10, 4, 3, 8, 6]
        assert self.held(name, reordered(of, order)) == pytest.approx(self.held(name, of)[order], abs=1e-9)

    def test_depends_on_nothing_but_the_candidates_and_leaves_them(self, name: str) -> None:
        of = candidates(12, seed=4)
        before = of.weights.copy(), of.returns.copy()
        first = self.held(name, of)
        np.random.seed(7)
        assert self.held(name, of).tobytes() == first.tobytes()
        assert (before[0] == of.weights).all()
        assert (before[1] == of.returns).all()
        first[:] = 0  # a copy, never the index itself
        assert (before[0] == of.weights).all()

    def test_scale_of_returns_and_price_does_not_matter(self, name: str) -> None:
        of = candidates(12, seed=5)
        other = replace(of, returns=of.returns / 3, price=of.price * 70)
        assert self.held(name, other) == pytest.approx(self.held(name, of), abs=1e-9)

    def test_has_an_example_that_runs_and_documents_every_setting(self, name: str) -> None:
        plugin = replication[name]
        examples = doctest.DocTestFinder().find(plugin, name, sys.modules[plugin.__module__])
        assert any(one.examples for one in examples)
        fields = [key for key, one in plugin.__annotations__.items() if key not in ("candidates", "return")]
        assert all(f"{setting}:" in (plugin.__doc__ or "") for setting in fields)


class TestStratified:
    def test_every_stratum_keeps_its_weight(self) -> None:
        of = candidates(60, seed=6)
        weights = stratified(of, count=30)
        large = of.size_usd >= np.median(of.size_usd)
        cells = list(zip(of.stages, of.countries, large.tolist(), strict=True))
        assert len(set(cells)) <= 18
        for cell in set(cells):
            inside = np.array([one == cell for one in cells])
            assert weights[inside].sum() == pytest.approx(of.weights[inside].sum(), abs=1e-14)
            chosen = np.flatnonzero(inside & (weights > 0))
            left_out = of.weights[inside & (weights == 0)]
            assert of.weights[chosen].min() >= left_out.max(initial=0)
            assert np.ptp(weights[chosen] / of.weights[chosen]) < 1e-12
        assert np.count_nonzero(weights) == 30

    def test_seats_by_hand(self) -> None:
        """Quotas of 5: 2.5, 1.7, 0.75, 0.05; whole parts, one at least: 2, 1, 1, 1. None is left."""
        of = replace(
            candidates(9, seed=1),
            stages=("a", "a", "a", "b", "b", "b", "c", "c", "d"),
            weights=np.array([0.2, 0.2, 0.1, 0.2, 0.1, 0.04, 0.1, 0.05, 0.01]),
        )
        weights = stratified(of, count=5, by=("stage",))
        assert weights == pytest.approx([0.25, 0.25, 0, 0.34, 0, 0, 0.15, 0, 0.01], abs=1e-14)
        weights = stratified(of, count=6, by=("stage",))  # quotas 3, 2.04, 0.9, 0.06: one too many, where 3 - 3 is
        assert np.flatnonzero(weights == 0).tolist() == [2, 5, 7]
        assert weights[:3] == pytest.approx([0.25, 0.25, 0])

    def test_largest_remainder_by_hand(self) -> None:
        """Quotas of 3: 1.65 and 1.35; whole parts 1 and 1; the third goes to the larger remainder."""
        of = replace(candidates(4, seed=1), stages=("a", "a", "b", "b"), weights=np.array([0.3, 0.25, 0.25, 0.2]))
        assert stratified(of, count=3, by=("stage",)) == pytest.approx([0.3, 0.25, 0.45, 0])

    def test_the_lightest_stratum_joins_the_one_most_like_it(self) -> None:
        """(b, US) joins (b, AU), which shares its stage, though (a, US) is lighter than (b, AU)."""
        of = replace(
            candidates(4, seed=1),
            stages=("a", "a", "b", "b"),
            countries=("AU", "US", "AU", "US"),
            weights=np.array([0.4, 0.2, 0.3, 0.1]),
        )
        assert stratified(of, count=3, by=("stage", "country")) == pytest.approx([0.4, 0.2, 0.4, 0])
        assert stratified(of, count=3, by=("country", "stage")) == pytest.approx([0.4, 0.3, 0.3, 0])
        assert stratified(of, count=1) == pytest.approx([1, 0, 0, 0])

    def test_ties_go_by_symbol(self) -> None:
        of = replace(candidates(4, seed=1), stages=("a",) * 4, weights=np.full(4, 0.25))
        assert stratified(of, count=2, by=("stage",)).tolist() == [0.5, 0.5, 0, 0]

    def test_unknown_sizes_are_named(self) -> None:
        of = candidates(6, seed=1)
        of = replace(of, size_usd=np.where([0, 1, 0, 0, 1, 0], np.nan, of.size_usd))
        with pytest.raises(DataError) as refused:
            stratified(of, count=3)
        assert [problem.where for problem in refused.value.problems] == ["size_usd of S001", "size_usd of S004"]
        assert stratified(of, count=3, by=("stage",)).sum() == pytest.approx(1)

    @given(st.integers(0, 100_000), st.integers(1, 25))
    def test_sums_and_counts(self, seed: int, count: int) -> None:
        weights = stratified(candidates(25, seed, sessions=1), count=count)
        assert np.count_nonzero(weights) == count
        assert weights.sum() == pytest.approx(1, abs=1e-12)


class TestOptimum:
    """One choice of lines: optimality conditions, and another solver."""

    def test_meets_the_conditions_of_optimality(self) -> None:
        of = candidates(20, seed=7)
        upper = np.full(20, 0.09)
        asked = programme(of, 14, upper=upper)
        found = best(asked)
        assert found is not None
        w = found.weights
        gradient = asked.covariance @ (w - of.weights)
        held, free = w > 0, (w > 0) & (w < upper - 1e-12)
        level = gradient[free].mean()
        assert held.sum() == 14
        assert (~free & held).sum() >= 2
        assert w.sum() == pytest.approx(1, abs=1e-14)
        assert np.abs(gradient[free] - level).max() < 1e-12
        assert (gradient[held & ~free] <= level + 1e-12).all()

    def test_is_what_a_general_solver_finds(self) -> None:
        of = candidates(8, seed=8)
        asked = programme(of, 8, upper=np.linspace(0.08, 0.5, 8), issuers=np.array([0, 0, 1, 1, 2, 3, 4, 5]))
        asked = replace(asked, issuer_at_most=0.25, large=(0.2, 0.4))
        held, large = np.array([1, 1, 1, 1, 1, 1, 0, 1], bool), np.array([1, 0, 0, 1, 0, 0], bool)
        found = optimum(asked, Choice(held, large))
        assert found is not None
        rows = [[1, 1, 0, 0, 0, 0, 0, 0], [0, 0, 1, 1, 0, 0, 0, 0], [1, 1, 0, 0, 0, 1, 0, 0]]
        most = np.minimum(asked.upper, [0.25, 0.25, 0.2, 0.2, 0.2, 0.25, 0, 0.2])
        outside = minimize(
            lambda w: (w - of.weights) @ asked.covariance @ (w - of.weights) / 2,
            np.full(8, 1 / 8),
            jac=lambda w: asked.covariance @ (w - of.weights),
            method="SLSQP",
            bounds=[(0, high) for high in np.where(held, most, 0)],
            constraints=[
                {"type": "eq", "fun": lambda w: w.sum() - 1},
                {"type": "ineq", "fun": lambda w: np.array([0.25, 0.2, 0.4]) - np.array(rows) @ w},
            ],
            options={"ftol": 1e-15, "maxiter": 500},
        )
        assert outside.success
        assert found.weights == pytest.approx(outside.x, abs=1e-6)
        assert found.value == pytest.approx(outside.fun, abs=1e-9)

    @pytest.mark.parametrize("seed", range(6))
    def test_bounds_on_moves_are_never_above_what_the_move_brings(self, seed: int) -> None:
        of, draw = candidates(9, seed), np.random.default_rng(seed)
        asked = programme(of, 6, upper=draw.uniform(0.15, 0.6, 9), least=0.02 * (seed % 2), large=(0.2, 0.5))
        large = np.isin(np.arange(9), [0, 1])
        now = optimum(asked, Choice(np.arange(9) < 6, large, seed % 2 == 1))
        assert now is not None
        seen = 0
        for promoted in (False, True):
            view = outlook(asked, now, promoted=promoted)
            moves = [
                (*pair, view.exchanged[at])
                for at in np.ndindex(6, 3)
                for pair in [(view.held[at[0]], view.others[at[1]])]
            ]
            moves += [(-1, into, bound) for into, bound in zip(view.others, view.added, strict=True)]
            moves += [(out, -1, bound) for out, bound in zip(view.held, view.without, strict=True)]
            for out, into, bound in moves:
                held, may = now.choice.held.copy(), large.copy()
                held[out if out >= 0 else into] = out < 0
                if into >= 0:
                    held[into] = True
                    may[into] |= promoted
                moved = optimum(asked, replace(now.choice, held=held, large=may))
                seen += moved is not None
                assert moved is None or bound <= moved.value + 1e-9
        assert seen > 20


class TestSearch:
    @pytest.mark.parametrize(
        ("seed", "lines", "count", "more"),
        [
            (1, 9, 4, {}),
            (2, 9, 4, {}),
            (3, 9, 5, {"upper": 0.3}),
            (4, 8, 5, {"least": 0.1}),
            (5, 8, 4, {"least": 0.12, "upper": 0.4}),
            (6, 7, 5, {"large": (0.2, 0.5)}),
            (7, 7, 5, {"large": (0.15, 0.6), "upper": 0.35}),
            (8, 7, 5, {"large": (0.2, 0.45), "least": 0.05}),
            (9, 8, 5, {"issuer_at_most": 0.35, "issuers": np.array([0, 0, 1, 1, 2, 2, 3, 4])}),
        ],
    )
    def test_finds_the_best_of_all_choices(self, seed: int, lines: int, count: int, more: dict[str, Any]) -> None:
        """These are found; not all are. Of 1,500 random programmes of 6 lines (one issuer with two, tight bounds, half
        of them with a least weight, seven in ten with a rule on large issuers; seed 20261123) 851 have a solution and
        all of those, no other, were solved: 846 exactly, the others with up to 34 % more tracking error. Of
        100 of 10 lines each, without such rules, 99 with 5 held (the other 0.3 % more) and 99 with 3 held (4 % more).
        """
        more |= {"upper": np.full(lines, more.get("upper", 1.0))}
        asked = programme(candidates(lines, seed), count, **more)
        found, truth = best(asked), exhausted(asked)
        assert found is not None
        assert truth is not None
        assert found.value == pytest.approx(truth.value, rel=1e-7, abs=1e-12)

    @pytest.mark.parametrize(
        ("seed", "count", "upper", "large", "least"),
        [
            (
                259,
                4,
                [0.39, 0.36, 0.41, 0.42, 0.24, 0.52, 0.14],
                (0.2, 0.5),
                0.0,
            ),  # who is not large makes room
            (409, 5, [0.24, 0.26, 0.09, 0.53, 0.18, 0.11, 0.25], (0.2, 0.6), 0.0),  # several starts; room that is left
            (155, 5, [0.24, 0.51, 0.27, 0.41, 0.21, 0.46, 0.19], (0.2, 0.6), 0.0),  # one large issuer for another
            (553, 4, [0.45, 0.41, 0.24, 0.5, 0.16, 0.32, 0.43], (0.2, 0.5), 0.0),  # large by room, not by weight
            (438, 5, [0.53, 0.44, 0.46, 0.52, 0.59, 0.54, 0.36], None, 0.1),  # a bound with a least weight that binds
        ],
    )
    def test_needs_every_step_of_the_search(
        self, seed: int, count: int, upper: list[float], large: tuple[float, float] | None, least: float
    ) -> None:
        """Programmes in which the search ends further from the index when the step named is left out."""
        asked = programme(candidates(7, seed), count, upper=np.array(upper), large=large, least=least)
        found, truth = best(asked), exhausted(asked)
        assert found is not None
        assert truth is not None
        assert found.value == pytest.approx(truth.value, rel=1e-7)

    @hypothesis_settings(max_examples=25)
    @given(st.integers(0, 100_000), st.integers(2, 5))
    def test_is_never_better_than_the_best_and_seldom_far_from_it(self, seed: int, count: int) -> None:
        asked = programme(candidates(6, seed), count)
        found, truth = best(asked), exhausted(asked)
        assert found is not None
        assert truth is not None
        assert truth.value - 1e-9 <= found.value <= 1.2 * truth.value + 1e-9

    @hypothesis_settings(max_examples=25)
    @example(3432)  # an issuer with much room in two lines uses up the count
    @given(st.integers(0, 100_000))
    def test_says_none_only_where_there_is_none(self, seed: int) -> None:
        draw = np.random.default_rng(seed)
        upper, large = draw.uniform(0.05, 0.5, 6), (0.2, float(draw.uniform(0.3, 0.6)))
        asked = programme(
            candidates(6, seed), 4, upper=upper, large=large, issuers=draw.permutation([0, 0, 1, 2, 3, 4])
        )
        assert (best(asked) is None) == (exhausted(asked) is None)

    def test_no_single_move_helps(self) -> None:
        asked = programme(candidates(24, seed=3), 10, upper=np.full(24, 0.2))
        now = best(asked)
        assert now is not None
        for out, into in ((o, i) for o in np.flatnonzero(now.weights) for i in np.flatnonzero(now.weights == 0)):
            held = now.choice.held.copy()
            held[[out, into]] = False, True
            moved = optimum(asked, replace(now.choice, held=held))
            assert moved is None or moved.value >= now.value * (1 - 1e-8)


class TestRoom:
    @pytest.mark.parametrize("seed", range(12))
    def test_is_the_most_of_all_choices(self, seed: int) -> None:
        """Against every set of three lines and every set of large issuers, each a small linear programme."""
        draw = np.random.default_rng(seed)
        issuers, upper = draw.permutation([0, 0, 1, 2, 3, 4]), draw.uniform(0.05, 0.35, 6)
        asked = programme(candidates(6, seed), 3, upper=upper, issuers=issuers, issuer_at_most=0.3, large=(0.15, 0.4))
        truth = 0.0
        for lines in combinations(range(6), 3):
            for large in (large for size in range(4) for large in combinations(range(5), size)):
                room, sums = np.where(np.isin(np.arange(6), lines), upper, 0.0), np.zeros(5)
                np.add.at(sums, issuers, room)
                sums = np.minimum(sums, np.where(np.isin(np.arange(5), large), 0.3, 0.15))
                inside = np.isin(np.arange(5), large)
                truth = max(truth, float(sums[~inside].sum() + min(sums[inside].sum(), 0.4)))
        found = fullest(asked)
        assert found is not None
        assert found[0] == pytest.approx(min(truth, 1.0), abs=1e-7)


class TestOptimised:
    def test_every_bound_is_met(self) -> None:
        of = candidates(40, seed=9)
        of = replace(of, companies=("company-001", *of.companies[1:]))
        fund = {"fund_usd": 1.2e8, "participation": 0.2, "sessions": 10, "own_at_most": 0.08}
        rules = {"issuer_at_most": 0.07, "large": {"above": 0.05, "together": 0.3}, "least_position": 0.01}
        weights = optimised(of, count=30, **fund, **rules)
        held, issuers = weights > 0, np.append(weights[:2].sum(), weights[2:])
        assert held.sum() <= 30
        assert (weights <= 0.2 * 10 * of.adv_usd / 1.2e8 + 1e-9).all()
        assert (weights <= 0.08 * of.value_usd / 1.2e8 + 1e-9).all()
        assert weights[held].min() >= 0.01 - 1e-9
        assert issuers.max() == pytest.approx(0.07, abs=1e-9)
        assert issuers[issuers > 0.05 + 1e-9].sum() == pytest.approx(0.3, abs=1e-9)

    def test_tracks_nearer_than_strata_and_nearer_with_more_lines(self) -> None:
        of = candidates(40, seed=10)
        covariance = shrunk_covariance(of.returns)
        errors = [
            ex_ante_tracking_error(optimised(of, count=count, **EASY), of.weights, covariance) for count in (10, 20, 30)
        ]
        strata = ex_ante_tracking_error(stratified(of, count=20), of.weights, covariance)
        assert errors == sorted(errors, reverse=True)
        assert errors[1] < 0.8 * strata

    def test_tighter_bounds_never_track_nearer(self) -> None:
        of = candidates(15, seed=11)
        covariance = shrunk_covariance(of.returns)
        terms = {"participation": 0.2, "sessions": 5, "own_at_most": 0.1}
        errors = [
            ex_ante_tracking_error(optimised(of, count=15, fund_usd=usd, **terms), of.weights, covariance)
            for usd in (1e6, 4e7, 1e8, 1.5e8)
        ]
        assert errors == sorted(errors)
        assert errors[0] == 0 < errors[1]

    def test_lines_that_move_alike_keep_their_own_weights(self) -> None:
        of = candidates(8, seed=12)
        twins = of.returns.copy()
        twins[:, 1] = twins[:, 0]
        upper = np.where(np.arange(8) == 7, 0.5 * of.weights[7] * 1e3, 1e9)
        weights = optimised(replace(of, returns=twins, adv_usd=upper), count=8, **EASY)
        assert weights[1] - of.weights[1] == pytest.approx(weights[0] - of.weights[0], abs=1e-6)

    def test_unknown_volume_or_value_is_not_held(self) -> None:
        of = candidates(12, seed=13)
        gone = np.where(np.arange(12) == np.argmax(of.weights), np.nan, 1e9)
        for name in ("adv_usd", "value_usd"):
            weights = optimised(replace(of, **{name: gone}), count=12, **EASY)
            assert weights[np.isnan(gone)] == [0]

    def test_bounds_that_clash_are_named_with_figures(self) -> None:
        of = replace(candidates(10, seed=14), adv_usd=np.full(10, 8e5), value_usd=np.full(10, 9e7))
        with pytest.raises(DataError) as refused:
            optimised(of, count=8, fund_usd=1e7, participation=0.1, sessions=10)
        (problem,) = refused.value.problems
        assert problem.what.startswith("8 of 10 lines can carry 64.00% of the fund under all bounds together")
        assert "volume alone 80.00%" in problem.what
        assert "ownership" not in problem.what  # 10 x 90 % carries the fund

    @pytest.mark.parametrize(
        ("more", "said"),
        [
            ({"issuer_at_most": 0.05}, "issuer_at_most alone 50.00%"),
            ({"large": {"above": 0.05, "together": 0.2}}, "large alone 65.00%"),
            ({"count": 2, "issuer_at_most": 0.3}, "2 of 10 lines can carry 60.00% .* more lines all of it"),
            ({"least_position": 0.3, "issuer_at_most": 0.31}, "3 of 10 lines can carry 93.00%"),
        ],
    )
    def test_each_bound_is_named_where_it_alone_is_too_tight(self, more: dict[str, Any], said: str) -> None:
        settings = {"count": 10, **EASY, **more}
        with pytest.raises(DataError, match=said):
            optimised(candidates(10, seed=15), **settings)

    def test_unknown_amounts_are_counted_in_the_refusal(self) -> None:
        of = replace(candidates(4, seed=1), adv_usd=np.array([np.nan, np.nan, 1.0, 1.0]))
        with pytest.raises(DataError, match="2 lines of unknown volume"):
            optimised(of, count=4, fund_usd=1e8, participation=0.1, sessions=1)

    @pytest.mark.parametrize(
        ("settings", "said"),
        [
            ({"large": {"above": 0.4, "together": 0.05}}, "lies below large.above"),
            ({"issuer_at_most": 0.05, "least_position": 0.1}, "lies above issuer_at_most"),
            ({"count": 1}, "greater than or equal to 2"),
            ({"large": {"above": 0.05}}, "together"),
            ({"large": {"above": 0.05, "together": 0.4, "togther": 0.5}}, "togther"),
        ],
    )
    def test_settings_that_contradict_are_said(self, settings: dict[str, Any], said: str) -> None:
        _, problems = replication.checked_settings("fund", "optimised", {"count": 5, **EASY, **settings})
        assert any(said in str(problem) for problem in problems)

    def test_half_of_sixty_lines(self) -> None:
        of = candidates(60, seed=16, sessions=750)
        weights = optimised(of, count=30, fund_usd=5e7, participation=0.2, sessions=5)
        assert np.count_nonzero(weights) == 30

    @hypothesis_settings(max_examples=30)
    @given(st.integers(0, 100_000), st.floats(1e6, 1e9), st.integers(3, 12))
    def test_refuses_or_meets_its_bounds(self, seed: int, usd: float, count: int) -> None:
        of = candidates(12, seed, sessions=80)
        room = np.minimum(of.adv_usd * 1.0, 0.1 * of.value_usd) / usd
        possible = np.sort(np.minimum(room, 1))[::-1][:count].sum()
        assume(abs(possible - 1) > 1e-6)
        if possible < 1:
            with pytest.raises(DataError, match="can carry"):
                optimised(of, count=count, fund_usd=usd, participation=0.2, sessions=5)
            return
        weights = optimised(of, count=count, fund_usd=usd, participation=0.2, sessions=5)
        assert (weights <= room + 1e-9).all()
        assert np.count_nonzero(weights) <= count


class TestCandidates:
    def test_every_fault_is_named_at_once(self) -> None:
        of = candidates(4, seed=1)
        broken = of.returns.copy()
        broken[10, 2], broken[3, 0] = np.nan, -1.5
        with pytest.raises(DataError) as refused:
            replace(
                of,
                symbols=("B", "A", "C", "D"),
                weights=of.weights * 2,
                adv_usd=np.array([1, -1, 1, np.inf]),
                lot=np.array([0, 0, -5, 1]),
                returns=broken,
            )
        assert [problem.where for problem in refused.value.problems] == [
            "candidates.symbols",
            "candidates.weights",
            "candidates.adv_usd A",
            "candidates.adv_usd D",
            "candidates.lot C",
            "candidates.returns C",
            "candidates.returns B",
        ]

    def test_shapes_are_named(self) -> None:
        of = candidates(4, seed=1)
        with pytest.raises(DataError) as refused:
            replace(of, price=np.ones(3), returns=of.returns[:, :2])
        assert [problem.where for problem in refused.value.problems] == ["candidates.price", "candidates.returns"]

    def test_a_return_before_the_listing_may_be_unknown(self) -> None:
        of = candidates(4, seed=1)
        late = of.returns.copy()
        late[:100, 1] = np.nan
        assert np.isnan(replace(of, returns=late).returns[99, 1])
