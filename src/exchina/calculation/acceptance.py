"""Closes that are held back: a move too large to believe until the next close confirms it."""

from collections.abc import Collection
from datetime import date

import polars as pl

from exchina.calculation.lines import Event


def held_back(prices: pl.DataFrame, events: Collection[Event], more_than: float) -> pl.DataFrame:
    """The closes that an index does not use on their own day.

    A close is held back if it moves by more than x from the last accepted one, unless an event of the line went ex
    since then, or the close before was held back and this one lies within x of it. So a spike that reverses never
    enters, and a true move enters one session late.

    Args:
        prices: symbol, session, close, sorted by symbol and session.
        events: of the lines.
        more_than: x, a fraction.

    Returns:
        symbol, session of each close that is held back.

    Example:
        >>> days = [date(2026, 3, day) for day in (2, 3, 4, 5, 6)]
        >>> table = pl.DataFrame({"symbol": ["A"] * 5, "session": days, "close": [1.0, 9.0, 1.1, 3.0, 3.1]})
        >>> held_back(table, [], 0.5)["session"].to_list()
        [datetime.date(2026, 3, 3), datetime.date(2026, 3, 5)]
    """
    move = (pl.col("close") / pl.col("close").shift(1).over("symbol") - 1).abs()
    jumpy = prices.filter(move > more_than)["symbol"].unique().to_list()
    exempt = {symbol: sorted(event.ex_date for event in events if event.symbol == symbol) for symbol in jumpy}
    suspects = prices.filter(pl.col("symbol").is_in(jumpy)).select("symbol", "session", "close")
    found = [
        (symbol, session)
        for (symbol,), rows in suspects.partition_by("symbol", as_dict=True, maintain_order=True).items()
        for session in _refused(list(rows.select("session", "close").iter_rows()), exempt[str(symbol)], more_than)
    ]
    return pl.DataFrame(found, {"symbol": pl.String, "session": pl.Date}, orient="row")


def _refused(rows: list[tuple[date, float]], exempt: list[date], more_than: float) -> list[date]:
    refused: list[date] = []
    (since, valid), doubted = rows[0], 0.0
    for session, close in rows[1:]:
        believed = abs(close / valid - 1) <= more_than or any(since < day <= session for day in exempt)
        if believed or (doubted and abs(close / doubted - 1) <= more_than):
            since, valid, doubted = session, close, 0.0
        else:
            refused.append(session)
            doubted = close
    return refused
