"""What every recommender does; and the plain ones, SVD among them, against their equations."""

import dataclasses
import functools
import inspect
import mmap
import re
from pathlib import Path

import numpy as np
import pytest
from cf_cases import RATINGS, M, N, matrix, random_ratings
from forgery import forge
from hypothesis import given
from hypothesis import strategies as st

import acai
from acai import InputError, Ratings
from acai.cf import (
    ALS,
    MODELS,
    SGD,
    SVD,
    Baseline,
    GlobalMean,
    GradientDescent,
    ItemKNN,
    Popularity,
    UserKNN,
    factor_model,
    iterative,
    kernels,
    recommender,
)
from acai.reference import cf as reference

SMALL = [
    GlobalMean(), Baseline(), Popularity(), UserKNN(k=5), UserKNN(similarity="msd", centring="baseline"), ItemKNN(k=5),
    ItemKNN(k=5, keep=5, similarity="asymmetric", normalise=False, centring="none"), SVD(n_factors=3),
    GradientDescent(n_factors=3, n_epochs=5), SGD(n_factors=3, n_epochs=3, momentum=0.5), ALS(n_factors=3, n_epochs=2),
]
NAMES = [f"{type(model).__name__} {number}" for number, model in enumerate(SMALL)]


@pytest.fixture(scope="module")
def ratings():
    """With a user and a song of whom nothing is known."""
    R = random_ratings()
    chosen = (R.user_codes != 3) & (R.csr.indices != 5)
    return R.keep(chosen)


@pytest.fixture(params=SMALL, ids=NAMES)
def model(request, ratings):
    return request.param.fit(ratings)


def test_fit_returns_the_model_and_every_model_is_listed(model):
    assert MODELS[type(model).__name__] is type(model)
    assert {type(each) for each in SMALL} == set(MODELS.values())


def test_base_classes_do_not_know_their_subclasses():
    for module in (recommender, factor_model, iterative):
        source = Path(module.__file__).read_text(encoding="utf-8")
        assert [name for name in MODELS if re.search(rf"\b{name}\b", source)] == []


def test_a_model_that_is_not_iterative_has_no_start():
    assert not issubclass(SVD, iterative.IterativeFactorModel) and not hasattr(SVD, "_initialise")
    for kind in MODELS.values():
        if issubclass(kind, iterative.IterativeFactorModel):
            assert set(iterative.IterativeFactorModel.__annotations__) <= {field.name for field in dataclasses.fields(kind)}


def test_a_model_that_is_not_fitted_says_so():
    with pytest.raises(InputError, match=r"this SVD is not fitted; call fit\(ratings\) first"):
        SVD().ratings  # noqa: B018


NEIGHBOURS = dict(
    k=40, similarity="pearson", min_neighbours=None, min_overlap=1, shrinkage=None, centring="mean", asymmetry=0.5,
    normalise=True, memory=2**27,
)
DEFAULTS = {
    GlobalMean: {},
    Baseline: dict(n_epochs=10, reg_u=15.0, reg_i=10.0),
    Popularity: {},
    UserKNN: NEIGHBOURS,
    ItemKNN: NEIGHBOURS | {"centring": "baseline", "keep": None},
    SVD: dict(n_factors=10, damping=5.0),
    GradientDescent: dict(
        n_factors=10, n_epochs=100, learning_rate=1e-4, reg=0.02, bold_driver=True, growth=1.05, biases=False, init_std=0.1,
        seed=0, init=None,
    ),
    SGD: dict(
        n_factors=100, n_epochs=20, learning_rate=0.005, reg=0.02, momentum=0.0, biases=True, init_std=0.1, shuffle=False,
        seed=0, decay=1.0, patience=None, init=None,
    ),
    ALS: dict(n_factors=50, n_epochs=15, reg=0.1, alpha=2.0, epsilon=1.0, cg_steps=None, init_std=0.1, seed=0, init=None),
}


@pytest.mark.parametrize("kind", MODELS.values())
def test_default_settings_are_those_that_are_promised(kind):
    assert {field.name: field.default for field in dataclasses.fields(kind)} == DEFAULTS[kind]


def test_nothing_is_shown_unless_progress_is_asked_for(model, ratings, capsys):
    model.fit(ratings)
    model.predict(["user 1"], [7])
    list(model.recommend_all(n=1))
    assert capsys.readouterr() == ("", "")
    model.fit(ratings, progress=True)
    assert ("%" in capsys.readouterr().err) == isinstance(model, ItemKNN | GradientDescent | SGD | ALS)


