"""Money that comes into a fund and leaves it."""

from dataclasses import dataclass

from exchina.fund.path import FloatArray


@dataclass(frozen=True)
class FlowPlan:
    """What is dealt at the close of each of n sessions, in above zero, out below; the first is the launch and has none.

    Attributes:
        money: (n,) fund currency.
        growth: (n,) fraction of the net assets of that close.
    """

    money: FloatArray
    growth: FloatArray
