"""Every rule of the index with the reason that its designers gave."""

from exchina.reporting import section
from exchina.reporting.document import Block, Column, Heading, Place, Table
from exchina.reporting.parts import Parts
from exchina.reporting.wording import rule_name

STEP = {"screen": "Screen", "select": "Select", "weight": "Weight", "cap": "Cap"}


@section("rules")
def rules(parts: Parts, *, retail_only: bool = True, place: Place = "main") -> list[Block]:
    """The rules in the order in which they are applied.

    Args:
        parts: reads the rulebook.
        retail_only: whether only a document without a back-test shows them, in the room that leaves.
        place: where the table stands.
    """
    if retail_only and not parts.withheld:
        return []
    rows = tuple((STEP[rule.kind], rule_name(rule), rule.why) for rule in parts.book.rules)
    columns = (Column("Step"), Column("Rule"), Column("Why", wide=True))
    return [
        Heading("The rules and their reasons", note="in the order in which they are applied", place=place),
        Table(columns, rows, "Each rule of the index and the reason for it", place=place),
    ]
