"""How each constituent moved around each event: market by market, all names of a market at once."""

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import polars as pl

from exchina.analytics.event_days import clean_sessions, near_events
from exchina.analytics.market_model import Model, abnormal_returns
from exchina.analytics.session_returns import level_returns, total_returns
from exchina.analytics.significance import Market, single_tests
from exchina.model import MarketData

FloatArray = npt.NDArray[np.float64]
BoolArray = npt.NDArray[np.bool_]
LARGEST_SHARE_MISSING = 0.25
PATH = (-10, 10)
MOVES = {
    "row": pl.UInt32,
    "beta": pl.Float64,
    "car": pl.Float64,
    "se_car": pl.Float64,
    "t_car": pl.Float64,
    "p_car": pl.Float64,
    "sessions": pl.Int64,
    "skipped": pl.Int64,
    "estimation_start": pl.Date,
    "note": pl.String,
}


@dataclass(frozen=True, slots=True)
class StudySettings:
    """How a study measures; days are counted in sessions from day 0.

    Attributes:
        window: first and last day over which abnormal returns are summed; the default covers both days 0 of an event
            whose time is not known.
        also: further windows, such as (-5, -1) for news that leaked; their tests are in the same family.
        estimation_sessions: clean sessions of the estimation window.
        estimation_end: last day of the estimation window.
        minimum_sessions: fewest of them on which a name must have a return.
        benchmark: one benchmark for every name; None takes that of each name's market.
        model: of normal returns: ``market``, ``mean`` or ``adjusted``.
        factors: symbols of further factors of the market model, such as a price of NdPr.
        seed: of the wild cluster draws over more than 16 dates.
    """

    window: tuple[int, int] = (0, 1)
    also: tuple[tuple[int, int], ...] = ()
    estimation_sessions: int = 120
    estimation_end: int = -11
    minimum_sessions: int = 60
    benchmark: str | None = None
    model: Model = "market"
    factors: tuple[str, ...] = ()
    seed: int = 0

    @property
    def window_name(self) -> str:
        """The window as it is printed, such as ``[0,+1]``."""
        return window_name(*self.window)


def window_name(start: int, stop: int) -> str:
    """A window as it is printed.

    Example:
        >>> window_name(-1, 0)
        '[-1,0]'
    """
    return "[" + ",".join(f"{day:+d}" if day else "0" for day in (start, stop)) + "]"


@dataclass(frozen=True)
class Measured:
    """The measured names of one event that share a market and a benchmark.

    Attributes:
        event_id: of the compound event.
        names: symbol, stage, weight of each; a row a column of ``market.returns``.
        market: their returns, and the sessions of estimation and window.
        path: rows of the sessions around day 0, days `PATH`; empty where the record does not reach so far.
    """

    event_id: str
    names: pl.DataFrame
    market: Market
    path: npt.NDArray[np.int64]


def moves(
    members: pl.DataFrame, market: MarketData, days: pl.DataFrame, settings: StudySettings
) -> tuple[pl.DataFrame, list[Measured]]:
    """Beta and cumulative abnormal return of every constituent of every event, each tested alone.

    Args:
        members: one row per event and constituent: event_id, symbol, stage, weight, currency, calendar, benchmark,
            day0, day0_latest, position, position_latest, start, stop.
        market: prices, dividends, splits, benchmarks and sessions, one row per key.
        days: day 0 of every event that happened, in every market; estimation keeps clear of them.
        settings: how to measure.

    Returns:
        One row per row of ``members``, in its order: beta, car, se_car, t_car, p_car (null if left out), sessions (M,
        usable estimation sessions), skipped (sessions passed over because they lie around events), estimation_start,
        note (the reason); and what was measured, by event, market and benchmark.
    """
    panels = {
        calendar: _panel(str(calendar), names, market, days, settings)
        for (calendar,), names in members.partition_by("calendar", as_dict=True).items()
    }
    groups = members.with_row_index("row").partition_by("event_id", "calendar", "benchmark", maintain_order=True)
    found = [_group_moves(panels[names["calendar"][0]], names, settings) for names in groups]
    frames = [pl.DataFrame(schema=MOVES), *(frame for frame, _ in found)]
    rows = pl.concat(frames, how="diagonal").sort("row").drop("row")
    return rows.with_columns(pl.col(pl.Float64).fill_nan(None)), [one for _, one in found if one is not None]


@dataclass(frozen=True)
class _Panel:
    """One market: returns by session and symbol, its benchmarks and factors, sessions near and of events."""

    sessions: pl.Series
    column: dict[str, int]
    returns: FloatArray
    factors: dict[str, FloatArray]
    near: BoolArray
    shocks: BoolArray
    closes_at: float


