"""The caps of a rulebook on the selected members, and the declared ladder where they cannot all be met."""

import polars as pl

from exchina.model import Rule, Rulebook
from exchina.rules.registers import REGISTERS
from exchina.rules.solve import FEASIBLE, Bound, Weights, capped_weights, room, widen_until_feasible

HOLD = "hold_previous_basket"


def capped(book: Rulebook, members: pl.DataFrame) -> tuple[Weights, tuple[str, ...]]:
    """The capped weights of the members, and each step that the ladder took, in words."""
    weights = members["uncapped_weight"].to_numpy()
    wanted = [_bound(rule, members) for rule in book.caps]
    bounds, factors = wanted, dict[str, float]()
    for step in book.if_infeasible:
        if step == HOLD or room(weights, bounds) >= FEASIBLE:
            break
        rule = step.removeprefix("raise_").removesuffix("_cap")
        bounds, factors[rule] = widen_until_feasible(weights, bounds, rule)
    for rule in [rule for rule, factor in factors.items() if factor == float("inf")]:
        kept = [old if old.rule == rule else now for old, now in zip(wanted, bounds, strict=True)]
        if room(weights, kept) >= FEASIBLE:
            bounds = kept
            del factors[rule]
    return capped_weights(weights, bounds), tuple(_step(rule, factor) for rule, factor in factors.items())


def _step(rule: str, factor: float) -> str:
    done = f"multiplied by {factor:.4f}" if factor < float("inf") else "lifted, which alone was not enough"
    return f"raise_{rule}_cap: the {rule} cap had to be {done}"


def bounds_of(rule: Rule, members: pl.DataFrame) -> pl.DataFrame:
    """The table of one cap rule: group and bound of each member."""
    return REGISTERS["cap"][rule.name](members, **rule.settings)


def _bound(rule: Rule, members: pl.DataFrame) -> Bound:
    table = bounds_of(rule, members)
    groups = table["group"].rank("dense").cast(pl.Int64).to_numpy()
    return Bound(rule.name, groups, table["at_most"].to_numpy())
