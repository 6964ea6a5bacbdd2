import numpy as np
import numpy.typing as npt
import pytest
from scipy.stats import t as student

from exchina.analytics.market_model import abnormal_returns
from exchina.analytics.trade_to_trade import trade_to_trade
from exchina.errors import DataError

FloatArray = npt.NDArray[np.float64]


def market(sessions: int, seed: int = 3) -> tuple[FloatArray, FloatArray]:
    """Levels of a security with beta 1.5 that trades every session, and of its benchmark."""
    draws = np.random.default_rng(seed).normal(0, [[0.01], [0.03]], (2, sessions))
    return 10 * np.exp(np.cumsum(1.5 * draws[0] + draws[1])), 100 * np.exp(np.cumsum(draws[0]))


def where(error: DataError) -> list[str]:
    return [problem.where for problem in error.problems]


def test_a_security_that_trades_every_session_has_its_market_model() -> None:
    closes, benchmark = market(90)
    fit = trade_to_trade(closes, benchmark, estimation=np.arange(1, 70), window=(80, 80))
    returns, factor = np.diff(np.log(closes), prepend=np.nan), np.diff(np.log(benchmark), prepend=np.nan)
    plain = abnormal_returns(returns[:, None], factor, estimation=np.arange(1, 70), event=np.array([80]))
    assert (fit.intervals, fit.df, fit.event_sessions, fit.sessions_without_trade) == (69, 67, 1, 0)
    assert [fit.alpha, fit.beta, fit.s] == pytest.approx([*plain.coefficients[:, 0], plain.s[0]], rel=1e-9)
    assert [fit.ar, fit.se_ar] == pytest.approx([plain.ar[0, 0], plain.se_ar[0, 0]], rel=1e-9)
    assert fit.p == pytest.approx(2 * student.sf(abs(fit.t), 67), rel=1e-9)


def test_days_without_trade_enter_as_longer_intervals() -> None:
    """By hand from the weighted normal equations: intervals of 1, 2, 1, 3, 1 and 1 sessions; the event spans 2."""
    trades = [0, 1, 3, 4, 7, 8, 9, 11]
    closes, benchmark = market(12)
    thin = np.full(12, np.nan)
    thin[trades] = closes[trades]
    fit = trade_to_trade(thin, benchmark, estimation=np.arange(10), window=(10, 10))
    n = np.array([1, 2, 1, 3, 1, 1.0])
    r, rm = (np.diff(np.log(series[trades[:-1]])) for series in (closes, benchmark))
    root = np.sqrt(n)
    x = np.column_stack([n / root, rm / root])
    (a, b), squares, *_ = np.linalg.lstsq(x, r / root)
    at = np.array([2, np.log(benchmark[11] / benchmark[9])])
    s = np.sqrt(squares[0] / 4)
    assert (fit.intervals, fit.event_sessions, fit.sessions_without_trade, fit.estimation_sessions) == (6, 2, 3, 10)
    assert fit.share_without_trade == 0.3
    assert [fit.alpha, fit.beta, fit.s] == pytest.approx([a, b, s], rel=1e-9)
    assert fit.ar == pytest.approx(np.log(closes[11] / closes[9]) - a * 2 - b * at[1], rel=1e-9)
    assert fit.se_ar == pytest.approx(s * np.sqrt(2 + at @ np.linalg.inv(x.T @ x) @ at), rel=1e-9)


def test_an_interval_that_spans_a_session_outside_the_estimation_window_takes_no_part() -> None:
    closes, benchmark = market(60)
    closes[[20, 21, 30]] = np.nan
    shocked = closes.copy()
    shocked[31:] *= 1.2  # an event on session 30, on which there was no trade, shows on session 31
    clean = np.delete(np.arange(1, 45), np.s_[28:31])  # sessions 29 to 31 are left out
    calm, hit = (trade_to_trade(c, benchmark, estimation=clean, window=(50, 51)) for c in (closes, shocked))
    assert calm.intervals == 44 - 3 - 2, "sessions 29 and 30 to 31 fall out, 20 to 22 are one interval"
    assert (hit.beta, hit.ar) == pytest.approx((calm.beta, calm.ar), rel=1e-12)
    assert calm.event_sessions == 2


def test_a_window_runs_to_the_first_trade_after_it() -> None:
    closes, benchmark = market(60)
    closes[[49, 52]] = np.nan
    assert trade_to_trade(closes, benchmark, estimation=np.arange(40), window=(50, 52)).event_sessions == 53 - 48


def test_scale_of_the_prices_does_not_matter() -> None:
    closes, benchmark = market(60)
    one, other = (
        trade_to_trade(k * closes, 7 * k * benchmark, estimation=np.arange(40), window=(50, 50)) for k in (1, 100)
    )
    assert (one.t, one.beta) == pytest.approx((other.t, other.beta), rel=1e-9)


def test_the_null_is_rejected_as_often_as_stated() -> None:
    """Securities that trade on 60 % of sessions and have no event: p below 10 % in 10 % of them."""
    rng = np.random.default_rng(11)
    p = [null_p(rng) for _ in range(2000)]
    assert np.mean(np.array(p) < 0.10) == pytest.approx(0.10, abs=0.02)


def null_p(rng: np.random.Generator) -> float:
    factor = rng.normal(0, 0.01, 60)
    closes = np.exp(np.cumsum(1.2 * factor + rng.normal(0, 0.03, 60)))
    silent = rng.random(60) < 0.4
    silent[50], silent[59] = False, False
    thin = np.where(silent, np.nan, closes)
    return trade_to_trade(thin, np.exp(np.cumsum(factor)), estimation=np.arange(45), window=(55, 59)).p


def test_bad_prices_are_named_together() -> None:
    closes, benchmark = market(30)
    closes[3], benchmark[4] = 0, -1
    with pytest.raises(DataError) as caught:
        trade_to_trade(closes, benchmark[:29], estimation=np.arange(10), window=(20, 20))
    assert where(caught.value) == ["closes", "benchmark", "benchmark"]


@pytest.mark.parametrize(
    ("silent", "what"),
    [
        (slice(20, 30), "no trade after the window opens"),
        (slice(0, 20), "no trade before the window"),
        (slice(5, 20), "reaches into the estimation window"),
    ],
)
def test_an_event_without_an_interval_of_its_own_is_refused(silent: slice, what: str) -> None:
    closes, benchmark = market(30)
    closes[silent] = np.nan
    with pytest.raises(DataError, match=what):
        trade_to_trade(closes, benchmark, estimation=np.arange(10), window=(20, 20))


def test_an_event_interval_may_begin_right_behind_the_estimation_window() -> None:
    closes, benchmark = market(30)
    closes[10:19] = np.nan
    assert trade_to_trade(closes, benchmark, estimation=np.arange(10), window=(19, 19)).event_sessions == 10


def test_too_few_intervals_or_a_benchmark_that_does_not_move_are_refused() -> None:
    closes, benchmark = market(30)
    with pytest.raises(DataError, match="2 intervals"):
        trade_to_trade(closes, benchmark, estimation=np.arange(3), window=(20, 20))
    with pytest.raises(DataError, match="in step with the days"):
        trade_to_trade(closes, np.full(30, 5.0), estimation=np.arange(10), window=(20, 20))


def test_prices_that_never_move_are_refused() -> None:
    with pytest.raises(DataError, match="no residual"):
        trade_to_trade(np.full(30, 5.0), market(30)[1], estimation=np.arange(10), window=(20, 20))
