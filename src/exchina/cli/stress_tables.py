"""How a stress looks in a terminal."""

from collections.abc import Mapping
from datetime import timedelta
from textwrap import shorten
from typing import TYPE_CHECKING, Any

from exchina import terminal

if TYPE_CHECKING:
    import polars as pl

    from exchina.analytics.stress.replay import Replay
    from exchina.workflow.stress import Stress

SHOWN = {"floors_repealed": "floors repealed", "sponsor_haircut": "haircut", "ndpr_price": "NdPr %", "decay": "decay"}
SMALLEST = 5e-5
MOST_LINES = 12
LONGEST_TITLE = 60
OWN_FLOOR = "with its own floor %"
LATER = timedelta(days=30)


def show_stress(result: "Stress", *, named: bool) -> None:
    """The table of scenarios, the stages, and for scenarios that were named their whole grid and a sentence."""
    import polars as pl

    review = result.basket.review
    name = result.basket.book.index.name
    which = "next review, indicative: the cut-off is not reached" if result.indicative else "next review"
    said = f"weights of the review effective {review.effective}, on what was known on {result.day}"
    terminal.say(f"{name}, {which}: {said}.")
    heads = [sheet.index.head(2) for sheet in result.worksheets]
    own = any(head["with_scenario_floor"].is_not_null().any() for head in heads)
    rows = [_head(one.facts.title, head, own=own) for one, head in zip(result.scenarios.scenarios, heads, strict=True)]
    terminal.table(
        [{"scenario": one.facts.id, **row} for one, row in zip(result.scenarios.scenarios, rows, strict=True)],
        "Change of the index in %, with the measures in force and without; softened: what the measures save",
    )
    if own:
        terminal.say(
            "Its own floor: one that the scenario supposes on top of the measures in force; it is not in force."
        )
    first = pl.concat([sheet.stages.filter(_same(sheet.index)) for sheet in result.worksheets], how="vertical_relaxed")
    _show_stages(first)
    if named:
        for one, sheet in zip(result.scenarios.scenarios, result.worksheets, strict=True):
            facts = one.facts
            said = f"{facts.id}, version {facts.version} of {facts.date} by {facts.author}: {facts.title}"
            _show_named(said, facts.narrative, sheet.index)
    if result.propagated.height:
        _show_propagated(result.propagated)
    silent = result.firms.table.filter((pl.col("kind") == "seller") & (pl.col("ndpr_kg") == 0))
    if silent.height:
        held = ", ".join(f"{row['name']} ({terminal.percent(row['weight'])} %)" for row in silent.to_dicts())
        terminal.say(f"Sells no NdPr yet, so that its figure is 0 and its project is not in it: {held}.")
    newest = max(result.scenarios.assumptions.date, *(one.facts.date for one in result.scenarios.scenarios))
    if newest > result.day + LATER:
        terminal.say(f"Scenarios and assumptions are of {newest}, later than these weights: they know what came after.")
    weight = heads[0]["assumed_weight"][0]
    used = result.scenarios.assumptions
    terminal.say(
        f"Figures of {terminal.percent(weight)} % of the weight rest on assumptions about the firm "
        f"({used.id}, version {used.version}); tax, discount and decay are assumed for all. --details shows each."
    )


def _head(title: str, head: "pl.DataFrame", *, own: bool) -> dict[str, Any]:
    cash, revenue = head.to_dicts()
    return {
        "if": title,
        "without %": _signed(cash["without_measures"]),
        "with %": _signed(cash["with_measures"]),
        "softened %": _signed(cash["dampener"]),
        **_own_floor(cash, own=own),
        "revenue without %": _signed(revenue["without_measures"]),
        "revenue with %": _signed(revenue["with_measures"]),
    }


def _own_floor(row: Mapping[str, Any], *, own: bool) -> dict[str, str | None]:
    """The column of the scenario's own floor, where any scenario shown has one."""
    return {OWN_FLOOR: terminal.percent(row["with_scenario_floor"], signed=True)} if own else {}


def _signed(value: float | None) -> str:
    return terminal.percent(value, signed=True) or "n/a"


def _same(index: "pl.DataFrame") -> "pl.Expr":
    """The headline point by cash flow: the first row of a scenario's table."""
    import polars as pl

    from exchina.analytics.stress.quantities import SHOCKS

    first = index.row(0, named=True)
    return pl.all_horizontal(pl.col("rule") == "cash_flow", *(pl.col(name) == first[name] for name in SHOCKS))


def _show_stages(first: "pl.DataFrame") -> None:
    import polars as pl

    stages = first["stage"].unique().sort().to_list()
    rows: list[dict[str, Any]] = []
    for (scenario,), part in first.partition_by("scenario", as_dict=True, maintain_order=True).items():
        found = {row["stage"]: row for row in part.to_dicts()}
        rows.append({"scenario": scenario, **{f"{stage} %": _sides(found[stage]) for stage in stages}})
    own = first["with_scenario_floor"].is_not_null().any()
    third = " / with the scenario's own floor as well" if own else ""
    terminal.table(rows, f"By stage, cash flow, without / with the measures{third} (mean by market value)")
    for stage, note in first.filter(pl.col("note").is_not_null()).select("stage", "note").unique().sort("stage").rows():
        terminal.say(f"{stage}, n/a: {note}.")


