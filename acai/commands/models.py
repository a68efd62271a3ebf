"""`acai recommend`, `acai train`, `acai evaluate`: models of a data set."""

import contextlib
import dataclasses
from collections.abc import Callable, Hashable, Mapping
from pathlib import Path
from types import NoneType
from typing import Any

import numpy as np

from acai import plots
from acai.cf import MODELS, Recommender, load
from acai.commands import expect_picture, expect_place
from acai.datasets import READERS, TITLES, catalogue
from acai.errors import InputError, unknown
from acai.evaluation import cross_validate
from acai.evaluation.offline import METRICS
from acai.ratings import Ratings
from acai.settings import Count, Folds, Jobs, Seed
from acai.terminal import one_line

FOR_RATINGS = ["GlobalMean", "Baseline", "UserKNN", "ItemKNN", "SVD", "SGD"]
FOR_PLAYS = ["Popularity", "ItemKNN:similarity=asymmetric,centring=none,normalise=false,k=400,keep=400", "ALS"]


def _boolean(text: str) -> bool:
    return {"true": True, "false": False}[text.lower()]


def _optional_integer(text: str) -> int | None:
    return None if text.lower() == "none" else int(text)


READ: dict[type, tuple[str, Callable[[str], object]]] = {  # by the type of a default: what is expected, how it is read
    bool: ("true or false", _boolean),
    int: ("an integer", int),
    float: ("a number", float),
    str: ("a word", str),
    NoneType: ("an integer, or none", _optional_integer),
}


def recommend(  # noqa: PLR0913 - the options of the command
    *, user: str, data: tuple[str, str] | None = None, log: bool = False, model: str | None = None,
    file: Path | None = None, n: Count = 10, with_rated: bool = False,
) -> None:
    """Recommend songs to one user of a data set or of a saved model.

      acai recommend --data movielens-100k PATH --user 42
      acai recommend --data hetrec-lastfm PATH --user 2 --model ALS:n_factors=64
      acai recommend --file model.npz --user 42

    Parameters
    ----------
    user : ID
        The id of the user, as in the data.
    data : NAME PATH
        A data set and its file, folder or archive: movielens-100k, movielens-1m, hetrec-lastfm, …, or triplets for a file
        of your own: user, song and value on each line, separated by tabs or commas, without a header, each pair once.
    log
        Transform each value to log(1 + value) first: play counts have long tails.
    model : MODEL
        The model to fit, as in `acai evaluate --help` (default: SGD for ratings, ALS for play counts).
    file : FILE
        A model that `acai train` has saved, instead of --data and --model.
    n : N
        Number of songs.
    with_rated
        Include songs that the user has already rated.
    """
    if data is not None and file is None:
        ratings = _read(data, log)
        _id_of(user, ratings)  # an unknown user is reported before the training, not after it
        fitted = _fit(model, ratings)
    elif file is not None and data is None:
        fitted = load(file)
    else:
        raise InputError("give either --data NAME PATH or --file MODEL")
    known_user = _id_of(user, fitted.ratings)
    titles: Mapping[str, str] = {}
    if data is not None and data[0] in TITLES:
        with contextlib.suppress(InputError):  # titles are optional: `u.data` alone, without `u.item`, is enough
            titles = TITLES[data[0]](data[1])
    rated = [(song, f"{value:g}") for song, value in fitted.ratings.favourites(known_user)[:3]]
    new = [(song, f"{score:.3f}") for song, score in fitted.recommend(known_user, n=n, exclude_rated=not with_rated)]
    name_of_user = one_line(known_user)
    for heading, rows in (f"user {name_of_user} thinks most of", rated), (f"new for user {name_of_user}", new):
        print(f"\n{heading}:\n")
        names = [_name(song, titles) for song, _ in rows]
        for place, (name, (_, score)) in enumerate(zip(names, rows), 1):
            print(f"  {place:>3} {name:<{max(map(len, names))}}  {score:>7}")


def _name(song: Hashable, titles: Mapping[str, str]) -> str:
    """Write the id of a song (artist and title, if the id is such a pair), and its title if it is known."""
    name = " – ".join(map(str, song)) if isinstance(song, tuple) else str(song)
    if isinstance(song, str) and song in titles:
        name += f"  {titles[song]}"
    return one_line(name)


def train(*, data: tuple[str, str], out: Path, log: bool = False, model: str | None = None) -> None:
    """Fit a model to a data set and save it.

      acai train --data hetrec-lastfm PATH --model ALS:n_factors=64 --out artists.npz

    `acai recommend --file` and `acai.load` load it.

    Parameters
    ----------
    data : NAME PATH
        A data set and its file, folder or archive, as in `acai recommend --help`.
    out : FILE
        The file to write, NAME.npz.
    log
        Transform each value to log(1 + value) first: play counts have long tails.
    model : MODEL
        The model to fit, as in `acai evaluate --help` (default: SGD for ratings, ALS for play counts).
    """
    expect_place(out)
    fitted = _fit(model, _read(data, log))
    fitted.save(out)
    user = one_line(fitted.ratings.users[0])
    print(f"saved in {one_line(out)}; next: acai recommend --file {one_line(out)} --user {user}")


