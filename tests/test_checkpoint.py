"""A checkpoint belongs to one training, a second fit starts afresh, and nothing is half fitted. Oracle: the same fit alone."""

import shutil
import tracemalloc
from dataclasses import replace

import numpy as np
import pytest

from acai.content import AudioToFactors, BagOfWords, SpectrumRidge
from acai.content.checkpoint import KIND, digest
from acai.content.classify import SoundClassifier
from acai.content.networks import dieleman_network
from acai.content.taste import TasteNetworks
from acai.content.training import TrainingConfig, train
from acai.content.windows import Augmentation
from acai.errors import InputError
from acai.files import load_npz, save_npz
from acai.nn import MSE, Dropout, Linear, ReLU, Sequential

RNG = np.random.default_rng(0)
S = [RNG.normal(0, 1, (8, 30)).astype(np.float16) for _ in range(12)]
Q = RNG.normal(0, 1, (12, 2)).astype(np.float32)
LONG = [RNG.normal(0, 1, (8, 60)).astype(np.float32) for _ in range(12)]  # for the deeper network of the classifier
HINT = "; repeat that training, or remove the file to start afresh"


def net(k: int = 2, seed: int = 0, n_hidden: int = 8) -> Sequential:
    return dieleman_network(k, n_bands=8, n_filters=4, n_hidden=n_hidden, pools=(2,), seed=seed)


def audio_model(network: Sequential | None = None, **settings: object) -> AudioToFactors:
    return AudioToFactors(network or net(), **{"width": 20, "n_epochs": 3, "validation": 0.25, "batch_size": 4, **settings})


def changed(arrays: list[np.ndarray], i: int) -> list[np.ndarray]:
    """The same except for the last bit of one number."""
    bits = arrays[i].copy().view(f"u{arrays[i].itemsize}")
    bits[-1, -1] ^= 1
    return [*arrays[:i], bits.view(arrays[i].dtype), *arrays[i + 1 :]]


@pytest.fixture(scope="module")
def trained(tmp_path_factory):
    path = tmp_path_factory.mktemp("trained") / "c.npz"
    return path, audio_model().fit(S, Q, checkpoint=path)


@pytest.fixture
def checkpoint(trained, tmp_path):
    return shutil.copy(trained[0], tmp_path / "c.npz")


@pytest.mark.parametrize(
    "other, spectrograms, targets, named",
    [
        (audio_model(), changed(S, 5), Q, "other spectrograms"),
        (audio_model(), S[::-1], Q, "other spectrograms"),
        (audio_model(), [*S[:-1], S[-1][:, :25]], Q, "other spectrograms"),
        (audio_model(), S, np.array(changed([Q], 0)[0]), "other targets"),
        (audio_model(net(seed=1)), S, Q, "other initial weights"),
        (audio_model(net(n_hidden=9)), S, Q, "other layers, other initial weights"),
        (audio_model(net(3)), S, np.column_stack([Q, Q[:, 0]]), "other layers, other initial weights, other targets"),
        (audio_model(augment=Augmentation(0.1)), S, Q, "other augmentation"),
        (audio_model(n_epochs=4), S, Q, "n_epochs=3 instead of 4"),
        (audio_model(learning_rate=0.05), S, Q, "learning_rate=0.03 instead of 0.05"),
        (audio_model(momentum=0.5), S, Q, "momentum=0.9 instead of 0.5"),
        (audio_model(weight_decay=0), S, Q, "weight_decay=0.0001 instead of 0"),
        (audio_model(patience=2), S, Q, "patience=None instead of 2"),
        (audio_model(width=21), S, Q, "width=20 instead of 21"),
        (audio_model(batch_size=5), S, Q, "batch_size=4 instead of 5"),
        (audio_model(validation=0.4), S, Q, "validation=0.25 instead of 0.4"),
        (audio_model(seed=1), S, Q, "seed=0 instead of 1"),
    ],
)
def test_a_checkpoint_of_another_training_is_refused_in_one_sentence(other, spectrograms, targets, named, checkpoint):
    before = checkpoint.read_bytes()
    with pytest.raises(InputError) as refused:
        other.fit(spectrograms, targets, checkpoint=checkpoint)
    words = str(refused.value)
    assert words.startswith(f"{checkpoint}: a checkpoint of another training, with ") and words.endswith(HINT)
    assert named in words and "\n" not in words
    assert checkpoint.read_bytes() == before and other.fitted_network is None