def _sides(row: Mapping[str, Any]) -> str:
    if row["with_measures"] is None:
        return "n/a"
    third = [] if row["with_scenario_floor"] is None else [_signed(row["with_scenario_floor"])]
    return " / ".join([_signed(row["without_measures"]), _signed(row["with_measures"]), *third])


def _show_named(said: str, narrative: str, index: "pl.DataFrame") -> None:
    import polars as pl

    from exchina.analytics.stress.quantities import SHOCKS

    moving = [name for name in SHOCKS if index[name].n_unique() > 1 or index[name][0] != 0]
    terminal.say(said)
    terminal.say(narrative.strip())
    own = index["with_scenario_floor"].is_not_null().any()
    rows = [
        {
            **{SHOWN.get(name, name.replace("_", " ")): _level(name, row[name]) for name in moving},
            "without %": terminal.percent(row["without_measures"], signed=True),
            "with %": terminal.percent(row["with_measures"], signed=True),
            "softened %": terminal.percent(row["dampener"], signed=True),
            **_own_floor(row, own=own),
            "assumed weight %": terminal.percent(row["assumed_weight"]),
        }
        for row in index.filter(pl.col("rule") == "cash_flow").to_dicts()
    ]
    terminal.table(rows, "every point, by cash flow")
    head = index.row(0, named=True)
    if head["with_measures"] is not None:
        terminal.say(_sentence(head))
    for note in index["note"].drop_nulls().unique(maintain_order=True):
        terminal.say(f"By the revenue rule: {note}.")


def _sentence(head: Mapping[str, Any]) -> str:
    """What may stand in a document: each figure with the world that it belongs to."""
    said = (
        f"If this happened and the assumptions held, these weights would have {_moved(head['with_measures'])} with "
        f"the measures in force and {_moved(head['without_measures'])} without them."
    )
    if head["with_scenario_floor"] is None:
        return said
    return (
        f"{said} Had the scenario's floor of {head['allied_floor']:g} USD/kg held as well, which is not in force, they "
        f"would have {_moved(head['with_scenario_floor'])}."
    )


def _level(name: str, value: float) -> str:
    if name in ("decay", "allied_floor"):
        return f"{value:g}"
    return f"{value:+.0%}" if name == "ndpr_price" else f"{value:.0%}"


def _moved(figure: float) -> str:
    if abs(figure) < SMALLEST:
        return "kept their value"
    return f"{'lost' if figure < 0 else 'gained'} {abs(figure) * 100:.2f} %"


def _show_propagated(table: "pl.DataFrame") -> None:
    sides = {"without": "without", "with": "with", "with_floor": "own floor"}
    shown = [side for side in sides if table[f"isolated_{side}"].is_not_null().any()]
    rows = [
        {
            "scenario": row["scenario"],
            **{
                f"{how} {sides[side]} %": terminal.percent(row[f"{how}_{side}"], signed=True)
                for how in ("isolated", "propagated")
                for side in shown
            },
            "weight left out %": terminal.percent(row["missing"]),
        }
        for row in table.filter(table["note"].is_null()).to_dicts()
    ]
    title = "Isolated, each firm by its worksheet; propagated, those downstream as their returns went with the others"
    terminal.table(rows, title)
    for row in table.filter(table["note"].is_not_null()).to_dicts():
        terminal.say(f"{row['scenario']}, propagated: {row['note']}")


def show_details(result: "Stress") -> None:
    """Each company, who pays the floors, what does not count, and every number used with its source."""
    for one, sheet in zip(result.scenarios.scenarios, result.worksheets, strict=True):
        own = sheet.companies["cash_flow_with_floor"].is_not_null().any()
        rows = [
            {
                "line": row["symbol"],
                "stage": row["stage"],
                "weight %": terminal.percent(row["weight"]),
                "NdPr t": None if not row["ndpr_kg"] else round(row["ndpr_kg"] / 1000),
                "floored %": terminal.percent(row["floored_share"]) if row["floored_share"] else None,
                "EBITDA before, after": _millions(row["ebitda_before"], row["ebitda_after"]),
                "leverage": None if row["operating_leverage"] is None else f"{row['operating_leverage']:.2f}",
                "without %": terminal.percent(row["cash_flow_without"], signed=True),
                "with %": terminal.percent(row["cash_flow_with"], signed=True),
                **({OWN_FLOOR: terminal.percent(row["cash_flow_with_floor"], signed=True)} if own else {}),
                "rests on": row["note"] or ("assumed" if row["assumed"] else "known"),
            }
            for row in sheet.companies.to_dicts()
        ]
        terminal.table(rows, f"{one.facts.id}, company by company, cash flow; EBITDA of the rare earth business, USD m")
        _show_payers(one.facts.id, sheet.payers)
    if result.financing.height:
        promised = [
            {
                "line": row["symbol"],
                "commitments": row["commitments"],
                "USD m": None if row["amount_usd"] is None else round(row["amount_usd"] / 1e6, 1),
                "without an amount": row["undisclosed"],
            }
            for row in result.financing.to_dicts()
        ]
        title = "capital promised to members without NdPr sales, not yet firm; its loss is in no figure here"
        terminal.table(promised, title)
    left = result.firms.measures.filter(result.firms.measures["note"].is_not_null())
    terminal.table(
        [{"measure": r["id"], "what": r["instrument"], "not counted because": r["note"]} for r in left.to_dicts()],
        "measures in force that do not count here",
    )
    _show_inputs(result)
    _show_sources(result)


