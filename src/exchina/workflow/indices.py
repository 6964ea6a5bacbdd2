"""The designer's verbs: read a rulebook, propose, backtest."""

from pathlib import Path

import polars as pl

from exchina import history, levels
from exchina.errors import DataError, ExchinaError, Problem, RulebookError
from exchina.market.view import MarketView
from exchina.model import Basket, IndexSeries, Rulebook
from exchina.rulebook import parse_rulebook
from exchina.rules.pipeline import MEMBER_COLUMNS
from exchina.workspace import Workspace


def read_rulebook(path: str | Path) -> Rulebook:
    """Read a rulebook file; `RulebookError` with every fault in it, or that it cannot be read."""
    path = Path(path)
    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as fault:
        raise ExchinaError(Problem(str(path), f"cannot be read: {fault}", "name a rulebook.toml file")) from fault
    return parse_rulebook(text, str(path))


def index_rulebook(workspace: Workspace, index_id: str) -> Rulebook:
    """The rulebook of an index of the workspace; its id must be the name of its folder.

    Raises:
        DataError: no such index. RulebookError: every fault of its rulebook.
    """
    path = workspace.rulebook(index_id)
    book = read_rulebook(path)
    if book.index.id != index_id:
        what = f"found {book.index.id!r} in the folder {index_id!r}"
        raise RulebookError(Problem(f"{path}: index.id", what, f'write id = "{index_id}", or rename the folder'))
    return book


def propose(book: Rulebook, view: MarketView) -> Basket:
    """The pro forma of the next review, as far as the view's data goes; before its data cut-off it is a preview.

    Raises:
        DataError: data is missing. InfeasibleError: no basket meets the rules.
    """
    day = view.known_by or view.provenance.through
    return history.composed(book, view, history.next_review(book, view, day))[-1]


def backtest(book: Rulebook, view: MarketView) -> IndexSeries:
    """Levels from the base date to the view's last session; each review sees only its own data cut-off.

    Raises:
        DataError: data is missing. InfeasibleError: no basket meets the rules.
    """
    last = view.provenance.through
    if last < book.index.base_date:
        what = f"the index begins on {book.index.base_date}, after the data asked for, {last}"
        raise DataError(Problem(book.index.id, what, "ask for a later day"))
    wanted = history.reviews_until(book, view, last)
    return levels.series_of(book, view, history.composed(book, view, wanted))


def series_tables(series: IndexSeries) -> dict[str, pl.DataFrame]:
    """The tables of a backtest by name: levels, points, baskets, shares, turnover, divisor, statuses."""
    members = [
        basket.members.select(
            pl.lit(basket.review.effective).alias("effective"), pl.lit(basket.held).alias("held"), *MEMBER_COLUMNS
        )
        for basket in series.baskets
    ]
    tables = {name: getattr(series, name) for name in ("levels", "points", "shares", "turnover", "divisor", "statuses")}
    return {**tables, "baskets": pl.concat(members)}
