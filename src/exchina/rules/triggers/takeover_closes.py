"""A line ends by a takeover, a delisting or a bankruptcy."""

from typing import Annotated, Literal

import polars as pl
from pydantic import Field

from exchina.rules.events import Facts, as_events
from exchina.rules.registers import trigger
from exchina.tables.actions import APPLIED

Ending = Literal["takeover", "delisting", "bankruptcy"]


@trigger("takeover_closes", "leave", "whole")
def takeover_closes(
    facts: Facts,
    *,
    kinds: Annotated[tuple[Ending, ...], Field(min_length=1)] = ("takeover", "delisting", "bankruptcy"),
) -> pl.DataFrame:
    """A member's line ends: the first day on which the event is in effect and known to be confirmed.

    Args:
        facts: reads actions and companies; a version counts until the next one is known.
        kinds: which events.

    Example:
        >>> from datetime import date
        >>> action = {"id": "X", "symbol": "GWG.V", "type": "takeover", "status": "confirmed"}
        >>> dated = action | {"ex_date": date(2015, 5, 1), "known_date": date(2015, 4, 30)}
        >>> facts = Facts([], pl.DataFrame([dated]), pl.DataFrame(), pl.DataFrame(), {"GWG.V": "gwg"}, (), len)
        >>> takeover_closes(facts).row(0)[:3]
        (datetime.date(2015, 5, 1), 'gwg', 'members')
    """
    versions = facts.actions.sort("id", "known_date").with_columns(
        _until=pl.col("known_date").shift(-1).over("id"), _day=pl.max_horizontal("known_date", "ex_date")
    )
    standing = pl.col("_until").is_null() | (pl.col("_day") < pl.col("_until"))
    of_kind = pl.col("type").is_in(kinds) & pl.col("status").is_in(APPLIED) & standing
    known = versions.filter(of_kind & pl.col("symbol").is_in(list(facts.companies))).sort("id", "_day")
    first = known.unique("id", keep="first", maintain_order=True)
    company = pl.col("symbol").replace_strict(facts.companies, return_dtype=pl.String)
    return as_events(
        first.select(
            day="_day",
            company_id=company,
            who=pl.lit("members"),
            reason=pl.format("{} of {} took effect on {}", "type", "symbol", "ex_date"),
        )
    )
