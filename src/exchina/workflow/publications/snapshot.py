"""The snapshot of a data cut-off: what every company looked like, frozen for the review that reads it."""

import json

from exchina import history
from exchina.workflow.publications import Brief, Made, publication


@publication("snapshot", "of_review", "internal")
def snapshot(brief: Brief) -> Made:
    """The universe as known at the data cut-off, and where it came from.

    Raises:
        DataError: prices end before the cut-off.
    """
    cutoff, view = brief.review.cutoff, brief.view
    said = {
        "index_id": brief.book.index.id,
        "effective": str(brief.review.effective),
        "cutoff": str(cutoff),
        "market": view.provenance.market,
        "kind": view.provenance.kind,
        "source": view.provenance.source,
        "prices_through": str(view.provenance.through),
        "assumptions": view.provenance.assumptions,
    }
    text = json.dumps(said, indent=1, sort_keys=True, ensure_ascii=False) + "\n"
    return Made({"universe.ndjson": universe_seen(brief), "snapshot.json": text.encode()}, {})


def universe_seen(brief: Brief) -> bytes:
    """The universe that the review of a brief reads, as JSON lines, a company each, in one order."""
    return history.universe_read(brief.book, brief.view, brief.review.cutoff).sort("company_id").write_ndjson().encode()
