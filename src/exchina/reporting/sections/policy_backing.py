"""How much of the index stands behind a price floor, an offtake agreement or public capital."""

import polars as pl

from exchina.reporting import section
from exchina.reporting.document import Bar, BarChart, Block, Figure, Heading, Text
from exchina.reporting.parts import Parts, weight_of
from exchina.reporting.wording import day, listed, percent

BACKING = {"floor_part": "Price floor", "offtake_part": "Offtake", "capital_part": "Public capital"}
HEIGHT = 70.0


@section("policy_backing")
def policy_backing(parts: Parts) -> list[Block]:
    """Share of the weight in companies that hold each kind of backing; one company can hold several.

    Args:
        parts: reads the basket: ``floor_part``, ``offtake_part`` and ``capital_part`` above zero.
    """
    members = parts.composition.members
    bars = [Bar(label, weight_of(members.filter(pl.col(part) > 0)), "teal") for part, label in BACKING.items()]
    held = pl.any_horizontal(pl.col(part) > 0 for part in BACKING)
    bars.append(Bar("Any of the three", weight_of(members.filter(held)), "navy"))
    known = day(parts.composition.review.cutoff)
    alt = "Policy backing by weight: " + listed([f"{bar.label} {percent(bar.value)}" for bar in bars]) + "."
    chart = BarChart(tuple(bars), "% of the index")
    return [
        Heading("Policy backing", note=f"% of weight {parts.weights_dated}", place="side"),
        Figure(chart, alt, f"policy measures known on {known}", HEIGHT, place="side"),
        Text(
            f"Weight of companies that hold it by what was known on {known}; one can hold several.",
            quiet=True,
            place="side",
        ),
    ]
