"""How results look in a terminal: tables for people, ``--json`` for machines."""

import json
import sys
from collections.abc import Generator, Iterable, Mapping, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.table import Table

from exchina.errors import Problem

if TYPE_CHECKING:
    from exchina.analytics.event_study import EventStudy
    from exchina.market.store import Saved
    from exchina.model import Basket, IndexSeries, Provenance

WIDTH_OF_A_FILE = 160
OUT = Console(highlight=False, soft_wrap=True, width=None if sys.stdout.isatty() else WIDTH_OF_A_FILE)
ERR = Console(stderr=True, highlight=False, soft_wrap=True)


def say(line: str = "") -> None:
    """Print a line for people, as it is."""
    OUT.print(line, markup=False)


def as_json(result: object) -> None:
    """Print one JSON document; days in ISO form."""
    print(json.dumps(result, default=str, ensure_ascii=False, indent=2))


def table(rows: Iterable[Mapping[str, Any]], title: str = "") -> None:
    """Print rows as a table, numbers to the right; the columns are those of the first row."""
    listed = list(rows)
    if not listed:
        say(f"{title}: none" if title else "none")
        return
    shown = Table(title=title or None, title_justify="left", title_style="bold", header_style="bold", box=SIMPLE_HEAD)
    for name in listed[0]:
        numeric = all(isinstance(row[name], int | float) or row[name] is None for row in listed)
        shown.add_column(name, justify="right" if numeric or name.endswith("%") else "left", overflow="fold")
    for row in listed:
        shown.add_row(*("" if value is None else str(value) for value in row.values()))
    OUT.print(shown)


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


def label(data: "Provenance") -> str:
    """Where the prices came from; simulated ones say so first."""
    return ("SIMULATED PRICES. " if data.simulated else "") + f"Source: {data.source}; prices to {data.through}."


def show_saved(saved: "Saved", *, dry_run: bool) -> None:
    """What a delivery changed in the store, after what the provider noticed."""
    for notice in saved.notices:
        say(notice)
    counts = ", ".join(f"{count:,} {name}" for name, count in saved.added.items()) or "nothing new"
    say(f"market {saved.market!r}{' (dry run, nothing written)' if dry_run else ''}: {counts}")
    for name, rows in saved.revised.items():
        say(f"{rows.height:,} {name} changed; the old values are kept beside the new")


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


def show_series(series: "IndexSeries") -> None:
    """A backtest: performance, one line a review, carried prices."""
    from exchina.analytics.performance import summary

    table(summary(series.levels.select("session", "level")).to_dicts(), f"{series.book.index.name} (hypothetical)")
    turnover = {row["session"]: row["one_way"] for row in series.turnover.to_dicts()}
    rows = [
        {
            "effective": basket.review.effective,
            "members": basket.members.height,
            "largest": basket.members["name"][0],
            "largest %": percent(basket.members["weight"][0]),
            "turnover %": percent(turnover.get(basket.review.effective)),
            "remarks": "; ".join(basket.steps),
        }
        for basket in series.baskets
    ]
    table(rows, "reviews")
    carried = series.statuses["status"].value_counts(sort=True).rows()
    say("Carried prices: " + (", ".join(f"{count:,} {status}" for status, count in carried) or "none"))


def show_study(result: "EventStudy") -> None:
    """An event study: a row per event and group, then the events of the kinds asked for that were left out."""
    import polars as pl

    rows = [
        {
            "event": row["event_date"],
            "title": row["title"],
            "group": row["group"],
            "names": row["names"],
            "left out": row["left_out"],
            "window": row["window"],
            "CAR %": percent(row["car"], signed=True),
            "note": row["note"],
        }
        for row in result.table.to_dicts()
    ]
    table(rows, "Cumulative abnormal returns, descriptive: no significance is claimed")
    asked = result.settings.kinds or result.events["kind"].unique().to_list()
    left = result.events.filter((pl.col("status") != "studied") & pl.col("kind").is_in(asked)).to_dicts()
    table([{"event": r["event_date"], "title": r["title"], "left out because": r["note"]} for r in left], "not studied")
