"""Fast entry: a newly listed company that is large."""

from typing import Annotated

import polars as pl
from pydantic import Field

from exchina.rules.events import Facts, as_events
from exchina.rules.order import Count, ranked
from exchina.rules.registers import trigger
from exchina.rules.screening import screened


@trigger("large_listing", "enter", "whole")
def large_listing(
    facts: Facts,
    *,
    within_rank: Count,
    after_sessions: Annotated[int, Field(ge=1, le=260)] = 10,
) -> pl.DataFrame:
    """A company first traded since the base date, so many index sessions later, if its float value ranks high.

    The rank is among the companies that pass every screen of the rulebook on that day, by the bars for newcomers.

    Args:
        facts: reads sessions, prices, companies, look and screens.
        within_rank: the last rank by free-float market value that counts.
        after_sessions: index sessions after the one by which its first close was known.

    Example:
        >>> facts = Facts([], pl.DataFrame(), pl.DataFrame(), pl.DataFrame(), {}, (), len)
        >>> large_listing(facts, within_rank=5).height
        0
    """
    none = as_events(pl.DataFrame(schema={"day": pl.Date, "company_id": str, "who": str, "reason": str}))
    if not facts.sessions:
        return none
    company = pl.col("symbol").replace_strict(facts.companies, default=None, return_dtype=pl.String)
    firsts = facts.prices.group_by(company_id=company).agg(first=pl.max_horizontal("session", "known_date").min())
    numbered = pl.DataFrame({"first": facts.sessions}, schema={"first": pl.Date}).with_row_index("_at").sort("first")
    new = firsts.filter(pl.col("company_id").is_not_null() & (pl.col("first") > facts.sessions[0])).sort("first")
    new = new.join_asof(numbered, on="first", strategy="forward").drop_nulls("_at")
    new = new.with_columns(_at=pl.col("_at").cast(pl.Int64) + after_sessions).filter(
        pl.col("_at") < len(facts.sessions)
    )
    new = new.with_columns(day=pl.Series([facts.sessions[at] for at in new["_at"]], dtype=pl.Date))
    if new.is_empty():
        return none
    table = facts.look(new["day"].unique().sort().to_list()).with_columns(is_member=pl.lit(False))
    failed = screened(facts.screens, table).filter(~pl.col("passed"))
    passing = table.join(failed, on=["review", "company_id"], how="anti", maintain_order="left")
    ranks = ranked(passing, "free_float_market_cap_usd").filter(pl.col("_by").is_not_null())
    large = ranks.filter(pl.col("_rank") <= within_rank).join(
        new.select("company_id", review="day"), on=["company_id", "review"], maintain_order="left"
    )
    return as_events(
        large.select(
            day="review",
            company_id="company_id",
            who=pl.lit("others"),
            reason=pl.format("{} ranks {} by free-float value after its listing", "company_id", "_rank"),
        )
    )
