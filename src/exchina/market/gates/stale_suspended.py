"""A close that nobody trades at any more, delivered day after day."""

import polars as pl

from exchina.market.gates.case import Case, gate, held

STALE_SESSIONS = 30  # six weeks: quiet lines pause for days, sometimes for four weeks (DEX.AX, May 2023: 23 sessions)
LOT = 100  # the same close and volume twice happens in round lots of quiet lines; to the single share it does not
COPIED_VOLUME = 1000.0  # with few shares it might


@gate("stale_suspended")
def stale_suspended(case: Case) -> pl.DataFrame:
    """Closes that only repeat: from the 30th session in a row without volume on, or with close and volume of the day
    before.

    Evidence: AVZ, suspended, stood in a fund's list of 2026 at its last price. USAR of 2026-02-04 in nightly quotes is
    the row of 2026-02-03 again: 25.97 and 51,730,882 shares; the true close of the day is lost. The calculation carries
    a last price itself and says so; a vendor's carried one must not pass for a close.

    Args:
        case: what asks to enter.
    """
    still = (pl.col("raw") == 0) & (pl.col("volume") == 0)
    runs = case.lines.with_columns(run=(~still.fill_null(value=False)).cum_sum().over("symbol"))
    runs = runs.with_columns(still=pl.int_range(pl.len()).over("symbol", "run"))
    stale = runs.filter((pl.col("still") >= STALE_SESSIONS) & (pl.col("volume") == 0))
    copy = (
        (pl.col("raw") == 0)
        & (pl.col("volume") >= COPIED_VOLUME)
        & (pl.col("volume") % LOT != 0)
        & (pl.col("volume") == pl.col("volume").shift(1).over("symbol"))
    )
    copied = case.lines.filter(copy)
    return pl.concat(
        [
            held("prices", stale, pl.format("{} for {} sessions, no volume", "close", "still"), "a trade"),
            held("prices", copied, pl.format("{} and {} shares, as the day before", "close", "volume"), "its own bar"),
        ]
    )
