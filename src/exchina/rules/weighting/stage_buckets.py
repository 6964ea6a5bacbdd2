"""A fixed share of the index for each stage of the supply chain."""

from typing import Any

import polars as pl

from exchina.rules.registers import weighting
from exchina.rules.weighting.buckets import Spill, buckets
from exchina.rules.weighting.nested import Scheme, Share, whole

HOLDING = "holding/royalty"


def _whole(**settings: Any) -> str | None:
    return whole({name: share or 0.0 for name, share in settings.items() if name not in ("within", "spill")}, "stages")


@weighting("stage_buckets", check=_whole)
def stage_buckets(
    universe: pl.DataFrame,
    *,
    explorer: Share | None = None,
    developer: Share | None = None,
    producer: Share | None = None,
    processor: Share | None = None,
    metal_alloy: Share | None = None,
    magnet_maker: Share | None = None,
    recycler: Share | None = None,
    holding_royalty: Share | None = None,
    within: Scheme = "free_float_cap",
    spill: Spill = "in_proportion",
) -> pl.Series:
    """Give each stage its share b_s, and weight within a stage by a scheme of its own, within each review.

    w_i = b'_s f_i / sum_{j in s} f_j

    A stage without a member in a review passes its share on, which makes b' of b. A company at a stage without a share
    gets no weight; a stage that is not named has none.

    Args:
        universe: selected companies; reads stage and what ``within`` reads.
        explorer: share of companies that look for a deposit.
        developer: share of companies with a project under development.
        producer: share of mines that sell ore or concentrate.
        processor: share of separation and refining.
        metal_alloy: share of metal and alloy makers.
        magnet_maker: share of magnet makers.
        recycler: share of recyclers.
        holding_royalty: share of holding and royalty companies.
        within: the scheme f, applied to each stage alone, by name or as ``{ name = { settings } }``.
        spill: whether the share of an empty stage goes to the others in proportion to theirs, or equally.

    Example:
        >>> table = pl.DataFrame({"review": [1] * 3, "stage": ["producer", "magnet_maker", "magnet_maker"],
        ...     "free_float_market_cap_usd": [5.0, 1.0, 3.0]})
        >>> stage_buckets(table, producer=0.3, processor=0.4, magnet_maker=0.3).to_list()
        [0.5, 0.125, 0.375]
    """
    given = {
        "explorer": explorer,
        "developer": developer,
        "producer": producer,
        "processor": processor,
        "metal_alloy": metal_alloy,
        "magnet_maker": magnet_maker,
        "recycler": recycler,
        HOLDING: holding_royalty,
    }
    shares = {name: share for name, share in given.items() if share is not None}
    return buckets(universe, by="stage", shares=shares, within=within, spill=spill)
