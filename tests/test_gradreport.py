"""What a report says of an error: its picture, and the hint for each pattern."""

import numpy as np
import pytest
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure

from acai import nn
from acai.gradcheck import Finding, Report, check, error_map
from acai.gradcheck.hints import Sample, of_numbers, of_places
from acai.teaching import zoo


def hint(finding, earlier, ones):
    """What the numbers alone suggest, before any of it is tried on the layer."""
    return of_numbers(finding, earlier, ones) or of_places(finding, lambda claim: True)


class Wrong(nn.Linear):
    def _backward(self, dy, x, y):
        self.grads["W"], self.grads["b"] = 2 * dy.T @ x, dy.sum(axis=1)


def test_a_report_is_a_picture_in_a_notebook():
    for layer, shape in ((Wrong(3, 2, seed=0), (4, 3)), (nn.Conv2D(1, 2, 2), (1, 1, 3, 3))):
        report = check(layer, shape)
        assert report._repr_png_().startswith(b"\x89PNG")
    assert check(Wrong(3, 2, seed=0), (4, 3)).wrong_arrays == ["x", "W", "b"]


class FirstSampleTwice(nn.Sequential):
    def backward(self, dy, want_dx=True):
        dx = super().backward(dy)
        dx[0] *= 2
        return dx


@pytest.mark.parametrize("layer, shape", [(nn.Linear(3, 2, seed=0), (4, 3)), (nn.Conv2D(2, 3, 2, seed=0), (2, 2, 3, 3))])
def test_a_map_of_errors_shades_the_wrong_places_and_says_how_wrong_they_are(layer, shape):
    ax = Figure().add_subplot()
    finding = check(FirstSampleTwice([layer]), shape).findings[0]
    assert finding.wrong[0].any() and not finding.wrong[1:].any()
    (drawn,) = error_map(finding, ax).images
    N, C, H, W = (1,) * (4 - len(shape)) + shape
    shade = np.asarray(drawn.get_array()).reshape(N, H, C, W).transpose(0, 2, 1, 3).reshape(shape)
    assert np.array_equal(shade != 0, finding.wrong)
    assert ax.get_title() == f"dx: wrong by up to {np.abs(finding.analytic - finding.numeric).max():.3g}"


def test_the_name_of_a_parameter_is_drawn_as_it_is():
    ax = Figure().add_subplot()
    error_map(Finding("$\\frac$", np.zeros(2), np.ones(2)), ax)
    assert ax.get_title() == r"d\$\frac\$: wrong by up to 1"
    FigureCanvasAgg(ax.figure).draw()


RIGHT = np.arange(1.0, 1 + 2 * 3 * 4 * 5).reshape(2, 3, 4, 5) ** 2 % 101


@pytest.mark.parametrize("wrong, said", [
    (-RIGHT, "the sign is turned round"),
    (2 * RIGHT, "it is 2 times the right one everywhere"),
    (RIGHT / 1000, "it is 1/1000 times the right one everywhere"),
    (RIGHT / 24, "it is 1/24 times the right one everywhere"),
    (0 * RIGHT, "it is zero everywhere"),
    (RIGHT + 7, "it is added to the gradient of the pass before"),
    (np.full_like(RIGHT, 7), "it is the gradient of an earlier pass"),
    (np.full_like(RIGHT, 3), "dy has no influence on it"),
    (RIGHT[:, :, ::-1], "it is flipped along axis 2"),
    (RIGHT[:, :, ::-1, ::-1], "it is flipped along axis 2 and 3"),
    (np.roll(RIGHT, 1, 3), "it is moved by one along axis 3"),
    (np.roll(RIGHT, -1, 2), "it is moved by one along axis 2"),
    (np.where(np.arange(2)[:, None, None, None] == 1, 5, RIGHT), "only entry 0 of axis 0"),
    (np.where(np.arange(3)[:, None, None] > 0, 5, RIGHT), "only entry 0 of axis 1"),
    (np.broadcast_to(RIGHT.sum(0), RIGHT.shape), "is the sum over all entries of axis 0"),
    (np.broadcast_to(RIGHT.mean(0), RIGHT.shape), "is the mean over all entries of axis 0"),
    (np.broadcast_to(RIGHT[:1], RIGHT.shape), "all entries of axis 0 (the batch, for x) are that of the first"),
    (RIGHT * (1 + 0.01 * np.sign(np.sin(RIGHT))), "off by less than two in a hundred"),
    (np.where(np.arange(3)[:, None, None] == 2, RIGHT, 0), "only the last step of axis 1 (time)"),
    (np.pad(RIGHT[:, :, 1:-1, 1:-1], ((0, 0), (0, 0), (1, 1), (1, 1)), constant_values=2), "only the borders are wrong"),
    (np.where(RIGHT > 60, 0, RIGHT), "where it is wrong it is zero"),
    (np.where(RIGHT > 60, 3 * RIGHT, RIGHT), "where it is wrong it is 3 times the right one"),
    (np.where(RIGHT == 49, np.inf, RIGHT), "not finite"),
])
def test_hints(wrong, said):
    finding = Finding("x", wrong, RIGHT, np.zeros(RIGHT.shape, bool), 0.0)
    assert said in hint(finding, earlier=np.full_like(RIGHT, 7), ones=np.full_like(RIGHT, 3))


