"""The verb that tries variants of a rulebook: each is computed and recorded, in the order of the grid."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from io import BytesIO
from pathlib import Path
from typing import Any, TypeAlias

import polars as pl

from exchina import atomic
from exchina.analytics.capacity import Terms, check_terms
from exchina.analytics.costs import returns_after_costs
from exchina.analytics.performance import risk
from exchina.analytics.sweep import Variant, grid, in_toml
from exchina.errors import DataError, Problem, RulebookError
from exchina.ledger.trials import Trial
from exchina.market.view import MarketView
from exchina.model import IndexSeries, Rulebook
from exchina.rulebook import parse_rulebook
from exchina.workflow.costing import FUND_USD, Move, levels_after_costs, moves_of
from exchina.workflow.indices import index_rulebook
from exchina.workflow.trials import in_words, sound_trials, tried
from exchina.workspace import Workspace

DAYS_PER_YEAR = 365.25
Progress: TypeAlias = Callable[[int, int, str], None]


@dataclass(frozen=True, slots=True)
class Tried:
    """One variant of a sweep.

    Attributes:
        variant: what was varied.
        book: its rulebook; None where its values contradict each other, so that nothing could be run.
        trial: its row of the ledger; None as well, for no data was looked at.
        new: whether it had not been tried before.
        levels: session, variant, level, before costs; None where none could be computed.
        after_costs: session, variant, level, after_costs of the return variant measured; None where there are none.
        cost_note: why there is nothing after costs though there are levels; else empty.
        turnover: one-way, a year, as `turnover_of`; None as well.
        reason: why there are no levels; else empty.
    """

    variant: Variant
    book: Rulebook | None = None
    trial: Trial | None = None
    new: bool = False
    levels: pl.DataFrame | None = None
    after_costs: pl.DataFrame | None = None
    cost_note: str = ""
    turnover: float | None = None
    reason: str = ""


def sweep(
    workspace: Workspace,
    index_id: str,
    view: MarketView,
    varied: Sequence[str],
    *,
    author: str,
    at: datetime,
    fund_usd: float = FUND_USD,
    progress: Progress | None = None,
) -> list[Tried]:
    """Backtest every variant of an index and record each as it is done, in the order of the grid.

    A variant that no basket can meet, or that lacks data, was tried too: its row says why. A combination that the
    parser refuses, of values that each go with others, is told and is no trial: it saw no data.

    Args:
        workspace: the rulebook and the ledger.
        index_id: the index.
        view: the market.
        varied: as `exchina.analytics.sweep.grid` takes it.
        author: who tries.
        at: now, with a time zone.
        fund_usd: size of the fund that pays the costs, US dollars.
        progress: told how many of how many variants are done, and which is next.

    Raises:
        RulebookError: every place that is not there, and every fault of a value that goes with none of the others;
            nothing was computed yet. ExchinaError: a fund without a size.
        PublicationError: the ledger cannot be written, or no longer says what was recorded.
    """
    check_terms(Terms(), fund_usd)
    variants, faults = grid(index_rulebook(workspace, index_id).text, varied)
    books = _parsed(variants, str(workspace.rulebook(index_id)), faults)
    ledger, done, moves = sound_trials(workspace), list[Tried](), dict[int, list[Move]]()
    for variant, book in zip(variants, books, strict=True):
        if progress:
            progress(len(done), len(variants), variant.label)
        if isinstance(book, RulebookError):
            done.append(Tried(variant, reason=in_words(book.problems)))
            continue
        made, (trial, new) = tried(ledger, book, view, author=author, at=at, label=variant.label)
        one = Tried(variant, book, trial, new, reason=trial.reason)
        if isinstance(made, IndexSeries):
            levels = made.levels.select("session", "variant", "level")
            one = replace(one, levels=levels, turnover=turnover_of(made))
            moves[len(done)] = moves_of(made, view)
        done.append(one)
    return _costed(done, moves, view, fund_usd)


def _costed(
    done: Sequence[Tried], moves: Mapping[int, Sequence[Move]], view: MarketView, fund_usd: float
) -> list[Tried]:
    """The variants with their levels after costs, all at once: they trade much the same lines on the same days."""
    gross = [(place, _measured(done[place]), made) for place, made in moves.items()]
    found = levels_after_costs([(levels, made) for _, levels, made in gross], view, fund_usd=fund_usd)
    costed = list(done)
    for (place, _, _), after in zip(gross, found, strict=True):
        said = {"cost_note": after} if isinstance(after, str) else {"after_costs": after}
        costed[place] = replace(done[place], **said)
    return costed


def _measured(one: Tried) -> pl.DataFrame:
    """Its levels of the return variant that its trial measured."""
    none = pl.DataFrame(schema={"session": pl.Date, "variant": pl.String, "level": pl.Float64})
    measured = one.trial.measured if one.trial else ""
    return (none if one.levels is None else one.levels).filter(pl.col("variant") == measured)


def turnover_of(series: IndexSeries) -> float | None:
    """One-way turnover a year: the sum over the reviews after the base date by the years of the series."""
    sessions = series.levels["session"]
    first, last = sessions.min(), sessions.max()
    days = (last - first).days  # pyright: ignore[reportOperatorIssue, reportOptionalOperand, reportAttributeAccessIssue]
    traded = series.turnover.filter(pl.col("session") > first)["one_way"]
    return float(traded.sum()) * DAYS_PER_YEAR / days if days else None


def sweep_table(done: Sequence[Tried]) -> pl.DataFrame:
    """One row a variant, in the order of the grid.

    Returns:
        number; the value at each place, as TOML; after_costs and return, the returns over ``period`` after and before
        costs, volatility (a year) and drawdown (the deepest), before costs, turnover (one-way, a year), fractions of 1,
        of the return variant ``measured``; trial (row of the ledger); new; reason; cost_note (why there is no return
        after costs). There is no Sharpe ratio: it is never shown without its interval and the number of trials.
    """
    return pl.DataFrame([_row(number, one) for number, one in enumerate(done, 1)], infer_schema_length=None)


def written_sweep(done: Sequence[Tried], folder: Path) -> list[Path]:
    """Write ``variants.csv``, the table, and ``levels.parquet``: number, session, variant (of returns), level.

    Returns:
        The files written.

    Raises:
        DataError: the folder cannot be written.
    """
    empty = pl.DataFrame(schema={"number": pl.Int64, "session": pl.Date, "variant": pl.String, "level": pl.Float64})
    frames = [
        one.levels.select(pl.lit(number, pl.Int64).alias("number"), "session", "variant", "level")
        for number, one in enumerate(done, 1)
        if one.levels is not None
    ]
    buffer = BytesIO()
    pl.concat([empty, *frames]).write_parquet(buffer, compression="zstd")
    contents = {"variants.csv": sweep_table(done).write_csv().encode(), "levels.parquet": buffer.getvalue()}
    try:
        for name, content in contents.items():
            atomic.place(folder / name, content)
    except OSError as fault:
        what = f"cannot be written: {fault.strerror}; the trials are recorded all the same"
        raise DataError(Problem(str(folder), what, "choose another folder and sweep again")) from fault
    return [folder / name for name in contents]


def _parsed(variants: Sequence[Variant], where: str, faults: Sequence[Problem]) -> list[Rulebook | RulebookError]:
    """Each rulebook, or what the parser says against it; `RulebookError` where a value passes in no variant at all."""
    books = [_book(variant, where) for variant in variants]
    values = [{(place, in_toml(value)) for place, value in variant.at.items()} for variant in variants]
    passing = set[tuple[str, str]]().union(
        *(own for own, book in zip(values, books, strict=True) if isinstance(book, Rulebook))
    )
    refused = [
        problem
        for own, book in zip(values, books, strict=True)
        if isinstance(book, RulebookError) and not own <= passing
        for problem in book.problems
    ]
    if faults or refused:
        raise RulebookError(*dict.fromkeys([*faults, *refused]))
    return books


def _book(variant: Variant, where: str) -> Rulebook | RulebookError:
    try:
        return parse_rulebook(variant.text, where)
    except RulebookError as fault:
        return fault


def _row(number: int, one: Tried) -> Mapping[str, Any]:
    figures: dict[str, Any] = {**dict.fromkeys(("after_costs", "return", "volatility", "drawdown")), "period": ""}
    if one.levels is not None:
        levels = _measured(one)
        found = risk(levels.select("session", "level"))
        after = levels.with_columns(after_costs="level") if one.after_costs is None else one.after_costs
        since = returns_after_costs(after).row(0, named=True)
        figures |= {"return": since["gross"], "period": since["period"]}
        figures |= {"after_costs": None if one.after_costs is None else since["after_costs"]}
        figures |= {"volatility": found["volatility_since_base"], "drawdown": found["max_drawdown"]}
    row = (
        {"trial": None, "measured": ""}
        if one.trial is None
        else {"trial": one.trial.sequence, "measured": one.trial.measured}
    )
    said = {"turnover": one.turnover, **row, "new": one.new}
    places = {place: in_toml(value) for place, value in one.variant.at.items()}
    return {"number": number, **places, **figures, **said, "reason": one.reason, "cost_note": one.cost_note}
