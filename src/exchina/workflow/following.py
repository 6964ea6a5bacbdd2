"""What a fund follows: an index, or a sample of it, with the tax that the fund bears and on the days it trades."""

from bisect import bisect_right
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date
from itertools import takewhile

import numpy as np

from exchina import history, levels
from exchina.calculation.board import Board, day_number
from exchina.calculation.engine import advance, started
from exchina.calculation.logs import lines_of
from exchina.calculation.state import Reset, Run, Target
from exchina.calculation.weights import weights_of
from exchina.errors import DataError, Problem
from exchina.fund.terms import Execution, Fund
from exchina.inputs import Inputs, index_sessions, inputs_for
from exchina.levels import PRICE, Calculation
from exchina.market.view import MarketView
from exchina.model import Basket, DerivedSeries, IndexSeries, Rulebook

TOTALS = ("PR", "GTR", "NTR")


@dataclass(frozen=True)
class Followed:
    """An index, and what a fund that replicates it holds: the same, a sample, or either traded on other days.

    Attributes:
        index: by its own rules, with gross and net total return.
        model: the replicating portfolio by the same conventions, traded when the index changes.
        traded: as the fund trades it, with the tax that it bears on cash.
        withheld: the same with the tax that is taken at source.
        baskets: the reviews, without those that went on as they were.
        begins: row of the board at whose close the fund begins to trade each of them.
    """

    index: Calculation
    model: Calculation
    traded: Calculation
    withheld: Calculation
    baskets: tuple[Basket, ...]
    begins: tuple[int, ...]

    @property
    def board(self) -> Board:
        """What all of them read; the same but for tax."""
        return self.traded.inputs.board

    @property
    def run(self) -> Run:
        """The portfolio as traded."""
        return self.traded.runs[PRICE]


def with_coming(series: IndexSeries, view: MarketView, fund: Fund) -> IndexSeries:
    """The series and the reviews that a fund has begun to trade before they are in force.

    Such a review is announced by the last session, and at most as many sessions away as the fund trades ahead.

    Raises:
        DataError, InfeasibleError: as for `exchina.history.composed`.
    """
    if fund.execution.first >= 0:
        return series
    sessions, last = index_sessions(series.book, view), view.provenance.through
    row = bisect_right(sessions, last) - 1
    horizon = sessions[min(row - fund.execution.first, len(sessions) - 1)]
    reviews = history.reviews_until(series.book, view, horizon)
    known = list(takewhile(lambda review: review.announced <= last, reviews))
    if known[-1].effective <= last:
        return series
    made = history.composed(series.book, view, known)
    coming = [basket for basket in made if basket.review.effective > last]
    return replace(series, baskets=(*series.baskets, *coming))


def followed(
    series: IndexSeries, view: MarketView, fund: Fund, weights: Mapping[date, Mapping[str, float]] | None
) -> Followed:
    """Compute what a fund follows.

    Args:
        series: the index, with what is coming (`with_coming`).
        view: what is known.
        fund: its tax and its days of trading count.
        weights: what replication holds instead of the weights of each review, by effective date and symbol; None for
            the index itself.

    Raises:
        DataError: as for `exchina.levels.calculated`; a tax rate is not known; a review is traded before it is
            announced.
    """
    baskets = tuple(basket for basket in series.baskets if not basket.held)
    targets = [levels.target_of(basket) for basket in baskets]
    inputs, resets = _planned(_taxed(series.book, None, fund), view, targets)
    index = model = traded = withheld = levels.computed(inputs, view, resets)
    if weights is not None:
        targets = [_reweighted(t, b, weights[b.review.effective]) for t, b in zip(targets, baskets, strict=True)]
        inputs, resets = _planned(_taxed(series.book, None, fund), view, targets)
        model = traded = withheld = levels.computed(inputs, view, resets)
    if fund.execution != Execution():
        _check_announced(inputs, baskets, fund)
        resets = _spread(inputs, resets, targets, fund)
        traded = withheld = levels.computed(inputs, view, resets)
    terms = fund.withholding
    if terms is not None:
        taxed, _ = _planned(_taxed(series.book, terms.profile, fund), view, targets)
        traded = withheld = levels.computed(taxed, view, resets)
        if terms.relief == "reclaim":
            taxed, _ = _planned(_taxed(series.book, "maximum", fund), view, targets)
            withheld = levels.computed(taxed, view, resets)
    begins = tuple(_window(traded.inputs.board, target, fund)[0] for target in targets)
    return Followed(index, model, traded, withheld, baskets, begins)


def _planned(book: Rulebook, view: MarketView, targets: Sequence[Target]) -> tuple[Inputs, dict[date, Reset]]:
    """`levels.planned` of what is in force; the lines of what is coming are read too."""
    now = [target for target in targets if target.effective <= view.provenance.through]
    inputs, resets = levels.planned(book, view, now)
    if len(now) < len(targets):
        symbols = {symbol for target in targets for symbol in (target.reset.weights or target.reset.shares)}
        first = min(target.cutoff for target in targets)
        inputs = inputs_for(book, view, symbols, first, inputs.board.sessions[-1])
    return inputs, resets


