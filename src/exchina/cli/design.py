"""The commands of the designer: lay a workspace, bring data in, judge, compose, backtest, study, report."""

from dataclasses import asdict
from datetime import UTC, date, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from exchina import terminal
from exchina.cli.common import (
    COMMON,
    DATA,
    Audience,
    Common,
    Data,
    Flag,
    Index,
    Kinds,
    app,
    author_of,
    book_of,
    checks,
    folder_for,
    view_of,
)

if TYPE_CHECKING:
    from exchina.model import Rulebook


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
    start: date | None = None,
    only: Kinds = (),
    control: str | None = None,
    full: Flag = False,
    effect: Flag = False,
    allow_missing: Flag = False,
    setting: Kinds = (),
    dry_run: Flag = False,
    common: Common = COMMON,
) -> int:
    """Bring prices into the store: the embedded sample market, your own files, or live ones.

    Parameters:
        provider: "sample" (simulated prices, no network), "files" (CSV or Parquet of your own) or "yahoo" (live).
        market: name to keep the data under; the provider's name if not given.
        mapping: for "files": the TOML file that says which columns mean what.
        start: live: first day to ask for, where the store has nothing yet.
        only: live: symbols of listings, such as LYC.AX MP; all of the reference if not given.
        control: live: symbol of the metals-and-mining benchmark; "" for none.
        full: live: ask for all days again, not only for those that lack.
        effect: live: say how far a changed past moves the levels of every index.
        allow_missing: live: exit with 0 although something is missing.
        setting: settings of the provider, each as name=value, such as pause_seconds=3.
        dry_run: check everything and write nothing.
    """
    from exchina import workflow
    from exchina.market.live.plan import Ask
    from exchina.market.live.report import Fetched

    settings: dict[str, Any] = {"mapping": mapping} if mapping else {}
    settings |= {name: value for name, _, value in (one.partition("=") for one in setting)}
    said = {"start": start, "only": only or None, "control": control, "full": full or None, "effect": effect or None}
    given: dict[str, Any] = {name: value for name, value in said.items() if value is not None}
    with terminal.progress(f"fetching from {provider}") as told:
        saved = workflow.fetch(
            common.place(),
            provider,
            market=market or provider,
            recorded_at=datetime.now(UTC),
            settings=settings,
            ask=Ask(**given) if given else None,
            progress=told,
            dry_run=dry_run,
        )
    if common.json:
        terminal.as_json({**terminal.saved_facts(saved), "dry_run": dry_run})
    else:
        terminal.show_saved(saved, dry_run=dry_run)
    return 1 if isinstance(saved, Fetched) and saved.missing.height and not allow_missing else 0


@checks.default
def check(*, common: Common = COMMON) -> int:
    """Check everything: reference data, rulebooks, layouts, schedule, store. Reports every problem at once."""
    from exchina import workflow

    found = workflow.check(common.place())
    terminal.problems(found, json_wanted=common.json)
    if not common.json:
        terminal.say(f"problems: {len(found)}" if found else "no problems")
    return 1 if found else 0


@checks.command(name="market")
def check_market(
    name: str, *, against: str | None = None, everything: Flag = False, rows: int = 50, common: Common = COMMON
) -> int:
    """List what the gates of a market hold in quarantine, newest first, or hold the market against another one.

    Parameters:
        name: of a market in the store.
        against: another market: where they differ, the largest effect on an index first.
        everything: list also what was released, dropped, cleared or replaced.
        rows: how many lines to print; --json always gives every row.
    """
    from exchina import workflow
    from exchina.cli.quarantine import show_differences, show_quarantine

    if against is not None:
        with terminal.working("computing the weights of the indices"):
            found, said = workflow.compared(common.place(), name, against)
        show_differences(found, said, name, against, rows, json_wanted=common.json)
        return 0
    entries = workflow.quarantine(common.place(), name)
    show_quarantine(entries, name, rows, everything=everything, json_wanted=common.json)
    return 1 if "held" in entries["status"] else 0


