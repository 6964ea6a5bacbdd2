"""Returns of several markets on common days: a common factor is found on its days, rates move what is closed."""

from datetime import date, timedelta
from itertools import pairwise

import numpy as np
import polars as pl
import pytest

from exchina.market.view import MarketView
from exchina.workflow.dated_returns import OwnReturns, on_common_days

DAY = date(2026, 9, 3)
LAST = 252


def own_days(view: MarketView, calendar: str) -> list[date]:
    known = view.market.sessions.filter(pl.col("calendar") == calendar, pl.col("session") <= DAY)
    return known["session"].sort().tail(LAST + 1).to_list()


def test_a_common_factor_of_the_day_is_found_across_holidays(sample: MarketView) -> None:
    """Every market moves by the same move of each calendar day since its last session; rates stand still."""
    days = [DAY - timedelta(days=back) for back in range(600, -1, -1)]
    moves = dict(zip(days, np.random.default_rng(20261123).normal(0, 0.01, len(days)), strict=True))
    lines = list[OwnReturns]()
    for calendar in ("XNYS", "XTKS", "XASX"):
        own = own_days(sample, calendar)
        grown = [np.prod([1 + moves[day] for day in days if a < day <= b]) - 1 for a, b in pairwise(own)]
        lines.append(OwnReturns(calendar, "USD", grown))
    found = on_common_days(lines, sample.market, "USD", DAY)
    known = found[~np.isnan(found).any(axis=1)]
    by_position = np.array([line.returns for line in lines]).T
    assert np.corrcoef(by_position.T)[0, 1] < 0.5
    assert np.corrcoef(known.T)[0, 1] > 0.85
    total = np.prod(1 + known, axis=0)
    assert total == pytest.approx(total[0], rel=0.05)


def test_a_closed_market_moves_with_its_rate_alone(sample: MarketView) -> None:
    own = own_days(sample, "XTKS")
    flat = OwnReturns("XTKS", "JPY", [0.0] * (len(own) - 1))
    other = OwnReturns("XNYS", "USD", [0.0] * LAST)
    found = on_common_days([flat, other], sample.market, "USD", DAY)
    rates = sample.market.fx.filter(pl.col("currency") == "JPY", pl.col("session") <= DAY).sort("session")
    change = rates["usd_per_unit"][-1] / rates.filter(pl.col("session") <= own[0])["usd_per_unit"][-1]
    assert np.nanprod(1 + found[:, 0]) == pytest.approx(change, rel=1e-9)
    assert np.nanprod(1 + found[:, 1]) == 1.0


def test_a_young_line_is_unknown_before_its_first_close(sample: MarketView) -> None:
    lines = [
        OwnReturns("XNYS", "USD", [0.01] * 100),
        OwnReturns("XNYS", "USD", [0.01] * 10),
        OwnReturns("XNYS", "USD", None),
    ]
    found = on_common_days(lines, sample.market, "USD", DAY)
    assert found.shape == (100, 3)
    assert np.isnan(found[:, 1]).sum() == 90
    assert np.isnan(found[:, 2]).all()
