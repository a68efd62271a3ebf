"""The same thing twice at once: two `features` on one cache, two downloads, two saves to the same path, two trainings."""

import functools
import os
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np

from . import stops
from .deeds import DEEDS, bystanders, examine, examine_rerun, perform, rehearsed, snapshot
from .ledger import Driver, Fault
from .server import Ended, Server

PAIRS = ("features", "download", "save ratings", "save model", "mfcc", "train", "checkpoint", "save network")


@functools.cache
def second_server(shared: Path) -> Server:
    """Another server, for the other of the two."""
    return Server(shared / f"second-server-{os.getpid()}").__enter__()


def case(shared: Path, n: int, rng: np.random.Generator, room: Path) -> list[Fault]:
    """One command twice, the second a random moment after the first; then once more."""
    deed, servers = DEEDS[PAIRS[n % len(PAIRS)]], [stops.helpers(shared), second_server(shared)]
    bystanders(room)
    before, expected = snapshot(room), rehearsed(shared)[deed.name]["files"]
    delays = (0.0, float(rng.uniform(0, 0.3)))

    def run(server: Server, delay: float) -> Ended:
        return perform(server, deed, shared / "given", room, limit=120, wait=delay)

    with ThreadPoolExecutor(2) as pool:
        ended = list(pool.map(run, servers, delays))
    faults = [fault for one in ended for fault in judge(deed.name, one)]
    if all(one.code != 0 for one in ended):
        faults.append(Fault("lost", f"{deed.name}: of two at once, neither succeeded: {[one.err.strip()[-150:] for one in ended]}"))
    faults += examine(deed, before, snapshot(room), expected)
    return faults + examine_rerun(deed, perform(servers[0], deed, shared / "given", room, limit=120), snapshot(room), expected)


def judge(name: str, ended: Ended) -> list[Fault]:
    """One of two: it succeeds, or says in one line that the other is at work."""
    if ended.code is None:
        return [Fault("hung", f"{name}: two at once, one does not end")]
    if ended.code in (0, 2) and "Traceback" not in ended.err:
        return []
    last = ended.err.strip().splitlines()[-1:] or [""]
    if ended.code == 1 and last[0].startswith("acai.errors.InputError"):  # of a function that is no command
        return []
    return [Fault("foreign", f"{name}: two at once, exit code {ended.code}: {' '.join(ended.err.split())[-300:]}")]


TOGETHER = Driver(
    "together", "the same command twice at once", "pairs", stops.prepare, case, limit=400, share=1.0, stock="stops",
)
