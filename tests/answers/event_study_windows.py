"""Returns, factors, model and windows of an event-study case; index ranges are half open, as [first, last)."""

import re
from typing import Any

import numpy as np

from exchina.analytics.market_model import Model
from exchina.analytics.significance import Market
from tests.answers.given import Given, given

SECURITY = ("security", "security_return", "security_returns", "stock", "returns", "asset")
SECURITIES = ("securities", "security_returns", "returns", "stocks", "assets", "names", "security")
BENCHMARK = ("benchmark", "benchmark_return", "benchmark_returns", "market", "market_return", "index", "rm")
FACTORS = (
    *(
        "factor2",
        "second_factor",
        "benchmark2",
        "second_benchmark",
        "factor",
        "factors",
        "second",
        "control",
        "market2",
    ),
    *("factor_2_returns", "sector", "metals", "extra_factor", "factor_return", "factor_returns", "other_benchmark"),
)
ESTIMATION = ("estimation", "estimation_window", "estimation_rows", "estimation_range", "estimation_windows")
EVENT = ("event", "event_window", "window", "event_range", "event_windows")
LENGTH = (
    *("estimation_days", "estimation_length", "estimation_sessions", "M", "n_estimation", "estimation_window_length"),
    *("length_estimation", "est_length", "estimation_window", "estimation"),
)
GAP = ("gap", "gap_days", "buffer", "gap_length")
SESSIONS = ("window_length", "event_length", "L", "event_window_length", "n_event_days", "event_sessions", "window")
EVENTS = (
    *("windows", "event_days", "event_dates", "event_rows", "event_index", "event_indices", "event_positions"),
    *("event_starts", "event_start", "event_first", "event_day", "dates", "events", "day0", "day0s", "day_0"),
    "day0_index",
)
SIZES = ("N", "T", "J", "n", "rho", "n_securities", "n_dates", "n_days", "n_events", *LENGTH, *GAP, *SESSIONS)
NO_FACTORS = {"day", "days", "date", "session", "sessions", "t", "position", "rows"}
DAYS, BEFORE = 120, 10
Span = tuple[list[int], list[int]]


def model(inputs: dict[str, Any]) -> Model:
    """The model by any of its names: market (one factor or several), mean-adjusted, market-adjusted."""
    name = given(inputs, "model", "normal_return_model", "models", default="market")
    plain = re.sub(r"[^a-z0-9]", "", str(name).lower())
    if "mean" in plain:
        return "mean"
    if "adjusted" in plain:
        return "adjusted"
    if re.search("market|factor|2|capm|ols", plain):
        return "market"
    raise AssertionError(f"no model is mapped to {name!r}")


def by_day(values: Any, days: int) -> np.ndarray:
    """Series as columns, whether a case gives a row a series or a row a day."""
    array = np.atleast_2d(np.array(values, float))
    return array.T if array.shape[1] == days else array


def sessions(inputs: Given) -> int:
    """T: the benchmark is longer than it is wide."""
    return max(np.shape(given(inputs, *BENCHMARK, *FACTORS)))


def factors(inputs: Given) -> np.ndarray:
    """The benchmark and every other series as long as it; no list of that length is left aside."""
    days = sessions(inputs)
    named = [name for name in (*BENCHMARK, *FACTORS) if name in inputs and days in np.shape(inputs[name])]
    rest = [key for key in inputs if key in inputs.unread - NO_FACTORS and is_series(dict.get(inputs, key), days)]
    columns = np.hstack([by_day(inputs[name], days) for name in (*named, *rest)])
    _, kept = np.unique(columns, axis=1, return_index=True)
    if kept.size < 2 and re.search("2|two|factor", str(inputs.get("model", "")).lower()):
        raise AssertionError(f"no second factor among {', '.join(inputs)}")
    return columns[:, np.sort(kept)]


def is_series(values: Any, days: int) -> bool:
    if not isinstance(values, list) or len(values) != days:
        return False
    return all(isinstance(one, int | float) and not isinstance(one, bool) for one in values)


def markets(inputs: Given, *, each: bool = False) -> list[Market]:
    """One market a window: of all securities, or (``each``) of the one whose window it is."""
    windows, days = spans(inputs), sessions(inputs)
    returns, columns = by_day(given(inputs, *SECURITIES), days), factors(inputs)
    if each and len(windows) != returns.shape[1]:
        raise AssertionError(f"{len(windows)} windows for {returns.shape[1]} securities")
    return [
        Market(
            days=np.arange(days),
            returns=returns[:, [place]] if each else returns,
            factors=columns,
            estimation=np.arange(*estimation),
            event=np.arange(*event),
        )
        for place, (estimation, event) in enumerate(windows)
    ]


def spans(inputs: Given) -> list[Span]:
    """Estimation and event rows of every event: stated as ranges, or by a day 0 with lengths and a gap."""
    for name in SIZES:
        inputs.get(name)
    estimation, window = (a_range(inputs, names) for names in (ESTIMATION, EVENT))
    found = given(inputs, *EVENTS, default=None)
    if found is None:
        if window is None:
            raise AssertionError(f"no event among {', '.join(inputs)}")
        found = window if isinstance(window[0], list) else [window]
        window = None
    listed = found if isinstance(found, list) else [found]
    return [span(inputs, one, at(estimation, place), at(window, place)) for place, one in enumerate(listed)]


def a_range(inputs: Given, names: tuple[str, ...]) -> Any:
    return next((inputs[name] for name in names if isinstance(dict.get(inputs, inputs.place(name)), list)), None)


def at(ranges: Any, place: int) -> Any:
    """The range of one event: its own of several, or the one of all."""
    return ranges[place] if ranges is not None and isinstance(ranges[0], list) else ranges


def span(inputs: Given, event: Any, estimation: Any, window: Any) -> Span:
    length, gap, count = (
        number(inputs, names, default) for names, default in ((LENGTH, DAYS), (GAP, BEFORE), (SESSIONS, 1))
    )
    if isinstance(event, dict):
        estimation = given(event, *ESTIMATION, default=estimation)
        event = given(event, *EVENT, *EVENTS, "index", "row", "position", "day", "at")
    if isinstance(event, list) and isinstance(event[0], list):
        return event[0], event[1]
    day0 = event[0] if isinstance(event, list) else event
    if not isinstance(event, list):
        first, last = window or [0, count]
        event = [day0 + first, day0 + max(last, first + 1)]
    if estimation is None:
        return [event[0] - gap - length, event[0] - gap], event
    return ([day0 + one for one in estimation] if estimation[0] < 0 else estimation), event


def number(inputs: Given, names: tuple[str, ...], default: int) -> int:
    """The first of these names that holds a whole number."""
    return next((inputs[name] for name in names if isinstance(dict.get(inputs, inputs.place(name)), int)), default)
