"""One year of sixty lines in four currencies, made from a seed, and its index as CSV: run by `test_replay`.

python -m tests.shell.year FOLDER
"""

import pickle
import sys
from datetime import date
from functools import cache
from itertools import pairwise
from pathlib import Path

import numpy as np
import polars as pl

from exchina.calculation.board import Board, board_of
from exchina.calculation.engine import advance, started
from exchina.calculation.events import events_of, moves
from exchina.calculation.lines import Event
from exchina.calculation.logs import begun, compositions, divisor_log
from exchina.calculation.payments import TaxTable, with_cash
from exchina.calculation.state import Change, Reset, State
from exchina.calculation.terms import on_terms
from exchina.market.calendar import sessions_table
from exchina.model import CalculationRule, MarketData
from exchina.tables.market import SCHEMAS
from tests.markets import market

VENUES = {"XNYS": "USD", "XASX": "AUD", "XTKS": "JPY", "XLON": "GBP"}
COUNTRIES = {"XNYS": "US", "XASX": "AU", "XTKS": "JP", "XLON": "GB"}
RATES = {"US": 0.3, "AU": 0.3, "JP": 0.15315, "GB": 0.0}
USD = {"AUD": 0.66, "JPY": 0.0068, "GBP": 1.27}
NAMES = [f"S{number:02d}" for number in range(60)]
COMING = [f"Z{number}" for number in range(4)]
MIC = {name: list(VENUES)[number % 4] for number, name in enumerate(NAMES)}
MIC |= {"Z0": MIC["S09"], "Z1": MIC["S10"], "Z2": MIC["S11"], "Z3": MIC["S12"]}
LINES = {name: VENUES[mic] for name, mic in MIC.items()}
FIRST, LAST = date(2024, 1, 2), date(2024, 12, 31)
QUARTERS = (date(2024, 3, 15), date(2024, 6, 21), date(2024, 9, 20))
RULE = CalculationRule(
    family="fixed_weight",
    dividend_estimates="estimate_then_correct",
    takeover="deal_terms",
    delisting="last_traded_then_zero",
    suspension_clock_sessions=40,
)
BASE = {"PR": 1000.0, "GTR": 1000.0, "NTR": 1000.0, "LOCAL": 1000.0}
TERMS = ("new", "old", "amount", "price", "fraction", "other")
ACTIONS: list[tuple[str, str, date, dict[str, float | str]]] = [
    ("S01", "split", date(2024, 2, 6), {"new": 3.0, "old": 1.0}),
    ("S02", "stock_dividend", date(2024, 2, 20), {"new": 1.0, "old": 10.0}),
    ("S03", "other_stock_dividend", date(2024, 3, 5), {"new": 1.0, "old": 20.0, "price": 8.0}),
    ("S04", "special_dividend", date(2024, 3, 18), {"amount": 0.9}),
    ("S05", "capital_return", date(2024, 4, 9), {"amount": 0.7}),
    ("S06", "rights_issue", date(2024, 4, 17), {"new": 1.0, "old": 4.0, "price": 3.0}),
    ("S07", "compulsory_tender", date(2024, 5, 8), {"fraction": 0.1, "price": 12.0}),
    ("S09", "spin_off", date(2024, 5, 21), {"new": 1.0, "old": 5.0, "other": "Z0"}),
    ("S13", "share_change", date(2024, 6, 4), {"fraction": 1.2}),
    ("S14", "float_change", date(2024, 6, 5), {"fraction": 0.8}),
    ("S15", "takeover", date(2024, 7, 2), {"price": 14.0}),
    ("S16", "takeover", date(2024, 7, 16), {"new": 0.5, "old": 1.0, "price": 2.0, "other": "S17"}),
    ("S18", "delisting", date(2024, 7, 30), {}),
    ("S19", "bankruptcy", date(2024, 8, 13), {"price": 0.01}),
    ("S10", "conversion", date(2024, 8, 27), {"new": 2.0, "old": 1.0, "other": "Z1"}),
    ("S11", "rename", date(2024, 9, 10), {"other": "Z2"}),
    ("S20", "redomicile", date(2024, 10, 1), {"other": "GB"}),
    ("S21", "suspension", date(2024, 10, 8), {}),
    ("S21", "resumption", date(2024, 10, 29), {}),
    ("S22", "suspension", date(2024, 10, 8), {}),
    ("S12", "spin_off", date(2024, 11, 12), {"new": 1.0, "old": 2.0, "other": "Z3"}),
]
SILENT = {
    "S15": (date(2024, 6, 27), LAST),
    "S18": (date(2024, 7, 25), LAST),
    "S19": (date(2024, 8, 8), LAST),
    "S21": (date(2024, 10, 8), date(2024, 10, 28)),
    "S22": (date(2024, 10, 8), LAST),
    "Z0": (date.min, date(2024, 5, 21)),
    "Z1": (date.min, date(2024, 8, 26)),
    "Z2": (date.min, date(2024, 9, 9)),
    "Z3": (date.min, date(2024, 11, 13)),
}
CHANGED = date(2024, 8, 20)


