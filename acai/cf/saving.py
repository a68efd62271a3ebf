"""A model in a file: NumPy arrays and JSON, never a pickle."""

import dataclasses
import json
import zipfile
from os import PathLike

import numpy as np
from scipy import sparse

from acai.cf.recommender import Recommender
from acai.errors import InputError, unknown
from acai.files import written_whole
from acai.ids import packed, unpacked
from acai.ratings import Ratings


def save(model: Recommender, path: str | PathLike) -> None:
    """Write `model`, its settings, what it learnt and the ratings it learnt from; see `Recommender.save`."""
    settings = {f.name: getattr(model, f.name) for f in dataclasses.fields(model) if f.name != "init"}
    header = json.dumps({"model": type(model).__name__, "settings": settings}, default=lambda number: number.item())
    known = model.ratings
    arrays = {
        "header": np.frombuffer(header.encode(), dtype=np.uint8),
        "users": packed(known.users),
        "songs": packed(known.songs),
        "data": known.csr.data,
        "indices": known.csr.indices,
        "indptr": known.csr.indptr,
    }
    arrays |= {f"learnt_{name}": getattr(model, name) for name in model.state}
    with written_whole(path) as temporary, open(temporary, "wb") as file:  # NumPy adds .npz to names, not to files
        np.savez(file, **arrays)


def load(path: str | PathLike) -> Recommender:
    """Read a model that `model.save(path)` wrote; nothing in the file is ever executed.

    Parameters
    ----------
    path : path
        The file.

    Returns
    -------
    Recommender
        Of the class that was saved, with its settings; it predicts and recommends what the saved one did, to the bit.

    Raises
    ------
    InputError
        If there is no such file, or it is not one that `save` wrote.
    """
    from acai import cf

    try:
        with np.load(path, allow_pickle=False) as stored:
            arrays = dict(stored)
        header = json.loads(arrays.pop("header").tobytes())
        if header["model"] not in cf.MODELS:
            raise unknown("model", header["model"], cf.MODELS, n=len(cf.MODELS))
        model = cf.MODELS[header["model"]](**header["settings"])
        users, songs = unpacked(arrays["users"]), unpacked(arrays["songs"])
        R = (arrays["data"], arrays["indices"], arrays["indptr"])
        csr = sparse.csr_array(R, shape=(len(users), len(songs)))
        csr.check_format()
        for name in model.state:
            value = arrays[f"learnt_{name}"]
            setattr(model, name, value if value.ndim else value.item())
    except FileNotFoundError:
        raise InputError(f"{path} does not exist; expected a model that acai has saved") from None
    except (OSError, ValueError, KeyError, AttributeError, TypeError, zipfile.BadZipFile) as mistake:
        if isinstance(mistake, InputError):
            raise
        raise InputError(f"{path} is not a model that acai has saved, or it is damaged") from mistake
    if "history" in model.state:
        model.history = model.history.tolist()
    return model._restored(Ratings(csr, users, songs))
