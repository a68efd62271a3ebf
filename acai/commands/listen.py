"""`acai demo`, `acai report`: from plays and sound to songs that nobody has played, on a page to be heard."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from acai import plots
from acai.audio.recording import Recording
from acai.cf import ALS, SGD, GlobalMean, UserKNN
from acai.commands import expect_place
from acai.commands.models import favourites
from acai.content import AudioToFactors, NewSongs, SpectrumRidge
from acai.datasets import audio_folder, triplets
from acai.datasets.rules import stars_from_counts
from acai.datasets.synthetic import synthetic
from acai.errors import InputError
from acai.evaluation.metrics import auc, rmse
from acai.files import atomic_write
from acai.ratings import Ratings
from acai.report.page import encoded, picture, table, write_report
from acai.studies.ladder import Split, areas, chance, unheard_scores
from acai.studies.own_music import own_music
from acai.terminal import one_line

CHANCE, RIDGE, NETWORK, TRUTH = "chance", "ridge on the mean spectrum", "the network", "the true features"
ENOUGH = 4  # songs for an `AudioToFactors`
RATE, SECONDS = 22050, 30  # of what a player plays of one's own music


def demo(*, out: Path = Path("acai-demo"), songs: int = 800, users: int = 1000, epochs: int = 40, seed: int = 0) -> None:
    """Hear a small made-up world of music, from its plays to recommendations of songs that nobody has played.

    The world is SYNTHETIC: its listeners and songs are made up, so that the truth is known and every claim can be measured.
    Writes a page, one picture and a few songs to listen to into a folder.

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
    expect_place(out / "report.html")
    print("A SYNTHETIC world: its listeners, songs and plays are made up, so that we know the truth.\n")
    world = synthetic(users, songs, seed=seed)
    plays = world.plays
    print(f"{plays}\n\nSongs that were played: a fifth of the ratings, made of plays by rule D4, is hidden and predicted.\n")
    errors = predict_hidden(plays, seed)
    print_table(("", "RMSE"), errors)

    split = Split.of(*plays.split_songs(test=0.2, seed=seed))
    print(f"Now {len(split.unheard)} songs are held out: as if nobody had ever played them. Only their sound is left.\n")
    model = ALS(n_factors=10, n_epochs=10, reg=10.0).fit(split.train, progress=True)  # P, Q (C11)
    spectrograms = world.spectrograms(progress=True)
    ear = AudioToFactors(n_epochs=epochs, seed=seed)
    scores = {
        CHANCE: chance(split),
        RIDGE: unheard_scores(split, model.P, model.Q, SpectrumRidge(), spectrograms),
        NETWORK: unheard_scores(split, model.P, model.Q, ear, spectrograms, progress=True),
        TRUTH: world.tastes @ world.features[split.unheard].T,
    }
    ear.expect_complete_training()
    ladder = areas(split, scores)
    whole_way = (ladder[TRUTH] - ladder[CHANCE]) or np.nan  # in a tiny world, chance may do as well as the truth
    rungs = [(name, f"{area:.4f}", f"{(area - ladder[CHANCE]) / whole_way:.1%}") for name, area in ladder.items()]
    print("\nSongs that nobody has played: does one that a listener plays stand above one they do not? (AUC, E7)\n")
    print_table(("", "AUC", "way to the truth"), rungs)

    u = typical_listener(split, scores[NETWORK])
    user = plays.users[u]
    played = {song: f"{n:g} plays: {world.describe(song)}" for song, n in favourites(split.train, user)[:3]}
    by_network, by_truth = (list(np.argsort(-scores[name][u], kind="stable")) for name in (NETWORK, TRUTH))
    new = {}
    for j in by_network[:5]:
        song = plays.songs[split.unheard[j]]
        new[song] = f"in truth their no. {by_truth.index(j) + 1} of {len(by_truth)}: {world.describe(song)}"
    listener = (
        f"{user}, whom the network serves better than half of the others and worse than the other half, likes music that is "
        f"{world.describe_taste(user)}. That is the truth, which the network was not told."
    )
    print(f"{listener}\n\nPlayed most:\n")
    print(*(f"  {song}  {words}" for song, words in played.items()), sep="\n")
    print("\nOf the songs that nobody has played, these come first:\n")
    print(*(f"  {song}  {words}" for song, words in new.items()), sep="\n")

    wavs: dict[str, str] = {}
    for kind, group in ("favourite", played), ("recommended", new):
        wavs |= {f"{kind}-{n}-{song}.wav": song for n, song in enumerate(group, start=1)}
    for name, song in wavs.items():
        contents = encoded(*world.sound(song), "WAV")
        with atomic_write(out / name) as temporary:
            temporary.write_bytes(contents)
    first = next(iter(new))
    S = spectrograms[plays.column(first)]
    plots.save(plots.overview(ladder, ear.history, S, first), out / "demo.png")
    title = "acai on a SYNTHETIC world of music"
    lead = "SYNTHETIC: these listeners, songs and plays are made up, so that the truth is known and every claim is measured."
    songs_of_Q = plots.factor_map(model.Q[split.heard], world.features[split.heard, 1], "register, from low to high")
    results = table("Songs that were played", ("RMSE of hidden ratings", "RMSE"), errors)
    results += table("Songs that nobody has played", ("", "AUC", "way to the truth"), rungs)
    results += picture(plots.ladder(ladder), "How well each way recommends songs that nobody has played.")
    write_report(out / "report.html", title, lead, listener, played, new, world.sound, ear, S, songs_of_Q, results)
    for kind in "favourite", "recommended":
        for old in out.glob(f"{kind}-?-song-*.wav"):  # of a demo before this one
            if old.name not in wavs:
                old.unlink()
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
    """The row of the listener in the middle: half of all are served better by these scores, half of them worse."""
    served = np.flatnonzero(split.played.any(axis=1) & ~split.played.all(axis=1))
    own = [auc(scores[u], split.played[u]) for u in served]
    return int(served[np.argsort(own, kind="stable")[len(own) // 2]])


def print_table(header: tuple[str, ...], rows: list[tuple[str, ...]]) -> None:
    """The first column to the left, the others, each as wide as its heading, to the right."""
    for first, *cells in (header, *rows):
        print(f"  {first:<36}" + "".join(f"  {cell:>{max(6, len(head))}}" for cell, head in zip(cells, header[1:])))
    print()


def parted(songs: Sequence[str], plays: Ratings, audio: Path) -> tuple[list[str], list[str]]:
    """The songs with and without plays: enough of the ones to learn from, and at least one of the others to recommend."""
    n = dict(zip(plays.songs, np.diff(plays.csc.indptr)))
    heard, unheard = [song for song in songs if n.get(song)], [song for song in songs if not n.get(song)]
    if not unheard:
        raise InputError(f"every track of {audio} has been played already; add some that nobody has played")
    if 0 < len(heard) < ENOUGH:  # where there is none, `own_music` says why
        expected = f"expected at least {ENOUGH}, 2 to learn from and 2 to judge by"
        raise InputError(f"of the tracks of {audio} that can be heard, {len(heard)} have been played; {expected}")
    return heard, unheard


def report(
    *, plays: Path, audio: Path, user: str | None = None, factors: int = 10, epochs: int = 40, seed: int = 0,
    out: Path = Path("acai-report.html"),
) -> None:
    """Your own music on one page: what a listener plays most, and what of the unplayed sounds like it.

    --plays is a table of listener, track and number of plays, parted by tabs or commas, without a header; a track is named as
    its file is, relative to the folder: rock/some song.mp3. Lines of the same listener and track are summed up. Tracks of the
    folder that nobody in the table has played are the new ones. Writes one HTML page that can be read, looked at and listened to.

    Parameters
    ----------
    plays : FILE
        Who played what how often.
    audio : FOLDER
        The sound files.
    user : ID
        Whose page it is (default: whoever played the most songs).
    factors : N
        Hidden features.
    epochs : N
        Passes of the network over the songs.
    seed : N
        Of all that is learnt.
    out : FILE
        The page.
    """
    expect_place(out)
    log, tracks = triplets(plays, combine="sum"), audio_folder(audio).tracks
    user = user or log.users[np.diff(log.csr.indptr).argmax()]
    loved = favourites(log, user)
    parted(tracks, log, audio)  # what the names show to be in vain should not have to wait for the listening
    library = own_music(plays, audio, progress=True)
    log, sounds = library.plays, library.sounds
    for track, reason in library.skipped.items():
        print(f"skipped: {one_line(track)} {reason}")
    heard, unheard = parted([song for song in log.songs if song in sounds], log, audio)
    missing = library.unheard_of
    if missing:
        some = ", ".join(map(one_line, missing[:3])) + (", …" if len(missing) > 3 else "")
        print(f"{len(missing)} of the tracks in {plays} cannot be heard in {audio}: {some}")
    print(f"{log}\n{len(heard)} songs to learn from, {len(unheard)} that nobody has played\n")

    model = ALS(n_factors=factors, reg=10.0, seed=seed).fit(log, progress=True)  # P, Q (C11)
    Q = model.Q[[log.column(song) for song in heard]]
    ear = AudioToFactors(n_epochs=epochs, seed=seed).fit([sounds[song] for song in heard], Q, progress=True)
    ear.expect_complete_training()
    Q_hat = ear.predict([sounds[song] for song in unheard])  # (A4)
    lead = "The songs on the right have never been played by anyone in this log: they were chosen by their sound alone."
    score = max(epoch.score for epoch in ear.history)
    if score <= 0:
        caution = f"Beware: on songs kept aside the network tells less than their mean would (R² {score:.2f})"
        caution += f": {len(heard)} songs are too few to learn from. Do not trust the order."
        print(f"\n{caution}")
        lead += f" {caution}"
    best = NewSongs(model, dict(zip(unheard, Q_hat))).recommend_new(user, n=5)
    print(f"\nOf the songs that nobody has played, these are for {one_line(user)}:\n")
    print(*(f"  {score:8.4f}  {one_line(song)}" for song, score in best), sep="\n")

    title = f"New music for {user}"
    listener = f"{user} played {len(loved)} songs. Here are half a minute of the favourites, and of what is new."
    known = [(song, n) for song, n in loved if song in sounds][:5]
    played = {song: f"{n:g} plays" for song, n in known}
    new = {song: f"score {score:.3f}" for song, score in best}
    S = sounds[best[0][0]]

    def beginning(song: str) -> tuple[np.ndarray, float]:
        recording = Recording(library.paths[song], RATE)
        blocks = []
        for block in recording:
            blocks.append(block)
            if recording.n_samples >= SECONDS * RATE:
                break
        return np.concatenate(blocks)[: SECONDS * RATE], RATE

    write_report(out, title, lead, listener, played, new, beginning, ear, S, plots.factor_map(Q))
    print(f"\nLook and listen: {out.resolve()}")
