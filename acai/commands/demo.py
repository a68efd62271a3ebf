"""Hear a small made-up world of music, from its plays to recommendations of songs that nobody has played.

The world is SYNTHETIC: its listeners and songs are made up, so that the truth is known and every claim can be measured.
Writes one picture and a few songs to listen to into a folder.
"""

import argparse
from pathlib import Path

import numpy as np

NETWORK, RIDGE, TRUTH, CHANCE = "the network", "ridge on the mean spectrum", "the true features", "chance"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The options of `acai demo`."""
    parser.add_argument(
        "--out", type=Path, default=Path("acai-demo"), metavar="FOLDER", help="where to write (default: %(default)s)"
    )
    parser.add_argument("--songs", type=int, default=800, help="songs in the world (default: %(default)s)")
    parser.add_argument("--users", type=int, default=1000, help="listeners in the world (default: %(default)s)")
    parser.add_argument(
        "--epochs", type=int, default=40, help="passes of the network over the songs (default: %(default)s)"
    )
    parser.add_argument("--seed", type=int, default=0, help="another seed, another world (default: %(default)s)")


def run(args: argparse.Namespace) -> None:
    """Plays → ratings → P, Q → hold songs out → learn to hear → recommend them."""
    from acai.cf import ALS
    from acai.cold_start import Split, areas, chance, unheard_scores
    from acai.content import AudioToFactors
    from acai.datasets.synthetic import synthetic
    from acai.ears import SpectrumRidge

    print("A SYNTHETIC world: its listeners, songs and plays are made up, so that we know the truth.\n")
    world = synthetic(args.users, args.songs, seed=args.seed)
    print(f"{world.plays}\n")
    _ratings_table(world, args.seed)

    split = Split.of(*world.plays.split_songs(test=0.2, seed=args.seed))
    print(
        f"Now {len(split.unheard)} songs are held out: as if nobody had ever played them. Only their sound is left.\n"
    )
    model = ALS(n_factors=10, n_epochs=10, reg=10.0).fit(split.train, progress=True)  # P, Q (C11)
    spectrograms = world.spectrograms(progress=True)
    network = AudioToFactors(n_epochs=args.epochs, seed=args.seed)
    scores = {
        CHANCE: chance(split),
        RIDGE: unheard_scores(split, model.P, model.Q, SpectrumRidge(), spectrograms),
        NETWORK: unheard_scores(split, model.P, model.Q, network, spectrograms, progress=True),
        TRUTH: world.tastes @ world.features[split.unheard].T,
    }
    ladder = areas(split, scores)
    _ladder_table(ladder)
    chosen = _one_listener(world, split, scores[NETWORK], scores[TRUTH], _typical_listener(split, scores[NETWORK]))
    _write(args.out, world, spectrograms, network, ladder, chosen)


def _ratings_table(world, seed: int) -> None:
    """Songs that were played: how far off is each model?"""
    from acai.cf import SGD, GlobalMean, UserKNN
    from acai.metrics import rmse

    train, test = world.plays.map(np.log1p).split(test=0.2, seed=seed)
    users, songs, truth = zip(*test.triplets())
    print("Songs that were played: a fifth of the plays is hidden and predicted, as log(1 + plays).\n")
    print(f"  {'':<36} RMSE")
    models = {
        "global mean": GlobalMean(),
        "nearest neighbours (C1, C2, C3)": UserKNN(k=40),
        "factors by SGD with momentum (C10)": SGD(
            n_factors=10, n_epochs=20, learning_rate=0.01, reg=0.05, momentum=0.5
        ),
    }
    for name, model in models.items():
        error = rmse(np.array(truth), model.fit(train).predict(users, songs))
        print(f"  {name:<36} {error:.4f}")
    print()


def _ladder_table(ladder: dict[str, float]) -> None:
    way = {name: (area - ladder[CHANCE]) / (ladder[TRUTH] - ladder[CHANCE]) for name, area in ladder.items()}
    print("\nSongs that nobody has played: does a listener's own song stand above another? (AUC, 0.5 is blind)\n")
    print(f"  {'':<36} {'AUC':>6}   way to the truth")
    for name, area in ladder.items():
        print(f"  {name:<36} {area:6.4f}   {way[name]:6.1%}")
    print()


def _typical_listener(split, scores: np.ndarray) -> int:
    """The listener in the middle: half of all are served better by these scores, half of them worse."""
    from acai.metrics import auc

    served = np.flatnonzero(split.played.any(axis=1) & ~split.played.all(axis=1))
    own = np.array([auc(scores[u], split.played[u]) for u in served])
    return int(served[np.argsort(own, kind="stable")[len(own) // 2]])


def _one_listener(world, split, scores: np.ndarray, truth: np.ndarray, user: int) -> dict[str, str]:
    """Print what one listener plays most and what the network would play them.

    Returns the songs to write out, with their file names.
    """
    plays = world.plays
    name = plays.users[user]
    row = split.train.csr[[user]]
    favourites = row.indices[np.argsort(-row.data, kind="stable")[:3]]
    print(f"{name}, whom the network serves neither better nor worse than most, likes music that is")
    print(f"{world.describe_taste(name)} (the truth, which the network was not told). Their favourites:\n")
    chosen = {}
    for n, i in enumerate(favourites, 1):
        song = plays.songs[i]
        chosen[song] = f"favourite-{n}-{song}.wav"
        print(f"  {song}  {int(plays.csr[user, i]):>3} plays   {world.describe(song)}")
    print("\nOf the songs that nobody has played, these come first:\n")
    place = np.argsort(np.argsort(-truth[user], kind="stable"), kind="stable")
    for n, j in enumerate(np.argsort(-scores[user], kind="stable")[:5], 1):
        song = plays.songs[split.unheard[j]]
        chosen[song] = f"recommended-{n}-{song}.wav"
        print(f"  {song}  in truth their no. {place[j] + 1:>3} of {len(place)}   {world.describe(song)}")
    return chosen


def _write(folder: Path, world, spectrograms, network, ladder: dict[str, float], chosen: dict[str, str]) -> None:
    import soundfile

    from acai import plots
    from acai.files import written_whole

    for song, name in chosen.items():
        samples, rate = world.sound(song)
        with written_whole(folder / name) as temporary:
            soundfile.write(temporary, samples, rate)
    recommended = list(chosen)[-1]
    figure = plots.demo(ladder, network.history, spectrograms[world.plays.column(recommended)], recommended)
    with written_whole(folder / "demo.png") as temporary:
        figure.savefig(temporary, dpi=120)
    print(f"\nA picture and {len(chosen)} songs to listen to are in {folder.resolve()}")
