"""One small fund in exchina and in py-beacon-kit, friction by friction, and the time of ten years of sixty names.

    python benchmarks/fund_beside_beacon.py [--peers PYTHON] [--names 60] [--sessions 2520] [--runs 3]

``--peers`` is the interpreter of an environment with py-beacon-kit; without it the kit is looked for beside exchina.
Where there is none only our time is printed. Both get the same closes, dividends and weights. What one of them models
and the other does not is left out. Exit 0: each NAV differs by no more than 1e-9, or the bound that is printed
with its reason; 1: one does.
"""

import argparse
import json
import subprocess
import sys
import time
from datetime import date, timedelta
from pathlib import Path as File
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np

SEED, CAPITAL, LAUNCH_PRICE, TAX = 20261123, 1e6, 25.0, 0.15
CASES: dict[str, dict[str, Any]] = {
    "no friction": {"fee": 0.0, "cost": 0.0, "tax": 0.0, "paid_out": False},
    "withholding": {"fee": 0.0, "cost": 0.0, "tax": TAX, "paid_out": False},
    "costs": {"fee": 0.0, "cost": 25.0, "tax": 0.0, "paid_out": False},
    "fee": {"fee": 59.0, "cost": 0.0, "tax": 0.0, "paid_out": False},
    "distribution": {"fee": 0.0, "cost": 0.0, "tax": TAX, "paid_out": True},
    "all": {"fee": 59.0, "cost": 25.0, "tax": TAX, "paid_out": False},
}
WHY = {
    "no friction": "the same: weights are set at the close, dividends go to all holdings at the close of their ex-date",
    "withholding": "the same: 15 % is kept from each dividend",
    "distribution": "the same growth: the kit pays each dividend out on its day, exchina pays the income account out "
    "at the month end, and both count what is paid as reinvested in the fund",
    "fee": "the kit charges the days from the eve of the launch, here a weekend, exchina those from the launch on; the "
    "kit pays what it owes when it trades, exchina at each month end, so in between the kit is a little more invested",
    "costs": "the kit books a cost in the NAV of its own close, exchina in the next (taken off here before comparing); "
    "in a review the kit cuts purchases alone to the cash there is, exchina all it holds, so that weights differ by "
    "about the cost until the next review",
    "all": "the last two together",
}
BOUND_BP = {"fee": 1.0, "costs": 5.0, "all": 5.0}
EXACT_BP = 1e-5


def history(names: int, sessions: int, folder: File) -> File:
    """Closes, quarterly dividends, and weights set at the end of January, April, July and October, from a seed."""
    rng = np.random.default_rng(SEED)
    days, day = list[date](), date(2016, 1, 4)
    while len(days) < sessions:
        days += [day] if day.weekday() < 5 else []
        day += timedelta(days=1)
    closes = rng.uniform(5, 80, names) * np.exp(np.cumsum(rng.normal(0.0002, 0.02, (sessions, names)), axis=0))
    dividends = np.zeros((sessions, names))
    for name in range(names):
        rows = np.arange(10 + int(rng.integers(50)), sessions, 63)
        dividends[rows, name] = 0.005 * closes[rows, name]
    month = np.array([one.month for one in days])
    resets = np.flatnonzero(np.append(month[1:] != month[:-1], False) & (month % 3 == 1))
    weights = rng.dirichlet(np.full(names, 8.0), len(resets) + 1)
    ordinals = np.array([one.toordinal() for one in days])
    target = folder / f"history-{names}.npz"
    np.savez(target, days=ordinals, closes=closes, dividends=dividends, resets=resets, weights=weights)
    return target


