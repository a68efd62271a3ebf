"""The gradient check itself: what it proves, and what it says when something is wrong."""

import numpy as np
import pytest

from acai import nn
from acai.errors import InputError
from acai.gradcheck import NotExact, adjoint, check, check_steps
from acai.gradcheck.slopes import richardson


class Scaled:
    """y = s·x², with a bug to order."""

    def __init__(self, bug: str = "") -> None:
        self.bug, self.params, self.grads = bug, {"s": np.array([2.0])}, {}

    def forward(self, x):
        self.x = x.copy()
        return self.params["s"] * x * x

    def backward(self, dy):
        dx, ds = 2 * self.params["s"] * self.x * dy, np.array([(self.x * self.x * dy).sum()])
        self.grads["s"] = {"no s": None, "s of shape ()": ds[0]}.get(self.bug, ds)
        if self.bug == "no s":
            del self.grads["s"]
        if self.bug == "one coordinate":
            dx.flat[4] += 1
        return None if self.bug == "no dx" else dx


def test_a_right_layer_is_equal_everywhere():
    report = check(Scaled(), (2, 3))
    assert report.ok and report.method == "exact" and report.max_error == 0 and report.wrong_arrays == []
    assert str(report) == (
        "Scaled(): right (every coordinate, no tolerance)\n"
        "  x    equal: 6 of 6 coordinates\n"
        "  s    equal: 1 of 1 coordinates"
    )


def test_one_wrong_coordinate_is_found_and_named():
    report = check(Scaled("one coordinate"), (2, 3))
    assert not report.ok and report.wrong_arrays == ["x"]
    assert report.worst == ("x", (1, 1)) and report.max_error == 1
    x = report.findings[0]
    assert np.argwhere(x.wrong).tolist() == [[1, 1]] and x.analytic[1, 1] == x.numeric[1, 1] + 1
    text = str(report)
    assert "x    WRONG: 1 of 6 coordinates" in text and "worst at (n, i) = (1, 1): backward says" in text
    assert "···\n       ·█·" in text


@pytest.mark.parametrize("bug, array, said", [
    ("no dx", "x", "backward returns nothing; expected dx"),
    ("no s", "s", "backward leaves no 's' in grads"),
    ("s of shape ()", "s", r"its shape is (); expected (1,)"),
])
def test_what_is_missing_or_misshapen_is_said(bug, array, said):
    report = check(Scaled(bug), (2, 3))
    assert report.wrong_arrays == [array] and said in str(report) and report.max_error == np.inf


def test_the_layer_and_its_input_are_left_as_they_were():
    linear, x = nn.Linear(3, 2, seed=0), np.ones((2, 3), np.float32)
    before = {name: w.copy() for name, w in linear.params.items()}
    check(linear, (2, 3))
    check(linear, x)
    assert all(np.array_equal(linear.params[name], w) for name, w in before.items())
    assert linear.grads == {} and (x == 1).all()


def test_a_given_point_is_checked_with_the_layers_own_parameters():
    linear = nn.Linear(3, 2, seed=0, dtype=np.float64)
    report = check(linear, np.random.default_rng(0).normal(size=(4, 3)))
    assert report.ok and report.method == "richardson" and report.max_error < 1e-10


def test_richardson_on_float32_and_on_steep_functions():
    class Exp:
        def forward(self, x):
            self.y = np.exp(3 * x)
            return self.y

        def backward(self, dy):
            return 3 * self.y * dy

    report = check(Exp(), (3, 4))
    assert report.ok and report.method == "richardson" and 0 < report.max_error < 1e-9
    single = check(Exp(), np.random.default_rng(0).normal(size=(3, 4)).astype(np.float32))
    assert single.ok and single.max_error < 3.5e-4
    assert check(Exp(), (3, 4), method="complex").max_error < 1e-13


class Leaky:
    def __init__(self, slope: float, back: float | None = None) -> None:
        self.slope, self.back = slope, slope if back is None else back

    def forward(self, x):
        self.x = x
        return np.where(x > 0, x, self.slope * x)

    def backward(self, dy):
        return np.where(self.x > 0, dy, self.back * dy)


def test_a_slope_that_is_a_power_of_two_is_exact_and_another_is_not():
    assert check(Leaky(0.25), (3, 5)).method == "exact"
    assert check(Leaky(0.01), (3, 5)).method == "richardson"
    assert check(Leaky(0.01), (3, 5)).ok
    with pytest.raises(NotExact, match=r"Leaky\(\) cannot be checked exactly: over steps of 0\.5"):
        check(Leaky(0.01), (3, 5), method="exact")
    with pytest.raises(NotExact, match=r"exactly: over steps of 0\.5"):
        check(Leaky(0.01), -np.arange(1.0, 16).reshape(3, 5), method="exact")
    wrong = check(Leaky(0.01, 0.02), (3, 5))
    assert not wrong.ok and "where it is wrong it is 2 times the right one, elsewhere it is right" in str(wrong)


