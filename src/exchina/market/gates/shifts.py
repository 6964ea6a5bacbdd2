"""PURE. Where the closes of a line stand on another level than its own, by exactly the factor of a unit or a split.

After splits are undone a close moves by a few per cent a day. A move by a factor 100 is a change of unit, one by the
ratio of a split is a split applied on one side only. Such a break divides a line into stretches; the stretches on one
level belong together, and one level is the line's own.
"""

from dataclasses import dataclass
from math import log

import polars as pl

HUNDRED = log(100)
UNIT_TOLERANCE = 0.3  # two sessions of the wildest lines; no usual split ratio is that near to 100 but 80 to 125
SPLITS_WITHOUT_RECORD = (4, 5, 6, 7, 8, 10, 12, 15, 20, 25, 30, 40, 50)  # 2 and 3 happen as real moves: +211 % in a day
LEAST_RATIO = log(1.2)  # smaller ones (stock dividends of 5 %) drown in the day's move
NEAR_DAYS = 45  # a split on one side only shows around its ex-date: vendors mend within weeks
TOLERANCE = 0.05, 0.15  # of a day's move beside the split: at least, at most
SHARE_OF_RATIO = 0.1  # a day's move beside a split on record: as much as this of a very large ratio (1 for 10,000)
USUAL_MOVES = 3.0  # in ordinary moves of the line, between those two
CLEAR_MOVES = 5.0  # a break is far outside the line's ordinary moves
BURST = 3.0  # real news of such a size trades several times the usual volume; a wrong record does not
BURST_SESSIONS = 20
CLEAR_MAJORITY = 2.0


@dataclass(frozen=True, slots=True)
class Shifts:
    """What was found.

    Attributes:
        lines: the lines with ``level`` (ln of the factor against the line's own level, 0.0 on it).
        lone_splits: symbol, ex_date, ratio, raw (ln of the close over the one before) of splits that no close follows.
    """

    lines: pl.DataFrame
    lone_splits: pl.DataFrame


def shifts_of(lines: pl.DataFrame, splits: pl.DataFrame) -> Shifts:
    """Levels of every line.

    Args:
        lines: by symbol and session, as `exchina.market.gates.case.Case.lines` has them.
        splits: symbol, ex_date, ratio, known after the delivery.
    """
    breaks = _breaks(lines, splits)
    lone = _lone(lines, splits, breaks)
    kept = breaks.join(lone, on=["symbol", "place"], how="anti")
    marked = lines.join(kept.select("symbol", "place", "factor"), on=["symbol", "place"], how="left")
    levelled = marked.sort("symbol", "session").with_columns(
        step=pl.col("factor").fill_null(0.0).cum_sum().over("symbol").round(6)
    )
    own = _own(levelled)
    shifted = levelled.join(own, on="symbol", how="left", maintain_order="left")
    level = (pl.col("step") - pl.col("own")).round(6)
    return Shifts(shifted.with_columns(level=level).drop("factor", "step", "own"), lone.drop("place"))


def factor_from(was: float, now: float) -> float | None:
    """ln of the unit factor or usual split ratio by which a close differs from another of the same day; None if none.

    Example:
        >>> round(factor_from(0.1455, 14.55), 3), factor_from(10.0, 10.2)
        (4.605, None)
    """
    size = log(now / was)
    known = [HUNDRED, *(log(ratio) for ratio in (1.5, 2, 3, *SPLITS_WITHOUT_RECORD))]
    near = min(known, key=lambda one: abs(abs(size) - one))
    return (near if size > 0 else -near) if abs(abs(size) - near) < TOLERANCE[0] / 10 else None


def _breaks(lines: pl.DataFrame, splits: pl.DataFrame) -> pl.DataFrame:
    """symbol, place, session, raw, factor of every move that is a unit factor or a split ratio, and nothing else."""
    usual_volume = pl.col("volume").rolling_median(BURST_SESSIONS, min_samples=5).shift(1).over("symbol")
    wide = pl.col("move").abs() > pl.max_horizontal(pl.lit(LEAST_RATIO), CLEAR_MOVES * pl.col("usual"))
    before = pl.col("close").shift(1).over("symbol")
    ratio = (pl.col("move") - pl.col("raw")).exp()  # a distribution is paid on the shares before the split, or after
    whole = [
        ((pl.col("close") * ratio + paid) / before).log().abs() for paid in (pl.col("paid"), pl.col("paid") * ratio)
    ]
    told = (pl.col("paid") > 0) & (pl.min_horizontal(whole) < pl.max_horizontal(LEAST_RATIO / 2, 3 * pl.col("usual")))
    neighbours = [pl.col("move").shift(at).over("symbol") for at in (-1, 1)]
    spike = pl.any_horizontal((pl.col("move") + other).abs() < pl.col("move").abs() / 2 for other in neighbours)
    seen = lines.with_columns(traded=pl.col("volume") / usual_volume, told=told, spike=spike.fill_null(value=False))
    rows = seen.filter(wide & ~pl.col("told"))
    near = splits.group_by("symbol").agg("ex_date", "ratio").rows_by_key("symbol", unique=True)
    found: list[tuple[str, int, object, float, float, bool]] = []
    for row in rows.iter_rows(named=True):
        days, ratios = near.get(row["symbol"], ([], []))
        close_by = [
            log(ratio)
            for day, ratio in zip(days, ratios, strict=True)
            if abs((day - row["session"]).days) <= NEAR_DAYS and abs(log(ratio)) >= LEAST_RATIO
        ]
        factor = _factor(row["move"], row["usual"], row["traded"], close_by)
        if factor is not None:
            found.append((row["symbol"], row["place"], row["session"], row["raw"], factor, row["spike"]))
    kinds = {"symbol": pl.String, "place": pl.Int64, "session": pl.Date, "raw": pl.Float64, "factor": pl.Float64}
    return _without_half_spikes(pl.DataFrame(found, {**kinds, "spike": pl.Boolean}, orient="row"))


