"""What a series of levels did: returns over periods and years, volatility and drawdown.

Every function takes ``levels``, one return variant of one index: ``session`` (Date, ascending, unique) and ``level``
(Float64, > 0). All returns are simple returns, fractions of 1. There is no Sharpe ratio here: it is never shown without
its interval and the number of trials.
"""

from calendar import monthrange
from datetime import date, timedelta
from typing import TypedDict

import numpy as np
import numpy.typing as npt
import polars as pl

from exchina.errors import DataError, Problem

FloatArray = npt.NDArray[np.float64]
SESSIONS_PER_YEAR = 252
DAYS_PER_YEAR = 365.25
FRIDAY = 4


class Risk(TypedDict):
    """Risk of a series; see `risk`."""

    volatility_1y: float | None
    volatility_since_base: float | None
    max_drawdown: float
    drawdown_peak: date | None
    drawdown_trough: date | None


def trailing_returns(levels: pl.DataFrame) -> pl.DataFrame:
    """Returns over the usual periods that end at the last session.

    A period of n months starts at the last session at or before the calendar date n months before the last session
    (the month's last day where that date does not exist); the year to date starts at the last session of the year
    before. Up to and including one year the return is r = L_end / L_start - 1; periods marked "p.a." are annualised by
    ACT/365.25: (1 + r)^(365.25 / d) - 1 with d calendar days between the two sessions. "Since base" is annualised,
    and says so, when it is longer than one year.

    Args:
        levels: ``session`` and ``level`` of one variant.

    Returns:
        ``period``; ``start`` (the session it starts at) and ``return``, both null where the history is too short.

    Raises:
        DataError: the levels are not a series.
    """
    sessions, values = checked_series(levels)
    end, base = sessions[-1], sessions[0]
    beyond_one_year = base < _months_before(end, 12)
    periods = [
        ("1 month", _months_before(end, 1)),
        ("3 months", _months_before(end, 3)),
        ("YTD", date(end.year - 1, 12, 31)),
        ("1 year", _months_before(end, 12)),
        ("3 years p.a.", _months_before(end, 36)),
        ("5 years p.a.", _months_before(end, 60)),
        ("Since base p.a." if beyond_one_year else "Since base", base),
    ]
    starts = [_last_at_or_before(sessions, anchor) for _, anchor in periods]
    returns = [
        None if start is None else _period_return(sessions, values, start, annualise=name.endswith("p.a."))
        for (name, _), start in zip(periods, starts, strict=True)
    ]
    return pl.DataFrame(
        {
            "period": [name for name, _ in periods],
            "start": [None if start is None else sessions[start] for start in starts],
            "return": returns,
        },
        schema={"period": pl.String, "start": pl.Date, "return": pl.Float64},
    )


def calendar_year_returns(levels: pl.DataFrame) -> pl.DataFrame:
    """Return of each calendar year, from the last session of the year before to the last of the year.

    Args:
        levels: ``session`` and ``level`` of one variant.

    Returns:
        ``year``, ``return`` and ``partial``: true for the year in which the series begins (the return is then from the
        first level), and for the last year unless no weekday is left in it after the last session. A year that
        holds the first level alone has no return and no row.

    Raises:
        DataError: the levels are not a series.
    """
    sessions, values = checked_series(levels)
    years = np.array([session.year for session in sessions])
    lasts = [int(np.flatnonzero(years == year)[-1]) for year in sorted(set(years.tolist()))]
    starts = [0, *lasts[:-1]]
    rows = [
        (
            int(years[last]),
            float(values[last] / values[start] - 1),
            (start == 0 and not _ends_its_year(sessions[0])) or not _ends_its_year(sessions[last]),
        )
        for start, last in zip(starts, lasts, strict=True)
        if last > start
    ]
    schema = {"year": pl.Int32, "return": pl.Float64, "partial": pl.Boolean}
    return pl.DataFrame(rows, schema=schema, orient="row")


