"""PURE. The answers of a vendor as the tables of a market, or why a line cannot be one."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import polars as pl

from exchina.market.live.plan import Wanted
from exchina.market.live.raw import as_traded, in_major, later_splits, money_unit
from exchina.market.live.source import Answer, Facts, History
from exchina.model import MarketData
from exchina.tables.market import CONTRACTS, SCHEMAS

ROLES = ("rate", "benchmark")
STILL_IN_USE = timedelta(days=30)  # the last days of some listings are approximate
FACTOR_DIGITS = 4
RATE_DIGITS = 10
LEVEL_MOVED = 1e-6


@dataclass(frozen=True)
class Shaped:
    """Tables of one delivery, and what was left out.

    Attributes:
        tables: by the names of `exchina.tables.market.CONTRACTS`, without sessions and actions.
        failed: why a series is not among them, by what was wanted.
        without_counts: symbols of lines for which the vendor has no share count at all.
        counted_today: symbols of lines of which only today's count is known.
        without_float: symbols of lines without a usable float of the vendor.
        assumed_float: symbols whose float before today is assumed.
    """

    tables: Mapping[str, pl.DataFrame]
    failed: Mapping[Wanted, str]
    without_counts: tuple[str, ...]
    counted_today: tuple[str, ...]
    without_float: tuple[str, ...]
    assumed_float: tuple[str, ...]


def shaped(answers: Mapping[Wanted, Answer], stored: MarketData | None, today: date) -> Shaped:
    """The tables of everything that was answered whole and does not contradict the reference.

    Args:
        answers: of the vendor.
        stored: what the store has.
        today: the day of facts that the vendor does not date.
    """
    failed = {one: why for one, answer in answers.items() if (why := answer.failed or contradiction(one, answer))}
    failed |= _without_rate(answers, failed)
    whole = {one: answer for one, answer in answers.items() if one not in failed}
    traded = {one: as_traded(answer.history) for one, answer in whole.items() if answer.history and one.role == "line"}
    lines = {one: whole[one] for one in traded}
    floats = {one: _floats(one, answer.facts, traded[one], stored, today) for one, answer in lines.items()}
    counted = set() if stored is None else set(stored.shares["symbol"])
    shares = {one: _shares(one, answer, today, held=one.name in counted) for one, answer in lines.items()}
    others = {role: [(one, answer) for one, answer in whole.items() if one.role == role] for role in ROLES}
    frames = {
        "prices": [_prices(one, history) for one, history in traded.items()],
        "dividends": [_dividends(one, history) for one, history in traded.items()],
        "splits": [_splits(one, history) for one, history in traded.items()],
        "shares": shares.values(),
        "floats": floats.values(),
        "fx": [_rate(one, answer.history) for one, answer in others["rate"] if answer.history],
        "benchmarks": [_level(one, answer.history, stored) for one, answer in others["benchmark"] if answer.history],
    }
    live = [one for one in lines if one.ends is None]
    return Shaped(
        {name: _joined(name, parts) for name, parts in frames.items()},
        failed,
        tuple(one.name for one in lines if shares[one].is_empty() and one.name not in counted),
        tuple(one.name for one in live if lines[one].counts is None and shares[one].height),
        tuple(one.name for one in live if floats[one].is_empty() and one.first),
        tuple(one.name for one in live if "assumed" in floats[one]["basis"]),
    )


def contradiction(one: Wanted, answer: Answer) -> str:
    """Why an answer cannot be of what was wanted; empty if it can.

    The currency, its unit and the clock of the exchange must be those of the venue. An ended listing whose symbol the
    vendor still trades more than `STILL_IN_USE` later is by now another company's.
    """
    history = answer.history
    if history is None:
        return "no answer"
    currency, unit = money_unit(history.currency)
    if one.currency and (currency, unit) != (one.currency, one.unit):
        wanted = f"{one.currency} in units of {one.unit:g}"
        return f"quoted in {history.currency}, the reference says {wanted}"
    if one.zone and history.zone and _offset(history.zone, one.until) != _offset(one.zone, one.until):
        return f"traded by the clock of {history.zone}, the reference says {one.zone}"
    if one.ends and history.traded_to and history.traded_to > one.ends + STILL_IN_USE:
        return f"listed here until {one.ends}, but the symbol traded on {history.traded_to}: another company's by now"
    if not history.bars.filter(_inside(one) & pl.col("close").is_not_null()).height:
        return f"no close from {one.since} to {one.until}"
    return ""


def _offset(zone: str, day: date) -> timedelta | None:
    try:
        return datetime(day.year, day.month, day.day, 12, tzinfo=ZoneInfo(zone)).utcoffset()
    except (ZoneInfoNotFoundError, ValueError):
        return None


def _without_rate(answers: Mapping[Wanted, Answer], failed: Mapping[Wanted, str]) -> dict[Wanted, str]:
    """Lines whose currency has a failed rate: their days would come without one."""
    lacking = {one.name: why for one, why in failed.items() if one.role == "rate"}
    return {
        one: f"no {one.currency} exchange rate: {lacking[one.currency]}"
        for one in answers
        if one.role == "line" and one.currency in lacking and one not in failed
    }


def _inside(one: Wanted, day: str = "session") -> pl.Expr:
    return pl.col(day).is_between(one.since, one.until)


def _joined(name: str, parts: Iterable[pl.DataFrame]) -> pl.DataFrame:
    rows = pl.concat([pl.DataFrame(schema=SCHEMAS[name]), *parts])
    return rows.sort(CONTRACTS[name].unique or [])


def _prices(one: Wanted, history: History) -> pl.DataFrame:
    bars = history.bars.filter(_inside(one))
    return bars.select(
        pl.lit(one.name).alias("symbol"),
        "session",
        close=in_major(bars["close"], one.unit),
        volume="volume",
        known_date="session",
    )


def _dividends(one: Wanted, history: History) -> pl.DataFrame:
    """Cash in the currency of the line, or the vendor's own where it names one; one row an ex-date and currency."""
    named = history.dividends.filter(_inside(one, "ex_date")).with_columns(
        pl.col("currency").fill_null(history.currency)
    )
    units = {code: money_unit(code) for code in named["currency"].unique()}
    parts = [
        part.with_columns(amount=in_major(part["amount"], units[str(code)][1]), currency=pl.lit(units[str(code)][0]))
        for (code,), part in named.partition_by("currency", as_dict=True, maintain_order=True).items()
    ]
    paid = pl.concat([named.clear(), *parts]).group_by("ex_date", "currency").agg(pl.col("amount").sum())
    return paid.select(
        pl.lit(one.name).alias("symbol"),
        "ex_date",
        pl.col("amount").round_sig_figs(RATE_DIGITS),
        "currency",
        type=pl.lit("ordinary"),
        franked=pl.lit(0.0),
        status=pl.lit("confirmed"),
        known_date="ex_date",
    )


