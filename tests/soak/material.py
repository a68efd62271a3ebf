"""What the drivers work on: plays, models, networks, music, and a digest that tells whether two things are equal bit for bit."""

import dataclasses
import functools
import hashlib
import os
from pathlib import Path

import numpy as np
import soundfile
from scipy import sparse

from acai.ratings import Ratings

RATE = 22050
OLD = 1_500_000_000  # a moment long ago, for the time of change of files that must not be younger than a few seconds


def ratings(n_users: int = 30, n_songs: int = 40, share: float = 0.3, seed: int = 0) -> Ratings:
    """Ratings from 1 to 5 with times, of a share of all pairs; ids are text, and some of it is not ASCII."""
    rng = np.random.default_rng(seed)
    u, i = np.nonzero(rng.random((n_users, n_songs)) < share)
    values, times = rng.integers(1, 6, len(u)), rng.integers(0, 2**31, len(u))
    users, songs = [f"user {n}" for n in u], [f"söng {n}" for n in i]
    return Ratings.from_triplets(users, songs, values, times=times)


def models(quick: bool = True) -> dict[str, object]:
    """Every collaborative-filtering model, unfitted, with settings that fit in a moment."""
    from acai.cf import MODELS

    found = {}
    for name, model in MODELS.items():
        fields = {field.name for field in dataclasses.fields(model)}
        settings = {"n_epochs": 2, "n_factors": 3, "k": 5} if quick else {}
        found[name] = model(**{setting: value for setting, value in settings.items() if setting in fields})
    return found


def network(seed: int = 0):
    """A small network with every layer that has settings."""
    from acai import nn

    return nn.Sequential([
        nn.Conv2D(8, 6, (1, 3), seed=seed), nn.ReLU(), nn.MaxPool2D((1, 2)), nn.Conv2D(6, 4, (1, 2), seed=seed + 1), nn.Tanh(),
        nn.GlobalPool(), nn.Dropout(0.2, seed=seed), nn.Linear(12, 3, seed=seed + 2),
    ])


def spectrograms(n: int = 8, bands: int = 8, frames: int = 24, seed: int = 0) -> list[np.ndarray]:
    """Arrays that may pass for spectrograms."""
    rng = np.random.default_rng(seed)
    return [rng.random((bands, frames), dtype=np.float32) for _ in range(n)]


def audio_model(n_epochs: int = 3):
    """A small audio model, untrained, for `spectrograms`."""
    from acai.content import AudioToFactors

    return AudioToFactors(network=network(), n_epochs=n_epochs, width=12, batch_size=3, seed=1)


def targets(n: int = 8, k: int = 3) -> np.ndarray:
    """Factors for so many spectrograms."""
    return np.random.default_rng(2).normal(size=(n, k)).astype(np.float32)


def music(folder: Path, seconds: float = 3.4, rate: int = RATE) -> None:
    """Six short sounds of four formats in three sub-folders; one is clipped. All were changed long ago."""
    names = ["ann/1.wav", "ann/2.ogg", "bob/1.flac", "bob/2.mp3", "cid/1.wav", "cid/2.ogg"]
    t = np.arange(round(seconds * rate)) / rate
    for n, name in enumerate(names):
        rng = np.random.default_rng(n)
        x = 0.3 * np.sin(2 * np.pi * (200 + 90 * n) * t) + 0.05 * rng.standard_normal(len(t))
        if n == 4:
            x = np.clip(20 * x, -1, 1)
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        soundfile.write(path, x, rate)
        os.utime(path, (OLD, OLD))


def digest(*things: object) -> str:
    """The same text for the same contents, bit for bit: of arrays, ratings, models, networks and whatever they are made of."""
    found = hashlib.sha256()
    _feed(found, things)
    return found.hexdigest()


def _feed(found, thing: object) -> None:
    if isinstance(thing, np.ndarray):
        found.update(f"array {thing.dtype} {thing.shape}".encode())
        found.update(np.ascontiguousarray(thing).tobytes())
    elif sparse.issparse(thing):
        thing = thing.tocsr()
        _feed(found, ("sparse", thing.shape, thing.data, thing.indices, thing.indptr))
    elif isinstance(thing, np.random.Generator):
        _feed(found, thing.bit_generator.state)
    elif isinstance(thing, tuple | list):
        found.update(f"{len(thing)} items".encode())
        for item in thing:
            _feed(found, item)
    elif isinstance(thing, dict):
        found.update(f"{len(thing)} entries".encode())
        for name in sorted(thing, key=repr):
            _feed(found, (name, thing[name]))
    elif hasattr(thing, "__dict__") and not callable(getattr(thing, "__get__", None)):
        found.update(type(thing).__name__.encode())
        _feed(found, {name: value for name, value in vars(thing).items() if _is_content(thing, name)})
    else:
        found.update(f"{type(thing).__name__} {thing!r}".encode())


def _is_content(thing: object, name: str) -> bool:
    return not isinstance(getattr(type(thing), name, None), functools.cached_property)
