"""The file of a fund: TOML text -> `Fund`, or every problem in it at once; `Fund` -> plain English."""

import tomllib
from collections.abc import Mapping
from dataclasses import replace
from hashlib import sha256
from typing import Any

from exchina.errors import Problem, RulebookError, did_you_mean
from exchina.fund import registers, terms
from exchina.fund.contradictions import contradictions, contradictions_of_lines
from exchina.fund.terms import Chosen, Fund, FundFacts
from exchina.plugins import Register, checked_as

LINES: dict[str, dict[str, type]] = {
    "vehicle": {
        "fee": terms.Fee,
        "distribution": terms.Distribution,
        "withholding": terms.Withholding,
        "lending": terms.Lending,
        "hedge": terms.Hedge,
    },
    "dealing": {"creation": terms.Creation, "swing": terms.Swing},
    "holdings": {"cash": terms.Cash, "dividends": terms.Dividends, "lots": terms.Lots, "costs": terms.Costs},
    "replication": {"execution": terms.Execution},
    "limits": {},
}
TABLES = ("fund", *LINES)
DEAREST = 0.05


def parse_fund(text: str, where: str = "fund") -> Fund:
    """Read a fund; every line but those of ``[fund]`` needs a ``why``.

    Args:
        text: TOML.
        where: name of the file; problems start with it.

    Raises:
        RulebookError: with every fault in the file, each with its place and a cure.
    """
    try:
        tree = tomllib.loads(text)
    except tomllib.TOMLDecodeError as fault:
        raise RulebookError(Problem(where, f"not valid TOML: {fault}")) from fault
    problems = _misplaced(tree)
    tables = {name: table for name, table in tree.items() if name in TABLES and isinstance(table, dict)}
    made, why = dict[str, Any](), dict[str, str]()
    if "fund" in tables:
        made["facts"] = _read("fund", tables["fund"], FundFacts, problems)
    for table in LINES:
        _lines(tables, table, made, why, problems)
    if set(tree) <= set(tables):  # else terms may stand where they are not read
        if "vehicle.fee" not in why:
            problems.append(Problem("vehicle.fee", "this line is required", 'fee = { per_year = 0.0059, why = "..." }'))
        problems += _clashes(made, why)
    if problems:
        raise RulebookError(*(Problem(f"{where}: {one.where}", one.what, one.hint) for one in problems))
    return Fund(**made, why=why, text=text, content_hash=sha256(text.encode()).hexdigest())


def _misplaced(tree: Mapping[str, Any]) -> list[Problem]:
    """Tables that no fund has, or that are none, and the one that it must have."""
    problems = [
        Problem(name, f"no table called [{name}]", did_you_mean(name, TABLES)) for name in tree if name not in TABLES
    ]
    problems += [
        Problem(name, f"found {table!r}", f"[{name}] is a table")
        for name, table in tree.items()
        if name in TABLES and not isinstance(table, dict)
    ]
    if "fund" not in tree:
        problems.append(Problem("fund", "the table [fund] is missing", "every fund needs it"))
    return problems


def _clashes(made: Mapping[str, Any], why: Mapping[str, str]) -> list[Problem]:
    """Contradictions among the lines that could be read; one that could not is not judged by its default."""
    read = {name: noun for name, noun in made.items() if noun is not None}
    unread = [place for place in why if made.get(place.split(".")[1], ()) is None]
    lines: dict[str, Any] = {"facts": None, "fee": None, **read}
    found = contradictions(Fund(**lines)) if "facts" in read else contradictions_of_lines(Fund(**lines))
    return [one for one in found if not any(one.where.startswith(place) for place in unread)]


