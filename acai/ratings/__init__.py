"""R, the ratings that everything here learns from: how it is built, stored and split (README, part D)."""

from acai.ratings.matrix import Ratings

__all__ = ["Ratings"]