def test_the_same_training_is_resumed_from_its_checkpoint(trained, checkpoint):
    again = audio_model(momentum=np.float64(0.9)).fit([s.copy() for s in S], Q.astype(np.float64), checkpoint=checkpoint)
    assert again.history == trained[1].history
    assert_equal(again.fitted_network, trained[1].fitted_network)


def test_a_digest_reads_memory_mapped_arrays_without_taking_memory(tmp_path):
    np.save(tmp_path / "a.npy", (np.arange(2**22) % 99).astype(np.float16).reshape(128, -1))
    mapped = np.load(tmp_path / "a.npy", mmap_mode="r")
    tracemalloc.start()
    read = digest([mapped, mapped[:, :4]])
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < mapped.nbytes / 20
    assert read == digest([np.array(mapped), np.array(mapped[:, :4])]) != digest([np.array(mapped)])


class Noise:
    """A layer of your own that draws random numbers."""

    def __init__(self) -> None:
        self.rng = np.random.default_rng(4)

    def forward(self, x):
        return x + self.rng.normal(0, 0.1, x.shape).astype(x.dtype)

    def backward(self, dy):
        return dy

    def get_state(self):
        return self.rng.bit_generator.state

    def set_state(self, state):
        self.rng.bit_generator.state = state


X, Y = RNG.normal(0, 1, (12, 8)).astype(np.float32), Q
RANDOM = {
    "dropout": lambda: [Dropout(0.5, seed=3)],
    "two": lambda: [Dropout(0.5, seed=3), ReLU(), Dropout(0.2, seed=4)],
    "nested": lambda: [Sequential([ReLU(), Dropout(0.5, seed=3)])],
    "own": lambda: [Noise()],
}


def train_once(network: Sequential, path=None, stop_after: int = 99):
    calls = []

    def score(network):
        calls.append(network)
        if len(calls) > stop_after:
            raise RuntimeError("killed")
        return -float(np.square(network.predict(X[9:]) - Y[9:]).sum())

    def batches(rng):
        for songs in np.array_split(rng.permutation(9), 3):
            yield X[songs], Y[songs]

    plan, data = TrainingConfig(n_epochs=4, learning_rate=0.1), {"songs": digest([X, Y])}
    return train(network, MSE(), batches, score, plan, checkpoint=path, data=data)


def assert_equal(a: Sequential, b: Sequential) -> None:
    assert a.params.keys() == b.params.keys()
    for name, w in a.params.items():
        np.testing.assert_array_equal(w, b.params[name], err_msg=name)


@pytest.mark.parametrize("stop_after", [0, 1, 3])
@pytest.mark.parametrize("kind", RANDOM)
def test_layers_with_random_numbers_continue_where_they_stopped(kind, stop_after, tmp_path):
    alone, killed, resumed = (Sequential([Linear(8, 6, seed=1), *RANDOM[kind](), Linear(6, 2, seed=2)]) for _ in range(3))
    history = train_once(alone)
    with pytest.raises(RuntimeError):
        train_once(killed, tmp_path / "c.npz", stop_after)
    assert train_once(resumed, tmp_path / "c.npz") == history
    assert_equal(alone, resumed)


def test_another_initial_state_of_random_numbers_is_another_training(tmp_path):
    moved = Sequential([Linear(8, 2, seed=1), Dropout(0.5, seed=3)])
    train_once(moved, tmp_path / "c.npz")
    moved = Sequential([Linear(8, 2, seed=1), Dropout(0.5, seed=3)])
    moved.forward(X)
    with pytest.raises(InputError, match=r"other random states of layers \(give those that draw random numbers a seed\)"):
        train_once(moved, tmp_path / "c.npz")


def test_a_checkpoint_needs_the_digests_of_the_data(tmp_path):
    with pytest.raises(InputError, match="give the digests of its data with data="):
        train(net(), MSE(), lambda rng: [], None, TrainingConfig(), checkpoint=tmp_path / "c.npz")


