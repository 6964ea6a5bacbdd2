"""Share of revenue from rare earths, with room for projects."""

import polars as pl

from exchina.rules.registers import screen
from exchina.rules.verdict import Share, Unknown, at_least, flagged, no_higher_bar_for_members, percent
from exchina.tables.reference_words import Stage


@screen("revenue_share", check=no_higher_bar_for_members)
def revenue_share(
    universe: pl.DataFrame,
    *,
    at_least_fraction: Share = 0.5,
    members_at_least_fraction: Share | None = 0.25,
    project_stages: list[Stage] | None = None,
    unknown: Unknown = "fail",
) -> pl.DataFrame:
    """Keep companies that earn enough of their revenue with rare earths, and projects that may come to.

    Args:
        universe: reads revenue_share_rare_earth (fraction, null where nobody published one), stage (the primary one
            on the data cut-off) and is_member.
        at_least_fraction: share of revenue to enter.
        members_at_least_fraction: share of revenue to stay.
        project_stages: companies at one of these stages pass whatever their revenue: a dated fact, not an opinion.
        unknown: what an unpublished share means beyond these stages; ``pass_and_flag`` writes a note that travels into
            print.

    Example:
        >>> table = pl.DataFrame({"revenue_share_rare_earth": [0.3, 0.3, None], "is_member": [True, False, False]})
        >>> table = table.with_columns(stage=pl.Series(["producer", "producer", "developer"]))
        >>> revenue_share(table, project_stages=["developer"])["passed"].to_list()
        [True, False, True]
    """
    share = universe["revenue_share_rare_earth"]
    judged = at_least(
        universe,
        pl.col("revenue_share_rare_earth"),
        newcomer=at_least_fraction,
        member=members_at_least_fraction,
        shown=percent,
    )
    judged = flagged(judged, share, unknown, "no published share of revenue from rare earths")
    if not project_stages:
        return judged
    spared = pl.lit(universe["stage"].is_in(project_stages).fill_null(False)) & ~pl.col("passed")
    clause = pl.format("passes as a project: {}", pl.lit(universe["stage"]))
    needed = pl.format("{} of revenue, or " + " or ".join(project_stages), "needed")
    return judged.with_columns(
        passed=pl.col("passed") | spared, note=pl.when(spared).then(clause).otherwise("note"), needed=needed
    )
