"""Whether a market could have dealt what came into a fund and what left it."""

import numpy as np

from exchina.errors import Problem
from exchina.fund.accounts import Accounts

PARTICIPATION = 0.20
SESSIONS = 20


def flows_beyond(kept: Accounts, *, participation: float = PARTICIPATION, sessions: float = SESSIONS) -> list[Problem]:
    """The first flow that takes too long to trade, and how many there are.

        days = max_i |flow| v_i / (participation ADV_i),   v_i the share of the line in what is held

    Shares that are handed over in kind are bought or sold by who orders, and take as long. Lines whose ADV is not known
    do not count.

    Args:
        kept: the accounts.
        participation: share of each session's trading.
        sessions: what is too long.
    """
    path, money = kept.path, kept.columns["flow"]
    rows = np.flatnonzero(money)
    if not rows.size:
        return []
    starts = np.array([one.row for one in path.dealing])
    volumes = np.stack([np.full(len(path.symbols), np.nan) if d.adv is None else d.adv for d in path.dealing])
    volumes = volumes[np.maximum(np.searchsorted(starts, rows, side="right") - 1, 0)]
    values = (kept.held() * path.worth)[rows]
    orders = np.abs(money[rows])[:, None] * values / values.sum(axis=1, keepdims=True)
    never = np.where(orders > 0, np.inf, 0.0)  # a line that is not traded at all
    days = np.divide(orders, participation * volumes, out=never, where=volumes > 0)
    days = np.where(np.isnan(volumes), 0.0, days)
    slowest, line = days.max(axis=1), days.argmax(axis=1)
    beyond = np.flatnonzero(slowest > sessions)
    if not beyond.size:
        return []
    first = int(beyond[0])
    more = f"; {beyond.size - 1} more such flows, the last on {path.sessions[rows[beyond[-1]]]}" * (beyond.size > 1)
    symbol = path.symbols[line[first]]
    what = f"{money[rows[first]]:,.0f} takes {slowest[first]:,.1f} sessions of {symbol} at {participation:.0%}"
    cure = f"{sessions:g} at most: smaller flows, or later ones"
    return [Problem(f"dealing.flows on {path.sessions[rows[first]]}", what + more, cure)]