def _show_payers(scenario: str, payers: "pl.DataFrame") -> None:
    paid = [
        {
            "floor": row["id"],
            "pays": row["bears"],
            "sponsor": row["sponsor"],
            "USD/kg": row["floor"],
            "years left": round(row["years_left"], 1),
            "USD m a year, before": round(row["usd_before"] / 1e6, 1),
            "after": round(row["usd_after"] / 1e6, 1),
        }
        for row in payers.to_dicts()
    ]
    terminal.table(paid, f"{scenario}, who pays the floors")


def _show_inputs(result: "Stress") -> None:
    """Facts company by company; each assumption once, with the lines that it is used for."""
    import polars as pl

    lines = result.firms.table.select("company_id", line="symbol")
    used = result.firms.inputs.join(lines, on="company_id", maintain_order="left")
    number = ("quantity", "value", "unit", "confidence", "source")
    known = used.filter(pl.col("basis") == "known").select("line", *number)
    terminal.table([{**row, "value": f"{row['value']:,.6g}"} for row in known.to_dicts()], "known")
    assumed = used.filter(pl.col("basis") == "assumed").group_by(number, maintain_order=True).agg("line")
    rows = [
        {
            "quantity": f"{row['quantity']} (assumed)",
            "value": f"{row['value']:,.6g}",
            "unit": row["unit"],
            "confidence": row["confidence"],
            "for": "all others of their kind" if len(row["line"]) > MOST_LINES else ", ".join(row["line"]),
            "source": row["source"],
        }
        for row in assumed.to_dicts()
    ]
    terminal.table(rows, "assumed")
    general = [
        {"quantity": f"{name} (assumed)", "value": one.value[0], "unit": one.unit, "confidence": one.confidence}
        for name, one in result.scenarios.assumptions.general.items()
        if name in ("ndpr_price", "discount_rate", "tax_rate", "independence", "plant_life")
    ]
    terminal.table(general, "assumed for all")


def _show_sources(result: "Stress") -> None:
    shocks = [
        {
            "scenario": one.facts.id,
            "quantity": name,
            "value": ", ".join(f"{value:g}" for value in quantity.value),
            "unit": quantity.unit,
            "confidence": quantity.confidence,
            "source": quantity.source,
        }
        for one in result.scenarios.scenarios
        for name, quantity in one.shocks.items()
    ]
    terminal.table(shocks, "what moves, and where the number comes from")


def _millions(before: float | None, after: float | None) -> str | None:
    return None if before is None or after is None else f"{before / 1e6:,.0f}, {after / 1e6:,.0f}"


def show_replay(past: "Replay") -> None:
    """Past events on today's weights."""
    rows = [
        {
            "event": row["event_date"],
            "title": shorten(row["title"], LONGEST_TITLE, placeholder=" …"),
            "kind": row["kind"],
            "raw %": terminal.percent(row["raw"], signed=True) or "refused",
            "abnormal %": terminal.percent(row["abnormal"], signed=True) or "refused",
            "by proxy %": terminal.percent(row["raw_proxied"]),
            "abnormal by proxy %": terminal.percent(row["abnormal_proxied"]),
        }
        for row in past.events.to_dicts()
    ]
    terminal.table(rows, "What past events did in [0,+1], put on today's weights; every event of these kinds")
    terminal.say(
        "By proxy: names not listed or not measurable then, at beta x the median of their stage. Above half of"
    )
    terminal.say(
        "the weight without a return of its own there is no figure. Past events are not a sample of future ones."
    )


def show_reverse(back: Mapping[str, Any]) -> None:
    """The least implausible move that costs a loss."""
    rows = [
        {
            "line": row["symbol"],
            "company": row["name"],
            "weight %": terminal.percent(row["weight"]),
            "move %": terminal.percent(row["move"], signed=True),
        }
        for row in back["moves"].to_dicts()
    ]
    terminal.table(
        rows, f"The least implausible move over {back['horizon_weeks']} weeks that costs {back['loss'] * 100:.4g} %"
    )
    terminal.say(
        f"Distance {back['distance']:.2f}: standard deviations ({back['volatility']:.2%} each) of these weights over "
        f"{back['horizon_weeks']} weeks, by {back['estimated_over_weeks']} weeks of returns in local currency."
    )
    if back["left_out"]:
        terminal.say(f"Left out, too few weeks: {', '.join(back['left_out'])}; the others are scaled to the whole.")
