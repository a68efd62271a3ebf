"""The check without any tolerance: where `forward` is a parabola in each coordinate, its slope is known exactly.

A parabola through three points predicts a fourth, and its slope is (f(w + h) − f(w − h)) / 2h for any h. On small integers
nothing is rounded, so the prediction is right to the last bit or the function is no parabola. One thing would still pass:
a function that is saturated, a tanh of large numbers, whose outputs are all ±1. It is no polynomial on small fractions,
where its outputs need all the bits there are; so that is asked first.
"""

import numpy as np

from acai.errors import InputError
from acai.gradcheck.points import stream
from acai.gradcheck.progress import counted
from acai.gradcheck.subject import Bench

SAMPLED = 10  # coordinates of each array that are tried on fractions


class NotExact(InputError):
    """The layer is no polynomial of degree two around this point, or its numbers are not whole."""


def exact_slopes(bench: Bench, dy: np.ndarray, h: float) -> dict[str, np.ndarray]:
    """Compute the slope of ⟨dy, y⟩ at every coordinate of every array.

    Raises
    ------
    NotExact
        If the function is no parabola in some coordinate, or has been rounded.
    """
    slopes = {}
    for name, w in bench.arrays.items():
        if _is_rounded(bench.moved(name, (), h / 2), h):
            raise NotExact(f"{name}: y has been rounded")
        middle = _weighted(bench.forward(), dy)
        slopes[name] = np.zeros(w.shape)
        for at in counted(list(np.ndindex(w.shape)), name):
            outputs = [bench.moved(name, at, by) for by in (-h, h / 2, h)]
            if _is_rounded(outputs[1], h):
                raise NotExact(f"{name}{list(at)}: y has been rounded")
            down, half, up = (_weighted(y, dy) for y in outputs)
            if 8 * half != 3 * up + 6 * middle - down:  # bent otherwise, or across a kink
                raise NotExact(f"{name}{list(at)}: the slope is not that of a parabola")
            slopes[name][at] = (up - down) / (2 * h)
    return slopes


def _is_rounded(y: np.ndarray, h: float) -> bool:
    """Whether y has more digits behind the point than half of those there are, as what is rounded has."""
    scale = 2.0 ** (np.finfo(y.dtype).nmant // 2) / h**2
    scaled = y * scale
    return not (scaled == np.rint(scaled)).all()  # what is not finite is not equal either, or the slopes will tell


def is_polynomial(bench: Bench, dy: np.ndarray, h: float, seed: int) -> bool | None:
    """Whether, at some coordinates of each array, `forward` is a parabola whose values leave bits unused.

    A parabola may meet a kink of the layer within h: then a smaller step is taken. None if it meets one all the same, so
    that another point may tell.
    """
    middle = bench.forward()
    if not _leaves_bits(middle):
        return False
    for name, w in bench.arrays.items():
        rng = stream(f"{name}, sampled", seed)
        for flat in counted(rng.permutation(w.size)[:SAMPLED].tolist(), f"{name} on fractions"):
            at = tuple(int(k) for k in np.unravel_index(flat, w.shape))
            for shrunk in (1, 16, 256, 4096):
                told = _is_parabola(bench, (name, at), (middle, dy), h / shrunk)
                if told is not None:
                    break
            if not told:
                return told
    return True


def _is_parabola(
    bench: Bench, which: tuple[str, tuple[int, ...]], at_middle: tuple[np.ndarray, np.ndarray], h: float
) -> bool | None:
    """Return True or, on a kink perhaps, None; False if y is rounded."""
    middle, dy = at_middle
    down, half, up = (bench.moved(*which, by) for by in (-h, h / 2, h))
    if not (_leaves_bits(down) and _leaves_bits(half) and _leaves_bits(up)):
        return False
    low, between, high, centre = (_weighted(y, dy) for y in (down, half, up, middle))
    return True if 8 * between == 3 * high + 6 * centre - low else None


def _leaves_bits(y: np.ndarray) -> bool:
    """Whether every number ends in a dozen zero bits, which what has been rounded does once in four thousand times."""
    fraction, _ = np.frexp(y)
    n_bits = np.finfo(y.dtype).nmant - 11
    return bool(np.isfinite(y).all() and not (fraction * 2.0**n_bits % 1).any())


def _weighted(y: np.ndarray, dy: np.ndarray) -> float:
    return float((dy * y).sum(dtype=float))
