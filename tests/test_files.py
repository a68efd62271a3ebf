"""What is written to an .npz file comes back, to the bit; and whatever is damaged or not ours is refused."""

import hashlib
import json
import tracemalloc
import warnings
import zipfile

import numpy as np
import pytest
from forgery import forge
from hypothesis import given
from hypothesis import strategies as st

from acai import InputError
from acai.files import FORMAT, load_npz, save_npz

KIND = "a thing saved by acai"
PLAIN = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(st.characters()),  # surrogates too
    lambda inner: st.lists(inner, max_size=3).map(tuple) | st.dictionaries(st.text(max_size=3), inner, max_size=3),
)


@given(PLAIN, st.integers(0, 3))
def test_what_is_saved_comes_back(tmp_path_factory, value, n):
    path, W = tmp_path_factory.mktemp("npz") / "thing", np.arange(n, dtype=np.float32)
    save_npz(path, KIND, **{"0 W": W}, value=value, number=np.float32(0.1))
    contents = load_npz(path, KIND)
    assert sorted(contents.names) == ["0 W", "number", "value"]
    assert np.array_equal(contents.arrays["0 W"], W) and contents.arrays["0 W"].dtype == W.dtype
    assert contents.value("value", object) == value and contents.value("number", float) == np.float32(0.1)
    assert [file.name for file in path.parent.iterdir()] == ["thing"]  # no .npz is added, nothing is left over


@pytest.mark.parametrize("dtype", ["i1", "u1", "i2", "u2", "i4", "u4", "i8", "u8", "f2", "f4", "f8", ">i4", ">f8"])
@pytest.mark.parametrize("shape", [(), (0,), (3,), (2, 0, 3), (2, 3, 4)])
def test_arrays_of_every_type_and_shape_come_back_and_numpy_reads_them_too(tmp_path, dtype, shape):
    A = np.asarray(np.random.default_rng(0).integers(0, 99, shape), dtype)
    save_npz(tmp_path / "thing.npz", KIND, A=A, transposed=A.T)
    contents = load_npz(tmp_path / "thing.npz", KIND)
    found = contents.array("A", shape, (A.dtype.name,))
    assert np.array_equal(found, A) and found.dtype == A.dtype.newbyteorder("=") and found.flags.writeable
    assert np.array_equal(contents.arrays["transposed"], A.T)
    with np.load(tmp_path / "thing.npz", allow_pickle=False) as file:
        assert np.array_equal(file["A"], A) and np.array_equal(file["transposed"], A.T)


@pytest.mark.parametrize("contents, message", [
    ({"value": {1, 2}}, "only text, numbers and tuples of them can be saved"),
    ({"value": [b""]}, "only text, numbers and tuples of them can be saved"),
    ({"A": np.array([print])}, "A is an array of object; only integers and floats can be saved"),
    ({"A": np.array(["text"])}, "A is an array of <U4; only integers and floats can be saved"),
    ({"A": np.array([1j])}, "A is an array of complex128; only integers and floats can be saved"),
    ({"A": np.array([1, np.nan])}, "A holds NaN or infinity; only finite numbers can be saved"),
    ({"json": np.ones(2)}, "json"),
])
def test_what_cannot_be_saved_leaves_no_file(tmp_path, contents, message):
    with pytest.raises(InputError, match=message):
        save_npz(tmp_path / "thing", KIND, **contents)
    assert not list(tmp_path.iterdir())


def test_what_is_nested_too_deeply_or_in_itself_is_not_saved(tmp_path):
    endless = []
    endless.append(endless)
    with pytest.raises(InputError, match="lists are nested in each other"):
        save_npz(tmp_path / "thing", KIND, value=endless)


def forged(**header):
    return lambda path: forge(path, lambda a, v: None, **header)


def stamped(text):
    """A file with a JSON of its own, whose checksum fits."""
    data = hashlib.sha256(text).hexdigest().encode() + b"\n" + text
    return lambda path: np.savez(path, json=np.frombuffer(data, np.uint8))


def compressed(path):
    with np.load(path) as file:
        np.savez_compressed(path, **file)


def member(name, data):
    """One more member, of any bytes."""
    def add(path):
        with warnings.catch_warnings(action="ignore"), zipfile.ZipFile(path, "a") as archive:  # of a name that is there already
            archive.writestr(name, data)

    return add


