"""The path of a fund: what it follows as arrays in its own currency, from its launch on."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date
from itertools import pairwise

import numpy as np
import polars as pl

from exchina.analytics.costs import rates_of
from exchina.calculation.board import Board, day_number, day_of, last_known, rates_into
from exchina.calculation.derived.hedged import hedged
from exchina.calculation.lines import Lines
from exchina.calculation.state import Change
from exchina.errors import DataError, Problem
from exchina.fund.hedging import hedge_marks
from exchina.fund.path import BoolArray, Dealing, FloatArray, Path, Stop
from exchina.fund.terms import Fund
from exchina.levels import PRICE
from exchina.market.view import MarketView
from exchina.workflow.costing import Desk, Measured, Move
from exchina.workflow.following import Followed
from exchina.workflow.fund_faults import of_fund, unfit


@dataclass(frozen=True)
class _Frame:
    """Rows of the board from the launch on, its columns that are ever held, and the rate into fund currency."""

    first: int
    symbols: list[str]
    columns: list[int]
    rate: FloatArray

    def dense(self, lines: Lines, at: int) -> tuple[FloatArray, FloatArray]:
        """Shares and value a share of lines, (m,), at the rate of a row of the board."""
        place = {name: number for number, name in enumerate(self.symbols)}
        shares, worth = np.zeros(len(place)), np.zeros(len(place))
        for name, line in lines.items():
            shares[place[name]], worth[place[name]] = line.shares, line.price * line.rate * self.rate[at - self.first]
        return shares, worth


def path_of(made: Followed, fund: Fund, view: MarketView, dealing: Desk | None) -> tuple[Path, tuple[str, ...]]:
    """The path of a fund from its launch to the last session, and remarks on what had to be assumed.

    Args:
        made: what it follows.
        fund: its terms.
        view: exchange rates, forwards and money-market rates.
        dealing: where volumes are looked up; None where dealing costs nothing.

    Raises:
        DataError: the launch is not within the index, or a rate is missing; with the first day.
    """
    frame = _frame(made, fund, view)
    board, first, columns = made.board, frame.first, frame.columns
    sessions = board.sessions[first:]
    rates = board.rates[first:, columns] * frame.rate[:, None]
    held = _held_at(made, frame)
    worth = np.nan_to_num(made.run.prices[first:, columns] * rates)  # the calculation has refused gaps in what is held
    gross, borne, withheld = (
        np.nan_to_num(table[first:, columns] * rates)
        for table in (board.gross, board.gross - board.net, board.gross - made.withheld.inputs.board.net)
    )
    own = fund.withholding is not None
    gain, rolls = _hedged(made, fund, view, frame, held)
    start, stops = _begun(_shares(made, frame), _stops(made, frame, own=own))
    deals, remarks = _dealings(made, fund, view, frame, dealing)
    plain, sold = made.index.levels[fund.facts.benchmark][first:] * frame.rate, _hedged_benchmark(made, fund, first)
    path = Path(
        sessions=sessions,
        month_ends=_month_ends(board, sessions),
        symbols=tuple(frame.symbols),
        currencies=board.currencies,
        currency_at=board.currency_at[columns],
        lots=np.zeros(len(columns), np.int64),
        kind=np.ones(len(columns), bool),
        start=start,
        worth=worth,
        gross=gross,
        withheld=withheld if own else np.zeros_like(gross),
        borne=borne if own else np.zeros_like(gross),
        stops=stops,
        dealing=deals,
        index_gross=made.index.levels["GTR"][first:] * frame.rate,
        benchmark=plain if sold is None else sold,
        unhedged=None if sold is None else plain,
        model=made.model.levels["GTR"][first:] * frame.rate,
        money_market=_money_market(fund, view, sessions),
        hedge_gain=gain,
        hedge_rolls=rolls,
    )
    return in_terms(path, fund, view), remarks


def in_terms(path: Path, fund: Fund, view: MarketView) -> Path:
    """The path with the lots of a fund, and the lines that it cannot hand over in kind."""
    listed = dict(view.reference.listings.select("yahoo_symbol", "mic").iter_rows())
    mics = [listed[name] for name in path.symbols]
    return replace(
        path,
        lots=np.array([fund.lots.venues.get(mic, fund.lots.shares) for mic in mics], np.int64),
        kind=np.array([mic not in fund.creation.cash_only for mic in mics], bool),
    )


def _frame(made: Followed, fund: Fund, view: MarketView) -> _Frame:
    board = made.board
    if faults := unfit(fund, board.sessions, view):
        raise DataError(*of_fund(fund, faults))
    first = board.row_from(fund.facts.launch)
    own, into = made.index.inputs.book.index.currency, fund.facts.currency
    rate = _rates(view.market.fx, [own], into, board.sessions[first:])[:, 0]
    if not np.isfinite(rate).all():
        day = board.sessions[first + int(np.argmin(np.isfinite(rate)))]
        cure = "bring its rates in, or launch the fund later"
        raise DataError(Problem(f"fund {fund.facts.id}: fund.currency", f"no rate from {own} to {into} on {day}", cure))
    later = [change for change in made.run.changes if first < board.row_from(change.session) < len(board.sessions)]
    held = _composition(made, first)
    symbols = sorted({*held, *(name for change in later for lines in (change.before, change.after) for name in lines)})
    return _Frame(first, symbols, board.columns(symbols), rate)


def _rates(fx: pl.DataFrame, codes: Sequence[str], into: str, days: Sequence[date]) -> FloatArray:
    """`rates_into` for a currency that need not be among the codes."""
    return rates_into(fx, [*codes, *({into} - {*codes})], into, days)[:, : len(codes)]


def _composition(made: Followed, row: int) -> Mapping[str, float]:
    return made.run.shares_on(row) if row else made.traded.begun[PRICE].shares


def _shares(made: Followed, frame: _Frame) -> FloatArray:
    held = _composition(made, frame.first)
    return np.array([held.get(name, 0.0) for name in frame.symbols])


def _changes(made: Followed, frame: _Frame) -> list[tuple[int, Change]]:
    """Changes after the launch with their rows of the board."""
    last = len(made.board.sessions)
    return [
        (row, change)
        for change in made.run.changes
        if frame.first < (row := made.board.row_from(change.session)) < last
    ]


def _stops(made: Followed, frame: _Frame, *, own: bool) -> tuple[Stop, ...]:
    """The changes of the portfolio; special cash and the tax on it are those of its own points."""
    at_source = {change.session: change for change in made.withheld.runs[PRICE].changes}
    stops: list[Stop] = []
    for row, change in _changes(made, frame):
        before, worth_before = frame.dense(change.before, row - 1)
        after, worth_after = frame.dense(change.after, row - 1)
        rate = float(frame.rate[row - frame.first]) * change.divisor_after
        source = at_source[change.session]
        stops.append(
            Stop(
                row=row - frame.first,
                before=before,
                after=after,
                worth_before=worth_before,
                worth_after=worth_after,
                traded="review" in change.causes,
                special=change.gross_points * rate,
                withheld=(source.gross_points - source.net_points) * rate if own else 0.0,
                borne=(change.gross_points - change.net_points) * rate if own else 0.0,
            )
        )
    return tuple(stops)


def _begun(start: FloatArray, stops: tuple[Stop, ...]) -> tuple[FloatArray, tuple[Stop, ...]]:
    """A fund that is launched at the close of a review buys the new portfolio; no action may change its terms then."""
    first = stops[0] if stops else None
    if first is None or first.row > 1 or not first.traded:
        return start, stops
    kept = (first.before > 0) & (first.after > 0)
    if not np.array_equal(first.worth_before[kept], first.worth_after[kept]) or first.special:
        return start, stops
    return first.after, stops[1:]


def _held_at(made: Followed, frame: _Frame) -> BoolArray:
    """(n, m) whether the portfolio holds a line at the close of a session, or is about to."""
    held = np.zeros((len(made.board.sessions) - frame.first, len(frame.symbols)), bool)
    rows = [0, *(row - frame.first for row, _ in _changes(made, frame)), len(held)]
    units = [_shares(made, frame), *(frame.dense(change.after, row - 1)[0] for row, change in _changes(made, frame))]
    for (start, end), shares in zip(pairwise(rows), units, strict=True):
        held[max(start - 1, 0) : end] |= shares > 0
    return held


def _month_ends(board: Board, sessions: Sequence[date]) -> BoolArray:
    """Whether the following session of the index calendar is in another month; unknown is no month end."""
    numbers = board.calendar
    following = np.searchsorted(numbers, [day_number(day) for day in sessions], side="right")
    months = [day_of(int(numbers[at])).month if at < len(numbers) else 0 for at in following]
    return np.array([month not in (0, day.month) for month, day in zip(months, sessions, strict=True)])


def _money_market(fund: Fund, view: MarketView, sessions: Sequence[date]) -> FloatArray:
    if fund.cash.earns == "nothing":
        return np.zeros(len(sessions))
    code = fund.facts.currency
    rates = last_known(view.market.cash_rates.sort("session"), "currency", [code], "rate", sessions)[0][:, 0]
    if not np.isfinite(rates).all():
        where, cure = f"fund {fund.facts.id}: holdings.cash", 'bring `cash_rates` in, or write earns = "nothing"'
        raise DataError(Problem(where, f"no money-market rate of {code} on {sessions[0]}", cure))
    return rates


def _hedged(
    made: Followed, fund: Fund, view: MarketView, frame: _Frame, held: BoolArray
) -> tuple[FloatArray, BoolArray]:
    codes, home, sessions = made.board.currencies, fund.facts.currency, made.board.sessions[frame.first :]
    currency_at = made.board.currency_at[frame.columns]
    if not fund.hedge.ratio:
        return np.zeros((len(sessions), len(codes))), np.zeros(len(sessions), bool)
    chosen = [code != home and (not fund.hedge.currencies or code in fund.hedge.currencies) for code in codes]
    foreign = [code for code in fund.hedge.currencies if code not in codes]
    if foreign:
        known = ", ".join(code for code in codes if code != home)
        place = f"fund {fund.facts.id}: vehicle.hedge.currencies"
        raise DataError(*(Problem(place, f"no line is quoted in {code}", f"one of {known}") for code in foreign))
    needed = np.stack([held[:, currency_at == at].any(axis=1) & chosen[at] for at in range(len(codes))], axis=1)
    spot = _rates(view.market.fx, codes, home, sessions)
    forward = _rates(view.market.forwards, codes, home, sessions)
    return hedge_marks(sessions, spot, forward, codes, needed)


def _hedged_benchmark(made: Followed, fund: Fund, first: int) -> FloatArray | None:
    """The benchmark of a hedged fund from its launch on, hedged as the fund is; None without a hedge."""
    if not fund.hedge.ratio:
        return None
    whole = made.index.parent(fund.facts.benchmark)
    cut = ("sessions", "levels", "price_levels", "points", "weights", "spot", "forward", "cash")
    parent = replace(whole, **{name: getattr(whole, name)[first:] for name in cut})
    return hedged(parent, into=fund.facts.currency, ratio=fund.hedge.ratio, currencies=fund.hedge.currencies)


def _dealings(
    made: Followed, fund: Fund, view: MarketView, frame: _Frame, desk: Desk | None
) -> tuple[tuple[Dealing, ...], tuple[str, ...]]:
    """What trades cost from the launch and from each review on, by the volumes known at the data cut-off of the review
    that the fund has begun to trade."""
    none = np.zeros(len(frame.symbols))
    if desk is None:
        return (Dealing(0, none, none, none),), ()
    board, changes = made.board, _changes(made, frame)
    rows = [frame.first, *(row for row, change in changes if "review" in change.causes)]
    moves: list[Move] = []
    for row, end in pairwise([*rows, len(board.sessions)]):
        near = [one for at, one in changes if row <= at <= end]
        names = {name for one in near for lines in (one.before, one.after) for name in lines}
        names |= set(_composition(made, row)) if row == frame.first else set()
        close = row - (row > frame.first)
        begun = [one for one, begin in zip(made.baskets, made.begins, strict=True) if begin <= close]
        cutoff = begun[-1].review.cutoff if begun else made.baskets[0].review.cutoff
        moves.append(Move(board.sessions[close], cutoff, dict.fromkeys(names, 0.0), {}))
    measured, remarks = desk.measured(moves), list[str]()
    deals: list[Dealing] = []
    for row, move in zip(rows, moves, strict=True):
        usd = _rates(view.market.fx, [fund.facts.currency], "USD", [move.effective])[0, 0]
        known = measured[move.cutoff]
        mine = known.lines["symbol"].is_in(list(move.new)).to_numpy()
        costs, lacking = _per_line(known, mine, fund, desk, float(usd))
        places = [frame.symbols.index(name) for name in known.lines["symbol"].filter(pl.Series(mine))]
        table = np.zeros((4, len(frame.symbols)))
        table[3] = np.nan
        table[:, places] = costs
        deals.append(Dealing(row - frame.first, *table))
        remarks += [
            f"the impact of trading {name} on {move.effective} is taken as that of the dearest line: "
            f"too little volume is known by {move.cutoff}"
            for name in lacking
        ]
    return tuple(deals), tuple(remarks)


def _per_line(known: Measured, mine: BoolArray, fund: Fund, desk: Desk, usd: float) -> tuple[FloatArray, list[str]]:
    """(4, lines) rates of a purchase and of a sale, k of impact and ADV; and the lines whose k is not known."""
    lines = known.lines.filter(pl.Series(mine))
    rates = rates_of(desk.model, lines["mic"].to_list(), lines["country"].to_list())
    adv, enough = known.volumes.median[mine], known.volumes.sessions[mine] >= desk.terms.least_sessions
    sound = enough & (adv > 0) & (known.sigma[mine] > 0)
    k = np.full(lines.height, np.nan)
    k[sound] = fund.costs.impact * known.sigma[mine][sound] * np.sqrt(usd / adv[sound])
    if fund.costs.impact and not sound.any():
        hint = "launch the fund later, bring volumes in, or write impact = 0"
        raise DataError(Problem(f"fund {fund.facts.id}, {known.day}", "no line has a known volume", hint))
    k = np.where(sound, k, np.nanmax(k)) if fund.costs.impact else np.zeros(lines.height)
    lacking = lines["name"].filter(pl.Series(~sound)).to_list() if fund.costs.impact else []
    dealt = float(fund.costs.dealing)
    return np.stack([rates.buy * dealt, rates.sell * dealt, k, np.where(sound, adv / usd, np.nan)]), lacking
