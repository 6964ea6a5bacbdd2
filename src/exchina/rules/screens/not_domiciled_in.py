"""Place of incorporation."""

from typing import Annotated

import polars as pl
from pydantic import Field

from exchina.rules.registers import screen
from exchina.rules.verdict import verdict

Country = Annotated[str, Field(pattern=r"^[A-Z]{2}$")]


@screen("not_domiciled_in")
def not_domiciled_in(universe: pl.DataFrame, *, countries: list[Country]) -> pl.DataFrame:
    """Leave out companies incorporated in the named countries; an unknown domicile is left out too.

    Args:
        universe: reads country (ISO 3166 alpha-2).
        countries: ISO 3166 alpha-2 codes.

    Example:
        >>> not_domiciled_in(pl.DataFrame({"country": ["AU", "CN"]}), countries=["CN"])["passed"].to_list()
        [True, False]
    """
    country = pl.col("country")
    return verdict(universe, ~country.is_in(countries), found=country, needed="not " + ", ".join(countries))
