"""The gates against real defects: each bad file is caught by a named gate, and clean files pass."""

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, date, datetime
from pathlib import Path

import polars as pl
import pytest

from exchina.market import Delivery
from exchina.market.gates.weight_sum import days_over_whole
from exchina.model import MarketData, Reference
from tests.market.gates.vendor import delivery, held, table, yahoo
from tests.markets import market

PENNY = 0.01
PAIRS = {
    "4063_T_bad_stock_split": ("4063.T", 1.0, "split_one_side", 9),
    "ALPHA_PA_bad_stock_split": ("ALPHA.PA", 1.0, "split_one_side", 1),
    "DEX_AX_bad_stock_split": ("DEX.AX", 1.0, "split_one_side", 15),
    "AET_L_100x_error": ("AET.L", PENNY, "wrong_unit", 14),
    "SAND_bad_div": ("SAND", 1.0, "duplicate", 1),
    "KME_MI_bad_div": ("KME.MI", 1.0, "dividend_unit", 1),
}
NAMES = {"date": "session", "trade_date": "session", "ticker": "symbol", "yahoo_symbol": "symbol", "last": "close"}


@pytest.fixture(scope="module")
def real(shared: Path) -> Path:
    return shared / "market" / "real"


def prices_of(path: Path) -> pl.DataFrame:
    rows = pl.read_csv(path, try_parse_dates=True, infer_schema_length=None)
    names = NAMES if "close" in rows.columns or "last" in rows.columns else {**NAMES, "adj_close": "close"}
    rows = rows.rename({old: new for old, new in names.items() if old in rows.columns})
    return rows if "symbol" in rows.columns else rows.with_columns(symbol=pl.lit("REMX"))


def shape(rows: pl.DataFrame) -> Delivery:
    kept = [name for name in ("symbol", "session", "close", "volume") if name in rows.columns]
    paid = rows.filter(pl.col("dividends") > 0) if "dividends" in rows.columns else None
    dividends = None if paid is None else paid.select("symbol", ex_date="session", amount="dividends")
    return delivery(rows.select(kept).drop_nulls("close"), dividends)


def wiki(real: Path) -> Delivery:
    rows = prices_of(real / "corporate_actions" / "wiki_unadjusted_1995_2014.csv")
    paid = rows.filter(pl.col("ex_dividend") > 0).select("symbol", ex_date="session", amount="ex_dividend")
    split = rows.filter(pl.col("split_ratio") != 1).select("symbol", ex_date="session", ratio="split_ratio")
    return delivery(rows.select("symbol", "session", "close", "volume"), paid, split)


@pytest.mark.parametrize("name", PAIRS)
def test_each_bad_file_is_caught_by_its_gate_and_the_mended_one_passes(
    name: str, real: Path, reference: Reference
) -> None:
    symbol, unit, gate, count = PAIRS[name]
    caught = held(yahoo(real / "data_quality" / f"{name}.csv", symbol, unit), reference)
    assert set(caught["gate"]) == {gate}
    assert caught.height == count
    assert held(yahoo(real / "data_quality" / f"{name}_fixed.csv", symbol, unit), reference).is_empty()


def test_the_rows_that_pass_a_bad_file_are_those_of_the_mended_one(real: Path, reference: Reference) -> None:
    """What is left of the closes of each bad file stands in the mended one with the same values."""
    for name in ("4063_T_bad_stock_split", "ALPHA_PA_bad_stock_split", "DEX_AX_bad_stock_split", "AET_L_100x_error"):
        symbol, unit, *_ = PAIRS[name]
        bad, mended = (yahoo(real / "data_quality" / f"{name}{end}.csv", symbol, unit) for end in ("", "_fixed"))
        out = held(bad, reference).filter(pl.col("table") == "prices")["day"].to_list()
        both = bad.tables["prices"].join(mended.tables["prices"], on=["symbol", "session"], suffix="_mended")
        kept = both.filter(~pl.col("session").is_in(out))
        assert kept.height == both.height - len(out)
        assert (kept["close"] / kept["close_mended"] - 1).abs().max() < 1e-6  # pyright: ignore[reportOperatorIssue]


def test_a_dividend_that_adjusted_levels_do_not_know_is_caught(real: Path, reference: Reference) -> None:
    """8TRA.DE: closes and dividends are the same in both files; only the adjusted closes, which are never prices."""
    flagged: dict[str, list[date]] = {}
    for end in ("", "_fixed"):
        path = real / "data_quality" / f"8TRA_DE_missing_div_adjust{end}.csv"
        given = yahoo(path, "8TRA.DE")
        raw = pl.read_csv(path).select(
            symbol=pl.lit("8TRA.DE"), session=pl.col("Date").str.slice(0, 10).str.to_date(), level=pl.col("Adj Close")
        )
        benchmark = table("benchmarks", raw, "session")
        whole = replace(given, tables={**given.tables, "benchmarks": benchmark})
        assert held(given, reference).is_empty()
        caught = held(whole, reference)
        assert set(caught["gate"]) <= {"dividend_not_adjusted"}
        flagged[end] = caught["day"].sort().to_list()
    assert flagged == {"": [date(2023, 5, 30), date(2023, 5, 31)], "_fixed": []}


def intraday(real: Path, reference: Reference) -> pl.DataFrame:
    rows = pl.DataFrame(
        {"symbol": ["MP", "MP"], "session": [date(2026, 7, 31), date(2026, 8, 3)], "close": [44.0, 43.48]}
    )
    return held(delivery(rows), reference, now=datetime(2026, 8, 3, 18, tzinfo=UTC))


