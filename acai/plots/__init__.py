"""Every picture that the notebooks and the command line show: one function per picture, in one quiet style.

Each takes the axes to draw on, or creates its own, and returns them; those that need several axes return the figure.
"""

# isort: off
from acai.plots.choosing import differences, search
from acai.plots.listeners import (
    comparison, comparisons, contributions, descent, diary, heat_map, ladder, lines, long_tail, matrix, rules,
    singular_values, training, trajectories, two_users,
)
from acai.plots.networks import (
    confusion, factor_map, filters, gallery, matrices, mel_bank, overview, responses, spectrogram, step_errors,
    waveform,
)
from acai.plots.style import BLACK, BLUE, GREEN, ORANGE, PURPLE, RED, SKY, YELLOW, axes, picture_format, save
# isort: on

__all__ = [
    "BLACK", "BLUE", "GREEN", "ORANGE", "PURPLE", "RED", "SKY", "YELLOW", "axes", "comparison", "comparisons",
    "confusion", "contributions", "descent", "diary", "differences", "factor_map", "filters", "gallery", "heat_map",
    "ladder", "lines", "long_tail", "matrices", "matrix", "mel_bank", "overview", "picture_format", "responses",
    "rules", "save", "search", "singular_values", "spectrogram", "step_errors", "training", "trajectories", "two_users",
    "waveform",
]
