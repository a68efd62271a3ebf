"""Files: written atomically, and `.npz` files of arrays and JSON with checksums, never a pickle.

Everything acai saves has the same format, which `numpy.load` can open too: an uncompressed zip archive, with a member
`NAME.npy` for each array and a member `json.npy` of bytes. These are the SHA-256 of a JSON text, a line feed, and that
text: the kind of the file, the version of the format, dtype, shape and SHA-256 of every array, and all other contents.
"""

import hashlib
import json
import math
import os
import re
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from numbers import Real
from typing import Any, BinaryIO, TypeVar

import numpy as np
from numpy.typing import NDArray

from acai.atomic import atomic_write, regular_file, remove_leftovers
from acai.errors import InputError

__all__ = ["Contents", "atomic_write", "load_npz", "regular_file", "remove_leftovers", "save_npz"]

FORMAT = 2  # format 1 had neither a version nor checksums; it can still be read
DEEPEST = 30  # how deeply lists and dictionaries may be nested
CHUNK = 2**20  # bytes read at a time
DTYPES = {np.dtype(code).newbyteorder("<").str for code in "bBhHiIqQefd"}  # integers and floats, little-endian
# the first bytes of a .npy file: a NumPy array in C order
NPY = re.compile(rb"\{'descr': '([<|]\w\d)', 'fortran_order': False, 'shape': \(([\d, ]*)\), \} *\n")
T = TypeVar("T")
Array = NDArray[Any]  # of integers or floats


@dataclass
class Contents:
    """The contents of a file. Every accessor checks what it returns; anything unexpected is an InputError naming the file.

    Attributes
    ----------
    path : str
        The file.
    kind : str
        What the file is: "a network saved by acai".
    arrays : dict of str to ndarray
        The arrays: integers or finite floats.
    values : dict of str to object
        Everything else: text, numbers, None, tuples and dictionaries of these.
    """

    path: str
    kind: str
    arrays: dict[str, Array]
    values: dict[str, object]

    @property
    def names(self) -> list[str]:
        """The names of everything in the file."""
        return [*self.arrays, *self.values]

    def array(self, name: str, shape: tuple[int | None, ...], dtypes: tuple[str, ...]) -> Array:
        """Return the array `name`, of this shape (None stands for any length) and one of these dtypes."""
        if name not in self.arrays:
            raise self.fault(f"it holds no array {name!r}")
        found = self.arrays[name]
        fits = len(shape) == found.ndim and all(n is None or n == m for n, m in zip(shape, found.shape))
        if not fits or found.dtype.name not in dtypes:
            lengths = ["any" if n is None else str(n) for n in shape]
            expected = f"expected ({', '.join(lengths)}) {' or '.join(dtypes)}"
            raise self.fault(f"{name} is {found.shape} {found.dtype}; {expected}")
        return found

    def value(self, name: str, kind: type[T]) -> T:
        """Return the value `name`, of this type: `numbers.Real` for an integer or a float."""
        if name not in self.values:
            raise self.fault(f"it holds no {name!r}")
        return self._expect(name, self.values[name], kind)

    def sequence(self, name: str, kind: type[T]) -> tuple[T, ...]:
        """Return the tuple `name`, whose elements are all of this type."""
        found: tuple[object, ...] = self.value(name, tuple)
        return tuple(self._expect(f"an element of {name}", element, kind) for element in found)

    def part(self, prefix: str) -> "Contents":
        """Return everything whose name begins with `prefix`, without the prefix."""
        arrays = {name.removeprefix(prefix): a for name, a in self.arrays.items() if name.startswith(prefix)}
        values = {name.removeprefix(prefix): v for name, v in self.values.items() if name.startswith(prefix)}
        return Contents(self.path, self.kind, arrays, values)

    def fault(self, found: str) -> InputError:
        """Make an error that says what is wrong with the file."""
        return InputError(f"{self.path}: not {self.kind}: {found}")

    @contextmanager
    def faults(self) -> Iterator[None]:
        """Report any InputError inside this block, such as a setting out of range, as a fault of the file."""
        try:
            yield
        except InputError as error:
            raise self.fault(str(error)) from None

    def _expect(self, name: str, found: object, kind: type[T]) -> T:
        is_number_only_to_python = isinstance(found, bool) and kind in (int, Real)
        if not isinstance(found, kind) or is_number_only_to_python:
            expected = getattr(kind, "__name__", kind)
            raise self.fault(f"{name} is {str(found)[:40]!r}, {type(found).__name__}; expected {expected}")
        return found


