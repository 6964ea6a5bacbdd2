"""How a tracked fund is shown: what it delivered, why it differs from its index, its limits, its basket, its room."""

from collections.abc import Sequence
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

from exchina import terminal
from exchina.fund.attribution import PARTS
from exchina.fund.results import PER_YEAR, WHOLE, Figures, days, holdings

if TYPE_CHECKING:
    import polars as pl

    from exchina.fund.basket_cost import BuildCost
    from exchina.fund.baskets import CreationBasket
    from exchina.fund.capacity import FundCapacity
    from exchina.fund.fair_value import FairValue
    from exchina.fund.terms import Fund
    from exchina.workflow.fund_views import Limits
    from exchina.workflow.tracking import Track

LAWS = {"us_1940_act": "US 1940-Act ETF", "ucits": "UCITS ETF"}
HYPOTHETICAL = "HYPOTHETICAL: no fund has earned this. The index is back-tested, and costs are modelled."
BP = 1e4
SHOWN = 5e-6
FIGURES = tuple(Figures.__annotations__)
MOST_NOTES = 6


def show_fund(tracked: "Track") -> None:
    """One fund: what it delivered, and the difference to its benchmark in parts."""
    facts, fee = tracked.fund.facts, terminal.percent(tracked.fund.fee.per_year)
    terminal.say(f"{facts.name} ({facts.id}) on {tracked.series.book.index.name}")
    terminal.say(
        f"{LAWS[facts.law]} in {facts.currency}, launched {facts.launch} with {facts.seed:,.0f}; fee {fee} % a year; "
        f"{tracked.fund.replication.name} replication; benchmark {facts.benchmark} in {facts.currency}."
    )
    terminal.table([headline(tracked)], "since launch")
    kept = [part for part in PARTS if (tracked.periods[part].abs() >= SHOWN).any()]
    rows = [
        {
            "period": row["period"],
            "fund %": terminal.percent(row["fund"], signed=True),
            f"{facts.benchmark} %": terminal.percent(row["benchmark"], signed=True),
            "difference": _bp(row["difference"]),
            **{part: _bp(row[part]) for part in kept},
        }
        for row in tracked.periods.to_dicts()
    ]
    terminal.table(rows, "why fund and benchmark differ: basis points, and the parts sum to the difference")
    last = tracked.replicated.table.row(-1, named=True)
    terminal.say(
        f"Of the last review it holds {last['held']} of {last['lines']} lines, {terminal.percent(last['covered'])} % "
        f"of the index; ex-ante tracking error of that choice {_or_dash(last['ex_ante_tracking_error'])} % a year."
    )
    for note in tracked.notes[:MOST_NOTES]:
        terminal.say(f"Assumed: {note}")
    if len(tracked.notes) > MOST_NOTES:
        terminal.say(f"Assumed: {len(tracked.notes) - MOST_NOTES} more like these; --json lists them.")


def headline(tracked: "Track") -> dict[str, Any]:
    """The figures of a fund in one row."""
    found = tracked.figures
    return {
        "fund %": terminal.percent(found["fund"], signed=True),
        "benchmark %": terminal.percent(found["benchmark"], signed=True),
        "difference bp a year": _bp(found["tracking_difference"]),
        "tracking error %": terminal.percent(found["tracking_error"]),
        "costs bp a year": f"{found['costs_bp_a_year']:,.0f}",
        "turnover % a year": terminal.percent(found["turnover_a_year"]),
        "NAV a share": f"{found['nav_per_share']:,.4f}",
        "distributed": f"{found['distributed']:,.4f}",
        "net assets m": f"{found['net_assets'] / 1e6:,.2f}",
    }


def show_compared(funds: "Sequence[Track]") -> None:
    """Funds side by side: terms, what they delivered, and the parts of an average year."""
    terms, parts = list[dict[str, Any]](), list[dict[str, Any]]()
    for one in funds:
        facts, name = one.fund.facts, PER_YEAR if PER_YEAR in one.periods["period"] else WHOLE
        year = one.periods.filter(one.periods["period"] == name).row(0, named=True)
        own = {"fund": facts.id, "in": facts.currency, "fee %": terminal.percent(one.fund.fee.per_year)}
        terms.append(own | {"replication": one.fund.replication.name, "since": facts.launch} | headline(one))
        parts.append(
            {"fund": facts.id, "difference": _bp(year["difference"]), **{part: _bp(year[part]) for part in PARTS}}
        )
    terminal.table(terms, "funds side by side, since their launch")
    told = [name for name in parts[0] if any(row[name] not in {"0.0", "-0.0"} for row in parts)]
    terminal.table(
        [{name: row[name] for name in told} for row in parts], "the difference in parts, bp of an average year"
    )


