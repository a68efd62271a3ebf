"""Files: written whole or not at all, and `.npz` files that hold arrays and JSON, never a pickle."""

import json
import os
import tempfile
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np

from acai.errors import InputError


@contextmanager
def written_whole(path: str | os.PathLike) -> Iterator[Path]:
    """A temporary path beside `path`, renamed to it when the block ends well and removed when it does not.

    Parameters
    ----------
    path : path
        Where the file is to stand. Its folder is made if it does not exist.

    Yields
    ------
    Path
        Where to write meanwhile: in the same folder (a rename is atomic only within a file system) and with the same suffix.
    """
    path = Path(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    handle, name = tempfile.mkstemp(prefix=f".{path.stem}-", suffix=path.suffix, dir=path.parent)
    os.close(handle)
    temporary = Path(name)
    try:
        yield temporary
        os.chmod(temporary, 0o644)
        os.replace(temporary, path)
    finally:
        temporary.unlink(missing_ok=True)


def save_npz(path: str | os.PathLike, kind: str, /, **contents: object) -> None:
    """Write one `.npz` file of NumPy arrays and of anything that JSON can say.

    Parameters
    ----------
    path : path
        The file; it is written whole or not at all.
    kind : str
        What the file is, as in "an ear saved by acai": `load_npz` asks for it, and its errors say it.
    **contents
        NumPy arrays are stored as such; all else (text, numbers, None, tuples, lists, dictionaries of these) as JSON.

    Raises
    ------
    InputError
        If something is neither.
    """
    arrays = {name: value for name, value in contents.items() if isinstance(value, np.ndarray)}
    others = {name: value for name, value in contents.items() if name not in arrays}
    text = json.dumps({"kind": kind, "contents": others}, default=_plain)
    # given a name, NumPy would add .npz to it; given a file, it does not
    with written_whole(path) as temporary, open(temporary, "wb") as file:
        np.savez(file, json=np.frombuffer(text.encode(), np.uint8), **arrays)


@contextmanager
def load_npz(path: str | os.PathLike, kind: str) -> Iterator[dict]:
    """What `save_npz` wrote, by name; nothing in the file is ever executed.

    To be used in a `with` block that makes something of the contents: a missing name, a wrong shape or an argument that
    does not fit is then told as a fault of the file, in the same words for every kind of file.

    Parameters
    ----------
    path : path
        The file.
    kind : str
        What it must be: the `kind` that was given to `save_npz`.

    Yields
    ------
    dict
        The contents. Lists and tuples both come as tuples (so that ids can be hashed).

    Raises
    ------
    InputError
        If there is no such file, it holds something else, or the block cannot use what it holds.
    """
    try:
        with open(path, "rb") as file, np.load(file, allow_pickle=False) as stored:
            arrays = dict(stored)
        said = json.loads(arrays.pop("json").tobytes())
        if said["kind"] != kind:
            raise InputError(f"{path}: this is {said['kind']}; expected {kind}")
        yield arrays | {name: _tuples(value) for name, value in said["contents"].items()}
    except InputError:
        raise
    except FileNotFoundError:
        raise InputError(f"{path}: there is no such file; expected {kind}") from None
    except (OSError, EOFError, ValueError, KeyError, TypeError, AttributeError, zipfile.BadZipFile) as error:
        raise InputError(f"{path}: not {kind} ({type(error).__name__}: {error})") from error


def _plain(value: object) -> object:
    if isinstance(value, np.generic):
        return value.item()
    raise InputError(f"{value!r} is a {type(value).__name__}; only text, numbers and tuples of them can be saved")


def _tuples(value: object) -> object:
    if isinstance(value, dict):
        return {name: _tuples(inner) for name, inner in value.items()}
    return tuple(map(_tuples, value)) if isinstance(value, list) else value
