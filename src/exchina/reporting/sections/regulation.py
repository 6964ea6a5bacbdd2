"""How the weights stand to the diversification tests of fund law."""

import polars as pl

from exchina.reporting import section
from exchina.reporting.document import Block, Disclosure
from exchina.reporting.parts import Parts
from exchina.reporting.wording import listed, percent

LEAD = {"at_review": "New weights", "before_review": "Weights before the review, as drifted"}
REMARK = "The law binds a fund, not an index; weights may drift across a limit between reviews."


@section("regulation")
def regulation(parts: Parts) -> list[Block]:
    """Which tests the new weights and the drifted ones pass, with the number of each that fails; nothing if not tested.

    Args:
        parts: reads the basket's checks.
    """
    checks = parts.composition.checks
    said = [f"{lead}: {_said(checks.filter(when=when))}." for when, lead in LEAD.items() if when in checks["when"]]
    if not said:
        return []
    return [Disclosure((("Diversification tests.", " ".join([*said, REMARK])),), place="full")]


def _said(checks: pl.DataFrame) -> str:
    words: list[str] = []
    for (rule,), tests in checks.group_by("rule", maintain_order=True):
        failed = [_failed(test) for test in tests.filter(~pl.col("passed")).to_dicts()]
        unknown = tests["passed"].null_count()
        open_ = f" ({'votes' if unknown == 1 else f'{unknown} tests'} not tested)" if unknown else ""
        words.append(f"{rule} fails, {listed(failed)}{open_}" if failed else f"{rule} passes{open_}")
    return "; ".join(words)


def _failed(test: dict[str, object]) -> str:
    found, limit = test["found"], test["limit"]
    if test["test"] == "companies":
        return f"{found:g} companies, at least {limit:g}"
    return f"{test['test']} {percent(found)}, limit {percent(limit, 0)}"  # pyright: ignore[reportArgumentType]
