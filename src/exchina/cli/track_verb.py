"""The command of the fund: what an ETF on an index would have held, cost, delivered and been allowed to."""

from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from exchina import terminal
from exchina.cli.common import (
    COMMON,
    DATA,
    Common,
    Data,
    Flag,
    Index,
    Kinds,
    Listing,
    app,
    author_of,
    book_of,
    folder_for,
    view_of,
)

if TYPE_CHECKING:
    from typing import TypeAlias

    import polars as pl

    from exchina.errors import Problem
    from exchina.fund.terms import Fund
    from exchina.market.view import MarketView
    from exchina.model import IndexSeries
    from exchina.workflow.tracking import Track

    Found: TypeAlias = tuple[Track, dict[str, Any]]


@app.command
def track(
    index: Index,
    *,
    fund: Kinds = (),
    list_: Listing = False,
    limits: Flag = False,
    basket: Flag = False,
    capacity: Flag = False,
    premium: Flag = False,
    rivals: Flag = False,
    vary: Kinds = (),
    author: str | None = None,
    out: Path | None = None,
    data: Data = DATA,
    common: Common = COMMON,
) -> int:
    """Run funds on an index: NAV day by day, and what each lost to the index and why. The index is recorded as a trial.

    Parameters:
        fund: names of files in indices/INDEX/funds, or paths of fund files; several are compared; all if not given.
        list_: list the funds of the index and stop.
        limits: show where each fund stood outside the limits of its file, and the smallest trade that cures it.
        basket: show the creation basket of the next session and what it costs to build.
        capacity: show at which size each fund breaks.
        premium: show the premium and discount that markets cause which are closed when the fund is valued.
        rivals: show what listed rivals publish, and their prices where the market has them; several funds always do.
        vary: run variants of one fund: a place of its file and its values, such as
            vehicle.fee.per_year=0.004,0.006; once for each place.
        author: who tries; EXCHINA_AUTHOR, or the user of this machine, if not given.
        out: folder to write days, parts, periods, holdings and what else was asked for to, as CSV, one folder a fund.
    """
    from exchina import workflow

    folder_for(out)
    place = common.place()
    if list_ and not (fund or place.fund_ids(index)):
        return _listed(index, [], common)
    funds = workflow.index_funds(place, index, fund)
    if list_:
        return _listed(index, funds, common)
    asked = {"limits": limits, "basket": basket, "capacity": capacity, "premium": premium}
    variants = workflow.fund_variants(_only(funds, vary, {**asked, "rivals": rivals}), vary) if vary else []
    with terminal.working("computing"):
        view, book = view_of(data, common), book_of(index, common)
        series, _, _ = workflow.recorded_backtest(place, book, view, author=author_of(author), at=datetime.now(UTC))
    if vary:
        with terminal.progress("running") as bar:
            table = workflow.compared_variants(series, variants, view, bar)
        return _varied(table, funds[0], view, out, common)
    with terminal.working("computing"):
        found, problems = _tracked(series, funds, view, asked)
    return _shown(index, found, problems, view, rivals=rivals, out=out, common=common)


def _tracked(
    series: "IndexSeries", funds: "list[Fund]", view: "MarketView", asked: dict[str, bool]
) -> "tuple[list[Found], list[Problem]]":
    """Each fund with what was asked of it; one that cannot be run takes nothing from the others."""
    from exchina import workflow
    from exchina.errors import ExchinaError
    from exchina.workflow.fund_faults import of_fund

    makers = {
        "limits": workflow.fund_limits,
        "basket": workflow.creation_basket,
        "capacity": workflow.fund_room,
        "premium": workflow.stale_premium,
    }
    tracker = workflow.Tracker(series, view)
    found: list[Found] = []
    problems: list[Problem] = []
    for fund in funds:
        try:
            tracked = tracker.track(fund)
        except ExchinaError as fault:
            problems += fault.problems
            continue
        also: dict[str, Any] = {"ahead": workflow.tracking_error_ahead(tracked, view)}
        found.append((tracked, also))
        for name in (name for name in makers if asked[name]):
            try:
                also[name] = makers[name](tracked, view)
            except ExchinaError as fault:
                problems += of_fund(fund, fault.problems)
    if not found:
        raise ExchinaError(*problems)
    return found, problems