def ours(data: dict[str, np.ndarray], case: dict[str, Any]) -> dict[str, Any]:
    from exchina.fund.accounts import accounts
    from exchina.fund.attribution import returns
    from exchina.fund.flow_plan import FlowPlan
    from exchina.fund.path import Dealing, Path, Stop
    from exchina.fund.terms import Costs, Distribution, Fee, Fund, FundFacts, Withholding

    begun = time.perf_counter()
    days = tuple(date.fromordinal(int(one)) for one in data["days"])
    closes, dividends = data["closes"], data["dividends"]
    count, names = closes.shape
    units = [data["weights"][0] / closes[0]]
    stops: list[Stop] = []
    for row, weights in zip(data["resets"].tolist(), data["weights"][1:], strict=True):
        units.append(weights * float(units[-1] @ closes[row]) / closes[row])
        stops.append(Stop(row + 1, units[-2], units[-1], closes[row], closes[row], traded=True))
    ones, rate = np.ones(count), np.full(names, case["cost"] / 1e4)
    path = Path(
        sessions=days,
        month_ends=np.array([one.month != after.month for one, after in zip(days, [*days[1:], days[-1]], strict=True)]),
        symbols=tuple(f"N{number:02d}" for number in range(names)),
        currencies=("USD",),
        currency_at=np.zeros(names, np.int64),
        lots=np.zeros(names, np.int64),
        kind=np.ones(names, bool),
        start=units[0],
        worth=closes,
        gross=dividends,
        withheld=dividends * case["tax"],
        borne=dividends * case["tax"],
        stops=tuple(stops),
        dealing=(Dealing(0, rate, rate, np.zeros(names)),),
        index_gross=ones,
        benchmark=ones,
        model=ones,
        money_market=0 * ones,
        hedge_gain=np.zeros((count, 1)),
        hedge_rolls=np.zeros(count, bool),
    )
    fund = Fund(
        FundFacts("small", "Small", "USD", days[0], "ucits", "NTR", LAUNCH_PRICE, CAPITAL, "cash"),
        Fee(case["fee"] / 1e4),
        Distribution("distributing" if case["paid_out"] else "accumulating", tuple(range(1, 13)), 0),
        Withholding("treaty_ucits_ie"),
        costs=Costs(dealing=bool(case["cost"]), impact=0.0),
    )
    made = time.perf_counter()
    kept = accounts(path, fund, FlowPlan(np.zeros(count), np.zeros(count)))
    done = time.perf_counter()
    found = kept.columns
    due = np.append(found["cost"][1:], 0.0) / found["outstanding"]
    grown = LAUNCH_PRICE * np.cumprod(1 + returns(kept))
    seconds = {"path and accounts": done - begun, "accounts": done - made}
    return {"nav": (grown - due).tolist(), "days": [str(one) for one in days], "seconds": seconds}


def theirs(data: dict[str, np.ndarray], case: dict[str, Any]) -> dict[str, Any]:
    import logging

    import pandas as pd
    from beacon.backtest import Backtest, Vehicle
    from beacon.data import DataFetcher, MarketData, ReferenceData
    from beacon.data.corporate_actions import CorporateActions
    from beacon.index import IndexDefinition
    from beacon.index.calculation.calculator import IndexCalculator
    from beacon.index.methodology import EligibilityRuleBase, WeightingSchemeBase

    logging.disable(logging.CRITICAL)
    days = pd.to_datetime([date.fromordinal(int(one)) for one in data["days"]])
    closes, dividends = data["closes"], data["dividends"]
    count, names = closes.shape
    symbols = [f"N{number:02d}" for number in range(names)]
    resets = [days[0], *(days[row] for row in data["resets"])]
    target = {day: dict(zip(symbols, row, strict=True)) for day, row in zip(resets, data["weights"], strict=True)}

    class Everything(EligibilityRuleBase):
        def __init__(self) -> None:
            super().__init__("Everything")

        def is_eligible(self, *_: Any, **__: Any) -> bool:
            return True

    class Given(WeightingSchemeBase):
        def __init__(self) -> None:
            super().__init__("Given")

        def calculate_weights(self, members: Any, day: Any, *_: Any, **__: Any) -> Any:
            return {one: float(target[day][one.asset_id]) for one in members}

    long = pd.DataFrame(
        {
            "IDENTIFIER": np.repeat(symbols, count),
            "DATE": np.tile(days, names),
            "CLOSE": closes.T.ravel(),
            "VOLUME": 1e7,
            "SHARES_OUTSTANDING": 1e8,
        }
    )
    listed = {"CURRENCY": "USD", "EXCHANGE": "XASX", "DATE_FROM": "2000-01-01"}
    reference = pd.DataFrame([{"IDENTIFIER": one, "NAME": one, **listed} for one in symbols])
    paid = [
        {"IDENTIFIER": symbols[name], "EX_DATE": days[row], "TYPE": "DIVIDEND", "VALUE": dividends[row, name]}
        for row, name in np.argwhere(dividends > 0)
    ]
    actions = CorporateActions.from_dataframe(pd.DataFrame(paid))
    store = DataFetcher(MarketData.from_dataframe(long), ReferenceData.from_dataframe(reference), actions)
    definition = IndexDefinition(
        index_id="SMALL",
        index_name="Small",
        base_date=str(days[0].date()),
        base_value=1000.0,
        currency="USD",
        eligibility_rules=[Everything()],
        weighting_scheme=Given(),
        rebalancing_frequency="QUARTERLY",
        calendar="24/5",
        rebalance_day_rule="LAST_BUSINESS_DAY",
        universe_identifiers=symbols,
    )
    rates = {"AU": case["tax"]}
    vehicle = Vehicle(case["fee"], launch_price=LAUNCH_PRICE, domicile="IE", withholding_rates=rates)
    begun = time.perf_counter()
    IndexCalculator(definition, store).run(end_date=str(days[-1].date()))
    index = time.perf_counter() - begun
    begun = time.perf_counter()
    made = Backtest(
        initial_capital=CAPITAL,
        transaction_cost_bps=case["cost"],
        data_provider=store,
        cache=False,
        dividends="distribute" if case["paid_out"] else "reinvest",
        reinvest_into="holdings",
        vehicle=vehicle,
    ).run(definition, start=str(days[0].date()), end=str(days[-1].date()))
    seconds = {"index and fund": time.perf_counter() - begun, "of which index": index}
    levels = LAUNCH_PRICE * np.cumprod(1 + made.get_returns().to_numpy())
    return {"nav": levels.tolist(), "seconds": seconds}


