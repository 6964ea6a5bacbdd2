"""The draft of a review, for the committee and nobody else."""

from exchina.workflow.composing import pages, report
from exchina.workflow.publications import Brief, Made, publication
from exchina.workflow.publications.announcement import basket_files, decided


@publication("draft", "of_review", "internal", "documents")
def draft(brief: Brief) -> Made:
    """What a review would decide, as known on the day of the draft.

    Raises:
        DataError: data is missing.
    """
    basket, series = decided(brief)
    document = report(brief.workspace, "draft", basket=basket, series=series, audience="internal")
    printed = {f"draft{suffix}": page for suffix, page in pages(document, brief.workspace).items()}
    return Made({**basket_files(basket), **printed}, {})
