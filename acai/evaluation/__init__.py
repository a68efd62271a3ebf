"""How good predictions and recommendations are (README part E): metrics, and models measured on held-out data."""

from acai.evaluation.offline import cross_validate, evaluate, split_each_user

__all__ = ["cross_validate", "evaluate", "split_each_user"]
