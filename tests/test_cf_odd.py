"""Odd data, odd settings and wrong codes: finite numbers or one clear error, and nothing unchecked reaches compiled code."""

import dataclasses
import functools

import numpy as np
import pytest
from cf_cases import random_ratings
from scipy import sparse

import acai
from acai import InputError, Ratings
from acai.cf import MODELS, SGD, SVD, Baseline, als_kernels, kernels, nearest_kernels, neighbour_kernels
from acai.evaluation import evaluate, metrics
from acai.settings import check_settings

QUICK = {"n_epochs": 3, "n_factors": 2}
M, N = 12, 9


def quick(name, **settings):
    """A model with few factors and epochs."""
    model = MODELS[name]()
    for setting in QUICK.keys() & vars(model).keys():
        settings.setdefault(setting, QUICK[setting])
    return MODELS[name](**settings)


def table(values, shape=(M, N), chosen=0.6):
    rng = np.random.default_rng(0)
    known = rng.random(shape) < chosen
    known[0, 0] = True
    u, i = known.nonzero()
    return Ratings.from_codes(u, i, np.asarray(values(rng, len(u)), np.float32), range(shape[0]), range(shape[1]))


DATA = {
    "ordinary": table(lambda rng, n: rng.integers(1, 6, n)),
    "a single entry": Ratings.from_triplets(["a"], ["x"], [3.0]),
    "one user": table(lambda rng, n: rng.integers(1, 6, n), (1, N)),
    "one song": table(lambda rng, n: rng.integers(1, 6, n), (M, 1)),
    "two users, two songs": table(lambda rng, n: rng.integers(1, 6, n), (2, 2), 1.1),
    "mostly unknown": table(lambda rng, n: rng.integers(1, 6, n), chosen=0.05),
    "all equal": table(lambda rng, n: np.full(n, 0.1)),
    "all zeros": table(lambda rng, n: np.zeros(n)),
    "rank one": table(lambda rng, n: np.full(n, 4.0), chosen=1.1),
    "negative": table(lambda rng, n: rng.normal(-3, 2, n)),
    "huge": table(lambda rng, n: rng.uniform(1, 5, n) * 2e30),
    "tiny": table(lambda rng, n: rng.uniform(1, 5, n) * 1e-30),
    "the smallest": table(lambda rng, n: np.full(n, 1e-45)),
    "huge and tiny": table(lambda rng, n: rng.choice([1e30, 1e-30, 0, 1], n)),
}
ODD = [
    ("UserKNN", {"k": 10**9}), ("UserKNN", {"similarity": "msd", "shrinkage": 1e12}), ("UserKNN", {"memory": 1}),
    ("UserKNN", {"centring": "zscore", "similarity": "cosine"}), ("UserKNN", {"min_overlap": 10**15}),
    ("UserKNN", {"similarity": "asymmetric", "asymmetry": 0}), ("UserKNN", {"centring": "baseline", "memory": 2**60}),
    ("ItemKNN", {"k": 10**9}), ("ItemKNN", {"memory": 2**60}), ("ItemKNN", {"normalise": False, "similarity": "overlap"}),
    ("Baseline", {"reg_u": 0, "reg_i": 0}), ("Baseline", {"reg_u": 1e300, "n_epochs": 0}),
    ("SVD", {"n_factors": 8}), ("SVD", {"n_factors": 500}),
    ("SGD", {"n_factors": 50, "biases": False}), ("SGD", {"learning_rate": 1e300}), ("SGD", {"learning_rate": 1e-300}),
    ("SGD", {"momentum": 0.9999, "shuffle": True}), ("SGD", {"init_std": 1000}), ("SGD", {"decay": 1e300, "reg": 0}),
    ("SGD", {"reg": 1e300}), ("GradientDescent", {"growth": 1e300}), ("GradientDescent", {"biases": True, "reg": 0}),
    ("GradientDescent", {"bold_driver": False, "learning_rate": 1.0}), ("GradientDescent", {"init_std": 0}),
    ("ALS", {"n_factors": 50}), ("ALS", {"alpha": 1e30}), ("ALS", {"alpha": 1e-300}), ("ALS", {"epsilon": 1e-300}),
    ("ALS", {"reg": 1e-12}), ("ALS", {"reg": 1e30}), ("ALS", {"init_std": 1000}), ("ALS", {"init_std": 0}),
]
CASES = [(name, {}) for name in MODELS] + ODD


