"""How the constituents of an index moved on policy-shock dates, against their local markets, and what may be said.

Each name is measured in its own market: day 0 is the first local session able to react, normal returns are those of a
model fitted on clean sessions before it, abnormal returns are summed over the window. Same-day events are the normal
case here, so the headline tests are those that hold their size when one announcement hits every name: the
Kolari-Pynnonen adjusted BMP test for one date, the BMP test over dates with the wild cluster bootstrap for several.
"""

from collections.abc import Collection
from dataclasses import dataclass, field, replace
from hashlib import sha256

import numpy as np
import polars as pl

from exchina.analytics import study_tests
from exchina.analytics.constituent_moves import StudySettings, moves, window_name
from exchina.analytics.event_days import event_days
from exchina.analytics.study_betas import betas
from exchina.analytics.study_checks import check_benchmarks, check_settings, check_tables
from exchina.analytics.study_events import EVENT, compounds_of, listed_events, members_of
from exchina.analytics.study_tests import INDEX
from exchina.model import MarketData, Provenance

SHOWN = [
    "event_id",
    "symbol",
    "stage",
    "weight",
    "window",
    "calendar",
    "benchmark",
    "day0",
    "day0_latest",
    "beta",
    "car",
    "se_car",
    "t_car",
    "p_car",
    "contribution",
    "sessions",
    "skipped",
    "estimation_start",
    "note",
]
MEASURED = {
    "group": pl.String,
    "names": pl.Int64,
    "left_out": pl.Int64,
    "covered_weight": pl.Float64,
    "window": pl.String,
    "car": pl.Float64,
}
TOGETHER = "compound event: windows overlap, the effects cannot be told apart"
USUAL = StudySettings()
_TABLES = ("table", "classes", "contrasts", "statistics", "class_statistics", "securities")
LEDGER = ["id", "event_date", "kind", "direction", "announced_at", "announced_zone"]


@dataclass(frozen=True)
class EventStudy:
    """A policy-calendar study; abnormal returns are fractions of 1, in local currency, dividends included.

    Attributes:
        events: every event of the ledger by date: event_id, event_date, title, kind, announced_at (null where only the
            date is known), status (``studied`` or ``left_out``), note (why it was left out; which events it is one
            with; else null), compound_id.
        table: per studied event and window one row of group ``index`` (car = sum w_i CAR_i / sum w_i over the covered
            names) and one per stage (car: equal-weighted mean): event_id, event_date, title, kind (of a compound event
            the ids and titles of all, and ``compound``), group, names (covered), left_out, covered_weight (of the whole
            index), window, car (null if no name is covered), caar (equal-weighted), t, df and p of the headline test of
            caar, p_holm, p_bh, p_by (adjusted for the family), rbar, mde (minimum detectable effect), test_note, note,
            measure (the window asked for; a compound event's own may be longer).
        classes: per kind of event, group and window: dates, mean_car (signed by the direction that the ledger
            expected), t, df, p (date BMP), p_holm, p_bh, p_by, p_wild (wild cluster), mde, test_note.
        contrasts: per kind two stages on the same dates: first, second, dates, mean_difference, t, df, p, p_holm, p_bh,
            p_by, p_wild, test_note.
        statistics: every statistic of every event, group and window, with its class (essential, secondary, diagnostic).
        class_statistics: the same of every class of events.
        betas: of every name studied, on all its sessions: ordinary, Scholes-Williams, Dimson and Fowler-Rorke beta, and
            the share of sessions without a return.
        paths: per event the average abnormal return on days -10 to +10: day, aar, caar, band.
        securities: per event, window and constituent: symbol, stage, weight, calendar, benchmark, day0, day0_latest
            (differs if the time is not known), beta, car, se_car, t_car, p_car (null if left out), contribution (to the
            index row), sessions (usable estimation sessions), skipped (sessions passed over because they lie around
            other events), estimation_start, note (why it was left out), measure.
        family_size: tests adjusted together: every p of table, classes and contrasts.
        ledger_hash: `ledger_hash` of the complete event ledger.
        settings: how it was measured.
        provenance: where the prices came from.
    """

    events: pl.DataFrame
    table: pl.DataFrame
    classes: pl.DataFrame
    contrasts: pl.DataFrame
    statistics: pl.DataFrame = field(repr=False)
    class_statistics: pl.DataFrame = field(repr=False)
    betas: pl.DataFrame = field(repr=False)
    paths: pl.DataFrame = field(repr=False)
    securities: pl.DataFrame = field(repr=False)
    family_size: int
    ledger_hash: str
    settings: StudySettings
    provenance: Provenance


