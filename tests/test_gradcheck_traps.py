"""What once fooled the gradient check: saturation, equal random streams, single points, randomness, domains, ties, side effects."""

import random

import numpy as np
import pytest
import trap_layers as traps

from acai import nn
from acai.gradcheck import check
from acai.teaching.zoo import BUGS, ENTRIES
from acai.teaching.zoo import shapes as zoo_shapes
from acai.teaching.zoo.activations import GELU, GELUTanh, Mish, SiLU, Softplus, Square
from acai.teaching.zoo.losses import L1, SoftmaxCrossEntropy
from acai.teaching.zoo.networks import Chain

SEEDS = range(6)
TANH = {"f": np.tanh, "slope": lambda x, y: 1 - y * y}
SIGMOID = {"f": lambda x: 1 / (1 + np.exp(-x)), "slope": lambda x, y: y * (1 - y)}


def leaky(x):
    return np.where(x > 0, x, 0.1 * x)


def verdicts(layer, x, target=None, seeds=SEEDS, **how):
    """The verdict for each seed; a new layer is built for each."""
    return {check(layer(), x, target, seed=seed, **how).verdict for seed in seeds}


@pytest.mark.parametrize("n", [16, 20, 256])
def test_a_saturated_tanh_is_no_polynomial(n):
    for times, verdict in ((1, "agrees"), (5, "wrong"), (0, "wrong")):
        def network(times=times):
            return nn.Sequential([nn.Linear(n, 3, seed=0), traps.Elementwise(**TANH, times=times)])

        assert verdicts(network, (2, n), seeds=range(3 if n < 256 else 1)) == {verdict}
    assert check(nn.Sequential([nn.Linear(20, 3, seed=0), nn.Tanh()]), (2, 20), seed=7).verdict == "agrees"


@pytest.mark.parametrize("right, wrong, shape", [
    (lambda: traps.Elementwise(**SIGMOID), lambda: traps.Elementwise(**SIGMOID, times=7), (4, 64)),
    (traps.Softmax, lambda: traps.Softmax(3), (4, 6)),
    (traps.RNN, lambda: traps.RNN(times=3), (2, 5, 3)),
    (traps.Attention, lambda: traps.Attention(drop_scores=True), (2, 5, 4)),
    (lambda: traps.Attention(scaled=False), lambda: traps.Attention(drop_scores=True, scaled=False), (2, 5, 4)),
])
def test_what_saturates_is_tried_where_it_does_not(right, wrong, shape):
    assert verdicts(right, shape) == {"agrees"} and verdicts(wrong, shape) == {"wrong"}


def test_what_is_flat_at_every_point_is_not_called_right():
    flat = check(traps.Elementwise(np.sign, lambda x, y: 0 * x), (2, 3))
    assert flat.verdict == "not checked" and "every slope with respect to x was 0 at every point, which proves nothing" in str(flat)
    assert check(traps.Elementwise(np.sign, lambda x, y: 1 + 0 * x), (2, 3)).verdict == "wrong"  # the straight-through estimator
    unused = traps.Dense(3, 2)
    unused.params = {"never": np.ones(2)}
    unused.grads = {"never": np.zeros(2)}
    report = check(unused, (4, 3))
    assert report.verdict == "equal" and "forward does not depend on never: a gradient of 0 is right" in str(report)


@pytest.mark.parametrize("factor", [1, 3])
def test_a_layer_whose_random_numbers_leave_nothing_of_x_is_not_called_right(factor):
    class Scarce:
        def forward(self, x):
            self.mask = np.random.rand(*x.shape) < 1e-9
            return x * self.mask

        def backward(self, dy):
            return factor * dy * self.mask

    report = check(Scarce(), (2, 2))
    assert report.verdict == "not checked" and "leave nothing of x; give a larger shape" in str(report)


def test_the_count_of_exercised_coordinates_is_said():
    class FirstOnly:
        def forward(self, x):
            self.shape = x.shape
            return 2 * x[:, :1]

        def backward(self, dy):
            dx = np.zeros(self.shape)
            dx[:, :1] = 2 * dy
            return dx

    assert "x    equal: 6 of 6 coordinates; 2 of 6 exercised, the slopes of the others are 0" in str(check(FirstOnly(), (2, 3)))


@pytest.mark.parametrize("seed", SEEDS)
def test_x_is_never_the_target_that_everybody_draws(seed):
    class Times1000(nn.MSE):
        def backward(self):
            return 1000 * super().backward()

    target = np.random.default_rng(seed).normal(size=(4, 3))
    assert check(Times1000(), (4, 3), target, seed=seed).verdict == "wrong"
    assert check(nn.MSE(), (4, 3), target, seed=seed).ok


