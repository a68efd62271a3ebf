"""All models by name, and reading those that were saved."""

from pathlib import Path

from acai.cf.als import ALS
from acai.cf.baselines import Baseline, GlobalMean, Popularity
from acai.cf.descent import SGD, GradientDescent
from acai.cf.neighbours import ItemKNN, UserKNN
from acai.cf.recommender import KIND, Recommender
from acai.cf.svd import SVD
from acai.errors import InputError, unknown
from acai.files import load_npz
from acai.ratings import Ratings

MODELS: dict[str, type[Recommender]] = {
    model.__name__: model
    for model in (GlobalMean, Baseline, Popularity, UserKNN, ItemKNN, SVD, GradientDescent, SGD, ALS)
}


def load(path: str | Path) -> Recommender:
    """Read a model that `model.save(path)` wrote; nothing in the file is ever executed.

    Parameters
    ----------
    path : path
        The file.

    Returns
    -------
    Recommender
        The class and the settings are those that were saved; it predicts and recommends, bit for bit, what the saved one did.

    Raises
    ------
    InputError
        If there is no such file, or it is not one that `save` wrote.
    """
    contents = load_npz(path, KIND)
    name, settings = contents.value("model", str), contents.value("settings", dict)
    with contents.faults():
        if name not in MODELS:
            raise unknown("model", name, MODELS, n=len(MODELS))
        known = MODELS[name].setting_names()
        for setting, value in settings.items():
            if setting not in known or not isinstance(value, str | int | float | None):
                raise InputError(f"{name} has no setting {setting}={value!r}")
        model = MODELS[name](**settings)
    ratings = Ratings.from_contents(contents)
    if ratings.n_ratings == 0:
        raise contents.fault("there is no rating; expected those that the model was fitted on")
    model._read_state(contents.part("learnt "), ratings)
    model._finalise(ratings)
    return model
