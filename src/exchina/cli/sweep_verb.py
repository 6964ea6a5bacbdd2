"""The command that tries variants of a rulebook, and how a trial is shown."""

from collections.abc import Mapping
from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from exchina import terminal
from exchina.cli.common import COMMON, DATA, Common, Data, Index, Kinds, app, author_of, folder_for, view_of

SHOWN = ("sharpe", "minimum_track_record", "dsr", "minimum_backtest_length", "p_spa_consistent", "pbo")

if TYPE_CHECKING:
    from exchina.market.view import MarketView
    from exchina.model import IndexSeries
    from exchina.workflow import Evidence

MOST = 5
IN_MILLIONS = 1e5
NOT_BY_RETURN = (
    "In the order of the grid, not of the returns: the best of many looks good by luck alone. "
    "Choose for a reason that you had before."
)
FRACTIONS = {
    "after costs %": "after_costs",
    "before costs %": "return",
    "volatility %": "volatility",
    "drawdown %": "drawdown",
    "turnover %": "turnover",
}


@app.command
def sweep(
    index: Index,
    *,
    vary: Kinds,
    fund: float = 25e6,
    author: str | None = None,
    out: Path | None = None,
    data: Data = DATA,
    common: Common = COMMON,
) -> int:
    """Backtest every combination of settings of a rulebook, and record each: a trial cannot be taken back.

    Parameters:
        vary: a place of the rulebook and its values, such as select.top.count=15,20,25; once for each place.
        fund: size of the fund that pays the costs of the reviews, in US dollars.
        author: who tries; EXCHINA_AUTHOR, or the user of this machine, if not given.
        out: folder to write the levels of all variants to, as Parquet, and the table, as CSV.
    """
    from exchina import workflow

    folder_for(out)
    place, who = common.place(), author_of(author)
    view = view_of(data, common)
    with terminal.progress("trying") as bar:
        at = datetime.now(UTC)

        def told(done: int, of: int, name: str) -> None:
            if not (done or common.json):
                terminal.ERR.print(f"{_variants(of)}, each that is computed is recorded as a trial", markup=False)
            bar(done, of, name)

        done = workflow.sweep(place, index, view, vary, author=who, at=at, fund_usd=fund, progress=told)
    rows = workflow.sweep_table(done).to_dicts()
    found = workflow.best_evidence(place, done, view)
    written = workflow.written_sweep(done, out) if out else []
    facts = honesty_facts(found) if found else None
    if common.json:
        terminal.as_json({"index": index, "fund_usd": fund, "variants": rows, "best": facts}, view.provenance)
        return 0
    terminal.table([_shown(row) for row in rows], f"{index}: {_variants(len(rows))} (hypothetical)")
    period = next((row["period"].lower() for row in rows if row["period"]), "not computable")
    terminal.say(f"Return {period}, after and before costs; volatility and drawdown (the deepest) before costs.")
    terminal.say(f"Volatility and one-way turnover a year. {costs_for(fund)}")
    terminal.say(NOT_BY_RETURN)
    for row in rows:
        why = row["reason"] or (f"after costs, n/a: {row['cost_note']}" if row["cost_note"] else "")
        terminal.say(f"variant {row['number']}: {why}") if why else None
    if facts:
        show_honesty(facts)
    for path in written:
        terminal.say(f"wrote {path}")
    terminal.say(terminal.label(view.provenance))
    return 0


def _variants(count: int) -> str:
    return f"{count:,} variant{'s' * (count != 1)}"


def costs_for(fund: float) -> str:
    """Whose costs they are."""
    size = f"{fund / 1e6:,.10g}m" if fund >= IN_MILLIONS else f"{fund:,.6g}"
    return f"Costs: spread, commission, tax and impact of the reviews, for a fund of USD {size} throughout."


