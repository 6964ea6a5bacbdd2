"""A price floor, or another commitment, becomes as firm as stated."""

from typing import Annotated, Literal

import polars as pl
from pydantic import Field

from exchina.policy import BIND
from exchina.rules.events import Facts, as_events
from exchina.rules.registers import trigger
from exchina.tables.reference_words import Instrument, LiveStatus


@trigger("price_floor_signed", "whole", "enter")
def price_floor_signed(
    facts: Facts,
    *,
    instruments: Annotated[tuple[Instrument, ...], Field(min_length=1)] = ("price_floor",),
    bound_at_least: LiveStatus = "signed",
    of: Literal["anyone", "members"] = "anyone",
) -> pl.DataFrame:
    """A commitment reaches a stated status for the first time, counted from the day on which that was public.

    Args:
        facts: reads measures.
        instruments: which commitments.
        bound_at_least: the status, or any firmer one.
        of: whether every company of the registry counts, or only a member.

    Example:
        >>> from datetime import date
        >>> floor = {"id": "F", "company_id": "mp", "instrument": "price_floor", "sponsor": "US-DoD"}
        >>> rows = [floor | {"status": "signed", "known_date": date(2025, 7, 10)},
        ...     floor | {"status": "drawn", "known_date": date(2025, 10, 1)}]
        >>> facts = Facts([], pl.DataFrame(), pl.DataFrame(rows), pl.DataFrame(), {}, (), len)
        >>> price_floor_signed(facts).row(0)[:3]
        (datetime.date(2025, 7, 10), 'mp', 'anyone')
    """
    bind = pl.col("status").replace_strict(BIND, return_dtype=pl.Float64)
    firm = facts.measures.filter(pl.col("instrument").is_in(instruments) & (bind >= BIND[bound_at_least]))
    first = firm.sort("id", "known_date").unique("id", keep="first", maintain_order=True)
    return as_events(
        first.select(
            day="known_date",
            company_id="company_id",
            who=pl.lit(of),
            reason=pl.format(
                "{} of {} for {} became {}, known {}", "instrument", "sponsor", "company_id", "status", "known_date"
            ),
        )
    )
