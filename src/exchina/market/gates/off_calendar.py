"""A trade on a day without a session."""

import polars as pl

from exchina.market.gates.case import Case, gate, held
from exchina.market.gates.filled_holiday import closed_days, repeated


@gate("off_calendar")
def off_calendar(case: Case) -> pl.DataFrame:
    """Closes of a day on which the calendar of the venue has no session, where they do not merely repeat the last one.

    Evidence: row dates shift by a day where a vendor converts midnight of the exchange into another zone; the bar then
    falls on a Sunday or a holiday. Without a session the close can take part in no index day.

    Args:
        case: what asks to enter.
    """
    out = closed_days(case).filter(~repeated())
    found = pl.format("a close of {} on {}", "close", pl.col("session").dt.strftime("%A"))
    return held("prices", out, found, pl.format("a session of {}", "calendar"))
