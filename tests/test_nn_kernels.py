"""Every kernel run by Python, without the compiler, against the compiled one: the same bits. And the threads that call them."""

import os
import subprocess
import sys
import threading
import time

import numpy as np
import pytest
from hypothesis import given, settings
from nn_geometry import DTYPES, geometries, whole

from acai import nn, threads
from acai.nn.fast import batches, kernels


def both(kernel, *arguments, out):
    """What kernel.py_func and the kernel write into arrays like `out`."""
    results = []
    for function in (kernel.py_func, kernel):
        outs = [np.full_like(a, 77) for a in out]
        function(*arguments, *outs)
        results.append(outs)
    for python, compiled in zip(*results):
        assert np.array_equal(python, compiled)
    return results[1]


@settings(max_examples=20)
@given(geometries(), DTYPES)
def test_convolution_kernels(g, dtype):
    kW, Wp = g.window[1], g.W + 2 * g.padding[1]
    Z, y = whole((g.N, g.O, kW, g.H, Wp), 2, dtype), np.empty((g.N, g.O, g.H, Wp - kW + 1), dtype)
    b = whole((g.O,), 3, dtype)
    (added,) = both(kernels.add_taps, Z, b, out=[y])
    assert np.array_equal(added, b[:, None, None] + sum(Z[:, :, q, :, q : q + y.shape[3]] for q in range(kW)))
    dy = whole(y.shape, 4, dtype)
    (dZ,) = both(kernels.spread_taps, dy, out=[Z])
    assert (dZ * Z).sum() == (dy * (added - b[:, None, None])).sum()  # spread is the transpose of add


@settings(max_examples=20)
@given(geometries(), DTYPES)
def test_fold_rows_is_the_transpose_of_taking_rows(g, dtype):
    conv = nn.Conv2D(g.C, g.O, g.window, g.stride, g.padding, dtype=dtype)
    x = whole(g.shape, 1, dtype)
    rows = conv._rows(x)
    drows = whole(rows.shape, 2, dtype)
    (dx,) = both(kernels.fold_rows, drows, g.stride[0], g.padding, out=[x])
    assert (dx * x).sum() == (drows * rows).sum()  # fold is the transpose of what takes the rows


@settings(max_examples=20)
@given(geometries(pooling=True), DTYPES)
def test_pooling_kernels(g, dtype):
    H_out, W_out = ((n + 2 * p - k) // s + 1 for n, p, k, s in zip((g.H, g.W), g.padding, g.window, g.stride))
    x, y = whole(g.shape, 1, dtype, largest=2), np.empty((g.N, g.C, H_out, W_out), dtype)
    y, where = both(kernels.max_pool, x, g.window, g.stride, g.padding, out=[y, np.empty(y.shape, np.int32)])
    planes, places = x.reshape(g.N, g.C, -1), where.reshape(g.N, g.C, -1)
    assert np.array_equal(np.take_along_axis(planes, places, axis=2), y.reshape(places.shape))
    both(kernels.max_unpool, whole(y.shape, 2, dtype), where, out=[x])


@pytest.mark.parametrize("n, numbers_each", [(0, 10), (1, 1 << 20), (7, 1), (32, 1 << 16), (1000, 1 << 9)])
def test_chunks_cover_every_sample_once_for_any_number_of_threads(n, numbers_each, monkeypatch):
    x, y = np.arange(n), np.zeros((n, numbers_each), np.int8)

    def chunks(threads: int) -> list[list[int]]:
        monkeypatch.setattr("acai.threads.n_threads", lambda: threads)
        return batches.map_batch_chunks(lambda x, y: x.tolist() if len(x) == len(y) else "not the same samples", x, y)

    alone = chunks(1)
    assert len(alone) > 0 and [k for chunk in alone for k in chunk] == x.tolist()  # in the order of the batch
    assert chunks(4) == alone


@pytest.mark.parametrize("n, bytes_each, scratch, size", [
    (1000, 4095, 0, 125),  # an eighth
    (1000, 4087, 1, 125), (1000, 2, 1000, 125),  # what is stored for a moment counts
    (1000, 511, 0, 256), (1000, 512, 0, 255), (1000, 3, 0, 1000),  # at least 128 kB
    (1000, 2**16 - 1, 0, 32), (1000, 2**16, 0, 31), (9, 2**21 - 1, 0, 1), (9, 2**23, 0, 1),  # at most 2 MB
    (7, 2**20, 0, 1), (16, 2**17, 0, 2), (24, 2**17, 0, 3), (80, 2**17, 0, 10), (1, 8, 0, 1), (0, 8, 0, 1),
])
def test_chunk_boundaries_depend_on_the_sizes_alone(n, bytes_each, scratch, size):
    """Sums over a batch are sums over its chunks: other chunks would give other bits."""
    x, y = (np.broadcast_to(np.zeros(1, np.int8), (n, part)) for part in (1, bytes_each - 1))
    lengths = batches.map_batch_chunks(lambda x, y: len(x), x, y, scratch=8 * scratch)
    assert lengths == [min(size, n - start) for start in range(0, max(n, 1), size)]
    assert batches.map_batch_chunks(lambda x, y: len(x), x.astype(np.float64), y) == batches.map_batch_chunks(
        lambda x, y: len(x), x, y, scratch=7
    )


def test_the_number_of_threads_is_numbas():
    code = "from acai import threads; print(threads.n_threads())"
    done = subprocess.run(
        [sys.executable, "-c", code], env={**os.environ, "NUMBA_NUM_THREADS": "1"}, capture_output=True, text=True, check=True
    )
    assert done.stdout == "1\n" and 1 <= threads.n_threads() <= os.cpu_count()


def test_an_error_in_a_thread_is_raised_and_the_threads_stay_usable(monkeypatch):
    monkeypatch.setattr("acai.threads.n_threads", lambda: 2)
    x = np.zeros((100, 1 << 17))

    def fails(x: np.ndarray) -> None:
        raise ZeroDivisionError(len(x))

    def fails_elsewhere(x: np.ndarray) -> None:
        if threading.current_thread() is not threading.main_thread():
            raise ZeroDivisionError(len(x))
        time.sleep(0.001)  # or this thread might take every chunk before the other has started

    for function in (fails, fails_elsewhere):
        with pytest.raises(ZeroDivisionError):
            batches.map_batch_chunks(function, x)
    assert sum(batches.map_batch_chunks(len, x)) == 100


@pytest.mark.skipif(not hasattr(os, "fork"), reason="needs os.fork")
@pytest.mark.filterwarnings("ignore:.*fork.*:DeprecationWarning")
def test_a_forked_process_has_threads_of_its_own(monkeypatch):
    monkeypatch.setattr("acai.threads.n_threads", lambda: 2)
    x = np.zeros((100, 1 << 17))
    batches.map_batch_chunks(len, x)  # starts the threads
    child = os.fork()
    if child == 0:
        batches.map_batch_chunks(len, x)  # would wait forever for threads that it does not have
        os._exit(7)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 7
