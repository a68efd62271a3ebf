"""Lists: which songs may be on them, new listeners, reasons, similar users; and that lists and predictions agree in order."""

import dataclasses
import math

import numpy as np
import pytest
from cf_cases import PLAYS, RATINGS, M, N, matrix, random_ratings
from forgery import forge
from hypothesis import given
from hypothesis import settings as effort
from hypothesis import strategies as st
from scipy import sparse
from test_cf_odd import quick

import acai
from acai import InputError, Ratings
from acai.cf import ALS, MODELS, SGD, SVD, GradientDescent, ItemKNN, UserKNN
from acai.cf.lists import most_similar
from acai.cf.similarities import row_norms
from acai.cf.statistics import mean
from acai.evaluation import evaluate
from acai.reference import cf as reference

R = random_ratings(m=20, n=15, per_user=8)
FACTORS = ["SVD", "GradientDescent", "SGD", "ALS"]
PLAIN = ["GlobalMean", "Baseline", "Popularity"]
models = pytest.mark.parametrize("name", MODELS)


@pytest.fixture(scope="module")
def fitted():
    return {name: quick(name).fit(R) for name in MODELS}


ALL = [*((name, {"n_factors": 1} if name == "SVD" else {}) for name in MODELS)]
ALL += [("UserKNN", {"min_neighbours": 2, "similarity": "msd"}), ("ItemKNN", {"min_neighbours": 3, "centring": "zscore"})]
ALL += [("ItemKNN", {"normalise": False, "centring": "none"}), ("SGD", {"biases": False, "learning_rate": 0.1})]


@pytest.mark.parametrize(("name", "settings"), ALL, ids=str)
@effort(max_examples=25)
@given(RATINGS, st.booleans(), st.data())
def test_lists_and_predictions_agree_in_order(name, settings, R, exclude_rated, data):
    R = matrix(R)
    model = quick(name, **settings).fit(R)
    some = data.draw(st.lists(st.sampled_from(R.songs), min_size=1, unique=True))
    user, n = data.draw(st.sampled_from(R.users)), data.draw(st.integers(1, N))
    found = model.recommend(user, n, exclude_rated, candidates=some)
    rated = {song for who, song, _ in R.triplets() if who == user} if exclude_rated else set()
    allowed = [song for song in R.songs if song in some and song not in rated]
    r_hat = dict(zip(allowed, model.predict([user] * len(allowed), allowed)))
    assert len(found) == min(n, len(allowed)) and len(dict(found)) == len(found) and {song for song, _ in found} <= set(allowed)
    assert np.allclose([score for _, score in found], [r_hat[song] for song, _ in found], rtol=1e-5, atol=1e-5)
    assert [score for _, score in found] == sorted((score for _, score in found), reverse=True)
    left = [r_hat[song] for song in allowed if song not in dict(found)]
    assert not left or max(left) <= min(score for _, score in found) + 1e-5


@models
def test_candidates_and_exclude(fitted, name):
    model, user = fitted[name], R.users[3]
    whole = model.recommend(user, n=N, exclude_rated=False)
    some = [song for song, _ in whole[::2]]
    assert model.recommend(user, n=3, exclude_rated=False, candidates=some) == whole[:6:2]
    assert model.recommend(user, n=3, exclude_rated=False, exclude=[*some, "no song"]) == whole[1:6:2]
    assert model.recommend(user, exclude_rated=False, candidates=iter(some), exclude=np.array(some[1:])) == whole[:1]
    assert model.recommend(user, candidates=[]) == []
    lists = dict(model.recommend_all(["user 3", "user 4"], n=3, exclude_rated=False, candidates=some, exclude=some[:1]))
    assert [song for song, _ in lists["user 3"]] == some[1:4] and list(lists) == ["user 3", "user 4"]
    for wrong in ([99], "x", ["x", "y"], {99: 5}):
        with pytest.raises(InputError, match=r"no candidate |candidates is the single id"):
            model.recommend(user, candidates=wrong)
        with pytest.raises(InputError, match=r"no excluded song |excluded songs is the single id"):
            model.recommend(user, exclude=wrong)
    with pytest.raises(InputError, match=r"no candidate '3'; .*\(ids here are of type int; '3' is a str\)"):
        model.recommend(user, candidates=[3, "3"])


