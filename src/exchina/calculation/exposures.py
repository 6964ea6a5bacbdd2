"""How much of an index is held in each currency."""

import numpy as np

from exchina.calculation.board import Board, Numbers
from exchina.calculation.state import Run, State


def currency_weights(begun: State, run: Run, board: Board) -> Numbers:
    """w_c = sum of q P X over the lines quoted in c / MV, at the close of each session.

    Args:
        begun: the state from which the run started.
        run: what was computed.
        board: what it read, n sessions and k currencies.

    Returns:
        Shape (n, k); rows sum to 1.
    """
    worth, rates = np.zeros(board.spot.shape), board.rates
    held = [(0, begun.shares), *((start + 1, shares) for start, shares in run.holdings)]
    ends = [start for start, _ in held[1:]] + [len(board.sessions)]
    for (start, shares), end in zip(held, ends, strict=True):
        names = sorted(shares)
        columns = board.columns(names)
        value = run.prices[start:end, columns] * rates[start:end, columns] * np.array([shares[name] for name in names])
        for place, column in enumerate(columns):
            worth[start:end, board.currency_at[column]] += value[:, place]
    return worth / worth.sum(axis=1, keepdims=True)
