"""`acai recommend`, `acai train`, `acai evaluate`: what the models make of a data set."""

import contextlib
import dataclasses
from collections.abc import Hashable
from pathlib import Path
from types import NoneType

import numpy as np

from acai import plots
from acai.cf import MODELS, Recommender, load
from acai.commands import expect_picture, expect_place
from acai.datasets import READERS, TITLES, catalogue
from acai.errors import InputError, unknown
from acai.evaluation import cross_validate
from acai.evaluation.offline import METRICS
from acai.ratings import Ratings
from acai.terminal import one_line

FOR_RATINGS = ["GlobalMean", "Baseline", "UserKNN", "ItemKNN", "SVD", "SGD"]
FOR_PLAYS = ["Popularity", "ItemKNN:similarity=asymmetric,centring=none,normalise=false,k=400,keep=400", "ALS"]
SETTINGS = {  # by the type of a setting's default: what is expected, and how it is read
    bool: ("true or false", lambda text: {"true": True, "false": False}[text.lower()]),
    int: ("a whole number", int),
    float: ("a number", float),
    str: ("a word", str),
    NoneType: ("a whole number, or none", lambda text: None if text.lower() == "none" else int(text)),
}


def recommend(
    *, user: str, data: tuple[str, str] | None = None, log: bool = False, model: str | None = None,
    file: Path | None = None, n: int = 10, with_rated: bool = False,
) -> None:
    """Recommend songs to one user, of a data set or of a model that was kept.

      acai recommend --data movielens-100k PATH --user 42
      acai recommend --data hetrec-lastfm PATH --user 2 --model ALS:n_factors=64
      acai recommend --file model.npz --user 42

    Parameters
    ----------
    user : ID
        The id of the user, as it stands in the data.
    data : NAME PATH
        A data set and its file, folder or archive: movielens-100k, movielens-1m, hetrec-lastfm, …, or triplets for a file
        of your own: user, song and value on each line, parted by tabs or commas, without a header, each pair once.
    log
        Take log(1 + value) of each value first: play counts have long tails.
    model : MODEL
        What to learn from the data, as in `acai evaluate --help` (default: SGD for ratings, ALS for play counts).
    file : FILE
        A model that `acai train` has kept, instead of --data and --model.
    n : N
        How many songs.
    with_rated
        Songs that the user knows already, too.
    """
    if (file is None) == (data is None):
        raise InputError("give either --data NAME PATH or --file MODEL")
    if file is not None:
        fitted = load(file)
    else:
        ratings = _read(data, log)
        _id_of(user, ratings)  # an unknown one should not have to wait for the training
        fitted = _fit(model, ratings)
    user = _id_of(user, fitted.ratings)
    titles = {}
    if data is not None and data[0] in TITLES:
        with contextlib.suppress(InputError):  # titles are a courtesy: `u.data` alone, without `u.item`, will do
            titles = TITLES[data[0]](data[1])
    known = [(song, f"{value:g}") for song, value in fitted.ratings.favourites(user)[:3]]
    new = [(song, f"{score:.3f}") for song, score in fitted.recommend(user, n=n, exclude_rated=not with_rated)]
    for heading, rows in (f"user {one_line(user)} thinks most of", known), (f"new for user {one_line(user)}", new):
        print(f"\n{heading}:\n")
        names = [_name(song, titles) for song, _ in rows]
        for place, (name, (_, score)) in enumerate(zip(names, rows), 1):
            print(f"  {place:>3} {name:<{max(map(len, names))}}  {score:>7}")


def _name(song: Hashable, titles: dict[Hashable, str]) -> str:
    """What is printed for a song: its id (artist and title, where a pair of them is the id), and its title if there is one."""
    name = " – ".join(map(str, song)) if isinstance(song, tuple) else str(song)
    if song in titles:
        name += f"  {titles[song]}"
    return one_line(name)


def train(*, data: tuple[str, str], out: Path, log: bool = False, model: str | None = None) -> None:
    """Fit a model to a data set and keep it in a file.

      acai train --data hetrec-lastfm PATH --model ALS:n_factors=64 --out artists.npz

    `acai recommend --file` and `acai.load` take it up again.

    Parameters
    ----------
    data : NAME PATH
        A data set and its file, folder or archive, as in `acai recommend --help`.
    out : FILE
        The file to write, NAME.npz.
    log
        Take log(1 + value) of each value first: play counts have long tails.
    model : MODEL
        What to fit, as in `acai evaluate --help` (default: SGD for ratings, ALS for play counts).
    """
    expect_place(out)
    fitted = _fit(model, _read(data, log))
    fitted.save(out)
    user = one_line(fitted.ratings.users[0])
    print(f"kept in {one_line(out)}; next: acai recommend --file {one_line(out)} --user {user}")