@pytest.mark.parametrize("name", [name for name in MODELS if name not in PLAIN])
def test_candidates_and_exclude_among_similar_songs(fitted, name):
    model = fitted[name]
    whole = model.similar(3, n=100)
    some = [song for song, _ in whole[::2]]
    assert model.similar(3, candidates=[3, *some]) == whole[::2] and model.similar(3, exclude=some) == whole[1::2]


@pytest.mark.parametrize("name", [name for name in MODELS if name not in PLAIN])
def test_similar_users(fitted, name):
    model = fitted[name]
    found = model.similar_users("user 7", n=4)
    assert 0 < len(found) <= 4 and "user 7" not in dict(found) and set(dict(found)) <= set(R.users)
    assert [s for _, s in found] == sorted((s for _, s in found), reverse=True)
    with pytest.raises(InputError, match="no user 'user 99'"):
        model.similar_users("user 99")
    if name in FACTORS:
        cosines = model.P @ model.P[7] / np.linalg.norm(model.P, axis=1) / np.linalg.norm(model.P[7])
        assert np.allclose([s for _, s in found], [cosines[R.row(user)] for user, _ in found], atol=1e-5)


def test_similar_users_of_user_neighbours_are_those_of_the_predictions(fitted):
    model = fitted["UserKNN"]
    similarity = dict(model.similar_users("user 7", n=M * N))
    for song in R.songs:
        assert all(similarity[reason.name] == reason.similarity for reason in model.explain("user 7", song))


@pytest.mark.parametrize("name", PLAIN)
def test_what_compares_nothing_says_so(fitted, name):
    for call in (lambda: fitted[name].similar_users("user 7"), lambda: fitted[name].explain("user 7", 3)):
        with pytest.raises(InputError, match=f"{name} .*; expected a model of neighbours or of latent factors"):
            call()


# --- new listeners


def as_the_last_user(rated):
    """R with one more user, who rated this."""
    triplets = [*R.triplets(), *(("new", song, value) for song, value in rated.items())]
    return Ratings.from_triplets(*zip(*triplets))


@models
def test_a_new_listener_gets_a_list(fitted, name):
    model, rated = fitted[name], {3: 5.0, 8: 1, 1: np.float32(4)}
    found = model.recommend(rated, n=N)
    assert len(found) == N and not rated.keys() & dict(found).keys()
    assert [score for _, score in found] == sorted((score for _, score in found), reverse=True)
    if model.predicts_ratings:
        assert all(1 <= score <= 5 for _, score in found)
    backwards = model.recommend(dict(reversed(rated.items())), n=N)
    assert np.allclose([score for _, score in backwards], [score for _, score in found], atol=1e-5)
    assert dict(model.recommend(rated, n=30, exclude_rated=False)).keys() == set(R.songs)
    assert model.recommend(rated, n=2, candidates=[3, 5, 6], exclude=[6])[0][0] == 5
    for wrong in ({}, {99: 5}, {3: np.nan}, {3: "x"}, {"3": 5}, {3: 1e300}):
        with pytest.raises(InputError):
            model.recommend(wrong)


@pytest.mark.parametrize("settings", [{}, {"reg_u": 3.0}])
def test_the_bias_of_a_new_listener_is_its_equation(settings):
    """Whoever has the ratings of a user of the training data is scored as that user is."""
    for name, more in (("Baseline", settings), ("SVD", {}), ("ALS", {"n_factors": 3}), ("GlobalMean", {}), ("Popularity", {})):
        model = quick(name, **more).fit(R)
        user, rated = "user 9", {song: value for who, song, value in R.triplets() if who == "user 9"}
        ours, theirs = model.recommend(rated, n=N), model.recommend(user, n=N)
        assert np.allclose([score for _, score in ours], [score for _, score in theirs], atol=1e-4)


CENTRINGS = ["mean", "zscore", "baseline", "none"]


@pytest.mark.parametrize("centring", CENTRINGS)
def test_item_neighbours_see_a_new_listener_as_one_of_the_training_data(centring):
    model = ItemKNN(k=5, centring=centring).fit(R)
    rated = {song: value for who, song, value in R.triplets() if who == "user 9"}
    ours, theirs = dict(model.recommend(rated, n=N)), dict(model.recommend("user 9", n=N))
    assert ours.keys() == theirs.keys()
    assert np.allclose(list(ours.values()), list(theirs.values()), atol=1e-5)


