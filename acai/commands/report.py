"""Your own music on one page: what a listener plays most beside what they have never played, recommended by its sound.

--plays is a table of listener, track and number of plays, parted by tabs or commas, without a header; a track is named as
its file is, relative to the folder: rock/some song.mp3. Tracks of the folder that nobody in the table has played are the
new ones. Writes one HTML page that can be read, looked at and listened to.
"""

import argparse
from pathlib import Path

import numpy as np


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The options of `acai report`."""
    parser.add_argument("--plays", type=Path, required=True, metavar="FILE", help="who played what how often")
    parser.add_argument("--audio", type=Path, required=True, metavar="FOLDER", help="the sound files")
    parser.add_argument("--user", metavar="ID", help="whose page it is (default: whoever played the most songs)")
    parser.add_argument("--factors", type=int, default=10, help="hidden features (default: %(default)s)")
    parser.add_argument(
        "--epochs", type=int, default=40, help="passes of the network over the songs (default: %(default)s)"
    )
    parser.add_argument("--seed", type=int, default=0, help="(default: %(default)s)")
    parser.add_argument(
        "--out", type=Path, default=Path("acai-report.html"), metavar="FILE", help="(default: %(default)s)"
    )


def run(args: argparse.Namespace) -> None:
    """Plays → P, Q; sound → Q̂; the page of one listener."""
    from acai.cf import ALS
    from acai.content import AudioToFactors
    from acai.content.library import own_music
    from acai.content.new_songs import NewSongs
    from acai.errors import InputError
    from acai.recording import Recording
    from acai.report import Story, write_report

    library = own_music(args.plays, args.audio, progress=True)
    for track, reason in library.skipped.items():
        print(f"skipped: {track} {reason}")
    if library.unheard_of:
        some = ", ".join(map(str, library.unheard_of[:3])) + (", …" if len(library.unheard_of) > 3 else "")
        print(f"{len(library.unheard_of)} of the tracks in {args.plays} cannot be heard in {args.audio}: {some}")
    plays = library.plays
    user = plays.users[int(np.diff(plays.csr.indptr).argmax())] if args.user is None else args.user
    row = plays.csr[[plays.row(user)]]
    has_plays = np.diff(plays.csc.indptr) > 0
    heard = [i for i, song in enumerate(plays.songs) if song in library.sounds and has_plays[i]]
    new = [song for i, song in enumerate(plays.songs) if song in library.sounds and not has_plays[i]]
    if not new:
        raise InputError(f"every track of {args.audio} has been played already; add some that nobody has played")
    print(f"{plays}\n{len(heard)} songs to learn from, {len(new)} that nobody has played\n")

    model = ALS(n_factors=args.factors, reg=10.0, seed=args.seed).fit(plays, progress=True)
    ear = AudioToFactors(n_epochs=args.epochs, seed=args.seed)
    ear.fit([library.sounds[plays.songs[i]] for i in heard], model.Q[heard], progress=True)
    Q_hat = ear.predict([library.sounds[song] for song in new])
    held_out = max(epoch.score for epoch in ear.history)
    caution = ""
    if held_out <= 0:
        caution = (
            f"Beware: on songs kept aside the network tells less than their mean would (R² {held_out:.2f}): "
            f"{len(heard)} songs are too few to learn from. Do not trust the order."
        )
        print(f"\n{caution}")
    best = NewSongs(model, dict(zip(new, Q_hat))).recommend_new(user, n=5)
    favourites = [i for i in row.indices[np.argsort(-row.data, kind="stable")] if plays.songs[i] in library.sounds][:5]
    print(f"\nOf the songs that nobody has played, these are for {user}:\n")
    for song, score in best:
        print(f"  {score:8.4f}  {song}")

    def sound(song: str) -> tuple[np.ndarray, float]:
        recording = Recording(library.paths[song], 22050)
        return _first_seconds(recording, 30), recording.sample_rate

    write_report(
        Story(
            title=f"New music for {user}",
            lead="The songs on the right have never been played by anyone in this log: they were chosen by their sound alone. "
            + caution,
            ear=ear,
            Q=model.Q[heard],
            listener=f"{user} played {len(row.indices)} songs. Here are half a minute of the favourites, and of what is new.",
            favourites={
                plays.songs[i]: f"{plays.songs[i]}, {plays.csr[plays.row(user), i]:g} plays" for i in favourites
            },
            recommended={song: f"{song}, score {score:.3f}" for song, score in best},
            sound=sound,
            spectrogram=library.sounds.__getitem__,
        ),
        args.out,
    )
    print(f"\nLook and listen: {args.out.resolve()}")


def _first_seconds(recording, seconds: float) -> np.ndarray:
    blocks, n = [], 0
    for block in recording:
        blocks.append(block)
        n += len(block)
        if n >= seconds * recording.sample_rate:
            break
    return np.concatenate(blocks)[: int(seconds * recording.sample_rate)]
