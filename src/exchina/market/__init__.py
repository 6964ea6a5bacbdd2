"""Market data: providers deliver it, the store keeps it, a view cuts it to what was known on a day."""

from collections.abc import Mapping
from dataclasses import dataclass, field

import polars as pl

from exchina.model import Kind
from exchina.plugins import Register

provider = Register("provider", "exchina.market.providers")


@dataclass(frozen=True, slots=True)
class Delivery:
    """What a provider hands over; the store checks it at the door.

    Attributes:
        kind: ``vendor``, ``file`` or ``simulated``.
        source: one sentence a reader understands.
        tables: frames by the names of `exchina.tables.market.CONTRACTS`; a name left out stands for an empty table.
        assumptions: what was assumed because the data did not say, one sentence each; they travel with the data.
        notices: what the person who fetches should know about this delivery, one sentence each.
    """

    kind: Kind
    source: str
    tables: Mapping[str, pl.DataFrame] = field(repr=False)
    assumptions: tuple[str, ...] = ()
    notices: tuple[str, ...] = ()