@cache
def year(changed: bool = False) -> MarketData:
    """The market; ``changed`` raises one close on one day by a tenth."""
    noise = np.random.default_rng(20240102)
    sessions = sessions_table(VENUES, date(2023, 12, 20), date(2025, 12, 31))
    prices = pl.concat(_closes(noise, name, sessions) for name in (*NAMES, *COMING))
    if changed:
        once = (pl.col("symbol") == "S30") & (pl.col("session") == CHANGED)
        prices = prices.with_columns(close=pl.when(once).then(pl.col("close") * 1.1).otherwise("close"))
    days = sessions.filter((pl.col("calendar") == "XLON") & (pl.col("session") <= LAST))["session"]
    fx = pl.concat(
        pl.DataFrame({"currency": currency, "session": days, "usd_per_unit": usd * _walk(noise, len(days), 0.005)})
        for currency, usd in USD.items()
    )
    cuts = pl.DataFrame([("S40", date(2024, 5, 14), 4.0)], ["symbol", "ex_date", "ratio"], orient="row")
    given = {"prices": prices, "fx": fx, "splits": cuts, "dividends": _dividends(noise)}
    return market(**given, actions=_actions(), sessions=sessions)


def _walk(noise: np.random.Generator, count: int, step: float) -> np.ndarray:
    return np.exp(np.cumsum(noise.normal(0, step, count)))


def _closes(noise: np.random.Generator, name: str, sessions: pl.DataFrame) -> pl.DataFrame:
    """Closes around 10 on the sessions of the line's own market, one in fifty missing, on new terms after a split."""
    own = sessions.filter((pl.col("calendar") == MIC[name]) & (pl.col("session") <= LAST))
    close, kept = 10 * _walk(noise, own.height, 0.015), noise.random(own.height) > 0.02
    table = own.select("session", symbol=pl.lit(name), close=pl.Series(close))
    cut = {"S01": (date(2024, 2, 6), 3.0), "S40": (date(2024, 5, 14), 4.0)}.get(name)
    if cut:
        table = table.with_columns(close=pl.when(pl.col("session") >= cut[0]).then(close / cut[1]).otherwise("close"))
    since, until = SILENT.get(name, (LAST, FIRST))
    kept |= (own["session"] <= FIRST).to_numpy()
    kept &= ~own["session"].is_between(since, until).to_numpy()
    return table.filter(pl.Series(kept)).select("symbol", "session", "close")


def _dividends(noise: np.random.Generator) -> pl.DataFrame:
    """Two ordinary dividends a line; specials and returns of capital; estimates confirmed or retracted later."""
    rows = [
        (
            name,
            date(2024, month, int(noise.integers(1, 28))),
            float(noise.uniform(0.02, 0.3)),
            "ordinary",
            "confirmed",
            0,
        )
        for name in NAMES
        for month in (int(noise.integers(1, 6)), int(noise.integers(7, 12)))
    ]
    rows += [
        ("S50", date(2024, 4, 3), 0.8, "special", "confirmed", 0),
        ("S51", date(2024, 9, 3), 0.5, "return_of_capital", "confirmed", 0),
        ("S52", date(2024, 6, 27), 0.2, "ordinary", "estimated", 0),
        ("S52", date(2024, 6, 27), 0.26, "ordinary", "confirmed", 41),
        ("S53", date(2024, 6, 13), 0.2, "ordinary", "confirmed", 0),
        ("S53", date(2024, 6, 13), 0.2, "ordinary", "retracted", 12),
    ]
    table = pl.DataFrame(rows, ["symbol", "ex_date", "amount", "type", "status", "later"], orient="row")
    return table.unique(["symbol", "ex_date", "type", "status"], keep="last", maintain_order=True).select(
        "symbol",
        "ex_date",
        "amount",
        pl.col("symbol").replace_strict(LINES).alias("currency"),
        "type",
        pl.when(pl.col("symbol").replace_strict(MIC) == "XASX").then(0.7).otherwise(0.0).alias("franked"),
        "status",
        known_date=pl.col("ex_date") + pl.duration(days=pl.col("later")),
    )


