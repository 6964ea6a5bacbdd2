"""The sample market: the real companies, listings and news of the reference, with prices simulated from a seed."""

from collections.abc import Iterable, Sequence
from datetime import date
from typing import Any

import numpy as np
import polars as pl

from exchina.errors import DataError, Problem
from exchina.market import Delivery, provider
from exchina.market.simulation import money, paths
from exchina.market.simulation.chance import Days, between, chance
from exchina.market.simulation.endings import endings
from exchina.market.simulation.lines import Line, World, simulated_lines
from exchina.model import Reference
from exchina.tables.market import CONTRACTS, SCHEMAS

DIVIDEND_MONTHS = (3, 9)
FRANKED_PAYERS = 0.5
ASSUMPTIONS = (
    "Prices, volumes, exchange and money-market rates, forwards and benchmarks are simulated: they say nothing about "
    "any real security.",
    "Free float and dividends (some Australian ones franked) are simulated too, share counts where the reference has "
    "no report.",
    "A listing that ends moves one for one to another listing of its company, is taken over for cash at its last "
    "close, fails or is delisted; spin-offs and rights issues are not simulated.",
)


@provider("sample")
def sample(
    reference: Reference, *, seed: int = 2010, start: date = date(2010, 1, 4), through: date = date(2026, 11, 20)
) -> Delivery:
    """A simulated market of every listing of the reference, the same bytes for the same reference and seed.

    A later ``through`` adds rows and changes none. Each company draws from streams of its own, so that one company
    more leaves the others as they were.

    Args:
        reference: the companies, their listings, stages, share counts and corporate actions, and the policy news.
        seed: of all randomness.
        start: first day.
        through: last day with prices; sessions reach to the end of the year after.

    Raises:
        DataError: a listing trades in a currency that has no anchor here.
    """
    from exchina.market.calendar import market_sessions

    unknown = set(reference.listings["currency"]) - {"USD", *paths.RATES_USD}
    if unknown:
        cure = f"add an anchor; there are {', '.join(paths.RATES_USD)}"
        raise DataError(*(Problem("sample market", f"no exchange rate for {name}", cure) for name in sorted(unknown)))
    world = World(reference, market_sessions(reference, start, through), paths.weekdays(start, through), seed)
    lines = simulated_lines(world)
    tables = {
        "prices": _prices(lines),
        "dividends": _dividends(lines, seed),
        "splits": _splits(lines),
        "shares": _shares(lines, through),
        "floats": _floats(world, lines),
        "fx": _rates(world),
        "benchmarks": _benchmarks(world),
        "actions": _actions(world, lines, through),
        "forwards": _forwards(world),
        "cash_rates": _cash_rates(world),
        "sessions": world.sessions,
    }
    return Delivery("simulated", f"Simulated by exchina from seed {seed}: no real prices.", tables, ASSUMPTIONS)


def _table(name: str, rows: Iterable[Sequence[Any]]) -> pl.DataFrame:
    return pl.DataFrame(list(rows), SCHEMAS[name], orient="row").sort(CONTRACTS[name].unique or [])


def _prices(lines: Sequence[Line]) -> pl.DataFrame:
    frames = [
        pl.DataFrame({"session": line.days, "close": line.close, "volume": line.volume}).select(
            pl.lit(line.listing["yahoo_symbol"]).alias("symbol"), pl.all(), known_date=pl.col("session")
        )
        for line in lines
    ]
    return pl.concat(frames).sort("symbol", "session")


def _first_session(line: Line, day: date) -> int:
    """Number of the line's first session on or after a day; its length if there is none."""
    return int(np.searchsorted(line.days, np.datetime64(day)))


def _dividends(lines: Sequence[Line], seed: int) -> pl.DataFrame:
    """Half of a year's yield in March and in September, of the close before."""
    rows: list[tuple[Any, ...]] = []
    for line in lines:
        late = 28 if line.listing["currency"] == "JPY" else 10
        years = range(line.days[0].item().year, line.days[-1].item().year + 1)
        payer = chance(seed, line.company.id, "payer")
        for day in (date(year, month, late) for year in years for month in DIVIDEND_MONTHS):
            at, traits = _first_session(line, day), line.company.traits(day)
            if 0 < at < len(line.days) and payer < traits.payers:
                amount = float(f"{line.close[at - 1] * traits.dividend_yield / 2:.3g}")
                symbol, currency, ex_date = line.listing["yahoo_symbol"], line.listing["currency"], line.days[at].item()
                franked = float(currency == "AUD" and chance(seed, line.company.id, "franked") < FRANKED_PAYERS)
                rows.append((symbol, ex_date, amount, currency, "ordinary", franked, "confirmed", ex_date))
    return _table("dividends", rows)


