"""Room that foreign ownership limits leave."""

import polars as pl

from exchina.rules.registers import screen
from exchina.rules.verdict import Share, Unknown, at_least, flagged, no_higher_bar_for_members, percent


@screen("foreign_room", check=no_higher_bar_for_members)
def foreign_room(
    universe: pl.DataFrame,
    *,
    at_least_fraction: Share,
    members_at_least_fraction: Share | None = None,
    unknown: Unknown = "pass_and_flag",
) -> pl.DataFrame:
    """Keep companies of which foreigners may still buy enough.

    Args:
        universe: reads foreign_room (shares foreigners may still buy over all that they may hold, a fraction) and
            is_member.
        at_least_fraction: room to enter; MSCI asks for 0.15 (from memory).
        members_at_least_fraction: room to stay; the one to enter where not given.
        unknown: what a room that nobody published means; ``pass_and_flag`` writes a note that travels into print.

    Example:
        >>> table = pl.DataFrame({"foreign_room": [0.1, 0.4, None], "is_member": [False, False, False]})
        >>> foreign_room(table, at_least_fraction=0.15)["passed"].to_list()
        [False, True, True]
    """
    judged = at_least(
        universe,
        pl.col("foreign_room"),
        newcomer=at_least_fraction,
        member=members_at_least_fraction,
        shown=percent,
    )
    return flagged(judged, universe["foreign_room"], unknown, "foreign room unknown")
