"""Who may be weighted at a review: the members that it selects, those there are, or those that its events leave."""

from collections.abc import Mapping
from dataclasses import dataclass

import polars as pl

from exchina.model import Review, Rule, Rulebook
from exchina.rules.order import ranked
from exchina.rules.registers import REGISTERS
from exchina.rules.screening import PRICED, labelled, persistent, priced, screened
from exchina.rules.verdict import verdict

NEXT = ["company_id", "symbol", "name", "rank"]


@dataclass(frozen=True)
class Seen:
    """What one review sees.

    Attributes:
        review: which one.
        there: the universe on the day whose data decide the members, with is_member.
        now: the universe on the data cut-off, with is_member; decides the weights.
        raw: the verdicts of the screens on ``there``.
        looks: such verdicts of the earlier reviews that chose members, oldest first.
        held: weights by company at the cut-off.
        reserve: the reserve list of the last review that chose members, less who has entered since.
    """

    review: Review
    there: pl.DataFrame
    now: pl.DataFrame
    raw: pl.DataFrame
    looks: tuple[pl.DataFrame, ...]
    held: Mapping[str, float]
    reserve: pl.DataFrame


@dataclass(frozen=True)
class Choice:
    """The companies to weight, every verdict so far, the reserve list after it.

    ``entering`` are the only ones that get a weight of their own; None: all do.
    """

    chosen: pl.DataFrame
    verdicts: pl.DataFrame
    reserve: pl.DataFrame
    entering: frozenset[str] | None = None


def choice(book: Rulebook, seen: Seen) -> Choice:
    """Decide who is weighted, by the scope of the review."""
    if seen.review.scope == "weights":
        return _as_they_are(book, seen)
    return _selected(book, seen) if seen.review.scope == "whole" else _by_events(book, seen)


def _selected(book: Rulebook, seen: Seen) -> Choice:
    verdicts = persistent(book.screens, seen.raw, seen.looks, set(seen.held))
    failed = verdicts.filter(~pl.col("passed"))["company_id"].unique()
    eligible = seen.there.filter(~pl.col("company_id").is_in(failed.to_list())).sort("company_id")
    picked = labelled(eligible, REGISTERS["select"][book.select.name](eligible, **book.select.settings), book.select)
    chosen = eligible.filter(picked["passed"])
    reserve = _next_in_order(book, eligible, set(chosen["company_id"]))
    if seen.review.selection_cutoff is None:
        return Choice(chosen, pl.concat([verdicts, picked]), reserve)
    now = chosen.select("company_id").join(seen.now, on="company_id", how="left", maintain_order="left")
    now = now.with_columns(review=pl.lit(seen.review.effective))
    without_price = labelled(now, priced(now), PRICED).filter(~pl.col("passed"))
    said = without_price.with_columns(note=pl.format("at the data cut-off, {}", pl.lit(seen.review.cutoff)))
    return Choice(now.filter(pl.col("close").is_not_null()), pl.concat([verdicts, picked, said]), reserve)


def _next_in_order(book: Rulebook, eligible: pl.DataFrame, chosen: set[str]) -> pl.DataFrame:
    """The best eligible companies that were not selected, with their rank among all eligible ones."""
    count, by = book.select.settings.get("reserve", 0), book.select.settings.get("by")
    if not count or by is None:
        return eligible.select("company_id", "symbol", "name", rank=pl.lit(None, pl.Int64)).clear()
    left = ranked(eligible, by).filter(pl.col("_by").is_not_null() & ~pl.col("company_id").is_in(list(chosen)))
    return left.sort("_rank").head(count).select("company_id", "symbol", "name", rank=pl.col("_rank").cast(pl.Int64))


def _as_they_are(book: Rulebook, seen: Seen) -> Choice:
    member = pl.col("company_id").is_in(list(seen.held)) & pl.col("close").is_not_null()
    judged = _membership(book.select, seen.now, member, "a member: this review weighs the members there are")
    there = labelled(seen.now, priced(seen.now), PRICED)
    chosen = seen.now.filter(member).sort("company_id")
    return Choice(chosen, pl.concat([there, judged]), seen.reserve)


def _by_events(book: Rulebook, seen: Seen) -> Choice:
    leaving = {event.company_id for event in seen.review.events if event.scope == "leave"}
    entering = [event.company_id for event in seen.review.events if event.scope == "enter"]
    asked = [one for one in entering if one not in seen.held]
    places = len(leaving) if book.review.deletion == "from_reserve" else 0
    waiting = [one for one in seen.reserve["company_id"].to_list() if one not in {*seen.held, *leaving, *asked}]
    judged = screened(book.screens, seen.now.with_columns(is_member=pl.lit(False)))
    judged = judged.filter(pl.col("company_id").is_in([*asked, *waiting]))
    failed = set(judged.filter(~pl.col("passed"))["company_id"])
    known = set(seen.now["company_id"]) - failed
    fresh = [one for one in asked if one in known]
    fresh += [one for one in waiting if one in known][:places]
    stays = pl.col("company_id").is_in([one for one in seen.held if one not in leaving])
    member = (stays | pl.col("company_id").is_in(fresh)) & pl.col("close").is_not_null()
    needed = "a member that no event removes, or a company that one brings in"
    picked = _membership(book.select, seen.now, member, needed)
    concerned = judged.filter(pl.col("company_id").is_in([*asked, *fresh]))
    prices = labelled(seen.now, priced(seen.now), PRICED).join(
        concerned.select("company_id"), on="company_id", how="anti", maintain_order="left"
    )
    chosen = seen.now.filter(member).sort("company_id")
    left = seen.reserve.filter(~pl.col("company_id").is_in(fresh))
    return Choice(chosen, pl.concat([prices, concerned, picked]), left, frozenset(fresh))


def _membership(select: Rule, rows: pl.DataFrame, member: pl.Expr, needed: str) -> pl.DataFrame:
    found = pl.when("is_member").then(pl.lit("a member")).otherwise(pl.lit("not a member"))
    return labelled(rows, verdict(rows, member, found=found, needed=needed), select)
