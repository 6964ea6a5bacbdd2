"""The command of costs and capacity: how large a fund an index can take, and what following it costs."""

from dataclasses import asdict
from typing import TYPE_CHECKING, Any

from exchina import terminal
from exchina.cli.common import COMMON, DATA, Common, Data, Flag, Index, app, book_of, view_of

if TYPE_CHECKING:
    import polars as pl

    from exchina.analytics.capacity_tables import Capacity

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
    sessions: int = 3,
    cost_limit_bp: float = 25.0,
    proforma: Flag = False,
    data: Data = DATA,
    common: Common = COMMON,
) -> int:
    """Show how large a fund the index can take, which company decides it, and what following the index costs.

    Parameters:
        fund: size of the fund in US dollars, such as 50e6.
        participation: share of each session's trading that the fund may be, above 0 and at most 1.
        sessions: how many sessions a trade may take.
        cost_limit_bp: the most that the market impact of one trade may cost, basis points of the fund.
        proforma: judge the basket of the next review alone instead of the index as it stands.
    """
    from exchina import workflow
    from exchina.analytics.capacity import Terms, check_terms

    terms = Terms(participation=participation, sessions=sessions, cost_limit=cost_limit_bp / 1e4)
    check_terms(terms, fund)
    with terminal.working("computing"):
        view, book = view_of(data, common), book_of(index, common)
        of = workflow.propose(book, view) if proforma else workflow.backtest(book, view)
        found = workflow.capacity(of, view, fund_usd=fund, terms=terms)
    if common.json:
        terminal.as_json(_plain(found), found.provenance)
        return 0
    _show(found, f"{book.index.name}{', pro forma' if proforma else ''}")
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


def _show(found: "Capacity", name: str) -> None:
    terminal.say(f"{name}: a fund of USD {_millions(found.fund_usd)}, volumes to {found.day}")
    _show_limits(found)
    _show_names(found)
    _show_costs(found)
    for note in found.notes:
        terminal.say(f"Not computed: {note}.")
    _show_assumptions(found)


def _show_limits(found: "Capacity") -> None:
    terms = found.terms
    rows = [
        {
            "trade": f"{row['trade']}, review of {row['effective']}" if row["trade"] == "rebalance" else row["trade"],
            "volume": row["volume"],
            "capacity USD m": round(row["usd"] / 1e6, 2),
            "decided by": f"{row['by']}, {row['company']}",
            f"{terms.participation:.0%} in {terms.sessions} sessions": round(row["at_participation_usd"] / 1e6, 2),
            "slowest": row["slowest"],
            f"{terms.cost_limit * 1e4:g} bp of impact": round(row["at_cost_usd"] / 1e6, 2),
            "costliest": row["costliest"],
        }
        for row in found.limits.to_dicts()
    ]
    terminal.table(rows, "capacity: the smaller of what participation and the cost limit allow")
    usual = [row for row in found.limits.to_dicts() if row["volume"] == "median"]
    for row in usual:
        verdict = "is within" if found.fund_usd <= row["usd"] else "is ABOVE"
        what = f"the capacity to {row['trade']}, USD {_millions(row['usd'])} ({row['by']}, {row['company']})"
        terminal.say(f"A fund of USD {_millions(found.fund_usd)} {verdict} {what}.")


def _show_names(found: "Capacity") -> None:
    rows = [
        {
            "company": row["company_id"],
            "symbol": row["symbol"],
            "weight %": terminal.percent(row["weight"]),
            "ADV USD m": round(row["adv_usd"] / 1e6, 2),
            "thin ADV": round(row["adv_tenth_usd"] / 1e6, 2),
            "with spikes": round(row["adv_with_spikes_usd"] / 1e6, 2),
            "order / ADV %": round(row["of_adv"] * 100),
            "sessions": round(row["days"], 1),
            "on thin ones": "never" if row["days_tenth"] is None else round(row["days_tenth"], 1),
            "impact bp": round(row["impact_bp"]),
            "out: news": row["by_news"],
            "out: size": row["by_size"],
        }
        for row in found.names.to_dicts()
    ]
    terms = found.terms
    terminal.table(rows, f"sessions to build or to leave each company at {terms.participation:.0%} of its trading")
    terminal.say(
        f"ADV is the median of the last {terms.adv_sessions} quiet sessions, thin ADV their 10th percentile. Left out: "
        f"{found.names['by_news'].sum()} sessions of [0,+{terms.news_sessions}] after policy news, "
        f"{found.names['by_size'].sum()} of more than {terms.spike_multiple:g} medians (the columns out, by company)."
    )
    young = found.names.filter(found.names["sessions"] < terms.adv_sessions).select("company_id", "sessions").rows()
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
    terminal.table(
        rows, f"cost of the reviews of the last year, basis points of a fund of USD {_millions(found.fund_usd)}"
    )
    dealing, impact = found.dealing_drag_bp, found.impact_drag_bp
    if dealing is not None and impact is not None:
        total = (
            f"{dealing + impact:,.1f} bp of the fund: {dealing:,.1f} spread, commission and tax, {impact:,.1f} impact"
        )
        terminal.say(f"Annual drag, reviews of the last year: {total}.")
    taken = [f"{row['variant']} {terminal.percent(row['taken'])} % {row['period']}" for row in _taken(found)]
    if taken:
        terminal.say(f"Costs took off the return, {', '.join(taken).replace('Since', 'since')} (hypothetical).")
    terminal.table(
        [
            {
                "fund USD m": row["fund_usd"] / 1e6,
                "sessions": round(row["days"], 1),
                "slowest": row["company"],
                "largest order / ADV %": round(row["of_adv"] * 100),
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
    size = f"USD {_millions(found.fund_usd)}"
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


def _millions(amount: float) -> str:
    return f"{amount / 1e6:,.1f}m" if amount >= 1e5 else f"{amount / 1e6:,.3f}m"


def _bp(value: float | None) -> float | None:
    return None if value is None else round(value, 1)