def _without_half_spikes(breaks: pl.DataFrame) -> pl.DataFrame:
    """Without the side of a spike whose other side is no such factor: the line went back to its level."""
    other = breaks.select("symbol", place=pl.col("place") + 1, back=-pl.col("factor"))
    pairs = pl.concat([other, breaks.select("symbol", place=pl.col("place") - 1, back=-pl.col("factor"))])
    whole = breaks.join(pairs, left_on=["symbol", "place", "factor"], right_on=["symbol", "place", "back"], how="semi")
    kept = pl.concat([breaks.filter(~pl.col("spike")), whole.filter("spike")])
    return kept.sort("symbol", "place").drop("spike")


def _factor(move: float, usual: float, traded: float | None, recorded: list[float]) -> float | None:
    sign = 1 if move > 0 else -1
    if abs(abs(move) - HUNDRED) < UNIT_TOLERANCE:
        return sign * HUNDRED
    room = min(max(TOLERANCE[0], USUAL_MOVES * usual), TOLERANCE[1])
    for ratio in recorded:
        if abs(abs(move) - abs(ratio)) < max(room, SHARE_OF_RATIO * abs(ratio)):
            return sign * abs(ratio)
    size = min((log(ratio) for ratio in SPLITS_WITHOUT_RECORD), key=lambda one: abs(abs(move) - one))
    shares = traded * _as_shares(sign * size) if traded is not None else 0.0
    return sign * size if abs(abs(move) - size) < room and shares < BURST else None


def _as_shares(size: float) -> float:
    """Factor that makes a volume after a split comparable with one before: a close of a fifth trades five times."""
    return 2.718281828459045**size


def _lone(lines: pl.DataFrame, splits: pl.DataFrame, breaks: pl.DataFrame) -> pl.DataFrame:
    """Splits with a break on their ex-date because the close did not move, unless the close moves back near by."""
    days = lines.select("symbol", "session", "place", "raw").sort("session")
    met = splits.select("symbol", "ex_date", "ratio", session="ex_date").sort("session")
    met = met.join_asof(days, on="session", by="symbol", strategy="forward", check_sortedness=False)
    still = met.filter(pl.col("raw").abs() < pl.col("ratio").log().abs() / 2)
    at = still.join(breaks.select("symbol", "place", "factor"), on=["symbol", "place"])
    back = breaks.select("symbol", other="factor", other_day="session")
    pairs = at.join(back, on="symbol").filter(
        ((pl.col("other") + pl.col("factor")).abs() < 1e-6)
        & ((pl.col("other_day") - pl.col("ex_date")).dt.total_days().abs() <= NEAR_DAYS)
    )
    return at.join(pairs, on=["symbol", "ex_date"], how="anti").select("symbol", "ex_date", "ratio", "raw", "place")


def _own(levelled: pl.DataFrame) -> pl.DataFrame:
    """The line's own level: of its last stored close; else of most traded sessions; else the latest."""
    stored = levelled.filter(pl.col("row").is_null()).group_by("symbol").agg(stored=pl.col("step").last())
    traded = pl.col("volume").is_null() | (pl.col("volume") > 0)
    counts = levelled.group_by("symbol", "step").agg(sessions=traded.sum()).sort("symbol", "sessions")
    most = counts.group_by("symbol").agg(
        most=pl.col("step").last(),
        count=pl.col("sessions").last(),
        others=pl.col("sessions").slice(0, pl.len() - 1).sum(),
    )
    latest = levelled.group_by("symbol").agg(latest=pl.col("step").last())
    clear = (pl.col("count") >= CLEAR_MAJORITY * pl.col("others")) & (pl.col("count") > 0)
    return (
        latest.join(most, on="symbol")
        .join(stored, on="symbol", how="left")
        .select("symbol", own=pl.coalesce("stored", pl.when(clear).then("most"), "latest"))
    )
