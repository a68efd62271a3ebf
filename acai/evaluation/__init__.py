"""How good predictions and recommendations are (README part E): metrics, and models measured on held-out data."""

from acai.evaluation.comparing import Comparison, Difference, compare
from acai.evaluation.offline import cross_validate, evaluate
from acai.evaluation.per_user import evaluate_per_user
from acai.evaluation.search import SearchResult, Trial, grid_search, random_search

__all__ = [
    "Comparison", "Difference", "SearchResult", "Trial", "compare", "cross_validate", "evaluate", "evaluate_per_user",
    "grid_search", "random_search",
]
