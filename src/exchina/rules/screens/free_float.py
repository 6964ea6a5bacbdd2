"""Share of the shares that the public can trade."""

import polars as pl

from exchina.rules.registers import screen
from exchina.rules.verdict import Share, Unknown, at_least, flagged, no_higher_bar_for_members, percent


@screen("free_float", check=no_higher_bar_for_members)
def free_float(
    universe: pl.DataFrame,
    *,
    at_least_factor: Share,
    members_at_least_factor: Share | None = None,
    unknown: Unknown = "fail",
) -> pl.DataFrame:
    """Keep companies of whose shares the public can trade enough.

    Args:
        universe: reads free_float_factor (fraction), float_basis and is_member.
        at_least_factor: fraction of the shares to enter; 0.15 is usual.
        members_at_least_factor: fraction to stay; the one to enter where not given.
        unknown: what a float that nobody published means; ``pass_and_flag`` writes a note that travels into print.

    Example:
        >>> table = pl.DataFrame(
        ...     {"free_float_factor": [0.12, 0.12], "float_basis": ["reported"] * 2, "is_member": [True, False]}
        ... )
        >>> free_float(table, at_least_factor=0.15, members_at_least_factor=0.1)["passed"].to_list()
        [True, False]
    """
    factor = pl.col("free_float_factor")
    assumed = pl.when(pl.col("float_basis") == "assumed").then(pl.lit("free float is an assumption"))
    judged = at_least(
        universe, factor, newcomer=at_least_factor, member=members_at_least_factor, shown=percent, note=assumed
    )
    return flagged(judged, universe["free_float_factor"], unknown, "free float unknown")
