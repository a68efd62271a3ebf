"""ALS on a GENERATED matrix in a folder, with little memory, beside the same matrix in memory.

    python tests/benchmarks/bench_mapped.py --entries 200e6 --limit 2    # GiB; 32 bytes per entry of disk and memory

The folder is written and learnt from by processes that may hold so much data and no more (RLIMIT_DATA: what is mapped from a
file does not count). Each fit has a process of its own, mapped and in memory in turn; the time of an epoch is the difference
between fits of one epoch and of two. Unset OPENBLAS_CORETYPE and OPENBLAS_L2_SIZE first.
"""

import argparse
import json
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import numpy as np
from scipy import sparse

from acai.bench.made_up import generated
from acai.cf import ALS
from acai.ratings import Ratings

SONGS, ENTRIES_OF_A_USER, USERS_OF_A_BLOCK = 100_000, 100, 20_000


def blocks(n_entries: int) -> Iterator[Ratings]:
    """Draw plays of songs of long-tailed popularity by some users at a time."""
    m = n_entries // ENTRIES_OF_A_USER
    for first in range(0, m, USERS_OF_A_BLOCK):
        rng, users = np.random.default_rng(first), range(first, min(first + USERS_OF_A_BLOCK, m))
        drawn = int(1.2 * ENTRIES_OF_A_USER)  # some songs twice
        songs = (SONGS * rng.random((len(users), drawn)) ** 3).astype(np.int64)
        pairs = np.sort(songs + SONGS * np.arange(len(users))[:, None], axis=None)
        u, i = np.divmod(pairs[np.append(True, np.diff(pairs) > 0)], SONGS)
        plays = rng.geometric(0.2, len(u)).astype(np.float32)
        starts = np.searchsorted(u, np.arange(len(users) + 1))
        yield Ratings(sparse.csr_array((plays, i, starts), shape=(len(users), SONGS)), users, range(SONGS))


def child(args: argparse.Namespace) -> dict[str, float]:
    """Do one thing in this process, and tell what it took."""
    if args.what != "memory":
        resource.setrlimit(resource.RLIMIT_DATA, (int(args.limit * 2**30),) * 2)
    started = time.perf_counter()
    if args.what == "write":
        Ratings.write_folder(args.path, blocks(int(args.entries)))
        return {"seconds": time.perf_counter() - started}
    ratings = Ratings.load(args.path, mmap=args.what == "mmap")
    found = {"opened": time.perf_counter() - started, "entries": ratings.n_ratings}
    models = {n: ALS(args.factors, n_epochs=n, cg_steps=args.cg_steps) for n in (1, 2)}
    models[1].fit(generated(2000, 1000, 50_000))  # compiles
    for n, model in models.items():
        started = time.perf_counter()
        model.fit(ratings)
        found[f"{n} epochs"] = time.perf_counter() - started
    return found | {"objective": models[2].history[-1], "anonymous": anonymous_gib()}


def anonymous_gib() -> float:
    """Return how much of this process is not mapped from files, now."""
    status = Path("/proc/self/status").read_text(encoding="ascii")
    return int(status.split("RssAnon:")[1].split()[0]) / 2**20


def main(args: argparse.Namespace) -> None:
    """Write the folder, then take turns."""
    with tempfile.TemporaryDirectory() as folder:
        options = [f"--{name.replace('_', '-')}={value}" for name, value in vars(args).items() if value is not None]

        def run(what: str) -> dict[str, float]:
            command = [sys.executable, __file__, *options, f"--what={what}", f"--path={folder}/plays"]
            done = subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True)
            return json.loads(done.stdout)

        print(f"written in {run('write')['seconds']:.0f} s, within {args.limit:g} GiB", flush=True)
        per_entry: dict[str, list[float]] = {"mmap": [], "memory": []}
        for turn in range(args.turns):
            for what in per_entry if turn % 2 == 0 else reversed(per_entry):
                found = run(what)
                per_entry[what].append(1e9 * (found["2 epochs"] - found["1 epochs"]) / found["entries"])
                shown = ", ".join(f"{name} {value:.6g}" for name, value in found.items())
                print(f"{what}: {per_entry[what][-1]:.1f} ns per entry and epoch; {shown}", flush=True)
                time.sleep(1)
    medians = {what: float(np.median(times)) for what, times in per_entry.items()}
    print(f"mapped {medians['mmap']:.1f} ns, in memory {medians['memory']:.1f} ns: {medians['mmap'] / medians['memory']:.2f}")


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--entries", type=float, default=200e6)
    parser.add_argument("--limit", type=float, default=2.0, help="GiB")
    parser.add_argument("--factors", type=int, default=16)
    parser.add_argument("--cg-steps", type=int)
    parser.add_argument("--turns", type=int, default=3)
    parser.add_argument("--what", choices=["write", "mmap", "memory"]), parser.add_argument("--path")
    chosen = parser.parse_args()
    if chosen.what is None:
        main(chosen)
    else:
        print(json.dumps(child(chosen)))