def show_variants(table: "pl.DataFrame", fund: "Fund") -> None:
    """Variants of a fund, in the order of the grid."""
    figures = ("tracking_difference", "tracking_error", "costs_bp_a_year", "net_assets")
    names = [name for name in table.columns if name not in {*PARTS, *FIGURES, "reason"}]
    rows: list[dict[str, Any]] = []
    for row in table.to_dicts():
        shown = {name: row[name] for name in names}
        difference, error, costs, assets = (row.get(name) for name in figures)
        shown |= {"difference bp a year": _bp(difference), "tracking error %": terminal.percent(error)}
        shown |= {"costs bp a year": _or_none(costs, 0), "net assets m": _or_none(assets and assets / 1e6, 2)}
        rows.append(shown | {part: _bp(row.get(part)) for part in PARTS if part in table.columns})
    told = [name for name in rows[0] if any(row[name] not in {"0.0", "-0.0", None} for row in rows)]
    title = f"{fund.facts.name}: {len(rows):,} variants in the order of the grid; parts in bp since launch"
    terminal.table([{name: row[name] for name in told} for row in rows], title)
    for row in table.filter(table["reason"].is_not_null()).to_dicts():
        terminal.say(f"variant {row['number']}: {row['reason']}")


def show_asked(asked: "dict[str, Any]", currency: str) -> None:
    """Whatever else was asked of a fund."""
    if found := asked.get("limits"):
        show_limits(found)
    if found := asked.get("basket"):
        show_basket(*found, currency)
    if found := asked.get("capacity"):
        show_room(found)
    if found := asked.get("premium"):
        show_premium(found)


def show_limits(found: "Limits") -> None:
    """Where a fund stood outside the limits of its file, and what mends what is open."""
    rows = [
        {
            "limit": row["rule"],
            "test": row["test"],
            "found %": terminal.percent(row["found"]),
            "limit %": terminal.percent(row["limit"]),
            "today": "not known" if row["passed"] is None else "inside" if row["passed"] else "OUTSIDE",
        }
        for row in found.today.to_dicts()
    ]
    terminal.table(rows, "limits on the last session")
    for name, mended in found.cures.items():
        if isinstance(mended, str):
            terminal.say(f"{name}: {mended}")
            continue
        moves = [row for row in mended.trades.sort("trade").to_dicts() if row["trade"]]
        terminal.say(f"{name}: the smallest trade that cures it moves {terminal.percent(mended.turnover)} % one way:")
        shown = [
            {
                "company": row["company"],
                "weight %": terminal.percent(row["weight"]),
                "target %": terminal.percent(row["target"]),
                "trade %": terminal.percent(row["trade"], signed=True),
            }
            for row in moves
        ]
        terminal.table(shown, f"cure of {name}")
    counted = found.spells.filter(found.spells["binding"].fill_null(value=True))
    spells = [
        {
            "limit": row["rule"],
            "test": row["test"],
            "from": row["from"],
            "to": row["to"] or "open",
            "worst %": terminal.percent(row["worst"]),
            "limit %": terminal.percent(row["limit"]),
            "cause": row["cause"],
            "the law asks": row["asks"],
        }
        for row in counted.to_dicts()
    ]
    terminal.table(spells, "spells outside a limit that count")
    if excused := found.spells.height - counted.height:
        terminal.say(
            f"{excused} more spells do not count: the law did not look, or excuses what prices did. --out lists all."
        )
    for line in found.index:
        terminal.say(f"{line}.")


