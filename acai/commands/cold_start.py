"""The ladder of `acai evaluate cold-start`: how well can songs that nobody has played be recommended?

From chance by way of straight lines and a bag of words to the network and, where it is known, the truth. Songs are held
out whole, fold by fold; the table has the mean over the folds and the standard deviation. Without --plays and --audio the
music is the SYNTHETIC world of `acai demo`. The first folder that a track of your own lies in is taken for its artist.
"""

import argparse
from pathlib import Path

import numpy as np


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The options of `acai evaluate cold-start`."""
    parser.add_argument("--plays", type=Path, metavar="FILE", help="a table of listener, track and number of plays")
    parser.add_argument(
        "--audio", type=Path, metavar="FOLDER", help="the folder of the tracks, which their ids are relative to"
    )
    parser.add_argument(
        "--folds", type=int, default=5, help="in how many parts songs are held out (default: %(default)s)"
    )
    parser.add_argument(
        "--epochs", type=int, default=40, help="passes of the network over the songs (default: %(default)s)"
    )
    parser.add_argument("--songs", type=int, default=800, help="songs in the synthetic world (default: %(default)s)")
    parser.add_argument("--users", type=int, default=1000, help="listeners in it (default: %(default)s)")
    parser.add_argument("--seed", type=int, default=0, help="(default: %(default)s)")
    parser.add_argument("--plot", type=Path, metavar="FILE", help="draw the ladder into this file")


def run(args: argparse.Namespace) -> None:
    """Climb the ladder, print it, draw it."""
    from acai.content.cold_start import climb
    from acai.errors import InputError
    from acai.files import written_whole

    if (args.plays is None) != (args.audio is None):
        raise InputError("--plays and --audio go together: who played what, and what it sounds like")
    if args.plays is not None:
        from acai.content.library import own_music

        plays, spectrograms = own_music(args.plays, args.audio, progress=True).with_sound_only()
        truth, artists = None, [song.split("/")[0] if "/" in song else None for song in plays.songs]
        if not any(artists):
            artists = None
    else:
        from acai.datasets.synthetic import synthetic

        print("A SYNTHETIC world: its listeners, songs and plays are made up, so that we know the truth.\n")
        world, artists = synthetic(args.users, args.songs, seed=args.seed), None
        plays, spectrograms, truth = world.plays, world.spectrograms(progress=True), world.tastes @ world.features.T
    print(f"{plays}\n")
    ladder = climb(plays, spectrograms, args.folds, args.epochs, truth, artists, args.seed, progress=True)
    print(f"\n  {'':<40} {'AUC':>15} {'mAP@500':>15}")
    for name, folds in ladder.items():
        (auc, precision), (auc_std, precision_std) = folds.mean(axis=0), folds.std(axis=0, ddof=1)
        print(f"  {name:<40} {auc:.4f} ± {auc_std:.4f} {precision:.4f} ± {precision_std:.4f}")
    if "the true features" in ladder:
        way = (ladder["the network"] - ladder["chance"])[:, 0] / (ladder["the true features"] - ladder["chance"])[:, 0]
        print(f"\nThe network is {way.mean():.1%} of the way from chance to the truth (± {np.std(way, ddof=1):.1%}).")
    if args.plot is not None:
        from acai import plots

        means, errors = (
            {name: f(folds[:, 0]) for name, folds in ladder.items()} for f in (np.mean, lambda a: np.std(a, ddof=1))
        )
        with written_whole(args.plot) as temporary:
            plots.ladder(means, errors=errors).figure.savefig(temporary, dpi=120)
        print(f"\nThe picture is in {args.plot.resolve()}")
