"""Training: resumed bit for bit, stopped by Ctrl-C, and the best epoch kept. Oracle: the same training without a stop."""

import math
import re

import numpy as np
import pytest

from acai.content import AudioToFactors
from acai.content.checkpoint import digest
from acai.content.classify import SoundClassifier
from acai.content.training import TrainingConfig, train
from acai.content.windows import Augmentation
from acai.errors import InputError
from acai.nn import MSE, Linear, ReLU, Sequential

RNG = np.random.default_rng(0)
X = RNG.normal(0, 1, (64, 5)).astype(np.float32)
Y = np.tanh(X @ RNG.normal(0, 1, (5, 2))).astype(np.float32)
DATA = {"songs": digest([X, Y])}


def network() -> Sequential:
    return Sequential([Linear(5, 16, seed=1), ReLU(), Linear(16, 2, seed=2)])


def batches(rng):
    for songs in np.array_split(rng.permutation(48), 6):
        yield X[songs], Y[songs]


def score(net) -> float:
    return -float(np.square(net.predict(X[48:]) - Y[48:]).mean())


def stopping(at: int, error: type[BaseException] = RuntimeError):
    """A score that raises an error when it is computed for the `at`-th time, like a kill in the middle of an epoch."""
    calls = iter(range(1000))

    def dies(net):
        if next(calls) == at:
            raise error
        return score(net)

    return dies


def assert_equal_weights(a: Sequential, b: Sequential) -> None:
    for name, w in a.params.items():
        np.testing.assert_array_equal(w, b.params[name], err_msg=name)


@pytest.mark.parametrize("killed", range(6))
def test_killed_in_any_epoch_and_resumed_it_ends_with_the_same_bits(tmp_path, killed):
    plan, alone, resumed = TrainingConfig(n_epochs=6, learning_rate=0.1), network(), network()
    history = train(alone, MSE(), batches, score, plan)
    with pytest.raises(RuntimeError):
        train(resumed, MSE(), batches, stopping(killed), plan, checkpoint=tmp_path / "c.npz", data=DATA)
    resumed = network()  # a new process has nothing but the file
    assert train(resumed, MSE(), batches, score, plan, checkpoint=tmp_path / "c.npz", data=DATA) == history
    assert_equal_weights(alone, resumed)
    assert [p.name for p in tmp_path.iterdir()] == ["c.npz"]  # nothing half-written is left


def test_a_finished_training_is_not_repeated(tmp_path):
    plan, a, b = TrainingConfig(n_epochs=3, learning_rate=0.1), network(), network()
    history = train(a, MSE(), batches, score, plan, checkpoint=tmp_path / "c.npz", data=DATA)
    assert train(b, MSE(), batches, stopping(0), plan, checkpoint=tmp_path / "c.npz", data=DATA) == history
    assert_equal_weights(a, b)


def test_ends_with_the_weights_of_the_best_epoch():
    scores = iter([0.1, 0.9, 0.3, 0.9])
    seen, net = [], network()

    def score(net):
        seen.append({name: w.copy() for name, w in net.params.items()})
        return next(scores)

    train(net, MSE(), batches, score, TrainingConfig(n_epochs=4, learning_rate=0.1))
    for name, w in net.params.items():
        np.testing.assert_array_equal(w, seen[1][name])


def test_ctrl_c_keeps_the_best_epoch_and_is_raised_if_there_is_none():
    net, two = network(), network()
    history = train(net, MSE(), batches, stopping(2, KeyboardInterrupt), TrainingConfig(n_epochs=6, learning_rate=0.1))
    expected = train(two, MSE(), batches, stopping(2, KeyboardInterrupt), TrainingConfig(n_epochs=6, learning_rate=0.1))
    assert len(history) == 2 and history == expected
    assert_equal_weights(net, two)
    with pytest.raises(KeyboardInterrupt):
        train(network(), MSE(), batches, stopping(0, KeyboardInterrupt), TrainingConfig(n_epochs=6, learning_rate=0.1))


def test_ctrl_c_is_raised_if_no_score_tells_which_epoch_was_best():
    calls = iter(range(100))

    def stopped(rng):
        if next(calls) == 2:
            raise KeyboardInterrupt
        return batches(rng)

    with pytest.raises(KeyboardInterrupt):
        train(network(), MSE(), stopped, None, TrainingConfig(n_epochs=6, learning_rate=0.1))


