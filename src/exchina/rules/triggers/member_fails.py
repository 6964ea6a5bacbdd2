"""Fast exit: a member no longer meets screens that may not wait for the next review."""

from typing import Annotated

import polars as pl
from pydantic import Field

from exchina.rules.events import Facts, as_events
from exchina.rules.registers import trigger
from exchina.rules.screening import PRICED, screened


@trigger("member_fails", "leave", "whole")
def member_fails(
    facts: Facts,
    *,
    screens: Annotated[tuple[str, ...], Field(min_length=1)],
    every_sessions: Annotated[int, Field(ge=1, le=260)] = 5,
) -> pl.DataFrame:
    """A member fails any of some screens of the rulebook, by their bars for members, on a day on which it is looked at.

    Args:
        facts: reads sessions, look and screens.
        screens: names of screens of this rulebook.
        every_sessions: it is looked at every so many index sessions, counted from the base date.

    Example:
        >>> facts = Facts([], pl.DataFrame(), pl.DataFrame(), pl.DataFrame(), {}, (), len)
        >>> member_fails(facts, screens=("policy_backing",)).height
        0
    """
    days = facts.sessions[every_sessions::every_sessions]
    named = tuple(rule for rule in facts.screens if rule.name in screens)
    if not days or not named:
        return as_events(pl.DataFrame(schema={"day": pl.Date, "company_id": str, "who": str, "reason": str}))
    judged = screened(named, facts.look(days).with_columns(is_member=pl.lit(True)))
    failed = judged.filter(~pl.col("passed") & (pl.col("rule") != PRICED.name))
    return as_events(
        failed.select(
            day="review",
            company_id="company_id",
            who=pl.lit("members"),
            reason=pl.format("{} fails {}: {}; needs {}", "company_id", "rule", "found", "needed"),
        ).unique(["day", "company_id"], keep="first", maintain_order=True)
    )
