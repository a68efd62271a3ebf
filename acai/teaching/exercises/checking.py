"""What all checks share: their registry, comparing what an answer returned, verifying a layer.

A check reports what is wrong by a key; the sentence for it is in the notebook's text file, or in `common.toml`.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from acai import gradcheck
from acai.gradcheck.calling import CallFailed
from acai.teaching.exercises.calling import answering, call, numbers, shape_in_words
from acai.teaching.exercises.errors import explained
from acai.teaching.exercises.relations import nearly_equal, relation
from acai.teaching.exercises.texts import in_words
from acai.teaching.exercises.wrong import Wrong

Mistakes = Mapping[str, ArrayLike]  # the results of the usual mistakes, by the keys of their sentences
Check = Callable[[Any, np.random.Generator], None]  # raises Wrong unless the answer is right
CHECKS: dict[str, Check] = {}  # by the name of the exercise
SECONDS: dict[str, int] = {}  # how long each may take


def checks(exercise: str, seconds: int = 60) -> Callable[[Check], Check]:
    """Make a function the check of an exercise, `@checks("02-pearson")`, and say how long an answer may take.

    A minute is long, but a first call may have to compile something; where an answer trains a network, it needs more.
    """

    def register(check: Check) -> Check:
        CHECKS[exercise] = check
        SECONDS[exercise] = seconds
        return check

    return register


def expect(
    value: object, right: ArrayLike, mistakes: Mistakes, case: str = "case", each: Sequence[Mapping[str, object]] = (),
    parts: str = "", **given: object,
) -> None:
    """Raise Wrong unless `value` equals `right`.

    Parameters
    ----------
    value : object
        What the student's function returned.
    right : array or number
        What it should have returned.
    mistakes : mapping of str to array or number
        What it returns after each usual mistake, by the key of the sentence for that mistake. NaN stands for any result
        with a NaN in it.
    case : str
        The key of a description of the input, for unusual mistakes.
    each : sequence of mappings
        The values for this description for each entry of `right`, if each is the answer to a case of its own.
    parts : str
        What the entries of `right` are, if the function returned several things: "w, dw".
    **given : object
        The values for this description, if `right` is the answer to a single case.
    """
    expected = np.asarray(right, dtype=float)
    got = numbers(value, expected.shape)
    if nearly_equal(got, expected):
        return
    for key, result in mistakes.items():
        wrong = np.asarray(result, dtype=float)
        if nearly_equal(got, wrong) or (np.isnan(wrong).all() and np.isnan(got).any()):
            raise Wrong(key)
    if got.shape != expected.shape:
        raise _with_relation(Wrong("kind", got=shape_in_words(got.shape), expected=shape_in_words(expected.shape)), got, expected)
    errors = np.where(np.isfinite(got), np.abs(got - expected), np.inf)
    worst = tuple(int(k) for k in np.unravel_index(np.argmax(errors), expected.shape))
    words = Wrong(case, **(each[worst[0]] if each else given))
    key = "number" if np.isfinite(got[worst]) else "not-a-number" if np.isnan(got[worst]) else "infinite"
    place = "" if each else _place_in_words(worst, parts)
    part = worst[:1] if parts else ()  # of several results, the one with the largest error
    raise _with_relation(Wrong(key, case=words, got=got[worst], place=place, expected=expected[worst]), got[part], expected[part])


def _with_relation(wrong: Wrong, got: np.ndarray, expected: np.ndarray) -> Wrong:
    """Add how the result is related to the right one, if it is in a simple way."""
    found = relation(np.asarray(got), np.asarray(expected))
    return wrong if found is None else Wrong("with-relation", said=wrong, relation=found)


def _place_in_words(place: tuple[int, ...], parts: str) -> Wrong | str:
    """Say which entry of a result is meant; of several results, first which one of them."""
    if parts and place:
        part = Wrong("of-part", part=parts.split(", ")[place[0]])
        return Wrong("at-of", place=list(place[1:]), part=part) if place[1:] else part
    return Wrong("at", place=list(place)) if place else ""


def raise_first(faults: Mapping[str, bool], **values: object) -> None:
    """Raise Wrong for the first fault that is present, by its key."""
    for key, is_present in faults.items():
        if is_present:
            raise Wrong(key, **values)


def build_layer(answer: object, **arguments: object) -> Any:
    """Create a layer from a student's class; its parameters are small integers other than 0."""
    if not isinstance(answer, type):
        raise Wrong("no-class")
    with answering():
        layer = answer(**arguments)
    rng = np.random.default_rng(1)
    for w in getattr(layer, "params", {}).values():
        w[...] = rng.integers(1, 4, w.shape) * rng.choice([-1, 1], w.shape)
    return layer


def odd_integers(*shape: int) -> np.ndarray:
    """Return distinct odd integers in random order."""
    n = int(np.prod(shape))
    return (2.0 * np.random.default_rng(3).permutation(n) - n + 1 - n % 2).reshape(shape)


def upstream_gradient(y: np.ndarray) -> np.ndarray:
    """Return a dy for an output like y: integers that are not all equal."""
    return np.random.default_rng(5).integers(-9, 10, y.shape).astype(float)


def verify_layer(
    layer: Any, x: np.ndarray, y: np.ndarray, mistakes: Mistakes, slips: Mapping[str, Mapping[str, np.ndarray]],
    **arguments: object,
) -> None:
    """Raise Wrong unless a layer's `forward` gives y and its gradients equal the slopes of `forward`.

    Parameters
    ----------
    layer : object
        From `build_layer`.
    x : array
        From `odd_integers`.
    y : array
        What `forward(x)` should be.
    mistakes : mapping of str to array
        What `forward(x)` is after each usual mistake, by the key of its sentence.
    slips : mapping of str to such mappings
        What the gradient of "x", "W" or "b" is after each usual mistake in `backward(upstream_gradient(y))`.
    **arguments : object
        The arguments of the layer, so that the student can build the same layer to see a picture.
    """
    expect(call(layer.forward, x), y, mistakes, x=x)
    found = {"x": call(layer.backward, upstream_gradient(y)), **getattr(layer, "grads", {})}
    try:
        report = gradcheck.check(layer, x)
    except CallFailed as error:
        cause = error.__cause__
        if isinstance(cause, Wrong):
            raise cause from None
        raise (explained(cause, is_theirs=True) if isinstance(cause, Exception) else Wrong("no-sense", error=error)) from error
    for array in report.wrong_arrays:
        for key, result in slips.get(array, {}).items():
            if nearly_equal(np.asarray(found.get(array, np.nan), float), result):
                raise Wrong("backward", slip=Wrong(key))
    if not report.ok:
        wrong = (_finding_in_words(finding) for finding in report.findings if finding.wrong.any())
        what: object = "; ".join(in_words(fault) for fault in report.faults.values()) or next(wrong)
        listed = ", ".join(f"{name}={value!r}" for name, value in arguments.items())
        raise Wrong("gradcheck", what=what, layer=f"{type(layer).__name__}({listed})", shape=x.shape)


def _finding_in_words(finding: gradcheck.Finding) -> Wrong:
    if finding.analytic is None or finding.analytic.shape != finding.numeric.shape:
        return Wrong(finding.hint)
    at = finding.worst
    hint = Wrong("finding-hint", hint=Wrong(finding.hint)) if finding.hint else ""
    return Wrong(
        "finding", n=int(finding.wrong.sum()), size=finding.wrong.size, array=finding.array, place=list(at),
        says=finding.analytic[at], slope=finding.numeric[at], hint=hint,
    )
