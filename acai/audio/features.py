"""A folder of sound turned into features once, on all cores, and cached.

An entry of the cache is named after what the sound file holds and how its features are computed: a file that was renamed,
moved or copied is not decoded again, a changed one is, and two runs at once do no harm. Nothing depends on a run coming to
its end, so whatever was killed is resumed by running it again. What is damaged is computed again.
"""

import hashlib
import inspect
import os
import time
import warnings
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from tqdm import tqdm

from acai.audio import feature_cache
from acai.audio.recording import Recording, Sound, open_regular, readable_name
from acai.audio.spectrogram import log_mel, mfcc, validate_settings
from acai.audio.workers import Workers
from acai.errors import InputError, unknown
from acai.files import remove_leftovers
from acai.settings import checked_jobs

KINDS = {"log_mel": log_mel, "mfcc": mfcc}
VERSION = 2  # of what an entry means: to be increased when `acai.audio` computes something else, or files look otherwise
CLIPPED = 0.001  # the share of instants at full scale from which on it is worth a remark
SETTLED = 2.0  # seconds after which a file's time of change tells it from a later version of itself


@dataclass
class Features(Mapping[str, np.ndarray]):
    """The features of each track by name: float16 arrays, shape (bands, frames), memory-mapped when asked for.

    Each time an array is asked for, its checksum is verified.

    Attributes
    ----------
    files : dict of str to Path
        The cached file of each track.
    skipped : dict of str to str
        The tracks that could not be used, and why.
    remarks : dict of str to str
        What is worth knowing about tracks that could.
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

    def __getitem__(self, track: str) -> np.ndarray:
        if track in self.skipped:
            raise InputError(f"{track} {self.skipped[track]}")
        if track not in self.files:
            raise unknown("track", track, self.files)
        features = feature_cache.read_entry(self.files[track])
        if features is None:
            raise InputError(f"{self.files[track]} has been damaged or removed since it was found; extract the features again")
        return features

    def __iter__(self) -> Iterator[str]:
        return iter(self.files)

    def __len__(self) -> int:
        return len(self.files)


def extract(
    paths: Mapping[str, str | os.PathLike[str]], cache: str | os.PathLike[str] | None = None, kind: str = "log_mel",
    n_jobs: int = -1, progress: bool = False, **parameters: float | None,
) -> Features:
    """Compute the features of many sound files, or find them in the cache.

    The work runs through joblib: inside `joblib.parallel_config(backend="dask")` the same call spreads over a cluster
    whose workers see the same files and the same cache.

    Parameters
    ----------
    paths : mapping of str to path
        The file of each track, as in `acai.datasets.audio_folder(folder).paths`.
    cache : path
        A folder, made if it does not exist; by default the user's cache folder. The features are in its subfolder
        `acai-features`, and nothing else in it is touched.
    kind : {"log_mel", "mfcc"}
        The function of `acai.audio` to apply.
    n_jobs : int
        How many files to work on at a time; -1: as many as there are cores.
    progress : bool
        Whether to show a progress bar.
    **parameters
        Passed on to that function.

    Returns
    -------
    Features
        In the order of `paths`. A file that cannot be used is left out and listed in `skipped`.
    """
    if not isinstance(kind, str) or kind not in KINDS:
        raise unknown("kind of features", kind, KINDS)
    n_jobs = checked_jobs(n_jobs)
    recipe = _recipe(kind, parameters)
    folder = feature_cache.open_cache(default_cache() if cache is None else cache)
    index = feature_cache.read_index(folder)
    paths = {track: os.path.abspath(path) for track, path in paths.items()}
    outcomes = {track: _look_up(path, folder, recipe, index) for track, path in paths.items()}
    todo = [track for track, outcome in outcomes.items() if outcome is None]
    if todo:
        _listen((np.sin(np.arange(recipe["sample_rate"] + recipe["window"])), recipe["sample_rate"]), recipe)  # settings
        done = _extract_all([paths[track] for track in todo], folder, recipe, n_jobs, progress)
        for track, outcome in zip(todo, done):
            outcomes[track] = outcome
            if outcome.stamp:
                index[outcome.stamp] = outcome.digest
        feature_cache.write_index(folder, index)
    remove_leftovers(folder)
    found = {track: outcome for track, outcome in outcomes.items() if not outcome.reason}
    return Features(
        files={track: feature_cache.entry_path(folder, outcome.digest, recipe) for track, outcome in found.items()},
        skipped={track: outcome.reason for track, outcome in outcomes.items() if outcome.reason},
        remarks={track: outcome.remark for track, outcome in found.items() if outcome.remark},
        n_computed=sum(outcome.is_new for outcome in found.values()),
        n_damaged=sum(outcome.was_damaged for outcome in found.values()),
    )


def default_cache() -> Path:
    """Where features are cached unless a folder is named: the user's cache folder, as the system has it."""
    import pooch

    return Path(pooch.os_cache("acai"))


