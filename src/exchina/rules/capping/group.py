"""The most that stated groups of companies may weigh; a company may be in several."""

from typing import Annotated, NotRequired

import polars as pl
from pydantic import Field
from typing_extensions import TypedDict

from exchina.rules.registers import cap

ALSO = pl.List(pl.Struct({"group": pl.String, "at_most": pl.Float64, "at_least": pl.Float64}))


class Group(TypedDict):
    """A named group: its companies and the share of the index that they may have together."""

    of: Annotated[list[str], Field(min_length=1)]
    at_most: Annotated[float, Field(gt=0, le=1)]
    at_least: NotRequired[Annotated[float, Field(ge=0, le=1)]]


def _in_order(*, groups: dict[str, Group]) -> str | None:
    wrong = [name for name, one in groups.items() if one.get("at_least", 0.0) > one["at_most"]]
    return f"at_least lies above at_most for {', '.join(wrong)}" if wrong else None


@cap("group", "groups", "bands", check=_in_order)
def group(
    universe: pl.DataFrame,
    *,
    groups: Annotated[
        dict[str, Group], Field(min_length=1, examples=[{"alliance": {"of": ["company-01"], "at_most": 0.2}}])
    ],
) -> pl.DataFrame:
    """at_least <= sum of w over the companies of a group <= at_most; groups may overlap.

    Args:
        universe: selected companies; reads company_id.
        groups: by name: ``of`` (company ids; those that are not members count nothing), ``at_most`` and, where wanted,
            ``at_least``, as fractions of the index.

    Example:
        >>> named = {"serra_verde": {"of": ["a", "b"], "at_most": 0.2}, "alliance": {"of": ["b"], "at_most": 0.1}}
        >>> capped = group(pl.DataFrame({"company_id": ["a", "b", "c"]}), groups=named)
        >>> capped["group"].to_list(), capped["also"].to_list()[1]
        (['serra_verde', 'serra_verde', 'c alone'], [{'group': 'alliance', 'at_most': 0.1, 'at_least': 0.0}])
    """
    ids = sorted({company for one in groups.values() for company in one["of"]})
    listed = {
        company: [
            {"group": name, "at_most": one["at_most"], "at_least": one.get("at_least", 0.0)}
            for name, one in groups.items()
            if company in one["of"]
        ]
        for company in ids
    }
    known = pl.DataFrame({"company_id": ids, "in": list(listed.values())}, schema={"company_id": pl.String, "in": ALSO})
    first = pl.col("in").list.first().struct
    return universe.join(known, on="company_id", how="left", maintain_order="left").select(
        group=pl.coalesce(first.field("group"), pl.format("{} alone", "company_id")),
        at_most=first.field("at_most").fill_null(1.0),
        at_least=first.field("at_least").fill_null(0.0),
        also=pl.col("in").list.slice(1),
    )
