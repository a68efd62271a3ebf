"""All rows of the table, and how one of them is measured: in a process of its own."""

import contextlib
import dataclasses
import json
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from acai.bench import alone, growth, machine, networks, plays, stars
from acai.bench.row import Contest, Data, Disagreement, LeftOut, Row
from acai.bench.turns import Times, take_turns
from acai.errors import InputError

ROWS = {row.name: row for row in (*networks.ROWS, *stars.ROWS, *plays.ROWS, *alone.ROWS)}


@dataclass(frozen=True)
class Result:
    """What was measured of one row.

    Attributes
    ----------
    name : str
        Of the row.
    ours, theirs, ratio : float or None
        Medians in seconds, and the median of the turns' ratios; None if there was nothing to measure.
    agreement : str
        What was compared before, or how the results differ.
    share : float or None
        The share of the peak that acai reached.
    of : str
        Of which peak: "product" or "copy".
    compiled : float
        Seconds that Numba took to compile, which count in none of the times.
    n_turns : int
        How many turns the medians are of.
    left_out : str
        Why the row was not measured; "" if it was.
    agrees : bool
        Whether the results agree.
    """

    name: str
    ours: float | None = None
    theirs: float | None = None
    ratio: float | None = None
    agreement: str = ""
    share: float | None = None
    of: str = ""
    compiled: float = 0.0
    n_turns: int = 0
    left_out: str = ""
    agrees: bool = True

    @property
    def figure(self) -> float | None:
        """What is compared with the goal: the ratio, or acai's own time."""
        return self.ours if self.ratio is None else self.ratio


def measured(name: str, data: Data) -> Result:
    """Measure a row, or the growth of a model, in a new process, with an empty cache of compiled code."""
    paths = {key: str(path.absolute()) for key, path in dataclasses.asdict(data).items() if path is not None}
    try:
        return Result(**_in_child([name, json.dumps(paths)]))
    except InputError as error:
        return Result(name, agreement=str(error), agrees=False)


def measured_growth(model: str, n_entries: int) -> growth.Growth:
    """Measure one step of `acai bench --growth`, likewise."""
    return growth.Growth(**_in_child([f"growth:{model}", str(n_entries)]))


def this_machine() -> str:
    """Describe the machine in one line, with its peaks, measured likewise."""
    described, found = machine.description(), _in_child(["machine", ""])
    peaks = f"a matrix product reaches {found['product'] / 1e9:.0f} GFLOP/s, a copy {found['copy'] / 1e9:.0f} GB/s"
    return f"{described}; {peaks}"


def _in_child(arguments: list[str]) -> dict[str, Any]:
    """Run this module and read the last line that it prints; another process has neither been warmed up nor filled."""
    with tempfile.TemporaryDirectory() as cache:
        done = subprocess.run(
            [sys.executable, "-m", "acai.bench.rows", *arguments], capture_output=True, text=True, encoding="utf-8",
            env=machine.environment(Path(cache)),
        )
    if done.returncode:
        why = (done.stderr.strip().splitlines() or ["no message"])[-1]
        raise InputError(f"measuring {arguments[0]} failed: {why}")
    found: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return found


def measure_here(row: Row, data: Data) -> Result:
    """Prepare a row, check that both sides agree, and only then take the time."""
    from numba.core import event

    try:
        with event.install_timer("numba:compile", lambda seconds: None) as compiling:
            contest = row.prepare(data)
            agreement = contest.agree()
        times = take_turns(contest)
    except LeftOut as reason:
        return Result(row.name, left_out=str(reason))
    except Disagreement as reason:
        return Result(row.name, agreement=str(reason), agrees=False)
    compiled = compiling.duration if compiling.done else 0.0
    share, of = _share(contest, times)
    return Result(row.name, times.ours, times.theirs, times.ratio, agreement, share, of, compiled, times.n_turns)


def _share(contest: Contest, times: Times) -> tuple[float | None, str]:
    """Compare what was reached with the peak, measured now: other work on the machine slows both."""
    if contest.work is None:
        return None, ""
    return contest.work.amount * contest.scale / times.ours / machine.peaks()[contest.work.of], contest.work.of


def main(name: str, argument: str) -> None:
    """Measure what is named, and print it as the last line; whatever libraries print goes to stderr."""
    with contextlib.redirect_stdout(sys.stderr):
        found: object
        if name == "machine":
            found = machine.peaks()
        elif name.startswith("growth:"):
            found = dataclasses.asdict(growth.grow(name.removeprefix("growth:"), int(argument)))
        else:
            paths = {key: Path(path) for key, path in json.loads(argument).items()}
            found = dataclasses.asdict(measure_here(ROWS[name], Data(**paths)))
    print(f"\n{json.dumps(found)}")


if __name__ == "__main__":
    main(*sys.argv[1:])
