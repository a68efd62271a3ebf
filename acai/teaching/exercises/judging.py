"""What all checks share: registering them, asking a student's function, judging what it returns, proving a layer.

Every check says what is wrong by a key; the sentence to it stands in the notebook's text file, or in `common.toml`.
"""

import copy
from collections.abc import Callable, Mapping, Sequence

import numpy as np

from acai import gradcheck

Mistakes = Mapping[str, object]  # what usual mistakes give, by the keys of their sentences
Check = Callable[[object, np.random.Generator], None]  # raises Wrong unless the answer is right
CHECKS: dict[str, Check] = {}  # by the name of the exercise


def checks(exercise: str) -> Callable[[Check], Check]:
    """Make a function the check of an exercise: `@checks("02-pearson")`."""

    def register(check: Check) -> Check:
        CHECKS[exercise] = check
        return check

    return register


class Wrong(Exception):
    """What is wrong with an answer: the key of a sentence, and what stands in its {places}, a sentence again perhaps."""

    def __init__(self, key: str, **values: object) -> None:
        super().__init__(key)
        self.key, self.values = key, values

    def said(self, sentences: Mapping[str, str]) -> str:
        """In words; a key that has no sentence is one itself."""
        values = {name: value.said(sentences) if isinstance(value, Wrong) else value for name, value in self.values.items()}
        return sentences.get(self.key, self.key).format(**values)


def asked(function: object, *arguments: object, parts: str = "") -> object:
    """What a student's function returns for these arguments, which it must leave as they are.

    Where `parts` names several things, "dx, dW", it must return as many.
    """
    if not callable(function):
        raise Wrong("no-function", kind=type(function).__name__)
    given = copy.deepcopy(arguments)
    value = function(*given)
    several, n = isinstance(value, tuple | list), len(parts.split(","))
    if any(part is None or part is Ellipsis for part in (value if several else [value])):
        raise Wrong("nothing-yet")
    for number, (before, after) in enumerate(zip(arguments, given), 1):
        if isinstance(before, np.ndarray) and not np.array_equal(before, after, equal_nan=True):
            raise Wrong("in-place", number=number)
    if parts and not (several and len(value) == n):
        raise Wrong("parts", got=_thing(value), n=n, parts=parts)
    return value


def judge(value: object, right: object, mistakes: Mistakes, case: str = "case", each: Sequence[dict] = (), **given) -> None:
    """Raise Wrong unless `value` is `right`.

    Parameters
    ----------
    value : object
        What the student's function returned.
    right : array or number
        What it should have returned.
    mistakes : mapping of str to array or number
        What it returns after each of the usual mistakes, by the key of the sentence that each deserves. NaN stands for any
        result with a NaN in it.
    case : str
        The key of what the function was given, in words, for whoever made an unusual mistake.
    each : sequence of dict
        What stands in these words, for each entry of `right`, where each is the answer to a case of its own.
    **given : object
        What stands in them, where all is the answer to one.
    """
    right = np.asarray(right, dtype=float)
    try:
        got = np.asarray(value, dtype=float)
    except (TypeError, ValueError):
        raise Wrong("kind", got=_thing(value), expected=_kind(right)) from None
    if alike(got, right):
        return
    for key, wrong in mistakes.items():
        wrong = np.asarray(wrong, dtype=float)
        if alike(got, wrong) or (np.isnan(wrong).all() and np.isnan(got).any()):
            raise Wrong(key)
    if got.shape != right.shape:
        raise Wrong("kind", got=_kind(got), expected=_kind(right))
    worst = np.unravel_index(np.argmax(np.where(np.isfinite(got), np.abs(got - right), np.inf)), right.shape)
    place = f" at {[int(k) for k in worst]}" if right.ndim and not each else ""
    words = Wrong(case, **(each[worst[0]] if each else given))
    key = "number" if np.isfinite(got[worst]) else "infinite"
    raise Wrong(key, case=words, got=got[worst], place=place, expected=right[worst])


def alike(a: np.ndarray, b: np.ndarray) -> bool:
    """Of one shape, and equal but for rounding."""
    return a.shape == b.shape and np.allclose(a, b, rtol=0, atol=1e-5 * np.abs(b).max(initial=0.0) + 1e-12)


def _thing(value: object) -> str:
    return f"{'an' if type(value).__name__[0] in 'aeiou' else 'a'} {type(value).__name__}"


def _kind(array: np.ndarray) -> str:
    return f"an array of shape {array.shape}" if array.ndim else "a single number"


def blame(faults: Mapping[str, bool], **values: object) -> None:
    """Raise Wrong for the first of these faults that is there, by its key."""
    for key, there in faults.items():
        if there:
            raise Wrong(key, **values)


def built(answer: object, **arguments: object) -> object:
    """A layer from the class that a student wrote, with small whole numbers other than 0 as its parameters."""
    if not isinstance(answer, type):
        raise Wrong("no-class")
    layer, rng = answer(**arguments), np.random.default_rng(1)
    for w in getattr(layer, "params", {}).values():
        w[...] = rng.integers(1, 4, w.shape) * rng.choice([-1, 1], w.shape)
    return layer


def odd(*shape: int) -> np.ndarray:
    """Odd whole numbers, all distinct, in no order."""
    n = int(np.prod(shape))
    return (2.0 * np.random.default_rng(3).permutation(n) - n + 1 - n % 2).reshape(shape)


def upstream(y: np.ndarray) -> np.ndarray:
    """A dy for an output like y: whole numbers, never all alike."""
    return np.random.default_rng(5).integers(-9, 10, y.shape).astype(float)


def prove(
    layer: object, x: np.ndarray, y: np.ndarray, mistakes: Mistakes, slips: Mapping[str, Mistakes], **arguments: object
) -> None:
    """Raise Wrong unless a layer's `forward` gives y and its gradients are equal to the slopes of `forward`.

    Parameters
    ----------
    layer : object
        From `built`.
    x : array
        From `odd`.
    y : array
        What `forward(x)` should be.
    mistakes : mapping of str to array
        What `forward(x)` is after each usual mistake, by the key of its sentence.
    slips : mapping of str to such mappings
        What `backward(upstream(y))` makes of the gradient of "x", "W" or "b" after each usual mistake.
    **arguments : object
        What the layer was built with, so that whoever looks at the picture builds the same.
    """
    judge(asked(layer.forward, x), y, mistakes, x=x)
    found = {"x": asked(layer.backward, upstream(y)), **getattr(layer, "grads", {})}
    report = gradcheck.check(layer, x)
    for array in report.wrong_arrays:
        for key, wrong in slips.get(array, {}).items():
            if alike(np.asarray(found.get(array, np.nan), float), wrong):
                raise Wrong("backward", slip=Wrong(key))
    if not report.ok:
        wrong = (_finding(finding) for finding in report.findings if finding.wrong.any())
        made = f"{type(layer).__name__}({', '.join(f'{name}={value!r}' for name, value in arguments.items())})"
        raise Wrong("gradcheck", what="; ".join(report.faults.values()) or next(wrong), layer=made, shape=x.shape)


def _finding(finding: gradcheck.Finding) -> Wrong:
    if np.shape(finding.analytic) != finding.numeric.shape:
        return Wrong(finding.hint)
    at, n, size = finding.worst, int(finding.wrong.sum()), finding.wrong.size
    says, slope, hint = finding.analytic[at], finding.numeric[at], finding.hint and f"; {finding.hint}"
    return Wrong("finding", n=n, size=size, array=finding.array, place=list(at), says=says, slope=slope, hint=hint)
