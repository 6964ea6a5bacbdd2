"""The command that tries variants of a rulebook, and how a trial is shown."""

import os
from collections.abc import Mapping
from dataclasses import asdict
from datetime import UTC, datetime
from getpass import getuser
from pathlib import Path
from typing import TYPE_CHECKING, Any

from exchina import terminal
from exchina.cli.common import COMMON, DATA, Common, Data, Index, Kinds, app, view_of

SHOWN = ("sharpe", "minimum_track_record", "dsr", "minimum_backtest_length", "p_spa_consistent", "pbo")

if TYPE_CHECKING:
    from exchina.workflow import Evidence

MOST = 5
NOT_BY_RETURN = (
    "In the order of the grid, not of the returns: the best of many looks good by luck alone. "
    "Choose for a reason that you had before."
)
FRACTIONS = ("return", "volatility", "drawdown", "turnover")


@app.command
def sweep(
    index: Index,
    *,
    vary: Kinds,
    author: str | None = None,
    out: Path | None = None,
    data: Data = DATA,
    common: Common = COMMON,
) -> int:
    """Backtest every combination of settings of a rulebook, and record each: a trial cannot be taken back.

    Parameters:
        vary: a place of the rulebook and its values, such as select.top.count=15,20,25; once for each place.
        author: who tries; EXCHINA_AUTHOR, or the user of this machine, if not given.
        out: folder to write the levels of all variants to, as Parquet, and the table, as CSV.
    """
    from exchina import workflow

    place, who = common.place(), author_of(author)
    view = view_of(data, common)
    with terminal.progress("trying") as told:
        done = workflow.sweep(place, index, view, vary, author=who, at=datetime.now(UTC), progress=told)
    rows = workflow.sweep_table(done).to_dicts()
    found = workflow.best_evidence(place, done, view)
    written = workflow.written_sweep(done, out) if out else []
    facts = honesty_facts(found) if found else None
    if common.json:
        terminal.as_json({"index": index, "variants": rows, "best": facts}, view.provenance)
        return 0
    terminal.table([_shown(row) for row in rows], f"{index}: {len(rows)} variants (hypothetical)")
    period = next((row["period"].lower() for row in rows if row["period"]), "not computable")
    terminal.say(f"Return: {period}; volatility and one-way turnover a year; drawdown: the deepest.")
    terminal.say(NOT_BY_RETURN)
    for row in rows:
        terminal.say(f"variant {row['number']}: {row['reason']}") if row["reason"] else None
    if facts:
        show_honesty(facts)
    for path in written:
        terminal.say(f"wrote {path}")
    terminal.say(terminal.label(view.provenance))
    return 0


def author_of(author: str | None) -> str:
    """Who tries: as given, EXCHINA_AUTHOR, or the user of this machine; `ExchinaError` where nobody is known."""
    from exchina.errors import ExchinaError, Problem

    try:
        name = author if author is not None else os.environ.get("EXCHINA_AUTHOR") or getuser()
    except (KeyError, OSError):
        name = ""
    if not name.strip():
        hint = "write --author NAME, or set EXCHINA_AUTHOR"
        raise ExchinaError(Problem("--author", "every trial is recorded with who ran it, and nobody is named", hint))
    return name.strip()


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
        "benchmark": found.against,
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
        terminal.table(rows, f"{title}, against {facts['benchmark']}")
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
    places = list(row)[1 : list(row).index("return")]
    shown = {f"{name} %": terminal.percent(row[name]) for name in FRACTIONS}
    return {
        "variant": row["number"],
        **{name: row[name] for name in places},
        **shown,
        "trial": row["trial"],
        "state": state,
    }
