"""Every kernel run by Python, without the compiler, against the compiled one: the same bits. And the threads that call them."""

import os
import subprocess
import sys
import threading
import time

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from nn_geometry import DTYPES, geometries, whole

from acai import threads
from acai.nn.fast import batches, kernels
from acai.nn.fast.rows import Rows
from acai.nn.plain import padded


def both(kernel, *arguments, out):
    """What kernel.py_func and the kernel write into arrays like `out`."""
    results = []
    for function in (kernel.py_func, kernel):
        outs = [np.full_like(a, 77) for a in out]
        function(*arguments, *outs)
        results.append(outs)
    for python, compiled in zip(*results):
        assert np.array_equal(python, compiled, equal_nan=True)
    return results[1]


def rows_of(g):
    out = tuple((n + 2 * p - k) // s + 1 for n, p, k, s in zip((g.H, g.W), g.padding, g.window, g.stride))
    return Rows((g.C, *g.window), g.stride, g.padding, out), (g.N, g.O, *out)


@settings(max_examples=20)
@given(st.integers(1, 3), st.integers(1, 2), st.integers(1, 19), st.integers(1, 12), DTYPES)
def test_correlate_and_products_are_sums_of_shifted_rows(G, fours, K, J, dtype):
    O, C, slack, rng = 4 * fours, 3, 5, np.random.default_rng(0)
    channel, shift = rng.integers(0, C, K), rng.integers(0, slack + 1, K)
    shift[0] = slack
    W, b, x = whole((O, K), 1, dtype), whole((O,), 2, dtype), whole((G, C, J + slack), 3, dtype)
    shifted = np.stack([x[:, c, s : s + J] for c, s in zip(channel, shift)], axis=1)  # (G, K, J)
    (y,) = both(kernels.correlate, W, b, channel, shift, x, out=[np.empty((G, O, J + 2), dtype)])
    assert np.array_equal(y[..., :J], b[:, None] + W @ shifted)
    assert (y[..., J:] == 77).all()  # beyond the rows, nothing is written
    dy = whole((G, O, slack + J), 4, dtype)
    channel, shift = (np.pad(a, (0, -K % 4)) for a in (channel, shift))
    (dW,) = both(kernels.products, dy, channel, shift, x, out=[np.empty((O, len(shift)), dtype)])
    assert np.array_equal(dW[:, :K], np.einsum("goj,gkj->ok", dy[..., slack:], shifted))


def test_rows_longer_than_a_tile_are_computed_piece_by_piece():
    W, b, x = whole((4, 9), 1), whole((4,), 2), whole((1, 2, 2 * kernels.TILE + 50), 3)
    channel, shift = np.arange(9) % 2, np.arange(9)
    y, J = np.empty((1, 4, x.shape[2])), x.shape[2] - 8
    kernels.correlate(W, b, channel, shift, x, y)
    shifted = np.stack([x[0, c, s : s + J] for c, s in zip(channel, shift)])
    assert np.array_equal(y[0, :, :J], b[:, None] + W @ shifted)
    dy, dW = whole((1, 4, x.shape[2]), 4), np.empty((4, 12))
    kernels.products(dy, np.pad(channel, (0, 3)), np.pad(shift, (0, 3)), x, dW)
    assert np.array_equal(dW[:, :9], dy[0, :, 8:] @ shifted.T)


@settings(max_examples=30)
@given(geometries(), DTYPES)
def test_rows_hold_what_is_under_each_tap(g, dtype):
    rows, (N, O, H_out, W_out) = rows_of(g)
    x, y = whole(g.shape, 1, dtype), whole((N, O, H_out, W_out), 2, dtype)
    X, Y = rows.of_images(x), rows.of_outputs(y)
    framed = padded(x, g.padding)
    for k, (c, p, q) in enumerate(np.ndindex(g.C, *g.window)):
        under = framed[:, c, p :: g.stride[0], q :: g.stride[1]][:, :H_out, :W_out]
        row, found = X[:, rows.channel[k], rows.shift[k] :], np.empty((N, 1, H_out, W_out), dtype)
        rows.to_outputs(np.pad(row, ((0, 0), (0, rows.shift[k])))[:, None], found)
        assert np.array_equal(found[:, 0], under)
    back = np.full_like(y, 77)
    rows.to_outputs(Y[..., rows.slack :], back)
    assert np.array_equal(back, y) and Y.sum() == y.sum()  # and zero everywhere else


@settings(max_examples=30)
@given(geometries(), DTYPES)
def test_to_images_is_the_transpose_of_of_images(g, dtype):
    rows, _ = rows_of(g)
    x, dx = whole(g.shape, 1, dtype), np.full(g.shape, 77, dtype)
    X = rows.of_images(x)
    dX = whole(X.shape, 2, dtype)
    rows.to_images(dX, dx)
    assert (dX * X).sum() == (dx * x).sum()


@settings(max_examples=20)
@given(geometries(pooling=True), DTYPES)
def test_pooling_kernels(g, dtype):
    H_out, W_out = ((n + 2 * p - k) // s + 1 for n, p, k, s in zip((g.H, g.W), g.padding, g.window, g.stride))
    x, y = whole(g.shape, 1, dtype, largest=2), np.empty((g.N, g.C, H_out, W_out), dtype)
    y, where = both(kernels.max_pool, x, g.window, g.stride, g.padding, out=[y, np.empty(y.shape, np.int32)])
    planes, places = x.reshape(g.N, g.C, -1), where.reshape(g.N, g.C, -1)
    assert np.array_equal(np.take_along_axis(planes, places, axis=2), y.reshape(places.shape))
    both(kernels.max_unpool, whole(y.shape, 2, dtype), where, out=[x])


@settings(max_examples=20)
@given(geometries(), DTYPES)
def test_rectifying_kernels(g, dtype):
    x, dy = whole(g.shape, 1, dtype, largest=2), whole(g.shape, 2, dtype)
    x[0, 0, 0, 0] = np.nan
    (y,) = both(kernels.rectify, x, out=[x])
    assert np.array_equal(y, np.maximum(x, 0), equal_nan=True)
    (dx,) = both(kernels.pass_where_positive, dy, y, out=[x])
    assert np.array_equal(dx, np.where(y > 0, dy, 0))


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


@pytest.mark.parametrize("n, least, size", [(1000, 1, 127), (1000, 200, 200), (1000, 5000, 1000), (80, 30, 15)])
def test_a_chunk_has_as_many_samples_as_are_worth_a_call_unless_it_leaves_the_cache(n, least, size):
    x = np.broadcast_to(np.zeros(1, np.int8), (n, 2**17))[:, : 2**10 if n == 1000 else 2**17]
    assert batches.map_batch_chunks(len, x, least=least)[0] == size


def test_a_single_chunk_is_not_handed_over(monkeypatch):
    monkeypatch.setattr(batches, "map_blocks", None)
    assert batches.map_batch_chunks(len, np.zeros((3, 5))) == [3]


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
