"""What a fund holds by issuer, and what its index does: what the limits on a fund are asked of."""

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import polars as pl

from exchina.calculation.board import last_known
from exchina.errors import Problem
from exchina.fund.accounts import Accounts
from exchina.fund.held import Held, held_of_index
from exchina.fund.path import BoolArray, FloatArray
from exchina.fund.terms import Fund
from exchina.levels import PRICE
from exchina.market.view import MarketView
from exchina.workflow.following import Followed


def held_by_fund(kept: Accounts, fund: Fund, made: Followed, view: MarketView) -> Held:
    """A fund by issuer after the trades of each close; cash is every net asset that is neither a share nor a forward.

    Forwards that are renewed at a close are cash by then. Votes are the shares held over the company's share count
    known as of the session; an issuer counts for the name of the fund if its rare-earth exposure is of the theme.
    """
    path, assets = kept.path, kept.columns["nav"] + kept.columns["flow"]
    lines = _companies(view, path.symbols)
    values, bought = kept.after_trades(), kept.bought()
    companies, own = sorted(set(lines)), owned(kept, view)
    weights = _by_company(values / assets[:, None], lines, companies)
    forwards = np.where(path.hedge_rolls, 0.0, kept.columns["forwards"]) / assets
    first = made.board.row(path.sessions[0])
    return Held(
        sessions=path.sessions,
        companies=tuple(companies),
        weights=weights,
        bought=_by_company(bought.astype(float), lines, companies) > 0,
        votes=np.minimum(_by_company(own, lines, companies), 1.0),
        themed=_themed(made, made.begins, companies, fund)[first:],
        cash=1 - weights.sum(axis=1) - forwards,
        forwards=forwards if fund.hedge.ratio else None,
    )


def owned(kept: Accounts, view: MarketView) -> FloatArray:
    """(n, m) share of each company that a fund holds after the trades of each close; NaN where no count is known."""
    path, values = kept.path, kept.after_trades()
    known = view.market.shares.with_columns(session=pl.max_horizontal("effective_date", "known_date"))
    counts = last_known(known.sort("session"), "symbol", path.symbols, "shares", path.sessions)[0]
    worth = np.where(path.worth > 0, path.worth, np.nan)
    return np.where(values > 0, values / worth / counts, 0.0)


def owns_too_much(kept: Accounts, view: MarketView) -> list[Problem]:
    """The first close at which a fund would hold more of a company than there is."""
    share, path = owned(kept, view), kept.path
    rows = np.flatnonzero((share > 1).any(axis=1))
    if not rows.size:
        return []
    line = int(np.nanargmax(share[rows[0]]))
    what = f"it would hold {share[rows[0], line]:,.0%} of {path.symbols[line]}"
    hint = "a smaller seed or smaller flows, or a method with bounds on volume and ownership"
    return [Problem(f"on {path.sessions[rows[0]]}", what, hint)]


def held_by_index(made: Followed, fund: Fund, view: MarketView) -> Held:
    """The index from the launch of a fund on, as if it were one that buys every member at each review."""
    run, board = made.index.runs[PRICE], made.index.inputs.board
    first = board.row_from(fund.facts.launch)
    symbols = sorted({name for _, shares in run.holdings for name in shares})
    columns, place = board.columns(symbols), {name: at for at, name in enumerate(symbols)}
    units, reviewed = np.zeros((len(board.sessions), len(symbols))), np.zeros(len(board.sessions), bool)
    for start, shares in run.holdings:
        units[start:] = 0.0
        for name, held in shares.items():
            units[start:, place[name]] = held
    reviewed[[board.row(c.session) - 1 for c in run.changes if "review" in c.causes]] = True
    reviewed[first] = True
    values = np.nan_to_num(run.prices[:, columns] * board.rates[:, columns]) * units
    for change in run.changes:  # at the close before, on the terms of the next session: splits count on one side only
        row = board.row(change.session) - 1
        values[row] = 0.0
        for name, line in change.after.items():
            values[row, place[name]] = line.shares * line.price * line.rate
    lines = _companies(view, symbols)
    companies = sorted(set(lines))
    weights = _by_company(values / values.sum(axis=1, keepdims=True), lines, companies)
    return held_of_index(
        board.sessions[first:],
        tuple(companies),
        weights[first:],
        reviewed=reviewed[first:],
        themed=_themed(made, [board.row_from(one.review.effective) for one in made.baskets], companies, fund)[first:],
    )


def named(held: Held, view: MarketView) -> Held:
    """The same with the names of the companies instead of their ids, for who reads it."""
    names = dict(view.reference.companies.select("id", "name").iter_rows())
    told = [names[company] for company in held.companies]
    return replace(
        held,
        companies=tuple(
            f"{name} ({company})" if told.count(name) > 1 else name
            for name, company in zip(told, held.companies, strict=True)
        ),
    )


def _companies(view: MarketView, symbols: Sequence[str]) -> list[str]:
    listed = dict(view.reference.listings.select("yahoo_symbol", "company_id").iter_rows())
    return [listed[symbol] for symbol in symbols]


def _by_company(table: FloatArray, lines: Sequence[str], companies: Sequence[str]) -> FloatArray:
    """(T, lines) -> (T, companies), lines of an issuer added up."""
    summed = np.zeros((len(table), len(companies)))
    np.add.at(summed.T, [companies.index(line) for line in lines], table.T)
    return summed


def _themed(made: Followed, begins: Sequence[int], companies: Sequence[str], fund: Fund) -> BoolArray:
    """(sessions of the board, n) whether the last review that saw a company, of those begun, found it of the theme.

    Args:
        made: the reviews.
        begins: row of the board from which each counts.
        companies: n issuers.
        fund: its theme.
    """
    themed = np.zeros((len(made.board.sessions), len(companies)), bool)
    for begin, basket in zip(begins, made.baskets, strict=True):
        known = dict(basket.seen.select("company_id", "rare_earth_exposure").drop_nulls().iter_rows())
        for place, company in enumerate(companies):
            if company in known:
                themed[max(begin, 0) :, place] = known[company] in fund.facts.theme
    return themed
