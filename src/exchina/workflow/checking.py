"""The verb that reads everything a workspace holds and names every fault in it at once."""

from dataclasses import replace
from typing import Any

from exchina.errors import ExchinaError, Problem, did_you_mean
from exchina.fund.contradictions import unknown_venues
from exchina.market.overrides import check_overrides, idle, read_overrides
from exchina.market.store import load, markets
from exchina.model import Reference
from exchina.reference import check_reference, read_reference
from exchina.rulebook import unknown_companies
from exchina.workflow.distributing import subscribers_of
from exchina.workflow.indices import index_rulebook
from exchina.workflow.stress import check_scenarios
from exchina.workflow.tracking import read_fund
from exchina.workspace import Workspace


def check(workspace: Workspace) -> list[Problem]:
    """Every problem of a workspace: reference, overrides, rulebooks, funds, layouts, schedule, subscribers, scenarios,
    store.
    """
    from exchina.reporting.layout import read_layout
    from exchina.schedule import parse_schedule

    problems = [*check_reference(workspace.reference), *check_overrides(workspace.reference)]
    reference = None if problems else read_reference(workspace.reference)
    for index_id in workspace.index_ids():
        problems += _rulebook_problems(workspace, index_id, reference)
        problems += [
            one for name in workspace.fund_ids(index_id) for one in _fund_problems(workspace, index_id, name, reference)
        ]
    for path in sorted(workspace.reports.glob("layouts/*.toml")):
        problems += _tried(read_layout, path.read_text(encoding="utf-8"), str(path))
    if (schedule := workspace.schedule).is_file():
        problems += _tried(parse_schedule, schedule.read_text(encoding="utf-8"), workspace.index_ids(), str(schedule))
    problems += _tried(subscribers_of, workspace)
    problems += check_scenarios(workspace)
    for market in markets(workspace.store):
        problems += _market_problems(workspace, market, overrides_sound=reference is not None)
    return problems


def _tried(read: Any, *arguments: Any) -> list[Problem]:
    try:
        read(*arguments)
    except ExchinaError as fault:
        return list(fault.problems)
    return []


def _rulebook_problems(workspace: Workspace, index_id: str, reference: Reference | None) -> list[Problem]:
    """Faults of a rulebook, and the companies and calendars that it names and the reference does not know."""
    from exchina.market.calendar import ALWAYS

    try:
        book = index_rulebook(workspace, index_id)
    except ExchinaError as fault:
        return list(fault.problems)
    if reference is None:
        return []
    calendars = sorted({*reference.venues["calendar"], *ALWAYS})
    faults = unknown_companies(book, reference.companies["id"].to_list())
    if book.review.calendar not in calendars:
        hint = did_you_mean(book.review.calendar, calendars)
        faults.append(Problem("review.calendar", f"no calendar called {book.review.calendar!r}", hint))
    return [Problem(f"{workspace.rulebook(index_id)}: {one.where}", one.what, one.hint) for one in faults]


def _fund_problems(workspace: Workspace, index_id: str, name: str, reference: Reference | None) -> list[Problem]:
    """Faults of a fund file, and the markets that it names and the reference does not know."""
    path = workspace.fund(index_id, name)
    try:
        fund = read_fund(path)
    except ExchinaError as fault:
        return list(fault.problems)
    faults = unknown_venues(fund, reference.venues["mic"].to_list()) if reference is not None else []
    if fund.facts.id != name:
        faults.append(Problem("fund.id", f"found {fund.facts.id!r} in the file {path.name}", f'write id = "{name}"'))
    return [replace(one, where=f"{path}: {one.where}") for one in faults]


def _market_problems(workspace: Workspace, market: str, *, overrides_sound: bool) -> list[Problem]:
    """A store that is damaged, or decisions on rows that it does not hold."""
    try:
        quarantine = load(workspace.store, market)[0].quarantine
    except ExchinaError as fault:
        return list(fault.problems)
    return idle(read_overrides(workspace.reference), market, quarantine) if overrides_sound else []
