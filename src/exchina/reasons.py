"""Reasons in words, from market data to text: of a company's verdicts, of a basket, of a change between two reviews."""

from datetime import date
from functools import partial

import polars as pl

from exchina import history
from exchina.errors import DataError, Problem, did_you_mean
from exchina.market.view import MarketView
from exchina.model import Basket, Rulebook
from exchina.policy import in_force
from exchina.rules.change import parts_of_change
from exchina.rules.explain import explain, explain_change
from exchina.rules.pipeline import weighed


def explained(basket: Basket, company_id: str, view: MarketView) -> str:
    """Each rule's verdict on a company, and the commitments behind its score, each with its source.

    Raises:
        DataError: no such company, or it had no live listing on the data cut-off.
    """
    _known(company_id, view)
    held = in_force(view.reference.policy_measures, basket.review.cutoff).filter(pl.col("company_id") == company_id)
    lines = [
        f"  {row['id']}: {row['instrument']} of {row['sponsor']}, {row['status']}, known {row['known_date']}, "
        f"confidence {row['confidence']}, {row['source_url'] or 'no source'}"
        for row in held.to_dicts()
    ]
    return "\n".join([explain(basket, company_id), f"commitments in force: {len(lines) or 'none'}", *lines])


def explained_change(book: Rulebook, view: MarketView, company_id: str, since: date | None = None) -> str:
    """Why a company's weight at the next review is not what it was: `exchina.rules.change` on two reviews, in words.

    Args:
        book: the rules.
        view: the market; the later review is the next one as far as its data go.
        company_id: a member at one of the two.
        since: the earlier review is the last in force on this day; None: the one before.

    Raises:
        DataError: no such company, it is a member at neither review, or there was no review yet.
    """
    _known(company_id, view)
    made = history.composed(book, view, history.next_review(book, view, view.known_by or view.provenance.through))
    if since is not None and since > made[-1].review.cutoff:
        what = f"{since} lies after the data of the later review, {made[-1].review.cutoff}"
        raise DataError(Problem("explain --since", what, "name an earlier day"))
    earlier = [one for one in made[:-1] if since is None or one.review.effective <= since]
    if not earlier:
        first = made[0].review.effective
        what = f"no review before that of {made[-1].review.effective} was in force{f' on {since}' if since else ''}"
        raise DataError(Problem(book.index.id, what, f"the first is {first}; ask for a later --as-of or --since"))
    before, after = earlier[-1], made[-1]
    parts = parts_of_change(before, after, company_id, partial(weighed, book))
    return explain_change(before, after, company_id, parts)


def _known(company_id: str, view: MarketView) -> None:
    known = view.reference.companies["id"].to_list()
    if company_id not in known:
        raise DataError(Problem("companies.csv", f"no company called {company_id!r}", did_you_mean(company_id, known)))
