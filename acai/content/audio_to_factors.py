"""Hear a song, tell its hidden features: sound → q̂, learnt from songs whose q is known from their listeners."""

import copy
import os
from collections.abc import Sequence
from dataclasses import asdict, astuple, dataclass, field, fields

import numpy as np

from acai.content.checkpoint import stored_history
from acai.content.networks import dieleman_network
from acai.content.training import NetworkEar
from acai.content.windows import Augmentation, Standardiser, check_spectrograms
from acai.errors import InputError, real_numbers
from acai.files import Contents, load_npz, save_npz
from acai.nn import MSE, Sequential
from acai.nn.network import from_contents
from acai.settings import check_settings, setting

KIND = "an ear saved by acai"
MIN_VARIANCE = 1e-6  # of a standardised latent factor over the validation songs, for its R² to say anything


@dataclass
class AudioToFactors(NetworkEar):
    """A network that hears a song and tells its hidden features (van den Oord, Dieleman and Schrauwen 2013).

    It is trained on random windows of songs that have listeners; `predict` then places a song that has none (A4).

    Parameters
    ----------
    network : Sequential, optional
        From (N, bands, 1, width) or (N, 1, bands, width) to (N, k); without one, `dieleman_network(k)`. `fit` trains a
        copy of it, so that another `fit` starts afresh.
    validation : float
        The share of the songs, whole, on which the epochs are judged; in (0, 1). They are at least two songs,
        and as many must be left to learn from.
    width, batch_size, augment, n_epochs, learning_rate, momentum, weight_decay, patience, seed
        The windows and the training, all by name: see `NetworkEar` and `Plan` in `acai.content.training`.

    Attributes
    ----------
    fitted_network : Sequential
        The trained network.
    history : list of Epoch
        Loss and R² on the validation songs, epoch by epoch: the mean over the latent factors of 1 − Σ (q̂ − q)² / Σ (q − q̄)².
        Factors that hardly vary over the validation songs are left out, for there is next to nothing to divide by; where
        none varies, as with a single listener, it is −Σ (q̂ − q)²: like R², at most 0 where the mean does as well.
    inputs, targets : Standardiser
        Of the bands and of the hidden features, after the songs learnt from.
    """

    network: Sequential | None = setting(None)
    validation: float = setting(0.1, more_than=0, less_than=1)
    targets: Standardiser | None = field(default=None, init=False, repr=False, compare=False)

    def fit(
        self, spectrograms: Sequence[np.ndarray], Q: np.ndarray, progress: bool = False,
        checkpoint: str | os.PathLike | None = None,
    ) -> "AudioToFactors":
        """Learn to hear.

        Parameters
        ----------
        spectrograms : sequence of numpy.ndarray, each (bands, frames)
            Of any length from `width` frames up; memory-mapped arrays of float16 will do.
        Q : numpy.ndarray, shape (n_songs, k)
            What to tell of each: the song factors of any factor model (`SVD`, `SGD`, `ALS`).
        progress : bool
            Show a bar with the loss and the R² on the validation songs.
        checkpoint : path, optional
            Written after every epoch; where it exists, the training goes on from it. It belongs to one training: with
            other data, settings, layers or initial weights it is refused.

        Returns
        -------
        AudioToFactors
            Itself, with the weights of the epoch that was best on the validation songs.
        """
        check_settings(self)
        check_spectrograms(spectrograms, self.width)
        Q = real_numbers(Q, "Q", np.float32)
        if Q.ndim != 2 or len(Q) != len(spectrograms):
            raise InputError(f"Q has shape {Q.shape}; expected ({len(spectrograms)}, k), one row for each spectrogram")
        if not np.isfinite(Q).all():
            raise InputError("Q holds NaN or infinity; the factor model it came from has diverged")
        n_validation = max(2, round(self.validation * len(Q)))
        if len(Q) - n_validation < 2:
            kept = f"{n_validation} are kept aside to judge the epochs by"
            raise InputError(f"{len(Q)} songs are too few: {kept}, and at least 2 more are needed to learn from")
        judged, learnt = np.split(np.random.default_rng(self.seed).permutation(len(Q)), [n_validation])
        inputs = Standardiser.of([spectrograms[i] for i in learnt])
        targets = Standardiser.of([Q[learnt].T])
        T = targets(Q.T).T  # (n_songs, k), standardised
        varies = T[judged].var(axis=0) > MIN_VARIANCE
        total = np.square(T[judged] - T[judged].mean(axis=0)).sum(axis=0)

        def r_squared(network: Sequential) -> float:
            outputs = self._mean_outputs(network, [spectrograms[i] for i in judged])
            error = np.square(outputs - T[judged]).sum(axis=0)
            if not varies.any():
                return -float(error.mean())
            return float(np.mean(1 - error[varies] / total[varies]))

        network = copy.deepcopy(self.network)
        if network is None:
            network = dieleman_network(Q.shape[1], spectrograms[0].shape[0], seed=self.seed)
        self.learn(network, inputs, spectrograms, learnt, T, MSE(), r_squared, progress, checkpoint)
        self.targets = targets
        return self

    def predict(self, spectrograms: Sequence[np.ndarray]) -> np.ndarray:
        """The hidden features of songs nobody has heard: the mean over consecutive windows (A4).

        Parameters
        ----------
        spectrograms : sequence of numpy.ndarray, each (bands, frames)
            Made with the parameters of those it was trained on.

        Returns
        -------
        numpy.ndarray, shape (n_songs, k), float32
            Q̂, in the units of the Q it was trained on.
        """
        self._check_trained()
        check_spectrograms(spectrograms, self.width, len(self.inputs.mean))
        return self.targets.undo(self._mean_outputs(self.fitted_network, spectrograms).T).T

    def _mean_outputs(self, network: Sequential, spectrograms: Sequence[np.ndarray]) -> np.ndarray:
        return np.stack([y.mean(axis=0) for y in self.outputs(network, spectrograms)])  # (A4)

    def save(self, path: str | os.PathLike[str]) -> None:
        """Save the trained network, its settings and the statistics of inputs and targets in a .npz file, for `load`."""
        self._check_trained()
        parts = _prefixed("network ", self.fitted_network)
        if self.network is not None:
            parts |= _prefixed("initial ", self.network)
        augment = None if self.augment is None else asdict(self.augment)
        inputs, targets = np.stack(astuple(self.inputs)), np.stack(astuple(self.targets))
        contents = {"settings": self.settings, "augment": augment, "history": self.history, "inputs": inputs, "targets": targets}
        save_npz(path, KIND, **contents, **parts)

    @classmethod
    def load(cls, path: str | os.PathLike[str]) -> "AudioToFactors":
        """Read what `save` wrote. No pickle is read, so a stranger's file can do no harm.

        Raises
        ------
        InputError
            If there is no such file, or it is not one of ours.
        """
        contents = load_npz(path, KIND)
        settings = contents.value("settings", dict)
        has_own_network = "initial layers" in contents.names
        known = {f.name for f in fields(cls) if f.init} - {"network", "augment"}
        with contents.faults():
            if not known.issuperset(settings):
                raise InputError(f"there is no setting {', '.join(sorted(settings.keys() - known))}")
            network = from_contents(contents.part("initial ")) if has_own_network else None
            ear = cls(network, augment=_stored_augmentation(contents), **settings)
        ear.fitted_network = from_contents(contents.part("network "))
        ear.inputs = _stored_standardiser(contents, "inputs")
        ear.targets = _stored_standardiser(contents, "targets")
        ear.history = stored_history(contents, ear.n_epochs)
        _expect_network(contents, ear)
        return ear

    def _check_trained(self) -> None:
        if self.fitted_network is None:
            raise InputError("this AudioToFactors has not learnt to hear yet; call fit(spectrograms, Q) first")


