"""Returns of lines of several markets on common days and in one currency, from those on their own sessions."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

import numpy as np

from exchina.calculation.board import rates_into
from exchina.fund.path import FloatArray
from exchina.model import MarketData


@dataclass(frozen=True)
class OwnReturns:
    """Returns of a line on the last sessions of its calendar, oldest first, in its own currency."""

    calendar: str
    currency: str
    returns: Sequence[float] | None


def on_common_days(lines: Sequence[OwnReturns], market: MarketData, into: str, day: date) -> FloatArray:
    """(T, n) returns on every day on which one of the markets was open, in one currency, by a day.

    A line stands still on a day on which its market is closed but for its exchange rate, as in the level of an index.
    NaN before its first close.

    Args:
        lines: n.
        market: sessions and exchange rates.
        into: the currency.
        day: the last day.
    """
    sessions = market.sessions.filter(market.sessions["session"] <= day).sort("calendar", "session")
    own = {
        str(key): part["session"].to_list() for (key,), part in sessions.partition_by("calendar", as_dict=True).items()
    }
    known = [(line, list(line.returns or ())) for line in lines]
    spans = [own[line.calendar][-len(made) - 1 :] if made else [] for line, made in known]
    days = sorted({session for span in spans for session in span})
    if not days:
        return np.empty((0, len(lines)))
    codes = sorted({into, *(line.currency for line in lines)})
    rates = rates_into(market.fx, codes, into, days)
    table = np.full((len(days), len(lines)), np.nan)
    for place, ((line, made), span) in enumerate(zip(known, spans, strict=True)):
        if span:
            level = np.cumprod([1.0, *(1 + value for value in made)])
            at = np.searchsorted(np.array(span, "datetime64[D]"), np.array(days, "datetime64[D]"), side="right") - 1
            table[:, place] = np.where(at >= 0, level[np.maximum(at, 0)], np.nan) * rates[:, codes.index(line.currency)]
    return table[1:] / table[:-1] - 1