def spliced(real: Path, reference: Reference) -> pl.DataFrame:
    return held(shape(prices_of(real / "prices" / "us_ree_adjclose.csv").filter(pl.col("symbol") == "USAR")), reference)


def filled(real: Path, reference: Reference) -> pl.DataFrame:
    return held(shape(prices_of(real / "prices" / "jp_magnet_ohlcv.csv")), reference)


def copied(real: Path, reference: Reference) -> pl.DataFrame:
    rows = prices_of(real / "prices" / "us_quotes_mcap.csv").filter(pl.col("symbol") == "USAR")
    return held(shape(rows), reference)


def one_venue(real: Path, reference: Reference) -> pl.DataFrame:
    mp = pl.col("symbol") == "MP"
    days = pl.col("session").is_between(date(2020, 11, 18), date(2024, 3, 8))
    whole = shape(prices_of(real / "prices" / "us_ree_ohlcv_to_2024-03.csv").filter(mp & days))
    stored: MarketData = market(prices=whole.tables["prices"])
    part = shape(prices_of(real / "prices" / "single_venue_ohlcv.csv").filter(mp & days))
    return held(part, reference, stored)


def adjusted(real: Path, reference: Reference) -> pl.DataFrame:
    return held(shape(prices_of(real / "prices" / "asx_ree_ohlcv.csv").filter(pl.col("symbol") == "IGO.AX")), reference)


def wrong_records(real: Path, reference: Reference) -> pl.DataFrame:
    return held(wiki(real), reference)


TRAPS: dict[str, tuple[Callable[[Path, Reference], pl.DataFrame], dict[str, int]]] = {
    "intraday last row, MP 2026-08-03": (intraday, {"unfinished_session": 1}),
    "shell history, USAR before 2025-03-14": (spliced, {"outside_listing": 417}),
    "filled holidays, 4063.T": (filled, {"filled_holiday": 24}),
    "a day copied, USAR 2026-02-04": (copied, {"stale_suspended": 1}),
    "one venue for all, MP": (one_venue, {"one_venue": 827}),
    "dividend-adjusted closes beside dividends, IGO.AX": (adjusted, {"dividend_unit": 1}),
    "wrong records, ten US shares": (wrong_records, {"dividend_unit": 8, "spin_off_as_split": 1}),
}


@pytest.mark.parametrize("trap", TRAPS)
def test_each_trap_is_caught_by_a_named_gate(trap: str, real: Path, reference: Reference) -> None:
    catch, wanted = TRAPS[trap]
    assert dict(catch(real, reference).group_by("gate").len().iter_rows()) == wanted


def test_wrong_records_are_those_that_the_source_names(real: Path, reference: Reference) -> None:
    """Right records of the same file pass: EFX's spin-off values, the reverse splits of LVLT and AIG."""
    caught = held(wiki(real), reference).select("symbol", "day").rows()
    named = [(2008, 3, 5), (2008, 6, 4), (2008, 9, 3)]
    assert {("AIG", date(*day)) for day in named} < set(caught)
    assert {("COP", date(2012, 5, 1)), ("KSU", date(2000, 7, 13))} < set(caught)
    assert {symbol for symbol, _ in caught} == {"AIG", "COP", "KSU"}


def test_weights_over_the_whole_are_named(real: Path) -> None:
    rows = pl.read_csv(real / "index" / "remx_top_weights_2021.csv", infer_schema_length=None)
    lines = rows.filter(~pl.col("ticker").str.to_uppercase().str.starts_with("SUM"))
    over = days_over_whole(lines.select(day=pl.col("date").str.to_date("%m/%d/%Y"), weight=pl.col("weight_pct") / 100))
    assert over.height == 3
    assert over["weight"].round(4).to_list() == [1.0144] * 3


EVERY = pl.lit(value=True)
CLEAN: dict[str, pl.Expr] = {
    "us_ree_adjclose.csv": EVERY,
    "us_ree_ohlcv_to_2024-03.csv": EVERY,
    "asx_ree_ohlcv.csv": pl.col("symbol") != "IGO.AX",  # adjusted, a trap of its own
    "mp_ohlcv_windows.csv": EVERY,
    "remx_second_source.csv": EVERY,
    "us_quotes_mcap.csv": pl.col("session") != date(2026, 2, 4),  # copied, a trap
    "jp_magnet_ohlcv.csv": pl.col("volume") > 0,  # the others are the filled holidays
}


def test_clean_files_raise_no_false_alarm(real: Path, reference: Reference) -> None:
    """At most one row in 10,000 of each file, the history before a first trade date apart; prints the table."""
    lines: list[str] = []
    for name, cut in CLEAN.items():
        rows = prices_of(real / "prices" / name).filter(cut)
        given = shape(rows)
        found = held(given, reference).filter((pl.col("gate") != "outside_listing") & (pl.col("record") != "{}"))
        size = given.tables["prices"].height
        counts = found.group_by("gate").len().sort("gate").rows() or [("every gate", 0)]
        lines += [f"{gate:24} {name:30} {size:>7,} {count:>4} {1e4 * count / size:8.2f}" for gate, count in counts]
        assert found.height * 10_000 <= size, found
    print("\n".join([f"{'gate':24} {'file':30} {'rows':>7} {'held':>4} {'in 10,000':>8}", *lines]))
