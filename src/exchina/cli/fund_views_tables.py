"""How what was asked of a fund is shown: its limits, its creation basket, its room, its premium."""

from typing import TYPE_CHECKING, Any

from exchina import terminal
from exchina.cli.fund_tables import MOST_NOTES

if TYPE_CHECKING:
    import polars as pl

    from exchina.fund.basket_cost import BuildCost
    from exchina.fund.baskets import CreationBasket
    from exchina.fund.capacity import FundCapacity
    from exchina.fund.fair_value import FairValue
    from exchina.workflow.fund_views import Limits

BROKEN = {
    "tracking": "costs of the reviews",
    "impact": "impact of one review",
    "ownership": "share of a company",
    "days": "sessions to trade",
}
COLUMN = {"tracking": "costs", "impact": "impact", "ownership": "owned", "days": "sessions"}


def show_asked(asked: "dict[str, Any]", currency: str) -> None:
    """Whatever else was asked of a fund."""
    if found := asked.get("limits"):
        show_limits(found)
    if found := asked.get("basket"):
        made, cost = found
        show_basket(made, cost, currency)
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
            "allowed %": _allowed(row["limit"], row["sense"]),
            "today": "not known" if row["passed"] is None else "inside" if row["passed"] else "OUTSIDE",
        }
        for row in found.today.to_dicts()
    ]
    terminal.table(rows, "limits on the last session")
    for name, mended in found.cures.items():
        if isinstance(mended, str):
            terminal.say(f"{name}: no trade cures it: {mended}")
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
    senses = dict(found.today.select("test", "sense").iter_rows())
    counted = found.spells.filter(found.spells["binding"].fill_null(value=True))
    spells = [
        {
            "limit": row["rule"],
            "test": row["test"],
            "from": row["from"],
            "to": row["to"] or "open",
            "worst %": terminal.percent(row["worst"]),
            "allowed %": _allowed(row["limit"], senses[row["test"]]),
            "cause": row["cause"],
            "the law asks": row["asks"],
        }
        for row in counted.to_dicts()
    ]
    terminal.table(spells, "spells outside a limit that count")
    _show_excused(found.spells.filter(~found.spells["binding"].fill_null(value=True)), senses)
    if found.index:
        terminal.say("Limits that the index itself breaks, so that a fund that followed it in full would:")
    for line in found.index:
        terminal.say(f"  {line}")


def _show_excused(spells: "pl.DataFrame", senses: dict[str, str]) -> None:
    """Of each test how often it was not met without a consequence, how long and how far at most."""
    rows: list[dict[str, Any]] = []
    for (rule, test), part in spells.group_by("rule", "test", maintain_order=True):
        sense, worst = senses[str(test)], part["worst"]
        furthest = part.row((worst.arg_max() if sense == "at_most" else worst.arg_min()) or 0, named=True)
        rows.append(
            {
                "limit": rule,
                "test": test,
                "spells": part.height,
                "worst %": terminal.percent(furthest["worst"]),
                "allowed %": _allowed(furthest["limit"], sense),
                "from": furthest["from"],
                "to": furthest["to"] or "open",
            }
        )
    if rows:
        title = "spells that do not count, and the worst of them: the law did not look, or excuses what prices did"
        terminal.table(rows, f"{title}; --out lists all")


def _allowed(limit: float, sense: str) -> str:
    return f"{'at most' if sense == 'at_most' else 'at least'} {terminal.percent(limit)}"


def show_basket(made: "CreationBasket", cost: "BuildCost", currency: str) -> None:
    """The creation basket of the next session and what it costs to build."""
    bought = {row["symbol"]: row for row in cost.lines.to_dicts()}
    whys = set(made.lines["why"])
    rows = [
        {
            "company": row["name"],
            "symbol": row["symbol"],
            "shares": f"{row['shares']:,}",
            "value": f"{row['value']:,.2f}",
            "cash": f"{row['in_lieu']:,.2f}",
            "bp": _or_none(bought[row["symbol"]]["cost_bp"], 1),
            "sessions": _or_none(bought[row["symbol"]]["days"], 2),
            **({"why cash": row["why"]} if len(whys) > 1 else {}),
        }
        for row in made.lines.to_dicts()
    ]
    title = f"basket of {made.trade_date}: one unit is {made.unit_shares:,} shares, {currency} {made.nav:,.2f}"
    terminal.table(rows, f"{title}; shares or cash for them, bp and sessions that it takes to buy")
    if len(whys) == 1 and None not in whys:
        terminal.say(f"All of it is cash: {whys.pop()}.")
    whole = (
        "not known" if cost.cost_bp is None else f"{cost.cost_bp:,.1f} bp, the slowest line {cost.days:,.2f} sessions"
    )
    terminal.say(f"Estimated cash component {currency} {made.estimated_cash:,.2f}; to build a unit costs {whole}.")
    for note in (*made.notes, *cost.notes):
        terminal.say(note)


