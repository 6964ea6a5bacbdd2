"""From a study to the sentences that an investor document may print, each refused unless it can be said in full."""

from collections import Counter
from collections.abc import Iterable
from datetime import date, datetime

import polars as pl

from exchina.analytics.claims import Claim, ClassClaim, Instant, sentence
from exchina.analytics.compound import JOIN
from exchina.analytics.event_study import EventStudy
from exchina.analytics.study_events import COMPOUND, OUTCOME
from exchina.analytics.study_tests import HEADLINE, HEADLINE_OF_CLASS, INDEX
from exchina.errors import DataError

HOME = "the broad index of each home market"
WEIGHTING = "equal-weighted"
MIXED = "in a compound event of several kinds"
UNSIGNED = "without an expected direction or a portfolio"
TOGETHER = "a compound event: its effects cannot be told apart"


def sentences(study: EventStudy, live: date | None) -> pl.DataFrame:
    """What may be said of each event and of each class of events, for the names of the whole index and the main window.

    Args:
        study: to speak of.
        live: first day on which the index was calculated; None: every date is hypothetical.

    Returns:
        about (id of the event, or kind of the class), sentence (null if refused), refused (why, in words; else empty).
    """
    rows = [(about, *_said(claim)) for about, claim in (*_events(study, live), *_classes(study, live))]
    compounds = study.events.filter(pl.col("compound_id") != pl.col("event_id"))["event_id"]
    rows += [(event, None, TOGETHER) for event in compounds]
    schema = {"about": pl.String, "sentence": pl.String, "refused": pl.String}
    return pl.DataFrame(rows, schema, orient="row")


def _said(claim: Claim | ClassClaim) -> tuple[str | None, str]:
    try:
        return sentence(claim), ""
    except DataError as fault:
        return None, "; ".join(f"{one.where.removeprefix('claim.')}: {one.what}" for one in fault.problems)


def _events(study: EventStudy, live: date | None) -> Iterable[tuple[str, Claim]]:
    main, names = (_main(study, table) for table in (study.table, study.securities))
    for row in main.filter(pl.col("group") == INDEX, ~pl.col("event_id").str.contains(JOIN, literal=True)).to_dicts():
        measured = names.filter(event_id=row["event_id"])
        yield (
            row["event_id"],
            Claim(
                event=row["title"],
                instant=_instants(study, row["event_id"])[0],
                window=study.settings.window,
                benchmark=study.settings.benchmark or HOME,
                names=row["names"],
                missing=tuple(measured.filter(pl.col("car").is_null())["symbol"]),
                weighting=WEIGHTING,
                statistic=HEADLINE,
                move=row["caar"],
                adjusted_p=row["p_holm"],
                family_size=study.family_size,
                mde=row["mde"],
                hypothetical=live is None or row["event_date"] < live,
            ),
        )


def _classes(study: EventStudy, live: date | None) -> Iterable[tuple[str, ClassClaim]]:
    main, names = (_main(study, table) for table in (study.table, study.securities))
    for row in study.classes.filter(group=INDEX, window=study.settings.window_name).to_dicts():
        ids = row["event_ids"].split()
        instants = [instant for event in ids for instant in _instants(study, event)]
        measured = main.filter(pl.col("event_id").is_in(ids), group=INDEX)
        windows = measured["window"].unique().to_list()
        held = names.filter(pl.col("event_id").is_in(ids))
        happened, left_out = _others(study, row["kind"], ids)
        yield (
            row["kind"],
            ClassClaim(
                event_class=row["kind"].replace("_", " "),
                instants=tuple(instants),
                hypothetical=tuple(live is None or _day(instant) < live for instant in instants),
                happened=happened,
                left_out=left_out,
                window=study.settings.window if windows == [study.settings.window_name] else None,
                benchmark=study.settings.benchmark or HOME,
                names=(int(measured["names"].to_numpy().min()), int(measured["names"].to_numpy().max())),
                missing=tuple(held.filter(pl.col("car").is_null())["symbol"].unique().sort()),
                weighting=f"{WEIGHTING}, signed by the direction expected before",
                statistic=HEADLINE_OF_CLASS,
                move=row["mean_car"],
                adjusted_p=row["p_holm"],
                family_size=study.family_size,
                mde=row["mde"],
            ),
        )


def _others(study: EventStudy, kind: str, ids: list[str]) -> tuple[int, tuple[str, ...]]:
    """How many events of a kind happened, and why some are not among the dates, with their number."""
    events = study.events.filter(~pl.col("note").fill_null("").str.starts_with(OUTCOME), kind=kind)
    rest = events.filter(~pl.col("compound_id").fill_null("").is_in(ids))
    mixed = dict(_main(study, study.table).filter(group=INDEX).select("event_id", "kind").unique().iter_rows())
    reasons = Counter(
        note if compound is None else MIXED if mixed.get(compound) == COMPOUND else UNSIGNED
        for note, compound in rest.select("note", "compound_id").iter_rows()
    )
    return events.height, tuple(f"{number} {reason}" for reason, number in sorted(reasons.items()))


def _main(study: EventStudy, table: pl.DataFrame) -> pl.DataFrame:
    """The rows of the main window."""
    return table.filter(measure=study.settings.window_name)


def _instants(study: EventStudy, compound: str) -> list[Instant]:
    known = study.events.filter(compound_id=compound).sort("event_date", "event_id")
    return [at if at is not None else day for at, day in known.select("announced_at", "event_date").iter_rows()]


def _day(instant: Instant) -> date:
    return instant.date() if isinstance(instant, datetime) else instant
