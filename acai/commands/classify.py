"""Learn to tell the sub-folders of a folder of music apart: genres, artists, soundtracks.

Every track is held out whole once in each repeat: no second of it is ever learnt from before it is guessed. A network
trained with the softmax loss (N6) is set beside ridge regression (A7) on mean spectra and the largest class. Prints the
accuracy of each, the tracks that went wrong, and writes a picture of what was taken for what.
"""

import argparse
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from acai.content.classify import Verdicts

NETWORK, RIDGE = "the network", "ridge on mean spectra"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The options of `acai classify`."""
    parser.add_argument("folder", metavar="FOLDER", help="a folder whose sub-folders are the classes")
    parser.add_argument("--cache", metavar="DIR", help="where the features are kept (default: the user's cache folder)")
    parser.add_argument(
        "--out", type=Path, default=Path("acai-classify.png"), metavar="FILE", help="the picture (default: %(default)s)"
    )
    parser.add_argument("--folds", type=int, default=5, metavar="N", help="parts to hold out in turn (default: %(default)s)")
    parser.add_argument("--repeats", type=int, default=3, metavar="N", help="times to part anew (default: %(default)s)")
    parser.add_argument("--epochs", type=int, default=30, metavar="N", help="of each training (default: %(default)s)")
    parser.add_argument("--seed", type=int, default=0, metavar="N", help="another seed, other folds (default: %(default)s)")


def run(args: argparse.Namespace) -> None:
    """Listen, hold out, learn, guess, tell."""
    import numpy as np

    from acai.content.classify import SoundClassifier, SpectrumClassifier, judge
    from acai.datasets.audio_folder import audio_folder
    from acai.features import extract

    folder = audio_folder(args.folder)
    classes = folder.classes
    features = extract({track: folder.paths[track] for track in classes}, args.cache, progress=True)
    width = SoundClassifier().width
    spectrograms = {track: S for track, S in features.items() if S.shape[1] >= width}
    short = {track: "is shorter than a window of 3 s" for track in features if track not in spectrograms}
    for track, reason in (features.skipped | short).items():
        print(f"skipped: {track} {reason}")

    classifiers = {
        NETWORK: lambda seed: SoundClassifier(n_epochs=args.epochs, seed=seed),
        RIDGE: lambda seed: SpectrumClassifier(),
    }
    verdicts = judge(spectrograms, classes, classifiers, args.folds, args.repeats, args.seed, progress=True)
    counts = np.bincount(verdicts.truth)
    sizes = ", ".join(f"{name} {count}" for name, count in zip(verdicts.classes, counts))
    print(f"\n{len(spectrograms)} tracks of {len(counts)} classes: {sizes}")
    print(f"accuracy on tracks held out whole, {args.folds} folds, {args.repeats} repeats (mean ± standard deviation):")
    for name in classifiers:
        accuracy = verdicts.accuracy(name)
        print(f"  {name:<26}{accuracy.mean():.3f} ± {accuracy.std():.3f}")
    print(f"  {'always the largest class':<26}{counts.max() / counts.sum():.3f}")

    wrong = (verdicts.guesses[NETWORK] != verdicts.truth).mean(axis=0)
    if wrong.any():
        print(f"\nwhere {NETWORK} went wrong:")
    for track, t, share in zip(spectrograms, range(len(wrong)), wrong):
        if share:
            guesses = verdicts.guesses[NETWORK][:, t]
            usual = verdicts.classes[np.bincount(guesses[guesses != verdicts.truth[t]]).argmax()]
            print(f"  {track}: taken for {usual} in {share:.0%} of the repeats")
    _draw(verdicts, args.out)
    print(f"\nwhat was taken for what: {args.out}")


def _draw(verdicts: "Verdicts", out: Path) -> None:
    import matplotlib.pyplot as plt

    from acai.files import written_whole
    from acai.plots.classes import confusion

    ax = confusion(verdicts.confusion(NETWORK), verdicts.classes)
    ax.set_title(f"{NETWORK}, mean of {len(verdicts.guesses[NETWORK])} repeats")
    with written_whole(out) as temporary:
        ax.figure.savefig(temporary, dpi=120)
    plt.close(ax.figure)
