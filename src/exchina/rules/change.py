"""Why a weight changed between two reviews: one cause after another, so that the parts sum to the whole change.

The rules are run on the universe of the earlier review with one group of facts after another brought to the later one:

    w_before -> the rules without what held the earlier review back -> market values -> policy facts -> all other facts
             -> membership -> turnover control -> w_after

Each part is the step that the capped weight makes. The order is a convention: with another order the parts differ, the
sum does not. A step on which no basket can be formed falls to the next cause, which then says so.
"""

from collections.abc import Callable
from dataclasses import dataclass

import polars as pl

from exchina.errors import DataError, InfeasibleError, Problem
from exchina.model import Basket

Weigh = Callable[[pl.DataFrame], dict[str, float]]
ROUNDING = 1e-9
MARKET = (
    "close",
    "close_usd",
    "price_date",
    "market_cap_usd",
    "free_float_factor",
    "float_basis",
    "free_float_market_cap_usd",
    "traded_values_usd",
    "daily_returns",
)
MARKET_VALUES, POLICY_FACTS, OTHER_FACTS, MEMBERSHIP = (
    "market values",
    "policy facts",
    "stage and other facts",
    "who is a member",
)
HELD_BACK = "what had held the earlier review back: turnover control, a held basket, an event"
REST = "what was held over, turnover control, or the ladder"
POLICY = ("policy_score", "floor_part", "offtake_part", "capital_part", "lead_sponsor", "commitments")


@dataclass(frozen=True, slots=True)
class Part:
    """One cause of a change of weight: what it is, and by how much it moved the weight, a fraction of the index."""

    cause: str
    weight: float


def parts_of_change(before: Basket, after: Basket, company_id: str, weigh: Weigh) -> list[Part]:
    """Why the weight of one company differs between two reviews of an index.

    Args:
        before: the basket of the earlier review.
        after: the basket of the later one.
        company_id: a member of one or both.
        weigh: universe rows of members -> their capped weights by company, as the rulebook's [weight] and [cap] give.

    Raises:
        DataError: the company is a member of neither.
    """
    start, end = _weight(before, company_id), _weight(after, company_id)
    if start is None and end is None:
        what = f"{company_id!r} is a member neither at {before.review.effective} nor at {after.review.effective}"
        raise DataError(Problem(after.book.index.id, what, "exchina explain says why it is out"))
    parts, reached, unsolved = list[Part](), start or 0.0, list[str]()
    for cause, rows in _stages(before, after):
        try:
            now = weigh(rows).get(company_id, 0.0)
        except InfeasibleError:
            unsolved.append(cause)
            continue
        parts.append(Part(" and ".join([*unsolved, cause]), now - reached))
        reached, unsolved = now, []
    rest = Part(" and ".join([*unsolved, REST]), (end or 0.0) - reached)
    return [*parts, rest] if unsolved or abs(rest.weight) > ROUNDING else parts


def _weight(basket: Basket, company_id: str) -> float | None:
    found = basket.members.filter(pl.col("company_id") == company_id)["weight"]
    return float(found[0]) if found.len() else None


def _stages(before: Basket, after: Basket) -> list[tuple[str, pl.DataFrame]]:
    """The rows of the members under each cause, cumulatively; facts of a company that is gone stay as they were."""
    old = _members_seen(before)
    new = after.seen.filter(pl.col("company_id").is_in(old["company_id"].to_list()))
    moved = _brought(old, new, MARKET)
    backed = _brought(moved, new, POLICY)
    others = [name for name in old.columns if name not in (*MARKET, *POLICY, "company_id", "review")]
    known = _brought(backed, new, others)
    return [
        (HELD_BACK, old),
        (MARKET_VALUES, moved),
        (POLICY_FACTS, backed),
        (OTHER_FACTS, known),
        (MEMBERSHIP, _members_seen(after)),
    ]


def _members_seen(basket: Basket) -> pl.DataFrame:
    return basket.seen.filter(pl.col("company_id").is_in(basket.members["company_id"].to_list())).sort("company_id")


def _brought(rows: pl.DataFrame, new: pl.DataFrame, columns: list[str] | tuple[str, ...]) -> pl.DataFrame:
    """The rows with some columns as they are at the later review, where the company is still in its universe."""
    wanted = [name for name in columns if name in rows.columns and name in new.columns]
    there = new.select("company_id", *wanted, _there=pl.lit(True))
    joined = rows.join(there, on="company_id", how="left", suffix="_new", maintain_order="left")
    later = pl.col("_there").is_not_null()
    return joined.with_columns(
        pl.when(later).then(pl.col(f"{name}_new")).otherwise(pl.col(name)).alias(name) for name in wanted
    ).select(rows.columns)
