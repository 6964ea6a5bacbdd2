"""One command a verb: parse, call, print. Exit code 0 is fine, 1 problems found, 2 wrong usage."""

import sys
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from datetime import UTC, date, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

from cyclopts import App, CycloptsError, Parameter

from exchina import terminal
from exchina.errors import ExchinaError, Problem

if TYPE_CHECKING:
    from exchina.market.view import MarketView
    from exchina.model import Rulebook
    from exchina.workspace import Workspace

Audience = Literal["retail", "institutional", "internal"]
Index = Annotated[str, Parameter(help="an index of the workspace.")]
Kinds = Annotated[tuple[str, ...], Parameter(consume_multiple=True)]


def _version() -> str:
    from importlib.metadata import version

    return version("exchina")


app = App(
    name="exchina",
    help="Investment indices and ETFs on the rare-earth supply chain outside China.",
    version=_version,
    help_epilogue="Start here: exchina init my-desk; cd my-desk; exchina fetch sample; exchina backtest ex-china-core",
)


@Parameter(name="*")
@dataclass(frozen=True)
class Common:
    """Options of every command.

    Parameters:
        workspace: folder that holds indices, scheduler and reports.
        json: print one JSON document instead of tables.
    """

    workspace: Annotated[Path, Parameter(name=["--workspace", "-w"])] = field(default=Path())
    json: Annotated[bool, Parameter(negative="")] = False

    def place(self) -> "Workspace":
        """The workspace at that folder."""
        from exchina.workspace import open_workspace

        return open_workspace(self.workspace)


@Parameter(name="*")
@dataclass(frozen=True)
class Data:
    """Which market data a command reads.

    Parameters:
        market: name of a market in the store.
        as_of: use only what was known by this day; everything if not given.
    """

    market: Annotated[str, Parameter(name=["--market", "-m"])] = "sample"
    as_of: date | None = None


COMMON = Common()
DATA = Data()


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
    dry_run: Annotated[bool, Parameter(negative="")] = False,
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

    book = _book(index, common)
    if company is None:
        text, lines = in_english(book), ""
    else:
        with terminal.working("forming the basket"):
            view = _view(data, common)
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
        view = _view(data, common)
        basket = workflow.propose(_book(index, common), view)
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
        view = _view(data, common)
        series = workflow.backtest(_book(index, common), view)
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
        view = _view(data, common)
        series = workflow.backtest(_book(index, common), view)
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
            _book(index, common),
            _view(data, common),
            out or Path(),
            audience=audience,
            benchmark=benchmark,
        )
    terminal.answer({"wrote": ", ".join(map(str, files))}, json_wanted=common.json)
    return 0


@app.command
def publish(
    index: Index,
    *,
    audience: Audience = "institutional",
    benchmark: str | None = None,
    dry_run: Annotated[bool, Parameter(negative="")] = False,
    data: Data = DATA,
    common: Common = COMMON,
) -> int:
    """Publish the last announced review: pro forma, announcement, factsheet, and a row of the ledger.

    Parameters:
        audience: who will read the documents; decides what they may show.
        benchmark: one benchmark of the market for the event study.
        dry_run: say what would be published and write nothing.
    """
    from exchina import workflow

    book, view, place = _book(index, common), _view(data, common), common.place()
    if dry_run:
        review = workflow.last_announced(book, view)
        state = "already published" if workflow.already_published(place, book, review) else "would be published"
        terminal.answer({"state": state, "index": index, **asdict(review)}, json_wanted=common.json)
        return 0
    with terminal.working("publishing"):
        done = workflow.publish(
            place, book, view, published_at=datetime.now(UTC), audience=audience, benchmark=benchmark
        )
    if common.json:
        terminal.as_json({"new": done.new, **asdict(done.entry)}, view.provenance)
        return 0
    state = "published" if done.new else "already published"
    if done.entry.inputs.get("rulebook") != book.content_hash:
        terminal.say("the rulebook has changed since; what was published stays as it was")
    terminal.say(f"{state}: {index}, review effective {done.entry.for_day}, ledger row {done.entry.sequence}")
    for name in done.entry.files:
        terminal.say(f"  {place.reports / name}")
    terminal.say(terminal.label(view.provenance))
    return 0


@app.command
def verify(*, common: Common = COMMON) -> int:
    """Prove that the published files and the ledger still say what was published."""
    from exchina import workflow

    place = common.place()
    found = workflow.verify(place)
    terminal.problems(found, json_wanted=common.json)
    if not common.json:
        rows = workflow.publications(place)
        terminal.say(f"problems: {len(found)}" if found else f"publications verified: {len(rows)}")
    return 1 if found else 0


@app.command
def serve(
    *,
    once: Annotated[bool, Parameter(negative="")] = False,
    now: datetime | None = None,
    dry_run: Annotated[bool, Parameter(negative="")] = False,
    common: Common = COMMON,
) -> int:
    """Do what scheduler/schedule.toml says is due and the ledger does not hold yet.

    Parameters:
        once: one pass and out, for cron; without it a pass every minute until stopped.
        now: pretend that it is this moment (UTC if no zone is given).
        dry_run: list what is due and do nothing.
    """
    from exchina import service

    place = common.place()
    if dry_run:
        found, failed = service.waiting(place, _moment(now))
        rows = [{"due since": d.at, "do": d.job.do, "index": d.job.index, "review": d.review.effective} for d in found]
        terminal.as_json({"due": rows}) if common.json else terminal.table(rows, "due")
        terminal.problems([problem for outcome in failed for problem in outcome.problems], json_wanted=False)
        return 1 if failed else 0
    if not once:
        service.run_forever(lambda: _pass(place, _moment(now), common))
        return 0
    return _pass(place, _moment(now), common)


def _pass(place: "Workspace", now: datetime, common: Common) -> int:
    from exchina import service

    outcomes = service.run_once(place, now)
    terminal.show_outcomes(outcomes, json_wanted=common.json)
    return 1 if any(outcome.published is None for outcome in outcomes) else 0


def _moment(now: datetime | None) -> datetime:
    if now is None:
        return datetime.now(UTC)
    return now if now.tzinfo else now.replace(tzinfo=UTC)


def _book(index: str, common: Common) -> "Rulebook":
    from exchina import workflow

    return workflow.index_rulebook(common.place(), index)


def _view(data: Data, common: Common) -> "MarketView":
    from exchina import workflow

    return workflow.open_market(data.market, known_by=data.as_of, workspace=common.workspace)


def main(tokens: Sequence[str] | None = None) -> None:
    """Run the command line and leave with its exit code."""
    arguments = list(sys.argv[1:] if tokens is None else tokens)
    try:
        code = app(arguments, exit_on_error=False, print_error=True, result_action="return_value")
    except CycloptsError:
        sys.exit(2)
    except ExchinaError as fault:
        terminal.problems(fault.problems, json_wanted="--json" in arguments)
        sys.exit(1)
    except KeyboardInterrupt:
        terminal.problems([Problem("exchina", "stopped")], json_wanted=False)
        sys.exit(130)
    sys.exit(code or 0)


if __name__ == "__main__":
    main()