def finite(*arrays):
    return all(np.isfinite(array).all() for array in arrays)


@pytest.mark.filterwarnings("error")
@pytest.mark.parametrize("data", DATA, ids=str)
@pytest.mark.parametrize(("name", "settings"), CASES, ids=[f"{name} {settings}" for name, settings in CASES])
def test_finite_or_refused(name, settings, data, tmp_path):
    R = DATA[data]
    try:
        model = quick(name, **settings).fit(R)
    except InputError as error:
        assert "\n" not in str(error)
        assert settings or data != "ordinary"
        return
    users, songs = [*R.users, "nobody"], [*R.songs, "no song"]
    pairs = [user for user in users for _ in songs], songs * len(users)
    r_hat = model.predict(*pairs)
    assert finite(r_hat)
    lists = dict(model.recommend_all(n=N, exclude_rated=False))
    assert finite([score for found in lists.values() for _, score in found])
    assert all(len(found) == R.n_songs for found in lists.values())
    for method, argument in ((model.similar, R.songs[0]), (model.fold_in, {R.songs[0]: float(R.csr.data[0])})):
        try:
            found = method(argument)
        except InputError:
            assert name in ("GlobalMean", "Baseline", "Popularity") or method == model.fold_in
            continue
        assert finite([value for _, value in found] if method == model.similar else found)
    model.save(tmp_path / "model.npz")
    assert np.array_equal(acai.load(tmp_path / "model.npz").predict(*pairs), r_hat)


@pytest.fixture(scope="module")
def R():
    return random_ratings()  # 40 users, 30 songs


WRONG_ROWS = [[40], [-2], [2**40], [-(2**40)], [0.5], [True], ["user 1"], [None], [[0]], 0, [[0], [0, 1]], np.array([0], complex)]


def called_with_wrong_codes(model, R, wrong):
    """Every public method of a model that takes rows or columns, with wrong ones."""
    yield lambda: model.predict_codes(wrong, [0])
    yield lambda: model.predict_codes([0], wrong)
    yield lambda: next(model.score_blocks(wrong, exclude_rated=False))
    yield lambda: next(model.score_blocks(wrong))


@pytest.mark.parametrize("name", MODELS)
def test_wrong_codes_never_reach_compiled_code(name, R, monkeypatch):
    model = quick(name).fit(R)
    for name, module in COMPILED.items():
        monkeypatch.setattr(module, name, lambda *_: pytest.fail("a kernel was called"))
    for wrong in WRONG_ROWS:
        for call in called_with_wrong_codes(model, R, wrong):
            with pytest.raises(InputError, match=r"(user rows|song columns) (contain|are) "):
                call()
    with pytest.raises(InputError, match="in pairs; there are 2 rows and 1 columns"):
        model.predict_codes([0, 1], [0])
    for n in (0, -1, 2.5, True, None, "3", 2**70):
        with pytest.raises(InputError, match="n="):
            model.recommend("user 1", n=n)
        with pytest.raises(InputError, match="n="):
            next(model.recommend_all(["user 1"], n=n))
        with pytest.raises(InputError, match="n="):
            model.similar(0, n=n)
        with pytest.raises(InputError, match="memory="):
            next(model.score_blocks([0], memory=n))


COMPILED = {
    name: module
    for module in (neighbour_kernels, nearest_kernels, kernels, als_kernels)  # the last that knows a name is where it belongs
    for name, kernel in vars(module).items()
    if hasattr(kernel, "py_func")
}
# called by other kernels only
INNER = {"dot", "apply_missed_steps", "add", "add_four", "add_product", "add_products", "cholesky_solve", "copy", "descend_row",
         "identity", "row_objective", "smaller", "solve_row", "solve_row_in_double", "up_to_multiple"}
INNER |= {name for name, module in COMPILED.items() if module is nearest_kernels} - {"nearest"}


