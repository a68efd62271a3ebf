"""From sound to latent factors: a network learns q̂ of a song from songs whose q is known from their listeners."""

import copy
import os
from collections.abc import Sequence
from dataclasses import asdict, astuple, dataclass, field, fields
from typing import Self

import numpy as np
from numpy.typing import ArrayLike, NDArray

from acai.arrays import real_numbers
from acai.content.audio_network import AudioNetwork, TrainingSet, finite
from acai.content.checkpoint import stored_history
from acai.content.networks import dieleman_network
from acai.content.windows import LARGEST, Augmentation, Standardiser, check_spectrograms
from acai.errors import InputError
from acai.files import Contents, load_npz, save_npz
from acai.nn import MSE, Sequential
from acai.nn.layer import FloatArray
from acai.nn.network import from_contents
from acai.settings import check_settings, setting

KIND = "an audio model saved by acai"
MIN_VARIANCE = 1e-6  # of a standardised latent factor over the validation songs, for its R² to say anything


@dataclass
class AudioToFactors(AudioNetwork):
    """A network that predicts the latent factors of a song from its sound (van den Oord, Dieleman and Schrauwen 2013).

    It is trained on random windows of songs that have listeners; `predict` then finds the factors of one that has none (A4).

    Parameters
    ----------
    network : Sequential, optional
        From (N, bands, 1, width) or (N, 1, bands, width) to (N, k); by default, `dieleman_network(k)`. `fit` trains a copy
        of it, so that another `fit` starts afresh.
    validation : float
        The share of the songs on which the epochs are scored, in (0, 1). They are at least two songs, and at least two more
        are needed to train on.
    width, batch_size, augment, n_epochs, learning_rate, momentum, weight_decay, patience, seed
        The windows and the training, all by name: see `AudioNetwork` and `TrainingConfig`.

    Attributes
    ----------
    fitted_network : Sequential
        The trained network.
    history : list of Epoch
        Loss and R² on the validation songs, epoch by epoch: the mean over the latent factors of 1 − Σ (q̂ − q)² / Σ (q − q̄)².
        Factors that hardly vary over the validation songs are left out, because the denominator is close to zero; where
        none varies, as with a single listener, it is −Σ (q̂ − q)²: like R², at most 0 where the mean does as well.
    inputs, targets : Standardiser
        Statistics of the bands and of the latent factors, from the songs trained on.
    """

    network: Sequential | None = setting(None)
    validation: float = setting(0.1, more_than=0, less_than=1)
    targets: Standardiser = field(init=False, repr=False, compare=False)

    def fit(
        self, spectrograms: Sequence[FloatArray], Q: ArrayLike, progress: bool = False,
        checkpoint: str | os.PathLike[str] | None = None,
    ) -> Self:
        """Train the network.

        Parameters
        ----------
        spectrograms : sequence of numpy.ndarray, each (bands, frames)
            Of any length from `width` frames up; memory-mapped arrays of float16 will do.
        Q : numpy.ndarray, shape (n_songs, k)
            The latent factors of each song, from any factor model (`SVD`, `SGD`, `ALS`).
        progress : bool
            Whether to show a progress bar, with the loss and the R² on the validation songs.
        checkpoint : path, optional
            Written after every epoch; where it exists, the training is resumed from it. It belongs to one training: with
            other data, settings, layers or initial weights it is refused.

        Returns
        -------
        AudioToFactors
            Itself, with the weights of the epoch that was best on the validation songs.
        """
        check_settings(self)
        check_spectrograms(spectrograms, self.width)
        Q = self._checked_targets(Q, len(spectrograms))
        validation, training = self._split(len(Q))
        inputs = Standardiser.fit([spectrograms[i] for i in training])
        targets = Standardiser.fit([Q[training].T])
        T = targets.transform(Q.T).T  # (n_songs, k), standardised
        varies = T[validation].var(axis=0) > MIN_VARIANCE
        total = np.square(T[validation] - T[validation].mean(axis=0)).sum(axis=0)

        def r_squared(network: Sequential) -> float:
            outputs = self._mean_over_windows(network, [spectrograms[i] for i in validation])
            error = np.square(outputs - T[validation]).sum(axis=0)
            if not varies.any():
                return -float(error.mean())
            return float(np.mean(1 - error[varies] / total[varies]))

        network = copy.deepcopy(self.network)
        if network is None:
            network = dieleman_network(Q.shape[1], spectrograms[0].shape[0], seed=self.seed)
        self.fit_windows(network, TrainingSet(spectrograms, T, training, inputs), MSE(), r_squared, progress, checkpoint)
        self.targets = targets
        return self

    def predict(self, spectrograms: Sequence[FloatArray]) -> FloatArray:
        """Predict the latent factors of songs that nobody has played: the mean over consecutive windows (A4).

        Parameters
        ----------
        spectrograms : sequence of numpy.ndarray, each (bands, frames)
            Computed with the parameters of those it was trained on.

        Returns
        -------
        numpy.ndarray, shape (n_songs, k), float32
            Q̂, in the units of the Q it was trained on.
        """
        network = self.trained_network()
        check_spectrograms(spectrograms, self.width, len(self.inputs.mean))
        Q_hat = self.targets.inverse_transform(self._mean_over_windows(network, spectrograms).T).T
        return finite(Q_hat)

    def _checked_targets(self, Q: ArrayLike, n_songs: int) -> FloatArray:
        Q = real_numbers(Q, "Q", np.float32)
        if Q.ndim != 2 or len(Q) != n_songs:
            raise InputError(f"Q has shape {Q.shape}; expected ({n_songs}, k), one row for each spectrogram")
        if not (np.abs(Q) < LARGEST).all():  # NaN is not less, either
            raise InputError(f"Q holds NaN, infinity or numbers beyond ±{LARGEST:g}; the factor model it came from has diverged")
        return Q

    def _split(self, n_songs: int) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
        """Draw the songs to score the epochs on; the others are trained on."""
        n_validation = max(2, round(self.validation * n_songs))
        if n_songs - n_validation < 2:
            held_out = f"{n_validation} are held out to score the epochs"
            raise InputError(f"{n_songs} songs are too few: {held_out}, and at least 2 more are needed to train on")
        validation, training = np.split(np.random.default_rng(self.seed).permutation(n_songs), [n_validation])
        return validation, training

    def _mean_over_windows(self, network: Sequential, spectrograms: Sequence[FloatArray]) -> FloatArray:
        return np.stack([y.mean(axis=0) for y in self.predict_windows(network, spectrograms)])  # (A4)

    def save(self, path: str | os.PathLike[str]) -> None:
        """Save the trained network, its settings and the statistics of inputs and targets in a .npz file, for `load`."""
        parts = _prefixed("network ", self.trained_network())
        if self.network is not None:
            parts |= _prefixed("initial ", self.network)
        augment = None if self.augment is None else asdict(self.augment)
        inputs, targets = np.stack(astuple(self.inputs)), np.stack(astuple(self.targets))
        parts |= {"settings": self.settings, "augment": augment, "history": self.history, "inputs": inputs, "targets": targets}
        save_npz(path, KIND, **parts)

    @classmethod
    def load(cls, path: str | os.PathLike[str]) -> "AudioToFactors":
        """Read what `save` wrote. No pickle is read, so a stranger's file can do no harm.

        Raises
        ------
        InputError
            If there is no such file, or it was not written by `save`.
        """
        contents = load_npz(path, KIND)
        settings = contents.value("settings", dict)
        has_own_network = "initial layers" in contents.names
        known = {f.name for f in fields(cls) if f.init} - {"network", "augment"}
        with contents.faults():
            if not known.issuperset(settings):
                raise InputError(f"there is no setting {', '.join(sorted(settings.keys() - known))}")
            network = from_contents(contents.part("initial ")) if has_own_network else None
            model = cls(network, augment=_stored_augmentation(contents), **settings)
        model.inputs = _stored_standardiser(contents, "inputs")
        model.targets = _stored_standardiser(contents, "targets")
        model.history = stored_history(contents, model.n_epochs)
        model._take(from_contents(contents.part("network ")))
        _check_network(contents, model.trained_network(), len(model.inputs.mean), len(model.targets.mean))
        return model


