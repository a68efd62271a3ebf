"""The catalogue of planted bugs: the check must catch every one, and must leave every right layer alone."""

import inspect

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from nn_geometry import geometries

from acai import nn
from acai.errors import InputError
from acai.gradcheck import check
from acai.nn import plain
from acai.teaching import bugs

STUDENTS = [layer for _, layer in inspect.getmembers(plain, inspect.isclass)]
OURS = [nn.Dropout, nn.GlobalPool, nn.MSE, nn.SGD, nn.SoftmaxCrossEntropy, nn.Tanh]
RIGHT = STUDENTS + OURS


def test_the_catalogue_is_long_and_its_names_differ():
    assert len(bugs.CATALOGUE) >= 40
    assert len({bug.name for bug in bugs.CATALOGUE}) == len(bugs.CATALOGUE)
    assert {bug.layer for bug in bugs.CATALOGUE} == set(RIGHT)


@pytest.mark.parametrize("layer", RIGHT, ids=lambda layer: layer.__name__)
def test_right_layers_pass(layer):
    reports = list(bugs.hunt(layer))
    assert reports
    for report in reports:
        assert report.ok and report.method != "richardson", report


@pytest.mark.parametrize("bug", bugs.CATALOGUE, ids=lambda bug: bug.name)
def test_every_bug_is_caught_and_the_right_arrays_are_named(bug):
    assert inspect.getsource(bug.layer).count(bug.old) == 1, "the right code has this piece exactly once"
    assert bug.sentence.strip() and bug.diff
    caught = next(report for report in bugs.hunt(bug.broken()) if not report.ok)
    assert sorted(caught.wrong_arrays) == sorted(bug.arrays.split()), caught
    assert "WRONG" in str(caught) or "fault" in str(caught)


@settings(max_examples=20)
@given(geometries(), st.tuples(st.integers(1, 2), st.integers(1, 2)))
def test_the_students_convolution_is_right_on_any_geometry(g, dilation):
    H, W = (n + (k - 1) * (d - 1) for n, k, d in zip((g.H, g.W), g.window, dilation))
    conv = plain.Conv(g.C, g.O, g.window, g.stride, g.padding, dilation)
    report = check(conv, (g.N, g.C, H, W), method="exact")
    assert report.ok, report


@settings(max_examples=20)
@given(geometries(pooling=True))
def test_the_students_pooling_is_right_on_any_geometry(g):
    report = check(plain.MaxPool(g.window, g.stride, g.padding), g.shape, method="exact")
    assert report.ok, report


def test_the_students_layers_make_a_network():
    parts = [plain.Conv(), plain.ReLU(), plain.MaxPool(), nn.Flatten(), plain.Linear(6, 4), plain.Softmax()]
    report = check(nn.Sequential(parts[:-1]), (2, 2, 3, 5), step=2.0**-9)
    assert report.ok and report.method == "exact", report
    network = nn.Sequential(parts)
    assert list(network.params) == ["0.W", "0.b", "4.W", "4.b"] and check(network, (2, 2, 3, 5)).ok


def test_a_diff_shows_the_one_line():
    diff = bugs.find("Linear: dW, transposed").diff.splitlines()
    assert [line for line in diff if line[0] in "+-" and line[:3] not in ("+++", "---")] == [
        '-        self.grads["W"] = dy.T @ self.x  # (N7.10)', '+        self.grads["W"] = self.x.T @ dy  # (N7.10)',
    ]


def test_a_puzzle_is_one_of_the_bugs_and_the_same_for_the_same_seed():
    assert bugs.puzzle(3).__name__ == bugs.puzzle(3).__name__
    layer = bugs.puzzle(3)
    assert not all(report.ok for report in bugs.hunt(layer))


def test_an_unknown_bug_is_named():
    with pytest.raises(InputError, match=r"no bug 'Conv: dx'; there is: Conv: dx, sign"):
        bugs.find("Conv: dx")
