"""The command line of the simulator."""

import argparse
import contextlib
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from typing import Final

from tests.simulation.faults import KINDS, ON_REQUEST
from tests.simulation.planted import BUGS, planted
from tests.simulation.simulation import Report, simulate

_PROGRESS_SECONDS: Final = 10.0


def main(arguments: Sequence[str]) -> int:
    """Run seeds; 1 if one of them failed."""
    options = _parser().parse_args(arguments)
    kinds = kinds_of(options.faults)
    began = time.perf_counter()
    reports: list[Report] = []
    with planted(options.plant) if options.plant else contextlib.nullcontext():
        for report in _runs(options, kinds):
            reports.append(report)
            if report.violation is not None:
                print(f"seed {report.seed}: {report.violation}")
                print(f"  again: {replay_of(report.seed, options.faults, options.plant)}", flush=True)
            if options.trace:
                print(f"seed {report.seed}: trace {report.digest}")
    _print_summary(reports, kinds, time.perf_counter() - began)
    return 1 if any(report.violation is not None for report in reports) else 0


def kinds_of(text: str) -> tuple[str, ...]:
    """Raises ValueError. `+kind` and `-kind` add to and take from the usual ones; else a list of kinds."""
    if not text:
        return KINDS
    chosen: dict[str, None] = {}
    for position, part in enumerate(text.split(",")):
        kind = part.lstrip("+-")
        if kind not in (*KINDS, *ON_REQUEST, "none"):
            raise ValueError(f"'{kind}' is no fault; there are {', '.join((*KINDS, *ON_REQUEST))}, none")
        if position == 0 and part[0] in "+-":
            chosen = dict.fromkeys(KINDS)
        if part.startswith("-"):
            chosen.pop(kind, None)
        elif kind != "none":
            chosen[kind] = None
    return tuple(chosen)


def replay_of(seed: int, faults: str = "", plant: str = "") -> str:
    """The command that runs a seed again, with its trace."""
    command = f"python -m tests.simulation --first {seed} --seeds 1 -v"
    if faults:
        command += f" --faults={faults}"
    if plant:
        command += f" --plant {plant}"
    return command


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m tests.simulation", description=__doc__)
    parser.add_argument("--seeds", type=int, default=100, help="how many")
    parser.add_argument("--first", type=int, default=0, help="the first of them")
    parser.add_argument("--seconds", type=float, default=0, help="end after so much real time")
    parser.add_argument(
        "--faults",
        default="",
        help=f"of {', '.join(KINDS)}; or {', '.join(ON_REQUEST)}; +kind adds to the usual, -kind takes away",
    )
    parser.add_argument("--plant", choices=sorted(BUGS), default="", help="run with this bug")
    parser.add_argument("--until-found", action="store_true", help="end with the first seed that fails")
    parser.add_argument("--trace", action="store_true", help="print a digest of each seed's trace")
    parser.add_argument("-v", dest="verbose", action="store_true", help="print the whole trace")
    return parser


def _runs(options: argparse.Namespace, kinds: tuple[str, ...]) -> Iterator[Report]:
    began = told = time.perf_counter()
    for seed in range(options.first, options.first + options.seeds):
        report = simulate(seed, kinds, verbose=options.verbose)
        yield report
        now = time.perf_counter()
        if options.seconds and now - began > options.seconds:
            return
        if options.until_found and report.violation is not None:
            return
        if now - told > _PROGRESS_SECONDS:
            told = now
            print(f"… {seed - options.first + 1} seeds in {now - began:.0f} s", flush=True)


def _print_summary(reports: Sequence[Report], kinds: tuple[str, ...], seconds: float) -> None:
    faults: Counter[str] = Counter()
    for report in reports:
        faults.update(report.faults)
    failed = [report.seed for report in reports if report.violation is not None]
    virtual = _sum(reports, "seconds")
    print(f"{len(reports)} seeds in {seconds:.0f} s of real and {virtual:.0f} s of virtual time")
    print(
        f"{_sum(reports, 'events'):.0f} events, {_sum(reports, 'requests'):.0f} requests,"
        f" {_sum(reports, 'commits'):.0f} entries committed, states compared"
        f" {_sum(reports, 'states'):.0f} times"
    )
    print("faults: " + (", ".join(f"{kind} {faults[kind]}" for kind in sorted(faults)) or "none"))
    print(f"failed: {', '.join(map(str, failed))}" if failed else "no seed failed")


def _sum(reports: Sequence[Report], name: str) -> float:
    total = 0.0
    for report in reports:
        total += getattr(report, name)
    return total
