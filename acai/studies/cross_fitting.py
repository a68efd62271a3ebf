"""Models of one listener's taste, compared on songs they have not seen: which knows it best, and whether by more than luck."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol, Self

import numpy as np
from numpy.typing import ArrayLike, NDArray
from tqdm import tqdm

from acai.content import AudioToFactors
from acai.evaluation.metrics import ranks_of

N_FOLDS = 5
N_SHUFFLES = 1000
UNUSED, ALWAYS = -2, -1  # in place of a fold: a song that takes no part, or that is always trained on
Floats = NDArray[np.float64]


class SoundModel(Protocol):
    """What predicts values of songs, shape (n_songs, 1), from their spectrograms."""

    def fit(self, spectrograms: Sequence[NDArray[np.floating]], Q: ArrayLike, progress: bool = False) -> Self:
        """Learn from songs whose values are known."""

    def predict(self, spectrograms: Sequence[NDArray[np.floating]]) -> NDArray[np.floating]:
        """Predict the values of others."""


@dataclass(frozen=True)
class Folds:
    """The songs in folds: a model that is scored on one fold was trained on the others.

    Attributes
    ----------
    fold : array of int, shape (n_songs,)
        The fold of each song, or ALWAYS, or UNUSED.
    liked : array of bool, shape (n_songs,)
        Which songs a good model ranks above the others.
    n : int
        The number of folds.
    """

    fold: NDArray[np.int64]
    liked: NDArray[np.bool_]
    n: int

    @classmethod
    def deal(cls, liked: NDArray[np.bool_], used: NDArray[np.bool_], seed: int) -> Self:
        """Deal the liked songs evenly into folds, and then the others; a single liked song is always trained on."""
        rng = np.random.default_rng(seed)
        fold = np.full(len(liked), UNUSED)
        n_liked = int((liked & used).sum())
        n = min(N_FOLDS, max(2, n_liked))
        for group in liked & used, ~liked & used:
            songs = rng.permutation(np.flatnonzero(group))
            fold[songs] = np.arange(len(songs)) % n
        if n_liked == 1:
            fold[liked & used] = ALWAYS
        return cls(fold, liked, n)

    @property
    def smallest_training(self) -> int:
        """Count the songs of the smallest training set."""
        return min(len(self.training(f)) for f in range(self.n))

    def training(self, f: int) -> NDArray[np.intp]:
        """Return the songs to train on when fold f is held out."""
        return np.flatnonzero((self.fold != f) & (self.fold != UNUSED))

    def held_out(self, f: int) -> NDArray[np.intp]:
        """Return the songs of fold f."""
        return np.flatnonzero(self.fold == f)

    @property
    def n_pairs(self) -> int:
        """Count the pairs of a liked song and another in the same fold: models are compared on these."""
        sizes = [(int(self.liked[songs].sum()), len(songs)) for songs in map(self.held_out, range(self.n))]
        return sum(n_liked * (n_songs - n_liked) for n_liked, n_songs in sizes)

    def auc(self, scores: Floats, liked: NDArray[np.bool_]) -> NDArray[np.float64]:
        """Compute the AUC (E7) within the folds: the share of pairs in which the liked song is scored higher.

        `liked` has the shape (…, n_songs), so that many answers can be scored at once.
        """
        n_right = np.zeros(liked.shape[:-1])
        for f in range(self.n):
            songs = self.held_out(f)
            n_liked = liked[..., songs].sum(axis=-1)
            n_right += liked[..., songs] @ ranks_of(scores[songs]) - n_liked * (n_liked + 1) / 2
        return n_right / self.n_pairs

    def shuffled(self, seed: int) -> NDArray[np.bool_]:
        """Shuffle within each fold which songs are liked, many times: (N_SHUFFLES, n_songs)."""
        rng = np.random.default_rng(seed)
        liked = np.tile(self.liked, (N_SHUFFLES, 1))
        for f in range(self.n):
            songs = self.held_out(f)
            liked[:, songs] = rng.permuted(liked[:, songs], axis=1)
        return liked


@dataclass(frozen=True)
class Fitted:
    """One kind of model, fitted once for each fold that was held out; `scores` are those of held-out songs, 0 elsewhere."""

    models: list[SoundModel]
    scores: Floats

    def score_unused(self, spectrogram: NDArray[np.floating]) -> float:
        """Score a song that no model has seen: the mean of what all predict."""
        return float(np.mean([model.predict([spectrogram])[0, 0] for model in self.models]))


def cross_fit(
    new: Callable[[], SoundModel], spectrograms: Mapping[int, NDArray[np.floating]], targets: Callable[[NDArray[np.intp]], Floats],
    folds: Folds, progress: str = "",
) -> Fitted:
    """Fit a model for each fold, on the songs of the others, and score the songs of that fold.

    Parameters
    ----------
    new : callable
        Makes a model.
    spectrograms : mapping of int to numpy.ndarray
        Those of all songs that take part, by their number.
    targets : callable
        The values to learn, for an array of songs to train on. Their mean is subtracted, since it differs from fold to
        fold, and all scores are to be compared.
    folds : Folds
        The songs.
    progress : str
        The title of a progress bar; "" for none.
    """
    scores = np.zeros(len(folds.fold))
    models = []
    for f in tqdm(range(folds.n), desc=progress, unit="fold", disable=not progress):
        training, held_out = folds.training(f), folds.held_out(f)
        values = targets(training)
        model = new().fit([spectrograms[i] for i in training], (values - values.mean())[:, None])
        if isinstance(model, AudioToFactors):
            model.expect_complete_training()
        if len(held_out):
            scores[held_out] = model.predict([spectrograms[i] for i in held_out])[:, 0]
        models.append(model)
    return Fitted(models, scores)


@dataclass(frozen=True)
class Choice:
    """How well models rank songs they have not seen: the result of `choose`.

    Attributes
    ----------
    aucs : dict of str to float
        The AUC of each model; empty if there was nothing to compare them on.
    chosen : str
        The best, or the first if there was nothing to compare.
    luck : float
        What the best of these models would reach by luck in one of twenty cases, if none knew anything.
    p : float
        In which share of all cases luck would get as far as the best has got.
    """

    aucs: dict[str, float]
    chosen: str
    luck: float = 1.0
    p: float = 1.0

    @property
    def knows(self) -> bool:
        """Whether the best model is better than luck would have it."""
        return bool(self.aucs) and self.p <= 0.05


def choose(fitted: Mapping[str, Fitted], folds: Folds, seed: int) -> Choice:
    """Compare models, and what luck alone would do: the songs that are liked are shuffled within each fold.

    As the models of the folds share most of their songs, their scores err together, and luck reaches further than the
    shuffled folds show: by the factor √(1 + n/(n−1)), for n folds (Nadeau and Bengio 2003).
    """
    first = next(iter(fitted))
    if not folds.n_pairs:
        return Choice({}, first)
    aucs = {name: float(folds.auc(model.scores, folds.liked)) for name, model in fitted.items()}
    shuffled = folds.shuffled(seed)
    best_of_shuffled = np.max([folds.auc(model.scores, shuffled) for model in fitted.values()], axis=0)
    by_luck = 0.5 + (best_of_shuffled - 0.5) * np.sqrt(1 + folds.n / (folds.n - 1))
    chosen = max(aucs, key=aucs.__getitem__)
    p = (1 + int((by_luck >= aucs[chosen] - 1e-9).sum())) / (1 + N_SHUFFLES)
    return Choice(aucs, chosen, min(1.0, float(np.quantile(by_luck, 0.95))), p)