def evaluate(  # noqa: PLR0913 - the options of the command
    *, data: tuple[str, str], log: bool = False, models: list[str] | None = None, folds: Folds | None = None,
    test: float = 0.2, k: Count = 10, relevant_from: float = -np.inf, metrics: list[str] | None = None, jobs: Jobs = 1,
    seed: Seed = 0, plot: Path | None = None,
) -> None:
    """Compare models: evaluate what each predicts and recommends on held-out data.

      acai evaluate --data movielens-100k PATH --models Baseline SGD UserKNN:similarity=msd --folds 5
      acai evaluate --data hetrec-lastfm PATH --models Popularity ALS --plot comparison.png

    A model is named after its class (GlobalMean, Baseline, Popularity, UserKNN, ItemKNN, SVD, GradientDescent, SGD, ALS), and
    can have settings: SGD:n_factors=50,momentum=0.5 or ItemKNN:similarity=msd,k=80. `pydoc acai.cf.SGD` lists them all.

    Parameters
    ----------
    data : NAME PATH
        A data set and its file, folder or archive, as in `acai recommend --help`.
    log
        Transform each value to log(1 + value) first: play counts have long tails.
    models : MODEL
        The models to compare (default: a choice that suits ratings, or play counts).
    folds : N
        Cross-validate with this number of folds, instead of a single split.
    test : FRACTION
        Fraction of the data to hold out at random.
    k : N
        Number of songs recommended to each user.
    relevant_from : VALUE
        Count only songs with at least this value as relevant.
    metrics : METRIC
        What to measure: rmse mae precision recall map ndcg coverage auc (default: all).
    jobs : N
        Number of processes; -1 is one per core.
    seed : N
        Seed of the split.
    plot : FILE
        Draw the comparison into this file.
    """
    if plot:
        expect_picture(plot)
    ratings = _read(data, log)
    usual = FOR_PLAYS if _looks_like_plays(ratings) else FOR_RATINGS
    chosen = {name: model_named(name) for name in models or usual}
    parts = list(ratings.folds(folds, seed)) if folds else [ratings.split(test, seed)]
    held_out = f"mean of {folds} folds" if folds else f"{test:.0%} held out"
    print(f"{ratings}\n{held_out}; lists of {k} songs\n")
    columns = metrics or METRICS
    width = max(map(len, ["model", *chosen]))
    found: dict[str, dict[str, float]] = {}
    for name, model in chosen.items():
        runs = cross_validate(model, None, parts, jobs, k=k, which=metrics, relevant_from=relevant_from)
        if not found:
            print(f"  {'model':<{width}}" + "".join(f"{metric:>11}" for metric in columns))
        found[name] = {metric: float(np.mean(values)) for metric, values in runs.items()}
        row = (f"{found[name][metric]:.4f}" if metric in found[name] else "–" for metric in columns)
        print(f"  {name:<{width}}" + "".join(f"{figure:>11}" for figure in row), flush=True)
    if plot:
        plots.save(plots.comparisons(found), plot)
        print(f"\ndrawn in {one_line(plot)}")


def _read(data: tuple[str, str], log: bool) -> Ratings:
    """Read the data set of `--data NAME PATH`; with `--log`, its logarithm."""
    name, path = data
    if name not in READERS:
        raise unknown("data set", name, READERS, n=len(READERS))
    if not Path(path).exists():
        advice = f"`acai download {name}` downloads it" if name in catalogue.CATALOGUE else "name the path of your file"
        raise InputError(f"there is no {path}; {advice}")
    ratings: Ratings = READERS[name](path)
    return ratings.map(np.log1p) if log else ratings


def _id_of(text: str, ratings: Ratings) -> Hashable:
    """Find the user with the typed id, which may be a number in the data."""
    user = next((user for user in ratings.users if str(user) == text), text)
    ratings.row(user)
    return user


def _looks_like_plays(ratings: Ratings) -> bool:
    """Whether the values look like play counts rather than ratings: integers with a long tail."""
    values = ratings.csr.data
    return bool(values.max() > 10 and (values == values.round()).all())


def _fit(name: str | None, ratings: Ratings) -> Recommender:
    model = model_named(name or ("ALS" if _looks_like_plays(ratings) else "SGD"))
    print(*ratings.notes, ratings, model, sep="\n")
    return model.fit(ratings, progress=True)


def model_named(text: str) -> Recommender:
    """Create the model of `NAME` or `NAME:setting=value,setting=value`."""
    name, _, settings = text.partition(":")
    if name not in MODELS:
        raise unknown("model", name, MODELS, n=len(MODELS))
    defaults = {field.name: field.default for field in dataclasses.fields(MODELS[name]) if field.name != "init"}
    given: dict[str, Any] = {}
    for setting in filter(None, settings.split(",")):
        key, _, value = setting.partition("=")
        if key not in defaults:
            raise unknown(f"setting of {name}", key, defaults, n=len(defaults))
        expected, read = READ[type(defaults[key])]
        try:
            given[key] = read(value)
        except (ValueError, KeyError):
            raise InputError(f"{setting}; expected {expected}, such as {key}={defaults[key]}") from None
    return MODELS[name](**given)
