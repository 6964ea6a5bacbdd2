"""What one review has decided, and the basket that it makes beside what is held."""

from collections.abc import Mapping
from dataclasses import dataclass

import polars as pl

from exchina.model import Basket, Capping, Provenance, Review, Rulebook
from exchina.policy import SCORE_WEIGHTS

MEMBER_COLUMNS = [
    "company_id",
    "symbol",
    "name",
    "country",
    "mic",
    "currency",
    "stage",
    "weight",
    "uncapped_weight",
    "capping_factor",
    "previous_weight",
    "policy_score",
    *SCORE_WEIGHTS,
    "lead_sponsor",
    "close",
    "close_usd",
    "price_date",
    "free_float_market_cap_usd",
    "float_basis",
]


@dataclass(frozen=True)
class Composition:
    """Members with uncapped_weight and weight, verdicts of all rules, remarks, reserve, whether nothing changes."""

    members: pl.DataFrame
    verdicts: pl.DataFrame
    steps: tuple[str, ...]
    reserve: pl.DataFrame
    held: bool = False
    capping: Capping | None = None


@dataclass(frozen=True)
class Before:
    """What is held at a cut-off: the basket before (None: nothing yet), weights by line, weights by company."""

    basket: Basket | None
    lines: Mapping[str, float]
    companies: Mapping[str, float]


def basket_of(
    book: Rulebook,
    review: Review,
    composition: Composition,
    before: Before,
    *,
    checks: pl.DataFrame,
    seen: pl.DataFrame,
    weak: pl.DataFrame,
    provenance: Provenance,
) -> Basket:
    """The basket of a review: its members beside what was held before, who left, and what it rests on."""
    schema = {"company_id": pl.String, "previous_weight": pl.Float64}
    held = pl.DataFrame(list(before.companies.items()), schema, orient="row")
    members = composition.members.join(held, on="company_id", how="left", maintain_order="left")
    members = members.with_columns(pl.col("previous_weight").fill_null(0.0)).select(MEMBER_COLUMNS)
    members = members.sort(["weight", "company_id"], descending=[True, False])
    gone = held.filter(~pl.col("company_id").is_in(members["company_id"].to_list()))
    leavers = _leavers(gone, before.basket, seen)
    return Basket(
        book=book,
        review=review,
        members=members,
        leavers=leavers,
        verdicts=composition.verdicts.drop("review"),
        steps=composition.steps,
        held=composition.held,
        turnover=None if before.basket is None else _turnover(members, before.lines),
        weak_facts=weak.filter(
            pl.col("company_id").is_in(members["company_id"].to_list())
            & (pl.col("known").is_null() | (pl.col("known") <= review.cutoff))
        ),
        provenance=provenance,
        reserve=composition.reserve,
        checks=checks,
        capping=composition.capping,
        seen=seen,
    )


def _turnover(members: pl.DataFrame, lines: Mapping[str, float]) -> float:
    """0.5 sum |w_new - w_drifted| by line, so that a company that moved to another listing counts as traded."""
    new = dict(members.select("symbol", "weight").iter_rows())
    return 0.5 * sum(abs(new.get(line, 0.0) - lines.get(line, 0.0)) for line in sorted({*new, *lines}))


def _leavers(gone: pl.DataFrame, previous: Basket | None, seen: pl.DataFrame) -> pl.DataFrame:
    names = ["company_id", "symbol", "name"]
    if previous is None:
        return pl.DataFrame(schema={**dict.fromkeys(names, pl.String), "previous_weight": pl.Float64})
    known = pl.concat([previous.members.select(names), seen.select(names)]).unique("company_id", keep="first")
    named = gone.join(known, on="company_id", how="left", maintain_order="left")
    return named.select(*names, "previous_weight")
