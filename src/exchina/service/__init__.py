"""The schedule kept: APScheduler ticks, the ledger decides what is done."""

from exchina.service.passes import Outcome, ahead, missed, run_once, run_pass, waiting
from exchina.service.rehearsal import refuse_live, rehearse

__all__ = ["Outcome", "ahead", "missed", "refuse_live", "rehearse", "run_once", "run_pass", "waiting"]
