"""A mixture of weightings."""

from collections.abc import Mapping
from typing import Annotated, Any, TypeAlias

import polars as pl
from pydantic import ConfigDict, Field, PlainValidator, create_model

from exchina.rules.registers import weighting
from exchina.rules.weighting.nested import Scheme, Share, weights_by, whole

_PART = create_model("part", __config__=ConfigDict(extra="forbid"), scheme=(Scheme, ...), share=(Share, ...))


def _part(given: object) -> dict[str, object]:
    return dict(_PART.model_validate(given))


Part: TypeAlias = Annotated[Mapping[str, Any], PlainValidator(_part, Any)]


def _whole(*, parts: list[Part]) -> str | None:
    return whole({str(number): part["share"] for number, part in enumerate(parts)}, "parts")


EXAMPLE = [{"scheme": "equal", "share": 0.5}, {"scheme": {"free_float_cap": {"power": 0.5}}, "share": 0.5}]


@weighting("blend", check=_whole)
def blend(
    universe: pl.DataFrame, *, parts: Annotated[list[Part], Field(min_length=1, examples=[EXAMPLE])]
) -> pl.Series:
    """Mix the weights of several schemes, within each review: w_i = sum_k a_k w_ik, sum_k a_k = 1.

    A company to which one of the schemes cannot give a weight, because a fact is unknown, gets none.

    Args:
        universe: selected companies; reads what the schemes read.
        parts: each ``{ scheme = "name" or { name = { settings } }, share = a }``; the shares sum to 1.

    Example:
        >>> table = pl.DataFrame({"review": [1, 1], "free_float_market_cap_usd": [3.0, 1.0]})
        >>> parts = [{"scheme": "equal", "share": 0.5}, {"scheme": "free_float_cap", "share": 0.5}]
        >>> blend(table, parts=parts).to_list()
        [0.625, 0.375]
    """
    mixed = [part["share"] * weights_by(part["scheme"], universe) for part in parts]
    weights = universe.select("review", mixed=pl.sum_horizontal(*mixed, ignore_nulls=False))
    total = pl.col("mixed").sum().over("review")
    return weights.select(weight=pl.when(total > 0).then(pl.col("mixed") / total))["weight"]
