"""`acai features`, `acai classify`, `acai evaluate cold-start`: what can be predicted from audio."""

import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Literal

import numpy as np

from acai import plots
from acai.audio.feature_cache import SUBFOLDER
from acai.audio.features import default_cache, extract
from acai.audio.folder import audio_folder
from acai.commands import expect_folder, expect_picture
from acai.commands.output import Format, Row, print_rows, remarks
from acai.content.classify import Classifier, CrossValidationResult, SoundClassifier, SpectrumClassifier, cross_validate
from acai.errors import InputError
from acai.settings import Count, Folds, Jobs, Seed
from acai.studies.enough import expect_enough, made_up_world
from acai.studies.ladder import NETWORK, ColdStartSplit, Music, compare_models
from acai.studies.own_music import own_music
from acai.terminal import one_line


def features(  # noqa: PLR0913 - the options of the command
    folder: Path, *, cache: Path | None = None, kind: Literal["log_mel", "mfcc"] = "log_mel", jobs: Jobs = -1,
    sample_rate: float | None = None, window: int | None = None, hop: int | None = None, mels: int | None = None,
    f_max: float | None = None,
) -> None:
    """Compute the features of a folder of audio files, on all cores, and cache them.

    They are log-mel spectrograms (A1, A2) or MFCCs (A3). Whatever is computed is cached at once, so nothing is computed twice,
    even after a crash. Files that cannot be used are listed at the end with the reason.

    Parameters
    ----------
    folder : FOLDER
        A folder of wav, flac, ogg and mp3 files, at any depth.
    cache : FOLDER
        Where to cache the features: in its subfolder `acai-features` (default: the user's cache folder).
    kind : {log_mel,mfcc}
        The kind of features.
    jobs : N
        Number of files at a time; -1 is one per core.
    sample_rate : HZ
        Resample to this rate (default: 22050).
    window : N
        Samples per frame (default: 1024; mfcc: 2048).
    hop : N
        Samples from frame to frame (default: 512).
    mels : N
        Number of mel bands (default: 128).
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
    for title, notes in ("notes", found.remarks), ("skipped", found.skipped | tracks.skipped):
        if notes:
            print(f"{title}:", *(f"  {one_line(track)} {note}" for track, note in notes.items()), sep="\n")
    if not found:
        raise InputError(f"none of the {len(tracks)} files in {tracks.root} could be used")
    if found.n_damaged:
        print(f"damaged in the cache and computed again: {found.n_damaged}")
    counts = f"{found.n_computed} new, {len(found) - found.n_computed} from the cache, {seconds:.2f} s"
    print(f"{len(found)} of {len(tracks)} tracks have features ({counts}), cached in {cache / SUBFOLDER}")


def classify(  # noqa: PLR0913 - the options of the command
    folder: Path, *, cache: Path | None = None, out: Path = Path("acai-classify.png"), folds: Folds = 5, repeats: Count = 3,
    epochs: Count = 30, seed: Seed = 0, format: Format = "table",
) -> None:
    """Classify the tracks of a folder by subfolder: genres, artists, soundtracks.

    Every track is held out once in each repeat: no part of it is used for training before it is predicted. A network trained
    with the softmax loss (N6) is compared with ridge regression (A7) on mean spectra and with the largest class. Prints the
    accuracy of each and the misclassified tracks, and draws the confusion matrix.

    Parameters
    ----------
    folder : FOLDER
        A folder whose subfolders are the classes.
    cache : FOLDER
        Where to cache the features (default: the user's cache folder).
    out : FILE
        The picture.
    folds : N
        Number of folds.
    repeats : N
        Number of times to repeat the split into folds.
    epochs : N
        Epochs of each training.
    seed : N
        Seed of the folds and the training.
    format : {table,csv,json}
        With csv and json, print one row per track, with its usual prediction by each classifier, and nothing else on stdout.
    """
    expect_picture(out)
    with remarks(format):
        names, result = _classified(folder, cache, (folds, repeats, epochs, seed))
    if format != "table":
        print_rows(_rows(names, result), format)
    ax = plots.confusion(result.confusion(NETWORK), result.classes)
    ax.set_title(f"{NETWORK}, mean of {repeats} repeats")
    plots.save(ax, out)
    with remarks(format):
        print(f"\nconfusion matrix: {out}")


def _classified(
    folder: Path, cache: Path | None, settings: tuple[int, int, int, int]
) -> tuple[list[str], CrossValidationResult]:
    """Cross-validate the classifiers on the tracks of a folder, and print how well they did."""
    folds, repeats, epochs, seed = settings
    tracks = audio_folder(folder)
    found = extract({track: tracks.paths[track] for track in tracks.classes}, cache, progress=True)
    spectrograms = {track: S for track, S in found.items() if S.shape[1] >= SoundClassifier().width}
    short = {track: "is shorter than a window of 3 s" for track in found if track not in spectrograms}
    for track, reason in (found.skipped | short | tracks.skipped).items():
        print(f"skipped: {one_line(track)} {reason}")
    classifiers: dict[str, Callable[[int], Classifier]] = {
        NETWORK: lambda seed: SoundClassifier(n_epochs=epochs, seed=seed),
        "ridge on mean spectra": lambda seed: SpectrumClassifier(),
    }
    result = cross_validate(spectrograms, tracks.classes, classifiers, folds, repeats, seed, progress=True)
    counts = np.bincount(result.truth)
    sizes = ", ".join(f"{one_line(name)} {count}" for name, count in zip(result.classes, counts))
    print(f"\n{len(spectrograms)} tracks of {len(counts)} classes: {sizes}")
    print(f"accuracy on held-out tracks, {folds} folds, {repeats} repeats (mean ± standard deviation):")
    for name in classifiers:
        print(f"  {name:<26}{result.accuracy(name).mean():.3f} ± {result.accuracy(name).std():.3f}")
    print(f"  {'always the largest class':<26}{counts.max() / counts.sum():.3f}")
    if (result.predictions[NETWORK] != result.truth).any():
        print(f"\nmisclassified by {NETWORK}:")
    for track, truth, predictions in zip(spectrograms, result.truth, result.predictions[NETWORK].T):
        wrong = predictions[predictions != truth]
        if len(wrong):
            usual = result.classes[np.bincount(wrong).argmax()]
            print(f"  {one_line(track)}: predicted as {one_line(usual)} in {len(wrong) / repeats:.0%} of the repeats")
    return list(spectrograms), result


def _rows(tracks: Sequence[str], result: CrossValidationResult) -> list[Row]:
    """Make one row per track: its class, what each classifier usually predicted, and how often it was right."""
    rows: list[Row] = []
    for place, (track, truth) in enumerate(zip(tracks, result.truth)):
        row: dict[str, object] = {"track": track, "class": result.classes[truth]}
        for name, predictions in result.predictions.items():
            usual = np.bincount(predictions[:, place]).argmax()
            row |= {name: result.classes[usual], f"{name}, right": float((predictions[:, place] == truth).mean())}
        rows.append(row)
    return rows


def evaluate_cold_start(  # noqa: PLR0913 - the options of the command
    *, plays: Path | None = None, audio: Path | None = None, folds: Folds = 5, epochs: Count = 40, songs: Count = 800,
    users: Count = 1000, seed: Seed = 0, plot: Path | None = None,
) -> None:
    """Evaluate how well songs that nobody has played can be recommended, from chance to the truth.

    The models range from linear ones and a bag of words to the network and, where it is known, the truth. Songs are held out
    in folds; the table shows the mean over the folds and the standard deviation. Without --plays and --audio the music is the
    SYNTHETIC world of `acai demo`. The top folder of each of your own tracks is taken as its artist.

    Parameters
    ----------
    plays : FILE
        A listening history, or a table of listener, track and number of plays, as in `acai report --help`.
    audio : FOLDER
        The folder of the tracks.
    folds : N
        Number of folds of songs.
    epochs : N
        Training epochs of the network.
    songs : N
        Number of songs in the synthetic world.
    users : N
        Number of listeners in the synthetic world.
    seed : N
        Seed of the folds, the world and the training.
    plot : FILE
        Draw the comparison into this file.
    """
    if plot:
        expect_picture(plot)
    if plays is not None and audio is not None:
        expect_folder("--audio", audio)
        log, spectrograms = own_music(plays, audio).listen(progress=True).with_sound_only()
        artists = [str(song).split("/")[0] if "/" in str(song) else None for song in log.songs]
        music = Music(log, spectrograms, artists=artists if any(artists) else None)
    elif plays is None and audio is None:
        print("A SYNTHETIC world: its listeners, songs and plays are made up, so that we know the truth.\n")
        world, _ = made_up_world(users, songs, seed)
        expect_enough(ColdStartSplit.folds(world.plays, folds, seed), f"{songs} songs, {users} listeners and {folds} folds")
        music = Music(world.plays, world.spectrograms(progress=True), truth=world.tastes @ world.features.T)
    else:
        raise InputError("--plays and --audio go together: who played what, and what it sounds like")
    print(f"{music.plays}\n")
    comparison = compare_models(music, folds, epochs, seed, progress=True)
    print(f"\n  {'':<48} {'AUC':>15} {'mAP@500':>15}")
    for name, scores in comparison.scores.items():  # (folds, 2)
        cells = (f"{mean:.4f} ± {std:.4f}" for mean, std in zip(scores.mean(axis=0), scores.std(axis=0, ddof=1)))
        print(f"  {name:<48} " + " ".join(cells))
    closed = comparison.gap_closed
    if closed is not None:
        print(f"\nThe network closes {closed.mean():.1%} of the gap from chance to the truth (± {np.std(closed, ddof=1):.1%}).")
    if plot is not None:
        aucs = {name: float(scores[:, 0].mean()) for name, scores in comparison.scores.items()}
        errors = {name: float(scores[:, 0].std(ddof=1)) for name, scores in comparison.scores.items()}
        plots.save(plots.ladder(aucs, errors=errors), plot)
        print(f"\nThe picture is in {plot.resolve()}")
