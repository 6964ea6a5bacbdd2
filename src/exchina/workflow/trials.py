"""A backtest that is recorded: there is no result without its row in the ledger of trials."""

from collections.abc import Sequence
from datetime import datetime
from hashlib import sha256
from importlib.metadata import version
from typing import Any

import polars as pl

from exchina.analytics.honesty.sharpe import track
from exchina.analytics.sweep import config_hash, meaning
from exchina.errors import DataError, InfeasibleError, Problem, PublicationError
from exchina.ledger.chain import FIRST, RESTORE, canonical
from exchina.ledger.trials import Trial, TrialLedger, open_trials
from exchina.market.view import MarketView
from exchina.model import IndexSeries, Publication, Rulebook
from exchina.workflow.indices import backtest
from exchina.workspace import Workspace

MEASURED = ("PR", "NTR", "GTR", "LOCAL")


def trial_ledger(workspace: Workspace) -> TrialLedger:
    """The ledger of trials of a workspace."""
    return open_trials(workspace.reports / "trials")


def recorded_backtest(
    workspace: Workspace, book: Rulebook, view: MarketView, *, author: str, at: datetime, label: str = ""
) -> tuple[IndexSeries, Trial, bool]:
    """`backtest`, and its row in the ledger of trials; there is no result without the row.

    Args:
        workspace: whose ledger it is.
        book: the rules.
        view: the market.
        author: who runs it.
        at: now, with a time zone.
        label: what was varied; empty for a rulebook as it stands.

    Returns:
        The series; the row; and whether these rules had not been tried on this data before.

    Raises:
        DataError: data is missing. InfeasibleError: no basket meets the rules. Either was recorded as a trial too.
        PublicationError: the ledger cannot be written, or no longer says what was recorded.
    """
    ledger = sound_trials(workspace)
    made, (trial, new) = tried(ledger, book, view, author=author, at=at, label=label)
    if isinstance(made, IndexSeries):
        return made, trial, new
    raise made


def sound_trials(workspace: Workspace) -> TrialLedger:
    """The ledger of trials; `PublicationError` with everything that is wrong with it; a lagging export is renewed."""
    ledger = trial_ledger(workspace)
    ledger.renew_export()
    faults = ledger.faults()
    if faults:
        raise PublicationError(*faults)
    return ledger


def trials_seal(workspace: Workspace) -> str:
    """How many trials there are and the hash of the last: what a publication vouches for."""
    rows = trial_ledger(workspace).entries()
    return f"{len(rows)} {rows[-1].hash if rows else FIRST}"


def seal_faults(workspace: Workspace, publications: Sequence[Publication]) -> list[Problem]:
    """Publications that vouch for trials which are no longer there, as when the end of their ledger was cut off."""
    rows = trial_ledger(workspace).entries()
    hashes = [FIRST, *(row.hash for row in rows)]
    seals = [(row, *row.inputs["trials"].split(" ")) for row in publications if "trials" in row.inputs]
    return [
        Problem(f"ledger row {row.sequence}", f"{count} trials were recorded when it was published, not these", RESTORE)
        for row, count, last in seals
        if not count.isdecimal() or int(count) >= len(hashes) or hashes[int(count)] != last
    ]


def data_hash(view: MarketView) -> str:
    """SHA-256 of what a view shows: the market's and the reference's content, and the day to which they were cut."""
    parts = [view.provenance.content_hash, view.reference.content_hash, view.known_by]
    return sha256(canonical(parts).encode()).hexdigest()


def tried(
    ledger: TrialLedger, book: Rulebook, view: MarketView, *, author: str, at: datetime, label: str
) -> tuple[IndexSeries | DataError | InfeasibleError, tuple[Trial, bool]]:
    """The backtest, or why there is none; and its row, written whichever it is, with whether it is new.

    Args:
        ledger: of `sound_trials`.
        book: the rules.
        view: the market.
        author: who runs it.
        at: now, with a time zone.
        label: what was varied.

    Raises:
        PublicationError: the ledger cannot be written.
    """
    made = _computed(book, view)
    levels = made.levels.filter(pl.col("variant").is_in(book.index.returns)) if isinstance(made, IndexSeries) else None
    draft = Trial(
        sequence=0,
        index_id=book.index.id,
        label=label,
        config=config_hash(book),
        data=data_hash(view),
        market=view.provenance.market,
        code=version("exchina"),
        variants=",".join(sorted(book.index.returns, key=MEASURED.index)),
        **_measured(levels),
        reason="" if isinstance(made, IndexSeries) else in_words(made.problems),
        author=author,
        recorded_at="",
        files={},
        previous_hash="",
        hash="",
    )
    return made, ledger.record(draft, meaning(book), levels, at=at)


def _computed(book: Rulebook, view: MarketView) -> IndexSeries | DataError | InfeasibleError:
    try:
        return backtest(book, view)
    except (DataError, InfeasibleError) as fault:
        return fault


def _measured(levels: pl.DataFrame | None) -> dict[str, Any]:
    if levels is None:
        return {"first": "", "last": "", "measured": "", "sessions": 0, "sharpe": None}
    name = next(name for name in MEASURED if name in levels["variant"])
    one = levels.filter(pl.col("variant") == name)
    returns = one["level"].pct_change().drop_nulls().to_numpy()
    try:
        sharpe = float(track(returns).sr)
    except DataError:  # fewer than two returns, or all the same
        sharpe = None
    days = {"first": one["session"][0].isoformat(), "last": one["session"][-1].isoformat()}
    return {**days, "measured": name, "sessions": len(returns), "sharpe": sharpe}


def in_words(problems: Sequence[Problem]) -> str:
    """The first problem, and how many more there are."""
    more = f"; and {len(problems) - 1} more" if len(problems) > 1 else ""
    return f"{problems[0]}{more}" if problems else "no reason was given"
