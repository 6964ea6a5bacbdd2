"""How results look in a terminal: tables for people, ``--json`` for machines."""

import json
import os
import re
import sys
from collections.abc import Callable, Generator, Iterable, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import asdict
from typing import TYPE_CHECKING, Any, cast

from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.measure import Measurement
from rich.progress import BarColumn, MofNCompleteColumn, Progress, SpinnerColumn, TextColumn
from rich.table import Table

from exchina.errors import Problem

if TYPE_CHECKING:
    from datetime import date

    import polars as pl

    from exchina.market.live.report import Fetched
    from exchina.market.store import Saved
    from exchina.model import Basket, IndexSeries, Provenance, Publication
    from exchina.service import Outcome

WIDTH_OF_A_FILE = 160
DAY = re.compile(r"\d{4}-\d\d-\d\d\*?")
FIGURE = re.compile(r"[<+-]?[\d,]+(\.\d+)?( %)?( [a-z ]+)?|[+-]?[\d.]+ / [+-]?[\d.]+|n/a|too few")
FEWEST_LETTERS, WIDEST = 14, 10_000
IDS, LONGEST_ID = ("commitment", "day", "gate", "id", "line", "symbol"), 24
MOST_GAPS = 12
CARRIED = {"holiday_carry": "over a holiday", "stale": "stale"}
OUT = Console(
    highlight=False, soft_wrap=True, width=None if sys.stdout.isatty() or "COLUMNS" in os.environ else WIDTH_OF_A_FILE
)
ERR = Console(stderr=True, highlight=False, soft_wrap=True)


def say(line: str = "") -> None:
    """Print a line for people, as it is."""
    OUT.print(line, markup=False)


def as_json(result: Mapping[str, object], data: "Provenance | None" = None) -> None:
    """Print one JSON document, days in ISO form; figures go with the provenance of their data, simulated or not."""
    origin = {} if data is None else {"provenance": {**asdict(data), "simulated": data.simulated}}
    print(json.dumps({**origin, **result}, default=_plain, ensure_ascii=False, indent=2))


def _plain(value: object) -> object:
    return dict(value) if isinstance(value, Mapping) else str(value)


def answer(result: Mapping[str, object], *, json_wanted: bool) -> None:
    """Print a few named values, for people one after the other."""
    if json_wanted:
        as_json(result)
    else:
        say(", ".join(f"{name} {value}" for name, value in result.items()))


def table(rows: Iterable[Mapping[str, Any]], title: str = "") -> None:
    """Print rows as a table, figures to the right and in one piece; a row without a column leaves it blank.

    Columns are those of all rows in the order in which they first appear. Only words are folded: where figures and days
    alone are wider than the terminal, the table is too.
    """
    listed = list(rows)
    if not listed:
        say(f"{title}: none") if title else None
        return
    shown = Table(title=title or None, title_justify="left", title_style="bold", header_style="bold", box=SIMPLE_HEAD)
    columns = list(dict.fromkeys(name for row in listed for name in row))
    for name in columns:
        cells = [row.get(name) for row in listed]
        figures = name.endswith("%") or all(cell is None or _is_figure(cell) for cell in cells)
        whole = figures or all(cell is None or DAY.fullmatch(str(cell)) for cell in cells) or _ids(name, cells)
        widest = max(len(str(cell or "")) for cell in [name, *cells])
        fewest = widest if whole else min(FEWEST_LETTERS, widest)
        shown.add_column(name, justify="right" if figures else "left", overflow="fold", no_wrap=whole, min_width=fewest)
    for row in listed:
        shown.add_row(*("" if row.get(name) is None else str(row[name]) for name in columns))
    needed = Measurement.get(OUT, OUT.options.update(max_width=WIDEST), shown).minimum
    (OUT if needed <= OUT.width else Console(highlight=False, width=needed)).print(shown, crop=False)


def _is_figure(cell: object) -> bool:
    return isinstance(cell, int | float) or FIGURE.fullmatch(str(cell)) is not None


def _ids(name: str, cells: Sequence[object]) -> bool:
    """Whether a column holds identifiers, which nobody can copy once they are folded."""
    return name in IDS and all(len(str(cell)) <= LONGEST_ID for cell in cells)


def problems(found: Sequence[Problem], *, json_wanted: bool) -> None:
    """Print problems one a line, to standard error; as JSON to standard output."""
    if json_wanted:
        as_json({"problems": [problem.as_dict() for problem in found]})
    for problem in found if not json_wanted else ():
        ERR.print(str(problem), markup=False, style="red")