def _taxed(book: Rulebook, profile: str | None, fund: Fund) -> Rulebook:
    """The book with every total return, with another tax profile, and with rates of the fund's currency."""
    rule = replace(book.calculation, withholding=profile) if profile else book.calculation  # pyright: ignore[reportArgumentType]
    facts = fund.facts
    hedged = DerivedSeries("benchmark", facts.benchmark, "hedged", {"into": facts.currency}, "to ask for its rates")
    series = (hedged,) if fund.hedge.ratio else ()
    return replace(book, index=replace(book.index, returns=TOTALS), calculation=rule, series=series)


def _reweighted(target: Target, basket: Basket, held: Mapping[str, float]) -> Target:
    """The target with other weights; index shares are scaled by new over old weight."""
    if target.reset.weights:
        return replace(target, reset=Reset(weights={name: held[name] for name in target.reset.weights if held[name]}))
    own = dict(basket.members.select("symbol", "weight").iter_rows())
    shares = {name: q * held[name] / own[name] for name, q in target.reset.shares.items() if held[name]}
    return replace(target, reset=Reset(shares=shares))


def _check_announced(inputs: Inputs, baskets: Sequence[Basket], fund: Fund) -> None:
    sessions = inputs.board.sessions
    for review in (basket.review for basket in baskets[1:]):
        row = max(_row(inputs.board, review.effective) + fund.execution.first, 0)
        if row < len(sessions) and sessions[row] < review.announced:
            what = f"the review of {review.effective} would be traded from {sessions[row]}, and is announced on "
            place = f"fund {fund.facts.id}: replication.execution"
            raise DataError(Problem(place, f"{what}{review.announced}", "begin later: raise `first`"))


def _spread(inputs: Inputs, resets: Mapping[date, Reset], targets: Sequence[Target], fund: Fund) -> dict[date, Reset]:
    """Each review after the first in equal parts: at the j-th of k closes, 1 / (k - j + 1) of what is still to do."""
    sessions, begin, rule = inputs.board.sessions, min(resets), inputs.book.calculation
    part = inputs.part(begin, begin)
    state, made, pending = started(part.board, resets[begin], {PRICE: 1.0}), {begin: resets[begin]}, dict[date, Reset]()
    for session, target, share in _slices(inputs, targets[1:], fund):
        if session <= begin or session > sessions[-1]:
            continue
        part = inputs.part(state.session, session)
        state = advance(state, part.board, part.events, pending, rule).state
        now, goal = weights_of(lines_of(state, part.board)), _goal(target, inputs, session)
        names = sorted({*now, *goal}) if share < 1 else sorted(goal)
        mixed = {name: (1 - share) * now.get(name, 0.0) + share * goal.get(name, 0.0) for name in names}
        made[session] = Reset(weights={name: weight for name, weight in mixed.items() if weight > 0})
        pending = {session: made[session]}
    return made


def _slices(inputs: Inputs, targets: Sequence[Target], fund: Fund) -> list[tuple[date, Target, float]]:
    """Session, target and share of what is still to do; a later review takes over where windows meet."""
    sessions, made = inputs.board.sessions, dict[int, tuple[Target, float]]()
    for target in targets:
        at, count = _window(inputs.board, target, fund)
        made = {row: one for row, one in made.items() if row < at}
        made |= {at + j: (target, 1 / (count - j)) for j in range(count) if 0 <= at + j < len(sessions)}
    return [(sessions[row], *made[row]) for row in sorted(made)]


def _window(board: Board, target: Target, fund: Fund) -> tuple[int, int]:
    """Row of the first close at which a review is traded, and how many there are.

    One that is in force at the launch is traded at its effective close: the fund buys the new portfolio.
    """
    window = fund.execution if target.effective > fund.facts.launch else Execution()
    return _row(board, target.effective) + window.first, window.last - window.first + 1


def _row(board: Board, session: date) -> int:
    """Row of a session of the index calendar, also of one beyond the board."""
    first, at = np.searchsorted(board.calendar, [day_number(board.sessions[0]), day_number(session)])
    return int(at - first)


def _goal(target: Target, inputs: Inputs, session: date) -> dict[str, float]:
    """Weights of the portfolio that a target sets, at the close of a session: before it takes effect, what it would be;
    later, what prices have made of it."""
    if target.reset.weights and session <= target.effective:
        return dict(levels.reset_at(target, inputs, session).weights)
    state = levels.walked(target, inputs, target.effective if target.reset.weights else target.cutoff, session).state
    return weights_of(lines_of(state, inputs.part(session, session).board))