def _prefixed(prefix: str, network: Sequential) -> dict[str, object]:
    return {prefix + name: part for name, part in network.parts().items()}


def _stored_standardiser(contents: Contents, name: str) -> Standardiser:
    mean, std = contents.array(name, (2, None, 1), ("float32",))
    if len(mean) == 0 or not (std > 0).all():
        raise contents.fault(f"{name} has standard deviations that are not above 0, or none")
    return Standardiser(mean, std)


def _check_network(contents: Contents, network: Sequential, n_bands: int, n_targets: int) -> None:
    """Refuse a network that reads another number of bands, or has another number of outputs, than the statistics."""
    weights = [w for w in network.params.values() if w.ndim > 1]
    if not weights or len(weights[-1]) != n_targets:
        raise contents.fault(f"its network does not have {n_targets} outputs, one for each of its targets")
    W = weights[0]
    if W.ndim == 4 and W.shape[1] not in (1, n_bands):
        raise contents.fault(f"its network reads {W.shape[1]} bands; expected {n_bands}, as many as its inputs")


def _stored_augmentation(contents: Contents) -> Augmentation | None:
    stored = contents.values.get("augment")  # older files have none
    if stored is None:
        return None
    if not isinstance(stored, dict) or stored.keys() != {f.name for f in fields(Augmentation)}:
        raise InputError(f"augment is {stored!r}; expected the settings of an Augmentation")
    return Augmentation(**stored)
