"""The command of costs and capacity: how large a fund an index can take, and what following it costs."""

from collections.abc import Mapping
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

from exchina import terminal
from exchina.cli.common import COMMON, DATA, Common, Data, Flag, Index, app, book_of, view_of

if TYPE_CHECKING:
    import polars as pl

    from exchina.analytics.capacity_tables import Capacity

IN_MILLIONS = 1e5
TABLES = ("names", "limits", "reviews", "curve")
LAW = (
    "Impact is Y sigma sqrt(order / ADV) with Y = {y:g}, an average law: beyond 10-20 % of ADV it is extrapolation. "
    "Twice the fund is 1.41 times the impact in bp."
)


@app.command
def capacity(
    index: Index,
    *,
    fund: float,
    participation: float = 0.10,
    sessions: float = 3,
    cost_limit_bp: float = 25.0,
    proforma: Flag = False,
    data: Data = DATA,
    common: Common = COMMON,
) -> int:
    """Show how large a fund the index can take, which company decides it, and what following the index costs.

    Parameters:
        fund: size of the fund in US dollars, such as 50e6.
        participation: share of each session's trading that the fund may be, above 0 and at most 1.
        sessions: how many sessions a trade may take, whole ones.
        cost_limit_bp: the most that the market impact of one trade may cost, basis points of the fund.
        proforma: judge the basket of the next review alone instead of the index as it stands.
    """
    from exchina import workflow
    from exchina.analytics.capacity import Terms, check_terms

    days = int(sessions) if sessions % 1 == 0 else sessions
    terms = Terms(participation=participation, sessions=days, cost_limit=cost_limit_bp / 1e4)
    check_terms(terms, fund)
    with terminal.working("computing"):
        view, book = view_of(data, common), book_of(index, common)
        of = workflow.propose(book, view) if proforma else workflow.backtest(book, view)
        found = workflow.capacity(of, view, fund_usd=fund, terms=terms)
    if common.json:
        terminal.as_json({"index": book.index.id, **_plain(found)}, found.provenance)
        return 0
    called = dict(view.reference.companies.select("id", "name").iter_rows())
    _show(found, f"{book.index.name}{', pro forma' if proforma else ''}", called)
    terminal.say(terminal.label(found.provenance))
    return 0


def _plain(found: "Capacity") -> dict[str, object]:
    return {
        "day": found.day,
        "fund_usd": found.fund_usd,
        "terms": asdict(found.terms),
        **{name: getattr(found, name).to_dicts() for name in TABLES},
        "dealing_drag_bp": found.dealing_drag_bp,
        "impact_drag_bp": found.impact_drag_bp,
        "costs_took_off": _taken(found),
        "assumptions": {"impact_y": found.model.impact, "venues": found.model.venues.to_dicts()},
        "notes": found.notes,
    }


def _taken(found: "Capacity") -> list[dict[str, Any]]:
    """What costs took off the return of each variant: the difference alone, since a return shown is a trial."""
    from exchina.analytics.costs import returns_after_costs

    rows = [] if found.levels is None else returns_after_costs(found.levels).to_dicts()
    named = ("variant", "period")
    return [{**{name: one[name] for name in named}, "taken": one["gross"] - one["after_costs"]} for one in rows]


def _show(found: "Capacity", name: str, called: Mapping[str, str]) -> None:
    terminal.say(f"{name}: a fund of USD {_usd(found.fund_usd)}, volumes to {found.day}")
    _show_limits(found, called)
    _show_names(found)
    _show_costs(found)
    _show_sizes(found, called)
    for note in found.notes:
        terminal.say(f"Not computed: {note}.")
    _show_assumptions(found)


def _show_limits(found: "Capacity", called: Mapping[str, str]) -> None:
    terms = found.terms
    rows = [
        {
            "trade": f"{row['trade']}, review of {row['effective']}" if row["trade"] == "rebalance" else row["trade"],
            "volume": row["volume"],
            "capacity USD m": _places(row["usd"] / 1e6, 2),
            "decided by": f"{row['by']}, {called[row['company']]}",
            f"{terms.participation:.0%} in {terms.sessions} sessions": _places(row["at_participation_usd"] / 1e6, 2),
            "slowest": called[row["slowest"]],
            f"{terms.cost_limit * 1e4:g} bp of impact": _places(row["at_cost_usd"] / 1e6, 2),
            "costliest": called[row["costliest"]],
        }
        for row in found.limits.to_dicts()
    ]
    terminal.table(rows, "capacity: the smaller of what participation and the cost limit allow")
    usual = [row for row in found.limits.to_dicts() if row["volume"] == "median"]
    for row in usual:
        verdict = "is within" if found.fund_usd <= row["usd"] else "is ABOVE"
        what = f"the capacity to {row['trade']}, USD {_usd(row['usd'])} ({row['by']}, {called[row['company']]})"
        terminal.say(f"A fund of USD {_usd(found.fund_usd)} {verdict} {what}.")