@pytest.mark.parametrize("epoch", [0, 2])
def test_ctrl_c_that_came_back_as_a_system_error_is_ctrl_c(epoch):
    """C code that finds an exception where it expects a result turns it into a SystemError."""
    stopped = SystemError("returned a result with an exception set")
    stopped.__cause__ = KeyboardInterrupt()
    calls = iter(range(9))

    def score_or_stop(net) -> float:
        if next(calls) == epoch:
            raise stopped
        return score(net)

    if epoch == 0:
        with pytest.raises(KeyboardInterrupt):
            train(network(), MSE(), batches, score_or_stop, TrainingConfig(n_epochs=6, learning_rate=0.1))
    else:
        assert len(train(network(), MSE(), batches, score_or_stop, TrainingConfig(n_epochs=6, learning_rate=0.1))) == epoch
    with pytest.raises(SystemError):
        train(network(), MSE(), batches, stopping(2, SystemError), TrainingConfig(n_epochs=6, learning_rate=0.1))


@pytest.mark.parametrize("score", [math.nan, math.inf, -math.inf])
def test_a_score_that_is_not_finite_is_refused(score):
    scores = iter([0.5, score])
    with pytest.raises(InputError, match=r"the score .* in epoch 2: the training diverged"):
        train(network(), MSE(), batches, lambda net: next(scores), TrainingConfig(n_epochs=3, learning_rate=0.1))


@pytest.mark.parametrize(
    "setting, expected",
    [
        ({"n_epochs": 0}, "an integer, at least 1"), ({"n_epochs": 2.5}, "an integer, at least 1"),
        ({"n_epochs": True}, "an integer, at least 1"), ({"n_epochs": 2**63}, "an integer, at least 1"),
        ({"width": 0}, "an integer, at least 1"), ({"batch_size": "8"}, "an integer, at least 1"),
        ({"patience": 0}, "an integer, at least 1 or None"), ({"seed": -1}, "an integer, at least 0"),
        ({"learning_rate": 0.0}, "a finite number, more than 0"), ({"learning_rate": math.nan}, "a finite number, more than 0"),
        ({"momentum": 1.0}, "a finite number, at least 0, less than 1"), ({"weight_decay": -0.1}, "a finite number, at least 0"),
        ({"validation": 1.5}, "a finite number, more than 0, less than 1"),
        ({"augment": 3}, "an object of the class Augmentation or None"),
        ({"network": 3}, "an object of the class Sequential or None"),
    ],
)
def test_settings_are_checked_where_they_are_given_and_again_before_they_are_used(setting, expected):
    (name, value), = setting.items()
    message = re.escape(f"{name}={value!r}; expected {expected}")
    with pytest.raises(InputError, match=message):
        AudioToFactors(**setting)
    changed = AudioToFactors()
    setattr(changed, name, value)
    with pytest.raises(InputError, match=message):
        changed.fit([np.zeros((2, 200), np.float32)] * 6, np.eye(6))
    if hasattr(SoundClassifier(), name):
        classifier = SoundClassifier()
        setattr(classifier, name, value)
        with pytest.raises(InputError, match=message):
            classifier.fit([np.zeros((2, 200), np.float32)] * 6, np.arange(6) % 2)
    with pytest.raises(InputError, match="windows=0; expected an integer, at least 1"):
        SoundClassifier(windows=0)


def test_settings_of_numpy_become_plain():
    plan = TrainingConfig(n_epochs=np.int8(3), learning_rate=np.float32(0.5), seed=np.uint8(200), patience=np.int64(2))
    plain = plan.n_epochs, plan.learning_rate, plan.seed, plan.patience
    assert plain == (3, 0.5, 200, 2) and [type(value) for value in plain] == [int, float, int, int]
    assert Augmentation(gain=np.float32(0.5), time_mask=np.int8(3)) == Augmentation(0.5, 3)


def test_it_stops_when_the_score_has_not_risen_for_patience_epochs():
    scores = iter([0.1, 0.5, 0.4, 0.3, 0.9])
    history = train(network(), MSE(), batches, lambda net: next(scores), TrainingConfig(n_epochs=9, learning_rate=0.1, patience=2))
    assert [e.score for e in history] == [0.1, 0.5, 0.4, 0.3]


def test_the_learning_rate_falls_along_half_a_cosine():
    history = train(network(), MSE(), batches, score, TrainingConfig(n_epochs=4, learning_rate=0.2))
    np.testing.assert_allclose([e.learning_rate for e in history], 0.1 * (1 + np.cos(np.pi * np.arange(4) / 4)))


def test_a_training_that_diverges_says_so():
    with pytest.raises(InputError, match=r"learning.rate"):
        train(network(), MSE(), batches, score, TrainingConfig(n_epochs=50, learning_rate=1e6, momentum=0.99))
