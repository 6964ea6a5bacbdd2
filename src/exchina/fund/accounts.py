"""The accounts of a fund, session by session.

    NAV = shares held at their closes + cash + dividends receivable + tax claims + open forwards
          - fee owed - distributions owed

The order of a session: what the index changes before the open (trades at the close before), closes, dividends ex,
interest, lending, fee, forwards, payments due, distribution, NAV; then, at that NAV, flows; then cash outside its band
is invested or raised at the close. So a trade moves no NAV of its own day; its cost is in the next.
"""

from bisect import bisect_left, bisect_right
from collections import defaultdict
from dataclasses import dataclass
from math import copysign

import numpy as np

from exchina.errors import DataError, Problem
from exchina.fund.flow_plan import FlowPlan
from exchina.fund.path import BoolArray, FloatArray, Path, Stop
from exchina.fund.terms import Fund

NEUTRAL = 1e-12
WITHIN = 1e-9
MONEY_MARKET_YEAR = 360
DAYS = {"actual/365": 365, "actual/360": 360}
COLUMNS = {
    "base": "net assets after the flows of the close before; returns are fractions of it",
    "opened": "value of the shares held on the terms of the session, at the close before",
    "equity": "the same at the close",
    "cash": "cash at the close, before flows",
    "receivable": "dividends booked and not yet paid",
    "claims": "tax claimed back and not yet paid",
    "forwards": "value of open forwards",
    "fee_owed": "fee accrued and not yet paid",
    "distribution_owed": "distributions ex and not yet paid",
    "nav": "net assets",
    "outstanding": "shares of the fund, before the flows of the close",
    "dividends": "dividends booked, before tax",
    "tax": "tax on them that is not claimed back",
    "interest": "on cash",
    "lending": "from lending securities",
    "fee": "accrued, above zero",
    "hedge": "gain of the forwards",
    "cost": "of the trades at the close before",
    "swing": "left to the others by who came or went at the close before",
    "distribution": "a share",
    "income": "of the income account",
    "flow": "dealt at the close, creations above zero",
    "traded": "bought and sold at the close before, both counted",
}


@dataclass(frozen=True)
class Accounts:
    """What a fund has been, in its currency.

    Attributes:
        path: what was followed: n sessions, m lines.
        columns: (n,) each, by the names of `COLUMNS`.
        holdings: row of the first session over which shares are held, and the shares (m,), oldest first; what is traded
            at the last close stands at row n.
        purchases: row of each close at which the fund dealt, and the lines it bought (m,). What comes in kind, a slice
            of the holdings, is no purchase.
        reviewed: row of each close at which a review was traded, and what was bought (sold below zero) of each line
            (m,), fund currency.
        issued: shares of the fund after the flows of the last close.
    """

    path: Path
    columns: dict[str, FloatArray]
    holdings: tuple[tuple[int, FloatArray], ...]
    purchases: tuple[tuple[int, BoolArray], ...]
    reviewed: tuple[tuple[int, FloatArray], ...]
    issued: float

    @property
    def nav_per_share(self) -> FloatArray:
        """(n,) NAV / shares outstanding."""
        return self.columns["nav"] / self.columns["outstanding"]

    def held(self) -> FloatArray:
        """(n, m) shares at each close, before what is traded at it; at the launch, those bought."""
        rows = np.array([row for row, _ in self.holdings])
        at = np.searchsorted(rows, np.arange(len(self.path.sessions)), side="right") - 1
        return np.stack([shares for _, shares in self.holdings])[np.maximum(at, 0)]

    def after_trades(self) -> FloatArray:
        """(n, m) value of what is held after the trades of each close, on the terms of the next session."""
        worth = self.path.worth.copy()
        for stop in self.path.stops:
            worth[stop.row - 1] = stop.worth_after
        return np.concatenate([self.held()[1:], self.holdings[-1][1][None]]) * worth

    def bought(self) -> BoolArray:
        """(n, m) whether the fund buys a line at a close; at the launch, whatever it then holds."""
        made = np.zeros((len(self.path.sessions), len(self.path.symbols)), bool)
        for row, lines in self.purchases:
            made[row] |= lines
        return made


def accounts(path: Path, fund: Fund, plan: FlowPlan) -> Accounts:
    """Run a fund along a path.

    Args:
        path: what it follows.
        fund: its terms.
        plan: money that comes and goes.

    Raises:
        DataError: a redemption larger than the fund, or nothing is left of it; with the day and the figures.
    """
    books = _Books(path, fund, plan)
    for row in range(1, len(path.sessions)):
        books.session(row)
    columns = {name: np.array(column) for name, column in books.columns.items()}
    traded = (tuple(books.holdings), tuple(books.purchases), tuple(books.reviewed))
    return Accounts(path, columns, *traded, books.outstanding)


