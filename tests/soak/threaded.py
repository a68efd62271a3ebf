"""What the driver `threads` runs in its processes: results of which the digests are compared."""

import json
import multiprocessing
import sys
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import numpy as np

from . import material

NO_SUCH_LAYER = 77


def _model(name: str) -> Callable[[int], object]:
    def fitted(seed: int) -> object:
        model = material.models()[name].fit(material.ratings(60, 50, seed=seed))
        known = model.ratings
        lists = dict(model.recommend_all(known.users[:8], n=5))
        return lists, model.predict(known.users[:20], known.songs[:20]), getattr(model, "P", None), getattr(model, "Q", None)

    return fitted


def _network(seed: int) -> object:
    network, x = material.network(seed), np.random.default_rng(seed).normal(size=(6, 8, 1, 24)).astype(np.float32)
    y = network.forward(x)
    network.backward(np.ones_like(y))
    return y, network.grads


def _audio(seed: int) -> object:
    S = material.spectrograms(seed=seed)
    model = material.audio_model(n_epochs=2).fit(S, material.targets())
    return model.predict(S), model.history


MODELS = ("GlobalMean", "Baseline", "Popularity", "UserKNN", "ItemKNN", "SVD", "GradientDescent", "SGD", "ALS")
RESULTS: dict[str, Callable[[int], object]] = {**{name: _model(name) for name in MODELS}, "network": _network, "audio": _audio}


def one(name: str, seed: int) -> str:
    """The digest of one result."""
    return material.digest(RESULTS[name](seed))


def plainly(name: str, seed: int) -> list[str]:
    """Once."""
    return [one(name, seed)]


def in_python_threads(name: str, seed: int) -> list[str]:
    """In three Python threads at once."""
    with ThreadPoolExecutor(3) as pool:
        return list(pool.map(one, [name] * 3, [seed] * 3))


def in_forked_pool(name: str, seed: int) -> list[str]:
    """Here, then in two forked children."""
    here = one(name, seed)
    with multiprocessing.get_context("fork").Pool(2) as pool:
        return [here, *pool.starmap(one, [(name, seed)] * 2)]


def after_nested_limits(name: str, seed: int) -> list[str]:
    """In three Python threads at once; afterwards BLAS must have as many threads as before."""
    from threadpoolctl import threadpool_info

    def n_blas() -> list[int]:
        return [pool["num_threads"] for pool in threadpool_info() if pool["user_api"] == "blas"]

    before = n_blas()
    found = in_python_threads(name, seed)
    if n_blas() != before:
        raise AssertionError(f"after {name}, BLAS has {n_blas()} threads; before, it had {before}")
    return found


def main(way: str, n_threads: str, layer: str, seed: str) -> None:
    """Print the digests of every result, one line each."""
    import numba
    from threadpoolctl import threadpool_limits

    if layer != "default":
        numba.config.THREADING_LAYER = layer
    try:
        numba.set_num_threads(min(int(n_threads), numba.config.NUMBA_NUM_THREADS))
    except ValueError:  # the layer is not installed
        sys.exit(NO_SUCH_LAYER)
    with threadpool_limits(int(n_threads), "blas"):
        for name in RESULTS:
            print(name, flush=True)  # what is shown if it hangs
            print(json.dumps([name, globals()[way](name, int(seed))]), flush=True)
