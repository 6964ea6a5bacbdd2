"""The accounts of a fund in plain Python, day by day and line by line, written from the documentation alone."""

from collections.abc import Sequence
from math import floor, sqrt

from exchina.fund.accounts import COLUMNS
from exchina.fund.flow_plan import FlowPlan
from exchina.fund.path import Path
from exchina.fund.terms import Fund

YEAR = {"actual/365": 365, "actual/360": 360}
Row = Sequence[float]


def dot(shares: Row, prices: Row) -> float:
    return sum(q * p for q, p in zip(shares, prices, strict=True))


class Naive:
    """`rows` has a dict of columns for every session; `shares` what is held in the end."""

    def __init__(self, path: Path, fund: Fund, plan: FlowPlan) -> None:
        self.path, self.fund, self.plan, self.lines = path, fund, plan, range(len(path.symbols))
        self.stops = {stop.row: stop for stop in path.stops}
        self.shares, self.unit, self.sold = [0.0] * len(path.symbols), path.start.tolist(), [0.0] * len(path.currencies)
        seed = self.cash = self.assets = fund.facts.seed
        self.outstanding = seed / fund.facts.share_price
        self.waiting = self.income = self.fee_owed = self.forwards = 0.0
        self.dividends, self.claims, self.owed = (list[tuple[int, float]]() for _ in range(3))  # when due, money
        self.later = {"cost": 0.0, "traded": 0.0, "swing": 0.0}
        self.rows = [dict.fromkeys(COLUMNS, 0.0) for _ in path.sessions]
        price = path.worth[0].tolist()
        wanted = self.bought(0, seed * (1 - fund.cash.target), price, free=fund.facts.seeded == "in_kind")
        self.move(0, self.in_lots(wanted, self.shares), price, price, free=fund.facts.seeded == "in_kind")
        held = dot(self.shares, price)
        self.rows[0] |= {"base": seed, "opened": held, "equity": held, "cash": seed - held, "nav": seed}
        self.rows[0]["outstanding"] = self.outstanding
        self.sell_forward(0)
        for row in range(1, len(path.sessions)):
            self.session(row)

    def in_lots(self, wanted: list[float], held: list[float]) -> list[float]:
        made: list[float] = []
        for q, own, lot in zip(wanted, held, self.path.lots.tolist(), strict=True):
            lots = (q - own) / lot if lot else 0.0
            made.append(max(own + floor(lots + 1e-9 * (1 + abs(lots))) * lot, 0.0) if lot else q)
        return made

    def whole(self, shares: list[float]) -> list[float]:
        return [floor(q * (1 + 1e-9)) if lot else q for q, lot in zip(shares, self.path.lots.tolist(), strict=True)]

    def cost(self, row: int, moved: Row) -> float:
        deal = [one for one in self.path.dealing if one.row <= row][-1]
        rate = [deal.buy[i] if moved[i] > 0 else deal.sell[i] for i in self.lines]
        return sum(abs(v) * rate[i] + abs(v) * sqrt(abs(v)) * deal.impact[i] for i, v in enumerate(moved))

    def bought(self, row: int, money: float, price: Row, *, free: bool = False) -> list[float]:
        """Shares of the portfolio for an amount of money, with room for their cost."""
        shares = [money / dot(self.unit, price) * q for q in self.unit]
        cost = 0.0 if free else self.cost(row, [shares[i] * price[i] for i in self.lines])
        return [q * (1 - cost / money) for q in shares]

    def move(self, row: int, wanted: list[float], before: Row, after: Row, *, free: bool = False) -> None:
        moved = [wanted[i] * after[i] - self.shares[i] * before[i] for i in self.lines]
        self.shares, self.cash = wanted, self.cash - sum(moved)
        if not free:
            self.pay(row, moved)

    def pay(self, row: int, moved: Row) -> None:
        self.cash -= self.cost(row, moved)
        self.later["cost"] += self.cost(row, moved)
        self.later["traded"] += sum(map(abs, moved))

    def spare(self) -> float:
        return self.cash - sum(money for _, money in self.owed) - self.fund.cash.target * self.assets

    def change(self, row: int) -> float:
        """What happens before the open; units of the portfolio after it."""
        stop = self.stops[row]
        before, after, self.unit = stop.worth_before.tolist(), stop.worth_after.tolist(), stop.after.tolist()
        old, new, held = dot(stop.before.tolist(), before), dot(self.unit, after), dot(self.shares, before)
        if stop.traded:
            money = held + self.spare()
            wanted = [money / new * q for q in self.unit]
            cost = self.cost(row, [wanted[i] * after[i] - self.shares[i] * before[i] for i in self.lines])
            same = [self.shares[i] if before[i] == after[i] else 0.0 for i in self.lines]
            self.move(row, self.in_lots([q * (1 - cost / money) for q in wanted], same), before, after)
        else:  # the portfolio's own actions; what they free is spread over all lines, at a cost
            grown = old / new if abs(old / new - 1) > 1e-12 else 1.0
            ratio = [self.shares[i] / stop.before[i] if stop.before[i] > 0 else held / old for i in self.lines]
            carried = [ratio[i] * self.unit[i] for i in self.lines]
            self.pay(row, [(grown - 1) * carried[i] * after[i] for i in self.lines])
            wanted = self.in_lots([q * grown for q in carried], self.whole(carried))
            self.move(row, wanted, before, after, free=True)
        return dot(self.shares, after) / new

    def session(self, row: int) -> None:
        path, put, stop = self.path, self.rows[row], self.stops.get(row)
        units = self.change(row) if stop else 0.0
        put |= {**self.later, "base": self.assets - self.later["swing"], "outstanding": self.outstanding}
        self.later = dict.fromkeys(self.later, 0.0)
        put["opened"] = dot(self.shares, (stop.worth_after if stop else path.worth[row - 1]).tolist())
        put["equity"] = dot(self.shares, path.worth[row].tolist())
        self.accrue(row, put, units)
        self.settle(row, put)
        put |= {"cash": self.cash, "forwards": self.forwards, "fee_owed": self.fee_owed, "income": self.income}
        put["receivable"], put["claims"], put["distribution_owed"] = (
            sum(money for _, money in waiting) for waiting in (self.dividends, self.claims, self.owed)
        )
        put["nav"] = self.assets = sum(put[name] for name in ("equity", "cash", "receivable", "claims", "forwards")) - (
            put["fee_owed"] + put["distribution_owed"]
        )
        if path.hedge_rolls[row]:
            self.cash, self.forwards = self.cash + self.forwards, 0.0
        self.deal(row)
        if row + 1 not in self.stops or not self.stops[row + 1].traded:
            self.invest(row)
        self.sell_forward(row)

    def accrue(self, row: int, put: dict[str, float], units: float) -> None:
        path, fund, stop, tax = self.path, self.fund, self.stops.get(row), self.fund.withholding
        days = (path.sessions[row] - path.sessions[row - 1]).days
        gross, withheld, borne = (dot(self.shares, t[row].tolist()) for t in (path.gross, path.withheld, path.borne))
        if stop:
            gross, withheld = gross + units * stop.special, withheld + units * stop.withheld
            borne += units * stop.borne
        claim = (withheld - borne) * tax.recovered if tax else 0.0
        self.dividends.append((row + fund.dividends.paid_after_sessions, gross - withheld))
        self.claims.append((path.sessions[row].toordinal() + (tax.reclaimed_after_days if tax else 0), claim))
        put["dividends"], put["tax"] = gross, withheld - claim
        if fund.cash.earns == "money_market":
            put["interest"] = self.cash * path.money_market[row - 1] * days / 360
        lent = fund.lending
        put["lending"] = put["opened"] * lent.on_loan * lent.rate * lent.fund_share * days / 360
        put["fee"] = self.assets * fund.fee.per_year * days / YEAR[fund.fee.day_count]
        put["hedge"] = dot(self.sold, path.hedge_gain[row].tolist())
        self.forwards, self.fee_owed = self.forwards + put["hedge"], self.fee_owed + put["fee"]
        self.income += gross - put["tax"] + put["interest"] + put["lending"] - put["fee"]
        self.cash += put["interest"] + put["lending"]

    def settle(self, row: int, put: dict[str, float]) -> None:
        """What is due is paid, claims on the first session on or after their day; then shares go ex."""
        day, terms = self.path.sessions[row], self.fund.distribution
        if self.path.month_ends[row]:
            self.cash, self.fee_owed = self.cash - self.fee_owed, 0.0
            if terms.policy == "distributing" and day.month in terms.months and self.income > 0:
                put["distribution"] = self.income / self.outstanding
                self.owed.append((row + terms.paid_after_sessions, self.income))
                self.income = 0.0
        for waiting, now, sign in ((self.dividends, row, 1), (self.claims, day.toordinal(), 1), (self.owed, row, -1)):
            self.cash += sign * sum(money for when, money in waiting if when <= now)
            waiting[:] = [(when, money) for when, money in waiting if when > now]

    def deal(self, row: int) -> None:
        terms, swing, price = self.fund.creation, self.fund.swing, self.assets / self.outstanding
        self.waiting += self.plan.money[row] + self.plan.growth[row] * self.assets
        swung = swing.factor if abs(self.waiting) > swing.over * self.assets else 0.0
        dealt = price * (1 + (swung if self.waiting > 0 else -swung))
        shares = int(self.waiting / dealt / terms.unit_shares * (1 + 1e-9)) * terms.unit_shares
        if self.fund.distribution.equalisation:
            self.income += self.income / self.outstanding * shares
        part = [0.0] * len(self.shares)
        if terms.settled == "in_kind":
            part = self.whole([q * abs(shares) / self.outstanding for q in self.shares])
            for i in self.lines:
                handed = (part[i] if shares > 0 else -part[i]) * bool(self.path.kind[i])
                self.shares[i], self.cash = self.shares[i] + handed, self.cash - handed * self.path.worth[row, i]
        self.cash, self.waiting = self.cash + shares * dealt, self.waiting - shares * dealt
        self.assets, self.outstanding = self.assets + shares * dealt, self.outstanding + shares
        self.later["swing"], self.rows[row]["flow"] = shares * (dealt - price), shares * dealt
        price_of, sign = self.path.worth[row].tolist(), 1 if shares > 0 else -1
        lacking = [0.0 if self.path.kind[i] else sign * part[i] for i in self.lines]  # cash stands in their place
        wanted = [q + more for q, more in zip(self.shares, lacking, strict=True)]
        if any(lacking):
            self.move(row, self.in_lots(wanted, self.shares), price_of, price_of)

    def sell_forward(self, row: int) -> None:
        if self.path.hedge_rolls[row]:
            self.sold = [0.0] * len(self.sold)
            for i in self.lines:
                self.sold[self.path.currency_at[i]] += self.fund.hedge.ratio * self.shares[i] * self.path.worth[row, i]

    def invest(self, row: int) -> None:
        spare, price = self.spare(), self.path.worth[row].tolist()
        if abs(spare) > max(self.fund.cash.band, 1e-12) * self.assets:
            if spare > 0:
                wanted = [q + more for q, more in zip(self.shares, self.bought(row, spare, price), strict=True)]
            else:
                wanted = [q * max(1 + spare / dot(self.shares, price), 0.0) for q in self.shares]
            self.move(row, self.in_lots(wanted, self.shares), price, price)
