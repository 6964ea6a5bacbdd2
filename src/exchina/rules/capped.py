"""The caps of a rulebook on the selected members, and the declared ladder where they cannot all be met."""

from dataclasses import dataclass

import polars as pl

from exchina.errors import InfeasibleError, Problem
from exchina.model import Capping, Rule, Rulebook
from exchina.rules.registers import REGISTERS
from exchina.rules.solve import Solution, crossed, solve
from exchina.rules.solving.bounds import Bound, Weights, bounds_in
from exchina.rules.solving.ladder import HOLD, relaxed_down

__all__ = ["HOLD", "Capped", "bounds_of", "capped"]


@dataclass(frozen=True)
class Capped:
    """The capped weights of the members, each step that the ladder took in words, and how the optimum was found."""

    weights: Weights
    steps: tuple[str, ...]
    facts: Capping


def capped(book: Rulebook, members: pl.DataFrame) -> Capped:
    """The nearest weights to the uncapped ones that meet every cap, or what the declared ladder leaves of them.

    Args:
        book: its caps and its ladder.
        members: one row a member, by company_id; reads uncapped_weight (all > 0, sum 1) and what the caps read.

    Raises:
        InfeasibleError: no weights meet the caps, and the ladder holds no step that changes that.
    """
    weights = members["uncapped_weight"].to_numpy()
    tables = [(rule, bounds_of(rule, members)) for rule in book.caps]
    absent = [words for rule, table in tables for words in _without_members(rule, table, book.if_infeasible)]
    wanted = [bound for rule, table in tables for bound in bounds_in(rule.name, table)]
    always = [bound for bound in wanted if not bound.trigger]
    solution, steps = _down(weights, always, book.if_infeasible)
    waiting, fired = [bound for bound in wanted if bound.trigger], list[str]()
    while due := crossed(solution.weights, waiting):
        fired += [one.rule for one in due]
        always, waiting = [*always, *due], [bound for bound in waiting if bound.rule not in fired]
        solution, steps = _down(weights, always, book.if_infeasible)
    reset = [f"{rule}: its trigger was crossed, so that it applies" for rule in dict.fromkeys(fired)]
    return Capped(solution.weights, (*absent, *reset, *steps), _facts(solution, members))


def _down(weights: Weights, wanted: list[Bound], steps: tuple[str, ...]) -> tuple[Solution, tuple[str, ...]]:
    bounds, taken = relaxed_down(weights, wanted, steps)
    return solve(weights, bounds), tuple(one.words for one in taken)


def bounds_of(rule: Rule, members: pl.DataFrame) -> pl.DataFrame:
    """The table of one cap rule (`exchina.rules.solving.bounds`): group and bounds of each member."""
    return REGISTERS["cap"][rule.name](members, **rule.settings)


def _without_members(rule: Rule, table: pl.DataFrame, ladder: tuple[str, ...]) -> list[str]:
    """Groups that must weigh something and have no member: said where the ladder may give their share away."""
    floors = rule.settings.get("at_least")
    if not isinstance(floors, dict):
        floors = {name: one.get("at_least", 0.0) for name, one in rule.settings.get("groups", {}).items()}
    there = set(table["group"])
    if "also" in table.columns:
        there |= set(table["also"].explode(empty_as_null=True, keep_nulls=False).struct.field("group").drop_nulls())
    gone = {name: share for name, share in floors.items() if share > 0 and name not in there}
    step = next((step for step in ladder if step in (f"spill_{rule.name}", f"widen_{rule.name}_bands")), None)
    if gone and step is None:
        said = ", ".join(f"{name} at least {share:.2%}" for name, share in gone.items())
        hint = f"add spill_{rule.name} or widen_{rule.name}_bands to if_infeasible, or let more companies in"
        raise InfeasibleError(Problem(f"cap.{rule.name}", f"{said}, and no member is one", hint))
    return [f"{step}: no member is {name}, whose {share:.2%} went to the others" for name, share in gone.items()]


def _facts(solution: Solution, members: pl.DataFrame) -> Capping:
    binding = tuple(f"{rule}: {', '.join(said)}" for rule, said in solution.binding.items())
    other = solution.next_best
    if other is None:
        return Capping(solution.distance, solution.gap, solution.method, binding)
    ids = members["company_id"].to_list()
    named = [
        f"{word} {', '.join(ids[row] for row in rows)}"
        for word, rows in (("with", other.joins), ("without", other.leaves))
        if rows
    ]
    words = f"{' and '.join(named)} among the large: KL {other.distance:.6f} (here {solution.distance:.6f}), "
    words += f"one-way distance {other.one_way:.2%}"
    return Capping(solution.distance, solution.gap, solution.method, binding, words, other.distance)
