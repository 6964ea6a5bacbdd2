"""Multiply the weight of companies by what they have been promised."""

from typing import Annotated

import polars as pl
from pydantic import Field

from exchina.policy import BIND
from exchina.rules.registers import weighting
from exchina.rules.weighting.nested import Scheme, shares, weights_by
from exchina.tables.reference_words import Instrument, LiveStatus

Multiplier = Annotated[float, Field(gt=0, le=100)]


@weighting("tiers")
def tiers(
    universe: pl.DataFrame,
    *,
    multipliers: dict[Instrument, Multiplier],
    none: Multiplier = 1.0,
    bound_at_least: LiveStatus = "signed",
    within: Scheme = "free_float_cap",
) -> pl.Series:
    """Multiply a scheme by the tier of each company's best commitment: w_i = m_i f_i / sum_j m_j f_j in each review.

    m is the largest multiplier among the commitments that bind at least as stated; a company without one has ``none``.

    Args:
        universe: selected companies; reads commitments (list of instrument, status, bind) and what ``within`` reads.
        multipliers: m of each named instrument, such as price_floor 3 and offtake 2; others count as none.
        none: m of a company without a named commitment.
        bound_at_least: the weakest status that counts.
        within: the scheme f, by name or as ``{ name = { settings } }``.

    Example:
        >>> floor, loan = ({"instrument": one, "status": "signed", "bind": 0.8} for one in ("price_floor", "loan"))
        >>> table = pl.DataFrame({"review": [1] * 3, "commitments": [[loan, floor], [loan], None]})
        >>> tiers(table, multipliers={"price_floor": 3.0}, within="equal").round(6).to_list()
        [0.6, 0.2, 0.2]
    """
    each = pl.element().struct
    named = each.field("instrument").replace_strict(multipliers, default=None, return_dtype=pl.Float64)
    firm = pl.when(each.field("bind") >= BIND[bound_at_least]).then(named)
    best = pl.col("commitments").list.eval(firm).list.max().fill_null(none)
    inner = universe.with_columns(_within=weights_by(within, universe))
    return shares(inner, best * pl.col("_within"))
