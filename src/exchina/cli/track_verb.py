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
    import polars as pl

    from exchina.fund.terms import Fund
    from exchina.market.view import MarketView
    from exchina.workflow.tracking import Track


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
        vary: run variants of one fund: a place of its file and its values, such as
            vehicle.fee.per_year=0.004,0.006; once for each place.
        author: who tries; EXCHINA_AUTHOR, or the user of this machine, if not given.
        out: folder to write days, parts, periods, holdings and what else was asked for to, as CSV, one folder a fund.
    """
    from exchina import workflow
    from exchina.cli import fund_tables

    folder_for(out)
    place = common.place()
    funds = [workflow.index_fund(place, index, name) for name in fund or place.fund_ids(index)]
    if list_:
        return _listed(funds, common)
    variants = workflow.fund_variants(_only(funds, vary), vary) if vary else []
    asked = {"limits": limits, "basket": basket, "capacity": capacity, "premium": premium}
    with terminal.working("computing"):
        view, book = view_of(data, common), book_of(index, common)
        series, _, _ = workflow.recorded_backtest(place, book, view, author=author_of(author), at=datetime.now(UTC))
    if vary:
        with terminal.progress("running") as bar:
            table = workflow.compared_variants(series, variants, view, bar)
        return _varied(table, funds[0], view, out, common)
    with terminal.working("computing"):
        tracked = [workflow.track(series, one, view) for one in funds]
        found = [(one, _asked(one, view, asked)) for one in tracked]
    written = [
        path
        for one, also in found
        if out is not None
        for path in workflow.written_tables(fund_tables.tables_of(one, also), out / one.fund.facts.id)
    ]
    if common.json:
        plain = [fund_tables.plain(one, also) for one, also in found]
        terminal.as_json({"index": index, "hypothetical": True, "funds": plain}, view.provenance)
        return 0
    for one, also in found:
        fund_tables.show_fund(one)
        fund_tables.show_asked(also, one.fund.facts.currency)
        terminal.say()
    if len(found) > 1:
        fund_tables.show_compared(tracked)
    return _ended(written, view)


def _ended(written: "list[Path]", view: "MarketView") -> int:
    """What was written, and what every page of a fund says."""
    from exchina.cli.fund_tables import HYPOTHETICAL

    for path in written:
        terminal.say(f"wrote {path}")
    terminal.say(HYPOTHETICAL)
    terminal.say(terminal.label(view.provenance))
    return 0


def _only(funds: "list[Fund]", vary: tuple[str, ...]) -> "Fund":
    """The one fund that is varied."""
    from exchina.errors import ExchinaError, Problem

    if len(funds) == 1:
        return funds[0]
    what = f"{len(funds)} funds, and {', '.join(vary)} is varied of one"
    raise ExchinaError(Problem("track --vary", what, "name it: --fund NAME"))


def _varied(table: "pl.DataFrame", fund: "Fund", view: "MarketView", out: Path | None, common: Common) -> int:
    """Variants of a fund side by side."""
    from exchina import workflow
    from exchina.cli.fund_tables import show_variants

    written = workflow.written_tables({"variants": table}, out / fund.facts.id) if out else []
    if common.json:
        terminal.as_json({"fund": fund.facts.id, "hypothetical": True, "variants": table.to_dicts()}, view.provenance)
        return 0
    show_variants(table, fund)
    return _ended(written, view)


def _asked(tracked: "Track", view: "MarketView", asked: dict[str, bool]) -> dict[str, Any]:
    """What was asked of a fund beside its track."""
    from exchina import workflow

    makers = {
        "limits": workflow.fund_limits,
        "basket": workflow.creation_basket,
        "capacity": workflow.fund_room,
        "premium": workflow.stale_premium,
    }
    return {name: make(tracked, view) for name, make in makers.items() if asked[name]}


def _listed(funds: "list[Fund]", common: Common) -> int:
    rows = [
        {
            "fund": one.facts.id,
            "name": one.facts.name,
            "law": one.facts.law,
            "currency": one.facts.currency,
            "fee": one.fee.per_year,
            "replication": one.replication.name,
            "launch": one.facts.launch,
        }
        for one in funds
    ]
    if common.json:
        terminal.as_json({"funds": rows})
    else:
        terminal.table(rows, "Funds")
    return 0