def _panel(
    calendar: str, names: pl.DataFrame, market: MarketData, days: pl.DataFrame, settings: StudySettings
) -> _Panel:
    own = market.sessions.filter(pl.col("calendar") == calendar)
    sessions, closes = own["session"].sort(), own["close_at"]
    currencies = dict(names.select("symbol", "currency").unique().sort("symbol").iter_rows())
    benchmarks = names["benchmark"].drop_nulls().unique().sort().to_list()
    known = days.filter(pl.col("calendar") == calendar).drop_nulls("position")
    placed = known["position"].to_numpy(), known["position_latest"].to_numpy()
    symbols = [*benchmarks, *settings.factors]
    levels = level_returns(market.benchmarks, symbols=symbols, sessions=sessions.to_numpy())
    further = levels[:, len(benchmarks) :]
    return _Panel(
        sessions=sessions,
        column={symbol: column for column, symbol in enumerate(currencies)},
        returns=total_returns(
            market.prices, market.dividends, market.splits, currencies=currencies, sessions=sessions.to_numpy()
        ),
        factors={symbol: np.column_stack([levels[:, at], further]) for at, symbol in enumerate(benchmarks)},
        near=near_events(*placed, len(sessions)),
        shocks=near_events(*placed, len(sessions), before=0, after=0),
        closes_at=float(np.median(closes.dt.hour() + closes.dt.minute() / 60)),
    )


def _group_moves(panel: _Panel, names: pl.DataFrame, settings: StudySettings) -> tuple[pl.DataFrame, Measured | None]:
    """The names of one event, market and benchmark."""
    first = names.row(0, named=True)
    reason = _reason_against_all(panel, first)
    if reason:
        return names.select("row", note=pl.lit(reason)), None
    day0, factors = first["position"], panel.factors[first["benchmark"]]
    window = np.arange(day0 + first["start"], day0 + first["stop"] + 1)
    estimation = clean_sessions(panel.near, day0, count=settings.estimation_sessions, end=settings.estimation_end)
    returns = panel.returns[:, [panel.column[symbol] for symbol in names["symbol"]]]
    usable = np.isfinite(returns[estimation]) & np.isfinite(factors[estimation].sum(axis=1))[:, None]
    notes = _reasons(usable, np.isfinite(returns[window].sum(axis=0)), settings)
    kept = [column for column, note in enumerate(notes) if note is None]
    fit = abnormal_returns(returns[:, kept], factors, estimation=estimation, event=window, model=settings.model)
    alone = single_tests(fit)
    found = np.full((5, names.height), np.nan)
    beta = fit.coefficients[1] if settings.model == "market" else np.full(len(kept), np.nan)
    found[:, kept] = beta, fit.car, fit.se_car, alone.t_car, alone.p_car
    start = int(estimation[0]) if estimation.size else day0 + settings.estimation_end + 1
    rows = names.select(
        "row",
        *(pl.Series(name, values) for name, values in zip(list(MOVES)[1:6], found, strict=True)),
        sessions=pl.Series(usable.sum(axis=0)),
        skipped=pl.lit(day0 + settings.estimation_end + 1 - start - estimation.size, pl.Int64),
        estimation_start=pl.lit(panel.sessions[start] if estimation.size else None, pl.Date),
        note=pl.Series(notes, dtype=pl.String),
    )
    path = np.arange(day0 + PATH[0], day0 + PATH[1] + 1)
    reached = path[0] >= 0 and path[-1] < len(panel.sessions)
    market = Market(panel.sessions.to_numpy(), returns[:, kept], factors, estimation, window, panel.closes_at)
    held = names.select("symbol", "stage", "weight")[kept]
    return rows, Measured(first["event_id"], held, market, path if reached else path[:0]) if kept else None


def _reason_against_all(panel: _Panel, first: dict[str, Any]) -> str | None:
    """Why no name of this event, market and benchmark can be measured."""
    day0, latest, benchmark = first["position"], first["position_latest"], first["benchmark"]
    start, stop = first["start"], first["stop"]
    if day0 is None:
        return f"the sessions of {first['calendar']} on record do not bracket the announcement"
    if latest != day0 and stop >= 0 and (start > 0 or stop < latest - day0):
        days = f"{first['day0']} or {first['day0_latest']}"
        return f"time not known: day 0 is {days}, {window_name(start, stop)} misses one"
    if day0 + start < 0 or day0 + stop >= len(panel.sessions):
        return f"the window leaves the sessions of {first['calendar']} on record"
    if stop < 0 and panel.shocks[day0 + start : day0 + stop + 1].any():
        return f"another event falls into {window_name(start, stop)}"
    return _reason_in_factors(panel, benchmark, slice(day0 + start, day0 + stop + 1))


def _reason_in_factors(panel: _Panel, benchmark: str | None, window: slice) -> str | None:
    if benchmark is None:
        return "no benchmark"
    factors = panel.factors[benchmark][window]
    if not np.isfinite(factors[:, 0]).all():
        return f"benchmark {benchmark} has no return on a session of the window"
    return None if np.isfinite(factors).all() else "a factor has no return on a session of the window"


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
