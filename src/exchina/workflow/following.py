"""What a fund follows: an index, or a sample of it, with the tax that the fund bears and on the days it trades."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date

from exchina import levels
from exchina.calculation.board import Board
from exchina.calculation.engine import advance, started
from exchina.calculation.logs import lines_of
from exchina.calculation.state import Reset, Run, Target
from exchina.calculation.weights import weights_of
from exchina.errors import DataError, Problem
from exchina.fund.terms import Execution, Fund
from exchina.inputs import Inputs
from exchina.levels import PRICE, Calculation
from exchina.market.view import MarketView
from exchina.model import Basket, IndexSeries, Rulebook

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
    """

    index: Calculation
    model: Calculation
    traded: Calculation
    withheld: Calculation
    baskets: tuple[Basket, ...]

    @property
    def board(self) -> Board:
        """What all of them read; the same but for tax."""
        return self.traded.inputs.board

    @property
    def run(self) -> Run:
        """The portfolio as traded."""
        return self.traded.runs[PRICE]


def followed(
    series: IndexSeries, view: MarketView, fund: Fund, weights: Mapping[date, Mapping[str, float]] | None
) -> Followed:
    """Compute what a fund follows.

    Args:
        series: the index.
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
    inputs, resets = levels.planned(_taxed(series.book, None), view, targets)
    index = model = traded = withheld = levels.computed(inputs, view, resets)
    if weights is not None:
        targets = [_reweighted(t, b, weights[b.review.effective]) for t, b in zip(targets, baskets, strict=True)]
        inputs, resets = levels.planned(_taxed(series.book, None), view, targets)
        model = traded = withheld = levels.computed(inputs, view, resets)
    if fund.execution != Execution():
        _check_announced(inputs, baskets, fund)
        resets = _spread(inputs, resets, targets, fund.execution)
        traded = withheld = levels.computed(inputs, view, resets)
    terms = fund.withholding
    if terms is not None:
        taxed, _ = levels.planned(_taxed(series.book, terms.profile), view, targets)
        traded = withheld = levels.computed(taxed, view, resets)
        if terms.relief == "reclaim":
            taxed, _ = levels.planned(_taxed(series.book, "maximum"), view, targets)
            withheld = levels.computed(taxed, view, resets)
    return Followed(index, model, traded, withheld, baskets)


def _taxed(book: Rulebook, profile: str | None) -> Rulebook:
    """The book with every total return, and with another tax profile."""
    rule = replace(book.calculation, withholding=profile) if profile else book.calculation  # pyright: ignore[reportArgumentType]
    return replace(book, index=replace(book.index, returns=TOTALS), calculation=rule, series=())


def _reweighted(target: Target, basket: Basket, held: Mapping[str, float]) -> Target:
    """The target with other weights; index shares are scaled by new over old weight."""
    if target.reset.weights:
        return replace(target, reset=Reset(weights={name: held[name] for name in target.reset.weights if held[name]}))
    own = dict(basket.members.select("symbol", "weight").iter_rows())
    shares = {name: q * held[name] / own[name] for name, q in target.reset.shares.items() if held[name]}
    return replace(target, reset=Reset(shares=shares))


def _check_announced(inputs: Inputs, baskets: Sequence[Basket], fund: Fund) -> None:
    sessions = inputs.board.sessions
    for basket in baskets[1:]:
        review = basket.review
        first = sessions[max(inputs.board.row(review.effective) + fund.execution.first, 0)]
        if first < review.announced:
            what = (
                f"the review of {review.effective} would be traded from {first}, and is announced on {review.announced}"
            )
            raise DataError(Problem(f"fund {fund.facts.id}: replication.execution", what, "begin later: raise `first`"))


def _spread(
    inputs: Inputs, resets: Mapping[date, Reset], targets: Sequence[Target], execution: Execution
) -> dict[date, Reset]:
    """Each review after the first in equal parts: at the j-th of k closes, 1 / (k - j + 1) of what is still to do."""
    sessions, begin, rule = inputs.board.sessions, min(resets), inputs.book.calculation
    part = inputs.part(begin, begin)
    state, made, pending = started(part.board, resets[begin], {PRICE: 1.0}), {begin: resets[begin]}, dict[date, Reset]()
    for session, target, share in _slices(inputs, targets[1:], execution):
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


def _slices(inputs: Inputs, targets: Sequence[Target], execution: Execution) -> list[tuple[date, Target, float]]:
    """Session, target and share of what is still to do; a later review takes over where windows meet."""
    sessions, count = inputs.board.sessions, execution.last - execution.first + 1
    made: dict[date, tuple[Target, float]] = {}
    for target in targets:
        at = inputs.board.row(target.effective) + execution.first
        made = {day: one for day, one in made.items() if day < sessions[at]}
        made |= {sessions[at + j]: (target, 1 / (count - j)) for j in range(count) if at + j < len(sessions)}
    return [(day, *one) for day, one in sorted(made.items())]


def _goal(target: Target, inputs: Inputs, session: date) -> dict[str, float]:
    """Weights of the portfolio that a target sets, at the close of a session: before it takes effect, what it would be;
    later, what prices have made of it."""
    if target.reset.weights and session <= target.effective:
        return dict(levels.reset_at(target, inputs, session).weights)
    state = levels.walked(target, inputs, target.effective if target.reset.weights else target.cutoff, session).state
    return weights_of(lines_of(state, inputs.part(session, session).board))
