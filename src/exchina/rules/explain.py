"""Why a company is in or out: each rule's verdict, in order, with what was found, what was needed and the margin."""

import polars as pl

from exchina.errors import DataError, Problem
from exchina.model import Basket


def explain(basket: Basket, company_id: str) -> str:
    """The verdicts on one company in words, and its weight before and after the caps.

    Args:
        basket: a composition.
        company_id: a company of its universe.

    Raises:
        DataError: the company was not in the universe on the data cut-off.
    """
    verdicts = basket.verdicts.filter(pl.col("company_id") == company_id)
    if verdicts.is_empty():
        what = f"{company_id!r} had no live listing on {basket.review.cutoff}"
        raise DataError(Problem(basket.book.index.id, what, "see its rows in listings.csv, or ask for another day"))
    head = (
        f"{company_id} in {basket.book.index.id}, data of {basket.review.cutoff}, effective {basket.review.effective}"
    )
    lines = [_line(row) for row in verdicts.iter_rows(named=True)]
    return "\n".join([head, *lines, *_outcome(basket, company_id, verdicts)])


def _line(row: dict[str, object]) -> str:
    mark = "pass" if row["passed"] else "FAIL"
    margin = _margin(row["margin"])
    note = f"; {row['note']}" if row["note"] else ""
    judged = f"{row['kind']} {row['rule']}: {row['found']}; needs {row['needed']}{margin}{note}"
    return f"  {mark}  {judged}\n        why: {row['why']}"


def _margin(margin: object) -> str:
    if not isinstance(margin, float):
        return ""
    return f"; {margin + 1:,.1f} times" if margin > 10 else f"; margin {margin:+.1%}"


def _outcome(basket: Basket, company_id: str, verdicts: pl.DataFrame) -> list[str]:
    rows = basket.members.filter(pl.col("company_id") == company_id).to_dicts()
    if not rows:
        failed = verdicts.filter(~pl.col("passed"))["rule"].to_list()
        reason = "fails " + ", ".join(failed) if failed else "no new basket could be formed"
        return [f"OUT: {reason}", *(f"  {step}" for step in basket.steps if not failed)]
    row = rows[0]
    uncapped = f"{row['uncapped_weight']:.2%} before caps"
    score = (
        f"policy score {row['policy_score']:.2f} (floor {row['floor_part']:.2f}, offtake {row['offtake_part']:.2f}, "
    )
    score += f"capital {row['capital_part']:.2f})"
    before = f"{row['previous_weight']:.2%} before this review" if row["previous_weight"] else "new"
    return [f"IN: weight {row['weight']:.2%} ({uncapped}; {before}); {score}", *(f"  {step}" for step in basket.steps)]