def test_streams_are_separate_and_nothing_is_zero_or_repeats():
    class Seeing:
        def __init__(self):
            self.params, self.grads = {"a": np.ones((3, 4)), "b": np.ones((3, 4))}, {}

        def forward(self, x):
            seen.append({"x": x.copy(), **{name: w.copy() for name, w in self.params.items()}})
            return x * self.params["a"] + self.params["b"]

        def backward(self, dy):
            seen[-1]["dy"] = dy.copy()
            self.grads = {"a": dy * seen[-1]["x"], "b": dy.copy()}
            return dy * self.params["a"]

    seen = []
    assert check(Seeing(), (3, 4), seed=3).verdict == "equal"
    everybodys = np.random.default_rng(3).normal(size=(3, 4))
    passes = [values for values in seen if "dy" in values and not (values["dy"] == 1).all()]
    assert len(passes) > 6
    for values in passes:
        assert len(np.unique(values["dy"])) == 12 and all((w != 0).all() for name, w in values.items() if name != "x")
        assert not any(np.allclose(w, everybodys) for w in values.values())
        assert not np.allclose(abs(values["a"]), abs(values["b"]))
    assert {values["x"].min() > 0 for values in passes} == {True, False} and any(values["x"].max() < 0 for values in passes)
    assert min(abs(values["x"]).max() for values in passes) < 0.5 and max(abs(values["x"]).max() for values in passes) > 9


@pytest.mark.parametrize("layer, shape, target, verdict", [
    (lambda: traps.Elementwise(leaky, lambda x, y: 1.0), (1, 2), None, "wrong"),
    (lambda: traps.Elementwise(leaky, lambda x, y: np.where(x > 0, 1, 0.1)), (1, 2), None, "agrees"),
    (lambda: traps.Huber(100), (4, 3), np.random.default_rng(0).normal(size=(4, 3)), "wrong"),
    (lambda: traps.Huber(100), (4, 3), np.arange(12.0).reshape(4, 3), "wrong"),
    (traps.Huber, (4, 3), np.random.default_rng(0).normal(size=(4, 3)), "agrees"),
    (traps.Huber, (4, 3), np.arange(12.0).reshape(4, 3), "equal"),
    (lambda: traps.Elementwise(lambda x: x * abs(x), lambda x, y: 2 * x), (1, 1), None, "wrong"),
    (lambda: traps.Elementwise(lambda x: x * abs(x), lambda x, y: 2 * abs(x)), (1, 1), None, "equal"),
])
def test_what_is_wrong_for_some_signs_or_sizes_only_is_found_with_every_seed(layer, shape, target, verdict):
    assert verdicts(layer, shape, target, seeds=range(12)) == {verdict}


@pytest.mark.parametrize("draw", [
    lambda shape: np.random.rand(*shape), lambda shape: np.random.default_rng(5).random(shape),
    lambda shape: np.reshape([random.random() for _ in range(np.prod(shape))], shape),
])
def test_dropout_keeps_to_one_mask_whatever_it_draws_from(draw):
    assert verdicts(lambda: traps.Dropout(draw), (4, 5)) == {"equal"}
    assert verdicts(lambda: traps.Dropout(draw, times=3), (4, 5)) == {"wrong"}


@pytest.mark.parametrize("shape", [(2, 2), (3, 3)])
def test_what_one_mask_drops_another_mask_shows(shape):
    broken = next(bug for bug in BUGS if bug.name == "Dropout: another mask").broken()
    right = next(entry.kind for entry in ENTRIES if entry.name == "Dropout")
    cosine = next(entry.kind for entry in ENTRIES if entry.name == "Cosine")
    target = np.random.default_rng(0).normal(size=shape)
    for seed in range(12):
        assert check(Chain([right(), broken()]), shape, seed=seed).verdict == "wrong"
        assert check(Chain([broken(), right()]), shape, seed=seed).verdict == "wrong"
        assert check(Chain([right(), right()]), shape, seed=seed).ok
        assert check(Chain([right(), right(), cosine()]), shape, target, seed=seed).ok  # it needs two numbers of one row


def test_the_global_generators_are_left_where_they_were():
    np.random.seed(4)
    random.seed(4)
    before = np.random.get_state()[1].copy(), random.getstate()
    check(traps.Dropout(lambda shape: np.random.rand(*shape)), (2, 3))
    assert np.array_equal(before[0], np.random.get_state()[1]) and before[1] == random.getstate()


def test_what_varies_though_every_generator_is_put_back_is_not_checked():
    report = check(traps.Dropout(lambda shape: np.random.default_rng().random(shape)), (4, 5))
    assert report.verdict == "not checked" and not report.ok and "not checked: forward is random" in str(report)


def test_parameters_are_found_where_people_keep_them():
    for store in ("attributes", "dictionary", "list", "objects", "lazily", "returned"):
        report = check(traps.Dense(3, 2, store), (4, 3))
        assert report.verdict == "equal" and len(report.findings) == 3, report
        assert check(traps.Dense(3, 2, store, times=2), (4, 3)).verdict == "wrong"


