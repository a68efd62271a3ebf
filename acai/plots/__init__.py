"""Every picture that the notebooks and the command line show: one function a picture, in one quiet style.

`ratings` has the pictures of parts D and C, `models` those of how models descend and compare, `layers` of part N, `sound` of
part A. Each takes the axes to draw on, or makes its own, and returns them.
"""

from acai.plots.layers import error_map, gallery, matrices, step_errors
from acai.plots.models import comparison, comparisons, descent, ladder, lines, overview, training, trajectories
from acai.plots.ratings import contributions, diary, heat_map, long_tail, matrix, rules, singular_values, two_users
from acai.plots.sound import confusion, factor_map, filters, mel_bank, responses, spectrogram, waveform
from acai.plots.style import BLACK, BLUE, GREEN, ORANGE, PURPLE, RED, SKY, YELLOW, axes, save

__all__ = [
    "BLACK", "BLUE", "GREEN", "ORANGE", "PURPLE", "RED", "SKY", "YELLOW", "axes", "comparison", "comparisons", "confusion",
    "contributions", "descent", "diary", "error_map", "factor_map", "filters", "gallery", "heat_map", "ladder", "lines",
    "long_tail", "matrices", "matrix", "mel_bank", "overview", "responses", "rules", "save", "singular_values", "spectrogram",
    "step_errors", "training", "trajectories", "two_users", "waveform",
]  # fmt: skip
