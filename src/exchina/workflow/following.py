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
    inputs, resets = levels.planned(_taxed(series.book, None, fund), view, targets)
    index = model = traded = withheld = levels.computed(inputs, view, resets)
    if weights is not None:
        targets = [_reweighted(t, b, weights[b.review.effective]) for t, b in zip(targets, baskets, strict=True)]
        inputs, resets = levels.planned(_taxed(series.book, None, fund), view, targets)
        model = traded = withheld = levels.computed(inputs, view, resets)
    if fund.execution != Execution():
        _check_announced(inputs, baskets, fund)
        resets = _spread(inputs, resets, targets, fund)
        traded = withheld = levels.computed(inputs, view, resets)
    terms = fund.withholding
    if terms is not None:
        taxed, _ = levels.planned(_taxed(series.book, terms.profile, fund), view, targets)
        traded = withheld = levels.computed(taxed, view, resets)
        if terms.relief == "reclaim":
            taxed, _ = levels.planned(_taxed(series.book, "maximum", fund), view, targets)
            withheld = levels.computed(taxed, view, resets)
    return Followed(index, model, traded, withheld, baskets)


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
        row = max(inputs.board.row(review.effective) + fund.execution.first, 0)
        if row < len(sessions) and sessions[row] < review.announced:
            what = f"the review of {review.effective} would be traded from {sessions[row]}, and is announced on "
            place = f"fund {fund.facts.id}: replication.execution"
            raise DataError(Problem(place, f"{what}{review.announced}", "begin later: raise `first`"))


def _spread(inputs: Inputs, resets: Mapping[date, Reset], targets: Sequence[Target], fund: Fund) -> dict[date, Reset]:
    """Each review after the first in equal parts: at the j-th of k closes, 1 / (k - j + 1) of what is still to do.

    One that is in force at the launch is traded at its effective close: the fund buys the new portfolio.
    """
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
        window = fund.execution if target.effective > fund.facts.launch else Execution()
        at, count = inputs.board.row(target.effective) + window.first, window.last - window.first + 1
        made = {row: one for row, one in made.items() if row < at}
        made |= {at + j: (target, 1 / (count - j)) for j in range(count) if 0 <= at + j < len(sessions)}
    return [(sessions[row], *made[row]) for row in sorted(made)]


def _goal(target: Target, inputs: Inputs, session: date) -> dict[str, float]:
    """Weights of the portfolio that a target sets, at the close of a session: before it takes effect, what it would be;
    later, what prices have made of it."""
    if target.reset.weights and session <= target.effective:
        return dict(levels.reset_at(target, inputs, session).weights)
    state = levels.walked(target, inputs, target.effective if target.reset.weights else target.cutoff, session).state
    return weights_of(lines_of(state, inputs.part(session, session).board))