def said(wrong, right):
    return hint(Finding("x", np.array(wrong, float), np.array(right, float)), None, None)


def test_hints_in_fewer_dimensions():
    right = np.arange(1.0, 21).reshape(4, 5) ** 2
    some, row = right.copy(), np.arange(1.0, 8) ** 2
    some[1:] += [[1, 2, 4, 3, 5]]
    assert "only entry 0 of axis 0" in said(some, right)  # of a matrix
    assert "only entry 0" not in said([1, 5, 4], [1, 3, 9])  # a vector has no axis 1, and its entries are no batch
    assert "all entries of axis 0" not in said([5, 5, 5, 5], [1, 2, 9, 4])
    two = right.copy()
    two[1, 2] *= 3
    two[0, 1] *= 3
    assert "where it is wrong it is 3 times the right one" in said(two, right)
    framed = np.pad(right[1:-1, 1:-1], 1, constant_values=7)
    assert "borders" not in said(framed, right)  # a matrix has no padding
    for shape in ((1, 1, 1, 7), (1, 1, 7)):  # one row high, or a signal
        ends, inner = row.copy(), row.copy()
        ends[[0, -1]] += 2, 9
        inner[[1, -1]] += 2, 9
        assert "only the borders are wrong" in said(ends.reshape(shape), row.reshape(shape))
        assert "borders" not in said(inner.reshape(shape), row.reshape(shape))
    assert "moved" not in said(np.roll([1, 4, 9], 1), [1, 4, 9])  # too few to tell
    assert "moved" not in said([0, 0, 0, 0, 0, 3, 0], [0, 0, 0, 0, 3, 0, 0])
    assert "moved by one along axis 0" in said(np.roll(row, 1), row)


def test_infinite_gradients_are_infinitely_wrong_and_warn_of_nothing():
    finding = Finding("x", np.array([np.inf, np.nan, 1]), np.array([np.inf, 1, 1]), tolerance=1e-8)
    assert finding.error.tolist()[1] == np.inf and finding.wrong.tolist()[:2] == [True, True]


def test_slopes_below_one_are_compared_with_their_own_size():
    low, high = np.array([0.0, 0.0]), np.array([1e-3, 1e-9])
    finding = Finding("x", low, low, np.zeros(2, bool), 1e-4, (low, high))
    assert finding.on_kinks.tolist() == [True, False]


@pytest.mark.parametrize("array, shape, axes", [
    ("x", (3,), "i"), ("x", (3, 2), "n, i"), ("x", (3, 2, 2), "n, c, t"), ("x", (3, 2, 1, 2), "n, c, h, w"),
    ("b", (3,), "i"), ("W", (3, 2), "o, i"), ("W", (3, 2, 1, 2), "o, c, p, q"), ("x", (1, 1, 1, 1, 3), "?"),
])
def test_the_worst_coordinate_is_named_by_its_axes(array, shape, axes):
    right = np.ones(shape)
    wrong = right.copy()
    wrong.flat[-1] = 3
    at = tuple(n - 1 for n in shape)
    assert f"worst at ({axes}) = {at}: backward says 3, the slope is 1, ratio 3" in str(Finding(array, wrong, right))


def test_more_hints():
    square, no = np.arange(9.0).reshape(3, 3), np.zeros((3, 3), bool)
    assert "axes 0 and 1 are exchanged" in hint(Finding("W", square.T, square, no, 0.0), None, None)
    assert "it is the transpose" in hint(Finding("W", square[:2].T, square[:2], no[:2], 0.0), None, None)
    masked = Finding("x", square + 1, np.diag(np.diag(square + 1)), no, 0.0)
    assert "something arrives from nowhere" in hint(masked, None, None)
    chaos = Finding("x", square, np.array([[1.0, 5, 2], [6, 5, 3], [5, 8, 9]]), no, 0.0)
    assert hint(chaos, None, None) == ""


@pytest.mark.parametrize("times, said", [
    (2, "it is 2 times the right one everywhere"), (1 / 216, "it is 1/216 times"), (1.5, "it is 3/2 times"), (-2, "it is -2 times"),
    (571 / 996, ""), (7 / 3, ""), (1 + 1e-9, ""), (1e9 + 1 / 3, ""),
])
def test_of_one_wrong_number_only_a_simple_factor_says_something(times, said):
    told = hint(Finding("x", np.array([[times * 9]]), np.array([[9.0]])), None, None)
    assert told.startswith(said) and bool(told) == bool(said)
    among = hint(Finding("x", np.array([9 * times, 5]), np.array([9.0, 5])), None, None)
    assert ("elsewhere it is right" in among) == bool(said)


