"""How each constituent moved around each event: market by market, all names of a market at once."""

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import polars as pl

from exchina.analytics.event_days import clean_sessions, near_events
from exchina.analytics.market_model import abnormal_returns
from exchina.analytics.session_returns import level_returns, total_returns
from exchina.model import MarketData

FloatArray = npt.NDArray[np.float64]
BoolArray = npt.NDArray[np.bool_]
LARGEST_SHARE_MISSING = 0.25
MOVES = {
    "row": pl.UInt32,
    "beta": pl.Float64,
    "car": pl.Float64,
    "sessions": pl.Int64,
    "skipped": pl.Int64,
    "estimation_start": pl.Date,
    "note": pl.String,
}


@dataclass(frozen=True, slots=True)
class StudySettings:
    """How a study measures; days are counted in sessions from day 0.

    Attributes:
        window: first and last day over which abnormal returns are summed.
        estimation_sessions: clean sessions of the estimation window.
        estimation_end: last day of the estimation window.
        minimum_sessions: fewest of them on which a name must have a return.
        kinds: kinds of event studied; None studies all.
        benchmark: one benchmark for every name; None takes that of each name's market.
    """

    window: tuple[int, int] = (0, 1)
    estimation_sessions: int = 120
    estimation_end: int = -11
    minimum_sessions: int = 60
    kinds: tuple[str, ...] | None = None
    benchmark: str | None = None

    @property
    def window_name(self) -> str:
        """The window as it is printed, such as ``[0,+1]``."""
        return "[" + ",".join(f"{day:+d}" if day else "0" for day in self.window) + "]"


def moves(members: pl.DataFrame, market: MarketData, days: pl.DataFrame, settings: StudySettings) -> pl.DataFrame:
    """Beta and cumulative abnormal return of every constituent of every event.

    Args:
        members: one row per event and constituent: event_id, symbol, currency, calendar, benchmark, and from
            `exchina.analytics.event_days.event_days` day0, day0_latest, position, position_latest.
        market: prices, dividends, splits, benchmarks and sessions, one row per key.
        days: day 0 of every event that happened, in every market; estimation keeps clear of them.
        settings: how to measure.

    Returns:
        One row per row of ``members``, in its order: beta, car (null if left out), sessions (M, usable estimation
        sessions), skipped (sessions passed over because they lie around events), estimation_start, note (the reason).
    """
    panels = {
        calendar: _panel(str(calendar), names, market, days)
        for (calendar,), names in members.partition_by("calendar", as_dict=True).items()
    }
    groups = members.with_row_index("row").partition_by("event_id", "calendar", "benchmark", maintain_order=True)
    frames = [_group_moves(panels[names["calendar"][0]], names, settings) for names in groups]
    measured = pl.concat([pl.DataFrame(schema=MOVES), *frames], how="diagonal").sort("row").drop("row")
    return measured.with_columns(pl.col("beta", "car").fill_nan(None))


@dataclass(frozen=True)
class _Panel:
    """One market: returns by session and symbol, returns of its benchmarks, which sessions lie around events."""

    sessions: pl.Series
    column: dict[str, int]
    returns: FloatArray
    benchmarks: dict[str, FloatArray]
    near: BoolArray


def _panel(calendar: str, names: pl.DataFrame, market: MarketData, days: pl.DataFrame) -> _Panel:
    sessions = market.sessions.filter(pl.col("calendar") == calendar)["session"].sort()
    currencies = dict(names.select("symbol", "currency").unique().sort("symbol").iter_rows())
    benchmarks = names["benchmark"].drop_nulls().unique().sort().to_list()
    known = days.filter(pl.col("calendar") == calendar).drop_nulls("position")
    levels = level_returns(market.benchmarks, symbols=benchmarks, sessions=sessions.to_numpy())
    return _Panel(
        sessions=sessions,
        column={symbol: column for column, symbol in enumerate(currencies)},
        returns=total_returns(
            market.prices, market.dividends, market.splits, currencies=currencies, sessions=sessions.to_numpy()
        ),
        benchmarks={symbol: levels[:, column] for column, symbol in enumerate(benchmarks)},
        near=near_events(known["position"].to_numpy(), known["position_latest"].to_numpy(), len(sessions)),
    )


def _group_moves(panel: _Panel, names: pl.DataFrame, settings: StudySettings) -> pl.DataFrame:
    """The names of one event, market and benchmark."""
    first = names.row(0, named=True)
    reason = _reason_against_all(panel, first, settings)
    if reason:
        return names.select("row", note=pl.lit(reason))
    day0, factor = first["position"], panel.benchmarks[first["benchmark"]]
    window = np.arange(day0 + settings.window[0], day0 + settings.window[1] + 1)
    estimation = clean_sessions(panel.near, day0, count=settings.estimation_sessions, end=settings.estimation_end)
    returns = panel.returns[:, [panel.column[symbol] for symbol in names["symbol"]]]
    usable = np.isfinite(returns[estimation]) & np.isfinite(factor[estimation])[:, None]
    notes = _reasons(usable, np.isfinite(returns[window].sum(axis=0)), settings)
    kept = [column for column, note in enumerate(notes) if note is None]
    fit = abnormal_returns(returns[:, kept], factor, estimation=estimation, event=window)
    beta, car = np.full((2, names.height), np.nan)
    beta[kept], car[kept] = fit.coefficients[1], fit.car
    start = int(estimation[0]) if estimation.size else day0 + settings.estimation_end + 1
    return names.select(
        "row",
        beta=pl.Series(beta),
        car=pl.Series(car),
        sessions=pl.Series(usable.sum(axis=0)),
        skipped=pl.lit(day0 + settings.estimation_end + 1 - start - estimation.size, pl.Int64),
        estimation_start=pl.lit(panel.sessions[start] if estimation.size else None, pl.Date),
        note=pl.Series(notes, dtype=pl.String),
    )


def _reason_against_all(panel: _Panel, first: dict[str, Any], settings: StudySettings) -> str | None:
    """Why no name of this event, market and benchmark can be measured."""
    day0, latest, benchmark = first["position"], first["position_latest"], first["benchmark"]
    start, stop = settings.window
    if day0 is None:
        return f"the sessions of {first['calendar']} on record do not bracket the announcement"
    if latest != day0 and (start > 0 or stop < latest - day0):
        return f"time not known: day 0 is {first['day0']} or {first['day0_latest']}, {settings.window_name} misses one"
    if day0 + start < 0 or day0 + stop >= len(panel.sessions):
        return f"the window leaves the sessions of {first['calendar']} on record"
    if benchmark is None:
        return "no benchmark"
    if not np.isfinite(panel.benchmarks[benchmark][day0 + start : day0 + stop + 1]).all():
        return f"benchmark {benchmark} has no return on a session of the window"
    return None


def _reasons(usable: BoolArray, complete: BoolArray, settings: StudySettings) -> list[str | None]:
    """Why each name cannot be measured; None for those that can."""
    counts = usable.sum(axis=0)
    since_first = len(usable) - np.argmax(usable, axis=0) if len(usable) else counts
    reasons: list[str | None] = []
    for count, listed, whole in zip(counts.tolist(), since_first.tolist(), complete.tolist(), strict=True):
        if not whole:
            reasons.append("no return on a session of the window")
        elif count < settings.minimum_sessions:
            reasons.append(f"{count} usable estimation sessions, {settings.minimum_sessions} needed")
        elif count < (1 - LARGEST_SHARE_MISSING) * listed:
            reasons.append(f"thin trading: a return on {count} of {listed} estimation sessions")
        else:
            reasons.append(None)
    return reasons
