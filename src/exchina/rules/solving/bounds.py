"""What a cap says of the members: the table that a cap rule answers, in numpy form.

A cap rule answers one row a member, in the order of its input:

    group, at_most              sum of w over a group <= at_most; a single-name cap puts each company in its own group
    at_least                    sum of w over a group >= at_least
    threshold, above_at_most    the groups heavier than threshold weigh together at most above_at_most (5/10/40)
    largest, largest_at_most    the so many heaviest groups weigh together at most largest_at_most
    one_at_most                 one group may pass at_most and reach this (20/35)
    trigger_one, trigger_threshold, trigger_above
                                the cap applies only where, without it, one group is heavier than trigger_one or the
                                groups heavier than trigger_threshold weigh together more than trigger_above
    also                        list of {group, at_most, at_least}: further groups of the member

Every column but group and at_most is optional; those of the whole cap are the same on each row.
"""

from dataclasses import dataclass, replace

import numpy as np
import polars as pl
from numpy.typing import NDArray

Weights = NDArray[np.float64]
Groups = NDArray[np.int64]


def by_group(groups: Groups, weights: Weights) -> Weights:
    """The sum of the weights of each group."""
    return np.bincount(groups, weights).astype(np.float64)


@dataclass(frozen=True)
class Crossing:
    """When a cap applies: a group heavier than ``one``, or those heavier than ``threshold`` together than ``above``."""

    one: float = 1.0
    threshold: float = 1.0
    above: float = 1.0

    def crossed(self, weights: Weights, groups: Groups) -> bool:
        """Whether weights have crossed it, strictly and unrounded beyond 1e-12."""
        sums = by_group(groups, weights)
        large = sums[sums > self.threshold + 1e-12].sum()
        return bool(sums.max() > self.one + 1e-12 or large > self.above + 1e-12)


@dataclass(frozen=True)
class Bound:
    """One cap applied to the members.

    Attributes:
        rule: name of the cap in the rulebook.
        groups: group of each member, as integers from 0; a single-name cap puts each member in a group of its own.
        at_most: upper bound of each member's group, as a fraction of the index.
        at_least: lower bound of each member's group; None where there is none.
        threshold: a group is large where it weighs more than this; None where the cap has no such test.
        above_at_most: the most that the large groups may weigh together.
        largest: how many of the heaviest groups are limited together; None where the cap has no such test.
        largest_at_most: the most that they may weigh together.
        one_at_most: what one single group may reach; None where none may pass at_most.
        trigger: when the cap applies; None: always.
        labels: name of each group, for messages; numbers where not given.
    """

    rule: str
    groups: Groups
    at_most: Weights
    at_least: Weights | None = None
    threshold: float | None = None
    above_at_most: float = 1.0
    largest: int | None = None
    largest_at_most: float = 1.0
    one_at_most: float | None = None
    trigger: Crossing | None = None
    labels: tuple[str, ...] = ()

    @property
    def single_name(self) -> bool:
        """Whether each member is bounded on its own."""
        return len(np.unique(self.groups)) == len(self.groups)

    def label(self, group: int) -> str:
        """What a person calls one group."""
        return self.labels[group] if self.labels else str(group)

    def widened(self, factor: float) -> "Bound":
        """The same cap with every upper bound multiplied by ``factor`` and at most 1; the threshold stays."""
        return replace(
            self,
            at_most=np.minimum(self.at_most * factor, 1.0),
            above_at_most=min(self.above_at_most * factor, 1.0),
            largest_at_most=min(self.largest_at_most * factor, 1.0),
            one_at_most=None if self.one_at_most is None else min(self.one_at_most * factor, 1.0),
        )

    def stretched(self, points: float) -> "Bound":
        """The same cap with the band of each bounded group wider by ``points`` on both sides."""
        low = None if self.at_least is None else np.maximum(self.at_least - points, 0.0)
        return replace(self, at_most=np.minimum(self.at_most + points, 1.0), at_least=low)

    def taken(self, rows: NDArray[np.int64]) -> "Bound":
        """The same cap on some of the members; groups keep their numbers."""
        low = None if self.at_least is None else self.at_least[rows]
        return replace(self, groups=self.groups[rows], at_most=self.at_most[rows], at_least=low)


