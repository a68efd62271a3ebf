"""What the commands about models have in common: `--data` and the names of models. Not a command itself."""

import argparse
import dataclasses
from pathlib import Path
from typing import TYPE_CHECKING

from acai.errors import InputError, unknown

if TYPE_CHECKING:
    from acai.cf import Recommender
    from acai.ratings import Ratings

MODELS_HELP = """\
A model is named like its class (GlobalMean, Baseline, Popularity, UserKNN, ItemKNN, SVD, GradientDescent, SGD, ALS), and
may be given settings: SGD:n_factors=50,momentum=0.5 or ItemKNN:similarity=msd,k=80. `pydoc acai.cf.SGD` lists them all."""


def add_data(parser: argparse.ArgumentParser, required: bool = True) -> None:
    """`--data NAME PATH` and `--log`."""
    parser.add_argument(
        "--data", nargs=2, metavar=("NAME", "PATH"), required=required,
        help="a data set and its file, folder or archive: movielens-100k, movielens-1m, hetrec-lastfm, …, or triplets "
        "for a file of your own with user, song and value in tab-separated columns",
    )  # fmt: skip
    parser.add_argument(
        "--log", action="store_true", help="take log(1 + value) of each value first: play counts have long tails"
    )


def read_data(args: argparse.Namespace) -> "Ratings":
    """What `--data` names."""
    import numpy as np

    from acai.datasets import READERS
    from acai.datasets.catalogue import CATALOGUE

    name, path = args.data
    if name not in READERS:
        raise unknown("data set", name, READERS, n=len(READERS))
    if not Path(path).exists():
        where = f"`acai download {name}` fetches this data set" if name in CATALOGUE else "say where your file is"
        raise InputError(f"there is no {path}; {where}")
    ratings = READERS[name](path)
    return ratings.map(np.log1p) if args.log else ratings


def holds_plays(ratings: "Ratings") -> bool:
    """Whether the values look like counts of plays rather than ratings: whole, and with a long tail."""
    values = ratings.csr.data
    return bool(values.max() > 10 and (values == values.round()).all())


def model_named(text: str) -> "Recommender":
    """The model that `NAME` or `NAME:setting=value,setting=value` stands for."""
    from acai.cf import MODELS

    name, _, settings = text.partition(":")
    if name not in MODELS:
        raise unknown("model", name, MODELS, n=len(MODELS))
    known = {f.name: f for f in dataclasses.fields(MODELS[name]) if f.name != "init"}
    given = {}
    for setting in filter(None, settings.split(",")):
        key, equals, value = setting.partition("=")
        if key not in known:
            raise unknown(f"setting of {name}", key, known, n=len(known))
        if not equals:
            raise InputError(f"{text}: the setting {key} has no value; expected {key}={known[key].default}")
        given[key] = _value(value, known[key])
    return MODELS[name](**given)


def _value(text: str, field: dataclasses.Field) -> object:
    """`text` as what the field holds: its default has the same type."""
    default = field.default
    if isinstance(default, bool):
        if text.lower() not in ("true", "false"):
            raise InputError(f"{field.name}={text}; expected true or false")
        return text.lower() == "true"
    if isinstance(default, str):
        return text
    if default is None and text.lower() == "none":
        return None
    try:
        return float(text) if isinstance(default, float) else int(text)
    except ValueError:
        kind = "a number" if isinstance(default, float) else "a whole number"
        raise InputError(f"{field.name}={text}; expected {kind}, such as {default}") from None
