"""Every picture that the notebooks and the command line show: one function a picture, in one quiet style.

`ratings` has the pictures of parts D and C (who heard what, neighbours, factors, paths of descent), `models`
of how models descend and compare, `sound` those of parts A and N.
"""

from acai.plots.gradients import error_map, gallery, matrices, step_errors
from acai.plots.models import comparison, comparisons, descent
from acai.plots.plays import rules
from acai.plots.ratings import (
    contributions,
    diary,
    heat_map,
    lines,
    long_tail,
    matrix,
    singular_values,
    trajectories,
    two_users,
)
from acai.plots.sound import factor_map, filters, ladder, mel_bank, overview, responses, spectrogram, training, waveform
from acai.plots.style import BLACK, BLUE, GREEN, ORANGE, PURPLE, RED, SKY, YELLOW, axes

__all__ = [
    "BLACK", "BLUE", "GREEN", "ORANGE", "PURPLE", "RED", "SKY", "YELLOW",
    "axes", "comparison", "comparisons", "contributions", "descent", "diary", "error_map", "factor_map", "filters",
    "gallery", "heat_map", "ladder", "lines", "long_tail", "matrices", "matrix", "mel_bank", "overview", "responses", "rules",
    "singular_values", "spectrogram", "step_errors", "training", "trajectories", "two_users", "waveform",
]  # fmt: skip
