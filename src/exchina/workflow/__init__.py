"""The verbs: read, call the core, write. One name in Python, on the command line and in the schedule."""

from exchina.site.download import download_faults
from exchina.workflow.capacity import capacity
from exchina.workflow.checking import check
from exchina.workflow.closing import Closing, calculate, differences, restate
from exchina.workflow.composing import report, written_report
from exchina.workflow.data import compared, fetch, gated, open_market, quarantine
from exchina.workflow.distributing import calendar_of, distribute, refresh_public, undelivered
from exchina.workflow.evidence import Evidence, assessed, best_evidence, evidence_for
from exchina.workflow.fund_views import creation_basket, fund_limits, fund_room, tracking_error_ahead
from exchina.workflow.indices import backtest, index_rulebook, propose, read_rulebook, series_tables
from exchina.workflow.occasions import last_occasion
from exchina.workflow.premiums import stale_premium
from exchina.workflow.publications import Occasion, Wishes
from exchina.workflow.published import content_of, ledger_of, publications
from exchina.workflow.publishing import Clock, Published, publish, publish_delay, sound_ledger
from exchina.workflow.rivals import Rivals, listed_rivals
from exchina.workflow.scheduled import Opened, opened
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
from exchina.workflow.verifying import no_such_row, replay, replayable, verify
from exchina.workflow.writing import written, written_tables

__all__ = [
    "Clock",
    "Closing",
    "Evidence",
    "Occasion",
    "Opened",
    "Published",
    "Rivals",
    "Scenarios",
    "Stress",
    "Track",
    "Tracker",
    "Tried",
    "Wishes",
    "assessed",
    "backtest",
    "best_evidence",
    "calculate",
    "calendar_of",
    "capacity",
    "check",
    "check_scenarios",
    "compared",
    "compared_variants",
    "content_of",
    "creation_basket",
    "differences",
    "distribute",
    "download_faults",
    "evidence_for",
    "fetch",
    "fund_limits",
    "fund_room",
    "fund_variants",
    "gated",
    "index_fund",
    "index_funds",
    "index_rulebook",
    "last_occasion",
    "ledger_of",
    "listed_rivals",
    "no_such_row",
    "open_market",
    "opened",
    "propose",
    "publications",
    "publish",
    "publish_delay",
    "quarantine",
    "read_fund",
    "read_rulebook",
    "read_scenarios",
    "recorded_backtest",
    "refresh_public",
    "replay",
    "replayable",
    "report",
    "restate",
    "series_tables",
    "sound_ledger",
    "stale_premium",
    "stress",
    "study",
    "study_tables",
    "sweep",
    "sweep_table",
    "track",
    "tracking_error_ahead",
    "trial_ledger",
    "undelivered",
    "verify",
    "written",
    "written_report",
    "written_study",
    "written_sweep",
    "written_tables",
]
