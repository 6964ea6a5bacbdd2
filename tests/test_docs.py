"""Documentation that can fail: every command and example of README and guides is run."""

import contextlib
import io
import os
import re
import shlex
import subprocess
import sys
from pathlib import Path

import pytest
from rich.console import Console

from docs.write_pages import calculation_page, methodology_pages, rules_page
from exchina import errors
from exchina.cli import app
from exchina.workspace import Workspace

SKIPPED = ("make ", "pip install")


def blocks(page: Path, language: str) -> list[str]:
    return re.findall(rf"```{language}\n(.*?)```", page.read_text(encoding="utf-8"), re.DOTALL)


def verbs() -> set[str]:
    return {name for name in app if not name.startswith("-")}


def test_commands_of_the_readme_run_from_nothing(root: Path, tmp_path: Path) -> None:
    """A newcomer's road: from an empty folder to a published factsheet of an own rulebook."""
    lines = [line for block in blocks(root / "README.md", "sh") for line in block.splitlines() if line.strip()]
    script = "\n".join(["set -e", *(line for line in lines if not line.startswith(SKIPPED))])
    command = f"{shlex.quote(sys.executable)} -m exchina.cli"
    script = re.sub(r"^exchina ", f"{command} ", script, flags=re.MULTILINE)
    done = subprocess.run(["bash", "-c", script], cwd=tmp_path, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "publications verified:" in done.stdout
    made = tmp_path / "desk" / "reports" / "my-index" / "announcement" / "2026-09-18"
    names = {"announcement.html", "announcement.pdf", "factsheet.html", "factsheet.pdf", "proforma.csv"}
    assert names <= {path.name for path in made.iterdir()}


def test_python_of_the_readme_runs(root: Path, desk: Workspace, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(desk.root)
    for block in blocks(root / "README.md", "python"):
        with contextlib.redirect_stdout(io.StringIO()) as out:
            exec(compile(block, "README.md", "exec"), {})
        assert "policy score" in out.getvalue()


def test_the_rule_of_the_guide_is_one_file(root: Path, tmp_path: Path, desk: Workspace) -> None:
    """The guide's file, dropped beside the others of a copy of the package, works in a rulebook at once."""
    guide = root / "docs" / "guides" / "a-rule-of-your-own.md"
    (rule,), (line,) = blocks(guide, "python"), blocks(guide, "toml")
    package = tmp_path / "exchina"
    subprocess.run(["cp", "-r", str(root / "src" / "exchina"), str(package)], check=True)
    (package / "rules" / "weighting" / "equal.py").write_text(rule)
    text = (desk.indices / "magnet-chain" / "rulebook.toml").read_text()
    text = re.sub(r"\[weight\]\n.*?\n\n", line + "\n", text, count=1, flags=re.DOTALL)
    (tmp_path / "rulebook.toml").write_text(text)
    code = (
        "import exchina as xc; book = xc.read_rulebook('rulebook.toml');"
        f"view = xc.open_market('sample', workspace={str(desk.root)!r});"
        "members = xc.backtest(book, view).baskets[-1].members;"
        "print(book.weight.name, members['uncapped_weight'].n_unique())"
    )
    environment = {**os.environ, "PYTHONPATH": str(tmp_path)}
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=tmp_path, env=environment, capture_output=True, text=True, check=False
    )
    assert done.stdout.split() == ["equal", "1"], done.stderr


def test_page_of_rules_is_what_the_code_says(root: Path) -> None:
    assert (root / "docs" / "rules.md").read_text(encoding="utf-8") == rules_page()
    assert (root / "docs" / "calculation.md").read_text(encoding="utf-8") == calculation_page()


def test_every_index_has_the_methodology_page_of_its_rulebook(root: Path) -> None:
    folder = root / "docs" / "methodology"
    assert {path.stem: path.read_text(encoding="utf-8") for path in folder.glob("*.md")} == methodology_pages()


def test_every_verb_is_in_the_readme(root: Path) -> None:
    readme = (root / "README.md").read_text(encoding="utf-8")
    assert {verb for verb in verbs() if f"exchina {verb}" not in readme} == set()


@pytest.mark.parametrize("verb", sorted(verbs()))
def test_every_verb_and_option_has_help(verb: str) -> None:
    page = io.StringIO()
    app([verb, "--help"], console=Console(file=page, width=240), result_action="return_value")
    options = [line for line in page.getvalue().splitlines() if re.search(r" --[a-z]", line)]
    assert app[verb].help
    assert options
    for line in options:
        words = re.sub(r"\[.*?\]|--\S+|-\w\b|[A-Z]{3,}|[│*]", "", line).split()
        assert len(words) >= 3, line


def test_every_kind_of_error_is_drawn_in_the_tree() -> None:
    for kind in errors.ExchinaError.__subclasses__():
        assert kind.__name__ in (errors.__doc__ or "")


@pytest.mark.parametrize(
    "page", ["README.md", "docs/guides", "docs", "docs/methodology", "CONTRIBUTING.md", "indices/reference"]
)
def test_links_lead_somewhere(root: Path, page: str) -> None:
    path = root / page
    for text in [path] if path.is_file() else sorted(path.glob("*.md")):
        for target in re.findall(r"\]\((?!https?:)([^)#]+)", text.read_text(encoding="utf-8")):
            assert (text.parent / target).exists(), f"{text.name}: {target}"
