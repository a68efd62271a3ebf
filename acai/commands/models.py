"""`acai recommend`, `acai train`: models of a data set."""

from collections.abc import Hashable
from pathlib import Path

from acai.cf import Recommender, load
from acai.commands import expect_place
from acai.commands.fitting import fitted, id_of, read_data
from acai.commands.output import Format, print_rows, remarks
from acai.commands.playlists import PlaylistPlan
from acai.errors import InputError
from acai.ratings import Ratings
from acai.settings import Count
from acai.terminal import one_line


def recommend(  # noqa: PLR0913 - the options of the command
    *, user: str, data: tuple[str, str] | None = None, log: bool = False, model: str | None = None,
    file: Path | None = None, n: Count = 10, with_rated: bool = False, format: Format = "table",
    m3u: Path | None = None, audio: Path | None = None, header: bool = False,
) -> None:
    """Recommend songs to one user of a data set or of a saved model.

      acai recommend --data movielens-100k PATH --user 42
      acai recommend --data hetrec-lastfm PATH --user 2 --model ALS:n_factors=64
      acai recommend --file model.npz --user 42
      acai recommend --data triplets plays.tsv --user ann --m3u new.m3u --audio my-music/

    Parameters
    ----------
    user : ID
        The id of the user, as in the data.
    data : NAME PATH
        A data set and its file, folder or archive: movielens-100k, movielens-1m, hetrec-lastfm, …, or triplets for a file
        of your own: user, song, value and perhaps time on each line, with or without a header, each pair once.
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
    format : {table,csv,json}
        How to print the list; with csv and json, stdout has nothing else.
    m3u : FILE
        Write the list as a playlist, too, NAME.m3u, if the songs are files: each is named by its path in the folder of --audio.
    audio : FOLDER
        The folder with the files of the songs, for --m3u (default: the current folder).
    header
        Take line 1 of a file of your own for the names of its fields, even if it does not look like that.
    """
    playlist = PlaylistPlan.of_options(m3u, audio)
    with remarks(format):
        if data is not None and file is None:
            given = read_data(data, log, header)
            _expect_answer(user, given.ratings, playlist)  # before the training, not after it
            known = fitted(model, data, given)
        elif file is not None and data is None:
            known = load(file)
            _expect_answer(user, known.ratings, playlist)
        else:
            raise InputError("give either --data NAME PATH or --file MODEL")
    asked = id_of(user, known.ratings)
    new = known.recommend(asked, n=n, exclude_rated=not with_rated)
    if format != "table":
        print_rows([
            {"user": asked, "place": place, "song": _name(song), "title": known.titles.get(song, ""), "score": score}
            for place, (song, score) in enumerate(new, 1)
        ], format)
    else:
        _print_lists(known, asked, new)
    if playlist is not None:
        with remarks(format):
            playlist.write([song for song, _ in new], known.titles)


def _print_lists(known: Recommender, asked: Hashable, new: list[tuple[Hashable, float]]) -> None:
    """Print what a user thinks most of, and what is recommended."""
    rated = [(song, f"{value:g}") for song, value in known.ratings.favourites(asked)[:3]]
    scored = [(song, f"{score:.3f}") for song, score in new]
    name_of_user = one_line(asked)
    for heading, rows in (f"user {name_of_user} thinks most of", rated), (f"new for user {name_of_user}", scored):
        print(f"\n{heading}:\n")
        names = [one_line(f"{_name(song)}  {known.titles.get(song, '')}".rstrip()) for song, _ in rows]
        for place, (name, (_, score)) in enumerate(zip(names, rows), 1):
            print(f"  {place:>3} {name:<{max(map(len, names))}}  {score:>7}")


def _expect_answer(user: str, ratings: Ratings, playlist: PlaylistPlan | None) -> None:
    """Raise an error if the user is unknown, or if no song is a file that a playlist could name."""
    if playlist is not None:
        playlist.expect_some(ratings.songs)
    id_of(user, ratings)


def _name(song: Hashable) -> str:
    """Write the id of a song: artist and title, if it is such a pair."""
    return " – ".join(map(str, song)) if isinstance(song, tuple) else str(song)


def train(
    *, data: tuple[str, str], out: Path, log: bool = False, model: str | None = None, header: bool = False
) -> None:
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
    header
        Take line 1 of a file of your own for the names of its fields, even if it does not look like that.
    """
    expect_place(out)
    learnt = fitted(model, data, read_data(data, log, header))
    learnt.save(out)
    user = one_line(learnt.ratings.users[0])
    print(f"saved in {one_line(out)}; next: acai recommend --file {one_line(out)} --user {user}")
