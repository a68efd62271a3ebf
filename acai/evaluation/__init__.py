"""How good predictions and recommendations are (README part E): metrics, and models measured on held-out data."""

from acai.evaluation.comparing import Comparison, Difference, compare
from acai.evaluation.offline import cross_validate, evaluate
from acai.evaluation.per_user import evaluate_per_user

__all__ = ["Comparison", "Difference", "compare", "cross_validate", "evaluate", "evaluate_per_user"]
