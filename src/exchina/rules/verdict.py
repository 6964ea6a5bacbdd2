"""What a screen or a selection says of each company: in or out, what was found, what was needed, how close it was."""

from collections.abc import Callable
from typing import Annotated, Literal, TypeAlias

import polars as pl
from pydantic import Field

Amount = Annotated[float, Field(ge=0)]
Share = Annotated[float, Field(ge=0, le=1)]
Unknown: TypeAlias = Literal["fail", "pass_and_flag"]
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


def at_least(
    universe: pl.DataFrame,
    value: pl.Expr,
    *,
    newcomer: float,
    member: float | None,
    shown: Callable[[pl.Expr], pl.Expr] | None = None,
    note: pl.Expr | None = None,
) -> pl.DataFrame:
    """A verdict on a value that must reach a threshold, which may be lower for present members.

    Args:
        universe: the rows judged; reads is_member.
        value: what each company shows; null is unknown and does not pass.
        newcomer: the threshold to enter.
        member: the threshold to stay; None: the one to enter.
        shown: how a person writes such a value; US dollars where not given.
        note: a remark that must travel with the verdict.
    """
    write = shown or usd
    needed = pl.when("is_member").then(newcomer if member is None else member).otherwise(newcomer)
    margin = pl.when(needed > 0).then(value / needed - 1)
    return verdict(
        universe,
        value >= needed,
        found=write(value),
        needed=pl.format("at least {}", write(needed)),
        margin=margin,
        note=note,
    )


def flagged(judged: pl.DataFrame, value: pl.Series, unknown: Unknown, what: str) -> pl.DataFrame:
    """The verdicts with the rows of unknown ``value`` passed, where ``unknown`` says so, and flagged in any case.

    Args:
        judged: verdicts, one per value.
        value: what was judged; null is unknown.
        unknown: the setting.
        what: the remark on a row that is unknown.
    """
    lacking = pl.lit(value.is_null())
    passed = pl.col("passed") | (lacking & (unknown == "pass_and_flag"))
    return judged.with_columns(passed=passed, note=pl.when(lacking).then(pl.lit(what)).otherwise("note"))


def no_higher_bar_for_members(**settings: object) -> str | None:
    """The check of every screen with a bar to enter, ``x``, and a lower one to stay, ``members_x``."""
    bars = {name: float(bar) for name, bar in settings.items() if isinstance(bar, int | float)}
    for name, bar in bars.items():
        enter = bars.get(name.removeprefix("members_"), bar)
        if bar > enter:
            return f"members would need {_plain(bar)}, newcomers only {_plain(enter)}"
    return None


def _plain(bar: float) -> str:
    return f"{bar:,.0f}" if bar >= 1000 else f"{bar:g}"


def percent(value: pl.Expr) -> pl.Expr:
    """A fraction as a person writes it: 12.5 %."""
    return pl.format("{} %", (value * 100).round(2))


def count_of(what: str) -> Callable[[pl.Expr], pl.Expr]:
    """A whole number as a person writes it: 63 sessions."""
    return lambda value: pl.format("{} {}", value.cast(pl.Int64), pl.lit(what))


def usd(value: pl.Expr) -> pl.Expr:
    """An amount as a person writes it: USD 12.3m, USD 1.23bn."""
    millions = pl.format("USD {}m", (value / 1e6).round(2))
    return pl.when(value < 1e9).then(millions).otherwise(pl.format("USD {}bn", (value / 1e9).round(2)))


def words(values: pl.Expr) -> pl.Expr:
    """A list of strings as one, or null where it is empty or unknown."""
    return pl.when(values.list.len() > 0).then(values.list.join(", "))
