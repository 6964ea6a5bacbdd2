"""TOML text -> a stress scenario, or the assumptions on firms; every fault at once, each with a cure.

A number in either file is a *quantity*: its value (or a list, which makes a grid), its unit, where it comes from and
how far to trust it. A quantity without a source is refused unless its confidence says that it is an assumption.
"""

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date as Day  # noqa: N812  fields below are called date
from itertools import product
from typing import Any, Literal, TypeAlias, cast

from pydantic.dataclasses import dataclass as checked

from exchina.analytics.stress.quantities import (
    GENERAL,
    SHOCKS,
    STAGE,
    UPSIDE,
    Quantity,
    faults_of,
    quantities,
    quantity,
    read_as,
    table_of,
)
from exchina.errors import Problem, RulebookError, did_you_mean
from exchina.model import STRICT
from exchina.tables.reference_words import STAGES

MOST_YEARS = 30
Propagation: TypeAlias = Literal["isolated", "upstream"]


@checked(frozen=True, config=STRICT)
class ScenarioFacts:
    """What a scenario says of itself.

    Attributes:
        version: a changed number is a new version.
        horizon_years: years over which a shock to cash flow is felt, 1 to 30.
        propagation: ``isolated``, each firm by its own worksheet; ``upstream``, also what covariances make of the
            shock to sellers and projects for the other members, shown beside it.
        opinion: whether the scenario is somebody's view and must be labelled so.
        replay: kinds of past events that resemble it, in `exchina study --kind`.
    """

    id: str
    version: str
    date: Day
    author: str
    title: str
    narrative: str
    horizon_years: int
    propagation: Propagation
    opinion: bool
    replay: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Scenario:
    """One scenario file; ``shocks`` by name of `SHOCKS`, ``text`` as it was read."""

    facts: ScenarioFacts
    shocks: Mapping[str, Quantity]
    text: str

    def grid(self) -> list[dict[str, float]]:
        """Every combination of the listed values, the headline first; a quantity not shocked is 0, no allied floor."""
        names = list(self.shocks)
        cells = product(*(self.shocks[name].value for name in names))
        return [{**dict.fromkeys(SHOCKS, 0.0), **dict(zip(names, cell, strict=True))} for cell in cells]


@dataclass(frozen=True, slots=True)
class Assumptions:
    """What is assumed of firms of which it is not known: in general, by stage, and of the upside of a floor by id."""

    id: str
    version: str
    date: Day
    general: Mapping[str, Quantity]
    stages: Mapping[str, Mapping[str, Quantity]]
    upsides: Mapping[str, tuple[Quantity, Day]]

    def __getitem__(self, name: str) -> float:
        """A general value."""
        return self.general[name].value[0]

    def of_stage(self, stage: str, name: str) -> Quantity | None:
        """A value assumed for a stage; None where the file has none."""
        return self.stages.get(stage, {}).get(name)


def parse_scenario(text: str, where: str = "scenario") -> Scenario:
    """Read a scenario.

    Args:
        text: TOML with the tables ``[scenario]`` and ``[shock.NAME]`` for each quantity that moves.
        where: name of the file; problems start with it.

    Raises:
        RulebookError: with every fault in the file.
    """
    tree, problems = _tree(text, where, ("scenario", "shock"))
    facts = _facts(tree.get("scenario"), problems)
    shocks = quantities(tree.get("shock"), "shock", SHOCKS, problems)
    if not shocks and not problems:
        problems.append(Problem("shock", "nothing is shocked", f"add [shock.NAME]: {', '.join(SHOCKS)}"))
    problems += [] if problems else _still(shocks)
    if facts and not 1 <= facts.horizon_years <= MOST_YEARS:
        hint = f"at least 1 and at most {MOST_YEARS}"
        problems.append(Problem("scenario.horizon_years", f"found {facts.horizon_years}", hint))
    if problems or facts is None:
        raise RulebookError(*(Problem(f"{where}: {p.where}", p.what, p.hint) for p in problems))
    return Scenario(facts, shocks, text)


