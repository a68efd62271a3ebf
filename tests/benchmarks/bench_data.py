"""Reading at full size: acai's readers beside `pandas.read_csv` + `factorize`, on the same generated files.

    python tests/benchmarks/bench_data.py                       # 1, 4 and 16 million rows of both shapes
    python tests/benchmarks/bench_data.py --full                # Last.fm 1K (19,150,868) and the Taste Profile (48,373,586)

Each reading happens in a process of its own, so that its peak memory can be told; the two sides take turns. Time counts
from the call to the finished matrix, with imports done and kernels compiled before; both sides end with the same matrix,
and that is checked.
"""

import argparse
import csv
import json
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np
from generate_data import log, triplets
from scipy import sparse

FULL = {"log": 19_150_868, "triplets": 48_373_586}
GENERATE = {"log": log, "triplets": triplets}


def read_with_acai(shape: str, path: Path) -> sparse.csr_array:
    """The readers as anybody would call them."""
    from acai import datasets

    return (datasets.lastfm_1k(path).to_ratings() if shape == "log" else datasets.triplets(path, separator="\t")).csr


def read_with_pandas(shape: str, path: Path) -> sparse.csr_array:
    """The way one would write it with pandas; it does not even parse the times, which acai's reader does."""
    import pandas as pd

    options = {"sep": "\t", "header": None, "quoting": csv.QUOTE_NONE, "keep_default_na": False}
    if shape == "log":
        names = ["user", "time", "artist_id", "artist", "track_id", "title"]
        frame = pd.read_csv(path, names=names, usecols=["user", "artist", "title"], **options)
        songs = frame.groupby(["artist", "title"], sort=False).ngroup().to_numpy()  # faster than to factorize joined text
        n_songs, value = int(songs.max()) + 1, np.ones(len(frame), dtype=np.float32)
    else:
        frame = pd.read_csv(path, names=["user", "song", "count"], dtype={"count": np.float32}, **options)
        songs, song_ids = pd.factorize(frame.song)
        n_songs, value = len(song_ids), frame["count"].to_numpy()
    users, user_ids = pd.factorize(frame.user)
    R = sparse.coo_array((value, (users, songs)), shape=(len(user_ids), n_songs), dtype=np.float32).tocsr()
    R.sort_indices()
    return R


SIDES = {"acai": read_with_acai, "pandas": read_with_pandas}


def measure(side: str, shape: str, path: Path) -> dict:
    """Run one reading in a fresh process."""
    command = [sys.executable, __file__, "--child", side, shape, str(path)]
    return json.loads(subprocess.run(command, check=True, capture_output=True, text=True).stdout)


def child(side: str, shape: str, path: Path) -> None:
    """One reading, after a small one for what is only done once."""
    with tempfile.TemporaryDirectory() as folder:
        small = Path(folder) / "small"
        GENERATE[shape](1000, small)
        SIDES[side](shape, small)
    before = time.perf_counter()
    R = SIDES[side](shape, path)
    seconds = time.perf_counter() - before
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20
    mark = [R.nnz, *R.shape, int(R.indices.sum(dtype=np.int64)), float(R.data.sum(dtype=np.float64))]
    print(json.dumps({"seconds": seconds, "peak": peak, "mark": mark}))


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--full", action="store_true", help="the two real sizes instead")
    parser.add_argument("--rows", type=float, nargs="+", default=[1e6, 4e6, 16e6], help="how many rows")
    parser.add_argument("--shapes", nargs="+", choices=list(FULL), default=list(FULL))
    parser.add_argument("--runs", type=int, default=1, help="take the median of so many runs of each side")
    parser.add_argument("--folder", type=Path, help="where to put the files meanwhile (4 GB with --full)")
    parser.add_argument("--child", nargs=3, help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.child:
        return child(arguments.child[0], arguments.child[1], Path(arguments.child[2]))
    head = f"{'acai s':>7}{'pandas s':>9}{'ratio':>7}   {'acai GiB':>9}{'pandas GiB':>11}{'ratio':>7}"
    print(f"{'file':<10}{'rows':>12}{'GB':>6}   {head}")
    with tempfile.TemporaryDirectory(dir=arguments.folder) as folder:
        for shape in arguments.shapes:
            for n_rows in [FULL[shape]] if arguments.full else map(int, arguments.rows):
                path = Path(folder) / shape
                GENERATE[shape](n_rows, path)
                runs = [{side: measure(side, shape, path) for side in SIDES} for _ in range(arguments.runs)]
                assert all(run["acai"]["mark"] == run["pandas"]["mark"] for run in runs), f"not the same matrix: {runs}"
                a, p = (
                    {of: np.median([run[side][of] for run in runs]) for of in ("seconds", "peak")} for side in SIDES
                )
                print(
                    f"{shape:<10}{n_rows:>12,}{path.stat().st_size / 1e9:>6.2f}   "
                    f"{a['seconds']:>7.1f}{p['seconds']:>9.1f}{a['seconds'] / p['seconds']:>7.2f}   "
                    f"{a['peak']:>9.2f}{p['peak']:>11.2f}{a['peak'] / p['peak']:>7.2f}",
                    flush=True,
                )
                path.unlink()


if __name__ == "__main__":
    main()
