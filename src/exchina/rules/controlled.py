"""The turnover controls of a rulebook on a basket that the other rules have formed."""

from collections.abc import Mapping
from dataclasses import dataclass

import polars as pl

from exchina.errors import InfeasibleError, Problem
from exchina.model import Rule, Rulebook
from exchina.rules.capped import Capped, bounds_of, capped
from exchina.rules.registers import REGISTERS
from exchina.rules.screening import labelled
from exchina.rules.verdict import verdict

SAME = 1e-9


@dataclass(frozen=True)
class Controlled:
    """Members with uncapped_weight (0 of one that only turnover control keeps) and weight, and what was done.

    Attributes:
        members: as they came, where no control had anything to do.
        verdicts: on each company that a control kept in or out.
        steps: in words.
        solved: what `exchina.rules.capped.capped` gave last; None: the caps did not have to be met again.
    """

    members: pl.DataFrame
    verdicts: tuple[pl.DataFrame, ...] = ()
    steps: tuple[str, ...] = ()
    solved: Capped | None = None


def controlled(
    book: Rulebook, here: pl.DataFrame, members: pl.DataFrame, verdicts: pl.DataFrame, held: Mapping[str, float]
) -> Controlled:
    """Hold a review back where its turnover is above what the rulebook allows.

    Controls on who is a member act first, and the weights are formed anew; then those on weights. Where stepped weights
    break a cap, they are solved again with the caps, nearest to the step; the turnover that remains is said.

    Args:
        book: the rules; without ``[turnover]``, or with nothing held, the members stay as they are.
        here: the universe of this review.
        members: here's columns, uncapped_weight and weight.
        verdicts: of the screens, the selection, the weighting and the caps; who fails any but the selection must leave.
        held: weight of each company, as drifted to the cut-off.

    Raises:
        InfeasibleError: a control leaves fewer companies than the selection wants, or the caps cannot be met again.
    """
    if not book.turnover or not held:
        return Controlled(members)
    trades = _trades(book, here, members, verdicts, held)
    done = Controlled(members)
    membership = REGISTERS["turnover"].having("membership")
    for rule in sorted(book.turnover, key=lambda rule: rule.name not in membership):
        answer = REGISTERS["turnover"][rule.name](trades, **rule.settings)
        said = answer["step"][0]
        if said is None:
            continue
        act = _chosen if rule.name in membership else _weighed
        done = act(book, rule, trades.hstack(answer), done, f"{rule.name}: {said}")
        wanted = dict(done.members.select("company_id", "weight").iter_rows())
        trades = trades.with_columns(wanted=_of(wanted))
    return done


def capping_factors() -> pl.Expr:
    """AWF_i = (w_i / u_i) / max_j (w_j / u_j) of members; null where only turnover control keeps one (u = 0)."""
    ratio = pl.when(pl.col("uncapped_weight") > 0).then(pl.col("weight") / pl.col("uncapped_weight"))
    return ratio / ratio.max()


def _of(weights: Mapping[str, float]) -> pl.Expr:
    return pl.col("company_id").replace_strict(weights, default=0.0, return_dtype=pl.Float64)


def _trades(
    book: Rulebook, here: pl.DataFrame, members: pl.DataFrame, verdicts: pl.DataFrame, held: Mapping[str, float]
) -> pl.DataFrame:
    """One row for each company held or wanted, with what the controls read."""
    wanted = dict(members.select("company_id", "weight").iter_rows())
    named = pl.DataFrame({"company_id": sorted({*held, *wanted})})
    rows = named.join(here, on="company_id", how="left", maintain_order="left")
    rows = rows.with_columns(review=pl.lit(here["review"][0]), held=_of(held), wanted=_of(wanted))
    fails = verdicts.filter(~pl.col("passed") & (pl.col("kind") != "select"))["company_id"].to_list()
    there = here["company_id"].to_list()
    able = rows.filter(pl.col("company_id").is_in(there) & ~pl.col("company_id").is_in(fails))
    room = [REGISTERS["weight"][book.weight.name](able, **book.weight.settings)]
    room += [bounds_of(cap, able)["at_most"] for cap in book.caps]
    fits = pl.all_horizontal(pl.Series(most).fill_null(0.0) > 0 for most in room)
    stayers = able.filter(fits)["company_id"].to_list()
    return rows.with_columns(must_leave=(pl.col("held") > 0) & ~pl.col("company_id").is_in(stayers))


def _chosen(book: Rulebook, rule: Rule, trades: pl.DataFrame, done: Controlled, said: str) -> Controlled:
    """Weights and caps anew, on the members that a control allows."""
    rows = trades.filter("chosen")
    fewest = book.select.settings.get("at_least", 1)
    if rows.height < fewest:
        what = f"{said}; that leaves {rows.height} companies, the rulebook wants at least {fewest}"
        raise InfeasibleError(Problem(f"turnover.{rule.name}", what, "allow more names, or lower at_least"))
    share = REGISTERS["weight"][book.weight.name](rows, **book.weight.settings)
    whole = rows.with_columns(uncapped_weight=share / share.sum())
    solved = capped(book, whole)
    members = whole.with_columns(weight=pl.Series(solved.weights)).select(done.members.columns)
    stopped = trades.filter(pl.col("chosen") != (pl.col("wanted") > 0))
    stays = pl.col("held") > 0
    found = pl.when(stays).then(pl.lit("would leave, and stays")).otherwise(pl.lit("a newcomer, and waits"))
    judged = verdict(stopped, pl.col("chosen"), found=found, needed="room under the limit")
    return Controlled(members, (labelled(stopped, judged, rule),), (said, *solved.steps), solved)


def _weighed(book: Rulebook, rule: Rule, trades: pl.DataFrame, done: Controlled, said: str) -> Controlled:
    """The stepped weights, or where they break a cap the nearest ones that do not."""
    uncapped = dict(done.members.select("company_id", "uncapped_weight").iter_rows())
    stepped = trades.with_columns(_uncapped=_of(uncapped)).filter(pl.col("weight") > 0)
    solved = capped(book, stepped.with_columns(uncapped_weight=pl.col("weight") / pl.col("weight").sum()))
    weights = pl.Series(solved.weights)
    broke = float((weights - stepped["weight"]).abs().max() or 0.0) > SAME  # pyright: ignore[reportArgumentType]
    said_too = [said]
    if broke:
        stepped = stepped.with_columns(weight=weights)
        turned = _one_way(stepped, trades)
        said_too += [
            f"{rule.name}: the step breaks a cap, solved again; one-way turnover is {turned:.2%}",
            *solved.steps,
        ]
    members = stepped.with_columns(uncapped_weight="_uncapped").select(done.members.columns)
    return Controlled(members, done.verdicts, (*done.steps, *said_too), solved if broke else done.solved)


def _one_way(members: pl.DataFrame, trades: pl.DataFrame) -> float:
    """0.5 sum |w - w_held| by company."""
    weight = _of(dict(members.select("company_id", "weight").iter_rows()))
    return float(trades.select(0.5 * (weight - pl.col("held")).abs().sum()).item())
