"""Every picture that the notebooks and the command line show: one function a picture, in one quiet style.

`ratings` has the pictures of parts D and C (who heard what, neighbours, factors, descent), `sound` those of parts A and N.
"""

from acai.plots.sound import factor_map, filters, ladder, overview, responses, spectrogram, training
from acai.plots.style import BLACK, BLUE, GREEN, ORANGE, PURPLE, RED, SKY, YELLOW, axes

__all__ = [
    "BLACK", "BLUE", "GREEN", "ORANGE", "PURPLE", "RED", "SKY", "YELLOW",
    "axes", "factor_map", "filters", "ladder", "overview", "responses", "spectrogram", "training",
]  # fmt: skip
