"""From baskets and what a `MarketView` lets one see to an index series: no arithmetic of its own and no file."""

from bisect import bisect_left
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date
from functools import cached_property

import numpy as np
import polars as pl

from exchina.calculation.board import Board, Numbers, last_known, rates_into
from exchina.calculation.derived_register import Parent, derived
from exchina.calculation.engine import NOTIONAL, advance, started
from exchina.calculation.exposures import currency_weights
from exchina.calculation.lines import Event
from exchina.calculation.logs import begun, compositions, divisor_log, lines_of, weights_on
from exchina.calculation.state import Reset, Run, State
from exchina.calculation.statuses import delayed_sessions, price_statuses
from exchina.calculation.weights import one_way_turnover, relative_capping_factors, weights_of
from exchina.errors import DataError, Problem
from exchina.inputs import Inputs, index_sessions, inputs_for
from exchina.market.view import MarketView
from exchina.model import Basket, CalculationRule, IndexSeries, MarketData, Rulebook
from exchina.tables.actions import LEAVING

PRICE = "PR"
REINVESTED = ("GTR", "NTR")
RENAMING = ("rename", "conversion")


@dataclass(frozen=True)
class Calculation:
    """An index computed up to a session: one run a composition (``PR``; with ``into_payer`` also ``GTR`` and ``NTR``).

    Attributes:
        inputs: what was read.
        resets: by the session after whose close a review takes effect.
        begun: the state that each run started from.
        runs: what was computed since.
        market: where forwards and money-market rates come from.
    """

    inputs: Inputs
    resets: Mapping[date, Reset]
    begun: Mapping[str, State]
    runs: Mapping[str, Run]
    market: MarketData

    @property
    def states(self) -> dict[str, State]:
        """What the next session starts from."""
        return {name: run.state for name, run in self.runs.items()}

    @cached_property
    def levels(self) -> dict[str, Numbers]:
        """Levels of each return variant of the rulebook, the first of the session it began from."""
        return {
            variant: np.concatenate([[self.begun[run].levels[column]], self.runs[run].levels[column]])
            for variant in self.inputs.book.index.returns
            for run, column in [(variant, PRICE) if variant in self.runs else (PRICE, variant)]
        }

    @cached_property
    def derived(self) -> dict[str, Numbers]:
        """Levels of each derived series of the rulebook."""
        wanted = self.inputs.book.series
        return {one.name: derived[one.make](self._parent(one.of), **one.settings) for one in wanted}

    def _parent(self, of: str) -> Parent:
        board, run = self.inputs.board, self.runs[PRICE]
        into = self.inputs.book.index.currency
        price = np.concatenate([[self.begun[PRICE].levels[PRICE]], run.levels[PRICE]])
        return Parent(
            sessions=board.sessions,
            levels=self.levels[of],
            price_levels=price,
            points=np.concatenate([[0.0], run.gross_points]),
            currency=into,
            currencies=board.currencies,
            weights=currency_weights(self.begun[PRICE], run, board),
            spot=board.spot,
            forward=rates_into(self.market.forwards, board.currencies, into, board.sessions),
            cash=last_known(
                self.market.cash_rates.sort("session"), "currency", board.currencies, "rate", board.sessions
            )[0],
        )


def anchored(basket: Basket, inputs: Inputs) -> tuple[date, Reset]:
    """The session at whose close a basket's index shares are set, and how.

    fixed_weight at its effective close: the weights, without what has left since the cut-off. Otherwise at the cut-off:
    q_i proportional to w_i / P_i; in a market-value index q_i = free-float shares x AWF_i; price-weighted q_i = 1.
    """
    rule, members = basket.book.calculation, basket.members
    weights = dict(members.select("symbol", "weight").iter_rows())
    if rule.family == "fixed_weight" and rule.weights_set_at == "effective_close":
        return basket.review.effective, Reset(weights=_remaining(weights, basket, inputs.events))
    closes = dict(members.select("symbol", "close_usd").iter_rows())
    if rule.family == "price_weighted":
        shares = dict.fromkeys(weights, 1.0)
    elif rule.family == "market_cap":
        sizes = dict(members.select("symbol", "free_float_market_cap_usd").iter_rows())
        factors = relative_capping_factors(weights, sizes)
        shares = {name: factors[name] * sizes[name] / closes[name] for name in weights}
    else:
        shares = {name: weight * NOTIONAL / closes[name] for name, weight in weights.items()}
    return basket.review.cutoff, Reset(shares=shares)


def walked(basket: Basket, inputs: Inputs, until: date) -> Run:
    """One basket alone from its anchor to the close of a session, with every event on the way: its pro forma."""
    anchor, reset = anchored(basket, inputs)
    part = inputs.part(anchor, until)
    state = started(part.board, reset, {PRICE: 1.0})
    return advance(state, part.board, part.events, {}, basket.book.calculation)


