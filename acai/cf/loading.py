"""All models by name, and reading those that were saved."""

from collections.abc import Hashable
from pathlib import Path

from acai.cf.als import ALS
from acai.cf.baselines import Baseline, GlobalMean, Popularity
from acai.cf.descent import SGD, GradientDescent
from acai.cf.knn import ItemKNN, UserKNN
from acai.cf.recommender import KIND, Recommender
from acai.cf.svd import SVD
from acai.errors import InputError, shown
from acai.files import Contents, load_npz
from acai.ratings import Ratings

ADDED = {"min_neighbours": 1, "damping": 0.0}  # settings that files of older versions lack, as they were then
MODELS: dict[str, type[Recommender]] = {
    model.__name__: model
    for model in (GlobalMean, Baseline, Popularity, UserKNN, ItemKNN, SVD, GradientDescent, SGD, ALS)
}


def load(path: str | Path, model: type[Recommender] | None = None) -> Recommender:
    """Read a model that `model.save(path)` wrote; nothing in the file is ever executed.

    Parameters
    ----------
    path : path
        The file.
    model : type, optional
        The class, if it is one of your own.

    Returns
    -------
    Recommender
        The class and the settings are those that were saved; it predicts and recommends, bit for bit, what the saved one did.

    Raises
    ------
    InputError
        If there is no such file, it is not one that `save` wrote, or its class is not known.
    """
    contents = load_npz(path, KIND)
    kind = _class_of(contents, model)
    settings = contents.value("settings", dict)
    with contents.faults():
        known = kind.setting_names()
        for setting, value in settings.items():
            if setting not in known or not isinstance(value, str | int | float | tuple | None):
                other = "it may be of another version of acai; train it again, or upgrade acai"
                raise InputError(f"{kind.__name__} has no setting {setting}={shown(value)}; {other}")
        loaded = kind(**{name: ADDED[name] for name in known if name in ADDED} | settings)
    ratings = Ratings.from_contents(contents)
    if ratings.n_ratings == 0:
        raise contents.fault("there is no rating; expected those that the model was fitted on")
    loaded.titles = _titles_of(contents, ratings)
    loaded._read_state(contents.part("learnt "), ratings)
    loaded._finalise(ratings)
    return loaded


def _class_of(contents: Contents, given: type[Recommender] | None) -> type[Recommender]:
    """Find the class of the model in a file, which only names it."""
    name = contents.value("model", str)
    if given is None:
        if name in MODELS:
            return MODELS[name]
        names = ", ".join(MODELS)
        known = f"{contents.path} holds a model of the class {shown(name)}, which is not one of acai's ({names})"
        raise InputError(f"{known}; if it is your own, pass the class: acai.load(path, {name if name.isidentifier() else 'Mine'})")
    if not (isinstance(given, type) and issubclass(given, Recommender)):
        raise InputError(f"model={shown(given)}; expected the class of the model, such as acai.cf.SGD")
    if given.__name__ != name:
        raise InputError(f"{contents.path} holds a model of the class {shown(name)}; expected {given.__name__}")
    return given


def _titles_of(contents: Contents, ratings: Ratings) -> dict[Hashable, str]:
    """Read the titles of the songs, in the order of the axis; None for one that has none."""
    if "titles" not in contents.values:
        return {}
    titles = contents.value("titles", tuple)
    if len(titles) != ratings.n_songs or not all(isinstance(title, str | None) for title in titles):
        raise contents.fault(f"titles does not hold a text or None for each of the {ratings.n_songs} songs")
    return {song: title for song, title in zip(ratings.songs, titles) if title is not None}
