"""What weightings share: a scheme within a scheme, sizes that are known, and shares that sum to 1."""

from collections.abc import Mapping
from typing import Annotated, Any, TypeAlias

import polars as pl
from pydantic import Field, PlainValidator, ValidationError
from pydantic_core import InitErrorDetails, PydanticCustomError

from exchina.errors import Problem
from exchina.rules.registers import weighting

Share: TypeAlias = Annotated[float, Field(ge=0, le=1)]
ROUNDING = 1e-9


def _checked(scheme: object) -> object:
    """A scheme with its settings checked by the register; every fault is raised at its place."""
    if isinstance(scheme, str):
        _, problems = weighting.checked_settings(scheme, scheme, {})
        _raise(scheme, problems, scheme)
        return scheme
    if not isinstance(scheme, Mapping) or len(scheme) != 1:
        raise PydanticCustomError("scheme", "write the name of one weighting, or {{ name = {{ settings }} }}")
    ((name, settings),) = scheme.items()  # pyright: ignore[reportUnknownVariableType]
    if not isinstance(name, str) or not isinstance(settings, Mapping):
        raise PydanticCustomError("scheme", "write { name = { settings } }")
    checked, problems = weighting.checked_settings(name, name, settings)  # pyright: ignore[reportUnknownArgumentType]
    _raise(name, problems, {name: settings})
    return {name: checked}


def _raise(name: str, problems: list[Problem], given: object) -> None:
    if not problems:
        return
    details: list[InitErrorDetails] = []
    for problem in problems:
        place = tuple(problem.where.split("."))
        found = _found(given, place)
        what = problem.what.removesuffix(f", found {found!r}") + (f" ({problem.hint})" if problem.hint else "")
        said = PydanticCustomError("scheme", "{what}", {"what": what})
        details.append(InitErrorDetails(type=said, loc=place, input=found))
    raise ValidationError.from_exception_data(name, details)


def _found(given: Any, place: tuple[str, ...]) -> object:
    """What stands at a place of the settings as given."""
    for key in place:
        if isinstance(given, Mapping) and key in given:
            given = given[key]  # pyright: ignore[reportUnknownVariableType]
        elif isinstance(given, list) and key.isdigit():
            given = given[int(key)]  # pyright: ignore[reportUnknownVariableType]
    return given  # pyright: ignore[reportUnknownVariableType]


Scheme: TypeAlias = Annotated[str | Mapping[str, Mapping[str, Any]], PlainValidator(_checked, Any)]


def weights_by(scheme: Scheme, universe: pl.DataFrame) -> pl.Series:
    """The weights that a scheme gives: ``"equal"``, or ``{"free_float_cap": {"power": 0.5}}``.

    Args:
        scheme: name of a weighting, or name and settings.
        universe: selected companies.
    """
    name, settings = (scheme, {}) if isinstance(scheme, str) else next(iter(scheme.items()))
    return weighting[name](universe, **settings)


def known(column: str) -> pl.Expr:
    """A column where it is a finite number above zero, else null: such a company gets no weight, and a verdict."""
    value = pl.col(column).cast(pl.Float64)
    return pl.when(value.is_finite() & (value > 0)).then(value)


def shares(universe: pl.DataFrame, size: pl.Expr) -> pl.Series:
    """w_i = f_i / sum_j f_j within each review; null where f is null, or where the whole review has none.

    Example:
        >>> shares(pl.DataFrame({"review": [1, 1, 2], "f": [1.0, 3.0, None]}), pl.col("f")).to_list()
        [0.25, 0.75, None]
    """
    sized = universe.select("review", size=size)
    total = pl.col("size").sum().over("review")
    return sized.select(weight=pl.when(total > 0).then(pl.col("size") / total))["weight"]


def whole(given: Mapping[str, float], of: str) -> str | None:
    """What is wrong with shares that should sum to 1."""
    total = sum(given.values())
    return None if abs(total - 1) < ROUNDING else f"the shares of the {of} sum to {total:g}, not to 1"
