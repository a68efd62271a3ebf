"""Ratings in a single `.npz` file; those that are larger than memory are in a folder instead, as `mapped` says."""

import os
from typing import TYPE_CHECKING

from acai.errors import InputError
from acai.files import Contents, load_npz, save_npz
from acai.ratings import building, mapped

if TYPE_CHECKING:
    from acai.ratings.matrix import Ratings

KIND = "ratings saved by acai"


def save(ratings: "Ratings", path: str | os.PathLike[str]) -> None:
    """Write a `.npz` file that `Ratings.load` reads. Ids must be text, numbers or tuples of them."""
    save_npz(path, KIND, **ratings.parts())


def load(cls: "type[Ratings]", path: str | os.PathLike[str], mmap: bool = False) -> "Ratings":
    """Read what `save`, `save_folder` or `write_folder` wrote; nothing in it is ever executed.

    Parameters
    ----------
    path : path
        The file, or the folder.
    mmap : bool
        Leave the entries of a folder on disk, from where they are read when they are used: R may be larger than memory.
        While such ratings, or a model that was fitted on them, are in use, the folder must stay as it is.
    """
    if mmap or os.path.isdir(path):
        return mapped.load_folder(cls, path, mmap)
    return cls.from_contents(load_npz(path, KIND))


def parts(ratings: "Ratings") -> dict[str, object]:
    """Name everything that a file of these ratings stores, for `acai.files.save_npz`."""
    axes = ("users", ratings.users, ratings.user_rows), ("songs", ratings.songs, ratings.song_columns)
    for what, ids, places in axes:
        if len(places) < len(ids):
            raise InputError(f"{len(ids)} {what} have {len(places)} different ids; expected a different id for each")
    R = ratings.csr
    found: dict[str, object] = {"data": R.data, "indices": R.indices, "indptr": R.indptr}
    if ratings.times is not None:
        found["times"] = ratings.times
    return found | {"users": ratings.users, "songs": ratings.songs, "notes": ratings.notes}


def from_contents(cls: "type[Ratings]", contents: Contents) -> "Ratings":
    """Build the ratings whose `parts` are among the contents of a file."""
    users, songs = building.stored_ids(contents, "users"), building.stored_ids(contents, "songs")
    csr = building.stored_rows(contents, (len(users), len(songs)))
    times = contents.array("times", (csr.nnz,), ("int64",)) if "times" in contents.arrays else None
    return cls(csr, users, songs, times, contents.sequence("notes", str))