def _prefixed(prefix: str, network: Sequential) -> dict[str, object]:
    return {prefix + name: part for name, part in network.parts().items()}


def _stored_standardiser(contents: Contents, name: str) -> Standardiser:
    mean, std = contents.array(name, (2, None, 1), ("float32",))
    if len(mean) == 0 or not (std > 0).all():
        raise contents.fault(f"{name} has standard deviations that are not above 0, or none")
    return Standardiser(mean, std)


def _expect_network(contents: Contents, ear: AudioToFactors) -> None:
    """Refuse a network that reads another number of bands than there are, or has another number of outputs."""
    weights = [w for w in ear.fitted_network.params.values() if w.ndim > 1]
    if not weights or len(weights[-1]) != len(ear.targets.mean):
        raise contents.fault(f"its network does not have {len(ear.targets.mean)} outputs, one for each of its targets")
    W = weights[0]
    if W.ndim == 4 and W.shape[1] not in (1, len(ear.inputs.mean)):
        raise contents.fault(f"its network reads {W.shape[1]} bands; expected {len(ear.inputs.mean)}, as many as its inputs")


def _stored_augmentation(contents: Contents) -> Augmentation | None:
    stored = contents.values.get("augment")  # older files have none
    if stored is None:
        return None
    if not isinstance(stored, dict) or stored.keys() != {f.name for f in fields(Augmentation)}:
        raise InputError(f"augment is {stored!r}; expected the settings of an Augmentation")
    return Augmentation(**stored)
