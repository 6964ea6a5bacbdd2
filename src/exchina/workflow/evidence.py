"""What the ledger of trials proves of one trial: all that was tried beside it, on common sessions."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

import numpy as np
import numpy.typing as npt
import polars as pl

from exchina.analytics.honesty import Honesty, assess
from exchina.ledger.trials import Trial, TrialLedger
from exchina.market.view import MarketView
from exchina.model import Rulebook
from exchina.workflow.sweeping import Tried
from exchina.workflow.trials import trial_ledger
from exchina.workspace import Workspace

COVERED = 0.9
NO_PRICE_RETURN = {"NTR": "with dividends after tax", "GTR": "with dividends", "LOCAL": "without exchange rates"}


@dataclass(frozen=True)
class Evidence:
    """What the honesty statistics of one trial read. Returns are simple, session to session, before costs, cash
    not taken off.

    Attributes:
        trial: the one that is judged.
        tried: K, the number of different rules tried on its market, whatever they were called and whatever came out.
        names: of the columns of ``returns``, as `Trial.name`.
        chosen: the column of ``trial``.
        sessions: (T + 1,) the sessions whose levels all columns and the benchmark have, ascending.
        returns: (T, columns) returns between those sessions, of the same return variant as ``trial.measured``.
        left_out: name and reason of what is counted in K and has no column.
        benchmark: (T,) returns of the local market of the index calendar, a price index; None where it cannot be had,
            or where ``trial.measured`` is no price return, for then dividends would look like skill.
        against: the benchmark's symbol, or why there is none.
    """

    trial: Trial
    tried: int
    names: tuple[str, ...]
    chosen: int
    sessions: tuple[date, ...]
    returns: npt.NDArray[np.float64]
    left_out: tuple[tuple[str, str], ...]
    benchmark: npt.NDArray[np.float64] | None
    against: str


def evidence_for(workspace: Workspace, trial: Trial, book: Rulebook, view: MarketView) -> Evidence:
    """Everything tried beside a trial.

    Every rulebook of the workspace counts, on a market of the same name or with the same data: another name hides
    nothing. Of rules that were run on several states of the data, the run on the data of ``trial`` counts, else the
    last. A series is comparable if it begins no later than that of ``trial`` and has 90 % of its sessions, so that
    what was tried before the last delivery of prices stays in; the others are counted, and named.

    Args:
        workspace: whose ledger is read.
        trial: one with levels.
        book: its rules, for the calendar and the currency.
        view: its market, for the benchmark.

    Raises:
        PublicationError: the ledger cannot be read, or a series is no longer what was recorded.
    """
    ledger = trial_ledger(workspace)
    tried = beside(trial, ledger.entries())
    own = _levels(ledger, trial, trial.measured)
    columns, left_out = {trial.name: own}, list[tuple[str, str]]()
    for other in tried:
        if other.config != trial.config:
            found = _comparable(ledger, other, trial, own)
            if isinstance(found, str):
                left_out.append((other.name, found))
            else:
                columns[other.name] = found
    benchmark, against = _benchmark(book, view, trial.measured, own)
    together = [*columns.values(), *([] if benchmark is None else [benchmark])]
    common = own.select("session")
    for frame in together[1:]:
        common = common.join(frame, on="session", how="semi", maintain_order="left")
    matrix = np.column_stack([_returns(frame, common) for frame in together])
    return Evidence(
        trial=trial,
        tried=len(tried),
        names=tuple(columns),
        chosen=0,
        sessions=tuple(common["session"]),
        returns=matrix[:, : len(columns)],
        left_out=tuple(left_out),
        benchmark=None if benchmark is None else matrix[:, -1],
        against=against,
    )


def assessed(found: Evidence) -> Honesty:
    """Every control of `exchina.analytics.honesty.assess` on a trial, beside all that was tried.

    Raises:
        DataError: fewer than 10 returns, or returns that never change.
    """
    own = found.returns[:, found.chosen]
    return assess(own, trials=found.returns, tried=found.tried, benchmark=found.benchmark)


def best_evidence(workspace: Workspace, done: Sequence[Tried], view: MarketView) -> Evidence | None:
    """`evidence_for` the variant of a sweep with the largest Sharpe ratio; None where no variant has one."""
    rated = [(one.trial.sharpe, one.trial, one.book) for one in done if one.trial and one.trial.sharpe is not None]
    best = max(rated, key=lambda one: one[0], default=None)
    if best is None or best[2] is None:
        return None
    return evidence_for(workspace, best[1], best[2], view)


def beside(trial: Trial, rows: Sequence[Trial]) -> list[Trial]:
    """One row for each of the different rules tried on the market of a trial, in the order of their first run."""
    found: dict[str, Trial] = {}
    for row in rows:
        if row.market == trial.market or row.data == trial.data:
            best = found.get(row.config, row)
            found[row.config] = max(best, row, key=lambda one: _worth(one, trial))
    return list(found.values())


def _worth(row: Trial, trial: Trial) -> tuple[bool, ...] | tuple[bool, bool, bool, int]:
    """How good a row is to stand for its rules: the trial itself, same variant, same data, newest."""
    return row == trial, trial.measured in row.variants.split(","), row.data == trial.data, row.sequence


def _comparable(ledger: TrialLedger, other: Trial, trial: Trial, own: pl.DataFrame) -> pl.DataFrame | str:
    """The levels of another trial, or why they cannot stand beside those of the trial."""
    if other.reason:
        return f"no levels: {other.reason}"
    if trial.measured not in other.variants.split(","):
        return f"computed as {other.variants}, not as {trial.measured}"
    if other.first > trial.first:
        return f"begins on {other.first}, after {trial.first}"
    levels = _levels(ledger, other, trial.measured)
    shared = own.join(levels, on="session", how="semi").height / own.height
    if shared < COVERED:
        return f"has levels on {shared:.0%} of the sessions, to {other.last}"
    return levels


def _levels(ledger: TrialLedger, trial: Trial, variant: str) -> pl.DataFrame:
    levels = ledger.levels(trial)
    none = pl.DataFrame(schema={"session": pl.Date, "variant": pl.String, "level": pl.Float64})
    return (none if levels is None else levels).filter(pl.col("variant") == variant).select("session", "level")


def _returns(levels: pl.DataFrame, common: pl.DataFrame) -> npt.NDArray[np.float64]:
    values = common.join(levels, on="session", how="left", maintain_order="left")["level"].to_numpy()
    return values[1:] / values[:-1] - 1


def _benchmark(book: Rulebook, view: MarketView, measured: str, own: pl.DataFrame) -> tuple[pl.DataFrame | None, str]:
    """Levels of the local benchmark of the index calendar and its symbol; or None and why."""
    calendar = book.review.calendar
    venues = view.reference.venues.filter(
        (pl.col("calendar") == calendar) & pl.col("local_benchmark_symbol").is_not_null()
    )
    first = venues.sort(pl.col("mic") != calendar, "mic").head(1).to_dicts()
    if not first:
        return None, f"no venue of the calendar {calendar} names a benchmark"
    symbol, currency = first[0]["local_benchmark_symbol"], first[0]["currency"]
    if currency != book.index.currency:
        return None, f"{symbol} is in {currency}, the index in {book.index.currency}"
    if measured != "PR":
        why = f"{symbol} is a price index, and the trial was measured as {measured}, {NO_PRICE_RETURN[measured]}"
        return None, f"{why}: put PR among the returns of the rulebook"
    levels = view.market.benchmarks.filter(pl.col("symbol") == symbol).select("session", "level").sort("session")
    shared = own.join(levels, on="session", how="semi").height / own.height
    if shared < COVERED:
        return None, f"{symbol} has levels on {shared:.0%} of the sessions"
    return levels, symbol