def show_room(found: "FundCapacity") -> None:
    """At which size a fund breaks."""
    terms, names = found.terms, dict(found.by_name.select("company_id", "name").iter_rows())
    rows = [
        {
            "what breaks": BROKEN[row["measure"]],
            "USD million": _or_none(row["usd"] and row["usd"] / 1e6, 2),
            "review": row["effective"],
            "company": names.get(row["company"]),
            **({"note": row["note"]} if found.limits["note"].count() else {}),
        }
        for row in found.limits.to_dicts()
    ]
    limits = (
        f"{terms.tracking_cost_at_most:g} bp of costs a year, {terms.impact_at_most:g} bp of impact a review, "
        f"{terms.own_at_most:.0%} of a company, {terms.days_at_most:g} sessions at {terms.participation:.0%} of trading"
    )
    terminal.table(rows, f"size from which the fund breaks: {limits}")
    curve = [
        {
            "USD million": f"{row['fund_usd'] / 1e6:,.6g}",
            "costs": _or_none(row["annual_bp"], 1),
            "impact": _or_none(row["worst_impact_bp"], 1),
            "owned %": terminal.percent(row["own"]),
            "of": names.get(row["own_company"]),
            "sessions": _or_none(row["days"], 1),
            "for": names.get(row["days_company"]),
            "beyond": ", ".join(COLUMN[one] for one in row["broken"].split(", ") if one) or "nothing",
        }
        for row in found.curve.to_dicts()
    ]
    worst = found.curve["impact_review"][0]
    title = f"by size: costs in bp a year, impact in bp of the worst review ({worst}), the largest holding and trade"
    terminal.table(curve, title)
    for note in dict.fromkeys(found.curve["note"].drop_nulls()):
        terminal.say(f"Of the reviews {note}.")
    terminal.say(
        "Each review is taken as one trade at its effective close: on which days this fund trades, and a fund_usd that "
        "bounds what it holds, change nothing here."
    )
    for note in found.notes[:MOST_NOTES]:
        terminal.say(f"Not known: {note}.")


def show_premium(found: "FairValue") -> None:
    """The premium that closed markets indicate."""
    from exchina.fund.fair_value import WHOLE_FUND

    listed = found.figures.to_dicts()
    rows = [
        {
            "market": "the fund" if row["market"] == WHOLE_FUND else row["market"],
            "closes": _hour(row["closes_at"]),
            "lines": row["lines"],
            "weight %": terminal.percent(row["weight"]),
            "sd %": terminal.percent(row["premium_sd"]),
            "5th %": terminal.percent(row["premium_p05"], signed=True),
            "95th %": terminal.percent(row["premium_p95"], signed=True),
            "R2": _or_none(row["r2"], 3),
            "nearer %": terminal.percent(row["nearer"]),
            "p": _or_none(row["p"], 3),
        }
        for row in listed
        if row["premium_sd"] is not None
    ]
    terminal.table(rows, "indicated premium over NAV: what the markets that close first (UTC) have not seen yet")
    if rows:
        terminal.say("R2, nearer (days on which it came nearer to the next NAV) and p (chance): out of sample.")
    for note in dict.fromkeys(row["note"] for row in listed if row["note"]):
        terminal.say(f"{', '.join(row['market'] for row in listed if row['note'] == note)}: {note}.")


def _hour(hour: float | None) -> str | None:
    return None if hour is None else f"{int(hour):02d}:{round(hour % 1 * 60):02d}"


def _or_none(value: float | None, places: int) -> str | None:
    return None if value is None else f"{value:,.{places}f}"
