"""Hold the index itself."""

from exchina.fund.candidates import Candidates
from exchina.fund.path import FloatArray
from exchina.fund.registers import replication


@replication("full")
def full(candidates: Candidates) -> FloatArray:
    """w = b: every line at its weight in the index. No risk model; it tracks but for costs, cash and lots.

    Args:
        candidates: the lines of the index.

    Returns:
        (n,) w.

    Example:
        >>> import numpy as np
        >>> b, nothing = np.array([0.5, 0.3, 0.2]), np.full(3, np.nan)
        >>> lines = Candidates(
        ...     ("A", "B", "C"), ("a", "b", "c"), ("producer",) * 3, ("AU",) * 3,
        ...     b, nothing, nothing, nothing, np.ones(3), np.zeros(3, int), np.zeros((0, 3)),
        ... )
        >>> full(lines).tolist()
        [0.5, 0.3, 0.2]
    """
    return candidates.weights.copy()
