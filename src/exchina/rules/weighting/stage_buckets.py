"""A fixed share of the index for each stage of the supply chain."""

from typing import Annotated

import polars as pl
from pydantic import Field

from exchina.rules.registers import weighting
from exchina.rules.weighting.free_float_cap import free_float_cap

Share = Annotated[float, Field(ge=0, le=1)]


def _whole(*, producer: float, processor: float, metal_alloy: float, magnet_maker: float, **_: object) -> str | None:
    total = producer + processor + metal_alloy + magnet_maker
    return None if abs(total - 1) < 1e-9 else f"the shares of the stages sum to {total:g}, not to 1"


@weighting("stage_buckets", check=_whole)
def stage_buckets(
    universe: pl.DataFrame,
    *,
    producer: Share = 0.0,
    processor: Share = 0.0,
    metal_alloy: Share = 0.0,
    magnet_maker: Share = 0.0,
    power: Annotated[float, Field(ge=0, le=1)] = 1.0,
    policy_tilt: Annotated[float, Field(ge=0, le=10)] = 0.0,
) -> pl.Series:
    """Give each stage its share b_s, and weight within a stage by tilted free-float market value.

    w_i = b_s / (sum of b over the stages that have a member)  x  f_i / sum_{j in s} f_j,   f_i = c_i^p (1 + a s_i)

    A stage without a member in a review passes its share to the others in proportion to theirs. A company at a stage
    without a share gets no weight.

    Args:
        universe: selected companies; reads stage, free_float_market_cap_usd and policy_score.
        producer: share of mines that sell ore or concentrate.
        processor: share of separation and refining.
        metal_alloy: share of metal and alloy makers.
        magnet_maker: share of magnet makers.
        power: exponent p on free-float market value.
        policy_tilt: a; a fully backed company gets (1 + a) times the weight of one without backing in its stage.

    Example:
        >>> table = pl.DataFrame({"review": [1] * 3, "stage": ["producer", "magnet_maker", "magnet_maker"],
        ...     "free_float_market_cap_usd": [5.0, 1.0, 3.0], "policy_score": [0.0] * 3})
        >>> stage_buckets(table, producer=0.3, processor=0.4, magnet_maker=0.3).to_list()
        [0.5, 0.125, 0.375]
    """
    shares = {"producer": producer, "processor": processor, "metal_alloy": metal_alloy, "magnet_maker": magnet_maker}
    share = pl.col("stage").replace_strict(shares, default=0.0, return_dtype=pl.Float64)
    inner = universe.with_columns(_inner=free_float_cap(universe, power=power, policy_tilt=policy_tilt), _share=share)
    within = pl.col("_inner") / pl.col("_inner").sum().over("review", "stage")
    raw = inner.select("review", raw=pl.col("_share") * within)
    return raw.select(weight=pl.col("raw") / pl.col("raw").sum().over("review"))["weight"]
