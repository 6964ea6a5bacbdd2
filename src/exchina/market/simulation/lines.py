"""Every listing of the reference on its own sessions: closes, volumes and share counts."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

import numpy as np
import polars as pl

from exchina.market.simulation import counts, paths
from exchina.market.simulation.chance import Days, Floats, stream
from exchina.market.simulation.news import news_steps
from exchina.market.simulation.quotes import LIQUIDITY, SECONDARY_LIQUIDITY, closes_on_ticks, volumes
from exchina.market.simulation.traits import Company, companies
from exchina.model import Reference


@dataclass(frozen=True)
class World:
    """What all listings share.

    Attributes:
        reference: companies, listings and news.
        sessions: of every calendar, by the contract `exchina.tables.market.SESSIONS`.
        days: weekdays of the simulation.
        seed: of all randomness.
    """

    reference: Reference
    sessions: pl.DataFrame
    days: Days
    seed: int

    def on(self, calendar: str) -> pl.DataFrame:
        """Sessions of one calendar in order."""
        return self.sessions.filter(pl.col("calendar") == calendar).sort("session")


@dataclass(frozen=True)
class Line:
    """One listing on the sessions on which it traded; the arrays have the shape of ``days``.

    Attributes:
        company: whose shares.
        listing: its row of the reference.
        days: the sessions.
        close: in units of its currency.
        volume: whole shares.
        share_counts: of the company, the first on its first session.
        splits: of the company.
    """

    company: Company
    listing: Mapping[str, Any]
    days: Days
    close: Floats
    volume: Floats
    share_counts: Sequence[counts.Count]
    splits: Sequence[counts.Split]


@dataclass(frozen=True)
class _Issuer:
    """What the listings of one company share: its first session, and log returns before news."""

    company: Company
    first: date
    steps: Floats
    share_counts: Sequence[counts.Count]
    splits: Sequence[counts.Split]


def simulated_lines(world: World) -> list[Line]:
    """Every listing that trades on the days of the world: companies by id, listings by symbol."""
    venues = world.reference.venues.select("mic", "calendar", "local_benchmark_symbol")
    listings = world.reference.listings.join(venues, on="mic", maintain_order="left").sort("yahoo_symbol")
    calendars = {name: world.on(name) for name in venues["calendar"].unique().sort()}
    sector = paths.sector_returns(len(world.days), world.seed)
    lines: list[Line] = []
    for company in companies(world.reference):
        rows = listings.filter(pl.col("company_id") == company.id).to_dicts()
        traded = [(row, days) for row in rows if (days := _window(world, row, calendars[row["calendar"]])).size]
        if traded:
            home = next((row for row in rows if row["primary"]), rows[0])
            market = paths.local_market(home["local_benchmark_symbol"], len(world.days), world.seed)
            issuer = _issuer(world, company, min(days[0] for _, days in traded).item(), market, sector)
            lines += [_line(world, issuer, row, days, calendars[row["calendar"]]) for row, days in traded]
    return lines


def _window(world: World, listing: Mapping[str, Any], sessions: pl.DataFrame) -> Days:
    """Sessions of the simulation inside the listing's own window."""
    begin = max(np.datetime64(listing["first_trade_date"] or world.days[0]), world.days[0])
    end = min(np.datetime64(listing["last_trade_date"] or world.days[-1]), world.days[-1])
    days = sessions["session"].to_numpy()
    return days[(days >= begin) & (days <= end)]


def _issuer(world: World, company: Company, first: date, market: Floats, sector: dict[str, Floats]) -> _Issuer:
    history = counts.share_counts(world.reference, company, first, world.days[-1].item(), world.seed)
    steps = paths.value_steps(company, world.days, market, sector, world.seed)
    return _Issuer(company, first, steps, history, counts.splits(world.reference, company.id))


def _line(world: World, issuer: _Issuer, listing: Mapping[str, Any], days: Days, sessions: pl.DataFrame) -> Line:
    company, symbol, all_days = issuer.company, listing["yahoo_symbol"], world.days
    steps = issuer.steps + news_steps(world.reference, company, all_days, sessions, world.seed)
    steps[all_days <= np.datetime64(issuer.first)] = 0
    value = company.value_usd(issuer.first, world.seed) * paths.relative_value(steps)
    price = value / counts.shares_behind_a_price(issuer.share_counts, issuer.splits, all_days)
    rate = paths.usd_rate(listing["currency"], len(all_days), world.seed)
    liquidity = LIQUIDITY.get(listing["mic"], 1.0) * (1.0 if listing["primary"] else SECONDARY_LIQUIDITY)
    turnover = company.by_day(all_days, "turnover") * liquidity
    surprise = np.abs(steps) / paths.daily_volatility(company, all_days)
    volume = volumes(value, price, turnover, surprise, world.seed, symbol, "volume")
    silent = stream(world.seed, symbol, "silence").random(len(all_days)) < company.by_day(all_days, "silent")
    silent[all_days == days[0]] = False
    where = np.searchsorted(all_days, days)
    where = where[~silent[where]]
    close = closes_on_ticks((price / rate)[where], listing["mic"])
    return Line(company, listing, all_days[where], close, volume[where], issuer.share_counts, issuer.splits)
