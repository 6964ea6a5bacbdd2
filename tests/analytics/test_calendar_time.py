import numpy as np
import numpy.typing as npt
import pytest
from scipy.stats import linregress

from exchina.analytics.calendar_time import calendar_time_alpha, calendar_time_portfolio
from exchina.errors import DataError

FloatArray = npt.NDArray[np.float64]
IntArray = npt.NDArray[np.int64]


def sample(sessions: int = 80) -> tuple[FloatArray, FloatArray, IntArray]:
    rng = np.random.default_rng(4)
    x = rng.normal(0, 0.01, sessions)
    return 0.002 + 1.1 * x + rng.normal(0, 0.02, sessions), x, rng.integers(1, 6, sessions)


def test_alpha_by_least_squares_is_that_of_scipy() -> None:
    y, x, _ = sample()
    fit, theirs = calendar_time_alpha(y, x), linregress(x, y)
    assert [fit.alpha, fit.beta, fit.se_alpha] == pytest.approx(
        [theirs.intercept, theirs.slope, theirs.intercept_stderr], rel=1e-10
    )
    assert (fit.df, fit.sessions, fit.weighted, fit.lags) == (78, 80, False, None)


def test_a_weight_counts_a_session_that_many_times() -> None:
    """Weighted by names held, alpha is that of a sample in which each session stands once for each name."""
    y, x, held = sample()
    fit, repeated = calendar_time_alpha(y, x, held=held), calendar_time_alpha(np.repeat(y, held), np.repeat(x, held))
    assert [fit.alpha, fit.beta] == pytest.approx([repeated.alpha, repeated.beta], rel=1e-10)
    assert fit.se_alpha == pytest.approx(repeated.se_alpha * np.sqrt(repeated.df / fit.df), rel=1e-10)
    assert fit.weighted


@pytest.mark.parametrize("lags", [0, 1, 4])
@pytest.mark.parametrize("weighted", [False, True])
def test_newey_west_is_its_double_sum(lags: int, weighted: bool) -> None:
    y, x, held = sample(40)
    fit = calendar_time_alpha(y, x, held=held if weighted else None, lags=lags)
    w = held if weighted else np.ones(40)
    design = np.column_stack([np.ones(40), x])
    u = design * (w * (y - fit.alpha - fit.beta * x))[:, None]
    middle = sum(
        (1 - abs(s - t) / (lags + 1)) * np.outer(u[s], u[t]) for s in range(40) for t in range(40) if abs(s - t) <= lags
    )
    bread = np.linalg.inv(design.T @ (design * w[:, None]))
    assert fit.se_alpha == pytest.approx(np.sqrt((bread @ middle @ bread)[0, 0] * 40 / 38), rel=1e-9)
    assert fit.lags == lags


def test_overlap_widens_the_error_only_with_lags() -> None:
    rng = np.random.default_rng(6)
    noise = np.convolve(rng.normal(0, 0.02, 2004), np.ones(5) / 5, "valid")
    x = rng.normal(0, 0.01, 2000)
    plain, robust = calendar_time_alpha(noise + x, x), calendar_time_alpha(noise + x, x, lags=20)
    assert robust.alpha == plain.alpha
    assert robust.se_alpha / plain.se_alpha == pytest.approx(np.sqrt(5), rel=0.2)


def test_a_session_without_a_portfolio_takes_no_part_and_is_not_closed_up() -> None:
    y, x, held = sample()
    y[30], x[40] = np.nan, np.nan
    kept = np.delete(np.arange(80), [30, 40])
    fit = calendar_time_alpha(y, x, held=held)
    assert fit.sessions == 78
    assert fit.t == pytest.approx(calendar_time_alpha(y[kept], x[kept], held=held[kept]).t, rel=1e-12)
    gap, closed = calendar_time_alpha(y, x, lags=1), calendar_time_alpha(y[kept], x[kept], lags=1)
    assert gap.alpha == pytest.approx(closed.alpha, rel=1e-10)
    assert gap.se_alpha != pytest.approx(closed.se_alpha, rel=1e-6), "29 and 31 are two sessions apart"


def test_names_are_held_from_the_day_after_their_event() -> None:
    returns = np.arange(30.0).reshape(10, 3)
    returns[5, 1] = np.nan
    portfolio, held = calendar_time_portfolio(
        returns, positions=np.array([2, 3, 4, 9]), names=np.array([0, 1, 0, 2]), sessions=3
    )
    assert held.tolist() == [0, 0, 0, 1, 2, 1, 2, 1, 0, 0], "name 0 once on 5, name 1 has no return on it"
    np.testing.assert_array_equal(portfolio, [np.nan] * 3 + [9.0, 12.5, 15.0, 18.5, 21.0] + [np.nan] * 2)
    _, with_day0 = calendar_time_portfolio(returns, positions=np.array([2]), names=np.array([0]), sessions=2, start=0)
    assert np.flatnonzero(with_day0).tolist() == [2, 3]


def test_what_cannot_be_fitted_is_refused_in_full() -> None:
    y, x, held = sample(10)
    with pytest.raises(DataError) as caught:
        calendar_time_alpha(y, np.full(10, 0.01), held=np.where(np.arange(10) == 4, 0, held), lags=10)
    assert [problem.where for problem in caught.value.problems] == ["benchmark", "held", "lags"]
    with pytest.raises(DataError, match="2 sessions"):
        calendar_time_alpha(np.where(np.arange(10) < 2, y, np.nan), x)
    with pytest.raises(DataError, match="differ in length"):
        calendar_time_alpha(y, x[:9])
    with pytest.raises(DataError, match="differ in length"):
        calendar_time_alpha(y, x, held=held[:9])


def test_returns_that_never_move_have_no_alpha() -> None:
    _, x, _ = sample()
    with pytest.raises(DataError, match="no residual"):
        calendar_time_alpha(np.zeros(80), x)
