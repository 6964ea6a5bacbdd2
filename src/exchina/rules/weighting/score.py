"""Weight by policy backing times market value."""

from typing import Annotated, Literal

import polars as pl
from pydantic import Field

from exchina.rules.registers import weighting
from exchina.rules.weighting.nested import known, shares


@weighting("score")
def score(
    universe: pl.DataFrame,
    *,
    by: Literal["policy_score", "floor_part", "offtake_part", "capital_part"] = "policy_score",
    plus: Annotated[float, Field(ge=0, le=10)] = 0.0,
    power: Annotated[float, Field(ge=0, le=1)] = 1.0,
) -> pl.Series:
    """Weight by the backing score times a power of free-float market value, within each review.

    w_i = (s_i + b) c_i^p / sum_j (s_j + b) c_j^p

    Without ``plus`` a company without backing gets no weight, and a review in which nobody has backing has no basket.

    Args:
        universe: selected companies; reads free_float_market_cap_usd (c, US dollars) and the column ``by`` (s, 0 to 1).
        by: the score, or one of its parts.
        plus: b, added to the score, so that a company without backing keeps some weight.
        power: exponent p on free-float value, from 0 (the score alone) to 1.

    Example:
        >>> table = pl.DataFrame({"review": [1, 1], "free_float_market_cap_usd": [4.0, 1.0],
        ...     "policy_score": [0.25, 1.0]})
        >>> score(table).to_list()
        [0.5, 0.5]
    """
    backing = (pl.col(by) + plus).clip(lower_bound=0)
    return shares(universe, backing * known("free_float_market_cap_usd").pow(power))