def percent(fraction: float | None, *, signed: bool = False) -> str | None:
    """A fraction as a percentage with two decimals."""
    if fraction is None:
        return None
    return f"{fraction * 100:+.2f}" if signed else f"{fraction * 100:.2f}"


@contextmanager
def working(what: str) -> Generator[None]:
    """Show that something is under way, on a terminal only."""
    with ERR.status(what):
        yield


@contextmanager
def progress(what: str) -> Generator[Callable[[int, int, str], None]]:
    """Show a bar that a function moves on: how many are done, of how many, and what is next; on a terminal only."""
    columns = (SpinnerColumn(), TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn())
    with Progress(*columns, console=ERR, transient=True, disable=not ERR.is_terminal) as bar:
        task = bar.add_task(what, total=None)
        yield lambda done, of, name: bar.update(task, completed=done, total=of, description=f"{what} {name}")


def label(data: "Provenance") -> str:
    """Where the prices came from; simulated ones say so first."""
    return (
        "SIMULATED PRICES. " if data.simulated else ""
    ) + f"Source: {data.source.rstrip('.')}; prices to {data.through}."


def show_saved(saved: "Saved", *, dry_run: bool) -> None:
    """What a delivery changed in the store, after what the provider noticed."""
    for notice in saved.notices:
        say(notice)
    counts = ", ".join(f"{count:,} {name}" for name, count in saved.added.items()) or "nothing new"
    say(f"market {saved.market!r}{' (dry run, nothing written)' if dry_run else ''}: {counts}")
    for name, rows in saved.revised.items():
        say(f"{rows.height:,} {name} changed; the old values are kept beside the new")
    if hasattr(saved, "missing"):
        _show_live(cast("Fetched", saved))


def _show_live(fetched: "Fetched") -> None:
    """What a live provider tells otherwise than before, and what it could not give."""
    changed = [{**row, "largest": f"{row['largest']:.4%}"} for row in fetched.changed.to_dicts()]
    for rows, title in (
        (changed, "the vendor tells the past otherwise"),
        (fetched.gaps.head(MOST_GAPS).to_dicts(), f"sessions without a close, {MOST_GAPS} lines at most"),
        (fetched.missing.to_dicts(), "missing; the same command asks for it again"),
    ):
        table(rows, title) if rows else None
    for row in fetched.effect.to_dicts():
        moved = row["note"] or f"{row['variant']} moves by up to {row['largest_bp']:,.4f} bp, from {row['first']} on"
        say(f"{row['index_id']}: {moved}")


def saved_facts(saved: "Saved") -> dict[str, object]:
    """What a delivery changed, as plain data: tables as rows, of revised rows the count."""
    revised = {name: rows.height for name, rows in saved.revised.items()}
    tables = {name: value.to_dicts() for name, value in vars(saved).items() if hasattr(value, "to_dicts")}
    return {**vars(saved), **tables, "revised": revised}


def show_outcomes(outcomes: "Sequence[Outcome]", found: Sequence[Problem], *, json_wanted: bool) -> None:
    """What a pass over the schedule did, and what it could not do."""
    done = [outcome.published.entry for outcome in outcomes if outcome.published and outcome.published.new]
    if json_wanted:
        as_json({"published": [asdict(entry) for entry in done], "problems": [one.as_dict() for one in found]})
        return
    for entry in done:
        late = f", due {entry.due_at}" if entry.due_at else ""
        say(f"done: {entry.what} of {entry.index_id} for {entry.for_day}, ledger row {entry.sequence}{late}")
    problems(found, json_wanted=False)
    if not outcomes and not found:
        say("nothing is due")


def ledger_row(row: "Publication") -> dict[str, object]:
    """A row of the ledger for a person."""
    from exchina.schedule import lateness

    wait = lateness(row, ())
    remarks = [row.inputs.get("because", ""), "clock set by hand" if "clock" in row.inputs else ""]
    return {
        "row": row.sequence,
        "index": row.index_id,
        "what": row.what,
        "for day": row.for_day,
        "revision": row.revision or "",
        "published (UTC)": row.published_at[:19].replace("T", " "),
        "late": f"by {wait}" if wait else "",
        "files": sum(not path.startswith("frozen/") for path in row.files),
        "remarks": "; ".join(filter(None, remarks)),
        "hash": row.hash[:12],
    }


