"""The house colours and faces, in one place for charts, PDF and HTML.

The colours of stages differ in lightness as well as in hue, so that they stay apart for readers who do not see red
and green, and in grey print. A stage has the same colour in every document.
"""

from collections.abc import Mapping
from types import MappingProxyType

FONT = "Source Sans 3"
FACE = f"'{FONT}', sans-serif"  # quoted: a name that ends in a number is no CSS identifier

COLOUR: Mapping[str, str] = MappingProxyType(
    {
        "navy": "#10294a",
        "ink": "#1b2a3a",
        "quiet": "#566676",
        "rule": "#d6dee6",
        "shade": "#eef3f7",
        "paper": "#ffffff",
        "teal": "#0e7c7b",
        "mint": "#8fd0c8",
        "event": "#b8442e",
        "warn": "#8a3b00",
        "warn_paper": "#ffe3b8",
        "producer": "#10294a",
        "processor": "#0e7c7b",
        "metal_alloy": "#d99a2b",
        "magnet_maker": "#7fb7d6",
        "recycler": "#8c5a9e",
        "developer": "#9aa7b3",
        "explorer": "#c9d1d8",
        "holding/royalty": "#b8442e",
    }
)


def colour(key: str) -> str:
    """The colour of a stage or of a role such as ``ink``; a stage that has none of its own is grey."""
    return COLOUR.get(key, COLOUR["developer"])
