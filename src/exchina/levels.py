"""From baskets and what a `MarketView` lets one see to an index series: no arithmetic of its own and no file."""

from bisect import bisect_left
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date
from functools import cached_property

import numpy as np
import polars as pl

from exchina.calculation.board import Numbers, last_known, rates_into
from exchina.calculation.derived_register import Parent, derived
from exchina.calculation.engine import NOTIONAL, advance, opened, started
from exchina.calculation.exposures import currency_weights
from exchina.calculation.into_payer import reinvested, reinvesting
from exchina.calculation.lines import Event
from exchina.calculation.logs import begun, compositions, divisor_log, lines_of, weights_on
from exchina.calculation.state import Change, Reset, Run, State, Target
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
        begun: the state that each run started from.
        runs: what was computed since.
        market: where forwards and money-market rates come from.
    """

    inputs: Inputs
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
        return {one.name: derived[one.make](self.parent(one.of), **one.settings) for one in wanted}

    def parent(self, of: str) -> Parent:
        """What a derived series is made from: a return variant, its exposures and the rates of its currencies."""
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


def target_of(basket: Basket) -> Target:
    """What a basket sets, once it is decided.

    fixed_weight at its effective close: its weights. Otherwise index shares from the prices of the cut-off: q_i
    proportional to w_i / P_i; in a market-value index q_i = free-float shares x AWF_i; price-weighted q_i = 1.
    """
    rule, members, review = basket.book.calculation, basket.members, basket.review
    weights = dict(members.select("symbol", "weight").iter_rows())
    if rule.family == "fixed_weight" and rule.weights_set_at == "effective_close":
        return Target(review.cutoff, review.effective, Reset(weights=weights))
    closes = dict(members.select("symbol", "close_usd").iter_rows())
    if rule.family == "price_weighted":
        shares = dict.fromkeys(weights, 1.0)
    elif rule.family == "market_cap":
        sizes = dict(members.select("symbol", "free_float_market_cap_usd").iter_rows())
        unknown = sorted(name for name, size in sizes.items() if size is None)
        if unknown:
            hint = "bring share counts and floats into the market, or screen for free_float_market_cap"
            faults = [
                Problem(f"{name}, review {review.effective}", "no free-float market value", hint) for name in unknown
            ]
            raise DataError(*faults)
        factors = relative_capping_factors(weights, sizes)
        shares = {name: factors[name] * sizes[name] / closes[name] for name in weights}
    else:
        shares = {name: weight * NOTIONAL / closes[name] for name, weight in weights.items()}
    return Target(review.cutoff, review.effective, Reset(shares=shares))


def reset_at(target: Target, inputs: Inputs, session: date) -> Reset:
    """What a target sets at the close of a session from its cut-off on, after every event since.

    Weights are kept under the names of that day, without lines that have left, rescaled; index shares follow events.
    """
    if target.reset.weights:
        return Reset(weights=_remaining(target, inputs.events, session))
    state = walked(target, inputs, target.cutoff, session).state
    return Reset(shares=state.shares, children=state.children)


def lines_walked(basket: Basket, view: MarketView, until: date) -> dict[str, float]:
    """Weights of a basket's lines at the last close by a day, moved by prices and events since they were set."""
    target = target_of(basket)
    since = target.effective if target.reset.weights else target.cutoff
    if until < since:
        return dict(basket.members.select("symbol", "weight").iter_rows())
    inputs = inputs_for(basket.book, view, basket.members["symbol"], target.cutoff, until)
    run = walked(target, inputs, since, inputs.board.sessions[-1])
    return weights_of(lines_of(run.state, inputs.board))


def walked(target: Target, inputs: Inputs, since: date, until: date) -> Run:
    """A target alone from one session to another, with every event on the way: the pro forma.

    Args:
        target: what a review has decided.
        inputs: of its lines.
        since: the session at whose close weights are set; the cut-off for index shares.
        until: the last session.
    """
    part = inputs.part(since, until)
    reset = Reset(weights=_remaining(target, inputs.events, since)) if target.reset.weights else target.reset
    return advance(started(part.board, reset, {PRICE: 1.0}), part.board, part.events, {}, inputs.book.calculation)


def calculated(book: Rulebook, view: MarketView, baskets: Sequence[Basket]) -> Calculation:
    """Compute an index from its base date to the view's last session.

    Args:
        book: the rules.
        view: what is known.
        baskets: of every review in force by then, oldest first.

    Raises:
        DataError: a member has no price or rate, or an event is impossible.
    """
    inputs, resets = planned(book, view, [target_of(basket) for basket in baskets if not basket.held])
    return computed(inputs, view, resets)


def planned(book: Rulebook, view: MarketView, targets: Sequence[Target]) -> tuple[Inputs, dict[date, Reset]]:
    """What is read for some targets up to the view's last session, and what each sets at its effective close.

    Args:
        book: whose conventions hold.
        view: what is known.
        targets: oldest first.

    Raises:
        DataError: as for `inputs_for`.
    """
    symbols = {symbol for target in targets for symbol in (target.reset.weights or target.reset.shares)}
    inputs = inputs_for(book, view, symbols, min(target.cutoff for target in targets), _last(book, view))
    return inputs, {target.effective: reset_at(target, inputs, target.effective) for target in targets}


