"""The states of random generators: kept, compared and put back, so that a layer that draws numbers draws the same again."""

import pickle
import random
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np

from acai.gradcheck.places import Generator, generators

# The global generators: how their states are read and set
SHARED: dict[str, tuple[Callable[[], Any], Callable[[Any], None]]] = {
    "random": (random.getstate, random.setstate),
    "numpy.random": (lambda: np.random.get_state(legacy=False), np.random.set_state),
}

DRAW: dict[str, Callable[[], float]] = {"random": random.random, "numpy.random": np.random.random_sample}


class States:
    """Where NumPy's and Python's global generators, and those of a layer, are now.

    Parameters
    ----------
    layer : object
        Whose generators are kept, too.
    shared : sequence of str
        Which of the global generators; to set NumPy's takes longer than a small layer's `forward`.
    """

    def __init__(self, layer: object = None, shared: Iterable[str] = SHARED) -> None:
        self._shared = {name: SHARED[name][0]() for name in shared}
        self._own = [(generator, _state(generator)) for generator in generators(layer)]

    def restore(self) -> None:
        """Put all of them back to where they were."""
        for name, state in self._shared.items():
            SHARED[name][1](state)
        for generator, state in self._own:
            if isinstance(generator, np.random.Generator):
                generator.bit_generator.state = state
            elif isinstance(generator, np.random.RandomState):
                generator.set_state(state)
            else:
                generator.setstate(state)

    def shared_that_moved(self) -> list[str]:
        """Return the global generators that have drawn a number since."""
        return [name for name, state in self._shared.items() if _differ(SHARED[name][0](), state)]

    def have_moved(self) -> bool:
        """Whether any has drawn a number since."""
        return bool(self.shared_that_moved()) or any(_differ(_state(generator), state) for generator, state in self._own)


def draw_on(layer: object, shared: Iterable[str], n: int) -> None:
    """Let a layer's generators, and these global ones, draw n numbers: what they draw next is another mask."""
    for draw in [*(generator.random for generator in generators(layer)), *(DRAW[name] for name in shared)]:
        for _ in range(n):
            draw()


def _differ(a: Any, b: Any) -> bool:
    return pickle.dumps(a) != pickle.dumps(b)


def _state(generator: Generator) -> Any:
    if isinstance(generator, np.random.Generator):
        return generator.bit_generator.state
    return generator.get_state(legacy=False) if isinstance(generator, np.random.RandomState) else generator.getstate()


@contextmanager
def left_alone(layer: object, seed: int) -> Iterator[None]:
    """Inside this block the global generators start from a seed; afterwards they, and the layer's, are where they were."""
    states = States(layer)
    random.seed(seed)
    np.random.seed(seed % 2**32)
    try:
        yield
    finally:
        states.restore()