def _splits(one: Wanted, history: History) -> pl.DataFrame:
    found = history.splits.filter(_inside(one, "ex_date")).group_by("ex_date").agg(pl.col("ratio").product())
    return found.select(pl.lit(one.name).alias("symbol"), "ex_date", "ratio", known_date="ex_date")


def _shares(one: Wanted, answer: Answer, today: date, *, held: bool) -> pl.DataFrame:
    """Counts with their own dates; of a line without any, stored or told, today's, from today on."""
    counts = answer.counts
    if counts is None:
        now = answer.facts.shares if answer.facts and not held else None
        rows = [(one.name, today, now, today)] if now and now > 0 else []
        return pl.DataFrame(rows, SCHEMAS["shares"], orient="row")
    sound = counts.filter(pl.col("shares").is_finite() & (pl.col("shares") > 0))
    last = sound.unique("effective_date", keep="last", maintain_order=True).sort("effective_date")
    within = last if one.ends is None else last.filter(pl.col("effective_date") <= one.ends)
    return within.select(pl.lit(one.name).alias("symbol"), "effective_date", "shares", "known_date")


def float_factor(facts: Facts | None) -> float | None:
    """Public shares over shares; None where one is missing or the public would hold more than there are."""
    if facts is None or not facts.shares or not facts.float_shares:
        return None
    factor = round(facts.float_shares / facts.shares, FACTOR_DIGITS)
    return factor if 0 < factor <= 1 else None


def _floats(one: Wanted, facts: Facts | None, traded: History, stored: MarketData | None, today: date) -> pl.DataFrame:
    """Today's factor, reported, if it is another than the last; for a line that is new also as the assumed one."""
    factor = float_factor(facts)
    rows: list[tuple[object, ...]] = []
    if factor is not None:
        first = traded.bars.filter(_inside(one))["session"].min()
        held = None if stored is None else stored.floats.filter(symbol=one.name)
        if held is None or held.filter(basis="assumed").is_empty():
            rows.append((one.name, first, factor, "assumed", first))
        before = [] if held is None else held.filter(basis="reported")["free_float_factor"].to_list()
        if not before or before[-1] != factor:
            rows.append((one.name, today, factor, "reported", today))
    return pl.DataFrame(rows, SCHEMAS["floats"], orient="row")


def _rate(one: Wanted, history: History) -> pl.DataFrame:
    bars = as_traded(history).bars.filter(_inside(one))
    usd = bars["close"] if one.currency == "USD" else 1 / bars["close"]
    return bars.select(
        pl.lit(one.name).alias("currency"),
        "session",
        usd_per_unit=usd.round_sig_figs(RATE_DIGITS),
        known_date="session",
    )


def _level(one: Wanted, history: History, stored: MarketData | None) -> pl.DataFrame:
    """Closes adjusted for splits; after a new split they go on from the stored level, so that returns are right."""
    bars = as_traded(replace(history, adjusted_for="nothing")).bars.filter(_inside(one))
    later = later_splits(replace(history, adjusted_for="splits"), bars["session"])
    level = bars.select("session", level="close" if history.adjusted_for == "splits" else bars["close"] / later)
    if stored is not None and history.splits.height:
        both = level.join(stored.benchmarks.filter(symbol=one.name), on="session", suffix="_stored").sort("session")
        if both.height:
            scale = both["level_stored"][0] / both["level"][0]
            level = level.with_columns(level=pl.col("level") * (scale if abs(scale - 1) > LEVEL_MOVED else 1.0))
    return level.select(
        pl.lit(one.name).alias("symbol"), "session", pl.col("level").round_sig_figs(RATE_DIGITS), known_date="session"
    )