def _actions() -> pl.DataFrame:
    rows = [
        {
            **{"id": f"action-{number}", "symbol": symbol, "type": kind, "ex_date": day, "underwritten": True},
            **{name: terms.get(name) for name in TERMS},
            **{"status": "confirmed", "source": f"row {number}", "known_date": day},
        }
        for number, (symbol, kind, day, terms) in enumerate(ACTIONS)
    ]
    return pl.DataFrame(rows, SCHEMAS["actions"])


def inputs(changed: bool = False) -> tuple[Board, list[Event], dict[date, Reset]]:
    """The board with its cash, the events and the quarterly reviews."""
    data = year(changed)
    calendar = data.sessions.filter(pl.col("calendar") == "XNYS")["session"].to_list()
    board = board_of(data.prices, data.fx, LINES, "USD", sessions=calendar, first=FIRST, last=LAST)
    table = pl.DataFrame(
        [(country, "maximum", rate, date(2010, 1, 1), None) for country, rate in RATES.items()],
        {"country": pl.String, "profile": pl.String, "rate": pl.Float64, "valid_from": pl.Date, "valid_to": pl.Date},
        orient="row",
    )
    taxes = TaxTable(table, {name: COUNTRIES[mic] for name, mic in MIC.items()}, moves(data.actions))
    events = events_of(data, dict.fromkeys(LINES, (None, None)), taxes, RULE)
    board = with_cash(on_terms(board, events, RULE), data.dividends, events, taxes, RULE)
    return board, events, {day: _weights(day) for day in QUARTERS}


def _weights(day: date) -> Reset:
    """Weights of all lines that are listed under their name, not equal and not in order."""
    gone = {symbol for symbol, kind, ex, _ in ACTIONS if ex <= day and kind in ("takeover", "delisting", "bankruptcy")}
    gone |= {symbol for symbol, kind, ex, _ in ACTIONS if ex <= day and kind in ("conversion", "rename")}
    names = [name for name in NAMES if name not in gone]
    raw = np.random.default_rng(day.toordinal()).uniform(0.5, 1.5, len(names))
    return Reset(weights=dict(zip(names, (raw / raw.sum()).tolist(), strict=True)))


def all_at_once(changed: bool = False) -> dict[str, bytes]:
    """The published files of the year, computed in one go."""
    board, events, resets = inputs(changed)
    state = started(board.part(FIRST, FIRST), _weights(FIRST), BASE)
    run = advance(state, board, events, resets, RULE)
    return files(board, state, run.levels, run.changes)


def day_by_day(folder: Path) -> dict[str, bytes]:
    """The same, from a state that is written down after each day and read again before the next."""
    board, events, resets = inputs()
    first = started(board.part(FIRST, FIRST), _weights(FIRST), BASE)
    place = folder / "state.pickle"
    place.write_bytes(pickle.dumps(first))
    levels: dict[str, list[float]] = {name: [] for name in BASE}
    changes: list[Change] = []
    for session, following in pairwise(board.sessions):
        state: State = pickle.loads(place.read_bytes())
        run = advance(state, board.part(session, following), events, resets, RULE)
        for name, level in run.levels.items():
            levels[name] += level.tolist()
        changes += run.changes
        place.write_bytes(pickle.dumps(run.state))
    return files(board, first, {name: np.array(level) for name, level in levels.items()}, changes)


def files(board: Board, first: State, levels: object, changes: object) -> dict[str, bytes]:
    """Levels, divisor log and compositions as CSV."""
    tables = {
        "levels.csv": pl.DataFrame({"session": board.sessions[1:], **dict(levels)}),  # type: ignore[call-overload]
        "divisor.csv": divisor_log([begun(first, board), *changes]),  # type: ignore[misc]
        "compositions.csv": compositions([begun(first, board), *changes]),  # type: ignore[misc]
    }
    return {name: table.write_csv().encode() for name, table in tables.items()}


if __name__ == "__main__":
    for name, content in all_at_once().items():
        (Path(sys.argv[1]) / name).write_bytes(content)
