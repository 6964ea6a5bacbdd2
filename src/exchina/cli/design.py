"""The commands of the designer: lay a workspace, bring data in, judge, compose, backtest, study, report."""

from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

from exchina import terminal
from exchina.cli.common import COMMON, DATA, Audience, Common, Data, Flag, Index, Kinds, app, book_of, view_of

if TYPE_CHECKING:
    pass


@app.command
def init(folder: Path, *, common: Common = COMMON) -> int:
    """Lay a workspace: rulebooks, reference data, schedule, report layouts. Files that are there stay as they are.

    Parameters:
        folder: where; made if it does not exist.
    """
    from exchina import workspace

    written = workspace.init(folder)
    said = {"written": len(written), "workspace": folder, "next": f"cd {folder}; exchina fetch sample"}
    terminal.answer(said, json_wanted=common.json)
    return 0


@app.command
def fetch(
    provider: str = "sample",
    *,
    market: str | None = None,
    mapping: Path | None = None,
    dry_run: Flag = False,
    common: Common = COMMON,
) -> int:
    """Bring prices into the store: the embedded sample market, or your own files.

    Parameters:
        provider: "sample" (simulated prices, no network) or "files" (CSV or Parquet of your own).
        market: name to keep the data under; the provider's name if not given.
        mapping: for "files": the TOML file that says which columns mean what.
        dry_run: check everything and write nothing.
    """
    from exchina import workflow

    settings = {} if mapping is None else {"mapping": mapping}
    with terminal.working(f"fetching from {provider}"):
        saved = workflow.fetch(
            common.place(),
            provider,
            market=market or provider,
            recorded_at=datetime.now(UTC),
            settings=settings,
            dry_run=dry_run,
        )
    if common.json:
        revised = {name: rows.height for name, rows in saved.revised.items()}
        terminal.as_json({**vars(saved), "revised": revised, "dry_run": dry_run})
    else:
        terminal.show_saved(saved, dry_run=dry_run)
    return 0


@app.command
def check(*, common: Common = COMMON) -> int:
    """Check everything: reference data, rulebooks, layouts, schedule, store. Reports every problem at once."""
    from exchina import workflow

    found = workflow.check(common.place())
    terminal.problems(found, json_wanted=common.json)
    if not common.json:
        terminal.say(f"problems: {len(found)}" if found else "no problems")
    return 1 if found else 0


@app.command
def explain(index: Index, company: str | None = None, *, data: Data = DATA, common: Common = COMMON) -> int:
    """Say a rulebook in plain English, or why one company is in or out at the next review.

    Parameters:
        company: a company id, such as mp-materials.
    """
    from exchina import workflow
    from exchina.rulebook import in_english

    book = book_of(index, common)
    if company is None:
        text, lines = in_english(book), ""
    else:
        with terminal.working("forming the basket"):
            view = view_of(data, common)
            text, lines = (
                workflow.explained(workflow.propose(book, view), company, view),
                terminal.label(view.provenance),
            )
    if common.json:
        terminal.as_json({"index": index, "company": company, "text": text, "source": lines})
    else:
        terminal.say("\n".join([text, lines]).rstrip())
    return 0


@app.command
def propose(index: Index, *, data: Data = DATA, common: Common = COMMON) -> int:
    """Show the pro forma of the next review: members, weights, leavers, turnover."""
    from exchina import workflow

    with terminal.working("forming the basket"):
        view = view_of(data, common)
        basket = workflow.propose(book_of(index, common), view)
    if common.json:
        tables = {name: getattr(basket, name).to_dicts() for name in ("members", "leavers", "verdicts", "weak_facts")}
        facts = {**asdict(basket.review), "turnover": basket.turnover, "held": basket.held, "steps": basket.steps}
        terminal.as_json({**facts, **tables}, view.provenance)
        return 0
    terminal.show_basket(basket)
    terminal.say(terminal.label(view.provenance))
    return 0


@app.command
def backtest(index: Index, *, out: Path | None = None, data: Data = DATA, common: Common = COMMON) -> int:
    """Compute levels from the base date on: performance, turnover, the baskets of all reviews.

    Parameters:
        out: folder to write levels, baskets, index shares, turnover and divisor to, as CSV.
    """
    from exchina import workflow

    with terminal.working("computing"):
        view = view_of(data, common)
        series = workflow.backtest(book_of(index, common), view)
    tables = workflow.series_tables(series)
    written = workflow.written_tables(tables, out / index) if out else []
    if common.json:
        terminal.as_json({name: table.to_dicts() for name, table in tables.items()}, view.provenance)
        return 0
    terminal.show_series(series)
    for path in written:
        terminal.say(f"wrote {path}")
    terminal.say(terminal.label(view.provenance))
    return 0


@app.command
def study(
    index: Index, *, kind: Kinds = (), benchmark: str | None = None, data: Data = DATA, common: Common = COMMON
) -> int:
    """Measure how the index and its stages moved on policy-shock dates, against each line's local market.

    Parameters:
        kind: kinds of event, such as china_export_control; all if not given.
        benchmark: one benchmark of the market for every line.
    """
    from exchina import workflow

    with terminal.working("computing"):
        view = view_of(data, common)
        series = workflow.backtest(book_of(index, common), view)
        result = workflow.study(series, view, kinds=kind or None, benchmark=benchmark)
    if common.json:
        tables = {name: getattr(result, name).to_dicts() for name in ("table", "events", "securities")}
        terminal.as_json(tables, view.provenance)
        return 0
    terminal.show_study(result)
    terminal.say(terminal.label(view.provenance))
    return 0


@app.command
def report(
    layout: str,
    index: Index,
    *,
    out: Path | None = None,
    audience: Audience = "institutional",
    benchmark: str | None = None,
    data: Data = DATA,
    common: Common = COMMON,
) -> int:
    """Write a document (PDF and HTML) without publishing it.

    Parameters:
        layout: "factsheet", "announcement" or a layout of your own in reports/layouts.
        out: folder to write to; the present one if not given.
        audience: who will read it; decides what it may show.
        benchmark: one benchmark of the market for the event study.
    """
    from exchina import workflow

    with terminal.working("composing"):
        files = workflow.written_report(
            common.place(),
            layout,
            book_of(index, common),
            view_of(data, common),
            out or Path(),
            audience=audience,
            benchmark=benchmark,
        )
    terminal.answer({"wrote": ", ".join(map(str, files))}, json_wanted=common.json)
    return 0
