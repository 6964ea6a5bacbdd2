"""What stops a fund from being run on an index, told before or after the accounts: its life, its lots, its flows."""

from bisect import bisect_left, bisect_right
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import date
from itertools import pairwise

import numpy as np

from exchina.calculation.board import rates_into
from exchina.errors import DataError, Problem, did_you_mean
from exchina.fund.accounts import Accounts, accounts
from exchina.fund.contradictions import unknown_venues
from exchina.fund.dealt import flows_beyond
from exchina.fund.flow_plan import FlowPlan
from exchina.fund.path import Path
from exchina.fund.terms import Fund
from exchina.market.view import MarketView


def of_fund(fund: Fund, problems: Sequence[Problem]) -> list[Problem]:
    """Problems that say whose they are."""
    name = f"fund {fund.facts.id}"
    return [one if one.where.startswith(name) else replace(one, where=f"{name}: {one.where}") for one in problems]


def unfit(fund: Fund, sessions: Sequence[date], view: MarketView) -> list[Problem]:
    """What of a fund does not fit an index and a market, all of it: its launch, its currency, its venues.

    Args:
        fund: as read.
        sessions: of the index, ascending.
        view: the market.
    """
    facts, problems = fund.facts, unknown_venues(fund, view.reference.venues["mic"].to_list())
    launched = facts.launch >= sessions[0] and bisect_left(sessions, facts.launch) < len(sessions) - 1
    if not launched:
        what = f"{facts.launch}: the index runs from {sessions[0]} to {sessions[-1]}"
        problems.append(Problem("fund.launch", what, "launch the fund on a session of the index, before its last"))
    known = sorted({*view.market.fx["currency"].unique(), "USD"})
    if facts.currency not in known:
        first = sessions[bisect_left(sessions, facts.launch)] if launched else facts.launch
        what = f"no rate of {facts.currency} is known on {first}, nor on any other day"
        near = did_you_mean(facts.currency, known)
        problems.append(Problem("fund.currency", what, near if near.endswith("?") else f"one of {', '.join(known)}"))
    return problems


def kept_accounts(path: Path, fund: Fund, plan: FlowPlan) -> Accounts:
    """`accounts` of a fund, or why there are none that mean anything.

    Raises:
        DataError: as for `accounts`; not one whole lot can be bought; or a flow is larger than the market can trade,
            told before what the costs of such a trade would have made of the fund.
    """
    try:
        kept = accounts(path, fund, plan)
    except DataError:
        free = accounts(_free(path), fund, plan)
        if faults := _nothing_held(free, fund) or flows_beyond(free):
            raise DataError(*faults) from None
        raise
    if faults := _nothing_held(kept, fund):
        free = accounts(_free(path), fund, plan)
        raise DataError(*(_nothing_held(free, fund) or flows_beyond(free) or faults))
    if faults := flows_beyond(kept):
        raise DataError(*faults)
    return kept


def _free(path: Path) -> Path:
    """The path where trades cost nothing."""
    none = np.zeros(len(path.symbols))
    return replace(path, dealing=tuple(replace(one, buy=none, sell=none, impact=none) for one in path.dealing))


def _nothing_held(kept: Accounts, fund: Fund) -> list[Problem]:
    """The first close after which the fund holds no share, and the lot that it came nearest to."""
    path, empty = kept.path, np.flatnonzero(kept.columns["opened"] <= 0)
    if not empty.size:
        return []
    row = max(int(empty[0]) - 1, 0)
    unit = [path.start, *(stop.after for stop in path.stops if stop.row <= row + 1)][-1]
    budget = float(kept.columns["nav"][row]) * (1 - fund.cash.target)
    parts = budget * unit * path.worth[row] / float((unit * path.worth[row]).sum())
    lots = np.maximum(path.lots, 1) * path.worth[row]
    line = int(np.argmax(parts / np.where(lots > 0, lots, np.inf)))
    what = f"not one share can be held: {path.lots[line]:,} of {path.symbols[line]} cost {lots[line]:,.2f} "
    what += f"{fund.facts.currency}, its part of the fund is {parts[line]:,.2f}, and no lot is nearer"
    return [Problem(f"holdings.lots on {path.sessions[row]}", what, "smaller lots, or a larger fund")]


def lots_too_large(kept: Accounts, names: Mapping[str, str]) -> list[str]:
    """Lines of which a fund could not buy one lot at a review, in words: each with the first day and the figures.

    Args:
        kept: the accounts.
        names: of the companies, by symbol.
    """
    path, rows = kept.path, [row for row, _ in kept.holdings]
    traded = [stop for stop in path.stops if stop.traded and path.lots.any()]
    parts = {one.row for one, after in pairwise(traded) if after.row == one.row + 1}  # of a review traded on many days
    reviews = [(0, path.start, path.worth[0])] if path.lots.any() else []
    reviews += [(stop.row, stop.after, stop.worth_after) for stop in traded if stop.row not in parts]
    told: dict[int, str] = {}
    for row, unit, worth in reviews:
        close, held = max(row - 1, 0), kept.holdings[bisect_right(rows, row) - 1][1]
        budget = float(kept.columns["nav"][close]) / float((unit * worth).sum())
        for line in np.flatnonzero((unit > 0) & (held == 0)).tolist():
            what = f"no lot of {names[path.symbols[line]]} could be bought on {path.sessions[close]}: "
            costs = f"one costs {path.lots[line] * worth[line]:,.0f}, "
            told.setdefault(line, f"{what}{costs}its part of the fund was {budget * unit[line] * worth[line]:,.0f}")
    return list(told.values())


def outgrown(kept: Accounts, fund: Fund, view: MarketView) -> list[str]:
    """When net assets pass the size whose bounds an optimised portfolio keeps, in words; nothing of other methods."""
    bounded, code = fund.replication.settings.get("fund_usd"), fund.facts.currency
    if bounded is None:
        return []
    usd = rates_into(view.market.fx, [code, *({"USD"} - {code})], "USD", kept.path.sessions)[:, 0]
    size = kept.columns["nav"] * usd
    passed = np.flatnonzero(size > bounded)
    if not passed.size:
        return []
    what = f"the bounds on what it holds are those of {bounded:,.0f} US dollars, as replication.{fund.replication.name}"
    passing = f"net assets passed them on {kept.path.sessions[passed[0]]} and are {size[-1]:,.0f} at the end"
    return [f"{what}.fund_usd says; {passing}"]


def company_names(view: MarketView) -> dict[str, str]:
    """The company of each symbol."""
    names = view.reference.companies.select("name", company_id="id")
    return dict(view.reference.listings.join(names, on="company_id").select("yahoo_symbol", "name").iter_rows())
