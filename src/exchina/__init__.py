"""Investment indices and ETFs on the rare-earth supply chain outside China.

The verbs of `exchina.workflow` and the nouns of `exchina.model` stand here by name; each is imported on first use, so
that `import exchina` is quick:

    import exchina as xc
    book = xc.read_rulebook("indices/magnet-chain/rulebook.toml")
    series = xc.backtest(book, xc.open_market("sample"))
"""

from importlib import import_module
from typing import Any

_HOMES = {
    "exchina.errors": (
        "DataError",
        "ExchinaError",
        "InfeasibleError",
        "Problem",
        "ProviderError",
        "PublicationError",
        "RulebookError",
    ),
    "exchina.fund.listed": ("Evidence", "listed_fund"),
    "exchina.model": ("Basket", "IndexSeries", "Provenance", "Publication", "Review", "Rulebook"),
    "exchina.rules.explain": ("explain", "explain_basket"),
    "exchina.reasons": ("explained_change",),
    "exchina.workflow": (
        "backtest",
        "capacity",
        "check",
        "fetch",
        "open_market",
        "propose",
        "publish",
        "read_fund",
        "read_rulebook",
        "read_scenarios",
        "recorded_backtest",
        "report",
        "stress",
        "study",
        "sweep",
        "track",
        "verify",
    ),
    "exchina.workspace": ("init", "open_workspace"),
}
_HOME = {name: home for home, names in _HOMES.items() for name in names}

__all__ = sorted(_HOME)  # noqa: PLE0605  # pyright: ignore[reportUnsupportedDunderAll]


def __getattr__(name: str) -> Any:
    if name not in _HOME:
        raise AttributeError(f"module 'exchina' has no attribute {name!r}")
    return getattr(import_module(_HOME[name]), name)


def __dir__() -> list[str]:
    return __all__