def computed(inputs: Inputs, view: MarketView, resets: Mapping[date, Reset]) -> Calculation:
    """Compute from the first reset, which is the base date, to the last session of the inputs.

    Args:
        inputs: of `planned`.
        view: what is known.
        resets: by the session after whose close they take effect.

    Raises:
        DataError: a member has no price or rate, or an event is impossible.
    """
    begin = min(resets)
    part = inputs.part(begin, inputs.board.sessions[-1])
    later = {day: reset for day, reset in resets.items() if day > begin}
    return continued(part, view, _begun(inputs.book, part, resets[begin]), later)


def continued(
    inputs: Inputs, view: MarketView, states: Mapping[str, State], resets: Mapping[date, Reset]
) -> Calculation:
    """Compute the sessions of the inputs after that of the states, which is their first.

    Args:
        inputs: of `inputs_after`.
        view: what is known.
        states: `Calculation.states` of an earlier session.
        resets: what reviews set at the close of that session or later.

    Raises:
        DataError: as for `calculated`.
    """
    runs = {name: advance(state, inputs.board, *_as(name, inputs, resets)) for name, state in states.items()}
    return Calculation(inputs, states, runs, view.market)


def inputs_after(
    book: Rulebook, view: MarketView, states: Mapping[str, State], resets: Mapping[date, Reset], last: date
) -> Inputs:
    """What can happen to an index between the session of its states and a later one.

    Raises:
        DataError: as for `inputs_for`.
    """
    held = {symbol for state in states.values() for symbol in (*state.shares, *state.children)}
    coming = {symbol for reset in resets.values() for symbol in (*reset.weights, *reset.shares)}
    return inputs_for(book, view, held | coming, states[PRICE].session, last)


def opening(made: Calculation, resets: Mapping[date, Reset]) -> dict[str, Change]:
    """The change of each composition between the last session computed and the following one."""
    last = made.inputs.board.sessions[-1]
    part = made.inputs.part(last, last)
    return {name: opened(state, part.board, *_as(name, part, resets)) for name, state in made.states.items()}


def _last(book: Rulebook, view: MarketView) -> date:
    return max(day for day in index_sessions(book, view) if day <= view.provenance.through)


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
    return tables_of(made, in_force, view, made.derived)


def tables_of(
    made: Calculation, baskets: Sequence[Basket], view: MarketView, derived_levels: Mapping[str, Numbers]
) -> IndexSeries:
    """The tables of a calculation.

    Args:
        made: what was computed.
        baskets: behind it.
        view: what is known.
        derived_levels: of each derived series, which only a calculation from the base date has.
    """
    book, run, board = made.inputs.book, made.runs[PRICE], made.inputs.board
    calendars = view.reference.venues.select("mic", "calendar")
    lines = view.reference.listings.join(calendars, on="mic", maintain_order="left")
    lines = lines.select("calendar", symbol="yahoo_symbol")
    statuses = price_statuses(run, board, lines, view.market, made.inputs.refused)
    late = delayed_sessions(run, board, statuses, book.calculation)
    levels = pl.concat(
        pl.DataFrame({"session": board.sessions, "level": level}).with_columns(variant=pl.lit(variant))
        for variant, level in {**made.levels, **derived_levels}.items()
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


def _remaining(target: Target, events: Sequence[Event], session: date) -> dict[str, float]:
    left = dict(target.reset.weights)
    for event in events:
        if event.symbol in left and target.cutoff < event.ex_date <= session:
            if event.type in LEAVING:
                del left[event.symbol]
            elif event.type in RENAMING:
                left[event.other] = left.get(event.other, 0.0) + left.pop(event.symbol)
    if not left:
        what = f"every member has left since the data cut-off, {target.cutoff}"
        raise DataError(Problem(f"review {target.effective}", what, "review the index again"))
    whole = sum(left.values())
    return left if len(left) == len(target.reset.weights) else {name: weight / whole for name, weight in left.items()}


def _begun(book: Rulebook, part: Inputs, reset: Reset) -> dict[str, State]:
    """The states at the base date; into the payer, each total return has a composition of its own."""
    base, wanted = book.index.base_value, book.index.returns
    apart = REINVESTED if book.calculation.dividends == "into_payer" else ()
    own = dict.fromkeys([PRICE, *(name for name in wanted if name not in apart)], base)
    first = started(part.board, reset, own)
    return {PRICE: first, **{name: replace(first, levels={PRICE: base}) for name in wanted if name in apart}}


def _as(
    name: str, part: Inputs, resets: Mapping[date, Reset]
) -> tuple[Sequence[Event], Mapping[date, Reset], CalculationRule]:
    """Events, resets and conventions of a run: a total return into the payer goes through every dividend too."""
    rule = part.book.calculation
    if name == PRICE:
        return part.events, resets, rule
    return reinvested(part.events, part.board, net=name == "NTR"), resets, reinvesting(rule)


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
