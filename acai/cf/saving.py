"""What the file of a model holds: its settings, what it has learnt, its ratings and the titles of their songs."""

import dataclasses
from typing import TYPE_CHECKING

from acai.errors import InputError

if TYPE_CHECKING:
    from acai.cf.recommender import Recommender


def parts_of(model: "Recommender") -> dict[str, object]:
    """Name everything that the file of a fitted model stores, for `acai.files.save_npz`."""
    ratings, titles = model.ratings, model.titles
    if not type(model).__module__.startswith("acai."):
        _expect_complete(model)
    parts: dict[str, object] = {"model": type(model).__name__}
    parts["settings"] = {name: getattr(model, name) for name in model.setting_names()}
    parts |= ratings.parts()
    parts |= {f"learnt {name}": getattr(model, name) for name in model.state}
    if titles:
        parts["titles"] = [titles.get(song) for song in ratings.songs]
    return parts


def _expect_complete(model: "Recommender") -> None:
    """Refuse to save a model of one's own if loading it would lose something that it has learnt."""
    loaded = dataclasses.replace(model)
    for name in model.state:
        setattr(loaded, name, getattr(model, name))
    loaded._finalise(model.ratings)
    lost = sorted(vars(model).keys() - vars(loaded).keys())
    if lost:
        found = f"{type(model).__name__} has learnt {', '.join(lost)}, which its file would not hold"
        raise InputError(f"{found}; name it in the attribute `state` of the class, as acai.cf.ALS does, or make it in _finalise")
