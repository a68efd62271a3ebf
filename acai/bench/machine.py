"""The machine: what it is, what it could do at best, and the environment in which it is measured."""

import importlib.metadata
import os
import platform
import sys
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np

from acai.bench.row import PACKAGES
from acai.threads import map_blocks, n_threads

SLOWING = ("OPENBLAS_CORETYPE", "OPENBLAS_L2_SIZE")  # where these are set, BLAS is slower than it could be
N, COPIED = 2048, 2**24  # rows of the matrices that are multiplied; floats that are copied, which no cache holds
TRIES = 5


def environment(cache: Path) -> dict[str, str]:
    """Return the variables for a measuring process: BLAS as fast as it is, and an empty cache of compiled code."""
    kept = {name: value for name, value in os.environ.items() if name not in SLOWING}
    return kept | {"NUMBA_CACHE_DIR": str(cache), "PYTHONPATH": os.pathsep.join(filter(None, sys.path))}


def peaks() -> dict[str, float]:
    """Measure how many floating-point operations per second a matrix product reaches, and how many bytes a copy moves."""
    A = np.random.default_rng(0).random((N, N), dtype=np.float32)
    B, x = np.empty_like(A), np.zeros(COPIED, np.float32)
    y = np.zeros_like(x)
    size = COPIED // n_threads()
    blocks = [slice(start, start + size) for start in range(0, COPIED, size)]

    def copy(block: slice) -> None:
        y[block] = x[block]

    product = _fastest(lambda: np.matmul(A, A, out=B))
    return {"product": 2.0 * N**3 / product, "copy": 2.0 * x.nbytes / _fastest(lambda: map_blocks(copy, blocks))}


def _fastest(work: Callable[[], object]) -> float:
    work()
    times = []
    for _ in range(TRIES):
        started = time.perf_counter()
        work()
        times.append(time.perf_counter() - started)
    return min(times)


def description() -> str:
    """Describe processor, threads, what else they were doing, and versions, in one line."""
    load = os.getloadavg()[0] if hasattr(os, "getloadavg") else 0.0
    busy = f" (BUSY: {load:.1f} tasks want to run, which distorts ratios)" if load > n_threads() / 2 else ""
    versions = [f"Python {platform.python_version()}", *map(_version, ["numpy", "scipy", "numba", *PACKAGES.values()])]
    return f"{processor()}, {n_threads()} threads{busy}; {', '.join(filter(None, versions))}"


def processor() -> str:
    """Name the processor, as far as the system says."""
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
        return next(line.split(":")[1].strip() for line in lines if line.startswith("model name"))
    except (OSError, StopIteration):
        return platform.processor() or platform.machine()


def _version(package: str) -> str:
    try:
        return f"{package} {importlib.metadata.version(package)}"
    except importlib.metadata.PackageNotFoundError:
        return ""
