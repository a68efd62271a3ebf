"""Malformed layers, made by mutation: `acai.gradcheck` says what is wrong with each in one sentence, and raises nothing else."""

import copy

import numpy as np
import pytest
import trap_layers as traps
from hypothesis import given, settings
from hypothesis import strategies as st

from acai.errors import InputError
from acai.gradcheck import check, check_function

ODD_VALUES = [
    None, "text", 3, 2.5, True, [], {}, (), np.float64(2), np.array(1.5), np.array([]), np.array([None]), np.zeros((2, 0)),
    np.full((3, 2), np.nan), np.full((4, 2), np.inf), np.array(["a"]), object(), float, lambda x: x, [1.0, 2.0], {"W": 1.0},
    np.ones((4, 2), np.complex128), np.ones((4, 2), int), np.ones((4, 2), np.float16), np.ones((4, 2), bool), np.ones((9, 9, 9)),
    (np.ones((4, 3)), None), [np.ones((4, 3))] * 5, -1, 10**400, range(3), iter([1]), np.ma.masked, NotImplemented, ...,
]
PLACES = [
    "params", "grads", "W", "b", "dW", "forward result", "backward result", "forward", "backward", "zero_grad", "forward raises",
    "backward raises", "params['W']", "grads['W']", "x", "forward result later", "copy", "nudge",
]
ERRORS = [
    ValueError("no"), KeyError("W"), ZeroDivisionError(), RecursionError(), StopIteration(), AssertionError(), OSError("disk"),
    NotImplementedError(), UnicodeError("x"), AttributeError("a\nb"), SystemError("s"), EOFError(), TypeError(), SystemExit(3),
]


class Mutant:
    """A dense layer with one or two things about it changed into something else."""

    def __init__(self, changes):
        self.changes = changes
        self.params, self.grads = {"W": np.ones((3, 2)), "b": np.zeros(2)}, {}
        if "params['W']" in changes:
            self.params["W"] = changes["params['W']"]
        for place, value in changes.items():
            if place.isidentifier() and place != "x":
                setattr(self, place, value)

    def forward(self, x):
        if "forward raises" in self.changes:
            raise self.changes["forward raises"]
        self.x = x
        if "forward result" in self.changes:
            return self.changes["forward result"]
        self.n_calls = getattr(self, "n_calls", 0) + 1
        if "forward result later" in self.changes and self.n_calls > 4:
            return self.changes["forward result later"]
        return x @ self.params["W"] + self.params["b"]

    def __deepcopy__(self, memo):
        if "copy" in self.changes:
            return self.changes["copy"]
        twin = Mutant({})
        vars(twin).update(vars(self) | {"params": copy.deepcopy(self.params, memo)})
        return twin

    def backward(self, dy):
        if "backward raises" in self.changes:
            raise self.changes["backward raises"]
        self.grads = {"W": self.changes.get("grads['W']", self.x.T @ dy), "b": dy.sum(0)}
        return self.changes.get("backward result", dy @ self.params["W"].T)


@settings(max_examples=500)
@given(st.data())
def test_nothing_but_an_input_error_is_raised_by_any_mutant(data):
    changes = {}
    for _ in range(data.draw(st.integers(1, 2))):
        place = data.draw(st.sampled_from(PLACES))
        changes[place] = data.draw(st.sampled_from(ERRORS if "raises" in place else ODD_VALUES))
    try:
        report = check(Mutant(changes), changes.get("x", (4, 3)), nudge=changes.get("nudge"))
    except InputError as error:
        assert "\n" not in str(error) and str(error)
    else:
        assert str(report) and report.as_dict()["verdict"] == report.verdict


class Backward:
    """y = 2x, and a backward as people write it."""

    def __init__(self, backward):
        self.backward = backward

    def forward(self, x):
        return 2 * x


class Masking(Backward):
    def forward(self, x):
        return np.ma.masked_array(x)


