"""Let only so many names in and out."""

from typing import Annotated, Literal

import polars as pl
from pydantic import Field

from exchina.rules.registers import turnover

DIGITS = 12


@turnover("names", "membership")
def names(
    universe: pl.DataFrame,
    *,
    at_most: Annotated[int, Field(ge=0)],
    by: Literal["free_float_market_cap_usd", "market_cap_usd", "policy_score"] = "free_float_market_cap_usd",
) -> pl.DataFrame:
    """At most so many companies leave and at most so many enter at one review.

    Those that must leave go first, all of them, even above the limit; then those that rank worst. Those that would go
    beyond the limit stay. The best ranked newcomers enter, no more than there are places. Rank: the column ``by``, then
    free-float value, larger first (both to 12 digits; unknown last), then company id.

    Args:
        universe: one row for each company held or wanted; reads company_id, held, wanted, must_leave,
            free_float_market_cap_usd and the column ``by``.
        at_most: how many may leave, and how many may enter.
        by: what makes the rank.

    Returns:
        chosen and step, in the order of the rows.

    Example:
        >>> table = pl.DataFrame({"review": [1] * 4, "company_id": ["a", "b", "c", "d"], "held": [0.5, 0.5, 0.0, 0.0],
        ...     "wanted": [0.0, 0.0, 0.5, 0.5], "must_leave": [False] * 4, "free_float_market_cap_usd": [2, 1, 9, 8]})
        >>> names(table, at_most=1)["chosen"].to_list()
        [True, False, True, False]
    """
    order = [pl.col(name).cast(pl.Float64).round_sig_figs(DIGITS) for name in (by, "free_float_market_cap_usd")]
    rows = universe.with_row_index("_row").sort(
        *order, "company_id", descending=[True, True, False], nulls_last=[True, True, False]
    )
    out, new = (pl.col("held") > 0) & ~(pl.col("wanted") > 0), (pl.col("wanted") > 0) & ~(pl.col("held") > 0)
    forced = out & pl.col("must_leave")
    rows = rows.with_columns(_out=out, _new=new, _forced=forced, _free=out & ~forced)
    worst_first = pl.col("_free").cum_sum(reverse=True).over("review")
    leaves = pl.col("_forced") | (pl.col("_free") & (worst_first + pl.col("_forced").sum().over("review") <= at_most))
    rows = rows.with_columns(_leaves=leaves)
    stays = pl.col("_out") & ~pl.col("_leaves")
    places = (pl.col("_new").cast(pl.Int64).sum() - stays.cast(pl.Int64).sum()).over("review").clip(0, at_most)
    enters = pl.col("_new") & (pl.col("_new").cum_sum().over("review") <= places)
    rows = rows.with_columns(_enters=enters, _stays=stays)
    kept = (pl.col("held") > 0) & (pl.col("wanted") > 0)
    said = pl.format(
        "{} of {} companies that would leave go, {} of {} newcomers enter; the limit is {} each",
        *(pl.col(name).sum().over("review") for name in ("_leaves", "_out", "_enters", "_new")),
        pl.lit(at_most),
    )
    limited = (pl.col("_stays").sum() + (pl.col("_new") & ~pl.col("_enters")).sum()).over("review") > 0
    answer = rows.select("_row", chosen=kept | pl.col("_stays") | pl.col("_enters"), step=pl.when(limited).then(said))
    return answer.sort("_row").drop("_row")
