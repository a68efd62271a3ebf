"""One owner of all threads: BLAS gets its threads back, a fork and several Python threads change no bit."""

import os
import subprocess
import sys
import threading
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
from threadpoolctl import threadpool_info, threadpool_limits

from acai.threads import map_blocks, one_blas_thread, sweep_grid

needs_fork = pytest.mark.skipif(not hasattr(os, "fork"), reason="needs os.fork")
FORKS = pytest.mark.filterwarnings("ignore:.*fork.*:DeprecationWarning")


def blas_threads() -> set[int]:
    return {library["num_threads"] for library in threadpool_info() if library["user_api"] == "blas"}


@pytest.fixture
def two_blas_threads():
    with threadpool_limits(2, "blas"):
        assert blas_threads() == {2}
        yield


@pytest.mark.usefixtures("two_blas_threads")
def test_limits_that_overlap_in_two_threads_are_lifted_by_the_last_to_leave():
    first_is_in, second_is_in, first_is_out = threading.Event(), threading.Event(), threading.Event()

    def second() -> None:
        first_is_in.wait(10)
        with one_blas_thread():
            second_is_in.set()
            first_is_out.wait(10)
            assert blas_threads() == {1}

    with ThreadPoolExecutor(1) as pool:
        done = pool.submit(second)
        with one_blas_thread():
            first_is_in.set()
            second_is_in.wait(10)
        first_is_out.set()
        done.result()
    assert blas_threads() == {2}


@pytest.mark.usefixtures("two_blas_threads")
def test_limits_nest_and_survive_an_error():
    with one_blas_thread():
        with pytest.raises(ZeroDivisionError), one_blas_thread():
            raise ZeroDivisionError
        assert blas_threads() == {1}
    assert blas_threads() == {2}


@needs_fork
@FORKS
@pytest.mark.usefixtures("two_blas_threads")
def test_a_forked_child_keeps_its_own_limit_and_drops_those_of_lost_threads():
    is_in, leave = threading.Event(), threading.Event()

    def other() -> None:
        with one_blas_thread():
            is_in.set()
            leave.wait(10)

    def seen_in_a_child() -> int:
        child = os.fork()
        if child == 0:
            os._exit(max(blas_threads()))
        return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])

    with ThreadPoolExecutor(1) as pool:
        pool.submit(other)
        is_in.wait(10)
        assert seen_in_a_child() == 2
        with one_blas_thread():
            assert seen_in_a_child() == 1
        assert blas_threads() == {1}
        leave.set()
    assert blas_threads() == {2}


def test_blocks_may_hold_blocks_in_many_threads_at_once(monkeypatch):
    """Helpers that wait for helpers would fill the pool, and wait forever."""
    monkeypatch.setattr("acai.threads.n_threads", lambda: 2)
    blocks = [slice(start, start + 10) for start in range(0, 100, 10)]

    def total(outer: slice) -> int:
        return sum(map_blocks(lambda inner: sum(range(1000)[inner]) + outer.start, blocks))

    expected = [total(block) for block in blocks]
    with ThreadPoolExecutor(8) as pool:
        for found in [pool.submit(map_blocks, total, blocks) for _ in range(40)]:
            assert found.result(timeout=60) == expected


def test_after_an_error_no_block_is_begun(monkeypatch):
    monkeypatch.setattr("acai.threads.n_threads", lambda: 1)
    begun = []

    def fail(block: slice) -> None:
        begun.append(block.start)
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        map_blocks(fail, [slice(0, 1), slice(1, 2)])
    assert begun == [0]
    assert map_blocks(np.arange(3).__getitem__, []) == []


def test_a_block_follows_those_above_it_and_to_its_left(monkeypatch):
    for n in (1, 2, 4):
        monkeypatch.setattr("acai.threads.n_threads", lambda n=n: n)
        done: list[tuple[int, int]] = []
        sweep_grid(done.append, [[(row, column) for column in range(3)] for row in range(5)])
        place = {block: k for k, block in enumerate(done)}
        assert len(done) == len(place) == 15
        assert all(place[row, column] > place[row - 1, column] for row in range(1, 5) for column in range(3))
        assert all(place[row, column] > place[row, column - 1] for row in range(5) for column in range(1, 3))


@pytest.mark.parametrize("stop", [ZeroDivisionError, KeyboardInterrupt])
def test_after_an_error_no_thread_waits_for_a_block(stop, monkeypatch):
    monkeypatch.setattr("acai.threads.n_threads", lambda: 3)
    done = []

    def fail(block: tuple[int, int]) -> None:
        if block == (2, 1):
            raise stop
        done.append(block)

    with pytest.raises(stop):
        sweep_grid(fail, [[(row, column) for column in range(3)] for row in range(5)])
    assert (2, 2) not in done and (3, 1) not in done


SAME_BITS = """
import hashlib, multiprocessing, warnings
from concurrent.futures import ThreadPoolExecutor

import numpy as np
from cf_cases import random_ratings
from acai.cf import MODELS

ratings = random_ratings(m=150, n=120)
FASTER = {"n_epochs": 2, "n_factors": 7}

def digest(name):
    model = MODELS[name]()
    for setting in FASTER.keys() & vars(model).keys():
        setattr(model, setting, FASTER[setting])
    model.fit(ratings)
    blocks = [scores for _, scores in model.score_blocks(np.arange(ratings.n_users))]
    u, i = np.divmod(np.arange(300), ratings.n_songs)
    state = [np.asarray(getattr(model, name)).tobytes() for name in model.state]
    return hashlib.sha1(b"".join([*state, model.predict_codes(u, i).tobytes(), np.concatenate(blocks).tobytes()])).hexdigest()

names = list(MODELS) + ["ALS"] * 7
alone = [digest(name) for name in names]
with ThreadPoolExecutor(4) as pool:
    assert list(pool.map(digest, names)) == alone
warnings.simplefilter("ignore", DeprecationWarning)
with multiprocessing.get_context("fork").Pool(2) as pool:
    assert pool.map(digest, names) == alone
print(alone)
"""


@needs_fork
def test_the_same_bits_with_one_and_two_threads_in_python_threads_and_in_forked_children():
    """With the layer of Numba that is not thread-safe, as on macOS; every model fits, predicts and scores."""
    found = set()
    for n in ("1", "2"):
        changed = {"NUMBA_NUM_THREADS": n, "NUMBA_THREADING_LAYER": "workqueue", "PYTHONPATH": os.pathsep.join([".", "tests"])}
        command = [sys.executable, "-c", SAME_BITS]
        done = subprocess.run(command, env={**os.environ, **changed}, capture_output=True, text=True, timeout=120)
        assert done.returncode == 0, done.stderr
        found.add(done.stdout)
    assert len(found) == 1
