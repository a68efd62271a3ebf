"""How time and memory grow with the number of entries, on GENERATED matrices."""

import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from acai.bench.made_up import generated
from acai.cf import ALS, SGD
from acai.cf.recommender import Recommender

ENTRIES = (1_000_000, 4_000_000, 16_000_000, 48_000_000)
ENTRIES_OF_A_USER, USERS_OF_A_SONG = 50, 4  # so that rows and columns grow with the entries
EPOCHS = 1, 3  # two fits: what they share, such as the start, is in neither's difference
MODELS: dict[str, Callable[[int], Recommender]] = {
    "SGD, 100 factors": lambda n_epochs: SGD(n_epochs=n_epochs),
    "ALS, 64 factors": lambda n_epochs: ALS(64, n_epochs=n_epochs),
}


@dataclass(frozen=True)
class Growth:
    """One model at one size: nanoseconds per entry and epoch, and the MiB that fitting takes beyond the ratings' own."""

    model: str
    n_entries: int
    nanoseconds: float
    ratings_mib: float
    peak_mib: float


def grow(model: str, n_entries: int) -> Growth:
    """Fit the model for a few epochs."""
    MODELS[model](1).fit(generated(300, 200, 5_000))  # compiles
    m = n_entries // ENTRIES_OF_A_USER
    R = generated(m, m // USERS_OF_A_SONG, n_entries)
    held = peak_memory(forget=True)
    seconds = []
    for n_epochs in EPOCHS:
        started = time.perf_counter()
        MODELS[model](n_epochs).fit(R)
        seconds.append(time.perf_counter() - started)
    per_epoch = (seconds[1] - seconds[0]) / (EPOCHS[1] - EPOCHS[0])
    return Growth(model, n_entries, 1e9 * per_epoch / n_entries, held, peak_memory())


def peak_memory(forget: bool = False) -> float:
    """Return the most MiB that this process ever held; with `forget`, what it holds now, from where the count goes on."""
    if forget:
        Path("/proc/self/clear_refs").write_text("5", encoding="ascii")
    status = Path("/proc/self/status").read_text(encoding="ascii")
    return int(status.split("VmHWM:")[1].split()[0]) / 1024
