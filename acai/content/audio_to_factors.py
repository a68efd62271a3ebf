"""Hear a song, tell its hidden features: sound → q̂, learnt from songs whose q is known from their listeners."""

import json
import os
import zipfile
from collections.abc import Iterator, Sequence
from dataclasses import asdict

import numpy as np

from acai.content.networks import dieleman_network
from acai.content.training import Epoch, Plan, train
from acai.content.windows import Augmentation, Standardiser, check_spectrograms, consecutive_windows, random_windows
from acai.errors import InputError
from acai.files import written_whole
from acai.nn import MSE, Sequential
from acai.nn.network import from_arrays

PARTS = ("inputs", "targets")  # what has statistics


class AudioToFactors:
    """A network that hears a song and tells its hidden features (van den Oord, Dieleman and Schrauwen 2013).

    It is trained on random windows of songs that have listeners; `predict` then places a song that has none (A4).

    Parameters
    ----------
    network : Sequential, optional
        From (N, bands, 1, width) or (N, 1, bands, width) to (N, k); without one, `dieleman_network(k)`.
    width : int
        Frames of a window. 129 are 3 seconds at 22,050 Hz and a hop of 512.
    n_epochs, learning_rate, momentum, weight_decay, patience, seed
        The plan of the training: see `acai.content.training.Plan`.
    batch_size : int
        Windows a step.
    validation : float
        The share of the songs, whole, on which the epochs are judged; in (0, 1). At least two songs.
    augment : Augmentation, optional
        Changes to each window while training.

    Attributes
    ----------
    history : list of Epoch
        Loss and R² on the validation songs, epoch by epoch.
    """

    def __init__(
        self,
        network: Sequential | None = None,
        width: int = 129,
        n_epochs: int = 40,
        batch_size: int = 16,
        learning_rate: float = 0.03,
        momentum: float = 0.9,
        weight_decay: float = 1e-4,
        patience: int | None = None,
        validation: float = 0.1,
        augment: Augmentation | None = None,
        seed: int = 0,
    ) -> None:
        if not 0 < validation < 1:
            raise InputError(f"validation={validation}; expected a share of the songs, between 0 and 1")
        self.network = network
        self.width = width
        self.batch_size = batch_size
        self.validation = validation
        self.augment = augment
        self.plan = Plan(n_epochs, learning_rate, momentum, weight_decay, patience, seed)
        self.history: list[Epoch] = []

    def fit(
        self,
        spectrograms: Sequence[np.ndarray],
        Q: np.ndarray,
        progress: bool = False,
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
        order = np.random.default_rng(self.plan.seed).permutation(len(Q))
        n_validation = max(2, round(self.validation * len(Q)))
        if len(Q) - n_validation < 2:
            raise InputError(f"{len(Q)} songs with validation={self.validation} leave fewer than 2 to learn from")
        judged, learnt = order[:n_validation], order[n_validation:]
        if self.network is None:
            self.network = dieleman_network(Q.shape[1], spectrograms[0].shape[0], seed=self.plan.seed)
        self.inputs = Standardiser.of([spectrograms[i] for i in learnt])
        self.targets = Standardiser.of([Q[learnt].T])
        T = self.targets(Q.T).T  # (n_songs, k), standardised

        def batches(rng: np.random.Generator) -> Iterator[tuple[np.ndarray, np.ndarray]]:
            shuffled = rng.permutation(learnt)
            for start in range(0, len(shuffled), self.batch_size):
                songs = shuffled[start : start + self.batch_size]
                x = random_windows(spectrograms, songs, self.width, self.inputs, rng, self.augment)
                yield self.shaped(x), T[songs]

        def r_squared(network: Sequential) -> float:
            error = np.square(self._hear([spectrograms[i] for i in judged]) - T[judged]).sum(axis=0)
            return float(np.mean(1 - error / np.square(T[judged] - T[judged].mean(axis=0)).sum(axis=0)))

        self.history = train(self.network, MSE(), batches, r_squared, self.plan, progress, checkpoint)
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
        self._trained()
        check_spectrograms(spectrograms, self.width, len(self.inputs.mean))
        return self.targets.undo(self._hear(spectrograms).T).T

    def save(self, path: str | os.PathLike) -> None:
        """Keep the trained network and the statistics of its inputs and targets in a .npz file, for `AudioToFactors.load`."""
        self._trained()
        settings = {name: getattr(self, name) for name in ("width", "batch_size", "validation")}
        about = {**settings, "plan": asdict(self.plan), "history": [asdict(epoch) for epoch in self.history]}
        network = {f"network {name}": w for name, w in self.network.arrays().items()}
        statistics = {
            f"{part} {what}": getattr(getattr(self, part), what) for part in PARTS for what in ("mean", "std")
        }
        with written_whole(path) as temporary, open(temporary, "wb") as file:
            np.savez(file, about=json.dumps({"format": "acai ear 1", **about}), **statistics, **network)

    @classmethod
    def load(cls, path: str | os.PathLike) -> "AudioToFactors":
        """Read what `save` wrote. No pickle is read, so a stranger's file can do no harm.

        Raises
        ------
        InputError
            If there is no such file, or it is not one of ours.
        """
        try:
            with np.load(path, allow_pickle=False) as file:
                arrays = dict(file)
            about = json.loads(str(arrays["about"]))
            if about["format"] != "acai ear 1":
                raise InputError(f"{path}: its format is {about['format']!r}; expected 'acai ear 1'")
            network = {name.removeprefix("network "): w for name, w in arrays.items() if name.startswith("network ")}
            settings = {name: about[name] for name in ("width", "batch_size", "validation")}
            ear = cls(from_arrays(network, path), **settings, **about["plan"])
            ear.inputs, ear.targets = (Standardiser(arrays[f"{part} mean"], arrays[f"{part} std"]) for part in PARTS)
            ear.history = [Epoch(**epoch) for epoch in about["history"]]
        except FileNotFoundError:
            raise InputError(f"{path}: there is no such file; expected what AudioToFactors.save wrote") from None
        except InputError:
            raise
        except (OSError, ValueError, KeyError, TypeError, AttributeError, EOFError, zipfile.BadZipFile) as error:
            raise InputError(f"{path}: not an ear saved by acai ({type(error).__name__}: {error})") from None
        return ear

    def _trained(self) -> None:
        if not hasattr(self, "inputs"):
            raise InputError("this AudioToFactors has not learnt to hear yet; call fit(spectrograms, Q) first")

    def _hear(self, spectrograms: Sequence[np.ndarray]) -> np.ndarray:
        return np.stack(
            [
                self.network.predict(self.shaped(consecutive_windows(S, self.width, self.inputs))).mean(axis=0)  # (A4)
                for S in spectrograms
            ]
        )

    def shaped(self, x: np.ndarray) -> np.ndarray:
        """Windows as the network takes them: (N, bands, 1, width), or (N, 1, bands, width) for one that sees a picture."""
        W = self.network.layers[0].params.get("W")
        if W is not None and W.ndim == 4 and W.shape[1] == 1:
            return x.reshape(x.shape[0], 1, x.shape[1], x.shape[3])
        return x
