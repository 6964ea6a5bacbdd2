"""Tilt a scheme by a stated map of one column."""

from typing import Annotated, Literal

import polars as pl
from pydantic import Field

from exchina.rules.registers import weighting
from exchina.rules.weighting.nested import Scheme, shares, weights_by

Shape = Literal["linear", "power", "exponential", "z_score"]


def _defined(*, by: str, shape: Shape, strength: float, **_: object) -> str | None:
    if by.endswith("_usd") and shape in ("linear", "exponential"):
        return f"a {shape} tilt needs a column between 0 and 1; {by} takes power or z_score"
    if shape in ("power", "z_score") and strength < 0:
        return f"strength is {strength:g}; {shape} is defined from 0 up"
    return None


@weighting("tilt", check=_defined)
def tilt(
    universe: pl.DataFrame,
    *,
    by: Literal[
        "policy_score",
        "floor_part",
        "offtake_part",
        "capital_part",
        "china_revenue_share",
        "free_float_factor",
        "free_float_market_cap_usd",
        "market_cap_usd",
    ],
    shape: Shape = "linear",
    strength: Annotated[float, Field(ge=-10, le=10)] = 1.0,
    clip_at: Annotated[float, Field(gt=0, le=10)] = 3.0,
    unknown_multiplier: Annotated[float, Field(ge=0, le=100)] | None = None,
    within: Scheme = "free_float_cap",
) -> pl.Series:
    """Multiply a scheme by a map of one column, within each review: w_i = m(s_i) f_i / sum_j m(s_j) f_j.

    ======================  ===========================================================================================
    linear                  m = 1 + a s, and 0 where that is negative
    power                   m = s^a, and 0 where s is negative
    exponential             m = exp(a s)
    z_score                 m = 1 + a z for z >= 0 and 1 / (1 - a z) below, z = (s - mean) / standard deviation (n) over
                            the companies of the review that have s, clipped to plus and minus ``clip_at``
    ======================  ===========================================================================================

    A company whose multiplier is 0 gets no weight.

    Args:
        universe: selected companies; reads the column ``by`` (s) and what ``within`` reads.
        by: the column that tilts.
        shape: which map m.
        strength: a; negative turns a linear or an exponential tilt away from high values.
        clip_at: how many standard deviations count at most; z_score only.
        unknown_multiplier: m of a company whose value is not known; without it such a company gets no weight.
        within: the scheme f, by name or as ``{ name = { settings } }``.

    Example:
        >>> table = pl.DataFrame({"review": [1] * 3, "china_revenue_share": [0.0, 0.5, None]})
        >>> tilt(table, by="china_revenue_share", strength=-1.0, within="equal").round(12).to_list()
        [0.666666666667, 0.333333333333, None]
    """
    inner = universe.with_columns(_within=weights_by(within, universe), _by=pl.col(by).cast(pl.Float64))
    value = pl.when(pl.col("_by").is_finite()).then("_by")
    multiplier = _map(value, shape, strength, clip_at)
    if unknown_multiplier is not None:
        multiplier = multiplier.fill_null(unknown_multiplier)
    return shares(inner, multiplier * pl.col("_within"))


def _map(value: pl.Expr, shape: Shape, strength: float, clip_at: float) -> pl.Expr:
    if shape == "linear":
        return (1 + strength * value).clip(lower_bound=0)
    if shape == "power":
        return value.clip(lower_bound=0).pow(strength)
    if shape == "exponential":
        return (strength * value).exp()
    spread = value.std(ddof=0).over("review")
    z = pl.when(spread > 0).then((value - value.mean().over("review")) / spread).otherwise(value * 0)
    z = z.clip(-clip_at, clip_at)
    return pl.when(z >= 0).then(1 + strength * z).otherwise(1 / (1 - strength * z))
