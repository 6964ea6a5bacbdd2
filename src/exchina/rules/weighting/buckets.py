"""A fixed share of the index for each group of companies."""

import re
from collections.abc import Mapping
from typing import Annotated, Literal

import polars as pl
from pydantic import Field

from exchina.errors import did_you_mean
from exchina.rules.registers import weighting
from exchina.rules.weighting.nested import Scheme, Share, weights_by, whole
from exchina.tables.reference_words import EXPOSURE_KINDS, STAGES

Column = Literal["stage", "country", "rare_earth_exposure"]
Spill = Literal["in_proportion", "equally"]
OTHER = "other"
WORDS: Mapping[str, tuple[str, ...]] = {"stage": STAGES, "rare_earth_exposure": EXPOSURE_KINDS}


def _named(*, by: Column, shares: dict[str, float], **_: object) -> str | None:
    known = (*WORDS.get(by, ()), OTHER)
    wrong = [name for name in shares if name not in known and not (by == "country" and re.fullmatch("[A-Z]{2}", name))]
    if wrong:
        hint = did_you_mean(wrong[0], known) if by in WORDS else "two capital letters, such as AU"
        return f"no {by.replace('_', ' ')} called {', '.join(map(repr, wrong))} ({hint})"
    return whole(shares, "buckets")


@weighting("buckets", check=_named)
def buckets(
    universe: pl.DataFrame,
    *,
    by: Column,
    shares: Annotated[dict[str, Share], Field(examples=[{"other": 1.0}])],
    within: Scheme = "free_float_cap",
    spill: Spill = "in_proportion",
) -> pl.Series:
    """Give each group its share b_g, and weight within a group by a scheme of its own, within each review.

    w_i = b'_g f_i / sum_{j in g} f_j

    A group without a member passes its share on, which makes b' of b. A company in a group without a share gets no
    weight, nor one whose group is not known.

    Args:
        universe: selected companies; reads the column ``by`` and what ``within`` reads.
        by: what makes a group: stage, country or exposure to rare earths.
        shares: b of each group, as fractions that sum to 1; ``other`` takes all that are not named.
        within: the scheme f, applied to each group alone, by name or as ``{ name = { settings } }``.
        spill: whether the share of an empty group goes to the others in proportion to theirs, or equally.

    Example:
        >>> table = pl.DataFrame({"review": [1] * 3, "country": ["AU", "US", "US"],
        ...     "free_float_market_cap_usd": [5.0, 1.0, 3.0]})
        >>> buckets(table, by="country", shares={"AU": 0.3, "JP": 0.4, "other": 0.3}).to_list()
        [0.5, 0.125, 0.375]
    """
    group = pl.when(pl.col(by).is_in([name for name in shares if name != OTHER])).then(by).otherwise(pl.lit(OTHER))
    grouped = universe.with_columns(_group=pl.when(pl.col(by).is_not_null()).then(group))
    alone = grouped.with_columns(review=pl.struct("review", "_group"))
    given = pl.col("_group").replace_strict(shares, default=0.0, return_dtype=pl.Float64)
    share = pl.when(pl.col("_group").is_not_null()).then(given)
    inner = grouped.select("review", "_group", share=share, inner=weights_by(within, alone))
    weighed = pl.col("share") * pl.col("inner")
    if spill == "equally":
        return inner.select(weight=pl.when(pl.col("share") > 0).then(weighed + _equal_part()).otherwise(weighed))[
            "weight"
        ]
    total = weighed.sum().over("review")
    return inner.select(weight=pl.when(total > 0).then(weighed / total))["weight"]


def _equal_part() -> pl.Expr:
    """What is missing to 1, in equal parts to the groups that hold somebody, and within a group by its scheme."""
    held = pl.col("_group").filter((pl.col("share") > 0) & pl.col("inner").is_not_null()).n_unique().over("review")
    return (1 - (pl.col("share") * pl.col("inner")).sum().over("review")) / held * pl.col("inner")
