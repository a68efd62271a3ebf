"""Compile kernels with Numba, and cache them safely even when several processes compile at once."""

import contextlib
import os
import pickle
from collections.abc import Callable, Iterator
from typing import Any, Literal, TypeVar, cast

import numba
from numba.core.caching import FunctionCache

Function = TypeVar("Function", bound=Callable[..., object])


def njit(
    *, nogil: bool = False, fastmath: bool | set[str] = False, error_model: Literal["python", "numpy"] = "python"
) -> Callable[[Function], Function]:
    """Compile a function like `numba.njit(cache=True)`, with a cache that several processes may use at once."""

    def compiled(function: Function) -> Function:
        kernel: Any = numba.njit(nogil=nogil, fastmath=fastmath, error_model=error_model)(function)
        kernel._cache = LockedCache(function)  # cache=True would put Numba's own cache there
        return cast(Function, kernel)

    return compiled


class LockedCache(FunctionCache):
    """Numba's cache of one kernel, read and written by one process at a time.

    Numba first notes which file holds a signature and then writes that file. In between, another process could read what an
    older kernel left there, or choose the same file for its own signature. A cache must never be a reason to stop: damaged
    entries are compiled again, and what does not fit on a full disk is not cached.
    """

    def load_overload(self, sig: object, target_context: object) -> object:
        """Load the kernel compiled for a signature; None if it has to be compiled."""
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
    """Lock this folder once no other process holds it. Without locks (Windows, some network drives), proceed as Numba does."""
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