@pytest.mark.parametrize("layer, x, target, verdict", [
    (traps.Dense(3, 2, "list"), (4, 3), None, "equal"),
    (traps.Dense(3, 2, "returned"), (4, 3), None, "equal"),
    (Backward(lambda dy: (2 * dy,)), (4, 3), None, "equal"),
    (Backward(lambda dy: [2 * dy]), (4, 3), None, "equal"),
    (Backward(lambda dy, learning_rate: 2 * dy), (4, 3), None, "equal"),
    (Backward(lambda dy: None), (4, 3), None, "wrong"),
    (Backward(lambda dy: 2), (4, 3), None, "wrong"),
    (traps.Embedding(), np.array([[0, 1]]), None, "agrees"),
])
def test_usual_conventions_work(layer, x, target, verdict):
    assert check(layer, x, target).verdict == verdict


def test_a_loss_of_one_value_per_sample_is_summed():
    class PerSample:
        def forward(self, y, t):
            self.d = y - t
            return (self.d**2).sum(axis=1)

        def backward(self):
            return 2 * self.d

    assert check(PerSample(), (4, 3), np.ones((4, 3))).verdict == "equal"


@pytest.mark.parametrize("mistake, message", [
    (lambda: check(Backward(lambda: 1), (4, 3)), "backward takes no dy; expected backward\\(dy\\)"),
    (lambda: check(traps.Embedding(), (4, 2)), "if x holds indices, pass them"),
    (lambda: check(Backward(lambda dy, cache: dy), (4, 3)), "backward asks for cache; expected backward\\(dy\\)"),
    (lambda: check(Backward(lambda dy: {}["a"]), (4, 3)), "line [0-9]+: Backward\\(\\).backward raises KeyError: 'a'"),
    (lambda: check(traps.Sort(), (4, 3), between=(1, 0)), "between=\\(1, 0\\); expected two numbers, the smaller first"),
    (lambda: check(traps.Sort(), (4, 3), axes="nhwc"), "axes='nhwc'; expected a letter for each of the 2 axes"),
    (lambda: check(traps.Sort(), (4, 3), points=0), "points=0; expected a whole number, at least 1"),
    (lambda: check(traps.Sort(), (4, 3), geometries=[{}]), "expected its class, not Sort"),
    (lambda: check(traps.Sort, (4, 3), geometries=[3]), "geometries contain 3; expected dictionaries"),
    (lambda: check(traps.Sort(), (2**40, 3)), "3,298,534,883,328 coordinates, which are moved one by one; expected fewer"),
    (lambda: check(traps.Sort(), (4, 3), nudge=0.1), r"nudge=0.1; expected an array of numbers of the shape of x, \(4, 3\)"),
    (lambda: check(traps.Sort(), np.ma.masked_array(np.ones((4, 3)))), "x is a masked array; expected a plain one"),
    (lambda: check(Mutant({"forward result later": np.ones((3, 2))}), (4, 3)), r"shape \(4, 2\), and then one of shape \(3, 2\)"),
    (lambda: check(Mutant({"copy": None}), (4, 3)), r"cannot be copied \(deepcopy gives NoneType\)"),
    (lambda: check(Mutant({"forward raises": SystemExit(3)}), (4, 3)), "forward raises SystemExit: 3"),
    (lambda: check(Masking(lambda dy: dy), (4, 3)), r"Masking\(\)\.forward returns a masked array; expected a plain one"),
    (lambda: check_function(3, None, (4, 3)), "forward=3; expected a function"),
    (lambda: check_function(lambda x: 3.0, None, (4, 3)), "expected the loss and its gradient, or give backward"),
])
def test_mistakes_are_named(mistake, message):
    with pytest.raises(InputError, match=message):
        mistake()


def test_a_masked_parameter_is_refused_by_its_name():
    class Masked:
        def __init__(self):
            self.params = {"W": np.ma.masked_array(np.ones(3), [False, True, False])}

        def forward(self, x):
            return x * self.params["W"]

        def backward(self, dy):
            return dy * self.params["W"]

    with pytest.raises(InputError, match=r"params\.W is a masked array; expected a plain one"):
        check(Masked(), (2, 3))