@pytest.mark.parametrize("centring", ["mean", "zscore", "none"])
@pytest.mark.parametrize("similarity", ["pearson", "msd", "indicator"])
def test_user_neighbours_see_a_new_listener_as_one_of_the_training_data(centring, similarity):
    rated = {3: 5.0, 8: 1.0, 1: 4.0, 12: 2.0, 5: 4.0, 9: 5.0}
    model = UserKNN(k=5, centring=centring, similarity=similarity)
    ours = dict(model.fit(R).recommend(rated, n=100))
    as_user = UserKNN(k=5, centring=centring, similarity=similarity).fit(as_the_last_user(rated))
    theirs = dict(as_user.recommend("new", n=100))
    assert ours.keys() == theirs.keys()
    for song, score in ours.items():  # the new listener moves the global mean, which stands in where nothing else is known
        assert score == pytest.approx(theirs[song], abs=1e-5) or score == pytest.approx(model.mu, abs=1e-5)


@given(RATINGS, st.dictionaries(st.integers(0, N - 1), st.integers(1, 5).map(float), min_size=1))
def test_user_neighbours_of_a_new_listener_are_the_equation(known, rated):
    model = UserKNN(k=3, similarity="msd", shrinkage=0).fit(matrix(known))
    with_new = known | {(M, song): value for song, value in rated.items()}
    s = [[reference.msd(with_new, u, v) if u != v else 0.0 for v in range(M + 1)] for u in range(M + 1)]
    found = dict(model.recommend(rated, n=N, exclude_rated=False))
    for song in {i for _, i in known}:
        expected = np.clip(reference.predicted(with_new, s, 3, M, song), min(known.values()), max(known.values()))
        assert found[song] == pytest.approx(expected, abs=1e-5)


# --- reasons


@pytest.mark.parametrize("name", FACTORS)
def test_reasons_are_the_songs_of_the_user_the_strongest_first(fitted, name):
    model = fitted[name]
    rated = {song: value for who, song, value in R.triplets() if who == "user 9"}
    reasons = model.explain("user 9", 3)
    assert {reason.name: reason.rating for reason in reasons} == rated
    assert [reason.contribution for reason in reasons] == sorted((reason.contribution for reason in reasons), reverse=True)
    for wrong in (("user 99", 3), ("user 9", 99)):
        with pytest.raises(InputError, match=r"no (user|song) "):
            model.explain(*wrong)
    empty = R.keep(R.user_codes != 9)
    assert quick(name).fit(empty).explain("user 9", 3) == []


@given(PLAYS, st.integers(0, M - 1), st.integers(0, N - 1))
def test_the_reasons_of_als_are_the_whole_prediction(known, u, i):
    """p_u solves (C11) exactly, so the decomposition of Hu, Koren and Volinsky is exact."""
    model = ALS(n_factors=2, n_epochs=3).fit(matrix(known))
    total = sum(reason.contribution for reason in model.explain(u, i))
    assert total == pytest.approx(reference.entry(model.P, model.Q, u, i), abs=2e-4)
    assert all(reason.contribution == 0 for reason in model.explain(u, i) if reason.rating == 0)


@pytest.mark.parametrize("name", ["SVD", "GradientDescent", "SGD"])
@pytest.mark.parametrize("settings", [{}, {"biases": False}, {"biases": True}, {"reg": 0.0}, {"n_factors": 12}], ids=str)
def test_reasons_add_up_to_what_folding_in_predicts(name, settings):
    model = quick(name, **{key: value for key, value in settings.items() if hasattr(MODELS[name], key)}).fit(R)
    i, r = R.csr.indices[R.csr.indptr[9] : R.csr.indptr[10]], R.csr.data[R.csr.indptr[9] : R.csr.indptr[10]].astype(float)
    scores = model._score_newcomer(i, r)
    for song in R.songs:
        j = R.column(song)
        if name == "SVD":
            N_k = model.Q / model.sigma
            rest = acai.cf.statistics.means(R, "songs", model.damping) @ N_k @ N_k[j]
        else:
            rest = model.mu + model.b_i[j]
        total = sum(reason.contribution for reason in model.explain("user 9", song))
        assert rest + total == pytest.approx(scores[j], abs=1e-4)


