"""The head of a document: which index, which document, of which day, for whom."""

from exchina.reporting import section
from exchina.reporting.document import AUDIENCE_LABEL, Block, Masthead
from exchina.reporting.parts import Parts
from exchina.reporting.wording import day


@section("masthead")
def masthead(parts: Parts, *, eyebrow: str, dated: str = "As of") -> list[Block]:
    """Name, objective, date, index id and audience.

    Args:
        parts: reads the rulebook and the day.
        eyebrow: what the document is, such as ``Index factsheet``.
        dated: the words before the day, such as ``Announced``.
    """
    index = parts.book.index
    return [
        Masthead(
            eyebrow=f"{eyebrow} \N{MIDDLE DOT} {AUDIENCE_LABEL[parts.audience]}",
            title=index.name,
            subtitle=index.objective,
            marks=((dated, day(parts.as_of)), ("Index id", index.id)),
            place="full",
        )
    ]
