"""The risk model: the published shrinkage, short histories, and the tracking error with its parts."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from exchina.errors import DataError
from exchina.fund.path import FloatArray
from exchina.fund.risk import Covariance, ex_ante_tracking_error, shrunk_covariance, tracking_error_parts


def moves(sessions: int, lines: int, seed: int) -> FloatArray:
    """Returns of one factor and of the lines' own."""
    draw = np.random.default_rng(seed)
    return draw.normal(0, 0.01, (sessions, 1)) + draw.normal(0, 1, (sessions, lines)) * draw.uniform(0.01, 0.03, lines)


def written_out(returns: FloatArray) -> tuple[FloatArray, float]:
    """Ledoit and Wolf (2004), appendix B, sum by sum."""
    x = returns - returns.mean(axis=0)
    n, lines = len(x) - 1, range(x.shape[1])
    s = np.cov(returns.T)
    pairs = [(i, j) for i in lines for j in lines if i != j]
    mean = np.mean([s[i, j] / np.sqrt(s[i, i] * s[j, j]) for i, j in pairs])
    target = np.array([[s[i, i] if i == j else mean * np.sqrt(s[i, i] * s[j, j]) for j in lines] for i in lines])

    def p(i: int, j: int) -> float:
        return float(((x[:, i] * x[:, j]) ** 2).sum() / n - s[i, j] ** 2)

    def theta(i: int, j: int) -> float:
        return float((x[:, i] ** 3 * x[:, j]).sum() / n - s[i, i] * s[i, j])

    pi = sum(p(i, j) for i in lines for j in lines)
    rho = sum(p(i, i) for i in lines) + mean * sum(np.sqrt(s[j, j] / s[i, i]) * theta(i, j) for i, j in pairs)
    k = min(1.0, max(0.0, (pi - rho) / ((target - s) ** 2).sum() / n))
    return k * target + (1 - k) * s, k


class TestShrinkage:
    def test_is_what_the_authors_own_program_finds(self) -> None:
        """covCor.py of Ledoit and Wolf (version 01/2021), run outside on these returns; the seed is 20240131."""
        draw = np.random.default_rng(20240131)
        common = draw.normal(0, 0.01, (120, 1)) * np.array([0.5, 1, 1.5, 0.8, 1.2])
        found = shrunk_covariance(common + draw.normal(0, 1, (120, 5)) * np.array([0.01, 0.015, 0.02, 0.03, 0.012]))
        assert found.shrinkage == pytest.approx(0.42331701401039745, abs=1e-12)
        first = [0.00011222295139167034, 5.2315711843959906e-05, 4.748480547005789e-05]
        assert found.matrix[0] == pytest.approx([*first, 3.5003294882976656e-05, 4.729970103362763e-05], rel=1e-12)
        assert found.matrix[3, 4] == pytest.approx(0.00010045856936528373, rel=1e-12)

    def test_is_the_published_formula(self) -> None:
        returns = moves(90, 7, seed=5)
        found, (matrix, shrinkage) = shrunk_covariance(returns), written_out(returns)
        assert 0.01 < shrinkage < 0.99
        assert found.shrinkage == pytest.approx(shrinkage, rel=1e-10)
        assert found.matrix == pytest.approx(matrix, rel=1e-10)

    def test_keeps_variances_and_is_positive_with_more_lines_than_sessions(self) -> None:
        returns = moves(70, 120, seed=2)
        found = shrunk_covariance(returns)
        assert np.diag(found.matrix) == pytest.approx(returns.var(axis=0, ddof=1), rel=1e-12)
        assert np.linalg.eigvalsh(found.matrix).min() > 0
        assert np.linalg.eigvalsh(np.cov(returns.T)).min() < 1e-12

    def test_two_lines_are_their_own_target(self) -> None:
        returns = moves(80, 2, seed=3)
        found = shrunk_covariance(returns)
        assert found.shrinkage == 0
        assert found.matrix == pytest.approx(np.cov(returns.T), rel=1e-12)
        assert shrunk_covariance(returns[:, :1]).matrix == pytest.approx(returns[:, :1].var(ddof=1))

    @given(st.integers(0, 10_000), st.floats(1e-3, 1e3))
    def test_a_scale_of_returns_is_its_square_in_the_matrix(self, seed: int, scale: float) -> None:
        returns = moves(80, 5, seed)
        one, other = shrunk_covariance(returns), shrunk_covariance(scale * returns)
        assert other.shrinkage == pytest.approx(one.shrinkage, abs=1e-9)
        assert other.matrix == pytest.approx(scale**2 * one.matrix, rel=1e-9)

    def test_more_sessions_are_shrunk_less(self) -> None:
        shrinkages = [shrunk_covariance(moves(sessions, 8, seed=11)).shrinkage for sessions in (60, 600, 6000)]
        assert shrinkages == sorted(shrinkages, reverse=True)