def _show_names(found: "Capacity") -> None:
    rows = [
        {
            "company": row["name"],
            "symbol": row["symbol"],
            "weight %": terminal.percent(row["weight"]),
            "ADV": _places(row["adv_usd"] / 1e6, 2),
            "thin ADV": _places(row["adv_tenth_usd"] / 1e6, 2),
            "with spikes": _places(row["adv_with_spikes_usd"] / 1e6, 2),
            "order / ADV %": _places(row["of_adv"] * 100, 0),
            "sessions": _places(row["days"], 1),
            "on thin ones": "never" if row["days_tenth"] is None else _places(row["days_tenth"], 1),
            "impact bp": _places(row["impact_bp"], 0),
            "out: news / size": f"{row['by_news']} / {row['by_size']}",
        }
        for row in found.names.to_dicts()
    ]
    terms = found.terms
    title = f"sessions to build or to leave each company at {terms.participation:.0%} of its trading"
    terminal.table(rows, f"{title}; ADV, thin and with spikes in USD m; out: sessions left out")
    terminal.say(
        f"ADV is the median of the last {terms.adv_sessions} quiet sessions, thin ADV their 10th percentile. Left out: "
        f"{found.names['by_news'].sum()} sessions of [0,+{terms.news_sessions}] after policy news, "
        f"{found.names['by_size'].sum()} of more than {terms.spike_multiple:g} medians (the last column, by company)."
    )
    young = found.names.filter(found.names["sessions"] < terms.adv_sessions).select("name", "sessions").rows()
    if young:
        terminal.say("Judged on fewer sessions: " + ", ".join(f"{name} {count}" for name, count in young) + ".")


def _show_costs(found: "Capacity") -> None:
    from exchina.analytics.capacity_tables import YEAR

    recent = found.reviews.filter(found.reviews["effective"] > found.day - YEAR)
    rows = [
        {
            "effective": row["effective"],
            "one-way %": terminal.percent(row["one_way"]),
            "two-way %": terminal.percent(row["two_way"]),
            "spread, commission, tax bp": _bp(row["dealing_bp"]),
            "impact bp": _bp(row["impact_bp"]),
            "cost bp": _bp(row["cost_bp"]),
        }
        for row in recent.to_dicts()
    ]
    terminal.table(rows, f"cost of the reviews of the last year, basis points of a fund of USD {_usd(found.fund_usd)}")
    dealing, impact = found.dealing_drag_bp, found.impact_drag_bp
    if dealing is not None and impact is not None:
        total = (
            f"{dealing + impact:,.1f} bp of the fund: {dealing:,.1f} spread, commission and tax, {impact:,.1f} impact"
        )
        terminal.say(f"Annual drag, reviews of the last year: {total}.")
    taken = [f"{row['variant']} {terminal.percent(row['taken'])} % {row['period']}" for row in _taken(found)]
    if taken:
        terminal.say(f"Costs took off the return, {', '.join(taken).replace('Since', 'since')} (hypothetical).")


def _show_sizes(found: "Capacity", called: Mapping[str, str]) -> None:
    terminal.table(
        [
            {
                "fund USD": f"{row['fund_usd']:,.15g}",
                "sessions": _places(row["days"], 1),
                "slowest": called[row["company"]],
                "largest order / ADV %": _places(row["of_adv"] * 100, 0),
                "weight over 20 % of ADV %": terminal.percent(row["extrapolated"]),
                "build bp": _bp(row["build_bp"]),
                "dearest review bp": _bp(row["rebalance_bp"]),
                "annual drag bp": _bp(row["drag_bp"]),
            }
            for row in found.curve.to_dicts()
        ],
        "by size of the fund",
    )


def _show_assumptions(found: "Capacity") -> None:
    terminal.table(_assumed(found.model.venues), "assumed costs by venue, basis points (trading_costs.csv)")
    terminal.say(LAW.format(y=found.model.impact))
    (beyond,) = found.curve.filter(found.curve["fund_usd"] == found.fund_usd)["extrapolated"]
    size = f"USD {_usd(found.fund_usd)}"
    terminal.say(f"To build {size}, companies of {terminal.percent(beyond)} % of the weight need over 20 % of an ADV.")


def _assumed(venues: "pl.DataFrame") -> list[dict[str, Any]]:
    return [
        {
            "venue": row["mic"],
            "half spread": row["half_spread_bp"],
            "commission": row["commission_bp"],
            "tax to buy": row["buy_tax_bp"],
            "tax to sell": row["sell_tax_bp"],
            "only issuers of": row["taxed_domicile"],
            "confidence": row["confidence"],
        }
        for row in venues.to_dicts()
    ]


def _usd(amount: float) -> str:
    """US dollars: in millions, or in full where they are few."""
    return f"{amount / 1e6:,.1f}m" if amount >= IN_MILLIONS else f"{amount:,.6g}"


def _places(value: float, decimals: int) -> str:
    """A figure with as many decimals as the others of its column."""
    return f"{value:,.{decimals}f}"


def _bp(value: float | None) -> str | None:
    return None if value is None else _places(value, 1)
