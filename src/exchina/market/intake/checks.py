"""Faults that make prices unfit for an index: adjusted, unknown, repeated, unordered or out of the listing's window."""

import re
from collections.abc import Sequence

import polars as pl

from exchina.errors import Problem, did_you_mean
from exchina.market.intake.sheet import listed
from exchina.model import Reference
from exchina.tables.checking import MOST_OF_A_KIND, allowed, at, shown

ADJUSTED = re.compile(r"adj|.*adjusted", re.IGNORECASE)
GRID_DECIMALS, GRID_DECIMALS_OF_DEAR, DEAR, FLOAT32_NOISE, OFF_GRID_AT_MOST = 4, 2, 50.0, 2e-7, 0.10
STALE_VOLUME = 1000.0
CURE_ADJUSTED = "give raw closes; splits and dividends are files of their own ([[splits]], [[dividends]])"


def adjusted_by_name(file: str, column: str) -> list[Problem]:
    """A close column that calls itself adjusted."""
    if not ADJUSTED.match(column):
        return []
    return [Problem(f"{file}, column {column}", "is an adjusted price by its name", CURE_ADJUSTED)]


def adjusted_by_look(rows: pl.DataFrame, file: str, column: str) -> list[Problem]:
    """Symbols of which more than a tenth of the closes lie off the grid of prices, as adjustment factors make them.

    The grid is 0.0001, and 0.01 from 50 on; single-precision noise, two parts in ten million, is forgiven.
    """
    close = pl.col("close")
    grid = pl.when(close < DEAR).then(close.round(GRID_DECIMALS)).otherwise(close.round(GRID_DECIMALS_OF_DEAR))
    off = (close - grid).abs() > FLOAT32_NOISE * close
    shares = rows.group_by("symbol").agg(off=off.mean()).filter(pl.col("off") > OFF_GRID_AT_MOST).sort("symbol")
    return [
        Problem(
            f"{file}, column {column}, {symbol}",
            f"looks adjusted: {share:.0%} of the closes have more decimals than a price has",
            CURE_ADJUSTED,
        )
        for symbol, share in shares.iter_rows()
    ]


def strangers(rows: pl.DataFrame, file: str, column: str, listings: pl.DataFrame) -> list[Problem]:
    """Symbols that are no listing of the reference, each at its first row."""
    known = listings["yahoo_symbol"].to_list()
    firsts = rows.unique("symbol", keep="first", maintain_order=True).filter(~pl.col("symbol").is_in(known))
    return [
        Problem(at(file, row, column), f"{symbol!r} is no listing of the reference", did_you_mean(symbol, known))
        for row, symbol in firsts.select("row", "symbol").iter_rows()
    ]


def strange_words(rows: pl.DataFrame, column: str, ours: str, words: Sequence[str]) -> list[Problem]:
    """Cells of our column ``ours`` (called ``column`` in the file) that are none of the words."""
    found = rows.filter(~pl.col(ours).is_in(words)).select("file", "row", ours)
    problems = [
        Problem(at(file, row, column), f"found {shown(word)}", allowed(word, words))
        for file, row, word in found.head(MOST_OF_A_KIND).iter_rows()
    ]
    more = found.height - MOST_OF_A_KIND
    return [*problems, *([Problem(f"{rows['file'][0]}, column {column}", f"and {more} more")] if more > 0 else [])]


def out_of_order(rows: pl.DataFrame, file: str, column: str) -> list[Problem]:
    """Sessions that stand below a later one of the same symbol."""
    late = rows.filter(pl.col("session") < pl.col("session").cum_max().over("symbol"))
    what = "{found} stands below a later day of the same symbol"
    return listed(file, column, late.select("row", found="session"), what, "order the file by day")


def repeats(rows: pl.DataFrame, key: list[str]) -> list[Problem]:
    """Rows that have the key of another row, in whichever file."""
    again = rows.filter(~pl.struct(key).is_first_distinct())
    first = rows.unique(key, keep="first", maintain_order=True).select(*key, before="file", line="row")
    said = [name for name in key if name != "known_date"]
    pairs = again.join(first, on=key, how="left", maintain_order="left").select("file", "row", "before", "line", *said)
    problems: list[Problem] = []
    for file, row, before, line, *values in pairs.head(MOST_OF_A_KIND).iter_rows():
        what = f"repeats {before} row {line}: {', '.join(shown(value) for value in values)}"
        problems.append(Problem(at(file, row, *said), what, "keep one of the two rows"))
    if pairs.height > MOST_OF_A_KIND:
        problems.append(Problem(pairs["file"][-1], f"and {pairs.height - MOST_OF_A_KIND} more repeats"))
    return problems


def outside_window(rows: pl.DataFrame, listings: pl.DataFrame) -> pl.DataFrame:
    """Rows before a listing's first trade date or after its last, with both dates."""
    windows = listings.select("yahoo_symbol", "first_trade_date", "last_trade_date")
    dated = rows.join(windows, left_on="symbol", right_on="yahoo_symbol", how="left", maintain_order="left")
    before = pl.col("session") < pl.col("first_trade_date")
    return dated.filter(
        before.fill_null(value=False) | (pl.col("session") > pl.col("last_trade_date")).fill_null(value=False)
    )


def stale(rows: pl.DataFrame) -> pl.DataFrame:
    """Rows that repeat both the close and the volume of the session before: most likely an old quote carried on."""
    same = [pl.col(name) == pl.col(name).shift(1).over("symbol") for name in ("close", "volume")]
    return rows.sort("symbol", "session").filter(*same, pl.col("volume") >= STALE_VOLUME)


def missing_rates(rows: pl.DataFrame, rates: pl.DataFrame, day: str) -> list[Problem]:
    """Currencies other than the dollar without an exchange rate by the first day on which one is needed."""
    if "currency" not in rows.columns:
        return []
    needed = (
        rows.filter(pl.col("currency") != "USD").group_by("currency").agg(pl.col(day).min(), pl.col("file").first())
    )
    known = rates.group_by("currency").agg(first=pl.col("session").min())
    late = needed.join(known, on="currency", how="left").filter(
        pl.col("first").is_null() | (pl.col("first") > pl.col(day))
    )
    problems: list[Problem] = []
    for currency, wanted, file, first in late.sort("currency").iter_rows():
        found = f"the first is of {first}" if first else "there is none"
        what = f"no {currency} exchange rate on {wanted}: {found}"
        problems.append(Problem(file, what, "add rates from that day on in [[fx]]"))
    return problems


def off_session(rows: pl.DataFrame, sessions: pl.DataFrame, reference: Reference) -> list[Problem]:
    """Closes on a day on which the line's market did not trade: a weekend, a holiday, another market's bar."""
    venues = reference.venues.select("mic", "calendar")
    lines = reference.listings.join(venues, on="mic", maintain_order="left").select("calendar", symbol="yahoo_symbol")
    dated = rows.join(lines, on="symbol", how="left", maintain_order="left")
    closed = dated.join(
        sessions.select("calendar", "session"), on=["calendar", "session"], how="anti", maintain_order="left"
    )
    return [
        problem
        for (file,), part in closed.partition_by("file", as_dict=True, maintain_order=True).items()
        for problem in listed(
            str(file),
            "session",
            part.select("row", found=pl.format("{} of {}", "session", "symbol")),
            "{found} is no session of its exchange",
            "drop the row: no official close exists for that day",
        )
    ]
