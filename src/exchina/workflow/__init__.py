"""The verbs: read, call the core, write. One name in Python, on the command line and in the schedule."""

from exchina.workflow.data import compared, fetch, gated, open_market, quarantine
from exchina.workflow.indices import UNASKED, backtest, index_rulebook, propose, read_rulebook, series_tables, study
from exchina.workflow.publishing import (
    Published,
    already_published,
    check,
    last_announced,
    publications,
    publish,
    report,
    verify,
    written_report,
    written_tables,
)

__all__ = [
    "UNASKED",
    "Published",
    "already_published",
    "backtest",
    "check",
    "compared",
    "fetch",
    "gated",
    "index_rulebook",
    "last_announced",
    "open_market",
    "propose",
    "publications",
    "publish",
    "quarantine",
    "read_rulebook",
    "report",
    "series_tables",
    "study",
    "verify",
    "written_report",
    "written_tables",
]
