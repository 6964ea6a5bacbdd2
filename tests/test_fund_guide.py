"""The guide of the fund: its file is read, its commands do what it shows, and it leaves out no setting."""

import contextlib
import dataclasses
import inspect
import io
import re
import shlex
from collections.abc import Callable
from pathlib import Path

import pytest

from exchina.cli import app
from exchina.errors import RulebookError
from exchina.fund import file, registers, terms
from exchina.workspace import Workspace

Run = Callable[..., tuple[int, str, str]]
OPEN = "..."


@pytest.fixture(scope="module")
def guide(root: Path) -> str:
    return (root / "docs" / "guides" / "the-fund.md").read_text(encoding="utf-8")


def blocks(guide: str, language: str) -> list[str]:
    return re.findall(rf"```{language}\n(.*?)```", guide, re.DOTALL)


def commands(guide: str) -> list[tuple[str, list[str]]]:
    """Each command and the lines shown of it."""
    made: list[tuple[str, list[str]]] = []
    for line in "".join(blocks(guide, "console")).splitlines():
        if line.startswith("$ exchina "):
            made.append((line.removeprefix("$ exchina "), []))
        else:
            made[-1][1].append(line)
    return made


def test_what_the_commands_show_is_what_they_print(
    guide: str, run: Run, desk: Workspace, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Lines that are shown are printed, in that order; dots stand for what is left out."""
    monkeypatch.chdir(tmp_path)
    Path("my-etf.toml").write_text(*blocks(guide, "toml"), encoding="utf-8")
    shown = [(command, lines) for command, lines in commands(guide) if lines]
    assert len(shown) >= 2
    for command, lines in shown:
        _, out, err = run(*shlex.split(command), "--workspace", desk.root)
        printed = iter((out + err).splitlines())
        for line in (line for line in lines if line != OPEN):
            start = line.removesuffix(OPEN).rstrip()
            assert any(one.rstrip().startswith(start) for one in printed), f"{command}: {line}\n{out}{err}"


def test_every_command_is_one(guide: str) -> None:
    for command, _ in commands(guide):
        called, bound, _ = app.parse_args(shlex.split(command))
        assert called.__name__ == "track"
        assert bound.arguments["index"]


def test_the_file_is_complete_and_its_faults_are_told(guide: str) -> None:
    (text,) = blocks(guide, "toml")
    fund = file.parse_fund(text, "my-etf.toml")
    assert fund.facts.id == "my-etf"
    with pytest.raises(RulebookError, match="a fee is a fraction"):
        file.parse_fund(text.replace("0.0055", "40"))


def test_the_python_runs(guide: str, desk: Workspace, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(desk.root)
    for block in blocks(guide, "python"):
        with contextlib.redirect_stdout(io.StringIO()) as out:
            exec(compile(block, "the-fund.md", "exec"), {})
        assert "average" in out.getvalue() or "a year" in out.getvalue()


def test_no_line_and_no_setting_is_left_out(guide: str) -> None:
    nouns = {"fund": terms.FundFacts}
    nouns |= {f"{table}.{line}": noun for table, lines in file.LINES.items() for line, noun in lines.items()}
    rows = {
        place: next((row for row in guide.splitlines() if row.startswith(f"| `{place}`")), "") for place in [*nouns]
    }
    rows["fund"] = guide
    for place, noun in nouns.items():
        lacking = [one.name for one in dataclasses.fields(noun) if f"`{one.name}`" not in rows[place]]
        assert lacking == [], place
    for register in (registers.replication, registers.flows, registers.limits):
        for name in register.all():
            assert f"`{name}`" in guide
            kinds = inspect.signature(register[name]).parameters.values()
            settings = [one.name for one in kinds if one.kind is inspect.Parameter.KEYWORD_ONLY]
            assert [one for one in settings if f"`{one}`" not in guide] == [], name
