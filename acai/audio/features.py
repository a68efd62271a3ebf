"""The features of a folder of sound files, computed once, on all cores, and cached.

An entry of the cache is named after the contents of the sound file and how its features are computed: a file that was
renamed, moved or copied is not decoded again, a changed one is, and two runs at once do no harm. Nothing depends on a run
being completed, so a run that was killed is resumed by running it again. Damaged entries are computed again.
"""

import hashlib
import inspect
import json
import os
import time
import warnings
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from tqdm import tqdm

from acai.audio import feature_cache
from acai.audio.recording import Sound, open_regular, readable_name
from acai.audio.spectrogram import MelSettings, log_mel, mfcc
from acai.audio.workers import StoppableRecording, Workers
from acai.errors import InputError, unknown
from acai.files import remove_leftovers
from acai.settings import checked_jobs

KINDS: dict[str, Callable[..., NDArray[np.float32]]] = {"log_mel": log_mel, "mfcc": mfcc}
VERSION = 3  # of the entries: to be increased when `acai.audio` computes something else, or the format of files changes
CLIPPED = 0.001  # the share of samples at full scale above which there is a remark
SETTLED = 2.0  # seconds after which a file's modification time distinguishes it from a later version


@dataclass
class Features(Mapping[str, NDArray[np.float16]]):
    """The features of each track by name: float16 arrays, shape (bands, frames).

    Each array is memory-mapped, and its checksum verified, whenever it is accessed.

    Attributes
    ----------
    files : dict of str to Path
        The cached file of each track.
    skipped : dict of str to str
        The tracks that could not be used, and why.
    remarks : dict of str to str
        Remarks on tracks that could.
    n_computed : int
        How many were computed in this run; the others were found in the cache.
    n_damaged : int
        How many of these had to be computed because their file in the cache was damaged.
    """

    files: dict[str, Path]
    skipped: dict[str, str]
    remarks: dict[str, str]
    n_computed: int
    n_damaged: int

    def __getitem__(self, track: str) -> NDArray[np.float16]:
        """Return the features of one track."""
        if track in self.skipped:
            raise InputError(f"{track} {self.skipped[track]}")
        if track not in self.files:
            raise unknown("track", track, self.files)
        features = feature_cache.read_entry(self.files[track])
        if features is None:
            raise InputError(f"{self.files[track]} has been damaged or removed since it was found; extract the features again")
        return features

    def __iter__(self) -> Iterator[str]:
        """Iterate over the names of the tracks."""
        return iter(self.files)

    def __len__(self) -> int:
        """Count the tracks."""
        return len(self.files)


def extract(
    paths: Mapping[str, str | os.PathLike[str]], cache: str | os.PathLike[str] | None = None, kind: str = "log_mel",
    n_jobs: int = -1, progress: bool = False, **parameters: float | None,
) -> Features:
    """Compute the features of many sound files, or find them in the cache.

    The work is done with joblib: inside `joblib.parallel_config(backend="dask")` the same call runs on a cluster whose
    workers see the same files and the same cache.

    Parameters
    ----------
    paths : mapping of str to path
        The file of each track, as in `acai.datasets.audio_folder(folder).paths`.
    cache : path
        A folder, created if it does not exist; by default the user's cache folder. The features are in its subfolder
        `acai-features`, and nothing else in it is touched.
    kind : {"log_mel", "mfcc"}
        The function of `acai.audio` to apply.
    n_jobs : int
        How many files to process at a time; -1 for as many as there are cores.
    progress : bool
        Whether to show a progress bar.
    **parameters
        Passed to that function.

    Returns
    -------
    Features
        In the order of `paths`. A file that cannot be used is left out and listed in `skipped`.
    """
    if not isinstance(kind, str) or kind not in KINDS:
        raise unknown("kind of features", kind, KINDS)
    n_jobs = checked_jobs(n_jobs)
    recipe = Recipe.of(kind, parameters)
    folder = feature_cache.open_cache(default_cache() if cache is None else cache)
    index = feature_cache.read_index(folder)
    absolute = {track: os.path.abspath(path) for track, path in paths.items()}
    cached = {track: _cached_outcome(path, folder, recipe, index) for track, path in absolute.items()}
    outcomes = {track: outcome for track, outcome in cached.items() if outcome is not None}
    todo = [track for track in absolute if track not in outcomes]
    if todo:
        recipe.try_out()
        computed = _extract_all([absolute[track] for track in todo], folder, recipe, n_jobs, progress)
        outcomes |= zip(todo, computed)
        index |= {outcome.stamp: outcome.digest for outcome in computed if outcome.stamp}
        feature_cache.write_index(folder, index)
    remove_leftovers(folder)
    found = {track: outcomes[track] for track in absolute if not outcomes[track].reason}
    return Features(
        files={track: recipe.entry_path(folder, outcome.digest) for track, outcome in found.items()},
        skipped={track: outcomes[track].reason for track in absolute if outcomes[track].reason},
        remarks={track: outcome.remark for track, outcome in found.items() if outcome.remark},
        n_computed=sum(outcome.is_new for outcome in found.values()),
        n_damaged=sum(outcome.was_damaged for outcome in found.values()),
    )


def default_cache() -> Path:
    """Return where features are cached unless a folder is named: the user's cache folder on this system."""
    import pooch

    return Path(pooch.os_cache("acai"))


@dataclass(frozen=True)
class Outcome:
    """The result of processing one sound file.

    Attributes
    ----------
    digest : str
        The SHA-256 of its contents.
    remark, reason : str
        A remark on it, and why it cannot be used; "" if there is nothing to say.
    stamp : str
        Its stamp, if it is old enough to be trusted; otherwise "".
    is_new, was_damaged : bool
        Whether its features were computed just now, and whether that was because those in the cache were damaged.
    """

    digest: str = ""
    remark: str = ""
    reason: str = ""
    stamp: str = ""
    is_new: bool = False
    was_damaged: bool = False


