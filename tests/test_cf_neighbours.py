"""Neighbours: against the loops of the reference, and, pair by pair, against the library Surprise."""

import statistics
import tracemalloc

import numpy as np
import pytest
from cf_cases import RATINGS, M, N, matrix, random_ratings, similarities
from hypothesis import given
from hypothesis import strategies as st
from scipy import sparse

from acai import InputError, Ratings
from acai.cf import Baseline, ItemKNN, UserKNN, plain
from acai.cf.similarities import SIMILARITIES
from acai.reference import cf as reference


def reference_similarities(R, measure):
    return [[measure(R, u, v) if u != v else 0.0 for v in range(M)] for u in range(M)]


def test_each_song_stores_as_many_neighbours_as_fit_into_twice_the_memory():
    R = random_ratings()
    for fit, room in ((20, 0), (20, 12 * R.n_songs - 2), (R.n_songs - 1, 12 * R.n_songs * R.n_songs)):
        model = ItemKNN(k=5, similarity="overlap", memory=(12 * R.n_songs * 20 + room) // 2).fit(R)
        assert np.diff(model.near).max() == fit
        assert fit < 20 or model.j.nbytes + model.s.nbytes <= 2 * model.memory
    assert np.diff(ItemKNN(k=5, similarity="overlap", memory=1).fit(R).near).max() == 5


def test_the_asymmetric_cosine_is_the_cosine_by_default():
    sums = plain.CoRatedSums(*np.arange(1.0, 9.0)[:, None])
    assert np.allclose(plain.asymmetric(sums), plain.cosine(sums))


@given(RATINGS)
def test_pearson_is_its_equation(R):
    expected = reference_similarities(R, reference.pearson)
    assert np.allclose(similarities(R, "pearson"), np.maximum(expected, 0), atol=1e-12)  # those ≤ 0 are left out


@given(RATINGS)
def test_msd_and_overlap_are_their_definitions(R):
    assert np.allclose(similarities(R, "msd"), reference_similarities(R, reference.msd), atol=1e-14)
    assert np.array_equal(similarities(R, "overlap"), reference_similarities(R, lambda *a: len(reference.common(*a))))


@given(RATINGS, st.sampled_from([0.0, 0.2, 0.5, 1.0]))
def test_asymmetric_cosine_is_its_equation(R, alpha):
    def measure(R, u, v):
        return reference.asymmetric_cosine(R, u, v, alpha) if reference.common(R, u, v) else 0.0

    expected = reference_similarities(R, measure)
    assert np.allclose(similarities(R, "asymmetric", asymmetry=alpha), expected, rtol=1e-12)
    if alpha == 0.5:
        assert np.allclose(similarities(R, "cosine"), expected, rtol=1e-12)


@given(RATINGS, st.integers(1, 4))
def test_the_indicator_is_one_for_the_k_nearest(R, k):
    assert np.array_equal(similarities(R, "indicator", k), reference.indicator(R, k, M))


@given(RATINGS)
def test_shrinkage_and_overlap(R):
    n = np.array(reference_similarities(R, lambda *a: len(reference.common(*a))))
    unshrunk = similarities(R, "msd")
    assert np.allclose(similarities(R, "msd", shrinkage=3.0), unshrunk * n / (n + 3), atol=1e-14)
    assert np.allclose(similarities(R, "msd", min_overlap=2), np.where(n >= 2, unshrunk, 0), atol=1e-14)


@given(RATINGS, st.integers(1, 4), st.sampled_from(["pearson", "msd", "overlap"]), st.integers(1, 5))
def test_prediction_is_its_equation(R, k, name, least):
    model = UserKNN(k=k, similarity=name, shrinkage=0, min_neighbours=least).fit(matrix(R))
    s = similarities(R, name)
    mu, rated_users, rated_songs = np.mean(list(R.values())), {u for u, _ in R}, {i for _, i in R}
    users, songs = np.divmod(np.arange(M * N), N)
    known = [u in rated_users and i in rated_songs for u, i in zip(users, songs)]
    expected = [reference.predicted(R, s, k, u, i, min(least, k)) if k_ui else mu for u, i, k_ui in zip(users, songs, known)]
    expected = np.clip(expected, min(R.values()), max(R.values()))
    assert np.allclose(model.predict(users, songs), expected, atol=1e-12)


@given(RATINGS, st.integers(1, 4), st.sampled_from(["pearson", "msd"]), st.sampled_from(["mean", "zscore", "none"]))
def test_item_neighbours_are_user_neighbours_of_the_transpose(R, k, name, centring):
    transpose = {(i, u): r for (u, i), r in R.items()}
    users, songs = np.divmod(np.arange(M * N), N)
    by_song = ItemKNN(k=k, similarity=name, centring=centring).fit(matrix(R)).predict(users, songs)
    by_user = UserKNN(k=k, similarity=name, centring=centring).fit(matrix(transpose, N, M)).predict(songs, users)
    assert np.allclose(by_song, by_user, atol=1e-12)


@given(RATINGS)
def test_zscores_are_distances_from_the_mean_in_units_of_the_users_own_spread(R):
    """Oracle: statistics.pstdev; who rates everything the same has the spread of all ratings, or 1 if that is zero, too."""
    centred = UserKNN(centring="zscore").fit(matrix(R)).centred
    of_all = statistics.pstdev(R.values()) or 1.0
    for u in range(M):
        own = [r for (v, _), r in R.items() if v == u]
        assert centred.scale_u[u] == pytest.approx(statistics.pstdev(own or [0]) or of_all)
    z = [(R[u, i] - centred.offset_u[u]) / centred.scale_u[u] for u, i in sorted(R)]
    assert centred.z == pytest.approx(z) and (centred.scale_i == 1).all() and (centred.offset_i == 0).all()


@pytest.mark.parametrize("knn", [UserKNN, ItemKNN])
def test_a_new_listener_is_measured_from_their_own_biases(knn):
    R = random_ratings()
    model = knn(centring="baseline", min_neighbours=1, k=1, similarity="overlap", min_overlap=10**6).fit(R)
    biases = Baseline().fit(R)
    found = model._score_newcomer(np.array([4, 2]), np.array([5.0, 1.0]))  # nobody is similar: the biases remain
    assert found == pytest.approx(biases._score_newcomer(np.array([4, 2]), np.array([5.0, 1.0])))


def test_how_many_neighbours_a_prediction_needs():
    """By default one in 50, from 1 to 20, and never more than k; with sums, one is enough."""
    for n_users, k, expected in [(40, 40, 1), (200, 40, 4), (2000, 40, 20), (2000, 7, 7)]:
        R = Ratings.from_triplets(range(n_users), [0] * n_users, [3.0] * n_users)
        assert UserKNN(k=k).fit(R)._how_many() == (expected, k)
        assert ItemKNN(k=k).fit(R)._how_many() == (1, k)
    sums = UserKNN(normalise=False).fit(R)
    assert sums._how_many() == (1, 40) and sums.search.similarity.shrinkage == 0
    assert UserKNN(min_neighbours=30).fit(R)._how_many() == (30, 40) and UserKNN().fit(R).search.similarity.shrinkage == 100


@pytest.mark.parametrize("knn", [UserKNN, ItemKNN])
def test_what_a_single_neighbour_loves_is_not_recommended_first(knn):
    """Of twenty songs that fifty listeners know, six are good; somebody whose taste is that of listener 0 gives others 5."""
    rng = np.random.default_rng(0)
    pairs = [(u, i) for u in range(50) for i in rng.permutation(20)[:12].tolist()]
    table = {(u, i): float(rng.integers(4, 6) if i < 6 else rng.integers(2, 5)) for u, i in pairs}
    table |= {(50, i): r for (u, i), r in table.items() if u == 0} | {(50, i): 5.0 for i in range(20, 25)}
    R = Ratings.from_triplets(*zip(*table), list(table.values()))
    naive = knn(min_neighbours=1, shrinkage=0, centring="mean").fit(R)
    assert set(dict(naive.recommend(0, n=2))) < set(range(20, 25))
    found = knn(min_neighbours=5).fit(R).recommend(0, n=2)
    assert set(dict(found)) < set(range(6))


def test_equally_similar_neighbours_are_in_the_order_of_the_matrix():
    R = Ratings.from_triplets("aabbccdd", "xyxzxzxz", [3, 3, 3, 1, 3, 3, 3, 5])  # b, c and d are all exactly like a
    model = UserKNN(k=2, similarity="msd").fit(R)
    assert [n.name for n in model.explain("a", "z")] == ["b", "c"]


@pytest.mark.parametrize("knn", [UserKNN, ItemKNN])
@pytest.mark.parametrize("centring", ["mean", "zscore", "baseline", "none"])
def test_an_explanation_adds_up(knn, centring):
    R = random_ratings()
    model = knn(k=5, similarity="msd", centring=centring).fit(R)
    for user, song in [("user 3", 4), ("user 7", 20), ("user 12", 0)]:
        u, i = R.row(user), R.column(song)
        reasons = model.explain(user, song)
        assert 0 < len(reasons) <= 5
        assert [r.similarity for r in reasons] == sorted((r.similarity for r in reasons), reverse=True)
        offset = model.centred.offset_u[u] + model.centred.offset_i[i]
        assert offset + sum(r.contribution for r in reasons) == pytest.approx(model._predict_pairs(np.array([u]), np.array([i]))[0])
        about = [(r.name, song) if knn is UserKNN else (user, r.name) for r in reasons]
        assert [r.rating for r in reasons] == [R.csr[R.row(v), R.column(j)] for v, j in about]


@pytest.mark.parametrize("knn", [UserKNN, ItemKNN])
def test_block_size_does_not_change_the_result(knn):
    R = random_ratings()
    users, songs, _ = zip(*R.triplets())
    whole = knn(similarity="pearson", **({"keep": 40} if knn is ItemKNN else {})).fit(R)
    sliced = knn(similarity="pearson", memory=1, **({"keep": 40} if knn is ItemKNN else {})).fit(R)
    assert np.array_equal(whole.predict(users, songs), sliced.predict(users, songs))
    assert whole.similar(3) == sliced.similar(3)


@pytest.mark.parametrize("knn", [UserKNN, ItemKNN])
def test_neighbours_take_no_more_memory_than_they_are_given(knn):
    """Everybody has something in common with everybody: all pairs at once would take 52 bytes each, 132 MB in all."""
    m, memory = 1600, 2**22
    users, songs = np.divmod(np.arange(4 * m), 4)
    who, what = (users, songs) if knn is UserKNN else (songs, users)
    R = Ratings.from_triplets(who, what, 1.0 + (users % 4 == songs))
    model = knn(k=5, similarity="cosine", memory=memory).fit(R)  # once without being measured: kernels are compiled
    tracemalloc.start()
    model.fit(R)
    for _ in model.recommend_all(memory=memory):
        pass
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 5 * memory


@pytest.mark.parametrize("centring", ["none", "mean"])
def test_scores_equal_predictions_of_pairs(centring):
    R = random_ratings().map(np.sqrt)
    options = {"similarity": "asymmetric", "centring": centring}
    model = ItemKNN(k=8, keep=8, **options).fit(R)
    u, i = np.divmod(np.arange(R.n_users * R.n_songs), R.n_songs)
    assert np.allclose(model._score_rows(np.arange(R.n_users)).ravel(), model._predict_pairs(u, i), atol=1e-12)


def test_sums_instead_of_means():
    R = random_ratings()
    model = ItemKNN(k=30, keep=30, similarity="cosine", centring="none", normalise=False).fit(R)
    S = sparse.csr_array((model.s, model.j, model.near)).toarray()
    assert np.allclose(model._score_rows(np.arange(R.n_users)), R.csr.toarray() @ S.T)
    assert not model.predicts_ratings


MADE_UP = [("made up", knn, name) for knn in (UserKNN, ItemKNN) for name in ("msd", "pearson", "cosine_corated")]
REAL = [("MovieLens-100k", UserKNN, "msd"), ("MovieLens-100k", UserKNN, "pearson"), ("MovieLens-100k", ItemKNN, "msd")]


@pytest.mark.parametrize("data, ours, name", MADE_UP + REAL)
def test_surprise_pair_by_pair(data, ours, name, request):
    """The oracle is Surprise 1.1: KNNBasic, KNNWithMeans, KNNWithZScore, KNNBaseline on the same training set."""
    surprise = pytest.importorskip("surprise", reason="scikit-surprise (extra bench) is the oracle")
    train, test = movielens(request) if data != "made up" else random_ratings(m=60).split(0.3, seed=1)
    triplets = list(test.triplets())
    users, songs, _ = zip(*triplets)
    reader = surprise.Reader(rating_scale=(train.csr.data.min(), train.csr.data.max()))
    raw = [(user, song, value, None) for user, song, value in train.triplets()]
    theirs_train = surprise.Dataset(reader).construct_trainset(raw)
    options = {"name": name.removesuffix("_corated"), "user_based": ours is UserKNN}
    for min_k, centring, knn in [
        (1, "none", surprise.KNNBasic),
        (1, "mean", surprise.KNNWithMeans),
        (5, "mean", surprise.KNNWithMeans),
        (1, "zscore", surprise.KNNWithZScore),
        (5, "baseline", surprise.KNNBaseline),
        (1, "baseline", surprise.KNNBaseline),
    ]:
        theirs = knn(min_k=min_k, sim_options=options, verbose=False).fit(theirs_train)
        expected = [prediction.est for prediction in theirs.test(triplets)]
        found = ours(similarity=name, centring=centring, shrinkage=0, min_neighbours=min_k).fit(train).predict(users, songs)
        assert np.abs(found - expected).max() < 1e-10


def movielens(request):
    from acai.datasets import movielens_100k

    folder = request.getfixturevalue("real_data")
    train, test = next(iter(movielens_100k(folder / "ml-100k").folds(5, seed=0)))
    return train, test.keep(np.arange(test.n_ratings) % 20 == 0)  # all similarities, a twentieth of the predictions


def test_mistakes_are_named():
    with pytest.raises(InputError, match="no similarity 'pearsen'; there is: pearson"):
        UserKNN(similarity="pearsen")
    with pytest.raises(InputError, match="no centring 'means'; there is: mean"):
        ItemKNN(centring="means")
    with pytest.raises(InputError, match="k=0"):
        UserKNN(k=0)
    with pytest.raises(InputError, match="keep=3; expected k=40 or more"):
        ItemKNN(keep=3)
    assert set(SIMILARITIES) == {"pearson", "msd", "cosine", "cosine_corated", "asymmetric", "overlap", "indicator"}
