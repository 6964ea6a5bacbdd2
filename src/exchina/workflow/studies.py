"""The verb of the event study: measure, test, and say only what may be said."""

from collections.abc import Collection
from pathlib import Path

import polars as pl

from exchina import levels
from exchina.analytics import event_study
from exchina.analytics.constituent_moves import StudySettings
from exchina.analytics.event_study import USUAL, EventStudy
from exchina.market.view import MarketView
from exchina.model import IndexSeries
from exchina.policy import shocks_of
from exchina.workflow.writing import written, written_tables
from exchina.workspace import Workspace

TABLES = ("table", "classes", "contrasts", "statistics", "class_statistics", "betas", "paths", "securities", "events")


def study(
    series: IndexSeries,
    view: MarketView,
    settings: StudySettings = USUAL,
    *,
    kinds: Collection[str] | None = None,
    pillars: Collection[str] | None = None,
    countries: Collection[str] | None = None,
    ids: Collection[str] | None = None,
) -> EventStudy:
    """Abnormal returns of the index and of each stage on the policy-shock dates, with the members of each day.

    Args:
        series: a backtest.
        view: the market it was computed from.
        settings: how to measure: windows, benchmark, model, factors.
        kinds: kinds of event; None takes all.
        pillars: pillars of policy; None takes all, and events of no pillar.
        countries: countries whose government or sponsor acted, such as US; None takes all.
        ids: events of the ledger; None takes all.

    Raises:
        ExchinaError: no event is of a kind, pillar, country or id asked for, or the settings contradict one another.
        DataError: the market lacks a benchmark, or it holds the names that are studied.
    """
    shocks, entities = view.reference.policy_shocks, view.reference.related_entities
    asked = shocks_of(shocks, view.reference.sponsors, kinds=kinds, pillars=pillars, countries=countries, ids=ids)
    return event_study.study(
        shocks,
        levels.constituents(series, view),
        view.market,
        settings,
        calendar=series.book.review.calendar,
        provenance=view.provenance,
        asked=asked["id"].to_list(),
        holding_treated=entities.filter(kind="rare_earth_fund")["yahoo_symbol"].drop_nulls().to_list(),
    )


def study_tables(found: EventStudy) -> dict[str, pl.DataFrame]:
    """The tables of a study by name, the results first."""
    return {name: getattr(found, name) for name in TABLES}


def written_study(workspace: Workspace, found: EventStudy, folder: Path, title: str) -> list[Path]:
    """Write every table as CSV and every figure as SVG and PNG; the paths.

    Args:
        workspace: whose fonts the figures take.
        found: the study.
        folder: made if it is not there.
        title: of the figures, the name of the index.

    Raises:
        PublicationError: the folder cannot be written.
    """
    from exchina.reporting.study_figures import figures

    fonts = workspace.reports / "templates" / "fonts"
    drawn = figures(found, title=title, fonts=fonts) if "studied" in found.events["status"] else {}
    return [*written_tables(study_tables(found), folder), *written(drawn, folder)]
