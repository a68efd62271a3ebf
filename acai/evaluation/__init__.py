"""How good predictions and recommendations are (README part E): metrics, and models measured on held-out data."""

from acai.evaluation.offline import cross_validate, evaluate

__all__ = ["cross_validate", "evaluate"]