def after_costs_facts(series: "IndexSeries", view: "MarketView", fund: float) -> dict[str, Any]:
    """What costs leave of a backtest, as plain data: a row a return variant, or the reason why there is none."""
    from exchina.analytics.costs import returns_after_costs
    from exchina.workflow.costing import levels_after_costs, moves_of

    gross = series.levels.filter(series.levels["variant"].is_in(list(series.book.index.returns)))
    (found,) = levels_after_costs([(gross, moves_of(series, view))], view, fund_usd=fund)
    none = isinstance(found, str)
    return {
        "fund_usd": fund,
        "returns": [] if none else returns_after_costs(found).to_dicts(),
        "reason": found if none else "",
    }


def show_after_costs(facts: Mapping[str, Any]) -> None:
    """A line: the return after costs first, before costs beside it."""
    if facts["reason"]:
        terminal.say(f"After costs, n/a: {facts['reason']}")
        return
    said = [
        f"{row['variant']} {terminal.percent(row['after_costs'])} % {row['period'].lower()}, "
        f"{terminal.percent(row['gross'])} % before costs"
        for row in facts["returns"]
    ]
    terminal.say(f"After costs: {'; '.join(said)} (hypothetical). {costs_for(facts['fund_usd'])}")


def honesty_facts(found: "Evidence") -> dict[str, Any]:
    """What can be claimed of a trial beside everything that was tried, as plain data, without the returns."""
    from exchina import workflow
    from exchina.errors import DataError

    try:
        with terminal.working("judging"):
            figures = [asdict(figure) for figure in workflow.assessed(found).figures]
        reason = ""
    except DataError as fault:
        figures, reason = [], str(fault.problems[0])
    return {
        "trial": found.trial.sequence,
        "name": found.trial.name,
        "market": found.trial.market,
        "measured": found.trial.measured,
        "tried": found.tried,
        "comparable": list(found.names),
        "left_out": [{"name": name, "reason": reason} for name, reason in found.left_out],
        "first": found.sessions[0],
        "last": found.sessions[-1],
        "sessions": len(found.sessions),
        "before_costs": True,
        "benchmark": found.against,
        "compared": found.benchmark is not None,
        "figures": figures,
        "reason": reason,
    }


def show_honesty(facts: Mapping[str, Any]) -> None:
    """A short block: how much was tried, what of it cannot be compared, and the controls that decide."""
    rows = [
        {
            "control": one["label"],
            "value": None if one["value"] is None else f"{one['value']:.2f}",
            "95 % interval": None if one["low"] is None else f"{one['low']:.2f} to {one['high']:.2f}",
            "note": one["note"],
        }
        for one in facts["figures"]
        if one["name"] in SHOWN
    ]
    title = f"What can be claimed of trial {facts['trial']}, {facts['name']}"
    if rows:
        against = f"against {facts['benchmark']}" if facts["compared"] else "without a benchmark"
        terminal.table(rows, f"{title}, before costs, {against}")
        terminal.say(f"No benchmark: {facts['benchmark']}.") if not facts["compared"] else None
    else:
        terminal.say(f"{title}: nothing. {facts['reason']}")
    count = f"{facts['tried']} set{'s' * (facts['tried'] != 1)} of rules tried on market {facts['market']}"
    terminal.say(f"{count}, {len(facts['comparable'])} comparable from {facts['first']} to {facts['last']}.")
    for one in facts["left_out"][:MOST]:
        terminal.say(f"  counted, but not comparable: {one['name']} {one['reason']}")
    if len(facts["left_out"]) > MOST:
        terminal.say(f"  and {len(facts['left_out']) - MOST} more; --json lists all, with every control")


def _shown(row: Mapping[str, Any]) -> dict[str, Any]:
    """A line of the table for people."""
    state = "not computable" if row["reason"] else "new" if row["new"] else "tried before"
    places = list(row)[1 : list(row).index("after_costs")]
    shown = {title: terminal.percent(row[name]) for title, name in FRACTIONS.items()}
    return {
        "variant": row["number"],
        **{name: row[name] for name in places},
        **shown,
        "trial": row["trial"],
        "state": state,
    }
