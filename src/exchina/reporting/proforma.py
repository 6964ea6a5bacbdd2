"""The machine file of a review: one row per member and leaver, in full precision."""

import polars as pl

from exchina.model import Basket

COLUMNS = [
    "index_id",
    "effective_date",
    "announced_date",
    "cutoff_date",
    "company_id",
    "name",
    "symbol",
    "mic",
    "country",
    "currency",
    "stage",
    "action",
    "previous_weight",
    "weight",
    "change",
    "uncapped_weight",
    "policy_score",
    "floor_part",
    "offtake_part",
    "capital_part",
    "close",
    "price_date",
    "free_float_market_cap_usd",
    "simulated",
]
UNCHANGED = 1e-12


def proforma_csv(basket: Basket) -> str:
    """The composition as CSV: members by falling weight, then leavers with weight 0 and no price.

    Weights are fractions of 1 as computed, in the shortest text that reads back as the same number; ``action`` is add,
    delete, up, down or keep; days are ISO 8601; ``simulated`` says whether the prices are.

    Args:
        basket: what the review decided.
    """
    members = basket.members.sort(["weight", "company_id"], descending=[True, False])
    leavers = basket.leavers.sort(["previous_weight", "company_id"], descending=[True, False])
    rows = pl.concat([members, leavers.with_columns(weight=pl.lit(0.0))], how="diagonal")
    review = basket.review
    table = rows.with_columns(
        index_id=pl.lit(basket.book.index.id),
        effective_date=pl.lit(review.effective),
        announced_date=pl.lit(review.announced),
        cutoff_date=pl.lit(review.cutoff),
        change=pl.col("weight") - pl.col("previous_weight"),
        simulated=pl.lit(basket.provenance.simulated),
    ).with_columns(action=_action())
    return table.select(COLUMNS).write_csv()


def _action() -> pl.Expr:
    return (
        pl.when(pl.col("weight") == 0)
        .then(pl.lit("delete"))
        .when(pl.col("previous_weight") == 0)
        .then(pl.lit("add"))
        .when(pl.col("change") > UNCHANGED)
        .then(pl.lit("up"))
        .when(pl.col("change") < -UNCHANGED)
        .then(pl.lit("down"))
        .otherwise(pl.lit("keep"))
    )