def test_where_all_is_wrong_there_is_no_elsewhere():
    assert "it is -2 times the right one everywhere" in hint(Finding("x", -2 * RIGHT, RIGHT), None, None)


def test_what_is_nearly_a_pattern_is_none():
    nearly = 2 * RIGHT + 0.01 * (RIGHT == 49)
    assert "everywhere" not in hint(Finding("x", nearly, RIGHT), None, None)


def test_the_heat_map_shows_even_small_errors_and_infinite_ones():
    assert str(Finding("x", np.array([1.0, 2, 101, 0]), np.array([1.0, 1, 1, 0]))).endswith("       ·░█·")
    assert str(Finding("x", np.array([1.0, 2, np.inf, 0]), np.array([1.0, 1, 1, 0]))).endswith("       ·░█·")


def test_a_report_without_findings_of_fault_is_right():
    finding = Finding("x", np.ones(2), np.ones(2), np.zeros(2, bool), 0.0)
    assert Report("L", "exact", [finding]).ok
    assert not Report("L", "exact", [finding], {"x": "it overwrites the x that it is given"}).ok


def said_of(name, entry):
    bug = next(bug for bug in zoo.BUGS if bug.name == name)
    case = bug.entry.cases[entry]
    return str(check(bug.broken()(**case.arguments), case.x, case.target))


@pytest.mark.parametrize("name, words", [
    ("Softmax: only the diagonal of the Jacobian", "only the diagonal of the Jacobian"),
    ("BatchNorm: mean and variance taken for constants", "dy times a constant along axis 0: a mean, a variance or a norm over it"),
    ("BatchNorm: γ and β exchanged", "it is the gradient of beta: the two are exchanged"),
    ("DenseOverTime: dW a mean over time", "it is 1/3 times the right one everywhere: 3 is the size of axis 1 of x"),
    ("GlobalAverage: the mean forgotten", "it is 24 times the right one everywhere: 24 = 4·6, the sizes of axis 2 and 3 of x"),
    *((f"{layer}: replaced, not added", "only one counts: where they overlap, `+=` is meant, not `=`")
      for layer in ("Conv1D", "Conv2D", "Im2ColConv", "DilatedConv", "MaxPool")),
    ("Embedding: the last one wins", "only one counts: where they overlap, `+=` is meant, not `=`"),
    ("DepthwiseConv: dW of the first sample", "only the first entry of axis 0 of y counts for it"),
    ("Attention: the path through the scores dropped", "attention's scores) is taken for a constant: its path is dropped"),
    ("SiLU: the first term alone", "it is the gradient of something proportional to x"),
    ("Residual: the skip forgotten", "dy itself is missing from it: the path that leads past the layer is dropped"),
    ("Residual: the skip twice", "dy is added to it once too often"),
    ("RNN: dh not handed back", "only y at the same place along axis 1 counts for it"),
    ("RNN: only the last time step", "only the last step of axis 1 (time) has a gradient"),
    ("Hinge: the mask forgotten", "where it is wrong it should be zero"),
])
def test_hints_that_are_verified_on_the_layer_itself(name, words):
    assert words in said_of(name, 0)


def test_a_pattern_of_places_that_other_points_do_not_show_is_chance():
    claims = []
    first_alone = Finding("x", np.where(np.arange(2)[:, None, None, None] == 1, 5, RIGHT), RIGHT)
    assert of_places(first_alone, lambda claim: claims.append(claim) or False) == ""
    at, right = np.array([[0, 0, 1, 1], [0, 1, 0, 2], [0, 0, 0, 0], [1, 2, 3, 4]]), np.array([3.0, 5, 7, 9])
    bears_out = Sample(at, np.array([3.0, 5, 5, 5]), right, 1e-9)
    denies = Sample(at, np.array([5.0, 5, 5, 5]), right, 1e-9)
    assert claims[0](bears_out) and not claims[0](denies)


@pytest.mark.parametrize("name", ["Huber: the square's slope everywhere", "Maxout: to the first", "ReLU6: the 6 forgotten"])
def test_what_is_wrong_here_and_there_is_not_said_to_be_wrong_in_one_place(name):
    for entry in (0, 1):
        assert "only entry" not in said_of(name, entry) and "only the borders" not in said_of(name, entry)


def test_right_values_in_the_wrong_shape():
    square = np.arange(1.0, 10).reshape(3, 3)
    assert said(square.ravel(), square) == "its shape is (9,); expected (3, 3): right values in the wrong shape"
    assert "right values" not in said(square.ravel()[::-1], square)
