"""No flows: the seed stays what it is."""

from collections.abc import Sequence
from datetime import date

import numpy as np

from exchina.fund.flow_plan import FlowPlan
from exchina.fund.path import FloatArray
from exchina.fund.registers import flows


@flows("none")
def none(sessions: Sequence[date], returns: FloatArray) -> FlowPlan:
    """Nothing comes and nothing goes.

    Args:
        sessions: n.
        returns: (n,) not read.

    Returns:
        (n,) zeros.

    Example:
        >>> none([date(2026, 1, 8), date(2026, 1, 9)], np.zeros(2)).money.tolist()
        [0.0, 0.0]
    """
    return FlowPlan(np.zeros(len(sessions)), np.zeros(len(returns)))