def _lines(
    tree: Mapping[str, Any], table: str, made: dict[str, Any], why: dict[str, str], problems: list[Problem]
) -> None:
    """Read the lines of a table into the arguments of `Fund`."""
    known, chosen = LINES[table], _chosen_in(table)
    for name, line in tree.get(table, {}).items():
        place = f"{table}.{name}"
        if name not in known and name not in chosen:
            problems.append(Problem(place, f"[{table}] has no line {name!r}", did_you_mean(name, [*known, *chosen])))
            continue
        if not isinstance(line, dict):
            problems.append(Problem(place, f"found {line!r}", f'write {name} = {{ settings, why = "..." }}'))
            continue
        settings = {**line}
        words = settings.pop("why", None)
        why[place] = words.strip() if isinstance(words, str) else ""
        if not why[place]:
            problems.append(Problem(f"{place}.why", "every line says why it is there", 'add why = "..."'))
        if name in known:
            made[name] = _read(place, settings, known[name], problems)
        elif name == "flows":
            made["flows"] = replace(_flows(place, settings, problems), why=why[place])
        else:
            one = replace(_method(chosen[name], place, name, settings, problems), why=why[place])
            made["limits"] = (*made.get("limits", ()), one) if table == "limits" else made.get("limits", ())
            if table == "replication" and "replication" in made:
                problems.append(Problem(place, f"a second method beside {made['replication'].name}", "keep one"))
            elif table == "replication":
                made["replication"] = one


def _chosen_in(table: str) -> dict[str, Register]:
    """The lines of a table that name a method of a register, and that register."""
    if table == "dealing":
        return {"flows": registers.flows}
    register = {"replication": registers.replication, "limits": registers.limits}.get(table)
    return {} if register is None else dict.fromkeys(register.all(), register)


def _flows(place: str, settings: dict[str, Any], problems: list[Problem]) -> Chosen:
    model = settings.pop("model", None)
    if isinstance(model, str):
        return _method(registers.flows, place, model, settings, problems)
    what = "this setting is required" if model is None else f"found {model!r}"
    problems.append(Problem(f"{place}.model", what, f"one of {', '.join(registers.flows.all())}"))
    return Chosen("")


def _method(register: Register, place: str, name: str, settings: Mapping[str, Any], problems: list[Problem]) -> Chosen:
    checked, faults = register.checked_settings(place, name, settings)
    problems += faults
    return Chosen(name, checked)


def _read(place: str, settings: Mapping[str, Any], noun: type, problems: list[Problem]) -> Any:
    fee = settings.get("per_year") if noun is terms.Fee else None
    if isinstance(fee, int | float) and not 0 <= fee <= DEAREST:
        what = f"{fee:g} is {fee:,.0%} of net assets a year"
        problems.append(
            Problem(f"{place}.per_year", what, "a fee is a fraction from 0 to 0.05, such as 0.0059 for 0.59 %")
        )
        settings = {**settings, "per_year": 0.0}
    made, faults = checked_as(noun, settings, place)
    problems += faults
    return made


def fund_in_english(fund: Fund) -> str:
    """A fund as a person would read it aloud: each line that its file has, with its settings and why."""
    facts = fund.facts
    lines = [
        f"{facts.name} ({facts.id}), a {'UCITS' if facts.law == 'ucits' else 'fund under the US 1940 Act'}",
        f"Launched {facts.launch} with {facts.seed:,.0f} {facts.currency}, {facts.seeded.replace('_', ' ')}, at "
        f"{facts.share_price:g} a share; tracks {facts.benchmark} in {facts.currency}.",
        f"Its shares trade on {facts.listed_on}. What its name says are issuers whose rare-earth exposure is "
        f"{' or '.join(facts.theme) or 'none'}.",
        "",
    ]
    chosen = {f"limits.{one.name}": one for one in fund.limits}
    chosen |= {"dealing.flows": fund.flows, f"replication.{fund.replication.name}": fund.replication}
    for place, why in fund.why.items():
        name = place.split(".")[1]
        if place in chosen:
            named = [chosen[place].name] if place == "dealing.flows" else []
            told = [*named, *(f"{key} {_plain(value)}" for key, value in chosen[place].settings.items())]
        else:
            line = getattr(fund, name)
            told = [f"{key} {_plain(getattr(line, key))}" for key in line.__dataclass_fields__]
        lines.append(f"{place}: {', '.join(told)}. {why}".replace("_", " ").replace(": . ", ": "))
    return "\n".join(lines)


def _plain(value: Any) -> str:
    if isinstance(value, Mapping):
        return ", ".join(f"{key} {_plain(part)}" for key, part in value.items()) or "none"
    if isinstance(value, list | tuple):
        return ", ".join(_plain(part) for part in value) or "none"
    return f"{value:,.12g}" if isinstance(value, float) else str(value)