ENGINES = {"exchina": ours, "beacon": theirs}


def asked(engine: str, python: str, data: File, cases: str, runs: int) -> list[dict[str, Any]] | str:
    """The figures of some cases from one engine in a process of its own; a reason where the kit is not installed."""
    command = [python, __file__, "--engine", engine, "--data", str(data), "--cases", cases, "--runs", str(runs)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if not done.returncode:
        return json.loads(done.stdout.splitlines()[-1])
    last = done.stderr.strip().splitlines()[-1]
    if engine == "exchina" or "ModuleNotFoundError" not in last:
        raise SystemExit(f"{engine} failed:\n{done.stderr}")
    return f"beacon is skipped: py-beacon-kit is not installed for {python}; name another interpreter with --peers"


def run(args: argparse.Namespace) -> None:
    """One engine in this process: each case so many times, the fastest counts."""
    data = dict(np.load(args.data))
    made: list[dict[str, Any]] = []
    for name in args.cases.split(","):
        all_runs = [ENGINES[args.engine](data, CASES[name]) for _ in range(args.runs)]
        seconds = {what: min(one["seconds"][what] for one in all_runs) for what in all_runs[0]["seconds"]}
        made.append(all_runs[0] | {"case": name, "seconds": seconds})
    print(json.dumps(made))


def compared(own: list[dict[str, Any]], other: list[dict[str, Any]]) -> bool:
    """Print both NAV paths at month ends, the largest difference and why; whether each is within its bound."""
    sound = True
    for mine, its in zip(own, other, strict=True):
        gap = (np.array(mine["nav"]) / np.array(its["nav"]) - 1) * 1e4
        name, most, bound = mine["case"], float(np.abs(gap).max()), BOUND_BP.get(mine["case"], EXACT_BP)
        sound = sound and most <= bound
        print(f"\n{name}: {most:.2g} bp at most, bound {bound:g} bp. {WHY[name]}")
        days = mine["days"]
        ends = [at for at in range(len(days)) if at + 1 == len(days) or days[at][:7] != days[at + 1][:7]]
        for at in [0, *ends]:
            print(f"  {days[at]}  exchina {mine['nav'][at]:.6f}  beacon {its['nav'][at]:.6f}  {gap[at]:+.4f} bp")
    return sound


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description="A small fund beside py-beacon-kit, and the time of a large one.")
    parser.add_argument("--peers", default=sys.executable, help="Python with py-beacon-kit installed")
    parser.add_argument("--names", type=int, default=60)
    parser.add_argument("--sessions", type=int, default=2520)
    parser.add_argument("--runs", type=int, default=3)
    parser.add_argument("--engine", choices=ENGINES, help=argparse.SUPPRESS)
    parser.add_argument("--data", type=File, help=argparse.SUPPRESS)
    parser.add_argument("--cases", help=argparse.SUPPRESS)
    return parser.parse_args()


def main() -> int:
    args = arguments()
    if args.engine:
        run(args)
        return 0
    pythons = {"exchina": sys.executable, "beacon": args.peers}
    with TemporaryDirectory() as folder:
        small, large = history(3, 140, File(folder)), history(args.names, args.sessions, File(folder))
        own, other = (asked(engine, python, small, ",".join(CASES), 1) for engine, python in pythons.items())
        if isinstance(own, str) or isinstance(other, str):
            print(other)
            sound = True
        else:
            sound = compared(own, other)
        print(
            f"\n{args.names} names, {args.sessions} sessions, fee accrued daily, every friction; best of {args.runs}:"
        )
        for engine, python in pythons.items():
            found = asked(engine, python, large, "all", args.runs)
            timed = found if isinstance(found, str) else found[0]["seconds"]
            print(
                timed
                if isinstance(timed, str)
                else "  " + ", ".join(f"{engine} {what} {seconds:.3f} s" for what, seconds in timed.items())
            )
    return 0 if sound else 1


if __name__ == "__main__":
    sys.exit(main())
