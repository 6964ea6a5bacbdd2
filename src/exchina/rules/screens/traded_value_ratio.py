"""Annual traded value ratio, and on how many sessions a line trades at all."""

from typing import Literal

import polars as pl

from exchina.rules.registers import screen
from exchina.rules.verdict import Amount, Share, at_least, no_higher_bar_for_members, percent

MONTH = 21


def _possible(**settings: object) -> str | None:
    """At least one span, and no higher bar for members."""
    return no_higher_bar_for_members(**settings) if settings["months"] else "give at least one span of months"


@screen("traded_value_ratio", check=_possible)
def traded_value_ratio(
    universe: pl.DataFrame,
    *,
    at_least_ratio: Amount,
    members_at_least_ratio: Amount | None = None,
    months: list[Literal[3, 12]] | None = None,
    frequency_at_least: Share = 0.0,
    members_frequency_at_least: Share | None = None,
) -> pl.DataFrame:
    """Keep companies whose shares change hands often enough for their size, as MSCI measures it.

    ATVR = 12 x mean over months of (median daily traded value x sessions of the month / free-float market value); a
    month is 21 sessions counted back from the data cut-off, and the market value is that of the cut-off. The frequency
    of trading is the share of the sessions of the last three months with a trade. A line with fewer months is judged on
    the whole ones it has, and the verdict says so; one with none is unknown and fails, as does one without a float or
    with unknown volumes.

    Args:
        universe: reads traded_values_usd (list, oldest first), free_float_market_cap_usd and is_member.
        at_least_ratio: ratio a year to enter, over each span; MSCI asks for 0.20 of developed markets (from memory).
        members_at_least_ratio: ratio to stay; the one to enter where not given.
        months: the spans; 3 and 12 where not given.
        frequency_at_least: share of sessions with a trade to enter; 0.90 at MSCI for developed markets (from memory).
        members_frequency_at_least: share to stay; the one to enter where not given.

    Example:
        >>> table = pl.DataFrame(
        ...     {"traded_values_usd": [[1e6] * 252], "free_float_market_cap_usd": [1e9], "is_member": [False]}
        ... )
        >>> traded_value_ratio(table, at_least_ratio=0.2)["found"].to_list()
        ['25.2 % a year, traded on 100.0 % of sessions']
    """
    spans = months or [3, 12]
    rows = universe.with_columns(_year=_months(max(spans))).with_columns(
        _ratio=_least([_annual("_year", span) for span in spans]) / pl.col("free_float_market_cap_usd"),
        _frequency=(_last(3 * MONTH).list.eval(pl.element() > 0).list.mean()),
    )
    judged = at_least(rows, pl.col("_ratio"), newcomer=at_least_ratio, member=members_at_least_ratio, shown=percent)
    stay = frequency_at_least if members_frequency_at_least is None else members_frequency_at_least
    often = pl.when("is_member").then(stay).otherwise(frequency_at_least)
    known = pl.col("_year").list.len()
    return rows.with_columns(judged).select(
        passed=pl.col("passed") & (pl.col("_frequency") >= often).fill_null(False),
        found=pl.when(pl.col("_ratio").is_null())
        .then(pl.lit("unknown"))
        .otherwise(pl.format("{} a year, traded on {} of sessions", "found", percent(pl.col("_frequency")))),
        needed=pl.format("{} a year, traded on {} of sessions", "needed", percent(often)),
        margin="margin",
        note=pl.when(known < max(spans)).then(pl.format(f"only {{}} of {max(spans)} months", known)),
    )


def _least(ratios: list[pl.Expr]) -> pl.Expr:
    """The least of all; null where one is unknown."""
    return pl.when(pl.all_horizontal(ratio.is_not_null() for ratio in ratios)).then(pl.min_horizontal(ratios))


def _last(sessions: int) -> pl.Expr:
    return pl.col("traded_values_usd").list.tail(sessions)


def _months(count: int) -> pl.Expr:
    """Median traded value times sessions of each whole month, the last one first; null where a volume is unknown."""
    values = pl.col("traded_values_usd")
    months = [
        pl.when(values.list.len() >= MONTH * (back + 1)).then(
            _whole(values.list.slice(-MONTH * (back + 1), MONTH)).list.median() * MONTH
        )
        for back in range(count)
    ]
    whole = pl.min_horizontal(values.list.len() // MONTH, pl.lit(count))
    return pl.concat_list(months).list.head(whole)


def _whole(part: pl.Expr) -> pl.Expr:
    return pl.when(part.list.drop_nulls().list.len() == part.list.len()).then(part)


def _annual(column: str, months: int) -> pl.Expr:
    span = pl.col(column).list.head(months)
    return pl.when(span.list.drop_nulls().list.len() == span.list.len()).then(span.list.mean() * 12)
