"""acai: a music recommender written from scratch in NumPy, to be read beside its equations.

The README has every equation; the code that computes one carries its number.
Importing this module is cheap: each subpackage is loaded when it is first used.
"""

import importlib
from typing import TYPE_CHECKING

from acai import numba_cache

__version__ = "0.1.0"
__all__ = [
    "InputError", "Ratings", "audio", "cf", "content", "datasets", "evaluation", "gradcheck", "load", "nn", "plots",
    "read", "reference", "studies", "teaching",
]

if TYPE_CHECKING:  # read by editors and type checkers; at run time, each name is imported on demand
    from acai import audio, cf, content, datasets, evaluation, gradcheck, nn, plots, reference, studies, teaching
    from acai.cf import load
    from acai.errors import InputError
    from acai.ratings import Ratings
    from acai.reader.equation import read
else:
    _HOME = {"Ratings": "acai.ratings", "InputError": "acai.errors", "load": "acai.cf", "read": "acai.reader.equation"}

    def __getattr__(name: str) -> object:
        if name in _HOME:
            return getattr(importlib.import_module(_HOME[name]), name)
        if name in __all__:
            return importlib.import_module(f"acai.{name}")
        raise AttributeError(f"module 'acai' has no attribute {name!r}; it has: {', '.join(__all__)}")


def __dir__() -> list[str]:
    return __all__


numba_cache.provide()
