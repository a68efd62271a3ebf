"""What the commands that fit models share: reading a data set, and making a model from what was typed."""

import contextlib
import dataclasses
from collections.abc import Callable, Hashable, Mapping
from pathlib import Path
from types import NoneType
from typing import Any, NamedTuple

import numpy as np

from acai.cf import MODELS, Recommender
from acai.cf.plays import look_like_plays
from acai.commands.output import warnings_as_remarks
from acai.datasets import READERS, TITLES, catalogue
from acai.errors import InputError, unknown
from acai.ratings import Ratings


def _boolean(text: str) -> bool:
    return {"true": True, "false": False}[text.lower()]


def _optional_number(text: str) -> int | float | None:
    if text.lower() == "none":
        return None
    return float(text) if {".", "e"}.intersection(text.lower()) else int(text)


READ: dict[type, tuple[str, Callable[[str], object]]] = {  # by the type of a default: what is expected, how it is read
    bool: ("true or false", _boolean),
    int: ("an integer", int),
    float: ("a number", float),
    str: ("a word", str),
    NoneType: ("a number, or none", _optional_number),
}


class Given(NamedTuple):
    """The data of `--data NAME PATH`."""

    ratings: Ratings  # with `--log`, of the logarithms
    are_plays: bool  # play counts rather than ratings, before any logarithm


def read_data(data: tuple[str, str], log: bool, header: bool = False) -> Given:
    """Read the data set of `--data NAME PATH`; with `--log`, its logarithm; with `--header`, line 1 has names."""
    name, path = data
    if name not in READERS:
        raise unknown("data set", name, READERS, n=len(READERS))
    if not Path(path).exists():
        advice = f"`acai download {name}` downloads it" if name in catalogue.CATALOGUE else "name the path of your file"
        raise InputError(f"--data {name} {path}: there is no such file or folder; {advice}")
    if header and name != "triplets":
        raise InputError(f"--header is for --data triplets; acai knows whether {name} has a header")
    ratings: Ratings = READERS[name](path, **({"header": True} if header else {}))
    return Given(ratings.map(np.log1p) if log else ratings, look_like_plays(ratings.csr.data))


def titles_of(data: tuple[str, str]) -> Mapping[Hashable, str]:
    """Read the titles of the songs of a data set; they are optional: `u.data` alone, without `u.item`, is enough."""
    name, path = data
    if name in TITLES:
        with contextlib.suppress(InputError):
            return dict(TITLES[name](path).items())
    return {}


def id_of(text: str, ratings: Ratings) -> Hashable:
    """Find the user with the typed id, which may be a number in the data."""
    user = next((user for user in ratings.users if str(user) == text), text)
    ratings.row(user)
    return user


def fitted(name: str | None, data: tuple[str, str], given: Given) -> Recommender:
    """Fit the named model, by default one that suits the data, and give it the titles of its songs."""
    model = model_named(name or ("ALS" if given.are_plays else "SGD"))
    print(*given.ratings.notes, given.ratings, model, sep="\n")
    model.titles = titles_of(data)
    with warnings_as_remarks():
        return model.fit(given.ratings, progress=True)


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