def test_predicts_within_the_range_pair_by_pair(model, ratings):
    users, songs, _ = zip(*ratings.triplets())
    r_hat = model.predict(users, songs)
    assert r_hat.dtype == np.float64 and r_hat.shape == (len(users),)
    if model.predicts_ratings:
        assert (r_hat >= 1).all() and (r_hat <= 5).all()
    backwards = model.predict(np.array(users)[::-1], np.array(songs)[::-1])
    assert np.allclose(backwards[::-1], r_hat, rtol=1e-6)


def test_unknown_users_and_songs_fall_back_on_what_is_known(model, ratings):
    r_hat = model.predict(["nobody", "user 0", "nobody", "user 3", "user 0"], [0, "no song", "no song", 0, ratings.songs[5]])
    assert np.isfinite(r_hat).all()
    mu = ratings.csr.data.mean()
    if isinstance(model, GlobalMean | Baseline) or (model.predicts_ratings and getattr(model, "mu", 0) != 0):
        assert r_hat[2] == pytest.approx(mu, abs=1e-6)


def test_recommends_the_best_that_are_new(model, ratings):
    row = 7
    scores = np.asarray(model._score_rows(np.array([row])), np.float32)[0]
    known = set(ratings.csr.indices[ratings.csr.indptr[row] : ratings.csr.indptr[row + 1]])
    order = sorted((i for i in range(ratings.n_songs) if i not in known), key=lambda i: (-scores[i], i))
    found = model.recommend(ratings.users[row], n=4)
    assert [song for song, _ in found] == [ratings.songs[i] for i in order[:4]]
    clipped = np.clip(scores, 1, 5) if model.predicts_ratings else scores  # as predictions are
    assert np.allclose([score for _, score in found], clipped[order[:4]])
    everything = model.recommend(ratings.users[row], n=10**6, exclude_rated=False)
    assert len(everything) == ratings.n_songs
    assert len(model.recommend(ratings.users[row], n=10**6)) == ratings.n_songs - len(known)


def test_scores_and_pairs_are_the_same_prediction(model, ratings):
    u, i = np.divmod(np.arange(ratings.n_users * ratings.n_songs), ratings.n_songs)
    assert np.allclose(model._score_rows(np.arange(ratings.n_users)).ravel(), model._predict_pairs(u, i), atol=1e-5)


def test_recommending_to_all_users_does_not_depend_on_block_size(model, ratings):
    whole = dict(model.recommend_all(n=3))
    one_by_one = dict(model.recommend_all(n=3, memory=1))
    assert list(whole) == list(ratings.users)
    for user in ratings.users:
        assert [song for song, _ in whole[user]] == [song for song, _ in one_by_one[user]]
    some = dict(model.recommend_all(["user 4", "user 2"], n=3))
    assert list(some) == ["user 4", "user 2"] and len(some["user 4"]) == 3
    assert inspect.isgenerator(model.recommend_all())


def test_similar_songs(model, ratings):
    if isinstance(model, GlobalMean | Baseline | Popularity):
        with pytest.raises(InputError, match=f"{type(model).__name__} does not compare songs; expected a model of neighbours"):
            model.similar(7)
        return
    found = model.similar(7, n=4)
    assert len(found) <= 4 and 7 not in [song for song, _ in found]
    assert [likeness for _, likeness in found] == sorted((likeness for _, likeness in found), reverse=True)
    if hasattr(model, "Q"):
        q, others = model.Q[ratings.column(7)], model.Q[[ratings.column(song) for song, _ in found]]
        cosines = others @ q / np.linalg.norm(q) / np.linalg.norm(others, axis=1)
        assert np.allclose([likeness for _, likeness in found], cosines, atol=1e-5)


def test_saved_and_loaded(model, ratings, tmp_path):
    path = tmp_path / "a model.npz"
    model.save(path)
    again = acai.load(path)
    assert again == model and type(again) is type(model)
    users, songs, _ = zip(*ratings.triplets())
    assert np.array_equal(again.predict(users, songs), model.predict(users, songs))
    assert again.recommend("user 1") == model.recommend("user 1")
    assert getattr(again, "history", None) == getattr(model, "history", None)
    assert [p.name for p in tmp_path.iterdir()] == ["a model.npz"]
    assert list(again.ratings.triplets()) == list(ratings.triplets())


def test_no_pickle_is_read(tmp_path):
    np.savez(tmp_path / "bad.npz", header=np.array([print], dtype=object))
    (tmp_path / "text.npz").write_text("not a zip")
    for name in ("bad.npz", "text.npz"):
        with pytest.raises(InputError, match=f"{name}: not a model saved by acai"):
            acai.load(tmp_path / name)
    with pytest.raises(InputError, match=r"none\.npz: there is no such file; expected a model saved by acai"):
        acai.load(tmp_path / "none.npz")


