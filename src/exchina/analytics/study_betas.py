"""How far the betas of a study depend on trading that is thin or not at the same time as the benchmark's."""

import numpy as np
import polars as pl

from exchina.analytics.asynchronous import SHORTEST, asynchronous_betas
from exchina.analytics.session_returns import level_returns, total_returns
from exchina.errors import DataError
from exchina.model import MarketData

BETAS = {
    "symbol": pl.String,
    "benchmark": pl.String,
    "sessions": pl.Int64,
    "without_return": pl.Float64,
    "ols": pl.Float64,
    "scholes_williams": pl.Float64,
    "dimson": pl.Float64,
    "fowler_rorke": pl.Float64,
    "note": pl.String,
}


def betas(members: pl.DataFrame, market: MarketData) -> pl.DataFrame:
    """Betas of every name that was ever studied, on all its sessions in the market.

    Args:
        members: symbol, currency, calendar, benchmark of every constituent.
        market: prices, dividends, splits, benchmarks and sessions, one row per key.

    Returns:
        symbol, benchmark, sessions (with a return of both), without_return (share of the sessions from the first to the
        last return on which there is none: thin trading), the betas of `exchina.analytics.asynchronous`, note (why a
        beta is not computable). One row per name and benchmark.
    """
    lines = members.select("symbol", "currency", "calendar", "benchmark").unique().drop_nulls("benchmark")
    frames = [pl.DataFrame(schema=BETAS)]
    for (calendar, benchmark), names in lines.sort("symbol").partition_by(
        "calendar", "benchmark", as_dict=True, maintain_order=True
    ).items():  # fmt: skip
        sessions = market.sessions.filter(pl.col("calendar") == calendar)["session"].sort().to_numpy()
        currencies = dict(names.select("symbol", "currency").iter_rows())
        returns = total_returns(
            market.prices, market.dividends, market.splits, currencies=currencies, sessions=sessions
        )
        factor = level_returns(market.benchmarks, symbols=[str(benchmark)], sessions=sessions)[:, 0]
        rows = [(symbol, benchmark, *_row(returns[:, at], factor)) for at, symbol in enumerate(currencies)]
        frames.append(pl.DataFrame(rows, BETAS, orient="row"))
    return pl.concat(frames).sort("symbol", "benchmark")


def _row(returns: np.ndarray, factor: np.ndarray) -> tuple[object, ...]:
    present = np.flatnonzero(np.isfinite(returns))
    if present.size < SHORTEST:
        return (int(present.size), None, None, None, None, None, f"{present.size} returns, {SHORTEST} needed")
    span = slice(present[0], present[-1] + 1)
    both = int((np.isfinite(returns[span]) & np.isfinite(factor[span])).sum())
    missing = 1 - present.size / (span.stop - span.start)
    try:
        found = asynchronous_betas(returns[span, None], factor[span])
    except DataError as fault:
        return (both, missing, None, None, None, None, str(fault.problems[0]))
    values = (found.ols, found.scholes_williams, found.dimson, found.fowler_rorke)
    return (both, missing, *(None if one is None else float(one[0]) for one in values), found.note)