def lines_walked(basket: Basket, view: MarketView, until: date) -> dict[str, float]:
    """Weights of a basket's lines at the last close by a day, moved by prices and events since its anchor."""
    anchor = min(basket.review.cutoff, until)
    inputs = inputs_for(basket.book, view, basket.members["symbol"].to_list(), anchor, until)
    since, _ = anchored(basket, inputs)
    if until < since:
        return dict(basket.members.select("symbol", "weight").iter_rows())
    run = walked(basket, inputs, inputs.board.sessions[-1])
    return weights_of(lines_of(run.state, inputs.board))


def calculated(
    book: Rulebook, view: MarketView, baskets: Sequence[Basket], states: Mapping[str, State] | None = None
) -> Calculation:
    """Compute an index up to the view's last session.

    Args:
        book: the rules.
        view: what is known.
        baskets: of every review in force by then, oldest first; of the reviews since the states where they are given.
        states: `Calculation.states` of an earlier session to go on from; None starts at the base date.

    Raises:
        DataError: a member has no price or rate, or an event is impossible.
    """
    through = view.provenance.through
    traded = [basket for basket in baskets if not basket.held]
    begin = min(state.session for state in states.values()) if states else traded[0].review.effective
    last = max(day for day in index_sessions(book, view) if day <= through)
    first = min([begin, *(basket.review.cutoff for basket in traded)])
    held = [symbol for state in (states or {}).values() for symbol in (*state.shares, *state.children)]
    inputs = inputs_for(book, view, sorted({*held, *(s for b in traded for s in b.members["symbol"])}), first, last)
    resets = {basket.review.effective: _at_effective(basket, inputs) for basket in traded}
    part = inputs.part(begin, last)
    begun = states or _begun(book, part, resets[begin])
    later = resets if states else {day: reset for day, reset in resets.items() if day > begin}
    runs = {
        name: advance(state, part.board, *_as_run(name, part), later, _rule(name, book))
        for name, state in begun.items()
    }
    return Calculation(part, later, begun, runs, view.market)


def series_of(book: Rulebook, view: MarketView, baskets: Sequence[Basket]) -> IndexSeries:
    """Levels of the baskets that are in force by the view's last session; a held basket is no trade.

    Raises:
        DataError: the base date lies after the last session, or as for `calculated`.
    """
    through = view.provenance.through
    in_force = [basket for basket in baskets if basket.review.effective <= through]
    if not in_force:
        hint = "fetch later prices or set an earlier base_date"
        raise DataError(Problem("index.base_date", f"{book.index.base_date} is after the last price, {through}", hint))
    made = calculated(book, view, in_force)
    return series_from(made, in_force, view)


def series_from(made: Calculation, baskets: Sequence[Basket], view: MarketView) -> IndexSeries:
    """The tables of a calculation."""
    book, run, board = made.inputs.book, made.runs[PRICE], made.inputs.board
    calendars = view.reference.venues.select("mic", "calendar")
    lines = view.reference.listings.join(calendars, on="mic", maintain_order="left")
    lines = lines.select("calendar", symbol="yahoo_symbol")
    statuses = price_statuses(run, board, lines, view.market, made.inputs.refused)
    late = delayed_sessions(run, board, statuses, book.calculation)
    levels = pl.concat(
        pl.DataFrame({"session": board.sessions, "level": level}).with_columns(variant=pl.lit(variant))
        for variant, level in {**made.levels, **made.derived}.items()
    ).with_columns(status=pl.when(pl.col("session").is_in(late)).then(pl.lit("delayed")).otherwise(pl.lit("published")))
    changes = [begun(made.begun[PRICE], board), *run.changes]
    return IndexSeries(
        book=book,
        levels=levels.select("session", "variant", "level", "status"),
        points=pl.DataFrame(
            {"session": run.sessions, "gross_points": run.gross_points, "net_points": run.net_points},
            schema_overrides={"session": pl.Date},
        ),
        divisor=divisor_log(changes),
        shares=compositions(changes),
        turnover=_turnover(made),
        statuses=statuses,
        baskets=tuple(baskets),
        provenance=view.provenance,
    )


def _remaining(weights: Mapping[str, float], basket: Basket, events: Sequence[Event]) -> dict[str, float]:
    """Target weights under the names of the effective day, without lines that left after the cut-off, rescaled."""
    review, left = basket.review, dict(weights)
    for event in events:
        if event.symbol in left and review.cutoff < event.ex_date <= review.effective:
            if event.type in LEAVING:
                del left[event.symbol]
            elif event.type in RENAMING:
                left[event.other] = left.get(event.other, 0.0) + left.pop(event.symbol)
    if not left:
        what = f"every member left between {review.cutoff} and {review.effective}"
        raise DataError(Problem(f"review {review.effective}", what, "review the index again"))
    whole = sum(left.values())
    return left if len(left) == len(weights) else {name: weight / whole for name, weight in left.items()}


