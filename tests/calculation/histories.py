"""Random histories of an index for property tests: prices, exchange rates, cash, reviews and events of every kind.

What is drawn by hypothesis is the shape (lines, sessions, conventions, events), which shrinks; prices and terms come
from a seeded generator, which does not.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import date, timedelta
from typing import Any, Literal, get_args, get_origin, get_type_hints

import numpy as np
from hypothesis import strategies as st

from exchina.calculation.actions.leaving import FLOOR
from exchina.calculation.board import NEVER, Board, Days, Numbers, day_number, filled
from exchina.calculation.engine import advance, started
from exchina.calculation.lines import Event
from exchina.calculation.state import Reset, Run, State
from exchina.calculation.terms import on_terms
from exchina.model import CalculationRule
from exchina.tables.actions import EXCLUSIVE, TERMS

BASE = {"PR": 1000.0, "GTR": 1000.0, "NTR": 1000.0, "LOCAL": 1000.0}
NEUTRAL = ("split", "stock_dividend", "rename", "redomicile", "suspension")
WITH_OTHER = ("spin_off", "conversion", "takeover", "rename")
MONDAY = date(2024, 1, 1)


@dataclass(frozen=True)
class History:
    """What happens to some lines from the base date on, before it is laid out as a board.

    Attributes:
        sessions: index sessions; the last of them is only known to come.
        symbols: lines, sorted (m).
        currency_at: position of each line's currency (m).
        closes: closes on each session but the last (n x m); NaN where there is none.
        close_days: their days since 1970-01-01: each session's own.
        spot: index currency per unit of each currency (n x k).
        gross: ordinary dividends per share (n x m).
        net: the same after tax.
        events: corporate actions.
        resets: reviews, by the session after whose close they take effect.
        first: composition at the base date.
        rule: conventions.
    """

    sessions: tuple[date, ...]
    symbols: tuple[str, ...]
    currency_at: tuple[int, ...]
    closes: Numbers
    close_days: Days
    spot: Numbers
    gross: Numbers
    net: Numbers
    events: tuple[Event, ...]
    resets: Mapping[date, Reset]
    first: Reset
    rule: CalculationRule

    @property
    def board(self) -> Board:
        """The history as the calculator reads it."""
        prices, days = filled(self.closes, np.where(np.isnan(self.closes), NEVER, self.close_days))
        numbers = np.array([day_number(day) for day in self.sessions])
        quoted = Board(
            sessions=self.sessions[:-1],
            symbols=self.symbols,
            currencies=tuple(f"C{number}" for number in range(self.spot.shape[1])),
            currency_at=np.array(self.currency_at),
            prices=prices,
            price_days=days,
            spot=self.spot,
            spot_days=np.repeat(numbers[:-1, None], self.spot.shape[1], axis=1),
            gross=self.gross,
            net=self.net,
            calendar=numbers,
        )
        return on_terms(quoted, self.events, self.rule)

    def row(self, day: date) -> int:
        """The first session on or after a day."""
        return sum(session < day for session in self.sessions)


def begun(history: History) -> State:
    """The state at the base date."""
    board = history.board
    return started(board.part(board.sessions[0], board.sessions[0]), history.first, BASE)


def computed(history: History) -> Run:
    """All sessions at once."""
    return advance(begun(history), history.board, history.events, history.resets, history.rule)


def total_returns(history: History) -> dict[str, Numbers]:
    """GTR and NTR of a rule that reinvests in the payer: each is the price index of a composition of its own."""
    return {name: computed(reinvested(history, name)).levels["PR"] for name in ("GTR", "NTR")}


def reinvested(history: History, name: str) -> History:
    """The history in which the shares of its payer take in every dividend, ordinary and special."""
    cash = history.gross if name == "GTR" else history.net
    paid = [
        Event(f"paid:{row}:{at}", history.symbols[at], "dividend", history.sessions[row], amount=float(cash[row, at]))
        for row, at in zip(*(side.tolist() for side in np.nonzero(cash)), strict=True)
    ]
    special = [
        replace(event, type="dividend", tax=event.tax if name == "NTR" else 0.0)
        if event.type == "special_dividend"
        else event
        for event in history.events
    ]
    rule = replace(history.rule, special_dividend="reinvest_in_payer")
    return replace(history, events=(*special, *paid), rule=rule)


def choices() -> dict[str, tuple[Any, ...]]:
    """Every convention of a rulebook that is a choice, with all its values."""
    hints = get_type_hints(CalculationRule)
    return {name: get_args(hint) for name, hint in hints.items() if get_origin(hint) is Literal}


def rules(**fixed: Any) -> st.SearchStrategy[CalculationRule]:
    """Any combination of conventions; a value that is given stays."""
    free = {name: st.sampled_from(values) for name, values in choices().items()}
    numbers = {
        "share_change_at_least": st.sampled_from([0.0, 0.05, 0.3]),
        "suspension_clock_sessions": st.sampled_from([0, 0, 1, 3]),
    }
    given = {name: st.just(value) for name, value in fixed.items()}
    return st.builds(CalculationRule, **{**free, **numbers, **given})


@st.composite
def histories(
    draw: st.DrawFn, rule: st.SearchStrategy[CalculationRule] | None = None, kinds: Iterable[str] = tuple(TERMS)
) -> History:
    """A history of 3 to 8 lines and those their events bring in, over 6 to 15 sessions, in 1 to 4 currencies."""
    followed = draw(rules() if rule is None else rule)
    noise = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    names = [f"L{number}" for number in range(draw(st.integers(3, 8)))]
    gaps = draw(st.lists(st.integers(1, 3), min_size=6, max_size=15))
    sessions = tuple(MONDAY + timedelta(days=int(number)) for number in np.cumsum([0, *gaps]))
    happening = st.tuples(st.sampled_from(sorted(kinds)), st.sampled_from(names), st.integers(1, len(gaps)))
    drawn = draw(st.lists(happening, max_size=10))
    ended: set[str] = set()
    planned: list[tuple[str, str, int]] = []
    for kind, symbol, row in drawn:
        if kind not in EXCLUSIVE or symbol not in ended:
            planned.append((kind, symbol, row))
            ended |= {symbol} if kind in EXCLUSIVE else set()
    new = [f"N{number}" for number, (kind, _, _) in enumerate(planned) if kind in WITH_OTHER]
    symbols = tuple(sorted([*names, *new]))
    currencies = draw(st.integers(1, 4))
    history = _quiet(noise, sessions, symbols, currencies, followed)
    history = _with_events(noise, history, planned, names)
    resets = {
        sessions[row]: _reset(noise, names, at_weights)
        for row, at_weights in draw(st.dictionaries(st.integers(1, len(gaps) - 1), st.booleans(), max_size=2)).items()
    }
    return replace(history, resets=resets, first=_reset(noise, names, by_weights=draw(st.booleans())))


def _quiet(
    noise: np.random.Generator,
    sessions: tuple[date, ...],
    symbols: tuple[str, ...],
    currencies: int,
    rule: CalculationRule,
) -> History:
    """Prices, exchange rates and ordinary dividends, without events; new lines begin some day or never."""
    n, m = len(sessions) - 1, len(symbols)
    closes = 10 ** noise.uniform(-1, 3, m) * np.exp(np.cumsum(noise.normal(0, 0.03, (n, m)), axis=0))
    missing = noise.random((n, m)) < 0.15
    missing[0] = False
    for at, symbol in enumerate(symbols):
        if symbol.startswith("N"):
            missing[: noise.integers(1, n + 1), at] = True
    numbers = np.array([day_number(day) for day in sessions])
    quoted = np.cumsum(~missing, axis=0) - ~missing > 0  # a line pays nothing before it has had a price
    paid = quoted * (noise.random((n, m)) < 0.1) * noise.uniform(0.001, 0.05, (n, m)) * closes
    spot = 10 ** noise.uniform(-2, 0.5, currencies) * np.exp(np.cumsum(noise.normal(0, 0.01, (n, currencies)), axis=0))
    spot[:, 0] = 1.0
    return History(
        sessions=sessions,
        symbols=symbols,
        currency_at=tuple(noise.integers(0, currencies, m).tolist()),
        closes=np.where(missing, np.nan, closes),
        close_days=np.repeat(numbers[:n, None], m, axis=1),
        spot=spot,
        gross=paid,
        net=paid * (1 - noise.choice([0.0, 0.15, 0.3], (n, m))),
        events=(),
        resets={},
        first=Reset(),
        rule=rule,
    )


def _with_events(
    noise: np.random.Generator, history: History, planned: list[tuple[str, str, int]], names: list[str]
) -> History:
    """The history with events whose terms fit its prices, and with prices that follow splits and renames."""
    for number, (kind, symbol, row) in sorted(enumerate(planned), key=lambda one: one[1][0] == "rename"):
        event = _event(noise, history, f"e{number}", kind, symbol, row, names)
        history = replace(history, events=(*history.events, event))
        if kind in ("split", "stock_dividend"):
            history = _rescaled(history, symbol, row, event.factor)
        elif kind == "rename":
            history = _continued(history, symbol, event.other, row)
    return history


def _continued(history: History, symbol: str, name: str, row: int) -> History:
    """Under the new name prices, cash and currency of the old one go on."""
    old, new = history.symbols.index(symbol), history.symbols.index(name)
    tables = {table: getattr(history, table).copy() for table in ("closes", "close_days", "gross", "net")}
    for table in tables.values():
        table[row:, new] = table[row:, old]
    tables["closes"][:row, new] = np.nan
    tables["gross"][:row, new] = tables["net"][:row, new] = 0.0
    currencies = (history.currency_at[old] if at == new else one for at, one in enumerate(history.currency_at))
    return replace(history, **tables, currency_at=tuple(currencies))


def _rescaled(history: History, symbol: str, row: int, factor: float) -> History:
    at = history.symbols.index(symbol)
    closes, gross, net = history.closes.copy(), history.gross.copy(), history.net.copy()
    for table in (closes, gross, net):
        table[row:, at] /= factor
    return replace(history, closes=closes, gross=gross, net=net)


def _event(  # noqa: PLR0911, PLR0912 - one return a kind
    noise: np.random.Generator, history: History, name: str, kind: str, symbol: str, row: int, names: list[str]
) -> Event:
    """An event with terms of a likely size on the prices around it."""
    worth = _known(history, symbol, row)
    event = Event(name, symbol, kind, history.sessions[row], tax=float(noise.choice([0.0, 0.1, 0.3])))
    other = f"N{name[1:]}"
    match kind:
        case "split":
            return replace(event, new=float(noise.choice([2.0, 3.0, 0.1, 1.25])), old=1.0)
        case "stock_dividend":
            return replace(event, new=1.0, old=float(noise.choice([4.0, 10.0, 20.0])))
        case "other_stock_dividend":
            return replace(event, new=1.0, old=10.0, price=worth * noise.uniform(0.1, 1.5))
        case "special_dividend" | "capital_return":
            amount = worth * noise.uniform(0.005, 0.1)
            return replace(event, amount=amount, tax=event.tax if kind == "special_dividend" else 0.0)
        case "rights_issue":
            terms = {"new": float(noise.choice([1.0, 3.0])), "old": float(noise.choice([1.0, 5.0]))}
            return replace(
                event, **terms, price=worth * noise.uniform(0.3, 1.3), underwritten=bool(noise.random() < 0.5)
            )
        case "compulsory_tender":
            return replace(event, fraction=noise.uniform(0.05, 0.3), price=worth * noise.uniform(0.8, 1.3))
        case "spin_off":
            ratio, rate = noise.uniform(0.1, 2.0), _rate(history, symbol, row) / _rate(history, other, row)
            return replace(
                event, new=ratio, old=1.0, other=other, price=worth * noise.uniform(0.05, 0.3) * rate / ratio
            )
        case "share_change" | "float_change":
            return replace(event, fraction=noise.uniform(0.6, 1.5))
        case "takeover":
            acquirer = str(noise.choice([*names, other]))
            paper = {"new": noise.uniform(0.1, 2.0), "old": 1.0} if acquirer != symbol and noise.random() < 0.6 else {}
            cash = 0.0 if paper and noise.random() < 0.3 else worth * noise.uniform(0.5, 1.5)
            return replace(event, **paper, price=cash, other=acquirer if paper else "")
        case "delisting" | "bankruptcy":
            return replace(event, price=worth * 0.2 if noise.random() < 0.5 else 0.0)
        case "conversion":
            into = str(noise.choice([other, other, *(line for line in names if line != symbol)]))
            price = worth * noise.uniform(0.5, 2.0) if into == other and noise.random() < 0.5 else 0.0
            return replace(event, new=noise.uniform(0.2, 3.0), old=1.0, other=into, price=price)
        case "rename":
            return replace(event, other=other)
        case "redomicile":
            return replace(event, other="US")
        case _:
            return event


def _known(history: History, symbol: str, row: int) -> float:
    """A close at or before a row, or else the first one."""
    closes = history.closes[:, history.symbols.index(symbol)]
    before = closes[: row + 1][~np.isnan(closes[: row + 1])]
    return float(before[-1])


def _rate(history: History, symbol: str, row: int) -> float:
    return float(history.spot[min(row, len(history.spot)) - 1, history.currency_at[history.symbols.index(symbol)]])


def _reset(noise: np.random.Generator, names: list[str], by_weights: bool) -> Reset:
    """Two lines or more, at weights or with index shares."""
    members = sorted(noise.choice(names, noise.integers(2, len(names) + 1), replace=False).tolist())
    if by_weights:
        return Reset(weights=dict(zip(members, noise.dirichlet(np.full(len(members), 5.0)).tolist(), strict=True)))
    return Reset(shares=dict(zip(members, (10 ** noise.uniform(2, 5, len(members))).tolist(), strict=True)))


def on_new_terms(history: History, event: Event) -> History:
    """The history as it looks once an event has put B / A new shares in place of each one, on the day of the event.

    Closes and cash of the line from that day on, the terms of its later events and the index shares of later reviews.
    """
    factor = event.factor
    moved = _rescaled(history, event.symbol, history.row(event.ex_date), factor)
    events = tuple(
        other if other is event or other.ex_date < event.ex_date else _terms(other, event.symbol, factor)
        for other in history.events
    )
    resets = {
        day: replace(reset, shares=_multiplied(reset.shares, event.symbol, factor)) if day >= event.ex_date else reset
        for day, reset in history.resets.items()
    }
    return replace(moved, events=events, resets=resets)


def _multiplied(shares: Mapping[str, float], symbol: str, factor: float) -> dict[str, float]:
    return {name: count * factor if name == symbol else count for name, count in shares.items()}


def _terms(event: Event, symbol: str, factor: float) -> Event:
    """An event whose line, or whose other line, has ``factor`` shares where it had one."""
    own = {
        "special_dividend": ("amount",),
        "capital_return": ("amount",),
        "rights_issue": ("price",),
        "compulsory_tender": ("price",),
        "takeover": ("price",),
        "delisting": ("price",),
        "bankruptcy": ("price",),
    }
    if event.symbol == symbol:
        event = replace(event, **{name: getattr(event, name) / factor for name in own.get(event.type, ())})
        if event.type in ("delisting", "bankruptcy") and not event.price:
            event = replace(event, price=FLOOR / factor)
        if event.type in ("other_stock_dividend", "spin_off", "takeover", "conversion"):
            event = replace(event, old=event.old * factor)
    if event.other == symbol and event.type in ("takeover", "conversion", "spin_off"):
        event = replace(event, new=event.new * factor)
        if event.type != "takeover":
            event = replace(event, price=event.price / factor)
    return event


def under_new_name(history: History, event: Event) -> History:
    """The history with a line that goes on under another name from the day of a rename, which names it here."""
    old, name, row = event.symbol, f"{event.symbol}+", history.row(event.ex_date)
    at = history.symbols.index(old)
    tables: dict[str, Any] = {}
    for table in ("closes", "close_days", "gross", "net"):
        column = getattr(history, table)
        tables[table] = np.insert(column, at + 1, column[:, at], axis=1)
    tables["closes"][row:, at] = np.nan
    tables["closes"][:row, at + 1] = np.nan
    tables["gross"][row:, at] = tables["net"][row:, at] = 0.0
    tables["gross"][:row, at + 1] = tables["net"][:row, at + 1] = 0.0

    def called(symbol: str) -> str:
        return name if symbol == old else symbol

    events = tuple(
        replace(event, other=name)
        if other is event
        else replace(other, symbol=called(other.symbol), other=called(other.other))
        if other.ex_date > event.ex_date
        else other
        for other in history.events
    )
    resets = {
        day: Reset(*({called(line): number for line, number in side.items()} for side in (reset.weights, reset.shares)))
        if day >= event.ex_date
        else reset
        for day, reset in history.resets.items()
    }
    symbols = (*history.symbols[: at + 1], name, *history.symbols[at + 1 :])
    currencies = (*history.currency_at[: at + 1], history.currency_at[at], *history.currency_at[at + 1 :])
    return replace(history, **tables, symbols=symbols, currency_at=currencies, events=events, resets=resets)
