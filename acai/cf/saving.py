"""A model in a file: NumPy arrays and one line of JSON, never a pickle."""

import dataclasses
import json
import zipfile
from os import PathLike

import numpy as np
from scipy import sparse

import acai
from acai.cf.recommender import Recommender
from acai.errors import InputError, unknown
from acai.files import written_whole
from acai.ratings import Ratings


def save(model: Recommender, path: str | PathLike) -> None:
    """Write `model`, its settings, what it learnt and the ratings it learnt from to the `.npz` file `path`; see
    `Recommender.save`.
    """
    ids = {"users": model.ratings.users, "songs": model.ratings.songs}
    for axis, names in ids.items():
        odd = next((name for name in names if type(name) not in (str, int, float)), None)
        if odd is not None:
            raise InputError(f"{axis} holds the id {odd!r}, a {type(odd).__name__}; only str, int and float ids can be saved")
    settings = {f.name: getattr(model, f.name) for f in dataclasses.fields(model) if f.name != "init"}
    header = {"acai": acai.__version__, "model": type(model).__name__, "settings": settings, **ids}
    csr = model.ratings.csr
    state = {name: getattr(model, name) for name in model.state}
    with written_whole(path) as temporary, open(temporary, "wb") as file:  # a file, or NumPy would add `.npz` to the name
        np.savez(
            file,
            header=np.frombuffer(json.dumps(header).encode(), dtype=np.uint8),
            R_data=csr.data,
            R_indices=csr.indices,
            R_indptr=csr.indptr,
            **state,
        )


def load(path: str | PathLike) -> Recommender:
    """Read a model that `model.save(path)` wrote.

    Raises
    ------
    InputError
        If there is no such file, or it is not one of ours.
    """
    from acai import cf

    try:
        with np.load(path, allow_pickle=False) as stored:
            arrays = dict(stored)
        header = json.loads(arrays.pop("header").tobytes())
        kind, settings, users, songs = (header[key] for key in ("model", "settings", "users", "songs"))
        R = [arrays.pop(f"R_{part}") for part in ("data", "indices", "indptr")]
    except FileNotFoundError:
        raise InputError(f"{path}: there is no such file; expected a model that acai has saved") from None
    except (OSError, ValueError, KeyError, AttributeError, TypeError, EOFError, zipfile.BadZipFile) as mistake:
        raise InputError(f"{path}: not a model that acai has saved ({type(mistake).__name__})") from None
    models = [name for name in cf.__all__ if name != "Recommender"]
    if kind not in models:
        raise unknown("model", kind, models, n=len(models))
    model = getattr(cf, kind)(**settings)
    ratings = Ratings(sparse.csr_array(tuple(R), shape=(len(users), len(songs))), users, songs)
    for name, value in arrays.items():
        setattr(model, name, value if value.ndim == 2 or name.startswith("b_") else value.tolist())
    return model._restored(ratings)