def spoilt(contents: dict) -> dict[str, dict]:
    """Every kind of impossible content, under correct checksums."""
    state = contents["layers"]["1"]
    return {
        "holds no array 'weights 0.W'": {name: value for name, value in contents.items() if name != "weights 0.W"},
        "weights 0.W is": contents | {"weights 0.W": contents["weights 0.W"][:1]},
        "steps 0.b is": contents | {"steps 0.b": contents["steps 0.b"].astype(np.float64)},
        "best 0.b is": contents | {"best 0.b": np.zeros((2, 2), np.float32)},
        "its history has 0 epochs; expected 1 to 4": contents | {"history": []},
        "history holds": contents | {"history": [[1.0, float("inf"), 0.1]]},
        "history holds .*expected loss": contents | {"history": [[1.0, 2.0]]},
        "its history has 6 epochs; expected 1 to 4": contents | {"history": contents["history"] * 3},
        "a state of the layers none; expected 1": contents | {"layers": {}},
        "not the state of a generator": contents | {"layers": {"1": {**state, "bit_generator": "MT19937"}}},
        "not the state of a generator .*": contents | {"layers": {"1": 7}},
        "a checkpoint of an older acai": {name: value for name, value in contents.items() if name != "origin"},
    }


def test_a_checkpoint_whose_contents_do_not_fit_is_refused_and_changes_nothing(tmp_path):
    def network() -> Sequential:
        return Sequential([Linear(8, 2, seed=1), Dropout(0.5, seed=3)])

    path = tmp_path / "c.npz"
    with pytest.raises(RuntimeError):
        train_once(network(), path, stop_after=2)
    stored = load_npz(path, KIND)
    contents = stored.arrays | stored.values
    for message, bad in spoilt(contents).items():
        save_npz(path, KIND, **bad)
        untouched = network()
        with pytest.raises(InputError, match=message):
            train_once(untouched, path)
        assert_equal(untouched, network())
        assert untouched.get_state() == network().get_state()


def test_a_second_fit_starts_afresh_and_another_k_works():
    network, again = net(), audio_model(net())
    first = again.fit(S, Q).predict(S)
    np.testing.assert_array_equal(again.fit(S, Q).predict(S), first)
    assert_equal(again.network, network)
    free = AudioToFactors(width=60, n_epochs=1)
    for k in (2, 3, 1):
        assert free.fit(LONG, RNG.normal(0, 1, (12, k))).predict(LONG).shape == (12, k)
        assert free.network is None


def test_a_fit_changes_no_setting():
    model = audio_model(augment=Augmentation(0.1), patience=2)
    expected = replace(model)
    assert model.fit(S, Q) == expected
    classifier = SoundClassifier(width=60, n_epochs=1)
    assert classifier.fit(LONG, np.arange(12) % 2) == SoundClassifier(width=60, n_epochs=1)
    first = classifier.predict(LONG)
    np.testing.assert_array_equal(classifier.fit(LONG, np.arange(12) % 2).predict(LONG), first)
    assert classifier.fit(LONG, np.arange(12) % 3).predict(LONG).shape == (12, 3)


def failing(*_: object, **__: object) -> None:
    raise RuntimeError("in the middle")


@pytest.mark.parametrize(
    "model, first, place",
    [
        (audio_model(), (S, Q), "acai.content.audio_network.train"),
        (SoundClassifier(width=60, n_epochs=1), (LONG, np.arange(12) % 2), "acai.content.audio_network.train"),
        (SpectrumRidge(), (S, Q), "acai.content.audio_models.Ridge.fit"),
        (BagOfWords(n_words=5), (S, Q), "acai.content.audio_models.Ridge.fit"),
        (TasteNetworks(n_epochs=1), (Q, np.ones((3, 12))), "acai.content.taste.SGD.step"),
    ],
)
def test_a_model_whose_fit_failed_is_not_half_fitted(model, first, place, monkeypatch):
    for _ in range(2):  # before any fit, and after one that went well
        with pytest.raises(InputError, match="fitted"):
            model.predict(first[0])
        model.fit(*first).predict(first[0])
        with monkeypatch.context() as patch:
            patch.setattr(place, failing)
            with pytest.raises(RuntimeError):
                model.fit(*first)
