"""A day without trade, filled with the close before."""

import polars as pl

from exchina.market.gates.case import Case, gate, held

LIQUID_VALUE = 10e6  # units of the line's currency a session, in the median: a smaller line can fail to trade on a day
LIQUID_SESSIONS = 60  # a quarter with volume on every session: one without is an outage or a fill, not a quiet day


@gate("filled_holiday")
def filled_holiday(case: Case) -> pl.DataFrame:
    """Closes without volume that repeat the last one, on a day without a session; or of a line that always trades.

    In the second case no other line of its calendar trades that day either: the halt of one line alone (LYC.AX,
    2025-08-28) is no holiday, and its carried close is what the venue shows.

    Evidence: 24 rows of a history of 4063.T have no volume and the close before: 22 holidays of Tokyo and two
    sessions. A filled day is a false return of zero, and a false day in every count of sessions.

    Args:
        case: what asks to enter.
    """
    closed = closed_days(case).filter(repeated())
    others = case.lines.filter(pl.col("volume") > 0).select("calendar", "session").unique()
    silent = (pl.col("volume") == 0).cast(pl.Int32)
    traded = pl.col("volume").is_not_null().cast(pl.Int32)
    before = [
        one.rolling_sum(LIQUID_SESSIONS, min_samples=LIQUID_SESSIONS).shift(1).over("symbol")
        for one in (silent, traded)
    ]
    value = pl.col("close") * pl.col("volume")
    usual = value.rolling_median(LIQUID_SESSIONS, min_samples=LIQUID_SESSIONS).shift(1).over("symbol")
    always = (before[0] == 0) & (before[1] == LIQUID_SESSIONS) & (usual >= LIQUID_VALUE)
    # closed days are left out first, so that one does not spoil the quarter of the next
    lines = case.lines.join(closed, on=["symbol", "session"], how="anti", maintain_order="left")
    filled = lines.filter(always & (pl.col("volume") == 0) & (pl.col("raw") == 0))
    filled = filled.join(others, on=["calendar", "session"], how="anti", maintain_order="left")
    said = pl.format("volume 0 and the close before, {}, though the line always trades", "close")
    return pl.concat(
        [
            held("prices", closed, pl.format("the close before, {}, and no volume", "close"), _session()),
            held("prices", filled, said, "a close that was traded, or no row"),
        ]
    )


def closed_days(case: Case) -> pl.DataFrame:
    """The lines' rows on days without a session of their calendar, as far as the calendar's days are known."""
    known = case.open_days.group_by("calendar").agg(since=pl.col("session").min(), until=pl.col("session").max())
    spanned = case.lines.join(known, on="calendar", how="left", maintain_order="left")
    inside = spanned.filter(pl.col("session").is_between("since", "until"))
    return inside.join(case.open_days, on=["calendar", "session"], how="anti", maintain_order="left")


def repeated() -> pl.Expr:
    """Whether a row has no volume and the close before."""
    return (pl.col("volume").fill_null(0.0) == 0) & (pl.col("raw").fill_null(0.0) == 0)


def _session() -> pl.Expr:
    return pl.format("a session of {}", "calendar")