def test_every_kernel_is_behind_these_methods(R, monkeypatch):
    """So the list of methods above is complete: each kernel that Python calls is called by fit or by one of them."""
    reached = set()

    def record(name, kernel, *arguments):
        reached.add(name)
        return kernel(*arguments)

    for name in set(COMPILED) - INNER:
        monkeypatch.setattr(COMPILED[name], name, functools.partial(record, name, getattr(COMPILED[name], name)))
    for name in MODELS:
        model = quick(name).fit(R)
        model.predict_codes([0, -1, 39], [29, 0, -1])
        next(model.recommend_all(["user 39"]))
    quick("SGD", momentum=0.5).fit(R)
    quick("ALS", cg_steps=1).fit(R)
    quick("ALS", n_factors=50, reg=1e-6).fit(R)  # more factors than songs: solved in double precision
    model = quick("ItemKNN", k=2, keep=2, normalise=False, centring="none").fit(R)
    model.recommend("user 39")
    next(model.recommend_all(["user 39"]))
    assert reached == set(COMPILED) - INNER


def test_codes_may_be_of_any_integer_type_and_order(R):
    model = quick("SGD").fit(R)
    expected = model.predict_codes([1, 2, -1], [3, 4, 5])
    for kind in (np.int8, np.int32, np.int64):
        both = np.array([[1, 3], [2, 4], [-1, 5]], kind)
        assert np.array_equal(model.predict_codes(both[:, 0], both[:, 1]), expected)  # not contiguous, either
    assert np.array_equal(model.predict_codes(np.array([1, 2], np.uint64), np.array([3, 4], np.uint8)), expected[:2])
    assert model.predict([], []).shape == model.predict_codes([], []).shape == (0,)


def test_validation_must_have_the_same_axes(R):
    train, valid = R.split(0.2)
    reordered = Ratings.from_triplets(*zip(*sorted(valid.triplets())))
    for other in (random_ratings(m=90, n=60), reordered):
        with pytest.raises(InputError, match=r"ratings and validation have different users .* as ratings\.split\(\) gives"):
            quick("SGD").fit(train, validation=other)
        with pytest.raises(InputError, match="train and test have different users"):
            evaluate(quick("SGD"), train, other)
    with pytest.raises(InputError, match="validation has no ratings"):
        quick("SGD").fit(R, validation=R.keep(np.zeros(R.n_ratings, bool)))
    for name in MODELS:
        with pytest.raises(InputError, match="no rating to learn from"):
            quick(name).fit(R.keep(np.zeros(R.n_ratings, bool)))


def csr(data, indices, indptr, shape=(2, 3)):
    """As a csr_array that SciPy has not checked."""
    R = sparse.csr_array(shape, dtype=np.asarray(data).dtype)
    R.data, R.indices, R.indptr = np.asarray(data), np.asarray(indices), np.asarray(indptr)
    return R


@pytest.mark.parametrize(
    ("R", "message"),
    [
        (csr([1.0, 2], [3, 0], [0, 1, 2]), "R is damaged: "),
        (csr([1.0, 2], [-1, 0], [0, 1, 2]), "R is damaged: "),
        (csr([1.0, 2], [0, 1], [0, 2, 1]), "R is damaged: "),
        (csr([1.0, 2], [0, 1], [0, 1, 9]), "R is damaged: "),
        (csr([1.0, 2], [0.0, 1], [0, 1, 2]), "R is damaged: "),
        (csr([1.0, 2], [1, 0], [0, 2, 2]), "name a song twice, or songs out of order"),
        (csr([1.0, 2], [1, 1], [0, 2, 2]), "name a song twice, or songs out of order"),
        (csr([1.0, np.nan], [0, 1], [0, 1, 2]), "R holds nan; expected finite"),
        (csr([1.0, 1e39], [0, 1], [0, 1, 2]), "R holds inf; expected finite"),
        (csr([1j, 2], [0, 1], [0, 1, 2]), "csr_array of complex128; expected a scipy.sparse.csr_array of real numbers"),
        (np.ones((2, 3)), "R is a ndarray of float64; expected a scipy.sparse.csr_array"),
    ],
)
@pytest.mark.filterwarnings("ignore:overflow")
def test_a_matrix_made_by_hand_is_checked(R, message):
    with pytest.raises(InputError, match=message):
        Ratings(R, range(2), range(3))


def test_a_valid_matrix_made_by_hand_is_accepted():
    R = Ratings(csr([1, 2], np.array([0, 1], np.int64), [0, 1, 2]), range(2), range(3))
    assert R.csr.data.dtype == np.float32 and list(R.triplets()) == [(0, 0, 1.0), (1, 1, 2.0)]
    for u, i in (([2], [0]), ([0], [3]), ([-1], [0]), ([0.5], [0])):
        with pytest.raises(InputError, match=r"(user|song) codes (contain|are)"):
            Ratings.from_codes(np.array(u), np.array(i), np.ones(1, np.float32), range(2), range(3))