def show_basket(made: "CreationBasket", cost: "BuildCost", currency: str) -> None:
    """The creation basket of the next session and what it costs to build."""
    bought = {row["symbol"]: row for row in cost.lines.to_dicts()}
    rows = [
        {
            "company": row["name"],
            "symbol": row["symbol"],
            "shares": f"{row['shares']:,}",
            "value": f"{row['value']:,.2f}",
            "in cash": f"{row['in_lieu']:,.2f}",
            "cost bp": _or_none(bought[row["symbol"]]["cost_bp"], 1),
            "days": _or_none(bought[row["symbol"]]["days"], 2),
            "why": row["why"],
        }
        for row in made.lines.to_dicts()
    ]
    title = f"basket of {made.trade_date}: one unit is {made.unit_shares:,} shares, {currency} {made.nav:,.2f}"
    terminal.table(rows, title)
    whole = (
        "not known" if cost.cost_bp is None else f"{cost.cost_bp:,.1f} bp, the slowest line {cost.days:,.2f} sessions"
    )
    terminal.say(f"Estimated cash component {currency} {made.estimated_cash:,.2f}; to build a unit costs {whole}.")
    for note in (*made.notes, *cost.notes):
        terminal.say(note)


def show_room(found: "FundCapacity") -> None:
    """At which size a fund breaks."""
    terms = found.terms
    rows = [
        {
            "what breaks": row["measure"],
            "from USD m": _or_none(row["usd"] and row["usd"] / 1e6, 1),
            "review": row["effective"],
            "company": row.get("name") or row.get("company"),
        }
        for row in found.limits.to_dicts()
    ]
    limits = (
        f"{terms.tracking_cost_at_most:g} bp of costs a year, {terms.impact_at_most:g} bp of impact a review, "
        f"{terms.own_at_most:.0%} of a company, {terms.days_at_most:g} sessions at {terms.participation:.0%} of trading"
    )
    terminal.table(rows, f"size at which the fund breaks: {limits}")
    terminal.table(_rounded(found.curve), "by size")
    for note in found.notes[:MOST_NOTES]:
        terminal.say(f"Not known: {note}.")


def show_premium(found: "FairValue") -> None:
    """The premium that closed markets indicate."""
    rows = [
        {
            "market": row["market"],
            "closes UTC": _or_none(row["closes_at"], 2),
            "lines": row["lines"],
            "weight %": terminal.percent(row["weight"]),
            "premium sd %": terminal.percent(row["premium_sd"]),
            "5th %": terminal.percent(row["premium_p05"], signed=True),
            "95th %": terminal.percent(row["premium_p95"], signed=True),
            "R2 out of sample": _or_none(row["r2"], 3),
            "nearer %": terminal.percent(row["nearer"]),
            "p": _or_none(row["p"], 3),
            "note": row["note"],
        }
        for row in found.figures.to_dicts()
    ]
    terminal.table(rows, "indicated premium over NAV: markets closed before the fund; nearer: days on which it helped")


def plain(tracked: "Track", asked: "dict[str, Any]") -> dict[str, Any]:
    """A tracked fund as plain data."""
    tables = {name: table.to_dicts() for name, table in tables_of(tracked, asked).items() if name != "days"}
    return {"fund": asdict(tracked.fund.facts), "figures": tracked.figures, **tables, "notes": tracked.notes}


def tables_of(tracked: "Track", asked: "dict[str, Any]") -> "dict[str, pl.DataFrame]":
    """What ``--out`` writes of a fund."""
    made = {
        "days": days(tracked.accounts),
        "parts": tracked.daily,
        "periods": tracked.periods,
        "holdings": holdings(tracked.accounts),
        "replication": tracked.replicated.table,
    }
    if found := asked.get("limits"):
        made |= {"limits": found.today, "limit_spells": found.spells}
    if found := asked.get("basket"):
        made |= {"basket": found[0].lines, "basket_cost": found[1].lines}
    if found := asked.get("capacity"):
        made |= {"capacity": found.curve, "capacity_by_review": found.by_review, "capacity_by_name": found.by_name}
    if found := asked.get("premium"):
        made["premium"] = found.figures
    return made


def _rounded(table: "pl.DataFrame") -> list[dict[str, Any]]:
    return [
        {name: f"{value:,.4g}" if isinstance(value, float) else value for name, value in row.items()}
        for row in table.to_dicts()
    ]


def _bp(fraction: float | None) -> str | None:
    return None if fraction is None else f"{fraction * BP:,.1f}"


def _or_none(value: float | None, places: int) -> str | None:
    return None if value is None else f"{value:,.{places}f}"


def _or_dash(fraction: float | None) -> str:
    return terminal.percent(fraction) or "not known"