def parse_assumptions(text: str, where: str = "assumptions") -> Assumptions:
    """Read the assumptions on firms; every general quantity must be there, with one value each.

    Args:
        text: TOML: ``[assumptions]`` (id, version, date), ``[general.NAME]``, ``[stage.STAGE.NAME]`` and, for floors of
            the registry, ``[upside.ID]`` with the day ``from`` which the upside is shared.
        where: name of the file; problems start with it.

    Raises:
        RulebookError: with every fault in the file.
    """
    tree, problems = _tree(text, where, ("assumptions", "general", "stage", "upside"))
    head = tree.get("assumptions")
    head = cast("dict[str, Any]", head) if isinstance(head, dict) else {}
    kinds: dict[str, type] = {"id": str, "version": str, "date": Day}
    problems += [
        Problem(f"assumptions.{name}", f"found {head.get(name)!r}", f"a {kind.__name__} is needed")
        for name, kind in kinds.items()
        if not isinstance(head.get(name), kind)
    ]
    general = quantities(tree.get("general"), "general", GENERAL, problems)
    problems += [
        Problem(f"general.{name}", "this quantity is missing", f"unit: {GENERAL[name][0]}")
        for name in GENERAL
        if name not in table_of(tree.get("general"))
    ]
    stages: dict[str, dict[str, Quantity]] = {}
    for stage, values in table_of(tree.get("stage")).items():
        if stage not in STAGES:
            problems.append(Problem(f"stage.{stage}", f"no stage called {stage!r}", did_you_mean(stage, STAGES)))
        stages[stage] = quantities(values, f"stage.{stage}", STAGE, problems)
    upsides = _upsides(table_of(tree.get("upside")), problems)
    for place, one in [(f"general.{n}", q) for n, q in general.items()]:
        if len(one.value) > 1:
            problems.append(Problem(place, f"found {list(one.value)}", "one value; a grid belongs in a scenario"))
    if problems:
        raise RulebookError(*(Problem(f"{where}: {p.where}", p.what, p.hint) for p in problems))
    return Assumptions(head["id"], head["version"], head["date"], general, stages, upsides)


def _tree(text: str, where: str, tables: tuple[str, ...]) -> tuple[dict[str, Any], list[Problem]]:
    try:
        tree = tomllib.loads(text)
    except tomllib.TOMLDecodeError as fault:
        raise RulebookError(Problem(where, f"not valid TOML: {fault}")) from fault
    return tree, [
        Problem(name, f"no table called [{name}]", did_you_mean(name, tables)) for name in tree if name not in tables
    ]


def _still(shocks: Mapping[str, Quantity]) -> list[Problem]:
    """Quantities that never move, and a headline in which nothing does; decay alone moves nothing."""
    moving = {name: one.value for name, one in shocks.items() if name != "decay"}
    problems = [
        Problem(f"shock.{name}.value", "found 0 alone: nothing is shocked", "give its size, or leave it out")
        for name, values in moving.items()
        if values and not any(values)
    ]
    if shocks and not problems and not any(values[0] for values in moving.values() if values):
        hint = "put the value of the headline first, not 0; decay alone is no shock"
        problems.append(Problem("shock", "nothing is shocked in the headline, the first value of each list", hint))
    return problems


def _facts(found: object, problems: list[Problem]) -> ScenarioFacts | None:
    if not isinstance(found, dict):
        problems.append(Problem("scenario", "the table [scenario] is missing", "every scenario needs it"))
        return None
    return read_as(found, "scenario", ScenarioFacts, problems)


def _upsides(found: Mapping[str, Any], problems: list[Problem]) -> dict[str, tuple[Quantity, Day]]:
    made: dict[str, tuple[Quantity, Day]] = {}
    for name, line in found.items():
        settings = table_of(line)
        since = settings.get("from")
        if not isinstance(since, Day):
            problems.append(Problem(f"upside.{name}.from", f"found {since!r}", "the day from which it is shared"))
            continue
        one = quantity({key: part for key, part in settings.items() if key != "from"}, f"upside.{name}", problems)
        if one is not None:
            problems += faults_of(one, f"upside.{name}", *UPSIDE["upside"])
            made[name] = (one, since)
    return made
