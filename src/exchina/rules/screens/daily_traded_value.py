"""Value traded a day."""

from typing import Annotated

import polars as pl
from pydantic import Field

from exchina.rules.registers import screen
from exchina.rules.verdict import Amount, at_least, no_higher_bar_for_members


@screen("daily_traded_value", check=no_higher_bar_for_members)
def daily_traded_value(
    universe: pl.DataFrame,
    *,
    at_least_usd: Amount,
    members_at_least_usd: Amount | None = None,
    median_of_sessions: Annotated[int, Field(ge=1, le=126)] = 63,
) -> pl.DataFrame:
    """Keep companies whose median traded value a session reaches a threshold.

    Args:
        universe: reads traded_values_usd (list, oldest first, US dollars) and is_member.
        at_least_usd: threshold to enter, US dollars a session.
        members_at_least_usd: threshold to stay; the one to enter where not given.
        median_of_sessions: how many of the last sessions count; a line with fewer is judged on those it has.

    Example:
        >>> table = pl.DataFrame({"traded_values_usd": [[9.0, 1.0, 2.0, 3.0]], "is_member": [False]})
        >>> daily_traded_value(table, at_least_usd=2.5, median_of_sessions=3)["passed"].to_list()
        [False]
    """
    median = pl.col("traded_values_usd").list.tail(median_of_sessions).list.median()
    stay = at_least_usd if members_at_least_usd is None else members_at_least_usd
    return at_least(universe, median, newcomer=at_least_usd, member=stay)
