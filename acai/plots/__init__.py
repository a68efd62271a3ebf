"""Every picture that the notebooks and the command line show: one function a picture, in one quiet style.

`ratings` has the pictures of parts D and C (who heard what, neighbours, factors), `models` of how models descend and compare, `sound` those of parts A and N.
"""

from acai.plots.gradients import error_map, matrices, step_errors
from acai.plots.models import comparison, comparisons, descent
from acai.plots.sound import factor_map, filters, ladder, overview, responses, spectrogram, training
from acai.plots.style import BLACK, BLUE, GREEN, ORANGE, PURPLE, RED, SKY, YELLOW, axes

__all__ = [
    "BLACK", "BLUE", "GREEN", "ORANGE", "PURPLE", "RED", "SKY", "YELLOW",
    "axes", "comparison", "comparisons", "descent", "error_map", "factor_map", "filters", "ladder", "matrices", "overview", "responses", "spectrogram", "step_errors", "training",
]  # fmt: skip
