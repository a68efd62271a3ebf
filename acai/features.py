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
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from acai.errors import InputError, unknown
from acai.files import written_whole
from acai.recording import Recording, Sound, check_at_the_door

KINDS = ("log_mel", "mfcc")
VERSION = 1  # of what a cached file means: to be counted up when `acai.audio` computes something else than before
CLIPPED = 0.001  # the share of instants at full scale from which on it is worth a remark
SETTLED = 2.0  # seconds after which a file's time of change tells it from a later version of itself
DAY = 86400.0


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
    paths: Mapping[str, str | os.PathLike],
    cache: str | os.PathLike | None = None,
    kind: str = "log_mel",
    n_jobs: int = -1,
    progress: bool = False,
    **parameters: float | None,
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
    folder = Path(os.path.abspath(default_cache() if cache is None else cache))
    recipe = _full_recipe(kind, parameters)
    folder.mkdir(parents=True, exist_ok=True)
    index, present, now = _read_index(folder), set(os.listdir(folder)), time.time()
    stamps = {os.path.abspath(path): _stamp(path) for path in paths.values()}
    digests, reasons, todo = {}, {}, {}
    for track, path in paths.items():
        path = os.path.abspath(path)
        stamp, digest = index.get(path, (None, None))
        if stamp and stamp == stamps[path] and _file_name(digest, recipe) in present:
            digests[track] = digest
        else:
            todo[track] = path

    for track, digest, reason in _in_parallel(todo, folder, recipe, n_jobs, progress) if todo else ():
        digests[track], reasons[track] = digest, reason
        stamp = stamps[todo[track]]
        if not reason and stamp and now - stamp[1] / 1e9 > SETTLED:
            index[todo[track]] = [stamp, digest]
    if todo:
        _write(folder / "index.json", lambda file: file.write_text(json.dumps(index, indent=0, sort_keys=True)))
    _sweep(folder, [name for name in present if name.startswith(".")])

    skipped = {track: reasons[track] for track in paths if reasons.get(track)}
    files = {track: folder / _file_name(digests[track], recipe) for track in paths if track not in skipped}
    present = set(os.listdir(folder)) if todo else present
    notes = {track: file.with_suffix(".txt") for track, file in files.items()}
    remarks = {track: note.read_text() for track, note in notes.items() if note.name in present}
    return Features(files, skipped, remarks, len(todo) - len(skipped))


def default_cache() -> Path:
    """Where features are kept unless a folder is named: the user's cache folder, as the system has it."""
    import pooch

    return Path(pooch.os_cache("acai")) / "features"


def _full_recipe(kind: str, parameters: dict) -> dict:
    """Everything that decides what the features are, with the defaults that the caller left out."""
    from acai import audio

    bound = inspect.signature(getattr(audio, kind)).bind(None, **parameters)
    bound.apply_defaults()
    recipe = {"kind": kind, "version": VERSION, **bound.arguments}
    del recipe["sound"]
    return {name: int(v) if isinstance(v, float) and v.is_integer() else v for name, v in recipe.items()}


def _listen(sound: Sound, recipe: dict) -> tuple[np.ndarray, float]:
    """The features of one sound, and the share of it that is clipped."""
    from acai import audio

    parameters = {name: value for name, value in recipe.items() if name not in ("kind", "version")}
    recording = Recording(sound, recipe["sample_rate"])
    features = getattr(audio, recipe["kind"])(recording, **parameters)  # (bands, frames)
    return features.astype(np.float16), recording.clipped


def _in_parallel(todo: dict, folder: Path, recipe: dict, n_jobs: int, progress: bool) -> Iterator[tuple]:
    rate = recipe["sample_rate"]
    _listen((np.sin(np.arange(rate + recipe["window"])), rate), recipe)  # a wrong parameter fails here, once
    # Threads, unless a `joblib.parallel_config` says otherwise: decoding, resampling and Fourier transforms all release
    # Python's lock, and there are no processes to start. None of it calls BLAS, so no thread pool works against them.
    from joblib import Parallel, delayed
    from tqdm import tqdm

    tasks = (delayed(_extract_one)(track, path, folder, recipe) for track, path in todo.items())
    done = Parallel(n_jobs, prefer="threads", return_as="generator_unordered")(tasks)
    yield from tqdm(done, total=len(todo), desc="listening", unit="track", disable=not progress)


def _extract_one(track: str, path: str, folder: Path, recipe: dict) -> tuple[str, str, str | None]:
    """Fill one place of the cache: the track, what its file holds, and why it cannot be used, if so."""
    try:
        check_at_the_door(path)
        with open(path, "rb") as sound:
            digest = hashlib.file_digest(sound, "sha256").hexdigest()
        file = folder / _file_name(digest, recipe)
        if file.exists():
            return track, digest, None
        features, clipped = _listen(path, recipe)
    except InputError as error:
        return track, "", str(error).removeprefix(path).strip()
    if clipped > CLIPPED:  # written before the features, whose presence says that all is there
        remark = f"is clipped: {clipped:.1%} of it stands at full scale"
        _write(file.with_suffix(".txt"), lambda file: file.write_text(remark))
    _write(file, lambda file: np.save(file, features))
    return track, digest, None


def _file_name(digest: str | None, recipe: dict) -> str:
    key = hashlib.sha256(json.dumps([digest, recipe], sort_keys=True).encode())
    return f"{key.hexdigest()[:40]}.npy"


def _stamp(path: str) -> list[int] | None:
    """What tells, without reading it, that a file has not changed: its size and the time of its last change."""
    try:
        status = os.stat(path)
    except OSError:
        return None
    return [status.st_size, status.st_mtime_ns]


def _read_index(folder: Path) -> dict[str, list]:
    """For each path, its stamp when it was last read and what it held then: it spares reading all files again."""
    try:
        return json.loads((folder / "index.json").read_text())
    except (FileNotFoundError, json.JSONDecodeError):
        return {}


def _write(path: Path, write: Callable[[Path], object]) -> None:
    try:
        with written_whole(path) as temporary:
            write(temporary)
    except FileNotFoundError:  # another run, which had written the same, swept our temporary file away
        if not path.exists():
            raise


def _sweep(folder: Path, leftovers: list[str]) -> None:
    """Remove the temporary files of killed runs: those that are there whole by now, or that are older than a day."""
    for name in leftovers:
        temporary = folder / name
        finished = temporary.with_name(name[1:].rsplit("-", 1)[0] + temporary.suffix)
        try:
            if finished.exists() or time.time() - temporary.stat().st_mtime > DAY:
                temporary.unlink()
        except FileNotFoundError:
            pass  # its owner was alive, and renamed it
