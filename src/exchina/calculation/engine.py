"""The calculator: a state, and what one more stretch of sessions makes of it.

    I_t = sum_i q_i P_it X_it / D          between two changes q and D stay
    D'  = D x sum q'P'X / sum q P X        at a change, which is never a market move

All changes between the close of t - 1 and the open of t go into one divisor change: first the review that takes effect
after that close, then the events with ex-date t, in the order of `exchina.calculation.events.order`. `advance` starts
from a `State`; session by session it gives the same bits as all at once.
"""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import date, timedelta

import numpy as np

from exchina.calculation.action_register import action
from exchina.calculation.actions.cash import entitled, taken
from exchina.calculation.actions.leaving import last_price
from exchina.calculation.board import NEVER, Board, Numbers, day_number
from exchina.calculation.events import FIRST, order
from exchina.calculation.lines import Event, Line, Lines, market_value
from exchina.calculation.returns import compounded, daily_factors
from exchina.calculation.state import Change, Reset, Run, State
from exchina.errors import DataError, Problem
from exchina.model import CalculationRule

NEUTRAL = 1e-13
NOTIONAL = 1e9
AWAITED = ("add_at_zero_then_remove", "when_issued", "market_price")


def advance(
    state: State, board: Board, events: Sequence[Event], resets: Mapping[date, Reset], rule: CalculationRule
) -> Run:
    """Compute every session of the board after its first, which is the state's.

    Args:
        state: after the close of the board's first session.
        board: what is read; holds every line that an event or a review may bring in.
        events: of any date; those of earlier sessions are past and not applied again.
        resets: by the session after whose close they take effect.
        rule: conventions.

    Raises:
        DataError: a line that is held has no close or no exchange rate, or an event cannot be applied.
    """
    walk = _Walk(state, board, events, resets, rule)
    row = 1
    walk.mark(row)
    while row < len(board.sessions):
        walk.change(row)
        end = walk.next_change(row)
        walk.mark(end)
        walk.value(row, end)
        row = end
    return walk.run()


def opened(
    state: State, board: Board, events: Sequence[Event], resets: Mapping[date, Reset], rule: CalculationRule
) -> Change:
    """The change between the state's session, the only one of the board, and the following: what an opening file shows.

    Where nothing happens, ``before`` and ``after`` are the same.
    """
    walk = _Walk(state, board, events, resets, rule)
    walk.mark(1)
    lines = walk.lines(0)
    return walk.change(1) or Change(walk.day(1), (), lines, lines, state.divisor, state.divisor, 0.0, 0.0)


def started(board: Board, reset: Reset, levels: Mapping[str, float]) -> State:
    """The state at the close of the board's first session: D = MV / I.

    Raises:
        DataError: a line has no price or no exchange rate on the base date.
    """
    shares = shares_for(board, reset.weights, NOTIONAL) if reset.weights else dict(reset.shares)
    lines = _first_lines(board, shares)
    at = dict(zip(lines, board.columns(list(lines)), strict=True))
    closes = {name: (line.price, int(board.price_days[0, at[name]])) for name, line in lines.items()}
    return State(board.sessions[0], shares, market_value(lines) / levels["PR"], levels, closes)


def shares_for(board: Board, weights: Mapping[str, float], value: float) -> dict[str, float]:
    """q_i = w_i MV / (P_i X_i) at the close of the board's first session.

    Raises:
        DataError: a line has no price or no exchange rate by then.
    """
    lines = _first_lines(board, dict.fromkeys(weights, 1.0))
    return {name: weights[name] * value / line.value for name, line in lines.items()}


def _first_lines(board: Board, shares: Mapping[str, float]) -> dict[str, Line]:
    names = sorted(shares)
    lines = {
        name: Line(shares[name], float(board.prices[0, at]), float(board.rates[0, at]))
        for name, at in zip(names, board.columns(names), strict=True)
    }
    _refuse_gaps(lines, board.sessions[0])
    return lines


