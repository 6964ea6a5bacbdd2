"""From a study to the sentences that an investor document may print, each refused unless it can be said in full."""

from collections.abc import Iterable
from datetime import date

import polars as pl

from exchina.analytics.claims import Claim, ClassClaim, Instant, sentence
from exchina.analytics.event_study import EventStudy
from exchina.analytics.study_tests import HEADLINE, HEADLINE_OF_CLASS, INDEX
from exchina.errors import DataError

HOME = "the broad index of each home market"
WEIGHTING = "equal-weighted"


def sentences(study: EventStudy, live: date | None) -> pl.DataFrame:
    """What may be said of each event and of each class of events, for the names of the whole index and the main window.

    Args:
        study: to speak of.
        live: first day on which the index was calculated; None: every date is hypothetical.

    Returns:
        about (id of the event, or kind of the class), sentence (null if refused), refused (why, in words; else empty).
    """
    rows = [(about, *_said(claim)) for about, claim in (*_events(study, live), *_classes(study, live))]
    schema = {"about": pl.String, "sentence": pl.String, "refused": pl.String}
    return pl.DataFrame(rows, schema, orient="row")


def _said(claim: Claim | ClassClaim) -> tuple[str | None, str]:
    try:
        return sentence(claim), ""
    except DataError as fault:
        return None, "; ".join(f"{one.where.removeprefix('claim.')}: {one.what}" for one in fault.problems)


def _events(study: EventStudy, live: date | None) -> Iterable[tuple[str, Claim]]:
    names = study.securities.select("event_id", "window", "symbol", "car")
    single = study.table.filter(pl.col("kind") != "compound", group=INDEX, window=study.settings.window_name)
    for row in single.to_dicts():
        instants = _instants(study, row["event_id"])
        lost = names.filter(pl.col("car").is_null(), event_id=row["event_id"], window=row["window"])["symbol"]
        yield (
            row["event_id"],
            Claim(
                event=row["title"],
                instant=instants[0],
                window=study.settings.window,
                benchmark=study.settings.benchmark or HOME,
                names=row["names"],
                missing=tuple(lost),
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
    window = study.settings.window_name
    for row in study.classes.filter(group=INDEX, window=window).to_dicts():
        ids = study.table.filter(group=INDEX, kind=row["kind"]).unique("event_id", maintain_order=True)["event_id"]
        instants = [_instants(study, event)[0] for event in ids]
        held = study.securities.filter(pl.col("event_id").is_in(ids.implode()))
        measured = set(held.filter(pl.col("car").is_not_null())["symbol"])
        if len(instants) != row["dates"]:
            continue  # a date without an expected direction or without a portfolio: the class is not whole
        yield (
            row["kind"],
            ClassClaim(
                event_class=row["kind"].replace("_", " "),
                instants=tuple(instants),
                hypothetical=tuple(live is None or _day(instant) < live for instant in instants),
                window=study.settings.window,
                benchmark=study.settings.benchmark or HOME,
                names=len(measured),
                missing=tuple(sorted(set(held["symbol"]) - measured)),
                weighting=f"{WEIGHTING}, signed by the direction expected before",
                statistic=HEADLINE_OF_CLASS,
                move=row["mean_car"],
                adjusted_p=row["p_holm"],
                family_size=study.family_size,
                mde=row["mde"],
            ),
        )


def _instants(study: EventStudy, compound: str) -> list[Instant]:
    known = study.events.filter(compound_id=compound).sort("event_date", "event_id")
    return [at if at is not None else day for at, day in known.select("announced_at", "event_date").iter_rows()]


def _day(instant: Instant) -> date:
    return instant.date() if hasattr(instant, "date") else instant  # pyright: ignore[reportAttributeAccessIssue, reportReturnType]
