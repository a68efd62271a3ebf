"""`acai features`, `acai classify`, `acai evaluate cold-start`: what can be told of music by its sound."""

import time
from pathlib import Path
from typing import Literal

import numpy as np

from acai import plots
from acai.audio.feature_cache import SUBFOLDER
from acai.audio.features import default_cache, extract
from acai.audio.folder import audio_folder
from acai.commands import expect_picture
from acai.content.classify import SoundClassifier, SpectrumClassifier, cross_validate
from acai.datasets.synthetic import synthetic
from acai.errors import InputError
from acai.studies.ladder import NETWORK, Music, climb
from acai.studies.own_music import own_music
from acai.terminal import one_line


def features(
    folder: Path, *, cache: Path | None = None, kind: Literal["log_mel", "mfcc"] = "log_mel", jobs: int = -1,
    sample_rate: float | None = None, window: int | None = None, hop: int | None = None, mels: int | None = None,
    f_max: float | None = None,
) -> None:
    """Turn a folder of sound files into features, on all cores, once.

    They are log-mel spectrograms (A1, A2) or MFCC (A3). What has been done is kept and found again, even after a kill.
    Files that cannot be used are listed at the end with their reason.

    Parameters
    ----------
    folder : FOLDER
        A folder of wav, flac, ogg and mp3 files, at any depth.
    cache : FOLDER
        Where to cache the features: in its subfolder `acai-features` (default: the user's cache folder).
    kind : {log_mel,mfcc}
        Which features.
    jobs : N
        Files at a time; -1 is as many as there are cores.
    sample_rate : HZ
        Resample to this rate (default: 22050).
    window : N
        Samples in a frame (default: 1024; mfcc: 2048).
    hop : N
        Samples from frame to frame (default: 512).
    mels : N
        Mel bands (default: 128).
    f_max : HZ
        Upper end of the bands (default: half the rate; mfcc: 8 kHz).
    """
    named = {"sample_rate": sample_rate, "window": window, "hop": hop, "n_mels": mels, "f_max": f_max}
    given = {name: value for name, value in named.items() if value is not None}
    tracks = audio_folder(folder)
    cache = cache or default_cache()
    started = time.perf_counter()
    found = extract(tracks.paths, cache, kind, jobs, progress=True, **given)
    seconds = time.perf_counter() - started
    for title, notes in ("worth knowing", found.remarks), ("skipped", tracks.skipped | found.skipped):
        if notes:
            print(f"{title}:", *(f"  {one_line(track)} {note}" for track, note in notes.items()), sep="\n")
    if not found:
        raise InputError(f"none of the {len(tracks)} files in {tracks.root} could be used")
    if found.n_damaged:
        print(f"damaged in the cache and computed again: {found.n_damaged}")
    known = f"{found.n_computed} new, {len(found) - found.n_computed} known, {seconds:.2f} s"
    print(f"{len(found)} of {len(tracks)} tracks have features ({known}), cached in {cache / SUBFOLDER}")


