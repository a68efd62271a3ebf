"""Models of ratings on MovieLens-100k, beside Surprise and cornac, with the parameters that Surprise has by default."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np

from acai.bench.row import Contest, Data, Disagreement, Row, Work, competitor, expect_agreement, expect_data
from acai.cf import SGD, UserKNN
from acai.datasets import movielens_100k
from acai.evaluation.metrics import rmse
from acai.ratings import Ratings
from acai.threads import n_threads

CLOSE = 0.01  # the RMSE of two factorisations from different random starts, whose standard deviation is .002


@dataclass(frozen=True)
class Fold:
    """A fifth of the ratings, held out, and the others."""

    train: Ratings
    triplets: list[tuple[Any, Any, float]]  # that are held out

    @classmethod
    def of(cls, data: Data) -> "Fold":
        """Read the data set."""
        train, test = next(iter(movielens_100k(expect_data(data.ml100k, "ml100k", "movielens-100k")).folds(5, seed=0)))
        return cls(train, list(test.triplets()))

    @property
    def pairs(self) -> tuple[tuple[Any, ...], tuple[Any, ...]]:
        """The users and songs that are held out."""
        users, songs, _ = zip(*self.triplets)
        return users, songs

    def for_surprise(self, surprise: Any) -> Any:
        """Give Surprise the same ratings."""
        raw = [(user, song, value, None) for user, song, value in self.train.triplets()]
        return surprise.Dataset(surprise.Reader(rating_scale=(1, 5))).construct_trainset(raw)

    def same_error(self, ours: Callable[[], Any], theirs: Callable[[], Any], predict: Callable[[Any], Any]) -> str:
        """Compare the RMSE of two fitted models."""
        truth = np.array([value for *_, value in self.triplets])
        errors = rmse(truth, ours().predict(*self.pairs)), rmse(truth, np.array(predict(theirs())))
        if not abs(errors[0] - errors[1]) <= CLOSE:
            raise Disagreement(f"RMSE {errors[0]:.4f} and {errors[1]:.4f}; expected a difference of at most {CLOSE}")
        return f"RMSE {errors[0]:.4f} and {errors[1]:.4f}"


def sgd_beside_surprise(data: Data) -> Contest:
    """Prepare SGD with biases, 100 factors, 20 epochs; ours reports the objective after each epoch, too."""
    surprise = competitor("surprise")
    fold = Fold.of(data)
    theirs_train = fold.for_surprise(surprise)
    ours, theirs = partial(SGD().fit, fold.train), lambda: surprise.SVD(random_state=0).fit(theirs_train)
    agree = partial(fold.same_error, ours, theirs, partial(_told, fold))
    return Contest(ours, theirs, agree, _work_of_sgd(fold.train, SGD()))


def sgd_beside_cornac(data: Data) -> Contest:
    """Prepare the same beside cornac's MF, with as many threads."""
    cornac_data, models = competitor("cornac.data"), competitor("cornac.models")
    fold = Fold.of(data)
    theirs_train = cornac_data.Dataset.from_uir(list(fold.train.triplets()), seed=0)
    same = SGD()
    settings = {"k": same.n_factors, "max_iter": same.n_epochs, "learning_rate": same.learning_rate, "lambda_reg": same.reg}
    ours = partial(SGD().fit, fold.train)

    def theirs() -> Any:
        return models.MF(**settings, use_bias=True, num_threads=n_threads(), seed=0).fit(theirs_train)

    def predict(model: Any) -> list[float]:
        rows, columns = theirs_train.uid_map, theirs_train.iid_map
        unknown = theirs_train.num_users, theirs_train.num_items
        return [model.rate(rows.get(user, unknown[0]), columns.get(song, unknown[1])) for user, song in zip(*fold.pairs)]

    return Contest(ours, theirs, partial(fold.same_error, ours, theirs, predict), _work_of_sgd(fold.train, same))


def neighbours(data: Data) -> Contest:
    """Prepare a fit and the prediction of 20,000 ratings from similar users."""
    surprise = competitor("surprise")
    fold = Fold.of(data)
    theirs_train = fold.for_surprise(surprise)

    def ours() -> Any:
        return UserKNN(similarity="msd", shrinkage=0, min_neighbours=1).fit(fold.train).predict(*fold.pairs)

    def theirs() -> list[float]:
        return _told(fold, surprise.KNNWithMeans(sim_options={"name": "msd"}, verbose=False).fit(theirs_train))

    def agree() -> str:
        return expect_agreement(float(np.abs(ours() - theirs()).max()), 1e-5, "predictions")

    listeners = np.diff(fold.train.csc.indptr).astype(float)
    return Contest(ours, theirs, agree, Work(8 * float((listeners**2).sum()), "copy"))  # Σ r(u,i) r(v,i): read and written


def _told(fold: Fold, model: Any) -> list[float]:
    """Predict with one of Surprise's models."""
    return [prediction.est for prediction in model.test(fold.triplets)]


def _work_of_sgd(train: Ratings, model: SGD) -> Work:
    """Count for each factor: 2 operations for the prediction, 8 for two steps, 2 for the objective."""
    return Work(12.0 * train.n_ratings * model.n_epochs * model.n_factors, "product")


SGD_WORK = "SGD factorisation, 100 factors, 20 epochs, ML-100k, history included"
ROWS = [
    Row("sgd", SGD_WORK, "Surprise `SVD`", 0.06, sgd_beside_surprise),
    Row("sgd-cornac", SGD_WORK, "cornac `MF`, its threads", 0.6, sgd_beside_cornac),
    Row("user-neighbours", "user neighbours: fit + 20,000 predictions", "Surprise `KNNWithMeans`", 0.02, neighbours),
]
