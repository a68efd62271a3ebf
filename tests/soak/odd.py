"""Odd data with odd settings: every model gives finite numbers or an InputError."""

import dataclasses
import math
import tempfile
from collections.abc import Callable
from pathlib import Path

import numpy as np

import acai
from acai.cf import MODELS
from acai.ratings import Ratings

from . import material
from .ledger import Driver, Fault
from .trial import Trial, attempt

SETTINGS: dict[type, tuple] = {  # by the type of a setting's default
    bool: (True, False, 1, None),
    int: (0, 1, 2, 50, 1000, 2**31, 2**63, 10**12, -1, 1.5, "3", None, True, np.int64(2)),
    float: (
        0.0, 1e-300, 1e-30, 1e-12, 1e-3, 1.0, 0.5, 10.0, 1e6, 1e30, 1e300, 1 - 1e-9, 1 - 1e-16, math.inf, math.nan, -1.0, "x", None,
        np.float32(0.1), 5e-324,
    ),
    str: ("pearson", "cosine", "msd", "overlap", "asymmetric", "none", "mean", "baseline", "", "x", None, 3),
    type(None): (None, 1, 2, 10**12, 0, -1, 1.5),
}


def _dense(A: np.ndarray) -> Ratings:
    u, i = np.nonzero(~np.isnan(A))
    return Ratings.from_triplets(u.tolist(), i.tolist(), A[u, i])


def _drawn(rng: np.random.Generator, values: Callable[[int], np.ndarray], n: int = 60) -> Ratings:
    u, i = rng.integers(0, 9, n), rng.integers(0, 12, n)
    return Ratings.from_triplets(u, i, values(n), combine="first")


DATA: dict[str, Callable[[np.random.Generator], Ratings]] = {
    "one rating": lambda rng: Ratings.from_triplets(["u"], ["s"], [3.0]),
    "one user": lambda rng: Ratings.from_triplets(["u"] * 6, list("abcdef"), [1, 2, 3, 4, 5, 3]),
    "one song": lambda rng: Ratings.from_triplets(list("abcdef"), ["s"] * 6, [1, 2, 3, 4, 5, 3]),
    "all equal": lambda rng: _drawn(rng, np.ones),
    "all zero": lambda rng: _drawn(rng, np.zeros),
    "negative": lambda rng: _drawn(rng, lambda n: -rng.integers(1, 6, n)),
    "mixed signs": lambda rng: _drawn(rng, rng.standard_normal),
    "huge": lambda rng: _drawn(rng, lambda n: rng.random(n) * 1e31),
    "large counts": lambda rng: _drawn(rng, lambda n: rng.integers(1, 2**31, n)),
    "tiny": lambda rng: _drawn(rng, lambda n: rng.random(n) * 1e-40),
    "one outlier": lambda rng: _drawn(rng, lambda n: np.where(np.arange(n) == 7, 1e30, 3.0)),
    "dense": lambda rng: _dense(rng.integers(1, 6, (8, 9)).astype(float)),
    "rank one": lambda rng: _dense(np.outer(np.arange(1, 6), np.ones(7))),
    "no overlap": lambda rng: _dense(np.where(np.eye(7), 4.0, np.nan)),
    "long ids": lambda rng: Ratings.from_triplets([(n % 5, "ü" * 50) for n in range(20)], [n // 5 for n in range(20)], range(20)),
    "empty rows": lambda rng: _emptied(material.ratings(8, 9, 0.5)),
    "usual": lambda rng: material.ratings(12, 15, 0.4),
}


def _emptied(R: Ratings) -> Ratings:
    return R.keep((R.csr.indices > 2) & (R.user_codes > 2))


def prepare(folder: Path) -> None:
    """Use each model on each kind of data, so that all kernels are compiled and no case has to wait for that."""
    for n in range(len(MODELS) * len(DATA)):
        case(folder, n, np.random.default_rng(n), folder)


def case(shared: Path, n: int, rng: np.random.Generator, room: Path) -> list[Fault]:
    """One model with up to three odd settings on one odd data set."""
    names, kinds = list(MODELS), list(DATA)
    name, kind = names[n % len(names)], kinds[n // len(names) % len(kinds)]
    settings = odd_settings(MODELS[name], rng, int(rng.integers(0, 4)))
    label = f"{name}({', '.join(f'{key}={value!r}' for key, value in settings.items())}) on {kind!r}"
    print(label, flush=True)  # what is shown of a case that hangs or crashes
    data = attempt(f"the data {kind!r}", lambda: DATA[kind](rng))
    if not data.succeeded:
        return [*data.faults]
    R = data.value
    made = attempt(label, lambda: MODELS[name](**settings).fit(R))
    if not made.succeeded:
        return [*made.faults]
    model, user, song = made.value, R.users[0], R.songs[0]
    trials = {
        "predict": attempt(f"{label}.predict", lambda: model.predict([user, user, "?"], [song, "?", song])),
        "recommend": attempt(f"{label}.recommend", lambda: [s for _, s in model.recommend(user, n=3, exclude_rated=False)]),
        "similar": attempt(f"{label}.similar", lambda: [s for _, s in model.similar(song, n=3)]),
        "fold_in": attempt(f"{label}.fold_in", lambda: model.fold_in({song: 3.0})),
        "P, Q": attempt(label, lambda: [getattr(model, factor, 0.0) for factor in "PQ"]),
        "saved": attempt(f"{label}.save", lambda: saved(model, room, user, song)),
    }
    return [fault for what, trial in trials.items() for fault in judged(label, what, trial)]


def odd_settings(model: type, rng: np.random.Generator, n: int) -> dict[str, object]:
    """Up to `n` settings with values that nobody expects; the others are such that a fit takes a moment."""
    fields = {field.name: field.default for field in dataclasses.fields(model) if field.name != "init"}
    settings = {name: value for name, value in {"n_epochs": 3, "n_factors": 3}.items() if name in fields}
    for name in rng.permutation(list(fields))[:n].tolist():
        values = SETTINGS.get(type(fields[name]), SETTINGS[float])
        settings[name] = values[int(rng.integers(len(values)))]
    if settings.get("n_epochs") in (1000, 2**31, 2**63, 10**12):
        settings["n_epochs"] = 60  # more are no fault; they only take long
    if settings.get("n_factors") == 1000:
        settings["n_factors"] = 100  # likewise; many more are refused
    return settings


def saved(model: object, room: Path, user: object, song: object) -> np.ndarray:
    """A prediction of the model after it was saved and loaded, less the one before: 0, if all is well."""
    with tempfile.TemporaryDirectory(dir=room) as folder:
        model.save(Path(folder) / "m.npz")
        again = acai.load(Path(folder) / "m.npz")
    before, after = model.predict([user], [song]), again.predict([user], [song])
    if before.tobytes() != after.tobytes():
        raise AssertionError(f"the loaded model predicts {after[0]}, the saved one {before[0]}")
    return before


def judged(label: str, what: str, trial: Trial) -> list[Fault]:
    """The faults of one call, of which numbers that are not finite are one."""
    if not trial.succeeded or trial.value is None:
        return list(trial.faults)
    values = trial.value if isinstance(trial.value, list) else [trial.value]
    if all(np.isfinite(np.asarray(value, dtype=float)).all() for value in values):
        return []
    return [Fault("silent", f"{label}: {what} is not finite")]


ODD = Driver("odd", "odd ratings with odd settings, every model", "combinations", prepare, case, limit=20, memory=2**32, share=0.5)
