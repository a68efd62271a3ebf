"""What one listener will like, learnt from what they played and skipped: models are compared on songs they have not seen."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from acai.content import AudioToFactors, BagOfWords, SpectrumRidge
from acai.content.sound_neighbours import SoundNeighbours, distances, sound_features
from acai.content.windows import Standardiser
from acai.datasets.exports.collecting import YOU
from acai.datasets.rules import plays_and_skips
from acai.errors import InputError
from acai.studies.cross_fitting import UNUSED, Choice, Fitted, Floats, Folds, SoundModel, choose, cross_fit
from acai.studies.ladder import factors_of_plays
from acai.studies.own_music import Library

NEIGHBOURS, RIDGE, WORDS, NETWORK = "nearest neighbours in sound", "ridge regression", "bag of words", "the network"
MIN_FOR_RIDGE = 2  # liked songs: with one, nothing can be held out
MIN_FOR_NETWORK = 20  # liked songs; fewer are no match for its 50,000 weights, and would only cost minutes
MOST_LIKED = 300  # liked songs to learn from, drawn at random if there are more
FRAMES_PER_WORD = 25
FRAMES = 1292  # of a song that are used, from its middle: 30 s
OTHERS_PER_LIKED, MIN_OTHERS = 1, 100  # how many songs without plays take part for each liked one, and at least


@dataclass(frozen=True)
class Profile:
    """What is known of one listener of a library, and its songs with audio.

    Attributes
    ----------
    library : Library
        The songs and plays.
    user : str
        The profile.
    songs : list of str
        The songs with audio.
    plays : numpy.ndarray, shape (n_songs,)
        How often the listener played each.
    skips : numpy.ndarray, shape (n_songs,)
        How often they abandoned each.
    is_new : numpy.ndarray of bool, shape (n_songs,)
        Which songs nobody has played, and the listener has not skipped: one of these is recommended.
    """

    library: Library
    user: str
    songs: list[str]
    plays: Floats
    skips: Floats
    is_new: NDArray[np.bool_]

    @classmethod
    def of(cls, library: Library, user: str) -> "Profile":
        """Collect what is known of a listener; refuse one who has played nothing with audio, or everything."""
        log = library.plays
        songs = library.songs_with_audio()
        columns = [log.column(song) for song in songs]
        plays = log.csr[[log.row(user)]].toarray()[0, columns].astype(np.float64)
        n_listeners = np.diff(log.csc.indptr)[columns]
        skips = np.array([library.skips.get(song, 0) for song in songs], dtype=np.float64)
        is_new = (n_listeners == 0) & (skips == 0)
        if not is_new.any():
            raise InputError(f"every track of {library.audio} has been played already; add some that nobody has played")
        if not plays.any():
            raise InputError(f"{user} has played no track of {library.audio} with audio; name another listener with --user")
        return cls(library, user, songs, plays, skips, is_new)

    @property
    def values(self) -> Floats:
        """What the listener thinks of each song by plays and skips (D6), 0 if they never heard it.

        If no song was played more often than skipped, the skips say nothing, and plays alone count (D2).
        """
        values = np.asarray(plays_and_skips(self.plays, self.skips), dtype=np.float64)
        return values if (values > 0).any() else np.log1p(self.plays)

    @property
    def liked(self) -> NDArray[np.bool_]:
        """Which songs have a value above 0."""
        return self.values > 0

    def excerpt(self, i: int) -> NDArray[np.float16]:
        """Return the middle of the spectrogram of a song, in memory."""
        S = self.library.sounds[self.songs[i]]
        start = max(0, (S.shape[1] - FRAMES) // 2)
        return np.array(S[:, start : start + FRAMES])


@dataclass(frozen=True)
class Recommended:
    """A song for a listener: its score, and which of the songs they like sounds most like it."""

    song: str
    score: float
    nearest: str


@dataclass(frozen=True)
class Recommendations:
    """What one listener played, and which songs that nobody has played suit them best.

    Attributes
    ----------
    profile : Profile
        The listener and the songs.
    best : list of Recommended
        The best first.
    choice : Choice
        How the models compare, and which was chosen.
    features : numpy.ndarray, shape (n_songs, 2 · bands)
        The sound of each song, standardised, to draw a map.
    network : AudioToFactors or None
        The network, if it was trained: that of the last fold.
    """

    profile: Profile
    best: list[Recommended]
    choice: Choice
    features: Floats
    network: AudioToFactors | None

    @property
    def verdict(self) -> str:
        """Say in numbers how well the best model did on songs it had not seen, compared with chance; or that it knows nothing."""
        who = "you play" if self.profile.user == YOU else f"{self.profile.user} plays"
        choice = self.choice
        if not choice.aucs:
            n = int(self.profile.liked.sum())
            found = f"{n} song{' is' if n == 1 else 's are'} too few to learn from some and be tested on others"
            nearby = f"The songs recommended sound most like what {who}; whether they will be liked, nobody can say"
            return f"Nothing could be measured: {found}. {nearby}."
        found = (
            f"Given a song that {who} and one that has not been played, or is skipped more often, {choice.chosen} ranks the right "
            f"one higher in {choice.aucs[choice.chosen]:.0%} of the cases, for songs that it has not seen"
        )
        chance = f"Guessing gets 50%, and with luck up to {choice.luck:.0%}"
        if choice.knows:
            return f"{found}. {chance}."
        return f"This page knows nothing of this taste. {found}. {chance}: the order of these songs is no better than a guess."


def recommend(
    library: Library, user: str, n_factors: int = 10, n_epochs: int = 40, *, seed: int = 0, progress: bool = False
) -> Recommendations:
    """Learn what a listener likes, with the model that ranks songs best which it has not seen, and rank the new songs.

    The model learns the values by plays and skips (D6), among songs that were never played, whose value is 0. In a log of
    several listeners it learns what a factor model (C11) thinks that this one thinks of each song, so that what is played
    by people of the same taste counts too. Every song is scored only by models that were not trained on it.

    Parameters
    ----------
    library : Library
        The songs and plays.
    user : str
        The profile.
    n_factors, n_epochs : int
        The latent factors of the factor model, and the training epochs of the network.
    seed : int
        Seed of the folds and the training.
    progress : bool
        Show progress bars.
    """
    profile = Profile.of(library, user)
    liked = profile.liked
    folds = Folds.deal(liked, _taking_part(profile, liked, seed), seed)
    excerpts = {int(i): profile.excerpt(int(i)) for i in np.flatnonzero(folds.fold != UNUSED)}
    targets = _targets(profile, n_factors, seed)
    networks: list[AudioToFactors] = []
    fitted = {}
    for name, new in _models(folds, n_epochs, seed, networks).items():
        fitted[name] = cross_fit(new, excerpts, targets, folds, name if progress else "")
    choice = choose(fitted, folds, seed)
    scores = _scores(profile, fitted[choice.chosen], folds)
    features = sound_features([profile.excerpt(i) for i in range(len(profile.songs))])
    X = Standardiser.fit([features.T]).transform(features.T).T.astype(np.float64)
    if not choice.aucs:  # then take what sounds most like a song that is liked
        scores = -distances(X, X[liked]).min(axis=1)
    order = [i for i in np.argsort(-scores, kind="stable") if profile.is_new[i]][:5]
    nearest = np.flatnonzero(liked)[distances(X[order], X[liked]).argmin(axis=1)]
    best = [Recommended(profile.songs[i], float(scores[i]), profile.songs[j]) for i, j in zip(order, nearest)]
    return Recommendations(profile, best, choice, X, networks[-1] if networks else None)


def _taking_part(profile: Profile, liked: NDArray[np.bool_], seed: int) -> NDArray[np.bool_]:
    """Choose the songs to train and test on: those liked, the others with plays or skips, and some of the new ones."""
    rng = np.random.default_rng(seed)
    used = np.zeros(len(liked), dtype=bool)
    n_others = max(MIN_OTHERS, OTHERS_PER_LIKED * int(liked.sum()))
    for group, most in (liked, MOST_LIKED), (~liked & ~profile.is_new, n_others), (profile.is_new, n_others):
        used[rng.permutation(np.flatnonzero(group))[:most]] = True
    return used


def _targets(profile: Profile, n_factors: int, seed: int) -> Callable[[NDArray[np.intp]], Floats]:
    """Return what gives the values to learn, of songs to train on."""
    plays = profile.library.plays
    if plays.n_users == 1:
        return lambda training: profile.values[training]

    values_of: dict[bytes, Floats] = {}  # each fold is asked for by every model

    def from_all_listeners(training: NDArray[np.intp]) -> Floats:
        if training.tobytes() in values_of:
            return values_of[training.tobytes()]
        columns = np.array([plays.column(profile.songs[i]) for i in training])
        without_audio = np.array([song not in profile.library.sounds for song in plays.songs])
        known = without_audio.copy()
        known[columns] = True
        model = factors_of_plays(plays.keep(known[plays.csr.indices]), seed, n_factors=n_factors)
        values_of[training.tobytes()] = model.Q[columns].astype(np.float64) @ model.P[plays.row(profile.user)]
        return values_of[training.tobytes()]

    return from_all_listeners


def _models(folds: Folds, n_epochs: int, seed: int, networks: list[AudioToFactors]) -> dict[str, Callable[[], SoundModel]]:
    """List the models that there are enough songs for, the simplest first; networks are added to the list as they are made."""
    n_liked = int((folds.liked & (folds.fold != UNUSED)).sum())
    n_words = min(400, folds.smallest_training)  # no more than there are songs to tell apart by them
    words = {"n_words": n_words, "n_frames": FRAMES_PER_WORD * n_words, "seed": seed}

    def network() -> SoundModel:
        networks.append(AudioToFactors(n_epochs=n_epochs, seed=seed))
        return networks[-1]

    models: dict[str, Callable[[], SoundModel]] = {NEIGHBOURS: SoundNeighbours}
    if n_liked >= MIN_FOR_RIDGE and folds.smallest_training >= 3:
        models |= {RIDGE: lambda: SpectrumRidge(spread=True), WORDS: lambda: BagOfWords(**words)}
    if n_liked >= MIN_FOR_NETWORK:
        models[NETWORK] = network
    return models


def _scores(profile: Profile, fitted: Fitted, folds: Folds) -> Floats:
    """Score the songs with models that were not trained on them."""
    scores = fitted.scores.copy()
    for i in np.flatnonzero((folds.fold == UNUSED) & profile.is_new):
        scores[i] = fitted.score_unused(profile.excerpt(int(i)))
    return scores
