"""Damage to every kind of file that acai saves: it is refused in one sentence, or what is loaded is the same to the bit."""

import numpy as np
import pytest
from cf_cases import random_ratings

import acai
from acai import InputError, Ratings, nn
from acai.cf import ALS, SGD, SVD, ItemKNN
from acai.content import AudioToFactors
from acai.files import load_npz, save_npz

KIND = "a thing saved by acai"
RATINGS = random_ratings(m=5, n=4, per_user=2)


class Thing:
    """The smallest of them: what `save_npz` takes and `load_npz` gives."""

    contents = {"W": np.arange(3.0), "n": 1}  # noqa: RUF012

    def save(self, path):
        save_npz(path, KIND, **self.contents)

    @classmethod
    def load(cls, path):
        thing, contents = cls(), load_npz(path, KIND)
        thing.contents = contents.arrays | contents.values
        return thing


def network():
    convolution, output = nn.Conv2D(2, 1, (1, 2), seed=0), nn.Linear(3, 2, seed=2)
    return nn.Sequential([convolution, nn.ReLU(), nn.GlobalPool(), nn.Dropout(0.5, seed=1), output])


def audio_model():
    rng = np.random.default_rng(0)
    spectrograms = [rng.random((2, 6), dtype=np.float32) for _ in range(6)]
    return AudioToFactors(network(), width=4, n_epochs=1).fit(spectrograms, rng.normal(size=(6, 2)))


SAVED = {
    "thing": (Thing, Thing.load),
    "ratings": (lambda: RATINGS, Ratings.load),
    "item neighbours": (lambda: ItemKNN(k=2).fit(RATINGS), acai.load),
    "SVD": (lambda: SVD(2).fit(RATINGS), acai.load),
    "SGD": (lambda: SGD(2, n_epochs=2).fit(RATINGS), acai.load),
    "ALS": (lambda: ALS(2, n_epochs=2).fit(RATINGS), acai.load),
    "network": (network, nn.load),
    "audio model": (audio_model, AudioToFactors.load),
}


@pytest.fixture(params=SAVED)
def saved(request, tmp_path):
    """The bytes of a file, and a function that says what becomes of others in its place: True for refused."""
    make, load = SAVED[request.param]
    path, copy = tmp_path / "saved.npz", tmp_path / "copy.npz"
    make().save(path)
    intact = path.read_bytes()

    def is_refused(data):
        file.seek(0)  # to open it anew for each of many thousands would take most of the time
        file.write(data)
        file.truncate()
        file.flush()
        try:
            again = load(path)
        except InputError as error:
            assert str(error).startswith(str(path)) and len(str(error).splitlines()) == 1
            return True
        again.save(copy)
        assert copy.read_bytes() == intact, "damage went unnoticed"
        return False

    with open(path, "r+b") as file:
        assert not is_refused(intact)
        yield request.param, intact, is_refused


def test_a_flipped_bit_is_noticed_or_does_not_matter(saved):
    kind, intact, is_refused = saved
    places = range(8 * len(intact))
    if kind != "thing":  # of the others a sample, for they differ from it only in what they hold
        places = np.sort(np.random.default_rng(0).permutation(8 * len(intact))[: len(intact) // 4])
    n_refused = 0
    for place in places:
        data = bytearray(intact)
        data[place // 8] ^= 1 << place % 8
        n_refused += is_refused(data)
    assert n_refused > 0.8 * len(places)  # the rest are dates, rights and the like, which nobody reads


def test_flipped_bits_in_the_header_of_a_large_array_are_noticed(tmp_path):
    """NumPy stops reading where the array ends, and so, above 4 kB, never comes to the checksum that covers its header."""
    path = tmp_path / "saved.npz"
    save_npz(path, KIND, W=np.arange(10_000.0))
    intact = path.read_bytes()
    start = intact.index(b"\x93NUMPY", intact.index(b"W.npy"))
    for place in range(8 * start, 8 * (start + 128)):
        data = bytearray(intact)
        data[place // 8] ^= 1 << place % 8
        path.write_bytes(data)
        with pytest.raises(InputError, match=r"saved\.npz: not a thing saved by acai: it is damaged"):
            load_npz(path, KIND)


def test_a_truncated_file_is_refused(saved):
    kind, intact, is_refused = saved
    step = 1 if kind == "thing" else 29
    assert all(is_refused(intact[:length]) for length in range(0, len(intact), step))


def test_random_damage_is_noticed_or_does_not_matter(saved):
    _, intact, is_refused = saved
    rng = np.random.default_rng(0)
    for _ in range(50):
        start, length = rng.integers(0, len(intact)), rng.integers(1, 64)
        data, noise = bytearray(intact), rng.bytes(length)
        way = rng.integers(0, 3)
        if way == 0:
            data[start : start + length] = noise
        elif way == 1:
            data[start:start] = noise
        else:
            del data[start : start + length]
        is_refused(bytes(data))
