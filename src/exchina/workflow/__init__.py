"""The verbs: read, call the core, write. One name in Python, on the command line and in the schedule."""

from exchina.workflow.capacity import capacity
from exchina.workflow.checking import check
from exchina.workflow.data import compared, fetch, gated, open_market, quarantine
from exchina.workflow.evidence import Evidence, assessed, best_evidence, evidence_for
from exchina.workflow.fund_views import creation_basket, fund_limits, fund_room, tracking_error_ahead
from exchina.workflow.indices import backtest, index_rulebook, propose, read_rulebook, series_tables
from exchina.workflow.premiums import stale_premium
from exchina.workflow.publishing import (
    Published,
    already_published,
    last_announced,
    publications,
    publish,
    report,
    verify,
    written_report,
)
from exchina.workflow.rivals import Rivals, listed_rivals
from exchina.workflow.stress import Scenarios, Stress, check_scenarios, read_scenarios, stress
from exchina.workflow.studies import study, study_tables, written_study
from exchina.workflow.sweeping import Tried, sweep, sweep_table, written_sweep
from exchina.workflow.tracking import (
    Track,
    Tracker,
    compared_variants,
    fund_variants,
    index_fund,
    index_funds,
    read_fund,
    track,
)
from exchina.workflow.trials import recorded_backtest, trial_ledger
from exchina.workflow.writing import written_tables

__all__ = [
    "Evidence",
    "Published",
    "Rivals",
    "Scenarios",
    "Stress",
    "Track",
    "Tracker",
    "Tried",
    "already_published",
    "assessed",
    "backtest",
    "best_evidence",
    "capacity",
    "check",
    "check_scenarios",
    "compared",
    "compared_variants",
    "creation_basket",
    "evidence_for",
    "fetch",
    "fund_limits",
    "fund_room",
    "fund_variants",
    "gated",
    "index_fund",
    "index_funds",
    "index_rulebook",
    "last_announced",
    "listed_rivals",
    "open_market",
    "propose",
    "publications",
    "publish",
    "quarantine",
    "read_fund",
    "read_rulebook",
    "read_scenarios",
    "recorded_backtest",
    "report",
    "series_tables",
    "stale_premium",
    "stress",
    "study",
    "study_tables",
    "sweep",
    "sweep_table",
    "track",
    "tracking_error_ahead",
    "trial_ledger",
    "verify",
    "written_report",
    "written_study",
    "written_sweep",
    "written_tables",
]