def evaluate(
    *, data: tuple[str, str], log: bool = False, models: list[str] | None = None, folds: int | None = None,
    test: float = 0.2, k: int = 10, relevant_from: float = -np.inf, metrics: list[str] | None = None, jobs: int = 1,
    seed: int = 0, plot: Path | None = None,
) -> None:
    """Compare models: what each predicts and recommends, held against what it was not told.

      acai evaluate --data movielens-100k PATH --models Baseline SGD UserKNN:similarity=msd --folds 5
      acai evaluate --data hetrec-lastfm PATH --models Popularity ALS --plot comparison.png

    A model is named like its class (GlobalMean, Baseline, Popularity, UserKNN, ItemKNN, SVD, GradientDescent, SGD, ALS), and
    may be given settings: SGD:n_factors=50,momentum=0.5 or ItemKNN:similarity=msd,k=80. `pydoc acai.cf.SGD` lists them all.

    Parameters
    ----------
    data : NAME PATH
        A data set and its file, folder or archive, as in `acai recommend --help`.
    log
        Take log(1 + value) of each value first: play counts have long tails.
    models : MODEL
        What to compare (default: a choice that suits ratings, or play counts).
    folds : N
        Cross-validate in so many folds, instead of a single split.
    test : SHARE
        How much of the data to hold out at random.
    k : N
        How many songs each user is recommended.
    relevant_from : VALUE
        Count only songs rated so high as relevant.
    metrics : METRIC
        What to measure: rmse mae precision recall map ndcg coverage auc (default: all).
    jobs : N
        How many processes share the folds.
    seed : N
        Of the split.
    plot : FILE
        Draw the comparison, too.
    """
    if plot:
        expect_picture(plot)
    ratings = _read(data, log)
    chosen = {name: model_named(name) for name in models or (FOR_PLAYS if _holds_plays(ratings) else FOR_RATINGS)}
    parts = list(ratings.folds(folds, seed)) if folds else [ratings.split(test, seed)]
    print(f"{ratings}\n{f'mean of {folds} folds' if folds else f'{test:.0%} held out'}; lists of {k} songs\n")
    columns = metrics or METRICS
    width = max(map(len, ["model", *chosen]))
    found = {}
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
    """The data set of `--data NAME PATH`, of its logarithm with `--log`."""
    name, path = data
    if name not in READERS:
        raise unknown("data set", name, READERS, n=len(READERS))
    if not Path(path).exists():
        fetched = f"`acai download {name}` fetches this data set"
        raise InputError(f"there is no {path}; {fetched if name in catalogue.CATALOGUE else 'say where your file is'}")
    ratings = READERS[name](path)
    return ratings.map(np.log1p) if log else ratings


def _id_of(text: str, ratings: Ratings) -> Hashable:
    """The user whose id was typed: where ids are numbers, the number that it spells."""
    user = next((user for user in ratings.users if str(user) == text), text)
    ratings.row(user)
    return user


def _holds_plays(ratings: Ratings) -> bool:
    """Whether the values look like counts of plays rather than ratings: whole, and with a long tail."""
    values = ratings.csr.data
    return bool(values.max() > 10 and (values == values.round()).all())


def _fit(name: str | None, ratings: Ratings) -> Recommender:
    model = model_named(name or ("ALS" if _holds_plays(ratings) else "SGD"))
    print(*ratings.notes, ratings, model, sep="\n")
    return model.fit(ratings, progress=True)


def model_named(text: str) -> Recommender:
    """The model that `NAME` or `NAME:setting=value,setting=value` stands for."""
    name, _, settings = text.partition(":")
    if name not in MODELS:
        raise unknown("model", name, MODELS, n=len(MODELS))
    defaults = {field.name: field.default for field in dataclasses.fields(MODELS[name]) if field.name != "init"}
    given = {}
    for setting in filter(None, settings.split(",")):
        key, _, value = setting.partition("=")
        if key not in defaults:
            raise unknown(f"setting of {name}", key, defaults, n=len(defaults))
        expected, read = SETTINGS[type(defaults[key])]
        try:
            given[key] = read(value)
        except (ValueError, KeyError):
            raise InputError(f"{setting}; expected {expected}, such as {key}={defaults[key]}") from None
    return MODELS[name](**given)
