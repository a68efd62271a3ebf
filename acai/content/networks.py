"""Networks that hear: from a window of a log-mel spectrogram to the k hidden features of its song."""

from acai.nn import Conv2D, Flatten, GlobalPool, Linear, MaxPool2D, ReLU, Sequential


def openmrs_network(n_factors: int, seed: int = 0) -> Sequential:
    """The network of OpenMRS (2016): 999 frames of 128 bands as one picture, read by filters as tall as it.

    Parameters
    ----------
    n_factors : int
        k, the number of hidden features it tells.
    seed : int
        For the initial weights.

    Returns
    -------
    Sequential
        From (N, 1, 128, 999) to (N, k).
    """
    s = _seeds(seed)
    return Sequential(
        [
            Conv2D(1, 32, (128, 4), seed=next(s)),
            ReLU(),
            MaxPool2D((1, 4)),  # (N, 32, 1, 249)
            Conv2D(32, 64, (1, 4), seed=next(s)),
            ReLU(),
            MaxPool2D((1, 2)),  # (N, 64, 1, 123)
            Conv2D(64, 64, (1, 4), seed=next(s)),
            ReLU(),
            MaxPool2D((1, 4)),  # (N, 64, 1, 30)
            Conv2D(64, 64, (1, 4), seed=next(s)),
            ReLU(),  # (N, 64, 1, 27)
            Flatten(),  # (N, 1728)
            Linear(1728, 128, seed=next(s)),
            ReLU(),
            Linear(128, 32, seed=next(s)),
            ReLU(),
            Linear(32, n_factors, seed=next(s)),
        ]
    )


def dieleman_network(
    n_factors: int,
    n_bands: int = 128,
    n_filters: int = 64,
    n_hidden: int = 128,
    pools: tuple[int, ...] = (2, 2, 2),
    seed: int = 0,
) -> Sequential:
    """The network of Dieleman's "Recommending music on Spotify with deep learning" (2014), smaller: any length of sound.

    The bands are the channels of convolutions along time; at the end their mean, maximum and root mean square over all
    time are what the song sounds like. The original pools by 4, 2, 2 after 256 or 512 filters a layer.

    Parameters
    ----------
    n_factors : int
        k, the number of hidden features it tells.
    n_bands : int
        Rows of the spectrogram.
    n_filters, n_hidden : int
        Width of the convolutions and of the dense layer.
    pools : tuple of int
        How many frames are pooled into one after each convolution but the last.
    seed : int
        For the initial weights.

    Returns
    -------
    Sequential
        From (N, n_bands, 1, frames) to (N, k).
    """
    s = _seeds(seed)
    layers = []
    channels = n_bands
    for pool in pools:
        layers += [Conv2D(channels, n_filters, (1, 4), seed=next(s)), ReLU(), MaxPool2D((1, pool))]
        channels = n_filters
    layers += [Conv2D(channels, n_filters, (1, 4), seed=next(s)), ReLU(), GlobalPool()]  # (N, 3 · n_filters)
    layers += [Linear(3 * n_filters, n_hidden, seed=next(s)), ReLU(), Linear(n_hidden, n_factors, seed=next(s))]
    return Sequential(layers)


def _seeds(seed: int):
    """A seed of its own for every layer."""
    return iter(range(1000 * seed, 1000 * seed + 1000))