@pytest.mark.parametrize("name", ["SVD", "GradientDescent", "SGD", "ALS"])
def test_a_reason_is_what_changes_if_the_rating_does(fitted, name):
    """Similarity is the derivative of the prediction by the rating; in ALS, by what the equations have on the right."""
    model = fitted[name]
    rated = {song: value for who, song, value in R.triplets() if who == "user 9"}
    i, r = np.array([R.column(song) for song in rated]), np.array(list(rated.values()))
    for place in range(2):
        more = r.copy()
        more[place] += 1
        if name != "ALS":
            change = model._score_newcomer(i, more)[4] - model._score_newcomer(i, r)[4]
            assert change == pytest.approx(model._influence(i, r, 4)[0][place], abs=1e-4)


# --- biases around a mean of zero


@pytest.mark.parametrize("kind", [SGD, GradientDescent])
@pytest.mark.parametrize("has_biases", [True, False])
def test_folding_in_does_not_depend_on_the_mean_being_zero(kind, has_biases):
    signs = np.where(np.arange(R.n_ratings) % 2, 1.0, -1.0)
    model = kind(n_factors=3, n_epochs=3, biases=has_biases).fit(R.map(lambda r: signs))
    assert model.mu == 0
    rated = {3: 1.0, 8: -1.0, 1: 1.0, 5: 1.0}
    at_zero = model.fold_in(rated)
    if has_biases:
        model.mu = 1e-12
        assert np.allclose(model.fold_in(rated), at_zero, atol=1e-6)
        A = np.column_stack([model.Q[[3, 8, 1, 5]].astype(float), np.ones(4)])
        A = np.column_stack([model.Q[[R.column(song) for song in rated]].astype(float), np.ones(4)])
    else:
        A = model.Q[[R.column(song) for song in rated]].astype(float)
    e = np.array([1.0, -1, 1, 1]) - model.b_i[[R.column(song) for song in rated]]
    expected = np.linalg.solve(A.T @ A + model.reg * 4 * np.eye(A.shape[1]), A.T @ e)[:3]
    assert np.allclose(at_zero, expected, atol=1e-5)


def test_a_model_that_starts_with_biases_keeps_them_when_folding_in():
    start = SGD(n_factors=3, n_epochs=3).fit(R)
    model = SGD(n_factors=3, n_epochs=1, biases=False, init=start).fit(R)
    assert model._coefficients(np.array([0])).shape == (1, 4)


# --- settings that change after fitting

CHANGES = {
    "GlobalMean": {}, "Popularity": {}, "Baseline": {"reg_u": 3.0}, "UserKNN": {"k": 3}, "ItemKNN": {"similarity": "msd"},
    "SVD": {"n_factors": 3}, "GradientDescent": {"n_factors": 3}, "SGD": {"n_factors": 3}, "ALS": {"n_factors": 3},
}


@models
def test_changed_settings_count_when_evaluating(name):
    train, test = R.split(0.3, seed=0)
    model = quick(name).fit(train)
    for setting, value in CHANGES[name].items():
        before, then = evaluate(model, train, test), getattr(model, setting)
        setattr(model, setting, value)
        assert not model.is_fitted_on(train)
        for call in (lambda: model.predict(["user 1"], [3]), lambda: model.recommend("user 1"), lambda: model.save("x.npz")):
            with pytest.raises(InputError, match=f"^{setting} was {then!r} and is {value!r} since this {name} was fitted"):
                call()
        after = evaluate(model, train, test)
        assert after != before and after == evaluate(quick(name, **{setting: value}), train, test)
        setattr(model, setting, np.array(value)[()])  # the same
        assert model.is_fitted_on(train)


def test_another_start_is_a_changed_setting_even_if_it_looks_alike():
    first, second = SGD(n_factors=2, n_epochs=1).fit(R), SGD(n_factors=2, n_epochs=1).fit(R)
    model = SGD(n_factors=2, n_epochs=1, init=first).fit(R)
    assert model.is_fitted_on(R)
    model.init = second
    assert first == second and not model.is_fitted_on(R)


@pytest.mark.parametrize(("model", "added", "was"), [
    (UserKNN(shrinkage=0.0), "min_neighbours", 1), (ItemKNN(shrinkage=0.0), "min_neighbours", 1),
    (SVD(n_factors=2), "damping", 0.0),
])
def test_a_file_from_before_a_setting_was_added_predicts_what_it_did(tmp_path, model, added, was):
    dataclasses.replace(model, **{added: was}).fit(R).save(tmp_path / "model.npz")
    again = acai.load(forge(tmp_path / "model.npz", lambda arrays, values: values["settings"].pop(added)))
    assert getattr(again, added) == was


