"""How a tracked fund is shown: what it delivered, why it differs from its index, its limits, its basket, its room."""

from collections.abc import Sequence
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

from exchina import terminal
from exchina.fund.attribution import PARTS
from exchina.fund.results import PER_YEAR, WHOLE, Figures, days, holdings

if TYPE_CHECKING:
    import polars as pl

    from exchina.fund.terms import Fund
    from exchina.workflow.tracking import Track

LAWS = {"us_1940_act": "US 1940-Act ETF", "ucits": "UCITS ETF"}
HYPOTHETICAL = "HYPOTHETICAL: no fund has earned this. The index is back-tested, and costs are modelled."
BP = 1e4
SHOWN = 5e-6
GROWN = (
    "Parts are basis points of the value at the start of a period and grow with it: where a fund gains over years, "
    "a fee comes to more than its rate."
)
FIGURES = tuple(Figures.__annotations__)
MOST_NOTES = 6


def show_fund(tracked: "Track", ahead: float | None) -> None:
    """One fund: what it delivered, the difference to its benchmark in parts, and the tracking error to come."""
    facts, fee = tracked.fund.facts, terminal.percent(tracked.fund.fee.per_year)
    hedged = ", hedged as the fund is" if tracked.fund.hedge.ratio else ""
    terminal.say(f"{facts.name} ({facts.id}) on {tracked.series.book.index.name}")
    terminal.say(
        f"{LAWS[facts.law]} in {facts.currency}, launched {tracked.accounts.path.sessions[0]} with {facts.seed:,.0f}; "
        f"fee {fee} % a year; {tracked.fund.replication.name} replication; benchmark {facts.benchmark} in "
        f"{facts.currency}{hedged}."
    )
    rows = [{"since launch": name, "": value} for name, value in headline(tracked).items()]
    terminal.table([row for row in rows if row[""] is not None])
    kept = [part for part in PARTS if (tracked.periods[part].abs() >= SHOWN).any()]
    rows = [
        {
            "period": "average year" if row["period"] == PER_YEAR else row["period"],
            "fund %": terminal.percent(row["fund"], signed=True),
            f"{facts.benchmark} %": terminal.percent(row["benchmark"], signed=True),
            "difference": _bp(row["difference"]),
            **{part: _bp(row[part]) for part in kept},
        }
        for row in tracked.periods.to_dicts()
    ]
    terminal.table(rows, "why fund and benchmark differ: basis points, and the parts sum to the difference")
    terminal.say(GROWN)
    last = tracked.replicated.table.row(-1, named=True)
    terminal.say(
        f"Of the review of {last['effective']} it holds {last['held']} of {last['lines']} lines, "
        f"{terminal.percent(last['covered'])} % of the index. Ex-ante tracking error: of that choice "
        f"{_or_not_known(last['ex_ante_tracking_error'])}, of all that it holds now, with its cash, "
        f"{_or_not_known(ahead)}{', without its hedge' if tracked.fund.hedge.ratio else ''}."
    )
    for note in tracked.notes[:MOST_NOTES]:
        terminal.say(f"Assumed: {note}.")
    if len(tracked.notes) > MOST_NOTES:
        terminal.say(f"Assumed: {len(tracked.notes) - MOST_NOTES} more like these; --json lists them.")


def headline(tracked: "Track") -> dict[str, str | None]:
    """The figures of a fund by what they measure; None: not computable."""
    found, currency = tracked.figures, tracked.fund.facts.currency
    return {
        "return of the fund, %": terminal.percent(found["fund"], signed=True),
        "return of its benchmark, %": terminal.percent(found["benchmark"], signed=True),
        "difference, bp a year": _bp(found["tracking_difference"]),
        "tracking error, % a year": terminal.percent(found["tracking_error"]),
        "dealing costs, bp a year": _tenths(found["costs_bp_a_year"]),
        "bought and sold, % of the fund a year": terminal.percent(found["turnover_a_year"]),
        f"NAV of a share, {currency}": f"{found['nav_per_share']:,.4f}",
        f"distributed a share, {currency}": f"{found['distributed']:,.4f}" if found["distributed"] else None,
        f"net assets, {currency} million": _millions(found["net_assets"]),
    }


def show_compared(funds: "Sequence[Track]") -> None:
    """Funds side by side: terms, what they delivered, and the parts of an average year."""
    terms = [
        {
            "fund": one.fund.facts.id,
            "law": LAWS[one.fund.facts.law],
            "currency": one.fund.facts.currency,
            "since": one.accounts.path.sessions[0],
            "fee %": terminal.percent(one.fund.fee.per_year),
            "replication": one.fund.replication.name,
            "income": one.fund.distribution.policy,
        }
        for one in funds
    ]
    terminal.table(terms, "funds side by side: terms")
    whole = {
        "return, %": ("fund", _signed),
        "return of the benchmark, %": ("benchmark", _signed),
        "difference, bp a year": ("tracking_difference", _bp),
        "tracking error, % a year": ("tracking_error", terminal.percent),
        "dealing costs, bp a year": ("costs_bp_a_year", _tenths),
        "bought and sold, % a year": ("turnover_a_year", terminal.percent),
        "net assets, million": ("net_assets", _millions),
    }
    rows = [
        {"since launch": name, **{one.fund.facts.id: shown(one.figures[key]) for one in funds}}
        for name, (key, shown) in whole.items()
    ]
    terminal.table(rows, "what they delivered, each in its own currency since its own launch")
    years = {one.fund.facts.id: _average(one) for one in funds}
    told = [part for part in ("difference", *PARTS) if any(abs(year[part]) >= SHOWN for year in years.values())]
    parts = [{"part": part, **{name: _bp(year[part]) for name, year in years.items()}} for part in told]
    terminal.table(parts, "why they differ from their benchmark: bp of an average year, below a year since launch")
    terminal.say(GROWN)