WRONG = [np.nan, np.inf, -np.inf, -1, "5", None, [1], {}, 1j, np.array([1, 2]), 10**400, -(10**400), object]
SETTINGS = [(model, f) for model in MODELS.values() for f in dataclasses.fields(model) if f.name != "init"]


@pytest.mark.parametrize(("model", "field"), SETTINGS, ids=lambda x: getattr(x, "__name__", getattr(x, "name", x)))
def test_every_setting_is_checked_when_made_and_when_fitted(model, field, R):
    assert "limits" in field.metadata
    for wrong in [*WRONG, b"5", "no such choice", 2.5 if field.type in (int, bool) else True]:
        if wrong is None and field.default is None:
            continue
        with pytest.raises(InputError, match=f"^({field.name}=|no {field.name} )") as error:
            model(**{field.name: wrong})
        assert "\n" not in str(error.value) and len(str(error.value)) < 250
        changed = model()
        setattr(changed, field.name, wrong)
        with pytest.raises(InputError, match=f"{field.name}"):
            changed.fit(R)


def test_settings_of_numpy_become_plain():
    model = SGD(n_factors=np.int8(100), learning_rate=np.float32(0.5), biases=np.bool_(False), patience=np.uint8(3))
    plain = model.n_factors, model.learning_rate, model.biases, model.patience
    assert [type(value) for value in plain] == [int, float, bool, int]
    model.momentum = np.float64(0.5)
    check_settings(model)
    assert type(model.momentum) is float


def test_momentum_takes_bounded_memory():
    with pytest.raises(InputError, match=r"^momentum=0\.999999999; expected a finite number, at least 0, at most 0\.9999$"):
        SGD(momentum=1 - 1e-9)


def test_svd_of_less_rank_than_factors(R):
    flat = R.map(lambda r: np.full_like(r, 4))  # filled, it has rank 1
    model = SVD(n_factors=5).fit(flat)
    p = model.fold_in({0: 4.0, 1: 4.0})
    assert finite(p) and np.allclose(model.Q @ p, 4)
    zeros = SVD(n_factors=5).fit(R.map(np.zeros_like))
    assert not zeros.predict(R.users[:3], R.songs[:3]).any() and not zeros.fold_in({0: 0.0}).any()
    assert np.array_equal(zeros.P.T @ zeros.P, np.eye(5))


def test_what_is_learnt_is_finite_or_the_settings_are_named(R, monkeypatch):
    monkeypatch.setattr(Baseline, "_learn", lambda self, *_: vars(self).update(mu=np.nan, b_u=np.zeros(40), b_i=np.zeros(30)))
    model = Baseline()
    with pytest.raises(InputError, match=r"Baseline learnt a mu that is not finite, .* \(now reg_u=15\.0, reg_i=10\.0\)"):
        model.fit(R)
    with pytest.raises(InputError, match="is not fitted; call fit"):
        model.recommend("user 1")


@pytest.mark.parametrize(
    "call",
    [
        lambda: metrics.rmse([1.0, np.nan], [1.0, 2.0]), lambda: metrics.mae([1.0], [np.inf]),
        lambda: metrics.precision(np.zeros((2, 0))), lambda: metrics.precision([0, 2]), lambda: metrics.precision(1),
        lambda: metrics.recall([1, 0], -1), lambda: metrics.ndcg([1, 0], 1.5), lambda: metrics.ndcg([1, 0], -1),
        lambda: metrics.average_precision([1, 0], [1, 2, 3]), lambda: metrics.recall([1, 1], 1),
        lambda: metrics.coverage([5], 5), lambda: metrics.coverage([-2], 5), lambda: metrics.coverage([0.5], 5),
        lambda: metrics.coverage([0], 0), lambda: metrics.auc([1.0, 2.0], [0, 7]), lambda: metrics.auc([1j, 2], [0, 1]),
        lambda: metrics.auc(["a", "b"], [0, 1]), lambda: metrics.auc(np.zeros((1, 1, 2)), np.array([[[0, 1]]])),
    ],
)
def test_metrics_refuse_what_has_no_meaning(call):
    with pytest.raises(InputError):
        call()
