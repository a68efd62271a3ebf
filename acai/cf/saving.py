"""A model in a file: its `Ratings`, as `Ratings.save` writes them, with more arrays and JSON beside; never a pickle."""

import dataclasses
import json
import zipfile
from os import PathLike
from pathlib import Path

import numpy as np

from acai.cf.recommender import Recommender
from acai.errors import InputError, unknown
from acai.files import written_whole
from acai.ratings import Ratings


def save(model: Recommender, ratings: Ratings, path: str | PathLike) -> None:
    """Write `model`, its settings, what it learnt and the ratings it learnt from; see `Recommender.save`."""
    settings = {f.name: getattr(model, f.name) for f in dataclasses.fields(model) if f.name != "init"}
    header = json.dumps({"model": type(model).__name__, "settings": settings}, default=lambda number: number.item())
    arrays = {"header": np.frombuffer(header.encode(), dtype=np.uint8)}
    arrays |= {f"learnt_{name}": np.asarray(getattr(model, name)) for name in model.state}
    with written_whole(path) as temporary:
        ratings.save(temporary)
        with zipfile.ZipFile(temporary, "a") as file:
            for name, array in arrays.items():
                with file.open(f"{name}.npy", "w", force_zip64=True) as member:
                    np.lib.format.write_array(member, array, allow_pickle=False)


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
    from acai.cf import MODELS

    if not Path(path).exists():
        raise InputError(f"{path} does not exist; expected a model that acai has saved")
    try:
        ratings = Ratings.load(path)
        with np.load(path, allow_pickle=False) as stored:
            header = json.loads(stored["header"].tobytes())
            if header["model"] in MODELS:
                model = MODELS[header["model"]](**header["settings"])
                learnt = {name: stored[f"learnt_{name}"] for name in model.state}
    except (OSError, ValueError, KeyError, TypeError, zipfile.BadZipFile) as mistake:
        raise InputError(f"{path} is not a model that acai has saved, or it is damaged") from mistake
    if header["model"] not in MODELS:
        raise unknown("model", header["model"], MODELS, n=len(MODELS))
    for name, value in learnt.items():
        setattr(model, name, value.tolist() if value.ndim == 0 or name == "history" else value)
    return model._ready(ratings)
