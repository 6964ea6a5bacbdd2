"""Why a company is in or out, what each rule did to the universe, and why a weight changed, all in words."""

from collections.abc import Sequence
from typing import Any

import polars as pl

from exchina.errors import DataError, Problem
from exchina.model import Basket
from exchina.rules.change import MARKET_VALUES, MEMBERSHIP, POLICY_FACTS, Part

SHOWN = 0.00005


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


def explain_basket(basket: Basket) -> str:
    """What each rule did: how many companies it judged and kept, whom it alone keeps out, and how the weights came.

    Args:
        basket: a composition.
    """
    facts, review = basket.book.index, basket.review
    judged = basket.verdicts
    fails = judged.filter(~pl.col("passed")).group_by("company_id").agg(count=pl.len())
    alone = fails.filter(pl.col("count") == 1)["company_id"].to_list()
    lines = [
        f"{facts.id}, data of {review.cutoff}, announced {review.announced}, effective {review.effective}: "
        f"{basket.members.height} members of {judged['company_id'].n_unique()} companies with a live listing"
    ]
    for (kind, rule), rows in judged.group_by("kind", "rule", maintain_order=True):
        out = rows.filter(~pl.col("passed"))
        only = sorted(set(out["company_id"].to_list()) & set(alone))
        near = f"; it alone keeps out {', '.join(only)}" if only else ""
        lines.append(f"  {kind} {rule}: {out.height} of {rows.height} fail{near}")
    lines += [f"  {step}" for step in basket.steps]
    lines += [f"  {said}" for said in _weighing(basket)]
    turnover = "" if basket.turnover is None else f"one-way turnover {basket.turnover:.2%}; "
    top = basket.members.head(3).select("company_id", "weight").iter_rows()
    largest = ", ".join(f"{company} {weight:.2%}" for company, weight in top)
    return "\n".join([*lines, f"  {turnover}largest {largest}"])


def _weighing(basket: Basket) -> list[str]:
    """How the caps were solved, what binds, how near another choice was, and which diversification tests fail."""
    failed = basket.checks.filter(~pl.col("passed")).select("when", "rule", "test").iter_rows()
    said = [f"fails {rule}, {test} ({when.replace('_', ' ')})" for when, rule, test in failed]
    if basket.capping is None:
        return said
    solved = f"caps: {basket.capping.method}, distance {basket.capping.distance:.4f}, gap {basket.capping.gap:.1e}"
    bound = [f"binds {words}" for words in basket.capping.binding]
    return [solved, *bound, *([f"next best {basket.capping.next_best}"] if basket.capping.next_best else []), *said]


def explain_change(before: Basket, after: Basket, company_id: str, parts: Sequence[Part]) -> str:
    """Why a company's weight is not what it was a review ago: its parts, and the facts that moved.

    Args:
        before: the basket of the earlier review.
        after: the basket of the later one.
        company_id: a member of one or both.
        parts: `exchina.rules.change.parts_of_change` of the same.
    """
    old, new = (_row(basket.members, company_id) for basket in (before, after))
    was, now = old.get("weight", 0.0), new.get("weight", 0.0)
    head = (
        f"{company_id} in {after.book.index.id}: {was:.2%} at the review of {before.review.effective}, {now:.2%} at "
        f"that of {after.review.effective} ({(now - was) * 100:+.2f} points)"
    )
    lines = [
        f"  {part.weight * 100:+7.2f}  {part.cause}{_moved(part.cause, before, after, company_id)}"
        for part in parts
        if abs(part.weight) >= SHOWN or part.cause == MARKET_VALUES
    ]
    lines += [
        f"  held by a cap at {basket.review.effective}: {words}"
        for basket in (before, after)
        for words in (basket.capping.binding if basket.capping else ())
        if company_id in words
    ]
    drifted = new.get("previous_weight")
    if drifted is not None:
        lines.append(
            f"  prices had carried it to {drifted:.2%} by the data cut-off: {(now - drifted) * 100:+.2f} points trade"
        )
    return "\n".join([head, *lines])


def _row(table: pl.DataFrame, company_id: str) -> dict[str, Any]:
    rows = table.filter(pl.col("company_id") == company_id).to_dicts()
    return rows[0] if rows else {}


def _value_of(basket: Basket, companies: list[str]) -> float:
    there = basket.seen.filter(pl.col("company_id").is_in(companies))
    return float(there["free_float_market_cap_usd"].sum())


def _moved(cause: str, before: Basket, after: Basket, company_id: str) -> str:
    """The facts behind a cause: of the company itself, and of all members together."""
    old, new = (_row(basket.seen, company_id) for basket in (before, after))
    if cause == MARKET_VALUES and old.get("free_float_market_cap_usd") and new.get("free_float_market_cap_usd"):
        own = new["free_float_market_cap_usd"] / old["free_float_market_cap_usd"] - 1
        held = before.members["company_id"].to_list()
        was, now = (_value_of(basket, held) for basket in (before, after))
        return f": its free-float value {own:+.1%}, that of the members then {now / was - 1:+.1%}"
    if cause == POLICY_FACTS and old and new:
        if old["policy_score"] == new["policy_score"]:
            return f": its own policy score is still {new['policy_score']:.2f}; those of others moved"
        return f": its policy score {old['policy_score']:.3f}, now {new['policy_score']:.3f}"
    if cause == MEMBERSHIP:
        there, here = (set(basket.members["company_id"].to_list()) for basket in (before, after))
        joined, gone = ", ".join(sorted(here - there)) or "nobody", ", ".join(sorted(there - here)) or "nobody"
        return f": in {joined}; out {gone}"
    return ""
