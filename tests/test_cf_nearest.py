"""The loops that find neighbours, compiled and as Python runs them, against the same in plain NumPy."""

import numpy as np
import pytest
from cf_cases import random_ratings
from hypothesis import given
from hypothesis import strategies as st

from acai.cf import ItemKNN, UserKNN, kernels, nearest_kernels, plain
from acai.cf.nearest_kernels import MEASURES
from acai.cf.similarities import (
    SIMILARITIES,
    SLICES,
    NeighbourSearch,
    Similarity,
    row_norms,
    slices_of_equal_work,
)

SETTINGS = st.builds(
    Similarity, st.sampled_from(MEASURES), st.integers(1, 3), st.sampled_from([0.0, 2.5]), st.sampled_from([0.0, 0.3, 0.5]),
    st.just(4),
)


def plain_nearest(A, similarity, keep):
    """The lists of all rows of a dense matrix, where 0 is a gap: v and s, the nearest first."""
    sums, others = plain.co_rated_sums(np.where(A > 0, A, np.nan), similarity.asymmetry), np.arange(len(A))
    measure = plain.overlap if similarity.measure == "indicator" else vars(plain)[similarity.measure]
    with np.errstate(all="ignore"):  # where nothing is in common
        s = np.where(sums.n >= similarity.min_overlap, measure(sums) * (sums.n / (sums.n + similarity.shrinkage)), 0.0)
    lists = []
    for u in others:
        near = others[(sums.n[u] > 0) & (s[u] > 0) & (others != u)]
        near = near[np.argsort(-s[u, near], kind="stable")][:keep]
        lists.append((near, np.ones(len(near)) if similarity.measure == "indicator" else s[u, near]))
    return lists


@given(st.integers(0, 2**32 - 1), st.integers(1, 90), SETTINGS, st.integers(1, 100), st.sampled_from([True, True, False]))
def test_the_nearest_are_those_of_plain_numpy(seed, m, similarity, keep, compiled):
    """Values are small whole numbers: sums are exact, and many similarities are equal."""
    rng, m = np.random.default_rng(seed), m if compiled else min(m, 8)
    A = rng.integers(1, 4, (m, 7)) * (rng.random((m, 7)) < rng.random((m, 1)))
    search = NeighbourSearch(*sparse_pair(A), similarity, 2**20)
    kernel = nearest_kernels.nearest if compiled else nearest_kernels.nearest.py_func
    rows, room = np.arange(m, dtype=np.int32), search._room_for(m * min(keep, m))
    sizes, all_v, all_s = kernel(rows, kernels.rows_of(search.A), kernels.rows_of(search.A_T), search._comparison(), *room)
    ends = np.cumsum(sizes)
    for v, s, (expected_v, expected_s) in zip(
        np.split(all_v, ends[:-1]), np.split(all_s, ends[:-1]), plain_nearest(A.astype(float), similarity, keep), strict=True
    ):
        assert v.tolist() == expected_v.tolist()
        assert s == pytest.approx(expected_s, rel=1e-15, abs=0)


def sparse_pair(A):
    from scipy import sparse

    return sparse.csr_array(A.astype(np.float32)), sparse.csr_array(A.T.astype(np.float32))


@pytest.mark.parametrize("name", ["sort_nearest_first", "largest", "drop_all_but"])
@given(st.lists(st.sampled_from([0.1, 1 / 3, 0.5, 1.0, 1e-300, 7.0, np.inf]), min_size=1, max_size=120), st.randoms())
def test_sorting_and_selecting(name, values, random):
    """Pairs in any order, many of them equal: 120 take a radix sort, a few an insertion sort."""
    n, keep = len(values), random.randint(1, len(values))
    s, v = np.array(values), np.array(random.sample(range(100_000), n), np.int32)
    expected = np.lexsort((v, -s))
    for kernel in (vars(nearest_kernels)[name], vars(nearest_kernels)[name].py_func):
        if name == "largest":
            assert kernel(keep, s.copy()) == s[expected[keep - 1]]
        elif name == "drop_all_but":
            some_s, some_v = s.copy(), v.copy()
            left, least = kernel(keep, n, some_s, some_v)
            assert least == s[expected[keep - 1]]
            of_all = s >= s[expected[keep - 1]]
            assert some_s[:left].tolist() == s[of_all].tolist() and some_v[:left].tolist() == v[of_all].tolist()
        else:
            found_s, found_v, _, _ = kernel(n, s.copy(), v.copy(), np.empty(n), np.empty(n, np.int32))
            assert found_s.tolist() == s[expected].tolist() and found_v.tolist() == v[expected].tolist()


def test_any_number_of_threads_finds_the_same(monkeypatch):
    R = random_ratings(m=60)
    search = NeighbourSearch(R.csr, R.csc.T, Similarity("pearson", 1, 1.0, 0.5, 40), 2**20)
    found = []
    for n_threads in (1, 2, 5):
        monkeypatch.setattr("acai.threads.n_threads", lambda n=n_threads: n)
        found.append(search.map(lambda block, lists: (block, *lists), np.arange(60), keep=7))
    for blocks in found[1:]:
        for one, other in zip(found[0], blocks, strict=True):
            assert all(np.array_equal(a, b) for a, b in zip(one, other, strict=True))


FOR_PLAYS = {"normalise": False, "centring": "none", "similarity": "asymmetric"}  # lists are rows of a product of matrices


@pytest.mark.parametrize("model", [UserKNN(k=5), ItemKNN(k=5), ItemKNN(k=40, **FOR_PLAYS), ItemKNN(k=3, **FOR_PLAYS)], ids=str)
def test_any_number_of_threads_gives_the_same_lists(model, monkeypatch):
    R, found = random_ratings(m=80), []
    for n_threads in (1, 2, 5):
        monkeypatch.setattr("acai.threads.n_threads", lambda n=n_threads: n)
        found.append((list(model.fit(R).recommend_all()), model.predict(R.users[:30], R.songs[:30]).tolist()))
    assert found[1] == found[0] and found[2] == found[0]


@given(st.lists(st.integers(0, 1000), max_size=50), st.integers(1, 60))
def test_slices_of_equal_work_cover_everything_once(work, longest):
    slices = slices_of_equal_work(np.array(work, np.int64), longest)
    assert [k for each in slices for k in range(len(work))[each]] == list(range(len(work)))
    assert all(0 < each.stop - each.start <= longest for each in slices)
    assert all(sum(work[each]) <= (sum(work) + len(work)) / SLICES + max(work) + 1 for each in slices)


def test_the_compiled_measures_are_those_that_can_be_chosen():
    assert list(MEASURES) == list(SIMILARITIES)
    assert row_norms(sparse_pair(np.array([[3, 4], [0, 0]]))[0]).tolist() == [5, 0]
