"""A folder of sound turned into features once, on all cores, and kept.

The cache is a folder of `KEY.npy` files, float16, where KEY names what the sound file holds and how it was listened to:
a file that was renamed, moved or copied is not listened to again, a changed one is, and two runs at once do no harm.
Nothing depends on a run coming to its end, so whatever was killed is resumed by running it again.
"""

import hashlib
import inspect
import json
import os
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from tqdm import tqdm

from acai.audio import log_mel, mfcc
from acai.errors import InputError, unknown
from acai.files import atomic_write, remove_leftovers
from acai.recording import Recording, Sound, check_at_the_door

KINDS = {"log_mel": log_mel, "mfcc": mfcc}
VERSION = 1  # of what a cached file means: to be counted up when `acai.audio` computes something else than before
CLIPPED = 0.001  # the share of instants at full scale from which on it is worth a remark
SETTLED = 2.0  # seconds after which a file's time of change tells it from a later version of itself


@dataclass
class Features(Mapping[str, np.ndarray]):
    """The features of each track by name: float16 arrays, shape (bands, frames), memory-mapped when asked for.

    Attributes
    ----------
    files : dict of str to Path
        The cached file of each track.
    skipped : dict of str to str
        The tracks that could not be used, and why.
    remarks : dict of str to str
        What is worth knowing about tracks that could.
    n_computed : int
        How many were listened to in this run; the others were found in the cache.
    """

    files: dict[str, Path]
    skipped: dict[str, str]
    remarks: dict[str, str]
    n_computed: int

    def __getitem__(self, track: str) -> np.ndarray:
        if track in self.skipped:
            raise InputError(f"{track} {self.skipped[track]}")
        if track not in self.files:
            raise unknown("track", track, self.files)
        return np.load(self.files[track], mmap_mode="r", allow_pickle=False)

    def __iter__(self) -> Iterator[str]:
        return iter(self.files)

    def __len__(self) -> int:
        return len(self.files)


def extract(
    paths: Mapping[str, str | os.PathLike], cache: str | os.PathLike | None = None, kind: str = "log_mel",
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
        A folder for the features, made if it does not exist; by default one in the user's cache folder.
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
    if kind not in KINDS:
        raise unknown("kind of features", kind, KINDS)
    if n_jobs == 0:
        raise InputError("n_jobs=0; expected how many files to work on at a time, or -1 for as many as there are cores")
    recipe = _recipe(kind, parameters)
    folder = Path(os.path.abspath(cache or default_cache()))
    folder.mkdir(parents=True, exist_ok=True)
    index: dict[str, str] = {}  # what a file held when it last had this stamp: it spares reading all files again
    with suppress(FileNotFoundError, json.JSONDecodeError):
        index = json.loads((folder / "index.json").read_text())
    paths = {track: os.path.abspath(path) for track, path in paths.items()}
    stamps = {track: _stamp(path) for track, path in paths.items()}
    files = {track: _place(folder, index.get(stamps[track]), recipe) for track in paths}
    todo = [track for track in paths if stamps[track] not in index or not files[track].exists()]
    skipped = {}
    if todo:
        from joblib import Parallel, delayed

        rate = recipe["sample_rate"]
        _listen((np.sin(np.arange(rate + recipe["window"])), rate), recipe)  # a wrong parameter fails here, once
        # Threads, unless a `joblib.parallel_config` says otherwise: decoding, resampling and Fourier transforms all release
        # Python's lock, and there are no processes to start. None of it calls BLAS, so no thread pool works against them.
        tasks = [delayed(_extract_one)(paths[track], folder, recipe) for track in todo]
        done = Parallel(n_jobs, prefer="threads", return_as="generator")(tasks)
        bar = tqdm(done, total=len(todo), desc="listening", unit="track", disable=not progress)
        for (digest, reason), track in zip(bar, todo):
            files[track] = _place(folder, digest, recipe)
            if reason:
                skipped[track] = reason
                del files[track]
            elif stamps[track]:
                index[stamps[track]] = digest
        _write(folder / "index.json", lambda file: file.write_text(json.dumps(index, indent=0, sort_keys=True)))
    remove_leftovers(folder)
    notes = {track: file.with_suffix(".txt") for track, file in files.items()}
    remarks = {track: note.read_text() for track, note in notes.items() if note.exists()}
    return Features(files, skipped, remarks, len(todo) - len(skipped))


def default_cache() -> Path:
    """Where features are kept unless a folder is named: the user's cache folder, as the system has it."""
    import pooch

    return Path(pooch.os_cache("acai")) / "features"


def _recipe(kind: str, parameters: dict) -> dict:
    """Everything that decides what the features are, with the defaults that the caller left out."""
    bound = inspect.signature(KINDS[kind]).bind(None, **parameters)
    bound.apply_defaults()
    del bound.arguments["sound"]
    recipe = {"kind": kind, "version": VERSION, **bound.arguments}
    return {name: int(v) if isinstance(v, float) and v.is_integer() else v for name, v in recipe.items()}


def _listen(sound: Sound, recipe: dict) -> tuple[np.ndarray, float]:
    """The features of one sound, and the share of it that is clipped."""
    parameters = {name: value for name, value in recipe.items() if name not in ("kind", "version")}
    recording = Recording(sound, recipe["sample_rate"])
    features = KINDS[recipe["kind"]](recording, **parameters)  # (bands, frames)
    return features.astype(np.float16), recording.clipped


def _extract_one(path: str, folder: Path, recipe: dict) -> tuple[str, str]:
    """Fill one place of the cache: what the file holds, and why it cannot be used, if so."""
    try:
        check_at_the_door(path)
        with open(path, "rb") as sound:
            digest = hashlib.file_digest(sound, "sha256").hexdigest()
        place = _place(folder, digest, recipe)
        if place.exists():
            return digest, ""
        features, clipped = _listen(path, recipe)
    except InputError as error:
        return "", str(error).removeprefix(path).strip()
    if clipped > CLIPPED:  # written before the features, whose presence says that all is there
        remark = f"is clipped: {clipped:.1%} of it stands at full scale"
        _write(place.with_suffix(".txt"), lambda file: file.write_text(remark))
    _write(place, lambda file: np.save(file, features))
    return digest, ""


def _place(folder: Path, digest: str | None, recipe: dict) -> Path:
    """The file of the cache for what a sound file holds, listened to in this way."""
    key = hashlib.sha256(json.dumps([digest, recipe], sort_keys=True).encode())
    return folder / f"{key.hexdigest()[:40]}.npy"


def _stamp(path: str) -> str:
    """What tells, without reading it, that a file has not changed: its size and time of change; "" if it cannot be told."""
    with suppress(OSError):
        status = os.stat(path)
        if time.time() - status.st_mtime > SETTLED:
            return f"{status.st_size} {status.st_mtime_ns} {path}"
    return ""


def _write(path: Path, write: Callable[[Path], object]) -> None:
    try:
        with atomic_write(path) as temporary:
            write(temporary)
    except FileNotFoundError:  # another run, which had written the same, swept our temporary file away
        if not path.exists():
            raise