def test_a_parameter_that_a_small_move_does_not_show_is_found():
    """As far as b moves |y − t| up in one sample, it moves it down in another: their sum stays the same for a while."""
    target = np.array([[-1.46692975, -0.4196381], [-0.04056875, 0.39279744]])
    for wrong in range(3):
        parts = [zoo_shapes.Dense(4, 2), zoo_shapes.Dense(2, 3), zoo_shapes.Dense(3, 2)]
        report = check(Chain([*parts, L1()]), (2, 4), target)
        assert report.verdict == "agrees" and [finding.array[2:] for finding in report.findings[1:]] == ["W", "b"] * 3
        parts[wrong].__class__ = next(bug for bug in BUGS if bug.name == "Dense: db a mean").broken()
        assert check(Chain([*parts, L1()]), (2, 4), target).wrong_arrays == [f"{wrong}.b"]


def test_a_slope_that_is_too_small_to_be_seen_is_not_wrong():
    """Where a class is certain, the loss is 0 to the last bit, and its gradient is 1e-100."""
    network = Chain([Mish(), Square(), SoftmaxCrossEntropy()])
    for classes in ([0, 1], [1, 3]):
        assert {check(network, (2, 4), np.array(classes), seed=seed).verdict for seed in range(3)} == {"agrees"}


def test_what_forward_depends_on_without_a_gradient_is_named():
    report = check(traps.Dense(3, 2, "no gradients"), (4, 3))
    assert report.verdict == "not checked" and not report.ok and report.wrong_arrays == []
    assert "not checked: forward depends on W, of which backward leaves no gradient" in str(report)


@pytest.mark.parametrize("f, slope, where", [
    (np.log, lambda x, y: 1 / x, "positive numbers"), (np.sqrt, lambda x, y: 0.5 / y, "positive numbers"),
    (lambda x: np.log(x / (1 - x)), lambda x, y: 1 / x / (1 - x), "numbers between 0 and 1"),
])
def test_a_domain_is_found_and_named(f, slope, where):
    report = check(traps.Elementwise(f, slope), (3, 4))
    assert report.verdict == "agrees" and f"x was drawn from {where}" in str(report)
    assert check(traps.Elementwise(f, slope, times=2), (3, 4)).verdict == "wrong"


def test_cross_entropy_on_probabilities():
    target = np.random.default_rng(0).integers(0, 2, (4, 3)).astype(float)
    assert verdicts(traps.CrossEntropyOnProbabilities, (4, 3), target) == {"agrees"}
    assert verdicts(lambda: traps.CrossEntropyOnProbabilities(2), (4, 3), target) == {"wrong"}


@pytest.mark.parametrize("layer, shape", [
    (lambda: nn.Sequential([nn.MaxPool2D(2), nn.MaxPool2D(2)]), (2, 2, 8, 8)), (traps.Sort, (4, 5)), (traps.Median, (4, 5)),
    (lambda: nn.Sequential([nn.ReLU(), nn.MaxPool2D(2), nn.ReLU()]), (2, 2, 4, 4)),
])
def test_right_choices_on_ties_are_right(layer, shape):
    assert verdicts(layer, shape) == {"equal"}


def test_a_mask_that_gives_all_to_every_maximum_is_wrong_on_ties_alone():
    report = check(traps.MaskMaxPool(), (2, 2, 4, 4))
    assert report.verdict == "right except on ties" and not report.ok and report.wrong_arrays == ["x"]
    assert "on ties dx adds up to" in str(report)


def test_updating_the_weights_is_a_side_effect_and_no_wrong_dx():
    report = check(traps.Dense(3, 2, "updates"), (4, 3))
    assert report.verdict == "side effect" and report.wrong_arrays == ["W"]
    assert all(not finding.wrong.any() for finding in report.findings)
    assert "fault: backward changes W: it should leave the parameters to the optimizer" in str(report)


def test_integers_are_indices():
    x = np.array([[0, 2], [4, 0], [1, 1]])
    assert [finding.array for finding in check(traps.Embedding(), x).findings] == ["W"]
    assert check(traps.Embedding(), x).verdict == "agrees" and check(traps.Embedding(assign=True), x).verdict == "wrong"


@pytest.mark.parametrize("kind", [GELU, GELUTanh, SiLU, Softplus, Mish], ids=lambda kind: kind.__name__)
@pytest.mark.parametrize("x", [[[-9.5, -5.0]], [[-9.0, -5.0]], [[-7.5, -5.0]], [[-30.0, -2.0]], [[-8.2, 1.0]]], ids=str)
def test_a_slope_that_is_lost_in_numbers_about_one_is_not_wrong(kind, x):
    """Far out on the left, 1 + erf x and 1 + tanh x are staircases: no difference shows the slope that backward computes."""
    report = check(kind(), np.array(x))
    assert report.ok and report.findings[0].exercised[0, 1], report


SMALL = [1e-20, 3e-20, -2e-20]


class Small:
    """A layer whose slopes are small, all of them, and one of which is doubled by mistake."""

    def __init__(self, mistake=1.0):
        self.mistake = mistake

    def forward(self, x):
        return x * SMALL

    def backward(self, dy):
        return dy * SMALL * [1, float(self.mistake), 1]


def test_a_slope_that_is_small_as_all_others_are_is_checked():
    assert check(Small(), (2, 3)).ok
    assert check(Small(2.0), (2, 3)).verdict == "wrong"
