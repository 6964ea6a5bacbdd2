"""Weights by stage of the supply chain or by country, as bars."""

from typing import Literal

from exchina.reporting import section
from exchina.reporting.document import Bar, BarChart, Block, Figure, Heading
from exchina.reporting.parts import Parts, weight_of
from exchina.reporting.wording import country, listed, percent, stage

OTHER = "Other"
BAR_HEIGHT = 14.0
MARGIN = 14.0


@section("weights_by")
def weights_by(parts: Parts, *, group: Literal["stage", "country"], at_most: int = 6) -> list[Block]:
    """Weight of each group, the heaviest first; the smallest are added up as Other beyond ``at_most`` bars.

    Args:
        parts: reads the basket.
        group: ``stage`` or ``country``.
        at_most: how many bars.
    """
    groups = parts.composition.members.partition_by(group, as_dict=True)
    sums = sorted(((str(key), weight_of(members)) for (key,), members in groups.items()), key=_heaviest_first)
    named = country if group == "country" else stage
    bars = [Bar(named(key), weight, key if group == "stage" else "teal") for key, weight in sums]
    if len(bars) > at_most:
        rest = sum(bar.value for bar in bars[at_most - 1 :])
        bars = [*bars[: at_most - 1], Bar(OTHER, rest, "developer")]
    alt = f"Weights by {group}: " + listed([f"{bar.label} {percent(bar.value)}" for bar in bars]) + "."
    source = f"weights {parts.weights_dated}, {parts.provenance.source}"
    height = BAR_HEIGHT * len(bars) + MARGIN
    return [
        Heading(f"Weight by {group}", note=f"% {parts.weights_dated}", place="side"),
        Figure(BarChart(tuple(bars), "% of the index"), alt, source, height, place="side"),
    ]


def _heaviest_first(group: tuple[str, float]) -> tuple[float, str]:
    return -group[1], group[0]