def put(name, index, value):
    """A change for `forge`: one number of an array."""
    return lambda a, v: a[name].__setitem__(index, value)


@pytest.mark.parametrize("change, message", [
    (lambda a, v: v.update(model=["ItemKNN"]), r"model is \"\('ItemKNN',\)\", tuple; expected str"),
    (lambda a, v: v["settings"].update(k=0), "k=0; expected an integer, at least 1"),
    (lambda a, v: v["settings"].update(depth=3), "ItemKNN has no setting depth=3"),
    (lambda a, v: v["settings"].update(similarity={}), "ItemKNN has no setting similarity={}"),
    (put("learnt j", 0, 2_000_000_000), "j has a song number outside the 30 songs"),
    (put("learnt j", 0, 30), "j has a song number outside the 30 songs"),
    (put("learnt j", 0, -1), "j has a song number outside the 30 songs"),
    (put("learnt near", 1, -1), "near does not rise from 0"),
    (put("learnt near", -1, 2**40), "near does not rise from 0"),
    (lambda a, v: a.update({"learnt near": a["learnt near"][:-1]}), r"near is \(30,\) int64; expected \(31\) int64"),
    (lambda a, v: a.update({"learnt s": a["learnt s"][:-1]}), r"s is .* float64; expected"),
    (lambda a, v: a.update({"learnt j": a["learnt j"].astype(float)}), "j is .* float64; expected .* int32"),
    (put("learnt s", 0, np.inf), "learnt s holds NaN or infinity"),
    (lambda a, v: a.update(indices=a["indices"][:0], data=a["data"][:0], indptr=0 * a["indptr"]), "there is no rating"),
])
def test_item_neighbours_that_do_not_fit_are_refused(tmp_path, change, message):
    path = tmp_path / "model.npz"
    ItemKNN(k=5).fit(random_ratings()).save(path)
    with pytest.raises(InputError, match=f"model.npz: not a model saved by acai: .*{message}"):
        acai.load(forge(path, change))


@pytest.mark.parametrize("model", SMALL, ids=lambda model: type(model).__name__)
def test_learnt_arrays_must_be_there_and_have_the_expected_shape(tmp_path, model):
    path = tmp_path / "model.npz"
    model.fit(random_ratings()).save(path)
    saved = path.read_bytes()
    with np.load(path) as file:
        arrays = dict(file)
    for name in (f"learnt {name}" for name in model.state):
        for other in "7", [["7"]], arrays.get(name, "xyz")[:1], np.expand_dims(arrays.get(name, 7), 0):
            path.write_bytes(saved)
            with pytest.raises(InputError, match=r"model\.npz: not a model saved by acai: "):
                acai.load(forge(path, functools.partial(replace, name, other)))


@pytest.mark.parametrize("change", [{"memory": 10**15}, {"memory": 2**63 - 1}, {"k": 10**15}, {"min_overlap": 2**62}])
def test_settings_of_strangers_take_no_memory(tmp_path, change):
    path, ratings = tmp_path / "model.npz", random_ratings()
    model = UserKNN().fit(ratings)
    model.save(path)
    again = acai.load(forge(path, lambda a, v: v["settings"].update(change)))
    assert np.isfinite(again.predict(ratings.users, ratings.songs[:1] * ratings.n_users)).all()
    assert len(again.recommend(ratings.users[0], n=3)) == 3
    for wrong in {"k": 10**30}, {"memory": 2**63}, {"shrinkage": 1e300}, {"k": True}, {"k": 40.0}:
        with pytest.raises(InputError, match=r"model\.npz: not a model saved by acai: "):
            acai.load(forge(path, lambda a, v, wrong=wrong: v["settings"].update(change | wrong)))


def test_more_memory_than_there_is_is_a_sentence():
    m = 400_000
    model = UserKNN(memory=2**62).fit(Ratings.from_triplets(range(m), [0] * m, [1.0] * m))
    statm = Path("/proc/self/statm")
    pages = [int(statm.read_text().split()[0])] if statm.exists() else [0]
    with pytest.raises(InputError, match=r"memory=4611686018427387904: there are not as many bytes for [\d,]+ pairs; set less"):
        model.predict(range(m), [0] * m)
    pages.append(int(statm.read_text().split()[0]) if statm.exists() else 0)
    assert (pages[1] - pages[0]) * mmap.PAGESIZE < 2**30  # or no process could be forked any more


def replace(name, other, arrays, values):
    """A change for `forge`: something else for what was stored by this name."""
    arrays.pop(name, None)
    values.pop(name, None)
    (arrays if isinstance(other, np.ndarray) else values)[name] = other


