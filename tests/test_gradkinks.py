"""On kinks: any value between the two slopes is accepted and no other; the oracle is each layer's subdifferential by hand."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from acai import nn
from acai.gradcheck import check
from acai.teaching import bugs


class Bent:
    """Slope `left` below 0, `right` above it, and whatever `at_zero` says there."""

    def __init__(self, at_zero: float, left: float = 0.0, right: float = 1.0) -> None:
        self.at_zero, self.left, self.right = at_zero, left, right

    def forward(self, x):
        self.x = x.copy()
        return np.where(x > 0, self.right * x, self.left * x)

    def backward(self, dy):
        return dy * np.where(self.x == 0, self.at_zero, np.where(self.x > 0, self.right, self.left))


SLOPES = st.integers(-8, 8).map(lambda k: k / 4)


@settings(max_examples=50)
@given(SLOPES, SLOPES, SLOPES, st.sampled_from([(1, 1), (2, 3), (5,)]))
def test_what_is_between_the_slopes_is_right_and_nothing_else_is(at_zero, left, right, shape):
    report = check(Bent(at_zero, left, right), shape, method="exact")
    assert report.ok == (min(left, right) <= at_zero <= max(left, right)), report
    assert report.wrong_arrays == ([] if report.ok else ["x"])


def test_the_report_says_what_was_tried_and_what_is_accepted():
    assert str(check(Bent(0.5), (2, 3), seed=14)) == (
        "Bent(): right (every coordinate, no tolerance)\n"
        "  x    equal: 6 of 6 coordinates\n"
        "  x    at zeros and ties: 5 on kinks, any value accepted between the slopes of the two sides"
    )
    text = str(check(Bent(7), (2, 3), seed=14))
    assert "Bent(): right except on ties (every coordinate, no tolerance)" in text
    assert "at zeros and ties: 5 on kinks, WRONG: 5 of 6 outside the slopes of the two sides" in text
    assert "worst at (n, i) = (1, 0): backward says 35, any value from 0 to 5 is right" in text
    assert check(Bent(7), (2, 3))._repr_png_().startswith(b"\x89PNG")


@pytest.mark.parametrize("at_zero, right", [(0.01, True), (0.3, True), (1, True), (0, False), (1.01, False), (np.nan, False)])
def test_slopes_that_are_rounded_are_judged_with_the_tolerance_of_the_rest(at_zero, right):
    report = check(Bent(at_zero, 0.01), (3, 4))
    assert report.method == "richardson" and report.ok == right and "on kinks" in str(report)


def test_kinks_at_one_and_minus_one_are_met_too():
    class HardTanh:
        def __init__(self, at_the_edge):
            self.at_the_edge = at_the_edge

        def forward(self, x):
            self.x = x.copy()
            return np.clip(x, -1, 1)

        def backward(self, dy):
            return dy * np.where(abs(self.x) == 1, self.at_the_edge, abs(self.x) < 1)

    for seed in range(6):  # the odd whole numbers 1 and −1 are its kinks: whether drawn as such or met, no false alarm
        assert check(HardTanh(0), (3, 4), seed=seed).ok and check(HardTanh(1), (3, 4), seed=seed).ok
        assert not check(HardTanh(2), (3, 4), seed=seed).ok


def test_a_given_point_on_a_kink_is_judged():
    x = np.array([[0.0, 1.25, -0.7, 2]])
    assert check(Bent(1), x).ok
    wrong = check(Bent(7), x)
    assert not wrong.ok and np.argwhere(wrong.findings[-1].wrong).tolist() == [[0, 0]]


@pytest.mark.parametrize("name, said", [
    ("ReLU: slope 7 at zero", "on kinks"),
    ("ReLU: y / x", "backward says nan"),
    ("MaxPool: ties to all", "moving x[0] together, the slope is -"),
    ("MaxPool: ties dropped", "fault: on ties dx adds up to"),
])
def test_planted_bugs_that_show_on_kinks_alone_need_no_nudge(name, said):
    report = check(bugs.find(name).broken()(), (2, 2, 4, 6), method="exact")
    assert not report.findings[0].wrong.any() and said in str(report) and report.wrong_arrays == ["x"], report


@pytest.mark.parametrize("name", ["ReLU: slope 1 at zero", "MaxPool: ties to the last"])
def test_another_convention_than_ours_is_no_mistake(name):
    report = check(bugs.find(name).broken()(), (2, 2, 4, 6), method="exact")
    assert report.ok and "on kinks" in str(report), report


def test_the_conventions_of_our_own_layers():
    relu, pool, over_time = nn.ReLU(), nn.MaxPool2D(2), nn.GlobalPool(("max",))
    relu.forward(np.array([[-0.0, 0.0, 1.0]]))
    assert relu.backward(np.array([[3.0, 4.0, 5.0]])).tolist() == [[0, 0, 5]]
    pool.forward(np.array([[[[1.0, 2], [2, 2]]]]))
    assert pool.backward(np.array([[[[7.0]]]])).tolist() == [[[[0, 7], [0, 0]]]]
    over_time.forward(np.array([[[[1.0, 2, 2]]]]))
    assert over_time.backward(np.array([[7.0]])).tolist() == [[[[0, 7, 0]]]]


@pytest.mark.parametrize("layer, shape", [
    (nn.ReLU(), (3, 4)), (nn.MaxPool2D(2), (2, 2, 4, 4)), (nn.MaxPool2D((2, 3), (1, 2), (0, 1)), (2, 2, 5, 6)),
    (nn.GlobalPool(("mean", "max")), (2, 2, 2, 4)), (nn.GlobalPool(), (1, 2, 2, 3)),
])
def test_our_own_layers_are_right_on_kinks(layer, shape):
    report = check(layer, shape, seed=1)
    assert report.ok and report.findings[-1].on_kinks.any(), report


class Params:
    """max(0, x @ W + b) with both in `params`, or, with no W, a learnt slope on the left (PReLU)."""

    def __init__(self, at_zero: float, dense: bool) -> None:
        self.at_zero, self.dense = at_zero, dense
        self.params = {"W": np.ones((3, 3))} if dense else {"a": np.array([2.0])}
        self.grads = {}

    def forward(self, x):
        self.x = x.copy()
        self.z = x @ self.params["W"] if self.dense else x
        return np.where(self.z > 0, self.z, 0 if self.dense else self.params["a"] * self.z)

    def backward(self, dy):
        a = 0 if self.dense else self.params["a"]
        dz = dy * np.where(self.z == 0, self.at_zero, np.where(self.z > 0, 1, a))
        if self.dense:
            self.grads["W"] = self.x.T @ dz
            return dz @ self.params["W"].T
        self.grads["a"] = np.array([(dy * self.z * (self.z < 0)).sum()])
        return dz


def test_a_layer_that_learns_is_judged_where_it_works_number_by_number():
    assert check(Params(1, dense=False), (2, 3)).findings[-1].on_kinks.any()
    assert not check(Params(7, dense=False), (2, 3)).ok
    mixed = check(Params(1, dense=True), (2, 3), seed=2)
    assert mixed.ok and "on kinks" not in str(mixed)


@pytest.mark.parametrize("layer, shape", [
    (nn.Linear(3, 4, seed=0), (2, 3)), (nn.Flatten(), (2, 3, 4)), (nn.Dropout(0.5, seed=0), (4, 5)), (nn.Tanh(), (2, 3)),
])
def test_where_no_kink_is_met_none_is_reported(layer, shape):
    assert "on kinks" not in str(check(layer, shape))


def test_what_is_bent_beside_the_kink_has_no_verdict():
    class HalfSquare:  # max(0, x) + x²: its one-sided differences are no slopes
        def forward(self, x):
            self.x = x.copy()
            return np.maximum(x, 0) + x * x

        def backward(self, dy):
            return dy * ((self.x > 0) + 2 * self.x + 9 * (self.x == 0))

    assert "on kinks" not in str(check(HalfSquare(), (2, 3)))


class Listening(Bent):
    """Keeps what `forward` was given."""

    heard: list

    def __init__(self) -> None:
        super().__init__(0.5)
        self.heard = Listening.heard = []

    def __deepcopy__(self, memo):
        return self

    def forward(self, x):
        self.heard.append(x.copy())
        return super().forward(x)


def test_kinks_are_tried_at_zeros_and_ties_of_which_the_first_is_zero():
    """The point is among those that `forward` is given, and the same for the same seed."""
    for shape in ((4, 5), (1, 1)):
        layers = Listening(), Listening()
        for layer in layers:
            assert check(layer, shape, seed=5).ok
        points = [[x for x in layer.heard if set(x.flat) <= {-1, 0, 1} and x.flat[0] == 0] for layer in layers]
        assert points[0] and all(set(x.flat) == ({-1, 0, 1} if x.size > 1 else {0}) for x in points[0])
        assert np.array_equal(points[0][0], points[1][0])