@dataclass(frozen=True)
class Recipe:
    """Everything that decides what the features of a sound are.

    Attributes
    ----------
    kind : str
        The function that computes them.
    parameters : dict of str to number or None
        All of its parameters, with the defaults that the caller left out.
    """

    kind: str
    parameters: dict[str, Any]

    @classmethod
    def of(cls, kind: str, parameters: Mapping[str, float | None]) -> "Recipe":
        """Fill in the defaults, and check the settings."""
        bound = inspect.signature(KINDS[kind]).bind(None, **parameters)
        bound.apply_defaults()
        settings = {name: value for name, value in bound.arguments.items() if name != "sound"}
        MelSettings(**settings)
        return cls(kind, {name: _plain_number(value) for name, value in settings.items()})

    def entry_path(self, folder: Path, digest: str) -> Path:
        """Return the file of the cache for a sound file with these contents, of which `digest` is the SHA-256."""
        recipe = {"kind": self.kind, "version": VERSION, **self.parameters}
        key = hashlib.sha256(json.dumps([digest, recipe], sort_keys=True).encode())
        return folder / f"{key.hexdigest()[:40]}.npy"

    def try_out(self) -> None:
        """Refuse settings that no sound could be used with, before any file is read."""
        rate = self.parameters["sample_rate"]
        _compute((np.sin(np.arange(rate + self.parameters["window"])), rate), self)


def _plain_number(value: float | None) -> float | None:
    """Return the same number for 22050, 22050.0 and NumPy's 22050: an int if it can be one."""
    if value is None:
        return None
    return int(value) if value == int(value) else float(value)


def _compute(sound: Sound, recipe: Recipe, workers: Workers | None = None) -> tuple[NDArray[np.float16], str]:
    """Compute the features of one sound, and a remark on it, or ""."""
    recording = StoppableRecording(sound, recipe.parameters["sample_rate"], workers or Workers())
    features = KINDS[recipe.kind](recording, **recipe.parameters)  # (bands, frames)
    remarks = []
    if recording.missing:
        remarks.append(f"is damaged: {recording.missing:.2f} s of it cannot be decoded")
    if recording.clipped > CLIPPED:
        remarks.append(f"is clipped: {recording.clipped:.1%} of it is at full scale")
    return features.astype(np.float16), "; ".join(remarks)


def _cached_outcome(path: str, folder: Path, recipe: Recipe, index: Mapping[str, str]) -> Outcome | None:
    """Return what the cache has of a sound file, without reading that file; None if this is not enough."""
    digest = index.get(_stamp(path))
    if digest is None:
        return None
    content = feature_cache.read_sealed(recipe.entry_path(folder, digest))
    return None if content is None else Outcome(digest, feature_cache.remark_of(content))


def _extract_all(paths: list[str], folder: Path, recipe: Recipe, n_jobs: int, progress: bool) -> list[Outcome]:
    """Fill the cache, in parallel; the outcomes are in the order of the paths."""
    from joblib import Parallel, delayed

    # Threads, unless a `joblib.parallel_config` says otherwise: decoding, resampling and Fourier transforms all release
    # Python's lock, and there are no processes to start. None of it calls BLAS, so no thread pool works against them.
    parallel = Parallel(n_jobs, prefer="threads", return_as="generator", batch_size=1)
    workers = Workers()
    done = None
    try:
        done = parallel(delayed(_extract_one)(path, folder, recipe, workers) for path in paths)
        return list(tqdm(done, total=len(paths), desc="computing features", unit="track", disable=not progress))
    finally:
        workers.stop()
        if done is not None:
            with warnings.catch_warnings(action="ignore"):  # joblib warns when not all of it was done
                done.close()


def _extract_one(path: str, folder: Path, recipe: Recipe, workers: Workers) -> Outcome:
    """Fill one entry of the cache, unless it is there already."""
    with workers.task():
        try:
            stamp = _stamp(path)
            trusted = stamp if _is_settled(path) else ""
            digest = _digest(path)
            entry = recipe.entry_path(folder, digest)
            content = feature_cache.read_sealed(entry)
            if content is not None:
                return Outcome(digest, feature_cache.remark_of(content), stamp=trusted)
            features, remark = _compute(path, recipe, workers)
            if _stamp(path) != stamp:
                raise InputError("was changed while it was being read; run again")
        except InputError as error:
            return Outcome(reason=str(error).removeprefix(readable_name(path)).strip())
        was_damaged = os.path.lexists(entry)
        feature_cache.write_entry(entry, features, remark)
        return Outcome(digest, remark, stamp=trusted, is_new=True, was_damaged=was_damaged)


def _digest(path: str) -> str:
    """Compute the SHA-256 of the contents of a sound file."""
    with open_regular(path) as file:
        try:
            return hashlib.file_digest(file, "sha256").hexdigest()
        except OSError as error:
            raise InputError(f"{readable_name(path)} cannot be read: {error.strerror}") from None


def _stamp(path: str) -> str:
    """Return the size and modification time of a file, which tell whether it has changed without reading it; "" if unknown."""
    try:
        status = os.stat(path)
    except (OSError, ValueError):
        return ""
    return f"{status.st_size} {status.st_mtime_ns} {path}"


def _is_settled(path: str) -> bool:
    """Whether a file was last changed long enough ago that a further change would show in its stamp."""
    try:
        return time.time() - os.stat(path).st_mtime > SETTLED
    except (OSError, ValueError):
        return False
