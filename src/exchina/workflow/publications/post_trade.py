"""The report after a review has taken effect: what was announced, what was held, what was traded."""

import json
import math
from collections.abc import Collection

import polars as pl

from exchina.errors import DataError, Problem
from exchina.model import Publication
from exchina.workflow.publications import Brief, Made, publication
from exchina.workflow.published import CLOSING, table_of


@publication("post_trade", "of_review")
def post_trade(brief: Brief) -> Made:
    """Line by line the announced weight, the weight before and after the effective close, and the trade between them.

    Weights before are those of the closing file of the effective session, weights after those of the opening file of
    the next; ``trade`` is their difference and the one-way turnover half of the sum of its absolute values.

    Raises:
        DataError: the review was not announced, or its effective session not closed, by the ledger.
    """
    review = brief.review
    announced = _last(brief, ("announcement",), "announcement")
    closed = _last(brief, CLOSING, "close")
    wanted = table_of(brief.workspace, announced, "proforma.csv").select("symbol", announced_weight="weight")
    before = table_of(brief.workspace, closed, "closing.csv").select(
        "symbol", "currency", "close", "status", weight_before="weight"
    )
    after = table_of(brief.workspace, closed, "opening.csv").select("symbol", weight_after="weight")
    lines = (
        before.join(after, on="symbol", how="full", coalesce=True, maintain_order="left_right")
        .join(wanted, on="symbol", how="full", coalesce=True, maintain_order="left_right")
        .with_columns(pl.col("announced_weight", "weight_before", "weight_after").fill_null(0.0))
        .with_columns(
            trade=pl.col("weight_after") - pl.col("weight_before"),
            drift=pl.col("weight_after") - pl.col("announced_weight"),
        )
        .sort("symbol")
    )
    changes = table_of(brief.workspace, closed, "divisor.csv").filter(pl.col("cause").str.contains("review"))
    said = {
        "index_id": brief.book.index.id,
        "effective": str(review.effective),
        "announced_in_row": announced.sequence,
        "closed_in_row": closed.sequence,
        "one_way_turnover": math.fsum(abs(x) for x in lines["trade"]) / 2,
        "largest_drift_since_announcement": max((abs(x) for x in lines["drift"]), default=0.0),
        "lines_not_at_their_own_close": lines.filter(pl.col("status").is_not_null() & (pl.col("status") != "official"))[
            "symbol"
        ].to_list(),
        "divisor": changes.to_dicts(),
        "simulated": brief.view.provenance.simulated,
    }
    text = json.dumps(said, indent=1, sort_keys=True, default=str) + "\n"
    stamped = lines.select(
        pl.lit(brief.book.index.id).alias("index_id"),
        pl.lit(review.effective).alias("effective_date"),
        pl.all(),
        pl.lit(brief.view.provenance.simulated).alias("simulated"),
    )
    return Made({"post_trade.csv": stamped.write_csv().encode(), "post_trade.json": text.encode()}, {})


def _last(brief: Brief, kinds: Collection[str], needed: str) -> Publication:
    """The last publication of some kinds for the review's effective day; a restated close counts as it was restated."""
    index_id, day = brief.book.index.id, brief.review.effective
    found = [row for row in brief.rows if (row.index_id, row.for_day) == (index_id, day) and row.what in kinds]
    if not found:
        what = f"the ledger has no {needed} of it"
        raise DataError(Problem(f"{index_id} review {day}", what, f"publish the {needed} first"))
    return found[-1]
