"""Damage to every kind of file that acai writes: it must be refused or recomputed, or read to the same contents."""

import functools
import shutil
from collections.abc import Callable
from pathlib import Path

import numpy as np

import acai
from acai import nn
from acai.audio.feature_cache import SUBFOLDER
from acai.audio.features import extract
from acai.content import AudioToFactors
from acai.ratings import Ratings

from . import material
from .changes import damaged, flipped
from .ledger import Driver, Fault
from .trial import attempt

SOUND = {"window": 256, "hop": 128, "n_mels": 8, "sample_rate": 8000}


class Interrupting(list):
    """Spectrograms that stop the training as soon as its checkpoint has been written."""

    checkpoint: Path

    def __getitem__(self, n):
        if self.checkpoint.exists():
            raise KeyboardInterrupt
        return super().__getitem__(n)


def prepare(folder: Path) -> None:
    """Save one of everything, small ones for every bit and large ones, whose arrays NumPy reads in pieces."""
    for size, R in {"small": material.ratings(5, 6), "large": material.ratings(120, 160)}.items():
        R.save(folder / f"{size}.ratings")
        for name, model in material.models().items():
            model.fit(R).save(folder / f"{size}-{name}.model")
    material.network().save(folder / "small.network")
    nn.Sequential([nn.Linear(60, 80, seed=0), nn.Tanh(), nn.Linear(80, 30, seed=1)]).save(folder / "large.network")
    S, Q = material.spectrograms(), material.targets()
    material.audio_model().fit(S, Q).save(folder / "small.audio")
    interrupting = Interrupting(S)
    interrupting.checkpoint = folder / "small.checkpoint"
    try:
        material.audio_model().fit(interrupting, Q, checkpoint=interrupting.checkpoint)
    except KeyboardInterrupt:
        pass
    material.music(folder / "music", seconds=0.5, rate=8000)
    read_cache(folder / "cache")


def read_cache(cache: Path, music: Path | None = None) -> object:
    """All that is to be had from a folder of cached features."""
    folder = (music or cache.parent / "music").resolve()
    paths = {path.relative_to(folder).as_posix(): path for path in sorted(folder.rglob("*.*"))}
    found = extract(paths, cache, n_jobs=1, **SOUND)
    return {track: np.asarray(found[track]) for track in found}, found.remarks, found.skipped


def resume(path: Path) -> object:
    """A training that goes on from a checkpoint, to its end."""
    model = material.audio_model().fit(material.spectrograms(), material.targets(), checkpoint=path)
    return model.history, model.network.params, model.inputs, model.targets


LOADERS: dict[str, Callable[[Path], object]] = {
    ".ratings": Ratings.load, ".model": acai.load, ".network": nn.load, ".audio": AudioToFactors.load, ".checkpoint": resume,
}


@functools.cache
def contents(path: Path) -> bytes:
    """The bytes of a file, read once."""
    return path.read_bytes()


@functools.cache
def files(shared: Path, pattern: str = "*") -> list[Path]:
    """The files that have a loader, and those of the cache."""
    saved = [path for path in shared.glob(pattern) if path.suffix in LOADERS]
    return sorted([*saved, *(shared / "cache" / SUBFOLDER).glob(pattern)])


@functools.cache
def truth(shared: Path, path: Path) -> str:
    """The digest of what a file holds before it is damaged."""
    room = shared / "undamaged"
    room.mkdir(exist_ok=True)
    return material.digest(read(shared, path, contents(path), room))


def read(shared: Path, path: Path, raw: bytes, room: Path) -> object:
    """What acai makes of these bytes in the place of this file."""
    if path.parent.name == SUBFOLDER:
        cache = room / "cache"
        shutil.copytree(path.parent.parent, cache)
        (cache / SUBFOLDER / path.name).write_bytes(raw)
        try:
            return read_cache(cache, shared / "music")
        finally:
            shutil.rmtree(cache)
    copy = room / path.name
    copy.write_bytes(raw)
    return LOADERS[path.suffix](copy)


def judge(shared: Path, path: Path, raw: bytes, room: Path) -> list[Fault]:
    """The faults that acai shows on these bytes in the place of this file."""
    expected = truth(shared, path)
    trial = attempt(path.name, lambda: read(shared, path, raw, room))
    if trial.succeeded and material.digest(trial.value) != expected:
        return [Fault("silent", f"{path.name}: damaged, and read to other contents")]
    if trial.refused and path.parent.name == SUBFOLDER:
        return [Fault("foreign", f"{path.name}: a damaged cache is an error; it should be computed again"), *trial.faults]
    return list(trial.faults)


def random_damage(shared: Path, n: int, rng: np.random.Generator, room: Path) -> list[Fault]:
    """Some fault somewhere in one of the files."""
    chosen = files(shared)
    path = chosen[n % len(chosen)]
    return judge(shared, path, damaged(contents(path), rng), room)


def every_bit(shared: Path, n: int, rng: np.random.Generator, room: Path) -> list[Fault]:
    """Bit after bit of file after file, the smallest first: case n is bit n of all of them in order."""
    small = files(shared, "small*")
    cached = {path.suffix: path for path in files(shared) if path.parent.name == SUBFOLDER}  # one of each kind
    chosen = sorted([*small, *cached.values()], key=lambda path: (len(contents(path)), path.name))
    for path in chosen:
        n_bits = 8 * len(contents(path))
        if n < n_bits:
            return judge(shared, path, flipped(contents(path), n), room)
        n -= n_bits
    return random_damage(shared, n, rng, room)


DAMAGE = Driver(
    "damage", "saved files, damaged at random", "files", prepare, random_damage,
    limit=10, memory=2**31, share=2.0,
)
BITS = Driver(
    "bits", "saved files with one bit flipped, bit after bit", "bits", prepare, every_bit, limit=10, memory=2**31, share=2.0,
)
