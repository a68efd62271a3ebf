"""Collaborative filtering (README, part C): from what listeners did with songs to what they will think of others."""

from acai.cf.als import ALS
from acai.cf.baselines import Baseline, GlobalMean, Popularity
from acai.cf.descent import SGD, GradientDescent
from acai.cf.knn import ItemKNN, UserKNN
from acai.cf.loading import MODELS, load
from acai.cf.recommender import Recommender
from acai.cf.svd import SVD

__all__ = [
    "ALS", "MODELS", "SGD", "SVD", "Baseline", "GlobalMean", "GradientDescent", "ItemKNN", "Popularity", "Recommender",
    "UserKNN", "load",
]