@dataclass(frozen=True)
class _Window:
    """What one window gives, before p-values are adjusted."""

    table: pl.DataFrame
    classes: pl.DataFrame
    contrasts: pl.DataFrame
    statistics: pl.DataFrame
    class_statistics: pl.DataFrame
    paths: pl.DataFrame
    securities: pl.DataFrame


def study(
    events: pl.DataFrame,
    constituents: pl.DataFrame,
    market: MarketData,
    settings: StudySettings = USUAL,
    *,
    calendar: str,
    provenance: Provenance,
    asked: Collection[str] | None = None,
    holding_treated: Collection[str] = (),
) -> EventStudy:
    """Measure and test how the constituents of each day moved on the policy-shock dates of a ledger.

    The composition of an event is the last basket in force at its earliest possible announcement, that is, whose
    effective session had closed. Events whose windows overlap in a market of their members are one compound event. A
    name is left out, with the reason, where its market's day 0 is unknown or not covered by the window, it has no
    benchmark, too few estimation sessions, no return on more than 25 % of them, or none on a session of the window. The
    estimation window skips [-1,+3] around every other event of the ledger. No price after the window is read (after
    day +10 for the paths).

    Args:
        events: the complete ledger, rows of ``policy_shocks``: id, event_date, title, kind, direction, announced_at,
            announced_zone, outcome. Only those that happened are studied, and estimation keeps clear of them all.
        constituents: one row per basket and listing: effective (Date), symbol, stage, weight (fraction of the index,
            > 0), currency, calendar (of the listing), benchmark (symbol in ``market.benchmarks``; null if it has none).
        market: prices, dividends, splits, benchmarks and sessions as known on one day: one row per key.
        settings: how to measure.
        calendar: the index's own calendar, of which the effective dates are sessions.
        provenance: of the market.
        asked: ids of the events to study, with those that they cannot be told apart from; all by default.
        holding_treated: benchmarks that hold the very names that are studied, such as a rare earth fund: refused.

    Raises:
        ExchinaError: the settings contradict one another.
        DataError: a table repeats a key, or names a calendar, session or benchmark that is not on record.
    """
    check_settings(settings)
    check_tables(events, constituents, market, calendar)
    check_benchmarks(constituents, market, settings, holding_treated)
    ledger = events.sort("event_date", "id")
    wanted = set(ledger["id"] if asked is None else asked)
    if settings.benchmark:
        constituents = constituents.with_columns(benchmark=pl.lit(settings.benchmark))
    closes = market.sessions.filter(pl.col("calendar") == calendar)
    happened = ledger.filter(pl.col("outcome") == "happened")
    days = event_days(happened, market.sessions)
    measures = [replace(settings, window=window) for window in (settings.window, *settings.also)]
    groups = [compounds_of(happened, constituents, days, closes, one.window) for one in measures]
    parts = [
        _measured(group, constituents, market, days=days, settings=one, wanted=wanted)
        for group, one in zip(groups, measures, strict=True)
    ]
    whole = {name: pl.concat([getattr(part, name) for part in parts]) for name in _TABLES}
    tested = ("table", "classes", "contrasts")
    size, adjusted = study_tests.with_family(*(whole[name] for name in tested))
    return EventStudy(
        events=listed_events(ledger, groups[0], set(parts[0].table.filter(pl.col("names") > 0)["event_id"]), wanted),
        **{**whole, **dict(zip(tested, adjusted, strict=True))},
        betas=betas(constituents, market),
        paths=parts[0].paths,
        family_size=size,
        ledger_hash=ledger_hash(ledger),
        settings=settings,
        provenance=provenance,
    )


