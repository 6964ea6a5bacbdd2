"""One command a verb: parse, call, print. Exit code 0 is fine, 1 problems found, 2 wrong usage."""

import sys
from collections.abc import Sequence

from cyclopts import CycloptsError

from exchina import terminal
from exchina.cli import analysis, design, desk, policy_verb, serving, stress_verb, study_verb, sweep_verb, track_verb
from exchina.cli.common import app
from exchina.errors import ExchinaError, Problem

__all__ = [
    "analysis",
    "app",
    "design",
    "desk",
    "main",
    "policy_verb",
    "serving",
    "stress_verb",
    "study_verb",
    "sweep_verb",
    "track_verb",
]


def main(tokens: Sequence[str] | None = None) -> None:
    """Run the command line and leave with its exit code."""
    arguments = list(sys.argv[1:] if tokens is None else tokens)
    try:
        code = app(arguments, exit_on_error=False, print_error=True, result_action="return_value")
    except CycloptsError:
        sys.exit(2)
    except ExchinaError as fault:
        terminal.problems(fault.problems, json_wanted="--json" in arguments)
        sys.exit(1)
    except KeyboardInterrupt:
        terminal.problems([Problem("exchina", "stopped")], json_wanted=False)
        sys.exit(130)
    sys.exit(code or 0)
