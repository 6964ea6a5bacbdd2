"""Many tests in one report: p-values adjusted for the size of their family.

The family is every test of a report (event class x stage x window x benchmark), with those computed and not printed.
The headline is Holm at 5 %; an exploratory grid takes Benjamini-Hochberg at 10 %, or Benjamini-Yekutieli where tests
overlap, as the windows of one date do.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal, TypeAlias

import numpy as np
import numpy.typing as npt

from exchina.errors import DataError, Problem, did_you_mean

FloatArray: TypeAlias = npt.NDArray[np.float64]
Method: TypeAlias = Literal["bonferroni", "holm", "benjamini_hochberg", "benjamini_yekutieli"]
LEVELS: dict[Method, float] = {
    "bonferroni": 0.05,
    "holm": 0.05,
    "benjamini_hochberg": 0.10,
    "benjamini_yekutieli": 0.10,
}


@dataclass(frozen=True, slots=True)
class Family:
    """Adjusted p-values of a family of tests; tests keep their names and their order.

    Attributes:
        method: how they were adjusted.
        level: error rate at which a test is rejected: family-wise (Bonferroni, Holm) or false discovery rate.
        size: tests in the family, m; those that could not be computed are not among them.
        adjusted: adjusted p of each test, 0 to 1; None where the test could not be computed.
        rejected: whether the adjusted p is at most the level; None where the test could not be computed.
    """

    method: Method
    level: float
    size: int
    adjusted: dict[str, float | None]
    rejected: dict[str, bool | None]

    @property
    def not_computable(self) -> tuple[str, ...]:
        """The tests that stayed out of the family because they have no p."""
        return tuple(name for name, p in self.adjusted.items() if p is None)


def adjust(tests: Mapping[str, float | None], method: Method = "holm", *, level: float | None = None) -> Family:
    """Adjust the p-values of one family.

    With p_(1) <= ... <= p_(m) and c = 1 + 1/2 + ... + 1/m:

        bonferroni           min(1, m p)
        holm                 max over j <= i of min(1, (m - j + 1) p_(j))          Holm 1979
        benjamini_hochberg   min over j >= i of min(1, m p_(j) / j)                Benjamini and Hochberg 1995
        benjamini_yekutieli  min over j >= i of min(1, c m p_(j) / j)              Benjamini and Yekutieli 2001

    Args:
        tests: two-sided p of each test by its name; None where it could not be computed (never NaN).
        method: Holm for a headline.
        level: None takes 5 % for Bonferroni and Holm, 10 % for the other two.

    Raises:
        DataError: a p-value is not between 0 and 1, the level is not above 0 and below 1, or no such method.

    Example:
        >>> family = adjust({"class A": 0.01, "class B": 0.04, "class C": None})
        >>> family.adjusted, family.size, family.not_computable
        ({'class A': 0.02, 'class B': 0.04, 'class C': None}, 2, ('class C',))
    """
    level = LEVELS.get(method, 0.05) if level is None else level
    _check(tests, method, level)
    family = {name: p for name, p in tests.items() if p is not None}
    adjusted = dict(zip(family, _adjusted(np.array([*family.values()], float), method).tolist(), strict=True))
    return Family(
        method=method,
        level=level,
        size=len(family),
        adjusted={name: adjusted.get(name) for name in tests},
        rejected={name: adjusted[name] <= level if name in adjusted else None for name in tests},
    )


def _adjusted(p: FloatArray, method: Method) -> FloatArray:
    order = np.argsort(p, kind="stable")
    ascending, m = p[order], p.size
    rank = np.arange(1, m + 1)
    if method == "bonferroni":
        steps = m * ascending
    elif method == "holm":
        steps = np.maximum.accumulate((m - rank + 1) * ascending)
    else:
        dependence = np.sum(1 / rank) if method == "benjamini_yekutieli" else 1.0
        steps = np.minimum.accumulate((ascending * (m / rank) * dependence)[::-1])[::-1]
    result = np.empty(m)
    result[order] = np.minimum(steps, 1.0)
    return result


def _check(tests: Mapping[str, float | None], method: str, level: float) -> None:
    problems = [
        Problem(f"test {name!r}", f"p is {p}", "a p-value lies between 0 and 1; give None where it is not computable")
        for name, p in tests.items()
        if p is not None and not 0 <= p <= 1
    ]
    if not 0 < level < 1:
        problems.append(Problem("level", f"{level}", "give a rate above 0 and below 1, such as 0.05"))
    if method not in LEVELS:
        problems.append(Problem("method", f"no adjustment called {method!r}", did_you_mean(method, LEVELS)))
    if problems:
        raise DataError(*problems)