def _refuse_gaps(lines: Lines, session: date) -> None:
    """`DataError` for every line without a price or without an exchange rate."""
    price = "bring prices of that line into the market, or screen the company out"
    faults = [
        Problem(f"{name} on {session}", "a member has no close", price)
        if np.isnan(line.price)
        else Problem(
            f"{name} on {session}", "no exchange rate for the line's currency", "bring newer rates into the market"
        )
        for name, line in sorted(lines.items())
        if line.shares and not np.isfinite(line.price * line.rate)
    ]
    if faults:
        raise DataError(*faults)


class _Walk:
    """One composition on its way along the board; ``done`` rows are valued."""

    def __init__(
        self, state: State, board: Board, events: Sequence[Event], resets: Mapping[date, Reset], rule: CalculationRule
    ) -> None:
        if board.sessions[0] != state.session:
            raise DataError(Problem(str(state.session), f"the board starts on {board.sessions[0]}", "begin it there"))
        self.state, self.board, self.resets, self.rule = state, board, resets, rule
        self.column = {symbol: at for at, symbol in enumerate(board.symbols)}
        self.prices, self.days, self.rates = board.prices.copy(), board.price_days.copy(), board.rates
        self.shares, self.divisor, self.children = dict(state.shares), state.divisor, dict(state.children)
        board.columns(sorted(self.shares))
        n = len(board.sessions)
        self.market_value, self.local_value = np.zeros(n), np.zeros(n)
        self.divisors, self.gross, self.net = np.full(n, state.divisor), np.zeros(n), np.zeros(n)
        self.changes: list[Change] = []
        self.holdings: list[tuple[int, Mapping[str, float]]] = []
        self.timeline: dict[int, list[Event]] = {}
        for event in events:
            if event.ex_date > state.session and (row := board.row_from(event.ex_date)) <= n:
                self.timeline.setdefault(row, []).append(event)
        for symbol, (price, day) in state.closes.items():
            self._carry(symbol, price, 0, day, day)
        for child, event in sorted(self.children.items()):
            self._await(child, event, 0)
        self._expire(0)

    def day(self, row: int) -> date:
        """The session of a row; after the last, the following one or else the next day."""
        sessions = self.board.sessions
        return sessions[row] if row < len(sessions) else self.board.following or sessions[-1] + timedelta(days=1)

    def next_change(self, row: int) -> int:
        """The first row after ``row`` before which something happens, or n."""
        self._expire(row)
        reset = (at + 1 for at, day in enumerate(self.board.sessions) if at >= row and day in self.resets)
        later = [at for at in self.timeline if at > row]
        return min([*later, next(reset, len(self.board.sessions)), len(self.board.sessions)])

    def lines(self, row: int) -> dict[str, Line]:
        """Every line held, at the close of a row."""
        return {symbol: self._line(symbol, self.shares[symbol], row) for symbol in sorted(self.shares)}

    def mark(self, row: int) -> None:
        """Move the last close of lines that leave before ``row`` to the price at which they do."""
        session = day_number(self.board.sessions[row - 1])
        for event in self.timeline.get(row, []):
            if event.type in action.having("marked") and event.symbol in self.shares:
                at = self.column[event.symbol]
                lines = self._with_other(event, self.lines(row - 1), row - 1)
                price = last_price(lines, event, bool(self.days[row - 1, at] == session), self.rule)
                if price is not None:
                    self._carry(event.symbol, price, row - 1, int(self.days[row - 1, at]), int(self.days[row - 1, at]))

    def change(self, row: int) -> Change | None:
        """Apply the review after the close of ``row - 1`` and the events of ``row``; None where nothing happens."""
        before, causes = self.lines(row - 1), list[str]()
        _refuse_gaps(before, self.board.sessions[row - 1])
        after: Lines = before
        reset = self.resets.get(self.board.sessions[row - 1])
        if reset is not None:
            after, causes = self._reset(reset, before, row - 1), ["review"]
            self._forget_children()
        gross, net, ex_date = 0.0, 0.0, date.min
        for event in sorted(self.timeline.get(row, []), key=order):
            if not self._concerns(event, after):
                continue
            if event.type in action.having("cash"):
                worth, good = self._cash_rate(event, after, row), taken(after[event.symbol], event, self.rule)
                gross += (entitled(event) - good) * worth
                net += (entitled(event) * (1 - event.tax) - good) * worth
            after = self._applied(event, after, row)
            causes.append(event.id)
            ex_date = max(ex_date, event.ex_date)
        if not causes:
            return None
        _refuse_gaps(after, self.board.sessions[row - 1])
        ratio = market_value(after) / market_value(before)
        divisor = self.divisor if abs(ratio - 1) < NEUTRAL else self.divisor * ratio
        made = Change(
            self.day(row), tuple(causes), before, after, self.divisor, divisor, gross / divisor, net / divisor
        )
        self._take_over(made, row, ex_date)
        return made

    def value(self, start: int, end: int) -> None:
        """Value the rows from ``start`` up to ``end`` (exclusive) with what is held."""
        names = sorted(self.shares)
        columns, held = self.board.columns(names), np.array([self.shares[name] for name in names])
        close, rate = self.prices[start:end, columns], self.rates[start - 1 : end, columns]
        self.market_value[start:end] = _summed(close * rate[1:], held)
        self.local_value[start:end] = _summed(close * rate[:-1], held)
        for row in (start + np.flatnonzero(~np.isfinite(self.market_value[start:end]))).tolist():
            _refuse_gaps(self.lines(row), self.board.sessions[row])
        self.divisors[start:end] = self.divisor
        fixing = rate[:-1] if self.rule.dividend_fx == "prior_day" else rate[1:]
        for table, points in ((self.board.gross, self.gross), (self.board.net, self.net)):
            cash = table[start:end, columns]
            if cash.any():
                points[start:end] += _summed(cash * fixing, held) / self.divisor
        self.holdings.append((start - 1, dict(self.shares)))

    def run(self) -> Run:
        """Everything computed, and the state at its end."""
        levels = self._levels()
        kept = {name for event in self.children.values() for name in (event.symbol, event.other)} | set(self.shares)
        closes = {
            name: (float(self.prices[-1, at]), int(self.days[-1, at]))
            for name in sorted(kept)
            if (at := self.column.get(name)) is not None
        }
        last = {name: float(row[-1]) if row.size else self.state.levels[name] for name, row in levels.items()}
        state = State(self.board.sessions[-1], self.shares, self.divisor, last, closes, self.children)
        return Run(
            self.board.sessions[1:],
            levels,
            self.market_value[1:],
            self.divisors[1:],
            self.gross[1:],
            self.net[1:],
            tuple(self.changes),
            tuple(self.holdings),
            self.prices,
            self.days,
            state,
        )

    def _levels(self) -> dict[str, Numbers]:
        start = self.state.levels
        price = np.concatenate([[start["PR"]], self.market_value[1:] / self.divisors[1:]])
        factors = {
            "GTR": lambda: daily_factors(price, self.gross[1:], self.rule),
            "NTR": lambda: daily_factors(price, self.net[1:], self.rule),
            "LOCAL": lambda: self.local_value[1:] / self.divisors[1:] / price[:-1],
        }
        returns = {name: compounded(start[name], factors[name]()) for name in start if name != "PR"}
        return {"PR": price[1:], **returns}

    def _line(self, symbol: str, shares: float, row: int) -> Line:
        at = self.column[symbol]
        return Line(shares, float(self.prices[row, at]), float(self.rates[row, at]))

    def _carry(self, symbol: str, price: float, row: int, day: int, since: int) -> None:
        """From ``row`` on, until a close later than ``day``, the line's reference price, known since ``since``."""
        at = self.column[symbol]
        rows = row + np.flatnonzero(self.days[row:, at] <= day)
        self.prices[rows, at], self.days[rows, at] = price, np.maximum(self.days[rows, at], since)

    def _reset(self, reset: Reset, before: Lines, row: int) -> Lines:
        session = self.board.sessions[row]
        shares = reset.shares
        if reset.weights:
            unit = {name: self._line(name, 1.0, row) for name in self._listed(reset.weights)}
            _refuse_gaps(unit, session)
            worth = market_value(before)
            shares = {name: weight * worth / unit[name].value for name, weight in reset.weights.items()}
        return {name: self._line(name, shares[name], row) for name in self._listed(shares)}

    def _forget_children(self) -> None:
        """A review decides on every line, so no child waits for its first close any more."""
        self.children = {}
        self.timeline = {
            row: [event for event in events if event.type not in FIRST] for row, events in self.timeline.items()
        }

    def _listed(self, names: Mapping[str, float]) -> list[str]:
        self.board.columns(sorted(names))
        return sorted(names)

    def _concerns(self, event: Event, lines: Lines) -> bool:
        """Whether the index holds the line; for a child that joins, its parent."""
        held = lines.get(event.other if event.type == "join" else event.symbol)
        return held is not None and held.shares > 0

    def _with_other(self, event: Event, lines: Lines, row: int) -> Lines:
        """The lines, and the other line that the event names with no shares where it is not held."""
        named = [name for name in (event.symbol, event.other) if name not in lines and name in self.column]
        others = {name: self._line(name, 0.0, row) for name in named}
        return {**lines, **{name: replace(line, price=np.nan_to_num(line.price)) for name, line in others.items()}}

    def _applied(self, event: Event, lines: Lines, row: int) -> Lines:
        after = action[event.type](self._with_other(event, lines, row - 1), event, self.rule)
        if event.type == "spin_off" and self.rule.spin_off in AWAITED:
            if event.other not in self.column:
                hint = (
                    'bring its prices into the market, or choose spin_off = "adjust_price" with its when-issued price'
                )
                raise event.refuse(f"there is no price of the child {event.other}", hint)
            self.children[event.other] = event
            self._await(event.other, event, row)
        if event.type in FIRST:
            self.children.pop(event.symbol, None)
        return {name: line for name, line in after.items() if line.shares}

    def _await(self, child: str, event: Event, row: int) -> None:
        """Put the event by which a child leaves or joins after its first close from ``row`` on into the timeline."""
        closed = np.flatnonzero(self.days[row:, self.column[child]] >= day_number(event.ex_date))
        if closed.size:
            kind = "join" if self.rule.spin_off == "market_price" else "leave"
            after = row + int(closed[0]) + 1
            follows = replace(
                event, id=f"{event.id}:{kind}", symbol=child, type=kind, ex_date=self.day(after), other=event.symbol
            )
            self.timeline.setdefault(after, []).append(follows)

    def _expire(self, row: int) -> None:
        """Put the end of the next lines that have had no close for too long, from ``row`` on, into the timeline."""
        limit, names = self.rule.suspension_clock_sessions, sorted(self.shares)
        if not limit or not names:
            return
        sessions, calendar = np.array([day_number(day) for day in self.board.sessions[row:]]), self.board.calendar
        days = self.days[row:, self.board.columns(names)]
        silent = np.searchsorted(calendar, sessions, "right")[:, None] - np.searchsorted(calendar, days, "right")
        rows, columns = np.nonzero((silent >= limit) & (days > NEVER))
        for at in columns[rows == rows.min(initial=len(sessions))].tolist():
            after = row + int(rows.min()) + 1
            name = f"suspension_clock:{names[at]}:{self.day(after)}"
            planned = self.timeline.setdefault(after, [])
            if all(event.id != name for event in planned):
                planned.append(Event(name, names[at], "delisting", self.day(after), source="suspension_clock_sessions"))

    def _cash_rate(self, event: Event, lines: Lines, row: int) -> float:
        """Index shares times the exchange rate at which their cash is converted."""
        day = row if self.rule.dividend_fx == "ex_date" and row < len(self.board.sessions) else row - 1
        return lines[event.symbol].shares * float(self.rates[day, self.column[event.symbol]])

    def _take_over(self, made: Change, row: int, ex_date: date) -> None:
        """Go on with what a change has made: shares, divisor, points, and prices on the new terms."""
        self.changes.append(made)
        self.shares, self.divisor = {name: line.shares for name, line in made.after.items()}, made.divisor_after
        if row == len(self.board.sessions):
            return
        self.gross[row], self.net[row] = made.gross_points, made.net_points
        for name, line in made.after.items():
            if line.price != self.prices[row - 1, self.column[name]]:
                self._carry(name, line.price, row, day_number(ex_date) - 1, NEVER)


def _summed(unit: Numbers, held: Numbers) -> Numbers:
    """sum_i unit_ti q_i for every session t, lines in alphabetical order."""
    return np.ascontiguousarray(unit * held).sum(axis=1)