@app.command
def explain(
    index: Index,
    company: str | None = None,
    *,
    basket: Flag = False,
    change: Flag = False,
    since: date | None = None,
    out: Path | None = None,
    data: Data = DATA,
    common: Common = COMMON,
) -> int:
    """Say a rulebook in plain English; or why a basket, a company's place in it, or a change of weight is as it is.

    Parameters:
        company: a company id, such as mp-materials; its verdicts at the next review.
        basket: what each rule did to the universe at the next review.
        change: why the company's weight is not what it was at the review before.
        since: with --change: compare with the review in force on this day.
        out: file to write the methodology page of the index to, in Markdown, such as methodology.md.
    """
    from exchina import reasons, workflow
    from exchina.rulebook import in_english
    from exchina.rules.explain import explain_basket

    book = book_of(index, common)
    _one_question(company, basket=basket, change=change or since is not None, out=out)
    if out is not None:
        return _methodology(book, out, common)
    if company is None and not basket:
        page = f"The methodology page, complete: exchina explain {index} --out methodology.md"
        text, lines = in_english(book), "" if common.json else f"\n{page}"
    else:
        with terminal.working("forming the basket"):
            view = view_of(data, common)
            lines = terminal.label(view.provenance)
            if company is None:
                text = explain_basket(workflow.propose(book, view))
            elif change or since:
                text = reasons.explained_change(book, view, company, since)
            else:
                text = reasons.explained(workflow.propose(book, view), company, view)
    if common.json:
        terminal.as_json({"index": index, "company": company, "text": text, "source": lines})
    else:
        terminal.say("\n".join([text, lines]).rstrip())
    return 0


def _one_question(company: str | None, *, basket: bool, change: bool, out: Path | None) -> None:
    """`ExchinaError` where what is asked contradicts itself."""
    from exchina.errors import ExchinaError, Problem

    if out is not None and (company is not None or basket):
        what = "writes the methodology of a whole index"
        raise ExchinaError(Problem("explain --out", what, f"leave out --out, or {company or '--basket'}"))
    if basket and (company is not None or change):
        raise ExchinaError(Problem("explain --basket", "is about a whole basket", "leave out the company, or --basket"))
    if change and company is None:
        raise ExchinaError(Problem("explain --change", "of which company?", "name one, such as mp-materials"))


def _methodology(book: "Rulebook", out: Path, common: Common) -> int:
    from exchina import atomic
    from exchina.errors import ExchinaError, Problem
    from exchina.methodology import methodology_page

    if out.is_dir():
        raise ExchinaError(Problem(str(out), "is a folder", f"name a file, such as {out / 'methodology.md'}"))
    try:
        atomic.place(out, methodology_page(book).encode())
    except OSError as fault:
        cure = "name a file in a folder that you may write to"
        raise ExchinaError(Problem(str(out), f"cannot be written: {fault.strerror}", cure)) from fault
    terminal.answer({"wrote": out}, json_wanted=common.json)
    return 0


@app.command
def propose(index: Index, *, data: Data = DATA, common: Common = COMMON) -> int:
    """Show the pro forma of the next review: members, weights, leavers, turnover."""
    from exchina import workflow

    with terminal.working("forming the basket"):
        view = view_of(data, common)
        basket = workflow.propose(book_of(index, common), view)
    if common.json:
        tables = {
            name: getattr(basket, name).to_dicts()
            for name in ("members", "leavers", "verdicts", "checks", "weak_facts")
        }
        facts = {**asdict(basket.review), "turnover": basket.turnover, "held": basket.held, "steps": basket.steps}
        terminal.as_json({**facts, **tables}, view.provenance)
        return 0
    terminal.show_basket(basket)
    terminal.say(terminal.label(view.provenance))
    return 0


@app.command
def backtest(
    index: Index,
    *,
    fund: float = 25e6,
    author: str | None = None,
    out: Path | None = None,
    data: Data = DATA,
    common: Common = COMMON,
) -> int:
    """Compute levels from the base date on: performance, turnover, baskets of all reviews. It is recorded as a trial.

    Parameters:
        fund: size of the fund that pays the costs of the reviews, in US dollars.
        author: who tries; EXCHINA_AUTHOR, or the user of this machine, if not given.
        out: folder to write levels, baskets, index shares, turnover and divisor to, as CSV.
    """
    from exchina import workflow
    from exchina.analytics.capacity import Terms, check_terms
    from exchina.cli.sweep_verb import after_costs_facts, honesty_facts, show_after_costs, show_honesty

    folder_for(out)
    check_terms(Terms(), fund)
    with terminal.working("computing"):
        place, who, view, book = common.place(), author_of(author), view_of(data, common), book_of(index, common)
        series, trial, _ = workflow.recorded_backtest(place, book, view, author=who, at=datetime.now(UTC))
        costs = after_costs_facts(series, view, fund)
    facts = honesty_facts(workflow.evidence_for(place, trial, book, view))
    tables = workflow.series_tables(series)
    written = workflow.written_tables(tables, out / index) if out else []
    if common.json:
        plain = {name: table.to_dicts() for name, table in tables.items()}
        terminal.as_json({**plain, "after_costs": costs, "honesty": facts}, view.provenance)
        return 0
    show_after_costs(costs)
    terminal.show_series(series)
    show_honesty(facts)
    for path in written:
        terminal.say(f"wrote {path}")
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
            author=author_of(None),
            at=datetime.now(UTC),
        )
    terminal.answer({"wrote": ", ".join(map(str, files))}, json_wanted=common.json)
    return 0
