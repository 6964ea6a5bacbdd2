"""screen -> select -> weight -> cap, review by review; every rule's verdict on every company is kept."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import date
from typing import Any

import polars as pl

from exchina.errors import InfeasibleError, Problem
from exchina.model import Basket, Provenance, Review, Rule, Rulebook
from exchina.rules.capped import HOLD, bounds_of, capped
from exchina.rules.choosing import Choice, Seen, choice
from exchina.rules.controlled import capping_factors, controlled
from exchina.rules.decided import MEMBER_COLUMNS, Before, Composition, basket_of
from exchina.rules.registers import REGISTERS
from exchina.rules.regulation import checked
from exchina.rules.screening import labelled, screened
from exchina.rules.verdict import verdict

Drift = Callable[[Basket, date], Mapping[str, float]]


@dataclass(frozen=True)
class Walk:
    """How far the reviews have been walked: their baskets, and the screens' own verdicts where members were chosen."""

    made: tuple[Basket, ...] = ()
    looks: tuple[pl.DataFrame, ...] = ()


START = Walk()
__all__ = ["MEMBER_COLUMNS", "START", "Walk", "baskets", "walked", "weighed"]


def baskets(book: Rulebook, universe: pl.DataFrame, reviews: list[Review], **known: Any) -> list[Basket]:
    """The basket of each review in order: `walked` from the first on."""
    return list(walked(book, universe, reviews, **known).made)


def walked(
    book: Rulebook,
    universe: pl.DataFrame,
    reviews: list[Review],
    *,
    drift: Drift,
    companies: Mapping[str, str],
    weak: pl.DataFrame,
    provenance: Provenance,
    at_cutoff: pl.DataFrame | None = None,
    after: Walk = START,
) -> Walk:
    """Form the basket of each review in order; buffers and persistence read the reviews before.

    Args:
        book: the rules.
        universe: `exchina.universe.universe_on` of every review, with a column ``review`` (its effective date), on the
            day whose data decide the members.
        reviews: those to walk, oldest first.
        drift: a basket -> weights of its lines at the close of a later day, moved by prices and corporate actions.
        companies: company of each line.
        weak: `Reference.weak_facts`.
        provenance: of the market that the universe was read from.
        at_cutoff: the same universe on the data cut-off of each review; None: the days are the same.
        after: the reviews walked before.

    Raises:
        InfeasibleError: a review has no basket that meets the rules and the declared ladder offers no way out.
    """
    screens = {
        member: _by_review(screened(book.screens, universe.with_columns(is_member=pl.lit(member))))
        for member in (False, True)
    }
    there = _by_review(universe)
    now = there if at_cutoff is None else _by_review(at_cutoff)
    walk = after
    for review in reviews:
        before = _before(walk, review, drift, companies)
        is_member = pl.col("company_id").is_in(list(before.companies))
        raw = pl.concat(
            part[review.effective].filter(is_member if member else ~is_member) for member, part in screens.items()
        )
        seen = Seen(
            review=review,
            there=there[review.effective].with_columns(is_member=is_member),
            now=now[review.effective].with_columns(is_member=is_member),
            raw=raw,
            looks=walk.looks,
            held=before.companies,
            reserve=_reserve(before.basket, there[review.effective]),
        )
        composition = _composed(book, seen, before)
        tested = checked(book, composition.members, before.companies, seen.now)
        basket = basket_of(
            book, review, composition, before, checks=tested, seen=seen.now, weak=weak, provenance=provenance
        )
        counts = review.scope == "whole" and review.kind != "event"
        looks = (*walk.looks, raw.with_columns(is_member=is_member)) if counts else walk.looks
        walk = Walk((*walk.made, basket), looks)
    return walk


def _by_review(rows: pl.DataFrame) -> dict[date, pl.DataFrame]:
    return {key: part for (key,), part in rows.partition_by("review", as_dict=True).items()}


def _before(walk: Walk, review: Review, drift: Drift, companies: Mapping[str, str]) -> Before:
    traded = [basket for basket in walk.made if not basket.held]
    lines = drift(traded[-1], review.cutoff) if traded else {}
    return Before(walk.made[-1] if walk.made else None, lines, _by_company(lines, companies))


def _reserve(basket: Basket | None, universe: pl.DataFrame) -> pl.DataFrame:
    if basket is not None:
        return basket.reserve
    return universe.select("company_id", "symbol", "name", rank=pl.lit(None, pl.Int64)).clear()


def _by_company(lines: Mapping[str, float], companies: Mapping[str, str]) -> dict[str, float]:
    """Weights by company: a line that an event brought in counts for its own company."""
    held: dict[str, float] = {}
    for symbol, weight in lines.items():
        held[companies[symbol]] = held.get(companies[symbol], 0.0) + weight
    return held


def _composed(book: Rulebook, seen: Seen, before: Before) -> Composition:
    """What a review decides: who, then at which weights; or the declared last resort."""
    reason = (seen.review.why,) if seen.review.why else ()
    chosen = choice(book, seen)
    try:
        if before.basket is not None and _nothing_changes(chosen, before):
            return _held(before.basket, chosen, seen, (*reason, "nothing changes: no company enters or leaves"))
        made = _formed(book, chosen, seen)
    except InfeasibleError as fault:
        if HOLD in book.if_infeasible and before.basket is not None:
            unmoved = replace(chosen, verdicts=seen.raw) if seen.review.scope == "whole" else chosen
            unmoved = replace(unmoved, reserve=seen.reserve)
            return _held(before.basket, unmoved, seen, (*reason, f"{HOLD}: {fault}"))
        place = f"{book.index.id} review {seen.review.effective}"
        raise InfeasibleError(*(Problem(f"{place}: {p.where}", p.what, p.hint) for p in fault.problems)) from fault
    return replace(made, steps=(*reason, *made.steps))


