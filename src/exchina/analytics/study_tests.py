"""What a study may claim: each group of names at each event, each class of events, and contrasts between groups."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import combinations

import numpy as np
import polars as pl

from exchina.analytics.constituent_moves import PATH, Measured, StudySettings
from exchina.analytics.market_model import Model
from exchina.analytics.multiplicity import Method, adjust
from exchina.analytics.power import minimum_detectable_effect
from exchina.analytics.significance import (
    Dates,
    NotComputableError,
    Sample,
    Statistic,
    battery,
    contrast,
    date_battery,
    dated,
    pooled,
    sample,
)
from exchina.analytics.significance.battery import COLUMNS

INDEX = "index"
HEADLINE, HEADLINE_OF_CLASS = "kp_bmp", "date_bmp"
BAND = 1.959963984540054  # two-sided 95 % of the normal distribution
ADJUSTED: dict[str, Method] = {"p_holm": "holm", "p_bh": "benjamini_hochberg", "p_by": "benjamini_yekutieli"}
EVENT_TESTS = {
    "event_id": pl.String, "group": pl.String, "window": pl.String, "caar": pl.Float64, "t": pl.Float64, "df": pl.Int64,
    "p": pl.Float64, "rbar": pl.Float64, "mde": pl.Float64, "test_note": pl.String,
}  # fmt: skip
CLASS_TESTS = {
    "kind": pl.String, "group": pl.String, "window": pl.String, "dates": pl.Int64, "mean_car": pl.Float64,
    "t": pl.Float64, "df": pl.Int64, "p": pl.Float64, "p_wild": pl.Float64, "mde": pl.Float64, "test_note": pl.String,
    "event_ids": pl.String,
}  # fmt: skip
CONTRASTS = {
    "kind": pl.String, "first": pl.String, "second": pl.String, "window": pl.String, "dates": pl.Int64,
    "mean_difference": pl.Float64, "t": pl.Float64, "df": pl.Int64, "p": pl.Float64, "p_wild": pl.Float64,
    "test_note": pl.String,
}  # fmt: skip
PATHS = {"event_id": pl.String, "day": pl.Int64, "aar": pl.Float64, "caar": pl.Float64, "band": pl.Float64}


@dataclass(frozen=True)
class Tested:
    """The samples of one window, by event and group, and their tests.

    Attributes:
        samples: by event and group.
        events: `EVENT_TESTS`, one row a sample: caar (equal-weighted mean CAR), t, df, p of the Kolari-Pynnonen
            adjusted BMP test, rbar, mde (80 % power at 5 %), test_note (why there is no p).
        statistics: every statistic of every sample: event_id, group, window, and the columns of a `Statistic`.
    """

    samples: Mapping[tuple[str, str], Sample]
    events: pl.DataFrame
    statistics: pl.DataFrame


def event_tests(measured: Sequence[Measured], windows: Mapping[str, str], model: Model) -> Tested:
    """Test the index and each stage at each event.

    Args:
        measured: result of `exchina.analytics.constituent_moves.moves`.
        windows: the window of each event as it is printed.
        model: of normal returns.
    """
    samples: dict[tuple[str, str], Sample] = {}
    for event in dict.fromkeys(one.event_id for one in measured):
        parts = [one for one in measured if one.event_id == event]
        samples[event, INDEX] = _sample(parts, model)
        for stage in sorted({stage for one in parts for stage in one.names["stage"]}):
            samples[event, stage] = _sample([held for one in parts if (held := _of_stage(one, stage))], model)
    rows: list[tuple[object, ...]] = []
    statistics: list[tuple[object, ...]] = []
    for (event, group), tested in samples.items():
        found = battery(tested)
        key = (event, group, windows[event])
        headline = next(one for one in found if one.name == HEADLINE)
        rows.append((*key, tested.caar, headline.value, headline.df, headline.p, *_power(tested), headline.note))
        statistics += [(*key, *(getattr(one, name) for name in COLUMNS)) for one in found]
    schema = {"event_id": pl.String, "group": pl.String, "window": pl.String, **COLUMNS}
    return Tested(
        samples,
        pl.DataFrame(rows, EVENT_TESTS, orient="row"),
        pl.DataFrame(statistics, schema, orient="row"),
    )


def class_tests(
    tested: Tested, compounds: pl.DataFrame, settings: StudySettings
) -> tuple[pl.DataFrame, pl.DataFrame, pl.DataFrame]:
    """Test each kind of event over its dates, and the stages against one another on the same dates.

    Moves count with the sign that the ledger expected before the returns were looked at; an event of which no direction
    was expected, or several, takes no part. Compound events of several kinds belong to no class.

    Args:
        tested: result of `event_tests`.
        compounds: result of `exchina.analytics.study_events.compounds_of`.
        settings: window and seed count.

    Returns:
        `CLASS_TESTS` with the mean signed CAR of the equal-weighted portfolio, its date BMP test and wild cluster p,
        and the ids of the dates, with blanks between;
        every statistic of each class; `CONTRASTS`: first less second, paired by date.
    """
    window, seed = settings.window_name, settings.seed
    classes: list[tuple[object, ...]] = []
    statistics: list[tuple[object, ...]] = []
    contrasts: list[tuple[object, ...]] = []
    for (kind,), events in compounds.filter(pl.col("direction") != 0).partition_by(
        "kind", as_dict=True, maintain_order=True
    ).items():  # fmt: skip
        signs = {e: d for e, d in events.select("event_id", "direction").iter_rows() if (e, INDEX) in tested.samples}
        groups = sorted({group for event, group in tested.samples if event in signs}, key=lambda g: (g != INDEX, g))
        of_group = {
            group: {event: tested.samples[event, group] for event in signs if (event, group) in tested.samples}
            for group in groups
        }
        for group, samples in of_group.items():
            dates = dated(list(samples.values()), [signs[event] for event in samples])
            if dates.t.size < 2:
                continue
            found = {one.name: one for one in date_battery(dates, _pooled(samples, signs), seed=seed)}
            used = [event for event, one in samples.items() if one.portfolio.fit is not None]
            classes.append((kind, group, window, *_class_row(dates, found), " ".join(used)))
            statistics += [(kind, group, window, *(getattr(one, n) for n in COLUMNS)) for one in found.values()]
        for first, second in combinations([group for group in groups if group != INDEX], 2):
            row = _contrasted(of_group[first], of_group[second], signs, seed)
            contrasts += [(kind, first, second, window, *row)] if row else []
    schema = {"event_kind": pl.String, "group": pl.String, "window": pl.String, **COLUMNS}
    return (
        pl.DataFrame(classes, CLASS_TESTS, orient="row"),
        pl.DataFrame(statistics, schema, orient="row"),
        pl.DataFrame(contrasts, CONTRASTS, orient="row"),
    )


def with_family(*tables: pl.DataFrame) -> tuple[int, list[pl.DataFrame]]:
    """The p-values of all tables adjusted as one family: its size, and the tables with `ADJUSTED` columns after p."""
    tests = {f"{at}:{row}": p for at, table in enumerate(tables) for row, p in enumerate(table["p"])}
    families = {name: adjust(tests, method) for name, method in ADJUSTED.items()}
    made: list[pl.DataFrame] = []
    for at, table in enumerate(tables):
        added = [
            pl.Series(name, [family.adjusted[f"{at}:{row}"] for row in range(table.height)], dtype=pl.Float64)
            for name, family in families.items()
        ]
        place = table.columns.index("p") + 1
        made.append(table.select(*table.columns[:place], *added, *table.columns[place:]))
    return next(iter(families.values())).size, made


def paths(measured: Sequence[Measured], model: Model) -> pl.DataFrame:
    """The average abnormal return around each event, from ten sessions before day 0 to ten after.

    Returns:
        `PATHS`: aar, the mean AR of the names with a return that day; caar, its sum from the first day on; band, half
        the width of the 95 % band of no reaction, 1.96 s sqrt(n + n^2 / M) after n days, with s and M of the portfolio
        of all names (null where it cannot be fitted).
    """
    rows: list[tuple[object, ...]] = []
    for event in dict.fromkeys(one.event_id for one in measured):
        parts = [one for one in measured if one.event_id == event]
        if not all(one.path.size for one in parts):
            continue
        wide = sample(*(replace(one.market, event=one.path) for one in parts), model=model)
        present = np.isfinite(wide.ar).sum(axis=1)
        aar = np.nansum(wide.ar, axis=1) / np.maximum(present, 1)
        days, fit = np.arange(1, len(aar) + 1), wide.portfolio.fit
        band = None if fit is None else (BAND * fit.s[0] * np.sqrt(days + days**2 / fit.sessions[0])).tolist()
        rows += zip(
            [event] * days.size, (days - 1 + PATH[0]).tolist(), aar.tolist(), np.cumsum(aar).tolist(),
            band or [None] * days.size, strict=True,
        )  # fmt: skip
    return pl.DataFrame(rows, PATHS, orient="row")


def _sample(parts: Sequence[Measured], model: Model) -> Sample:
    weights = np.concatenate([one.names["weight"].to_numpy() for one in parts])
    return sample(*(one.market for one in parts), model=model, weights=weights)


def _of_stage(one: Measured, stage: str) -> Measured | None:
    held = (one.names["stage"] == stage).to_numpy()
    if not held.any():
        return None
    return replace(one, names=one.names.filter(held), market=replace(one.market, returns=one.market.returns[:, held]))


def _power(tested: Sample) -> tuple[float | None, float | None]:
    """rbar and the minimum detectable effect of one date; None where they are not computable."""
    try:
        rbar = tested.rbar
    except NotComputableError:
        return None, None
    sigma = float(np.sqrt((tested.s**2).mean()))
    return rbar, minimum_detectable_effect(sigma, tested.names, rho=rbar, sessions=len(tested.ar))


def _class_row(dates: Dates, found: Mapping[str, Statistic]) -> tuple[object, ...]:
    """From the number of dates on; the minimum detectable effect is z (root mean square of se_j) / sqrt J."""
    headline, wild = found[HEADLINE_OF_CLASS], found["wild_cluster"]
    notes = "; ".join(dict.fromkeys(one.note for one in (headline, wild) if one.note))
    error = float(np.sqrt(((dates.car / dates.t) ** 2).mean())) if (dates.t != 0).all() else None
    mde = None if error is None else minimum_detectable_effect(error, 1, rho=0.0, dates=dates.t.size)
    mean = float(dates.car.mean())
    return dates.t.size, mean, headline.value, headline.df, headline.p, wild.p, mde, notes


def _pooled(samples: Mapping[str, Sample], signs: Mapping[str, int]) -> Sample | None:
    """The security-events of dates whose windows are equally long and whose direction is the same."""
    same = len({len(one.ar) for one in samples.values()}) == 1 and len({signs[event] for event in samples}) == 1
    return pooled(*samples.values()) if same else None


def _contrasted(
    first: Mapping[str, Sample], second: Mapping[str, Sample], signs: Mapping[str, int], seed: int
) -> tuple[object, ...] | None:
    """Two groups on the dates on which the portfolio of each can be fitted."""
    both = [event for event in first if event in second and all(one[event].portfolio.fit for one in (first, second))]
    if len(both) < 2:
        return None
    sides = [dated([one[event] for event in both], [signs[event] for event in both]) for one in (first, second)]
    if any(side.note for side in sides):
        return None
    test, flips = contrast(*sides, seed=seed)
    notes = "; ".join(dict.fromkeys(one.note for one in (test, flips) if one.note))
    return len(both), float((sides[0].car - sides[1].car).mean()), test.value, test.df, test.p, flips.p, notes
