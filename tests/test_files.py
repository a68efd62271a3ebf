"""Files: whole or not at all; what is written to an .npz file comes back, and whatever is not ours is refused."""

import json

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from acai import InputError
from acai.files import load_npz, save_npz, written_whole

KIND = "a thing saved by acai"
PLAIN = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(st.characters()),  # surrogates too
    lambda inner: st.lists(inner, max_size=3).map(tuple) | st.dictionaries(st.text(max_size=3), inner, max_size=3),
)


@given(PLAIN, st.integers(0, 3))
def test_what_is_saved_comes_back(tmp_path_factory, value, n):
    path, W = tmp_path_factory.mktemp("npz") / "thing", np.arange(n, dtype=np.float32)
    save_npz(path, KIND, **{"0 W": W}, value=value, number=np.float32(0.1))
    with load_npz(path, KIND) as stored:
        assert stored.keys() == {"0 W", "value", "number"}
        assert np.array_equal(stored["0 W"], W) and stored["0 W"].dtype == W.dtype
        assert stored["value"] == value and stored["number"] == np.float32(0.1)
    assert [file.name for file in path.parent.iterdir()] == ["thing"]  # no .npz is added, nothing is left over


@pytest.mark.parametrize(
    ("harm", "message"),
    [
        (lambda path: path.unlink(), "thing.npz: there is no such file; expected a thing saved by acai"),
        (lambda path: path.write_text("W,1\n"), "thing.npz: not a thing saved by acai"),
        (lambda path: path.write_bytes(b""), "thing.npz: not a thing saved by acai"),
        (lambda path: path.write_bytes(path.read_bytes()[:-40]), "thing.npz: not a thing saved by acai"),
        (lambda path: path.write_bytes(path.read_bytes().replace(b"7" * 9, b"8" * 9)), "not a thing saved by acai .*CRC"),
        (lambda path: np.savez(path, W=np.eye(2)), r"not a thing saved by acai \(KeyError"),
        (lambda path: np.savez(path, W=np.array([print], dtype=object)), r"not a thing .*Object arrays cannot be loaded"),
        (lambda path: np.savez(path, json=np.frombuffer(b"[]", np.uint8)), "not a thing saved by acai"),
        (lambda path: save_npz(path, "a hat saved by acai"), "this is a hat saved by acai; expected a thing saved by acai"),
    ],
)
def test_a_file_that_is_not_ours_is_refused(tmp_path, harm, message):
    path = tmp_path / "thing.npz"
    save_npz(path, KIND, text="7" * 9)
    harm(path)
    with pytest.raises(InputError, match=message), load_npz(path, KIND) as stored:
        stored["text"]


def test_what_cannot_be_used_is_a_fault_of_the_file(tmp_path):
    save_npz(tmp_path / "thing.npz", KIND, W=np.eye(2))
    with pytest.raises(InputError, match=r"thing.npz: not a thing saved by acai \(KeyError: 'b'\)"):
        with load_npz(tmp_path / "thing.npz", KIND) as stored:
            stored["b"]
    with pytest.raises(InputError, match=r"^W is too small$"):
        with load_npz(tmp_path / "thing.npz", KIND) as stored:
            raise InputError("W is too small")


def test_half_a_file_is_never_seen(tmp_path):
    path = tmp_path / "deep" / "thing.json"
    with written_whole(path) as temporary:
        temporary.write_text(json.dumps(1))
        assert not path.exists() and temporary.parent == path.parent and temporary.suffix == ".json"
    with pytest.raises(InputError, match="only text, numbers and tuples of them can be saved"):
        save_npz(path, KIND, value={1, 2})
    with pytest.raises(ZeroDivisionError), written_whole(path) as temporary:
        temporary.write_text(str(1 / 0))
    assert path.read_text() == "1" and list(path.parent.iterdir()) == [path]