def bounds_in(rule: str, table: pl.DataFrame) -> list[Bound]:
    """The answer of a cap rule in numpy form: one bound, and one more for each further group that a member is in."""
    further: list[Bound] = []
    if "also" in table.columns:
        table, named = _apart(table)
        further = _layered(rule, named, table.height)
    columns = table.columns
    names = table["group"].unique().sort()
    groups = table["group"].replace_strict(names, pl.int_range(len(names), eager=True)).cast(pl.Int64).to_numpy()
    bound = Bound(
        rule,
        groups,
        table["at_most"].cast(pl.Float64).to_numpy(),
        at_least=table["at_least"].cast(pl.Float64).to_numpy() if "at_least" in columns else None,
        threshold=_one(table, "threshold"),
        above_at_most=_one(table, "above_at_most") or 1.0,
        largest=None if (count := _one(table, "largest")) is None else int(count),
        largest_at_most=_one(table, "largest_at_most") or 1.0,
        one_at_most=_one(table, "one_at_most"),
        trigger=_trigger(table),
        labels=tuple(names),
    )
    return [bound, *further]


def _one(table: pl.DataFrame, column: str) -> float | None:
    return None if column not in table.columns or table.is_empty() else float(table[column][0])


def _trigger(table: pl.DataFrame) -> Crossing | None:
    if "trigger_one" not in table.columns:
        return None
    return Crossing(*(float(table[column][0]) for column in ("trigger_one", "trigger_threshold", "trigger_above")))


def _apart(table: pl.DataFrame) -> tuple[pl.DataFrame, pl.DataFrame]:
    """The table without the bounds of the groups that ``also`` names, and all members of those groups with them."""
    rows = table.with_row_index("_row").with_columns(at_least=table["at_least"] if "at_least" in table.columns else 0.0)
    also = rows.select("_row", "also").explode("also", empty_as_null=True, keep_nulls=False).drop_nulls("also")
    columns = ["_row", "group", "at_most", "at_least"]
    named = also.unnest("also").select(columns)
    inside = pl.col("group").is_in(named["group"].unique().to_list())
    named = pl.concat([named, rows.filter(inside).select(columns)]).sort("group", "_row")
    free = rows.with_columns(
        at_most=pl.when(inside).then(1.0).otherwise("at_most"), at_least=pl.when(inside).then(0.0).otherwise("at_least")
    )
    return free.drop("_row"), named


def _layered(rule: str, named: pl.DataFrame, count: int) -> list[Bound]:
    """Groups that may overlap, in as few bounds as their overlaps allow."""
    layers: list[list[tuple[str, pl.DataFrame]]] = []
    for (name,), part in named.partition_by("group", as_dict=True, maintain_order=True).items():
        members = set(part["_row"])
        free = (one for one in layers if all(members.isdisjoint(other["_row"]) for _, other in one))
        layer = next(free, None)
        if layer is None:
            layers.append(layer := [])
        layer.append((str(name), part))
    return [_layer(rule, layer, count) for layer in layers]


def _layer(rule: str, layer: list[tuple[str, pl.DataFrame]], count: int) -> Bound:
    """Disjoint groups as one bound; members of none of them are alone and free."""
    groups = np.arange(count) + len(layer)
    most, least = np.ones(count), np.zeros(count)
    for number, (_, part) in enumerate(layer):
        rows = part["_row"].to_numpy()
        groups[rows] = number
        most[rows], least[rows] = part["at_most"].to_numpy().min(), part["at_least"].to_numpy().max()
    return Bound(rule, groups, most, least, labels=(*(name for name, _ in layer), *[""] * count))
