"""PURE. A second opinion: the rows of two markets side by side, ranked by what a difference does to an index."""

import polars as pl

from exchina.model import MarketData

LEAST = 1e-6  # relative; under a hundredth of a basis point: the rounding of another vendor
BASIS_POINTS = 1e4
EQUAL = "equal weights"
COLUMNS = ["table", "symbol", "day", "field", "one", "other", "relative", "index", "weight", "effect_bp"]
KEYED = ["table", "symbol", "day", "field", "one", "other", "relative"]
EVENTS = {"dividends": "amount", "splits": "ratio"}


def differences(one: MarketData, other: MarketData, weights: pl.DataFrame) -> pl.DataFrame:
    """Where two markets differ over the days of a line that both cover, the largest effect on an index first.

    effect_bp = 10,000 |relative| w. ``relative`` is of a close one / other - 1, of a split ratio and of a share count
    likewise (a split that one lacks counts as 1), of a dividend (one - other) / close before. w is the line's weight in
    the composition in force on that day, of the index in which it is largest; without any index every line with a
    close of that day in ``one`` weighs the same. A close that only one of the two has, has no relative difference and
    stands at the end.

    Args:
        one: the market that is questioned, one version a row.
        other: the one it is held against.
        weights: index, session (the first on these terms), symbol, weight; empty for equal weights.

    Returns:
        table, symbol, day, field, one, other, relative (fraction), index (or ``equal weights``), weight (fraction; 0
        where no index holds the line), effect_bp.
    """
    found = pl.concat([_closes(one, other), *(_events(one, other, name) for name in EVENTS), _counts(one, other)])
    weighed = _weighed(found, weights) if weights.height else _equally(found, one)
    ranked = weighed.with_columns(effect_bp=BASIS_POINTS * pl.col("relative").abs() * pl.col("weight")).select(COLUMNS)
    return ranked.sort(
        pl.col("effect_bp").fill_null(-1.0), pl.col("relative").abs().fill_null(-1.0), "symbol", "day", "table",
        descending=[True, True, False, False, False],
    )  # fmt: skip


def _closes(one: MarketData, other: MarketData) -> pl.DataFrame:
    key = ["symbol", "session"]
    both = one.prices.select(*key, one="close").join(
        other.prices.select(*key, other="close"), on=key, how="full", coalesce=True
    )
    spans = [_span(market) for market in (one, other)]
    inside = both.join(spans[0], on="symbol").join(spans[1], on="symbol", suffix="_other")
    inside = inside.filter(
        pl.col("session").is_between("since", "until") & pl.col("session").is_between("since_other", "until_other")
    )
    relative = pl.col("one") / pl.col("other") - 1
    return _told(inside.with_columns(relative=relative), "prices", "close", "session")


def _span(market: MarketData) -> pl.DataFrame:
    return market.prices.group_by("symbol").agg(since=pl.col("session").min(), until=pl.col("session").max())


def _events(one: MarketData, other: MarketData, name: str) -> pl.DataFrame:
    """Dividends, summed over the types of a day, or splits; of the days on which both have closes of the line."""
    field, key = EVENTS[name], ["symbol", "ex_date"]
    sides = [_summed(getattr(market, name), field, side) for market, side in ((one, "one"), (other, "other"))]
    both = sides[0].join(sides[1], on=key, how="full", coalesce=True)
    for number, market in enumerate((one, other)):
        span = _span(market).rename({"since": f"since{number}", "until": f"until{number}"})
        both = both.join(span, on="symbol").filter(pl.col("ex_date").is_between(f"since{number}", f"until{number}"))
    if name == "splits":
        relative = pl.col("one").fill_null(1.0) / pl.col("other").fill_null(1.0) - 1
        return _told(both.with_columns(relative=relative), name, field, "ex_date")
    closes = one.prices.select("symbol", "session", "close").sort("session")
    priced = both.with_columns(session=pl.col("ex_date")).sort("session")
    priced = priced.join_asof(closes, on="session", by="symbol", allow_exact_matches=False, check_sortedness=False)
    apart = pl.col("one").fill_null(0.0) - pl.col("other").fill_null(0.0)
    return _told(priced.with_columns(relative=apart / pl.col("close")), name, field, "ex_date")


def _summed(table: pl.DataFrame, field: str, side: str) -> pl.DataFrame:
    counted = table.filter(pl.col("status") != "retracted") if "status" in table.columns else table
    return counted.group_by("symbol", "ex_date", maintain_order=True).agg(pl.col(field).sum().alias(side))


def _counts(one: MarketData, other: MarketData) -> pl.DataFrame:
    """Share counts in force on each day on which one of the two markets counts anew."""
    tables = [
        market.shares.select("symbol", "effective_date", "shares").sort("effective_date") for market in (one, other)
    ]
    days = pl.concat([table.select("symbol", "effective_date") for table in tables]).unique().sort("effective_date")
    for table, side in zip(tables, ("one", "other"), strict=True):
        named = table.rename({"shares": side})
        days = days.join_asof(named, on="effective_date", by="symbol", check_sortedness=False)
    both = days.drop_nulls(["one", "other"])
    return _told(both.with_columns(relative=pl.col("one") / pl.col("other") - 1), "shares", "shares", "effective_date")


def _told(rows: pl.DataFrame, table: str, field: str, day: str) -> pl.DataFrame:
    apart = pl.col("relative").is_null() | (pl.col("relative").abs() > LEAST)
    named = rows.with_columns(table=pl.lit(table), field=pl.lit(field), day=pl.col(day))
    return named.filter(apart).select(KEYED)


def _weighed(found: pl.DataFrame, weights: pl.DataFrame) -> pl.DataFrame:
    terms = weights.select("index", "session").unique().sort("session")
    rows = found.with_row_index("at").join(terms.select("index").unique(), how="cross").sort("day")
    dated = rows.join_asof(terms, left_on="day", right_on="session", by="index", check_sortedness=False)
    joined = dated.join(weights, on=["index", "session", "symbol"], how="left")
    largest = joined.with_columns(pl.col("weight").fill_null(0.0)).sort("at", "weight", "index")
    last = largest.unique("at", keep="last", maintain_order=True)
    return last.with_columns(index=pl.when(pl.col("weight") > 0).then("index"))


def _equally(found: pl.DataFrame, one: MarketData) -> pl.DataFrame:
    lines = one.prices.group_by("session").agg(weight=1 / pl.len()).sort("session")
    rows = found.sort("day").join_asof(lines, left_on="day", right_on="session", check_sortedness=False)
    return rows.with_columns(pl.col("weight").fill_null(0.0), index=pl.lit(EQUAL))
