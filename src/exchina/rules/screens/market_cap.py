"""Market value of all shares."""

import polars as pl

from exchina.rules.registers import screen
from exchina.rules.verdict import Amount, at_least, no_higher_bar_for_members


@screen("market_cap", check=no_higher_bar_for_members)
def market_cap(
    universe: pl.DataFrame, *, at_least_usd: Amount, members_at_least_usd: Amount | None = None
) -> pl.DataFrame:
    """Keep companies whose whole market value reaches a threshold; an unknown share count does not pass.

    Args:
        universe: reads market_cap_usd (US dollars) and is_member.
        at_least_usd: threshold to enter, US dollars.
        members_at_least_usd: threshold to stay; the one to enter where not given.

    Example:
        >>> table = pl.DataFrame({"market_cap_usd": [100e6, 100e6, None], "is_member": [True, False, True]})
        >>> market_cap(table, at_least_usd=150e6, members_at_least_usd=75e6)["passed"].to_list()
        [True, False, False]
    """
    return at_least(universe, pl.col("market_cap_usd"), newcomer=at_least_usd, member=members_at_least_usd)
