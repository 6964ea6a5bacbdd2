"""Bars of one trading venue that pass for the whole market."""

import polars as pl

from exchina.market.gates.case import Case, gate, held
from exchina.tables.market import SCHEMAS

ONE_VENUE = 0.2  # of the consolidated volume; the one measured had 3 %, the largest US venue has about 15 %
COMMON_SESSIONS = 5
COLLAPSE = 0.1  # of the line's usual volume, on each of
COLLAPSE_SESSIONS = 10  # sessions in a row: two weeks; holidays and quiet spells are shorter or less deep
USUAL_SESSIONS = 60
LEAST_VOLUME = 100_000.0  # thin lines fall to a tenth of their volume on any day


@gate("one_venue")
def one_venue(case: Case) -> pl.DataFrame:
    """Closes of a line whose volume is a small part of what the market stores for the same sessions, or of its own.

    Held are all delivered rows of a line of which at least 5 common sessions have, in the median, under a fifth of the
    stored volume; and the rows of a spell of 10 sessions under a tenth of the median of the 60 before it.

    Evidence: bars of MP from one venue have about 3 % of the volume; their close is off the official one by 0.05 % in
    the median, 1.3 % at the 99th percentile and 6.8 % at worst. A first delivery that is one venue throughout
    has nothing to be held against: ``exchina check market NAME --against OTHER`` shows it.

    Args:
        case: what asks to enter.
    """
    rows = case.rows("prices")
    stored = pl.DataFrame(schema=SCHEMAS["prices"]) if case.stored is None else case.stored.prices
    last = stored.sort("known_date").unique(["symbol", "session"], keep="last", maintain_order=True)
    common = rows.join(last.select("symbol", "session", whole="volume"), on=["symbol", "session"])
    common = common.filter((pl.col("whole") > 0) & pl.col("volume").is_not_null())
    shares = common.group_by("symbol").agg(part=(pl.col("volume") / pl.col("whole")).median(), sessions=pl.len())
    thin = shares.filter((pl.col("part") < ONE_VENUE) & (pl.col("sessions") >= COMMON_SESSIONS))
    found = pl.format("{} % of the stored volume", (pl.col("part") * 100).round(2))
    return pl.concat(
        [
            held(
                "prices",
                rows.join(thin, on="symbol"),
                found,
                f"at least {ONE_VENUE:.0%} of the volume of the sessions stored",
            ),
            _collapsed(case).join(thin, on="symbol", how="anti"),
        ]
    )


def _collapsed(case: Case) -> pl.DataFrame:
    """Spells of sessions that trade, each far under the line's usual volume before the spell."""
    shares = pl.col("volume") / pl.col("lots")  # in shares of the first day: a split is no collapse
    usual = shares.rolling_median(USUAL_SESSIONS, min_samples=USUAL_SESSIONS).shift(COLLAPSE_SESSIONS)
    lines = case.lines.with_columns(normal=usual.over("symbol") * pl.col("lots"))
    low = (pl.col("volume") < COLLAPSE * pl.col("normal")) & (pl.col("volume") > 0) & (pl.col("normal") > LEAST_VOLUME)
    runs = lines.with_columns(low=low.fill_null(value=False).cast(pl.Int32))
    spell = pl.col("low").rolling_sum(COLLAPSE_SESSIONS).over("symbol") == COLLAPSE_SESSIONS
    spells = runs.with_columns(spell=spell.fill_null(value=False).cast(pl.Int32))
    within = pl.max_horizontal(*(pl.col("spell").shift(-back).over("symbol") for back in range(COLLAPSE_SESSIONS)))
    found = pl.format("{} shares where {} are usual", "volume", "normal")
    return held("prices", spells.filter(within == 1), found, f"{COLLAPSE:.0%} of the line's usual volume")
