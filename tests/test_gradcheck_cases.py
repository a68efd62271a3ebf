"""What the gradient check is shown: the cases of the scoreboard, geometries for hypothesis, and the options of functions."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from acai.errors import InputError
from acai.gradcheck import assert_gradients, check_function
from acai.gradcheck.cases import random_cases
from acai.gradcheck.strategies import geometries

CASES = [{case.name: case for case in random_cases(np.random.default_rng(seed))} for seed in range(300)]
POWERS = {1, 2, 4}


def seen(name, what):
    """Every value of something over all the cases of this name."""
    return {value for cases in CASES for value in np.ravel(what(cases[name]))}


def test_every_size_is_drawn_and_no_other():
    shapes = [cases["Conv2D"].x for cases in CASES]
    assert {shape[0] for shape in shapes} == {shape[1] for shape in shapes} == {1, 2, 3, 4}
    assert seen("Conv2D", lambda case: case.layer.kernel_size) == seen("Conv2D", lambda case: case.layer.stride) == {1, 2, 3}
    assert seen("Conv2D", lambda case: case.layer.padding) == {0, 1, 2}
    assert seen("Conv2D", lambda case: case.layer.params["W"].dtype.name) == {"float32", "float64"}
    assert seen("Linear", lambda case: case.layer.params["W"].dtype.name) == {"float32", "float64"}
    assert seen("Linear", lambda case: case.layer.params["W"].shape) == {1, 2, 3, 4}
    assert seen("GlobalPool, mean, max", lambda case: case.x) == seen("MSE", lambda case: case.x) == POWERS
    assert seen("MSE", lambda case: case.target) == set(range(-9, 10))
    for name, dims in [("GlobalPool, mean, max", 4), ("MSE", 3), ("GlobalPool, L2", 4), ("Tanh", 3), ("Dropout", 3), ("Linear", 2)]:
        assert {len(cases[name].x) for cases in CASES} == {dims}
    for cases in CASES:
        loss = cases["SoftmaxCrossEntropy"]
        assert loss.target.shape == loss.x[:1] and 0 <= loss.target.min() <= loss.target.max() < loss.x[1]
        assert cases["Dropout"].layer.rate == 0.5 and cases["Dropout"].layer.arguments["seed"] == cases["Tanh"].x[2]
    again = random_cases(np.random.default_rng(0))
    assert [case.x if isinstance(case.x, tuple) else case.x.tolist() for case in again] == [
        case.x if isinstance(case.x, tuple) else case.x.tolist() for case in CASES[0].values()
    ]


def test_a_picture_has_room_for_up_to_six_windows_side_by_side():
    rooms = set()
    for cases in CASES:
        conv, pool = cases["Conv2D"], cases["MaxPool2D"]
        kernel, padding = conv.layer.kernel_size, conv.layer.padding
        assert pool.layer.arguments["pool_size"] == kernel and pool.layer.arguments["stride"] == conv.layer.stride
        assert pool.layer.arguments["padding"] == tuple(min(p, k - 1) for p, k in zip(padding, kernel))
        rooms |= {n - k for n, k in zip(pool.x[2:], kernel)}
        more = [n - k for n, k in zip(pool.x[2:], kernel)]
        assert conv.x[2:] == tuple(max(1, k - 2 * p) + m for k, p, m in zip(kernel, padding, more))
    assert rooms == set(range(6))


def test_ties_and_zeros_are_drawn_and_the_nudge_says_which_slope_counts():
    assert seen("MaxPool2D, with ties", lambda case: case.x) == {1, 3}
    assert seen("ReLU, at zero", lambda case: case.x) == {-1, 0, 1}
    for cases in CASES:
        tied, zeros = cases["MaxPool2D, with ties"], cases["ReLU, at zero"]
        assert tied.x.shape == cases["MaxPool2D"].x and zeros.x.shape == cases["ReLU"].x
        assert np.array_equal(tied.options["nudge"].ravel(), -np.arange(tied.x.size) / 4096)  # the first of equals is largest
        assert (zeros.options["nudge"] == -0.25).all() and zeros.options["step"] == 0.125 and tied.options["step"] == 2.0**-14
        methods = {name: case.options["method"] for name, case in cases.items()}
        smooth = {"GlobalPool, L2", "Tanh", "SoftmaxCrossEntropy"}
        assert all(method == ("complex" if name in smooth else "exact") for name, method in methods.items())


@pytest.mark.parametrize("pooling", [False, True])
def test_geometries_for_hypothesis_have_every_size(pooling):
    found = []

    @settings(max_examples=1500, database=None, derandomize=True)
    @given(geometries(pooling=pooling))
    def draw(g):
        found.append(g)
        for n, k, p in zip(g["x"][2:], g["kernel"], g["padding"]):
            assert n + 2 * p >= k and (p < k or not pooling)

    draw()
    assert {n for g in found for n in g["x"][:2]} == {n for g in found for n in g["kernel"]} == {1, 2, 3}
    assert {n for g in found for n in g["stride"]} == {1, 2, 3} and {n for g in found for n in g["padding"]} == {0, 1, 2}
    assert {n for g in found for n in g["x"][2:]} == set(range(1, 8))
    for name in ("kernel", "stride", "padding"):
        assert any(g[name][0] != g[name][1] for g in found), "both numbers of a pair are drawn"
    if not pooling:  # a picture may be smaller than the window by its padding
        assert any(n == k - 2 * p and p for g in found for n, k, p in zip(g["x"][2:], g["kernel"], g["padding"]))


def test_geometries_have_padding_of_any_size_unless_they_are_for_pooling():
    @settings(max_examples=300, database=None, derandomize=True)
    @given(geometries(), st.just(None))
    def draw(g, _):
        found.append(any(p >= k for p, k in zip(g["padding"], g["kernel"])))

    found = []
    draw()
    assert any(found)


def multiplied(x, w):
    return x * w, (x, w)


def right(dout, cache):
    x, w = cache
    return dout * w, (dout * x).sum(axis=0)


def wrong_x(dout, cache):
    dx, dw = right(dout, cache)
    dx[0, 1] += 1
    return dx, dw


def test_the_options_of_a_function_reach_the_check():
    shapes = {"x": (4, 3), "w": (3,)}
    assert check_function(multiplied, right, **shapes).verdict == "equal"
    assert check_function(multiplied, right, **shapes, method="richardson").method == "richardson"
    seen = []

    def noted(x, w):
        seen.append((x.min(), x.max(), x.tobytes()))
        return multiplied(x, w)

    def points_of(**options):
        seen.clear()
        check_function(noted, right, **shapes, **options)
        return {key for _, _, key in seen}

    assert points_of(seed=1) != points_of(seed=2) and points_of(seed=1) == points_of(seed=1)
    assert len(points_of(method="richardson", points=9)) > len(points_of(method="richardson", points=3))
    points_of(between=(0.5, 0.75))
    assert all(0.4 < low <= high < 0.85 for low, high, _ in seen)
    assert "(n, c)" in str(check_function(multiplied, wrong_x, **shapes, axes="nc"))


def test_a_function_that_is_none_is_refused_unless_it_is_backward():
    for forward, backward in [(None, right), (3, right), (multiplied, 3)]:
        with pytest.raises(InputError, match="expected a function"):
            check_function(forward, backward, (2, 3), w=(3,))


def test_sizes_must_be_whole_and_positive_to_be_drawn():
    """A tuple of anything else is a setting, and passed on as it is."""
    for setting in [(2.0, 3.0), (2, 0), (-2, 3), (2, 1.5)]:
        report = check_function(lambda x, limits: x * limits[0], lambda dout, f=setting[0]: dout * f, (2, 3), limits=setting)
        assert report.ok and [finding.array for finding in report.findings] == ["x"]
    report = check_function(lambda x, w: x * w, lambda dout: dout, (2, 3), w=(2, 3))
    assert [finding.array for finding in report.findings][:1] == ["x"] and not report.ok


def test_an_assertion_passes_its_options_on():
    class Log:
        def forward(self, x):
            self.x = x
            return np.log(x)

        def backward(self, dy):
            return dy / self.x

    assert_gradients(Log(), (3, 2), between=(0.5, 2.0))
    with pytest.raises(InputError, match="between"):
        assert_gradients(Log(), (3, 2), between=(2.0, 0.5))
