"""A benchmark that claims to hold dividends and lost one."""

import polars as pl

from exchina.market.gates.case import Case, gate, held

LEAST = 0.005  # of the close: a smaller dividend cannot be told from rounding of adjusted levels
NEAR = 0.2  # of the dividend


@gate("dividend_not_adjusted")
def dividend_not_adjusted(case: Case) -> pl.DataFrame:
    """Levels of an adjusted benchmark, up to an ex-date over which it moves as the bare close of its line does.

    A line with closes and dividends in the market may stand as an adjusted series among the benchmarks. Over an
    ex-date the adjusted level must move by (close + dividend) / close before. Where it does so on no other dividend
    either, the series is a price series, and nothing is held.

    Evidence: 8TRA.DE 2023-06-02, a dividend of 0.70 on 18.79 that the adjusted closes before do not know. Closes and
    dividends themselves were right: exchina never reads adjusted closes as prices.

    Args:
        case: what asks to enter.
    """
    levels = case.known("benchmarks").with_columns(gain=(pl.col("level") / pl.col("level").shift(1)).over("symbol"))
    closes = case.known("prices").with_columns(before=pl.col("close").shift(1).over("symbol"))
    paid = case.known("dividends").select("symbol", "amount", session="ex_date")
    beside = paid.join(closes.select("symbol", "session", "close", "before"), on=["symbol", "session"])
    beside = beside.join(levels.select("symbol", "session", "gain"), on=["symbol", "session"])
    share = pl.col("amount") / pl.col("before")
    bare = (pl.col("gain") - pl.col("close") / pl.col("before")).abs() < NEAR * share
    lost = beside.filter((share >= LEAST) & bare)
    last = lost.group_by("symbol").agg(until=pl.col("session").max(), amount=pl.col("amount").last())
    rows = case.rows("benchmarks").join(last, on="symbol").filter(pl.col("session") < pl.col("until"))
    found = pl.format("a level without the dividend {} of {}", "amount", "until")
    return held("benchmarks", rows, found, "levels adjusted for it, or a price series under a name of its own")
