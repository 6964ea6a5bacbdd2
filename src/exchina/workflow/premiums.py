"""The premium and discount of a fund that holds markets which are closed when it is valued."""

import numpy as np
import polars as pl

from exchina.errors import DataError, Problem
from exchina.fund.attribution import growth
from exchina.fund.fair_value import FairValue, fair_value
from exchina.fund.path import FloatArray
from exchina.market.view import MarketView
from exchina.workflow.tracking import Track


def stale_premium(tracked: Track, view: MarketView) -> FairValue:
    """`exchina.fund.fair_value.fair_value` of a fund: factor is the local benchmark of the market it is listed on.

    Raises:
        DataError: the benchmark or the hours of that market are not in the store; or as for `fair_value`.
    """
    kept, path, venues = tracked.accounts, tracked.accounts.path, view.reference.venues
    calendar, symbol = (
        venues.filter(pl.col("mic") == tracked.fund.facts.listed_on).select("calendar", "local_benchmark_symbol").row(0)
    )
    factor = _factor(tracked, view, symbol)
    lines = pl.DataFrame({"symbol": path.symbols})
    listed = view.reference.listings.select("mic", symbol="yahoo_symbol")
    lines = lines.join(listed, on="symbol", maintain_order="left").join(
        venues.select("mic", own="calendar"), on="mic", maintain_order="left"
    )
    hours = dict(
        view.market.sessions.filter(pl.col("session").is_between(path.sessions[0], path.sessions[-1]))
        .with_columns(hour=pl.col("close_at").dt.hour() + pl.col("close_at").dt.minute() / 60)
        .group_by("calendar")
        .agg(pl.col("hour").median())
        .iter_rows()
    )
    if calendar not in hours:
        what, hint = f"the store has no sessions of {calendar}", "fetch them, or list the fund elsewhere"
        raise DataError(Problem(f"fund {tracked.fund.facts.id}: fund.listed_on", what, hint))
    after = kept.after_trades() / (kept.columns["nav"] + kept.columns["flow"])[:, None]
    return fair_value(
        after,
        _own_returns(tracked),
        factor,
        lines["own"].to_list(),
        {name: float(hour) for name, hour in hours.items()},
        fund_closes_at=float(hours[calendar]),
    )


def _factor(tracked: Track, view: MarketView, symbol: str) -> FloatArray:
    """(n,) returns of a benchmark over the sessions of the fund, 0 where its market was closed."""
    path, levels = tracked.accounts.path, view.market.benchmarks.filter(pl.col("symbol") == symbol)
    known = pl.DataFrame({"session": path.sessions}).join_asof(
        levels.select("session", "level").sort("session"), on="session"
    )["level"]
    if known[0] is None:
        what = f"the store has no level of its benchmark {symbol} by {path.sessions[0]}"
        hint = "fetch it, or list the fund elsewhere"
        raise DataError(Problem(f"fund {tracked.fund.facts.id}: fund.listed_on", what, hint))
    return growth(known.to_numpy())


def _own_returns(tracked: Track) -> FloatArray:
    """(n, m) returns of each line in its own currency over sessions on which its market made a price; else NaN."""
    board, run, path = tracked.followed.board, tracked.followed.run, tracked.accounts.path
    first, columns = len(board.sessions) - len(path.sessions), board.columns(path.symbols)
    prices, days = run.prices[first:, columns], run.price_days[first:, columns]
    returns = np.full(prices.shape, np.nan)
    moved = days[1:] > days[:-1]
    before = prices[:-1].copy()
    for stop in path.stops:
        ratio = np.divide(stop.worth_after, stop.worth_before, out=np.ones(len(columns)), where=stop.worth_before > 0)
        before[stop.row - 1] *= np.where(ratio > 0, ratio, 1.0)
    known = moved & np.isfinite(before) & (before > 0)
    returns[1:][known] = prices[1:][known] / before[known] - 1
    return returns
