"""Whether a market could have dealt what came into a fund and what left it."""

from collections.abc import Mapping, Sequence

import numpy as np

from exchina.errors import Problem
from exchina.fund.accounts import Accounts
from exchina.fund.path import FloatArray

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
    volumes = _volumes(kept, rows.tolist())
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


def reviews_beyond(kept: Accounts, names: Mapping[str, str], *, participation: float = PARTICIPATION) -> list[str]:
    """The trades of reviews, in one session each, that are a large part of the line's median volume, in words.

    Args:
        kept: the accounts; lines whose ADV is not known do not count.
        names: of the companies, by symbol.
        participation: share of the volume of a session that is not large yet.
    """
    if not kept.reviewed:
        return []
    rows = [row for row, _ in kept.reviewed]
    volumes = _volumes(kept, [row + 1 for row in rows])
    share = np.abs(np.stack([moved for _, moved in kept.reviewed])) / np.where(volumes > 0, volumes, np.nan)
    large = share > participation
    if not large.any():
        return []
    at, line = np.unravel_index(int(np.nanargmax(share)), share.shape)
    most = f"{share[at, line]:.0%}, of {names[kept.path.symbols[line]]} on {kept.path.sessions[rows[at]]}"
    what = f"reviews could be traded as they were, although {large.sum():,} trades at {large.any(axis=1).sum()} closes"
    return [f"{what} are above {participation:.0%} of the median day of the line; the largest is {most}"]


def _volumes(kept: Accounts, rows: Sequence[int]) -> FloatArray:
    """(rows, m) ADV that holds on some rows; NaN where it is not known."""
    path = kept.path
    starts = np.array([one.row for one in path.dealing])
    volumes = np.stack([np.full(len(path.symbols), np.nan) if d.adv is None else d.adv for d in path.dealing])
    return volumes[np.maximum(np.searchsorted(starts, rows, side="right") - 1, 0)]
