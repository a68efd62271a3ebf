"""A folder of clips into features: two cores beside one, the second run beside the first, and 20 kills.

    python tests/benchmarks/bench_sound.py                                 # 200 clips of 30 s, mp3, 44,100 Hz, stereo
    python tests/benchmarks/bench_sound.py --format wav --rate 22050 --channels 1

One core and all cores take turns, each with an empty cache, in one process with everything imported; medians are compared.
"""

import argparse
import os
import random
import shutil
import signal
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import joblib
import numpy as np
import soundfile

from acai.audio import log_mel
from acai.audio.features import extract
from acai.datasets import audio_folder


def clip(file: Path, seed: int, rate: int, channels: int) -> None:
    """Thirty seconds of a few gliding tones in noise, other ones for every seed."""
    rng = np.random.default_rng(seed)
    t = np.arange(30 * rate) / rate
    x = rng.normal(0, 0.02, (len(t), channels))
    for f in rng.uniform(60, 4000, 6):
        x += 0.1 * np.sin(2 * np.pi * f * t * (1 + 0.01 * t / 30))[:, None]
    soundfile.write(file, x, rate)
    os.utime(file, (1e9, 1e9))


def timed(paths: dict, cache: Path, n_jobs: int) -> float:
    start = time.perf_counter()
    extract(paths, cache, n_jobs=n_jobs)
    return time.perf_counter() - start


def contents(folder: Path) -> dict[str, bytes]:
    return {file.name: file.read_bytes() for file in folder.iterdir()}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--format", default="mp3")
    parser.add_argument("--rate", type=int, default=44100)
    parser.add_argument("--channels", type=int, default=2)
    parser.add_argument("--clips", type=int, default=200)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--kills", type=int, default=20)
    args = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        measure(Path(folder), args)


def measure(folder: Path, args: argparse.Namespace) -> None:
    (folder / "clips").mkdir()
    files = [folder / "clips" / f"{n}.{args.format}" for n in range(args.clips)]
    # In threads: a pool of processes made here would stay, idle, and yet slow the threads that are measured (by a fifth)
    joblib.Parallel(-1, prefer="threads")(joblib.delayed(clip)(file, n, args.rate, args.channels) for n, file in enumerate(files))
    paths = audio_folder(folder / "clips").paths
    log_mel(files[0])
    one, all_cores, again = [], [], []
    for _ in range(args.rounds):
        for n_jobs, times in ((1, one), (-1, all_cores)):
            shutil.rmtree(folder / "cache", ignore_errors=True)
            times.append(timed(paths, folder / "cache", n_jobs))
        again.append(timed(paths, folder / "cache", -1))
    one, all_cores, again = map(statistics.median, (one, all_cores, again))
    print(f"{args.clips} clips of 30 s, {args.format}, {args.rate} Hz, {args.channels} channels, {os.cpu_count()} cores")
    print(f"one core {one:.2f} s ({1000 * one / args.clips:.1f} ms a clip), all cores {all_cores:.2f} s: {one / all_cores:.2f} ×")
    print(f"second run {1000 * again:.1f} ms: {again / all_cores:.2%} of the first")

    expected, cache = contents(folder / "cache"), folder / "killed"
    moment = random.Random(0)
    program = (  # all that is imported late is there before the clock starts, so that the kills fall into the work
        "import sys, joblib, soundfile; from acai.audio.features import extract; from acai.datasets import audio_folder;"
        "from acai.audio import log_mel; paths = audio_folder(sys.argv[1]).paths; log_mel(next(iter(paths.values())));"
        "print('ready', flush=True); extract(paths, sys.argv[2])"
    )
    kept = []
    for _ in range(args.kills):
        run = [sys.executable, "-c", program, folder / "clips", cache]
        with subprocess.Popen(run, stdout=subprocess.PIPE, start_new_session=True) as process:
            process.stdout.readline()
            time.sleep(moment.uniform(0, 2 * all_cores / args.kills))
            os.killpg(process.pid, signal.SIGKILL)
        kept.append(len(list(cache.glob("[0-9a-f]*.npy"))) if cache.exists() else 0)
    extract(paths, cache)
    print(f"{args.kills} kills, after which so many clips were done: {kept}")
    print("the cache is", "the same, byte for byte" if contents(cache) == expected else "NOT THE SAME")


if __name__ == "__main__":
    main()