def test_a_kink_at_the_given_point_has_no_slope():
    x = np.array([[0.0, 1.25, -0.7, 1e-4]])
    report = check(nn.ReLU(), x)
    assert report.ok and report.method == "richardson" and report.n_kinks == 1
    assert report.findings[0].kinks.tolist() == [[True, False, False, False]]
    assert "1 lie on a kink" in str(report)
    assert not check(Leaky(0.0, 0.5), x).ok  # the kink excuses its own coordinate only


def test_smooth_curvature_is_no_kink():
    class Square:
        def forward(self, x):
            self.x = x
            return 1e3 * x * x

        def backward(self, dy):
            return 2e3 * self.x * dy

    x = np.array([[0.0, 1e-5, 1 / 3]])
    assert check(Square(), x).n_kinks == 0
    assert check(Square(), x, method="richardson").n_kinks == 0


def test_a_move_across_a_kink_is_not_judged_by_the_exact_check():
    class Clip:  # kinks at ±1.25, between the whole numbers' halves
        def forward(self, x):
            self.x = x.copy()
            return np.clip(x, -1.25, 1.25)

        def backward(self, dy):
            return dy * (abs(self.x) < 1.25)

    report = check(Clip(), np.array([[-3.0, -1, 1, 3]]))
    assert report.ok
    assert report.method == "richardson" or report.n_kinks == 2


class Scale:
    """y = s x, and whatever x is below 0 stays itself for a `bent` one; `a` only says in which precision."""

    def __init__(self, s: float, dtype: type, bent: bool) -> None:
        self.s, self.bent, self.params, self.grads = dtype(s), bent, {"a": np.ones(1, dtype)}, {}

    def forward(self, x):
        self.slope = np.where((x > 0) & self.bent, x.dtype.type(1), self.s)
        return self.slope * x

    def backward(self, dy):
        self.grads["a"] = np.zeros(1, dy.dtype)
        return self.slope * dy


@pytest.mark.parametrize("bent", [False, True])
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("s", [0.01, 0.3, 1 / 3, 100 / 3])
def test_what_is_rounded_is_never_taken_for_exact(s, dtype, bent):
    """Not even where one number is all there is, and its rounding may by luck not show in the slopes."""
    for shape in ((1,), (2, 1)):
        for seed in range(3):
            x = np.random.default_rng(seed).integers(-3, 4, shape).astype(dtype)
            for report in (check(Scale(s, dtype, bent), shape, seed=seed), check(Scale(s, dtype, bent), x, seed=seed)):
                positive = (bent and (x > 0).all()) or not x.any()  # there it is x itself, or 0
                assert report.ok and (report.method == "richardson" or positive), report


def test_where_one_draw_meets_a_kink_another_is_taken():
    class Together:  # |x₀ + x₁| + |x₂ + x₃|, with kinks that a third of all draws meet
        def forward(self, x):
            self.x = x.reshape(2, 2)
            return abs(self.x.sum(axis=1))

        def backward(self, dy):
            return (np.sign(self.x.sum(axis=1)) * dy).repeat(2)

    assert all(check(Together(), (4,), method="exact", seed=seed).ok for seed in range(10))


def test_rounding_is_not_taken_for_a_kink():
    class Lifted:  # far from 0, second differences are nothing but rounding
        def forward(self, x):
            return 0.3 * x + 1000 / 3

        def backward(self, dy):
            return 0.3 * dy

    assert check(Lifted(), (20,)).n_kinks == 0


def test_the_upstream_gradient_is_whole_of_both_signs_and_never_zero():
    class Told:
        def forward(self, x):
            return x

        def backward(self, dy):
            seen.append(dy.copy())
            return dy

    seen = []
    check(Told(), (5, 8))
    dy = seen[1]  # the first is that of the pass before
    assert (dy != 0).all() and (dy == dy.round()).all() and len(set(dy.flat)) > 10 and dy.min() < 0 < dy.max()


def test_the_complex_step_sees_an_error_in_the_eleventh_digit():
    class Nearly(nn.Tanh):
        def backward(self, dy):
            return super().backward(dy) * (1 + 1e-11)

    report = check(Nearly(), (3, 4), method="complex")
    assert not report.ok and 1e-12 < report.max_error < 1e-10


def test_where_x_sits_on_a_kink_the_nudge_says_which_slope_counts():
    zeros = np.zeros((2, 3))
    assert check(nn.ReLU(), zeros, nudge=zeros - 0.25, step=0.125, method="exact").ok
    above = check(nn.ReLU(), zeros, nudge=zeros + 0.25, step=0.125, method="exact")
    assert not above.ok and "zero everywhere" in str(above)


def test_a_random_layer_keeps_to_one_mask_whatever_it_is_called():
    class Drop:
        def __init__(self):
            self.luck = np.random.default_rng(1)

        def forward(self, x):
            self.mask = self.luck.random(x.shape) < 0.5
            return x * self.mask

        def backward(self, dy):
            return dy * self.mask

    assert check(Drop(), (4, 5)).method == "exact" and check(Drop(), (4, 5)).ok
    verdicts = {check(nn.Dropout(0.5, seed=seed), (1, 1), method="exact").verdict for seed in range(20)}
    assert verdicts == {"equal"}  # a mask may drop the only number of x, but not all masks
    network = nn.Sequential([nn.Linear(3, 4, seed=0, dtype=float), nn.Dropout(0.5, seed=1)])
    assert check(network, (2, 3), method="exact").ok


