"""`acai demo`: the whole line on a world that is made up, so that every claim can be measured."""

from pathlib import Path

import numpy as np
import soundfile

from acai import plots
from acai.cf import ALS, SGD, GlobalMean, UserKNN
from acai.commands.models import favourites
from acai.content import AudioToFactors, SpectrumRidge
from acai.content.cold_start import Split, areas, chance, unheard_scores
from acai.datasets.rules import stars_from_counts
from acai.datasets.synthetic import synthetic
from acai.files import written_whole
from acai.metrics import auc, rmse
from acai.ratings import Ratings
from acai.report import picture, section, table, write_report

CHANCE, NETWORK, TRUTH = "chance", "the network", "the true features"


def demo(
    *, out: Path = Path("acai-demo"), songs: int = 800, users: int = 1000, epochs: int = 40, seed: int = 0
) -> None:
    """Hear a small made-up world of music, from its plays to recommendations of songs that nobody has played.

    The world is SYNTHETIC: its listeners and songs are made up, so that the truth is known and every claim can be measured.
    Writes one picture, a page and a few songs to listen to into a folder.

    Parameters
    ----------
    out : FOLDER
        Where to write.
    songs : N
        Songs in the world.
    users : N
        Listeners in the world.
    epochs : N
        Passes of the network over the songs.
    seed : N
        Another seed, another world.
    """
    print("A SYNTHETIC world: its listeners, songs and plays are made up, so that we know the truth.\n")
    world = synthetic(users, songs, seed=seed)
    plays = world.plays
    print(f"{plays}\n")
    print("Songs that were played: a fifth of the ratings, made of plays by rule D4, is hidden and predicted.\n")
    errors = predict_hidden(plays, seed)
    print_table(("", "RMSE"), errors)

    split = Split.of(*plays.split_songs(test=0.2, seed=seed))
    print(f"Now {len(split.unheard)} songs are held out: as if nobody had ever played them. Only their sound is left.\n")
    model = ALS(n_factors=10, n_epochs=10, reg=10.0).fit(split.train, progress=True)  # P, Q (C11)
    spectrograms = world.spectrograms(progress=True)
    ear = AudioToFactors(n_epochs=epochs, seed=seed)
    scores = {
        CHANCE: chance(split),
        "ridge on the mean spectrum": unheard_scores(split, model.P, model.Q, SpectrumRidge(), spectrograms),
        NETWORK: unheard_scores(split, model.P, model.Q, ear, spectrograms, progress=True),
        TRUTH: world.tastes @ world.features[split.unheard].T,
    }
    ladder = areas(split, scores)
    whole_way = ladder[TRUTH] - ladder[CHANCE]
    rungs = [(name, f"{area:.4f}", f"{(area - ladder[CHANCE]) / whole_way:.1%}") for name, area in ladder.items()]
    print("\nSongs that nobody has played: does one that a listener plays stand above one they do not? (AUC, E7)\n")
    print_table(("", "AUC", "way to the truth"), rungs)

    user = typical_listener(split, scores[NETWORK])
    name = plays.users[user]
    known = {song: f"{n:g} plays: {world.describe(song)}" for song, n in favourites(split.train, name)[:3]}
    place = np.argsort(np.argsort(-scores[TRUTH][user], kind="stable"), kind="stable") + 1
    new = {}
    for j in np.argsort(-scores[NETWORK][user], kind="stable")[:5]:
        song = plays.songs[split.unheard[j]]
        new[song] = f"in truth their no. {place[j]} of {len(place)}: {world.describe(song)}"
    listener = (
        f"{name}, whom the network serves better than half of the others and worse than the other half, likes music that is "
        f"{world.describe_taste(name)}. That is the truth, which the network was not told."
    )
    print(f"{listener}\n\nPlayed most:\n")
    print(*(f"  {song}  {words}" for song, words in known.items()), sep="\n")
    print("\nOf the songs that nobody has played, these come first:\n")
    print(*(f"  {song}  {words}" for song, words in new.items()), sep="\n")

    for kind, group in ("favourite", known), ("recommended", new):
        for n, song in enumerate(group, 1):
            with written_whole(out / f"{kind}-{n}-{song}.wav") as temporary:
                soundfile.write(temporary, *world.sound(song))
    first = next(iter(new))
    S = spectrograms[plays.column(first)]
    plots.save(plots.overview(ladder, ear.history, S, first), out / "demo.png")
    write_report(
        out / "report.html",
        "acai on a SYNTHETIC world of music",
        "SYNTHETIC: these listeners, songs and plays are made up, so that the truth is known and every claim is measured.",
        listener,
        {
            "Played most": {f"{song}, {words}": world.sound(song) for song, words in known.items()},
            "Recommended by their sound alone": {f"{song}, {words}": world.sound(song) for song, words in new.items()},
        },
        ear,
        (first, S),
        plots.factor_map(model.Q[split.heard], world.features[split.heard, 1], "register, from low to high"),
        [
            section("Songs that were played", table(("RMSE of hidden ratings", "RMSE"), errors)),
            section("Songs that nobody has played", table(("", "AUC", "way to the truth"), rungs)),
            picture(plots.ladder(ladder), "How well each way recommends songs that nobody has played."),
        ],
    )
    print(f"\nLook and listen: {out.resolve() / 'report.html'} (the songs and a picture lie beside it)")


def predict_hidden(plays: Ratings, seed: int) -> list[tuple[str, str]]:
    """How far off each model is on ratings that were hidden from it."""
    train, test = plays.map(stars_from_counts).split(test=0.2, seed=seed)
    models = {
        "global mean": GlobalMean(),
        "nearest neighbours (C1, C2, C3)": UserKNN(k=40),
        "factors by SGD with momentum (C10)": SGD(10, n_epochs=20, learning_rate=0.01, reg=0.05, momentum=0.5),
    }
    users, songs, truth = zip(*test.triplets())
    predicted = {name: model.fit(train).predict(users, songs) for name, model in models.items()}
    return [(name, f"{rmse(np.array(truth), r_hat):.4f}") for name, r_hat in predicted.items()]


def typical_listener(split: Split, scores: np.ndarray) -> int:
    """The listener in the middle: half of all are served better by these scores, half of them worse."""
    served = np.flatnonzero(split.played.any(axis=1) & ~split.played.all(axis=1))
    own = np.array([auc(scores[u], split.played[u]) for u in served])
    return int(served[np.argsort(own, kind="stable")[len(own) // 2]])


def print_table(header: tuple[str, ...], rows: list[tuple[str, ...]]) -> None:
    """The first column to the left, the others, each as wide as its heading, to the right."""
    for first, *cells in (header, *rows):
        print(f"  {first:<36}" + "".join(f"  {cell:>{max(6, len(head))}}" for cell, head in zip(cells, header[1:])))
    print()
