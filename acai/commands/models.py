"""`acai recommend`, `acai train`: models of a data set."""

import contextlib
from collections.abc import Hashable, Mapping
from pathlib import Path

from acai.cf import load
from acai.commands import expect_place
from acai.commands.fitting import fitted, id_of, read_data
from acai.datasets import TITLES
from acai.errors import InputError
from acai.settings import Count
from acai.terminal import one_line


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
        given = read_data(data, log)
        id_of(user, given.ratings)  # an unknown user is reported before the training, not after it
        known = fitted(model, given)
    elif file is not None and data is None:
        known = load(file)
    else:
        raise InputError("give either --data NAME PATH or --file MODEL")
    known_user = id_of(user, known.ratings)
    titles: Mapping[str, str] = {}
    if data is not None and data[0] in TITLES:
        with contextlib.suppress(InputError):  # titles are optional: `u.data` alone, without `u.item`, is enough
            titles = TITLES[data[0]](data[1])
    rated = [(song, f"{value:g}") for song, value in known.ratings.favourites(known_user)[:3]]
    new = [(song, f"{score:.3f}") for song, score in known.recommend(known_user, n=n, exclude_rated=not with_rated)]
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
    learnt = fitted(model, read_data(data, log))
    learnt.save(out)
    user = one_line(learnt.ratings.users[0])
    print(f"saved in {one_line(out)}; next: acai recommend --file {one_line(out)} --user {user}")
