"""One composition on its way along the board, change by change."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, timedelta

import numpy as np
from numpy.typing import NDArray

from exchina.calculation.action_register import action
from exchina.calculation.actions.cash import entitled, taken
from exchina.calculation.actions.leaving import last_price
from exchina.calculation.board import NEVER, Board, Numbers, day_number
from exchina.calculation.events import FIRST, order
from exchina.calculation.lines import CUTS, Event, Line, Lines, market_value, scaled
from exchina.calculation.returns import compounded, daily_factors
from exchina.calculation.state import Change, Reset, Run, State
from exchina.errors import DataError, Problem
from exchina.model import CalculationRule

NEUTRAL = 1e-13
FIRST_TERMS = ("rename", *CUTS)
CHILD_SESSIONS = 20
CHILD_CURE = 'bring its prices into the market, or choose spin_off = "adjust_price" with its when-issued price'
AWAITED = ("add_at_zero_then_remove", "when_issued", "market_price")


def refuse_gaps(lines: Lines, session: date) -> None:
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


class Walk:
    """The state of a composition, and closes on the terms that hold; `exchina.calculation.engine` leads it."""

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
            when = event.applied or event.ex_date
            if when > state.session and (row := board.row_from(when)) <= n:
                self.timeline.setdefault(row, []).append(event)
        for symbol, (price, day) in state.closes.items():
            self._carry(symbol, price, 0, day, day)
        for child, event in sorted(self.children.items()):
            self._await(child, event, 0)

    def day(self, row: int) -> date:
        """The session of a row; after the last, the following one or else the next day."""
        sessions = self.board.sessions
        return sessions[row] if row < len(sessions) else self.board.following or sessions[-1] + timedelta(days=1)

    def next_change(self, row: int) -> int:
        """The first row after ``row`` before which something happens, or n."""
        last = len(self.board.sessions)
        reset = (at + 1 for at, day in enumerate(self.board.sessions) if at >= row and day in self.resets)
        silent = np.flatnonzero(self._silent(row, last).any(axis=1))[:1] + row + 1
        return min([*(at for at in self.timeline if at > row), next(reset, last), *silent.tolist(), last])

    def lines(self, row: int) -> dict[str, Line]:
        """Every line held, at the close of a row."""
        return {symbol: self._line(symbol, self.shares[symbol], row) for symbol in sorted(self.shares)}

    def mark(self, row: int) -> None:
        """Move the last close of lines that leave before ``row`` to the price at which they do.

        Both what is paid and what it is paid for are on the terms of that day: its names and splits come first.
        """
        events = self._events(row)
        if not any(event.type in action.having("marked") and event.symbol in self.shares for event in events):
            return
        lines, names, factor = dict(self.lines(row - 1)), dict[str, str](), dict[str, float]()
        for dated in events:
            event = dated.under(names)
            names |= {event.symbol: event.other} if event.type == "rename" else {}
            held = next((old for old, new in names.items() if new == event.symbol), event.symbol)
            named = self._with_other(event, lines, row - 1)
            factor[held] = factor.get(held, 1.0) * event.factor
            if event.type in FIRST_TERMS and event.symbol in named:
                lines = dict(action[event.type](named, event, self.rule))
            elif event.type in action.having("marked") and held in self.shares:
                at = self.column[held]
                day = int(self.days[row - 1, at])
                price = last_price(named, event, day >= self.board.last_open(row - 1, at), self.rule)
                if price is not None:
                    self.prices[row - 1, at] = price * factor[held]

    def change(self, row: int) -> Change | None:
        """Apply the review after the close of ``row - 1`` and the events of ``row``; None where nothing happens."""
        before, causes = self.lines(row - 1), list[str]()
        refuse_gaps(before, self.board.sessions[row - 1])
        after: Lines = before
        reset = self.resets.get(self.board.sessions[row - 1])
        if reset is not None:
            after, causes = self._reset(reset, before, row - 1), ["review"]
        cash, terms, names = [0.0, 0.0], dict[str, _Terms](), dict[str, str]()
        for dated in self._events(row):
            event = dated.under(names)
            self._grow_waiting(event, row)
            if self._concerns(event, after):
                self._add_points(cash, event, after, row)
                after = self._applied(event, after, row, terms)
                causes.append(event.id)
                names |= {event.symbol: event.other} if event.type in action.having("renames") else {}
        if not causes:
            return None
        refuse_gaps(after, self.board.sessions[row - 1])
        ratio = market_value(after) / market_value(before)
        divisor = self.divisor if abs(ratio - 1) < NEUTRAL else self.divisor * ratio
        points = [worth / divisor for worth in cash]
        made = Change(self.day(row), tuple(causes), before, after, self.divisor, divisor, *points)
        self._take_over(made, row, terms)
        return made

    def value(self, start: int, end: int) -> None:
        """Value the rows from ``start`` up to ``end`` (exclusive) with what is held."""
        names = sorted(self.shares)
        columns, held = self.board.columns(names), np.array([self.shares[name] for name in names])
        close, rate = self.prices[start:end, columns], self.rates[start - 1 : end, columns]
        self.market_value[start:end] = _summed(close * rate[1:], held)
        self.local_value[start:end] = _summed(close * rate[:-1], held)
        for row in (start + np.flatnonzero(~np.isfinite(self.market_value[start:end]))).tolist():
            refuse_gaps(self.lines(row), self.board.sessions[row])
        self.divisors[start:end] = self.divisor
        fixing = rate[:-1] if self.rule.dividend_fx == "prior_day" else rate[1:]
        for table, points in ((self.board.gross, self.gross), (self.board.net, self.net)):
            cash = table[start:end, columns]
            if cash.any():
                points[start:end] += _summed(cash * fixing, held) / self.divisor
        self.holdings.append((start - 1, dict(self.shares)))

    def run(self) -> Run:
        """Everything computed, and the state at its end."""
        self._refuse_silent_children()
        levels = self._levels()
        kept = {name for event in self.children.values() for name in (event.symbol, event.other)} | set(self.shares)
        closes = {
            name: (float(self.prices[-1, at]), int(self.days[-1, at]))
            for name in sorted(kept)
            if (at := self.column.get(name)) is not None and np.isfinite(self.prices[-1, at])
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

    def _refuse_silent_children(self) -> None:
        """`DataError` for a child that should have traded long ago: without its value the parent's fall is a loss."""
        today = int(np.searchsorted(self.board.calendar, day_number(self.board.sessions[-1]), "right"))
        for name, event in sorted(self.children.items()):
            begun = int(np.searchsorted(self.board.calendar, day_number(event.ex_date), "left"))
            if today - begun > CHILD_SESSIONS and not self._has_closed(name, event, len(self.board.sessions) - 1):
                raise event.refuse(f"{name} has had no close in the {CHILD_SESSIONS} sessions since", CHILD_CURE)

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
            refuse_gaps(unit, session)
            worth = market_value(before)
            shares = {name: weight * worth / unit[name].value for name, weight in reset.weights.items()}
        given = {name: event for name, event in reset.children.items() if event.symbol in before}
        bought = {name: held for name, held in shares.items() if name in given or name not in reset.children}
        lines = {name: self._line(name, bought[name], row) for name in self._listed(bought)}
        lines = {name: replace(line, price=0.0) if name in given else line for name, line in lines.items()}
        grown = market_value(lines) / market_value(before)  # the scale of index shares may be another
        own = {name: replace(event, new=event.new * grown) for name, event in self.children.items()}
        known = {**own, **given}
        self.children = {name: event for name, event in known.items() if not self._has_closed(name, event, row)}
        self._await_again(row + 1)
        waiting = {name: before[name] for name in self.children if name in before}
        return {**scaled(waiting, grown), **lines}

    def _has_closed(self, child: str, event: Event, row: int) -> bool:
        return bool(self.days[row, self.column[child]] >= day_number(event.ex_date))

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

    def _applied(self, event: Event, lines: Lines, row: int, terms: dict[str, "_Terms"]) -> Lines:
        """The lines after an event, as far as they are held; ``terms`` keeps what it did to each price."""
        renamed = event.type in action.having("renames")
        if event.other not in self.column and (renamed or self._brings_child(event)):
            hint = "bring its prices into the market" if renamed else CHILD_CURE
            raise event.refuse(f"there is no price of {event.other}", hint)
        before = self._with_other(event, lines, row - 1)
        after = action[event.type](before, event, self.rule)
        if self._brings_child(event) and not before[event.other].shares:
            self._spun_off(event, before, row)
        if event.type in FIRST:
            self.children.pop(event.symbol, None)
        if renamed:
            names = {event.symbol: event.other}
            self.children = {names.get(name, name): one.under(names) for name, one in self.children.items()}
            self._await_again(row)
        elif event.symbol not in after:
            self.children.pop(event.symbol, None)
        rests_on = terms[event.symbol].known if event.symbol in terms else self.days[row - 1, self.column[event.symbol]]
        for name, line in after.items():
            entered = line.shares > 0 and not before[name].shares
            if entered or line.price != before[name].price:
                known = rests_on if renamed else terms[name].known if name in terms else NEVER
                terms[name] = _Terms(line.price, day_number(event.ex_date), int(known))
        return {name: line for name, line in after.items() if line.shares}

    def _grow_waiting(self, event: Event, row: int) -> None:
        """A split of a child that waits for its first close multiplies what the index is entitled to."""
        if event.symbol in self.children and event.factor != 1:
            waiting = self.children[event.symbol]
            self.children[event.symbol] = replace(waiting, new=waiting.new * event.factor)
            self._await_again(row)

    def _await_again(self, row: int) -> None:
        """Plan anew by which event each waiting child leaves or joins."""
        self.timeline = {
            later: [planned for planned in events if planned.type not in FIRST or later < row]
            for later, events in self.timeline.items()
        }
        for name, waiting in sorted(self.children.items()):
            self._await(name, waiting, row)

    def _brings_child(self, event: Event) -> bool:
        return event.type == "spin_off" and self.rule.spin_off != "adjust_price"

    def _spun_off(self, event: Event, lines: Lines, row: int) -> None:
        ratio = event.ratio if self.rule.family != "price_weighted" else 1.0
        entitled = replace(event, new=lines[event.symbol].shares * ratio, old=1.0)
        self.children[event.other] = entitled
        self._await(event.other, entitled, row)

    def _await(self, child: str, event: Event, row: int) -> None:
        """Put the event by which a child leaves or joins after its first close from ``row`` on into the timeline."""
        closed = np.flatnonzero(self.days[row:, self.column[child]] >= day_number(event.ex_date))
        if closed.size and self.rule.spin_off in AWAITED:
            kind, at = "join" if self.rule.spin_off == "market_price" else "leave", row + int(closed[0])
            after_close = self.board.sessions[at] + timedelta(days=1)
            follows = replace(event, id=f"{event.id}:{kind}", symbol=child, type=kind, other=event.symbol)
            self.timeline.setdefault(at + 1, []).append(replace(follows, ex_date=after_close))

    def _events(self, row: int) -> list[Event]:
        """What happens before ``row``, in order: what is in the timeline, and the end of lines silent for too long."""
        names = sorted(self.shares)
        gone = [name for name, silent in zip(names, self._silent(row - 1, row)[0].tolist(), strict=True) if silent]
        clock = [
            Event(
                f"suspension_clock:{name}:{self.day(row)}", name, "delisting", self.day(row), source="suspension clock"
            )
            for name in gone
        ]
        return sorted([*self.timeline.get(row, []), *clock], key=lambda event: (event.ex_date, *order(event)))

    def _silent(self, start: int, end: int) -> NDArray[np.bool_]:
        """Whether each line in force has had no close for ``suspension_clock_sessions`` index sessions, by row."""
        names, limit = sorted(self.shares), self.rule.suspension_clock_sessions
        if not limit:
            return np.zeros((min(1, end - start), len(names)), bool)
        days = self.days[start:end, self.board.columns(names)]
        sessions = np.array([day_number(day) for day in self.board.sessions[start:end]])
        now, then = (np.searchsorted(self.board.calendar, which, "right") for which in (sessions[:, None], days))
        return (now - then >= limit) & (days > NEVER)

    def _add_points(self, cash: list[float], event: Event, lines: Lines, row: int) -> None:
        """Add what the price index has not made good of special cash, gross and net, in index currency."""
        if event.type in action.having("cash"):
            day = row if self.rule.dividend_fx == "ex_date" and row < len(self.board.sessions) else row - 1
            line, due = lines[event.symbol], entitled(event)
            worth, good = line.shares * float(self.rates[day, self.column[event.symbol]]), taken(line, event, self.rule)
            cash[0] += (due - good) * worth
            cash[1] += (due * (1 - event.tax) - good) * worth

    def _take_over(self, made: Change, row: int, terms: Mapping[str, "_Terms"]) -> None:
        """Go on with what a change has made: shares, divisor, points, and prices on the new terms."""
        self.changes.append(made)
        self.shares, self.divisor = {name: line.shares for name, line in made.after.items()}, made.divisor_after
        if row == len(self.board.sessions):
            return
        self.gross[row], self.net[row] = made.gross_points, made.net_points
        for at in (self.column[name] for name in made.before.keys() - made.after.keys()):
            self.prices[row:, at], self.days[row:, at] = self.board.prices[row:, at], self.board.price_days[row:, at]
        for name in made.after.keys() & terms.keys():
            self._bring_to(terms[name], name, row)

    def _bring_to(self, terms: "_Terms", name: str, row: int) -> None:
        """Until a close on the new terms, the adjusted price; a later close on the old ones is on the board's terms."""
        at = self.column[name]
        rows = row + np.flatnonzero(self.days[row:, at] < terms.ex_day)
        later = self.days[rows, at] > self.days[row - 1, at]
        self.prices[rows, at] = np.where(later, self.prices[rows, at], terms.price)
        self.days[rows, at] = np.maximum(self.days[rows, at], terms.known)


@dataclass(frozen=True, slots=True)
class _Terms:
    """The adjusted price of a line, the first day on the new terms, and the day of a close that it rests on."""

    price: float
    ex_day: int
    known: int


def _summed(unit: Numbers, held: Numbers) -> Numbers:
    """sum_i unit_ti q_i for every session t, lines in alphabetical order."""
    return np.ascontiguousarray(unit * held).sum(axis=1)