@pytest.mark.parametrize("harm, message", [
    (lambda path: path.unlink(), "there is no such file; expected a thing saved by acai"),
    (lambda path: (path.unlink(), path.mkdir()), " is a directory; expected a regular file"),
    (lambda path: path.write_text("W,1\n"), "not a thing saved by acai: it is damaged .BadZipFile"),
    (lambda path: path.write_bytes(b""), "not a thing saved by acai: it is damaged"),
    (lambda path: np.savez(path, W=np.eye(2)), "not a thing saved by acai: it holds no json.npy"),
    (lambda path: np.savez(path, json=np.array([print], dtype=object)), "json.npy is not a plain array of integers or floats"),
    (lambda path: np.savez(path, json=np.frombuffer(b"{]", np.uint8)), "it is damaged .JSONDecodeError"),
    (lambda path: save_npz(path, "a hat saved by acai"), "this is a hat saved by acai; expected a thing saved by acai"),
    (forged(format=FORMAT + 1), rf"a newer acai \(format {FORMAT + 1}\); expected format {FORMAT} or older; upgrade acai"),
    (forged(format="2"), "its format is '2'; expected a number from 1 to 2: it was written by another version of acai"),
    (forged(format=2.5), "its format is '2.5'; expected a number from 1 to 2"),
    (forged(format=None), "its format is 'None'; expected a number from 1 to 2"),
    (forged(format=True), "its format is 'True'; expected a number from 1 to 2"),
    (forged(format=1), "its JSON was not written by acai"),
    (forged(kind="a \x1b[31mhat"), "its JSON was not written by acai"),
    (forged(kind=["a hat"]), "its JSON was not written by acai"),
    (forged(contents=[]), "its JSON was not written by acai"),
    (stamped(b"[" * 100_000), "it is damaged .RecursionError"),
    (stamped(b"[" * 60 + b"]" * 60), "lists are nested in each other"),
    (stamped(b"9" * 5000), "it is damaged .ValueError"),
    (stamped(b"7"), "its JSON was not written by acai"),
    (stamped(b"{}"), "it is damaged .KeyError"),
    (compressed, "json.npy is compressed; acai compresses nothing"),
    (member("V.npy", b""), "its arrays are not the ones it lists"),
    (member("W.npy", b""), "its members are repeated"),
    (lambda path: forge(path, lambda a, v: a.update(W=a["W"].astype(">f8"))), "W.npy is not a plain array"),
    (lambda path: forge(path, lambda a, v: a["W"].fill(np.inf)), "W holds NaN or infinity"),
])
def test_a_file_that_is_not_ours_is_refused(tmp_path, harm, message):
    path = tmp_path / "thing.npz"
    save_npz(path, KIND, W=np.eye(2), text="7" * 9)
    harm(path)
    with pytest.raises(InputError, match=f"thing.npz.*{message}"):
        load_npz(path, KIND)


def claims(descr, shape):
    """A member that claims to be such an array, and in the list of members as many bytes; there are next to none of them."""
    head = f"{{'descr': '{descr}', 'fortran_order': False, 'shape': {shape}, }}".encode()
    head += b" " * (53 - len(head) % 64 + 64) + b"\n"
    content = b"\x93NUMPY\x01\x00" + len(head).to_bytes(2, "little") + head

    def change(path):
        member("V.npy", content)(path)
        data = bytearray(path.read_bytes())
        for sign, at in (b"PK\x03\x04", 18), (b"PK\x01\x02", 20):  # both sizes, in front of the member and in the list
            start = data.rindex(sign)
            data[start + at : start + at + 8] = (2**31).to_bytes(4, "little") * 2
        path.write_bytes(data)

    return change


@pytest.mark.parametrize("harm", [
    claims("<f8", (2**40,)), claims("<f8", (2**28,)), claims("<f4", (40_000, 40_000)), claims("|i1", (2**31 - 192,)),
    lambda path: np.savez_compressed(path, W=np.zeros(2**24)),
])
def test_no_more_memory_is_taken_than_the_file_is_large(tmp_path, harm):
    path = tmp_path / "thing.npz"
    save_npz(path, KIND, W=np.eye(2))
    harm(path)
    tracemalloc.start()
    with pytest.raises(InputError, match="not a thing saved by acai"):
        load_npz(path, KIND)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 2**20


def test_accessors_say_what_is_wrong_with_the_file(tmp_path):
    path = tmp_path / "thing.npz"
    save_npz(path, KIND, **{"part W": np.eye(2), "part on": True, "n": 3, "names": ["a", 1]})
    contents = load_npz(path, KIND)
    assert np.array_equal(contents.part("part ").array("W", (None, 2), ("float64",)), np.eye(2))
    assert contents.part("part ").names == ["W", "on"] and contents.value("n", int) == 3
    for ask, message in [
        (lambda: contents.array("W", (2,), ("float64",)), "it holds no array 'W'"),
        (lambda: contents.array("part W", (2, 3), ("float64",)), r"part W is \(2, 2\) float64; expected \(2, 3\) float64"),
        (lambda: contents.array("part W", (2,), ("int8", "int16")), r"part W is .* float64; expected \(2\) int8 or int16"),
        (lambda: contents.value("W", int), "it holds no 'W'"),
        (lambda: contents.value("n", str), "n is '3', int; expected str"),
        (lambda: contents.value("part on", int), "part on is 'True', bool; expected int"),
        (lambda: contents.sequence("names", str), "an element of names is '1', int; expected str"),
    ]:
        with pytest.raises(InputError, match=message):
            ask()
    with pytest.raises(InputError, match=r"not a thing saved by acai: k=0; expected more$"), contents.faults():
        raise InputError("k=0; expected more")
    with pytest.raises(ZeroDivisionError), contents.faults():  # a mistake of acai is no fault of the file
        print(1 / 0)


def test_files_of_the_first_format_are_read(tmp_path):
    text = json.dumps({"kind": KIND, "contents": {"name": ["a", 1]}})
    np.savez(tmp_path / "old.npz", json=np.frombuffer(text.encode(), np.uint8), W=np.eye(2))
    contents = load_npz(tmp_path / "old.npz", KIND)
    assert np.array_equal(contents.array("W", (2, 2), ("float64",)), np.eye(2)) and contents.values == {"name": ("a", 1)}
