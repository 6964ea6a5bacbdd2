"""Time every significance test of many securities and events, beside a loop over statsmodels, and compare the figures.

    python benchmarks/significance.py [--peers PYTHON] [--events 50] [--securities 500] [--window 1] [--json]

``--peers`` is the interpreter of an environment with statsmodels; without it statsmodels is looked for beside exchina.
Each engine runs in a process of its own. Exit 0: all that ran agree to 1e-9; 1: figures differ.
"""

import argparse
import json
import subprocess
import sys
import time
from collections.abc import Callable
from statistics import median
from typing import Any

import numpy as np

ESTIMATION, GAP, SEED = 120, 10, 20260204
Figures = list[dict[str, float]]
Made = list[tuple[np.ndarray, np.ndarray]]
COMPARED = ("cross_section", "patell", "bmp", "kp_bmp")


def made(events: int, securities: int, window: int) -> Made:
    """Returns and benchmark of each event: beta 1.3, common shock of correlation 0.3, daily sigma 4 %."""
    random = np.random.default_rng(SEED)
    days = ESTIMATION + GAP + window
    inputs: Made = []
    for _ in range(events):
        benchmark, common = random.normal(0, 0.012, (days, 1)), random.normal(0, 1, (days, 1))
        own = random.normal(0, 1, (days, securities))
        inputs.append((1.3 * benchmark + 0.04 * (np.sqrt(0.3) * common + np.sqrt(0.7) * own), benchmark[:, 0]))
    return inputs


def exchina(inputs: Made) -> Figures:
    """Fits, forecast errors and all the registered tests."""
    from exchina.analytics.significance import Market, battery, sample

    figures: Figures = []
    for returns, benchmark in inputs:
        rows = np.arange(len(returns))
        statistics = battery(sample(Market(rows, returns, benchmark, rows[:ESTIMATION], rows[ESTIMATION + GAP :])))
        figures.append({one.name: one.value for one in statistics if one.value is not None})
    return figures


def statsmodels(inputs: Made) -> Figures:
    """A plain loop: one OLS a security, its forecast error, then four of the tests on the results."""
    from statsmodels.regression.linear_model import OLS

    figures: Figures = []
    for returns, benchmark in inputs:
        x = np.column_stack([np.ones(len(benchmark)), benchmark])
        past, now = x[:ESTIMATION], x[ESTIMATION + GAP :]
        car, error, residuals = list[float](), list[float](), list[np.ndarray]()
        for column in returns.T:
            fit = OLS(column[:ESTIMATION], past).fit()
            total = now.sum(axis=0)
            car.append(float((column[ESTIMATION + GAP :] - fit.predict(now)).sum()))
            error.append(float(np.sqrt(fit.mse_resid * len(now) + total @ fit.cov_params() @ total)))
            residuals.append(fit.resid)
        figures.append(_tested(np.array(car), np.array(error), np.array(residuals)))
    return figures


def _tested(car: np.ndarray, error: np.ndarray, residuals: np.ndarray) -> dict[str, float]:
    scar, n, df = car / error, car.size, ESTIMATION - 2
    rbar = (np.corrcoef(residuals).sum() - n) / (n * (n - 1))
    bmp = scar.mean() / (scar.std(ddof=1) / np.sqrt(n))
    return {
        "cross_section": float(car.mean() / (car.std(ddof=1) / np.sqrt(n))),
        "patell": float(scar.sum() / np.sqrt(n * df / (df - 2))),
        "bmp": float(bmp),
        "kp_bmp": float(bmp * np.sqrt((1 - rbar) / (1 + (n - 1) * rbar))),
    }


ENGINES: dict[str, Callable[[Made], Figures]] = {"exchina": exchina, "statsmodels": statsmodels}


def timed(engine: str, args: argparse.Namespace) -> dict[str, Any]:
    """Wall and CPU seconds of each run of one engine after a warm-up on one event, and what it found."""
    inputs, work = made(args.events, args.securities, args.window), ENGINES[engine]
    work(inputs[:1])
    wall, cpu, found = list[float](), list[float](), Figures()
    for _ in range(args.runs if engine == "exchina" else 1):
        ticks, spent = time.perf_counter(), time.process_time()
        found = work(inputs)
        wall.append(time.perf_counter() - ticks)
        cpu.append(time.process_time() - spent)
    return {"engine": engine, "wall_s": wall, "cpu_s": cpu, "figures": found}


def apart(engine: str, args: argparse.Namespace) -> dict[str, Any]:
    """One engine in a process of its own, or why it was skipped."""
    python = sys.executable if engine == "exchina" else args.peers
    sizes = ["--events", args.events, "--securities", args.securities, "--window", args.window, "--runs", args.runs]
    command = [python, __file__, "--engine", engine, *(str(part) for part in sizes)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode == 0:
        return json.loads(done.stdout.splitlines()[-1])
    if engine != "exchina" and "ModuleNotFoundError" in done.stderr:
        return {"engine": engine, "skipped": f"{done.stderr.splitlines()[-1]} ({python})"}
    raise SystemExit(f"{engine} failed:\n{done.stderr}")


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description="Time the significance tests beside a loop over statsmodels.")
    parser.add_argument("--peers", default=sys.executable, help="Python with statsmodels installed")
    for name, default in {"events": 50, "securities": 500, "window": 1, "runs": 7}.items():
        parser.add_argument(f"--{name}", type=int, default=default)
    parser.add_argument("--engine", choices=ENGINES, help=argparse.SUPPRESS)
    parser.add_argument("--json", action="store_true")
    return parser.parse_args()


def main() -> int:
    args = arguments()
    if args.engine:
        print(json.dumps(timed(args.engine, args)))
        return 0
    results = [apart(engine, args) for engine in ENGINES]
    ours, agrees = results[0]["figures"], True
    for one in results:
        if "figures" in one:
            events = list(zip(ours, one.pop("figures"), strict=True))
            gaps = [abs(mine[name] / other[name] - 1) for mine, other in events for name in COMPARED]
            one["largest_relative_difference"] = max(gaps)
            agrees &= one["largest_relative_difference"] <= 1e-9
    if args.json:
        print(json.dumps(results, indent=1))
        return 0 if agrees else 1
    print(f"{args.events} events of {args.securities} securities, {ESTIMATION} days, window {args.window}")
    for one in results:
        if "skipped" in one:
            print(f"{one['engine']}: skipped, {one['skipped']}")
        else:
            difference = one.get("largest_relative_difference", 0.0)
            spread = f"{min(one['wall_s']):.3g}-{max(one['wall_s']):.3g}"
            print(
                f"{one['engine']}: wall {median(one['wall_s']):.3g} s ({spread}), CPU {median(one['cpu_s']):.3g} s, "
                f"figures differ by at most {difference:.1e}"
            )
    return 0 if agrees else 1


if __name__ == "__main__":
    sys.exit(main())