@given(RATINGS, st.sampled_from([0.0, 2.0]), st.integers(1, 3))
def test_baseline_is_its_equation(R, reg, n_epochs):
    model = Baseline(n_epochs=n_epochs, reg_u=reg + 1, reg_i=reg + 0.5).fit(matrix(R))
    mu, b_u, b_i = reference.biases(R, M, N, reg + 1, reg + 0.5, n_epochs)
    assert model.mu == pytest.approx(mu)
    assert np.allclose(model.b_u, b_u, atol=1e-12) and np.allclose(model.b_i, b_i, atol=1e-12)
    predicted = model.predict_codes(np.array([1]), np.array([2]))
    assert predicted == pytest.approx(np.clip(reference.baseline(mu, b_u, b_i, 1, 2), min(R.values()), max(R.values())))


def test_baseline_predicts_the_mean_and_the_biases_that_are_known(ratings):
    model = Baseline().fit(ratings)
    u, i = ratings.row("user 5"), ratings.column(7)
    pairs = np.array([u, 0, u, -1, -1]), np.array([i, i, -1, i, -1])
    expected = [model.b_u[u] + model.b_i[i], model.b_u[0] + model.b_i[i], model.b_u[u], model.b_i[i], 0]
    assert min(map(abs, expected[:4])) > 1e-3 and np.allclose(model._predict_pairs(*pairs), model.mu + np.array(expected))
    assert np.allclose(model._predict_pairs(np.array([u]), np.array([0])), model.mu + model.b_u[u] + model.b_i[0])


@given(RATINGS, st.integers(1, 4), st.sampled_from([0.0, 0.5, 5.0]))
def test_svd_is_its_equations(R, k, damping):
    model = SVD(n_factors=k, damping=damping).fit(matrix(R))
    A = reference.filled(R, M, N, damping)
    M_, sigma, N_ = reference.svd(A)
    assert np.allclose(model.sigma, sigma[:k], atol=1e-6)
    if k == len(sigma) or sigma[k - 1] - sigma[k] > 1e-3:  # or else the k-th direction is anybody's choice
        assert np.allclose(model.P @ model.Q.T, reference.truncated(M_, sigma, N_, k), atol=1e-5)
        for f in range(k):
            if all(abs(sigma[f] - sigma[g]) > 1e-3 for g in range(len(sigma)) if g != f) and sigma[f] > 1e-3:
                P, Q = (np.array(part)[:, f] for part in reference.factors(M_, sigma, N_, k))
                sign = np.sign(Q[np.abs(Q).argmax()])
                if np.sort(np.abs(Q))[-1] - np.sort(np.abs(Q))[-2] > 1e-6:
                    assert np.allclose(model.P[:, f], sign * P, atol=1e-5)
                    assert np.allclose(model.Q[:, f], sign * Q, atol=1e-5)


def test_svd_folds_in_its_own_listeners():
    R = random_ratings()
    model = SVD(n_factors=4).fit(R)
    heard = {song: value for who, song, value in R.triplets() if who == "user 9"}
    assert np.allclose(model.fold_in(heard), model.P[R.row("user 9")], atol=1e-8)
    with pytest.raises(InputError, match="n_factors=30; expected less than the 40 users and the 30 songs"):
        SVD(n_factors=30).fit(R)


@given(RATINGS, st.integers(0, 5))
def test_factors_multiply(R, seed):
    """(C4), with biases around it."""
    model = SGD(n_factors=2, n_epochs=1, seed=seed).fit(matrix(R))
    for u in range(M):
        for i in range(N):
            expected = model.mu + model.b_u[u] + model.b_i[i] + reference.entry(model.P, model.Q, u, i)
            assert model._predict_pairs(np.array([u]), np.array([i]))[0] == pytest.approx(expected, abs=1e-5)


def test_popularity_counts_heads():
    R = Ratings.from_triplets("aabbc", "xyxzx", [1, 9, 1, 9, 1])
    assert Popularity().fit(R).recommend("c") == [("y", pytest.approx(1 / 3)), ("z", pytest.approx(1 / 3))]
    assert Popularity().fit(R).predict(["a", "a"], ["x", "nothing"]).tolist() == [1.0, 0.0]


@given(st.lists(st.lists(st.sampled_from([-np.inf, 0.0, 1.0, 2.0, np.nan]), min_size=4, max_size=4), min_size=1, max_size=3))
def test_the_best_of_each_row(rows):
    scores = np.array(rows, np.float32)
    for kernel in (kernels.top_n, kernels.top_n.py_func):
        columns, _ = kernel(scores, 3)
        for row, found in zip(rows, columns.tolist()):
            allowed = [i for i, s in enumerate(row) if s > -np.inf]
            expected = sorted(allowed, key=lambda i: (-row[i], i))[:3]
            assert found == expected + [-1] * (3 - len(expected))