def show_basket(basket: "Basket") -> None:
    """A pro forma as a table, with leavers, steps, turnover and weak facts."""
    review = basket.review
    rows = [
        {
            "company": row["name"],
            "line": row["symbol"],
            "stage": row["stage"],
            "weight %": percent(row["weight"]),
            "before %": percent(row["previous_weight"]),
            "uncapped %": percent(row["uncapped_weight"]),
            "score": f"{row['policy_score']:.2f}",
        }
        for row in basket.members.to_dicts()
    ]
    table(rows, f"{basket.book.index.name}, effective after the close of {review.effective}")
    if basket.leavers.height:
        say("Leaving: " + ", ".join(basket.leavers["name"].to_list()))
    for step in basket.steps:
        say(step)
    say(f"Announced {review.announced}, data of {review.cutoff}. One-way turnover {percent(basket.turnover) or '-'} %.")
    if basket.weak_facts.height:
        say(f"{basket.weak_facts.height} facts of weak confidence stand behind these members.")
    _show_checks(basket.checks)


def _show_checks(checks: "pl.DataFrame") -> None:
    """The diversification tests of fund law, new weights beside the drifted ones; what was not tested says why."""
    rows: dict[tuple[str, str], dict[str, Any]] = {}
    for one in checks.to_dicts():
        key = one["rule"], one["test"]
        shown = rows.setdefault(key, {"rule": one["rule"], "test": one["test"], "limit": _share_or_count(one, "limit")})
        verdict = {True: "pass", False: "FAIL", None: one["note"]}[one["passed"]]
        now = "new weights" if one["when"] == "at_review" else "as drifted"
        shown[now] = " ".join(filter(None, [_share_or_count(one, "found"), verdict]))
    if rows:
        table(rows.values(), "Diversification tests of fund law")


def _share_or_count(check: Mapping[str, Any], column: str) -> str | None:
    value = check[column]
    if value is None:
        return None
    return f"{value:g}" if check["test"] == "companies" else f"{percent(value)} %"


def show_series(series: "IndexSeries") -> None:
    """A backtest: performance, one line a review, carried prices."""
    from exchina.analytics.performance import summary

    measures: dict[str, dict[str, Any]] = {}
    whole = series.levels.partition_by("variant", as_dict=True, maintain_order=True)
    for variant in series.book.index.returns:
        for row in summary(whole[variant,].select("session", "level")).to_dicts():
            shown = measures.setdefault(row["measure"], {"measure": row["measure"]})
            shown[variant] = _measure(row["value"], row["unit"])
    table(list(measures.values()), f"{series.book.index.name} (hypothetical, before costs)")
    derived = [
        {"series": one.name, "what": f"{one.make} of {one.of}", "last level": f"{whole[one.name,]['level'][-1]:,.2f}"}
        for one in series.book.series
    ]
    if derived:
        table(derived, "derived series")
    turnover = dict(series.turnover.iter_rows())
    rows = [
        {
            "effective": basket.review.effective,
            "members": basket.members.height,
            "largest %": percent(basket.members["weight"][0]),
            "turnover %": percent(turnover.get(basket.review.effective, 0.0 if basket.held else None)),
            "remarks": "; ".join(step.partition(": ")[2] for step in basket.steps),
        }
        for basket in series.baskets
    ]
    table(rows, "reviews")
    carried = series.statuses["status"].value_counts(sort=True).rows()
    say(
        "Carried prices: "
        + (", ".join(f"{count:,} {CARRIED.get(status, status)}" for status, count in carried) or "none")
    )
    weak = series.baskets[-1].weak_facts.height
    say(f"Facts of weak confidence behind the last members: {weak}; `exchina propose --json` lists them.")


def _measure(value: float | None, unit: str) -> str:
    if value is None:
        return "n/a"
    return (
        f"{value * 100:,.1f} %" + unit.removeprefix("fraction")
        if unit.startswith("fraction")
        else f"{value:,.2f} {unit}"
    )


def show_restatement(found: "pl.DataFrame", was: "date") -> None:
    """What a correction changes: each decision with its largest difference, and the first and last sessions."""
    if found.is_empty():
        say(f"No level differs from what was known on {was}.")
        return
    rows = [
        {
            "variant": variant,
            "decision": decision,
            "sessions": part.height,
            "first": part["session"].min(),
            "last": part["session"].max(),
            "largest bp": f"{part['difference_bp'].abs().max():,.4f}",
            "last old": f"{part['old_level'][-1]:,.4f}",
            "last new": f"{part['new_level'][-1]:,.4f}",
        }
        for (variant, decision), part in found.partition_by(
            ["variant", "decision"], as_dict=True, maintain_order=True
        ).items()
    ]
    table(rows, f"levels that differ from what was known on {was}")
