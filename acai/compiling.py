"""How acai's kernels are compiled: by Numba, and cached safely even when several processes compile them at once."""

import contextlib
import os
import pickle
from collections.abc import Callable, Iterator

import numba
from numba.core.caching import FunctionCache


def njit(**options: object) -> Callable[[Callable], Callable]:
    """`numba.njit(cache=True)`, whose cache several processes may use at once."""

    def compiled(function: Callable) -> Callable:
        kernel = numba.njit(**options)(function)
        kernel._cache = LockedCache(function)  # cache=True would put Numba's own there
        return kernel

    return compiled


class LockedCache(FunctionCache):
    """Numba's cache of one kernel, read and written by one process at a time.

    Numba first notes in which file a signature is and then writes that file. In between, another process could read there
    what an older kernel left, or choose the same file for its own signature. And a cache is never a reason to stop: what is
    damaged is compiled again, and what a full disk refuses is not cached.
    """

    def load_overload(self, sig: object, target_context: object) -> object:
        """The kernel compiled for a signature, or None if it has to be compiled."""
        with _locked(self.cache_path):
            try:
                return super().load_overload(sig, target_context)
            except Exception:  # a damaged pickle can raise anything
                return None

    def save_overload(self, sig: object, data: object) -> None:
        """Cache the kernel compiled for a signature."""
        with _locked(self.cache_path), contextlib.suppress(OSError):
            try:
                super().save_overload(sig, data)
            except (pickle.UnpicklingError, EOFError, ValueError, TypeError, AttributeError, ImportError):
                self.flush()  # a damaged index is replaced by an empty one
                super().save_overload(sig, data)


@contextlib.contextmanager
def _locked(folder: str) -> Iterator[None]:
    """Wait until no other process holds this folder. Without locks (Windows, some network drives), as Numba does: unprotected."""
    handle = None
    with contextlib.suppress(ImportError, OSError):
        import fcntl

        handle = os.open(folder, os.O_RDONLY)
        fcntl.flock(handle, fcntl.LOCK_EX)
    try:
        yield
    finally:
        if handle is not None:
            os.close(handle)