def ledger_hash(events: pl.DataFrame) -> str:
    """SHA-256 of `ledger_rows` as CSV: one event more or less, or moved by a day, changes it."""
    return sha256(ledger_rows(events).write_csv().encode()).hexdigest()


def ledger_rows(events: pl.DataFrame) -> pl.DataFrame:
    """What a study rests on: id, day, kind, direction, time and zone of every event that happened, by id."""
    return events.filter(pl.col("outcome") == "happened").sort("id").select(LEDGER)


def _measured(
    compounds: pl.DataFrame,
    constituents: pl.DataFrame,
    market: MarketData,
    *,
    days: pl.DataFrame,
    settings: StudySettings,
    wanted: set[str],
) -> _Window:
    asked = compounds.filter(pl.col("members").list.set_intersection(sorted(wanted)).list.len() > 0)
    members = members_of(asked, constituents, days, settings.window)
    rows, measured = moves(members, market, days, settings)
    securities = _contributed(pl.concat([members, rows], how="horizontal"))
    windows = dict(securities.select("event_id", "window").iter_rows())
    tested = study_tests.event_tests(measured, windows, settings.model)
    classes, class_statistics, contrasts = study_tests.class_tests(tested, asked, settings)
    return _Window(
        table=_table(asked, securities, tested.events).with_columns(measure=pl.lit(settings.window_name)),
        classes=classes,
        contrasts=contrasts,
        statistics=tested.statistics,
        class_statistics=class_statistics,
        paths=study_tests.paths(measured, settings.model),
        securities=securities.select(SHOWN).with_columns(measure=pl.lit(settings.window_name)),
    )


def _contributed(securities: pl.DataFrame) -> pl.DataFrame:
    """With the window as it is printed, and w_i CAR_i / sum w_i over the covered names of the event."""
    covered = pl.when(pl.col("car").is_not_null()).then("weight").sum().over("event_id")
    spans = securities.select("start", "stop").iter_rows()
    return securities.with_columns(
        window=pl.Series([window_name(*span) for span in spans], dtype=pl.String),
        contribution=pl.col("weight") * pl.col("car") / covered,
    )


def _table(compounds: pl.DataFrame, securities: pl.DataFrame, tests: pl.DataFrame) -> pl.DataFrame:
    """The index row and the stage rows of each studied event."""
    rows: list[tuple[object, ...]] = []
    for (event,), names in securities.partition_by("event_id", as_dict=True, maintain_order=True).items():
        if names["car"].null_count() == names.height:
            continue
        rows.append((event, INDEX, *_group(names, names["weight"])))
        for stage in names["stage"].unique().sort():
            group = names.filter(pl.col("stage") == stage)
            rows.append((event, stage, *_group(group, pl.repeat(1.0, group.height, eager=True))))
    table = pl.DataFrame(rows, schema={"event_id": pl.String} | MEASURED, orient="row")
    together = pl.when(pl.col("members").list.len() > 1).then(pl.lit(TOGETHER)).alias("note")
    key = ["event_id", "group", "window"]
    return (
        table.join(compounds.select(*EVENT, together), on="event_id", maintain_order="left")
        .join(tests, on=key, how="left", maintain_order="left")
        .select(*EVENT, *MEASURED, *(name for name in tests.columns if name not in key), "note")
    )


def _group(names: pl.DataFrame, weights: pl.Series) -> tuple[object, ...]:
    covered = names["car"].is_not_null()
    car, weight = names["car"].filter(covered).to_numpy(), weights.filter(covered).to_numpy()
    return (
        len(car),
        names.height - len(car),
        float(np.sum(names["weight"].filter(covered).to_numpy())),
        names["window"][0],
        float(np.sum(weight * car) / np.sum(weight)) if len(car) else None,
    )
