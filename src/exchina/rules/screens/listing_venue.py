"""Where the line is listed."""

from typing import Annotated

import polars as pl
from pydantic import Field

from exchina.rules.registers import screen
from exchina.rules.verdict import verdict

Mic = Annotated[str, Field(pattern=r"^[A-Z0-9]{4}$")]


@screen("listing_venue")
def listing_venue(universe: pl.DataFrame, *, any_of: Annotated[list[Mic], Field(min_length=1)]) -> pl.DataFrame:
    """Keep companies whose line stands on one of the named venues.

    The venue says where a line trades, not whose it is: an ASX listing may be a Chinese company.

    Args:
        universe: reads mic (ISO 10383 code of the venue).
        any_of: the venues that count, ISO 10383 codes.

    Example:
        >>> listing_venue(pl.DataFrame({"mic": ["XASX", "OTCQ"]}), any_of=["XASX", "XNYS"])["passed"].to_list()
        [True, False]
    """
    return verdict(universe, pl.col("mic").is_in(any_of), found=pl.col("mic"), needed="any of " + ", ".join(any_of))