def save_npz(path: str | os.PathLike[str], kind: str, /, **contents: object) -> None:
    """Write one `.npz` file of NumPy arrays and of anything that JSON can express.

    Parameters
    ----------
    path : path
        The file; it is written atomically.
    kind : str
        What the file is, such as "a network saved by acai": `load_npz` checks it, and its errors name it.
    **contents
        NumPy arrays of integers or finite floats are stored as arrays; everything else (text, numbers, None, tuples,
        lists, dictionaries of these) as JSON.

    Raises
    ------
    InputError
        If a value is neither.
    """
    arrays = {name: _storable(name, value) for name, value in contents.items() if isinstance(value, np.ndarray)}
    values = {name: value for name, value in contents.items() if name not in arrays}
    _tuples(values)  # refuse to write what is nested too deeply to be read
    table = {name: _entry(array) for name, array in arrays.items()}
    header = {"kind": kind, "format": FORMAT, "arrays": table, "contents": values}
    text = json.dumps(header, default=_plain).encode()
    stamped = hashlib.sha256(text).hexdigest().encode() + b"\n" + text
    with atomic_write(path) as temporary, zipfile.ZipFile(temporary, "w") as archive:
        for name, array in {"json": np.frombuffer(stamped, np.uint8), **arrays}.items():
            with archive.open(f"{name}.npy", "w", force_zip64=True) as member:
                np.lib.format.write_array(member, array, version=(1, 0), allow_pickle=False)


def load_npz(path: str | os.PathLike[str], kind: str) -> Contents:
    """Read what `save_npz` wrote; nothing in the file is executed, and no more memory is used than the file's size.

    Parameters
    ----------
    path : path
        The file.
    kind : str
        What it must be: the `kind` that was given to `save_npz`.

    Returns
    -------
    Contents
        The contents of the file, verified by checksums. Lists and tuples both become tuples (so that ids are hashable).

    Raises
    ------
    InputError
        If the file does not exist, is damaged, is of another kind or was written by a newer acai.
    """
    try:
        if regular_file(path) is None:
            raise InputError(f"{path}: there is no such file; expected {kind}")
        with open(path, "rb") as file:
            return _read(file, str(path), kind)
    except OSError as error:
        raise InputError(f"{path}: cannot be read ({error.strerror or error}); expected {kind}") from error


def _read(file: BinaryIO, path: str, kind: str) -> Contents:
    size = os.fstat(file.fileno()).st_size
    contents = Contents(path, kind, {}, {})
    try:
        with zipfile.ZipFile(file) as archive:
            members = {info.filename: info for info in archive.infolist()}
            if len(members) < len(archive.infolist()) or sum(info.file_size for info in members.values()) > size:
                raise contents.fault("its members are repeated, or larger than the file")
            if "json.npy" not in members:
                raise contents.fault("it holds no json.npy; expected a file saved by acai")
            header = _header(_member(archive, members.pop("json.npy")).tobytes(), contents)
            contents.values = header["contents"]
            table = header.get("arrays")
            names = [name.removesuffix(".npy") for name in members]
            if table is None:
                table = dict.fromkeys(names)  # format 1 has none
            if sorted(table) != sorted(names):
                raise contents.fault("its arrays are not the ones it lists")
            for name, entry in table.items():
                contents.arrays[name] = _member(archive, members[f"{name}.npy"], entry)
    except InputError:
        raise
    except Exception as error:  # readers of zip and JSON raise exceptions of many types where a file is damaged
        raise contents.fault(f"it is damaged ({type(error).__name__}: {error})") from error
    for name, array in contents.arrays.items():
        if not np.isfinite(array).all():
            raise contents.fault(f"{name} holds NaN or infinity; expected finite numbers")
    return contents


