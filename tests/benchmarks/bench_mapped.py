"""ALS on a GENERATED matrix in a folder, within little memory, beside the same matrix in memory.

    python tests/benchmarks/bench_mapped.py                         # 100 million entries, within 2 GiB
    python tests/benchmarks/bench_mapped.py --entries 10e6 --limit 0.5

The folder takes 16 bytes per entry on disk, and the matrix as much in memory. The processes that write the folder and that
learn from it may allocate no more than the limit (RLIMIT_DATA, of Linux, which does not count what is mapped from a file).
Each fit has a process of its own; mapped and in memory take turns. The time of an epoch is the difference between fits of
one epoch and of two. Unset OPENBLAS_CORETYPE and OPENBLAS_L2_SIZE first: where they are set, BLAS is slower than it could be.
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

from acai.bench.made_up import generated
from acai.cf import ALS
from acai.ratings import Ratings

SONGS, ENTRIES_OF_A_USER, USERS_OF_A_BLOCK = 100_000, 100, 20_000
SIDES = "mapped", "in memory"


def blocks(n_entries: int) -> Iterator[Ratings]:
    """Draw the entries of some users at a time."""
    for first in range(0, n_entries // ENTRIES_OF_A_USER, USERS_OF_A_BLOCK):
        block = generated(USERS_OF_A_BLOCK, SONGS, USERS_OF_A_BLOCK * ENTRIES_OF_A_USER, seed=first)
        yield Ratings(block.csr, range(first, first + USERS_OF_A_BLOCK), block.songs)


def write(folder: Path, n_entries: int) -> dict[str, float]:
    """Write the folder, and return the seconds that it took."""
    started = time.perf_counter()
    Ratings.write_folder(folder, blocks(n_entries))
    return {"seconds": time.perf_counter() - started}


def learn(folder: Path, mmap: bool, options: dict[str, int]) -> dict[str, float]:
    """Open the folder and fit ALS to it, for one epoch and for two; return the seconds."""
    started = time.perf_counter()
    ratings = Ratings.load(folder, mmap=mmap)
    found = {"opened": time.perf_counter() - started, "entries": ratings.n_ratings}
    ALS(n_epochs=1, **options).fit(generated(2000, 1000, 50_000))  # compiles
    for n_epochs in 1, 2:
        started = time.perf_counter()
        model = ALS(n_epochs=n_epochs, **options).fit(ratings)
        found[f"{n_epochs} epochs"] = time.perf_counter() - started
    return found | {"objective": model.history[-1]}


def work(args: argparse.Namespace) -> dict[str, float]:
    """Do one thing in this process."""
    if args.what != "in memory":
        limit = int(args.limit * 2**30)
        resource.setrlimit(resource.RLIMIT_DATA, (limit, limit))
    if args.what == "write":
        return write(args.folder, int(args.entries))
    return learn(args.folder, args.what == "mapped", {"n_factors": args.factors, "cg_steps": args.cg_steps})


def main(args: argparse.Namespace) -> None:
    """Write the folder, then take turns."""
    with tempfile.TemporaryDirectory() as place:

        def run(what: str) -> dict[str, float]:
            """Do one thing in a process of its own."""
            command = [sys.executable, __file__, *sys.argv[1:], f"--what={what}", f"--folder={place}/ratings"]
            done = subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True)
            return json.loads(done.stdout)

        print(f"written in {run('write')['seconds']:.0f} s, within {args.limit:g} GiB", flush=True)
        times: dict[str, list[float]] = {side: [] for side in SIDES}
        for turn in range(args.turns):
            for side in SIDES if turn % 2 == 0 else reversed(SIDES):
                found = run(side)
                epoch = found["2 epochs"] - found["1 epochs"]
                times[side].append(1e9 * epoch / found["entries"])
                shown = ", ".join(f"{name} {value:.6g}" for name, value in found.items())
                print(f"{side}: {times[side][-1]:.1f} ns per entry and epoch; {shown}", flush=True)
                time.sleep(1)
    mapped, in_memory = (float(np.median(times[side])) for side in SIDES)
    print(f"mapped {mapped:.1f} ns, in memory {in_memory:.1f} ns: {mapped / in_memory:.2f}")


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--entries", type=float, default=100e6)
    parser.add_argument("--limit", type=float, default=2.0, help="GiB")
    parser.add_argument("--factors", type=int, default=16)
    parser.add_argument("--cg-steps", type=int)
    parser.add_argument("--turns", type=int, default=3)
    parser.add_argument("--what", choices=["write", *SIDES], help=argparse.SUPPRESS)
    parser.add_argument("--folder", type=Path, help=argparse.SUPPRESS)
    chosen = parser.parse_args()
    if chosen.what is None:
        main(chosen)
    else:
        print(json.dumps(work(chosen)))
