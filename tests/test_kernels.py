"""Every kernel as Python runs it (`.py_func`) against the compiled one, on what a model, a network or a reader gives it."""

import copy
import threading

import numpy as np
import pytest
from cf_cases import random_ratings
from nn_geometry import whole

from acai import datasets, nn
from acai.cf import ALS, SGD, ItemKNN, UserKNN, als_kernels, nearest_kernels, neighbour_kernels
from acai.cf import kernels as cf_kernels
from acai.nn.fast import kernels as nn_kernels
from acai.tables import kernels as datasets_kernels


class Twice:
    """Stands in for a kernel: runs it both ways on the same arguments, and compares results and changed arguments.

    Equal bits are expected, apart from modules in which the compiler may reorder sums. A kernel called by one that runs
    as Python runs as Python too.
    """

    inside = threading.local()

    def __init__(self, kernel, exact: bool) -> None:
        self.kernel, self.exact, self.called = kernel, exact, False

    def __call__(self, *arguments):
        self.called = True
        if getattr(self.inside, "python", False):
            return self.kernel.py_func(*arguments)
        copies = copy.deepcopy(arguments)
        self.inside.python = True
        try:
            with np.errstate(over="ignore"):  # hashing multiplies modulo 2⁶⁴
                expected = self.kernel.py_func(*copies)
        finally:
            self.inside.python = False
        result = self.kernel(*arguments)
        self._compare(result, expected)
        for argument, changed in zip(arguments, copies):
            self._compare(argument, changed)
        return result

    def _compare(self, compiled, python) -> None:
        if isinstance(compiled, tuple):
            for one, other in zip(compiled, python, strict=True):
                self._compare(one, other)
        elif self.exact or compiled is None:
            np.testing.assert_array_equal(compiled, python, err_msg=self.kernel.__name__)
        else:
            # float32 rounds at 6e-8, and a sum to the size of its terms, whatever is left of them
            size = max(1.0, np.abs(python).max(initial=0.0, where=np.isfinite(python)))
            np.testing.assert_allclose(compiled, python, rtol=1e-5, atol=1e-5 * size, err_msg=self.kernel.__name__)


def recommend(tmp_path) -> None:
    ratings = random_ratings(m=12, n=9, per_user=4)
    validation = ratings.split(test=0.2, seed=0)[1]
    models = (
        SGD(n_factors=3, n_epochs=2), SGD(n_factors=3, n_epochs=2, momentum=0.5, biases=False),
        SGD(n_factors=3, n_epochs=3, momentum=0.9),
        ALS(n_factors=2, n_epochs=1), ALS(n_factors=6, n_epochs=1),  # fewer factors than a user's songs, and more
        ALS(n_factors=3, n_epochs=1, cg_steps=2), ALS(n_factors=3, n_epochs=1, alpha=1e5),
        ALS(n_factors=12, n_epochs=1, reg=1e-6),  # more factors than songs, and hardly regularised: in double precision
        UserKNN(k=2), ItemKNN(k=2), ItemKNN(k=3, similarity="cosine", centring="none"),
        ItemKNN(k=2, keep=2, similarity="cosine", centring="none", normalise=False),
    )
    for model in models:
        model.fit(ratings)
        model.predict(["user 1", "user 1", "nobody", "user 3"], [1, 5, 2, "no song"])
        model.predict_codes(validation.user_codes, validation.csr.indices)
        model.recommend("user 2", n=3)
        dict(model.recommend_all(["user 2", "user 5"], n=3))
        if isinstance(model, SGD | ALS):
            model.fold_in({2: 3.0, 5: 1.0, 7: 4.0})
    many = UserKNN(similarity="overlap").fit(random_ratings(m=90, n=9, per_user=4))
    many.similar_users("user 1")  # more than 64 neighbours, which are sorted by their digits


def train(tmp_path) -> None:
    layers = nn.Conv2D(2, 3, (2, 3), stride=(1, 2), padding=1, seed=0), nn.ReLU(), nn.MaxPool2D(2, padding=1), nn.Flatten()
    network = nn.Sequential(layers)
    for seed, w in enumerate(network.params.values()):
        w[...] = whole(w.shape, seed)  # sums are exact, in whatever order they are computed
    y = network.forward(whole((3, 2, 6, 7), 5, np.float32))
    network.backward(whole(y.shape, 6, np.float32))


def read(tmp_path) -> None:
    path = tmp_path / "userid-timestamp-artid-artname-traid-traname.tsv"
    lines = [f"user_{k % 3}\t2009-05-0{k}T23:08:57Z\tart\tName {k % 2}\ttra\tSong {k % 4}\n" for k in range(1, 9)]
    path.write_text("".join(lines))
    datasets.lastfm_1k(path)
    counts = tmp_path / "counts.txt"
    counts.write_text("".join(f"user {k % 5}\tsong {'x' * k}\t{k}.25\n" for k in range(40)))
    datasets.triplets(counts)


CASES = [
    (cf_kernels, recommend, False), (als_kernels, recommend, False), (nearest_kernels, recommend, True),
    (neighbour_kernels, recommend, True), (nn_kernels, train, True), (datasets_kernels, read, True),
]


@pytest.mark.parametrize("kernels, use, exact", CASES)
def test_every_kernel_does_compiled_what_it_does_as_python(kernels, use, exact, tmp_path, monkeypatch):
    use(tmp_path)  # compiles what calls other kernels, before those are replaced
    replaced = {name: Twice(kernel, exact) for name, kernel in vars(kernels).items() if hasattr(kernel, "py_func")}
    for name, twice in replaced.items():
        monkeypatch.setattr(kernels, name, twice)
    use(tmp_path)
    assert len(replaced) >= 3 and [name for name, twice in replaced.items() if not twice.called] == []
