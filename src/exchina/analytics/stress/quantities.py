"""A number with its unit, source and confidence, and what may be shocked or assumed, in which unit and bounds."""

from collections.abc import Mapping
from typing import Any, Literal, TypeAlias, cast

from pydantic import TypeAdapter, ValidationError
from pydantic.dataclasses import dataclass as checked

from exchina.errors import Problem, did_you_mean
from exchina.model import STRICT
from exchina.plugins import located
from exchina.tables.reference_words import WEAK

Confidence: TypeAlias = Literal["high", "medium", "low", "memory", "assumption"]
PRICE = "USD/kg without VAT"
SHOCKS: dict[str, tuple[str, float, float]] = {
    "ndpr_price": ("fraction of the price", -1.0, 10.0),
    "decay": ("per year", 0.0, 10.0),
    "floors_repealed": ("fraction of the floored volume", 0.0, 1.0),
    "sponsor_haircut": ("fraction of the floor payments", 0.0, 1.0),
    "offtake_default": ("fraction of the volume under a duty to buy", 0.0, 1.0),
    "allied_floor": (PRICE, 0.0, 1000.0),
    "independence": ("fraction of magnets made outside China", 0.0, 1.0),
}
GENERAL: dict[str, tuple[str, float, float]] = {
    "ndpr_price": (PRICE, 0.01, 1000.0),
    "discount_rate": ("per year", -0.5, 1.0),
    "tax_rate": ("fraction", 0.0, 1.0),
    "sales_pure": ("rare earth share of sales", 0.0, 1.0),
    "sales_quasi": ("rare earth share of sales", 0.0, 1.0),
    "sales_marginal": ("rare earth share of sales", 0.0, 1.0),
    "ndpr_share": ("NdPr share of rare earth sales", 0.0, 1.0),
    "oxide_per_magnet": ("kg NdPr oxide per kg magnet", 0.01, 1.0),
    "magnet_price": ("USD/kg magnet", 1.0, 1000.0),
    "passthrough": ("fraction of a price change", 0.0, 1.0),
    "floored_feed": ("fraction of the feed", 0.0, 1.0),
    "feed_share": ("NdPr feed as a fraction of sales", 0.0, 1.0),
    "stock_days": ("days of feed", 0.0, 730.0),
    "independence": ("fraction of magnets made outside China", 0.001, 1.0),
    "plant_life": ("years", 1.0, 60.0),
    "oxide_capital": ("USD per kg of yearly capacity", 0.0, 5000.0),
    "magnet_capital": ("USD per kg of yearly capacity", 0.0, 5000.0),
    "magnet_margin": ("USD/kg magnet", -500.0, 500.0),
}
STAGE: dict[str, tuple[str, float, float]] = {
    "sales_to_value": ("yearly sales over market value", 0.0, 10.0),
    "unit_cost": ("USD/kg NdPr, all in", 0.0, 1000.0),
    "elasticity": ("% of project value per % of price", 0.0, 10.0),
}
UPSIDE: dict[str, tuple[str, float, float]] = {"upside": ("fraction of the price above the floor", 0.0, 1.0)}


@checked(frozen=True, config=STRICT)
class Quantity:
    """A number with its unit, source and confidence; several values make a grid, the first is the headline."""

    value: tuple[float, ...]
    unit: str
    confidence: Confidence
    source: str = ""


def table_of(found: object) -> dict[str, Any]:
    """What a TOML table holds; nothing if it is none."""
    return cast("dict[str, Any]", found) if isinstance(found, dict) else {}


def quantities(
    found: object, place: str, known: Mapping[str, tuple[str, float, float]], problems: list[Problem]
) -> dict[str, Quantity]:
    """The quantities of a table: known by name, in their unit, within bounds, and with a source."""
    made: dict[str, Quantity] = {}
    for name, line in table_of(found).items():
        where = f"{place}.{name}"
        if name not in known:
            problems.append(Problem(where, f"no quantity called {name!r}", did_you_mean(name, known)))
            continue
        if not isinstance(line, dict):
            hint = f'write {{ value, unit = "{known[name][0]}", confidence, source }}'
            problems.append(Problem(where, f"found {line!r}", hint))
            continue
        one = quantity(line, where, problems)
        if one is not None:
            problems += faults_of(one, where, *known[name])
            made[name] = one
    return made


def quantity(line: Mapping[str, Any], where: str, problems: list[Problem]) -> Quantity | None:
    """One quantity; None, and problems, where it is not one."""
    value = line.get("value")
    listed = {**line, "value": value if isinstance(value, list) else [value]} if "value" in line else line
    return read_as(listed, where, Quantity, problems)


def faults_of(one: Quantity, where: str, unit: str, least: float, most: float) -> list[Problem]:
    """What is wrong with a quantity: its unit, its bounds, values that repeat, no source."""
    problems: list[Problem] = []
    if one.unit != unit:
        problems.append(Problem(f"{where}.unit", f"found {one.unit!r}", f'write unit = "{unit}"'))
    if not one.value or len(set(one.value)) < len(one.value):
        problems.append(Problem(f"{where}.value", f"found {list(one.value)}", "at least one value, each once"))
    problems += [
        Problem(f"{where}.value", f"found {value:g}", f"from {least:g} to {most:g} ({unit})")
        for value in one.value
        if not least <= value <= most
    ]
    if not one.source.strip() and one.confidence not in WEAK:
        hint = f"name the source, or say confidence = one of {', '.join(WEAK)}"
        problems.append(Problem(f"{where}.source", f"confidence {one.confidence} without a source", hint))
    return problems


def read_as(found: object, place: str, noun: Any, problems: list[Problem]) -> Any:
    """A table as a checked dataclass; None, and problems with a spelling hint, where it is not one."""
    try:
        return TypeAdapter(noun).validate_python(found)
    except ValidationError as fault:
        fields = list(noun.__dataclass_fields__)
        for error in fault.errors():
            if error["type"] in ("unexpected_keyword_argument", "extra_forbidden"):
                key = str(error["loc"][-1])
                problems.append(Problem(f"{place}.{key}", f"no setting called {key!r}", did_you_mean(key, fields)))
            else:
                problems.append(located(place, error))
        return None