def _at_effective(basket: Basket, inputs: Inputs) -> Reset:
    """What a basket sets at the close of its effective day."""
    anchor, reset = anchored(basket, inputs)
    if anchor == basket.review.effective:
        return reset
    return Reset(shares=walked(basket, inputs, basket.review.effective).state.shares)


def _begun(book: Rulebook, part: Inputs, reset: Reset) -> dict[str, State]:
    """The states at the base date; into the payer, each total return has a composition of its own."""
    base, wanted = book.index.base_value, book.index.returns
    apart = REINVESTED if book.calculation.dividends == "into_payer" else ()
    own = dict.fromkeys([PRICE, *(name for name in wanted if name not in apart)], base)
    first = started(part.board, reset, own)
    return {PRICE: first, **{name: replace(first, levels={PRICE: base}) for name in wanted if name in apart}}


def _as_run(name: str, part: Inputs) -> tuple[tuple[Event, ...]]:
    """The events of a run: those of a total return into the payer hold every dividend too."""
    return (part.events if name == PRICE else (*_reinvested(name, part.events), *_paid(name, part.board)),)


def _reinvested(name: str, events: Sequence[Event]) -> list[Event]:
    return [
        replace(event, type="dividend", tax=event.tax if name == "NTR" else 0.0)
        if event.type == "special_dividend"
        else event
        for event in events
    ]


def _paid(name: str, board: Board) -> list[Event]:
    cash = board.net if name == "NTR" else board.gross
    rows, columns = np.nonzero(cash)
    return [
        Event(
            f"dividend:{board.symbols[at]}:{board.sessions[row]}",
            board.symbols[at],
            "dividend",
            board.sessions[row],
            amount=float(cash[row, at]),
        )
        for row, at in zip(rows.tolist(), columns.tolist(), strict=True)
    ]


def _rule(name: str, book: Rulebook) -> CalculationRule:
    return book.calculation if name == PRICE else replace(book.calculation, special_dividend="reinvest_in_payer")


def _turnover(made: Calculation) -> pl.DataFrame:
    """One-way turnover of each review, both weights at the close after which it takes effect."""
    sessions, schema = made.inputs.board.sessions, {"session": pl.Date, "one_way": pl.Float64}
    reviewed = [change for change in made.runs[PRICE].changes if "review" in change.causes]
    rows = [
        (
            sessions[made.inputs.board.row(change.session) - 1],
            one_way_turnover(weights_of(change.after), weights_of(change.before)),
        )
        for change in reviewed
    ]
    return pl.DataFrame(rows, schema, orient="row")


def constituents(series: IndexSeries, view: MarketView) -> pl.DataFrame:
    """Who was in the index with which weight, and the market and benchmark of each line, for an event study.

    One composition per review, at the weights it sets, and one for the last close before each policy shock, at the
    weights to which prices and events had moved them; ``effective`` is the close after which it stands.
    """
    made = calculated(series.book, view, series.baskets)
    sessions, run = made.inputs.board.sessions, made.runs[PRICE]
    shocks = {bisect_left(sessions, day) - 1 for day in view.reference.policy_shocks["event_date"].unique()}
    rows = [_composition(basket, {}, basket.review.effective, view) for basket in series.baskets]
    for at in sorted(shocks):
        reviewed = [basket for basket in series.baskets if at >= 0 and basket.review.effective < sessions[at]]
        if reviewed:
            weights = weights_on(run, made.inputs.board, sessions[at])
            traded = [basket for basket in reviewed if not basket.held][-1]
            rows.append(_composition(traded, weights, sessions[at], view))
    venues = view.reference.venues.select("mic", "calendar", benchmark="local_benchmark_symbol")
    table = pl.concat(rows).unique(["effective", "symbol"], keep="first", maintain_order=True).sort("effective")
    return table.join(venues, on="mic", how="left", maintain_order="left").drop("mic")


def _composition(basket: Basket, weights: Mapping[str, float], day: date, view: MarketView) -> pl.DataFrame:
    """The members of a basket at given weights (none given: its own), under the symbols that they have by then."""
    stages = basket.members.select("company_id", "stage")
    held = weights or dict(basket.members.select("symbol", "weight").iter_rows())
    lines = view.reference.listings.select("company_id", "currency", "mic", symbol="yahoo_symbol")
    table = pl.DataFrame(list(held.items()), {"symbol": pl.String, "weight": pl.Float64}, orient="row")
    joined = table.join(lines, on="symbol", maintain_order="left").join(stages, on="company_id", maintain_order="left")
    return joined.select("symbol", "stage", "weight", "currency", "mic", effective=pl.lit(day))
