"""Measure the honesty statistics beside arch, on the same seeded returns: SPA over many variants, and block lengths.

    python benchmarks/honesty.py [--peers PYTHON] [--draws 10000] [--variants 1000] [--sessions 2500] [--runs 3]

``--peers`` is the interpreter of an environment with arch; without it arch is looked for beside exchina. What arch
calls SPA is not studentised: its p-values are the same with ``studentize`` on and off, and its "upper" is our reality
check. Exit 0: block lengths agree to 1e-6; 1: they do not.
"""

import argparse
import json
import subprocess
import sys
import time
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np

MEAN_BLOCK = 5
CLOSE = 1e-6
SEED = 20


def returns(sessions: int, variants: int) -> np.ndarray:
    """Daily excess returns that share a factor, a little autocorrelated."""
    rng = np.random.default_rng(SEED)
    own, common = rng.standard_normal((sessions, variants)), rng.standard_normal((sessions, 1))
    noise = 0.8 * own + 0.6 * common
    noise[1:] += 0.1 * noise[:-1]
    return 0.01 * noise


def ours(excess: np.ndarray, draws: int) -> dict[str, Any]:
    from exchina.analytics.honesty.blocks import block_length
    from exchina.analytics.honesty.data_snooping import data_snooping

    begun, ticks = time.perf_counter(), time.process_time()
    found = data_snooping(excess, mean_block=MEAN_BLOCK, draws=draws, seed=SEED)
    spa, cpu = time.perf_counter() - begun, time.process_time() - ticks
    begun = time.perf_counter()
    lengths = block_length(excess).stationary
    names = ("p_reality_check", "p_spa_lower", "p_spa_consistent", "p_spa_upper")
    p = {name: getattr(found, name) for name in names}
    return {"spa_s": spa, "spa_cpu_s": cpu, "blocks_s": time.perf_counter() - begun, "lengths": lengths.tolist(), **p}


def theirs(excess: np.ndarray, draws: int) -> dict[str, Any]:
    from arch.bootstrap import SPA, optimal_block_length

    test = SPA(np.zeros(len(excess)), -excess, block_size=MEAN_BLOCK, reps=draws, bootstrap="stationary", seed=SEED)
    begun, ticks = time.perf_counter(), time.process_time()
    test.compute()
    spa, cpu = time.perf_counter() - begun, time.process_time() - ticks
    begun = time.perf_counter()
    lengths = [optimal_block_length(column)["stationary"].iloc[0] for column in excess.T]
    p = {f"p_{name} (unstudentised)": float(value) for name, value in test.pvalues.items()}
    return {"spa_s": spa, "spa_cpu_s": cpu, "blocks_s": time.perf_counter() - begun, "lengths": lengths, **p}


ENGINES = {"exchina": ours, "arch": theirs}


def measured(engine: str, python: str, data: Path, args: argparse.Namespace) -> dict[str, Any]:
    """The fastest of some runs, each in a process of its own with its peak memory, or why there is none."""
    runs: list[dict[str, Any]] = []
    for _ in range(args.runs):
        command = [python, __file__, "--engine", engine, "--data", str(data), "--draws", str(args.draws)]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        if done.returncode:
            last = done.stderr.strip().splitlines()[-1]
            if engine == "exchina" or "ModuleNotFoundError" not in last:
                raise SystemExit(f"{engine} failed:\n{done.stderr}")
            return {"engine": engine, "skipped": f"{last} ({python})"}
        runs.append(json.loads(done.stdout.splitlines()[-1]))
    return {"engine": engine, **min(runs, key=lambda one: one["spa_s"])}


def run(args: argparse.Namespace) -> None:
    """One engine in this process."""
    from measure import peak_mib

    excess = np.load(args.data)
    found = ENGINES[args.engine](excess, args.draws)
    print(json.dumps({**found, "peak_mib": peak_mib()}))


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description="Measure SPA and block lengths beside arch.")
    parser.add_argument("--peers", default=sys.executable, help="Python with arch installed")
    parser.add_argument("--draws", type=int, default=10_000)
    parser.add_argument("--variants", type=int, default=1000)
    parser.add_argument("--sessions", type=int, default=2500)
    parser.add_argument("--runs", type=int, default=3)
    parser.add_argument("--json", action="store_true")
    parser.add_argument("--engine", choices=ENGINES, help=argparse.SUPPRESS)
    parser.add_argument("--data", type=Path, help=argparse.SUPPRESS)
    return parser.parse_args()


def main() -> int:
    args = arguments()
    if args.engine:
        run(args)
        return 0
    with TemporaryDirectory() as folder:
        data = Path(folder) / "excess.npy"
        np.save(data, returns(args.sessions, args.variants))
        pythons = {"exchina": sys.executable, "arch": args.peers}
        results = [measured(engine, python, data, args) for engine, python in pythons.items()]
    lengths = [np.array(one.pop("lengths")) for one in results if "lengths" in one]
    gap = max((float(np.abs(other / lengths[0] - 1).max()) for other in lengths[1:]), default=0.0)
    if args.json:
        print(json.dumps({"results": results, "largest_gap_of_block_lengths": gap}, indent=1))
    else:
        for one in results:
            print(
                ", ".join(
                    f"{key} {value:.4g}" if isinstance(value, float) else f"{value}" for key, value in one.items()
                )
            )
        print(f"block lengths differ by {gap:.1e} at most" if lengths[1:] else "block lengths: nothing to compare with")
    return 0 if gap <= CLOSE else 1


if __name__ == "__main__":
    sys.exit(main())
