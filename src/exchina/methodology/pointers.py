"""Names in docstrings that point to other functions: what those say, for a reader who does not read code."""

import inspect
import re
from importlib import import_module

from exchina.methodology.markdown import ASIDE, head, sentences

POINTER = re.compile(r"(?<!`)`([\w.]+)`(?!`)")


def explained(documented: object, text: str, but: tuple[str, ...] = ()) -> list[str]:
    """One list line for each function that a text points to, in the order in which they are named.

    Args:
        documented: the function that the text documents; a name without dots is looked up beside it.
        text: the part of its docstring that is shown.
        but: names that the reader finds elsewhere.
    """
    found: dict[str, object] = {}
    for pointer in POINTER.findall(ASIDE.sub("", text)):
        path, _, name = pointer.rpartition(".")
        module = import_module(path) if path.startswith("exchina.") else inspect.getmodule(documented)
        target = getattr(module, name, None)
        if name not in but and inspect.isfunction(target):
            found[name] = target
    return [f"- `{name}`: {_said(target)}" for name, target in found.items()]


def _said(target: object) -> str:
    """A function's words without those about columns of its own."""
    return " ".join(one for one in sentences(head(target)) if "`_" not in one)
