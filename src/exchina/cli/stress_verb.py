"""The command that puts an index through scenarios, with the measures behind its members and without them."""

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from exchina import terminal
from exchina.cli.common import COMMON, DATA, Common, Data, Flag, Kinds, Listing, app, book_of, view_of
from exchina.cli.stress_tables import show_details, show_replay, show_reverse, show_stress

if TYPE_CHECKING:
    from exchina.analytics.stress.replay import Replay
    from exchina.workflow.stress import Scenarios, Stress

SAID = "No scenario carries a probability, and none is a forecast: these are answers to an if, on stated assumptions."
SMALL = (
    "Cash flow explains a small part of what shares do on such days: --replay shows what past events did. "
    "Cash flow and revenue are two readings, not a range."
)


@app.command
def stress(
    index: str | None = None,
    *,
    scenario: Kinds = (),
    list_: Listing = False,
    details: Flag = False,
    replay: Flag = False,
    kind: Kinds = (),
    reverse: float | None = None,
    data: Data = DATA,
    common: Common = COMMON,
) -> int:
    """Put the weights of an index through scenarios: what it loses with the policy measures in force, and without.

    Parameters:
        index: an index of the workspace.
        scenario: ids of scenarios, such as ndpr-40 truce; all if not given.
        list_: list the scenarios of the workspace and stop.
        details: show each company, who pays the floors, and every number used with its source.
        replay: show what every past policy shock did to today's members, on today's weights.
        kind: with --replay, only these kinds of event, such as china_easing; else those that the named scenarios name.
        reverse: show the least implausible move that costs this loss, such as 0.2 for 20 %.
    """
    from exchina import workflow
    from exchina.workflow.stress import read_scenarios, replay_events
    from exchina.workflow.stress import reverse as reversed_from
    from exchina.workflow.stress import stress as stressed

    asked = read_scenarios(common.place(), scenario)
    if list_:
        return _listed(asked, common)
    wanted = _checked(index, kind, reverse, replay=replay)
    kinds = kind or (tuple(dict.fromkeys(k for one in asked.scenarios for k in one.facts.replay)) if scenario else ())
    with terminal.working("computing"):
        view = view_of(data, common)
        basket = workflow.propose(book_of(wanted, common), view)
        result = stressed(basket, view, asked)
        past = replay_events(basket, view, kinds=kinds or None) if replay else None
        back = reversed_from(basket, view, reverse) if reverse is not None else None
    if common.json:
        terminal.as_json(_plain(result, past, back), result.provenance)
        return 0
    show_stress(result, named=bool(scenario))
    if details:
        show_details(result)
    if past is not None:
        show_replay(past)
    if back is not None:
        show_reverse(back)
    terminal.say(SAID)
    terminal.say(SMALL)
    terminal.say(f"HYPOTHETICAL. {terminal.label(result.provenance)}")
    return 0


def _checked(index: str | None, kind: tuple[str, ...], reverse: float | None, *, replay: bool) -> str:
    """The index asked for; wishes that contradict one another are refused at once."""
    from exchina.errors import ExchinaError, Problem

    problems: list[Problem] = []
    if index is None:
        hint = "exchina stress magnet-chain; exchina stress --list names the scenarios"
        problems.append(Problem("stress", "no index named", hint))
    if kind and not replay:
        problems.append(Problem("stress.kind", "kinds of event are those of a replay", "add --replay"))
    if reverse is not None and not 0 < reverse < 1:
        hint = "a loss between 0 and 1, such as 0.2 for 20 %"
        problems.append(Problem("stress.reverse", f"found {reverse:g}", hint))
    if problems or index is None:
        raise ExchinaError(*problems)
    return index


def _listed(asked: "Scenarios", common: Common) -> int:
    rows = [
        {
            "id": one.facts.id,
            "version": one.facts.version,
            "date": one.facts.date,
            "author": one.facts.author,
            "what happens": one.facts.title,
            "years": one.facts.horizon_years,
            "points": len(one.grid()),
        }
        for one in asked.scenarios
    ]
    if common.json:
        terminal.as_json({"scenarios": rows})
    else:
        terminal.table(rows, "Scenarios")
        terminal.say(f"Files: {Path('indices') / 'scenarios'}, one a scenario; points: how many combinations it holds.")
    return 0


def _plain(result: "Stress", past: "Replay | None", back: Mapping[str, Any] | None) -> dict[str, object]:
    found: dict[str, object] = {
        "index": result.basket.book.index.id,
        "effective": result.basket.review.effective,
        "day": result.day,
        "indicative": result.indicative,
        "hypothetical": True,
        "caution": SAID,
        "assumptions": f"{result.scenarios.assumptions.id} {result.scenarios.assumptions.version}",
        "table": result.table.to_dicts(),
        "stages": result.stages.to_dicts(),
        "companies": {
            one.facts.id: sheet.companies.to_dicts()
            for one, sheet in zip(result.scenarios.scenarios, result.worksheets, strict=True)
        },
        "payers": {
            one.facts.id: sheet.payers.to_dicts()
            for one, sheet in zip(result.scenarios.scenarios, result.worksheets, strict=True)
        },
        "financing": result.financing.to_dicts(),
        "propagated": result.propagated.to_dicts(),
        "inputs": result.firms.inputs.to_dicts(),
        "measures": result.firms.measures.to_dicts(),
    }
    if past is not None:
        found["replay"] = {"events": past.events.to_dicts(), "names": past.names.to_dicts()}
    if back is not None:
        found["reverse"] = {**back, "moves": back["moves"].to_dicts()}
    return found
