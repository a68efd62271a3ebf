"""Collaborative filtering (README, part C): from what listeners did with songs to what they will think of others."""

from acai.cf.als import ALS
from acai.cf.baselines import GlobalMean
from acai.cf.neighbours import UserKNN
from acai.cf.recommender import Recommender
from acai.cf.sgd import SGD

__all__ = ["ALS", "SGD", "GlobalMean", "Recommender", "UserKNN"]
