"""Measure the rules pass of every engine that is installed, on one seeded universe, and compare the baskets.

    python benchmarks/rules_pass.py [--peers PYTHON] [--runs 5] [--seconds 150] [--only ENGINE ...] [--json]

``--peers`` is the interpreter of an environment with benchmarks/requirements.txt; without it the peers are looked for
beside exchina. Exit 0: all that ran agree; 1: members or weights differ.
"""

import argparse
import json
import subprocess
import sys
from hashlib import sha256
from pathlib import Path
from shutil import which
from statistics import median
from tempfile import TemporaryDirectory
from typing import Any

import polars as pl
from sample import SEED, quarterly, universe

from exchina.model import Rulebook
from exchina.rulebook import parse_rulebook

HERE = Path(__file__).parent
ENGINES = {
    "exchina": ["pass_exchina.py"],
    "pandas": ["pass_pandas.py"],
    "beacon_batched": ["pass_beacon.py", "batched"],
    "beacon": ["pass_beacon.py"],
}
CLOSE = 1e-9
Baskets = dict[str, dict[str, float]]


def measured(engine: str, folder: Path, args: argparse.Namespace) -> dict[str, Any]:
    """The figures of one engine, timed in a process of its own, or why it was skipped."""
    python = sys.executable if engine == "exchina" else args.peers
    script, *variant = ENGINES[engine]
    command = [python, str(HERE / script), str(folder), str(args.runs), str(args.seconds), *variant]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode == 0:
        return json.loads(done.stdout.splitlines()[-1])
    missing = [line for line in done.stderr.splitlines() if line.startswith(("ModuleNotFoundError", "ImportError"))]
    if missing and engine != "exchina":
        return {"engine": engine, "skipped": f"{missing[-1]} ({python})"}
    raise SystemExit(f"{engine} failed:\n{done.stderr}")


def compared(made: Baskets, ours: Baskets, stages: dict[tuple[str, str], str], book: Rulebook) -> dict[str, Any]:
    """Members against ours; weights against ours where every cap is kept; breaches where not."""
    issuer, stage = (rule.settings["at_most"] for rule in book.caps)
    same = [day for day in ours if made.get(day, {}).keys() == ours[day].keys()]
    over, above = dict[str, float](), 0.0
    for day, weights in made.items():
        above = max(above, max(weights.values()) - issuer)
        for name, most in stage.items():
            held = sum(weight for company, weight in weights.items() if stages[day, company] == name)
            if held > most + CLOSE:
                over[day] = held
    kept = [day for day in same if day not in over]
    gap = max((abs(made[day][name] - ours[day][name]) for day in kept for name in ours[day]), default=0.0)
    return {
        "same_members": len(same),
        "stage_cap_breached": len(over),
        "worst_stage": max(over.values(), default=None),
        "worst_over_issuer_cap": max(above, 0.0),
        "largest_weight_difference": gap,
        "compared": len(kept),
        "agrees": len(same) == len(ours) == len(made) and gap <= CLOSE and above <= CLOSE,
    }


def checksum(basket: dict[str, float]) -> str:
    """Of the last basket: companies and weights to nine decimals."""
    return sha256("".join(f"{name} {basket[name]:.9f}\n" for name in sorted(basket)).encode()).hexdigest()[:12]


def table(results: list[dict[str, Any]]) -> str:
    """The figures as Markdown, then what the comparison found, in words."""
    head = ["engine", "runs", "wall s: median (min-max)", "CPU s", "load s", "MiB loaded", "MiB peak", "last basket"]
    lines = [head, ["---"] * len(head)]
    for one in [one for one in results if "wall_s" in one]:
        wall = one["wall_s"]
        spread = f"{median(wall):.3g} ({min(wall):.3g}-{max(wall):.3g})"
        sizes = [f"{one['loaded_mib']:.0f}", f"{one['peak_mib']:.0f}"]
        cells = [str(len(wall)), spread, f"{median(one['cpu_s']):.3g}", f"{one['load_s']:.2g}", *sizes]
        lines.append([f"{one['engine']}: {one['version']}", *cells, one["checksum"]])
    said = [f"- {one['engine']}: {_words(one)}" for one in results]
    return "\n".join(["| " + " | ".join(line) + " |" for line in lines] + ["", *said])


def _words(one: dict[str, Any]) -> str:
    if "skipped" in one:
        return f"skipped, {one['skipped']}"
    text = f"same members in {one['same_members']} of {one['reviews']} reviews; largest difference of a weight "
    text += f"{one['largest_weight_difference']:.1e} over the {one['compared']} reviews that keep every cap"
    if one["stage_cap_breached"]:
        text += f"; stage cap breached in {one['stage_cap_breached']} reviews, {one['worst_stage']:.1%} at worst"
    return text + ("" if one["agrees"] else "; DIFFERS")


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description="Measure the rules pass beside its peers.")
    parser.add_argument("--peers", default=sys.executable, help="Python with benchmarks/requirements.txt installed")
    parser.add_argument("--runs", type=int, default=5)
    parser.add_argument("--seconds", type=float, default=150, help="start no further run of an engine after this long")
    parser.add_argument("--reviews", type=int, default=80)
    parser.add_argument("--companies", type=int, default=500)
    parser.add_argument("--seed", type=int, default=SEED)
    parser.add_argument("--only", nargs="+", choices=ENGINES, default=list(ENGINES))
    parser.add_argument("--json", action="store_true")
    args = parser.parse_args()
    if which(args.peers) is None:
        parser.error(f"--peers {args.peers}: no such program; name the python of an environment with the peers")
    return args


def main() -> int:
    args = arguments()
    rules = (HERE / "rulebook.toml").read_text(encoding="utf-8")
    with TemporaryDirectory() as name:
        folder = Path(name)
        made = universe(quarterly(args.reviews), args.companies, args.seed)
        made.write_parquet(folder / "universe.parquet")
        (folder / "rulebook.toml").write_text(rules, encoding="utf-8")
        results = [measured(engine, folder, args) for engine in dict.fromkeys(["exchina", *args.only])]
        baskets = {path.stem: json.loads(path.read_text(encoding="utf-8")) for path in folder.glob("*.json")}
    rows = made.select(pl.col("review").cast(pl.String), "company_id", "stage").iter_rows()
    stages, book = {(day, company): stage for day, company, stage in rows}, parse_rulebook(rules)
    for one in [one for one in results if "wall_s" in one]:
        mine = baskets[one["engine"]]
        found = compared(mine, baskets["exchina"], stages, book)
        one.update(found, reviews=args.reviews, checksum=checksum(mine[max(mine)]))
    print(json.dumps(results, indent=1) if args.json else table(results))
    return 0 if all(one.get("agrees", True) for one in results) else 1


if __name__ == "__main__":
    sys.exit(main())
