"""What the soak counts: drivers, cases, faults, and the table at the end."""

import json
import zlib
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

KINDS = {
    "silent": "a wrong result was accepted",
    "foreign": "an exception other than InputError, a traceback on the command line, or a crash",
    "lost": "a file of the user's, or the previous good version of one, is gone or damaged",
    "hung": "a case did not end within its time limit",
    "left over": "temporary files remain after the next successful run of the same thing, or memory or descriptors leak",
}


@dataclass(frozen=True)
class Fault:
    """One thing that went wrong: of which kind, and what was seen."""

    kind: str
    words: str


@dataclass(frozen=True)
class Driver:
    """One way to put acai under stress.

    Attributes
    ----------
    name, what, unit : str
        As on the command line; what is done, in words; what is counted.
    prepare : callable
        Given a folder, writes what all cases share. It runs once, in a process of its own.
    case : callable
        Given the shared folder, the number of the case, a generator seeded by it, and an empty folder of its own; returns
        the faults it found. It runs in a worker process, which may crash or hang.
    limit : float
        Seconds after which a case counts as hung.
    units : int
        How many units one case is.
    memory : int
        Bytes a worker may allocate beyond what it starts with; 0: no limit.
    share : float
        Of the time, relative to the other drivers.
    stock : str
        Drivers that name the same stock share one folder, which is prepared once; by default a driver has its own.
    """

    name: str
    what: str
    unit: str
    prepare: Callable[[Path], None]
    case: Callable[[Path, int, np.random.Generator, Path], list[Fault]]
    limit: float = 20.0
    units: int = 1
    memory: int = 0
    share: float = 1.0
    stock: str = ""

    def rng(self, seed: int, n: int) -> np.random.Generator:
        """The generator of case `n`: the same for the same seed, different for every driver."""
        return np.random.default_rng([seed, zlib.crc32(self.name.encode()), n])


@dataclass
class Tally:
    """What one driver did and found."""

    driver: str
    done: int = 0
    counts: Counter = field(default_factory=Counter)
    examples: list[tuple[int, str, str]] = field(default_factory=list)  # case, kind, words

    def add(self, n: int, units: int, faults: list[Fault]) -> None:
        """Count case `n`."""
        self.done += units
        for fault in faults:
            self.counts[fault.kind] += 1
            self.examples.append((n, fault.kind, fault.words))

    def to_json(self) -> str:
        """One line of text, as a lane passes it on."""
        return json.dumps([self.driver, self.done, dict(self.counts), self.examples])

    @classmethod
    def from_json(cls, line: str) -> "Tally":
        """The inverse of `to_json`."""
        driver, done, counts, examples = json.loads(line)
        return cls(driver, done, Counter(counts), [tuple(example) for example in examples])


def table(drivers: list[Driver], tallies: dict[str, Tally]) -> str:
    """The table with which the soak ends, and the definitions of its columns."""
    width = max(len(driver.what) for driver in drivers)
    lines = [f"{'driver':<12}  {'what':<{width}}  {'how often':>22}" + "".join(f"{kind:>11}" for kind in KINDS)]
    for driver in drivers:
        tally = tallies[driver.name]
        often = f"{tally.done:,} {driver.unit}"
        counts = "".join(f"{tally.counts[kind]:>11,}" for kind in KINDS)
        lines.append(f"{driver.name:<12}  {driver.what:<{width}}  {often:>22}{counts}")
    lines.append("")
    lines += [f"{kind:<10} {meaning}" for kind, meaning in KINDS.items()]
    return "\n".join(lines)


def all_zero(drivers: list[Driver], tallies: dict[str, Tally]) -> bool:
    """Whether every driver did something and found nothing."""
    return all(tallies[driver.name].done and not tallies[driver.name].counts.total() for driver in drivers)
