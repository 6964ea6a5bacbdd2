"""Which events a study measures: compound events, the basket in force on their day, day 0 and window in each market."""

from collections.abc import Collection

import polars as pl

from exchina.analytics.compound import compound_events, compound_windows
from exchina.analytics.event_days import announcement_bounds

EVENT = {"event_id": pl.String, "event_date": pl.Date, "title": pl.String, "kind": pl.String}
COMPOUND = "compound"
NOT_ASKED = "not asked for"
BEFORE_INDEX = "before the first basket"
OUTCOME = "outcome is"
UNMEASURED = "no constituent could be measured"
TOGETHER = "one compound event with {}: windows overlap, the effects cannot be told apart"


def compounds_of(happened: pl.DataFrame, constituents: pl.DataFrame, days: pl.DataFrame, closes: pl.DataFrame,
                 window: tuple[int, int]) -> pl.DataFrame:  # fmt: skip
    """The events of a ledger by their window: those that overlap in a market of their members are one compound event.

    A window that ends before day 0 merges nothing; whoever measures it leaves out events that have another one in it.

    Args:
        happened: rows of the ledger that happened.
        constituents: one row per basket and listing: effective, calendar, ...
        days: day 0 of each event in each market.
        closes: the index's own sessions: session, close_at.
        window: first and last day.

    Returns:
        One row per compound event that has a basket: event_id, members (ids), event_date (the first), title, kind
        (``compound`` if of several kinds), direction (0 if of several), effective (of the basket in force before it).
    """
    reviewed = closes.filter(pl.col("session").is_in(constituents["effective"].implode()))
    baskets = reviewed.select("close_at", effective="session").sort("close_at")
    bounds = announcement_bounds(happened).sort("earliest")
    in_force = bounds.join_asof(baskets, left_on="earliest", right_on="close_at").drop_nulls("effective")
    venues = constituents.select("effective", "calendar").unique()
    reached = in_force.join(venues, on="effective")
    here = days.join(reached, on=["event_id", "calendar"], how="semi", maintain_order="left")
    groups = compound_events(here, window) if window[1] >= 0 else _each_alone(here)
    facts = (
        groups.join(happened.select("event_date", "title", "kind", "direction", event_id="id"), on="event_id")
        .join(in_force.select("event_id", "earliest", "effective"), on="event_id")
        .sort("earliest", "event_id")
    )
    return facts.group_by("compound_id", maintain_order=True).agg(
        pl.col("members").first(),
        pl.col("event_date").min(),
        pl.col("title").str.join("; "),
        kind=pl.when(pl.col("kind").n_unique() == 1).then(pl.col("kind").first()).otherwise(pl.lit(COMPOUND)),
        direction=pl.when(pl.col("direction").n_unique() == 1).then(pl.col("direction").first()).otherwise(0),
        effective=pl.col("effective").first(),
    ).rename({"compound_id": "event_id"})  # fmt: skip


def _each_alone(days: pl.DataFrame) -> pl.DataFrame:
    """Windows before day 0 hold no reaction that could be shared: every event stands for itself."""
    alone = days.select("event_id").unique(maintain_order=True)
    return alone.with_columns(compound_id="event_id", members=pl.concat_list("event_id"))


def members_of(
    compounds: pl.DataFrame, constituents: pl.DataFrame, days: pl.DataFrame, window: tuple[int, int]
) -> pl.DataFrame:
    """The constituents of each compound event by falling weight, with day 0 and window of their market.

    Args:
        compounds: result of `compounds_of`.
        constituents: of every basket.
        days: day 0 of each event in each market.
        window: first and last day of a single event.

    Returns:
        The columns of ``constituents``, and event_id, event_date, day0, day0_latest, position, position_latest, start,
        stop (first and last day of the window, the same in every market of an event).
    """
    listed = compounds.select("members", compound_id="event_id").explode("members").rename({"members": "event_id"})
    windows = compound_windows(days, listed, window)
    latest = (
        days.drop_nulls("position")
        .join(listed, on="event_id")
        .group_by("compound_id", "calendar")
        .agg(pl.col("day0_latest").max(), pl.col("position_latest").max())
    )
    placed = windows.join(latest, on=["compound_id", "calendar"]).rename({"compound_id": "event_id"})
    return (
        compounds.select("event_date", "event_id", "effective")
        .join(constituents, on="effective", maintain_order="left")
        .join(placed, on=["event_id", "calendar"], how="left", maintain_order="left")
        .with_columns(
            start=pl.lit(window[0], pl.Int64), stop=pl.col("stop").max().over("event_id").fill_null(window[1])
        )
        .sort(["event_date", "event_id", "weight", "symbol"], descending=[False, False, True, False])
    )


def listed_events(
    ledger: pl.DataFrame, compounds: pl.DataFrame, studied: Collection[str], asked: Collection[str]
) -> pl.DataFrame:
    """Every event of the ledger with what became of it.

    Args:
        ledger: all of it, in order.
        compounds: result of `compounds_of`.
        studied: ids of the compound events in which a name was measured.
        asked: ids of the ledger's events that were asked for.

    Returns:
        event_id, event_date, title, kind, announced_at (null where only the date is known), status (``studied`` or
        ``left_out``), note, compound_id (null if left out).
    """
    home = {event: name for name, members in compounds.select("event_id", "members").iter_rows() for event in members}
    company = dict(compounds.select("event_id", "members").iter_rows())
    rows: list[tuple[str, str | None, str | None]] = []
    for event, outcome in ledger.select("id", "outcome").iter_rows():
        name = home.get(event)
        if outcome != "happened":
            rows.append(("left_out", f"{OUTCOME} {outcome}", None))
        elif name is None:
            rows.append(("left_out", BEFORE_INDEX if event in asked else NOT_ASKED, None))
        elif not set(company[name]) & set(asked):
            rows.append(("left_out", NOT_ASKED, None))
        elif name not in studied:
            rows.append(("left_out", UNMEASURED, None))
        else:
            others = [other for other in company[name] if other != event]
            rows.append(("studied", TOGETHER.format(", ".join(others)) if others else None, name))
    schema = {"status": pl.String, "note": pl.String, "compound_id": pl.String}
    status = pl.DataFrame(rows, schema=schema, orient="row")
    told = ledger.select("event_date", "title", "kind", "announced_at", event_id="id")
    return pl.concat([told, status], how="horizontal").select(*EVENT, "announced_at", *schema)
