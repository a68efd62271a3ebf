"""Hear a song, tell its hidden features: sound → q̂, learnt from songs whose q is known from their listeners."""

import os
from collections.abc import Sequence
from dataclasses import astuple, dataclass, fields

import numpy as np

from acai.content.networks import dieleman_network
from acai.content.training import NetworkEar, stored_history
from acai.content.windows import Standardiser, check_spectrograms
from acai.errors import InputError
from acai.files import load_npz, save_npz
from acai.nn import MSE, Sequential
from acai.nn.network import from_contents

KIND = "an ear saved by acai"


@dataclass
class AudioToFactors(NetworkEar):
    """A network that hears a song and tells its hidden features (van den Oord, Dieleman and Schrauwen 2013).

    It is trained on random windows of songs that have listeners; `predict` then places a song that has none (A4).

    Parameters
    ----------
    network : Sequential, optional
        From (N, bands, 1, width) or (N, 1, bands, width) to (N, k); without one, `dieleman_network(k)`.
    validation : float
        The share of the songs, whole, on which the epochs are judged; in (0, 1). They are at least two songs,
        and as many must be left to learn from.
    width, batch_size, augment, n_epochs, learning_rate, momentum, weight_decay, patience, seed
        The windows and the training, all by name: see `NetworkEar` and `Plan` in `acai.content.training`.

    Attributes
    ----------
    history : list of Epoch
        Loss and R² on the validation songs, epoch by epoch.
    inputs, targets : Standardiser
        Of the bands and of the hidden features, after the songs learnt from.
    """

    network: Sequential | None = None
    validation: float = 0.1

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
            Written after every epoch; where it exists, the training goes on from it.

        Returns
        -------
        AudioToFactors
            Itself, with the weights of the epoch that was best on the validation songs.
        """
        check_spectrograms(spectrograms, self.width)
        Q = np.asarray(Q, dtype=np.float32)
        if Q.ndim != 2 or len(Q) != len(spectrograms):
            raise InputError(f"Q has shape {Q.shape}; expected ({len(spectrograms)}, k), one row for each spectrogram")
        if not np.isfinite(Q).all():
            raise InputError("Q holds NaN or infinity; the factor model it came from has diverged")
        n_validation = max(2, round(self.validation * len(Q)))
        if len(Q) - n_validation < 2:
            kept = f"{n_validation} are kept aside to judge the epochs by"
            raise InputError(f"{len(Q)} songs are too few: {kept}, and at least 2 more are needed to learn from")
        judged, learnt = np.split(np.random.default_rng(self.seed).permutation(len(Q)), [n_validation])
        if self.network is None:
            self.network = dieleman_network(Q.shape[1], spectrograms[0].shape[0], seed=self.seed)
        self.inputs = Standardiser.of([spectrograms[i] for i in learnt])
        self.targets = Standardiser.of([Q[learnt].T])
        T = self.targets(Q.T).T  # (n_songs, k), standardised

        def r_squared(network: Sequential) -> float:
            error = np.square(self._told([spectrograms[i] for i in judged]) - T[judged]).sum(axis=0)
            return float(np.mean(1 - error / np.square(T[judged] - T[judged].mean(axis=0)).sum(axis=0)))

        self.learn(spectrograms, learnt, T, MSE(), r_squared, progress, checkpoint)
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
        return self.targets.undo(self._told(spectrograms).T).T

    def _told(self, spectrograms: Sequence[np.ndarray]) -> np.ndarray:
        return np.stack([y.mean(axis=0) for y in self.hear(spectrograms)])  # (A4)

    def save(self, path: str | os.PathLike) -> None:
        """Keep the trained network and the statistics of its inputs and targets in a .npz file, for `AudioToFactors.load`."""
        self._check_trained()
        network = {f"network {name}": w for name, w in self.network.parts().items()}
        inputs, targets = np.stack(astuple(self.inputs)), np.stack(astuple(self.targets))
        save_npz(path, KIND, settings=self.settings, history=self.history, inputs=inputs, targets=targets, **network)

    @classmethod
    def load(cls, path: str | os.PathLike) -> "AudioToFactors":
        """Read what `save` wrote. No pickle is read, so a stranger's file can do no harm.

        Raises
        ------
        InputError
            If there is no such file, or it is not one of ours.
        """
        contents = load_npz(path, KIND)
        network, settings = from_contents(contents.part("network ")), contents.value("settings", dict)
        known = {f.name for f in fields(cls)} - {"network", "augment", "history"}
        with contents.faults():
            if not known.issuperset(settings):
                raise InputError(f"there is no setting {', '.join(sorted(settings.keys() - known))}")
            ear = cls(network, **settings)
        ear.inputs = Standardiser(*contents.array("inputs", (2, None, 1), ("float32",)))
        ear.targets = Standardiser(*contents.array("targets", (2, None, 1), ("float32",)))
        ear.history = stored_history(contents)
        return ear

    def _check_trained(self) -> None:
        if not hasattr(self, "inputs"):
            raise InputError("this AudioToFactors has not learnt to hear yet; call fit(spectrograms, Q) first")
