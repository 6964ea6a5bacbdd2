"""The command of the event study, and how its result is shown."""

import re
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from exchina import terminal
from exchina.cli.common import COMMON, DATA, Common, Data, Index, Kinds, app, author_of, book_of, folder_for, view_of

if TYPE_CHECKING:
    from exchina.analytics.event_study import EventStudy

WINDOW = re.compile(r"([+-]?\d+),([+-]?\d+)")
TITLE = 48
SENTENCES = 3


@app.command
def study(
    index: Index,
    *,
    kind: Kinds = (),
    pillar: Kinds = (),
    country: Kinds = (),
    event: Kinds = (),
    window: str = "0,1",
    also: Kinds = (),
    benchmark: str | None = None,
    model: Literal["market", "mean", "adjusted"] = "market",
    factor: Kinds = (),
    out: Path | None = None,
    data: Data = DATA,
    common: Common = COMMON,
) -> int:
    """Measure and test how the index and its stages moved on policy-shock dates, against each line's local market.

    Parameters:
        kind: kinds of event, such as china_export_control; all if not given.
        pillar: pillars of policy, such as alliance; all if not given.
        country: countries whose government or sponsor acted, such as US JP; all if not given.
        event: ids of events in policy_shocks.csv; all if not given.
        window: first and last session summed, counted from the first session able to react, such as 0,1.
        also: further windows, such as --also=-5,-1 for news that leaked; each test counts in the family.
        benchmark: one benchmark of the market for every line, never a fund that holds them.
        model: of normal returns: on the benchmark, their own mean, or the benchmark itself.
        factor: further factors of the market model: symbols in the market's benchmarks, such as a price of NdPr.
        out: folder to write all tables to, as CSV, and the figures, as SVG and PNG.
    """
    from exchina import workflow
    from exchina.analytics.constituent_moves import StudySettings
    from exchina.analytics.study_claims import sentences

    folder_for(out)
    further = tuple(_window(text) for text in also)
    settings = StudySettings(_window(window), further, benchmark=benchmark, model=model, factors=factor)
    with terminal.working("computing"):
        view, book, now = view_of(data, common), book_of(index, common), datetime.now(UTC)
        series, _, _ = workflow.recorded_backtest(common.place(), book, view, author=author_of(None), at=now)
        cut = {"kinds": kind, "pillars": pillar, "countries": country, "ids": event}
        result = workflow.study(series, view, settings, **{name: words or None for name, words in cut.items()})
        said = sentences(result, book.index.live_date)
        files = workflow.written_study(common.place(), result, out / index, book.index.name) if out else []
    if common.json:
        tables = {name: table.to_dicts() for name, table in workflow.study_tables(result).items()}
        facts = {"family_size": result.family_size, "ledger_hash": result.ledger_hash}
        terminal.as_json({**facts, **tables, "sentences": said.to_dicts()}, view.provenance)
        return 0
    _show(result, book.index.name, everything=not any(cut.values()))
    asked = said.filter(said["about"].is_in([*event, *kind]))
    for row in asked.to_dicts() if asked.height <= SENTENCES else []:
        terminal.say(row["sentence"] or f"No sentence may be printed of {row['about']}: {row['refused']}.")
    for path in files:
        terminal.say(f"wrote {path}")
    terminal.say(terminal.label(view.provenance))
    return 0


def _window(text: str) -> tuple[int, int]:
    from exchina.errors import ExchinaError, Problem

    found = WINDOW.fullmatch(text.replace(" ", ""))
    if found is None:
        raise ExchinaError(Problem("study.window", f"found {text!r}", "two sessions, such as 0,1 or --also=-5,-1"))
    return int(found[1]), int(found[2])


def _show(result: "EventStudy", name: str, *, everything: bool) -> None:
    """A row an event, a column a stage; the classes of events; stages against one another; what was left out."""
    import polars as pl

    from exchina.analytics.study_events import NOT_ASKED

    table = result.table.sort("event_date", maintain_order=True)
    rows = [_event(part) for part in table.partition_by("event_id", "measure", maintain_order=True)]
    terminal.say(f"{name} (hypothetical before its live date), prices to {result.provenance.through}")
    terminal.table(rows, "cumulative abnormal returns in %: index by its weights, mean and stages equal-weighted")
    classes = result.classes.filter(group="index").to_dicts()
    terminal.table([_class(row) for row in classes], "kinds of event over their dates, signed as was expected before")
    contrasts = [row for row in result.contrasts.to_dicts() if row["p"] is not None and row["dates"] >= 6]
    terminal.table([_contrast(row) for row in contrasts], "stages on the same dates: the first less the second")
    terminal.say(
        f"p alone: of this one test. p: Holm-adjusted over the family of {result.family_size} tests of this report "
        "(Kolari-Pynnonen adjusted BMP for one date, BMP over dates for several). MDE: on a day of usual spread a "
        "single test would mostly miss smaller moves (80 % power at 5 %, normal approximation); no reaction detected "
        "is not no reaction. Past reactions do not predict future ones."
    )
    if "*" in "".join(str(row["event"]) for row in rows):
        terminal.say("* compound event: windows overlap, effects cannot be told apart.")
    terminal.say(f"Event ledger {result.ledger_hash[:12]}.")
    lost = result.securities.filter(pl.col("car").is_null()).group_by("note").len().sort("len", "note", descending=True)
    terminal.table([{"left out": count, "because": note} for note, count in lost.iter_rows()], "moves left out")
    told = (pl.col("status") != "studied") & (pl.col("note") != NOT_ASKED)
    left = result.events.filter(told).to_dicts() if everything else []
    terminal.table([{"not studied": r["event_date"], "title": _cut(r["title"]), "because": r["note"]} for r in left])


def _event(part: Any) -> dict[str, object]:
    rows = {row["group"]: row for row in part.to_dicts()}
    index = rows.pop("index")
    compound = "*" if index["note"] else ""
    return {
        "event": f"{index['event_date']}{compound}",
        "title": _cut(index["title"]),
        "window": index["window"],
        "names": index["names"],
        "index": terminal.percent(index["car"], signed=True),
        "mean": terminal.percent(index["caar"], signed=True),
        "p alone": _p(index["p"]),
        "p": _p(index["p_holm"]),
        "MDE": terminal.percent(index["mde"]),
        **{stage: terminal.percent(row["car"], signed=True) for stage, row in rows.items()},
    }


def _class(row: dict[str, Any]) -> dict[str, object]:
    return {
        "kind": row["kind"],
        "window": row["window"],
        "dates": row["dates"],
        "mean %": terminal.percent(row["mean_car"], signed=True),
        "p": _p(row["p_holm"]) if row["dates"] >= 6 else "too few",
        "unadjusted": _p(row["p"]),
        "wild cluster": _p(row["p_wild"]),
        "MDE": terminal.percent(row["mde"]),
    }


def _contrast(row: dict[str, Any]) -> dict[str, object]:
    return {
        "kind": row["kind"],
        "stages": f"{row['first']} less {row['second']}",
        "dates": row["dates"],
        "difference %": terminal.percent(row["mean_difference"], signed=True),
        "p": _p(row["p_holm"]),
        "unadjusted": _p(row["p"]),
    }


def _p(value: float | None) -> str | None:
    return None if value is None else f"{value:.3f}" if value >= 0.001 else "<0.001"


def _cut(title: str) -> str:
    return title if len(title) <= TITLE else title[: TITLE - 1].rstrip() + "…"
