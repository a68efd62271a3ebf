"""Sound (README part A): files, spectrograms, and a folder of them computed in parallel and cached."""

from acai.audio.spectrogram import frames, log_mel, mel_filters, mel_power, mfcc

__all__ = ["frames", "log_mel", "mel_filters", "mel_power", "mfcc"]
