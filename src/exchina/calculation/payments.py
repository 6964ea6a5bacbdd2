"""Ordinary dividends: which cash is booked on which session, before and after tax.

    net = d (1 - tau (1 - f))      f the franked share, where the rulebook lets it go free of tax

A dividend is booked on its ex-date, or on the first index session after it; what is learnt later is booked as a
difference when it is learnt, and no earlier level changes. Cash is per share on the terms of the session it is booked.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date
from math import prod

import numpy as np
import polars as pl

from exchina.calculation.board import Board, day_number
from exchina.calculation.lines import Event
from exchina.errors import DataError, Problem
from exchina.model import CalculationRule

ISSUER_CURE = "fill in the country of domicile in companies.csv"


@dataclass(frozen=True)
class TaxTable:
    """Tax on dividends by the tax domicile of the issuer.

    Attributes:
        rates: country, profile, rate, valid_from, valid_to (null: open): `indices/reference/withholding.csv`.
        countries: country of each symbol's issuer; None where it is not established.
        moves: symbol, day and new country of each issuer that moved, by day.
    """

    rates: pl.DataFrame
    countries: Mapping[str, str | None]
    moves: tuple[tuple[str, date, str], ...] = ()

    def rate(self, symbol: str, day: date, profile: str) -> float | Problem:
        """tau on a day, or the problem that it is not known."""
        country = self.countries.get(symbol)
        for moved, since, there in self.moves:
            if moved == symbol and since <= day:
                country = there
        if country is None:
            return Problem(f"{symbol}, dividend of {day}", "the issuer's country is not known", ISSUER_CURE)
        known = self.rates.filter(
            (pl.col("country") == country)
            & (pl.col("profile") == profile)
            & (pl.col("valid_from") <= day)
            & (pl.col("valid_to").is_null() | (pl.col("valid_to") >= day))
        )
        if known.height != 1:
            what = (
                f"withholding.csv has {known.height or 'no'} rate{'s' * (known.height > 1)} of {country} for {profile}"
            )
            return Problem(f"{symbol}, dividend of {day}", what, f"give {country} one rate valid on that day")
        return float(known["rate"][0])


def with_cash(
    board: Board, dividends: pl.DataFrame, events: Sequence[Event], taxes: TaxTable | None, rule: CalculationRule
) -> Board:
    """The board with its ordinary dividends.

    Args:
        board: sessions, lines and exchange rates.
        dividends: every known version of each dividend, by the market contract.
        events: splits and stock dividends after an ex-date spread its cash over the new shares.
        taxes: None where no net return is asked for; ``net`` is then NaN wherever cash is paid.
        rule: ``dividend_estimates``, ``dividend_fx``, ``withholding`` and ``franking``.

    Raises:
        DataError: a tax rate, the issuer's country or an exchange rate is not known; all such faults at once.
    """
    gross, net = np.zeros_like(board.prices), np.zeros_like(board.prices)
    faults: dict[str, Problem] = {}
    at = {symbol: number for number, symbol in enumerate(board.symbols)}
    for row in bookings(dividends.filter(pl.col("symbol").is_in(list(at))), rule).iter_rows():
        symbol, ex_date, booked, amount, currency, franked = row
        across = at[symbol]
        down = _booked_on(board, ex_date, booked, across)
        if down is None:
            continue
        rate = _rate_between(board, currency, down - (rule.dividend_fx == "prior_day"), across)
        tau = taxes.rate(symbol, ex_date, rule.withholding) if taxes else float("nan")
        if not np.isfinite(rate):
            own, cure = board.currencies[board.currency_at[across]], f"bring {currency} rates into the market"
            place = f"{symbol}, dividend of {ex_date}"
            faults[place] = Problem(place, f"no rate from {currency} to {own}", cure)
        elif isinstance(tau, Problem):
            faults[tau.where] = tau
        else:
            paid = amount * rate / _new_per_old(events, symbol, ex_date, board.sessions[down])
            free = franked if rule.franking == "unfranked_part" else 0.0
            gross[down, across] += paid
            net[down, across] += paid * (1 - tau * (1 - free))
    if faults:
        raise DataError(*faults.values())
    return replace(board, gross=gross, net=net)


def bookings(dividends: pl.DataFrame, rule: CalculationRule) -> pl.DataFrame:
    """What is booked when, of every version of each ordinary dividend.

    Under ``when_confirmed`` an estimate counts for nothing; under ``estimate_then_correct`` it is booked and the
    difference to the confirmed amount follows: the old version is taken back, with its own currency and franked share,
    and the new one is booked. A retracted dividend is worth nothing.

    Returns:
        symbol, ex_date, booked (the ex-date, or the later day on which it was known), amount (difference), currency,
        franked; no row where nothing changes.
    """
    nothing = pl.col("status") == "retracted"
    if rule.dividend_estimates == "when_confirmed":
        nothing |= pl.col("status") == "estimated"
    versions = (
        dividends.filter(pl.col("type") == "ordinary")
        .with_columns(
            amount=pl.when(nothing).then(0.0).otherwise("amount"), booked=pl.max_horizontal("ex_date", "known_date")
        )
        .sort("symbol", "ex_date", "known_date")
        .unique(["symbol", "ex_date", "booked"], keep="last", maintain_order=True)
        .select("symbol", "ex_date", "booked", "amount", "currency", "franked")
    )
    before = [pl.col(name).shift(1).over("symbol", "ex_date") for name in ("amount", "currency", "franked")]
    taken_back = versions.with_columns(before).filter(pl.col("amount").is_not_null()).with_columns(-pl.col("amount"))
    key = ["symbol", "ex_date", "booked", "currency", "franked"]
    booked = pl.concat([versions, taken_back]).group_by(key, maintain_order=True).agg(pl.col("amount").sum())
    changed = booked.filter(pl.col("amount") != 0).sort("symbol", "ex_date", "booked", "currency", "franked")
    return changed.select("symbol", "ex_date", "booked", "amount", "currency", "franked")


def _booked_on(board: Board, ex_date: date, booked: date, across: int) -> int | None:
    """The row on which cash is booked: the first on which the line's own market has opened on or after the ex-date.

    None outside the board, or on its first session, which is past.
    """
    down = board.row_from(max(ex_date, booked))
    while down < len(board.sessions) and board.last_open(down, across) < day_number(ex_date):
        down += 1
    return down if 0 < down < len(board.sessions) else None


def _rate_between(board: Board, paid_in: str, down: int, across: int) -> float:
    """Units of a line's currency per unit of the one a dividend is paid in; NaN where it is not known."""
    own = int(board.currency_at[across])
    if paid_in == board.currencies[own]:
        return 1.0
    if paid_in not in board.currencies:
        return float("nan")
    return float(board.spot[down, board.currencies.index(paid_in)] / board.spot[down, own])


def _new_per_old(events: Sequence[Event], symbol: str, after: date, until: date) -> float:
    """Shares that stand in place of one after the splits and stock dividends between two days."""
    return prod(event.factor for event in events if event.symbol == symbol and after < event.ex_date <= until)
