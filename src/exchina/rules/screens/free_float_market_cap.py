"""Market value of the shares that the public can trade."""

import polars as pl

from exchina.rules.registers import screen
from exchina.rules.verdict import Amount, at_least, no_higher_bar_for_members


@screen("free_float_market_cap", check=no_higher_bar_for_members)
def free_float_market_cap(
    universe: pl.DataFrame, *, at_least_usd: Amount, members_at_least_usd: Amount | None = None
) -> pl.DataFrame:
    """Keep companies whose free-float market value reaches a threshold; present members may have a lower one.

    Args:
        universe: reads free_float_market_cap_usd (US dollars), float_basis and is_member.
        at_least_usd: threshold to enter, US dollars.
        members_at_least_usd: threshold to stay, US dollars; the one to enter where not given.

    Example:
        >>> table = pl.DataFrame(
        ...     {"free_float_market_cap_usd": [40e6, 40e6], "float_basis": ["reported"] * 2, "is_member": [True, False]}
        ... )
        >>> free_float_market_cap(table, at_least_usd=50e6, members_at_least_usd=35e6)["passed"].to_list()
        [True, False]
    """
    stay = at_least_usd if members_at_least_usd is None else members_at_least_usd
    judged = at_least(universe, pl.col("free_float_market_cap_usd"), newcomer=at_least_usd, member=stay)
    assumed = pl.when(universe["float_basis"] == "assumed").then(pl.lit("free float is an assumption"))
    return judged.with_columns(note=assumed)