def risk(levels: pl.DataFrame) -> Risk:
    """Volatility and the deepest drawdown.

    Args:
        levels: ``session`` and ``level`` of one variant.

    Returns:
        ``volatility_1y``: standard deviation (n - 1 in the denominator) of the last 252 simple returns from session to
        session, times sqrt(252); None with fewer returns. ``volatility_since_base``: the same over all returns; None
        with fewer than two. ``max_drawdown``: min over t of L_t / max(L_s, s <= t) - 1, zero or negative.
        ``drawdown_peak``, ``drawdown_trough``: the sessions between which it happened; None without a drawdown.

    Raises:
        DataError: the levels are not a series.
    """
    sessions, values = checked_series(levels)
    returns = values[1:] / values[:-1] - 1
    drawdown = values / np.maximum.accumulate(values) - 1
    trough = int(np.argmin(drawdown))
    peak = int(np.argmax(values[: trough + 1]))
    fell = trough > 0
    return {
        "volatility_1y": _volatility(returns[-SESSIONS_PER_YEAR:]) if returns.size >= SESSIONS_PER_YEAR else None,
        "volatility_since_base": _volatility(returns) if returns.size > 1 else None,
        "max_drawdown": float(drawdown[trough]),
        "drawdown_peak": sessions[peak] if fell else None,
        "drawdown_trough": sessions[trough] if fell else None,
    }


def summary(levels: pl.DataFrame) -> pl.DataFrame:
    """The measures of a backtest in one table.

    Args:
        levels: ``session`` and ``level`` of one variant.

    Returns:
        ``measure``, ``value`` and ``unit``: ``index points``, ``fraction`` or ``fraction per year``; ``value`` is null
        where the history is too short.

    Raises:
        DataError: the levels are not a series.
    """
    numbers, trailing = risk(levels), trailing_returns(levels)
    span = f" ({numbers['drawdown_peak']} to {numbers['drawdown_trough']})" if numbers["drawdown_peak"] else ""
    rows = [
        (f"Level on {levels['session'][-1]}", levels["level"][-1], "index points"),
        *(
            (
                f"Return, {period[0].lower()}{period[1:]}" if period.startswith("S") else f"Return, {period}",
                value,
                "fraction per year" if period.endswith("p.a.") else "fraction",
            )
            for period, value in trailing.select("period", "return").iter_rows()
        ),
        ("Volatility, 1 year", numbers["volatility_1y"], "fraction per year"),
        ("Volatility, since base", numbers["volatility_since_base"], "fraction per year"),
        (f"Maximum drawdown{span}", numbers["max_drawdown"], "fraction"),
    ]
    return pl.DataFrame(rows, schema={"measure": pl.String, "value": pl.Float64, "unit": pl.String}, orient="row")


def checked_series(levels: pl.DataFrame) -> tuple[list[date], FloatArray]:
    """Sessions and levels of a series.

    Raises:
        DataError: fewer than two sessions, not ascending and unique, or a level missing or not above zero.
    """
    session, level = levels["session"], levels["level"]
    problems: list[Problem] = []
    if levels.height < 2:
        problems.append(Problem("levels", f"{levels.height} rows", "a return needs two sessions"))
    if not session.is_sorted() or session.n_unique() < levels.height:
        problems.append(Problem("levels.session", "not ascending and unique", "sort it; keep one variant"))
    if not (level.is_finite() & (level > 0)).fill_null(value=False).all():
        problems.append(Problem("levels.level", "a level is missing, not finite or not above zero"))
    if problems:
        raise DataError(*problems)
    return session.to_list(), level.to_numpy()


def _months_before(day: date, months: int) -> date:
    year, month = divmod(day.year * 12 + day.month - 1 - months, 12)
    return date(year, month + 1, min(day.day, monthrange(year, month + 1)[1]))


def _last_at_or_before(sessions: list[date], anchor: date) -> int | None:
    found = int(np.searchsorted(np.array(sessions, "datetime64[D]"), np.datetime64(anchor), side="right")) - 1
    return found if found >= 0 else None


def _period_return(sessions: list[date], values: FloatArray, start: int, *, annualise: bool) -> float:
    growth = float(values[-1] / values[start])
    days = (sessions[-1] - sessions[start]).days
    return growth ** (DAYS_PER_YEAR / days) - 1 if annualise else growth - 1


def _ends_its_year(session: date) -> bool:
    rest = (session + timedelta(days=n) for n in range(1, (date(session.year, 12, 31) - session).days + 1))
    return all(day.weekday() > FRIDAY for day in rest)


def _volatility(returns: FloatArray) -> float:
    return float(np.std(returns, ddof=1) * np.sqrt(SESSIONS_PER_YEAR))
