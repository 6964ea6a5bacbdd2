import numpy as np
import numpy.typing as npt
import pytest

from exchina.analytics.asynchronous import asynchronous_betas
from exchina.errors import DataError

FloatArray = npt.NDArray[np.float64]


def slopes(y: FloatArray, *factors: FloatArray) -> FloatArray:
    """Ordinary least squares by numpy, intercept left out."""
    return np.linalg.lstsq(np.column_stack([np.ones(len(y)), *factors]), y)[0][1:]


def sample(sessions: int = 300, names: int = 3) -> tuple[FloatArray, FloatArray]:
    rng = np.random.default_rng(5)
    shocks = rng.normal(0, 0.01, sessions + 1)
    benchmark = shocks[1:] + 0.3 * shocks[:-1]
    return rng.normal(0, 0.03, (sessions, names)) + 1.2 * benchmark[:, None], benchmark


def test_known_coefficients_are_found_exactly_without_noise() -> None:
    _, m = sample()
    returns = np.full((300, 1), 0.5)  # the first and the last session are not interior
    returns[1:-1, 0] = 0.001 + 0.4 * m[:-2] + 0.9 * m[1:-1] + 0.2 * m[2:]
    found = asynchronous_betas(returns, m)
    rho = np.corrcoef(m[1:-1], m[:-2])[0, 1]
    assert found.sessions.tolist() == [298]
    assert found.autocorrelation == pytest.approx(rho, rel=1e-12)
    assert found.joint[:, 0] == pytest.approx([0.4, 0.9, 0.2], rel=1e-10)
    assert found.dimson[0] == pytest.approx(1.5, rel=1e-10)
    assert found.fowler_rorke is not None
    assert found.fowler_rorke[0] == pytest.approx(0.9 + 0.6 * (1 + rho) / (1 + 2 * rho), rel=1e-10)
    assert found.note is None


def test_betas_are_those_of_regressions_on_interior_sessions() -> None:
    returns, m = sample()
    lag, same, lead = m[:-2], m[1:-1], m[2:]
    rho = np.corrcoef(same, lag)[0, 1]
    found = asynchronous_betas(returns, m)
    for name, y in enumerate(returns[1:-1].T):
        alone = np.array([slopes(y, factor)[0] for factor in (lag, same, lead)])
        together = slopes(y, lag, same, lead)
        assert found.ols[name] == pytest.approx(alone[1], rel=1e-9)
        assert found.simple[:, name] == pytest.approx(alone, rel=1e-9)
        assert found.scholes_williams is not None
        assert found.scholes_williams[name] == pytest.approx(alone.sum() / (1 + 2 * rho), rel=1e-9)
        assert found.dimson[name] == pytest.approx(together.sum(), rel=1e-9)


def test_a_share_that_prices_half_of_its_news_a_session_late_is_given_its_true_beta() -> None:
    rng = np.random.default_rng(9)
    m = rng.normal(0, 0.01, 40_000)
    true = 1.4 * m + rng.normal(0, 0.01, m.size)
    seen = 0.5 * true + 0.5 * np.concatenate([[0.0], true[:-1]])
    found = asynchronous_betas(seen[:, None], m)
    assert found.ols[0] == pytest.approx(0.7, abs=0.03), "understated"
    assert found.scholes_williams is not None
    assert found.fowler_rorke is not None
    for beta in (found.scholes_williams, found.dimson, found.fowler_rorke):
        assert beta[0] == pytest.approx(1.4, abs=0.04)


def test_a_missing_return_takes_only_its_own_session_away() -> None:
    returns, m = sample()
    holes = returns.copy()
    holes[100, 0] = np.nan
    found, whole = asynchronous_betas(holes, m), asynchronous_betas(returns, m)
    kept = np.delete(np.arange(1, 299), 99)
    assert found.sessions.tolist() == [297, 298, 298]
    assert found.dimson[0] == pytest.approx(slopes(returns[kept, 0], m[kept - 1], m[kept], m[kept + 1]).sum(), rel=1e-9)
    assert found.dimson[1:].tolist() == whole.dimson[1:].tolist()


def test_a_missing_benchmark_return_takes_its_neighbours_along() -> None:
    returns, m = sample()
    m[100] = np.nan
    found = asynchronous_betas(returns, m)
    kept = np.delete(np.arange(1, 299), [98, 99, 100])
    assert found.sessions.tolist() == [295] * 3
    assert found.autocorrelation == pytest.approx(np.corrcoef(m[kept], m[kept - 1])[0, 1], rel=1e-12)
    assert found.dimson[2] == pytest.approx(slopes(returns[kept, 2], m[kept - 1], m[kept], m[kept + 1]).sum(), rel=1e-9)


def test_a_benchmark_that_reverses_every_session_leaves_two_betas_not_computable() -> None:
    rng = np.random.default_rng(2)
    m = 0.01 * (-1.0) ** np.arange(60) + rng.normal(0, 0.001, 60)
    found = asynchronous_betas(rng.normal(0, 0.03, (60, 2)), m)
    assert found.autocorrelation < -0.5
    assert (found.scholes_williams, found.fowler_rorke) == (None, None)
    assert "1 + 2 rho_m" in (found.note or "")
    assert np.isfinite(found.dimson).all()


@pytest.mark.parametrize(
    ("sessions", "benchmark"),
    [
        (6, np.arange(6.0)),
        (60, np.arange(59.0)),
        (60, np.full(60, 0.01)),
        (60, np.full(60, np.nan)),
    ],
)
def test_what_cannot_be_fitted_is_refused(sessions: int, benchmark: FloatArray) -> None:
    with pytest.raises(DataError):
        asynchronous_betas(np.random.default_rng(1).normal(size=(sessions, 2)), benchmark)