def test_mistakes_are_named(ratings):
    with pytest.raises(InputError, match="this SGD is not fitted; call fit"):
        SGD().predict(["a"], ["b"])
    model = GlobalMean().fit(ratings)
    with pytest.raises(InputError, match="no user 'user 99'; there is: "):
        model.recommend("user 99")
    with pytest.raises(InputError, match="no song 99; there is: "):
        UserKNN().fit(ratings).similar(99)
    with pytest.raises(InputError, match="there are 2 users and 1 songs"):
        model.predict(["user 1", "user 2"], [3])
    with pytest.raises(InputError, match="users is the single id 'user 1'"):
        model.predict("user 1", [3])
    with pytest.raises(InputError, match="n=0; expected an integer, at least 1"):
        model.recommend("user 1", n=0)
    with pytest.raises(InputError, match="GlobalMean has no latent factors; expected a factor model"):
        model.fold_in({3: 5.0})
    svd = SVD(n_factors=2).fit(ratings)
    with pytest.raises(InputError, match="has not rated a single song"):
        svd.fold_in({})
    with pytest.raises(InputError, match="rating nan is not a finite number"):
        svd.fold_in({3: float("nan")})
    with pytest.raises(InputError, match="no song 'la la la'"):
        svd.fold_in({"la la la": 3.0})


@pytest.mark.parametrize(
    ("model", "setting", "expected"),
    [
        (SGD, {"n_factors": 2.5}, "an integer, at least 1, at most 10000"),
        (UserKNN, {"k": "5"}, "an integer, at least 1"),
        (UserKNN, {"k": 2.5}, "an integer, at least 1"),
        (UserKNN, {"memory": 1e9}, "an integer, at least 1"),
        (ALS, {"n_epochs": None}, "an integer, at least 0"),
        (ALS, {"seed": -1}, "an integer, at least 0"),
        (ItemKNN, {"keep": 90.0}, "an integer, at least 1 or None"),
        (SGD, {"patience": 0}, "an integer, at least 1 or None"),
        (GradientDescent, {"growth": 0.5}, "a finite number, at least 1"),
        (Baseline, {"reg_u": "15"}, "a finite number, at least 0"),
        (ALS, {"alpha": np.nan}, "a finite number, more than 0"),
        (ItemKNN, {"asymmetry": [0.5]}, "a finite number, at least 0, at most 1"),
    ],
)
def test_settings_of_a_wrong_kind_or_size(model, setting, expected):
    ((name, given),) = setting.items()
    with pytest.raises(InputError) as error:
        model(**setting)
    assert str(error.value) == f"{name}={given!r}; expected {expected}"


def test_settings_may_come_from_numpy(ratings, tmp_path):
    UserKNN(k=np.int32(5), shrinkage=np.float32(2)).fit(ratings).save(tmp_path / "model.npz")
    assert acai.load(tmp_path / "model.npz") == UserKNN(k=5, shrinkage=2.0)


def test_a_model_class_instead_of_a_model_is_refused(ratings):
    for no_model, said in ((SGD, "model=SGD"), ("SGD", "model='SGD'")):
        with pytest.raises(InputError, match=f"^{said}; expected a model with its settings, such as SGD"):
            acai.evaluation.evaluate(no_model, ratings, ratings)


@pytest.mark.parametrize("name", MODELS)
def test_only_ratings_are_accepted(name):
    table = np.array([[5.0, 0.0], [1.0, 4.0]])
    with pytest.raises(InputError, match=r"learns from Ratings, not from ndarray; build them from .*Ratings\.from_triplets\("):
        MODELS[name]().fit(table)
    as_told = Ratings.from_matrix(table)
    assert sorted(as_told.triplets()) == [(0, 0, 5.0), (1, 0, 1.0), (1, 1, 4.0)]


def test_after_a_failed_fit_a_model_is_not_fitted(ratings):
    model = SVD(n_factors=2).fit(ratings)
    model.n_factors = 30
    with pytest.raises(InputError, match="expected less than"):
        model.fit(ratings)
    with pytest.raises(InputError, match="is not fitted; call fit"):
        model.recommend("user 1")


def test_importing_is_cheap():
    import subprocess
    import sys

    code = "import sys, acai.cf, acai.evaluation; print([m for m in ('numba', 'librosa', 'matplotlib') if m in sys.modules])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