def _nothing_changes(chosen: Choice, before: Before) -> bool:
    """An event that removes nobody who is still held, and brings in nobody."""
    return chosen.entering is not None and set(chosen.chosen["company_id"]) == set(before.companies)


def _formed(book: Rulebook, chosen: Choice, seen: Seen) -> Composition:
    """Weights of the companies that were chosen; where events decide, only newcomers get a weight of their own."""
    if chosen.chosen.is_empty() and seen.review.scope != "whole":
        what = "no company is left to hold"
        raise InfeasibleError(Problem(f"{seen.review.kind} review", what, "loosen a screen, or keep a reserve list"))
    if chosen.entering is not None and not chosen.entering:
        unweighted = chosen.chosen.with_columns(weight=pl.lit(0.0))
        left = _beside(unweighted, chosen.entering, seen.held).with_columns(capping_factor=capping_factors())
        return Composition(left, chosen.verdicts, (), chosen.reserve)
    members, refused = _with_weights(book, chosen.chosen)
    said = pl.concat([chosen.verdicts, *refused])
    if chosen.entering is None:
        _enough(book, members)
    # capping: one call, its weights and its steps
    solved = capped(book, members)
    members, steps = members.with_columns(weight=pl.Series(solved.weights)), solved.steps
    capping = None
    if chosen.entering is not None:
        members = _beside(members, chosen.entering, seen.held)
    else:
        done = controlled(book, seen.now, members, said, seen.held)
        members, said, steps = done.members, pl.concat([said, *done.verdicts]), (*steps, *done.steps)
        capping = (done.solved or solved).facts
    members = members.with_columns(capping_factor=capping_factors())
    return Composition(members, said, steps, chosen.reserve, capping=capping)


def weighed(book: Rulebook, chosen: pl.DataFrame) -> dict[str, float]:
    """The capped weight of each company that was chosen, before turnover control; from rows of the universe.

    Raises:
        InfeasibleError: nothing meets the caps, and the ladder offers no way out.
    """
    members, _ = _with_weights(book, chosen)
    return dict(zip(members["company_id"].to_list(), capped(book, members).weights.tolist(), strict=True))


def _with_weights(book: Rulebook, chosen: pl.DataFrame) -> tuple[pl.DataFrame, list[pl.DataFrame]]:
    """The members with their uncapped weights, and the verdict on each company that a rule leaves no weight."""
    share = REGISTERS["weight"][book.weight.name](chosen, **book.weight.settings)
    members = chosen.with_columns(uncapped_weight=share)
    refused: list[pl.DataFrame] = []
    for rule, bound in [(book.weight, share), *((cap, bounds_of(cap, chosen)["at_most"]) for cap in book.caps)]:
        if bool((bound > 0).all()):
            continue
        judged = _with_room(chosen, bound, rule)
        members = members.join(judged.filter("passed").select("company_id"), on="company_id", how="semi")
        refused.append(judged.filter(~pl.col("passed")))
    return members.with_columns(pl.col("uncapped_weight") / pl.col("uncapped_weight").sum()), refused


def _beside(members: pl.DataFrame, entering: frozenset[str], held: Mapping[str, float]) -> pl.DataFrame:
    """Newcomers at the weight that the rules give them, the others in the proportions in which they are held."""
    new = pl.col("company_id").is_in(list(entering))
    drifted = pl.col("company_id").replace_strict(held, default=0.0, return_dtype=pl.Float64)
    left = 1 - pl.col("weight").filter(new).sum()
    kept = pl.when(new).then(0.0).otherwise(drifted)
    weight = pl.when(new).then("weight").otherwise(left * kept / kept.sum())
    return members.with_columns(weight=weight, uncapped_weight=weight)


def _with_room(chosen: pl.DataFrame, most: pl.Series, rule: Rule) -> pl.DataFrame:
    """The verdict of a weighting or a cap on each selected company: one that it leaves no weight cannot be a member."""
    room = chosen.with_columns(_most=most)
    judged = verdict(
        room,
        pl.col("_most") > 0,
        found=pl.format("room for {} %", (pl.col("_most") * 100).round(4)),
        needed="some weight",
    )
    return labelled(chosen, judged, rule)


def _enough(book: Rulebook, members: pl.DataFrame) -> None:
    fewest = book.select.settings.get("at_least", 1)
    if members.height < fewest:
        what = f"{members.height} companies passed every rule, the rulebook wants at least {fewest}"
        raise InfeasibleError(Problem("select", what, "loosen a screen or lower at_least"))


def _held(previous: Basket, chosen: Choice, seen: Seen, steps: tuple[str, ...]) -> Composition:
    """What is held, untouched: companies of the basket before, and those that events brought in, at drifted weights."""
    held = seen.held
    weight = pl.col("company_id").replace_strict(held, return_dtype=pl.Float64)
    there = previous.members.filter(pl.col("company_id").is_in(list(held))).drop("previous_weight")
    came = sorted(set(held) - set(there["company_id"]))
    rows = seen.now.filter(pl.col("company_id").is_in(came))
    if rows.height < len(came):
        lost = ", ".join(sorted(set(came) - set(rows["company_id"])))
        raise InfeasibleError(
            Problem("hold", f"an event brought in {lost}, which has no live listing", "add its listing")
        )
    both = pl.concat([there, rows.select(name for name in there.columns if name in rows.columns)], how="diagonal")
    kept = both.with_columns(weight=weight, uncapped_weight=weight)
    return Composition(kept, chosen.verdicts, steps, chosen.reserve, held=True)