def _header(stamped: bytes, contents: Contents) -> dict[str, Any]:
    """Parse the JSON of a file, and check its checksum, version and kind."""
    has_checksum = not stamped.startswith(b"{")  # format 1 has none
    text = stamped
    if has_checksum:
        digest, _, text = stamped.partition(b"\n")
        if hashlib.sha256(text).hexdigest().encode() != digest:
            raise contents.fault("it is damaged (the checksum of its JSON differs)")
    with contents.faults():
        header = _tuples(json.loads(text))
    if not isinstance(header, dict):
        raise contents.fault("its JSON was not written by acai")
    version = header.get("format", 1)
    if type(version) is not int:
        found = f"its format is {str(version)[:40]!r}; expected a number from 1 to {FORMAT}"
        raise InputError(f"{contents.path}: {found}: it was written by another version of acai, or by something else")
    if version > FORMAT:
        newer = f"written by a newer acai (format {version}); expected format {FORMAT} or older; upgrade acai"
        raise InputError(f"{contents.path}: {newer}")
    kind = header["kind"]
    if kind == "an ear saved by acai":  # as older versions called it
        kind = "an audio model saved by acai"
    if kind != contents.kind and isinstance(kind, str) and kind.isprintable():
        raise InputError(f"{contents.path}: this is {kind}; expected {contents.kind}")
    is_complete = has_checksum == (version == FORMAT) == ("arrays" in header) and isinstance(header["contents"], dict)
    if kind != contents.kind or not is_complete:
        raise contents.fault("its JSON was not written by acai")
    return header


def _member(archive: zipfile.ZipFile, info: zipfile.ZipInfo, entry: dict[str, Any] | None = None) -> Array:
    """Read one array to its end, where the archive checks the CRC, and compare it with its entry."""
    if info.compress_type != zipfile.ZIP_STORED:
        raise ValueError(f"{info.filename} is compressed; acai compresses nothing")
    with archive.open(info) as member:
        magic = member.read(10)
        length = int.from_bytes(magic[8:], "little")
        head = NPY.fullmatch(member.read(length))
        if magic[:8] != b"\x93NUMPY\x01\x00" or head is None or head[1].decode() not in DTYPES:
            raise ValueError(f"{info.filename} is not a plain array of integers or floats")
        dtype = np.dtype(head[1].decode())
        shape = tuple(int(n) for n in head[2].split(b",") if n.strip())
        n_bytes = dtype.itemsize * math.prod(shape)
        if n_bytes != info.file_size - 10 - length:
            raise ValueError(f"{info.filename} has {info.file_size} bytes; expected {n_bytes} and a header")
        if entry is not None and (entry["dtype"], entry["shape"]) != (dtype.str, shape):
            raise ValueError(f"{info.filename} is {dtype} {shape}; expected {entry['dtype']} {entry['shape']}")
        data = np.empty(n_bytes, np.uint8)
        for start in range(0, n_bytes, CHUNK):
            chunk = member.read(CHUNK)
            data[start : start + CHUNK] = np.frombuffer(chunk, np.uint8)
        if member.read(1):
            raise ValueError(f"{info.filename} does not end where it should")
    array = data.view(dtype).reshape(shape)
    if entry is not None and entry != _entry(array):
        raise ValueError(f"the checksum of {info.filename} differs")
    return array


def _storable(name: str, array: Array) -> Array:
    """Convert an array to the form that is written: little-endian, in C order."""
    stored = np.asarray(array, array.dtype.newbyteorder("<"), order="C")
    if name == "json" or stored.dtype.str not in DTYPES:
        raise InputError(f"{name} is an array of {array.dtype}; only integers and floats can be saved")
    if not np.isfinite(stored).all():
        raise InputError(f"{name} holds NaN or infinity; only finite numbers can be saved")
    return stored


def _entry(array: Array) -> dict[str, object]:
    """Describe an array as the JSON of a file does."""
    digest = hashlib.sha256(f"{array.dtype.str} {array.shape} ".encode())
    digest.update(array.reshape(-1).view(np.uint8).data)
    return {"dtype": array.dtype.str, "shape": array.shape, "sha256": digest.hexdigest()}


def _plain(value: object) -> object:
    if isinstance(value, np.generic):
        return value.item()
    raise InputError(f"{value!r} is a {type(value).__name__}; only text, numbers and tuples of them can be saved")


def _tuples(value: object, depth: int = 0) -> object:
    """Convert lists to tuples, and refuse values that are nested too deeply."""
    if depth > DEEPEST:
        raise InputError(f"more than {DEEPEST} lists are nested in each other; expected text, numbers, tuples of them")
    if isinstance(value, dict):
        return {name: _tuples(inner, depth + 1) for name, inner in value.items()}
    if isinstance(value, list | tuple):
        return tuple(_tuples(inner, depth + 1) for inner in value)
    return value