def _average(tracked: "Track") -> dict[str, Any]:
    """The difference and its parts in an average year; of a fund younger than a year, since launch."""
    table = tracked.periods
    name = PER_YEAR if PER_YEAR in table["period"] else WHOLE
    return table.filter(table["period"] == name).row(0, named=True)


def show_variants(table: "pl.DataFrame", fund: "Fund") -> None:
    """Variants of a fund, in the order of the grid: figures, then the parts of the difference."""
    places = [name for name in table.columns if name not in {"number", *PARTS, *FIGURES, "reason"}]
    ran = table.filter(table["reason"].is_null()).to_dicts()
    rows = [
        {
            **_at(row, places),
            "return %": _signed(row["fund"]),
            "difference": _bp(row["tracking_difference"]),
            "error %": terminal.percent(row["tracking_error"]),
            "costs": _tenths(row["costs_bp_a_year"]),
            "million": _millions(row["net_assets"]),
        }
        for row in ran
    ]
    title = f"{fund.facts.name}: {table.height:,} variants in the order of the grid"
    units = "return since launch, tracking difference and costs in bp a year, tracking error in % a year, net assets"
    terminal.table(rows, f"{title}: {units}")
    told = [part for part in PARTS if any(abs(row[part]) >= SHOWN for row in ran)]
    parts = [{**_at(row, places), **{part: _bp(row[part]) for part in told}} for row in ran]
    if told:
        terminal.table(parts, "parts of the difference, bp a year (below a year: since launch)")
        terminal.say(GROWN)
    for row in table.filter(table["reason"].is_not_null()).to_dicts():
        told_at = ", ".join(f"{_short(place)} {row[place]}" for place in places)
        terminal.say(f"variant {row['number']} ({told_at}) could not be run: {row['reason']}")


def _at(row: "dict[str, Any]", places: "Sequence[str]") -> dict[str, Any]:
    """Number and values of a variant, under the last words of their places."""
    return {"no": row["number"], **{_short(place): row[place] for place in places}}


def _short(place: str) -> str:
    return ".".join(place.split(".")[-2:])


def plain(tracked: "Track", asked: "dict[str, Any]") -> dict[str, Any]:
    """A tracked fund as plain data."""
    tables = {name: table.to_dicts() for name, table in tables_of(tracked, asked).items() if name != "days"}
    facts: dict[str, Any] = {
        "fund": asdict(tracked.fund.facts),
        "content_hash": tracked.fund.content_hash,
        "figures": tracked.figures,
        "tracking_error_ahead": asked.get("ahead"),
    }
    if (limits := asked.get("limits")) is not None:
        facts["cures"] = {
            name: mended if isinstance(mended, str) else {**vars(mended), "trades": mended.trades.to_dicts()}
            for name, mended in limits.cures.items()
        }
        facts["index_breaches"] = limits.index
    if (found := asked.get("basket")) is not None:
        made, cost = found
        facts["basket_facts"] = _scalars(made, "in_kind", "in_lieu", "cash_component", "balancing_amount")
        facts["basket_cost_facts"] = _scalars(cost)
    if (room := asked.get("capacity")) is not None:
        facts |= {"capacity_terms": asdict(room.terms), "capacity_notes": room.notes}
    return {**facts, **tables, "notes": tracked.notes}


def _scalars(found: object, *properties: str) -> dict[str, Any]:
    """The fields of a result that are no tables, and some of its properties."""
    plain_fields = {name: value for name, value in vars(found).items() if not hasattr(value, "to_dicts")}
    return plain_fields | {name: getattr(found, name) for name in properties}


def files_of(tracked: "Track", asked: "dict[str, Any]") -> "dict[str, pl.DataFrame]":
    """`tables_of`, lists as words: a CSV file has no lists."""
    from polars import List, String, col

    tables = tables_of(tracked, asked)
    return {name: table.with_columns(col(List(String)).list.join("; ")) for name, table in tables.items()}


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
        made |= {"limits": found.today, "limit_spells": found.spells, "limit_unknowns": found.unknown}
    if found := asked.get("basket"):
        made |= {"basket": found[0].lines, "basket_cost": found[1].lines}
    if found := asked.get("capacity"):
        made |= {
            "capacity": found.curve,
            "capacity_limits": found.limits,
            "capacity_by_review": found.by_review,
            "capacity_by_name": found.by_name,
        }
    if found := asked.get("premium"):
        made["premium"] = found.figures
    return made


def _bp(fraction: float | None) -> str | None:
    return None if fraction is None else f"{round(fraction * BP, 1) + 0.0:,.1f}"


def _signed(fraction: float | None) -> str | None:
    return terminal.percent(fraction, signed=True)


def _tenths(value: float) -> str:
    return f"{value:,.1f}"


def _millions(value: float) -> str:
    return f"{value / 1e6:,.2f}"


def _or_not_known(fraction: float | None) -> str:
    return "not known" if fraction is None else f"{terminal.percent(fraction)} % a year"
