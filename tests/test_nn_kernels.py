"""Every kernel as Python runs it, without the compiler, against the compiled one: the same bits. And the threads that call them."""

import os

import numpy as np
import pytest
from hypothesis import given, settings
from nn_geometry import DTYPES, geometries, whole

from acai.nn import kernels, parallel


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
    (kH, kW), (sH, sW), (pH, pW) = g.window, g.stride, g.padding
    H_out, W_out, Wp = (g.H + 2 * pH - kH) // sH + 1, (g.W + 2 * pW - kW) // sW + 1, g.W + 2 * pW
    x, rows = whole(g.shape, 1, dtype), np.empty((g.N, g.C, kH, H_out, Wp), dtype)
    Z, y = whole((g.N, g.O, kW, H_out, Wp), 2, dtype), np.empty((g.N, g.O, H_out, W_out), dtype)
    (unrolled,) = both(kernels.unroll_rows, x, sH, g.padding, out=[rows])
    padded = np.pad(x, ((0, 0), (0, 0), (pH, pH), (pW, pW)))
    for p in range(kH):
        assert np.array_equal(unrolled[:, :, p], padded[:, :, p : p + sH * H_out : sH])
    drows = whole(rows.shape, 3, dtype)
    (dx,) = both(kernels.fold_rows, drows, sH, g.padding, out=[x])
    assert (dx * x).sum() == (drows * unrolled).sum()  # fold is the transpose of unroll
    (added,) = both(kernels.add_taps, Z, np.zeros(g.O, dtype), sW, out=[y])
    dy = whole(y.shape, 4, dtype)
    (dZ,) = both(kernels.spread_taps, dy, sW, out=[Z])
    assert (dZ * Z).sum() == (dy * added).sum()  # and spread that of add


@settings(max_examples=20)
@given(geometries(pooling=True), DTYPES)
def test_pooling_kernels(g, dtype):
    H_out, W_out = ((n + 2 * p - k) // s + 1 for n, p, k, s in zip((g.H, g.W), g.padding, g.window, g.stride))
    x, y = whole((g.N, g.H, g.W), 1, dtype, largest=2), np.empty((g.N, H_out, W_out), dtype)
    y, where = both(kernels.max_pool, x, g.window, g.stride, g.padding, out=[y, np.empty(y.shape, np.int32)])
    assert np.array_equal(np.take_along_axis(x.reshape(g.N, -1), where.reshape(g.N, -1), axis=1), y.reshape(g.N, -1))
    both(kernels.max_unpool, whole(y.shape, 2, dtype), where, out=[np.empty((g.N, g.H * g.W), dtype)])


@pytest.mark.parametrize("n, bytes_each", [(0, 10), (1, 1 << 30), (7, 1), (32, 1 << 19), (1000, 1 << 12)])
def test_runs_cover_every_sample_once_whatever_the_threads(n, bytes_each, monkeypatch):
    def runs(threads: int) -> list[tuple[int, int]]:
        monkeypatch.setattr(parallel, "n_threads", lambda: threads)
        seen = []
        parallel.each_chunk(lambda start, stop: seen.append((start, stop)), n, bytes_each)
        return sorted(seen)

    alone = runs(1)
    assert [k for start, stop in alone for k in range(start, stop)] == list(range(n))
    assert runs(4) == alone


def test_the_number_of_threads_is_numbas_or_all_cores(monkeypatch):
    monkeypatch.setenv("NUMBA_NUM_THREADS", "3")
    assert parallel.n_threads.__wrapped__() == 3
    monkeypatch.delenv("NUMBA_NUM_THREADS")
    assert 1 <= parallel.n_threads.__wrapped__() <= os.cpu_count()


def test_an_error_in_a_thread_arrives_and_leaves_the_threads_usable(monkeypatch):
    monkeypatch.setattr(parallel, "n_threads", lambda: 2)

    def fails(start: int, stop: int) -> None:
        raise ZeroDivisionError(f"sample {start}")

    with pytest.raises(ZeroDivisionError):
        parallel.each_chunk(fails, 100, 1 << 20)
    seen = []
    parallel.each_chunk(lambda start, stop: seen.extend(range(start, stop)), 100, 1 << 20)
    assert sorted(seen) == list(range(100))


@pytest.mark.skipif(not hasattr(os, "fork"), reason="needs os.fork")
@pytest.mark.filterwarnings("ignore:.*fork.*:DeprecationWarning")
def test_a_forked_process_has_threads_of_its_own(monkeypatch):
    monkeypatch.setattr(parallel, "n_threads", lambda: 2)
    parallel.each_chunk(lambda start, stop: None, 100, 1 << 20)  # starts the threads
    child = os.fork()
    if child == 0:
        parallel.each_chunk(lambda start, stop: None, 100, 1 << 20)  # would wait for ever for threads it has not
        os._exit(7)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 7
