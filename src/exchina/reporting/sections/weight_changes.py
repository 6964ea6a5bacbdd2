"""Old weight, new weight and change of every constituent."""

from exchina.reporting import section
from exchina.reporting.document import Block, Column, Heading, Table, Text
from exchina.reporting.parts import Parts, weight_of
from exchina.reporting.wording import country, number, percent, stage


@section("weight_changes")
def weight_changes(parts: Parts, *, at_most: int = 40) -> list[Block]:
    """Weights before and after the review, the heaviest first.

    Args:
        parts: reads the basket.
        at_most: how many rows; the number of the others is stated.
    """
    members = parts.composition.members.sort(["weight", "company_id"], descending=[True, False])
    shown = members.head(at_most)
    weights = shown["weight"].to_list()
    columns = (
        Column("Company", wide=True),
        Column("Ticker"),
        Column("Stage", keys=tuple(shown["stage"])),
        Column("Country"),
        Column("Policy score", align="right"),
        Column("Old weight", align="right"),
        Column("New weight", align="right", bars=tuple(weight / weights[0] for weight in weights)),
        Column("Change, points", align="right"),
    )
    rows = tuple(
        (
            row["name"],
            row["symbol"],
            stage(row["stage"]),
            country(row["country"]),
            number(row["policy_score"]),
            percent(row["previous_weight"], 2),
            percent(row["weight"], 2),
            number(100 * (row["weight"] - row["previous_weight"]), signed=True),
        )
        for row in shown.iter_rows(named=True)
    )
    blocks: list[Block] = [
        Heading(
            "Weights", note="old weights as drifted to the data cut-off; change in percentage points", place="full"
        ),
        Table(columns, rows, "Old and new weight of each constituent", place="full"),
    ]
    more = members.height - shown.height
    left = percent(weight_of(members.slice(at_most)))
    rest = f"The {shown.height} largest of {members.height}; {more} more, {left} of the weight, are in the CSV file."
    return [*blocks, Text(rest, quiet=True, place="full")] if more > 0 else blocks
