from datetime import date

import numpy as np
import polars as pl

from exchina.analytics.session_returns import level_returns, total_returns

DAYS = np.array(["2026-01-05", "2026-01-06", "2026-01-07", "2026-01-08"], "datetime64[D]")
DIVIDENDS = {"symbol": pl.String, "ex_date": pl.Date, "amount": pl.Float64, "currency": pl.String, "type": pl.String}
SPLITS = {"symbol": pl.String, "ex_date": pl.Date, "ratio": pl.Float64}


def prices(symbol: str, **closes: float) -> pl.DataFrame:
    return pl.DataFrame(
        {
            "symbol": symbol,
            "session": [date(2026, 1, int(day[1:])) for day in closes],
            "close": [float(close) for close in closes.values()],
        }
    )


def returns(
    closes: pl.DataFrame,
    dividends: list[tuple[object, ...]] | None = None,
    splits: list[tuple[object, ...]] | None = None,
) -> list[float]:
    symbols = {"A": "AUD", "B": "USD"}
    matrix = total_returns(
        closes,
        pl.DataFrame(dividends or [], schema=DIVIDENDS, orient="row"),
        pl.DataFrame(splits or [], schema=SPLITS, orient="row"),
        currencies=symbols,
        sessions=DAYS,
    )
    assert matrix.shape == (4, 2)
    return matrix[:, 0].tolist()


def test_the_return_is_missing_beside_a_missing_close() -> None:
    found = returns(pl.concat([prices("A", d5=10, d6=11, d8=12), prices("B", d5=1, d6=1, d7=1, d8=1)]))
    np.testing.assert_allclose(found, [np.nan, 0.1, np.nan, np.nan])


def test_a_split_and_a_dividend_on_one_day_leave_the_holder_whole() -> None:
    """Two for one with 0.50 per new share: 20 before, 9.50 + 0.50 twice after."""
    found = returns(
        prices("A", d5=20, d6=9.5, d7=9.5, d8=9.5),
        [("A", date(2026, 1, 6), 0.3, "AUD", "ordinary"), ("A", date(2026, 1, 6), 0.2, "AUD", "special")],
        [("A", date(2026, 1, 6), 2.0), ("B", date(2026, 1, 7), 5.0)],
    )
    np.testing.assert_allclose(found, [np.nan, 0, 0, 0], atol=1e-15)


def test_an_ex_date_that_is_no_session_counts_for_the_next() -> None:
    found = returns(
        prices("A", d5=10, d6=9, d7=9, d8=9),
        [("A", date(2026, 1, 9), 9.0, "AUD", "ordinary")],
        [("A", date(2026, 1, 3), 2.0)],
    )
    np.testing.assert_allclose(found, [np.nan, -0.1, 0, 0])
    monday = returns(prices("A", d5=10, d8=9), [("A", date(2026, 1, 4), 1.0, "AUD", "ordinary")])
    assert np.isnan(monday).all()


def test_a_dividend_in_another_currency_makes_the_return_unknown() -> None:
    found = returns(prices("A", d5=10, d6=9, d7=9, d8=9), [("A", date(2026, 1, 7), 1.0, "USD", "ordinary")])
    np.testing.assert_allclose(found, [np.nan, -0.1, np.nan, 0])


def test_levels_off_the_calendar_are_not_read() -> None:
    levels = pl.concat([prices("A", d4=1, d5=10, d6=11), prices("B", d5=5, d6=4, d7=5)]).rename({"close": "level"})
    found = level_returns(levels, symbols=["B", "C", "A"], sessions=DAYS)
    np.testing.assert_allclose(found[1:, 0], [-0.2, 0.25, np.nan])
    assert np.isnan(found[:, 1]).all()
    np.testing.assert_allclose(found[1:, 2], [0.1, np.nan, np.nan])