def _actions(world: World, lines: Sequence[Line], through: date) -> pl.DataFrame:
    rows = list(endings(world.reference, lines, through))
    return pl.DataFrame(rows, SCHEMAS["actions"]).sort(CONTRACTS["actions"].unique or [])


def _forwards(world: World) -> pl.DataFrame:
    foreign = [name for name in _currencies(world) if name != "USD"]
    rates = {name: money.forward(name, world.days, world.seed) for name in foreign}
    return _series("forwards", world.days, rates, "currency", "usd_per_unit")


def _cash_rates(world: World) -> pl.DataFrame:
    """A row where a rate starts to hold; of the dollar too."""
    first, last = world.days[0].item(), world.days[-1].item()
    rows = [
        (currency, day, rate, day)
        for currency in {"USD", *_currencies(world)}
        for day, rate in money.cash_rates(currency, first, world.seed)
        if day <= last
    ]
    return _table("cash_rates", rows)


def _currencies(world: World) -> list[str]:
    return world.reference.listings["currency"].unique().sort().to_list()


def _splits(lines: Sequence[Line]) -> pl.DataFrame:
    found = [(line, _first_session(line, split.day), split.ratio) for line in lines for split in line.splits]
    return _table(
        "splits",
        [
            (line.listing["yahoo_symbol"], (ex_date := line.days[at].item()), ratio, ex_date)
            for line, at, ratio in found
            if 0 < at < len(line.days)
        ],
    )


def _shares(lines: Sequence[Line], through: date) -> pl.DataFrame:
    """Counts known by ``through`` on sessions of each listing; the one in force on its first session stands there."""
    rows: dict[tuple[str, date], tuple[Any, ...]] = {}
    for line in lines:
        for count in line.share_counts:
            at = _first_session(line, count.effective)
            if at < len(line.days):
                symbol, effective = line.listing["yahoo_symbol"], line.days[at].item()
                known = effective if at == 0 else max(count.known, effective)
                rows[symbol, effective] = (symbol, effective, count.shares, known)
    return _table("shares", [row for row in rows.values() if row[-1] <= through])


def _floats(world: World, lines: Sequence[Line]) -> pl.DataFrame:
    """A simulated factor on the first session, reported ones of the reference from the day they were known."""
    reported = world.reference.exposures.filter(pl.col("metric") == "free_float_factor").sort("as_of")
    rows: list[tuple[Any, ...]] = []
    for line in lines:
        symbol, first, last = line.listing["yahoo_symbol"], line.days[0].item(), line.days[-1].item()
        factor = round(between(0.5, 0.95, world.seed, line.company.id, "float"), 2)
        rows.append((symbol, first, factor, "reported", first))
        own = reported.filter((pl.col("company_id") == line.company.id) & (pl.col("as_of") > first))
        later = own.filter(pl.col("known_date") <= last).select("as_of", "value", "known_date").iter_rows()
        rows += [(symbol, as_of, value, "reported", known) for as_of, value, known in later]
    return _table("floats", rows)


def _rates(world: World) -> pl.DataFrame:
    foreign = [name for name in _currencies(world) if name != "USD"]
    rates = {name: paths.usd_rate(name, len(world.days), world.seed) for name in foreign}
    return _series("fx", world.days, rates, "currency", "usd_per_unit")


def _benchmarks(world: World) -> pl.DataFrame:
    venues = world.reference.venues.sort("mic").unique("local_benchmark_symbol", keep="first", maintain_order=True)
    frames: list[pl.DataFrame] = []
    for symbol, calendar in venues.select("local_benchmark_symbol", "calendar").iter_rows():
        level = paths.benchmark_level(symbol, len(world.days), world.seed)
        frame = _series("benchmarks", world.days, {symbol: level}, "symbol", "level")
        frames.append(frame.join(world.on(calendar), on="session", how="semi", maintain_order="left"))
    return pl.concat(frames).sort("symbol", "session")


def _series(name: str, days: Days, values: dict[str, Any], key: str, value: str) -> pl.DataFrame:
    """One row per key and day, by the contract called ``name``."""
    wide = pl.DataFrame({"session": days, **{column: np.round(path, 10) for column, path in values.items()}})
    long = wide.unpivot(index="session", variable_name=key, value_name=value).with_columns(known_date="session")
    return long.select(SCHEMAS[name].names()).sort(key, "session")
