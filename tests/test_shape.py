"""A budget to notice drift by: short modules, short functions, no module that imports itself by a detour."""

import ast
from collections.abc import Iterator
from pathlib import Path
from statistics import median, quantiles

import grimp
import pytest

FUNCTIONS = ast.FunctionDef | ast.AsyncFunctionDef


@pytest.fixture(scope="module")
def sources(root: Path) -> dict[str, str]:
    """The text of each module of the product that says anything."""
    texts = {str(path.relative_to(root)): path.read_text(encoding="utf-8") for path in (root / "src").rglob("*.py")}
    return {path: text for path, text in texts.items() if len(ast.parse(text).body) > 1}


def length(function: FUNCTIONS) -> int:
    """Lines of a function without its docstring and decorators."""
    documented = ast.get_docstring(function) is not None
    first = function.body[0]
    return (function.end_lineno or 0) - function.lineno + 1 - documented * ((first.end_lineno or 0) - first.lineno + 1)


def functions(sources: dict[str, str]) -> Iterator[tuple[int, str]]:
    for path, text in sources.items():
        for node in ast.walk(ast.parse(text)):
            if isinstance(node, FUNCTIONS):
                yield length(node), f"{path}:{node.lineno} {node.name}"


def within(sizes: list[tuple[int, str]], half: int, most: int, ever: int) -> None:
    lines = sorted(size for size, _ in sizes)
    assert median(lines) <= half
    assert quantiles(lines, n=10)[-1] <= most
    assert [name for size, name in sizes if size > ever] == []


def test_modules_are_short(sources: dict[str, str]) -> None:
    within([(text.count("\n"), path) for path, text in sources.items()], half=120, most=300, ever=400)


def test_functions_are_short(sources: dict[str, str]) -> None:
    within(list(functions(sources)), half=8, most=25, ever=50)


def test_no_import_cycles() -> None:
    graph = grimp.build_graph("exchina", cache_dir=None)
    cycles = {
        module: graph.find_shortest_chain(target, module)
        for module in graph.modules
        for target in graph.find_modules_directly_imported_by(module)
        if graph.find_shortest_chain(target, module) is not None
    }
    assert cycles == {}
