"""One engine in a process of its own: load, one pass to warm up, then timed passes. Reads nothing of the project."""

import json
import resource
import sys
import time
import tomllib
from collections.abc import Callable
from pathlib import Path
from typing import Any

Baskets = dict[str, dict[str, float]]


def peak_mib() -> float:
    """Largest resident memory of this process so far, MiB; on Linux of this program alone, not of its parent."""
    status = Path("/proc/self/status")
    if status.exists():
        line = next(line for line in status.read_text(encoding="ascii").splitlines() if line.startswith("VmHWM"))
        return int(line.split()[1]) / 1024
    most = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return most / (1024 * 1024 if sys.platform == "darwin" else 1024)


def settings(folder: Path) -> dict[str, Any]:
    """The rulebook as a tree, for the engines that have no rulebook of their own."""
    return tomllib.loads((folder / "rulebook.toml").read_text(encoding="utf-8"))


def run(
    engine: str, version: str, load: Callable[[Path], Any], work: Callable[[Any], Any], read: Callable[[Any], Baskets]
) -> None:
    """Time ``work`` on what ``load`` made; the figures go to standard output, the baskets beside the inputs.

    The command line is: folder of the inputs, how many runs, and the seconds after which no further run is started.

    Args:
        engine: name of the engine.
        version: what was measured.
        load: folder of the inputs -> what the pass works on; timed apart, once.
        work: the pass.
        read: result of the pass -> review -> company -> weight; not timed.
    """
    folder, runs, seconds = Path(sys.argv[1]), int(sys.argv[2]), float(sys.argv[3])
    begun = time.perf_counter()
    inputs = load(folder)
    loaded, before = time.perf_counter() - begun, peak_mib()
    made = work(inputs)
    wall, cpu = list[float](), list[float]()
    while len(wall) < runs and (not wall or time.perf_counter() - begun < seconds):
        del made
        ticks, spent = time.perf_counter(), time.process_time()
        made = work(inputs)
        wall.append(time.perf_counter() - ticks)
        cpu.append(time.process_time() - spent)
    figures = {"engine": engine, "version": version, "load_s": loaded, "wall_s": wall, "cpu_s": cpu}
    figures |= {"loaded_mib": before, "peak_mib": peak_mib()}
    (folder / f"{engine}.json").write_text(json.dumps(read(made)), encoding="utf-8")
    print(json.dumps(figures))