def test_a_loss_is_checked_too():
    assert check(nn.MSE(), (2, 4), target=np.zeros((2, 4))).method == "exact"
    scores, classes = np.random.default_rng(0).normal(size=(3, 4)), np.array([0, 1, 3])
    report = check(nn.SoftmaxCrossEntropy(), scores, target=classes, method="complex")
    assert report.ok and report.max_error < 1e-13


def test_the_adjoint_identity_fails_where_it_should():
    class Wrong(nn.Linear):
        def backward(self, dy, want_dx=True):
            dx = super().backward(dy)
            self.grads["W"][0, 0] += 1
            return dx

    x = np.random.default_rng(0).integers(-3, 4, (5, 3)).astype(np.float32)
    assert adjoint(nn.Linear(3, 4, seed=0), x).ok
    wrong = adjoint(Wrong(3, 4, seed=1), x)
    assert wrong.wrong_arrays == ["W"]


def test_steps_of_an_optimizer_that_never_moves_are_wrong():
    class Lazy:
        def __init__(self, *_, **__):
            pass

        def step(self):
            pass

    assert check_steps(Lazy).wrong_arrays == ["W", "b"]


def test_as_many_steps_of_an_optimizer_are_followed_as_asked_for():
    class Late(nn.SGD):  # right but for its last step
        def step(self):
            super().step()
            self.network.params["W"] += self.n_steps == 4

    assert check_steps(nn.SGD, n_steps=4).ok and check_steps(Late).ok
    assert check_steps(Late, n_steps=4).wrong_arrays == ["W"]


def test_sums_of_single_precision_layers_are_taken_in_double():
    assert check(nn.Linear(40, 40, seed=0), (10, 40)).method == "exact"  # ⟨dy, y⟩ takes more than 24 bits


@pytest.mark.parametrize("f, slope", [(np.exp, 1.0), (lambda t: np.sin(t + 0.7), np.cos(0.7))])
def test_richardsons_extrapolation_loses_no_more_than_rounding_does(f, slope):
    found = richardson(lambda t: np.array([f(t)]), np.ones(1))
    assert found.value == pytest.approx(slope, rel=5e-14) and not found.is_kink
    assert abs(found.value - slope) <= found.uncertainty < 1e-11


def test_one_pass_is_told_from_another_even_where_there_is_one_number_only():
    class Doubled(nn.Linear):
        def backward(self, dy):
            return 2 * super().backward(dy)

    (finding, *_) = check(Doubled(1, 1, seed=0, dtype=np.float64), (1, 1)).findings
    assert "it is 2 times the right one" in finding.hint


class Returning:
    def __init__(self, forward):
        self.forward = forward

    def backward(self, dy):
        return dy


class Learning(nn.ReLU):
    __repr__ = object.__repr__

    def __init__(self, slope):
        super().__init__()
        self.params = {"slope": slope}


@pytest.mark.parametrize("mistake, message", [
    (lambda: check(nn.ReLU(), (2, 3), method="magic"), r"no method 'magic'; there is: auto"),
    (lambda: check(nn.Linear, (2, 3)), r"Linear is a class; expected a layer of it, as in Linear\(…\)"),
    (lambda: check(object(), (2, 3)), r"is not a layer: expected an object with the methods forward and backward"),
    (lambda: check(Returning(lambda x: x.astype(int)), (2, 3)), r"Returning\(\)\.forward returns int64; expected an array of"),
    (lambda: check(Returning(lambda x: None), (2, 3)), r"returns NoneType"),
    *((lambda shape=shape: check(nn.ReLU(), shape), r"x=.*, which is neither an array nor the shape of one to draw: expected")
      for shape in ((0, 3), (2, -3), "2,3", 5, (2.0, 3), [[1.0, 2.0]])),
    (lambda: check(nn.ReLU(), np.zeros((0, 3))), r"x has shape \(0, 3\): there is no coordinate to check"),
    *((lambda step=step: check(nn.ReLU(), (2, 3), step=step), rf"step={step}; expected a power of two")
      for step in (0, 0.3, -0.5, np.inf)),
    (lambda: check(nn.ReLU(), (2, 3), seed=-1), r"seed=-1; expected a whole number, at least 0"),
    (lambda: check(nn.MSE(), (2, 3)), r"MSE\(\)\.forward: missing a required argument: 'target'; a layer has forward\(x\)"),
    (lambda: check(nn.ReLU(), (2, 3), target=np.zeros((2, 3))), r"ReLU\(\)\.forward: too many positional arguments"),
    (lambda: check(Learning(0.25), (2, 3)), r"Learning\(\): params\['slope'\] is 0\.25; expected an array of floats"),
    (lambda: check(Learning(np.array([2])), (2, 3)), r"params\['slope'\] is array\(\[2\]\); expected an array of floats"),
])
def test_mistakes_are_named(mistake, message):
    with pytest.raises(InputError, match=message):
        mistake()
