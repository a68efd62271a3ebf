"""The networks: from a window of a log-mel spectrogram to the k latent factors of its song, or to a score for each class."""

from acai.nn import Conv2D, Dropout, Flatten, GlobalPool, Linear, MaxPool2D, ReLU, Sequential
from acai.nn.layer import Layer


def openmrs_network(n_factors: int, seed: int = 0) -> Sequential:
    """Build the network of OpenMRS (2016): 999 frames of 128 bands as one picture, with filters as high as the picture.

    Parameters
    ----------
    n_factors : int
        k, the number of latent factors to predict.
    seed : int
        Seed of the initial weights.

    Returns
    -------
    Sequential
        From (N, 1, 128, 999) to (N, k).
    """
    s = 1000 * seed  # each layer has a seed of its own
    return Sequential([
        Conv2D(1, 32, (128, 4), seed=s), ReLU(), MaxPool2D((1, 4)),  # (N, 32, 1, 249)
        Conv2D(32, 64, (1, 4), seed=s + 1), ReLU(), MaxPool2D((1, 2)),  # (N, 64, 1, 123)
        Conv2D(64, 64, (1, 4), seed=s + 2), ReLU(), MaxPool2D((1, 4)),  # (N, 64, 1, 30)
        Conv2D(64, 64, (1, 4), seed=s + 3), ReLU(), Flatten(),  # (N, 1728)
        Linear(1728, 128, seed=s + 4), ReLU(),
        Linear(128, 32, seed=s + 5), ReLU(),
        Linear(32, n_factors, seed=s + 6),
    ])


def dieleman_network(
    n_factors: int, n_bands: int = 128, n_filters: int = 64, n_hidden: int = 128, pools: tuple[int, ...] = (2, 2, 2),
    seed: int = 0,
) -> Sequential:
    """Build a smaller network after Dieleman's "Recommending music on Spotify with deep learning" (2014), for any length.

    The bands are the channels of convolutions over time; at the end, the mean, maximum and root mean square of each filter
    over all of time describe the sound. The original pools by 4, 2, 2 after layers of 256 or 512 filters.

    Parameters
    ----------
    n_factors : int
        k, the number of latent factors to predict.
    n_bands : int
        Rows of the spectrogram.
    n_filters, n_hidden : int
        The width of the convolutions and of the dense layer.
    pools : tuple of int
        How many frames are pooled into one after each convolution but the last.
    seed : int
        Seed of the initial weights.

    Returns
    -------
    Sequential
        From (N, n_bands, 1, frames) to (N, k).
    """
    s = 1000 * seed + len(pools) + 1
    return Sequential([
        *_convolutions(n_bands, n_filters, pools, seed),  # (N, 3 · n_filters)
        Linear(3 * n_filters, n_hidden, seed=s), ReLU(),
        Linear(n_hidden, n_factors, seed=s + 1),
    ])


def classifier_network(
    n_classes: int, n_bands: int = 128, n_filters: int = 64, rate: float = 0.8, seed: int = 0
) -> Sequential:
    """Build a small `dieleman_network` for few tracks, with strong dropout and no dense layer.

    Parameters
    ----------
    n_classes : int
        How many classes there are.
    n_bands : int
        Rows of the spectrogram.
    n_filters : int
        The width of each convolution.
    rate : float
        The rate of dropout (N11).
    seed : int
        Seed of the initial weights and of the dropout.

    Returns
    -------
    Sequential
        From (N, n_bands, 1, frames) to one score for each class, (N, n_classes).
    """
    s = 1000 * seed
    return Sequential([
        *_convolutions(n_bands, n_filters, (2, 2, 2), seed),  # (N, 3 · n_filters)
        Dropout(rate, seed=s + 4),
        Linear(3 * n_filters, n_classes, seed=s + 5),
    ])


def _convolutions(n_bands: int, n_filters: int, pools: tuple[int, ...], seed: int) -> list[Layer]:
    """Build convolutions over time, with the bands as channels, that end in three summaries of each filter."""
    s = 1000 * seed
    layers: list[Layer] = []
    channels = [n_bands] + [n_filters] * len(pools)
    for j, pool in enumerate(pools):
        layers += [Conv2D(channels[j], n_filters, (1, 4), seed=s + j), ReLU(), MaxPool2D((1, pool))]
    return [*layers, Conv2D(channels[-1], n_filters, (1, 4), seed=s + len(pools)), ReLU(), GlobalPool()]