def classify(
    folder: Path, *, cache: Path | None = None, out: Path = Path("acai-classify.png"), folds: int = 5, repeats: int = 3,
    epochs: int = 30, seed: int = 0,
) -> None:
    """Learn to tell the sub-folders of a folder of music apart: genres, artists, soundtracks.

    Every track is held out whole once in each repeat: no second of it is ever learnt from before it is guessed. A network
    trained with the softmax loss (N6) is set beside ridge regression (A7) on mean spectra and the largest class. Prints the
    accuracy of each, the tracks that went wrong, and writes a picture of what was taken for what.

    Parameters
    ----------
    folder : FOLDER
        A folder whose sub-folders are the classes.
    cache : FOLDER
        Where the features are kept (default: the user's cache folder).
    out : FILE
        The picture.
    folds : N
        Parts to hold out in turn.
    repeats : N
        Times to part anew.
    epochs : N
        Of each training.
    seed : N
        Another seed, other folds.
    """
    expect_picture(out)
    tracks = audio_folder(folder)
    heard = extract({track: tracks.paths[track] for track in tracks.classes}, cache, progress=True)
    spectrograms = {track: S for track, S in heard.items() if S.shape[1] >= SoundClassifier().width}
    short = {track: "is shorter than a window of 3 s" for track in heard if track not in spectrograms}
    for track, reason in (heard.skipped | short).items():
        print(f"skipped: {one_line(track)} {reason}")
    classifiers = {
        NETWORK: lambda seed: SoundClassifier(n_epochs=epochs, seed=seed),
        "ridge on mean spectra": lambda seed: SpectrumClassifier(),
    }
    result = cross_validate(spectrograms, tracks.classes, classifiers, folds, repeats, seed, progress=True)
    counts = np.bincount(result.truth)
    sizes = ", ".join(f"{one_line(name)} {count}" for name, count in zip(result.classes, counts))
    print(f"\n{len(spectrograms)} tracks of {len(counts)} classes: {sizes}")
    print(f"accuracy on tracks held out whole, {folds} folds, {repeats} repeats (mean ± standard deviation):")
    for name in classifiers:
        print(f"  {name:<26}{result.accuracy(name).mean():.3f} ± {result.accuracy(name).std():.3f}")
    print(f"  {'always the largest class':<26}{counts.max() / counts.sum():.3f}")
    if (result.predictions[NETWORK] != result.truth).any():
        print(f"\nwhere {NETWORK} went wrong:")
    for track, truth, guesses in zip(spectrograms, result.truth, result.predictions[NETWORK].T):
        wrong = guesses[guesses != truth]
        if len(wrong):
            usual = result.classes[np.bincount(wrong).argmax()]
            print(f"  {one_line(track)}: taken for {one_line(usual)} in {len(wrong) / repeats:.0%} of the repeats")
    ax = plots.confusion(result.confusion(NETWORK), result.classes)
    ax.set_title(f"{NETWORK}, mean of {repeats} repeats")
    plots.save(ax, out)
    print(f"\nwhat was taken for what: {out}")


def evaluate_cold_start(
    *, plays: Path | None = None, audio: Path | None = None, folds: int = 5, epochs: int = 40, songs: int = 800,
    users: int = 1000, seed: int = 0, plot: Path | None = None,
) -> None:
    """How well can songs that nobody has played be recommended? A ladder from chance to the truth.

    It leads by way of straight lines and a bag of words to the network and, where it is known, the truth. Songs are held
    out whole, fold by fold; the table has the mean over the folds and the standard deviation. Without --plays and --audio the
    music is the SYNTHETIC world of `acai demo`. The first folder that a track of your own lies in is taken for its artist.

    Parameters
    ----------
    plays : FILE
        A table of listener, track and number of plays, as in `acai report --help`.
    audio : FOLDER
        The folder of the tracks.
    folds : N
        In how many parts songs are held out.
    epochs : N
        Passes of the network over the songs.
    songs : N
        Songs in the synthetic world.
    users : N
        Listeners in it.
    seed : N
        Of the folds, the world and all that is learnt.
    plot : FILE
        Draw the ladder into this file.
    """
    if (plays is None) != (audio is None):
        raise InputError("--plays and --audio go together: who played what, and what it sounds like")
    if plot:
        expect_picture(plot)
    if plays is not None:
        log, spectrograms = own_music(plays, audio).listen(progress=True).with_sound_only()
        artists = [song.split("/")[0] if "/" in song else None for song in log.songs]
        music = Music(log, spectrograms, artists=artists if any(artists) else None)
    else:
        print("A SYNTHETIC world: its listeners, songs and plays are made up, so that we know the truth.\n")
        world = synthetic(users, songs, seed=seed)
        music = Music(world.plays, world.spectrograms(progress=True), truth=world.tastes @ world.features.T)
    print(f"{music.plays}\n")
    ladder = climb(music, folds, epochs, seed, progress=True)
    print(f"\n  {'':<40} {'AUC':>15} {'mAP@500':>15}")
    for name, rung in ladder.rungs.items():  # (folds, 2)
        cells = (f"{mean:.4f} ± {std:.4f}" for mean, std in zip(rung.mean(axis=0), rung.std(axis=0, ddof=1)))
        print(f"  {name:<40} " + " ".join(cells))
    way = ladder.way
    if way is not None:
        print(f"\nThe network is {way.mean():.1%} of the way from chance to the truth (± {np.std(way, ddof=1):.1%}).")
    if plot is not None:
        areas = {name: rung[:, 0].mean() for name, rung in ladder.rungs.items()}
        errors = {name: rung[:, 0].std(ddof=1) for name, rung in ladder.rungs.items()}
        plots.save(plots.ladder(areas, errors=errors), plot)
        print(f"\nThe picture is in {plot.resolve()}")