def _shown(
    index: str,
    found: "list[Found]",
    problems: "list[Problem]",
    view: "MarketView",
    *,
    rivals: bool,
    out: Path | None,
    common: Common,
) -> int:
    """Print and write what there is, then what there is not."""
    from exchina import workflow
    from exchina.cli import fund_tables
    from exchina.cli.fund_views_tables import show_asked
    from exchina.cli.rival_tables import plain_rivals, rival_files, show_rivals

    tracked = [one for one, _ in found]
    beside = workflow.listed_rivals(tracked, view) if rivals or len(found) > 1 else None
    written = [
        path
        for one, also in found
        if out is not None
        for path in workflow.written_tables(fund_tables.files_of(one, also), out / one.fund.facts.id)
    ]
    if out is not None and beside is not None:
        written += workflow.written_tables(rival_files(beside), out)
    if common.json:
        plain = [fund_tables.plain(one, also) for one, also in found]
        told: dict[str, Any] = {"rivals": plain_rivals(beside)} if beside is not None else {}
        told |= {"problems": [problem.as_dict() for problem in problems]} if problems else {}
        terminal.as_json({"index": index, "hypothetical": True, "funds": plain, **told}, view.provenance)
        return int(bool(problems))
    for one, also in found:
        fund_tables.show_fund(one, also["ahead"])
        show_asked(also, one.fund.facts.currency)
        terminal.say()
    if len(found) > 1:
        fund_tables.show_compared(tracked)
    if beside is not None:
        show_rivals(beside)
    _ended(written, view)
    terminal.problems(problems, json_wanted=False)
    return int(bool(problems))


def _ended(written: "list[Path]", view: "MarketView") -> None:
    """What was written, and what every page of a fund says."""
    from exchina.cli.fund_tables import HYPOTHETICAL

    for path in written:
        terminal.say(f"wrote {path}")
    terminal.say(HYPOTHETICAL)
    terminal.say(terminal.label(view.provenance))


def _only(funds: "list[Fund]", vary: tuple[str, ...], asked: dict[str, bool]) -> "Fund":
    """The one fund that is varied; of variants there are figures alone."""
    from exchina.errors import ExchinaError, Problem

    problems: list[Problem] = []
    if len(funds) > 1:
        what = f"{len(funds)} funds, and {', '.join(vary)} is varied of one"
        problems.append(Problem("track --vary", what, "name it: --fund NAME"))
    if any(asked.values()):
        also = " ".join(f"--{name}" for name, wanted in asked.items() if wanted)
        problems.append(
            Problem("track --vary", f"{also} is not shown of variants", "leave it out, or ask it of a fund")
        )
    if problems:
        raise ExchinaError(*problems)
    return funds[0]


def _varied(table: "pl.DataFrame", fund: "Fund", view: "MarketView", out: Path | None, common: Common) -> int:
    """Variants of a fund side by side."""
    from exchina import workflow
    from exchina.cli.fund_tables import show_variants

    written = workflow.written_tables({"variants": table}, out / fund.facts.id) if out else []
    if common.json:
        terminal.as_json({"fund": fund.facts.id, "hypothetical": True, "variants": table.to_dicts()}, view.provenance)
    else:
        show_variants(table, fund)
        _ended(written, view)
    return int(table["reason"].null_count() == 0)


def _listed(index: str, funds: "list[Fund]", common: Common) -> int:
    """The funds of an index."""
    from exchina.cli.fund_tables import LAWS

    rows = [
        {
            "fund": one.facts.id,
            "name": one.facts.name,
            "law": one.facts.law,
            "currency": one.facts.currency,
            "fee": one.fee.per_year,
            "replication": one.replication.name,
            "income": one.distribution.policy,
            "launch": one.facts.launch,
        }
        for one in funds
    ]
    if common.json:
        terminal.as_json({"index": index, "funds": rows})
        return 0
    shown = [
        row | {"law": LAWS[one.facts.law], "fee": f"{terminal.percent(one.fee.per_year)} %"}
        for row, one in zip(rows, funds, strict=True)
    ]
    terminal.table(shown, f"funds of {index}")
    return 0
