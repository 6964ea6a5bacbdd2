"""The largest constituents."""

from exchina.reporting import section
from exchina.reporting.document import Block, Column, Heading, Place, Table
from exchina.reporting.parts import Parts, weight_of
from exchina.reporting.wording import counted, country, number, percent, stage


@section("constituents")
def constituents(parts: Parts, *, count: int = 10, place: Place = "full") -> list[Block]:
    """Company, ticker, stage, country, policy score and weight of the heaviest members.

    Args:
        parts: reads the basket.
        count: how many.
        place: where the table stands.
    """
    basket = parts.composition
    largest = basket.members.sort(["weight", "company_id"], descending=[True, False]).head(count)
    weights, scores = largest["weight"].to_list(), largest["policy_score"].to_list()
    columns = (
        Column("Company", wide=True),
        Column("Ticker"),
        Column("Stage", keys=tuple(largest["stage"])),
        Column("Country"),
        Column("Policy score", align="right", bars=tuple(scores)),
        Column("Weight", align="right", bars=tuple(weight / weights[0] for weight in weights)),
    )
    rows = tuple(
        (
            row["name"],
            row["symbol"],
            stage(row["stage"]),
            country(row["country"]),
            number(row["policy_score"]),
            percent(row["weight"]),
        )
        for row in largest.iter_rows(named=True)
    )
    note = (
        f"{percent(weight_of(largest))} of the weight; {counted(basket.members.height, 'constituent')}; "
        f"weights {parts.weights_dated}{', in force after that close' if parts.ahead else ''}"
    )
    return [
        Heading(_title(largest.height, basket.members.height), note=note, place=place),
        Table(columns, rows, "Largest constituents by weight", place=place),
    ]


def _title(shown: int, members: int) -> str:
    if shown == members:
        return "Constituents"
    return f"{'Ten' if shown == 10 else shown} largest constituents"