def test_a_loaded_model_knows_its_settings(tmp_path):
    SVD(n_factors=2).fit(R).save(tmp_path / "model.npz")
    model = acai.load(tmp_path / "model.npz")
    model.n_factors = 3
    with pytest.raises(InputError, match="n_factors was 2 and is 3 since this SVD was fitted"):
        model.recommend("user 1")


def test_the_first_of_equally_similar_ones_come_first():
    similarities = np.tile([0.5, 0.25, -np.inf, 1.0], 20)
    found = [j for j, _ in most_similar(similarities, 50, range(80))]
    assert found == [*range(3, 80, 4), *range(0, 80, 4), *range(1, 41, 4)]


@pytest.mark.parametrize("name", FACTORS)
def test_ratings_of_a_new_listener_are_one_number_each_and_not_too_large(fitted, name):
    for rated, message in [({1: [5.0, 4.0]}, "rating"), ({1: [5.0], 2: [4.0]}, "each song has one rating; expected {song: rating")]:
        with pytest.raises(InputError, match=message):
            fitted[name].recommend(rated)


def test_factors_of_a_new_listener_are_finite_or_an_error(tmp_path):
    """The ridge, which is never less than 1e-9, sees to it, unless a stranger's file has a mean that no ratings have."""
    tiny = SGD(n_factors=2, n_epochs=1, reg=1e-30, init_std=1e-12, learning_rate=1e-12).fit(R)
    assert np.isfinite(tiny.fold_in({1: 1e31, 2: -1e31, 3: 1e31})).all()
    SGD(n_factors=2, n_epochs=1).fit(R).save(tmp_path / "model.npz")
    forged = acai.load(forge(tmp_path / "model.npz", lambda arrays, values: values.update({"learnt mu": 1e300})))
    with pytest.raises(InputError, match="the listener's ratings are too large for finite factors; expected values like those of"):
        forged.fold_in({1: 5.0, 2: 4.0})


def test_descent_starts_from_any_factors_in_single_precision():
    model = SGD(n_factors=3, n_epochs=0, init=SVD(n_factors=3).fit(R)).fit(R)
    assert {array.dtype for array in (model.P, model.Q, model.b_u, model.b_i)} == {np.dtype(np.float32)}


def test_squares_beyond_the_range_of_numbers_are_an_error_and_no_warning():
    with pytest.raises(InputError, match="SGD diverged in epoch 1"):
        SGD(n_factors=2, n_epochs=2, learning_rate=1e-30, biases=False).fit(R.map(lambda r: r * np.float32(1e25)))


def test_as_many_users_at_a_time_as_fit_into_memory():
    model = SVD(n_factors=2).fit(R)
    for memory, expected in [(1, 1), (64 * 15, 1), (64 * 15 * 3 - 1, 2), (64 * 15 * 3, 3), (64 * 15 * 20, 20)]:
        blocks = [rows.tolist() for rows, _ in model.score_blocks(range(20), memory=memory)]
        assert len(blocks[0]) == expected and [row for block in blocks for row in block] == list(range(20))


def test_a_lack_of_memory_is_a_sentence(monkeypatch):
    def learn(*_):
        raise MemoryError("Unable to allocate 4.00 TiB")

    monkeypatch.setattr(SVD, "_learn", learn)
    with pytest.raises(InputError, match=r"^SVD\(n_factors=2.* on .* needs more memory than there is \(Unable to allocate 4"):
        SVD(n_factors=2).fit(R)


def test_means_are_taken_in_double_precision():
    values = np.random.default_rng(0).random(R.n_ratings).astype(np.float32)
    some = R.map(lambda r: values)
    assert mean(some) == pytest.approx(math.fsum(values.tolist()) / len(values), rel=1e-14)


def test_users_without_ratings_at_the_end_have_norms_too():
    A = sparse.csr_array(([3.0, 4.0], [0, 1], [0, 2, 2, 2, 2, 2]), shape=(5, 2))
    assert row_norms(A).tolist() == [5, 0, 0, 0, 0]
