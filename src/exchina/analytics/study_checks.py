"""What an event study refuses: settings that contradict one another, tables that do not fit together."""

from collections.abc import Collection

import polars as pl

from exchina.analytics.constituent_moves import StudySettings, window_name
from exchina.errors import DataError, ExchinaError, Problem, did_you_mean
from exchina.model import MarketData

FEWEST_SESSIONS = 3
LONGEST_WINDOW = 21


def check_settings(settings: StudySettings) -> None:
    """Refuse settings that would look ahead or measure nothing.

    Args:
        settings: of the study.

    Raises:
        ExchinaError: every contradiction found.
    """
    problems: list[Problem] = []
    for window in (settings.window, *settings.also):
        if window[0] > window[1]:
            problems.append(Problem("study.window", f"{window_name(*window)} ends before it begins", "first day first"))
        elif window[1] - window[0] >= LONGEST_WINDOW:
            what = f"{window_name(*window)} has more than {LONGEST_WINDOW} sessions"
            problems.append(Problem("study.window", what, "take a shorter one: most of a long window is other news"))
        if settings.estimation_end >= min(window[0], 0):
            hint = f"end the estimation before the window {window_name(*window)} and before day 0"
            problems.append(Problem("study.estimation_end", f"day {settings.estimation_end}", hint))
    if len({settings.window, *settings.also}) <= len(settings.also):
        problems.append(Problem("study.also", "names a window twice", "each window once"))
    if not FEWEST_SESSIONS <= settings.minimum_sessions <= settings.estimation_sessions:
        found = f"{settings.minimum_sessions} of {settings.estimation_sessions} estimation sessions"
        problems.append(Problem("study.minimum_sessions", found, f"from {FEWEST_SESSIONS} to estimation_sessions"))
    if settings.factors and settings.model != "market":
        what = f"the model {settings.model} fits no factors"
        problems.append(Problem("study.factors", what, "leave them out, or take the market model"))
    if settings.benchmark and settings.model == "mean":
        what = "the model mean reads no benchmark"
        problems.append(Problem("study.benchmark", what, "leave it out, or take the market model"))
    if problems:
        raise ExchinaError(*problems)


def check_tables(events: pl.DataFrame, constituents: pl.DataFrame, market: MarketData, calendar: str) -> None:
    """Refuse tables that repeat a key, and constituents that fit no calendar.

    Args:
        events: the ledger.
        constituents: of every basket.
        market: prices, dividends, splits, benchmarks and sessions.
        calendar: the index's own.

    Raises:
        DataError: every fault found.
    """
    listings = constituents.select("symbol", "calendar", "currency").unique()
    problems = [
        *_constituent_problems(constituents, market.sessions, calendar),
        *_repeated("policy_shocks", events, "id"),
        *_repeated("constituents", constituents, "effective", "symbol"),
        *_repeated("constituents, calendar and currency of", listings, "symbol"),
        *_repeated("prices", market.prices, "symbol", "session"),
        *_repeated("dividends", market.dividends, "symbol", "ex_date", "type"),
        *_repeated("splits", market.splits, "symbol", "ex_date"),
        *_repeated("benchmarks", market.benchmarks, "symbol", "session"),
        *_repeated("sessions", market.sessions, "calendar", "session"),
    ]
    if problems:
        raise DataError(*problems)


def _constituent_problems(constituents: pl.DataFrame, sessions: pl.DataFrame, calendar: str) -> list[Problem]:
    on_record = sessions["calendar"].unique().implode()
    reviewed = sessions.filter(pl.col("calendar") == calendar)["session"].implode()
    weighted = (pl.col("weight").is_finite() & (pl.col("weight") > 0)).fill_null(value=False)
    unknown = (
        constituents.filter(~pl.col("calendar").is_in(on_record)).select("symbol", "calendar").unique().sort("symbol")
    )
    days = constituents.filter(~pl.col("effective").is_in(reviewed))["effective"].unique().sort()
    unweighted = constituents.filter(~weighted).select("effective", "symbol", "weight").sort("effective", "symbol")
    return [
        *(
            Problem(f"constituents {symbol}", f"calendar {name!r} has no sessions")
            for symbol, name in unknown.iter_rows()
        ),
        *(
            Problem("constituents", f"effective {day} is no session of {calendar!r}", "name the index's own calendar")
            for day in days
        ),
        *(
            Problem(f"constituents {day} {symbol}", f"weight {weight}", "above 0")
            for day, symbol, weight in unweighted.iter_rows()
        ),
    ]


def _repeated(table: str, frame: pl.DataFrame, *key: str) -> list[Problem]:
    twice = frame.filter(pl.struct(key).is_duplicated()).select(key).unique().sort(key)
    if twice.is_empty():
        return []
    where = " ".join([table, *(str(part) for part in twice.row(0))])
    return [Problem(where, f"{twice.height} keys have several rows", "pass the tables as known on one day")]


def check_benchmarks(
    constituents: pl.DataFrame, market: MarketData, settings: StudySettings, holding_treated: Collection[str]
) -> None:
    """Refuse a benchmark or factor that the market does not have, one that holds the names studied, and having none.

    Args:
        constituents: of every basket.
        market: whose benchmarks count.
        settings: of the study.
        holding_treated: symbols of funds and indices that hold such names.

    Raises:
        DataError: every fault found.
    """
    known = market.benchmarks["symbol"].unique().sort().to_list()
    local = sorted(set(constituents["benchmark"].drop_nulls()))
    asked = [*([settings.benchmark] if settings.benchmark else []), *settings.factors]
    problems = [
        Problem("benchmark", f"the market has none called {name!r}", did_you_mean(name, known))
        for name in asked
        if name not in known
    ]
    used = {settings.benchmark} if settings.benchmark else set(local)
    problems += [
        Problem("study.factors", f"{name!r} is the benchmark already", "name another factor")
        for name in settings.factors
        if name in used
    ]
    cure = f"it holds the companies that are studied, which hides their moves; take a broad market: {', '.join(local)}"
    problems += [
        Problem("benchmark", f"{name!r} is a rare earth fund", cure)
        for name in (asked if settings.benchmark else [*asked, *local])
        if name in holding_treated
    ]
    if settings.benchmark is None and not set(local) & set(known):
        what = "the market has none of the local benchmarks of its lines"
        hint = f"name one of: {', '.join(known)}" if known else "bring one in with [[benchmarks]]"
        problems.append(Problem("benchmark", what, hint))
    if problems:
        raise DataError(*problems)
