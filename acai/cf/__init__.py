"""Collaborative filtering (README, part C): from what listeners did with songs to what they will think of others."""

from acai.cf.als import ALS
from acai.cf.baselines import Baseline, GlobalMean, Popularity
from acai.cf.descent import SGD, GradientDescent
from acai.cf.neighbours import ItemKNN, UserKNN
from acai.cf.recommender import Recommender
from acai.cf.svd import SVD
from acai.evaluation import cross_validate, evaluate, split_each_user

MODELS: dict[str, type[Recommender]] = {
    model.__name__: model
    for model in (GlobalMean, Baseline, Popularity, UserKNN, ItemKNN, SVD, GradientDescent, SGD, ALS)
}
__all__ = [*MODELS, "MODELS", "Recommender", "cross_validate", "evaluate", "split_each_user"]