class _Books:
    """The state of the accounts; `accounts` leads it."""

    def __init__(self, path: Path, fund: Fund, plan: FlowPlan) -> None:
        facts = fund.facts
        self.path, self.fund = path, fund
        self.stops, self.dealt = {stop.row: stop for stop in path.stops}, {one.row: one for one in path.dealing}
        self.ends = [*sorted(self.stops), len(path.sessions)]
        self.numbers = [session.toordinal() for session in path.sessions]
        self.pays = (path.gross != 0).any(axis=1).tolist()
        self.columns = {name: [0.0] * len(path.sessions) for name in COLUMNS}
        self.rates, self.money, self.growth = path.money_market.tolist(), plan.money.tolist(), plan.growth.tolist()
        self.holdings: list[tuple[int, FloatArray]] = []
        self.purchases: list[tuple[int, BoolArray]] = []
        self.reviewed: list[tuple[int, FloatArray]] = []
        self.due, self.claimed, self.owed = (defaultdict[int, float](float) for _ in range(3))
        self.receivable = self.claims = self.fee_owed = self.distribution_owed = self.forwards = 0.0
        self.income = self.pending = self.cost = self.swing = self.traded = 0.0
        self.gains, self.rolls = [0.0] * len(path.sessions), set(np.flatnonzero(path.hedge_rolls).tolist())
        self.dealing, self.unit, self.held = path.dealing[0], path.start, np.zeros(len(path.symbols))
        self.cash = self.assets = facts.seed
        self.outstanding = facts.seed / facts.share_price
        self._launch()

    def session(self, row: int) -> None:
        """Everything between the close before and the close of a row."""
        put, stop = self.columns, self.stops.get(row)
        self.dealing = self.dealt.get(row, self.dealing)
        units = self._follow(stop) if stop is not None else 0.0
        put["base"][row], put["swing"][row], put["opened"][row] = self.assets - self.swing, self.swing, self.opened
        put["cost"][row], put["traded"][row], put["outstanding"][row] = self.cost, self.traded, self.outstanding
        self.cost = self.swing = self.traded = 0.0
        self._accrue(row)
        put["equity"][row] = self.opened = equity = self.values[row - self.valued_from]
        if self.pays[row] or (stop is not None and (stop.special or stop.withheld)):
            self._go_ex(row, stop, units)
        self._settle(row)
        self._distribute(row)
        put["cash"][row], put["receivable"][row], put["claims"][row] = self.cash, self.receivable, self.claims
        put["forwards"][row], put["fee_owed"][row], put["income"][row] = self.forwards, self.fee_owed, self.income
        put["distribution_owed"][row] = self.distribution_owed
        self.assets = equity + self.cash + self.receivable + self.claims + self.forwards
        self.assets -= self.fee_owed + self.distribution_owed
        put["nav"][row] = self.assets
        if not self.assets > 0:
            what = f"net assets fall to {self.assets:,.2f} {self.fund.facts.currency}"
            raise self._refused(row, what, "a larger seed, smaller flows, or lower fee, costs and hedge")
        rolls = row in self.rolls
        if rolls:
            self.cash, self.forwards = self.cash + self.forwards, 0.0
        self._deal(row)
        following = self.stops.get(row + 1)
        if following is None or not following.traded:
            self._invest(row)
        if rolls:
            self._sell_forward(row)

    def _launch(self) -> None:
        """Buy the portfolio with the seed at the close of the first session."""
        facts, worth, invested = self.fund.facts, self.path.worth[0], self.assets * (1 - self.fund.cash.target)
        wanted = invested / float((self.unit * worth).sum()) * self.unit
        if facts.seeded == "cash":
            wanted *= 1 - self.dealing.cost(wanted * worth) / invested
        self._trade(0, self._in_lots(wanted, self.held), free=facts.seeded == "in_kind")
        self.holdings = [(0, self.held)]
        self.assets = facts.seed
        cash, outstanding = facts.seed - self.opened, self.outstanding
        first = {"base": facts.seed, "opened": self.opened, "equity": self.opened, "cash": cash, "nav": facts.seed}
        for name, value in {**first, "outstanding": outstanding}.items():
            self.columns[name][0] = value
        if 0 in self.rolls:
            self._sell_forward(0)

    def _in_lots(self, wanted: FloatArray, held: FloatArray) -> FloatArray:
        """What is held after trades in whole lots, never more than wanted; a line that is left is sold to the last."""
        lots = self.path.lots
        if not lots.any():
            return wanted
        traded = (wanted - held) / np.maximum(lots, 1)
        made = held + np.floor(traded + WITHIN * (1 + np.abs(traded))) * lots
        return np.where(lots > 0, np.maximum(made, 0.0), wanted)

    def _whole(self, shares: FloatArray) -> FloatArray:
        """Whole shares of lines that are held in lots; a count within 1e-9 of the next is that."""
        return np.where(self.path.lots > 0, np.floor(shares * (1 + WITHIN)), shares)

    def _hold(self, row: int, shares: FloatArray) -> None:
        """Hold other shares from the close of ``row`` on, and value them up to the next stop."""
        last = self.ends[bisect_right(self.ends, row + 1)] if row + 1 < self.ends[-1] else self.ends[-1]
        self.held, self.valued_from = shares, row + 1
        self.values = (self.path.worth[row + 1 : last] * shares).sum(axis=1).tolist()
        if self.holdings and self.holdings[-1][0] == row + 1:
            self.holdings.pop()
        self.holdings.append((row + 1, shares))

    def _trade(self, row: int, wanted: FloatArray, *, free: bool = False) -> None:
        """Buy and sell at the close of a row."""
        moved = (wanted - self.held) * self.path.worth[row]
        self._charge(row, moved, 0.0 if free else self.dealing.cost(moved), free=free)
        self.cash -= float(moved.sum())
        self._hold(row, wanted)
        self.opened = float((wanted * self.path.worth[row]).sum())

    def _charge(self, row: int, moved: FloatArray, cost: float, *, free: bool = False) -> None:
        self.purchases.append((row, moved > WITHIN * self.assets))
        self.cash -= cost
        self.cost += cost
        self.traded += 0.0 if free else float(np.abs(moved).sum())

    def _spare(self) -> float:
        """Cash beyond the target; below zero, what is lacking."""
        return self.cash - self.distribution_owed - self.fund.cash.target * self.assets

    def _follow(self, stop: Stop) -> float:
        """Go through a change of the portfolio; units held from it on."""
        held = float((self.held * stop.worth_before).sum())
        old, new = float((stop.before * stop.worth_before).sum()), float((stop.after * stop.worth_after).sum())
        units, grown = held / old, old / new if abs(old / new - 1) > NEUTRAL else 1.0
        if stop.traded:
            budget = held + self._spare()
            wanted = budget / new * stop.after
            cost = self.dealing.cost(wanted * stop.worth_after - self.held * stop.worth_before)
            same = np.where(stop.worth_after == stop.worth_before, self.held, 0.0)
            wanted = self._in_lots(wanted * (1 - cost / budget), same)
            moved = wanted * stop.worth_after - self.held * stop.worth_before
            self.reviewed.append((stop.row - 1, moved))
        else:
            ratio = np.divide(stop.after, stop.before, out=np.zeros_like(stop.after), where=stop.before > 0)
            carried = np.where(stop.before > 0, self.held * ratio, units * stop.after)
            wanted = self._in_lots(carried * grown, self._whole(carried))
            moved = (grown - 1) * carried * stop.worth_after
        self._charge(stop.row - 1, moved, self.dealing.cost(moved))
        self.opened, self.unit = float((wanted * stop.worth_after).sum()), stop.after
        self.cash += held - self.opened
        self._hold(stop.row - 1, wanted)
        return self.opened / new

    def _accrue(self, row: int) -> None:
        """Interest, lending, fee and forwards of the days since the close before."""
        put, fund, days = self.columns, self.fund, self.numbers[row] - self.numbers[row - 1]
        interest = lending = 0.0
        if fund.cash.earns == "money_market":
            interest = self.cash * self.rates[row - 1] * days / MONEY_MARKET_YEAR
        if fund.lending.on_loan:
            earned = fund.lending.on_loan * fund.lending.rate * fund.lending.fund_share
            lending = self.opened * earned * days / MONEY_MARKET_YEAR
        fee = self.assets * fund.fee.per_year * days / DAYS[fund.fee.day_count]
        self.cash += interest + lending
        self.fee_owed += fee
        self.income += interest + lending - fee
        put["interest"][row], put["lending"][row], put["fee"][row] = interest, lending, fee
        if fund.hedge.ratio:
            put["hedge"][row] = self.gains[row]
            self.forwards += self.gains[row]

    def _go_ex(self, row: int, stop: Stop | None, units: float) -> None:
        """Book dividends, tax and the claim for what of it comes back."""
        path, terms = self.path, self.fund.withholding
        gross, withheld, borne = (float((t[row] * self.held).sum()) for t in (path.gross, path.withheld, path.borne))
        if stop is not None:
            gross, withheld = gross + units * stop.special, withheld + units * stop.withheld
            borne += units * stop.borne
        claim = (withheld - borne) * terms.recovered if terms else 0.0
        self.receivable += gross - withheld
        self.due[row + self.fund.dividends.paid_after_sessions] += gross - withheld
        if claim and terms:
            self.claims += claim
            self.claimed[bisect_left(self.numbers, self.numbers[row] + terms.reclaimed_after_days)] += claim
        self.income += gross - withheld + claim
        self.columns["dividends"][row], self.columns["tax"][row] = gross, withheld - claim

    def _settle(self, row: int) -> None:
        """What is due today is paid."""
        dividends, claims, owed = self.due.pop(row, 0.0), self.claimed.pop(row, 0.0), self.owed.pop(row, 0.0)
        fees = self.fee_owed if self.path.month_ends[row] else 0.0
        self.receivable -= dividends
        self.claims -= claims
        self.distribution_owed -= owed
        self.fee_owed -= fees
        self.cash += dividends + claims - owed - fees

    def _distribute(self, row: int) -> None:
        terms = self.fund.distribution
        if terms.policy != "distributing" or not self.path.month_ends[row] or self.income <= 0:
            return
        if self.path.sessions[row].month in terms.months:
            self.columns["distribution"][row] = self.income / self.outstanding
            self.distribution_owed += self.income
            self.owed[row + terms.paid_after_sessions] += self.income
            if not terms.paid_after_sessions:
                self._settle(row)
            self.income = 0.0

    def _deal(self, row: int) -> None:
        """Create or redeem whole creation units at the NAV just struck."""
        creation, swing, price = self.fund.creation, self.fund.swing, self.assets / self.outstanding
        self.pending += self.money[row] + self.growth[row] * self.assets
        swung = swing.factor if abs(self.pending) > swing.over * self.assets else 0.0
        dealt = price * (1 + copysign(swung, self.pending))
        shares = int(self.pending / dealt / creation.unit_shares * (1 + 1e-9)) * creation.unit_shares
        if not shares:
            return
        if self.outstanding + shares < creation.unit_shares:
            what = f"{-shares:,} shares are redeemed of {self.outstanding:,.0f}"
            raise self._refused(row, what, "smaller redemptions, or later ones", "dealing.flows ")
        money = shares * dealt
        self.pending -= money
        if self.fund.distribution.equalisation:
            self.income *= 1 + shares / self.outstanding
        lacking = np.zeros_like(self.held)
        if creation.settled == "in_kind":
            slice_ = self._whole(self.held * abs(shares) / self.outstanding) * np.sign(shares)
            handed, lacking = np.where(self.path.kind, slice_, 0.0), np.where(self.path.kind, 0.0, slice_)
            self.cash -= float((handed * self.path.worth[row]).sum())
            self._hold(row, self.held + handed)
            self.opened = float((self.held * self.path.worth[row]).sum())
        self.cash += money
        self.outstanding += shares
        self.assets += money
        self.swing = money - shares * price
        self.columns["flow"][row] = money
        if lacking.any():  # what cash stands for is dealt in at the same close
            self._trade(row, self._in_lots(self.held + lacking, self.held))

    def _sell_forward(self, row: int) -> None:
        """Sell the foreign currency of the holdings anew, after the trades of the close, until the next roll."""
        exposure = np.bincount(
            self.path.currency_at, self.held * self.path.worth[row], minlength=len(self.path.currencies)
        )
        last = min((roll for roll in self.rolls if roll > row), default=len(self.gains) - 1)
        gains = (self.path.hedge_gain[row + 1 : last + 1] * (self.fund.hedge.ratio * exposure)).sum(axis=1)
        self.gains[row + 1 : last + 1] = gains.tolist()

    def _invest(self, row: int) -> None:
        """Invest cash beyond its band in the portfolio, or sell a slice of the holdings to raise what is lacking."""
        spare, worth = self._spare(), self.path.worth[row]
        if abs(spare) <= max(self.fund.cash.band, NEUTRAL) * self.assets:
            return
        if spare > 0:
            bought = spare / float((self.unit * worth).sum()) * self.unit
            wanted = self._in_lots(self.held + bought * (1 - self.dealing.cost(bought * worth) / spare), self.held)
        else:
            wanted = self._in_lots(self.held * max(1 + spare / self.opened, 0.0), self.held)
        if (wanted != self.held).any():
            self._trade(row, wanted)

    def _refused(self, row: int, what: str, cure: str, place: str = "") -> DataError:
        where = f"fund {self.fund.facts.id}: {place}on {self.path.sessions[row]}"
        return DataError(Problem(where, what, cure))
