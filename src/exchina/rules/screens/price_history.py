"""How many sessions have a price."""

from typing import Annotated

import polars as pl
from pydantic import Field

from exchina.rules.registers import screen
from exchina.rules.verdict import at_least, count_of, no_higher_bar_for_members


@screen("price_history", check=no_higher_bar_for_members)
def price_history(
    universe: pl.DataFrame,
    *,
    sessions_at_least: Annotated[int, Field(ge=1)],
    members_sessions_at_least: Annotated[int, Field(ge=0)] | None = None,
) -> pl.DataFrame:
    """Keep companies whose line has enough closes, as a volatility or a score needs them.

    Args:
        universe: reads price_sessions (sessions with a close since the first price of the line) and is_member.
        sessions_at_least: closes to enter.
        members_sessions_at_least: closes to stay, which a new symbol of a member may lack; the ones to enter where
            not given.

    Example:
        >>> table = pl.DataFrame({"price_sessions": [300, 20], "is_member": [False, False]})
        >>> price_history(table, sessions_at_least=252)["passed"].to_list()
        [True, False]
    """
    return at_least(
        universe,
        pl.col("price_sessions"),
        newcomer=sessions_at_least,
        member=members_sessions_at_least,
        shown=count_of("sessions with a close"),
    )
