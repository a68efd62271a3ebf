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
    from acai.content import AudioToFactors
    from acai.content.cold_start import Split, areas, chance, unheard_scores
    from acai.content.ears import SpectrumRidge
    from acai.datasets.synthetic import synthetic

    print("A SYNTHETIC world: its listeners, songs and plays are made up, so that we know the truth.\n")
    world = synthetic(args.users, args.songs, seed=args.seed)
    print(f"{world.plays}\n")
    errors = _errors(world.plays, args.seed)
    print("Songs that were played: a fifth of the ratings, made of plays by rule D4, is hidden and predicted.\n")
    _print_table(("", "RMSE"), errors)

    split = Split.of(*world.plays.split_songs(test=0.2, seed=args.seed))
    print(
        f"Now {len(split.unheard)} songs are held out: as if nobody had ever played them. Only their sound is left.\n"
    )
    model = ALS(n_factors=10, n_epochs=10, reg=10.0).fit(split.train, progress=True)  # P, Q (C11)
    spectrograms = world.spectrograms(progress=True)
    ear = AudioToFactors(n_epochs=args.epochs, seed=args.seed)
    scores = {
        CHANCE: chance(split),
        RIDGE: unheard_scores(split, model.P, model.Q, SpectrumRidge(), spectrograms),
        NETWORK: unheard_scores(split, model.P, model.Q, ear, spectrograms, progress=True),
        TRUTH: world.tastes @ world.features[split.unheard].T,
    }
    ladder = areas(split, scores)
    print("\nSongs that nobody has played: does one that a listener plays stand above one they do not? (AUC, E7)\n")
    unheard = [(name, f"{area:.4f}", _way(ladder, name)) for name, area in ladder.items()]
    _print_table(("", "AUC", "way to the truth"), unheard)

    story = _story_of_one_listener(world, split, scores, ear, spectrograms)
    story.Q, story.colours, story.colour_label = (
        model.Q[split.heard],
        world.features[split.heard, 1],
        "register, from low to high",
    )
    story.ladder = ladder
    story.tables = [
        ("Songs that were played", ("RMSE of hidden ratings", "RMSE"), errors),
        ("Songs that nobody has played", ("", "AUC", "way to the truth"), unheard),
    ]
    _write(args.out, story)


def _errors(plays, seed: int) -> list[tuple[str, str]]:
    """How far off each model is on ratings that were hidden from it."""
    from acai.cf import SGD, GlobalMean, UserKNN
    from acai.datasets.rules import stars_from_counts
    from acai.metrics import rmse

    train, test = plays.map(stars_from_counts).split(test=0.2, seed=seed)
    users, songs, truth = zip(*test.triplets())
    models = {
        "global mean": GlobalMean(),
        "nearest neighbours (C1, C2, C3)": UserKNN(k=40),
        "factors by SGD with momentum (C10)": SGD(
            n_factors=10, n_epochs=20, learning_rate=0.01, reg=0.05, momentum=0.5
        ),
    }
    return [
        (name, f"{rmse(np.array(truth), model.fit(train).predict(users, songs)):.4f}") for name, model in models.items()
    ]


def _way(ladder: dict[str, float], name: str) -> str:
    return f"{(ladder[name] - ladder[CHANCE]) / (ladder[TRUTH] - ladder[CHANCE]):.1%}"


def _print_table(header: tuple[str, ...], rows: list[tuple[str, ...]]) -> None:
    for row in (header, *rows):
        print(f"  {row[0]:<36}" + "".join(f"  {cell:>{max(6, len(head))}}" for cell, head in zip(row[1:], header[1:])))
    print()


def _typical_listener(split, scores: np.ndarray) -> int:
    """The listener in the middle: half of all are served better by these scores, half of them worse."""
    from acai.metrics import auc

    served = np.flatnonzero(split.played.any(axis=1) & ~split.played.all(axis=1))
    own = np.array([auc(scores[u], split.played[u]) for u in served])
    return int(served[np.argsort(own, kind="stable")[len(own) // 2]])


def _story_of_one_listener(world, split, scores: dict[str, np.ndarray], ear, spectrograms):
    """What a typical listener plays most, and what the network would play them; printed, and kept for the report."""
    from acai.report import Story

    plays = world.plays
    user = _typical_listener(split, scores[NETWORK])
    name = plays.users[user]
    row = split.train.csr[[user]]
    played_most = row.indices[np.argsort(-row.data, kind="stable")[:3]]
    favourites = {
        plays.songs[i]: f"{int(plays.csr[user, i])} plays: {world.describe(plays.songs[i])}" for i in played_most
    }
    place = np.argsort(np.argsort(-scores[TRUTH][user], kind="stable"), kind="stable")
    recommended = {}
    for j in np.argsort(-scores[NETWORK][user], kind="stable")[:5]:
        song = plays.songs[split.unheard[j]]
        recommended[song] = f"in truth their no. {place[j] + 1} of {len(place)}: {world.describe(song)}"
    listener = (
        f"{name}, whom the network serves better than half of the others and worse than the other half, likes music that is "
        f"{world.describe_taste(name)}. That is the truth, which the network was not told."
    )
    print(f"{listener}\n\nPlayed most:\n")
    for song, words in favourites.items():
        print(f"  {song}  {words}")
    print("\nOf the songs that nobody has played, these come first:\n")
    for song, words in recommended.items():
        print(f"  {song}  {words}")
    return Story(
        title="acai on a SYNTHETIC world of music",
        lead="SYNTHETIC: these listeners, songs and plays are made up, so that the truth is known and every claim is measured.",
        ear=ear,
        Q=np.empty((0, 0)),
        listener=listener,
        favourites={song: f"{song}, {words}" for song, words in favourites.items()},
        recommended={song: f"{song}, {words}" for song, words in recommended.items()},
        sound=world.sound,
        spectrogram=lambda song: spectrograms[plays.column(song)],
    )


def _write(folder: Path, story) -> None:
    import soundfile

    from acai import plots
    from acai.files import written_whole
    from acai.report import write_report

    for kind, songs in ("favourite", story.favourites), ("recommended", story.recommended):
        for n, song in enumerate(songs, 1):
            with written_whole(folder / f"{kind}-{n}-{song}.wav") as temporary:
                soundfile.write(temporary, *story.sound(song))
    song = next(iter(story.recommended))
    with written_whole(folder / "demo.png") as temporary:
        plots.overview(story.ladder, story.ear.history, story.spectrogram(song), song).savefig(temporary, dpi=120)
    write_report(story, folder / "report.html")
    print(f"\nLook and listen: {folder.resolve() / 'report.html'} (the songs and a picture lie beside it)")
