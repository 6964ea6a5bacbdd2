"""Time since the business combination or the first offering."""

from typing import Annotated

import polars as pl
from pydantic import Field

from exchina.rules.registers import screen
from exchina.rules.verdict import at_least, count_of, no_higher_bar_for_members

Count = Annotated[int, Field(ge=0)]


def _one_unit(**settings: object) -> str | None:
    """Either sessions or months, and no higher bar for members."""
    if (settings["sessions_at_least"] is None) == (settings["months_at_least"] is None):
        return "give either sessions_at_least or months_at_least"
    unit = "sessions" if settings["sessions_at_least"] is None else "months"
    if settings[f"members_{unit}_at_least"] is not None:
        return f"members_{unit}_at_least goes with {unit}_at_least"
    return no_higher_bar_for_members(**settings)


@screen("seasoning", check=_one_unit)
def seasoning(
    universe: pl.DataFrame,
    *,
    sessions_at_least: Count | None = None,
    months_at_least: Count | None = None,
    members_sessions_at_least: Count | None = None,
    members_months_at_least: Count | None = None,
) -> pl.DataFrame:
    """Keep companies that have traded in their present form for some time.

    Args:
        universe: reads seasoned_sessions and seasoned_months (since the last business combination, first offering or
            move to a larger market, else the first trading day), seasoned_on and is_member.
        sessions_at_least: sessions of its own market to enter; this or months_at_least.
        months_at_least: whole months to enter.
        members_sessions_at_least: sessions to stay; those to enter where not given.
        members_months_at_least: whole months to stay; those to enter where not given.

    Example:
        >>> table = pl.DataFrame(
        ...     {"seasoned_months": [2, 3], "seasoned_sessions": [45, 64], "seasoned_on": ["2026-01-06", "2025-12-01"]}
        ... )
        >>> seasoning(table.with_columns(is_member=pl.lit(False)), months_at_least=3)["passed"].to_list()
        [False, True]
    """
    unit = "sessions" if months_at_least is None else "months"
    return at_least(
        universe,
        pl.col(f"seasoned_{unit}"),
        newcomer=(sessions_at_least if months_at_least is None else months_at_least) or 0,
        member=members_sessions_at_least if months_at_least is None else members_months_at_least,
        shown=count_of(unit),
        note=pl.format("counted from {}", "seasoned_on"),
    )
