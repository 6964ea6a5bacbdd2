"""Weight by free-float market value, with a tilt towards policy backing."""

from typing import Annotated

import polars as pl
from pydantic import Field

from exchina.rules.registers import weighting
from exchina.rules.weighting.nested import known, shares


@weighting("free_float_cap")
def free_float_cap(
    universe: pl.DataFrame,
    *,
    power: Annotated[float, Field(ge=0, le=1)] = 1.0,
    policy_tilt: Annotated[float, Field(ge=0, le=10)] = 0.0,
) -> pl.Series:
    """Weight by a power of free-float market value, tilted by the policy score, within each review.

    w_i = c_i^p (1 + a s_i) / sum_j c_j^p (1 + a s_j)

    A company whose free-float value is not known gets no weight.

    Args:
        universe: selected companies; reads free_float_market_cap_usd (c, US dollars) and policy_score (s, 0 to 1).
        power: exponent p, from 0 (equal weight) over 0.5 (square root) to 1 (proportional to market value).
        policy_tilt: a; a fully backed company gets (1 + a) times the weight of one without backing.

    Example:
        >>> columns = {"review": [1, 1], "free_float_market_cap_usd": [3.0, 1.0], "policy_score": [0.0, 1.0]}
        >>> table = pl.DataFrame(columns)
        >>> free_float_cap(table, policy_tilt=2.0).to_list()
        [0.5, 0.5]
    """
    size = known("free_float_market_cap_usd").pow(power)
    return shares(universe, size * (1 + policy_tilt * pl.col("policy_score")) if policy_tilt else size)
