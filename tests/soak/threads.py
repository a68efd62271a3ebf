"""The same bits for any number of threads, for several Python threads at once, in forked children, and with every layer."""

import functools
import json
import os
from pathlib import Path

import numpy as np

from . import threaded
from .ledger import Driver, Fault
from .server import Server

LAYERS = ("default", "workqueue", "omp")
WAYS = ("plainly", "in_python_threads", "in_forked_pool", "after_nested_limits")
LIMIT = 60.0


def prepare(folder: Path) -> None:
    """One run, in which kernels may have to be compiled."""
    (folder / "room").mkdir()
    with Server(folder / "server") as server:
        ended = server.run(f"@{threaded.__name__}:main", "plainly", "1", "default", "0", cwd=folder / "room", limit=600)
        if ended.code != 0:
            raise RuntimeError(ended.err)


@functools.cache
def server_of(shared: Path) -> Server:
    """The server of this worker, which ends when it does."""
    return Server(shared / f"server-{os.getpid()}").__enter__()


@functools.cache
def truth(shared: Path, seed: int) -> dict[str, str]:
    """The digests with one thread, where nothing else happens."""
    return digests(shared, "plainly", 1, "default", seed, shared)[0]


def digests(shared: Path, way: str, n_threads: int, layer: str, seed: int, room: Path) -> tuple[dict[str, str], list[Fault]]:
    """The digest of every result, by name, and what went wrong."""
    ended = server_of(shared).run(f"@{threaded.__name__}:main", way, n_threads, layer, seed, cwd=room, limit=LIMIT)
    label = f"{way}, {n_threads} threads, layer {layer}"
    if ended.code is None:
        return {}, [Fault("hung", f"{label}: {' '.join(ended.out.split())[-100:]} {' '.join(ended.err.split())[-300:]}")]
    if ended.code == threaded.NO_SUCH_LAYER:
        return {}, []
    if ended.code != 0:
        return {}, [Fault("foreign", f"{label}: exit code {ended.code}: {' '.join(ended.err.split())[-400:]}")]
    lines = [json.loads(line) for line in ended.out.splitlines() if line.startswith("[")]
    faults = [Fault("silent", f"{label}: {name} has two digests in one run") for name, found in lines if len(set(found)) > 1]
    return {name: found[0] for name, found in lines}, faults


def case(shared: Path, n: int, rng: np.random.Generator, room: Path) -> list[Fault]:
    """All models in one way, with one or two threads, in one layer."""
    way, n_threads = WAYS[n % len(WAYS)], 1 + n // len(WAYS) % 2
    layer = LAYERS[n // (2 * len(WAYS)) % len(LAYERS)]
    seed = n // (2 * len(WAYS) * len(LAYERS)) % 5
    found, faults = digests(shared, way, n_threads, layer, seed, room)
    expected = truth(shared, seed)
    label = f"{way}, {n_threads} threads, layer {layer}, seed {seed}"
    return faults + [Fault("silent", f"{label}: {name} differs") for name in found if found[name] != expected[name]]


THREADS = Driver(
    "threads", "1 and 2 threads, Python threads, forked pools, every layer", "digests", prepare, case,
    limit=2.5 * LIMIT, units=len(threaded.RESULTS), share=2.0,
)
