"""The states of random generators: kept, compared and put back, so that a layer that draws numbers draws the same again."""

import pickle
import random
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np

from acai.gradcheck.places import Generator, generators


class States:
    """Where NumPy's and Python's global generators, and those of a layer, are now."""

    def __init__(self, layer: object = None) -> None:
        self._python, self._numpy = random.getstate(), np.random.get_state(legacy=False)
        self._own = [(generator, _state(generator)) for generator in generators(layer)]

    def restore(self) -> None:
        """Put all of them back to where they were."""
        random.setstate(self._python)
        np.random.set_state(self._numpy)
        for generator, state in self._own:
            if isinstance(generator, np.random.Generator):
                generator.bit_generator.state = state
            elif isinstance(generator, np.random.RandomState):
                generator.set_state(state)
            else:
                generator.setstate(state)

    def have_moved(self) -> bool:
        """Whether any has drawn a number since."""
        now = [random.getstate(), np.random.get_state(legacy=False), *(_state(generator) for generator, _ in self._own)]
        then = [self._python, self._numpy, *(state for _, state in self._own)]
        return any(pickle.dumps(a) != pickle.dumps(b) for a, b in zip(now, then))


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
