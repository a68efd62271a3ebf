"""Sound → latent factors → recommendations of songs that nobody has played (README part A, second half)."""

from acai.content.audio_models import BagOfWords, Ridge, SpectrumRidge
from acai.content.audio_to_factors import AudioToFactors
from acai.content.cold_start import ColdStartRecommender
from acai.content.networks import dieleman_network, openmrs_network
from acai.content.windows import Augmentation

__all__ = [
    "AudioToFactors", "Augmentation", "BagOfWords", "ColdStartRecommender", "Ridge", "SpectrumRidge", "dieleman_network",
    "openmrs_network",
]
