"""Flows that follow past returns, as those of thematic funds do."""

from collections.abc import Sequence
from datetime import date
from typing import Annotated

import numpy as np
from pydantic import Field

from exchina.fund.flow_plan import FlowPlan
from exchina.fund.flows.steady import month_closes
from exchina.fund.path import FloatArray
from exchina.fund.registers import flows


@flows("follows_return")
def follows_return(
    sessions: Sequence[date],
    returns: FloatArray,
    *,
    sensitivity: Annotated[float, Field(ge=0, le=10)],
    over_sessions: Annotated[int, Field(ge=5, le=520)] = 126,
    per_year: Annotated[float, Field(gt=-1, le=10)] = 0.0,
    at_most: Annotated[float, Field(gt=0, lt=1)] = 0.25,
) -> FlowPlan:
    """At the last close of each month, of net assets: (1 + per_year)^(1/12) - 1 + sensitivity R, within +- at_most.

    R is the benchmark's return over the ``over_sessions`` sessions up to the one before, so that nobody trades on the
    close he deals at; months before that many are known see only the steady part.

    Args:
        sessions: n.
        returns: (n,) of the benchmark, the first 0.
        sensitivity: flow of a month per unit of trailing return.
        over_sessions: how far back investors look.
        per_year: net flow of a year if returns were 0.
        at_most: largest flow of a month either way.

    Returns:
        (n,) growth; no money.

    Example:
        >>> sessions = [date(2026, 1, day) for day in (5, 6, 7, 8, 9, 12, 30)] + [date(2026, 2, 2)]
        >>> returns = np.array([0, 0.02, 0, 0, 0, 0, -0.5, 0])
        >>> follows_return(sessions, returns, sensitivity=0.5, over_sessions=5).growth.round(12).tolist()
        [0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.01, 0.0]
    """
    wealth = np.cumprod(1 + returns)
    trailing = np.zeros(len(returns))
    first = over_sessions + 1
    trailing[first:] = wealth[first - 1 : -1] / wealth[: max(len(wealth) - first, 0)] - 1
    wanted = (1 + per_year) ** (1 / 12) - 1 + sensitivity * trailing
    return FlowPlan(np.zeros(len(returns)), np.where(month_closes(sessions), np.clip(wanted, -at_most, at_most), 0.0))
