"""Collaborative filtering (README, part C): from what listeners did with songs to what they will think of others."""

from acai.cf.als import ALS
from acai.cf.baselines import Baseline, GlobalMean, Popularity
from acai.cf.evaluation import cross_validate, evaluate, split_each_user
from acai.cf.gradient_descent import GradientDescent
from acai.cf.item_neighbours import ItemKNN
from acai.cf.recommender import Recommender
from acai.cf.sgd import SGD
from acai.cf.svd import SVD
from acai.cf.user_neighbours import UserKNN

MODELS: dict[str, type[Recommender]] = {
    model.__name__: model
    for model in (GlobalMean, Baseline, Popularity, UserKNN, ItemKNN, SVD, GradientDescent, SGD, ALS)
}
__all__ = [
    "ALS",
    "MODELS",
    "SGD",
    "SVD",
    "Baseline",
    "GlobalMean",
    "GradientDescent",
    "ItemKNN",
    "Popularity",
    "Recommender",
    "UserKNN",
    "cross_validate",
    "evaluate",
    "split_each_user",
]
