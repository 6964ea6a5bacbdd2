"""A dividend in another unit, on another share count or in another currency than its line's."""

import polars as pl

from exchina.market.gates.case import Case, gate, held
from exchina.market.gates.shifts import HUNDRED

LARGE = 0.05  # of the close before: ordinary payments stay below, and a larger one shows in the price on its ex-date
HUGE = 0.5  # a payment of half the close or more is a liquidation, a spin-off's value, or wrong: a person must look
YEARLY = 0.20  # of the close in twelve months: hardly any ordinary payer yields so much
SHOWS = 0.5  # the close must fall by at least half of a large payment
NOISE = 3.0  # ordinary moves that could hide the fall
EARLIER = 3  # payments that make a habit
ALIKE = 3.0  # and are a habit only within such a factor of each other
FACTOR = 0.25  # how near to a factor the ratio to the habit must be, as a fraction
LEAST_SPLIT = 3.0


@gate("dividend_unit")
def dividend_unit(case: Case) -> pl.DataFrame:
    """Dividends too large for the close and for the line's own habit, or in another currency than before.

    Held is a dividend that (1) is half the close before, or more; (2) is 5 % of it or more while the close neither
    falls by half of it nor hides that in three ordinary moves; (3) brings twelve months to 20 % of the close, is itself
    a twelfth of that, and does not show in the close; (4) is 100 times or a hundredth of the median of the line's last
    three (if these are alike), or off by the ratio of a later split; (5) is in another currency than all before.

    Evidence: KME.MI 2023-05-22, 0.21723 on a close of 0.972 that moves by 0.3 % (0.0021723 was paid). AIG 2008: 4.00,
    4.00, 4.40 where 0.20, 0.20, 0.22 were paid, in units after a later 1 for 20. KSU 2000-07-13: 90.80 on 93.75.
    Right, and not held: EFX 2001-07-09, 15.00 on 36.76, close 21.49 (a spin-off's value).

    Args:
        case: what asks to enter.
    """
    paid = _beside_closes(case)
    share = pl.col("amount") / pl.col("before")
    fall = (pl.col("before") - pl.col("close")) / pl.col("amount")
    gain = ((pl.col("close") + pl.col("amount")) / pl.col("before")).log()
    hidden = fall < SHOWS
    large = (share >= LARGE) & hidden & (gain > NOISE * pl.col("usual"))
    yearly = (pl.col("year") / pl.col("before") >= YEARLY) & hidden & (share >= YEARLY / 12)
    percent = (share * 100).round(2)
    size = pl.format("{} {}, {} % of the close before", "amount", "currency", percent)
    held_for = [
        (share >= HUGE, size, f"less than {HUGE:.0%} of the close"),
        (large, size, "a close that falls by it on the ex-date"),
        (
            yearly,
            pl.format("{} paid within a year on a close of {}", pl.col("year").round(6), pl.col("before").round(6)),
            f"less than {YEARLY:.0%} a year, or a close that falls by it",
        ),
        (_off_habit(), pl.format("{} where {} was usual", "amount", "habit"), "an amount like those before"),
        (
            (pl.col("currencies") > 0) & ~pl.col("same"),
            pl.format("paid in {}", "currency"),
            "the currency of those before",
        ),
    ]
    rows = [held("dividends", paid.filter(fault), found, needed) for fault, found, needed in held_for]
    return pl.concat(rows).unique("row", keep="first", maintain_order=True)


def _off_habit() -> pl.Expr:
    """Whether the amount is off the habit by a factor 100 or by the ratio of a later split."""
    times = (pl.col("amount") / pl.col("habit")).log().abs()
    hundred = (times - HUNDRED).abs() < FACTOR
    split = (
        pl.col("later").is_not_null()
        & (pl.col("later") >= LEAST_SPLIT)
        & ((times - pl.col("later").log()).abs() < FACTOR)
    )
    return hundred.fill_null(value=False) | split.fill_null(value=False)


def _beside_closes(case: Case) -> pl.DataFrame:
    """Delivered dividends with before, close, usual; year, habit, later, currencies, same from the line's own."""
    own = case.known("dividends").filter(pl.col("status") != "retracted").sort("symbol", "ex_date")
    own, lots = own.with_columns(lots=_lots(own, case.known("splits"))), pl.col("lots")
    alike = pl.col("amount") * lots
    usual, least, most = (
        one.shift(1).over("symbol")
        for one in (
            alike.rolling_median(EARLIER, min_samples=EARLIER),
            alike.rolling_min(EARLIER, min_samples=EARLIER),
            alike.rolling_max(EARLIER, min_samples=EARLIER),
        )
    )
    told = own.with_columns(
        year=pl.col("amount").rolling_sum_by("ex_date", "360d").over("symbol"),
        habit=pl.when(most <= ALIKE * least).then(usual / lots),
        currencies=pl.int_range(pl.len()).over("symbol"),
    ).with_columns(later=pl.lit(None, pl.Float64), same=pl.lit(value=True))
    seen: dict[str, set[str]] = {}
    same: list[bool] = []
    for symbol, currency in told.select("symbol", "currency").iter_rows():
        same.append(currency in seen.setdefault(symbol, {currency}))
        seen[symbol].add(currency)
    later = _largest_later_split(told, case.known("splits"))
    told = told.with_columns(same=pl.Series(same, dtype=pl.Boolean), later=later).filter(pl.col("row").is_not_null())
    days = case.lines.with_columns(before=pl.col("close").shift(1).over("symbol"))
    days = days.select("symbol", "session", "before", "close", "usual").sort("session")
    timed = told.with_columns(session=pl.col("ex_date")).sort("session")
    return timed.join_asof(days, on="session", by="symbol", strategy="forward", check_sortedness=False)


def _lots(told: pl.DataFrame, splits: pl.DataFrame) -> pl.Series:
    """Shares on each ex-date for one before the first split, so that amounts of different days can be compared."""
    steps = splits.sort("symbol", "ex_date").select("symbol", "ex_date", lots=pl.col("ratio").cum_prod().over("symbol"))
    days = told.select("symbol", "ex_date").with_row_index("at").sort("ex_date")
    met = days.join_asof(steps.sort("ex_date"), on="ex_date", by="symbol", check_sortedness=False)
    return met.sort("at")["lots"].fill_null(1.0)


def _largest_later_split(told: pl.DataFrame, splits: pl.DataFrame) -> pl.Series:
    ratios = splits.group_by("symbol").agg("ex_date", "ratio").rows_by_key("symbol", unique=True)
    largest: list[float | None] = []
    for symbol, day in told.select("symbol", "ex_date").iter_rows():
        days, values = ratios.get(symbol, ([], []))
        after = [max(ratio, 1 / ratio) for when, ratio in zip(days, values, strict=True) if when > day]
        largest.append(max(after, default=None))
    return pl.Series(largest, dtype=pl.Float64)