class TestShortHistories:
    def test_a_late_line_is_completed_by_one_factor(self) -> None:
        returns = moves(300, 6, seed=7)
        returns[:180, 4] = np.nan
        found = shrunk_covariance(returns)
        whole = [0, 1, 2, 3, 5]
        m, own = returns[180:, whole].mean(axis=1), returns[180:, 4]
        slope, start = np.polyfit(m, own, 1)
        left = ((own - start - slope * m) ** 2).sum() / (120 - 2)
        rest = shrunk_covariance(returns[:, whole])
        assert found.completed.tolist() == [False] * 4 + [True, False]
        assert found.matrix[np.ix_(whole, whole)] == pytest.approx(rest.matrix, rel=1e-12)
        assert found.matrix[4, whole] == pytest.approx(slope * rest.matrix.mean(axis=0), rel=1e-9)
        assert found.matrix[4, 4] == pytest.approx(slope**2 * rest.matrix.mean() + left, rel=1e-9)

    def test_a_new_listing_has_the_beta_of_the_mean_and_the_residual_of_the_median(self) -> None:
        returns = moves(300, 6, seed=7)
        returns[:-10, 0] = np.nan
        found = shrunk_covariance(returns)
        rest = returns[:, 1:]
        m = rest.mean(axis=1)
        fits = [np.polyfit(m, own, 1) for own in rest.T]
        lefts = [((own - a - b * m) ** 2).sum() / 298 for own, (b, a) in zip(rest.T, fits, strict=True)]
        matrix = shrunk_covariance(rest).matrix
        assert found.matrix[0, 1:] == pytest.approx(matrix.mean(axis=0), rel=1e-9)
        assert found.matrix[0, 0] == pytest.approx(matrix.mean() + np.median(lefts), rel=1e-9)
        assert np.mean([b for b, _ in fits]) == pytest.approx(1, abs=1e-12)

    @given(st.integers(0, 10_000), st.lists(st.integers(0, 290), min_size=9, max_size=9))
    def test_is_never_negative_whatever_is_missing(self, seed: int, late: list[int]) -> None:
        returns = moves(300, 9, seed)
        for line, start in enumerate(sorted(late)):
            returns[: start if line > 4 else 0, line] = np.nan
        found = shrunk_covariance(returns)
        assert (found.matrix == found.matrix.T).all()
        assert np.linalg.eigvalsh(found.matrix).min() > 0

    def test_sessions_before_half_of_the_lines_are_left_out(self) -> None:
        returns = moves(300, 4, seed=1)
        returns[:100, 1:] = np.nan
        found = shrunk_covariance(returns)
        assert found.sessions == 200
        assert (found.matrix == shrunk_covariance(returns[100:]).matrix).all()

    def test_a_line_of_which_nothing_is_known_is_refused_with_all_others(self) -> None:
        returns = moves(200, 5, seed=1)
        returns[:, 1], returns[:, 2], returns[50, 4] = np.nan, 0.0, np.nan
        with pytest.raises(DataError) as refused:
            shrunk_covariance(returns, ["A", "B", "C", "D", "E"])
        assert [problem.where for problem in refused.value.problems] == [f"returns of {name}" for name in "BEC"]

    @pytest.mark.parametrize(("known", "said"), [(59, "fewer than 60"), (0, "none is known")])
    def test_too_short_a_history_is_refused(self, known: int, said: str) -> None:
        returns = moves(200, 5, seed=1)
        returns[: 200 - known] = np.nan
        with pytest.raises(DataError, match=said):
            shrunk_covariance(returns)

    def test_new_listings_beside_too_few_whole_histories_are_refused(self) -> None:
        returns = moves(200, 4, seed=1)
        returns[:-20, 2:] = np.nan
        with pytest.raises(DataError, match="2 lines have a whole history"):
            shrunk_covariance(returns)


class TestTrackingError:
    def test_is_the_deviation_of_the_difference_of_two_portfolios(self) -> None:
        returns = moves(250, 2, seed=4)
        w, b = np.array([0.7, 0.3]), np.array([0.2, 0.8])
        found = ex_ante_tracking_error(w, b, shrunk_covariance(returns))
        assert found == pytest.approx((returns @ w - returns @ b).std(ddof=1) * np.sqrt(252), rel=1e-12)

    @given(st.integers(0, 10_000))
    def test_parts_sum_to_it(self, seed: int) -> None:
        draw = np.random.default_rng(seed)
        covariance = shrunk_covariance(moves(100, 6, seed))
        w, b = draw.dirichlet(np.ones(6)), draw.dirichlet(np.ones(6))
        error = ex_ante_tracking_error(w, b, covariance)
        assert error > 0
        assert tracking_error_parts(w, b, covariance).sum() == pytest.approx(error, rel=1e-12)

    def test_is_zero_for_the_index_itself(self) -> None:
        covariance, b = shrunk_covariance(moves(100, 3, 1)), np.array([0.5, 0.3, 0.2])
        assert ex_ante_tracking_error(b, b, covariance) == 0
        assert tracking_error_parts(b, b, covariance).tolist() == [0, 0, 0]

    def test_forecasts_what_comes(self) -> None:
        returns = moves(4000, 10, seed=8)
        w, b = np.full(10, 0.1), np.repeat([0.15, 0.05], 5)
        forecast = ex_ante_tracking_error(w, b, shrunk_covariance(returns[:2000]))
        realised = (returns[2000:] @ (w - b)).std(ddof=1) * np.sqrt(252)
        assert forecast == pytest.approx(realised, rel=0.05)

    @pytest.mark.parametrize("weights", [[0.5, 0.5], [0.6, 0.6, -0.2], [0.5, 0.3, 0.1], [0.5, 0.5, np.nan]])
    def test_weights_that_are_none_are_refused(self, weights: list[float]) -> None:
        covariance = Covariance(np.eye(3), 0.0, 60, np.zeros(3, bool))
        with pytest.raises(DataError, match="weights"):
            ex_ante_tracking_error(np.array(weights), np.full(3, 1 / 3), covariance)
