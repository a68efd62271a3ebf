"""A long life of one process: results stay the same, memory does not grow, and no descriptor is left open."""

import functools
import gc
import os
import shutil
from pathlib import Path

import numpy as np

import acai
from acai import nn
from acai.content import AudioToFactors
from acai.datasets import triplets
from acai.ratings import Ratings

from . import damage, material
from .ledger import Driver, Fault

SETTLED = 6  # rounds after which caches are full
PER_ROUND = 0.25e6  # bytes that a round may add, on average over all the rounds that follow


def prepare(folder: Path) -> None:
    """Write what is read in every round."""
    material.music(folder / "music", seconds=0.5, rate=8000)
    R = material.ratings(60, 50)
    (folder / "plays.tsv").write_text("".join(f"{u}\t{i}\t{r:g}\n" for u, i, r in R.triplets()))


def one_round(shared: Path, room: Path) -> str:
    """Read, fit, predict, recommend, save, load, train, hear: the digest of all results."""
    R, results = triplets(shared / "plays.tsv"), []
    for name, model in material.models().items():
        model.fit(R).save(room / name)
        again = acai.load(room / name)
        results += [again.recommend(R.users[0]), again.predict(R.users[:5], R.songs[:5])]
    R.save(room / "ratings")
    results.append(Ratings.load(room / "ratings").csr)
    material.network().save(room / "network")
    results.append(nn.load(room / "network").params)
    S = material.spectrograms()
    material.audio_model(2).fit(S, material.targets(), checkpoint=room / "checkpoint").save(room / "audio")
    results.append(AudioToFactors.load(room / "audio").predict(S))
    results.append(damage.read_cache(room / "cache", shared / "music"))
    for entry in room.iterdir():
        if entry.is_dir():
            shutil.rmtree(entry)
        else:
            entry.unlink()
    return material.digest(results)


def resident() -> int:
    """Bytes of memory that this process has, 0 where that cannot be told."""
    status = Path("/proc/self/statm")
    return int(status.read_text().split()[1]) * os.sysconf("SC_PAGESIZE") if status.exists() else 0


def descriptors() -> int:
    """How many files this process has open."""
    place = Path("/proc/self/fd")
    return len(list(place.iterdir())) if place.exists() else 0


@functools.cache
def life() -> dict:
    """What this worker remembers from its rounds."""
    return {"rounds": 0}


def case(shared: Path, n: int, rng: np.random.Generator, room: Path) -> list[Fault]:
    """One more round in the same process."""
    found, known = one_round(shared, room), life()
    gc.collect()
    known["rounds"] += 1
    if known["rounds"] == 1:
        known["digest"] = found
    if known["rounds"] == SETTLED:
        known["memory"], known["descriptors"] = resident(), descriptors()
    faults = []
    if found != known["digest"]:
        faults.append(Fault("silent", f"round {known['rounds']} gives other results than the first"))
    since = known["rounds"] - SETTLED
    if since >= 10 and since % 10 == 0:
        grown, opened = resident() - known["memory"], descriptors() - known["descriptors"]
        if grown > 5e6 + PER_ROUND * since:
            faults.append(Fault("left over", f"memory has grown by {grown / 1e6:.1f} MB in {since} rounds"))
        if opened > 0:
            faults.append(Fault("left over", f"{opened} more files are open than {since} rounds ago"))
    return faults


LONG_RUN = Driver("long-run", "a long life of one process", "rounds", prepare, case, limit=120, share=0.5)
