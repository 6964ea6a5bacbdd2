"""What a screen or a selection says of each company: in or out, what was found, what was needed, how close it was."""

from typing import Annotated

import polars as pl
from pydantic import Field

Amount = Annotated[float, Field(ge=0)]
COLUMNS = ["passed", "found", "needed", "margin", "note"]


def verdict(
    universe: pl.DataFrame,
    passed: pl.Expr,
    *,
    found: pl.Expr,
    needed: pl.Expr | str,
    margin: pl.Expr | None = None,
    note: pl.Expr | None = None,
) -> pl.DataFrame:
    """One verdict per row of ``universe``, in its order.

    Args:
        universe: the rows judged.
        passed: true or false; null (nothing known) counts as false.
        found: what the company shows, in words; null reads "unknown".
        needed: what the rule asks, in words.
        margin: distance to the threshold as a fraction of it, positive on the passing side; null where none applies.
        note: a remark that must travel with the verdict.
    """
    return universe.select(
        passed=passed.fill_null(False),
        found=found.fill_null("unknown"),
        needed=pl.lit(needed) if isinstance(needed, str) else needed,
        margin=(pl.lit(None) if margin is None else margin).cast(pl.Float64),
        note=(pl.lit(None) if note is None else note).cast(pl.String),
    )


def at_least(universe: pl.DataFrame, value: pl.Expr, *, newcomer: float, member: float) -> pl.DataFrame:
    """A verdict on a US dollar amount that must reach a threshold, which is lower for present members."""
    needed = pl.when("is_member").then(member).otherwise(newcomer)
    return verdict(
        universe,
        value >= needed,
        found=usd(value),
        needed=pl.format("at least {}", usd(needed)),
        margin=value / needed - 1,
    )


def no_higher_bar_for_members(*, at_least_usd: float, members_at_least_usd: float | None, **_: object) -> str | None:
    """The check of every screen that has one bar to enter and another to stay."""
    if members_at_least_usd is not None and members_at_least_usd > at_least_usd:
        return f"members would need {members_at_least_usd:,.0f}, newcomers only {at_least_usd:,.0f}"
    return None


def usd(value: pl.Expr) -> pl.Expr:
    """An amount as a person writes it: USD 12.3m, USD 1.23bn."""
    millions = pl.format("USD {}m", (value / 1e6).round(2))
    return pl.when(value < 1e9).then(millions).otherwise(pl.format("USD {}bn", (value / 1e9).round(2)))


def words(values: pl.Expr) -> pl.Expr:
    """A list of strings as one, or null where it is empty or unknown."""
    return pl.when(values.list.len() > 0).then(values.list.join(", "))