@dataclass(frozen=True)
class Outcome:
    """What became of one sound file.

    Attributes
    ----------
    digest : str
        The SHA-256 of what it holds.
    remark, reason : str
        What is worth knowing about it; why it cannot be used.
    stamp : str
        Its stamp, if it is old enough to be trusted.
    is_new, was_damaged : bool
        Whether its features were computed just now, and whether that was because those in the cache were damaged.
    """

    digest: str = ""
    remark: str = ""
    reason: str = ""
    stamp: str = ""
    is_new: bool = False
    was_damaged: bool = False


class StoppableRecording(Recording):
    """A recording whose iteration ends with `Stopped` once the workers are asked to stop."""

    def __init__(self, sound: Sound, sample_rate: float, workers: Workers) -> None:
        super().__init__(sound, sample_rate)
        self._workers = workers

    def __iter__(self) -> Iterator[np.ndarray]:
        for block in super().__iter__():
            self._workers.check()
            yield block


def _recipe(kind: str, parameters: dict[str, float | None]) -> dict:
    """Everything that decides what the features are, with the defaults that the caller left out."""
    bound = inspect.signature(KINDS[kind]).bind(None, **parameters)
    bound.apply_defaults()
    settings = {name: value for name, value in bound.arguments.items() if name != "sound"}
    validate_settings(**settings)
    return {"kind": kind, "version": VERSION, **{name: _plain_number(value) for name, value in settings.items()}}


def _plain_number(value: float | None) -> float | None:
    """The same number for 22050, 22050.0 and NumPy's 22050: an int if it can be one."""
    if value is None:
        return None
    return int(value) if value == int(value) else float(value)


def _listen(sound: Sound, recipe: dict, workers: Workers | None = None) -> tuple[np.ndarray, float]:
    """The features of one sound, and the share of it that is clipped."""
    parameters = {name: value for name, value in recipe.items() if name not in ("kind", "version")}
    recording = StoppableRecording(sound, recipe["sample_rate"], workers or Workers())
    features = KINDS[recipe["kind"]](recording, **parameters)  # (bands, frames)
    return features.astype(np.float16), recording.clipped


def _look_up(path: str, folder: Path, recipe: dict, index: dict[str, str]) -> Outcome | None:
    """What is known of a sound file without reading it; None if that is not enough."""
    digest = index.get(_stamp(path))
    content = None if digest is None else feature_cache.read_sealed(feature_cache.entry_path(folder, digest, recipe))
    return None if content is None else Outcome(digest, feature_cache.remark_of(content))


def _extract_all(paths: list[str], folder: Path, recipe: dict, n_jobs: int, progress: bool) -> list[Outcome]:
    """Fill the cache, in parallel; the outcomes are in the order of the paths."""
    from joblib import Parallel, delayed

    # Threads, unless a `joblib.parallel_config` says otherwise: decoding, resampling and Fourier transforms all release
    # Python's lock, and there are no processes to start. None of it calls BLAS, so no thread pool works against them.
    parallel = Parallel(n_jobs, prefer="threads", return_as="generator", batch_size=1)
    workers = Workers()
    done = None
    try:
        done = parallel(delayed(_extract_one)(path, folder, recipe, workers) for path in paths)
        return list(tqdm(done, total=len(paths), desc="listening", unit="track", disable=not progress))
    finally:
        workers.stop()
        if done is not None:
            with warnings.catch_warnings(action="ignore"):  # joblib warns when not all of it was done
                done.close()


def _extract_one(path: str, folder: Path, recipe: dict, workers: Workers) -> Outcome:
    """Fill one place of the cache, unless it is filled already."""
    with workers.task():
        try:
            stamp = _stamp(path)
            trusted = stamp if _is_settled(path) else ""
            digest = _digest(path)
            place = feature_cache.entry_path(folder, digest, recipe)
            content = feature_cache.read_sealed(place)
            if content is not None:
                return Outcome(digest, feature_cache.remark_of(content), stamp=trusted)
            features, clipped = _listen(path, recipe, workers)
            if _stamp(path) != stamp:
                raise InputError("was changed while it was read; run again")
        except InputError as error:
            return Outcome(reason=str(error).removeprefix(readable_name(path)).strip())
        remark = f"is clipped: {clipped:.1%} of it stands at full scale" if clipped > CLIPPED else ""
        was_damaged = os.path.lexists(place)
        feature_cache.write_entry(place, features, remark)
        return Outcome(digest, remark, stamp=trusted, is_new=True, was_damaged=was_damaged)


def _digest(path: str) -> str:
    """The SHA-256 of what a sound file holds."""
    with open_regular(path) as file:
        try:
            return hashlib.file_digest(file, "sha256").hexdigest()
        except OSError as error:
            raise InputError(f"{readable_name(path)} cannot be read: {error.strerror}") from None


def _stamp(path: str) -> str:
    """What tells, without reading it, that a file has not changed: its size and time of change; "" if it cannot be told."""
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
