"""A close that leaps and comes back the next session, without the volume of news."""

import polars as pl

from exchina.market.gates.case import Case, gate, held
from exchina.market.gates.shifts import BURST, BURST_SESSIONS

MOVES = 8.0  # ordinary moves of the line; with fewer, real days of small caps are caught too
LEAST = 0.2  # of the close
BACK = 0.2  # how much of the leap may be left the session after, as a fraction of it


@gate("spike_reverses")
def spike_reverses(case: Case) -> pl.DataFrame:
    """Closes that leap by more than 8 ordinary moves (and 20 %) and come back within a fifth of that the session after.

    A leap with three times the usual volume is news, however short; one by the factor of a unit or a split is left to
    their gates. The gate sees a leap only when the next session
    is there; by then the row may be in the market, and is noted.

    Evidence: mistyped and mixed-up ticks of small caps; no vendor marks them.

    Args:
        case: what asks to enter.
    """
    volume = pl.col("volume").rolling_median(BURST_SESSIONS, min_samples=5).shift(1).over("symbol")
    news = (pl.col("volume") / volume >= BURST).fill_null(value=False)
    following = pl.col("move").shift(-1).over("symbol")
    leap = pl.col("move").abs() > pl.max_horizontal(pl.lit(LEAST), MOVES * pl.col("usual"))
    back = (pl.col("move") + following).abs() < BACK * pl.col("move").abs()
    spikes = case.shifts.lines.with_columns(next=following).filter(leap & back & ~news & (pl.col("level") == 0))
    moved, after = (((pl.col(one).exp() - 1) * 100).round(2) for one in ("move", "next"))
    return held("prices", spikes, pl.format("{} % and then {} %", moved, after), "a move that lasts, or volume")
